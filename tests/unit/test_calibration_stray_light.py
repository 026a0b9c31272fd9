"""Stray light: a simulated spectrometer with a known matrix, and Monte Carlo through lines and spectrum."""

import numpy as np
import pytest
import xarray as xr

from analysis import calibration
from analysis.core import CalibrationError
from analysis.uncertainty import Source, sources

COUNT, BAND = 60, 2
PLACES = [1, 12, 30, 45, 58]


def true_matrix():
    """Stray light that depends on the distance from the line only."""
    offset = np.subtract.outer(np.arange(COUNT), np.arange(COUNT))
    spread = 2e-3 * np.exp(-np.abs(offset) / 15.0) + 5e-4 * (np.abs(offset - 9) < 3)
    return np.where(np.abs(offset) > BAND, spread, 0.0)


def spectrum(signal, u, **attrs):
    return xr.Dataset({"signal": ("channel", signal), "u_signal": ("channel", np.broadcast_to(u, COUNT))}, attrs=attrs)


def measured(light):
    return light + true_matrix() @ light


def line(place):
    light = np.zeros(COUNT)
    light[place] = 1e4
    return measured(light)


def lines(rng=None, u=1.0):
    return [spectrum(line(k) + (0 if rng is None else u * rng.standard_normal(COUNT)), u) for k in PLACES]


def light():
    return 1000.0 * np.exp(-(((np.arange(COUNT) - 35.0) / 6.0) ** 2)) + 200.0


def test_stray_light_of_a_known_spectrometer_is_taken_out():
    found = calibration.stray_light(lines(), in_band=BAND, edges="nearest")
    np.testing.assert_allclose(found.correction @ (np.eye(COUNT) + found.matrix), np.eye(COUNT), atol=1e-12)
    corrected = calibration.apply_stray_light(found, spectrum(measured(light()), 2.0))
    raw = np.abs(measured(light()) - light()).max()
    # distances that no line reached are held at the last value, far out where the spread is small
    assert np.abs(corrected["signal"].values - light()).max() < 0.02 * raw
    assert "correction mixes" in corrected.attrs["noise_correlated"]


def test_the_matrix_holds_the_lines_themselves():
    found = calibration.stray_light(lines(), in_band=BAND, edges="nearest").matrix
    for place in PLACES:
        np.testing.assert_allclose(found[:, place], true_matrix()[:, place], rtol=1e-12, atol=1e-18)


def test_the_uncertainty_agrees_with_monte_carlo_through_lines_and_spectrum():
    rng, trials = np.random.default_rng(8), 2000
    found = calibration.stray_light(lines(u=5.0), in_band=BAND, edges="nearest")
    start = spectrum(measured(light()), 0.5)
    gain = Source(id="gain", label="gain")
    start = sources.attach(start, "signal", {gain: 1e-3 * start["signal"].values}, ("channel",))
    corrected = calibration.apply_stray_light(found, start)
    parts = sources.detach(corrected, "signal")
    u = np.sqrt(sum(part**2 for part in parts.values()) + corrected["u_signal"].values ** 2)
    np.testing.assert_allclose(parts[gain], 1e-3 * corrected["signal"].values, rtol=1e-9)
    drawn, values = [], [line(k) for k in PLACES]
    for _ in range(trials):
        noisy = np.stack([each + 5.0 * rng.standard_normal(COUNT) for each in values])
        band = np.array([np.abs(np.arange(COUNT) - place) <= BAND for place in PLACES])
        spread = np.where(band, 0.0, noisy / (noisy * band).sum(axis=1, keepdims=True))
        places, weights = found._layout()
        matrix = sum(w * s[at] for w, s, at in zip(weights, spread, places, strict=True))
        seen = measured(light()) * (1 + 1e-3 * rng.standard_normal()) + 0.5 * rng.standard_normal(COUNT)
        drawn.append(np.linalg.solve(np.eye(COUNT) + matrix, seen))
    np.testing.assert_allclose(np.std(drawn, axis=0), u, rtol=5 / np.sqrt(2 * trials) + 0.01)


def test_a_map_is_corrected_row_by_row_with_shared_sources():
    found = calibration.stray_light(lines(), in_band=BAND, edges="nearest")
    one = spectrum(measured(light()), 0.5)
    both = calibration.apply_stray_light(found, xr.concat([one, 3 * one], dim="row"))
    single = calibration.apply_stray_light(found, one)
    ours, theirs = sources.detach(both, "signal"), sources.detach(single, "signal")
    assert ours.keys() == theirs.keys()
    key = next(iter(theirs))
    np.testing.assert_allclose(ours[key], np.stack([theirs[key], 3 * theirs[key]]), rtol=1e-9)


def test_what_was_not_measured_is_refused():
    found = calibration.stray_light(lines()[1:], in_band=BAND)
    with pytest.raises(CalibrationError, match="stand in channels 12 to 58 of 0 to 59"):
        calibration.apply_stray_light(found, spectrum(light(), 1.0))
    once = calibration.apply_stray_light(calibration.stray_light(lines(), in_band=BAND), spectrum(light(), 1.0))
    with pytest.raises(CalibrationError, match="needs channels with independent noise"):
        calibration.apply_stray_light(calibration.stray_light(lines(), in_band=BAND), once)
    with pytest.raises(CalibrationError, match="before any crop"):
        calibration.apply_stray_light(found, spectrum(light(), 1.0).isel(channel=slice(5, 50)))
    with pytest.raises(CalibrationError, match="2 lines or more"):
        calibration.stray_light(lines()[:1], in_band=BAND)
    with pytest.raises(CalibrationError, match="stand in different ones"):
        calibration.stray_light([lines()[0], lines()[0]], in_band=BAND)
    with pytest.raises(CalibrationError, match="no u_signal"):
        calibration.stray_light([each.drop_vars("u_signal") for each in lines()], in_band=BAND)
