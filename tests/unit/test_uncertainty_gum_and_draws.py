"""Linear propagation against Monte Carlo on models that are linear, and the second order on those that are quadratic.

The mean of m draws of standard deviation s lies within 5 s/√m of its expectation but once in two million; the variance
within 5 s² √((κ - 1)/m), κ the kurtosis of the draws.
"""

import math

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from analysis.uncertainty import Quantity, distributions, propagate, sample

TRIALS = 40_000
SHAPES = {
    "normal": distributions.normal(),
    "rectangular": distributions.rectangular(),
    "triangular": distributions.triangular(),
    "arcsine": distributions.arcsine(),
}
SLOPE = st.floats(-3, 3).filter(lambda c: abs(c) > 0.01)
INPUT = st.tuples(st.sampled_from(sorted(SHAPES)), st.floats(-5, 5), st.floats(0.01, 3), SLOPE)


def quantities(inputs):
    return {
        f"x{k}": Quantity(value=value, u=u, units="V", distribution=SHAPES[shape])
        for k, (shape, value, u, _) in enumerate(inputs)
    }


@settings(max_examples=40, deadline=None)
@given(st.lists(INPUT, min_size=1, max_size=4), st.integers(0, 2**32 - 1))
def test_of_a_linear_model_draws_have_the_mean_and_variance_of_the_gum(inputs, seed):
    formula = " + ".join(f"({c!r})*x{k}" for k, (_, _, _, c) in enumerate(inputs))
    budget = propagate(formula, quantities(inputs), name="y", units="V")
    assert budget.u == pytest.approx(math.hypot(*(c * u for _, _, u, c in inputs)), rel=1e-12)  # JCGM 100, 5.1.2
    drawn = np.asarray(sample(budget, trials=TRIALS, seed=seed).draws)
    kurtosis = float(((drawn - drawn.mean()) ** 4).mean() / drawn.var() ** 2)
    assert abs(drawn.mean() - budget.value) <= 5 * budget.u / math.sqrt(TRIALS)
    assert abs(drawn.var() - budget.u**2) <= 5 * budget.u**2 * math.sqrt((kurtosis - 1) / TRIALS)


@settings(max_examples=25, deadline=None)
@given(
    st.floats(-2, 2), st.floats(0.2, 2), st.floats(-2, 2), st.floats(0.2, 2), st.floats(-3, 3), st.floats(-3, 3),
    st.integers(0, 2**32 - 1),
)  # fmt: skip
def test_of_a_quadratic_model_of_normal_inputs_the_second_order_is_the_exact_variance(a, u, b, v, p, q, seed):
    inputs = {"a": Quantity(value=a, u=u, units="1"), "b": Quantity(value=b, u=v, units="1")}
    budget = propagate(f"({p!r})*a**2 + ({q!r})*a*b + b", inputs, name="y", units="1", order=2)
    # of independent normal a, b: var(p a² + q a b + b) in closed form
    slope_a, slope_b = 2 * p * a + q * b, q * a + 1
    exact = (slope_a * u) ** 2 + (slope_b * v) ** 2 + 2 * (p * u**2) ** 2 + (q * u * v) ** 2
    assert budget.u**2 == pytest.approx(exact, rel=1e-9)
    drawn = np.asarray(sample(budget, trials=TRIALS, seed=seed).draws)
    kurtosis = float(((drawn - drawn.mean()) ** 4).mean() / drawn.var() ** 2)
    assert abs(drawn.var() - exact) <= 5 * exact * math.sqrt((kurtosis + 1) / TRIALS)
    assert abs(drawn.mean() - (budget.value + p * u**2)) <= 5 * math.sqrt(exact / TRIALS)  # GUM 5.1.2 note: the shift


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from("+-*"), min_size=2, max_size=8), st.lists(st.integers(0, 3), min_size=9, max_size=9))
def test_covariances_of_any_expressions_are_a_covariance_matrix(operators, picks):
    pool = [Quantity(value=1.0 + k, u=0.1 * (k + 1), units="1") for k in range(4)]
    results = [pool[picks[0]]]
    for operator, pick in zip(operators, picks[1:], strict=False):
        results.append(
            {"+": results[-1] + pool[pick], "-": results[-1] - pool[pick], "*": results[-1] * pool[pick]}[operator]
        )
    matrix = np.array([[one.covariance(other) for other in results] for one in results])
    np.testing.assert_allclose(np.diag(matrix), [each.u**2 for each in results], rtol=1e-9, atol=1e-12)
    assert np.linalg.eigvalsh(matrix).min() >= -1e-9 * max(np.abs(matrix).max(), 1e-12)
    assert all((each - each).u == 0.0 for each in results)
