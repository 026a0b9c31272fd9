"""Figures of waveforms and digitisers: spectral densities, INL and DNL.

Not here: how they are computed (`analysis.waveform`).
"""

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from analysis.core import SpectrumError
from analysis.figures.drawing import BLUE, GREY, VERMILLION, blank, label

__all__ = ["draw_density", "draw_linearity"]


def draw_density(found: xr.Dataset, *, title: str = "") -> Figure:
    """Draw a power spectral density with its uncertainty, on a logarithmic scale.

    Parameters
    ----------
    found:
        Made by `waveform.psd`, of one record.
    title:
        What stands on top.

    Returns
    -------
    :
        The figure, without the value at zero frequency.

    Raises
    ------
    SpectrumError
        If it is no density, or of several records.
    """
    if "psd" not in found or found["psd"].ndim != 1:
        msg = "a density has psd along frequency; give what waveform.psd returns for one record"
        raise SpectrumError(msg)
    one = found.isel(frequency=slice(1, None))
    frequency, density, u = one["frequency"].values, one["psd"].values, one["u_psd"].values
    figure, (axes,) = blank(size=(7.2, 3.8))
    axes.fill_between(
        frequency, np.maximum(density - u, 0.2 * density), density + u, color=BLUE, alpha=0.25, linewidth=0
    )
    axes.semilogy(frequency, density, color=BLUE, linewidth=1.0)
    axes.set_xlabel(label("frequency", "Hz"))
    axes.set_ylabel(label("power spectral density", str(found["psd"].attrs.get("units", "1"))))
    axes.set_title(title, fontsize=11)
    return figure


def draw_linearity(test: xr.Dataset, *, title: str = "") -> Figure:
    """Draw INL and DNL of a digitiser with their uncertainty.

    Parameters
    ----------
    test:
        Made by `waveform.histogram_test`.
    title:
        What stands on top.

    Returns
    -------
    :
        INL above, DNL below; missing codes are marked.

    Raises
    ------
    SpectrumError
        If there is no INL.
    """
    if "inl" not in test:
        msg = "no INL here; give what waveform.histogram_test returns"
        raise SpectrumError(msg)
    figure, (above, below) = blank(rows=2, ratios=(1.4, 1.0))
    code = test["code"].values
    for axes, name in ((above, "inl"), (below, "dnl")):
        value, u = test[name].values, test[f"u_{name}"].values
        axes.fill_between(code, value - u, value + u, color=BLUE, alpha=0.25, linewidth=0, step="mid")
        axes.step(code, value, where="mid", color=BLUE, linewidth=0.9)
        axes.axhline(0.0, color=GREY, linewidth=0.8)
        axes.set_ylabel(f"{name.upper()} (LSB)")
    gone = code[test["missing"].values]
    if gone.size:
        below.plot(gone, np.full(gone.size, -1.0), "x", color=VERMILLION, label="missing code")
        below.legend(frameon=False, fontsize=9)
    below.set_xlabel("code")
    above.set_title(title, fontsize=11)
    return figure
