"""Monte Carlo against the linear budget and closed forms; tolerances follow from the number of trials."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from analysis.core import UncertaintyError
from analysis.uncertainty import Quantity, compare, correlated, distributions, propagate, require_agreement, sample

N = 40_000


def q(value=1.0, u=0.1, units="1", **kept):
    return Quantity(value=value, u=u, units=units, **kept)


@given(st.lists(st.floats(-3, 3).filter(lambda c: abs(c) > 0.1), min_size=2, max_size=4), st.floats(-0.9, 0.9))
@settings(max_examples=15)
def test_a_linear_model_has_the_same_u_and_interval_by_both_routes(slopes, r):
    inputs = {f"x{i}": q(float(i), 0.1 * (i + 1)) for i in range(len(slopes))}
    text = " + ".join(f"({c!r})*x{i}" for i, c in enumerate(slopes))
    budget = propagate(text, inputs, name="y", units="1", correlation={("x0", "x1"): r})
    drawn = sample(budget, trials=N, seed=7)
    assert drawn.value == pytest.approx(budget.value, abs=5 * budget.u / math.sqrt(N))
    assert drawn.u == pytest.approx(budget.u, rel=5 / math.sqrt(2 * N))
    slack = 5 * budget.u * math.sqrt(0.025 * 0.975 / N) / stats.norm.pdf(1.96)
    assert drawn.interval() == pytest.approx(budget.interval(), abs=slack)


def test_a_normal_source_with_few_degrees_of_freedom_is_drawn_from_t():
    budget = propagate("x", {"x": q(0, 1, dof=5)}, name="y", units="1")
    drawn = sample(budget, trials=N, seed=1)
    assert stats.kstest(drawn.draws, stats.t(5).cdf).pvalue > 1e-3
    assert budget.interval()[1] == pytest.approx(stats.t(5).ppf(0.975))


def test_sources_of_one_ensemble_are_jointly_t():
    x, y = correlated([0, 0], np.eye(2), units="1", dof=4, labels=["x", "y"])
    budget = propagate("0.6*x + 0.8*y", {"x": x, "y": y}, name="z", units="1")
    drawn = sample(budget, trials=N, seed=1)
    assert budget.dof == pytest.approx(4)
    assert stats.kstest(drawn.draws, stats.t(4).cdf).pvalue > 1e-3


def test_the_adaptive_procedure_stops_when_the_digits_are_stable():
    budget = propagate("a*b", {"a": q(2, 0.1), "b": q(3, 0.1)}, name="y", units="1")
    drawn = sample(budget, seed=1)
    assert drawn.stable
    assert drawn.trials >= 1_000_000
    assert drawn.tolerance == 0.005  # u is 0.36: half a unit of its second digit
    assert max(drawn.errors) < drawn.tolerance
    assert sample(budget, seed=1, trials=200).stable is False


def test_the_same_seed_gives_the_same_draws_and_another_seed_others():
    budget = propagate("a", {"a": q()}, name="y", units="1")
    one, two, other = (sample(budget, trials=1000, seed=seed).draws for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, two)
    assert (one != other).any()
    assert not one.flags.writeable


@pytest.mark.parametrize("trials", [100, 10_000, 10_001, 25_000])
def test_as_many_draws_come_as_were_asked_for(trials):
    budget = propagate("a", {"a": q()}, name="y", units="1")
    assert sample(budget, trials=trials, seed=1).trials == trials


def test_a_function_that_takes_no_arrays_is_drawn_one_by_one():
    def model(a):
        return math.exp(a) if a > 0 else 1.0 + a

    inputs = {"a": q(1.0, 0.1)}
    one = sample(propagate(model, inputs, name="y", units="1"), trials=2000, seed=1)
    two = sample(propagate("exp(a)", inputs, name="y", units="1"), trials=2000, seed=1)
    np.testing.assert_allclose(one.draws, two.draws)


def test_the_shortest_interval_of_an_exponential_starts_at_0():
    values = -np.log1p(-(np.arange(20_000) + 0.5) / 20_000)
    budget = propagate("x", {"x": q(1, 1, distribution=distributions.samples(values))}, name="y", units="1")
    drawn = sample(budget, trials=N, seed=1)
    low, high = drawn.interval(0.9, kind="shortest")
    assert low == pytest.approx(0, abs=0.01)
    assert high == pytest.approx(-math.log(0.1), abs=0.06)
    assert drawn.interval(0.9)[0] == pytest.approx(-math.log(0.95), abs=0.01)


def test_agreement_is_confirmed_or_refused_in_a_plain_sentence():
    straight = propagate("a + b", {"a": q(2, 0.1), "b": q(3, 0.1)}, name="sum", units="1")
    found = require_agreement(straight, sample(straight, seed=1))
    assert found.valid
    assert "agree" in found.sentence
    curved = propagate("a**2", {"a": q(0.05, 0.1)}, name="square", units="1")
    with pytest.raises(UncertaintyError, match="linear propagation is not valid for this result"):
        require_agreement(curved, sample(curved, trials=N, seed=1))


def test_too_few_draws_decide_nothing():
    budget = propagate("a", {"a": q()}, name="y", units="1")
    with pytest.raises(UncertaintyError, match="200 trials leave the ends uncertain"):
        compare(budget, sample(budget, trials=200, seed=1), digits=3)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda b: sample(b, seed=1, trials=10), "trials must be at least 100, got 10"),
        (lambda b: sample(b, seed=1, digits=0), r"digits must lie in \[1, 4\], got 0"),
        (lambda b: sample(b, seed=1, trials=100).interval(0.999), "100 draws are too few"),
        (lambda b: sample(b, seed=1, trials=100).interval(kind="long"), "'symmetric' or 'shortest', got 'long'"),
        (lambda b: compare(replace(b, name="z"), sample(b, seed=1, trials=100)), "sample this one"),
    ],
)
def test_settings_out_of_range_are_refused(make, message):
    with pytest.raises(UncertaintyError, match=message):
        make(propagate("a", {"a": q()}, name="y", units="1"))


def test_draws_outside_the_domain_are_refused():
    budget = propagate("log(a)", {"a": q(0.2, 0.1)}, name="y", units="1")
    with pytest.raises(UncertaintyError, match=r"draws lie outside the domain of log\(a\)"):
        sample(budget, trials=10_000, seed=1)


def test_a_sample_prints_its_digits():
    budget = propagate("a", {"a": q(2, 0.15, "nm")}, name="y", units="nm")
    shown = "y = 2.00 ± 0.15 nm (k = 1), 95 %: 1.71 to 2.29 nm, 200000 trials"
    assert str(sample(budget, trials=200_000, seed=1)) == shown
