"""One fitted parameter, or a measure of a line, as a Quantity with all its sources: noise, axis, signal.

Not here: how sources reach the parameters (`analysis.peaks.propagation`), the measures (`analysis.peaks.measures`).
"""

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import lmfit
import numpy as np
import xarray as xr

from analysis.core import ModelError, UncertaintyError, did_you_mean, history
from analysis.peaks.kinds import Shape
from analysis.peaks.language import is_stored, model_from_json
from analysis.peaks.measures import MEASURES, measure
from analysis.peaks.parameter_units import parameter_units
from analysis.peaks.select import require_fit, select_one
from analysis.peaks.status import ParameterStatus, Status
from analysis.peaks.terms import shape_of
from analysis.uncertainty import Quantity, Source, sources

__all__ = ["quantity", "require_converged", "resolved", "slopes_to_weights"]


def quantity(fit: xr.Dataset, name: str, *, at: Mapping[str, int] | None = None) -> Quantity:
    """Take one parameter of a fit, or the fwhm, height or area of a line, with everything it depends on.

    Noise enters as independent sources shared by all parameters of one spectrum, so two parameters of a
    fit are correlated exactly; sources of the axis and the signal keep their identity, so parameters of
    different spectra are correlated through them.

    Parameters
    ----------
    fit:
        Result of `peaks.fit`.
    name:
        A parameter, for example `si_center`; or the prefix of a line and `fwhm`, `height` or `area`. Where lmfit
        has such a parameter in the fit its definition stands (the width of a Voigt line is then an
        approximation); otherwise width and height are measured on the line, and the area is exact.
    at:
        Position of the spectrum in a map, one integer for each of its dims.

    Returns
    -------
    :
        Value and standard uncertainty in the units of the parameter.

    Raises
    ------
    ModelError
        If this is no fit, there is no such parameter, the line has no such measure, or the spectrum is not
        named in full.
    UncertaintyError
        If the fit failed, or the parameter was fixed, at its bound or not determined.
    """
    require_fit(fit)
    names = [str(each) for each in fit["parameter"].values]
    line = None if name in names else _line(fit, name)
    if name not in names and line is None:
        hint = did_you_mean(name, names)
        msg = f"no parameter named {name!r}; this fit has {names}, and fwhm, height and area of its lines.{hint}"
        raise ModelError(msg)
    one = select_one(fit, at)
    require_converged(one, name)
    if line is None:
        k = names.index(name)
        _require_usable(one, name, k)
        value, weights = float(one["value"].values[k]), np.eye(len(names))[k]
        units = str(one["parameter_units"].values[k])
    else:
        value, weights = _measured(one, line, name)
        units = parameter_units(
            line.model, (name,), axis=str(fit.attrs["axis_units"]), signal=str(fit.attrs["signal_units"])
        )[0]
    said = history.extend(
        "peaks.quantity", settings={"name": name, "at": None if at is None else dict(at)}, inputs={"fit": fit}
    )
    made = Quantity(value=value, u=0.0, units=units or "1", label=name if not at else f"{name} at {dict(at)}")
    return resolved(fit, replace(made, history=said), weights, at=at)


def resolved(
    fit: xr.Dataset, made: Quantity, weights: np.ndarray[Any, Any], *, at: Mapping[str, int] | None
) -> Quantity:
    """Give a function of the parameters of one spectrum all the sources that they have.

    Parameters
    ----------
    fit:
        Result of `peaks.fit`.
    made:
        Its value, units, label and history.
    weights:
        Its derivative to each parameter, 0 for those that count as fixed, dims `(parameter,)`.
    at:
        As in `quantity`.

    Returns
    -------
    :
        The quantity with its sources.
    """
    one = select_one(fit, at)
    components = _noise(one, weights, history.head(fit), made.label, at)
    components |= {_drawn(source, fit, at): part for source, part in _shared(one, weights).items()}
    return Quantity.from_components(made.value, components, units=made.units, label=made.label, history=made.history)


@dataclass(frozen=True, kw_only=True)
class _Line:
    """A measure of a line: which, of which component, and where its parameters stand in the fit."""

    what: str
    model: lmfit.Model
    shape: Shape
    at: tuple[int, ...]


def _line(fit: xr.Dataset, name: str) -> _Line | None:
    """Find the line and the measure that a name means."""
    what = next((measure for measure in MEASURES if name.endswith(measure)), None)
    if what is None or not is_stored(str(fit.attrs.get("model", ""))):
        return None
    names = [str(each) for each in fit["parameter"].values]
    for part in model_from_json(str(fit.attrs["model"])).components:
        shape = shape_of(part)
        if shape is not None and part.prefix + what == name:
            at = tuple(names.index(part.prefix + root) for root in shape.names)
            return _Line(what=what, model=part, shape=shape, at=at)
    return None


def _measured(one: xr.Dataset, line: _Line, name: str) -> tuple[float, np.ndarray[Any, Any]]:
    """Return the value and its derivative to each parameter of the fit; those at a bound count as fixed."""
    value, slopes = measure(line.shape, one["value"].values[list(line.at)], line.what)
    return value, slopes_to_weights(one, line.at, slopes, name)


