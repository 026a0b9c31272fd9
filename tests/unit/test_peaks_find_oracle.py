"""The compiled search for peaks against scipy's own functions, put together step by step."""

import math

import numpy as np
import pytest
import xarray as xr
from scipy.ndimage import convolve1d, gaussian_filter1d
from scipy.signal import find_peaks, peak_prominences, peak_widths

from analysis import peaks
from analysis.peaks.find import noise_of

SCALES = (0.0, 1.0, 2.0, 4.0, 8.0)
FWHM = 2 * math.sqrt(2 * math.log(2))


def weights(scale, step, reach):
    """Return a sampled Gaussian of unit sum, cut beyond `reach` samples, `step` samples apart."""
    k = np.arange(-reach, reach + 1)
    w = np.where(k % step == 0, np.exp(-0.5 * (k / scale) ** 2), 0.0)
    return w / w.sum()


def smoothed(y, scale):
    """Return `y`, continued by its ends, smoothed by 1 or 2, by 4 = (2, sqrt 12) or by 8 = (2, sqrt 12, sqrt 48)."""
    wide = np.pad(y, 64, mode="edge")
    for own, step, reach in {
        0.0: [], 1.0: [(1, 1, 4)], 2.0: [(2, 1, 8)], 4.0: [(2, 1, 8), (12**0.5, 2, 14)],
        8.0: [(2, 1, 8), (12**0.5, 2, 14), (48**0.5, 4, 28)],
    }[scale]:  # fmt: skip
        wide = convolve1d(wide, weights(own, step, reach))
    return wide[64:-64]


@pytest.mark.parametrize("scale", SCALES[1:])
def test_smoothing_in_steps_is_one_gaussian(scale):
    y = np.random.default_rng(2).uniform(0, 1, 500)
    np.testing.assert_allclose(smoothed(y, scale), gaussian_filter1d(y, scale, mode="nearest", truncate=8), atol=6e-5)


def detections(y, noise, min_snr):
    """Return (snr, place, width, prominence, base, left, right) of the maxima of all scales, by scipy."""
    for scale in SCALES:
        if not scale * 6 < y.size:
            continue
        smooth = smoothed(y, scale)
        gain = 1 / math.sqrt(2 * math.sqrt(math.pi) * scale) if scale else 1.0
        at, _ = find_peaks(smooth)
        data = peak_prominences(smooth, at)
        width, _, left, right = peak_widths(smooth, at, 0.5, prominence_data=data)
        snr = data[0] / (noise[at] * gain) - 2.5
        for k in np.flatnonzero((snr >= min_snr) & (width >= 1.5 * FWHM * scale)):
            own = math.sqrt(max(width[k] ** 2 - (FWHM * scale) ** 2, 0))
            yield snr[k], at[k], own, data[0][k], smooth[at[k]] - data[0][k], left[k], right[k]


def place(y, one):
    """Return the top of a parabola through the logarithm of the upper half, by `numpy.polyfit`."""
    _, at, _, prominence, base, left, right = one
    i = np.arange(max(0, min(math.ceil(left), at - 1)), min(y.size - 1, max(math.floor(right), at + 1)) + 1)
    above = np.maximum(y[i] - base, 0.02 * prominence)
    curve, slope, _ = np.polyfit(i - at, np.log(above), 2, w=above)
    shift = -0.5 * slope / curve if curve < -1e-9 / (i.size / 2) ** 2 else 0.0
    return at + np.clip(shift, i[0] - at, i[-1] - at)


def by_scipy(y, noise, min_snr=5.0):
    kept = []
    for one in sorted(detections(y, noise, min_snr), key=lambda each: -each[0]):
        if all(abs(one[1] - other[1]) > 0.5 * max(other[2], 1) for other in kept):
            kept.append(one)
    kept.sort(key=lambda each: each[1])
    return np.array([(place(y, one), one[3], one[0]) for one in kept]).reshape(-1, 3)


def spectra(count, channels, seed, *, lines=6):
    rng = np.random.default_rng(seed)
    x = np.arange(float(channels))
    y = rng.normal(20, 1, (count, channels)) + rng.uniform(-0.05, 0.05, (count, 1)) * x
    for _ in range(lines):
        height, fwhm = np.exp(rng.uniform(2, 6, (count, 1))), np.exp(rng.uniform(0.7, 3.4, (count, 1)))
        y += height * np.exp(-4 * np.log(2) * ((x - rng.uniform(0, channels, (count, 1))) / fwhm) ** 2)
    return y


