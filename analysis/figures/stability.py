"""Figures of frequency stability: deviations against averaging time with their intervals.

Not here: how they are computed (`analysis.stability`).
"""

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from analysis.core import SpectrumError
from analysis.figures.drawing import BLUE, GREEN, GREY, ORANGE, VERMILLION, blank, label

__all__ = ["draw_stability"]

_COLOURS = (BLUE, VERMILLION, GREEN, ORANGE, GREY)


def draw_stability(found: xr.Dataset | Mapping[str, xr.Dataset], *, title: str = "") -> Figure:
    """Draw deviations against averaging time on logarithmic scales, each with its interval and its noise.

    Parameters
    ----------
    found:
        Made by `stability.oadev` or one of its family, or several of them by name, five at most.
    title:
        What stands on top.

    Returns
    -------
    :
        The figure; the noise that was identified stands beside the points of the first where it changes.

    Raises
    ------
    SpectrumError
        If there is no deviation over `tau`, or there are more than five.
    """
    several = {"": found} if isinstance(found, xr.Dataset) else dict(found)
    wrong = [name for name, one in several.items() if "value" not in one or one["value"].dims != ("tau",)]
    if wrong or not 1 <= len(several) <= len(_COLOURS):
        msg = f"wanted one to five deviations over tau, as stability.oadev returns; got {len(several)}, wrong: {wrong}"
        raise SpectrumError(msg)
    figure, (axes,) = blank(size=(7.2, 4.2))
    for (name, one), colour in zip(several.items(), _COLOURS, strict=False):
        tau, value = one["tau"].values, one["value"].values
        if "low" in one:
            bars = np.array([value - one["low"].values, one["high"].values - value])
            axes.errorbar(tau, value, yerr=np.nan_to_num(bars), fmt="none", ecolor=colour, elinewidth=1, capsize=2)
        axes.plot(tau, value, marker="o", markersize=4, linewidth=1, color=colour, label=name or None)
    axes.set_xscale("log")
    axes.set_yscale("log")
    first = next(iter(several.values()))
    _say_noises(axes, first)
    axes.set_xlabel(label("averaging time", "s"))
    axes.set_ylabel(label("deviation", str(first["value"].attrs.get("units", "1"))))
    axes.set_title(title, fontsize=11)
    if len(several) > 1:
        axes.legend(frameon=False)
    return figure


def _say_noises(axes, one: xr.Dataset) -> None:  # type: ignore[no-untyped-def] # noqa: ANN001 - matplotlib's axes
    if "noise_name" not in one:
        return
    names = [str(each) for each in one["noise_name"].values]
    for k, name in enumerate(names):
        if name and (k == 0 or names[k - 1] != name):
            place = (float(one["tau"][k]), float(one["value"][k]))
            axes.annotate(name, place, xytext=(4, 8), textcoords="offset points", fontsize=8, color=GREY)
