"""What a fit minimises, written as a sum of squares for the vectorised engine: cost, residuals and weights.

Not here: the same in the compiled kernel (`analysis.peaks.engine`).
References: W. Cash, Astrophys. J. 228 (1979) 939, doi:10.1086/156922; P. J. Huber, Robust Statistics (1981);
the definitions of soft_l1 and huber are those of `scipy.optimize.least_squares`.
"""

from typing import Any, Literal

import numpy as np

__all__ = ["ROBUST", "Purpose", "cost", "linearise", "scale"]

Floats = np.ndarray[Any, np.dtype[np.float64]]
Purpose = Literal["step", "curvature", "scatter"]
ROBUST = ("soft_l1", "huber")
FLOOR = 1e-6
"""Counts below which the deviance goes on as a parabola, so that it is finite everywhere."""


def scale(data: Floats, weights: Floats, loss: str) -> Floats:
    """Return the size of chi-square that rounding of the model is relative to.

    Parameters
    ----------
    data, weights:
        Dims `(spectrum, channel)`; under `"poisson"` the weights are a mask.
    loss:
        `"least_squares"`, `"poisson"`, `"soft_l1"` or `"huber"`.

    Returns
    -------
    :
        Dims `(spectrum,)`.
    """
    if loss == "poisson":
        return np.asarray((np.abs(data) * weights).sum(axis=1))
    return np.asarray(((data * weights) ** 2).sum(axis=1))


def cost(model: Floats, data: Floats, weights: Floats, loss: str) -> Floats:
    """Return half of chi-square, of the Cash deviance or of the robust loss.

    Parameters
    ----------
    model, data, weights:
        Dims `(spectrum, channel)`, weights 0 where masked.
    loss:
        As in `scale`.

    Returns
    -------
    :
        Dims `(spectrum,)`; infinite where it has no finite value.
    """
    with np.errstate(all="ignore"):
        each = _poisson(model, data)[0] if loss == "poisson" else _robust((model - data) * weights, loss)[0]
        total = np.where(weights > 0.0, each, 0.0).sum(axis=1)
    return np.where(np.isfinite(total), total, np.inf)


def linearise(
    model: Floats, data: Floats, weights: Floats, loss: str, *, purpose: Purpose = "step"
) -> tuple[Floats, Floats]:
    """Return r and what J is multiplied by, so that Jᵀr is the gradient of the cost.

    Parameters
    ----------
    model, data, weights, loss:
        As in `cost`.
    purpose:
        What JᵀJ becomes under a robust loss: `"step"`, a curvature to step by; `"curvature"`, the mean one;
        `"scatter"`, that of the gradient.

    Returns
    -------
    :
        Both with dims `(spectrum, channel)`, 0 where masked.
    """
    keep = weights > 0.0
    with np.errstate(all="ignore"):
        if loss == "poisson":
            _, slope, curvature = _poisson(model, data)
            outer = np.ones_like(model)
        else:
            residual = (model - data) * weights
            _, slope, curvature = _robust(residual, loss)
            outer = weights
            if loss in ROBUST and purpose == "step":
                curvature = np.where(residual == 0.0, 1.0, slope / residual)
            elif loss in ROBUST and purpose == "scatter":
                curvature = slope**2
        root = np.sqrt(curvature)
        scaled = np.where(root > 0.0, slope / root, 0.0)
    return np.where(keep, scaled, 0.0), np.where(keep, outer * root, 0.0)


def _poisson(model: Floats, data: Floats) -> tuple[Floats, Floats, Floats]:
    """Return half the deviance of each point, its first derivative and the expected second one."""
    safe = np.maximum(model, FLOOR)
    log = np.where(data > 0.0, data * np.log(np.where(data > 0.0, data, 1.0) / safe), 0.0)
    value, slope, curvature = safe - data + log, 1.0 - data / safe, 1.0 / safe
    below = np.minimum(model - FLOOR, 0.0)
    parabola = data / FLOOR**2 + 1.0 / FLOOR
    empty = (data == 0.0) & (model >= 0.0)
    value = np.where(below < 0.0, value + (slope + 0.5 * parabola * below) * below, value)
    slope = np.where(below < 0.0, slope + parabola * below, slope)
    curvature = np.where((below < 0.0) & ~empty, parabola, curvature)
    return np.where(empty | np.isnan(model), model, value), np.where(empty, 1.0, slope), curvature


def _robust(residual: Floats, loss: str) -> tuple[Floats, Floats, Floats]:
    """Return half the loss of standardised residuals and its first two derivatives."""
    if loss == "soft_l1":
        root = np.sqrt(1.0 + residual**2)
        return root - 1.0, residual / root, root**-3
    if loss == "huber":
        size = np.abs(residual)
        inside = size <= 1.0
        value = np.where(inside, 0.5 * residual**2, size - 0.5)
        return value, np.clip(residual, -1.0, 1.0), np.where(inside, 1.0, 0.0)
    return 0.5 * residual**2, residual, np.ones_like(residual)
