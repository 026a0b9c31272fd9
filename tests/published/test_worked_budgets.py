"""Worked budgets: GUM H.3 to H.5, QUAM A1 and A3, NIST TN 1900 E3 and E13, NPL DEM-ES-011, JCGM 106.

Tolerances are half a unit of the last printed digit unless said.
"""

import math

import numpy as np
import pytest
from scipy import integrate, stats

from analysis.uncertainty import (
    Quantity,
    anova,
    compare,
    conformity,
    distributions,
    global_risks,
    propagate,
    regression,
    sample,
    type_a,
    type_a_jointly,
)

VALIDATION = [
    {
        "what": "Worked examples of the GUM: line by regression (H.3), activity with correlated readings (H.4), "
        "analysis of variance (H.5)",
        "against": "JCGM 100:2008, annex H",
        "agreement": "half a unit of the last printed digit",
    },
    {
        "what": "Cadmium standard (A1) and acid/base titration (A3) with every component",
        "against": "EURACHEM/CITAC QUAM:2012, annex A",
        "agreement": "printed digits",
    },
    {
        "what": "Falling-ball viscometer (E3) by Monte Carlo, thermal expansion (E13)",
        "against": "NIST TN 1900",
        "agreement": "printed digits, within the sampling error of both",
    },
    {
        "what": "Logarithm of a rectangular quantity, where linear propagation is wrong",
        "against": "NPL DEM-ES-011, table 9.2",
        "agreement": "printed digits, within the sampling error of both",
    },
    {
        "what": "Probability of conformity of a Zener diode; PFA and PFR at a test uncertainty ratio of 4",
        "against": "normal distribution function and integrals of the joint density (JCGM 106:2012, clauses 7 and 9)",
        "agreement": "1e-6",
    },
]
TRIALS = 1_000_000
FLAT, PEAKED = distributions.rectangular(), distributions.triangular()


def within(value, half_width, units, shape=FLAT):
    u = distributions.u_from_half_width(half_width, shape)
    return Quantity(value=value, u=u, units=units, distribution=shape)


def test_the_thermometer_of_h3_is_a_regression():
    # JCGM 100:2008, H.3.3 and H.3.4.
    at = np.array([21.521, 22.012, 22.512, 23.003, 23.507, 23.999, 24.513, 25.002, 25.503, 26.010, 26.511]) - 20
    b = [-0.171, -0.169, -0.166, -0.159, -0.164, -0.165, -0.156, -0.157, -0.159, -0.161, -0.160]
    line = regression(at, b, units="K", x_units="K")
    y1, y2 = line.parameters
    assert (y1.value, y1.u) == (pytest.approx(-0.1712, abs=5.1e-5), pytest.approx(0.0029, abs=5.1e-5))
    assert (y2.value, y2.u) == (pytest.approx(0.00218, abs=5.1e-6), pytest.approx(0.00067, abs=5.1e-6))
    assert y1.correlation(y2) == pytest.approx(-0.930, abs=5.1e-4)
    assert line.residual_sd == pytest.approx(0.0035, abs=5.1e-5)
    at30 = line.predict(10)
    assert (at30.value, at30.u) == (pytest.approx(-0.1494, abs=5.1e-5), pytest.approx(0.0041, abs=5.1e-5))
    assert at30.dof == pytest.approx(9)


# JCGM 100:2008, H.4, table H.7: time in minutes and counts of standard, blank and sample, in six cycles.
CYCLES = np.array(
    [
        [243.74, 15380, 305.56, 4054, 367.37, 41432],
        [984.53, 14978, 1046.10, 3922, 1107.66, 38706],
        [1723.87, 14394, 1785.43, 4200, 1846.99, 35860],
        [2463.17, 13254, 2524.73, 3830, 2586.28, 32238],
        [3217.56, 12516, 3279.12, 3956, 3340.68, 29640],
        [3956.83, 11058, 4018.38, 3980, 4079.94, 26356],
    ]
)


def test_the_activity_of_h4_keeps_the_correlation_of_its_readings():
    decay, minutes = 1.25894e-4, 60
    t_s, c_s, _, c_b, t_x, c_x = CYCLES.T
    rates = {
        "R_x": (c_x - c_b) / minutes * np.exp(decay * t_x),
        "R_S": (c_s - c_b) / minutes * np.exp(decay * t_s),
    }
    read = type_a_jointly(rates, units=dict.fromkeys(rates, "min-1"))
    assert (read["R_x"].value, read["R_x"].u) == pytest.approx((652.60, 6.42), abs=5.1e-3)
    assert (read["R_S"].value, read["R_S"].u) == pytest.approx((206.09, 3.79), abs=5.1e-3)
    assert read["R_x"].correlation(read["R_S"]) == pytest.approx(0.646, abs=5.1e-4)
    certified = {
        "A_S": Quantity(value=0.1368, u=0.0018, units="Bq/g"),
        "m_S": Quantity(value=5.0192, u=0.005, units="g"),
        "m_x": Quantity(value=5.0571, u=0.001, units="g"),
    }
    first = propagate("A_S*m_S/m_x*R_x/R_S", certified | read, name="A_x", units="Bq/g")
    assert first.value == pytest.approx(0.4300, abs=1e-4)  # the guide rounds R to 3.167 first; 0.42995 unrounded
    assert first.u == pytest.approx(0.0083, abs=5.1e-5)
    ratio = type_a(rates["R_x"] / rates["R_S"], units="1")
    second = propagate("A_S*m_S/m_x*R", certified | {"R": ratio}, name="A_x", units="Bq/g")
    assert (second.value, second.u) == pytest.approx((0.4304, 0.0084), abs=5.1e-5)


