"""Fits of users' functions, expressions, products and several axes, against lmfit, the kernel and closed forms."""

import math

import dask.array as da
import lmfit
import numpy as np
import pytest
import xarray as xr
from lmfit.models import ConstantModel, ExpressionModel, GaussianModel, LinearModel
from scipy import optimize

from analysis import peaks
from analysis.core import ModelError
from analysis.peaks import objective, vectorised

X = np.linspace(0.0, 10.0, 80)
NOISE = 0.05


def decay(x, height, rate, floor):
    return height * np.exp(-rate * x) + floor


def area_gaussian(x, amplitude, center, sigma):
    return amplitude / (sigma * np.sqrt(2 * np.pi)) * np.exp(-0.5 * ((x - center) / sigma) ** 2)


def with_abs(x, height, rate, floor):
    return np.abs(height) * np.exp(-np.abs(rate) * x) + floor


def with_maximum(x, height, rate, floor):
    return np.maximum(height, 0.01) * np.exp(-rate * x) + np.real(floor)


def one_at_a_time(x, height, rate, floor):
    if rate < 0.0:
        return np.full(x.size, np.nan)
    return np.array([height * math.exp(-rate * float(t)) + floor for t in x])


def normalised(x, height, rate, floor):
    shape = np.exp(-rate * x)
    return height * shape / np.max(shape) + floor


def curves(count=5, seed=1):
    rng = np.random.default_rng(seed)
    truth = np.column_stack([rng.uniform(3, 6, count), rng.uniform(0.3, 0.9, count), rng.uniform(0.5, 1.5, count)])
    signal = np.array([decay(X, *row) for row in truth]) + rng.normal(0, NOISE, (count, X.size))
    return xr.DataArray(signal, dims=("n", "channel"), coords={"time": ("channel", X)}, attrs={"units": "V"})


def fit(function=decay, data=None, **settings):
    model = lmfit.Model(function)
    params = model.make_params(height=4, rate=0.5, floor=1)
    return peaks.fit(curves() if data is None else data, model, params, axis="time", **({"sigma": NOISE} | settings))


def assert_same(ours, theirs, *, u=1e-6, stderr=1e-6):
    assert (ours.status == theirs.status).all()
    error = ours.stderr.values
    known = np.isfinite(error) & (error > 0)
    assert (np.isfinite(error) == np.isfinite(theirs.stderr.values)).all()
    assert (np.abs(ours.value.values - theirs.value.values)[known] <= u * error[known]).all()
    np.testing.assert_allclose(error[known], theirs.stderr.values[known], rtol=stderr)


@pytest.mark.parametrize(
    ("function", "derivatives"),
    [
        (decay, "complex step"),
        (with_abs, "extrapolated central differences"),
        (with_maximum, "extrapolated central differences"),
        (one_at_a_time, "extrapolated central differences"),
        (normalised, "complex step"),
    ],
)
def test_functions_of_all_kinds_give_what_the_plain_one_gives(function, derivatives):
    result = fit(function)
    assert result.attrs["derivatives"] == derivatives
    assert_same(result, fit(decay))


def test_a_function_agrees_with_the_lmfit_engine():
    assert_same(fit(), fit(engine="lmfit"), u=1e-4, stderr=1e-5)


def test_a_users_gaussian_equals_the_kernels():
    rng = np.random.default_rng(2)
    signal = area_gaussian(X, 20, 5, 1) + 1 + rng.normal(0, NOISE, (4, X.size))
    data = xr.DataArray(signal, dims=("n", "channel"), coords={"time": ("channel", X)})
    own = lmfit.Model(area_gaussian) + ConstantModel()
    start = {"amplitude": 15, "center": 5.3, "sigma": 1.3, "c": 0}
    ours = peaks.fit(data, own, own.make_params(**start), axis="time")
    kernel = GaussianModel() + ConstantModel()
    params = kernel.make_params(**start)
    theirs = peaks.fit(data, kernel, params, axis="time").sel(parameter=ours.parameter, parameter_=ours.parameter_)
    assert theirs.attrs["derivatives"] == "analytic"
    assert_same(ours, theirs)
    np.testing.assert_allclose(ours.chisqr, theirs.chisqr, rtol=1e-10)


def test_a_map_is_its_spectra_one_by_one_and_lazy_or_not():
    data = curves(count=7)
    data[2, 10:20] = np.nan
    data[4] = np.nan
    whole = fit(data=data)
    assert whole.status.values.tolist() == [0, 0, 0, 0, int(peaks.Status.INVALID_DATA), 0, 0]
    assert int(whole.ndata[2]) == X.size - 10
    for n in (0, 2, 6):
        alone = fit(data=data.isel(n=n))
        np.testing.assert_allclose(whole.value[n], alone.value, rtol=1e-11)
        np.testing.assert_allclose(whole.stderr[n], alone.stderr, rtol=1e-9)
    lazy = fit(data=data.copy(data=da.from_array(data.values, chunks=(3, -1)))).compute()
    np.testing.assert_allclose(whole.value, lazy.value, rtol=1e-11)


