"""Axis fit, laser zero, application and check, against a spectrometer with known truth."""

import dataclasses

import numpy as np
import pytest
import xarray as xr

from analysis import calibration, preprocess
from analysis.calibration import AxisCalibration, Verdict
from analysis.core import CalibrationError, SpectrumError
from analysis.uncertainty import Quantity
from tests.simulated import Spectrometer

CALCITE = np.array([281.26, 711.95, 1085.91])


def neon_lines():
    return calibration.lines("Ne", 530, 645, units="nm")


def wavelength_axis(seed=1, degree=3, device=None, **attrs):
    lamp = (device or Spectrometer()).neon(np.random.default_rng(seed), **attrs)
    return calibration.fit_axis(calibration.match(lamp, neon_lines()), axis="wavelength", degree=degree)


def raman_axis(seed=1, device=None, **attrs):
    device = device or Spectrometer()
    axis = wavelength_axis(seed, device=device, **attrs)
    silicon = device.bands([520.45], np.random.default_rng(seed + 1000), **attrs)
    return axis.to_raman_shift(calibration.laser_zero(axis, silicon, laser=532.0))


def test_the_axis_agrees_with_the_true_one_within_its_uncertainty():
    # 20 lamps; mean of chi-squared at 5 points, as if they were one: its expectation within 4 standard deviations
    device, pixels = Spectrometer(), np.array([120.0, 300.0, 500.0, 700.0, 900.0])
    scaled = []
    for seed in range(20):
        predicted = wavelength_axis(seed, device=device).predict(pixels)
        scaled.append(((predicted["value"].values - device.wavelength(pixels)) / predicted["u"].values) ** 2)
    mean = np.mean(scaled)
    assert max(0.2, 1 - 4 * np.sqrt(2 / 20)) < mean < 1 + 4 * np.sqrt(2 / 20)


def test_the_covariance_is_that_of_weighted_least_squares():
    lamp = Spectrometer().neon(np.random.default_rng(5))
    found = calibration.match(lamp, neon_lines())
    axis = calibration.fit_axis(found, axis="wavelength", degree=3)
    matched = found.isel(peak=np.flatnonzero(found["fate"].values == 0))
    matched = matched.isel(peak=np.argsort(matched["position"].values))
    x = matched["position"].values
    u_line = found["u"].values[matched["line_index"].values]
    u = np.hypot(u_line, axis.slope(x) * matched["u_position"].values)
    excess = max((np.abs(v).max() for s, v in axis.contributions.items() if s.id.startswith("misfit")), default=0.0)
    scaled = (2 * x - x[0] - x[-1]) / (x[-1] - x[0])
    design = np.vander(scaled, 4, increasing=True) / np.hypot(u, excess)[:, None]
    # closed form: (X' W X)^-1, slopes of the weights to 1e-3
    np.testing.assert_allclose(axis.covariance, np.linalg.inv(design.T @ design), rtol=5e-3)
    assert [p.u for p in axis.parameters] == pytest.approx(np.sqrt(np.diag(axis.covariance)))


def test_too_few_lines_for_the_degree_are_refused():
    found = calibration.match(Spectrometer().neon(np.random.default_rng(1)), neon_lines())
    few = found.copy(deep=True)
    kept = np.flatnonzero(found["fate"].values == 0)[:4]
    few["fate"].values[np.setdiff1d(np.arange(few.sizes["peak"]), kept)] = 1
    with pytest.raises(CalibrationError, match="4 paired lines are too few for degree 3: wanted 5 or more"):
        calibration.fit_axis(few, axis="wavelength", degree=3)
    with pytest.raises(CalibrationError, match="lines in 'nm' give no axis 'raman_shift'"):
        calibration.fit_axis(found, axis="raman_shift", degree=3)
    with pytest.raises(CalibrationError, match="axis must be one of"):
        calibration.fit_axis(found, axis="wavelenght", degree=3)


def test_positions_outside_the_fitted_lines_are_refused_unless_told():
    axis = wavelength_axis()
    with pytest.raises(CalibrationError, match=r"1 of 2 positions lie outside the fitted lines: pixel 5 to 5, wanted"):
        axis.predict([5.0, 500.0])
    spectrum = Spectrometer().bands([520.45], np.random.default_rng(1))
    with pytest.raises(CalibrationError, match=r"Crop first: preprocess.crop\(spectrum, axis='pixel', low="):
        calibration.apply(axis, spectrum)
    wide = calibration.apply(axis, spectrum, extrapolate=True)
    inside = calibration.apply(axis, preprocess.crop(spectrum, axis="pixel", low=100, high=900))
    assert wide.sizes["channel"] == 1024
    assert inside.sizes["channel"] == 801


