"""Starting values for a model of several peaks on a background, from the spectrum.

Not here: finding peaks as a result of its own (`analysis.peaks.find`).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

import lmfit
import numpy as np
import xarray as xr

from analysis.core import CHANNEL, ModelError, SpectrumError, history, require_axis, require_spectrum
from analysis.peaks import kinds
from analysis.peaks.compile import Component, components, required_names
from analysis.peaks.find import find_1d, noise_of
from analysis.peaks.language import model_to_json
from analysis.peaks.scattering import unscattered
from analysis.peaks.starts import Place, curve_start, peak_start

__all__ = ["guess", "guess_each"]

Floats = np.ndarray[Any, np.dtype[np.float64]]
WEAKEST_SNR = 4.0
LEAST_SAMPLES = 3
CLIPPINGS = 20


def guess(model: lmfit.Model, spectrum: xr.Dataset | xr.DataArray, *, axis: str) -> lmfit.Parameters:
    """Make parameters with starting values and sensible bounds; of a map, for its median spectrum.

    Parameters
    ----------
    model:
        Sum of the components that the batched engine knows. A value or bound in its hints (`set_param_hint`) is kept.
    spectrum:
        Dims `(*batch, channel)`.
    axis:
        Name of the coordinate along `channel`.

    Returns
    -------
    :
        Peaks in the order of the model get the most prominent peaks of the spectrum in the order of the
        axis, those with a hinted centre first; centres are bounded by the axis, widths by 0 and its range.

    Raises
    ------
    ModelError
        If the model is not such a sum, or the spectrum shows fewer peaks than the model has.
    SpectrumError
        If the axis is missing or there is nothing to look at.
    """
    given: object = model
    if not isinstance(given, lmfit.Model):
        msg = f"model must be an lmfit model such as lmfit.models.GaussianModel(); got {type(given).__name__}"
        raise ModelError(msg)
    dataset = require_spectrum(spectrum)
    x = np.asarray(require_axis(dataset, axis).values, dtype=float)
    signal = dataset["signal"]
    flat = np.asarray(signal.values, dtype=float).reshape(-1, signal.sizes[CHANNEL])
    usable = ~np.isnan(flat).all(axis=1)
    if not usable.any():
        msg = "all samples are NaN; there is nothing to guess from. Check the file or the mask"
        raise SpectrumError(msg)
    with np.errstate(all="ignore"):
        y = _column_median(flat[usable])
    params = model.make_params()
    _guess_1d(_Task(model=model, terms=components(unscattered(model)), hinted=_hinted(model)), params, x, y)
    params.update_constraints()
    return params


@dataclass(frozen=True, kw_only=True)
class _Task:
    """What does not change from spectrum to spectrum."""

    model: lmfit.Model
    terms: tuple[Component, ...]
    hinted: set[str]


@dataclass(kw_only=True)
class _Draft:
    """A parameter without lmfit's machinery, which takes longer than the guess."""

    value: float
    min: float
    max: float
    vary: bool
    expr: None = None


Drafts = Mapping[str, Any]  # of _Draft or lmfit.Parameter


def _drafts(template: lmfit.Parameters, model: lmfit.Model) -> Drafts:
    """Copy parameters; ties among those that the model takes need lmfit itself."""
    needs = required_names(model)
    if any(template[name].expr for name in needs):
        return model.make_params()
    return {
        name: _Draft(value=float(par.value), min=par.min, max=par.max, vary=par.vary)
        for name, par in ((name, template[name]) for name in needs)
    }


def _column_median(flat: Floats) -> Floats:
    if len(flat) == 1:
        return flat[0]
    empty = np.isnan(flat).all(axis=0)
    out = np.full(flat.shape[1], np.nan)
    out[~empty] = np.nanmedian(flat[:, ~empty], axis=0)
    return out


def guess_each(model: lmfit.Model, spectrum: xr.Dataset | xr.DataArray, *, axis: str) -> xr.Dataset:
    """Guess starting values for every spectrum of a map, for `start=` of `peaks.fit`.

    Parameters
    ----------
    model, spectrum, axis:
        As in `guess`.

    Returns
    -------
    :
        One variable for each parameter that varies, dims `(*batch)`. A spectrum that shows too few peaks,
        or has too few usable samples, gets the guess of the median spectrum.

    Raises
    ------
    ModelError
        If the median spectrum shows fewer peaks than the model has.
    SpectrumError
        As in `guess`.
    """
    common = guess(model, spectrum, axis=axis)
    dataset = require_spectrum(spectrum)
    x = np.asarray(dataset[axis].values, dtype=float)
    signal = dataset["signal"]
    names = [name for name, par in common.items() if par.vary]
    task, template = (
        _Task(model=model, terms=components(unscattered(model)), hinted=_hinted(model)),
        model.make_params(),
    )
    rows = np.empty((int(np.prod(signal.shape[:-1], dtype=int)), len(names)))
    for row, y in zip(rows, np.asarray(signal.values, dtype=float).reshape(len(rows), -1), strict=True):
        own = _drafts(template, model)
        try:
            _guess_1d(task, own, x, y)
        except (ModelError, SpectrumError):
            own = common
        row[:] = [min(max(own[name].value, own[name].min), own[name].max) for name in names]
    shape = signal.shape[:-1]
    dims = signal.dims[:-1]
    out = xr.Dataset({name: (dims, rows[:, k].reshape(shape)) for k, name in enumerate(names)})
    kept = {n: c for n, c in dataset.coords.items() if set(c.dims) <= set(dims)}
    settings = {"model": model_to_json(model), "axis": axis}
    return history.record(out.assign_coords(kept), "peaks.guess_each", settings=settings, inputs={"spectrum": spectrum})


