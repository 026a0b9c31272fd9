"""Transfer between instruments: a known pair of instruments, coverage by simulation, and a moved axis."""

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from analysis import calibration, io
from analysis.core import CalibrationError
from analysis.uncertainty import Quantity, Source, sources

COUNT, SAMPLES = 24, 9
AT = np.linspace(0.0, 1.0, COUNT)
PURE = np.stack([np.exp(-(((AT - c) / 0.35) ** 2)) for c in (0.2, 0.7)])


def other(spectra):
    """What the second instrument shows: a response, a little crosstalk and an offset."""
    mixed = 0.9 * spectra + 0.05 * np.roll(spectra, 1, axis=-1) + 0.05 * np.roll(spectra, -1, axis=-1)
    return mixed * (1 + 0.2 * AT) + 0.3


def samples(rng, count=SAMPLES):
    return rng.uniform(0.5, 2.0, (count, 2)) @ PURE


def dataset(values, u=None):
    dims = ("sample", "channel")[-values.ndim :]
    found = xr.Dataset(
        {"signal": (dims, values, {"units": "1"})}, coords={"wavelength": ("channel", 500 + 100 * AT, {"units": "nm"})}
    )
    return found if u is None else found.assign(u_signal=(dims, np.full(values.shape, u), {"units": "1"}))


@pytest.mark.parametrize(("window", "components"), [(None, 2), (2, 2), (1, None)])
def test_a_known_pair_of_instruments_is_learnt_without_noise(window, components):
    rng = np.random.default_rng(1)
    if components is None:
        train = rng.uniform(0.0, 1.0, (12, COUNT))
        new = rng.uniform(0.0, 1.0, COUNT)
        inner = slice(1, -1)
    else:
        train, new, inner = samples(rng), samples(rng, 1)[0], slice(None)
    fit = calibration.fit_transfer(dataset(train), dataset(other(train)), window=window, components=components)
    found = calibration.apply_transfer(fit, dataset(new, 1e-3))
    np.testing.assert_allclose(found["signal"].values[inner], other(new)[inner], rtol=1e-9)
    np.testing.assert_allclose(fit.scatter[inner], 0.0, atol=1e-9)
    np.testing.assert_allclose(found["u_signal"].values, 1e-3 * np.sqrt((fit.matrix**2).sum(axis=0)), rtol=1e-12)
    assert "wavelength" in found.coords


def test_intervals_of_transferred_spectra_hold_the_truth_as_often_as_they_say():
    rng, u, held, trials = np.random.default_rng(5), 0.01, 0, 150
    at = 8
    for _ in range(trials):
        train, new = samples(rng), samples(rng, 1)[0]
        shown = other(train) + u * rng.standard_normal((SAMPLES, COUNT))
        fit = calibration.fit_transfer(dataset(train), dataset(shown), window=1, components=2)
        found = calibration.apply_transfer(fit, dataset(new))
        total = np.sqrt(sum(part[at] ** 2 for part in sources.detach(found, "signal").values()))
        seen = other(new)[at] + u * rng.standard_normal()
        held += abs(found["signal"].values[at] - seen) <= stats.t.ppf(0.975, fit.dof) * total
    # exact binomial bound at p = 1e-6
    assert stats.binom.ppf(1e-6, trials, 0.95) <= held


def test_the_noise_of_the_fit_is_that_of_least_squares_and_correlates_channels():
    rng = np.random.default_rng(3)
    train = samples(rng)
    shown = (
        other(train) + 0.01 * rng.standard_normal((SAMPLES, COUNT)) @ np.linalg.cholesky(0.5 + 0.5 * np.eye(COUNT)).T
    )
    fit = calibration.fit_transfer(dataset(train), dataset(shown), window=None, components=2)
    new = samples(rng, 1)[0]
    found = calibration.apply_transfer(fit, dataset(new))
    stack = np.array(list(sources.detach(found, "signal").values()))
    # closed form: multivariate regression on the two scores, one more draw of the residuals included
    scores = np.c_[np.ones(SAMPLES), (train - train.mean(axis=0)) @ np.linalg.svd(train - train.mean(axis=0))[2][:2].T]
    point = np.r_[1.0, (new - train.mean(axis=0)) @ np.linalg.svd(train - train.mean(axis=0))[2][:2].T]
    residuals = shown - scores @ np.linalg.lstsq(scores, shown, rcond=None)[0]
    sigma = residuals.T @ residuals / (SAMPLES - 3)
    expected = sigma * (1 + point @ np.linalg.inv(scores.T @ scores) @ point)
    np.testing.assert_allclose(stack.T @ stack, expected, rtol=1e-8, atol=1e-14)


