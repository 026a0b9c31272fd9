"""The fit: bounds, ties, masks, weights, statuses, and what a map promises."""

import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from lmfit.models import ConstantModel, GaussianModel, QuadraticModel

from analysis import peaks
from analysis.core import UncertaintyError
from analysis.peaks import ParameterStatus, Status
from tests.fitted import X, peak_and_line, spectra


def moved(params, factor=1.2, shift=0.8):
    """Give other starting values."""
    out = params.copy()
    for name, par in out.items():
        if par.vary:
            par.value = par.value + shift if name.endswith("center") else par.value * factor
    return out


def test_a_fit_finds_the_truth_and_says_its_units():
    model, params = peak_and_line()
    fit = peaks.fit(spectra(model, params), model, moved(params), axis="raman_shift")
    assert int(fit.status) == Status.CONVERGED
    for name in ("p_center", "p_sigma", "p_amplitude", "b_slope"):
        one = fit.sel(parameter=name)
        assert abs(float(one.value) - params[name].value) < 5 * float(one.stderr)
    units = dict(zip(fit.parameter.values, fit.parameter_units.values, strict=True))
    assert units == {
        "p_amplitude": "counts cm-1",
        "p_center": "cm-1",
        "p_sigma": "cm-1",
        "p_fwhm": "cm-1",
        "p_height": "counts",
        "b_slope": "counts cm",
        "b_intercept": "counts",
    }
    assert fit.raman_shift.attrs["units"] == "cm-1"
    assert fit.status.attrs["flag_meanings"].split()[0] == "converged"


@settings(max_examples=20, deadline=None)
@given(scale=st.floats(1e-6, 1e6), shift=st.floats(-1e4, 1e4))
def test_a_fit_scales_with_the_signal_and_moves_with_the_axis(scale, shift):
    model = GaussianModel(prefix="p_") + ConstantModel(prefix="b_")
    params = model.make_params(p_amplitude=80, p_center=519, p_sigma=2.5, b_c=3)
    data = spectra(model, params)
    start = moved(params)
    plain = peaks.fit(data, model, start, axis="raman_shift")
    for name in ("p_amplitude", "b_c"):
        start[name].value *= scale
    start["p_center"].value += shift
    other = data.assign(signal=data.signal * scale).assign_coords(raman_shift=data.raman_shift + shift)
    fit = peaks.fit(other, model, start, axis="raman_shift")
    expected = plain.value.values * np.array([scale, 1, 1, 1, 1, scale])[: plain.sizes["parameter"]]
    names = list(plain.parameter.values)
    for k, name in enumerate(names):
        factor = scale if name in ("p_amplitude", "b_c", "p_height") else 1.0
        want = plain.value.values[k] * factor + (shift if name == "p_center" else 0.0)
        assert abs(fit.value.values[k] - want) < 1e-4 * plain.stderr.values[k] * factor
        np.testing.assert_allclose(fit.stderr.values[k], plain.stderr.values[k] * factor, rtol=1e-4)
    assert expected.shape == plain.value.shape


def test_a_map_is_its_spectra_one_by_one_bit_by_bit():
    model, params = peak_and_line()
    data = spectra(model, params, (3, 4))
    together = peaks.fit(data, model, moved(params), axis="raman_shift")
    for row in range(3):
        for col in range(4):
            alone = peaks.fit(data.isel(row=row, col=col), model, moved(params), axis="raman_shift")
            for name in ("value", "stderr", "covariance", "chisqr", "status", "nfev"):
                np.testing.assert_array_equal(alone[name], together[name].isel(row=row, col=col))


def test_inputs_stay_as_they_were():
    model, params = peak_and_line()
    data = spectra(model, params, (2,))
    before, text = data.copy(deep=True), params.dumps()
    peaks.fit(data, model, params, axis="raman_shift")
    peaks.fit(data, model, params, axis="raman_shift", engine="lmfit")
    xr.testing.assert_identical(data, before)
    assert params.dumps() == text


def test_the_number_of_threads_changes_nothing():
    model, params = peak_and_line()
    data = spectra(model, params, (30, 20))
    one = peaks.fit(data, model, moved(params), axis="raman_shift", threads=1)
    three = peaks.fit(data, model, moved(params), axis="raman_shift", threads=3)
    np.testing.assert_array_equal(one.value, three.value)
    np.testing.assert_array_equal(one.covariance, three.covariance)


def test_four_python_threads_at_once_give_the_same():
    model, params = peak_and_line()
    data = spectra(model, params, (10,))
    alone = peaks.fit(data, model, moved(params), axis="raman_shift").value
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: peaks.fit(data, model, moved(params), axis="raman_shift").value, range(4)))
    for result in results:
        np.testing.assert_array_equal(result, alone)


