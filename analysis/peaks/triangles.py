"""Linear algebra of many least-squares problems at once, from the triangle of (J | r) and never from JᵀJ.

Not here: which steps are taken (`analysis.peaks.trust`).
References: Golub & Van Loan, Matrix Computations (2013), 5.3 and 5.5.
"""

from typing import Any

import numpy as np

__all__ = ["RANK", "covariance", "gain_of", "gradient_of", "triangle_of", "undamped"]

Floats = np.ndarray[Any, np.dtype[np.float64]]
Bools = np.ndarray[Any, np.dtype[np.bool_]]
RANK = 1e-14
NEAR_SINGULAR = 1e-12


def triangle_of(linear: Floats) -> Floats:
    """Return the triangle R of a QR decomposition of (J | r).

    Parameters
    ----------
    linear:
        (J | r), dims `(lane, channel, free + 1)`.

    Returns
    -------
    :
        Dims `(lane, row, free + 1)`.
    """
    return np.asarray(np.linalg.qr(linear, mode="r"))


def gradient_of(triangle: Floats) -> Floats:
    """Return the gradient Jᵀr.

    Parameters
    ----------
    triangle:
        Of (J | r), dims `(lane, row, free + 1)`.

    Returns
    -------
    :
        Dims `(lane, free)`.
    """
    gradient: Floats = (triangle[:, :, :-1] * triangle[:, :, -1:]).sum(axis=1)
    return gradient


def gain_of(triangle: Floats, held: Bools) -> Floats:
    """Return what an undamped step gains with the held parameters left alone.

    Parameters
    ----------
    triangle:
        Of (J | r) with columns of similar size.
    held:
        Dims `(lane, free)`.

    Returns
    -------
    :
        Dims `(lane,)`.
    """
    jacobian = np.where(held[:, None, :], 0.0, triangle[:, :, :-1])
    left, size, _ = np.linalg.svd(jacobian, full_matrices=False)
    along = np.einsum("lrk,lr->lk", left, triangle[:, :, -1])
    largest = size[:, :1]
    gain: Floats = 0.5 * np.where(size > RANK * largest, along**2, 0.0).sum(axis=1)
    return gain


def undamped(triangle: Floats, held: Bools) -> tuple[Floats, Floats]:
    """Return the Gauss-Newton step.

    Parameters
    ----------
    triangle:
        Of (J | r), dims `(lane, row, free + 1)`.
    held:
        Parameters that stay, dims `(lane, free)`.

    Returns
    -------
    :
        What it gains, dims `(lane,)`, and the move, dims `(lane, free)`.
    """
    size = np.sqrt((triangle[:, :, :-1] ** 2).sum(axis=1))
    size = np.where(size > 0.0, size, 1.0)
    scaled = np.where(held[:, None, :], 0.0, triangle[:, :, :-1] / size[:, None, :])
    left, singular, back = np.linalg.svd(scaled, full_matrices=False)
    along = np.einsum("lrk,lr->lk", left, triangle[:, :, -1])
    keep = singular > RANK * singular[:, :1]
    along = np.where(keep, along, 0.0)
    weight = along / np.where(keep, singular, 1.0)
    move = -np.einsum("lk,lkj->lj", weight, back) / size
    return 0.5 * (along**2).sum(axis=1), np.where(held, 0.0, move)


def covariance(triangle: Floats, held: Bools) -> tuple[Floats, Bools]:
    """Invert JᵀJ from the singular values of J.

    Parameters
    ----------
    triangle:
        Of (J | r), dims `(lane, row, free + 1)`.
    held:
        Parameters at a bound, which get zeros.

    Returns
    -------
    :
        Covariance, dims `(lane, free, free)`, and which lanes are singular.
    """
    size = np.sqrt((triangle[:, :, :-1] ** 2).sum(axis=1))
    empty = (size == 0.0) & ~held
    size = np.where(size > 0.0, size, 1.0)
    scaled = np.where(held[:, None, :], 0.0, triangle[:, :, :-1] / size[:, None, :])
    _, singular, back = np.linalg.svd(scaled, full_matrices=False)
    free = held.shape[1] - held.sum(axis=1)
    order = np.arange(singular.shape[1])[None, :] < free[:, None]
    short = singular.shape[1] < free
    bad = empty.any(axis=1) | short | (order & (singular <= NEAR_SINGULAR * singular[:, :1])).any(axis=1)
    inverse = np.where(order & (singular > 0.0), 1.0 / np.where(singular > 0.0, singular, 1.0), 0.0)
    half = back * inverse[:, :, None] / size[:, None, :]
    found: Floats = np.einsum("lki,lkj->lij", half, half)
    return np.where(held[:, :, None] | held[:, None, :], 0.0, found), bad
