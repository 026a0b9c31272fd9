"""Meters, leads and self-heating: closed forms, redrawn errors, refusals."""

import math

import numpy as np
import pytest

from analysis.calibration import sensors
from analysis.core import CalibrationError
from analysis.uncertainty import Quantity, distributions

APPLIED = (-9.0, -4.0, 0.0, 4.0, 9.0)
GAIN, OFFSET = 1 + 30e-6, 50e-6


def q(value, units="V", u=0.0):
    return Quantity(value=value, u=u, units=units)


def points(u=1e-6):
    return [q(v, u=u) for v in APPLIED], [q(GAIN * v + OFFSET, u=1e-6) for v in APPLIED]


def limits(**changes):
    given = {"reading": 35.0, "range_": 5.0, "period": "90 d", "units": "V", "meter": "DMM 7"}
    return sensors.specification(**(given | changes))


def test_a_reading_is_corrected_for_offset_and_gain():
    applied, readings = points()
    found = sensors.meter_range(10.0, units="V", applied=applied, readings=readings)
    assert found.gain.value == pytest.approx(GAIN, rel=1e-12)
    assert found.offset.value == pytest.approx(OFFSET, rel=1e-9)
    for true in (-7.0, 0.3, 8.5):
        assert found.value(q(GAIN * true + OFFSET)).value == pytest.approx(true, abs=1e-12)
    # in other units too
    assert found.value(q((GAIN * 2 + OFFSET) * 1e3, "mV")).value == pytest.approx(2.0)


def test_the_error_of_the_calibrator_that_all_points_share_stays_in_the_value():
    calibrator = Quantity(value=1.0, u=8e-6, units="1", label="calibrator")
    applied = [q(v) * calibrator for v in APPLIED]
    applied = [each + q(0.0, u=1e-7) for each in applied]
    found = sensors.meter_range(10.0, units="V", applied=applied, readings=points()[1])
    (source,) = calibrator.parts()
    value = found.value(q(GAIN * 6 + OFFSET))
    assert value.parts()[source] == pytest.approx(8e-6 * 6, rel=1e-3)
    ratio = value / found.value(q(GAIN * 3 + OFFSET))
    assert abs(ratio.parts().get(source, 0.0)) < 1e-9


@pytest.mark.parametrize("reading", [-10.0, -0.2, 0.0, 3.0, 10.0])
def test_the_specification_is_a_rectangle_of_its_half_width(reading):
    found = sensors.meter_range(10.0, units="V", specification=limits()).value(q(reading))
    assert found.value == reading
    assert found.u == pytest.approx((35e-6 * abs(reading) + 5e-6 * 10) / math.sqrt(3), rel=1e-12)
    assert all(each.distribution == distributions.rectangular() for each in found.parts())
    assert all("within 90 d" in each.label and each.kind == "B" for each in found.parts())


def test_readings_of_one_range_share_their_errors_and_another_range_has_its_own():
    one = sensors.meter_range(10.0, units="V", specification=limits())
    same = one.value(q(5.0)) - one.value(q(5.0))
    assert same.u == 0.0
    near = one.value(q(5.0)) - one.value(q(4.9))
    assert near.u < 0.1 * one.value(q(5.0)).u
    both_ways = one.value(q(5.0)) + one.value(q(-5.0))
    assert both_ways.u >= 2 * 5e-6 * 10 / math.sqrt(3)  # the offset does not fall out of a sum
    other = sensors.meter_range(10.0, units="V", specification=limits())
    apart = one.value(q(5.0)) - other.value(q(5.0))
    assert apart.u == pytest.approx(math.sqrt(2) * one.value(q(5.0)).u)


def test_points_and_specification_add_up():
    applied, readings = points()
    plain = sensors.meter_range(10.0, units="V", applied=applied, readings=readings)
    both = sensors.meter_range(10.0, units="V", applied=applied, readings=readings, specification=limits())
    reading = q(GAIN * 6 + OFFSET)
    extra = limits().half_width(reading.value, 10.0) / math.sqrt(3)
    assert both.value(reading).u == pytest.approx(math.hypot(plain.value(reading).u, extra), rel=1e-9)
    assert "35 ppm of reading + 5 ppm of range), 90 d" in str(both)


