"""Residual diagnostics and the comparison of models: against closed forms and other routes."""

import itertools
import json

import numpy as np
import pytest
import xarray as xr
from lmfit.models import ConstantModel, GaussianModel, LinearModel, QuadraticModel
from scipy import stats

from analysis import peaks
from analysis.core import ModelError, SpectrumError

X = np.linspace(0.0, 10.0, 60)
LINE = LinearModel(prefix="b_")
PEAK = GaussianModel(prefix="p_") + ConstantModel(prefix="b_")


def data(y, u=None, x=X):
    dims = ("row", "channel")[-np.ndim(y) :]
    made = xr.Dataset({"signal": (dims, y, {"units": "1"})}, coords={"energy": ("channel", x, {"units": "keV"})})
    return made if u is None else made.assign(u_signal=(dims, np.broadcast_to(u, np.shape(y)), {"units": "1"}))


def line(seed=1, rows=None, noise=0.2):
    shape = (X.size,) if rows is None else (rows, X.size)
    return 2.0 + 0.3 * X + np.random.default_rng(seed).normal(0, noise, shape)


def fit_line(y, **settings):
    spectrum = data(y, **settings)
    return peaks.fit(spectrum, LINE, LINE.make_params(b_slope=0, b_intercept=0), axis="energy"), spectrum


def ordinary_least_squares(y):
    """Compute hat matrix, internally studentised residuals and Cook's distance from the design matrix."""
    design = np.stack([np.ones_like(X), X], axis=1)
    hat = design @ np.linalg.inv(design.T @ design) @ design.T
    residual = y - hat @ y
    scale = residual @ residual / (X.size - 2)
    h = np.diag(hat)
    studentised = residual / np.sqrt(scale * (1 - h))
    return h, residual / np.sqrt(scale), studentised, residual**2 / (2 * scale) * h / (1 - h) ** 2


