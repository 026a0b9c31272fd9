"""Robust mean and standard deviation of the results of laboratories: Algorithm A, and the Q method with Hampel's mean.

Not here: scores and degrees of equivalence (`analysis.quality.interlaboratory`). References: ISO 13528:2022, annex C,
its formulas as restated in public implementations (the text of the standard was not seen); Huber, Robust Statistics
(1981); Uhlig, Accred. Qual. Assur. 20 (2015), for the Q method.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from analysis.core import Displayed, UncertaintyError

Floats = npt.NDArray[np.float64]
_MAD, _WINSOR, _LIMIT = 1.483, 1.134, 1.5
_KNOTS = (1.5, 3.0, 4.5)
_STEPS = 1000


@dataclass(frozen=True, kw_only=True)
class Robust(Displayed):
    """A robust mean and standard deviation."""

    mean: float
    """Robust mean, in the units of the values."""
    sd: float
    """Robust standard deviation of one value, in these units."""
    count: int
    """How many values."""

    @property
    def u(self) -> float:
        """Standard uncertainty of the mean, 1.25 sd over the root of the count (ISO 13528:2022, 7.7)."""
        return 1.25 * self.sd / math.sqrt(self.count)

    def __str__(self) -> str:
        """Write mean, standard deviation and count."""
        return f"robust mean {self.mean:.6g}, robust standard deviation {self.sd:.3g} of {self.count} values"


def algorithm_a(values: npt.ArrayLike) -> Robust:
    """Estimate mean and standard deviation by winsorising at 1.5 standard deviations until nothing changes.

    Parameters
    ----------
    values:
        At least 3, shape `(n,)`.

    Returns
    -------
    :
        Mean and standard deviation; up to about a quarter of outliers is borne.

    Raises
    ------
    UncertaintyError
        If there are fewer than 3, one is not finite, or more than half are equal, which leaves no scale to start from.
    """
    x = require_values(values)
    mean = float(np.median(x))
    sd = _MAD * float(np.median(np.abs(x - mean)))
    if sd == 0:
        msg = f"at least half of the {x.size} values are {mean:g}, so Algorithm A has no scale; use q_hampel"
        raise UncertaintyError(msg)
    for _ in range(_STEPS):
        held = np.clip(x, mean - _LIMIT * sd, mean + _LIMIT * sd)
        before, mean, sd = (mean, sd), float(held.mean()), _WINSOR * float(held.std(ddof=1))
        if max(abs(before[0] - mean), abs(before[1] - sd)) <= 1e-12 * sd:
            break
    return Robust(mean=mean, sd=sd, count=x.size)


def q_hampel(values: npt.ArrayLike) -> Robust:
    """Estimate the standard deviation by the Q method and with it the mean by Hampel's estimator.

    Parameters
    ----------
    values:
        At least 3, shape `(n,)`, one of each laboratory.

    Returns
    -------
    :
        Mean and standard deviation; values beyond 4.5 standard deviations have no influence.

    Raises
    ------
    UncertaintyError
        If there are fewer than 3, one is not finite, or nearly all are equal.
    """
    x = require_values(values)
    sd = _q_scale(x)
    return Robust(mean=_hampel_mean(x, sd), sd=sd, count=x.size)


def require_values(values: npt.ArrayLike, *, least: int = 3) -> Floats:
    """Return values as an array after their check.

    Parameters
    ----------
    values:
        Shape `(n,)`.
    least:
        How many there must be.

    Returns
    -------
    :
        Float array.

    Raises
    ------
    UncertaintyError
        If they are not numbers, not one-dimensional, too few, or not finite.
    """
    try:
        x = np.asarray(values, dtype=float)
    except (TypeError, ValueError) as error:
        msg = f"values must be numbers, got {values!r:.80}; remove words and units first"
        raise UncertaintyError(msg) from error
    if x.ndim != 1 or x.size < least or not np.isfinite(x).all():
        msg = (
            f"wanted at least {least} finite values of shape (n,), got shape {x.shape} with "
            f"{int((~np.isfinite(x)).sum())} not finite; remove those and say so"
        )
        raise UncertaintyError(msg)
    return x


def _q_scale(x: Floats) -> float:
    i, j = np.triu_indices(x.size, 1)
    points, counts = np.unique(np.abs(x[i] - x[j]), return_counts=True)
    below = np.cumsum(counts) / i.size
    equal = float(below[0]) if points[0] == 0 else 0.0
    steps = 0.5 * (below + np.concatenate([[0.0], below[:-1]]))
    if points[0] == 0:
        steps[0] = 0.0
    else:
        points, steps = np.concatenate([[0.0], points]), np.concatenate([[0.0], steps])
    wanted = 0.25 + 0.75 * equal
    if points.size < 2 or wanted > steps[-1]:  # noqa: PLR2004 - a difference
        msg = f"nearly all of the {x.size} values are equal, which leaves no scale; wanted values that differ"
        raise UncertaintyError(msg)
    return float(np.interp(wanted, steps, points)) / (math.sqrt(2) * float(special.ndtri(0.625 + 0.375 * equal)))


def _hampel_mean(x: Floats, sd: float) -> float:
    """Return the root of Hampel's equation next to the median; the equation is straight between its knots."""
    knots = np.unique(np.concatenate([x + side * knot * sd for knot in _KNOTS for side in (-1.0, 1.0)]))
    heights = _psi((x[None, :] - knots[:, None]) / sd).sum(axis=1)
    rising = heights[:-1] * heights[1:] < 0
    slopes = np.diff(heights)[rising] / np.diff(knots)[rising]
    roots = np.concatenate([knots[heights == 0], knots[:-1][rising] - heights[:-1][rising] / slopes])
    middle = float(np.median(x))
    if not roots.size:
        return middle
    apart = np.abs(roots - middle)
    nearest = np.unique(roots[apart <= apart.min() * (1 + 1e-12)])
    return float(nearest[0]) if nearest.size == 1 else middle


def _psi(q: Floats) -> Floats:
    a, b, c = _KNOTS
    size = np.abs(q)
    return np.asarray(np.sign(q) * np.where(size <= a, size, np.where(size <= b, a, np.clip(c - size, 0.0, None))))
