"""Formulas, derivatives, budgets and given correlations."""

import math

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.core import UncertaintyError, UnitsError, history
from analysis.uncertainty import (
    Budget,
    Quantity,
    Source,
    correlated,
    distributions,
    propagate,
    sample,
    type_a,
    type_a_jointly,
)

FORMULA = "a*exp(-b/3) + sqrt(a*b) - sin(a)**2/(1 + b**2) + atan2(a, b)*log10(b) + abs(-a)*acos(b/9) - tan(a/9)"


def function(a, b):
    return (
        a * np.exp(-b / 3)
        + np.sqrt(a * b)
        - np.sin(a) ** 2 / (1 + b**2)
        + np.arctan2(a, b) * np.log10(b)
        + np.sqrt(a * a) * np.arccos(b / 9)
        - np.tan(a / 9)
    )


def scalar_only(a, b):
    return function(float(a), float(b))


def q(value=1.0, u=0.1, units="1", **kept):
    return Quantity(value=value, u=u, units=units, **kept)


@given(st.floats(0.5, 5), st.floats(0.5, 5))
@settings(max_examples=25)
def test_formula_complex_step_and_differences_give_the_same_budget(a, b):
    inputs = {"a": q(a, 0.02), "b": q(b, 0.03)}
    one = propagate(FORMULA, inputs, name="y", units="1")
    for other in (function, scalar_only):
        two = propagate(other, inputs, name="y", units="1")
        assert two.value == pytest.approx(one.value, rel=1e-12)
        for name in inputs:
            assert two.sensitivities[name] == pytest.approx(one.sensitivities[name], rel=1e-7, abs=1e-8)


@given(st.lists(st.floats(1e-3, 10), min_size=2, max_size=6), st.floats(-0.9, 0.9))
@settings(max_examples=30)
def test_shares_add_up_to_1_by_source_and_by_input(us, r):
    inputs = {f"x{i}": q(i + 1.0, u) for i, u in enumerate(us)}
    budget = propagate("*".join(inputs), inputs, name="y", units="1", correlation={("x0", "x1"): r})
    assert math.fsum(each.share for each in budget.contributions) == pytest.approx(1, abs=1e-12)
    assert all(each.share >= 0 for each in budget.contributions)
    assert math.fsum(each.share for each in budget.by_input) == pytest.approx(1, abs=1e-12)
    assert math.fsum(each.share for each in budget.by_tag()) == pytest.approx(1, abs=1e-12)


def test_a_share_is_what_setting_that_source_to_0_takes_away():
    inputs = {"a": q(2, 0.1), "b": q(3, 0.4), "c": q(5, 0.2)}
    budget = propagate("a*b/c", inputs, name="y", units="1")
    shares = {each.name: each.share for each in budget.by_input}
    for name, exact in inputs.items():
        without = propagate("a*b/c", inputs | {name: q(exact.value, 0)}, name="y", units="1")
        assert 1 - (without.u / budget.u) ** 2 == pytest.approx(shares[name])


@given(st.floats(-0.99, 0.99))
@settings(max_examples=30)
def test_a_given_r_does_what_equation_16_of_the_gum_says(r):
    inputs = {"a": q(2, 0.3), "b": q(3, 0.2)}
    budget = propagate("2*a + 5*b", inputs, name="y", units="1", correlation={("a", "b"): r})
    expected = 4 * 0.09 + 25 * 0.04 + 2 * 10 * r * 0.06  # JCGM 100:2008, eq. (16)
    assert budget.u**2 == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("r", "u"), [(1.0, 0.1), (-1.0, 0.5)])
def test_fully_correlated_inputs_add_linearly(r, u):
    budget = propagate("a - b", {"a": q(2, 0.3), "b": q(3, 0.2)}, name="y", units="1", correlation={("a", "b"): r})
    assert budget.u == pytest.approx(u)


@pytest.mark.parametrize(
    ("correlation", "message"),
    [
        ({("a", "b"): 1.2}, r"must lie in \[-1, 1\], got r\(a, b\) = 1.2"),
        ({("a", "b"): math.nan}, r"must lie in \[-1, 1\]"),
        ({("a", "d"): 0.5}, "names 'd', which is no input"),
        ({("a", "a"): 0.5}, "with itself"),
        ({("a", "b"): 0.5, ("b", "a"): 0.6}, "twice with different r"),
        ({("a", "b"): 0.9, ("b", "c"): 0.9, ("a", "c"): -0.9}, "not positive semidefinite"),
    ],
)
def test_impossible_correlations_are_refused(correlation, message):
    inputs = {name: q() for name in "abc"}
    with pytest.raises(UncertaintyError, match=message):
        propagate("a + b + c", inputs, name="y", units="1", correlation=correlation)