def _guess_1d(task: _Task, params: Drafts, x: Floats, y: Floats) -> None:
    """Set the parameters to what one spectrum shows."""
    model, terms, hinted = task.model, task.terms, task.hinted
    order = np.argsort(x)
    good = order[np.isfinite(y[order])]
    x, y = x[good], y[good]
    if x.size < LEAST_SAMPLES:
        msg = f"{x.size} usable samples are too few to guess from; wanted at least 3"
        raise SpectrumError(msg)
    degree = max((len(t.names) - 1 for t in terms if t.kind == kinds.POLYNOMIAL), default=-1)
    others = [t for t in terms if t.kind != kinds.POLYNOMIAL]
    peaks = [t for t in others if kinds.BY_CODE[t.kind].peak]
    base = _background(x, y, degree, has_peaks=bool(others))
    _set_background(params, terms, x, base, hinted)
    for term in others:
        if term not in peaks:
            base = base + _set_curve(params, model, term, (x, y - base), hinted, has_peaks=bool(peaks))
    if peaks:
        hints = [params[term.names[1]].value if term.names[1] in hinted else None for term in peaks]
        places = _places(x, y - base, len(peaks), required=hints.count(None))
        for term, place in zip(peaks, _assign(x, y - base, places, hints), strict=True):
            _set_peak(params, term, _sided(x, term.sign * (y - base), place), x, hinted)


def _hinted(model: lmfit.Model) -> set[str]:
    """Name the parameters whose value the user's hints give."""
    usual: dict[str, object] = {}
    given: dict[str, Mapping[str, object]] = {}
    for part in model.components:
        if type(part) is not lmfit.Model:
            usual |= {part.prefix + root: hint.get("value") for root, hint in type(part)().param_hints.items()}
        given |= {part.prefix + root: hint for root, hint in part.param_hints.items()}
    if isinstance(model, lmfit.model.CompositeModel):
        given |= model.param_hints
    return {name for name, hint in given.items() if "value" in hint and hint["value"] != usual.get(name)}


def _background(x: Floats, y: Floats, degree: int, *, has_peaks: bool) -> Floats:
    """Fit a polynomial to the lower envelope (the samples that repeated clipping leaves)."""
    if degree < 0:
        return np.zeros_like(y)
    t = (x - x.mean()) / (np.ptp(x) or 1.0)
    floor = y.copy()
    basis, _ = np.linalg.qr(np.vander(t, degree + 1))
    rows = np.ascontiguousarray(basis.T)
    fitted: Floats = np.dot(rows, floor).dot(rows)
    if has_peaks:
        slack = noise_of(y)
        for _ in range(60):
            fitted += slack
            np.minimum(floor, fitted, out=floor)
            np.dot(np.dot(rows, floor), rows, out=fitted)
    return fitted


def _set_background(params: Drafts, terms: tuple[Component, ...], x: Floats, base: Floats, hinted: set[str]) -> None:
    rest = base
    for term in sorted((t for t in terms if t.kind == kinds.POLYNOMIAL), key=lambda t: -len(t.names)):
        fitted = _coefficients(x, rest, min(len(term.names) - 1, x.size - 1))
        values = term.sign * np.concatenate([fitted, np.zeros(len(term.names) - len(fitted))])
        for name, value in zip(term.names, values, strict=True):
            _set(params, name, float(value), hinted)
        rest = np.zeros_like(rest)


def _coefficients(x: Floats, y: Floats, degree: int) -> Floats:
    """Return the polynomial of least squares, its constant first; `x` rises."""
    if not (np.diff(x) > 0.0).all():
        return np.asarray(np.polynomial.Polynomial.fit(x, y, degree).convert().coef, dtype=float)
    center, half = 0.5 * float(x[0] + x[-1]), 0.5 * float(x[-1] - x[0])
    basis, upper = np.linalg.qr(np.vander((x - center) / half, degree + 1))
    powers = [0.0] * (degree + 1)
    for c in np.linalg.solve(upper, basis.T @ y).tolist():  # Horner's scheme with (x - center) / half
        powers = [(below - center * own) / half for below, own in zip([0.0, *powers[:-1]], powers, strict=True)]
        powers[0] += c
    return np.array(powers)


