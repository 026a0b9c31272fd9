"""Static backgrounds: computed once from the measured spectrum, before a fit.

They take the noise of the spectrum and its ends as true, and have no uncertainty; `peaks.models.scattered` fits
the same backgrounds together with the lines. Not here: that, and backgrounds of other techniques (`analysis.baseline`).
References: Shirley, Phys. Rev. B 5 (1972) 4709, doi:10.1103/PhysRevB.5.4709; Proctor & Sherwood, Anal. Chem. 54 (1982)
13, doi:10.1021/ac00238a008 (iteration); Tougaard, Surf. Interface Anal. 11 (1988) 453, doi:10.1002/sia.740110902.
"""

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import xarray as xr

from analysis.core import CHANNEL, SpectrumError, did_you_mean, history, require_axis, require_spectrum
from analysis.core.units import same_dimension

__all__ = ["shirley", "tougaard"]

Floats = np.ndarray[Any, np.dtype[np.float64]]
Form = Literal["binding", "kinetic"]
Method = Callable[[Floats, Floats], tuple[Floats, bool]]
FORMS = ("binding", "kinetic")
B_UNIVERSAL, C_UNIVERSAL = 2866.0, 1643.0
UNEVEN = 1e-3


def shirley(
    spectrum: xr.Dataset | xr.DataArray,
    *,
    axis: str,
    form: Form = "binding",
    ends: int = 5,
    tolerance: float = 1e-6,
    max_iterations: int = 50,
) -> xr.DataArray:
    """Compute the background of Shirley: at each energy it has risen as much as the lines so far.

    Parameters
    ----------
    spectrum:
        Region with its lines and a flat piece on both sides, dims `(*batch, channel)`.
    axis:
        Coordinate of energy.
    form:
        What the axis is, binding or kinetic energy.
    ends:
        Channels averaged at either end, >= 1.
    tolerance:
        Change of the background at which to stop, in units of its rise.
    max_iterations:
        Steps at most.

    Returns
    -------
    :
        Backgrounds, dims and units of the signal, with the coordinate `converged`.

    Raises
    ------
    SpectrumError
        If the axis is no energy, the region is too short, or the signal does not rise behind its lines.
    """
    settings = {"axis": axis, "form": form, "ends": ends, "tolerance": tolerance, "max_iterations": max_iterations}

    def method(x: Floats, y: Floats) -> tuple[Floats, bool]:
        first, last = y[:ends].mean(), y[-ends:].mean()
        if not last > first:
            msg = (
                f"the signal does not rise behind the lines: {first:g} before and {last:g} behind them, on a scale of "
                f"{form} energy. Say form={'kinetic' if form == 'binding' else 'binding'!r} or choose another region"
            )
            raise SpectrumError(msg)
        found, steps = np.full(y.size, first), np.diff(x)
        for _ in range(max_iterations):
            above = y - found
            sums = np.concatenate([[0.0], np.cumsum(0.5 * (above[1:] + above[:-1]) * steps)])
            if not sums[-1] > 0.0:
                break
            made = first + (last - first) * sums / sums[-1]
            change, found = float(np.abs(made - found).max()), made
            if change <= tolerance * (last - first):
                return found, True
        return found, False

    return _static(spectrum, method, name="shirley", settings=settings)


def tougaard(
    spectrum: xr.Dataset | xr.DataArray,
    *,
    axis: str,
    form: Form = "binding",
    ends: int = 5,
    b: float | None = None,
    c: float = C_UNIVERSAL,
    d: float | None = None,
) -> xr.DataArray:
    """Compute the background of Tougaard: what the measured electrons have lost by the cross section.

    Parameters
    ----------
    spectrum:
        As in `shirley`, with 30 eV or more behind the lines and even steps.
    axis, form, ends:
        As in `shirley`; the mean of the channels before the lines is taken as a constant.
    b:
        Of the cross section b T / ((c - T²)² + d T²), eV²; None takes the value that meets the data at the far end. The
        universal one is 2866.
    c, d:
        Of the cross section, eV²; `d=None` takes 4 c, the universal one.

    Returns
    -------
    :
        Backgrounds, dims and units of the signal; `converged` is True.

    Raises
    ------
    SpectrumError
        If the axis is no energy or has uneven steps, or the region is too short.
    """
    settings = {"axis": axis, "form": form, "ends": ends, "b": b, "c": c, "d": d}

    def method(x: Floats, y: Floats) -> tuple[Floats, bool]:
        loss, first = x - x[0], y[:ends].mean()
        steps = np.diff(x)
        if np.abs(steps - steps.mean()).max() > UNEVEN * abs(steps.mean()):
            msg = f"Tougaard's background needs even steps, got {steps.min():g} to {steps.max():g}. Interpolate first"
            raise SpectrumError(msg)
        kernel = steps.mean() * loss / ((c - loss**2) ** 2 + (4.0 * c if d is None else d) * loss**2)
        lost = np.convolve(kernel, y - first)[: y.size]
        scale = (y[-ends:].mean() - first) / lost[-ends:].mean() if b is None else b
        return first + scale * lost, True

    return _static(spectrum, method, name="tougaard", settings=settings)


def _static(
    spectrum: xr.Dataset | xr.DataArray, method: Method, *, name: str, settings: dict[str, Any]
) -> xr.DataArray:
    signal = require_spectrum(spectrum)["signal"]
    x = _energy(spectrum, settings["axis"], settings["form"], settings["ends"])
    turn = np.argsort(x) if settings["form"] == "binding" else np.argsort(-x)
    depth = np.abs(x[turn] - x[turn][0])

    def one(row: Floats) -> tuple[Floats, bool]:
        if not np.isfinite(row).all():
            msg = f"a background needs finite samples; {int((~np.isfinite(row)).sum())} are not. Crop or fill them"
            raise SpectrumError(msg)
        found, converged = method(depth, np.asarray(row, dtype=float)[turn])
        back = np.empty(row.size)
        back[turn] = found
        return back, converged

    found, converged = xr.apply_ufunc(
        one, signal, input_core_dims=[[CHANNEL]], output_core_dims=[[CHANNEL], []], vectorize=True,
        dask="parallelized", output_dtypes=[float, bool],
    )  # fmt: skip
    attrs = {"units": signal.attrs.get("units", "1"), "long_name": f"background ({name}, static)"}
    made = found.rename("baseline").assign_attrs(attrs).assign_coords(converged=converged)
    return history.record(made, f"xps.{name}", settings=settings, inputs={"spectrum": spectrum})


def _energy(spectrum: xr.Dataset | xr.DataArray, axis: str, form: str, ends: int) -> Floats:
    """Return the axis, after the checks of what a photoelectron spectrum is."""
    if form not in FORMS:
        msg = f"form must be one of {list(FORMS)}, got {form!r}.{did_you_mean(str(form), FORMS)}"
        raise SpectrumError(msg)
    coord = require_axis(spectrum, axis)
    units = str(coord.attrs.get("units", "1"))
    if not same_dimension(units, "eV"):
        msg = (
            f"axis {axis!r} is in {units!r}; a photoelectron spectrum has an axis of energy in eV. Is this another "
            "technique's file? Then take analysis.baseline"
        )
        raise SpectrumError(msg)
    least = 2 * ends + 1
    if ends < 1 or coord.size < least:
        msg = f"a region of {coord.size} channels is too short for ends={ends}; wanted {least} at least. Crop less"
        raise SpectrumError(msg)
    return np.asarray(coord.values, dtype=float)
