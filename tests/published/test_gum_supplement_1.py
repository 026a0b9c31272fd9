"""Worked examples of JCGM 101:2008 (GUM Supplement 1): 9.2.2, 9.2.3, 9.3, 9.4 and 9.5.

Tolerances cover the sampling error of the draws made here and of those the guide made.
"""

import math

import pytest

from analysis.uncertainty import Quantity, compare, distributions, propagate, sample

VALIDATION = [
    {
        "what": "Examples of GUM Supplement 1 by Monte Carlo: sums of normal and rectangular quantities, mass "
        "calibration, comparison loss, gauge block",
        "against": "JCGM 101:2008, 9.2 to 9.5",
        "agreement": "printed digits, within the sampling error of both",
    }
]
TRIALS = 1_000_000
SUM = "x1 + x2 + x3 + x4"


def four(distribution):
    return {f"x{i}": Quantity(value=0, u=1, units="1", distribution=distribution) for i in (1, 2, 3, 4)}


def test_the_sum_of_four_normal_quantities_is_that_of_table_2():
    budget = propagate(SUM, four(distributions.normal()), name="y", units="1")
    drawn = sample(budget, trials=TRIALS, seed=1)
    assert drawn.value == pytest.approx(0, abs=4 * 2 / math.sqrt(TRIALS))
    assert drawn.u == pytest.approx(2.00, abs=0.0057)  # 4 standard errors of a standard deviation
    assert drawn.interval(0.95) == pytest.approx((-3.92, 3.92), abs=0.021)  # 4 standard errors of a quantile
    assert budget.interval(0.95) == pytest.approx((-3.92, 3.92), abs=0.005)
    assert compare(budget, drawn).valid


def test_the_sum_of_four_rectangular_quantities_is_that_of_table_3():
    budget = propagate(SUM, four(distributions.rectangular()), name="y", units="1")
    drawn = sample(budget, trials=TRIALS, seed=1)
    assert drawn.u == pytest.approx(2.00, abs=0.005)
    assert drawn.interval(0.95) == pytest.approx((-3.88, 3.88), abs=0.015)
    assert budget.interval(0.95)[1] == pytest.approx(3.92, abs=0.005)
    assert not compare(budget, drawn, digits=3).valid


MASS = "(m_Rc + dm_Rc)*(1 + (rho_a - rho_a0)*(1/rho_W - 1/rho_R)) - m_nom"


@pytest.fixture
def weights():
    """JCGM 101:2008, 9.3, table 5."""

    def between(low, high):
        flat = distributions.rectangular()
        u = distributions.u_from_half_width((high - low) / 2, flat)
        return Quantity(value=(low + high) / 2, u=u, units="kg m-3", distribution=flat)

    return {
        "m_Rc": Quantity(value=100000, u=0.050, units="mg"),
        "dm_Rc": Quantity(value=1.234, u=0.020, units="mg"),
        "rho_a": between(1.10, 1.30),
        "rho_W": between(7000, 9000),
        "rho_R": between(7950, 8050),
        "rho_a0": Quantity(value=1.2, u=0, units="kg m-3"),
        "m_nom": Quantity(value=100000, u=0, units="mg"),
    }


def test_mass_calibration_needs_more_than_the_first_order(weights):
    budget = propagate(MASS, weights, name="dm", units="mg")
    drawn = sample(budget, trials=TRIALS, seed=1)
    assert budget.value == pytest.approx(1.2340, abs=5.1e-5)
    assert budget.u == pytest.approx(0.0539, abs=5.1e-5)
    assert budget.interval() == pytest.approx((1.1285, 1.3395), abs=1e-4)
    assert drawn.value == pytest.approx(1.2341, abs=5e-4)
    assert drawn.u == pytest.approx(0.0754, abs=5e-4)
    assert drawn.interval(kind="shortest") == pytest.approx((1.0834, 1.3825), abs=0.0025)
    verdict = compare(budget, drawn, digits=1)
    assert not verdict.valid
    assert "linear propagation is not valid for this result" in verdict.sentence


