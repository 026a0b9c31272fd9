"""Fits a function to points with errors in both variables and any covariance among them.

Gauss-Newton with the true x eliminated (Britt & Luecke, Technometrics 15 (1973) 233,
doi:10.1080/00401706.1973.10489037).
It needs no inverse of the covariance of the points, so x or y of a point may be exact. For a straight line the steps
and the covariance are those of ISO/TS 28037:2010, clauses 6 to 10.
Not here: what the numbers mean (`analysis.calibration.curve`), the functions (`analysis.calibration.curve_families`).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import optimize
from scipy.linalg import lapack

from analysis.calibration.curve_exact import Minimum, derivatives
from analysis.calibration.curve_families import Family
from analysis.core import CalibrationError

__all__ = ["Solution", "solve"]

Array = npt.NDArray[np.float64]
STEPS = 200
CLOSE, NEARLY = 1e-12, 1e-7
NEAR_SINGULAR = 1e-12


@dataclass(frozen=True, kw_only=True)
class Solution:
    """The best parameters and what they depend on."""

    b: Array
    """Parameters, dims `(parameter,)`."""
    covariance: Array
    """Of the parameters, from the covariance of the points, dims `(parameter, parameter)`."""
    to_x: Array
    """db/dx, dims `(parameter, point)`."""
    to_y: Array
    """db/dy, dims `(parameter, point)`."""
    chisqr: float
    """Weighted sum of squares at the minimum."""
    fitted_x: Array
    """Best estimates of the true x, dims `(point,)`."""
    fitted_y: Array
    """The curve there, dims `(point,)`."""
    leverage: Array
    """How much of each point's own weight the fit takes, in [0, 1], dims `(point,)`; they sum to the parameters."""


def solve(
    family: Family, x: Array, y: Array, covariance: Array, *, start: Array | None = None, exact: bool = False
) -> Solution:
    """Minimise the distance of points from a curve, in units of their covariance.

    Parameters
    ----------
    family:
        The function.
    x, y:
        Dims `(point,)`.
    covariance:
        Of all x, then all y, dims `(2 point, 2 point)`; rows of zeros are exact values.
    start:
        Parameters to begin with; None fits y without errors in x first.
    exact:
        Derivatives of the parameters with the curvature of the function (`analysis.calibration.curve_exact`).

    Returns
    -------
    :
        The minimum.

    Raises
    ------
    CalibrationError
        If the points do not determine the parameters, or the steps do not end.
    """
    b = _first(family, x, y, start)
    true_x, before = x.copy(), np.inf
    for _ in range(STEPS):
        step = _step(family, (x, y), covariance, true_x, b)
        change = float(np.max(np.abs(step.b) / np.sqrt(np.diag(step.spread)), initial=0.0))
        moved = float(np.max(np.abs(step.true_x - true_x) / np.maximum(step.u_x, 1e-300), initial=0.0))
        b, true_x = b + step.b, step.true_x
        if not np.isfinite(b).all():
            break
        now = max(change, moved)
        if now < CLOSE or (now < NEARLY and (now >= before or _is_rounding(step.b, b))):
            final = _step(family, (x, y), covariance, true_x, b)
            to_x, to_y, spread = -final.to_y * final.slope, final.to_y, final.spread
            if exact:
                at = Minimum(b=b, true_x=true_x, pull=final.pull)
                to_x, to_y = derivatives(family, covariance, at)
                both = np.concatenate([to_x, to_y], axis=1)
                spread = both @ covariance @ both.T
            return Solution(
                b=b, covariance=spread, to_x=to_x, to_y=to_y, chisqr=final.chisqr, fitted_x=true_x,
                fitted_y=family.value(true_x, b), leverage=final.leverage,
            )  # fmt: skip
        before = now
    msg = (
        f"the fit of the {family.kind} did not come to an end in {STEPS} steps; the points may not follow this "
        "function. Draw them, choose another function, or give better starting values"
    )
    raise CalibrationError(msg)


@dataclass(frozen=True, kw_only=True)
class _Step:
    b: Array
    true_x: Array
    spread: Array
    to_y: Array
    slope: Array
    chisqr: float
    leverage: Array
    u_x: Array
    pull: Array


