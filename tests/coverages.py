"""Intervals of every estimator of `analysis.uncertainty` against a known truth, trial by trial.

Each entry of `ESTIMATORS` draws all its sources afresh and says whether the 95 % interval (or region) holds the truth.
The unit suite runs a few hundred trials with an exact binomial bound, `run.py bench -k coverage` 20 000.
"""

import math

import numpy as np
from scipy import stats

from analysis.uncertainty import (
    Quantity,
    anova,
    combine,
    propagate,
    regression,
    type_a,
    type_a_complex,
    type_a_jointly,
    type_a_series,
)

LEVEL = 0.95


def bounds(trials, p=1e-6):
    """Return the least and the greatest number of hits that 95 % leave possible."""
    return stats.binom.ppf(p / 2, trials, LEVEL), stats.binom.isf(p / 2, trials, LEVEL)


def holds(found, truth):
    return abs(found.value - truth) <= found.U(LEVEL)


def autoregressive(rng, n, r):
    """Return readings with variance 1 and correlation r from one to the next."""
    found = rng.normal(size=n)
    for i in range(1, n):
        found[i] = r * found[i - 1] + math.sqrt(1 - r * r) * found[i]
    return found


def one_series(rng):
    return holds(type_a(rng.normal(3, 2, 5), units="V"), 3)


def independent_readings_as_a_series(rng):
    return holds(type_a_series(rng.normal(3, 2, 30), units="V"), 3)


def correlated_readings_as_a_series(rng):
    return holds(type_a_series(3 + autoregressive(rng, 200, 0.5), units="V"), 3)


def two_series_and_a_certificate(rng):
    # Welch-Satterthwaite: 6 and 4 readings, and a normal Type B input whose stated value is drawn too.
    inputs = {
        "a": type_a(rng.normal(1, 1, 6), units="V"),
        "b": type_a(rng.normal(2, 0.8, 4), units="V"),
        "c": Quantity(value=rng.normal(5, 0.3), u=0.3, units="V"),
    }
    return holds(propagate("a + b + c", inputs, name="y", units="V"), 8)


def simultaneous_readings(rng):
    # Willink: three quantities read together, correlated, 5 times.
    root = np.array([[1, 0, 0], [0.8, 0.5, 0], [-0.5, 0.3, 0.6]])
    read = 1000 + root @ rng.normal(size=(3, 5))
    inputs = type_a_jointly(dict(zip("abc", read, strict=True)), units=dict.fromkeys("abc", "V"))
    return holds(propagate("a*b/c", inputs, name="y", units="V"), 1000)


def weighted_mean_of_estimated_weights(rng):
    return holds(combine([type_a(rng.normal(7, s, 8), units="V") for s in (1, 1, 2, 3, 0.5)]).quantity, 7)


def weighted_mean_with_a_shared_source(rng):
    common = Quantity(value=0, u=0.3, units="V") + rng.normal(0, 0.3) * Quantity(value=1, u=0, units="V")
    members = [Quantity(value=rng.normal(7, s), u=s, units="V") + common for s in (1, 0.2, 0.4)]
    return holds(combine(members).quantity, 7)


X = np.array([0.0, 1.0, 2.0, 4.0, 7.0, 9.0])


def slope_of_a_line(rng):
    return holds(regression(X, 2 + 3 * X + rng.normal(size=6)).parameters[1], 3)


def response_of_a_line(rng):
    return holds(regression(X, 2 + 3 * X + rng.normal(size=6)).predict(12.0), 38)


def response_of_a_weighted_line(rng):
    u = 0.1 + 0.1 * X
    return holds(regression(X, 2 + 3 * X + u * rng.normal(size=6), u=u).predict(3.0), 11)


def mean_of_groups(rng):
    return holds(anova(rng.normal(5, 1, (6, 1)) + rng.normal(0, 0.7, (6, 4)), units="V").mean, 5)


def complex_mean(rng):
    readings = (3 + rng.normal(size=6)) + 1j * (1 + 0.4 * rng.normal(size=6))
    return type_a_complex(readings, units="V").contains(3 + 1j)


def difference_of_complex_means(rng):
    first, second = (
        type_a_complex(s * (rng.normal(size=n) + 1j * rng.normal(size=n)), units="V") for s, n in ((1, 5), (0.6, 8))
    )
    return (first - second).contains(0j)


ESTIMATORS = [
    one_series,
    independent_readings_as_a_series,
    correlated_readings_as_a_series,
    two_series_and_a_certificate,
    simultaneous_readings,
    weighted_mean_of_estimated_weights,
    weighted_mean_with_a_shared_source,
    slope_of_a_line,
    response_of_a_line,
    response_of_a_weighted_line,
    mean_of_groups,
    complex_mean,
    difference_of_complex_means,
]