def test_the_voltage_standard_of_h5_has_a_component_between_days():
    # JCGM 100:2008, H.5, table H.9: means and standard deviations of 5 readings on each of 10 days.
    means = [10 + 1e-6 * each for each in (172, 116, 13, 144, 106, 31, 60, 125, 163, 41)]
    spreads = [60, 77, 111, 101, 67, 93, 80, 73, 88, 86]
    shape = np.array([-2, -1, 0, 1, 2]) / math.sqrt(2.5)
    found = anova([m + 1e-6 * s * shape for m, s in zip(means, spreads, strict=True)], units="V")
    assert found.mean.value == pytest.approx(10.000097, abs=5.1e-7)
    assert math.sqrt(found.ms_between) == pytest.approx(128e-6, abs=0.6e-6)
    assert found.residual_sd == pytest.approx(85e-6, abs=0.51e-6)
    assert pytest.approx(2.25, abs=0.02) == found.F  # of the rounded 128 and 85
    assert found.mean.u == pytest.approx(18e-6, abs=0.51e-6)
    assert found.mean.dof == 9
    assert found.sd_between == pytest.approx(43e-6, abs=0.51e-6)


def components(budget):
    return {each.name: each.u for each in budget.by_input}


def test_the_cadmium_standard_of_quam_a1_has_its_components():
    inputs = {
        "P": within(0.9999, 0.0001, "1"),
        "m": Quantity(value=100.28, u=0.05, units="mg"),
        "V_flask": within(100, 0.1, "mL", PEAKED),
        "V_rep": Quantity(value=0, u=0.02, units="mL"),
        "V_T": within(0, 0.084, "mL"),
    }
    budget = propagate("m*P/(V_flask + V_rep + V_T)", inputs, name="c", units="mg/L")
    assert budget.value == pytest.approx(1002.7, abs=0.051)
    assert budget.u == pytest.approx(0.835199, abs=6e-6)
    found = components(budget)
    assert found["m"] == pytest.approx(0.49995, abs=6e-6)
    assert found["V_T"] == pytest.approx(0.486284, abs=1.2e-6)
    assert found["V_flask"] == pytest.approx(0.40935, abs=6e-6)
    assert found["V_rep"] == pytest.approx(0.20054, abs=6e-6)
    assert found["P"] == pytest.approx(0.0578967, abs=6e-8)
    volume = math.hypot(found["V_T"], found["V_flask"], found["V_rep"])
    assert volume == pytest.approx(0.666525, abs=1.2e-6)


# QUAM:2012, A2 and A3: IUPAC atomic weights as the guide has them, with half-widths, of potassium hydrogen phthalate.
ATOMS = {"C": (8, 12.0107, 0.0008), "H": (5, 1.00794, 0.00007), "O": (4, 15.9994, 0.0003), "K": (1, 39.0983, 0.0001)}


def volume(value, calibration, temperature):
    return within(value, calibration, "mL", PEAKED) + within(0, temperature * 2.1e-4 * 4, "mL")


def titration(repeatability, bias=None):
    mass = Quantity(value=0.3888, u=0, units="g") + within(0, 0.00015, "g") + within(0, 0.00015, "g")
    molar = Quantity(value=0, u=0, units="g/mol")
    for count, value, half_width in ATOMS.values():
        molar = molar + count * within(value, half_width, "g/mol")
    first, second = volume(18.64, 0.03, 19), volume(14.89, 0.03, 15)
    if bias is not None:
        first, second = first - bias(), second - bias()
    inputs = {
        "R": Quantity(value=1, u=repeatability, units="1"),
        "m": mass,
        "P": within(1, 0.0005, "1"),
        "V_T1": first,
        "V_T2": second,
        "M": molar,
        "V": volume(15, 0.02, 15),
    }
    return propagate("R*m*P*V_T2/(V_T1*M*V)", inputs, name="c", units="mol/L")


def test_the_titration_of_quam_a3_has_its_components():
    budget = titration(0.001)
    assert budget.value == pytest.approx(0.10139, abs=5.1e-6)
    assert budget.u == pytest.approx(0.0001843, abs=6e-8)
    found = components(budget)
    assert found["R"] == pytest.approx(0.000101387, abs=6e-10)
    assert found["V_T2"] == pytest.approx(9.69953e-05, abs=6e-11)
    assert found["V_T1"] == pytest.approx(8.33653e-05, abs=6e-11)
    assert found["V"] == pytest.approx(7.39151e-05, abs=6e-11)
    assert found["m"] == pytest.approx(3.19376e-05, abs=6e-11)
    assert found["P"] == pytest.approx(2.9268e-05, abs=6e-10)


