"""What a fit refuses, and that the message says what it got, what it wanted and the next move."""

import lmfit
import numpy as np
import pytest
import xarray as xr
from lmfit.models import ConstantModel, GaussianModel, LinearModel

from analysis import peaks
from analysis.core import ModelError, SpectrumError, UnitsError

X = np.linspace(0.0, 10.0, 60)
MODEL = GaussianModel(prefix="p_") + ConstantModel(prefix="b_")
PARAMS = MODEL.make_params(p_amplitude=5, p_center=5, p_sigma=1, b_c=1)
DATA = xr.DataArray(
    MODEL.eval(PARAMS, x=X) + 0.01 * np.sin(40 * X),
    dims="channel",
    coords={"energy": ("channel", X, {"units": "keV"})},
    attrs={"units": "counts"},
)


def fit(data=DATA, model=MODEL, params=PARAMS, **settings):
    return peaks.fit(data, model, params, **{"axis": "energy", **settings})


def changed(**values):
    params = PARAMS.copy()
    for name, value in values.items():
        params[name].set(**value)
    return params


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        (
            {"axis": "enrgy"},
            SpectrumError,
            r"no axis named 'enrgy'.*this spectrum has \['energy'\].*Did you mean 'energy'",
        ),
        ({"data": DATA.rename(channel="x")}, SpectrumError, "needs a dimension named 'channel'"),
        ({"engine": "bached"}, ValueError, r"engine must be one of \['batched', 'lmfit'\], got 'bached'. Did you mean"),
        ({"loss": "cauchy"}, ValueError, r"loss must be one of .* got 'cauchy'"),
        ({"max_iterations": 0}, ValueError, "max_iterations must be at least 1, got 0"),
        ({"threads": 0}, ValueError, "threads must be at least 1 or None, got 0"),
        ({"model": "gaussian"}, ModelError, "model must be an lmfit model"),
        ({"params": {"p_center": 1}}, ModelError, "params must be lmfit.Parameters"),
        ({"sigma": 0.0}, SpectrumError, "sigma must be positive and finite; got 60 other values, the first 0"),
        (
            {"sigma": -np.ones(60)},
            SpectrumError,
            "sigma must be positive and finite; got 60 other values, the first -1",
        ),
        (
            {"sigma": np.where(X > 5, np.inf, 1)},
            SpectrumError,
            "sigma must be positive and finite; got 30 other values",
        ),
        ({"sigma": np.ones(59)}, SpectrumError, r"sigma has shape \(59,\); wanted a number, or the shape \(60,\)"),
        ({"sigma": xr.DataArray(np.ones(60), dims="x")}, SpectrumError, "sigma has dimensions"),
        ({"sigma": xr.DataArray(np.ones(60), dims="channel", attrs={"units": "nm"})}, UnitsError, "units do not match"),
        ({"data": DATA * np.nan}, SpectrumError, "all 60 points of the spectrum are NaN or infinite"),
        ({"data": DATA.where(X < 9, np.inf)}, SpectrumError, "points of the spectrum are infinite; mask them with NaN"),
        ({"data": DATA.where(X < 0.4)}, SpectrumError, "3 usable points for 4 free parameters"),
        ({"data": DATA[:3]}, ModelError, "3 channels cannot determine 4 free parameters"),
        (
            {"start": {"p_centre": 5.0}},
            ModelError,
            "start names 'p_centre', which is no parameter.*Did you mean 'p_center'",
        ),
        ({"start": {"p_center": [1.0, 2.0]}}, ModelError, r"start of 'p_center' has shape \(2,\)"),
        ({"start": {"p_center": np.nan}}, ModelError, "values that are not finite"),
        ({"params": changed(p_center={"value": np.inf})}, ModelError, "'p_center' starts at inf"),
        ({"params": GaussianModel(prefix="p_").make_params()}, ModelError, r"params lack \['b_c'\]"),
    ],
)
def test_a_fit_refuses(settings, error, message):
    with pytest.raises(error, match=message):
        fit(**settings)


