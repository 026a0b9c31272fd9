"""What is made of a fit: its curve, lmfit's result object, its history, its file."""

import lmfit
import numpy as np
import pytest
import xarray as xr
from lmfit.models import (
    ConstantModel,
    Pearson4Model,
    PseudoVoigtModel,
    SkewedVoigtModel,
    VoigtModel,
)

from analysis import peaks
from analysis.core import history
from analysis.peaks import language
from tests.fitted import X, peak_and_line, spectra


def test_the_curve_comes_from_the_fit_alone_and_components_add_up():
    model = PseudoVoigtModel(prefix="p_") + VoigtModel(prefix="v_") - ConstantModel(prefix="c_")
    params = model.make_params(
        p_amplitude=80, p_center=512, p_sigma=2, v_amplitude=60, v_center=528, v_sigma=1.5, c_c=2
    )
    data = spectra(model, params, (2,))
    fit = peaks.fit(data, model, params, axis="raman_shift")
    curve = peaks.evaluate(fit)
    np.testing.assert_allclose((((data.signal - curve) ** 2).sum("channel")), fit.chisqr, rtol=1e-9)
    parts = peaks.evaluate(fit, components=True)
    assert parts.dims == ("row", "component", "channel")
    assert parts.component.values.tolist() == ["p", "v", "c"]
    np.testing.assert_allclose(parts.sum("component"), curve, atol=1e-12)
    assert curve.attrs["units"] == "counts"
    other = peaks.evaluate(peaks.fit(data, model, params, axis="raman_shift", engine="lmfit"))
    np.testing.assert_allclose(other, curve, atol=1e-4)


def test_to_lmfit_gives_the_numbers_of_the_fit():
    model, params = peak_and_line()
    data = spectra(model, params, (2, 2))
    fit = peaks.fit(data, model, params, axis="raman_shift", sigma=0.1)
    result = peaks.to_lmfit(fit, data, at={"row": 1, "col": 0}, sigma=0.1)
    one = fit.isel(row=1, col=0)
    for name in one.parameter.values:
        assert result.params[name].value == pytest.approx(float(one.value.sel(parameter=name)), rel=1e-14)
        assert result.params[name].stderr == float(one.stderr.sel(parameter=name))
    assert result.chisqr == float(one.chisqr)
    np.testing.assert_allclose((result.residual**2).sum(), result.chisqr, rtol=1e-10)
    np.testing.assert_array_equal(
        result.covar, one.covariance.sel(parameter=result.var_names, parameter_=result.var_names)
    )
    assert "p_center" in result.fit_report()
    assert isinstance(result, lmfit.model.ModelResult)
    assert result.eval_uncertainty().shape == X.shape


def test_the_history_holds_what_is_needed_to_do_it_again():
    model, params = peak_and_line()
    data = spectra(model, params)
    fit = peaks.fit(data, model, params, axis="raman_shift", sigma=0.1, max_iterations=50)
    graph = history.parse(history.of(fit))
    step = graph["steps"][graph["head"]]
    assert step["function"] == "peaks.fit"
    keep = step["settings"]
    again = peaks.fit(
        data,
        language.model_from_json(keep.pop("model")),
        language.params_from_json(keep.pop("params")),
        **keep,
    )
    xr.testing.assert_identical(again, fit)


def test_a_fit_survives_netcdf(tmp_path):
    pytest.importorskip("h5netcdf")
    model, params = peak_and_line()
    fit = peaks.fit(spectra(model, params, (2,)), model, params, axis="raman_shift")
    fit.to_netcdf(tmp_path / "fit.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "fit.nc", engine="h5netcdf", decode_cf=False) as read:
        np.testing.assert_array_equal(peaks.evaluate(read.load()), peaks.evaluate(fit))


def test_any_model_of_lmfit_goes_through_its_own_engine():
    model = SkewedVoigtModel(prefix="s_") + ConstantModel(prefix="c_")
    params = model.make_params(s_amplitude=80, s_center=518, s_sigma=2, s_skew=0.5, c_c=3)
    data = spectra(model, params)
    fit = peaks.fit(data, model, params, axis="raman_shift", engine="lmfit")
    assert int(fit.status) == peaks.Status.CONVERGED
    result = model.fit(data.signal.values, params, x=X)
    np.testing.assert_allclose(float(fit.chisqr), result.chisqr, rtol=1e-7)
    error = float(fit.stderr.sel(parameter="s_skew"))
    np.testing.assert_allclose(error, result.params["s_skew"].stderr, rtol=1e-2)
    np.testing.assert_allclose(((data.signal - peaks.evaluate(fit)) ** 2).sum(), fit.chisqr, rtol=1e-9)


def test_a_derived_parameter_outside_the_grammar_is_left_out_and_the_rest_stays():
    model = Pearson4Model(prefix="s_")
    params = model.make_params(s_amplitude=80, s_center=518, s_sigma=2, s_expon=2.0)
    data = spectra(model, params)
    fit = peaks.fit(data, model, params, axis="raman_shift", engine="lmfit")
    assert "s_height" not in fit.parameter.values
    assert int(fit.status) == peaks.Status.CONVERGED
    assert peaks.evaluate(fit).shape == X.shape
    assert peaks.to_lmfit(fit, data).params["s_center"].value == float(fit.value.sel(parameter="s_center"))
