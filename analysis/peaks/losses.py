"""Losses other than least squares inside the normal equations, compiled.

A loss turns into factors for one Gauss-Newton step: rows of the Jacobian and residuals are scaled so that
JᵀJ is the expected (Poisson) or reweighted (robust) curvature and Jᵀr the exact gradient of half the loss.
Not here: the sums themselves (`analysis.peaks.normal`).
References: W. Cash, Astrophys. J. 228 (1979) 939, doi:10.1086/156922; P. J. Huber, Robust Statistics (1981);
the definitions of soft_l1 and huber are those of `scipy.optimize.least_squares`.
"""

# Compiled code has no annotations: numba finds its types, and long argument lists are its tables.
# ruff: noqa: ANN001, ANN201, ANN202, PLR0917
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

import math

from analysis.peaks.compiled import compiled

__all__ = ["BREAD", "CODES", "LEAST_SQUARES", "MEAT", "POISSON", "adjust"]

LEAST_SQUARES, POISSON, SOFT_L1, HUBER = 0, 1, 2, 3
CODES = {"least_squares": LEAST_SQUARES, "poisson": POISSON, "soft_l1": SOFT_L1, "huber": HUBER}
# Added to a robust loss: the curvature and the scatter of the score, between which its covariance is taken.
BREAD, MEAT = 10, 20
FLOOR = 1e-6  # counts; below, the deviance goes on as a parabola, so that it is finite everywhere


@compiled()
def _poisson(m, y):
    """Return half the Cash deviance of one point, its first derivative, and the expected second one."""
    if m >= FLOOR:
        value = m - y + y * math.log(y / m) if y > 0.0 else m
        return value, 1.0 - y / m, 1.0 / m
    if y == 0.0 and m >= 0.0:
        return m, 1.0, 1.0 / FLOOR
    below = m - FLOOR
    curvature = y / (FLOOR * FLOOR) + 1.0 / FLOOR
    slope = 1.0 - y / FLOOR
    value = FLOOR - y + (y * math.log(y / FLOOR) if y > 0.0 else 0.0)
    return value + (slope + 0.5 * curvature * below) * below, slope + curvature * below, curvature


@compiled()
def _robust(loss, r):
    """Return half the loss of one standardised residual, its first derivative, and the weight of its row."""
    z = r * r
    kind = loss % 10
    if kind == SOFT_L1:
        root = math.sqrt(1.0 + z)
        value, slope, curvature = root - 1.0, r / root, 1.0 / (root * root * root)
        weight = 1.0 / root
    else:
        size = abs(r)
        inside = size <= 1.0
        value = 0.5 * z if inside else size - 0.5
        slope = r if inside else math.copysign(1.0, r)
        curvature = 1.0 if inside else 0.0
        weight = 1.0 if inside else 1.0 / size
    if loss >= MEAT:
        weight = slope * slope
    elif loss >= BREAD:
        weight = curvature
    return value, slope, weight


@compiled()
def adjust(loss, model, y, w, rows, count, n):
    """Scale the rows of one block and put its residuals into the first; return the sum of half the loss.

    Parameters
    ----------
    loss:
        Code of the loss, with `BREAD` or `MEAT` added for a robust one.
    model:
        Weighted model, dims `(n,)`; under Poisson the weights are a mask of 1 and 0.
    y, w:
        Data and weights, dims `(n,)`.
    rows:
        Residual row and weighted derivative rows, dims `(1 + parameter, n)`; changed in place.
    count:
        Number of derivative rows.
    n:
        Points.

    Returns
    -------
    :
        Half the loss of the block.
    """
    total = 0.0
    for i in range(n):
        if w[i] == 0.0:
            rows[0, i] = 0.0
            continue
        if loss == POISSON:
            value, slope, weight = _poisson(model[i], y[i])
        else:
            value, slope, weight = _robust(loss, model[i] - y[i] * w[i])
        total += value
        root = math.sqrt(weight)
        rows[0, i] = slope / root if root > 0.0 else 0.0
        for k in range(1, count + 1):
            rows[k, i] *= root
    return total
