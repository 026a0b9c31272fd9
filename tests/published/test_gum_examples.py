"""Worked examples of JCGM 100:2008 (GUM): H.1, H.2, H.3 and G.4.1.

Expected figures are those the guide prints; a tolerance is half a unit of their last digit unless said.
"""

import itertools
import math

import numpy as np
import pytest

from analysis.uncertainty import (
    Quantity,
    correlated,
    coverage_factor,
    distributions,
    propagate,
    truncated_dof,
    type_a,
    type_a_jointly,
)

VALIDATION = [
    {
        "what": "Worked examples of the GUM: end gauge (H.1), simultaneous resistance and reactance (H.2), "
        "thermometer line (H.3), degrees of freedom (G.4.1)",
        "against": "JCGM 100:2008, annexes G and H",
        "agreement": "half a unit of the last printed digit",
    }
]
RECTANGULAR = distributions.rectangular()


def rectangular(value, half_width, units, **settings):
    u = distributions.u_from_half_width(half_width, RECTANGULAR)
    return Quantity(value=value, u=u, units=units, distribution=RECTANGULAR, **settings)


@pytest.fixture
def end_gauge():
    """JCGM 100:2008, H.1, table H.1."""
    return {
        "l_s": Quantity(value=50000623, u=25, units="nm", dof=18, label="standard"),
        "d0": Quantity(value=215, u=5.8, units="nm", dof=24, label="repeated observations"),
        "d1": Quantity(value=0, u=3.9, units="nm", dof=5, label="random effects of comparator"),
        "d2": Quantity(value=0, u=6.7, units="nm", dof=8, label="systematic effects of comparator"),
        "alpha_s": rectangular(11.5e-6, 2e-6, "K-1"),
        "delta_alpha": rectangular(0, 1e-6, "K-1", dof=50, label="difference in expansion coefficients"),
        "delta_theta": rectangular(0, 0.05, "K", dof=2, label="difference in temperatures"),
        "theta_bar": Quantity(value=-0.1, u=0.2, units="K"),
        "delta": Quantity(
            value=0,
            u=distributions.u_from_half_width(0.5, distributions.arcsine()),
            units="K",
            distribution=distributions.arcsine(),
        ),
    }


END_GAUGE = "l_s + (d0 + d1 + d2) - l_s*(delta_alpha*(theta_bar + delta) + alpha_s*delta_theta)"


def end_gauge_function(*, l_s, d0, d1, d2, alpha_s, delta_alpha, delta_theta, theta_bar, delta):
    return l_s + (d0 + d1 + d2) - l_s * (delta_alpha * (theta_bar + delta) + alpha_s * delta_theta)


@pytest.mark.parametrize("model", [END_GAUGE, end_gauge_function], ids=["formula", "function"])
def test_the_end_gauge_has_the_length_and_uncertainty_of_h1(end_gauge, model):
    budget = propagate(model, end_gauge, name="l", units="nm")
    assert budget.value == pytest.approx(50000838, abs=0.51)
    assert budget.u == pytest.approx(32, abs=0.51)
    assert truncated_dof(budget.dof) == 16
    assert coverage_factor(budget.dof, 0.99) == pytest.approx(2.92, abs=0.0051)
    assert budget.U(0.99) == pytest.approx(93, abs=0.6)  # the guide multiplies the rounded 2.92 and 32
    by_input = {each.name: each.u for each in budget.by_input}
    assert by_input["delta_theta"] == pytest.approx(16.6, abs=0.06)
    assert by_input["delta_alpha"] == pytest.approx(2.9, abs=0.06)
    assert by_input["theta_bar"] == by_input["alpha_s"] == by_input["delta"] == 0


def test_the_inputs_of_h1_without_first_order_effect_are_flagged(end_gauge):
    notes = " ".join(propagate(END_GAUGE, end_gauge, name="l", units="nm").notes)
    for name in ("theta_bar", "alpha_s", "delta"):
        assert f"sensitivity of l to {name} is zero" in notes


