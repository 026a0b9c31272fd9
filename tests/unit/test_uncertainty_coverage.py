"""95 % intervals hold the truth as often as they say: exact binomial bounds at p = 1e-6, all sources redrawn."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.uncertainty import Quantity, propagate, sample
from tests import coverages

TRIALS = 300


@pytest.mark.parametrize("estimator", coverages.ESTIMATORS, ids=lambda each: each.__name__)
def test_intervals_hold_the_truth(estimator):
    rng = np.random.default_rng(11)
    low, high = coverages.bounds(TRIALS)
    assert low <= sum(bool(estimator(rng)) for _ in range(TRIALS)) <= high


@settings(max_examples=15, deadline=None)
@given(
    x=st.floats(1, 10),
    y=st.floats(1, 10),
    u=st.floats(1e-4, 1e-3),
    r=st.floats(-0.9, 0.9),
    formula=st.sampled_from(["x*y", "x/y", "sqrt(x) + log(y)", "x**2 - y"]),
)
def test_linear_propagation_agrees_with_draws_within_their_noise(x, y, u, r, formula):
    # Relative standard error of a standard deviation of n normal draws: 1/sqrt(2 n); of their mean: u/sqrt(n).
    trials = 20_000
    inputs = {"x": Quantity(value=x, u=u, units="1"), "y": Quantity(value=y, u=2 * u, units="1")}
    budget = propagate(formula, inputs, name="z", units="1", correlation={("x", "y"): r})
    drawn = sample(budget, trials=trials, seed=1)
    # The second order adds at most about (u/x)² = 1e-6 of the value, and of u a share of 4 u/x.
    assert drawn.u == pytest.approx(budget.u, rel=5 / math.sqrt(2 * trials) + 0.01)
    assert drawn.value == pytest.approx(budget.value, abs=5 * budget.u / math.sqrt(trials) + 4e-6 * max(x, y) ** 2)
