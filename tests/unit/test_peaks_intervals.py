"""Profile and bootstrap intervals: against lmfit, closed forms and coverage, and what they refuse."""

import json

import lmfit
import numpy as np
import pytest
import xarray as xr
from lmfit.models import ConstantModel, GaussianModel, LinearModel
from scipy import stats

from analysis import peaks
from analysis.core import ModelError, SpectrumError
from analysis.peaks import IntervalStatus

X = np.linspace(0.0, 10.0, 60)
MODEL = GaussianModel(prefix="p_") + ConstantModel(prefix="b_")
TRUE = MODEL.make_params(p_amplitude=8, p_center=5, p_sigma=1, b_c=1)


def data(y, x=X, u=None):
    dims = ("row", "col", "channel")[-np.ndim(y) :]
    made = xr.Dataset({"signal": (dims, y, {"units": "1"})}, coords={"energy": ("channel", x, {"units": "keV"})})
    return made if u is None else made.assign(u_signal=(dims, np.broadcast_to(u, np.shape(y)), {"units": "1"}))


def noisy(shape=(), noise=0.5, seed=3):
    return MODEL.eval(TRUE, x=X) + np.random.default_rng(seed).normal(0, noise, (*shape, X.size))


def fitted(y, *, u=None, model=MODEL, params=TRUE, x=X, **settings):
    spectrum = data(y, x=x, u=u)
    return peaks.fit(spectrum, model, params, axis="energy", **settings), spectrum


@pytest.mark.parametrize("level", [0.6827, 0.95])
def test_the_profile_is_that_of_lmfit_conf_interval(level):
    fit, spectrum = fitted(noisy())
    found = peaks.intervals(fit, spectrum, level=level)
    result = peaks.to_lmfit(fit, spectrum)
    theirs = lmfit.conf_interval(result, result, sigmas=[level])
    for name in found["parameter"].values:
        (_, low), _, (_, high) = theirs[name]
        one = found.sel(parameter=name)
        width = high - low
        np.testing.assert_allclose([one["low"], one["high"]], [low, high], atol=2e-3 * width)


def test_of_a_linear_model_the_profile_is_the_quantile_times_the_standard_error():
    model = LinearModel(prefix="b_")
    y = 2.0 + 0.3 * X + np.random.default_rng(1).normal(0, 0.2, (2, X.size))
    params = model.make_params(b_slope=0, b_intercept=0)
    for u, quantile in ((None, stats.t.ppf(0.95, X.size - 2)), (0.2, stats.norm.ppf(0.95))):
        fit, spectrum = fitted(y, u=u, model=model, params=params)
        found = peaks.intervals(fit, spectrum, level=0.9)
        names = found["parameter"].values
        half = quantile * fit["stderr"].sel(parameter=names)
        np.testing.assert_allclose(found["high"] - found["value"], half, rtol=1e-4)
        np.testing.assert_allclose(found["value"] - found["low"], half, rtol=1e-4)


def zero_crossing(slope, seed=5):
    """Fit y = slope (x - zero), of which the profile interval is Fieller's (J. R. Stat. Soc. B 16 (1954) 175)."""
    model = LinearModel(prefix="b_")
    params = model.make_params(b_slope=slope, b_intercept=0)
    params.add("zero", value=4.0)
    params["b_intercept"].expr = "-b_slope * zero"
    y = slope * (X - 4.0) + np.random.default_rng(seed).normal(0, 1.0, X.size)
    fit, spectrum = fitted(y, u=1.0, model=model, params=params)
    return peaks.intervals(fit, spectrum, parameters=["zero"]).squeeze(), y


def fieller(y, level=0.95):
    """Solve (a + b z)² = q² var(a + b z) for z, by ordinary least squares of y = a + b x with sigma 1."""
    design = np.stack([np.ones_like(X), X], axis=1)
    covariance = np.linalg.inv(design.T @ design)
    a, b = covariance @ design.T @ y
    q2 = stats.chi2.ppf(level, 1)
    square = b**2 - q2 * covariance[1, 1]
    return square, np.sort(np.roots([square, 2 * (a * b - q2 * covariance[0, 1]), a**2 - q2 * covariance[0, 0]]).real)


@pytest.mark.parametrize("slope", [2.0, 0.15])
def test_of_a_zero_crossing_the_profile_is_fiellers_interval(slope):
    found, y = zero_crossing(slope)
    square, ends = fieller(y)
    assert square > 0
    np.testing.assert_allclose([found["low"], found["high"]], ends, rtol=1e-4)


def test_an_end_that_the_data_leave_open_is_infinite_and_says_so():
    found, y = zero_crossing(0.03)
    square, _ = fieller(y)
    assert square < 0
    assert IntervalStatus.OPEN in (found["low_status"].item(), found["high_status"].item())
    assert np.isinf([found["low"], found["high"]]).any()
    assert any("leave the interval open" in line for line in json.loads(found.attrs["advice"]))


