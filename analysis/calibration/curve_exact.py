"""Exact first derivatives of a fitted curve by its points: the implicit-function theorem at the observed points.

Gauss-Newton takes the model as straight near the solution; the exact derivative of the minimum also has the residuals
times the second derivatives of the curve. Both are first-order propagation, and they agree where the points lie on the
curve or the curve is straight and x exact.
Not here: the fit (`analysis.calibration.curve_fit`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
from scipy.linalg import lapack

from analysis.calibration.curve_families import Family
from analysis.core import CalibrationError

__all__ = ["Minimum", "derivatives"]

Array = npt.NDArray[np.float64]
STEP = 1e-3
SINGULAR = 1e-13


@dataclass(frozen=True, kw_only=True)
class Minimum:
    """Where a fit ended."""

    b: Array
    """Parameters, dims `(parameter,)`."""
    true_x: Array
    """Best estimates of the true x, dims `(point,)`."""
    pull: Array
    """Multiplier of each point: its residual in y and x, weighted by the inverse of their joint covariance."""


@dataclass(frozen=True, kw_only=True)
class _Bend:
    """Second derivatives of the curve at the true x."""

    xx: Array
    xb: Array
    bb: Array


def derivatives(family: Family, covariance: Array, at: Minimum) -> tuple[Array, Array]:
    """Differentiate the parameters by every x and y of the points.

    Parameters
    ----------
    family:
        The function.
    covariance:
        Of all x, then all y, dims `(2 point, 2 point)`; rows of zeros are exact values.
    at:
        The minimum.

    Returns
    -------
    :
        db/dx and db/dy, dims `(parameter, point)`.

    Raises
    ------
    CalibrationError
        If the minimum is none to second order, so that the parameters have no derivative.
    """
    x, b, pull = at.true_x, at.b, at.pull
    n, p = x.size, b.size
    v_x, v_y, v_xy = covariance[:n, :n], covariance[n:, n:], covariance[:n, n:]
    slope, columns, bend = family.slope(x, b), family.gradient(x, b), _bend(family, x, b)
    mixed = pull[:, None] * bend.xb
    # x' = x + v_x (slope pull) - v_xy pull;  f(x') = y + v_xy' (slope pull) - v_y pull;  columns' pull = 0
    system = np.block([
        [np.eye(n) - v_x * (bend.xx * pull), -v_x @ mixed, v_xy - v_x * slope],
        [np.diag(slope) - v_xy.T * (bend.xx * pull), columns - v_xy.T @ mixed, v_y - v_xy.T * slope],
        [mixed.T, np.tensordot(pull, bend.bb, axes=1), columns.T],
    ])  # fmt: skip
    given = np.zeros((2 * n + p, 2 * n))
    given[: 2 * n] = np.eye(2 * n)
    found = _solved(system, given)[n : n + p]
    return found[:, :n], found[:, n:]


def _solved(system: Array, given: Array) -> Array:
    """Solve after bringing rows and columns to one size; they have many units."""
    rows = 1.0 / np.maximum(np.abs(system).max(axis=1), np.finfo(float).tiny)
    scaled = system * rows[:, None]
    columns = 1.0 / np.maximum(np.abs(scaled).max(axis=0), np.finfo(float).tiny)
    scaled = scaled * columns
    factors, pivots, failed = lapack.dgetrf(scaled)
    regular = np.isfinite(scaled).all() and failed == 0
    if not regular or lapack.dgecon(factors, np.abs(scaled).sum(axis=0).max())[0] < SINGULAR:
        msg = (
            "the parameters have no derivative by the points: residuals times curvature are so large that the minimum "
            "is none to second order. Choose another function, or propagation='gauss_newton'"
        )
        raise CalibrationError(msg)
    return np.asarray(columns[:, None] * lapack.dgetrs(factors, pivots, given * rows[:, None])[0])


def _bend(family: Family, x: Array, b: Array) -> _Bend:
    """Differentiate the first derivatives once more, by differences of fourth order."""
    span = float(np.ptp(x)) or float(np.max(np.abs(x))) or 1.0
    h = STEP * np.clip(np.abs(x), STEP * span, span)
    xx = _differences(lambda t: family.slope(x + t * h, b)) / h
    heights = np.abs(family.gradient(x, b)).max(axis=0)
    spread = float(np.ptp(family.value(x, b))) or float(np.max(np.abs(family.value(x, b)))) or 1.0
    xb, bb = np.empty((x.size, b.size)), np.empty((x.size, b.size, b.size))
    for k in range(b.size):
        step = STEP * spread / heights[k] * np.eye(b.size)[k]
        xb[:, k] = _differences(partial(_moved, family.slope, x, b, step)) / step[k]
        bb[:, :, k] = _differences(partial(_moved, family.gradient, x, b, step)) / step[k]
    return _Bend(xx=xx, xb=xb, bb=(bb + bb.transpose(0, 2, 1)) / 2.0)


def _moved(function: Callable[[Array, Array], Array], x: Array, b: Array, step: Array, t: float) -> Array:
    return function(x, b + t * step)


def _differences(moved: Callable[[float], Array]) -> Array:
    near, far = (moved(1.0) - moved(-1.0)) / 2.0, (moved(2.0) - moved(-2.0)) / 4.0
    return np.asarray((4.0 * near - far) / 3.0)
