"""Calibration curves from points: straight line, polynomial, functions of ISO 6143 and a user's own.

Not here: the numerical fit (`analysis.calibration.curve_fit`), what the result can do (`analysis.calibration.curve`).
"""

import hashlib
import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, cast

import lmfit
import numpy as np
import numpy.typing as npt
import xarray as xr

from analysis.calibration.curve import CurveCalibration
from analysis.calibration.curve_families import FAMILIES, Family, line, polynomial
from analysis.calibration.curve_fit import Solution, solve
from analysis.calibration.curve_functions import is_formula, of_formula, of_function, with_parameter_units
from analysis.calibration.curve_points import Given, Points, points_of
from analysis.calibration.curve_text import Propagation, require_propagation
from analysis.core import CalibrationError, did_you_mean, history
from analysis.uncertainty import Source

__all__ = ["fit_function", "fit_line", "fit_polynomial"]

HIGHEST = 8
IMPROBABLE = 0.05
FAR = 2.0
NAMED = (*FAMILIES, "quadratic")


def fit_line(
    x: Given,
    y: Given,
    *,
    u_x: npt.ArrayLike | None = None,
    u_y: npt.ArrayLike | None = None,
    cov_x: npt.ArrayLike | None = None,
    cov_y: npt.ArrayLike | None = None,
    cov_xy: npt.ArrayLike | None = None,
    propagation: Propagation = "gauss_newton",
) -> CurveCalibration:
    """Fit a straight line y = intercept + slope x.

    Parameters
    ----------
    x, y:
        The points (point,): numbers, DataArrays with units, or Quantities, whose shared sources are kept.
    u_x, u_y:
        Standard uncertainties, one or (point,), in the units of x and y; 0 where exact.
    cov_x, cov_y, cov_xy:
        Covariances (point, point) instead; `cov_xy` between each x (rows) and each y.
    propagation:
        How the sources of the points reach the parameters: `"gauss_newton"` as ISO/TS 28037 does, or `"implicit"`, the
        exact first derivative of the fit by its points, which takes in the residuals times the curvature.

    Returns
    -------
    :
        The calibration. Without any uncertainty all y count alike and their scatter comes from the residuals.

    Raises
    ------
    CalibrationError
        If the points do not determine a line, or their uncertainties cannot be.

    References
    ----------
    ISO/TS 28037:2010, clauses 6 (equal weights) to 10 (any covariance) and Annex E (unknown weights);
    York et al., Am. J. Phys. 72 (2004) 367, doi:10.1119/1.1632486.
    """
    points = points_of(x, y, u_x=u_x, u_y=u_y, cov_x=cov_x, cov_y=cov_y, cov_xy=cov_xy)
    return _calibrated("calibration.fit_line", points, line(), {"propagation": propagation})


def fit_polynomial(
    x: Given, y: Given, *, degree: int | None = None, u_x: npt.ArrayLike | None = None,
    u_y: npt.ArrayLike | None = None, propagation: Propagation = "gauss_newton",
) -> CurveCalibration:  # fmt: skip
    """Fit a polynomial, in an orthogonal basis.

    Parameters
    ----------
    x, y:
        As in `fit_line`.
    degree:
        At least 1; None takes the one with the least corrected Akaike criterion among those that only rise or only
        fall over the points, and says what it chose between.
    u_x, u_y, propagation:
        As in `fit_line`.

    Returns
    -------
    :
        The calibration; `notes` say if the curve turns within its range.

    Raises
    ------
    CalibrationError
        If there are too few points for the degree, or no degree will do.

    References
    ----------
    ISO/TS 28038:2018.
    """
    points = points_of(x, y, u_x=u_x, u_y=u_y)
    most = np.unique(points.x).size - 1
    if degree is not None:
        settings: dict[str, object] = {"degree": degree, "propagation": propagation}
        if not 1 <= degree <= most:
            msg = f"degree must lie in [1, {most}] for {most + 1} different x, got {degree}"
            raise CalibrationError(msg)
        return _calibrated("calibration.fit_polynomial", points, _polynomial(degree, points), settings)
    settings = {"degree": None, "propagation": propagation}
    tried = [
        _calibrated("calibration.fit_polynomial", points, _polynomial(k, points), settings)
        for k in range(1, min(HIGHEST, points.x.size - 3) + 1)
    ]
    usable = [curve for curve in tried if curve.is_monotonic()]
    if not usable:
        msg = (
            f"no degree can be chosen: of {len(tried)} tried none only rises or falls over the {points.x.size} points, "
            "which must be 4 at least. Give a degree, or calibrate over a shorter range"
        )
        raise CalibrationError(msg)
    best = min(usable, key=_criterion)
    said = ", ".join(f"{curve.values.size - 1}: {_criterion(curve):.1f}" for curve in usable)
    note = f"degree {best.values.size - 1} has the least corrected Akaike criterion ({said})"
    return replace(best, notes=(note, *best.notes))


