"""The algebra of quantities: exact correlations, units, digits, and the bridge to `uncertainties`."""

import math

import numpy as np
import pytest
import uncertainties
from hypothesis import given
from hypothesis import strategies as st
from uncertainties import umath

from analysis.core import UncertaintyError, UnitsError, history
from analysis.uncertainty import Quantity, coverage_factor, format_u, format_value

values = st.floats(0.5, 50)
us = st.floats(1e-6, 0.2)


def q(value=1.0, u=0.1, units="1", **settings):
    return Quantity(value=value, u=u, units=units, **settings)


@given(values, us)
def test_a_quantity_minus_itself_is_0_plus_or_minus_0(value, u):
    x = q(value, u, "cm-1")
    assert (x - x).value == 0
    assert (x - x).u == 0
    assert (x / x).u == pytest.approx(0, abs=1e-15)


@given(values, us, values, us)
def test_the_algebra_agrees_with_the_package_uncertainties(a, ua, b, ub):
    x, y = q(a, ua), q(b, ub)
    theirs_x, theirs_y = uncertainties.ufloat(a, ua), uncertainties.ufloat(b, ub)
    ours = np.sqrt(x * y) + x / y - np.exp(-x / 50) * np.log(y) + 2 * np.sin(x) ** 2 - np.arctan2(x, y)
    theirs = (
        umath.sqrt(theirs_x * theirs_y)
        + theirs_x / theirs_y
        - umath.exp(-theirs_x / 50) * umath.log(theirs_y)
        + 2 * umath.sin(theirs_x) ** 2
        - umath.atan2(theirs_x, theirs_y)
    )
    assert ours.value == pytest.approx(theirs.nominal_value, rel=1e-9, abs=1e-12)
    assert ours.u == pytest.approx(theirs.std_dev, rel=1e-6, abs=1e-12)


@given(values, us, st.floats(-3, 3))
def test_powers_agree_with_the_package_uncertainties(a, u, n):
    ours, theirs = q(a, u) ** n, uncertainties.ufloat(a, u) ** n
    assert ours.value == pytest.approx(theirs.nominal_value)
    assert ours.u == pytest.approx(theirs.std_dev, abs=1e-15)
    back, other = n ** q(a, u) if n > 0 else q(), None if n <= 0 else n ** uncertainties.ufloat(a, u)
    assert other is None or back.u == pytest.approx(other.std_dev, abs=1e-12)


@pytest.mark.parametrize(
    "name", ["sqrt", "exp", "log", "log10", "sin", "cos", "tan", "arcsin", "arccos", "arctan", "square"]
)
def test_the_slope_of_a_function_is_its_difference_quotient(name):
    function, x, u = getattr(np, name), 0.4, 1e-7
    slope = (function(x + 1e-6) - function(x - 1e-6)) / 2e-6
    assert function(q(x, u)).u == pytest.approx(abs(slope) * u, rel=1e-6)


def test_units_follow_the_algebra():
    length, time = q(3, 0.1, "nm"), q(2, 0.1, "s")
    assert (length / time).units == "nm s-1"
    assert (1 / length).units == "nm-1"
    assert (length**2).units == "nm2"
    assert np.sqrt(length * length).units == "nm"
    assert (q(1, 0.1, "um") + q(1, 0.1, "nm")).value == pytest.approx(1.001)
    assert np.sin(q(90, 1, "deg")).value == pytest.approx(1)
    assert np.float64(2) * length == 2 * length


@pytest.mark.parametrize(
    "operation",
    [
        lambda x: x + q(1, 0.1, "nm"),
        lambda x: x - q(1, 0.1, "nm"),
        lambda x: x + 1,
        np.exp,
        np.sin,
        lambda x: x ** q(2, 0.1),
        lambda x: 2**x,
        lambda x: x.to("nm"),
        lambda _: q(1, 0.1, "not-a-unit"),
    ],
)
def test_units_that_do_not_match_are_refused(operation):
    with pytest.raises(UnitsError):
        operation(q(520, 0.1, "cm-1"))


def test_kelvin_and_celsius_are_not_added_by_accident():
    with pytest.raises(UnitsError, match="different zeros"):
        q(20, 0.1, "degC") + q(1, 0.1, "K")
    assert q(20, 0.1, "degC").to("K").value == pytest.approx(293.15)
    assert q(20, 0.1, "degC").to("K").u == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"u": -0.1}, "not negative, got value 1, u -0.1"),
        ({"u": math.nan}, "finite"),
        ({"value": math.inf}, "finite"),
        ({"dof": 0}, "degrees of freedom must be above 0, got 0"),
        ({"dof": -3}, "degrees of freedom"),
        ({"dof": math.nan}, "degrees of freedom"),
        ({"value": "1"}, "must be a number, got str '1'"),
        ({"value": True}, "must be a number"),
    ],
)
def test_what_is_no_quantity_is_refused(settings, message):
    with pytest.raises(UncertaintyError, match=message):
        q(**settings)


def test_components_must_add_up_to_u():
    x = q(1, 0.1)
    with pytest.raises(UncertaintyError, match=r"components add up to 0\.1"):
        q(1, 0.2, components=x.components)


def test_functions_refuse_what_is_outside_their_domain():
    with pytest.raises(UncertaintyError, match="log is not finite for level = 0"):
        np.log(q(0, 0.1, label="level"))
    with pytest.raises(UncertaintyError, match="no finite slope"):
        np.sqrt(q(0, 0.1))
    with pytest.raises(UncertaintyError, match="not finite"):
        1 / q(0, 0.1)


