"""The index of moist air against printed values."""

import pytest

from analysis.calibration import AirConditions
from analysis.uncertainty import Quantity

VALIDATION = [
    {
        "what": "Refractive index of air, -40 degC to 50 degC, 60 kPa to 120 kPa, dry to saturated, 300 nm to 1700 nm",
        "against": "NIST Engineering Metrology Toolbox, Index of refraction of air, table 1 (Ciddor equation)",
        "agreement": "1e-9 in n, the last printed digit",
    },
    {
        "what": "Phase refractivity of moist air at 633 nm with 440e-6 to 610e-6 CO2",
        "against": "Ciddor, Applied Optics 35 (1996) 1566, table 2",
        "agreement": "1e-8 in n - 1",
    },
]

# degC, % relative humidity, kPa, nm, index
TOOLBOX = [
    (20, 0, 101.325, 633, 1.000271800), (20, 0, 60, 633, 1.000160924), (20, 0, 120, 633, 1.000321916),
    (50, 0, 100, 633, 1.000243285), (5, 0, 100, 633, 1.000282756), (-40, 0, 100, 633, 1.000337580),
    (50, 100, 120, 633, 1.000287924), (40, 75, 120, 633, 1.000299418), (20, 100, 100, 633, 1.000267394),
    (40, 100, 110, 1700, 1.000270247), (20, 0, 101.325, 1700, 1.000268479), (40, 100, 110, 300, 1.000289000),
    (20, 0, 101.325, 300, 1.000286581), (-40, 0, 120, 300, 1.000427233),
]  # fmt: skip

# degC, Pa, Pa of water vapour, 1e-6 of CO2, 1e8 (n - 1)
CIDDOR = [
    (19.526, 102094.8, 1065, 510, 27392.9), (19.517, 102096.8, 1065, 510, 27394.0),
    (19.173, 102993.0, 641, 450, 27682.4),
    (19.173, 103006.0, 642, 440, 27685.8), (19.188, 102918.8, 706, 450, 27658.7), (19.189, 102927.8, 708, 440, 27660.8),
    (19.532, 103603.2, 986, 600, 27802.0), (19.534, 103596.2, 962, 600, 27800.8), (19.534, 103599.2, 951, 610, 27802.2),
]  # fmt: skip


def exact(value, units):
    return Quantity(value=value, u=0.0, units=units)


@pytest.mark.parametrize("row", TOOLBOX, ids=str)
def test_the_table_of_the_metrology_toolbox(row):
    degrees, humidity, kilopascal, wavelength, index = row
    air = AirConditions(
        temperature=exact(degrees, "degC"), pressure=exact(kilopascal, "kPa"), humidity=exact(humidity, "%")
    )
    assert air.index(wavelength).value == pytest.approx(index, abs=1e-9)


@pytest.mark.parametrize("row", CIDDOR, ids=str)
def test_the_table_of_the_paper(row):
    degrees, pascal, vapour, co2, refractivity = row
    air = AirConditions(
        temperature=exact(degrees, "degC"),
        pressure=exact(pascal, "Pa"),
        humidity=exact(vapour, "Pa"),
        co2=exact(co2, "ppm"),
    )
    assert 1e8 * (air.index(633.0).value - 1.0) == pytest.approx(refractivity, abs=1.0)


def test_temperature_and_pressure_enter_as_for_an_ideal_gas():
    # closed form: n - 1 goes with p/T but for the compressibility, which is 4e-4
    base = {"temperature": exact(20.0, "degC"), "pressure": exact(101.325, "kPa")}
    size = AirConditions(**base).index(633.0).value - 1.0
    for name, quantity, expected in (
        ("temperature", Quantity(value=20.0, u=1.0, units="degC"), size / 293.15),
        ("pressure", Quantity(value=101.325, u=0.4, units="kPa"), size * 0.4 / 101.325),
    ):
        found = AirConditions(**(base | {name: quantity})).index(633.0)
        assert found.covariance(quantity) / quantity.u == pytest.approx(
            -expected if name == "temperature" else expected, rel=0.01
        )
