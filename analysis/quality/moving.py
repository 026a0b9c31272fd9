"""Statistics that remember: exponentially weighted moving averages and cumulative sums.

Not here: charts (`analysis.quality.charts`). References: Roberts, Technometrics 1 (1959) 239; Page, Biometrika 41
(1954) 100; NIST/SEMATECH e-Handbook of Statistical Methods, 6.3.2.3 and 6.3.2.4.
"""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def moving_average(values: Floats, start: float, weight: float) -> Floats:
    """Return the exponentially weighted moving average after each value.

    Parameters
    ----------
    values:
        In order of time.
    start:
        Average before the first.
    weight:
        Of the newest value, in (0, 1].

    Returns
    -------
    :
        As many averages.
    """
    found, now = [], start
    for value in values.tolist():
        now = weight * value + (1.0 - weight) * now
        found.append(now)
    return np.array(found)


def moving_spread(count: int, weight: float, *, steady: bool = False) -> Floats:
    """Return the standard deviation of the moving average over that of one value.

    Parameters
    ----------
    count:
        How many values.
    weight:
        Of the newest value, in (0, 1].
    steady:
        Take the one after many values for all.

    Returns
    -------
    :
        After each value.
    """
    after = np.arange(1, count + 1)
    left = np.zeros(count) if steady else (1.0 - weight) ** (2 * after)
    return np.asarray(np.sqrt(weight / (2.0 - weight) * (1.0 - left)))


def cumulative_sums(values: Floats, centre: float, slack: float) -> tuple[Floats, Floats]:
    """Return the upper and the lower cumulative sum after each value.

    Parameters
    ----------
    values:
        In order of time.
    centre:
        What they should be.
    slack:
        What is taken off each step, half the shift to be found.

    Returns
    -------
    :
        Both, not below 0.
    """
    high = low = 0.0
    found = []
    for value in values.tolist():
        high = max(0.0, high + value - centre - slack)
        low = max(0.0, low + centre - value - slack)
        found.append((high, low))
    both = np.array(found).reshape(-1, 2)
    return both[:, 0], both[:, 1]