def fit_function(
    model: str | Callable[..., Any] | lmfit.Model,
    x: Given,
    y: Given,
    *,
    u_x: npt.ArrayLike | None = None,
    u_y: npt.ArrayLike | None = None,
    start: Mapping[str, float] | None = None,
    propagation: Propagation = "gauss_newton",
    parameter_units: Mapping[str, str] | None = None,
) -> CurveCalibration:
    """Fit a function with errors in both variables.

    Parameters
    ----------
    model:
        `"linear"`, `"quadratic"`, `"power"` (b0 + b1 x^(1 + b2)) or `"exponential"` (b0 + b1 exp(b2 x)) of ISO 6143;
        or a formula of x such as `"a + b*exp(-x/c)"`, which a file keeps; or a function `f(x, a, b, …)`, or an lmfit
        model of one variable, which a file keeps by name and which must then be passed again.
    x, y, u_x, u_y:
        As in `fit_line`. An analysis function of ISO 6143 has the response as x and the content as y.
    start:
        Starting values by parameter, for a formula or function of your own; 1 where neither you nor the model say one.
    propagation:
        As in `fit_line`.
    parameter_units:
        Units of the parameters of a formula or function of your own; those of a formula are checked against x and y.

    Returns
    -------
    :
        The calibration; `notes` say where the function does not fit the stated uncertainties.

    Raises
    ------
    CalibrationError
        If the model is not known, or the points do not determine it.

    References
    ----------
    ISO 6143:2001, clause 5 and Annex A.
    """
    points = points_of(x, y, u_x=u_x, u_y=u_y)
    if isinstance(model, str):
        family = _named(model, points)
        first = _begin(family, start)
    else:
        family, first = of_function(model, start=start)
    family = with_parameter_units(family, parameter_units, x=points.of_units, y=points.units)
    said = model if isinstance(model, str) else family.title
    units = None if parameter_units is None else dict(parameter_units)
    settings: dict[str, object] = {"model": said, "propagation": propagation, "parameter_units": units}
    settings["start"] = None if start is None else dict(start)
    return _calibrated("calibration.fit_function", points, family, settings, start=first)


def _named(model: str, points: Points) -> Family:
    if is_formula(model):
        return of_formula(model)
    if model not in NAMED:
        msg = (
            f"no function named {model!r}; there are {list(NAMED)}, and formulas of x such as 'a + b*exp(-x/c)'."
            f"{did_you_mean(model, NAMED)}"
        )
        raise CalibrationError(msg)
    if model == "power" and (points.x <= 0.0).any():
        msg = f"the power function needs x > 0; the least is {points.x.min():g}. Choose another function"
        raise CalibrationError(msg)
    return _polynomial(2, points) if model == "quadratic" else FAMILIES[model]


def _begin(family: Family, start: Mapping[str, float] | None) -> npt.NDArray[np.float64] | None:
    """Return where to begin with a formula: 1 where nothing is said."""
    wrong = [name for name in start or {} if name not in family.names]
    if wrong or (start and family.kind != "formula"):
        wanted = (
            f"the parameters are {list(family.names)}" if family.kind == "formula" else "a named function needs none"
        )
        msg = f"start speaks of {wrong or list(start or {})}; {wanted}"
        raise CalibrationError(msg)
    if family.kind != "formula":
        return None
    return np.array([float((start or {}).get(name, 1.0)) for name in family.names])


def _polynomial(degree: int, points: Points) -> Family:
    return polynomial(degree, float(points.x.min()), float(points.x.max()))