def test_mass_calibration_is_right_at_the_second_order(weights):
    budget = propagate(MASS, weights, name="dm", units="mg", order=2)
    assert budget.u == pytest.approx(0.0750, abs=5.1e-5)
    assert budget.interval() == pytest.approx((1.0870, 1.3810), abs=1.5e-4)
    assert compare(budget, sample(budget, trials=TRIALS, seed=1), digits=1).valid


@pytest.mark.parametrize(
    ("x1", "r", "published", "first_order"),
    [
        (0.0, 0.0, (50, 50, 0, 150), 0),
        (0.05, 0.0, (2551, 502, 1590, 3543), 500),
        (0.0, 0.9, (50, 67, 0, 185), 0),
        (0.05, 0.9, (2551, 505, 1628, 3555), 500),
    ],
)
def test_comparison_loss_is_that_of_tables_8_and_9(x1, r, published, first_order):
    # JCGM 101:2008, 9.4, in units of 1e-6; the first order gives u = 0 where both estimates are 0.
    value, u, low, high = published
    inputs = {name: Quantity(value=x, u=0.005, units="1") for name, x in (("x1", x1), ("x2", 0.0))}
    correlation = {("x1", "x2"): r} if r else None
    budget = propagate("x1**2 + x2**2", inputs, name="loss", units="1", correlation=correlation)
    drawn = sample(budget, trials=TRIALS, seed=1)
    assert 1e6 * budget.u == pytest.approx(first_order, abs=1e-6)
    assert 1e6 * drawn.value == pytest.approx(value, abs=2.5)
    assert 1e6 * drawn.u == pytest.approx(u, abs=1.5)
    assert [1e6 * end for end in drawn.interval(kind="shortest")] == pytest.approx([low, high], abs=12)
    assert not compare(budget, drawn).valid


def test_the_gauge_block_by_monte_carlo_is_that_of_table_11():
    # JCGM 101:2008, 9.5, table 10: t, rectangular, arcsine and curvilinear trapezoidal inputs.
    def trapezoid(half_width, d):
        shape = distributions.curvilinear_trapezoidal(d / half_width)
        u = distributions.u_from_half_width(half_width, shape)
        return {"value": 0, "u": u, "distribution": shape}

    flat, wave = distributions.rectangular(), distributions.arcsine()
    inputs = {
        "L_s": Quantity(value=50000623, u=25, units="nm", dof=18),
        "D": Quantity(value=215, u=6, units="nm", dof=24),
        "d1": Quantity(value=0, u=4, units="nm", dof=5),
        "d2": Quantity(value=0, u=7, units="nm", dof=8),
        "alpha_s": Quantity(
            value=11.5e-6, u=distributions.u_from_half_width(2e-6, flat), units="K-1", distribution=flat
        ),
        "theta0": Quantity(value=-0.1, u=0.2, units="K"),
        "Delta": Quantity(value=0, u=distributions.u_from_half_width(0.5, wave), units="K", distribution=wave),
        "delta_alpha": Quantity(units="K-1", **trapezoid(1e-6, 0.1e-6)),
        "delta_theta": Quantity(units="K", **trapezoid(0.050, 0.025)),
        "L_nom": Quantity(value=50000000, u=0, units="nm"),
    }
    model = "L_s + D + d1 + d2 - L_s*(delta_alpha*(theta0 + Delta) + alpha_s*delta_theta) - L_nom"
    drawn = sample(propagate(model, inputs, name="dL", units="nm"), trials=TRIALS, seed=1)
    assert drawn.value == pytest.approx(838, abs=0.51)
    assert drawn.u == pytest.approx(36, abs=0.51)
    assert drawn.interval(0.99, kind="shortest") == pytest.approx((745, 932), abs=1.6)
