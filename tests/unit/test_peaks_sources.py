"""Sources of axis and signal in fitted parameters: against brute force, and what correlation they keep."""

import math

import numpy as np
import pytest
import xarray as xr
from lmfit.models import ConstantModel, GaussianModel, LinearModel, LorentzianModel, PseudoVoigtModel

from analysis import peaks
from analysis.peaks import solve
from analysis.uncertainty import Source, sources

X = np.linspace(500.0, 560.0, 150)
T = (X - 530.0) / 30.0
SHIFT = Source(id="laser", label="laser", units="cm-1")
STRETCH = Source(id="lamp", label="lamp line", units="cm-1")
BEND = Source(id="bend", label="bend", units="cm-1")
OFFSET = Source(id="dark", label="dark level", units="counts")
AXIS = {SHIFT: np.full(X.size, 0.05), STRETCH: 0.04 * T, BEND: 0.03 * T**2 - 0.01}
SIGNAL = {OFFSET: 0.3 * np.cos(3 * T), SHIFT: 0.1 * T}


def truth():
    """Make asymmetric peaks that no symmetric model describes, with a little noise."""
    model = PseudoVoigtModel(prefix="p_") + LorentzianModel(prefix="q_") + LinearModel(prefix="b_")
    values = model.make_params(
        p_amplitude=300, p_center=520, p_sigma=3, p_fraction=0.4,
        q_amplitude=500, q_center=541, q_sigma=2.5, b_slope=0.05, b_intercept=-10,
    )  # fmt: skip
    rng = np.random.default_rng(8)
    tail = 14 * np.exp(-(X - 523) / 6) * (X > 523) / (1 + np.exp(-(X - 523)))
    return model, values, model.eval(values, x=X) + tail + rng.normal(0, 0.3, X.size)


def spectrum(y, *, axis=True, signal=False):
    dims = ("n", "channel")[-np.ndim(y) :]
    data = xr.Dataset(
        {"signal": (dims, y, {"units": "counts"})}, coords={"raman_shift": ("channel", X, {"units": "cm-1"})}
    )
    if axis:
        data = sources.attach(data, "raman_shift", AXIS, ("channel",))
    if signal:
        data = sources.attach(data, "signal", SIGNAL, ("channel",))
    return data


def misfitting():
    model = GaussianModel(prefix="p_") + GaussianModel(prefix="q_") + ConstantModel(prefix="b_")
    return model, model.make_params(
        p_amplitude=300, p_center=521, p_sigma=4, q_amplitude=450, q_center=541, q_sigma=3, b_c=18
    )


def fitting():
    model, values, _ = truth()
    return model, values


def tied():
    model, params = misfitting()
    params.add("gap", value=20.5)
    params["q_center"].set(expr="p_center + gap")
    params["p_sigma"].set(max=3.0, value=2.5)
    return model, params


def brute_force(model, params, y, source, in_signal):
    """Re-fit with axis and signal moved along one source, both ways, with extrapolation."""

    def values(step):
        moved = y + step * SIGNAL.get(source, 0.0) if in_signal else y
        data = spectrum(moved, axis=False).assign_coords(raman_shift=("channel", X + step * AXIS.get(source, 0.0)))
        return peaks.fit(data, model, params, axis="raman_shift").value.values

    wide = 0.5 * (values(1.0) - values(-1.0))
    near = values(0.5) - values(-0.5)
    return (4 * near - wide) / 3


@pytest.mark.parametrize("in_signal", [False, True])
@pytest.mark.parametrize("case", [fitting, misfitting, tied])
def test_contributions_equal_those_of_refitting_a_moved_spectrum(case, in_signal, monkeypatch):
    monkeypatch.setattr(solve, "TOLERANCE", 1e-24)  # differences of fits need more digits than fits
    _, _, y = truth()
    model, params = case()
    fit = peaks.fit(spectrum(y, signal=in_signal), model, params, axis="raman_shift")
    made = sources.detach(fit, "value")
    assert set(made) == {*AXIS, *(SIGNAL if in_signal else ())}
    start = params.copy()
    for name, par in start.items():
        if par.vary:
            par.value = float(fit.value.sel(parameter=name))
    for source, row in made.items():
        expected = brute_force(model, start, y, source, in_signal)
        free = np.isfinite(row)
        scale = np.abs(expected[free]).max()
        u = fit.stderr.values[free]
        size = np.maximum(np.abs(expected[free]), 1e-2 * np.where(np.isfinite(u), u, scale))
        assert (np.abs(row[free] - expected[free]) <= 1e-4 * size).all()