def test_applying_adds_an_axis_with_sources_and_changes_nothing_else():
    axis = raman_axis()
    map_ = Spectrometer().bands([520.45], np.random.default_rng(1)).expand_dims(row=3).copy(deep=True)
    map_ = preprocess.crop(map_, axis="pixel", low=100, high=900)
    before = map_.copy(deep=True)
    done = calibration.apply(axis, map_)
    xr.testing.assert_identical(map_, before)
    np.testing.assert_array_equal(done["signal"], map_["signal"])
    assert done["raman_shift"].attrs["units"] == "cm-1"
    assert done["raman_shift_sources"].dims == ("source", "channel")
    u = np.sqrt((done["raman_shift_sources"] ** 2).sum("source"))
    predicted = axis.predict(done["pixel"].values)
    np.testing.assert_allclose(u, predicted["u"], rtol=1e-12)


def test_a_nominal_axis_of_the_same_name_is_kept():
    device = Spectrometer()
    nominal = 1e7 / 532.0 - 1e7 / device.wavelength(np.arange(1024.0))
    attrs = {"units": "cm-1", "laser_wavelength_nm": 532.0}
    lamp = device.neon(np.random.default_rng(1)).assign_coords(raman_shift=("channel", nominal, attrs))
    found = calibration.match(lamp, neon_lines(), axis="raman_shift")
    axis = calibration.fit_axis(found, axis="wavelength", degree=3)
    assert axis.of == "raman_shift"
    spectrum = device.bands([520.45], np.random.default_rng(2)).assign_coords(raman_shift=("channel", nominal, attrs))
    raman = axis.to_raman_shift(calibration.laser_zero(axis, spectrum, laser=532.0))
    cropped = preprocess.crop(spectrum, axis="raman_shift", low=axis.low, high=axis.high)
    done = calibration.apply(raman, cropped)
    np.testing.assert_array_equal(done["raman_shift_nominal"], cropped["raman_shift"])
    np.testing.assert_array_equal(calibration.apply(raman, done)["raman_shift"], done["raman_shift"])


def test_the_laser_zero_finds_the_laser_and_shares_its_sources_with_the_axis():
    device = Spectrometer()
    lasers = []
    for seed in range(16):
        axis = wavelength_axis(seed, device=device)
        lasers.append(
            calibration.laser_zero(axis, device.bands([520.45], np.random.default_rng(seed + 500)), laser=532.0)
        )
    # the silicon value itself is exact in this simulation, its 0.14 cm-1 = 0.004 nm is not drawn
    spread = np.std([laser.value for laser in lasers], ddof=1)
    without_reference = np.sqrt(lasers[0].u ** 2 - (0.14 * 532.05**2 / 1e7) ** 2)
    assert np.mean([laser.value for laser in lasers]) == pytest.approx(device.laser_nm, abs=4 * spread / np.sqrt(16))
    # 4 standard errors of a standard deviation from 16 values
    assert spread == pytest.approx(without_reference, rel=4 / np.sqrt(2 * 15))
    assert any(source.id.startswith("line:Ne") for source in lasers[0].parts())


@pytest.mark.parametrize("apart", ["2026-07-20", "2027-06-01"])
def test_validity_is_two_sided_in_time(apart):
    axis = raman_axis(acquired="2027-01-01")
    assert (axis.valid_from, axis.valid_until) == ("2026-07-05", "2027-06-30")
    sample = Spectrometer().bands(CALCITE, np.random.default_rng(3), acquired=apart)
    sample = preprocess.crop(sample, axis="pixel", low=100, high=900)
    assert "inside its validity" in calibration.apply(axis, sample).attrs["validity"]
    for outside in ("2026-06-01", "2027-08-01"):
        stale = sample.assign_attrs(acquired=outside)
        with pytest.raises(
            CalibrationError, match=r"stale calibration: .* outside its validity, 2026-07-05 to 2027-06-30"
        ):
            calibration.apply(axis, stale)
        stated = axis.valid_between("2026-01-01", "2027-12-31")
        assert "inside its validity" in calibration.apply(stated, stale).attrs["validity"]
        verdict = calibration.check(axis, stale, calibration.lines("calcite", 200, 1200, units="cm-1"))
        assert verdict.verdict is Verdict.STALE
        assert verdict.by_bands is Verdict.VALID


def test_unknown_dates_are_said():
    axis = raman_axis()
    sample = preprocess.crop(Spectrometer().bands(CALCITE, np.random.default_rng(3)), axis="pixel", low=100, high=900)
    said = calibration.apply(axis, sample).attrs["validity"]
    assert said.startswith("the date of the calibration and the spectrum is not known")
    verdict = calibration.check(axis, sample, calibration.lines("calcite", 200, 1200, units="cm-1"))
    assert verdict.by_date == "unknown"
    assert "not known" in str(verdict)