def test_readings_beyond_the_range_and_ranges_that_are_none_are_refused():
    found = sensors.meter_range(10.0, units="V", specification=limits())
    for reading in (10.001, -10.001):
        with pytest.raises(CalibrationError, match="lies outside"):
            found.value(q(reading))
    applied, readings = points()
    calibrated = sensors.meter_range(10.0, units="V", applied=applied, readings=readings)
    with pytest.raises(CalibrationError, match="reached 0 times"):
        calibrated.value(q(9.5))
    with pytest.raises(CalibrationError, match="beyond the range"):
        sensors.meter_range(5.0, units="V", applied=applied, readings=readings)
    with pytest.raises(CalibrationError, match="points or a specification"):
        sensors.meter_range(10.0, units="V")
    with pytest.raises(CalibrationError, match="5 applied values and 4 readings"):
        sensors.meter_range(10.0, units="V", applied=applied, readings=readings[:4])
    with pytest.raises(CalibrationError, match="must be in 'V'"):
        found.value(q(1.0, "ohm"))
    for wrong in ({"reading": -1.0}, {"reading": 0.0, "range_": 0.0}):
        with pytest.raises(CalibrationError, match="ppm of reading"):
            limits(**wrong)


def test_two_wires_have_their_leads_taken_off_and_four_have_none():
    reading, leads = q(110.4, "ohm", 0.01), q(0.4, "ohm", 0.03)
    found = sensors.without_leads(reading, wires=2, leads=leads)
    assert (found.value, found.u) == pytest.approx((110.0, math.hypot(0.01, 0.03)))
    assert sensors.without_leads(reading, wires=4) == reading
    for wires, given in ((2, None), (4, leads), (3, leads)):
        with pytest.raises(CalibrationError, match="two wires need"):
            sensors.without_leads(reading, wires=wires, leads=given)
    with pytest.raises(CalibrationError, match="cannot be part of"):
        sensors.without_leads(reading, wires=2, leads=q(200.0, "ohm"))


def test_self_heating_falls_out_at_zero_current():
    # 0.4 mW/K-like heating: R(I) = R0 + s I²
    r0, s = 119.3971, 2.4e-3
    currents = [q(1.0, "mA"), q(math.sqrt(2), "mA")]
    readings = [q(r0 + s * each.value**2, "ohm") for each in currents]
    assert sensors.zero_current(readings, currents).value == pytest.approx(r0, rel=1e-13)
    kelvin = sensors.pt100().temperature(sensors.zero_current(readings, currents)).value
    assert kelvin == pytest.approx(sensors.pt100().temperature(q(r0, "ohm")).value, abs=1e-9)


def test_u_at_zero_current_is_what_redrawn_readings_and_currents_scatter_by():
    r = np.array([100.010, 100.040])
    i = np.array([1.0, 2.0])
    u_r, u_i, n = 2e-4, 4e-3, 200_000
    rng = np.random.default_rng(5)
    rs, currents = rng.normal(r, u_r, (n, 2)), rng.normal(i, u_i, (n, 2))
    p = currents**2
    drawn = rs[:, 0] - p[:, 0] * (rs[:, 1] - rs[:, 0]) / (p[:, 1] - p[:, 0])
    found = sensors.zero_current([q(v, "ohm", u_r) for v in r], [q(v, "mA", u_i) for v in i])
    assert found.value == pytest.approx(100.0, abs=1e-12)
    assert found.u == pytest.approx(drawn.std(), rel=5 / math.sqrt(2 * n) + 1e-3)


def test_currents_that_tell_nothing_are_refused():
    with pytest.raises(CalibrationError, match="must differ"):
        sensors.zero_current([q(100.0, "ohm")] * 2, [q(1.0, "mA"), q(-1.0, "mA")])
    with pytest.raises(CalibrationError, match="got 1 and 2"):
        sensors.zero_current([q(100.0, "ohm")], [q(1.0, "mA")] * 2)
