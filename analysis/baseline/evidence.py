"""A smooth curve through what lies between the peaks, and how far it is not known: all spectra of a block at once.

The curve is a cubic spline z = B c of many equal segments whose coefficients have differences of a given order that are
small: c follows a normal distribution with precision λ D'D. What the samples between the peaks say about c for each λ,
and about λ itself (its restricted likelihood, on a grid), is averaged; so the covariance of c holds both.
Not here: labelled data (`analysis.baseline.ensemble`).
References: Wahba, J. R. Stat. Soc. B 45 (1983) 133, doi:10.1111/j.2517-6161.1983.tb01239.x; Wood, J. R. Stat. Soc. B 73
(2011) 3, doi:10.1111/j.1467-9868.2010.00749.x; Eilers and Marx, Stat. Sci. 11 (1996) 89, doi:10.1214/ss/1038425655.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.interpolate import BSpline

__all__ = ["Curve", "design", "through"]

Array = npt.NDArray[np.float64]
ORDER = 4
"""Of the differences that are small: a cubic polynomial costs nothing."""
_DEGREE = 3
_SMOOTHNESS = 10.0 ** np.arange(-10.0, 10.1, 0.5)
"""λ of the grid, for data and penalty of equal trace."""
_LEAST = 1e-12


@dataclass(frozen=True, kw_only=True)
class Curve:
    """Splines and their covariance; shapes `(row, ...)`."""

    coefficients: Array
    """Mean over the grid of smoothness, shape (row, K)."""
    factors: Array
    """F with covariance F Fᵀ, shape (row, K, K)."""
    misfit: Array
    """Σ w (y − z)² over the degrees of freedom that the spline leaves; 1 where the weights are right."""
    smoothness: Array
    """log10 λ of the largest evidence, for data and penalty of equal trace."""
    freedom: Array
    """Degrees of freedom that are left for the noise."""


def design(axis: Array, segments: int) -> Array:
    """Return the basis of cubic splines on equal segments.

    Parameters
    ----------
    axis:
        Where, strictly monotonic, shape (channel,).
    segments:
        How many, >= 1.

    Returns
    -------
    :
        Values of each spline, shape (channel, segments + 3).
    """
    low, high = float(axis.min()), float(axis.max())
    place = np.clip((axis - low) / (high - low), 0.0, 1.0 - _LEAST)
    knots = np.arange(-_DEGREE, segments + _DEGREE + 1) / segments
    basis: Array = BSpline.design_matrix(place, knots, _DEGREE).toarray()
    return basis


def through(rows: Array, weights: Array, basis: Array, *, known: bool) -> Curve:
    """Find the smooth curves through the weighted samples of each row.

    Parameters
    ----------
    rows:
        Samples, finite, shape (row, channel).
    weights:
        1/u², 0 where a peak stands; for unknown noise 1 and 0.
    basis:
        From `design`.
    known:
        Whether the weights are those of the noise; else its variance is taken from what the curve leaves.

    Returns
    -------
    :
        The curves; rows with too few samples have NaN.
    """
    said = _Said(
        normal=np.einsum("mn,nk,nl->mkl", weights, basis, basis, optimize=True),
        right=(weights * rows) @ basis,
        square=(weights * rows**2).sum(axis=1),
        samples=np.count_nonzero(weights, axis=1).astype(float),
        known=known,
    )
    usable = said.samples > basis.shape[1] // 2 + ORDER
    said.normal[~usable] = np.eye(basis.shape[1])
    turned = _diagonal(said.normal)
    part = np.einsum("mkl,mk->ml", turned.vectors, said.right)
    shrunk = (1.0 - turned.values)[:, None, :] + _SMOOTHNESS[:, None] * turned.values[:, None, :]
    evidence, variance = _evidence(said, part, shrunk)
    share = np.exp(evidence - evidence.max(axis=1, keepdims=True))
    share /= share.sum(axis=1, keepdims=True)
    own = part[:, None, :] / shrunk
    middle = np.einsum("mg,mgk->mk", share, own)
    apart = own - middle[:, None, :]
    spread = np.einsum("mg,mgk,mgl->mkl", share, apart, apart, optimize=True)
    index = np.arange(spread.shape[1])
    spread[:, index, index] += np.einsum("mg,mgk->mk", share * variance, 1.0 / shrunk)
    coefficients = np.einsum("mkl,ml->mk", turned.vectors, middle)
    taken = np.einsum("mg,mgk->m", share, (1.0 - turned.values)[:, None, :] / shrunk)
    residual = (weights * (rows - coefficients @ basis.T) ** 2).sum(axis=1)
    coefficients[~usable] = np.nan
    return Curve(
        coefficients=coefficients,
        factors=turned.vectors @ np.linalg.cholesky(spread),
        misfit=residual / np.maximum(said.samples - taken, 1.0),
        smoothness=np.log10(_SMOOTHNESS)[evidence.argmax(axis=1)],
        freedom=said.samples - taken,
    )


@dataclass(frozen=True, kw_only=True)
class _Said:
    """What the samples say about the coefficients: AᵀWA, AᵀWy, yᵀWy and how many they are."""

    normal: Array
    right: Array
    square: Array
    samples: Array
    known: bool


def _evidence(said: _Said, part: Array, shrunk: Array) -> tuple[Array, Array]:
    """Return the logarithm of the restricted likelihood on the grid, and the variance of unit weight there."""
    least = _LEAST * said.square[:, None]
    left = np.maximum(said.square[:, None] - (part[:, None, :] ** 2 / shrunk).sum(axis=2), least)
    count = np.maximum(said.samples - ORDER, 1.0)[:, None]
    smooth = 0.5 * (part.shape[1] - ORDER) * np.log(_SMOOTHNESS) - 0.5 * np.log(shrunk).sum(axis=2)
    if said.known:
        return smooth - 0.5 * left, np.ones_like(left)
    return smooth - 0.5 * count * np.log(left), left / count


@dataclass(frozen=True, kw_only=True)
class _Turned:
    """Vectors V and values μ with Vᵀ (A + λ P) V = (1 − μ) + λ μ."""

    vectors: Array
    values: Array


def _diagonal(normal: Array) -> _Turned:
    size = normal.shape[1]
    differences = np.diff(np.eye(size), ORDER, axis=0)
    penalty = differences.T @ differences
    scaled = penalty * (np.trace(normal, axis1=1, axis2=2) / np.trace(penalty))[:, None, None]
    root: Any = np.linalg.cholesky(normal + scaled)
    back = np.linalg.inv(root)
    values, vectors = np.linalg.eigh(back @ scaled @ back.transpose(0, 2, 1))
    values[:, :ORDER] = 0.0  # polynomials cost nothing; rounding would let them cost
    return _Turned(vectors=back.transpose(0, 2, 1) @ vectors, values=np.clip(values, 0.0, 1.0))