def test_gauss_newton_alone_would_be_wrong_where_the_model_misfits():
    """The residual terms matter: this is why the full Hessian is used."""
    _, _, y = truth()
    model, params = misfitting()
    fit = peaks.fit(spectrum(y), model, params, axis="raman_shift")
    theta = {str(n): float(v) for n, v in zip(fit.parameter.values, fit.value.values, strict=True)}
    names = [n for n, p in params.items() if p.vary]

    def curve(x, **changes):
        return model.eval(x=x, **{n: theta[n] for n in names} | changes)

    jacobian = np.stack(
        [(curve(X, **{n: theta[n] + 1e-5}) - curve(X, **{n: theta[n] - 1e-5})) / 2e-5 for n in names], axis=1
    )
    slope = (curve(X + 1e-5) - curve(X - 1e-5)) / 2e-5
    gauss_newton = -np.linalg.solve(jacobian.T @ jacobian, jacobian.T @ (slope * AXIS[BEND]))
    made = sources.detach(fit, "value")[BEND]
    k = names.index("p_center")
    ours = made[list(fit.parameter.values).index("p_center")]
    assert abs(gauss_newton[k] / ours - 1) > 1e-2


def test_the_lmfit_engine_carries_the_same_sources():
    _, _, y = truth()
    model, params = misfitting()
    data = spectrum(y, signal=True)
    ours = peaks.fit(data, model, params, axis="raman_shift")
    theirs = peaks.fit(data, model, params, axis="raman_shift", engine="lmfit")
    np.testing.assert_allclose(theirs.value_sources.sel(source=ours.source), ours.value_sources, rtol=1e-4, atol=1e-6)


def test_a_map_keeps_its_sources_factored_and_equal_to_single_fits():
    _, _, y = truth()
    model, params = misfitting()
    data = spectrum(np.stack([y, 1.1 * y, y + 1.0]))
    fit = peaks.fit(data, model, params, axis="raman_shift")
    assert "value_sources" not in fit
    assert fit.sizes["mode"] == 3
    for n in range(3):
        alone = peaks.fit(data.isel(n=n), model, params, axis="raman_shift")
        for name in ("p_center", "q_amplitude", "q_fwhm"):
            first, second = peaks.quantity(fit, name, at={"n": n}), peaks.quantity(alone, name)
            assert first.value == second.value
            assert first.u == pytest.approx(second.u, rel=1e-9)
            for source in AXIS:
                assert first.components[source] == pytest.approx(second.components[source], rel=1e-6, abs=1e-12)


def test_two_parameters_of_one_fit_have_the_covariance_of_the_fit():
    _, _, y = truth()
    model, params = misfitting()
    fit = peaks.fit(spectrum(y, axis=False), model, params, axis="raman_shift")
    first, second = peaks.quantity(fit, "p_center"), peaks.quantity(fit, "p_amplitude")
    expected = float(fit.covariance.sel(parameter="p_center", parameter_="p_amplitude"))
    assert first.covariance(second) == pytest.approx(expected, rel=1e-9)
    assert first.u == pytest.approx(float(fit.stderr.sel(parameter="p_center")), rel=1e-12)
    assert first.dof == pytest.approx(X.size - 7)
    width, sigma = peaks.quantity(fit, "p_fwhm"), peaks.quantity(fit, "p_sigma")
    assert (width - 2.35482 * sigma).u < 1e-9 * width.u
    assert first.units == "cm-1"


def test_differences_within_a_map_lose_the_shared_part():
    _, _, y = truth()
    model, params = misfitting()
    rng = np.random.default_rng(2)
    fit = peaks.fit(spectrum(y + rng.normal(0, 0.1, (2, X.size))), model, params, axis="raman_shift")
    one, two = (peaks.quantity(fit, "p_center", at={"n": n}) for n in range(2))
    noise = math.hypot(*(float(fit.stderr.sel(parameter="p_center")[n]) for n in range(2)))
    assert one.u > 0.04
    assert (one - two).u == pytest.approx(noise, rel=1e-2)
    gap = peaks.quantity(fit, "q_center", at={"n": 0}) - one
    assert gap.components.get(SHIFT, 0.0) == pytest.approx(0.0, abs=1e-4)


