"""Laboratories that differ by more than they state: excess variance between them, and the largest subset that agrees.

Not here: what is made of it (`analysis.quality.interlaboratory`). References: DerSimonian and Laird, Control. Clin.
Trials 7 (1986) 177; Mandel and Paule, Anal. Chem. 42 (1970) 1194; Viechtbauer, Stat. Med. 26 (2007) 37, for the
interval; Cox, Metrologia 44 (2007) 187, for the largest consistent subset.
"""

import itertools
import math

import numpy as np
import numpy.typing as npt
from scipy import optimize, special

from analysis.core import UncertaintyError

Floats = npt.NDArray[np.float64]
DOUBT = 0.05
_MOST = 50_000


def weights_of(covariance: Floats) -> Floats:
    """Return the weights of the mean of least variance.

    Parameters
    ----------
    covariance:
        Of the results, shape `(n, n)`, positive definite.

    Returns
    -------
    :
        Shape `(n,)`, summing to 1.
    """
    columns = np.linalg.solve(covariance, np.ones(covariance.shape[0]))
    return np.asarray(columns / columns.sum())


def chi_square(values: Floats, covariance: Floats, *, excess: float = 0.0) -> float:
    """Return the weighted sum of squares about the weighted mean.

    Parameters
    ----------
    values, covariance:
        Results of the laboratories, shapes `(n,)` and `(n, n)`.
    excess:
        Variance that each laboratory has besides.

    Returns
    -------
    :
        Chi-square for n - 1 degrees of freedom.
    """
    whole = covariance + excess * np.eye(values.size)
    apart = values - weights_of(whole) @ values
    return float(apart @ np.linalg.solve(whole, apart))


def dersimonian_laird(values: Floats, covariance: Floats) -> float:
    """Return the excess variance between laboratories by the method of moments, 0 where it would be negative.

    Parameters
    ----------
    values, covariance:
        As in `chi_square`.

    Returns
    -------
    :
        Variance, in the squared units of the values.
    """
    inverse = np.linalg.inv(covariance)
    column = inverse.sum(axis=0)
    expected = float(np.trace(inverse) - column @ column / column.sum())
    return max(0.0, (chi_square(values, covariance) - (values.size - 1)) / expected)


def mandel_paule(values: Floats, covariance: Floats) -> float:
    """Return the excess variance that makes chi-square equal to its degrees of freedom, 0 where it is below them.

    Parameters
    ----------
    values, covariance:
        As in `chi_square`.

    Returns
    -------
    :
        Variance, in the squared units of the values.
    """
    return _excess_for(float(values.size - 1), values, covariance)


def excess_interval(values: Floats, covariance: Floats, *, level: float) -> tuple[float, float]:
    """Return the interval of the excess standard deviation between laboratories by profiling chi-square.

    Parameters
    ----------
    values, covariance:
        As in `chi_square`.
    level:
        Coverage probability, in (0, 1).

    Returns
    -------
    :
        Lower and upper end, in the units of the values.
    """
    dof = values.size - 1
    ends = [float(special.chdtri(dof, tail)) for tail in (0.5 * (1 - level), 0.5 * (1 + level))]
    low, high = (math.sqrt(_excess_for(end, values, covariance)) for end in ends)
    return low, high


def consistent_subset(values: Floats, covariance: Floats) -> tuple[tuple[int, ...], bool]:
    """Return the largest subset whose members agree: its chi-square has a probability of at least 5 %.

    Parameters
    ----------
    values, covariance:
        As in `chi_square`.

    Returns
    -------
    :
        Members, of the subset of least chi-square among those of that size; and whether every subset was tried. Where
        there are too many, the member furthest out is left out again and again instead.

    Raises
    ------
    UncertaintyError
        If no two members agree.
    """
    count, left = values.size, list(range(values.size))
    for size in range(count, 1, -1):
        thorough = math.comb(count, size) <= _MOST
        chosen = np.array(list(itertools.combinations(range(count), size)) if thorough else [left])
        sums = _chi_squares(values[chosen], covariance[chosen[:, :, None], chosen[:, None, :]])
        best = int(sums.argmin())
        if special.chdtrc(size - 1, sums[best]) >= DOUBT:
            tried = all(math.comb(count, each) <= _MOST for each in range(size, count + 1))
            return tuple(int(each) for each in chosen[best]), tried
        left.remove(_furthest(values, covariance, left))
    msg = f"no two of the {count} laboratories agree within what they state; use mandel_paule or algorithm_a"
    raise UncertaintyError(msg)


def _chi_squares(values: Floats, covariances: Floats) -> Floats:
    inverse = np.linalg.inv(covariances)
    weights = inverse.sum(axis=1)
    means = (weights * values).sum(axis=1) / weights.sum(axis=1)
    apart = values - means[:, None]
    return np.asarray(np.einsum("si,sij,sj->s", apart, inverse, apart))


def _furthest(values: Floats, covariance: Floats, members: list[int]) -> int:
    part = covariance[np.ix_(members, members)]
    weights = weights_of(part)
    apart = values[members] - weights @ values[members]
    variance = np.diag(part) - 2 * part @ weights + weights @ part @ weights
    return members[int(np.argmax(np.abs(apart) / np.sqrt(np.maximum(variance, np.finfo(float).tiny))))]


def _excess_for(wanted: float, values: Floats, covariance: Floats) -> float:
    if chi_square(values, covariance) <= wanted:
        return 0.0
    high = float(np.ptp(values)) ** 2
    while chi_square(values, covariance, excess=high) > wanted:
        high *= 4.0
    return float(
        optimize.brentq(lambda v: chi_square(values, covariance, excess=v) - wanted, 0.0, high, xtol=1e-15 * high)
    )
