"""Losses other than least squares, against scipy and against what they are for."""

import json

import numpy as np
import pytest
import xarray as xr
from lmfit.models import ConstantModel, GaussianModel, LorentzianModel
from scipy import optimize, stats

from analysis import peaks
from analysis.core import ModelError, SpectrumError

X = np.linspace(0.0, 20.0, 160)
MODEL = GaussianModel(prefix="p_") + ConstantModel(prefix="b_")
NAMES = ["p_amplitude", "p_center", "p_sigma", "b_c"]
TRUTH = np.array([60.0, 9.0, 1.4, 4.0])


def curve(p):
    return p[0] / (p[2] * np.sqrt(2 * np.pi)) * np.exp(-0.5 * ((X - p[1]) / p[2]) ** 2) + p[3]


def params():
    return MODEL.make_params(p_amplitude=50.0, p_center=9.5, p_sigma=1.0, b_c=3.0)


def spectrum(signal, **others):
    dims = ("row", "channel")[-np.ndim(signal) :]
    return xr.Dataset(
        {"signal": (dims, signal), **{name: (dims, values) for name, values in others.items()}},
        coords={"energy": ("channel", X)},
    )


def counted(seed, size=None):
    rng = np.random.default_rng(seed)
    return rng.poisson(curve(TRUTH), (size, X.size) if size else X.size).astype(float)


def test_a_poisson_fit_is_the_maximum_of_the_likelihood_of_scipy():
    y = counted(1)
    fit = peaks.fit(spectrum(y), MODEL, params(), axis="energy", loss="poisson")
    other = optimize.minimize(
        lambda p: -stats.poisson.logpmf(y, np.maximum(curve(p), 1e-9)).sum(), TRUTH, method="Nelder-Mead",
        options={"xatol": 1e-9, "fatol": 1e-11, "maxiter": 20000, "maxfev": 20000},
    )  # fmt: skip
    np.testing.assert_allclose(fit["value"].sel(parameter=NAMES), other.x, rtol=1e-5)


def test_its_loss_is_the_cash_deviance_and_is_named_so():
    y = counted(2)
    fit = peaks.fit(spectrum(y), MODEL, params(), axis="energy", loss="poisson")
    m = curve(fit["value"].sel(parameter=NAMES).values)
    terms = m - y + np.where(y > 0, y * np.log(np.maximum(y, 1) / m), 0.0)  # Cash (1979), eq. 6, against saturation
    assert fit["chisqr"] == pytest.approx(2 * terms.sum(), rel=1e-9)
    assert fit["chisqr"].attrs["long_name"] == "Cash deviance"
    assert fit["aic"] == pytest.approx(float(fit["chisqr"]) + 8)


def test_its_covariance_is_the_inverse_of_the_expected_information():
    fit = peaks.fit(spectrum(counted(3)), MODEL, params(), axis="energy", loss="poisson")
    p = fit["value"].sel(parameter=NAMES).values
    steps = 1e-6 * np.abs(p)
    jacobian = np.column_stack([(curve(p + d) - curve(p - d)) / (2 * d.max()) for d in np.diag(steps)])
    information = jacobian.T @ (jacobian / curve(p)[:, None])
    np.testing.assert_allclose(fit["covariance"].sel(parameter=NAMES, parameter_=NAMES), np.linalg.inv(information),
                               rtol=1e-5, atol=1e-9)  # fmt: skip


def test_peaks_without_background_leave_empty_channels_alone():
    model = LorentzianModel()
    y = np.random.default_rng(4).poisson(model.eval(x=X, amplitude=30.0, center=10.0, sigma=0.4)).astype(float)
    start = model.make_params(amplitude=20.0, center=9.5, sigma=0.6)
    fit = peaks.fit(spectrum(y), model, start, axis="energy", loss="poisson")
    assert fit["status"] == peaks.Status.CONVERGED
    assert abs(fit["value"].sel(parameter="center") - 10.0) < 5 * fit["stderr"].sel(parameter="center")


