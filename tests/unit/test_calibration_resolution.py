"""The width of an instrument's line against the axis: from simulated lines through the fit to the function."""

import numpy as np
import pytest
import xarray as xr
from lmfit.models import ConstantModel, GaussianModel
from scipy import special

from analysis import calibration, peaks
from analysis.core import CalibrationError
from analysis.uncertainty import Quantity

CENTERS = np.array([420.0, 500.0, 610.0, 700.0, 800.0])


def q(value, u, units="nm"):
    return Quantity(value=float(value), u=float(u), units=units)


def width(x):
    return 0.6 + 8e-4 * (x - 400.0)


def fitted_lines(rng):
    found = []
    for center in CENTERS:
        x = np.linspace(center - 4.0, center + 4.0, 161)
        sigma = width(center) / np.sqrt(8 * np.log(2))
        clean = 10.0 + 2000.0 * np.exp(-0.5 * ((x - center) / sigma) ** 2)
        u = np.sqrt(clean)
        spectrum = xr.Dataset(
            {"signal": ("channel", clean + u * rng.standard_normal(x.size)), "u_signal": ("channel", u)},
            coords={"wavelength": ("channel", x, {"units": "nm", "medium": "air"})},
        )
        model = GaussianModel(prefix="l_") + ConstantModel(prefix="b_")
        params = model.make_params(l_center=center, l_sigma=0.3, l_amplitude=1000.0, b_c=5.0)
        fit = peaks.fit(spectrum, model, params, axis="wavelength")
        found.append((peaks.quantity(fit, "l_center"), peaks.quantity(fit, "l_fwhm")))
    return found


def test_widths_of_fitted_lines_give_the_true_function_within_its_uncertainty():
    scaled = []
    for seed in range(6):
        found = calibration.fit_resolution(fitted_lines(np.random.default_rng(seed)), axis="wavelength")
        at = found.fwhm(650.0)
        scaled.append((at.value - width(650.0)) / at.u)
        assert at.units == "nm"
    # mean of 6 squares of standard normal numbers, within 4 standard deviations
    assert np.mean(np.square(scaled)) < 1 + 4 * np.sqrt(2 / 6)


def test_power_and_sigma_follow_from_the_width():
    lines = [(q(x, 0.01), q(width(x), 0.005)) for x in CENTERS]
    found = calibration.fit_resolution(lines, axis="wavelength", degree=1)
    assert found.sigma(600.0).value == pytest.approx(width(600.0) / np.sqrt(8 * np.log(2)), rel=1e-9)
    power = found.resolving_power(600.0)
    assert power.value == pytest.approx(600.0 / width(600.0), rel=1e-9)
    assert power.u / power.value == pytest.approx(found.fwhm(600.0).u / found.fwhm(600.0).value, rel=1e-9)
    assert power.units == "1"
    assert not found.notes


def test_the_natural_width_is_taken_out_of_a_voigt_line():
    natural, sigma = 0.2, 0.3
    x = np.linspace(0.0, 2.0, 400_001)
    line = special.voigt_profile(x, sigma, natural / 2)
    measured = 2 * np.interp(-0.5 * line[0], -line, x)
    lines = [(q(c, 0.01), q(measured, 0.005)) for c in CENTERS]
    found = calibration.fit_resolution(lines, axis="wavelength", natural=q(natural, 0.01))
    # Olivero and Longbothum state 2e-4
    assert found.fwhm(600.0).value == pytest.approx(sigma * np.sqrt(8 * np.log(2)), rel=5e-4)
    assert found.fwhm(600.0).u > 0.005 / np.sqrt(CENTERS.size)
    lorentz = calibration.fit_resolution(lines, axis="wavelength", natural=q(natural, 0.01), shape="lorentzian")
    assert lorentz.fwhm(600.0).value == pytest.approx(measured - natural, rel=1e-12)
    shared = lorentz.fwhm(430.0).correlation(lorentz.fwhm(790.0))
    assert shared > 0.5


def test_a_shared_scale_of_the_axis_stays_shared():
    scale = q(1.0, 1e-3, "1")
    lines = [(x * scale, w * scale) for x, w in ((q(c, 0.01), q(width(c), 1e-4)) for c in CENTERS)]
    found = calibration.fit_resolution(lines, axis="wavelength").resolving_power(q(600.0, 0.0) * scale)
    [common] = scale.parts()
    assert abs(found.parts().get(common, 0.0)) < 1e-9 * found.value


def test_what_the_lines_do_not_say_is_refused():
    lines = [(q(x, 0.01), q(width(x), 0.005)) for x in CENTERS]
    found = calibration.fit_resolution(lines, axis="wavelength")
    with pytest.raises(CalibrationError, match="outside the calibrated range"):
        found.fwhm(900.0)
    with pytest.raises(CalibrationError, match="too few for degree 4"):
        calibration.fit_resolution(lines, axis="wavelength", degree=4)
    with pytest.raises(CalibrationError, match="cannot have a natural width"):
        calibration.fit_resolution(lines, axis="wavelength", natural=q(5.0, 0.1))
    with pytest.raises(CalibrationError, match="needs the shape"):
        calibration.fit_resolution(lines, axis="wavelength", natural=q(0.1, 0.0), shape="measured")
    with pytest.raises(CalibrationError, match="sigma is of a Gaussian"):
        calibration.fit_resolution(lines, axis="wavelength", shape="lorentzian").sigma(600.0)
    wild = [(x, q(w.value * (1 + 0.2 * (-1) ** k), 0.001)) for k, (x, w) in enumerate(lines)]
    assert "scatter more" in str(calibration.fit_resolution(wild, axis="wavelength"))