def test_no_lane_influences_another_across_blocks(monkeypatch):
    whole = fit()
    monkeypatch.setattr(vectorised, "MEMORY", 2 * X.size * 4)
    np.testing.assert_allclose(whole.value, fit().value, rtol=1e-11)


def test_a_parameter_at_its_bound_is_held_and_the_others_follow():
    model = lmfit.Model(decay)
    params = model.make_params(height=4, rate=0.5, floor=1)
    params["floor"].set(min=2.0, value=2.5)
    result = peaks.fit(curves(), model, params, axis="time", sigma=NOISE)
    assert (result.value.sel(parameter="floor") == 2.0).all()
    assert (result.parameter_status.sel(parameter="floor") == peaks.ParameterStatus.AT_BOUND).all()
    assert np.isnan(result.stderr.sel(parameter="floor")).all()
    params["floor"].set(value=2.0, vary=False)
    fixed = peaks.fit(curves(), model, params, axis="time", sigma=NOISE)
    free = ["height", "rate"]
    np.testing.assert_allclose(result.value.sel(parameter=free), fixed.value.sel(parameter=free), rtol=1e-9)
    np.testing.assert_allclose(result.stderr.sel(parameter=free), fixed.stderr.sel(parameter=free), rtol=1e-7)


def test_a_tie_is_the_substitution_it_stands_for():
    model = lmfit.Model(decay)
    params = model.make_params(height=4, rate=0.5, floor=1)
    params["floor"].set(expr="height / 4 + 0.1 * rate**2")
    tied = peaks.fit(curves(), model, params, axis="time", sigma=NOISE)

    def substituted(x, height, rate):
        return decay(x, height, rate, height / 4 + 0.1 * rate**2)

    other = lmfit.Model(substituted)
    plain = peaks.fit(curves(), other, other.make_params(height=4, rate=0.5), axis="time", sigma=NOISE)
    assert_same(tied.sel(parameter=["height", "rate"]), plain)
    assert (tied.stderr.sel(parameter="floor") > 0).all()


def test_an_expression_model_equals_the_function():
    model = ExpressionModel("height * exp(-rate * x) + base")
    result = peaks.fit(curves(), model, model.make_params(height=4, rate=0.5, base=1), axis="time", sigma=NOISE)
    assert result.attrs["derivatives"] == "complex step"
    assert_same(result.sel(parameter=["height", "rate", "base"]), fit())
    assert np.isfinite(peaks.evaluate(result, model=model)).all()


@pytest.mark.parametrize("text", ["a * gaussian(x, 1, 2, 3)", "a * x if a > 0 else x", "a * [x, x][0]", "a * x.size"])
def test_an_expression_that_is_not_arithmetic_is_never_evaluated(text):
    model = ExpressionModel(text)
    model.func = pytest.fail
    with pytest.raises(ModelError, match="engine='lmfit'"):
        peaks.fit(curves(), model, model.make_params(a=1), axis="time")


def test_a_quotient_of_components_is_fitted():
    model = lmfit.Model(decay, prefix="d_") / (LinearModel(prefix="l_") + ConstantModel(prefix="k_"))
    params = model.make_params(d_height=4, d_rate=0.5, d_floor=1, l_slope=0, l_intercept=1, k_c=0)
    for name in ("l_slope", "l_intercept", "k_c"):
        params[name].vary = False
    result = peaks.fit(curves(), model, params, axis="time", sigma=NOISE)
    names = ["d_height", "d_rate", "d_floor"]
    assert_same(result.sel(parameter=names), fit())
    assert (result.parameter_units == "").all()


def two_ways(across, along, slope, rise, curve):
    return slope * across + rise * along + curve * across * along


def test_several_axes_may_repeat_and_equal_linear_regression():
    rng = np.random.default_rng(4)
    across, along = rng.integers(0, 5, 40).astype(float), rng.integers(0, 4, 40).astype(float)
    signal = two_ways(across, along, 2, -1, 0.5) + rng.normal(0, NOISE, 40)
    data = xr.DataArray(signal, dims="channel", coords={"u": ("channel", across), "v": ("channel", along)})
    model = lmfit.Model(two_ways, independent_vars=["across", "along"])
    params = model.make_params(slope=1, rise=1, curve=0)
    result = peaks.fit(data, model, params, axis=["u", "v"])
    matrix = np.column_stack([across, along, across * along])
    best, squares, *_ = np.linalg.lstsq(matrix, signal)
    np.testing.assert_allclose(result.value, best, rtol=1e-12)
    spread = np.sqrt(np.diag(np.linalg.inv(matrix.T @ matrix)) * squares[0] / 37)
    np.testing.assert_allclose(result.stderr, spread, rtol=1e-11)
    curve = peaks.evaluate(result, model=model)
    np.testing.assert_allclose(curve, matrix @ best, rtol=1e-12)
    assert {"u", "v"} <= set(curve.coords)
    again = peaks.to_lmfit(result, data, model=model)
    np.testing.assert_allclose(again.residual, signal - curve, atol=1e-12)
    assert peaks.quantity(result, "rise").u == pytest.approx(float(result.stderr[1]))
    with pytest.raises(ModelError, match=r"independent variables \['across', 'along'\] and got 1 axes"):
        peaks.fit(data, model, params, axis="u")