def test_lazy_data_are_fitted_lazily_with_the_same_result():
    pytest.importorskip("dask")
    model, params = peak_and_line()
    data = spectra(model, params, (4, 3))
    ready = peaks.fit(data, model, moved(params), axis="raman_shift")
    lazy = peaks.fit(data.chunk(row=2), model, moved(params), axis="raman_shift")
    assert lazy.value.chunks is not None
    np.testing.assert_array_equal(lazy.value.compute(), ready.value)


@pytest.mark.parametrize("engine", ["batched", "lmfit"])
def test_statistics_have_the_definitions_of_lmfit(engine):
    model, params = peak_and_line()
    data = spectra(model, params)
    sigma = 0.1 + 0.001 * np.arange(X.size)
    fit = peaks.fit(data, model, params, axis="raman_shift", sigma=sigma, engine=engine)
    result = model.fit(data.signal.values, params, x=X, weights=1 / sigma, scale_covar=False)
    for name in ("chisqr", "redchi", "aic", "bic", "ndata"):
        np.testing.assert_allclose(float(fit[name]), getattr(result, name), rtol=1e-9)
    scaled = peaks.fit(data, model, params, axis="raman_shift", sigma=sigma, engine=engine, scale_covar=True)
    np.testing.assert_allclose(scaled.stderr, fit.stderr * np.sqrt(fit.redchi), rtol=1e-6)


def test_unweighted_standard_errors_are_scaled_and_u_signal_is_used():
    model, params = peak_and_line()
    data = spectra(model, params)
    free = peaks.fit(data, model, params, axis="raman_shift")
    assert free.attrs["scale_covar"] == 1
    weighted = peaks.fit(data.assign(u_signal=0.1 + 0 * data.signal), model, params, axis="raman_shift")
    assert weighted.attrs["scale_covar"] == 0
    given_ = peaks.fit(data, model, params, axis="raman_shift", sigma=0.1)
    np.testing.assert_array_equal(weighted.stderr, given_.stderr)
    np.testing.assert_allclose(free.stderr, given_.stderr * np.sqrt(given_.redchi), rtol=1e-6)


def test_sigma_in_other_units_is_converted():
    model, params = peak_and_line()
    data = spectra(model, params)
    data.signal.attrs["units"] = "V"
    sigma = xr.DataArray(np.full(X.size, 100.0), dims="channel", attrs={"units": "mV"})
    fit = peaks.fit(data, model, params, axis="raman_shift", sigma=sigma)
    np.testing.assert_allclose(
        fit.stderr, peaks.fit(data, model, params, axis="raman_shift", sigma=0.1).stderr, rtol=1e-9
    )


def test_nan_samples_are_masked_as_if_they_were_not_there():
    model, params = peak_and_line()
    data = spectra(model, params)
    hole = data.copy(deep=True)
    hole.signal[40:60] = np.nan
    masked = peaks.fit(hole, model, moved(params), axis="raman_shift")
    cut = peaks.fit(hole.isel(channel=np.r_[0:40, 60:200]), model, moved(params), axis="raman_shift")
    np.testing.assert_allclose(masked.value, cut.value, rtol=1e-8)
    np.testing.assert_allclose(masked.stderr, cut.stderr, rtol=1e-6)
    assert int(masked.ndata) == 180


def test_a_parameter_at_its_bound_has_no_error_and_the_others_hold_it():
    model, params = peak_and_line()
    data = spectra(model, params)
    bounded = moved(params)
    bounded["p_sigma"].set(max=2.2, value=2.0)
    fit = peaks.fit(data, model, bounded, axis="raman_shift")
    held = params.copy()
    held["p_sigma"].set(value=2.2, vary=False)
    other = peaks.fit(data, model, held, axis="raman_shift")
    state = fit.parameter_status.sel(parameter="p_sigma")
    assert int(state) == ParameterStatus.AT_BOUND
    assert float(fit.value.sel(parameter="p_sigma")) == 2.2
    assert np.isnan(float(fit.stderr.sel(parameter="p_sigma")))
    assert np.isnan(float(fit.stderr.sel(parameter="p_fwhm")))
    names = ["p_amplitude", "p_center", "b_slope", "b_intercept"]
    np.testing.assert_allclose(fit.value.sel(parameter=names), other.value.sel(parameter=names), rtol=1e-7)
    redchi = float(fit.redchi / other.redchi)
    np.testing.assert_allclose(
        fit.stderr.sel(parameter=names), other.stderr.sel(parameter=names) * np.sqrt(redchi), rtol=1e-5
    )
    assert any("p_sigma is at its bound" in line for line in json.loads(fit.attrs["advice"]))
    with pytest.raises(UncertaintyError, match="at its bound"):
        peaks.quantity(fit, "p_sigma")