def test_an_end_beyond_a_bound_is_open_and_says_so():
    params = TRUE.copy()
    params["p_center"].set(max=5.01)
    params["p_amplitude"].set(min=0)
    fit, spectrum = fitted(noisy(noise=1.0, seed=8), params=params)
    found = peaks.intervals(fit, spectrum, parameters=["p_center"]).squeeze()
    assert found["high_status"] == IntervalStatus.AT_BOUND
    assert found["high"] == np.inf
    assert found["low_status"] == IntervalStatus.FOUND


def test_a_fit_that_was_no_minimum_is_said_with_a_better_start():
    x = np.linspace(0.0, 20.0, 120)
    y = 3.0 * np.exp(-(((x - 6) / 1.0) ** 2)) + 1.5 * np.exp(-(((x - 14) / 1.0) ** 2))
    y += np.random.default_rng(2).normal(0, 0.3, x.size)
    params = MODEL.make_params(p_amplitude=3, p_center=14, p_sigma=0.7, b_c=0)
    fit, spectrum = fitted(y, params=params, x=x)
    assert abs(fit["value"].sel(parameter="p_center") - 14) < 1
    found = peaks.intervals(fit, spectrum, level=1 - 1e-12)
    assert (found["low_status"] == IntervalStatus.FIT_NOT_MINIMUM).all()
    assert found["low"].isnull().all()
    assert any("fit again from better_start" in line for line in json.loads(found.attrs["advice"]))
    again = dict(zip(found["all_parameters"].values, found["better_start"].values, strict=True))
    better = peaks.fit(spectrum, MODEL, params, axis="energy", start={n: again[n] for n in MODEL.param_names})
    assert better["chisqr"] <= found["lowest_chisqr"]
    assert better["chisqr"] < fit["chisqr"]


@pytest.mark.parametrize("u", [None, 0.5])
def test_profile_intervals_cover_as_they_say(u):
    trials = 300
    fit, spectrum = fitted(noisy((trials,), seed=17), u=u)
    found = peaks.intervals(fit, spectrum, level=0.9)
    true = np.array([TRUE[name].value for name in found["parameter"].values])
    hits = ((found["low"] <= true) & (true <= found["high"])).sum("col").values
    low, high = stats.binom.ppf([5e-7, 1 - 5e-7], trials, 0.9)
    assert ((low <= hits) & (hits <= high)).all(), hits


@pytest.mark.parametrize("u", [None, 0.5])
def test_bootstrap_intervals_cover_as_they_say(u):
    trials = 120
    fit, spectrum = fitted(noisy((trials,), seed=19), u=u)
    found = peaks.intervals(fit, spectrum, level=0.9, method="bootstrap", samples=199)
    true = np.array([TRUE[name].value for name in found["parameter"].values])
    hits = ((found["low"] <= true) & (true <= found["high"])).sum("col").values
    low, high = stats.binom.ppf([5e-7, 1 - 5e-7], trials, 0.9)
    assert ((low <= hits) & (hits <= high)).all(), hits


def test_the_bootstrap_of_a_linear_model_has_the_quantiles_of_its_normal_distribution():
    model = LinearModel(prefix="b_")
    y = 2.0 + 0.3 * X
    fit, spectrum = fitted(y, u=0.2, model=model, params=model.make_params(b_slope=0, b_intercept=0))
    found = peaks.intervals(fit, spectrum, level=0.6827, method="bootstrap", samples=20_000, seed=4)
    # standard error of the quantile at one sigma: sqrt(p (1 - p) / n) / density = 0.011 of sigma; five of them
    error = fit["stderr"].sel(parameter=found["parameter"])
    np.testing.assert_allclose((found["high"] - found["value"]) / error, 1.0, atol=0.055)
    np.testing.assert_allclose((found["value"] - found["low"]) / error, 1.0, atol=0.055)


@pytest.mark.parametrize("method", ["profile", "bootstrap"])
def test_a_map_gives_what_its_spectra_give_and_bad_spectra_are_flagged(method):
    y = noisy((2, 3), seed=11)
    y[0, 1] = np.nan
    y[1, 2, :10] = np.nan
    fit, spectrum = fitted(y)
    found = peaks.intervals(fit, spectrum, method=method, samples=50)
    assert found["low"].dims == ("row", "col", "parameter")
    assert (found["low_status"][0, 1] == IntervalStatus.NO_FIT).all()
    assert found["low"][0, 1].isnull().all()
    assert (found["low_status"].values == IntervalStatus.FOUND).sum() == 5 * 4
    one_fit, one = fitted(y[0, 0])
    alone = peaks.intervals(one_fit, one, method=method, samples=50)
    np.testing.assert_allclose(found["low"][0, 0], alone["low"], rtol=1e-7)
    np.testing.assert_allclose(found["high"][0, 0], alone["high"], rtol=1e-7)


