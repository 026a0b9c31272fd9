"""Figures of calibration curves.

Not here: figures of budgets and deviations (`analysis.figures.results`).
"""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from analysis.calibration import CurveCalibration
from analysis.figures.drawing import BLUE, GREY, VERMILLION, blank, label, plain
from analysis.uncertainty import Quantity

__all__ = ["draw_curve"]

STEPS, COARSE = 101, 5


def draw_curve(
    curve: CurveCalibration, *, level: float = 0.95, inverse: Quantity | None = None,
    names: tuple[str, str] = ("x", "y"), title: str = "",
) -> Figure:  # fmt: skip
    """Draw the points, the curve with the band of its expanded uncertainty, and what is left of the points.

    Parameters
    ----------
    curve:
        Made by `calibration.fit_line` and the like.
    level:
        Coverage probability of the band and of the error bars of the points, in (0, 1).
    inverse:
        An x that was read from the curve, shown with its expanded uncertainty.
    names:
        What stands along the axes, before the units.
    title:
        What stands on top.

    Returns
    -------
    :
        The figure: the curve above, residuals below.
    """
    at = np.linspace(curve.low, curve.high, STEPS)
    value = curve.family.value(at, curve.values)
    half = np.interp(at, at[::COARSE], [_half(curve.predict(float(x)), level) for x in at[::COARSE]])
    points = {str(name): each.values for name, each in curve.points.data_vars.items()}
    figure, (above, below) = blank(rows=2, ratios=(2.2, 1.0), size=(7.2, 4.8))
    above.plot(at, value, color=VERMILLION, linewidth=1.4, label=plain(curve.family.kind))
    above.fill_between(at, value - half, value + half, color=VERMILLION, alpha=0.18, label=f"U at {100 * level:g} %")
    below.fill_between(at, -half, half, color=VERMILLION, alpha=0.18)
    below.axhline(0, color=VERMILLION, linewidth=1.0)
    style: dict[str, Any] = {"fmt": "o", "color": BLUE, "markersize": 4, "capsize": 2, "linewidth": 1.0}
    style |= {"xerr": 2 * points["u_x"], "yerr": 2 * points["u_y"]}
    above.errorbar(points["x"], points["y"], label="points, 2 u", **style)
    left = points["y"] - curve.family.value(points["x"], curve.values)
    below.errorbar(points["x"], left, **style)
    if inverse is not None:
        low, high = inverse.value - inverse.U(level), inverse.value + inverse.U(level)
        for axes in (above, below):
            axes.axvspan(low, high, color=GREY, alpha=0.18, linewidth=0)
            axes.axvline(inverse.value, color=GREY, linewidth=1.2, linestyle="--")
    above.set_ylabel(label(names[1], curve.units))
    below.set_ylabel("residual", fontsize=9)
    below.set_xlabel(label(names[0], curve.of_units))
    above.set_title(plain(title), loc="left", fontsize=11)
    above.legend(fontsize=8.5, frameon=False)
    return figure


def _half(found: Quantity | tuple[Quantity, ...], level: float) -> float:
    assert isinstance(found, Quantity)  # noqa: S101 - one for one number
    return found.U(level)
