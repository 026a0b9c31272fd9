"""Every component against the function of its lmfit model, and its derivatives against differences."""

import lmfit
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special as scipy_special

from analysis.core import ModelError
from analysis.peaks import kinds, special
from analysis.peaks.batched import curve
from analysis.peaks.compile import components
from analysis.peaks.rows import BLOCK, FRONT, MODEL, WEIGHT, X
from analysis.peaks.shapes import add_component
from tests.compiled import from_python
from tests.line_shapes import AXIS, model_of, values_of

# Further values of the parameters named, each tried by itself: narrow and wide, the ends of the range.
EXTREMES = {
    "SplitPearson7Model": [{"expon": 0.52, "expon_r": 99.0}, {"sigma": 1e-3}],
    "SplitPseudoVoigtModel": [{"fraction": 0.0, "fraction_r": 1.0}, {"sigma": 1e-3, "sigma_r": 300.0}],
    "SplitGaussianModel": [{"sigma": 1e-3, "sigma_r": 300.0}],
    "SplitLorentzianModel": [{"sigma": 1e-3, "sigma_r": 300.0}],
    "Pearson7Model": [{"expon": 0.51}, {"expon": 100.0}, {"expon": 0.3}, {"sigma": 1e-3}],
    "MoffatModel": [{"beta": 0.05}, {"beta": 80.0}, {"beta": -0.5}],
    "StudentsTModel": [{"sigma": 0.01}, {"sigma": 100.0}],
    "ExponentialGaussianModel": [{"gamma": 1e-4}, {"gamma": 5.0}, {"sigma": 0.01}],
    "SkewedGaussianModel": [{"gamma": 0.0}, {"gamma": 30.0}, {"gamma": -3.0}],
    "SkewedVoigtModel": [{"skew": 0.0}, {"skew": 20.0, "gamma": 1e-6}, {"gamma": -0.5}],
    "DoniachModel": [{"gamma": 0.0}, {"gamma": 0.6}, {"gamma": -0.2}],
    "BreitWignerModel": [{"q": 0.0}, {"q": -50.0}],
    "LognormalModel": [{"sigma": 2.0}, {"center": -3.0, "sigma": 5.0}],
    "DampedOscillatorModel": [{"sigma": 1.5}, {"sigma": 1e-4}, {"center": -52.0}],
    "DampedHarmonicOscillatorModel": [{"gamma": 1e-3}, {"gamma": 1e4}],
    "ThompsonCoxHastingsModel": [
        {"sl": 0.3, "hl": 0.2},
        {"sl": 0.1, "hl": 0.25, "gamma": 0.0},
        {"sl": 0.03, "hl": 0.03, "sigma": 0.05, "gamma": 0.02},
        {"sl": 0.01, "hl": 0.04, "gamma": 0.0, "center": 13.0},
        {"sigma": 0.0, "center": 100.0},
    ],
    "CoreLevelModel": [
        {"asymmetry": 0.45, "gamma": 0.0},
        {"asymmetry": -0.2},
        {"sigma": 0.05},
        {"sigma": 8.0, "gamma": 1e-3},
    ],
    "PowerLawModel": [{"exponent": 3.0}, {"exponent": 0.0}],
    "ExponentialModel": [{"decay": -40.0}, {"decay": 1e6}],
    "SineModel": [{"frequency": 0.0}],
}
EXTREMES["AxialVoigtModel"] = EXTREMES["ThompsonCoxHastingsModel"][:3]
CASES = [(key, {}) for key in kinds.SHAPES] + [
    (key, change) for key in kinds.SHAPES for change in EXTREMES.get(key, [])
]


def changed(key, change):
    return values_of(key) | {f"p_{name}": value for name, value in change.items()}


def rows_of(key, q, x):
    """Return the model row and the derivative rows of one block."""
    n = min(x.size, BLOCK)
    front, rows = np.zeros(FRONT), np.zeros((q.size, BLOCK))
    front[X : X + n], front[WEIGHT : WEIGHT + n] = x[:n], 1.0
    add_component(kinds.SHAPES[key].code, q, 1.0, 0.0, 1.0, n, front, rows.reshape(-1))
    return front[MODEL : MODEL + n], rows[:, :n]


@pytest.mark.parametrize(("key", "change"), CASES)
def test_a_component_equals_the_function_of_its_model(key, change):
    values = changed(key, change)
    made = curve(model_of(key), list(values), AXIS, np.array([list(values.values())]))[0]
    expected = model_of(key).eval(x=AXIS.copy(), **values)
    np.testing.assert_allclose(made, expected, rtol=0, atol=2e-13 * np.abs(expected).max())


