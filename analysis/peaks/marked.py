"""Peaks that a person marked, fitted: one line for each mark and a background, within a range.

Not here: finding peaks (`analysis.peaks.find`), starting values from data (`analysis.peaks.guess`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, Literal

import lmfit
import numpy as np
import xarray as xr
from lmfit import models

from analysis.core import ModelError, SpectrumError, did_you_mean
from analysis.peaks.fit import fit
from analysis.preprocess import crop

__all__ = ["Mark", "fit_marked"]

Shape = Literal["gaussian", "lorentzian", "voigt", "pseudo_voigt"]
Loss = Literal["least_squares", "poisson", "soft_l1", "huber"]
Held = Literal["center", "fwhm"]
Background = Literal["none", "constant", "linear", "quadratic"]
_SHAPES: dict[str, tuple[Callable[..., lmfit.Model], float, float]] = {  # class, fwhm / sigma, height * sigma / area
    "gaussian": (models.GaussianModel, 2.354820, 0.3989423),
    "lorentzian": (models.LorentzianModel, 2.0, 0.3183099),
    "voigt": (models.VoigtModel, 3.601310, 0.2087087),
    "pseudo_voigt": (models.PseudoVoigtModel, 2.0, 0.3938923),
}
_BACKGROUNDS: dict[str, tuple[Callable[..., lmfit.Model] | None, tuple[str, ...]]] = {  # coefficients, highest first
    "none": (None, ()),
    "constant": (models.ConstantModel, ("c",)),
    "linear": (models.LinearModel, ("slope", "intercept")),
    "quadratic": (models.QuadraticModel, ("a", "b", "c")),
}
_NARROWEST = 0.5  # of the distance of two samples
_ENDS = 0.1  # of the range, at each side: where the background is read


@dataclass(frozen=True, kw_only=True)
class Mark:
    """Where a peak seems to be."""

    center: float
    """On the axis, in its units."""
    height: float
    """Above the background, in units of the signal; negative for a dip."""
    fwhm: float
    """Full width at half height, > 0, in units of the axis."""
    shape: Shape = "pseudo_voigt"
    """Line shape."""
    held: tuple[Held, ...] = ()
    """What stays as it is marked."""
    center_range: tuple[float, float] | None = None
    """Where the centre may be, None for the whole range that is fitted."""
    fwhm_range: tuple[float, float] | None = None
    """How wide it may be, None for half a channel to the whole range."""
    width_of: int | None = None
    """Number of the earlier peak whose width it shares, from 1."""
    distance_to: int | None = None
    """Number of the earlier peak from which it keeps the marked distance, as a doublet does."""


def fit_marked(
    spectrum: xr.Dataset,
    *,
    axis: str,
    marks: Sequence[Mark],
    background: Background = "linear",
    low: float | None = None,
    high: float | None = None,
    loss: Loss = "least_squares",
) -> xr.Dataset:
    """Fit the peaks that were marked, each within the range.

    Parameters
    ----------
    spectrum:
        Dims `(channel,)`.
    axis:
        Name of the coordinate along `channel`.
    marks:
        The peaks; the first is `p1_`, and so on.
    background:
        What is below them, fitted with them as `bg_`.
    low, high:
        Range of the axis that is fitted; None is its end.
    loss:
        What is minimised, as in `peaks.fit`; `"poisson"` for raw counts.

    Returns
    -------
    :
        As `peaks.fit`. Centres stay within the range, widths above half a channel and below the range.

    Raises
    ------
    SpectrumError
        If the range is empty, or there is more than one spectrum.
    ModelError
        If there is nothing to fit, a mark lies outside the range or has no width, or a name is not known.
    """
    if spectrum["signal"].ndim != 1:
        msg = f"marks belong to one spectrum, got dims {spectrum['signal'].dims}; choose one: spectrum.isel(row=0)"
        raise SpectrumError(msg)
    x = np.asarray(spectrum[axis].values, dtype=float)
    first = float(np.nanmin(x)) if low is None else low
    last = float(np.nanmax(x)) if high is None else high
    part = crop(spectrum, axis=axis, low=first, high=last)
    for number, mark in enumerate(marks, start=1):
        _require_mark(mark, f"p{number}", first, last)
        _require_ties(mark, number)
    model = _model([mark.shape for mark in marks], background)
    return fit(part, model, _start(model, part, axis, marks, background), axis=axis, loss=loss)


def _require_mark(mark: Mark, name: str, low: float, high: float) -> None:
    if not low <= mark.center <= high:
        msg = f"{name} is marked at {mark.center:g}, outside the range [{low:g}, {high:g}]; move it, or the range"
        raise ModelError(msg)
    if not 0.0 < mark.fwhm < np.inf or not np.isfinite(mark.height):
        msg = f"{name} needs a width above 0 and a finite height, got fwhm {mark.fwhm:g}, height {mark.height:g}"
        raise ModelError(msg)
    for what, value, limits in (("center", mark.center, mark.center_range), ("fwhm", mark.fwhm, mark.fwhm_range)):
        if limits is not None and not limits[0] <= value <= limits[1]:
            msg = f"{name} is marked with {what} {value:g}, outside its limits {list(limits)}; move the mark, or them"
            raise ModelError(msg)


def _require_ties(mark: Mark, number: int) -> None:
    for what, tie, other in (("fwhm", "width_of", mark.width_of), ("center", "distance_to", mark.distance_to)):
        if other is None:
            continue
        if not 1 <= other < number:
            msg = f"{tie} of p{number} must be the number of an earlier peak, 1 to {number - 1}, got {other!r}"
            raise ModelError(msg)
        if what in mark.held:
            msg = f"the {what} of p{number} is both held and tied to p{other}; choose one"
            raise ModelError(msg)


def _model(shapes: Sequence[str], background: str) -> lmfit.Model:
    asked = [(shape, list(_SHAPES)) for shape in shapes] + [(background, list(_BACKGROUNDS))]
    for name, known in asked:
        if name not in known:
            msg = f"{name!r} is none of {known}.{did_you_mean(name, known)}"
            raise ModelError(msg)
    parts = [_SHAPES[shape][0](prefix=f"p{number}_") for number, shape in enumerate(shapes, start=1)]
    below = _BACKGROUNDS[background][0]
    parts += [] if below is None else [below(prefix="bg_")]
    if not parts:
        msg = "nothing to fit: there is no mark and no background"
        raise ModelError(msg)
    return reduce(lambda a, b: a + b, parts)


def _start(model: lmfit.Model, part: xr.Dataset, axis: str, marks: Sequence[Mark], background: str) -> lmfit.Parameters:
    x, y = np.asarray(part[axis].values, dtype=float), np.asarray(part["signal"].values, dtype=float)
    span = float(np.ptp(x))
    params: Any = model.make_params()
    narrow = _NARROWEST * span / max(x.size - 1, 1)
    for number, mark in enumerate(marks, start=1):
        prefix, (_, ratio, height) = f"p{number}_", _SHAPES[mark.shape]
        least, most = mark.fwhm_range or (narrow, span)
        width = mark.fwhm if "fwhm" in mark.held else float(np.clip(mark.fwhm, least, most))
        left, right = mark.center_range or (float(x.min()), float(x.max()))
        params[f"{prefix}sigma"].set(
            value=width / ratio, min=least / ratio, max=most / ratio, vary="fwhm" not in mark.held
        )
        params[f"{prefix}center"].set(value=mark.center, min=left, max=right, vary="center" not in mark.held)
        params[f"{prefix}amplitude"].set(value=mark.height * width / ratio / height)
        if mark.shape == "pseudo_voigt":
            params[f"{prefix}fraction"].set(value=0.5, min=0.0, max=1.0)
        _tie(params, prefix, mark, marks)
    names = _BACKGROUNDS[background][1]
    if names:
        ends = np.abs(x - x.mean()) >= (0.5 - _ENDS) * span
        ends = ends & np.isfinite(y) if np.isfinite(y[ends]).sum() > len(names) else np.isfinite(y)
        for name, value in zip(names, np.polyfit(x[ends], y[ends], len(names) - 1), strict=True):
            params[f"bg_{name}"].set(value=float(value))
    return params


def _tie(params: Any, prefix: str, mark: Mark, marks: Sequence[Mark]) -> None:  # noqa: ANN401 - lmfit's Parameters
    if mark.width_of is not None:
        ratio = _SHAPES[marks[mark.width_of - 1].shape][1] / _SHAPES[mark.shape][1]
        params[f"{prefix}sigma"].set(expr=f"{ratio!r} * p{mark.width_of}_sigma", min=-np.inf, max=np.inf)
    if mark.distance_to is not None:
        distance = mark.center - marks[mark.distance_to - 1].center
        params[f"{prefix}center"].set(expr=f"p{mark.distance_to}_center + {distance!r}", min=-np.inf, max=np.inf)