def _step(family: Family, points: tuple[Array, Array], covariance: Array, true_x: Array, b: Array) -> _Step:
    """Linearise at the present x and parameters, and solve."""
    x, y = points
    count = x.size
    slope, columns = family.slope(true_x, b), family.gradient(true_x, b)
    v_x, v_y, v_xy = covariance[:count, :count], covariance[count:, count:], covariance[:count, count:]
    rest = y - family.value(true_x, b) - slope * (x - true_x)
    cross = slope[:, None] * v_xy
    joint = slope[:, None] * v_x * slope - cross - cross.T + v_y
    size = np.sqrt(np.abs(np.diag(joint)))
    try:
        if not ((size > 0.0) & (size < np.inf)).all():
            raise np.linalg.LinAlgError
        lower = np.linalg.cholesky(joint / np.outer(size, size))
    except np.linalg.LinAlgError as error:
        msg = (
            "the uncertainties of the points do not allow a fit: at least one point is exact in x and y, or their "
            "covariance is not positive definite. Give each point an uncertainty in x or y"
        )
        raise CalibrationError(msg) from error

    def whiten(values: Array) -> Array:
        return _solved(lower, values / (size[:, None] if values.ndim > 1 else size), lower=True)

    scale = np.linalg.norm(columns, axis=0)
    scale = np.where(scale > 0.0, scale, 1.0)
    q, r = np.linalg.qr(whiten(columns / scale))
    if not np.isfinite(r).all() or np.min(np.abs(np.diag(r))) <= NEAR_SINGULAR * np.max(np.abs(np.diag(r))):
        msg = (
            f"the points do not determine the {columns.shape[1]} parameters of the {family.kind}: got {count} points "
            f"at {np.unique(x).size} different x. Measure at more places, or take a simpler function"
        )
        raise CalibrationError(msg)
    inverse = _solved(r, np.eye(r.shape[0]), lower=False) / scale[:, None]
    step = inverse @ (q.T @ whiten(rest))
    left = whiten(rest - columns @ step)
    pull = _solved(lower, left, lower=True, transposed=True) / size
    back = _solved(lower, q, lower=True, transposed=True) / size[:, None]
    return _Step(
        b=step,
        true_x=x + (v_x * slope - v_xy) @ pull,
        spread=inverse @ inverse.T,
        to_y=inverse @ back.T,
        slope=slope,
        chisqr=float(left @ left),
        leverage=np.asarray((q**2).sum(axis=1)),
        u_x=np.sqrt(np.abs(np.diag(v_x))),
        pull=pull,
    )


def _solved(triangle: Array, values: Array, *, lower: bool, transposed: bool = False) -> Array:
    """Solve a triangular system that is known to be regular, without the checks of `scipy.linalg`."""
    return np.asarray(lapack.dtrtrs(triangle, values, lower=lower, trans=transposed)[0])


def _is_rounding(step: Array, b: Array) -> bool:
    return bool((np.abs(step) <= 64 * np.finfo(float).eps * np.max(np.abs(b))).all())


def _first(family: Family, x: Array, y: Array, start: Array | None) -> Array:
    """Return parameters near the best: exact for functions that are linear in them."""
    if family.kind in ("line", "polynomial"):
        columns = family.gradient(x, np.zeros(len(family.names)))
        return np.asarray(np.linalg.lstsq(columns, y, rcond=None)[0])
    begin = _guess(family.kind, x, y) if start is None else start
    distance: Callable[[Array], Array] = lambda b: family.value(x, b) - y  # noqa: E731
    with np.errstate(all="ignore"):
        found = optimize.least_squares(distance, begin, x_scale="jac", method="lm" if x.size >= begin.size else "trf")
    return np.asarray(found.x if np.isfinite(found.x).all() else begin, dtype=float)


def _guess(kind: str, x: Array, y: Array) -> Array:
    """Read starting values of a function of ISO 6143 from the points: the best of a row of shapes."""
    trials = np.linspace(-0.9, 2.0, 30) if kind == "power" else np.linspace(-5.0, 5.0, 31) / np.ptp(x)
    best, least = np.zeros(3), np.inf
    for shape in trials:
        with np.errstate(all="ignore"):
            column = x ** (1.0 + shape) if kind == "power" else np.exp(shape * x)
        if not np.isfinite(column).all() or np.ptp(column) == 0.0:
            continue
        pair, rest, *_ = np.linalg.lstsq(np.stack([np.ones(x.size), column], axis=1), y, rcond=None)
        left = float(rest[0]) if rest.size else 0.0
        if left < least:
            best, least = np.array([pair[0], pair[1], shape]), left
    return best