def test_a_bound_that_is_not_reached_changes_nothing():
    model, params = peak_and_line()
    data = spectra(model, params)
    free = moved(params)
    free["p_sigma"].set(min=-np.inf)
    bounded = moved(params)
    bounded["p_sigma"].set(min=0.1, max=20)
    bounded["p_center"].set(min=500, max=540)
    first = peaks.fit(data, model, free, axis="raman_shift")
    second = peaks.fit(data, model, bounded, axis="raman_shift")
    assert (abs(first.value - second.value) <= 1e-4 * first.stderr).all()
    np.testing.assert_allclose(first.stderr, second.stderr, rtol=1e-5)


def test_fixed_parameters_stay_and_count_as_such():
    model, params = peak_and_line()
    data = spectra(model, params)
    params["b_slope"].set(vary=False)
    fit = peaks.fit(data, model, moved(params), axis="raman_shift")
    assert float(fit.value.sel(parameter="b_slope")) == 0.1
    assert float(fit.stderr.sel(parameter="b_slope")) == 0.0
    assert int(fit.parameter_status.sel(parameter="b_slope")) == ParameterStatus.FIXED
    with pytest.raises(UncertaintyError, match="held fixed"):
        peaks.quantity(fit, "b_slope")


def test_helper_parameters_tie_peaks_as_in_lmfit():
    model = GaussianModel(prefix="a_") + GaussianModel(prefix="b_") + ConstantModel(prefix="c_")
    params = model.make_params(a_amplitude=50, a_center=512, a_sigma=2, b_amplitude=30, b_center=525, b_sigma=2, c_c=1)
    params.add("gap", value=12, min=5, max=20)
    params["b_center"].set(expr="a_center + gap")
    params["b_sigma"].set(expr="a_sigma * sqrt(1 + (gap/100)**2)")
    data = spectra(model, params)
    start = params.copy()
    start["gap"].value = 13.5
    fit = peaks.fit(data, model, start, axis="raman_shift")
    result = model.fit(data.signal.values, start, x=X, fit_kws={"ftol": 1e-14, "xtol": 1e-14})
    for name in fit.parameter.values:
        value, error = float(fit.value.sel(parameter=name)), float(fit.stderr.sel(parameter=name))
        assert abs(value - result.params[name].value) < 1e-3 * error
        np.testing.assert_allclose(error, result.params[name].stderr, rtol=1e-4)
    assert float(fit.value.sel(parameter="b_center")) == pytest.approx(
        float(fit.value.sel(parameter="a_center") + fit.value.sel(parameter="gap")), abs=1e-12
    )


def test_an_ill_conditioned_polynomial_far_from_zero_is_no_obstacle():
    model = GaussianModel(prefix="p_") + QuadraticModel(prefix="b_")
    params = model.make_params(p_amplitude=80, p_center=519, p_sigma=2.5, b_a=0.01, b_b=-10.4, b_c=2708.0)
    data = spectra(model, params)
    fit = peaks.fit(data, model, params, axis="raman_shift")
    result = model.fit(data.signal.values, params, x=X, fit_kws={"ftol": 1e-15, "xtol": 1e-15})
    assert int(fit.status) == Status.CONVERGED
    centred = peaks.fit(
        data.assign_coords(raman_shift=data.raman_shift - 520),
        model,
        model.make_params(p_amplitude=80, p_center=-1, p_sigma=2.5, b_a=0.01, b_b=0.0, b_c=1.0),
        axis="raman_shift",
    )
    np.testing.assert_allclose(fit.stderr.sel(parameter="b_a"), centred.stderr.sel(parameter="b_a"), rtol=1e-6)
    assert float(fit.chisqr) <= result.chisqr * (1 + 1e-6)


def test_two_equal_peaks_are_called_unidentifiable():
    model = GaussianModel(prefix="a_") + GaussianModel(prefix="b_") + ConstantModel(prefix="c_")
    params = model.make_params(a_amplitude=50, a_center=520, a_sigma=2, b_amplitude=30, c_c=1)
    params["b_center"].set(expr="a_center")
    params["b_sigma"].set(expr="a_sigma")
    fit = peaks.fit(spectra(model, params), model, params, axis="raman_shift")
    assert int(fit.status) == Status.SINGULAR
    state = dict(zip(fit.parameter.values, fit.parameter_status.values, strict=True))
    assert state["a_amplitude"] == state["b_amplitude"] == ParameterStatus.UNIDENTIFIABLE
    assert np.isnan(float(fit.stderr.sel(parameter="a_amplitude")))
    assert np.isfinite(float(fit.stderr.sel(parameter="a_center")))
    with pytest.raises(UncertaintyError, match="do not determine"):
        peaks.quantity(fit, "a_amplitude")


