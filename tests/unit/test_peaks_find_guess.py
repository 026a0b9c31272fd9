"""Finding peaks and guessing parameters, on spectra whose truth is known."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from lmfit.models import ConstantModel, GaussianModel, LinearModel, LorentzianModel

from analysis import peaks
from analysis.core import ModelError, SpectrumError


def spectrum(x, y, **extra):
    return xr.Dataset(
        {"signal": (("channel",) if np.ndim(y) == 1 else ("n", "channel"), y, {"units": "counts"})},
        coords={"wavelength": ("channel", x, {"units": "nm"}), **extra},
    )


def gaussian(x, center, fwhm, height):
    return height * np.exp(-4 * np.log(2) * ((x - center) / fwhm) ** 2)


@settings(max_examples=25, deadline=None)
@given(fwhm=st.sampled_from([1.5, 2.0, 3.5, 8.0, 25.0]), shift=st.floats(-0.5, 0.5), seed=st.integers(0, 10**6))
def test_lines_on_a_slope_are_found_to_a_fraction_of_a_sample(fwhm, shift, seed):
    x = np.arange(600.0)
    rng = np.random.default_rng(seed)
    centers = np.array([100.0, 250.0, 430.0]) + shift
    y = 50 + 0.1 * x + sum(gaussian(x, c, fwhm, 300.0) for c in centers) + rng.normal(0, 1, x.size)
    found = peaks.find(spectrum(x, y), axis="wavelength")
    assert int(found["count"]) >= 3
    best = found.sortby("snr", ascending=False).isel(peak=slice(3)).sortby("position")
    np.testing.assert_allclose(best.position, centers, atol=0.06 * max(fwhm, 1.0))
    np.testing.assert_allclose(best.width, fwhm, rtol=0.25)
    assert best.position.attrs["units"] == "nm"


def test_noise_alone_gives_one_peak_in_dozens_of_spectra():
    rng = np.random.default_rng(0)
    found = peaks.find(spectrum(np.arange(1000.0), rng.normal(0, 1, (40, 1000))), axis="wavelength")
    assert int(found["count"].sum()) <= 4


def test_positions_are_in_axis_units_on_a_descending_uneven_axis():
    x = 1e7 / np.linspace(500.0, 700.0, 400)
    y = gaussian(np.arange(400.0), 200.3, 5.0, 100.0)
    found = peaks.find(spectrum(x, y), axis="wavelength")
    assert int(found["count"]) == 1
    np.testing.assert_allclose(found.position[0], np.interp(200.3, np.arange(400), x), rtol=1e-7)


def test_a_map_is_its_spectra_one_by_one_and_inputs_stay():
    rng = np.random.default_rng(1)
    x = np.arange(300.0)
    y = np.stack([gaussian(x, c, 5, 50) for c in (50, 150, 250)]) + rng.normal(0, 1, (3, 300))
    data = spectrum(x, y)
    before = data.copy(deep=True)
    together = peaks.find(data, axis="wavelength", max_peaks=2)
    for n in range(3):
        alone = peaks.find(data.isel(n=n), axis="wavelength", max_peaks=2)
        count = int(alone["count"])
        np.testing.assert_array_equal(together.position.values[n, :count], alone.position.values[:count])
    xr.testing.assert_identical(data, before)


def test_find_uses_the_stated_noise():
    x = np.arange(300.0)
    y = gaussian(x, 150.0, 6.0, 10.0)
    assert int(peaks.find(spectrum(x, y), axis="wavelength", sigma=0.5)["count"]) == 1
    assert int(peaks.find(spectrum(x, y), axis="wavelength", sigma=5.0)["count"]) == 0


def test_find_refuses_settings_out_of_range():
    data = spectrum(np.arange(10.0), np.arange(10.0))
    with pytest.raises(ValueError, match="min_snr must be above 0, got 0"):
        peaks.find(data, axis="wavelength", min_snr=0)
    with pytest.raises(ValueError, match="max_peaks must be at least 1 or None, got 0"):
        peaks.find(data, axis="wavelength", max_peaks=0)
    with pytest.raises(SpectrumError, match="Did you mean 'wavelength'"):
        peaks.find(data, axis="wavelenght")


def test_find_on_lazy_data_needs_max_peaks_and_then_gives_the_same():
    pytest.importorskip("dask")
    rng = np.random.default_rng(2)
    x = np.arange(200.0)
    data = spectrum(x, gaussian(x, 80.0, 5.0, 40.0) + rng.normal(0, 1, (4, 200)))
    with pytest.raises(SpectrumError, match="lazy data need max_peaks"):
        peaks.find(data.chunk(n=2), axis="wavelength")
    lazy = peaks.find(data.chunk(n=2), axis="wavelength", max_peaks=3)
    ready = peaks.find(data, axis="wavelength", max_peaks=3)
    np.testing.assert_array_equal(lazy["count"].compute(), ready["count"])
    np.testing.assert_array_equal(lazy.position[:, 0].compute(), ready.position[:, 0])


def two_peaks():
    return GaussianModel(prefix="a_") + LorentzianModel(prefix="b_") + LinearModel(prefix="l_")


def two_peak_data(n=None):
    x = np.linspace(500.0, 600.0, 400)
    model = two_peaks()
    params = model.make_params(
        a_amplitude=400, a_center=530, a_sigma=2, b_amplitude=900, b_center=565, b_sigma=3, l_slope=0.2, l_intercept=-60
    )
    rng = np.random.default_rng(5)
    y = model.eval(params, x=x) + rng.normal(0, 0.5, (400,) if n is None else (n, 400))
    return spectrum(x, y), params


def test_a_guess_is_close_enough_to_converge_to_the_truth():
    data, true = two_peak_data()
    guessed = peaks.guess(two_peaks(), data, axis="wavelength")
    assert abs(guessed["a_center"] - 530) < 1
    assert abs(guessed["b_center"] - 565) < 1
    assert guessed["a_center"].min == 500
    assert guessed["a_center"].max == 600
    fit = peaks.fit(data, two_peaks(), guessed, axis="wavelength")
    assert int(fit.status) == 0
    for name in ("a_amplitude", "b_center", "b_sigma", "l_slope"):
        one = fit.sel(parameter=name, parameter_=name)
        assert abs(float(one.value) - true[name].value) < 5 * float(one.stderr)


def test_hints_of_the_user_are_kept_and_steer_the_assignment():
    data, _ = two_peak_data()
    model = two_peaks()
    model.set_param_hint("a_center", value=565.0, min=550, max=580)
    model.set_param_hint("b_sigma", value=2.5, vary=False)
    guessed = peaks.guess(model, data, axis="wavelength")
    assert guessed["a_center"].value == 565.0
    assert (guessed["a_center"].min, guessed["a_center"].max) == (550, 580)
    assert guessed["b_sigma"].value == 2.5
    assert abs(guessed["b_center"] - 530) < 1


def test_a_guess_that_cannot_be_made_is_refused():
    rng = np.random.default_rng(0)
    data = spectrum(np.arange(300.0), rng.normal(0, 1, 300) * 1e-3 + 5)
    model = sum((GaussianModel(prefix=f"p{k}_") for k in range(1, 6)), start=GaussianModel(prefix="p0_"))
    with pytest.raises(ModelError, match=r"shows \d peaks above 4 times the noise, the model has 6"):
        peaks.guess(model, data, axis="wavelength")
    with pytest.raises(SpectrumError, match="nothing to guess from"):
        peaks.guess(model, data * np.nan, axis="wavelength")


def test_guess_each_starts_every_spectrum_of_a_map():
    data, _ = two_peak_data(3)
    start = peaks.guess_each(two_peaks(), data, axis="wavelength")
    assert start.a_center.dims == ("n",)
    params = peaks.guess(two_peaks(), data, axis="wavelength")
    fit = peaks.fit(data, two_peaks(), params, axis="wavelength", start=start)
    assert (fit.status == 0).all()
    np.testing.assert_array_equal(fit.initial.sel(parameter="a_center"), start.a_center)


def test_a_background_alone_is_guessed_by_its_fit():
    x = np.linspace(0.0, 10.0, 50)
    guessed = peaks.guess(LinearModel() + ConstantModel(prefix="z_"), spectrum(x, 3 + 2 * x), axis="wavelength")
    np.testing.assert_allclose([guessed["slope"].value, guessed["intercept"].value], [2, 3], rtol=1e-9)


@pytest.mark.parametrize("case", ["all finite", "some missing"])
def test_guess_each_gives_each_spectrum_what_guess_gives_it_alone(case):
    data, _ = two_peak_data(3)
    if case == "some missing":
        data = data.copy(deep=True)
        data["signal"][1, 5:9] = np.nan
    start = peaks.guess_each(two_peaks(), data, axis="wavelength")
    for k in range(data.sizes["n"]):
        alone = peaks.guess(two_peaks(), data.isel(n=k), axis="wavelength")
        assert {name: float(start[name][k]) for name in start.data_vars} == {n: alone[n].value for n in start.data_vars}


def test_spectra_without_enough_samples_get_the_guess_of_the_median_and_do_not_stop_the_others():
    x = np.linspace(0.0, 100.0, 200)
    model = GaussianModel(prefix="p_") + LinearModel(prefix="b_")
    true = model.make_params(p_amplitude=200, p_center=40, p_sigma=3, b_slope=0.1, b_intercept=5)
    y = model.eval(true, x=x) + np.random.default_rng(0).normal(0, 0.5, (6, x.size))
    y[2], y[3, 2:] = np.nan, np.nan
    made = peaks.guess_each(model, xr.DataArray(y, dims=("n", "channel"), coords={"e": ("channel", x)}), axis="e")
    common = peaks.guess(model, xr.DataArray(y, dims=("n", "channel"), coords={"e": ("channel", x)}), axis="e")
    for name in made.data_vars:
        assert made[name][2] == made[name][3] == common[name].value
    np.testing.assert_allclose(made["p_center"], 40, atol=1)