def test_the_titration_of_quam_a3_has_its_variants():
    assert titration(0.001 / math.sqrt(3)).u == pytest.approx(0.00016, abs=5.1e-6)
    biased = titration(0.001 / math.sqrt(3), bias=lambda: Quantity(value=0.05, u=0.03, units="mL"))
    assert biased.value == pytest.approx(0.10132, abs=5.1e-6)
    assert biased.u == pytest.approx(0.0003096, abs=1e-7)


def test_thermal_expansion_of_tn1900_e13():
    inputs = {
        "L0": Quantity(value=1.4999, u=0.0001, units="m", dof=3),
        "L1": Quantity(value=1.5021, u=0.0002, units="m", dof=3),
        "T0": Quantity(value=288.15, u=0.02, units="K", dof=3),
        "T1": Quantity(value=373.10, u=0.05, units="K", dof=3),
    }
    budget = propagate("(L1 - L0)/(L0*(T1 - T0))", inputs, name="alpha", units="K-1")
    assert budget.value == pytest.approx(1.7266e-5, abs=6e-10)
    assert budget.u == pytest.approx(1.76e-6, abs=1e-8)


def test_the_viscometer_of_tn1900_e3_needs_monte_carlo():
    inputs = {
        "mu_C": Quantity(value=4.63, u=0.0463, units="mPa s"),
        "t_M": Quantity(value=61, u=6.1, units="s"),
        "t_C": Quantity(value=36.6, u=5.49, units="s"),
        "rho_B": Quantity(value=2217, u=0.5, units="kg m-3"),
        "rho_M": Quantity(value=1180, u=0.5, units="kg m-3"),
        "rho_C": Quantity(value=810, u=0.5, units="kg m-3"),
    }
    budget = propagate("mu_C*(t_M/t_C)*(rho_B - rho_M)/(rho_B - rho_C)", inputs, name="mu_M", units="mPa s")
    assert budget.value == pytest.approx(5.69, abs=0.01)
    assert budget.u == pytest.approx(1.11, abs=0.1)  # the printed one is of the draws; 1.027 at first order
    assert any("would shift the estimate of mu_M" in note for note in budget.notes)
    drawn = sample(budget, trials=TRIALS, seed=1)
    assert drawn.value == pytest.approx(5.82, abs=0.01)
    assert drawn.u == pytest.approx(1.11, abs=0.015)
    assert drawn.interval() == (pytest.approx(4.05, abs=0.015), pytest.approx(8.39, abs=0.02))
    assert not compare(budget, drawn).valid


def test_the_logarithm_of_a_rectangular_quantity_is_not_linear():
    budget = propagate("log(x)", {"x": within(0.6, 0.5, "1")}, name="y", units="1")
    assert (budget.value, budget.u) == pytest.approx((-0.511, 0.481), abs=5.1e-4)
    assert budget.interval()[1] == pytest.approx(0.432, abs=1e-3)
    drawn = sample(budget, trials=TRIALS, seed=1)
    assert drawn.value == pytest.approx(-0.665, abs=2.4e-3)  # 4 standard errors of a mean
    assert drawn.u == pytest.approx(0.606, abs=2e-3)
    assert drawn.interval(kind="shortest") == (pytest.approx(-1.895, abs=5e-3), pytest.approx(0.095, abs=1e-3))
    assert "linear propagation is not valid for this result" in compare(budget, drawn).sentence


def test_a_zener_diode_below_its_limit_conforms_with_92_percent():
    # Normal distribution function at (5.47 - 5.40) / 0.05 = 1.4 (the example of JCGM 106:2012, 7.3, as remembered).
    found = conformity(Quantity(value=-5.47, u=0.05, units="V"), upper=-5.40)
    assert found.probability == pytest.approx(stats.norm.cdf(1.4), rel=1e-12)


def test_the_global_risks_are_those_of_the_joint_density():
    # A tolerance of two standard deviations of the items, measured with a quarter of it as U; by integration.
    u = 2 / 4 / 2
    found = global_risks(u, prior=Quantity(value=0, u=1, units="1"), lower=-2, upper=2)

    def accepted(x):
        return stats.norm.cdf((2 - x) / u) - stats.norm.cdf((-2 - x) / u)

    false_accept = 2 * integrate.quad(lambda x: stats.norm.pdf(x) * accepted(x), 2, 12)[0]
    false_reject = integrate.quad(lambda x: stats.norm.pdf(x) * (1 - accepted(x)), -2, 2)[0]
    assert found.conforming == pytest.approx(1 - 2 * stats.norm.cdf(-2), rel=1e-9)
    assert found.pfa == pytest.approx(false_accept, rel=1e-6)
    assert found.pfr == pytest.approx(false_reject, rel=1e-6)
