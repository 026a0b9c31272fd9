"""Backgrounds of scattered electrons: against sums by hand, through both engines, and from the file."""

import numpy as np
import pytest
import xarray as xr
from lmfit.models import ConstantModel, GaussianModel

from analysis import peaks
from analysis.core import ModelError
from analysis.peaks import layered, scattering
from analysis.peaks.differences import by_complex_step
from analysis.peaks.functions import probe
from analysis.peaks.models import CoreLevelModel, ShirleyModel, TougaardModel, scattered

X = np.linspace(80.0, 110.0, 151)
VALUES = {
    "a_amplitude": 900.0, "a_center": 84.0, "a_sigma": 0.5, "a_gamma": 0.3, "a_asymmetry": 0.05,
    "b_amplitude": 650.0, "b_center": 87.7, "b_sigma": 0.6, "b_gamma": 0.35, "b_asymmetry": 0.04,
    "c_c": 30.0,
}  # fmt: skip
OWN = {"ShirleyModel": {"s_scale": 0.03}, "TougaardModel": {"s_b": 2500.0, "s_c": 1500.0, "s_d": 5200.0}}
KINDS = [ShirleyModel, TougaardModel]


def model_of(kind, form="binding"):
    lines = CoreLevelModel(prefix="a_") + CoreLevelModel(prefix="b_")
    return scattered(lines, kind(prefix="s_", form=form)) + ConstantModel(prefix="c_")


def spectrum_of(signal, x=X):
    return xr.Dataset(
        {"signal": ("channel", signal, {"units": "counts"})},
        {"energy": ("channel", x, {"units": "eV", "long_name": "binding energy"})},
    )


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("form", ["binding", "kinetic"])
def test_the_background_of_shirley_is_the_area_of_lines_on_the_side_of_larger_kinetic_energy(form, turned):
    x = X[::-1] if turned else X
    lines = GaussianModel().eval(x=x, amplitude=100.0, center=95.0, sigma=1.0)
    made = scattered(GaussianModel(), ShirleyModel(form=form)).eval(
        x=x, amplitude=100.0, center=95.0, sigma=1.0, scale=0.02
    )
    before = x < 90.0 if form == "binding" else x > 100.0
    behind = x > 100.0 if form == "binding" else x < 90.0
    np.testing.assert_allclose((made - lines)[before], 0.0, atol=1e-5)
    np.testing.assert_allclose((made - lines)[behind], 0.02 * 100.0, rtol=1e-6)
    at = np.argmin(np.abs(x - 95.0))
    np.testing.assert_allclose((made - lines)[at], 0.02 * 50.0, rtol=1e-6)


@pytest.mark.parametrize("form", ["binding", "kinetic"])
def test_the_background_of_tougaard_is_the_loss_of_all_that_is_emitted(form):
    j = scattered(CoreLevelModel(), TougaardModel(form=form)).eval(
        x=X, amplitude=50.0, center=95.0, sigma=0.5, gamma=0.2, asymmetry=0.0, b=2866.0, c=1643.0, d=4 * 1643.0
    )
    lines = CoreLevelModel().eval(x=X, amplitude=50.0, center=95.0, sigma=0.5, gamma=0.2, asymmetry=0.0)
    lost = X[:, None] - X[None, :] if form == "binding" else X[None, :] - X[:, None]
    cross_section = np.where(lost > 0, 2866.0 * lost / (1643.0 + lost**2) ** 2, 0.0)
    np.testing.assert_allclose(j, lines + cross_section @ j * (X[1] - X[0]), rtol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_its_derivatives_are_those_of_complex_steps(kind):
    model = model_of(kind)
    columns = {n: v * np.array([1.0, 1.01]) for n, v in (VALUES | OWN[kind.__name__]).items()}
    axes = X[None, :]
    function = probe(model, axes, columns)
    np.testing.assert_allclose(layered.values(model, X, columns), function(axes, columns), rtol=1e-11)
    expected = by_complex_step(function, axes, columns, function.names)
    made = layered.derivatives(model, X, columns, function.names)
    np.testing.assert_allclose(made, expected, rtol=1e-8, atol=1e-9 * np.abs(expected).max(axis=(0, 1)).min())


@pytest.mark.parametrize("kind", KINDS)
def test_a_fit_of_counts_recovers_the_truth_and_both_engines_agree(kind):
    truth = VALUES | OWN[kind.__name__]
    model = model_of(kind)
    clean = model.eval(x=X, **truth)
    noisy = np.random.default_rng(4).poisson(100 * clean) / 100
    data = spectrum_of(noisy).assign(u_signal=("channel", np.sqrt(clean / 100), {"units": "counts"}))
    params = model.make_params(**(truth | {"a_center": 84.1, "b_amplitude": 500.0}))
    if kind is TougaardModel:
        params["s_c"].set(vary=False)
        params["s_d"].set(vary=False, expr="")
        params["s_d"].set(value=truth["s_d"])
    fit = peaks.fit(data, model, params, axis="energy")
    assert fit.attrs["derivatives"] == "analytic"
    pull = (fit["value"] - [truth[n] for n in fit["parameter"].values]) / fit["stderr"].where(fit["stderr"] > 0)
    assert float(np.abs(pull).max()) < 3.5
    other = peaks.fit(data, model, params, axis="energy", engine="lmfit")
    free = fit["stderr"].values > 0
    off = np.abs(fit["value"] - other["value"]).values[free] / fit["stderr"].values[free]
    assert off.max() < 2e-3
    np.testing.assert_allclose(fit["stderr"].values[free], other["stderr"].values[free], rtol=2e-2)
    parts = peaks.evaluate(fit, components=True)
    assert list(parts["component"].values) == ["a", "b", "s", "c"]
    np.testing.assert_allclose(parts.sum("component"), peaks.evaluate(fit), rtol=1e-10)


def test_a_guess_of_the_lines_is_near_enough_for_the_fit():
    model, truth = model_of(ShirleyModel), VALUES | OWN["ShirleyModel"]
    data = spectrum_of(model.eval(x=X, **truth))
    fit = peaks.fit(data, model, peaks.guess(model, data, axis="energy"), axis="energy")
    np.testing.assert_allclose(fit["value"], [truth[n] for n in fit["parameter"].values], rtol=1e-5)
    starts = peaks.guess_each(model, xr.concat([data, data], "row", coords="minimal", compat="override"), axis="energy")
    assert starts["a_center"].dims == ("row",)


def test_what_makes_no_such_background_is_refused():
    with pytest.raises(ModelError, match=r"takes a background of .*got ConstantModel; add other backgrounds"):
        scattered(GaussianModel(), ConstantModel())
    with pytest.raises(ModelError, match=r"form must be one of .*got 'bind'. Did you mean 'binding'"):
        ShirleyModel(form="bind")
    with pytest.raises(ModelError, match=r"even steps; got steps from 0.2 to 0.4"):
        scattering.kernel_of(np.array([0.0, 0.2, 0.6]), 2866.0, 1643.0, 6572.0, "binding")
    with pytest.raises(ModelError, match="rises or falls"):
        ShirleyModel().eval(x=np.array([0.0, 2.0, 1.0]), scale=0.1)
