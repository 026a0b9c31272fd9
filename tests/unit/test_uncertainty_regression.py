"""Linear regression, analysis of variance and summary statistics."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from analysis.core import UncertaintyError
from analysis.uncertainty import anova, describe, propagate, regression, type_a

X = np.array([1.0, 2.0, 4.0, 7.0, 11.0])
Y = np.array([2.1, 3.9, 8.3, 13.8, 22.1])


def test_a_straight_line_has_the_parameters_of_scipy():
    # Oracle: scipy.stats.linregress, an independent implementation.
    found, theirs = regression(X, Y), stats.linregress(X, Y)
    np.testing.assert_allclose(found.values, [theirs.intercept, theirs.slope], rtol=1e-12)
    np.testing.assert_allclose(found.u, [theirs.intercept_stderr, theirs.stderr], rtol=1e-10)
    assert found.p == pytest.approx(theirs.pvalue, rel=1e-9)
    assert found.r_squared == pytest.approx(theirs.rvalue**2, rel=1e-12)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), weighted=st.booleans())
def test_a_design_matrix_has_the_covariance_of_the_normal_equations(seed, weighted):
    rng = np.random.default_rng(seed)
    x, y, u = rng.normal(size=(12, 2)), rng.normal(size=12), rng.uniform(0.5, 2, 12)
    found = regression(x, y, u=u if weighted else None)
    full = np.column_stack([np.ones(12), x]) / (u[:, None] if weighted else 1)
    inverse = np.linalg.inv(full.T @ full)
    estimates = inverse @ full.T @ (y / u if weighted else y)
    rest = np.sum((full @ estimates - (y / u if weighted else y)) ** 2)
    np.testing.assert_allclose(found.values, estimates, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(found.covariance, inverse * (1 if weighted else rest / 9), rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(found.residuals, y - np.column_stack([np.ones(12), x]) @ estimates, atol=1e-9)
    if weighted:
        assert found.ss_residual == pytest.approx(rest)
        assert found.p_chisqr == pytest.approx(stats.chi2.sf(rest, 9))


def test_a_prediction_carries_the_correlation_of_the_parameters():
    line = regression(X, Y, units="V", x_units="s")
    b0, b1 = line.parameters
    assert (b0.units, b1.units) == ("V", "V s-1")
    at = line.predict(5.0)
    assert at.u == pytest.approx(math.sqrt(line.residual_sd**2 * (1 / 5 + 0 / 1)), rel=1e-9)  # 5 is the mean of X
    assert at.dof == pytest.approx(3)
    assert at.units == "V"
    budget = propagate("b0 + b1*5", {"b0": b0, "b1": b1}, name="y", units="V", check_units=False)
    assert budget.u == pytest.approx(at.u, rel=1e-9)


def test_the_same_line_in_two_forms_is_one_line():
    given = np.column_stack([X**0, X])
    first, second, third = regression(X, Y), regression(given, Y), regression(X, Y, degree=1)
    for other in (second, third):
        np.testing.assert_allclose(other.covariance, first.covariance, rtol=1e-12)
        assert other.r_squared == first.r_squared
    assert second.predict([1.0, 3.0]).value == first.predict(3.0).value == third.predict(3.0).value
    through_zero = regression(X, Y, degree=2, intercept=False)
    assert through_zero.names == ("b1", "b2")
    assert through_zero.predict(2.0).value == pytest.approx(through_zero.values @ [2, 4])


def test_residuals_that_are_zero_are_said_to_tell_nothing():
    found = regression(X, 2 * X + 1)
    assert found.u.tolist() == [0, 0]
    assert "says nothing" in found.notes[0]


def test_stated_uncertainties_that_do_not_explain_the_scatter_are_reported_and_not_enlarged():
    found = regression(X, Y, u=0.01)
    assert "more than the stated u explain" in found.notes[0]
    full = np.column_stack([X**0, X])
    np.testing.assert_allclose(found.covariance, 1e-4 * np.linalg.inv(full.T @ full), rtol=1e-9)
    assert math.isinf(found.parameters[0].dof)


@pytest.mark.parametrize(
    ("x", "y", "chosen", "message"),
    [
        (X, Y[:3], {}, r"y must be finite, of shape \(5,\)"),
        (X[:2], Y[:2], {}, "need more points than parameters, got 2"),
        (np.column_stack([X, 2 * X]), Y, {}, "depend linearly on each other"),
        ([1, 2, math.nan, 4, 5], Y, {}, "X must be finite"),
        (X, Y, {"u": 0.0}, "finite and above 0"),
        (X, Y, {"u": [1.0, 2.0]}, "one number or 5"),
        (X, Y, {"names": ["a"]}, "names must be 2 different ones"),
        (np.column_stack([X, Y]), Y, {"degree": 2}, "needs one predictor"),
        (X, Y, {"x_units": ["s", "s"]}, "one for each of 1 columns"),
    ],
)
def test_what_cannot_be_fitted_is_refused_with_the_reason(x, y, chosen, message):
    with pytest.raises(UncertaintyError, match=message):
        regression(x, y, **chosen)


def test_groups_of_different_sizes_have_the_f_of_scipy():
    # Oracle: scipy.stats.f_oneway.
    groups = {"a": [1.0, 1.2, 1.1], "b": [1.5, 1.4], "c": [1.2, 1.3, 1.2, 1.4]}
    found, theirs = anova(groups, units="V"), stats.f_oneway(*groups.values())
    assert pytest.approx(theirs.statistic, rel=1e-12) == found.F
    assert found.p == pytest.approx(theirs.pvalue, rel=1e-9)
    assert [row["dof"] for row in found.table()] == ["2", "6", "8"]


def test_components_of_variance_are_not_clipped():
    found = anova([[1.0, 3.0], [1.1, 2.9]])
    assert found.variance_between == pytest.approx(-found.ms_within / 2)
    assert math.isnan(found.sd_between)


def test_components_of_variance_are_those_of_a_simulation():
    # 400 tables of 8 groups of 5: the mean of the estimates within 5 of their standard errors.
    rng = np.random.default_rng(4)
    found = [anova(rng.normal(0, 2, (8, 1)) + rng.normal(0, 1, (8, 5))) for _ in range(400)]
    between = np.array([each.variance_between for each in found])
    assert between.mean() == pytest.approx(4, abs=5 * between.std() / 20)
    assert np.mean([each.u_variance_between for each in found]) == pytest.approx(between.std(), rel=0.25)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"a": [1.0, 2.0]}, "at least 2 groups"),
        ([[1.0], [2.0]], "no group has 2 readings"),
        ([[1.0, math.nan], [2.0, 3.0]], "must be finite"),
        ([[1.0, 2.0], []], "not empty"),
    ],
)
def test_tables_that_tell_nothing_are_refused(table, message):
    with pytest.raises(UncertaintyError, match=message):
        anova(table)


def test_a_description_agrees_with_numpy_and_with_type_a():
    readings = np.random.default_rng(2).normal(10, 1, 50)
    found = describe(readings)
    assert found.mean == pytest.approx(readings.mean(), rel=1e-15)
    assert found.sd == pytest.approx(readings.std(ddof=1), rel=1e-13)
    centred = readings - readings.mean()
    assert found.autocorrelation == pytest.approx(centred[1:] @ centred[:-1] / (centred @ centred), rel=1e-10)
    assert type_a(readings, units="V").u == pytest.approx(found.sd / math.sqrt(50), rel=1e-12)
    assert found.table()[0]["n"] == "50"


def test_readings_of_single_precision_count_as_they_were_written():
    assert describe(np.array([0.1, 0.2, 0.3], dtype=np.float32)).mean == 0.2


def test_a_description_of_nothing_is_refused():
    with pytest.raises(UncertaintyError, match=r"shape \(n,\)"):
        describe([])
    assert math.isnan(describe([1.0]).sd)