def test_a_drift_is_found_without_dates_by_bands_that_were_not_used():
    # the grating has moved by 0.15 nm (5 cm-1) since the lamp and the silicon were recorded
    axis = raman_axis()
    table = calibration.lines("calcite", 200, 1200, units="cm-1")
    good = calibration.check(axis, Spectrometer().bands(CALCITE, np.random.default_rng(7)), table)
    bad = calibration.check(axis, Spectrometer(drift_nm=0.15).bands(CALCITE, np.random.default_rng(7)), table)
    assert good
    assert good.verdict is Verdict.VALID
    assert bad.verdict is Verdict.DRIFTED
    assert not bad
    assert [abs(band.en) > 1 for band in bad.bands] == [True, True, True]
    assert "3 of 3 check bands disagree" in bad.message


def test_false_alarms_are_rare():
    # truth is the table value, so |E_n| > 1 would need 2 u of axis and noise against a U that also holds u = 0.58
    table = calibration.lines("calcite", 200, 1200, units="cm-1")
    verdicts = [
        calibration.check(raman_axis(seed), Spectrometer().bands(CALCITE, np.random.default_rng(seed + 77)), table)
        for seed in range(8)
    ]
    assert all(each.verdict is Verdict.VALID for each in verdicts)


def test_a_band_of_the_calibration_cannot_check_it():
    axis = raman_axis()
    sample = Spectrometer().bands([520.45], np.random.default_rng(7))
    with pytest.raises(CalibrationError, match="was used in the calibration and cannot check it"):
        calibration.check(axis, sample, calibration.lines("silicon", 500, 540, units="cm-1"))
    with pytest.raises(CalibrationError, match="check lines in 'nm' do not fit an axis in 'cm-1'"):
        calibration.check(axis, sample, neon_lines())


def test_a_check_that_finds_no_band_or_cannot_tell_says_undecided():
    axis = raman_axis()
    table = calibration.lines("calcite", 200, 1200, units="cm-1")
    nothing = Spectrometer().record([], [], np.random.default_rng(1))
    assert calibration.check(axis, nothing, table).verdict is Verdict.UNDECIDED
    sample = Spectrometer().bands(CALCITE, np.random.default_rng(7))
    assert calibration.check(axis, sample, table, max_expanded=1e-6).verdict is Verdict.UNDECIDED


def test_the_calibration_of_another_instrument_is_refused():
    axis = raman_axis()
    other = Spectrometer().bands(CALCITE, np.random.default_rng(7)).assign_attrs(instrument="another")
    with pytest.raises(CalibrationError, match="of instrument 'simulated', the spectrum of 'another'"):
        calibration.apply(axis, other, extrapolate=True)


def test_a_silicon_line_that_is_not_there_is_an_error():
    axis = wavelength_axis()
    with pytest.raises(
        CalibrationError, match=r"no band of silicon within 15 cm-1 of 520.45 cm-1 with a laser at 532 nm"
    ):
        calibration.laser_zero(axis, Spectrometer().record([], [], np.random.default_rng(1)), laser=532.0)


def test_normalized_error_accounts_for_shared_sources():
    a = Quantity(value=10.0, u=1.0, units="cm-1")
    b = Quantity(value=9.0, u=0.5, units="cm-1")
    # ISO 13528:2022, 9.7: difference over the root of the sum of the squared expanded uncertainties
    assert calibration.normalized_error(a, b) == pytest.approx(1 / np.hypot(2.0, 1.0))
    shared = a + Quantity(value=1.0, u=0.5, units="cm-1")
    assert calibration.normalized_error(shared, a) == pytest.approx(1.0)
    with pytest.raises(CalibrationError, match="E_n needs an uncertainty"):
        calibration.normalized_error(a, a)


def test_a_calibration_survives_being_written_as_a_dataset():
    axis = raman_axis(acquired="2027-01-01")
    again = AxisCalibration.from_dataset(axis.to_dataset())
    for pixel in (200.0, 600.0):
        at = Quantity(value=pixel, u=0.01, units="1")
        assert again.predict(at).value == axis.predict(at).value
        assert again.predict(at).u == pytest.approx(axis.predict(at).u, rel=1e-14)
        assert again.predict(at).correlation(axis.predict(at)) == pytest.approx(1.0, abs=1e-12)
    assert again.summary() == axis.summary()
    with pytest.raises(CalibrationError, match="no axis calibration: this holds"):
        AxisCalibration.from_dataset(xr.Dataset({"signal": ("channel", [1.0])}))


def test_a_calibration_is_frozen():
    axis = wavelength_axis()
    with pytest.raises(dataclasses.FrozenInstanceError):
        axis.units = "m"
    with pytest.raises(ValueError, match="read-only"):
        axis.coefficients[0] = 0


def test_bad_spectra_are_refused_by_name():
    with pytest.raises(SpectrumError, match="needs a dimension named 'channel'"):
        calibration.match(xr.DataArray(np.zeros(5), dims="x"), neon_lines())
    lamp = Spectrometer().neon(np.random.default_rng(1))
    with pytest.raises(SpectrumError, match=r"no axis named 'wavelenght'"):
        calibration.match(lamp, neon_lines(), axis="wavelenght")