def test_at_the_iteration_limit_values_stay_and_errors_are_nan():
    model, params = peak_and_line()
    fit = peaks.fit(spectra(model, params), model, moved(params), axis="raman_shift", max_iterations=1)
    assert int(fit.status) == Status.MAX_ITERATIONS
    assert np.isfinite(fit.value).all()
    assert np.isnan(fit.stderr.sel(parameter="p_center"))
    with pytest.raises(UncertaintyError, match="iteration limit"):
        peaks.quantity(fit, "p_center")


def test_bad_spectra_of_a_map_are_flagged_and_the_others_fitted():
    model, params = peak_and_line()
    data = spectra(model, params, (5,))
    sigma = np.full((5, X.size), 0.1)
    data.signal[0] = np.nan
    data.signal[1, 4:] = np.nan
    data.signal[2, 7] = np.inf
    sigma[3, 9] = 0.0
    fit = peaks.fit(data, model, moved(params), axis="raman_shift", sigma=sigma)
    assert fit.status.values.tolist() == [
        Status.INVALID_DATA, Status.TOO_FEW_POINTS, Status.INVALID_DATA, Status.INVALID_DATA, Status.CONVERGED,
    ]  # fmt: skip
    assert np.isnan(fit.value[:4]).all()
    assert np.isnan(fit.chisqr[:4]).all()
    alone = peaks.fit(data.isel(row=4), model, moved(params), axis="raman_shift", sigma=0.1)
    np.testing.assert_array_equal(fit.value[4], alone.value)


def test_a_model_that_overflows_is_a_status_not_a_number():
    model, params = peak_and_line()
    params["b_slope"].set(value=1e308, vary=False)
    fixed = peaks.fit(spectra(*peak_and_line()), model, params, axis="raman_shift")
    assert int(fixed.status) == Status.NON_FINITE_MODEL
    assert np.isnan(fixed.value).all()


def test_start_wins_over_params_per_spectrum():
    model, params = peak_and_line()
    data = spectra(model, params, (2, 3))
    start = {"p_center": np.linspace(516, 522, 6).reshape(2, 3), "p_sigma": 2.0}
    fit = peaks.fit(data, model, params, axis="raman_shift", start=start)
    np.testing.assert_array_equal(fit.initial.sel(parameter="p_center"), start["p_center"])
    assert (fit.initial.sel(parameter="p_sigma") == 2.0).all()
    np.testing.assert_allclose(fit.initial.sel(parameter="p_fwhm"), 2.0 * 2.35482, rtol=1e-12)


def test_progress_reaches_the_end():
    model, params = peak_and_line()
    seen = []
    peaks.fit(spectra(model, params, (700,)), model, params, axis="raman_shift", progress=lambda *a: seen.append(a))
    assert seen[-1] == (700, 700)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


@pytest.mark.parametrize("factor", [1 / 3, 3.0])
@pytest.mark.parametrize("shift", [-3.0, 3.0])
def test_poor_starts_of_one_peak_still_converge_to_the_optimum(factor, shift):
    model, params = peak_and_line()
    data = spectra(model, params, (20,))
    best = peaks.fit(data, model, params, axis="raman_shift")
    start = moved(params, factor, shift)
    fit = peaks.fit(data, model, start, axis="raman_shift")
    np.testing.assert_allclose(fit.chisqr, best.chisqr, rtol=1e-6)


@pytest.mark.parametrize("sigma", [None, 0.1])
def test_a_constant_signal_leaves_a_peak_open_and_says_so(sigma):
    model = GaussianModel() + ConstantModel()
    flat = xr.DataArray(np.full(100, 3.0), dims="channel", coords={"energy": ("channel", np.linspace(0.0, 10.0, 100))})
    start = model.make_params(amplitude=1.0, center=5.0, sigma=1.0, c=0.0)
    fit = peaks.fit(flat, model, start, axis="energy", sigma=sigma)
    assert fit["status"] == peaks.Status.SINGULAR
    assert (fit["parameter_status"].sel(parameter=["center", "sigma"]) == peaks.ParameterStatus.UNIDENTIFIABLE).all()
    assert fit["stderr"].sel(parameter=["center", "sigma"]).isnull().all()
    assert abs(fit["value"].sel(parameter="c") - 3.0) < 1e-9
