"""Width, height and area of lines: against lmfit's definitions, dense curves, and the delta method by hand."""

import numpy as np
import pytest
import xarray as xr
from lmfit.models import ConstantModel, DoniachModel, GaussianModel, Model, MoffatModel

from analysis import peaks
from analysis.core import ModelError, UncertaintyError
from analysis.peaks import kinds
from analysis.peaks.measures import measure
from analysis.uncertainty import Source, sources
from tests.line_shapes import AXIS, model_of, values_of

PEAKS = [key for key, shape in kinds.SHAPES.items() if shape.peak and key != "BreitWignerModel"]
# lmfit's expression for these is an approximation (the width of a Voigt line) or means something else (the
# height of a Doniach line and of oscillators is the value at the centre, not at the top).
APPROXIMATE = {("VoigtModel", "fwhm"): 3e-4}
ELSEWHERE = {"CoreLevelModel", "DoniachModel", "DampedOscillatorModel", "DampedHarmonicOscillatorModel"}


IN_LMFIT = [
    (key, what)
    for key in PEAKS
    for what in ("fwhm", "height")
    if key not in ELSEWHERE and f"p_{what}" in model_of(key).make_params()
]


@pytest.mark.parametrize(("key", "what"), IN_LMFIT)
def test_width_and_height_are_those_of_lmfit_where_it_has_them(key, what):
    params = model_of(key).make_params()
    for name, value in values_of(key).items():
        params[name].set(value=value, expr="")
    params.update_constraints()
    value, _ = measure(kinds.SHAPES[key], list(values_of(key).values()), what)
    np.testing.assert_allclose(value, params[f"p_{what}"].value, rtol=APPROXIMATE.get((key, what), 1e-6))


@pytest.mark.parametrize("key", PEAKS)
def test_width_height_and_area_are_those_of_a_dense_curve(key):
    values = values_of(key)
    x = np.linspace(20.0, 90.0, 700_001)
    y = model_of(key).eval(x=x, **values)
    q = list(values.values())
    height, _ = measure(kinds.SHAPES[key], q, "height")
    np.testing.assert_allclose(height, y.max(), rtol=1e-8)
    inside = x[y > 0.5 * y.max()]
    width, _ = measure(kinds.SHAPES[key], q, "fwhm")
    np.testing.assert_allclose(width, inside[-1] - inside[0], atol=3e-4)


@pytest.mark.parametrize("key", ["GaussianModel", "SplitGaussianModel", "SkewedGaussianModel", "Pearson7Model",
                                 "ExponentialGaussianModel", "MoffatModel", "RectangleModel/erf", "LognormalModel",
                                 "SplitPearson7Model"])  # fmt: skip
def test_the_area_is_the_integral_of_the_curve(key):
    values = values_of(key)
    for name in values:
        if name in {"p_expon", "p_expon_r", "p_beta"}:
            values[name] = 4.0  # wings that end inside the range
    x = np.linspace(0.5, 1000.0, 2_000_001) if key != "RectangleModel/erf" else np.linspace(0.0, 120.0, 200_001)
    y = model_of(key).eval(x=x.copy(), **values)
    area, _ = measure(kinds.SHAPES[key], list(values.values()), "area")
    np.testing.assert_allclose(area, np.trapezoid(y, x), rtol=1e-6)


@pytest.mark.parametrize("what", ["fwhm", "height", "area"])
@pytest.mark.parametrize("key", PEAKS)
def test_their_derivatives_are_those_of_differences(key, what):
    shape, q = kinds.SHAPES[key], np.array(list(values_of(key).values()))
    try:
        value, slopes = measure(shape, q, what)
    except ModelError:
        assert key in ELSEWHERE
        return
    for k, slope in enumerate(slopes):
        step = np.zeros(q.size)
        step[k] = 1e-4 * max(abs(q[k]), 0.1)
        near = (measure(shape, q + step, what)[0] - measure(shape, q - step, what)[0]) / (2 * step[k])
        np.testing.assert_allclose(slope, near, rtol=1e-6, atol=1e-6 * abs(value / (q[k] or 1.0)))


def spectrum(model, values, *, seed=1, sources_of_axis=False):
    rng = np.random.default_rng(seed)
    y = model.eval(x=AXIS, **values) + rng.normal(0, 3, AXIS.size)
    made = xr.Dataset(
        {"signal": ("channel", y, {"units": "counts"})}, coords={"energy": ("channel", AXIS, {"units": "keV"})}
    )
    if sources_of_axis:
        made = sources.attach(
            made, "energy", {Source(id="scale", label="scale", units="keV"): 0.01 * AXIS}, ("channel",)
        )
    return made