def test_parameters_that_the_model_does_not_know_are_refused():
    params = PARAMS.copy()
    params.add("p_centre", value=3.0)
    with pytest.raises(ModelError, match=r"'p_centre' is unknown to the model.*Did you mean 'p_center'"):
        fit(params=params)


def test_nothing_free_is_refused():
    params = PARAMS.copy()
    for par in params.values():
        if not par.expr:
            par.vary = False
    with pytest.raises(ModelError, match="no parameter is free"):
        fit(params=params)


def test_a_users_function_must_be_passed_again():
    def wiggle(x, depth, period):
        return depth * np.sin(x / period)

    model = lmfit.Model(wiggle, prefix="w_") + ConstantModel(prefix="b_")
    params = model.make_params(w_depth=1, w_period=1, b_c=1)
    result = fit(model=model, params=params)
    assert np.isfinite(result.value).all()
    with pytest.raises(ModelError, match="wiggle"):
        peaks.evaluate(result)
    with pytest.raises(ModelError, match="Pass the model that was fitted"):
        peaks.evaluate(result, model=lmfit.Model(wiggle))
    assert np.isfinite(peaks.evaluate(result, model=model)).all()
    assert peaks.to_lmfit(result, DATA, model=model).params["b_c"].value == float(result.value.sel(parameter="b_c"))


def test_a_product_of_models_is_fitted_by_both_engines_alike():
    model = GaussianModel(prefix="p_") * LinearModel(prefix="l_")
    params = model.make_params(p_amplitude=5, p_center=5, p_sigma=1, l_slope=0, l_intercept=1)
    params["p_amplitude"].vary = False
    ours, theirs = (fit(model=model, params=params, engine=engine) for engine in ("batched", "lmfit"))
    assert int(ours.status) == int(theirs.status) == 0
    used = ours.stderr > 0
    assert float((abs(ours.value - theirs.value) / ours.stderr).where(used).max()) < 1e-3
    assert str(ours.parameter_units.sel(parameter="l_slope").values) == ""


def test_an_expression_that_is_not_arithmetic_is_refused_by_both_engines():
    params = PARAMS.copy()
    params.add("p_extra", value=1.0)
    params["p_sigma"].set(expr="erf(p_extra)")
    for engine in ("batched", "lmfit"):
        with pytest.raises(ModelError, match="not plain arithmetic"):
            fit(params=params, engine=engine)


def test_a_centre_that_starts_outside_the_axis_is_said():
    assert "p_center started outside the axis" in fit(params=changed(p_center={"value": 11.0})).attrs["advice"]


def test_weights_that_mislead_are_said():
    counts = xr.DataArray(
        np.round(10 + 20 * np.exp(-((X - 5) ** 2))), dims="channel", coords={"energy": ("channel", X)}
    )
    sigma = np.sqrt(np.maximum(counts.values, 1))
    assert "square root of counts" in fit(data=counts, sigma=sigma).attrs["advice"]


def test_quantity_refuses_what_it_cannot_find():
    result = fit()
    with pytest.raises(ModelError, match=r"no parameter named 'p_centre'.*Did you mean 'p_center'"):
        peaks.quantity(result, "p_centre")
    with pytest.raises(ModelError, match="of one spectrum, so at must be None"):
        peaks.quantity(result, "p_center", at={"row": 1})
    several = fit(data=xr.concat([DATA, DATA], dim="row"))
    with pytest.raises(ModelError, match=r"map with dims \{'row': 2\}; got at=None"):
        peaks.quantity(several, "p_center")
    with pytest.raises(ModelError, match="position 2 is outside dim 'row' of size 2"):
        peaks.quantity(several, "p_center", at={"row": 2})


def test_evaluate_refuses_what_is_not_a_fit():
    with pytest.raises(ModelError, match=r"evaluate needs the result of peaks.fit"):
        peaks.evaluate(DATA.to_dataset(name="signal"))