@pytest.mark.parametrize(
    ("signal", "settings", "error", "message"),
    [
        (curve(TRUTH), {"loss": "poisson"}, SpectrumError, "needs raw counts, whole numbers >= 0; got 160"),
        (counted(5) - 9.0, {"loss": "poisson"}, SpectrumError, "needs raw counts"),
        (counted(5), {"loss": "poisson", "sigma": 1.0}, ModelError, "Leave sigma out"),
        (counted(5), {"loss": "poisson", "scale_covar": True}, ModelError, "belongs to least squares"),
        (counted(5), {"loss": "poisson", "engine": "lmfit"}, ModelError, "minimises least squares only"),
        (counted(5), {"loss": "huber"}, ModelError, "in units of sigma"),
    ],
)
def test_what_does_not_go_with_a_loss_is_refused(signal, settings, error, message):
    with pytest.raises(error, match=message):
        peaks.fit(spectrum(signal), MODEL, params(), axis="energy", **settings)


def test_in_a_map_a_spectrum_without_counts_is_flagged_and_the_others_are_fitted():
    y = counted(6, size=3)
    y[1] *= 0.37
    fit = peaks.fit(spectrum(y), MODEL, params(), axis="energy", loss="poisson")
    assert fit["status"].values.tolist() == [peaks.Status.CONVERGED, peaks.Status.INVALID_DATA, peaks.Status.CONVERGED]
    alone = peaks.fit(spectrum(y[2]), MODEL, params(), axis="energy", loss="poisson")
    np.testing.assert_array_equal(fit["value"][2], alone["value"])


def test_square_root_weights_on_low_counts_are_called_misleading():
    y = counted(7, size=4)
    fit = peaks.fit(spectrum(y, u_signal=np.sqrt(np.maximum(y, 1.0))), MODEL, params(), axis="energy")
    assert any("loss='poisson'" in line for line in json.loads(fit.attrs["advice"]))
    right = peaks.fit(spectrum(y), MODEL, params(), axis="energy", loss="poisson")
    assert json.loads(right.attrs["advice"]) == []


def test_noise_beside_counting_is_said_to_be_left_out():
    y = counted(8)
    fit = peaks.fit(spectrum(y, u_signal=np.sqrt(y + 25.0)), MODEL, params(), axis="energy", loss="poisson")
    assert any("knows counting noise only" in line for line in json.loads(fit.attrs["advice"]))


@pytest.mark.parametrize("loss", ["soft_l1", "huber"])
def test_a_robust_fit_is_that_of_scipy(loss):
    rng = np.random.default_rng(9)
    y = curve(TRUTH) + rng.normal(0, 0.4, X.size)
    y[::11] += 6.0
    fit = peaks.fit(spectrum(y), MODEL, params(), axis="energy", loss=loss, sigma=0.4)
    other = optimize.least_squares(
        lambda p: (curve(p) - y) / 0.4, TRUTH, loss=loss, xtol=1e-15, ftol=1e-15, gtol=1e-13, x_scale="jac"
    )
    assert fit["chisqr"] == pytest.approx(2 * other.cost, rel=1e-8)
    np.testing.assert_allclose(fit["value"].sel(parameter=NAMES), other.x, rtol=1e-5)


@pytest.mark.parametrize("loss", ["soft_l1", "huber"])
def test_robust_intervals_cover_with_outliers_where_least_squares_does_not(loss):
    trials = 600
    rng = np.random.default_rng(10)
    y = curve(TRUTH) + rng.normal(0, 0.4, (trials, X.size))
    spikes = rng.random(y.shape) < 0.05
    y[spikes] += rng.choice([-1, 1], spikes.sum()) * rng.uniform(4, 12, spikes.sum())
    low, high = stats.binom.ppf([5e-7, 1 - 5e-7], trials, stats.norm.cdf(1) - stats.norm.cdf(-1))

    def hits(**settings):
        fit = peaks.fit(spectrum(y), MODEL, params(), axis="energy", sigma=0.4, **settings)
        part = fit.sel(parameter=NAMES, parameter_=NAMES)
        return (abs(part["value"] - TRUTH) < part["stderr"]).sum("row").values

    assert ((low <= hits(loss=loss)) & (hits(loss=loss) <= high)).all()
    assert (hits() < low).all()
