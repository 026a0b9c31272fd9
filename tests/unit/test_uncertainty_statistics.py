"""Type A of autocorrelated readings, weighted means, what-if, and conformity with a tolerance."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from analysis.core import UncertaintyError, UnitsError
from analysis.uncertainty import (
    Quantity,
    checked,
    combine,
    conformity,
    correlated,
    distributions,
    global_risks,
    guard_factor,
    propagate,
    required_u,
    sample,
    type_a,
    type_a_series,
    what_if,
)
from tests.coverages import autoregressive


def test_readings_taken_as_independent_do_not_cover_where_they_are_correlated():
    rng = np.random.default_rng(5)
    runs = [type_a(autoregressive(rng, 200, 0.5), units="V") for _ in range(400)]
    assert np.mean([abs(each.value) > each.U() for each in runs]) > 0.15


def test_a_series_has_the_sources_and_dof_of_its_cosine_terms():
    readings = np.random.default_rng(1).normal(10, 1, 100)
    found = type_a_series(readings, units="V", terms=4, label="x")
    t = (np.arange(100) + 0.5) / 100
    power = [(2 / 100) * (readings @ np.cos(np.pi * j * t)) ** 2 for j in (1, 2, 3, 4)]
    assert found.u == pytest.approx(math.sqrt(np.mean(power) / 100), rel=1e-10)
    assert found.dof == 4
    assert type_a_series(readings, units="V").dof == round(0.41 * 100 ** (2 / 3))


def test_a_series_that_is_too_short_or_terms_out_of_range_are_refused():
    with pytest.raises(UncertaintyError, match="take at least 10"):
        type_a_series([1.0, 2.0, 3.0], units="V")
    with pytest.raises(UncertaintyError, match=r"terms must lie in \[1, 19\]"):
        type_a_series(np.arange(20.0), units="V", terms=20)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_weighted_mean_has_least_variance_and_its_full_covariance(seed):
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(4, 4))
    covariance = root @ root.T + 0.1 * np.eye(4)
    members = correlated(rng.normal(size=4), covariance, units="V", labels=list("abcd"))
    found = combine(members)
    inverse = np.linalg.inv(covariance)
    assert found.quantity.u == pytest.approx(1 / math.sqrt(inverse.sum()), rel=1e-6)
    np.testing.assert_allclose(found.weights, inverse.sum(axis=0) / inverse.sum(), rtol=1e-5, atol=1e-7)
    # A member shares with the mean what the mean has: cov(x_i, mean) = u(mean)² for every member.
    for each in members:
        assert each.covariance(found.quantity) == pytest.approx(found.quantity.u**2, rel=1e-6, abs=1e-9)


def test_a_weighted_mean_converts_units_and_says_what_disagrees():
    first, second = Quantity(value=1.0, u=0.01, units="V"), Quantity(value=1100, u=10, units="mV")
    found = combine([first, second])
    assert found.quantity.value == pytest.approx(1.05)
    assert found.chisqr == pytest.approx(50)
    assert found.quantity.u == pytest.approx(0.01 / math.sqrt(2))
    assert not found.consistent
    assert "was not enlarged" in found.notes[0]
    larger = combine([first, second], inflate=True)
    assert larger.inflated
    assert larger.quantity.u == pytest.approx(math.sqrt(50) * 0.01 / math.sqrt(2))
    assert "enlarged by the Birge ratio" in larger.notes[-1]
    assert larger.quantity.dof < 1.1


def test_estimated_weights_widen_the_weighted_mean_and_few_degrees_of_freedom_are_said():
    known = [Quantity(value=1, u=0.1, units="V") for _ in range(3)]
    many, few = (combine([Quantity(value=1, u=0.1, units="V", dof=dof) for _ in range(3)]) for dof in (1e6, 4))
    assert many.quantity.u == pytest.approx(combine(known).quantity.u, rel=1e-5)
    # Meier's term with three degrees of freedom less: 1 + 4 (3 · 1/3 · 2/3)/(4 - 3).
    assert few.quantity.u == pytest.approx(combine(known).quantity.u * math.sqrt(1 + 8 / 3), rel=1e-9)
    assert few.quantity.dof == pytest.approx(12)
    assert "as few as 4 degrees of freedom" in few.notes[0]


def test_a_shared_source_does_not_average_out():
    standard = Quantity(value=0, u=0.1, units="V", label="standard")
    members = [Quantity(value=1, u=0.2, units="V") + standard for _ in range(4)]
    assert combine(members).quantity.u == pytest.approx(math.hypot(0.1, 0.2 / 2))


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ([Quantity(value=1, u=1, units="V")], "at least 2 quantities"),
        ([Quantity(value=1, u=1, units="V"), Quantity(value=1, u=0, units="V", label="x")], r"\['x'\] have not"),
        ([Quantity(value=1, u=1, units="V")] * 2, "follow from each other exactly"),
    ],
)
def test_weighted_means_that_make_no_sense_are_refused(members, message):
    with pytest.raises(UncertaintyError, match=message):
        combine(members)


def test_a_weighted_mean_of_different_dimensions_is_refused():
    with pytest.raises(UnitsError):
        combine([Quantity(value=1, u=1, units="V"), Quantity(value=1, u=1, units="A")])


@pytest.fixture
def power():
    inputs = {
        "V": Quantity(value=10, u=0.1, units="V", dof=8),
        "R": Quantity(value=5, u=0.02, units="ohm", distribution=distributions.rectangular()),
        "k": Quantity(value=1, u=0, units="1"),
    }
    return propagate("k*V**2/R", inputs, name="P", units="W")


def test_what_if_gives_the_budget_of_the_changed_input(power):
    found = what_if(power, {"V": 0.01})
    again = propagate(
        "k*V**2/R", {**power.inputs, "V": Quantity(value=10, u=0.01, units="V", dof=8)}, name="P", units="W"
    )
    assert found.u == pytest.approx(again.u, rel=1e-12)
    assert found.dof == pytest.approx(again.dof)
    assert "a supposition" in found.notes[0]
    assert found.inputs["R"] is power.inputs["R"]
    assert what_if(power, {"V": 0.0, "R": 0.0}).u == 0


@settings(max_examples=30, deadline=None)
@given(factor=st.floats(0.3, 3), level=st.sampled_from([None, 0.95, 0.99]))
def test_the_required_u_meets_the_target(factor, level):
    inputs = {
        "a": Quantity(value=1, u=1, units="V", dof=5),
        "b": Quantity(value=1, u=0.2, units="V", dof=20),
    }
    budget = propagate("a + b", inputs, name="y", units="V")
    target = factor * (budget.u if level is None else budget.U(level))
    u = required_u(budget, "a", target=target, level=level)
    for step, meets in ((1 - 1e-9, True), (1 + 1e-9, False)):
        found = what_if(budget, {"a": u * step})
        assert ((found.u if level is None else found.U(level)) <= target) is meets


def test_an_input_that_cannot_bring_the_target_is_said_so(power):
    with pytest.raises(UncertaintyError, match="even an exact R leaves"):
        required_u(power, "R", target=0.01)
    with pytest.raises(UncertaintyError, match="'k' is exact"):
        required_u(power, "k", target=1.0)
    with pytest.raises(UncertaintyError, match="no input named 'W'"):
        what_if(power, {"W": 1.0})
    with pytest.raises(UncertaintyError, match="finite and not negative, got -1"):
        what_if(power, {"V": -1.0})
    with pytest.raises(UncertaintyError, match="target must be above 0"):
        required_u(power, "V", target=0.0)


def test_inputs_that_share_a_source_are_not_improved_alone():
    common = Quantity(value=0, u=1, units="V", label="common")
    budget = propagate("a + b", {"a": common, "b": common * 2}, name="y", units="V")
    with pytest.raises(UncertaintyError, match=r"share \['common'\]"):
        what_if(budget, {"a": 0.1})


def test_the_probability_of_conformity_is_that_of_the_draws(power):
    limits = {"lower": 19.5, "upper": 20.5}
    by_draws = conformity(sample(power, trials=200_000, seed=1), **limits).probability
    assert conformity(power, **limits).probability == pytest.approx(by_draws, abs=0.01)


def test_a_guard_band_of_u_keeps_the_risk_below_two_and_a_half_percent():
    at = Quantity(value=10 - 1.959963985 * 0.1, u=0.1, units="V")
    found = conformity(at, upper=10, guard=1.0 - 1e-9)
    assert found.accepted
    assert found.consumer_risk == pytest.approx(0.025, rel=1e-6)
    assert math.isnan(found.producer_risk)
    assert math.isnan(found.tur)
    assert not conformity(at, upper=10, guard=1.1).accepted
    assert conformity(at, upper=10, guard=1.1).producer_risk == pytest.approx(0.975, rel=1e-6)


@pytest.mark.parametrize("dof", [4, math.inf])
def test_the_guard_factor_gives_the_risk_that_was_asked_for(dof):
    u, r = 0.1, guard_factor(0.05, dof=dof)
    k = stats.t.ppf(0.975, dof) if math.isfinite(dof) else stats.norm.ppf(0.975)
    found = conformity(Quantity(value=10 - r * k * u, u=u, units="V", dof=dof), upper=10, guard=r * (1 - 1e-9))
    assert found.accepted
    assert found.consumer_risk == pytest.approx(0.05, rel=1e-6)


def test_a_prior_moves_the_probability_as_bayes_says():
    # Posterior of two normal states of knowledge, by numerical integration.
    item = np.linspace(-5, 5, 200_001)
    density = stats.norm.pdf(item, 0, 1) * stats.norm.pdf(1.2, item, 0.5)
    exact = density[(item >= -1) & (item <= 1)].sum() / density.sum()
    prior = Quantity(value=0, u=1000, units="mV")
    found = conformity(Quantity(value=1.2, u=0.5, units="V"), lower=-1, upper=1, prior=prior)
    assert found.probability == pytest.approx(exact, abs=4e-5)


@pytest.mark.parametrize(("guard_band", "limits"), [(0.0, (-1.5, 2)), (0.2, (-1.5, 2)), (-0.1, (None, 1))])
def test_global_risks_are_those_of_a_simulation(guard_band, limits):
    rng, n = np.random.default_rng(1), 1_000_000
    items = rng.normal(0.3, 1, n)
    read = items + rng.normal(0, 0.4, n)
    low, high = -math.inf if limits[0] is None else limits[0], limits[1]
    conforms = (items >= low) & (items <= high)
    passed = (read >= low + guard_band) & (read <= high - guard_band)
    prior = Quantity(value=0.3, u=1, units="V")
    found = global_risks(0.4, prior=prior, lower=limits[0], upper=limits[1], guard_band=guard_band)
    for ours, drawn in ((found.pfa, ~conforms & passed), (found.pfr, conforms & ~passed), (found.conforming, conforms)):
        assert ours == pytest.approx(drawn.mean(), abs=5 * math.sqrt(ours * (1 - ours) / n))


def test_conformity_refuses_what_leaves_nothing_to_decide():
    result = Quantity(value=1, u=0.1, units="V")
    with pytest.raises(UncertaintyError, match="needs a lower or an upper limit"):
        conformity(result)
    with pytest.raises(UncertaintyError, match="the lower one below; got 2 and 1"):
        conformity(result, lower=2, upper=1)
    with pytest.raises(UncertaintyError, match="leave nothing between"):
        conformity(result, lower=0.9, upper=1.1, guard=1)
    with pytest.raises(UncertaintyError, match="exact result"):
        conformity(Quantity(value=1, u=0, units="V"), upper=2)
    with pytest.raises(UncertaintyError, match="a Quantity, a Budget or a Sample, got a float"):
        conformity(1.0, upper=2)
    with pytest.raises(UnitsError):
        conformity(result, upper=2, prior=Quantity(value=1, u=1, units="A"))
    with pytest.raises(UncertaintyError, match="wanted u and the prior's u above 0"):
        global_risks(0.0, prior=result, upper=2)
    with pytest.raises(UncertaintyError, match="risk and level must lie"):
        guard_factor(0.0)


def test_a_checked_budget_carries_the_verdict_beside_it():
    curved = propagate("x**2", {"x": Quantity(value=1, u=0.3, units="1")}, name="y", units="1")
    found = checked(curved, seed=1)
    assert "linear propagation is not valid for this result" in found.notes[0]
    assert found.notes[1:] == curved.notes
    assert "not valid for this result" in found._repr_html_()
    straight = propagate("2*x", {"x": Quantity(value=1, u=0.3, units="1")}, name="y", units="1")
    assert "agree" in checked(straight, seed=1).notes[0]