@pytest.mark.parametrize(("key", "change"), CASES)
def test_its_derivatives_are_those_of_extrapolated_differences(key, change):
    q = np.array(list(changed(key, change).values()))
    x = AXIS[130:258:1].copy()
    value, made = rows_of(key, q, x)
    for k in range(q.size):
        largest = np.abs(made[k]).max()
        error = np.inf
        for size in (1e-2, 1e-3, 1e-4, 1e-5):
            step = size * max(abs(q[k]), 0.01)
            wide, middle, near = (_slope(key, q, k, x, step / part) for part in (1.0, 2.0, 4.0))
            first, second = (4 * middle - wide) / 3, (4 * near - middle) / 3
            difference = np.abs((16 * second - first) / 15 - made[k])
            smooth = ~_touches_a_corner(key, q, x, 2 * step)
            error = min(error, difference[smooth].max(initial=0.0))
        rounding = 1e-12 * np.abs(value).max() / max(abs(q[k]), 0.01)
        assert error <= 2e-8 * largest + rounding, (kinds.SHAPES[key].names[k], error / largest)


def _slope(key, q, k, x, step):
    up, down = q.copy(), q.copy()
    up[k] += step
    down[k] -= step
    return (rows_of(key, up, x)[0] - rows_of(key, down, x)[0]) / (2 * step)


def _touches_a_corner(key, q, x, near):
    """Mark points where two sides meet or a straight edge ends: there is no derivative to compare."""
    name, _, form = key.partition("/")
    if name.startswith("Split"):
        return np.abs(x - q[1]) < near
    ends = []
    if form == "linear":
        half = 0.5 if name == "StepModel" else 1.0
        for center, sigma in ((q[1], q[2]), (q[-2], q[-1]) if name == "RectangleModel" else (q[1], q[2])):
            ends += [center - half * sigma, center + half * sigma]
    return np.array([any(abs(value - end) < near for end in ends) for value in x])


def test_an_exponential_gaussian_is_finite_where_the_formula_of_lmfit_overflows():
    values = {"p_amplitude": 100.0, "p_center": 50.0, "p_sigma": 5.0, "p_gamma": 15.0}
    x = np.linspace(0.0, 100.0, 401)
    made = curve(model_of("ExponentialGaussianModel"), list(values), x, np.array([list(values.values())]))[0]
    assert np.isfinite(made).all()
    # gamma · sigma = 75: a Gaussian moved by 1 / gamma, with variance sigma² + 1 / gamma²
    wide = np.hypot(5.0, 1 / 15)
    normal = lmfit.lineshapes.gaussian(x, 100.0, 50 + 1 / 15, wide)
    np.testing.assert_allclose(made, normal, rtol=0, atol=1e-5 * normal.max())
    np.testing.assert_allclose(np.trapezoid(made, x), 100.0, rtol=1e-9)


@settings(max_examples=300, deadline=None)
@given(z=st.floats(-5, 1e6))
def test_erfcx_agrees_with_scipy(z):
    np.testing.assert_allclose(from_python(special.erfcx)(z), scipy_special.erfcx(z), rtol=2e-14)


@settings(max_examples=300, deadline=None)
@given(x=st.one_of(st.floats(1e-6, 1e6), st.floats(-20, 20).filter(lambda v: abs(v - round(v)) > 1e-3)))
def test_digamma_agrees_with_scipy(x):
    expected = scipy_special.digamma(x)
    assert abs(from_python(special.digamma)(x) - expected) <= 1e-12 * max(1.0, abs(expected))


def test_digamma_has_no_value_at_its_poles():
    assert np.isnan(from_python(special.digamma)(0.0))
    assert np.isnan(from_python(special.digamma)(-3.0))


@settings(max_examples=300, deadline=None)
@given(x=st.floats(0.50001, 171.0))
def test_the_ratio_of_gamma_functions_agrees_with_scipy(x):
    expected = scipy_special.gamma(x - 0.5) / scipy_special.gamma(x)
    np.testing.assert_allclose(from_python(special.gamma_ratio)(x), expected, rtol=1e-13)


@given(x=st.floats(160.0, 1e6))
def test_the_ratio_of_gamma_functions_falls_by_its_recurrence(x):
    # Γ(x + 1/2) / Γ(x + 1) = (1 - 1 / (2 x)) Γ(x - 1/2) / Γ(x)
    ratio = from_python(special.gamma_ratio)
    np.testing.assert_allclose(ratio(x + 1), (1 - 0.5 / x) * ratio(x), rtol=1e-13)


def test_the_ratio_of_gamma_functions_is_infinite_at_one_half():
    assert from_python(special.gamma_ratio)(0.5) == np.inf


def test_the_table_gives_each_code_once_and_each_shape_parameter_a_scale():
    codes = [shape.code for shape in kinds.SHAPES.values()]
    assert sorted([*codes, kinds.POLYNOMIAL]) == list(range(len(codes) + 1))
    for shape in kinds.SHAPES.values():
        assert all((p.scale > 0) == (p.role == kinds.SHAPE) for p in shape.parameters)


def test_a_form_that_is_not_known_is_refused():
    with pytest.raises(ModelError, match="does not know 'StepModel' with form 'weird'"):
        components(lmfit.models.StepModel(form="weird"))
    assert components(lmfit.models.StepModel(form="atan"))[0].kind == kinds.SHAPES["StepModel/arctan"].code