def test_with_a_known_sigma_noise_has_infinite_dof():
    _, _, y = truth()
    model, params = misfitting()
    fit = peaks.fit(spectrum(y, axis=False), model, params, axis="raman_shift", sigma=0.3)
    quantity = peaks.quantity(fit, "p_center")
    assert math.isinf(quantity.dof)
    assert {source.ensemble for source in quantity.components} == {""}


def test_a_parameter_held_at_its_bound_lets_the_others_follow_the_axis():
    _, _, y = truth()
    model, params = misfitting()
    params["p_sigma"].set(max=3.0, value=2.5)
    fit = peaks.fit(spectrum(y), model, params, axis="raman_shift")
    row = sources.detach(fit, "value")[SHIFT]
    named = dict(zip(fit.parameter.values, row, strict=True))
    assert np.isnan(named["p_sigma"])
    assert named["p_center"] == pytest.approx(0.05, rel=1e-6)


def corrected_map(rng=None, count=3):
    """Make a map divided by one response that is not known exactly; `rng` draws the response instead."""
    _, _, y = truth()
    bright = np.stack([(1 + 0.3 * n) * y + 2.0 * n for n in range(count)])
    slope = {STRETCH: 0.01 * T, BEND: 0.02 * T**2}
    if rng is not None:
        drawn = sum(rng.normal() * row for row in slope.values())
        return spectrum(bright / (1 + drawn), axis=False)
    parts = {source: -bright * row for source, row in slope.items()} | {OFFSET: np.full(bright.shape, 0.3)}
    return sources.attach(spectrum(bright), "signal", parts, ("n", "channel"))


def test_a_map_carries_sources_of_its_signal_as_single_fits_do():
    model, params = misfitting()
    data = corrected_map()
    fit = peaks.fit(data, model, params, axis="raman_shift")
    assert "value_sources" not in fit
    for n in range(3):
        alone = peaks.fit(data.isel(n=n), model, params, axis="raman_shift")
        for name in ("p_center", "q_amplitude", "b_c"):
            first, second = peaks.quantity(fit, name, at={"n": n}), peaks.quantity(alone, name)
            for source in (SHIFT, STRETCH, BEND, OFFSET):
                assert first.components[source] == pytest.approx(second.components[source], abs=1e-6 * second.u)
            assert first.u == pytest.approx(second.u, rel=1e-7)


def test_sources_of_the_signal_of_a_lazy_map_are_the_same():
    model, params = misfitting()
    data = corrected_map()
    ready = peaks.fit(data, model, params, axis="raman_shift")
    lazy = peaks.fit(data.chunk({"n": 2}), model, params, axis="raman_shift").compute()
    moved = [each.value_sensitivity @ each.mode_sources for each in (lazy, ready)]
    np.testing.assert_allclose(*moved, rtol=1e-7, atol=1e-12)


def test_the_covariance_over_a_response_corrected_map_is_that_of_refits():
    model, params = misfitting()
    names = [("q_amplitude", 0), ("q_amplitude", 2), ("p_center", 1), ("q_sigma", 2)]
    data = corrected_map().drop_vars("raman_shift_sources")
    fit = peaks.fit(data, model, params, axis="raman_shift")
    found = [peaks.quantity(fit, name, at={"n": n}) for name, n in names]
    rows = np.array([[q.components.get(source, 0.0) for source in (STRETCH, BEND)] for q in found])
    rng = np.random.default_rng(4)
    refits = (peaks.fit(corrected_map(rng), model, params, axis="raman_shift") for _ in range(400))
    drawn = np.array([[float(each.value.sel(parameter=name)[n]) for name, n in names] for each in refits])
    expected, made = np.cov(drawn.T), rows @ rows.T
    size = np.sqrt(np.diag(made))
    np.testing.assert_allclose(expected / np.outer(size, size), made / np.outer(size, size), atol=0.25)
    assert made[0, 1] > 0.9 * size[0] * size[1]