def broken(x, height):
    msg = f"no table for {height} at {x.size}"
    raise KeyError(msg)


def two_values(x, height):
    return np.array([height, height * x[0]])


def imaginary(x, height):
    return height * np.exp(1j * x)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (broken, r"function 'broken' raised KeyError at the starting values \{'height': 1.0\}.*engine='lmfit'"),
        (two_values, r"function 'two_values' returned an array of shape \(2,\); wanted one value for each of the 80"),
        (imaginary, "function 'imaginary' returned complex128 for real parameters"),
    ],
)
def test_a_function_that_cannot_be_evaluated_is_named(function, message):
    model = lmfit.Model(function)
    with pytest.raises(ModelError, match=message):
        peaks.fit(curves(), model, model.make_params(height=1), axis="time")


def test_more_parameters_than_points_are_refused():
    with pytest.raises(ModelError, match="2 channels cannot determine 3 free parameters"):
        fit(data=curves().isel(channel=slice(0, 2)))


def test_a_model_that_overflows_is_flagged_where_it_does():
    result = fit(start={"rate": np.array([0.5, -1e4, 0.5, 0.5, 0.5])})
    assert result.status.values.tolist() == [0, int(peaks.Status.NON_FINITE_MODEL), 0, 0, 0]
    assert np.isnan(result.value[1]).all()


def test_what_the_data_do_not_determine_is_said():
    def doubled(x, height, rate, floor, other):
        return decay(x, height, rate, floor + other)

    model = lmfit.Model(doubled)
    result = peaks.fit(curves(), model, model.make_params(height=4, rate=0.5, floor=1, other=0), axis="time")
    assert (result.status == peaks.Status.SINGULAR).all()
    open_ = result.parameter_status == peaks.ParameterStatus.UNIDENTIFIABLE
    assert open_.sel(parameter=["floor", "other"]).all()
    assert np.isnan(result.stderr.where(open_)).all()


@pytest.mark.parametrize("loss", ["soft_l1", "huber"])
def test_robust_losses_are_those_of_scipy(loss):
    data = curves().values.copy()
    data[:, ::9] += 3.0
    model = lmfit.Model(decay)
    params = model.make_params(height=4, rate=0.5, floor=1)
    engine = vectorised.make(model, params, X, max_iterations=200, loss=loss)
    found = engine.solve(X, data, np.full((1, X.size), NOISE), np.tile([4.0, 0.5, 1.0], (5, 1)))
    for s in range(5):
        other = optimize.least_squares(
            lambda p, s=s: (decay(X, *p) - data[s]) / NOISE, [4, 0.5, 1], loss=loss, xtol=1e-15, ftol=1e-15, gtol=1e-12
        )
        assert found.chisqr[s] == pytest.approx(2 * other.cost, rel=1e-9)
        np.testing.assert_allclose(found.u[s], other.x, rtol=1e-5)


def test_the_poisson_loss_is_the_likelihood():
    rng = np.random.default_rng(5)
    data = rng.poisson(decay(X, 30, 0.5, 2), (3, X.size)).astype(float)
    model = lmfit.Model(decay)
    params = model.make_params(height=20, rate=0.7, floor=1)
    engine = vectorised.make(model, params, X, max_iterations=200, loss="poisson")
    start = np.tile([20.0, 0.7, 1.0], (3, 1))
    found = engine.solve(X, data, None, start)
    assert (found.status == 0).all()
    for s in range(3):
        x = decay(X, *found.u[s])
        jacobian = np.column_stack([np.exp(-found.u[s, 1] * X), -X * (x - found.u[s, 2]), np.ones(X.size)])
        np.testing.assert_allclose(jacobian.T @ (1 - data[s] / x), 0.0, atol=1e-6)
        information = jacobian.T @ (jacobian / x[:, None])
        np.testing.assert_allclose(found.covariance[s], np.linalg.inv(information), rtol=1e-7)
    mask = np.ones_like(data)
    assert objective.cost(data, data, mask, "poisson") == pytest.approx(0.0, abs=1e-9)
