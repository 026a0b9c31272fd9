"""Properties of despike, crop and smooth."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import savgol_filter

from analysis import preprocess
from analysis.core import SpectrumError, history

CHANNELS = 200


def spectrum(seed=3, batch=()):
    rng = np.random.default_rng(seed)
    x = np.arange(CHANNELS)
    line = 300 * np.exp(-0.5 * ((x - 90) / 4) ** 2) + 0.1 * x
    signal = line + rng.normal(0, 2, (*batch, CHANNELS))
    dims = (*(f"b{at}" for at in range(len(batch))), "channel")
    return xr.Dataset(
        {
            "signal": (dims, signal, {"units": "counts"}),
            "u_signal": (dims, np.full_like(signal, 2.0) + rng.uniform(0, 1, signal.shape), {"units": "counts"}),
            "raman_shift_sources": (("source", "channel"), rng.normal(size=(2, CHANNELS))),
        },
        coords={"raman_shift": ("channel", 200.0 + 2 * x, {"units": "cm-1"}), "source": ["a", "b"]},
        attrs={"title": "test"},
    )


STEPS = {
    "despike": preprocess.despike,
    "crop": lambda s: preprocess.crop(s, axis="raman_shift", low=250, high=400),
    "smooth": lambda s: preprocess.smooth(s, window=7),
}


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS)
def test_a_step_keeps_units_axes_sources_and_attributes_and_records_itself(step):
    given_spectrum = spectrum()
    before = given_spectrum.copy(deep=True)
    found = step(given_spectrum)
    xr.testing.assert_identical(given_spectrum, before)
    assert found["signal"].attrs == {"units": "counts"}
    assert found["u_signal"].attrs == {"units": "counts"}
    assert found["raman_shift"].attrs == {"units": "cm-1"}
    assert found.attrs["title"] == "test"
    assert "raman_shift_sources" in found
    last = history.parse(found.attrs["history"])["steps"][history.head(found)]
    assert last["function"].startswith("preprocess.")
    assert list(last["inputs"]) == ["spectrum"]


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS)
def test_a_map_is_its_spectra_one_by_one(step):
    many = spectrum(batch=(2, 3))
    found = step(many)
    for at in np.ndindex(2, 3):
        where = {"b0": at[0], "b1": at[1]}
        one = step(many.isel(where))
        np.testing.assert_allclose(found["signal"].isel(where), one["signal"], rtol=1e-12)
        np.testing.assert_allclose(found["u_signal"].isel(where), one["u_signal"], rtol=1e-12)


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS)
def test_dask_gives_the_same_numbers(step):
    pytest.importorskip("dask.array", reason="dask is not installed")
    many = spectrum(batch=(4,))
    lazy = step(many.chunk({"b0": 2}).assign_attrs(history=history.extend("test", settings={}, inputs={})))
    assert lazy["signal"].chunks is not None
    np.testing.assert_allclose(lazy["signal"].compute(), step(many)["signal"], rtol=1e-12)


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS)
def test_a_bare_array_is_taken_too(step):
    found = step(spectrum()["signal"])
    assert found["signal"].attrs["units"] == "counts"


@given(at=st.integers(5, CHANNELS - 6), height=st.floats(100, 1e6), width=st.integers(1, 2))
def test_a_cosmic_ray_on_a_flat_spectrum_is_replaced_by_what_is_around_it(at, height, width):
    clean = xr.DataArray(np.random.default_rng(5).normal(50, 1, CHANNELS), dims="channel")
    hit = clean.copy(deep=True)
    hit[at : at + width] += height
    found = preprocess.despike(hit)
    assert np.flatnonzero(found["is_spike"]).tolist() == list(range(at, at + width))
    assert found.attrs["spikes_removed"] == width
    inside = found["signal"].values[at : at + width]
    assert np.abs(inside - 50).max() < 4
    others = np.delete(np.arange(CHANNELS), range(at, at + width))
    np.testing.assert_array_equal(found["signal"].values[others], clean.values[others])


def test_a_spike_of_one_channel_becomes_the_mean_of_three_good_ones_each_side():
    values = np.random.default_rng(2).normal(0, 1, 50)
    values[20] = 1000
    found = preprocess.despike(xr.DataArray(values, dims="channel"))
    assert float(found["signal"][20]) == pytest.approx(values[[17, 18, 19, 21, 22, 23]].mean(), rel=1e-12)


def test_a_line_wider_than_a_spike_is_not_cut_off():
    found = preprocess.despike(spectrum())
    assert found.attrs["spikes_removed"] == 0
    np.testing.assert_array_equal(found["signal"], spectrum()["signal"])


def test_a_spike_can_be_left_out_as_nan():
    hit = spectrum()["signal"].copy(deep=True)
    hit[150] = 5000
    found = preprocess.despike(hit, replace="nan")
    assert np.flatnonzero(np.isnan(found["signal"])).tolist() == [150]


def test_samples_that_are_nan_stay_nan_and_hide_no_spike():
    hit = spectrum()["signal"].copy(deep=True)
    hit[10] = np.nan
    hit[150] = 5000
    found = preprocess.despike(hit)
    assert np.flatnonzero(found["is_spike"]).tolist() == [150]
    assert np.flatnonzero(np.isnan(found["signal"])).tolist() == [10]


def test_a_constant_spectrum_with_one_spike_is_cleaned_although_its_mad_is_zero():
    flat = xr.DataArray(np.full(60, 3.0), dims="channel")
    flat[30] = 40.0
    assert preprocess.despike(flat)["signal"].values.tolist() == [3.0] * 60


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"threshold": 0}, "threshold must be > 0, got 0"),
        ({"max_width": 0}, "max_width and neighbours must be at least 1 channel, got 0 and 3"),
        ({"replace": "zero"}, "replace must be 'mean' or 'nan', got 'zero'"),
    ],
)
def test_despike_refuses_settings_out_of_range(settings, message):
    with pytest.raises(SpectrumError, match=message):
        preprocess.despike(spectrum(), **settings)


@given(bounds=st.tuples(st.floats(150, 650), st.floats(150, 650)).filter(lambda b: b[0] + 4 < b[1]))
def test_crop_keeps_exactly_the_channels_inside(bounds):
    given_spectrum = spectrum()
    low, high = bounds
    inside = (given_spectrum["raman_shift"] >= low) & (given_spectrum["raman_shift"] <= high)
    if not inside.any():
        return
    found = preprocess.crop(given_spectrum, axis="raman_shift", low=low, high=high)
    np.testing.assert_array_equal(found["raman_shift"], given_spectrum["raman_shift"].values[inside])
    np.testing.assert_array_equal(found["raman_shift_sources"], given_spectrum["raman_shift_sources"].values[:, inside])


def test_crop_keeps_a_descending_axis_descending():
    turned = spectrum().isel(channel=slice(None, None, -1))
    found = preprocess.crop(turned, axis="raman_shift", low=-np.inf, high=300)
    assert (np.diff(found["raman_shift"]) < 0).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"axis": "raman_shft", "low": 1, "high": 2}, r"no axis named 'raman_shft'.* Did you mean 'raman_shift'"),
        ({"axis": "raman_shift", "low": 5, "high": 5}, "needs low < high; got low = 5, high = 5"),
        ({"axis": "raman_shift", "low": np.nan, "high": 5}, "needs low < high"),
        (
            {"axis": "raman_shift", "low": 1, "high": 2},
            r"no channel of 'raman_shift' lies in \[1, 2\]; the axis goes from 200",
        ),
    ],
)
def test_crop_refuses_what_leaves_nothing(settings, message):
    with pytest.raises(SpectrumError, match=message):
        preprocess.crop(spectrum(), **settings)


@pytest.mark.parametrize(("window", "order"), [(3, 0), (5, 2), (11, 3), (25, 4), (199, 5)])
def test_smooth_is_the_filter_of_savitzky_and_golay(window, order):
    values = spectrum()["signal"].values
    found = preprocess.smooth(spectrum(), window=window, order=order)
    np.testing.assert_allclose(found["signal"], savgol_filter(values, window, order), rtol=1e-8, atol=1e-8)


def test_smooth_leaves_a_polynomial_of_its_order_alone():
    x = np.linspace(-1, 1, 60)
    cubic = xr.DataArray(1 + x - 2 * x**2 + 3 * x**3, dims="channel")
    np.testing.assert_allclose(preprocess.smooth(cubic, window=9, order=3)["signal"], cubic, rtol=0, atol=1e-12)


def test_the_uncertainty_after_smoothing_is_that_of_repeated_measurements():
    rng = np.random.default_rng(11)
    u = rng.uniform(1, 3, 41)
    trials = 20_000
    noisy = xr.DataArray(rng.normal(0, u, (trials, 41)), dims=("trial", "channel"))
    spread = preprocess.smooth(noisy, window=7)["signal"].std("trial").values
    one = xr.Dataset({"signal": ("channel", np.zeros(41)), "u_signal": ("channel", u)})
    found = preprocess.smooth(one, window=7)
    np.testing.assert_allclose(found["u_signal"], spread, rtol=5 / np.sqrt(2 * trials))
    assert "neighbouring channels share noise" in found.attrs["noise_correlated"]


def test_sources_of_the_signal_pass_through_the_same_filter():
    given_spectrum = spectrum().assign(
        signal_sources=(("source", "channel"), np.random.default_rng(1).normal(size=(2, CHANNELS)))
    )
    found = preprocess.smooth(given_spectrum, window=9)
    alone = preprocess.smooth(given_spectrum["signal_sources"].isel(source=1).drop_vars("source"), window=9)
    np.testing.assert_allclose(found["signal_sources"][1], alone["signal"], rtol=1e-12)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"window": 4}, "window must be odd and larger than order >= 0; got window = 4, order = 2"),
        ({"window": 3, "order": 3}, "got window = 3, order = 3"),
        ({"window": 5, "order": -1}, "got window = 5, order = -1"),
        ({"window": 201}, "must fit into the spectrum of 200 channels; got 201"),
    ],
)
def test_smooth_refuses_windows_that_make_no_sense(settings, message):
    with pytest.raises(SpectrumError, match=message):
        preprocess.smooth(spectrum(), **settings)