def test_a_source_shared_by_all_spectra_of_the_fit_reaches_the_result():
    rng = np.random.default_rng(4)
    train, new = samples(rng), samples(rng, 1)[0]
    lamp = Source(id="lamp", label="scale of the target")
    target = sources.attach(dataset(other(train)), "signal", {lamp: 0.02 * other(train)}, ("sample", "channel"))
    fit = calibration.fit_transfer(dataset(train), target, window=1, components=2)
    found = calibration.apply_transfer(fit, dataset(new))
    np.testing.assert_allclose(sources.detach(found, "signal")[lamp], 0.02 * other(new), rtol=1e-8)
    reference = sources.attach(dataset(other(new), 0.01), "signal", {lamp: 0.02 * other(new)}, ("channel",))
    checked = calibration.check_transfer(found, reference)
    # the scale cancels in the difference
    np.testing.assert_allclose(checked["u"].values, 0.01, rtol=1e-6)
    assert checked.attrs["within"] == 1.0
    wrong = calibration.check_transfer(found, dataset(other(new) + 0.1, 0.01))
    assert np.abs(wrong["en"].values).max() > 1


def test_an_axis_is_moved_by_lines_seen_on_both_instruments():
    here = [Quantity(value=x, u=0.01, units="nm") for x in (490.0, 540.0, 580.0, 610.0)]
    there = [Quantity(value=1.0 + 1.001 * x.value, u=0.02, units="nm") for x in here]
    curve = calibration.fit_line(here, there)
    own = Source(id="own", label="own")
    start = sources.attach(dataset(AT), "wavelength", {own: np.full(COUNT, 0.03)}, ("channel",))
    found = calibration.transfer_axis(start, curve, axis="wavelength")
    np.testing.assert_allclose(found["wavelength"].values, 1.0 + 1.001 * start["wavelength"].values, rtol=1e-9)
    np.testing.assert_array_equal(found["wavelength_nominal"].values, start["wavelength"].values)
    parts = sources.detach(found, "wavelength")
    np.testing.assert_allclose(parts[own], 1.001 * 0.03, rtol=1e-9)
    u = np.sqrt(sum(part**2 for part in parts.values()))
    assert u[5] == pytest.approx(np.hypot(curve.predict(float(start["wavelength"][5])).u, 1.001 * 0.03), rel=1e-6)
    with pytest.raises(CalibrationError, match="moved or calibrated before"):
        calibration.transfer_axis(found, curve, axis="wavelength")
    with pytest.raises(CalibrationError, match="the lines span 490 to 610"):
        calibration.transfer_axis(start.assign_coords(wavelength=start["wavelength"] + 50), curve, axis="wavelength")


def test_what_cannot_be_transferred_is_refused():
    rng = np.random.default_rng(1)
    train = samples(rng)
    with pytest.raises(CalibrationError, match="9 samples allow 1 to 7 components, asked for 24"):
        calibration.fit_transfer(dataset(train), dataset(other(train)), window=None)
    with pytest.raises(CalibrationError, match="span fewer than 3 components"):
        calibration.fit_transfer(dataset(train), dataset(other(train)), window=None, components=3)
    with pytest.raises(CalibrationError, match="the same samples on both"):
        calibration.fit_transfer(dataset(train), dataset(other(train)[:5]), window=1)
    fit = calibration.fit_transfer(dataset(train), dataset(other(train)), window=1, components=2)
    with pytest.raises(CalibrationError, match="one spectrum with the 24 channels"):
        calibration.apply_transfer(fit, dataset(train))
    with pytest.raises(CalibrationError, match="no uncertainty at all"):
        calibration.check_transfer(dataset(AT), dataset(AT))


@pytest.mark.parametrize("window", [None, 1])
def test_a_transfer_comes_back_from_a_file_with_its_sources(tmp_path, window):
    rng = np.random.default_rng(3)
    train = samples(rng)
    dark = Source(id="dark", label="dark", units="1")
    shown = sources.attach(dataset(other(train)), "signal", {dark: np.full(COUNT, 0.02)}, ("channel",))
    fit = calibration.fit_transfer(dataset(train), shown, window=window, components=2)
    kept = io.read_calibration(io.write(fit, tmp_path / "transfer.nc"))
    assert (kept.window, kept.dof, kept.history) == (fit.window, fit.dof, fit.history)
    new = dataset(samples(rng, 1)[0], 1e-3)
    first, second = (calibration.apply_transfer(each, new) for each in (fit, kept))
    xr.testing.assert_identical(first.drop_attrs(deep=False), second.drop_attrs(deep=False))