def test_two_elementary_quantities_with_equal_numbers_are_not_equal():
    x, y = q(1, 0.1), q(1, 0.1)
    assert x == x + 0
    assert x != y
    assert x != 1
    assert x.correlation(y) == 0
    assert hash(x) == hash(x + 0)


def test_a_quantity_is_neither_true_nor_ordered():
    with pytest.raises(UncertaintyError, match="neither true nor false"):
        bool(q())
    with pytest.raises(TypeError):
        q() < q()  # noqa: B015
    with pytest.raises(TypeError):
        np.ones(3) * q()


def test_degrees_of_freedom_of_a_sum_follow_welch_satterthwaite():
    # JCGM 100:2008, G.2b: equal u with 4 and 9 degrees of freedom.
    total = q(1, 1, dof=4) + q(1, 1, dof=9)
    assert total.dof == pytest.approx(2**2 / (1 / 4 + 1 / 9))
    assert (q(1, 1, dof=4) * 3).dof == pytest.approx(4)
    assert q(1, 1, dof=4).U() == pytest.approx(2.776, abs=5e-4)  # JCGM 100:2008, table G.2


@pytest.mark.parametrize(
    ("dof", "level", "k"),
    [(1, 0.9545, 13.97), (10, 0.95, 2.23), (16, 0.99, 2.92), (50, 0.9973, 3.16), (math.inf, 0.95, 1.960)],
)
def test_coverage_factors_are_those_of_table_g2(dof, level, k):
    assert coverage_factor(dof, level) == pytest.approx(k, abs=0.0051)


@pytest.mark.parametrize("level", [0, 1, 95, -0.1, math.nan])
def test_a_level_outside_0_to_1_is_refused(level):
    with pytest.raises(UncertaintyError, match=r"must lie in \(0, 1\)"):
        q().U(level)


def test_uncertainties_gets_and_gives_back_the_correlation():
    x, y = q(2, 0.1, "nm"), q(3, 0.2, "nm")
    theirs = [each.to_uncertainties() for each in (x, x + y)]
    assert uncertainties.correlation_matrix(theirs)[0][1] == pytest.approx(x.correlation(x + y))
    back, total = Quantity.from_uncertainties(theirs, units="nm")
    assert back == x
    assert (total - x).u == pytest.approx(y.u)


def test_variables_of_uncertainties_stay_the_same_source_between_calls():
    variable = uncertainties.ufloat(1.0, 0.3, tag="resistor")
    (once,) = Quantity.from_uncertainties([variable], units="ohm")
    (again,) = Quantity.from_uncertainties([2 * variable], units="ohm")
    assert (2 * once - again).u == 0
    assert once.u == pytest.approx(0.3)
    with pytest.raises(UncertaintyError, match="got float"):
        Quantity.from_uncertainties([1.0], units="ohm")


def test_a_quantity_prints_the_digits_that_u_allows():
    assert str(q(520.4512, 0.1432, "cm-1")) == "520.45 ± 0.14 cm-1 (k = 1)"
    assert "<p>&lt;b&gt; = 1 ± 0 (k = 1)</p>" in q(1, 0, label="<b>")._repr_html_()


@pytest.mark.parametrize(
    ("value", "u", "plain", "bracket"),
    [
        (520.4512, 0.1432, "520.45 ± 0.14", "520.45(14)"),
        (50000838, 32, "50000838 ± 32", "50000838(32)"),
        (9.9, 0.0996, "9.90 ± 0.10", "9.90(10)"),
        (1234.5, 12.3, "1234 ± 12", "1234(12)"),
        (-0.001, 0.14, "0.00 ± 0.14", "0.00(14)"),
        (123456, 7890, "(1.235 ± 0.079)e+05", "1.235(79)e+05"),
        (6.62607015e-34, 1.2e-36, "(6.626 ± 0.012)e-34", "6.626(12)e-34"),
        (3.5, 2.1, "3.5 ± 2.1", "3.5(2.1)"),
        (2.5, 0, "2.5 ± 0", "2.5(0)"),
        (2.5, math.nan, "2.5 ± NaN", "2.5(NaN)"),
        (math.nan, 0.1, "NaN ± 0.1", "NaN(0.1)"),
        (2.5, math.inf, "2.5 ± ∞", "2.5(∞)"),
    ],
)
def test_numbers_are_written_by_the_rule_of_the_gum(value, u, plain, bracket):
    assert format_value(value, u) == plain
    assert format_value(value, u, style="bracket") == bracket


@given(st.floats(-1e12, 1e12), st.floats(1e-9, 1e9))
def test_what_is_written_is_the_value_within_half_a_digit_of_u(value, u):
    text = format_value(value, u).replace("(", "").replace(")", "")
    mantissa, _, rest = text.partition(" ± ")
    shown_u, _, power = rest.partition("e")
    scale = 10.0 ** int(power or 0)
    assert float(mantissa) * scale == pytest.approx(value, abs=0.051 * u + 1e-12 * abs(value))
    assert float(shown_u) * scale == pytest.approx(u, rel=0.051)
    assert format_u(u) in (shown_u, format_u(float(shown_u) * scale))


def test_a_quantity_says_how_it_was_made():
    x = q(2, 0.1, "nm", label="x")
    steps = history.parse((x * x).history)["steps"].values()
    assert [step["function"] for step in steps if step["inputs"]] == ["uncertainty.multiply"]
    assert q(2, 0.1).history != q(2, 0.1 + 1e-12).history