def test_a_given_r_on_inputs_that_share_sources_is_refused():
    x = q(label="laser")
    with pytest.raises(UncertaintyError, match=r"share sources already \(\['laser'\]\)"):
        propagate("a + b", {"a": x, "b": 2 * x}, name="y", units="1", correlation={("a", "b"): 0.5})


def test_inputs_that_share_a_source_are_correlated_exactly():
    laser, a, b = q(0, 0.5, "cm-1"), q(520, 0.05, "cm-1"), q(1001, 0.05, "cm-1")
    inputs = {"first": a + laser, "second": b + laser}
    budget = propagate("second - first", inputs, name="difference", units="cm-1")
    assert budget.u == pytest.approx(math.hypot(0.05, 0.05))
    drawn = sample(budget, seed=1, trials=20_000)
    assert drawn.u == pytest.approx(budget.u, rel=5 / math.sqrt(2 * 20_000))


def test_results_of_one_model_are_correlated_by_their_sources():
    inputs = {"a": q(2, 0.3), "b": q(3, 0.2)}
    both = propagate({"s": "a + b", "d": "a - b"}, inputs, name="both", units={"s": "1", "d": "1"})
    assert both["s"].covariance(both["d"]) == pytest.approx(0.09 - 0.04)
    again = propagate("s*d", {key: each.to_quantity() for key, each in both.items()}, name="y", units="1")
    once = propagate("a**2 - b**2", inputs, name="y", units="1")
    assert again.u == pytest.approx(once.u)

    def model(a, b):
        return {"s": a + b, "d": a - b}

    by_function = propagate(model, inputs, name="both", units={"s": "1", "d": "1"})
    assert by_function["d"].u == pytest.approx(both["d"].u)
    assert by_function["s"].correlation(by_function["d"]) == pytest.approx(both["s"].correlation(both["d"]))


def test_a_formula_converts_units_and_a_function_refuses_to():
    inputs = {"a": q(1, 0.1, "um"), "b": q(5, 1, "nm")}
    budget = propagate("a + b", inputs, name="y", units="nm")
    assert budget.value == pytest.approx(1005)
    assert budget.u == pytest.approx(math.hypot(100, 1))
    with pytest.raises(UnitsError, match="gives 6 nm, but 1005 nm with units"):
        propagate(lambda a, b: a + b, inputs, name="y", units="nm")


@pytest.mark.parametrize("model", ["a/b", lambda a, b: a / b], ids=["formula", "function"])
def test_a_result_in_the_wrong_units_is_refused(model):
    inputs = {"a": q(1, 0.1, "nm"), "b": q(5, 1, "s")}
    assert propagate(model, inputs, name="y", units="nm s-1").units == "nm s-1"
    with pytest.raises(UnitsError, match=r"gives 'nm s-1', but units='nm' was asked for"):
        propagate(model, inputs, name="y", units="nm")
    assert propagate(model, inputs, name="y", units="nm", check_units=False).value == pytest.approx(0.2)


def test_a_function_whose_units_cannot_be_followed_is_refused():
    with pytest.raises(UnitsError, match="check_units=False"):
        propagate(lambda a: math.erf(a), {"a": q(1, 0.1, "nm")}, name="y", units="nm")  # noqa: PLW0108
    with pytest.raises(UnitsError, match="units do not match"):
        propagate(lambda a: a + 1, {"a": q(1, 0.1, "nm")}, name="y", units="nm")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a + c", r"'c' at character 5: no input has that name; there are \['a', 'b'\]"),
        ("__import__('os').system('ls')", "the functions are sqrt exp"),
        ("a.real", "'a.real' at character 1"),
        ("a if b else 1", "only"),
        ("[a]", "only"),
        ("a == b", "only"),
        ("a @ b", "only"),
        ("a // b", "only"),
        ("(lambda: a)()", "the functions are"),
        ("sqr(a)", "Did you mean 'sqrt'"),
        ("sqrt(a, b)", "sqrt takes 1 argument"),
        ("atan2(a)", "atan2 takes 2 arguments"),
        ("sqrt(x=a)", "sqrt takes 1 argument"),
        ("'a'", "a str is not a decimal number"),
        ("True", "a bool is not a decimal number"),
        ("1j*a", "a complex is not a decimal number"),
        ("1e999", "too large"),
        ("a +", "does not parse"),
        ("", "does not parse"),
        ("a\x00", "does not parse"),
        ("+".join(["a"] * 500), "has 1999 parts"),
        ("a" * 5000, "has 5000 characters"),
        ("(" * 300 + "a" + ")" * 300, "does not parse"),
        ("-" * 100 + "a", "deeper than 60"),
    ],
)
def test_a_formula_outside_the_grammar_is_refused_and_the_place_is_shown(text, message):
    with pytest.raises(UncertaintyError, match=message):
        propagate(text, {"a": q(), "b": q()}, name="y", units="1")