def test_leverage_residuals_and_cooks_distance_are_those_of_the_design_matrix():
    y = line()
    fit, spectrum = fit_line(y)
    found = peaks.diagnose(fit, spectrum)
    h, residual, studentised, cook = ordinary_least_squares(y)
    np.testing.assert_allclose(found["leverage"], h, rtol=1e-6)
    np.testing.assert_allclose(found["residual"], residual, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(found["studentised"], studentised, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(found["cooks_distance"], cook, rtol=1e-5, atol=1e-12)


def test_leverage_of_a_weighted_peak_adds_up_to_the_number_of_free_parameters():
    params = PEAK.make_params(p_amplitude=8, p_center=5, p_sigma=1, b_c=1)
    u = np.linspace(0.1, 0.5, X.size)
    y = PEAK.eval(params, x=X) + np.random.default_rng(0).normal(0, u, (3, X.size))
    y[1, 10:13] = np.nan
    spectrum = data(y, u=u)
    found = peaks.diagnose(peaks.fit(spectrum, PEAK, params, axis="energy"), spectrum)
    np.testing.assert_allclose(found["leverage"].sum("channel"), 4.0, rtol=1e-6)
    assert found["leverage"][1, 10:13].isnull().all()


def test_runs_are_counted_as_by_hand_and_masked_channels_are_passed_over():
    y = line()
    y[[3, 4, 30]] = np.nan
    fit, spectrum = fit_line(y)
    found = peaks.diagnose(fit, spectrum)
    signs = (y - peaks.evaluate(fit).values)[np.isfinite(y)] >= 0
    runs = len(list(itertools.groupby(signs)))
    up, down = int(signs.sum()), int((~signs).sum())
    mean = 2 * up * down / (up + down) + 1
    variance = 2 * up * down * (2 * up * down - up - down) / ((up + down) ** 2 * (up + down - 1))
    assert found["runs"] == runs
    np.testing.assert_allclose(found["runs_p"], 2 * stats.norm.sf(abs(runs - mean) / np.sqrt(variance)), rtol=1e-12)


def test_the_runs_test_of_noise_rejects_as_often_as_it_says():
    trials = 2000
    fit, spectrum = fit_line(line(rows=trials))
    rejected = int((peaks.diagnose(fit, spectrum)["runs_p"] < 0.05).sum())
    low, high = stats.binom.ppf([5e-7, 1 - 5e-7], trials, 0.05)
    assert low * 0.8 <= rejected <= high  # two fitted parameters and whole numbers make it a little conservative


def test_durbin_watson_lag_and_chi_square_are_their_definitions():
    y = line()
    fit, spectrum = fit_line(y, u=0.2)
    found = peaks.diagnose(fit, spectrum)
    r = y - peaks.evaluate(fit).values
    np.testing.assert_allclose(found["durbin_watson"], (np.diff(r) ** 2).sum() / (r**2).sum(), rtol=1e-12)
    np.testing.assert_allclose(found["lag1"], (r[1:] * r[:-1]).sum() / (r**2).sum(), rtol=1e-9)
    np.testing.assert_allclose(found["chisqr_p"], stats.chi2.sf((r**2).sum() / 0.04, X.size - 2), rtol=1e-9)
    assert peaks.diagnose(*fit_line(y))["chisqr_p"].isnull()
    assert json.loads(found.attrs["advice"]) == []


def test_a_model_that_misses_a_feature_is_said():
    fit, spectrum = fit_line(line(noise=0.1) + np.exp(-((X - 5) ** 2)), u=0.1)
    found = peaks.diagnose(fit, spectrum)
    said = json.loads(found.attrs["advice"])
    assert any("the model misses a feature" in text for text in said)
    assert any("the model or sigma is wrong" in text for text in said)


def test_spectra_that_failed_are_nan_and_the_others_as_alone():
    y = line(rows=4)
    y[2] = np.nan
    fit, spectrum = fit_line(y)
    found = peaks.diagnose(fit, spectrum)
    for name in found.data_vars:
        assert found[name][2].isnull().all(), name
    alone = peaks.diagnose(*fit_line(y[3]))
    for name in found.data_vars:
        np.testing.assert_allclose(found[name][3], alone[name], rtol=1e-9, err_msg=name)


def test_what_was_not_fitted_is_refused():
    fit, spectrum = fit_line(line())
    with pytest.raises(SpectrumError, match=r"do not have the chi-square of their fit.*Give the spectrum and sigma"):
        peaks.diagnose(fit, spectrum + 1.0)
    with pytest.raises(ModelError, match=r"wanted the result of peaks.fit"):
        peaks.diagnose(spectrum, spectrum)


def both(y, u=None):
    full = QuadraticModel(prefix="q_")
    spectrum = data(y, u=u)
    return fit_line(y, u=u)[0], peaks.fit(spectrum, full, full.make_params(q_a=0, q_b=0, q_c=0), axis="energy")


def test_the_f_test_of_one_added_term_is_its_t_test():
    simple, full = both(line())
    found = peaks.compare(simple, full)
    a = full.sel(parameter="q_a")
    t = float(a["value"] / a["stderr"])
    np.testing.assert_allclose(found["statistic"], t**2, rtol=1e-6)
    np.testing.assert_allclose(found["p"], 2 * stats.t.sf(abs(t), X.size - 3), rtol=1e-6)
    np.testing.assert_allclose(found["delta_aic"], full["aic"] - simple["aic"], rtol=1e-9)
    np.testing.assert_allclose(found["delta_bic"], full["bic"] - simple["bic"], rtol=1e-9)
    np.testing.assert_allclose(found["evidence_ratio"], np.exp(-0.5 * (full["aic"] - simple["aic"])), rtol=1e-9)
    assert found.attrs["test"] == "F"


def test_with_known_sigma_the_likelihood_ratio_of_one_term_is_its_z_test():
    simple, full = both(line(), u=0.2)
    found = peaks.compare(simple, full)
    a = full.sel(parameter="q_a")
    z = float(a["value"] / a["stderr"])
    np.testing.assert_allclose(found["p"], 2 * stats.norm.sf(abs(z)), rtol=1e-6)
    np.testing.assert_allclose(found["delta_aic"], 2 - z**2, rtol=1e-6)
    assert found.attrs["test"] == "likelihood ratio"


def test_a_term_that_is_not_there_is_found_as_often_as_the_test_says():
    trials = 1000
    p = peaks.compare(*both(line(rows=trials)))["p"]
    low, high = stats.binom.ppf([5e-7, 1 - 5e-7], trials, 0.05)
    assert low <= int((p < 0.05).sum()) <= high


def test_a_comparison_of_what_cannot_be_compared_is_refused():
    simple, full = both(line())
    with pytest.raises(ModelError, match="must have more free parameters; got 3 and 2"):
        peaks.compare(full, simple)
    with pytest.raises(ModelError, match="the fits differ in weighted: 0 and 1"):
        peaks.compare(simple, both(line(), u=0.2)[1])
    short = line()
    short[:5] = np.nan
    with pytest.raises(ModelError, match="used different points"):
        peaks.compare(simple, both(short)[1])
    with pytest.raises(ModelError, match=r"the fits have dims \{\} and \{'row': 2\}"):
        peaks.compare(simple, both(line(rows=2))[1])