def _set(params: Drafts, name: str, value: float, hinted: set[str]) -> None:
    """Set a value inside the bounds, unless the user gave one or it is tied or fixed."""
    par = params[name]
    if par.expr or name in hinted or not par.vary:
        return
    low, high = par.min, par.max
    if not low < value < high:
        span = (
            high - low if math.isfinite(high - low) else max(abs(value), abs(low if math.isfinite(low) else high), 1e-3)
        )
        value = min(max(value, low + 0.05 * span), high - 0.05 * span)
    par.value = float(value)


def _places(x: Floats, y: Floats, wanted: int, *, required: int) -> list[Place]:
    """Find up to as many peaks as wanted, the most prominent first; then look in what they leave."""
    found: list[Place] = []
    noise = np.full(x.size, noise_of(y))
    rest = y.copy()
    for _ in range(wanted + 1):
        table = find_1d(x, rest, min_snr=WEAKEST_SNR, max_peaks=wanted - len(found), sigma=noise)
        table = table[np.argsort(-table[:, 3])]
        for position, height, width, prominence, _ in table:
            own = max(width, abs(x[1] - x[0]))
            found.append(Place(position=position, height=height if height > 0.0 else prominence, width=own))
            rest = rest - found[-1].height * np.exp(-4.0 * math.log(2.0) * ((x - position) / own) ** 2)
        if len(found) >= wanted or not len(table):
            break
    if len(found) < required:
        msg = (
            f"the spectrum shows {len(found)} peaks above {WEAKEST_SNR:g} times the noise, the model has {wanted}. "
            "Say where they are: model.set_param_hint('center', value=...), or crop to the range of the model"
        )
        raise ModelError(msg)
    return found[:wanted]


def _assign(x: Floats, y: Floats, places: list[Place], hints: list[float | None]) -> list[Place]:
    """Give hinted centres the peak that lies there or what the data have there, the others the rest in order."""
    left = sorted(places, key=lambda place: place.position)
    width = median(place.width for place in places) if places else float(np.ptp(x)) / 8
    spare = len(left) - hints.count(None)
    chosen: dict[int, Place] = {}
    for k, hint in enumerate(hints):
        if hint is None:
            continue
        near = min(left, key=lambda place: abs(place.position - hint), default=None)
        if near is not None and spare > 0 and abs(near.position - hint) <= near.width:
            chosen[k] = near
            left.remove(near)
            spare -= 1
        else:
            height = max(float(np.interp(hint, x, y)), float(np.ptp(y)) / 20)
            chosen[k] = Place(position=hint, height=height, width=width)
    return [chosen[k] if k in chosen else left.pop(0) for k in range(len(hints))]


def _sided(x: Floats, y: Floats, place: Place) -> Place:
    """Measure which part of the width lies on the right, from where the signal crosses half the height."""
    top = int(np.abs(x - place.position).argmin())
    low = np.flatnonzero(y < 0.5 * place.height)
    left, right = low[low < top], low[low > top]
    if not left.size or not right.size:
        return place
    reach = float(x[right[0]] - x[left[-1]])
    return replace(place, right=float(x[right[0]] - place.position) / reach)


def _set_curve(
    params: Drafts,
    model: lmfit.Model,
    term: Component,
    curve: tuple[Floats, Floats],
    hinted: set[str],
    *,
    has_peaks: bool,
) -> Floats:
    """Set an edge or a background that is no polynomial; return its curve."""
    names = dict(zip(kinds.BY_CODE[term.kind].names, term.names, strict=True))
    part = next(part for part in model.components if part.prefix + "amplitude" == term.names[0])
    x, y = curve
    floor = term.sign * y
    for _ in range(CLIPPINGS if has_peaks else 1):
        made = curve_start(term.kind, x, floor)
        fitted = np.asarray(part.eval(x=x, **made))
        floor = np.minimum(floor, fitted + noise_of(y))
    for root, value in made.items():
        if term.kind >= kinds.RECTANGLE and root.startswith("sigma") and not params[names[root]].expr:
            params[names[root]].min = max(params[names[root]].min, 0.0)
        _set(params, names[root], value, hinted)
    return term.sign * np.where(np.isfinite(fitted), fitted, 0.0)


def _set_peak(params: Drafts, term: Component, place: Place, x: Floats, hinted: set[str]) -> None:
    shape = kinds.BY_CODE[term.kind]
    low, high = float(x[0]), float(x[-1])
    made = peak_start(term.kind, place)
    for part, name in zip(shape.parameters, term.names, strict=True):
        par = params[name]
        if part.role == kinds.CENTER and not par.expr:
            par.min, par.max = max(par.min, low), min(par.max, high)
        if part.name in {"sigma", "sigma_r"} and part.units == (0, 1) and not par.expr and math.isinf(par.max):
            par.max = high - low
        if part.role != kinds.LINEAR and part.name in made:
            _set(params, name, made[part.name], hinted)
    amplitude = term.sign * made["amplitude"]
    if shape.parameters[0].units == (1, 1):  # an area goes with the width that the bounds or hints left
        width = term.names[shape.names.index("sigma")]
        amplitude *= params[width].value / made["sigma"]
    _set(params, term.names[0], amplitude, hinted)