def test_the_measured_difference_of_h1_has_25_6_degrees_of_freedom(end_gauge):
    parts = {name: end_gauge[name] for name in ("d0", "d1", "d2")}
    budget = propagate("d0 + d1 + d2", parts, name="d", units="nm")
    assert budget.u == pytest.approx(9.7, abs=0.051)
    assert budget.dof == pytest.approx(25.6, abs=0.2)  # the guide computes it from the rounded 9.7


def test_second_order_terms_of_h1_raise_u_to_34_nm(end_gauge):
    # JCGM 100:2008, H.1.7: 11.7 nm and 1.7 nm in quadrature to 32 nm give 34 nm.
    budget = propagate(END_GAUGE, end_gauge, name="l", units="nm", order=2)
    assert budget.u == pytest.approx(34, abs=0.51)
    extra = next(each.u for each in budget.contributions if each.name == "second-order terms")
    assert extra == pytest.approx(math.hypot(11.7, 1.7), abs=0.08)


# JCGM 100:2008, H.2, table H.2.
VOLTS = [5.007, 4.994, 5.005, 4.990, 4.999]
AMPERES = [19.663e-3, 19.639e-3, 19.640e-3, 19.685e-3, 19.678e-3]
RADIANS = [1.0456, 1.0438, 1.0468, 1.0428, 1.0433]


@pytest.fixture
def readings():
    return type_a_jointly({"V": VOLTS, "I": AMPERES, "phi": RADIANS}, units={"V": "V", "I": "A", "phi": "rad"})


@pytest.fixture
def impedance(readings):
    formulas = {"R": "V/I*cos(phi)", "X": "V/I*sin(phi)", "Z": "V/I"}
    return propagate(formulas, readings, name="impedance", units=dict.fromkeys("RXZ", "ohm"))


def test_means_of_simultaneous_readings_are_those_of_table_h2(readings):
    assert readings["V"].value == pytest.approx(4.9990, abs=5.1e-5)
    assert readings["V"].u == pytest.approx(0.0032, abs=5.1e-5)
    assert readings["I"].value == pytest.approx(19.6610e-3, abs=6e-8)
    assert readings["I"].u == pytest.approx(0.0095e-3, abs=5.1e-8)
    assert readings["phi"].value == pytest.approx(1.04446, abs=5.1e-6)
    assert readings["phi"].u == pytest.approx(0.00075, abs=5.1e-6)


def test_correlations_of_simultaneous_readings_are_those_of_table_h2(readings):
    assert readings["V"].correlation(readings["I"]) == pytest.approx(-0.36, abs=0.0051)
    assert readings["V"].correlation(readings["phi"]) == pytest.approx(0.86, abs=0.0051)
    assert readings["I"].correlation(readings["phi"]) == pytest.approx(-0.65, abs=0.0051)


def test_resistance_reactance_and_impedance_are_those_of_table_h4(impedance):
    assert impedance["R"].value == pytest.approx(127.732, abs=0.00051)
    assert impedance["R"].u == pytest.approx(0.071, abs=0.00051)
    assert impedance["X"].value == pytest.approx(219.847, abs=0.00051)
    assert impedance["X"].u == pytest.approx(0.295, abs=0.0007)  # 0.29558 unrounded
    assert impedance["Z"].value == pytest.approx(254.260, abs=0.00051)
    assert impedance["Z"].u == pytest.approx(0.236, abs=0.00051)


def test_correlations_of_the_results_are_those_of_table_h4(impedance):
    assert impedance["R"].correlation(impedance["X"]) == pytest.approx(-0.588, abs=0.00051)
    assert impedance["R"].correlation(impedance["Z"]) == pytest.approx(-0.485, abs=0.00051)
    assert impedance["X"].correlation(impedance["Z"]) == pytest.approx(0.993, abs=0.00051)


def test_simultaneous_readings_keep_their_four_degrees_of_freedom(impedance):
    # Willink, Metrologia 44 (2007) 340: one ensemble of five readings has 4, whatever is made of it.
    for budget in impedance.values():
        assert budget.dof == pytest.approx(4, abs=1e-9)