def slopes_to_weights(
    one: xr.Dataset, places: Sequence[int], slopes: np.ndarray[Any, Any], name: str
) -> np.ndarray[Any, Any]:
    """Spread the derivatives to some parameters over all; those that are fixed or at a bound count as fixed.

    Parameters
    ----------
    one:
        The fit of one spectrum.
    places:
        Of the parameters, each once.
    slopes:
        Derivatives to them.
    name:
        What is asked for.

    Returns
    -------
    :
        Dims `(parameter,)`.

    Raises
    ------
    UncertaintyError
        If a parameter is not determined, or none is free.
    """
    state, error = one["parameter_status"].values, one["stderr"].values
    weights = np.zeros(state.size)
    for at, slope in zip(places, slopes, strict=True):
        kind = ParameterStatus(int(state[at]))
        if slope == 0.0 or kind in {ParameterStatus.FIXED, ParameterStatus.AT_BOUND}:
            continue
        if not math.isfinite(error[at]):
            _require_usable(one, str(one["parameter"].values[at]), at)
        weights[at] = slope
    if not weights.any():
        msg = f"no uncertainty of {name!r}: all that it depends on is fixed or at its bound. Free a parameter"
        raise UncertaintyError(msg)
    return weights


def require_converged(one: xr.Dataset, name: str) -> None:
    """Refuse a fit that failed.

    Parameters
    ----------
    one:
        The fit of one spectrum.
    name:
        What is asked for.

    Raises
    ------
    UncertaintyError
        If it did not converge.
    """
    status = Status(int(one["status"]))
    if status != Status.CONVERGED:
        why = f"{status.sentence} (status {status.name})"
        msg = f"no uncertainty of {name!r}: {why}. Look at peaks.evaluate(fit) and at the starting values"
        raise UncertaintyError(msg)


def _require_usable(one: xr.Dataset, name: str, k: int) -> None:
    state = ParameterStatus(int(one["parameter_status"].values[k]))
    if state not in (ParameterStatus.FREE, ParameterStatus.TIED) or not math.isfinite(float(one["stderr"].values[k])):
        what = state.sentence if state != ParameterStatus.TIED else "tied to a parameter that is at its bound or open"
        msg = f"no uncertainty of {name!r}: it is {what} ({state.name}). Use fit['value'] for the number alone"
        raise UncertaintyError(msg)


def _noise(
    one: xr.Dataset, weights: np.ndarray[Any, Any], fit_id: str, label: str, at: Mapping[str, int] | None
) -> dict[Source, float]:
    """Resolve Σ weight · parameter into independent sources by the Cholesky factor of the free covariance."""
    covariance = one["covariance"].values
    state = one["parameter_status"].values
    free = np.flatnonzero((state == ParameterStatus.FREE) & np.isfinite(one["stderr"].values))
    size = np.sqrt(np.diag(covariance)[free])
    if not (size > 0.0).all():
        return {}
    factor = np.linalg.cholesky(covariance[np.ix_(free, free)] / np.outer(size, size))
    used = np.flatnonzero(weights)
    row = np.linalg.solve(factor, covariance[np.ix_(free, used)] @ weights[used] / size)
    row[np.abs(row) < 1e-13 * np.abs(row).max()] = 0.0
    if used.size == 1:
        row *= abs(weights[used[0]]) * float(one["stderr"].values[used[0]]) / math.hypot(*row)
    scaled = bool(one.attrs["scale_covar"])
    varied = int(np.isin(state, (ParameterStatus.FREE, ParameterStatus.AT_BOUND, ParameterStatus.UNIDENTIFIABLE)).sum())
    dof = float(int(one["ndata"]) - varied) if scaled else math.inf
    if dof <= 0:
        msg = f"no uncertainty of {label!r}: as many free parameters as points leave no degrees of freedom. Give sigma"
        raise UncertaintyError(msg)
    spot = "" if at is None else str(sorted((str(d), int(i)) for d, i in at.items()))
    digest = hashlib.blake2b(f"{fit_id}|{spot}".encode(), digest_size=12).hexdigest()
    where = "" if not at else " at " + ", ".join(f"{d} {i}" for d, i in at.items())
    return {
        Source(
            id=f"{digest}-{j}",
            label=f"noise {j + 1}{where}",
            kind="A",
            dof=dof,
            origin=f"residuals of fit {fit_id}",
            tags=("noise",),
            ensemble=digest if scaled else "",
        ): float(value)
        for j, value in enumerate(row)
    }


def _shared(one: xr.Dataset, weights: np.ndarray[Any, Any]) -> dict[Source, float]:
    used = np.flatnonzero(weights)
    if "value_sources" in one:
        found = sources.detach(one, "value")
        return {source: float(weights[used] @ row[used]) for source, row in found.items()}
    if "mode_sources" in one:
        moved = weights[used] @ one["value_sensitivity"].values[used]
        return {source: float(row @ moved) for source, row in sources.detach(one, "mode").items()}
    return {}


def _drawn(source: Source, fit: xr.Dataset, at: Mapping[str, int] | None) -> Source:
    """Return the draw of this spectrum, of a source that draws anew over a map."""
    over = [dim for dim in source.over if at is not None and dim in at]
    if at is None or not over or len(over) < len(source.over):
        return source
    number = int(np.ravel_multi_index([at[dim] for dim in over], [fit.sizes[dim] for dim in over]))
    return replace(source, id=f"{source.id}[{number}]", label=f"{source.label} [{number}]", over=())
