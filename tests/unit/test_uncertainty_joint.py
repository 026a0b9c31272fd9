"""Several results drawn together, complex quantities, and the shift of the estimate at second order."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from analysis.core import UncertaintyError, UnitsError
from analysis.uncertainty import (
    ComplexQuantity,
    Quantity,
    correlated,
    from_draws,
    propagate,
    sample,
    sample_jointly,
    type_a_complex,
)

TRIALS = 100_000


@pytest.fixture
def plane():
    inputs = dict(zip("ab", correlated([1, 2], [[1, 0.6], [0.6, 4]], units="V", labels=["a", "b"]), strict=True))
    return propagate({"s": "a + b", "d": "a - b"}, inputs, name="plane", units={"s": "V", "d": "V"})


def test_results_drawn_together_have_the_covariance_of_their_budgets(plane):
    drawn = sample_jointly(plane, trials=TRIALS, seed=1)
    exact = np.array([[x.covariance(y) for y in plane.values()] for x in plane.values()])
    # Standard error of a covariance of n normal pairs: sqrt((s11 s22 + s12²)/n); five of them.
    error = np.sqrt((np.outer(np.diag(exact), np.diag(exact)) + exact**2) / TRIALS)
    assert (np.abs(drawn.covariance - exact) < 5 * error).all()
    assert drawn.correlation[0, 1] == pytest.approx(plane["s"].correlation(plane["d"]), abs=5 / math.sqrt(TRIALS))
    assert "r(s, d) = " in str(drawn)


def test_one_result_drawn_with_others_has_the_draws_it_has_alone(plane):
    joint = sample_jointly(plane, trials=1000, seed=3)
    np.testing.assert_array_equal(joint["s"].draws, sample(plane["s"], trials=1000, seed=3).draws)
    assert joint["s"].interval() == sample(plane["s"], trials=1000, seed=3).interval()


@pytest.mark.parametrize("level", [0.5, 0.95])
def test_normal_results_have_the_ellipse_of_chi_square(plane, level):
    drawn = sample_jointly(plane, trials=TRIALS, seed=1)
    region = drawn.region(level)
    k = math.sqrt(stats.chi2.ppf(level, 2))
    slope = stats.chi2.pdf(k**2, 2) * 2 * k
    assert region.k == pytest.approx(k, abs=5 * math.sqrt(level * (1 - level) / TRIALS) / slope)
    assert region.contains(drawn.draws).mean() == pytest.approx(level, abs=2 / TRIALS)
    outline = region.outline()
    middle = region.centre[:, None]
    assert region.contains(middle + 0.999 * (outline - middle)).all()
    assert not region.contains(middle + 1.001 * (outline - middle)).any()
    np.testing.assert_allclose(np.ptp(outline, axis=1) / 2, region.half_widths, rtol=1e-3)


def test_a_rectangle_holds_the_same_part_of_the_draws(plane):
    drawn = sample_jointly(plane, trials=TRIALS, seed=1)
    region = drawn.region(kind="rectangle")
    inside = (np.abs(drawn.draws - region.centre[:, None]) <= region.half_widths[:, None]).all(axis=0)
    assert inside.mean() == pytest.approx(0.95, abs=2 / TRIALS)
    assert region.outline().shape == (2, 5)


def test_jointly_t_inputs_are_drawn_jointly_t():
    # Readings with 5 degrees of freedom in common: squared distance over 2 is F(2, 5), not chi-square.
    inputs = dict(zip("ab", correlated([0, 0], np.eye(2), units="V", labels=["a", "b"], dof=5), strict=True))
    budgets = propagate({"a": "a", "b": "b"}, inputs, name="z", units={"a": "V", "b": "V"})
    draws = sample_jointly(budgets, trials=TRIALS, seed=2).draws
    inside = (draws**2).sum(axis=0) / 2 <= stats.f.ppf(0.95, 2, 5)
    assert inside.mean() == pytest.approx(0.95, abs=5 * math.sqrt(0.05 * 0.95 / TRIALS))


def test_the_adaptive_procedure_stops_when_all_figures_are_stable(plane):
    drawn = sample_jointly(plane, seed=1)
    assert drawn.stable
    assert drawn.trials == 1_000_000


def test_a_joint_sample_refuses_what_it_cannot_do(plane):
    with pytest.raises(UncertaintyError, match="at least 2 budgets"):
        sample_jointly({"s": plane["s"]}, seed=1)
    drawn = sample_jointly(plane, trials=1000, seed=1)
    with pytest.raises(UncertaintyError, match="no result named 'x'"):
        drawn["x"]
    with pytest.raises(UncertaintyError, match="level in"):
        drawn.region(1.5)
    with pytest.raises(UncertaintyError, match="do not fill a region"):
        sample_jointly({"s": plane["s"], "t": plane["s"]}, trials=1000, seed=1).region()


def complex_of(re, im, u, r):
    covariance = np.outer(u, u) * [[1, r], [r, 1]]
    a, b = correlated([re, im], covariance, units="1", labels=["re", "im"])
    return ComplexQuantity(real=a, imag=b)


@settings(max_examples=50, deadline=None)
@given(
    z=st.complex_numbers(min_magnitude=0.1, max_magnitude=100),
    w=st.complex_numbers(min_magnitude=0.1, max_magnitude=100),
    r=st.floats(-0.99, 0.99),
)
def test_complex_arithmetic_follows_the_derivative(z, w, r):
    # Oracle: for an analytic function f the covariance turns with the 2 x 2 matrix of f'(z).
    first, second = complex_of(z.real, z.imag, [0.01, 0.02], r), complex_of(w.real, w.imag, [0.03, 0.01], -r)
    cases = [
        (first * second, z * w, w, z),
        (first / second, z / w, 1 / w, -z / w**2),
        (first - second, z - w, 1, -1),
        (1 / first, 1 / z, -1 / z**2, 0),
        (2j - first, 2j - z, -1, 0),
    ]
    for found, value, by_first, by_second in cases:
        turned = sum(turn(d) @ each.covariance @ turn(d).T for d, each in ((by_first, first), (by_second, second)))
        assert found.value == pytest.approx(value, rel=1e-9)
        np.testing.assert_allclose(found.covariance, turned, rtol=1e-7, atol=1e-12 * np.trace(turned))


def turn(derivative):
    d = complex(derivative)
    return np.array([[d.real, -d.imag], [d.imag, d.real]])


def test_a_complex_quantity_minus_itself_is_zero_without_uncertainty():
    z = type_a_complex([1 + 1j, 1.1 + 0.9j, 0.9 + 1.2j], units="V")
    assert (z - z).covariance.max() == 0
    assert z.conjugate().value == z.value.conjugate()
    assert str(z).endswith("(k = 1, r = -0.982)")


def test_the_region_of_complex_readings_is_that_of_hotelling():
    rng = np.random.default_rng(7)
    z = type_a_complex(rng.normal(size=6) + 1j * rng.normal(size=6), units="1")
    assert z.dof == pytest.approx(5)
    assert z.k() == pytest.approx(math.sqrt(2 * 5 / 4 * stats.f.ppf(0.95, 2, 4)), rel=1e-9)
    assert z.contains(z.value)
    assert not z.contains(z.value + 20)


def test_a_complex_quantity_of_known_uncertainty_has_the_factor_of_chi_square():
    assert complex_of(1, 1, [0.1, 0.1], 0.0).k() == pytest.approx(2.4477, abs=5e-5)


def test_magnitude_and_phase_are_refused_at_zero_and_flagged_near_it():
    with pytest.raises(UncertaintyError, match="no slope at zero"):
        complex_of(0, 0, [0.1, 0.1], 0.0).polar()
    near = complex_of(0.1, 0, [0.1, 0.1], 0.0).polar()
    assert any("would shift the estimate of magnitude by 0.05 1" in note for note in near["magnitude"].notes)
    far = complex_of(1000, 0, [0.1, 0.1], 0.0).polar()
    assert not any("shift" in note for note in far["magnitude"].notes)
    assert far["phase"].u == pytest.approx(1e-4)


def test_complex_quantities_refuse_what_makes_no_sense():
    volt, ampere = (Quantity(value=1, u=0.1, units=units) for units in ("V", "A"))
    with pytest.raises(UnitsError, match="same units"):
        ComplexQuantity(real=volt, imag=ampere)
    with pytest.raises(UncertaintyError, match="at least 3 readings"):
        type_a_complex([1j, 2j], units="V")
    with pytest.raises(UncertaintyError, match="got str"):
        ComplexQuantity(real=volt, imag=volt) + "x"
    with pytest.raises(UncertaintyError, match="follow from each other"):
        ComplexQuantity(real=volt, imag=volt).contains(1j)


def test_the_shift_of_the_estimate_at_second_order_is_said_where_it_matters():
    # E(x²) = x² + u²; of a product of correlated quantities E(x y) = x y + cov(x, y).
    x = Quantity(value=1, u=0.3, units="1")
    assert "would shift the estimate of y by 0.09 1" in propagate("x**2", {"x": x}, name="y", units="1").notes[-1]
    assert propagate("x + 1", {"x": x}, name="y", units="1").notes == ()
    other = Quantity(value=1, u=0.3, units="1")
    pair = propagate("x*z", {"x": x, "z": other}, name="y", units="1", correlation={("x", "z"): 0.9})
    assert "by 0.081 1" in pair.notes[-1]
    assert propagate("x*z", {"x": x, "z": other}, name="y", units="1").notes == ()


def test_given_joint_draws_keep_more_than_their_correlation():
    # x and x² - 1 of a normal x are not correlated, and yet the second follows from the first.
    x = np.random.default_rng(3).normal(size=5000)
    table = {"x": 2 + x, "y": x**2 - 1}
    inputs = from_draws(table, units={"x": "V", "y": "V"})
    assert inputs["x"].value == pytest.approx(table["x"].mean(), rel=1e-12)
    assert inputs["x"].correlation(inputs["y"]) == pytest.approx(np.corrcoef(x, x**2)[0, 1], abs=1e-12)
    budgets = propagate({"a": "x", "b": "y"}, inputs, name="z", units={"a": "V", "b": "V"})
    a, b = sample_jointly(budgets, trials=TRIALS, seed=1).draws
    np.testing.assert_allclose(b, (a - 2) ** 2 - 1, atol=1e-9)
    assert a.std() == pytest.approx(budgets["a"].u, rel=5 / math.sqrt(TRIALS))
    assert math.isinf(budgets["a"].dof)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"x": np.zeros(200)}, "must be finite and differ"),
        ({"x": np.arange(50.0)}, "at least 100"),
        ({"y": np.arange(200.0)}, "units must name"),
    ],
)
def test_draws_that_tell_nothing_are_refused(table, message):
    with pytest.raises(UncertaintyError, match=message):
        from_draws(table, units={"x": "V"})


def test_the_smallest_region_of_normal_results_has_the_area_of_the_ellipse(plane):
    # Area of the ellipse: pi k² sqrt(det V). Cells of a sixtieth of the range leave a few per cent at the border.
    drawn = sample_jointly(plane, trials=1_000_000, seed=1)
    found = drawn.smallest(0.95)
    exact = math.pi * stats.chi2.ppf(0.95, 2) * math.sqrt(np.linalg.det(drawn.covariance))
    assert found.area == pytest.approx(exact, rel=0.05)
    assert 0.95 <= found.level < 0.951
    with pytest.raises(UncertaintyError, match=r"from 10 to 1000 cells, got 2, 0\.95 and 5"):
        drawn.smallest(cells=5)


def test_the_smallest_region_of_a_ring_leaves_its_middle_out():
    x, y = (Quantity(value=0, u=1, units="1") for _ in range(2))
    ring = {"a": "x/sqrt(x**2 + y**2)*(1 + 0.01*x)", "b": "y/sqrt(x**2 + y**2)*(1 + 0.01*x)"}
    near = {"x": x + 0.1, "y": y + 0.1}
    drawn = sample_jointly(propagate(ring, near, name="z", units={"a": "1", "b": "1"}), trials=200_000, seed=1)
    found = drawn.smallest(0.95, cells=40)
    assert not found.inside[15:25, 15:25].any()
    assert found.area < 0.3 * drawn.region(0.95).k ** 2 * math.pi * math.sqrt(np.linalg.det(drawn.covariance))


def test_second_order_terms_have_the_fewest_degrees_of_freedom_of_their_inputs():
    inputs = {
        "x": Quantity(value=1, u=0.3, units="1", dof=6),
        "y": Quantity(value=1, u=0.3, units="1", dof=4),
        "z": Quantity(value=1, u=0.3, units="1", dof=2),
    }
    budget = propagate("x*y + z", inputs, name="p", units="1", order=2)
    extra = next(each.source for each in budget.contributions if each.name == "second-order terms")
    assert extra.dof == 4


def test_several_budgets_given_to_sample_are_told_where_to_go(plane):
    with pytest.raises(UncertaintyError, match="several together"):
        sample(plane, seed=1)