def test_given_coefficients_do_what_simultaneous_readings_do(readings, impedance):
    alone = {
        name: type_a(data, units=units)
        for name, data, units in zip(("V", "I", "phi"), (VOLTS, AMPERES, RADIANS), ("V", "A", "rad"), strict=True)
    }
    given = {(a, b): readings[a].correlation(readings[b]) for a, b in itertools.combinations(readings, 2)}
    budget = propagate("V/I*cos(phi)", alone, name="R", units="ohm", correlation=given)
    assert budget.value == pytest.approx(impedance["R"].value, rel=1e-12)
    assert budget.u == pytest.approx(impedance["R"].u, rel=1e-9)
    assert budget.dof == pytest.approx(4)


# JCGM 100:2008, H.3, table H.6.
TEMPERATURES = [21.521, 22.012, 22.512, 23.003, 23.507, 23.999, 24.513, 25.002, 25.503, 26.010, 26.511]
CORRECTIONS = [-0.171, -0.169, -0.166, -0.159, -0.164, -0.165, -0.156, -0.157, -0.159, -0.161, -0.160]


@pytest.fixture
def thermometer():
    """Intercept and slope by the closed form of least squares, as H.3.2 writes it."""
    theta = np.array(TEMPERATURES) - 20
    b = np.array(CORRECTIONS)
    n, d = theta.size, theta.size * (theta**2).sum() - theta.sum() ** 2
    y1 = (b.sum() * (theta**2).sum() - (b * theta).sum() * theta.sum()) / d
    y2 = (n * (b * theta).sum() - b.sum() * theta.sum()) / d
    s2 = ((b - y1 - y2 * theta) ** 2).sum() / (n - 2)
    covariance = s2 / d * np.array([[(theta**2).sum(), -theta.sum()], [-theta.sum(), n]])
    return correlated([y1, y2], covariance, units=["degC", "1"], dof=n - 2, labels=["y1", "y2"])


def test_the_line_of_h3_has_its_parameters_and_correlation(thermometer):
    y1, y2 = thermometer
    assert y1.value == pytest.approx(-0.1712, abs=5.1e-5)
    assert y1.u == pytest.approx(0.0029, abs=5.1e-5)
    assert y2.value == pytest.approx(0.00218, abs=5.1e-6)
    assert y2.u == pytest.approx(0.00067, abs=5.1e-6)
    assert y1.correlation(y2) == pytest.approx(-0.930, abs=0.00051)


def test_the_correction_at_30_degrees_of_h3_keeps_the_covariance(thermometer):
    y1, y2 = thermometer
    at = {
        "y1": y1,
        "y2": y2,
        "t": Quantity(value=30, u=0, units="degC"),
        "t0": Quantity(value=20, u=0, units="degC"),
    }
    budget = propagate("y1 + y2*(t - t0)", at, name="b(30)", units="degC")
    assert budget.value == pytest.approx(-0.1494, abs=5.1e-5)
    assert budget.u == pytest.approx(0.0041, abs=5.1e-5)
    assert budget.dof == pytest.approx(9)
    algebra = y1 + y2 * (at["t"] - at["t0"])
    assert algebra.u == pytest.approx(budget.u, rel=1e-12)
    assert algebra.dof == pytest.approx(9)


def test_the_product_of_g41_has_19_degrees_of_freedom():
    # JCGM 100:2008, G.4.1: relative standard uncertainties in per cent of 10, 5 and 15 observations.
    inputs = {
        f"x{i}": Quantity(value=1, u=percent / 100, units="1", dof=n - 1)
        for i, (percent, n) in enumerate([(0.25, 10), (0.57, 5), (0.82, 15)])
    }
    budget = propagate("x0*x1*x2", inputs, name="y", units="1")
    assert 100 * budget.u == pytest.approx(1.03, abs=0.0051)
    assert budget.dof == pytest.approx(19.0, abs=0.051)
    assert 100 * budget.U(0.95) == pytest.approx(2.2, abs=0.06)
