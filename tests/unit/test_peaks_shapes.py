"""Line shapes: against lmfit's formulas, scipy's Faddeeva function and finite differences."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lmfit.models import (
    ConstantModel,
    GaussianModel,
    LinearModel,
    LorentzianModel,
    PolynomialModel,
    PseudoVoigtModel,
    QuadraticModel,
    VoigtModel,
)
from scipy.special import wofz as scipy_wofz

from analysis.peaks import solve
from analysis.peaks.batched import curve
from analysis.peaks.compile import compile_plan
from analysis.peaks.faddeeva import wofz
from analysis.peaks.shapes import fast_exp
from tests.compiled import from_python

X = np.linspace(-3.0, 17.0, 301)
MODELS = [
    (GaussianModel(prefix="p_"), {"p_amplitude": 3.0, "p_center": 5.2, "p_sigma": 0.7}),
    (LorentzianModel(prefix="p_"), {"p_amplitude": -3.0, "p_center": 5.2, "p_sigma": 0.7}),
    (PseudoVoigtModel(prefix="p_"), {"p_amplitude": 3.0, "p_center": 5.2, "p_sigma": 0.7, "p_fraction": 0.3}),
    (VoigtModel(prefix="p_"), {"p_amplitude": 3.0, "p_center": 5.2, "p_sigma": 0.7, "p_gamma": 0.4}),
    (VoigtModel(prefix="p_"), {"p_amplitude": 3.0, "p_center": 5.2, "p_sigma": 2.7, "p_gamma": 0.001}),
    (ConstantModel(prefix="p_"), {"p_c": 2.0}),
    (LinearModel(prefix="p_"), {"p_slope": 0.3, "p_intercept": -1.0}),
    (QuadraticModel(prefix="p_"), {"p_a": 0.3, "p_b": -1.0, "p_c": 4.0}),
    (PolynomialModel(4, prefix="p_"), {f"p_c{k}": 0.5**k for k in range(5)}),
    (
        GaussianModel(prefix="p_") - LorentzianModel(prefix="q_") + ConstantModel(prefix="r_"),
        {
            "p_amplitude": 3.0,
            "p_center": 5.2,
            "p_sigma": 0.7,
            "q_amplitude": 1.0,
            "q_center": 9.0,
            "q_sigma": 2.0,
            "r_c": 1.0,
        },
    ),
]


@pytest.mark.parametrize(("model", "values"), MODELS)
def test_curves_equal_those_of_lmfit(model, values):
    row = np.array([list(values.values())])
    made = curve(model, list(values), X, row)[0]
    np.testing.assert_allclose(made, model.eval(x=X, **values), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(("model", "values"), MODELS)
def test_the_gradient_is_that_of_half_chi_square_by_complex_free_differences(model, values):
    params = model.make_params(**values)
    for name, value in values.items():
        params[name].set(value=value, expr="", vary=True)
    plan = compile_plan(model, params, X)
    rng = np.random.default_rng(3)
    data = (model.eval(x=X, **values) + rng.normal(0, 0.1, X.size))[None]
    start = plan.parameters.start[None]
    u = start[:, plan.parameters.free] @ plan.unmix.T
    weights = np.ones((1, X.size))

    def half_chi_square(v):
        theta = dict(zip(np.array(plan.parameters.names)[plan.parameters.free], plan.mix @ v, strict=True))
        return 0.5 * ((model.eval(x=X, **{**values, **theta}) - data[0]) ** 2).sum()

    made = solve.gradient(plan, X, data, weights, values=start, u=u)[0]
    for j in range(u.shape[1]):
        step = np.zeros(u.shape[1])
        step[j] = 1e-4
        wide = (half_chi_square(u[0] + step) - half_chi_square(u[0] - step)) / 2e-4
        near = (half_chi_square(u[0] + step / 2) - half_chi_square(u[0] - step / 2)) / 1e-4
        np.testing.assert_allclose(made[j], (4 * near - wide) / 3, rtol=1e-6, atol=1e-6)


@settings(max_examples=300, deadline=None)
@given(
    size=st.floats(-8, 8).map(lambda e: 10.0**e),
    angle=st.floats(0, np.pi),
    on_axis=st.booleans(),
)
def test_faddeeva_agrees_with_scipy_in_the_upper_half_plane(size, angle, on_axis):
    z = complex(size * np.cos(angle), 0.0 if on_axis else size * np.sin(angle))
    re, im, dre, dim = from_python(wofz)(z.real, z.imag)
    expected = scipy_wofz(z)
    assert abs(complex(re, im) - expected) <= 1e-12 * abs(expected)
    slope = -2 * z * expected + 2j / np.sqrt(np.pi)
    if size < 5:
        assert abs(complex(dre, dim) - slope) <= 1e-10 * max(abs(slope), 0.01)


def test_faddeeva_far_out_follows_the_asymptotic_derivative():
    re, im, dre, dim = from_python(wofz)(1e4, 3.0)
    z = 1e4 + 3j
    expected = -1j / np.sqrt(np.pi) * (1 / z**2 + 1.5 / z**4)
    assert abs(complex(dre, dim) - expected) < 1e-14 * abs(expected)
    assert abs(complex(re, im) - scipy_wofz(z)) < 1e-14


@given(x=st.floats(-3, 3), y=st.floats(-2, -0.01))
@settings(deadline=None)
def test_faddeeva_continues_below_the_real_axis(x, y):
    re, im, _, _ = from_python(wofz)(x, y)
    expected = scipy_wofz(complex(x, y))
    assert abs(complex(re, im) - expected) <= 1e-11 * max(abs(expected), 1.0)


def test_the_fast_exponential_is_good_to_four_units_in_the_last_place():
    from numba import njit  # noqa: PLC0415 - the function is inlined, so it needs a compiled caller

    caller = njit(lambda x: 1.0 * fast_exp(x))
    x = np.concatenate([-np.logspace(-12, np.log10(600), 500), [0.0]])
    made = np.array([caller(v) for v in x])
    np.testing.assert_allclose(made, np.exp(x), rtol=1e-15)
    assert caller(-1e4) < 1e-300