@given(st.text(max_size=40))
@settings(max_examples=200)
def test_any_text_is_a_formula_or_refused(text):
    try:
        budget = propagate(text, {"a": q(), "b": q()}, name="y", units="1")
    except (UncertaintyError, UnitsError):
        return
    assert math.isfinite(budget.value)


@pytest.mark.parametrize(
    ("settings_", "error", "message"),
    [
        ({"order": 3}, UncertaintyError, "order must be 1 or 2, got 3"),
        ({"units": {"y": "1"}}, UncertaintyError, "give a dict of formulas"),
        ({"inputs": {"a": "1"}}, UncertaintyError, "must be a Quantity or a number, got str"),
        ({"function": lambda b: b}, UncertaintyError, "does not take the inputs"),
        ({"function": 3}, UncertaintyError, "must be a formula or a function, got int"),
        ({"function": {"y": "a"}}, UncertaintyError, "need units for each"),
        ({"function": "log(a - 1)"}, UncertaintyError, "not finite at a = 1"),
        ({"function": "sqrt(a - 1)"}, UncertaintyError, "no finite slope at a = 1"),
        ({"function": lambda a: str(a) + "x"}, UncertaintyError, None),
    ],
)
def test_models_that_make_no_sense_are_refused(settings_, error, message):
    call = {"function": "a", "inputs": {"a": q()}, "name": "y", "units": "1"} | settings_
    with pytest.raises((error, ValueError), match=message):
        propagate(call.pop("function"), call.pop("inputs"), **call)


def test_second_order_is_refused_where_it_does_not_hold():
    x = q()
    with pytest.raises(UncertaintyError, match="needs independent inputs"):
        propagate("a*b", {"a": x, "b": x + 1}, name="y", units="1", order=2)
    with pytest.raises(UncertaintyError, match="needs a formula"):
        propagate(lambda a: a * a, {"a": x}, name="y", units="1", order=2)


def test_second_order_of_a_square_is_exact_for_a_normal_input():
    # Var(X²) = 4 m² s² + 2 s⁴, E(X²) - m² = s² for a normal X.
    budget = propagate("x**2", {"x": q(0.5, 0.2)}, name="y", units="1", order=2)
    assert budget.u**2 == pytest.approx(4 * 0.25 * 0.04 + 2 * 0.04**2)
    assert "shift the estimate of y by 0.04" in budget.notes[-1]


def test_a_budget_comes_back_from_its_dataset():
    inputs = {"a": q(2, 0.3, "nm", dof=7, label="length", source="ruler"), "b": q(3, 0.2, "um"), "c": 2}
    budget = propagate("c*a + b", inputs, name="y", units="nm")
    found = Budget.from_dataset(budget.to_dataset())
    assert found.table() == budget.table()
    assert found.dof == budget.dof
    assert found.history == budget.history
    assert found.correlation(budget) == pytest.approx(1)
    np.testing.assert_array_equal(sample(found, trials=500, seed=3).draws, sample(budget, trials=500, seed=3).draws)
    with pytest.raises(UncertaintyError, match="not the Dataset of a budget"):
        Budget.from_dataset(xr.Dataset())


