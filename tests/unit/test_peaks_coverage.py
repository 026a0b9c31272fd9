"""Intervals from a fit of few counts hold the truth as often as they say; with √y weights they do not."""

import pytest
from scipy import stats

from tests import measuring

COUNT = 2000
NOMINAL = 2 * stats.norm.cdf(1.0) - 1
"""Of an interval of ± one standard error, 0.683."""
P = 1e-6
LEAST, MOST = stats.binom.ppf(P / 2, COUNT, NOMINAL), stats.binom.isf(P / 2, COUNT, NOMINAL)
"""Exact binomial bounds on how many of the intervals hold the truth."""


@pytest.mark.parametrize("case", ["a", "b"])
def test_a_poisson_fit_of_few_counts_states_intervals_that_hold_the_truth(case):
    found = measuring.coverage_of(case, count=COUNT, loss="poisson", seed=23)
    outside = {name: share for name, share in found.items() if not LEAST <= share * COUNT <= MOST}
    assert outside == {}


def test_weights_from_few_counts_state_intervals_of_the_background_that_miss_it():
    found = measuring.coverage_of("a", count=500, loss="least_squares", seed=23)
    assert found["c"] < 0.1
