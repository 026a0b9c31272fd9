"""Constants of control charts and range estimates, computed: d2, d3, c4 of normal samples and what follows from them.

Not here: charts (`analysis.quality.charts`). References: Tippett, Biometrika 17 (1925) 364, for the range; Patnaik,
Biometrika 37 (1950) 78, for its degrees of freedom; NIST/SEMATECH e-Handbook of Statistical Methods, 6.3.2.
"""

import functools
import math

import numpy as np
from numpy.polynomial import legendre
from scipy import special

from analysis.core import UncertaintyError

LARGEST = 1000
_REACH, _NODES = 9.0, 200


def d2(size: int) -> float:
    """Return the mean range of a normal sample, in standard deviations.

    Parameters
    ----------
    size:
        Of the sample, from 2 to 1000.

    Returns
    -------
    :
        1.128 for 2.

    Raises
    ------
    UncertaintyError
        If `size` is out of range.
    """
    return _moments(_checked(size))[0]


def d3(size: int) -> float:
    """Return the standard deviation of the range of a normal sample, in standard deviations.

    Parameters
    ----------
    size:
        Of the sample, from 2 to 1000.

    Returns
    -------
    :
        0.853 for 2.

    Raises
    ------
    UncertaintyError
        If `size` is out of range.
    """
    return _moments(_checked(size))[1]


def c4(size: int) -> float:
    """Return the mean standard deviation of a normal sample, in standard deviations.

    Parameters
    ----------
    size:
        Of the sample, from 2 on.

    Returns
    -------
    :
        0.798 for 2.

    Raises
    ------
    UncertaintyError
        If `size` is below 2.
    """
    if size < 2:  # noqa: PLR2004 - a standard deviation
        msg = f"a sample needs at least 2 values to scatter, got {size}"
        raise UncertaintyError(msg)
    return math.sqrt(2 / (size - 1)) * math.exp(float(special.gammaln(size / 2) - special.gammaln((size - 1) / 2)))


def d2_star(size: int, samples: int) -> float:
    """Return the divisor that turns the mean of some ranges into a standard deviation of right mean square.

    Parameters
    ----------
    size:
        Of each sample.
    samples:
        How many ranges the mean is of.

    Returns
    -------
    :
        1.414 for one range of two; d2 for many.
    """
    return math.hypot(d2(size), d3(size) / math.sqrt(samples))


def range_dof(size: int, samples: int) -> float:
    """Return the degrees of freedom of a standard deviation from ranges, by Patnaik's approximation.

    Parameters
    ----------
    size:
        Of each sample.
    samples:
        How many ranges the mean is of.

    Returns
    -------
    :
        Degrees of freedom, not whole.
    """
    relative = (d3(size) / d2(size)) ** 2 / samples
    return 1.0 / (2.0 * math.sqrt(1.0 + 2.0 * relative) - 2.0)


def _checked(size: int) -> int:
    if not 2 <= size <= LARGEST:  # noqa: PLR2004 - a range
        msg = f"the range of a sample is known for sizes from 2 to {LARGEST}, got {size}; use standard deviations"
        raise UncertaintyError(msg)
    return int(size)


@functools.cache
def _moments(size: int) -> tuple[float, float]:
    """Integrate the joint law of least and greatest value."""
    nodes, weights = legendre.leggauss(_NODES)
    x, w = _REACH * nodes, _REACH * weights
    inside = np.asarray(special.ndtr(x))
    mean = float(w @ (1.0 - inside**size - (1.0 - inside) ** size))
    below = -_REACH + (x[:, None] + _REACH) * (nodes[None, :] + 1.0) / 2.0
    lower, upper = np.asarray(special.ndtr(below)), inside[:, None]
    within = 1.0 - upper**size - (1.0 - lower) ** size + (upper - lower) ** size
    second = 2.0 * float(w @ (within @ weights * (x + _REACH) / 2.0))
    return mean, math.sqrt(second - mean**2)