@pytest.mark.parametrize("key", PEAKS)
def test_a_measure_has_the_uncertainty_of_the_delta_method(key):
    model, values = model_of(key), values_of(key)
    data = spectrum(model, values)
    fit = peaks.fit(data, model, peaks.guess(model, data, axis="energy"), axis="energy", sigma=3.0)
    fit = fit.sel(parameter=list(values), parameter_=list(values))
    for what in ("fwhm", "height", "area"):
        try:
            value, slopes = measure(kinds.SHAPES[key], fit.value.values, what)
        except ModelError:
            continue
        made = peaks.quantity(fit, f"p_{what}")
        assert made.value == value
        expected = np.sqrt(slopes @ fit.covariance.values @ slopes)
        np.testing.assert_allclose(made.u, expected, rtol=1e-9)
        assert made.units == {"fwhm": "keV", "height": "counts", "area": "counts keV"}[what]


def test_a_measured_height_is_the_derived_parameter_of_lmfit_with_the_same_sources():
    model = GaussianModel(prefix="p_") + ConstantModel(prefix="b_")
    data = spectrum(model, {"p_amplitude": 3000, "p_center": 52, "p_sigma": 3, "b_c": 20}, sources_of_axis=True)
    params = peaks.guess(model, data, axis="energy")
    with_height = peaks.fit(data, model, params, axis="energy", sigma=3.0)
    kept = ["p_amplitude", "p_center", "p_sigma", "b_c"]
    without = with_height.sel(parameter=kept, parameter_=kept)
    for name in ("p_height", "p_fwhm"):
        one, other = peaks.quantity(with_height, name), peaks.quantity(without, name)
        np.testing.assert_allclose(other.value, one.value, rtol=1e-7)
        np.testing.assert_allclose(other.u, one.u, rtol=1e-6)
    area = peaks.quantity(with_height, "p_area")
    amplitude = peaks.quantity(with_height, "p_amplitude")
    assert (area - amplitude).u <= 1e-12 * area.u
    height = peaks.quantity(without, "p_height")
    assert (height * peaks.quantity(without, "p_fwhm") - 0.9394372787 * area).u < 1e-6 * area.u


def test_measures_in_a_map_are_taken_at_a_position():
    model = MoffatModel(prefix="m_")
    values = {"m_amplitude": 300, "m_center": 52, "m_sigma": 3, "m_beta": 2}
    data = xr.concat([spectrum(model, values, seed=s) for s in (1, 2)], "n")
    fit = peaks.fit(data, model, peaks.guess(model, data, axis="energy"), axis="energy", sigma=3.0)
    area = peaks.quantity(fit, "m_area", at={"n": 1})
    assert abs(area.value - 300 * 3 * np.pi / 2) < 5 * area.u  # ∫ (1 + t²)^-2 dt = π / 2


def test_a_measure_that_a_line_does_not_have_is_refused():
    model = DoniachModel(prefix="p_")
    values = values_of("DoniachModel")
    data = spectrum(model, values)
    fit = peaks.fit(data, model, peaks.guess(model, data, axis="energy"), axis="energy")
    with pytest.raises(ModelError, match="DoniachModel has no area with these parameters"):
        peaks.quantity(fit, "p_area")
    with pytest.raises(ModelError, match="no parameter named 'q_area'; this fit has"):
        peaks.quantity(fit, "q_area")
    with pytest.raises(ModelError, match="Pearson7Model has no area"):
        measure(kinds.SHAPES["Pearson7Model"], [1.0, 0.0, 1.0, 0.4], "area")


def test_a_measure_of_what_is_all_fixed_has_no_uncertainty():
    model = GaussianModel(prefix="p_") + ConstantModel(prefix="b_")
    data = spectrum(model, {"p_amplitude": 3000, "p_center": 52, "p_sigma": 3, "b_c": 20})
    params = peaks.guess(model, data, axis="energy")
    params["p_amplitude"].set(vary=False)
    fit = peaks.fit(data, model, params, axis="energy")
    with pytest.raises(UncertaintyError, match="all that it depends on is fixed"):
        peaks.quantity(fit, "p_area")


def test_a_function_of_the_user_has_no_measures():
    def hill(x, a=1.0, c=50.0):
        return a / (1 + (x - c) ** 2)

    model = Model(hill, prefix="p_")
    data = spectrum(model, {"p_a": 300.0, "p_c": 52.0})
    fit = peaks.fit(data, model, model.make_params(p_a=250, p_c=51.5), axis="energy", engine="lmfit")
    with pytest.raises(ModelError, match="no parameter named 'p_area'"):
        peaks.quantity(fit, "p_area")
