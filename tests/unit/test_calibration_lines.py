"""Reference lines and refraction."""

import numpy as np
import pytest

from analysis import calibration
from analysis.calibration import air
from analysis.core import CalibrationError
from analysis.uncertainty import sources


def test_a_line_has_its_published_value_u_and_a_fixed_source():
    # NIST ASD: Ne I 585.24878 nm in air, u 0.00005 nm in the table of CWA 18133
    table = calibration.lines("Ne", 585, 586, units="nm")
    assert float(table["value"][0]) == pytest.approx(585.24878, abs=2e-5)
    assert float(table["u"][0]) == pytest.approx(5e-5)
    [(source, part)] = sources.detach(table, "value").items()
    assert source.id == "line:Ne:585.24879"
    assert part[0] == pytest.approx(5e-5)


# Ne I in air, in angstrom: NIST ASD values as an arc-lamp list (Newport 6032 lamp) gives them; 5400.562 and 8780.622
# as the second neon table of ramanchada2 1.5.0 (neon_nist_wl_nm) does, from which ours was not made
NEON = (
    "5400.562 5852.488 5881.895 5944.834 5965.471 5975.534 6029.997 6074.338 6096.163 6143.063 6163.594 6217.281 "
    "6266.495 6304.789 6334.428 6382.991 6402.248 6506.528 6532.882 6598.953 6678.276 6717.043 6929.467 7024.050 "
    "7032.413 7059.108 7173.938 7245.166 7488.871 7535.774 7544.044 8136.406 8377.607 8418.426 8495.359 8780.622"
)


def test_the_neon_lines_are_those_of_another_table():
    table = calibration.lines("Ne", 500, 1000, units="nm")["value"].values
    published = np.array([float(text) for text in NEON.split()]) / 10
    nearest = table[np.abs(table[:, None] - published).argmin(axis=0)]
    np.testing.assert_allclose(nearest, published, atol=2e-4)


def test_lines_convert_to_other_units_of_length():
    in_nm, in_um = calibration.lines("Hg", 400, 600, units="nm"), calibration.lines("Hg", 0.4, 0.6, units="um")
    np.testing.assert_allclose(in_um["value"], in_nm["value"] / 1e3, rtol=1e-12)


@pytest.mark.parametrize(
    ("source", "low", "high", "units", "message"),
    [
        ("ne", 500, 600, "nm", r"no packaged lines of 'ne'.*Did you mean 'Ne'"),
        ("Ne", 100, 200, "nm", r"no line of Ne lies in 100 to 200 nm; its table spans 533"),
        ("Ne", 0, 4000, "cm-1", r"in 'nm', got units='cm-1'"),
    ],
)
def test_unknown_lines_are_refused(source, low, high, units, message):
    with pytest.raises(CalibrationError, match=message):
        calibration.lines(source, low, high, units=units)


def test_refraction_of_air_at_the_sodium_line_is_the_published_one():
    # Ciddor 1996, doi:10.1364/AO.35.001566: (n - 1) x 1e8 = 27715 near 589.3 nm, 15 degC, 101 325 Pa, 450 ppm
    assert float(air.index(589.3) - 1) * 1e8 == pytest.approx(27715, abs=15)


def test_air_and_vacuum_are_inverse_and_the_wavenumber_slope_is_its_derivative():
    wavelength = np.linspace(400, 1000, 61)
    np.testing.assert_allclose(air.to_air(air.to_vacuum(wavelength)), wavelength, rtol=1e-13)
    for medium in ("air", "vacuum"):
        value, slope = air.wavenumber(wavelength, medium)
        np.testing.assert_allclose(air.wavelength(value, medium), wavelength, rtol=1e-12)
        numeric = (air.wavenumber(wavelength + 0.01, medium)[0] - air.wavenumber(wavelength - 0.01, medium)[0]) / 0.02
        np.testing.assert_allclose(slope, numeric, rtol=1e-6)