def _calibrated(
    step: str, points: Points, family: Family, settings: dict[str, object], *,
    start: npt.NDArray[np.float64] | None = None,
) -> CurveCalibration:  # fmt: skip
    size, count = len(family.names), points.x.size
    needed = size if points.known else size + 1
    if count < needed:
        msg = (
            f"{count} points cannot determine {size} parameters of the {family.kind}"
            f"{'' if points.known else ' and their scatter'}; measure at least {needed}, or state uncertainties"
        )
        raise CalibrationError(msg)
    propagation = cast("Propagation", settings["propagation"])
    require_propagation(propagation)
    found = solve(family, points.x, points.y, points.covariance, start=start, exact=propagation == "implicit")
    said = history.extend(step, settings={**settings, "points": points.history}, inputs=points.inputs)
    key = f"{history.parse(said)['head']}{found.b.tolist() if family.kind == 'function' else ''}"
    contributions, scatter, ensemble = _sources(points, found, key)
    made = CurveCalibration(
        family=family, values=found.b, contributions=contributions, of_units=points.of_units, units=points.units,
        points=_table(points, found), chisqr=found.chisqr, dof=float(count - size), scatter=scatter, ensemble=ensemble,
        propagation=propagation, history=said,
    )  # fmt: skip
    return replace(made, notes=_notes(made))


def _sources(
    points: Points, found: Solution, key: str
) -> tuple[dict[Source, npt.NDArray[np.float64]], float | None, str]:
    """Carry the sources of the points to the parameters; without any, make those of the residuals."""
    if points.known:
        moved = np.concatenate([found.to_x, found.to_y], axis=1) @ points.parts.T
        return {source: moved[:, k] for k, source in enumerate(points.sources) if moved[:, k].any()}, None, ""
    dof = points.x.size - found.b.size
    scatter = math.sqrt(found.chisqr / dof)
    joint = hashlib.blake2b(f"curve|{key}".encode(), digest_size=16).hexdigest()
    values, vectors = np.linalg.eigh(found.covariance)
    columns = scatter * vectors * np.sqrt(np.clip(values, 0.0, None))
    return {
        Source(
            id=f"{joint}-{k}", label=f"scatter of the points ({k + 1})", units="1", kind="A", dof=float(dof),
            tags=("scatter of the points",), ensemble=joint,
        ): columns[:, k]
        for k in range(found.b.size)
    }, scatter, joint  # fmt: skip


def _table(points: Points, found: Solution) -> xr.Dataset:
    u_x, u_y = points.u
    if not points.known:
        u_y = np.zeros(points.y.size)
    units = {"x": points.of_units, "fitted_x": points.of_units, "u_x": points.of_units, "leverage": "1"}
    columns = {
        "x": points.x, "y": points.y, "u_x": u_x, "u_y": u_y, "fitted_x": found.fitted_x, "fitted_y": found.fitted_y,
        "leverage": found.leverage,
    }  # fmt: skip
    return xr.Dataset(
        {name: ("point", values, {"units": units.get(name, points.units)}) for name, values in columns.items()}
    )


def _notes(curve: CurveCalibration) -> tuple[str, ...]:
    said = []
    probability, deviation = curve.p_value, curve.largest_deviation
    if probability is not None and probability < IMPROBABLE:
        said.append(
            f"chi-square {curve.chisqr:.3g} with {curve.dof:g} degrees of freedom has p = {probability:.1g}: the "
            f"{curve.family.kind} does not describe the points within their stated uncertainties, and u is too small"
        )
    if deviation is not None and deviation > FAR:
        said.append(
            f"a point lies {deviation:.2g} standard uncertainties from the curve; ISO 6143 takes a "
            f"function only up to {FAR:g}, so choose another one"
        )
    own = curve.family.kind in ("formula", "function") and not curve.family.units
    if own and (curve.units, curve.of_units) != ("1", "1"):
        said.append("the units of the parameters were not stated, so they are shown without; give parameter_units")
    if curve.values.size > 1 and not curve.is_monotonic():
        said.append("the curve turns within its range, so some y have two x; inverse refuses those")
    return tuple(said)


def _criterion(curve: CurveCalibration) -> float:
    """Return the corrected Akaike information criterion; an unknown scatter is one more parameter."""
    count = curve.points.sizes["point"]
    if curve.scatter is None:
        size, misfit = curve.values.size, curve.chisqr
    else:
        size, misfit = curve.values.size + 1, count * math.log(max(curve.chisqr, 1e-300) / count)
    return misfit + 2 * size + 2 * size * (size + 1) / max(count - size - 1, 1e-9)
