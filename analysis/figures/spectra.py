"""Figures of spectra and of fits.

Not here: figures of budgets and comparisons (`analysis.figures.results`).
"""

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from analysis.core import CHANNEL, SpectrumError, require_axis, require_spectrum
from analysis.figures.drawing import BLUE, GREEN, GREY, ORANGE, VERMILLION, blank, label, plain
from analysis.peaks import evaluate

_CYCLE = (BLUE, VERMILLION, GREEN, ORANGE, GREY)


def draw_spectrum(
    spectrum: xr.Dataset | xr.DataArray,
    *,
    axis: str,
    marks: Mapping[str, float] | None = None,
    title: str = "",
) -> Figure:
    """Draw a spectrum with its uncertainty.

    Parameters
    ----------
    spectrum:
        One spectrum; of a map choose one first. `u_signal` is drawn as a band of ± u.
    axis:
        Coordinate along `channel`.
    marks:
        Names of positions on the axis, in its units.
    title:
        What stands on top.

    Returns
    -------
    :
        The figure.

    Raises
    ------
    SpectrumError
        If it is a map, or has no such axis.
    """
    dataset = _require_one(spectrum)
    x, signal = require_axis(dataset, axis), dataset["signal"]
    figure, (axes,) = blank()
    axes.plot(x.values, signal.values, color=BLUE, linewidth=0.9)
    if "u_signal" in dataset:
        u = dataset["u_signal"].values
        axes.fill_between(x.values, signal.values - u, signal.values + u, color=BLUE, alpha=0.25, linewidth=0)
    for name, position in (marks or {}).items():
        axes.axvline(position, color=VERMILLION, linewidth=0.8, linestyle=(0, (4, 3)))
        axes.annotate(
            plain(name),
            (position, 1),
            xycoords=("data", "axes fraction"),
            xytext=(3, -3),
            textcoords="offset points",
            rotation=90,
            va="top",
            ha="left",
            fontsize=7.5,
            color=VERMILLION,
        )
    axes.set_xlabel(label(str(x.attrs.get("long_name", axis)), str(x.attrs.get("units", "1"))))
    axes.set_ylabel(label(str(signal.attrs.get("long_name", "signal")), str(signal.attrs.get("units", "1"))))
    axes.set_title(plain(title), loc="left", fontsize=11)
    axes.margins(x=0.01)
    return figure


def draw_baseline(spectrum: xr.Dataset | xr.DataArray, baseline: xr.DataArray, *, axis: str, title: str = "") -> Figure:
    """Draw a spectrum with its baseline, and what is left without it below.

    Parameters
    ----------
    spectrum:
        One spectrum.
    baseline:
        Its baseline, in the units of the signal.
    axis:
        Coordinate along `channel`.
    title:
        What stands on top.

    Returns
    -------
    :
        The figure.

    Raises
    ------
    SpectrumError
        If it is a map, has no such axis, or the baseline is of other channels.
    """
    dataset = _require_one(spectrum)
    x, signal = require_axis(dataset, axis), dataset["signal"]
    if baseline.sizes != signal.sizes:
        msg = f"the baseline has dims {dict(baseline.sizes)}, the spectrum {dict(signal.sizes)}; wanted equal ones"
        raise SpectrumError(msg)
    figure, (above, below) = blank(rows=2, ratios=(2.4, 1.0), size=(7.2, 5.0))
    above.plot(x.values, signal.values, color=BLUE, linewidth=0.9, label="signal")
    above.plot(x.values, baseline.values, color=VERMILLION, linewidth=1.4, linestyle=(0, (5, 2)), label="baseline")
    above.legend(fontsize=8, frameon=False)
    units = str(signal.attrs.get("units", "1"))
    above.set_ylabel(label(str(signal.attrs.get("long_name", "signal")), units))
    above.set_title(plain(title), loc="left", fontsize=11)
    below.axhline(0, color=GREY, linewidth=0.8)
    below.plot(x.values, signal.values - baseline.values, color=BLUE, linewidth=0.9)
    below.set_ylabel(label("subtracted", units))
    below.set_xlabel(label(str(x.attrs.get("long_name", axis)), str(x.attrs.get("units", "1"))))
    below.margins(x=0.01)
    return figure


def draw_fit(fit: xr.Dataset, spectrum: xr.Dataset | xr.DataArray, *, title: str = "") -> Figure:
    """Draw a spectrum, the model fitted to it, its components, and the residuals below.

    Parameters
    ----------
    fit:
        The fit of one spectrum.
    spectrum:
        What was fitted; residuals are over `u_signal` where it has that.
    title:
        What stands on top.

    Returns
    -------
    :
        The figure.

    Raises
    ------
    SpectrumError
        If it is a map, or its channels are not those of the fit.
    ModelError
        If the model cannot be evaluated.
    """
    dataset = _require_one(spectrum)
    name = str(fit.attrs["axis"])
    x, signal = require_axis(dataset, name), dataset["signal"]
    model = evaluate(fit)
    if model.dims != (CHANNEL,) or model.sizes[CHANNEL] != signal.sizes[CHANNEL]:
        msg = (
            f"the fit has dims {dict(model.sizes)}, the spectrum {dict(signal.sizes)}; "
            "choose one spectrum: fit.isel(...)"
        )
        raise SpectrumError(msg)
    figure, (above, below) = blank(rows=2, ratios=(3.2, 1.0), size=(7.2, 5.0))
    above.plot(x.values, signal.values, ".", color=GREY, markersize=3, label="data")
    parts = evaluate(fit, components=True)
    dims = [dim for dim in parts.dims if dim != CHANNEL]
    if dims and parts.sizes[dims[0]] > 1:
        for i, part in enumerate(parts.transpose(dims[0], CHANNEL)):
            words = str(part[dims[0]].item()) if dims[0] in part.coords else f"component {i + 1}"
            above.plot(x.values, part.values, color=_CYCLE[(i + 2) % len(_CYCLE)], linewidth=0.9, label=plain(words))
    above.plot(x.values, model.values, color=BLUE, linewidth=1.4, label="model")
    above.legend(fontsize=8, frameon=False)
    units = str(signal.attrs.get("units", "1"))
    above.set_ylabel(label(str(signal.attrs.get("long_name", "signal")), units))
    above.set_title(plain(title), loc="left", fontsize=11)
    weighted = "u_signal" in dataset
    residual = (signal.values - model.values) / (dataset["u_signal"].values if weighted else 1.0)
    below.axhline(0, color=GREY, linewidth=0.8)
    below.plot(x.values, residual, color=VERMILLION, linewidth=0.8)
    below.set_ylabel("residual / u" if weighted else label("residual", units))
    below.set_xlabel(label(str(x.attrs.get("long_name", name)), str(x.attrs.get("units", "1"))))
    largest = float(np.nanmax(np.abs(residual), initial=0.0)) or 1.0
    below.set_ylim(-1.15 * largest, 1.15 * largest)
    below.margins(x=0.01)
    return figure


def _require_one(spectrum: xr.Dataset | xr.DataArray) -> xr.Dataset:
    dataset = require_spectrum(spectrum)
    if dataset["signal"].ndim != 1:
        dims = dataset["signal"].dims
        msg = f"a figure shows one spectrum; this is a map with dims {dims}. Choose one: spectrum.isel(...)"
        raise SpectrumError(msg)
    return dataset
