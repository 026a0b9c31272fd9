"""Reference functions of thermocouples and platinum thermometers against printed tables."""

import numpy as np
import pytest

from analysis.calibration import sensors
from analysis.core import CalibrationError
from analysis.uncertainty import Quantity

VALIDATION = [
    {
        "what": "Thermocouples of eight types: emf at table points, continuity, and the way back",
        "against": "NIST Monograph 175 (SRD 60), IEC 60584-1",
        "agreement": "half a microvolt; there and back 1e-8 °C",
    },
    {
        "what": "Platinum resistance thermometer of 100 ohm",
        "against": "IEC 60751:2008, table 1",
        "agreement": "half of 0.01 ohm",
    },
]

# NIST SRD 60: emf in mV at degC, reference junction at 0 degC
TABLE = {
    "B": {100: 0.033, 500: 1.242, 1000: 4.834, 1500: 10.099, 1800: 13.591},
    "E": {-200: -8.825, 100: 6.319, 500: 37.005, 1000: 76.373},
    "J": {-100: -4.633, 100: 5.269, 500: 27.393, 1000: 57.953},
    "K": {-200: -5.891, -100: -3.554, 100: 4.096, 500: 20.644, 1000: 41.276, 1300: 52.410},
    "N": {-200: -3.990, 100: 2.774, 500: 16.748, 1000: 36.256, 1300: 47.513},
    "R": {100: 0.647, 500: 4.471, 1000: 10.506, 1500: 17.451, 1700: 20.222},
    "S": {0: 0.000, 100: 0.646, 1000: 9.587, 1400: 14.373, 1700: 17.947},
    "T": {-200: -5.603, -100: -3.379, 100: 4.279, 300: 14.862},
}


def degrees(value, u=0.0):
    return Quantity(value=value, u=u, units="degC")


@pytest.mark.parametrize("kind", TABLE)
def test_the_emf_at_table_points(kind):
    couple = sensors.thermocouple(kind)
    for t, emf in TABLE[kind].items():
        found = couple.emf(degrees(t))
        assert found.value == pytest.approx(emf, abs=5.1e-4)
        assert found.units == "mV"


@pytest.mark.parametrize("kind", TABLE)
def test_the_pieces_join_and_the_way_back_is_exact(kind):
    couple = sensors.thermocouple(kind)
    for _, joint, _ in couple.pieces[:-1]:
        below, above = (couple.emf(degrees(joint + step)).value for step in (-1e-6, 1e-6))
        assert above - below == pytest.approx(0.0, abs=1e-6)
    for t in np.linspace(max(couple.low, 50.0 if kind == "B" else -260.0), couple.high, 23):
        assert couple.temperature(couple.emf(degrees(t))).value == pytest.approx(t, abs=1e-7)


def test_the_reference_junction_enters_with_its_uncertainty():
    # slope of type K near 24 degC: NIST table, (1.000 - 0.960) mV per K; at 500 degC (20.687 - 20.644) mV per K
    couple = sensors.thermocouple("K")
    emf, cold = Quantity(value=19.684, u=0.0, units="mV"), degrees(24.0, 0.5)
    found = couple.temperature(emf, reference=cold)
    assert found.value == pytest.approx(500.0, abs=0.02)
    assert found.u == pytest.approx(0.5 * 0.0405 / 0.0426, rel=0.01)
    again = couple.temperature(Quantity(value=19684.0, u=10.0, units="uV"), reference=cold)
    assert again.u == pytest.approx(np.hypot(found.u, 0.010 / 0.0426), rel=0.01)
    assert again.covariance(found) == pytest.approx(found.u**2, rel=1e-3)


def test_temperatures_outside_a_reference_function_are_refused():
    with pytest.raises(CalibrationError, match="lies outside"):
        sensors.thermocouple("T").emf(degrees(500))
    with pytest.raises(CalibrationError, match="emf in mV"):
        sensors.thermocouple("B").temperature(Quantity(value=0.0, u=0.001, units="mV"))
    with pytest.raises(CalibrationError, match="no thermocouple of type 'X'"):
        sensors.thermocouple("X")
    with pytest.raises(CalibrationError, match="must be a Quantity"):
        sensors.thermocouple("K").emf(100.0)
    with pytest.raises(CalibrationError, match="must be in 'mV'"):
        sensors.thermocouple("K").temperature(degrees(3))


def test_a_pt100_has_the_resistances_of_the_table():
    for t, ohm in {-200: 18.52, -100: 60.26, 0: 100.0, 100: 138.51, 200: 175.86, 850: 390.48}.items():
        found = sensors.pt100().resistance(degrees(t))
        assert found.value == pytest.approx(ohm, abs=5.1e-3)
        assert sensors.pt100().temperature(found).value == pytest.approx(t, abs=1e-8)


def test_the_coefficients_of_a_certificate_enter_with_their_sources():
    r0 = Quantity(value=100.02, u=0.004, units="ohm", label="R0")
    own = sensors.pt100(r0=r0)
    measured = Quantity(value=138.5, u=0.002, units="ohm", label="bridge")
    found = own.temperature(measured)

    def by_hand(resistance, zero):  # closed form above 0 degC
        a, b = 3.9083e-3, -5.775e-7
        return (-a + np.sqrt(a**2 - 4 * b * (1 - resistance / zero))) / (2 * b)

    assert found.value == pytest.approx(by_hand(138.5, 100.02), abs=1e-9)
    moves = [by_hand(138.502, 100.02) - found.value, by_hand(138.5, 100.024) - found.value]
    assert found.u == pytest.approx(np.hypot(*moves), rel=1e-4)
    assert (own.resistance(found) - measured).u < 1e-12  # what went in comes out with its sources


def test_the_classes_are_rectangular_limits():
    # IEC 60751: class B, 0.3 + 0.005 |t|
    assert sensors.pt100().tolerance(100.0, grade="B").u == pytest.approx(0.8 / np.sqrt(3))
    with pytest.raises(CalibrationError, match="no class 'D'"):
        sensors.pt100().tolerance(0.0, grade="D")
    with pytest.raises(CalibrationError, match="class AA"):
        sensors.pt100().tolerance(300.0, grade="AA")
