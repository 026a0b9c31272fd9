"""Thermistors against closed forms, a maker's table, a linear solver and redrawn points."""

import math

import numpy as np
import pytest

from analysis.calibration import sensors
from analysis.core import CalibrationError
from analysis.uncertainty import Quantity

# Amphenol Thermometrics, temperature resistance curves, rev. C (2014), material type 1: R / R25 = 3.264, 1, 0.3601
POINTS = [(32640.0, 0.0), (10000.0, 25.0), (3601.0, 50.0)]


def q(value, units, u=0.0):
    return Quantity(value=value, u=u, units=units)


def quantities(u_r=0.0, u_t=0.0, points=POINTS):
    return [(q(r, "ohm", r * u_r), q(t, "degC", u_t)) for r, t in points]


def usual(low=100.0, high=400e3):
    # Campbell Scientific, model 109 temperature probe, manual, 8.2: coefficients of Measurement Specialties
    a, b, c = 1.129241e-3, 2.341077e-4, 8.775468e-8
    return sensors.thermistor(a=q(a, "K-1"), b=q(b, "K-1"), c=q(c, "K-1"), low=low, high=high)


def solved(r, t):
    """Coefficients by a linear solver; r, t of shape (n, 3), t in degC."""
    x = np.log(r)
    return np.linalg.solve(np.stack([np.ones_like(x), x, x**3], axis=-1), (1 / (t + 273.15))[..., None])[..., 0]


@pytest.mark.parametrize(
    ("ohm", "degree"), [(336103.2, -40), (97006.9, -20), (55303.9, -10), (32650.9, 0), (31030.8, 1)]
)
def test_published_coefficients_give_the_published_table(ohm, degree):
    # Campbell Scientific, model 109SS temperature probe, manual, table C-1: the same thermistor (10K3MCD1), its output
    # to 0.01 degC; the resistances have one decimal, the coefficients seven digits
    assert usual().temperature(q(ohm, "ohm")).value == pytest.approx(degree, abs=0.005)


def test_three_rows_of_a_makers_table_give_the_others():
    # ILX Lightwave LDT-5525 manual, table A.1: a 10 kohm thermistor; it says the equation errs by less than 0.01 K.
    # Its row at 40 degC, 5331 ohm in the copy at hand, lies 0.5 K off the smooth curve and is left out as a misprint.
    table = [(32128, 0.0), (19549, 10.0), (12262, 20.0), (9814, 25.0), (7908, 30.0), (3542, 50.0)]
    found = sensors.thermistor_points(quantities(points=[table[0], table[3], table[5]]))
    for ohm, degree in table:
        assert found.temperature(q(float(ohm), "ohm")).value == pytest.approx(degree, abs=0.01)


def test_two_points_give_the_beta_equation():
    beta, r0, t0 = 3950.0, 10e3, 298.15
    r = lambda t: r0 * math.exp(beta * (1 / t - 1 / t0))  # noqa: E731
    found = sensors.thermistor_points([(q(r(t), "ohm"), q(t, "K")) for t in (273.15, 373.15)])
    assert found.resistance(q(320.0, "K")).value == pytest.approx(r(320.0), rel=1e-11)
    assert 1 / found.b.value == pytest.approx(beta, rel=1e-11)


def test_three_points_give_the_coefficients_of_a_linear_solver_in_any_order():
    r, t = np.array(POINTS).T
    expected = solved(r[None], t[None])[0]
    for order in (POINTS, POINTS[::-1]):
        found = sensors.thermistor_points(quantities(points=order))
        assert [found.a.value, found.b.value, found.c.value] == pytest.approx(list(expected), rel=1e-9)


def test_the_resistance_of_a_calibration_point_gives_its_temperature_with_its_sources_alone():
    points = quantities(1e-3, 0.02)
    found = sensors.thermistor_points(points)
    for resistance, temperature in points:
        off = found.temperature(resistance) - temperature
        assert abs(off.value) < 1e-9
        assert off.u < 1e-9


def test_there_and_back_is_the_same_temperature_with_the_same_sources_also_at_the_ends():
    found = sensors.thermistor_points(quantities(1e-3, 0.02))
    for value in (0.0, 13.0, 50.0):
        temperature = q(value, "degC", 0.1)
        off = found.temperature(found.resistance(temperature)) - temperature
        assert abs(off.value) < 1e-9
        assert off.u < 1e-9


def test_u_is_what_redrawn_points_and_readings_scatter_by():
    n, u_r, u_t = 20_000, 5e-4, 0.02
    rng = np.random.default_rng(4)
    r, t = np.array(POINTS).T
    drawn = solved(r * (1 + u_r * rng.standard_normal((n, 3))), t + u_t * rng.standard_normal((n, 3)))
    reading = 6000.0 * (1 + 1e-3 * rng.standard_normal(n))
    x = np.log(reading)
    temperatures = 1 / (drawn[:, 0] + drawn[:, 1] * x + drawn[:, 2] * x**3) - 273.15
    found = sensors.thermistor_points(quantities(u_r, u_t)).temperature(q(6000.0, "ohm", 6.0))
    assert found.u == pytest.approx(temperatures.std(ddof=1), rel=5 / math.sqrt(2 * n))
    assert found.value == pytest.approx(temperatures.mean(), abs=5 * found.u / math.sqrt(n))


@pytest.mark.parametrize("number", [0, 1, 4])
def test_a_number_of_points_that_fixes_no_equation_is_refused(number):
    with pytest.raises(CalibrationError, match=f"got {number}"):
        sensors.thermistor_points((quantities() * 2)[:number])


@pytest.mark.parametrize("points", [
    [(100.0, 0.0), (100.0, 10.0)],
    [(0.0, 0.0), (100.0, 10.0)],
    [(-5.0, 0.0), (100.0, 10.0)],
    [(100.0, -300.0), (200.0, 10.0)],
])  # fmt: skip
def test_points_that_no_thermistor_has_are_refused(points):
    with pytest.raises(CalibrationError, match="different resistances"):
        sensors.thermistor_points(quantities(points=points))


def test_a_resistance_that_rises_with_temperature_is_refused():
    with pytest.raises(CalibrationError, match="must fall"):
        sensors.thermistor_points(quantities(points=[(100.0, 0.0), (138.5, 100.0)]))


def test_what_lies_outside_the_range_is_refused_both_ways():
    found = sensors.thermistor_points(quantities())
    for ohm in (3600.0, 33000.0, -1.0):
        with pytest.raises(CalibrationError, match="outside"):
            found.temperature(q(ohm, "ohm"))
    for degree in (-0.01, 50.01):
        with pytest.raises(CalibrationError, match="outside"):
            found.resistance(q(degree, "degC"))


def test_wrong_units_and_plain_numbers_and_a_range_that_is_none_are_refused():
    with pytest.raises(CalibrationError, match="ohm"):
        usual().temperature(q(1.0, "V"))
    with pytest.raises(CalibrationError, match="Quantity"):
        usual().temperature(1000.0)
    with pytest.raises(CalibrationError, match="low < high"):
        usual(low=10.0, high=5.0)