def found_in(y, **settings):
    data = xr.DataArray(
        y, dims=("n", "channel"), coords={"x": ("channel", np.arange(y.shape[1] * 1.0), {"units": "nm"})},
        attrs={"units": "counts"}, name="signal",
    )  # fmt: skip
    return peaks.find(data, axis="x", **settings)


def compare(y, found, noise, exact):
    """Require the same peaks; positions to 1e-6 of their uncertainty, width / snr (of the order of)."""
    for n, row in enumerate(y):
        expected = by_scipy(row, noise[n])
        size = int(found["count"][n])
        assert size == len(expected)
        ours = found.isel(n=n, peak=slice(size))
        if exact:
            scale = ours["width"] / ours["snr"]
            assert (np.abs(ours["position"] - expected[:, 0]) <= 1e-6 * scale).all()
        np.testing.assert_allclose(ours["prominence"], expected[:, 1], rtol=1e-9)
        np.testing.assert_allclose(ours["snr"], expected[:, 2], rtol=1e-9)


@pytest.mark.parametrize("channels", [1024, 1023, 300, 49, 13, 5])
def test_a_map_is_searched_as_scipy_would(channels):
    y = spectra(60, channels, channels)
    compare(y, found_in(y), [np.full(channels, noise_of(row)) for row in y], exact=channels > 5)


@pytest.mark.parametrize("made", [np.round, lambda y: np.round(y / 8), lambda y: np.minimum(y, 60.0)])
def test_equal_heights_and_clipped_tops_are_searched_as_scipy_would(made):
    y = made(spectra(30, 400, 7))
    compare(y, found_in(y), [np.full(400, noise_of(row)) for row in y], exact=False)


def test_noise_that_differs_from_sample_to_sample_counts_where_the_peak_is():
    y = spectra(30, 512, 8)
    sigma = np.random.default_rng(9).uniform(0.3, 3.0, 512)
    compare(y, found_in(y, sigma=sigma), np.tile(sigma, (30, 1)), exact=True)


@pytest.mark.parametrize("size", [5, 6, 97, 98, 1024])
@pytest.mark.parametrize("digits", [12, 0, -1])
def test_the_noise_is_the_median_size_of_the_second_differences(size, digits):
    y = np.round(np.random.default_rng(size).normal(0, 20, size), digits)
    second = np.diff(y, 2)
    spread = 1.4826 * np.median(np.abs(second)) / np.sqrt(6)
    np.testing.assert_allclose(noise_of(y), max(spread, 1e-9 * np.ptp(y)), rtol=1e-12)


@pytest.mark.parametrize("level", [0.0, 0.1, -0.3, 1e-300, 7.7e10])
def test_a_constant_spectrum_has_no_peaks(level):
    assert int(found_in(np.full((1, 200), level))["count"][0]) == 0


def test_the_top_of_a_clipped_line_is_its_middle():
    x = np.arange(200.0)
    y = np.minimum(100 * np.exp(-(((x - 80) / 9) ** 2)), 50.0)[None]
    found = found_in(y, sigma=1.0, max_peaks=1)
    assert float(found["position"][0, 0]) == pytest.approx(80.0, abs=0.01)


def test_more_peaks_than_expected_are_all_kept_in_every_spectrum():
    x = np.arange(1000.0)
    comb = 100.0 + 50 * np.cos(2 * np.pi * x / 10)
    y = comb + np.random.default_rng(0).normal(0, 0.1, (40, 1000))
    found = found_in(y, sigma=0.5)
    assert (found["count"] == 99).all()
    np.testing.assert_allclose(found["position"], np.broadcast_to(np.arange(10.0, 1000.0, 10.0), (40, 99)), atol=0.05)


def test_a_map_with_holes_is_its_spectra_one_by_one_bit_for_bit():
    y = spectra(20, 300, 3)
    y[np.random.default_rng(4).random(y.shape) < 0.05] = np.nan
    y[3] = np.nan
    y[5, 2:] = np.nan
    together = found_in(y)
    assert int(together["count"][3]) == int(together["count"][5]) == 0
    for n in range(20):
        alone, size = found_in(y[n : n + 1]), int(together["count"][n])
        for name in ("position", "height", "width", "prominence", "snr"):
            np.testing.assert_array_equal(together[name].values[n, :size], alone[name].values[0])