def test_a_model_with_one_free_parameter_has_a_profile():
    params = TRUE.copy()
    for name in ("p_center", "p_sigma", "b_c"):
        params[name].set(vary=False)
    fit, spectrum = fitted(noisy(), u=0.5, params=params)
    found = peaks.intervals(fit, spectrum).squeeze()
    half = stats.norm.ppf(0.975) * float(fit["stderr"].sel(parameter="p_amplitude"))
    np.testing.assert_allclose(
        [found["low"], found["high"]], float(found["value"]) + half * np.array([-1, 1]), rtol=1e-5
    )


def test_inputs_are_not_changed_and_the_seed_decides():
    fit, spectrum = fitted(noisy())
    before = fit.copy(deep=True), spectrum.copy(deep=True)
    first = peaks.intervals(fit, spectrum, method="bootstrap", samples=20, seed=1)
    again = peaks.intervals(fit, spectrum, method="bootstrap", samples=20, seed=1)
    other = peaks.intervals(fit, spectrum, method="bootstrap", samples=20, seed=2)
    xr.testing.assert_identical(fit, before[0])
    xr.testing.assert_identical(spectrum, before[1])
    xr.testing.assert_identical(first, again)
    assert (first["low"] != other["low"]).all()


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"method": "profil"}, ModelError, r"method must be one of \['profile', 'bootstrap'\], got 'profil'. Did you"),
        ({"level": 95}, ModelError, "level must lie between 0 and 1, got 95; 0.95 for 95 %"),
        ({"level": 0.0}, ModelError, "level must lie between 0 and 1, got 0"),
        ({"samples": 5}, ModelError, "samples must be at least 20, got 5"),
        ({"parameters": ["p_centre"]}, ModelError, "no free parameter named 'p_centre'.*Did you mean 'p_center'"),
        ({"parameters": "p_center"}, ModelError, r"must be a list of names, got the text 'p_center'"),
        ({"spectrum": data(noisy(seed=4))}, SpectrumError, "1 of 1 spectra do not have the chi-square of their fit"),
        ({"spectrum": data(noisy()[:50], x=X[:50])}, SpectrumError, "the fit has 60 channels.*this spectrum has 50"),
        ({"spectrum": data(noisy((2,)))}, SpectrumError, r"the fit has dims \{\}, this spectrum \{'col': 2\}"),
        ({"fit": data(noisy())}, ModelError, "wanted the result of peaks.fit"),
    ],
)  # fmt: skip
def test_what_intervals_refuse(settings, error, message):
    fit, spectrum = fitted(noisy())
    given = {"fit": fit, "spectrum": spectrum, **settings}
    with pytest.raises(error, match=message):
        peaks.intervals(given.pop("fit"), given.pop("spectrum"), **given)


def test_a_weighted_fit_needs_its_sigma_again():
    spectrum = data(noisy())
    fit = peaks.fit(spectrum, MODEL, TRUE, axis="energy", sigma=0.5)
    assert peaks.intervals(fit, spectrum, sigma=0.5)["low"].notnull().all()
    with pytest.raises(SpectrumError, match=r"the fit was weighted.*give sigma as it was given"):
        peaks.intervals(fit, spectrum)
    with pytest.raises(SpectrumError, match="do not have the chi-square of their fit"):
        peaks.intervals(fit, spectrum, sigma=0.4)


def decay(x, size, rate):
    return size * np.exp(-rate * x)


def test_a_users_own_function_is_profiled_when_the_model_is_passed_again():
    model = lmfit.Model(decay)
    params = model.make_params(size=4, rate=0.4)
    y = decay(X, 5.0, 0.5) + np.random.default_rng(6).normal(0, 0.3, X.size)
    fit, spectrum = fitted(y, model=model, params=params, engine="lmfit")
    found = peaks.intervals(fit, spectrum, model=model)
    result = model.fit(y, params, x=X)
    theirs = lmfit.conf_interval(result, result, sigmas=[0.95])
    for name in ("size", "rate"):
        one = found.sel(parameter=name)
        (_, low), _, (_, high) = theirs[name]
        np.testing.assert_allclose([one["low"], one["high"]], [low, high], atol=2e-3 * (high - low))
    np.testing.assert_allclose(peaks.diagnose(fit, spectrum, model=model)["leverage"].sum(), 2.0, rtol=1e-5)
    with pytest.raises(ModelError, match=r"uses the function .*decay.*pass the model itself again"):
        peaks.intervals(fit, spectrum)