def test_a_budget_survives_a_file(tmp_path):
    budget = propagate("a*b", {"a": q(2, 0.3), "b": q(3, 0.2)}, name="y", units="1")
    budget.to_dataset().to_netcdf(tmp_path / "b.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "b.nc", engine="h5netcdf") as read:
        assert Budget.from_dataset(read).u == pytest.approx(budget.u)


def test_a_stored_function_must_be_passed_again():
    budget = propagate(function, {"a": q(2, 0.3), "b": q(3, 0.2)}, name="y", units="1")
    found = Budget.from_dataset(budget.to_dataset())
    assert found.formula.endswith(":function")
    with pytest.raises(UncertaintyError, match="propagate again"):
        sample(found, trials=500, seed=1)


def test_tags_gather_sources_in_one_line():
    lamp = {Source(id=f"ne{i}", label=f"Ne {i}", tags=("lamp",)): 0.01 for i in range(9)}
    inputs = {"x": Quantity.from_components(1.0, lamp, units="1"), "laser": q(0, 0.04, label="laser")}
    groups = propagate("x + laser", inputs, name="y", units="1").by_tag()
    assert [(each.name, each.count) for each in groups] == [("laser", 1), ("lamp", 9)]
    assert groups[1].u == pytest.approx(0.03)


def test_the_table_of_a_budget_is_this_text():
    inputs = {"a": q(2, 0.3, label="length"), "b": q(3, 0.4, distribution=distributions.rectangular(), dof=8)}
    budget = propagate("a + b", inputs, name="y", units="1")
    assert str(budget) == "y = 5.00 ± 0.50 (k = 1), U = 1.0 (k = 2.09, 95 %, dof 19.5)"
    assert budget.table() == (
        "source  type  distribution  dof  u (1)  share\n"
        "b       A     rectangular   8    0.40   64.0 %\n"
        "length  B     normal        ∞    0.30   36.0 %"
    )


def test_the_history_of_a_budget_has_its_formula_and_inputs():
    budget = propagate("a + b", {"a": q(), "b": q()}, name="y", units="1")
    found = history.parse(budget.history)
    step = found["steps"][found["head"]]
    assert step["function"] == "uncertainty.propagate"
    assert step["settings"]["function"] == "a + b"
    assert set(step["inputs"]) == {"a", "b"}


def test_type_a_is_the_mean_with_n_minus_1_degrees_of_freedom():
    # JCGM 100:2008, table H.2, the readings of V.
    found = type_a([5.007, 4.994, 5.005, 4.990, 4.999], units="V")
    assert found.value == pytest.approx(4.999)
    assert found.u == pytest.approx(0.0032, abs=5e-5)
    assert found.dof == 4
    assert next(iter(found.parts())).kind == "A"


def test_correlated_keeps_the_covariance_also_a_singular_one():
    for matrix in ([[4.0, 1.0], [1.0, 9.0]], [[4.0, 6.0], [6.0, 9.0]], [[4.0, 0.0], [0.0, 0.0]]):
        a, b = correlated([1, 2], matrix, units="nm", dof=9, labels=["a", "b"])
        found = [[a.covariance(a), a.covariance(b)], [b.covariance(a), b.covariance(b)]]
        np.testing.assert_allclose(found, matrix, atol=1e-12)
        assert (a + 3 * b).dof == pytest.approx(9)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: type_a([1.0], units="V"), "at least 2 readings, got 1"),
        (lambda: type_a([1.0, math.nan], units="V"), "1 are not"),
        (lambda: type_a([[1.0, 2.0]], units="V"), "one-dimensional"),
        (lambda: type_a_jointly({"a": [1, 2], "b": [1, 2, 3]}, units={"a": "V", "b": "V"}), "of one length"),
        (lambda: type_a_jointly({"a": [1, 2]}, units={"b": "V"}), "must name the same quantities"),
        (lambda: correlated([1, 2], np.eye(3), units="V", labels=["a", "b"]), r"covariance of shape \(2, 2\)"),
        (lambda: correlated([1, 2], [[1, 2], [2, 1]], units="V", labels=["a", "b"]), "not positive semidefinite"),
        (lambda: correlated([1, 2], [[1, 0.5], [0, 1]], units="V", labels=["a", "b"]), "must be symmetric"),
        (lambda: correlated([1, math.nan], np.eye(2), units="V", labels=["a", "b"]), "must be finite"),
        (lambda: correlated([1, 2], np.eye(2), units="V", dof=0, labels=["a", "b"]), "degrees of freedom"),
    ],
)
def test_readings_and_matrices_that_make_no_sense_are_refused(make, message):
    with pytest.raises(UncertaintyError, match=message):
        make()
