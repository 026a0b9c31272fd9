"""Densities of a result: the GUM's in closed form, that of the draws against the distribution they come from."""

import math

import numpy as np
import pytest

from analysis import report
from analysis.core import UncertaintyError
from analysis.uncertainty import Quantity, densities, distributions, propagate, sample


def made_of(x, **how):
    budget = propagate("2 * x", {"x": x}, name="y", units="V")
    return budget, densities(budget, sample(budget, trials=200_000, seed=2), **how)


def test_the_densities_are_those_of_student_and_of_what_was_drawn():
    # t with 1 degree of freedom is Cauchy: 1 / (pi (1 + t^2)); a rectangle is 1 / width
    _, cauchy = made_of(Quantity(value=3.0, u=0.1, units="V", dof=1.0))
    t = (cauchy["value"].values - 6.0) / 0.2
    np.testing.assert_allclose(cauchy["gum"], 1 / (math.pi * (1 + t**2)) / 0.2, rtol=1e-9)
    budget, flat = made_of(Quantity(value=3.0, u=0.1, units="V", distribution=distributions.rectangular()), bins=60)
    half = math.sqrt(3) * budget.u
    inside = np.abs(flat["value"].values - 6.0) < 0.9 * half
    np.testing.assert_allclose(flat["monte_carlo"].values[inside], 1 / (2 * half), rtol=0.06)  # 4 sqrt(bins / trials)
    assert flat["monte_carlo"].values[np.abs(flat["value"].values - 6.0) > 1.1 * half].max() == 0.0
    widths = np.diff(flat["edges"].values)
    assert float((flat["monte_carlo"].values * widths).sum()) == pytest.approx(1.0, abs=0.002)
    assert float((flat["gum"].values * widths).sum()) == pytest.approx(1.0, abs=0.002)


def test_densities_of_nothing_are_refused():
    x = Quantity(value=3.0, u=0.1, units="V")
    budget, other = (propagate("2 * x", {"x": x}, name=name, units="V") for name in "yz")
    drawn = sample(budget, trials=1000, seed=1)
    with pytest.raises(UncertaintyError, match="the draws are of 'y' in 'V', the budget of 'z'"):
        densities(other, drawn)
    with pytest.raises(UncertaintyError, match="needs 1 bin or more, got 0"):
        densities(budget, drawn, bins=0)
    with pytest.raises(UncertaintyError, match="a range that rises, got 2 to 1 V"):
        densities(budget, over=(2.0, 1.0))


def test_without_draws_and_over_a_range_there_is_the_density_of_the_gum():
    budget = propagate("2 * x", {"x": Quantity(value=3.0, u=0.1, units="V")}, name="y", units="V")
    made = densities(budget, over=(5.9, 6.1), bins=2)
    np.testing.assert_allclose(made["value"], [5.95, 6.05])
    # the normal density a quarter of u off its middle
    np.testing.assert_allclose(made["gum"], math.exp(-(0.25**2) / 2) / math.sqrt(2 * math.pi) / 0.2)
    assert "monte_carlo" not in made


def test_statements_say_what_is_not_stated():
    assert "Schematron" in report.Statements().missing()["country"]
    assert list(report.Statements(laboratory="L", country="DE", item="lamp", item_id="7").missing()) == [
        "customer", "begin", "signatories", "accreditation",
    ]  # fmt: skip
