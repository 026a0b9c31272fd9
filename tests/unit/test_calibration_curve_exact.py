"""Exact propagation through a fitted curve: derivatives of re-fits by every input, and Monte Carlo re-fits."""

import numpy as np
import pytest

from analysis import calibration, io
from analysis.calibration.curve_exact import Minimum, derivatives
from analysis.calibration.curve_fit import solve
from analysis.calibration.curve_functions import of_formula, of_function
from analysis.core import CalibrationError

X = np.linspace(1.0, 9.0, 9)
RNG = np.random.default_rng(8)
MIXED = RNG.normal(size=(18, 18)) / 4
FULL = 0.02 * MIXED @ MIXED.T + 0.02 * np.eye(18)
APART = np.diag(np.r_[np.full(9, 0.2), np.full(9, 0.3)] ** 2)
EXACT_X = np.diag(np.r_[np.zeros(9), np.full(9, 0.3)] ** 2)


def saturating(x, top, half):
    return top * x / (half + x)


FAMILIES = {
    "line": (lambda x: 1 + 2 * x, calibration.fit_line),
    "parabola": (lambda x: 1 + x - 0.05 * x**2, lambda x, y, **s: calibration.fit_polynomial(x, y, degree=2, **s)),
    "power": (lambda x: 2 * x**1.4, lambda x, y, **s: calibration.fit_function("power", x, y, **s)),
    "exponential": (lambda x: np.exp(0.3 * x), lambda x, y, **s: calibration.fit_function("exponential", x, y, **s)),
    "formula": (
        lambda x: 8 * x / (3 + x),
        lambda x, y, **s: calibration.fit_function("top*x/(half + x)", x, y, start={"top": 5, "half": 2}, **s),
    ),
    "function": (
        lambda x: 8 * x / (3 + x),
        lambda x, y, **s: calibration.fit_function(saturating, x, y, start={"top": 5, "half": 2}, **s),
    ),
}


def noisy(name, covariance):
    errors = np.random.default_rng(3).multivariate_normal(np.zeros(18), covariance)
    return X + errors[:9], FAMILIES[name][0](X) + errors[9:]


def refitted(family, covariance, z, b):
    return solve(family, z[:9], z[9:], covariance, start=b).b


def brute_force(family, covariance, x, y, b):
    """Derivatives of the re-fitted parameters by each x and y: central differences of fourth order."""
    z, h = np.r_[x, y], 2e-3
    columns = []
    for i in range(18):
        near, far = (
            (refitted(family, covariance, z + k * h * np.eye(18)[i], b)
             - refitted(family, covariance, z - k * h * np.eye(18)[i], b)) / (2 * k * h)
            for k in (1, 2)
        )  # fmt: skip
        columns.append((4 * near - far) / 3)
    return np.array(columns).T


@pytest.mark.parametrize("covariance", [FULL, APART, EXACT_X], ids=["full", "apart", "exact x"])
@pytest.mark.parametrize("name", FAMILIES)
def test_the_derivatives_are_those_of_refitting_with_each_input_moved(name, covariance):
    x, y = noisy(name, covariance)
    family = FAMILIES[name][1](x, y, u_y=0.3).family
    found = solve(
        family, x, y, covariance, start=np.array([5.0, 2.0]) if name in ("formula", "function") else None, exact=True
    )
    expected = brute_force(family, covariance, x, y, found.b)
    exact = np.concatenate([found.to_x, found.to_y], axis=1)
    np.testing.assert_allclose(exact, expected, rtol=2e-5, atol=2e-6 * np.abs(expected).max())
    plain = solve(family, x, y, covariance, start=found.b)
    linear = name in ("line", "parabola") and covariance is EXACT_X
    u = np.sqrt(np.diag(covariance))
    same = np.allclose(np.concatenate([plain.to_x, plain.to_y], axis=1) * u, expected * u, rtol=1e-3)
    assert same == linear  # Gauss-Newton differs wherever the problem is not linear


def test_the_covariance_follows_from_the_exact_derivatives_and_is_named_and_kept(tmp_path):
    x, y = noisy("exponential", APART)
    settings = {"u_x": 0.2, "u_y": 0.3}
    plain = calibration.fit_function("exponential", x, y, **settings)
    exact = calibration.fit_function("exponential", x, y, propagation="implicit", **settings)
    np.testing.assert_array_equal(plain.values, exact.values)
    slopes = brute_force(exact.family, APART, x, y, exact.values)
    np.testing.assert_allclose(exact.covariance, slopes @ APART @ slopes.T, rtol=1e-4)
    assert (plain.propagation, exact.propagation) == ("gauss_newton", "implicit")
    assert "Gauss-Newton" in str(plain)
    assert "implicit-function theorem at the observed points" in str(exact)
    assert io.read_calibration(io.write(exact, tmp_path / "curve.nc")) == exact
    assert io.read_calibration(tmp_path / "curve.nc").propagation == "implicit"


def test_the_scatter_of_the_residuals_is_propagated_either_way():
    x, y = X, FAMILIES["exponential"][0](X) + np.random.default_rng(4).normal(0, 0.3, 9)
    plain = calibration.fit_function("exponential", x, y)
    exact = calibration.fit_function("exponential", x, y, propagation="implicit")
    slopes = brute_force(exact.family, np.diag(np.r_[np.zeros(9), np.ones(9)]), x, y, exact.values)[:, 9:]
    np.testing.assert_allclose(exact.covariance, exact.scatter**2 * slopes @ slopes.T, rtol=1e-4)
    assert plain.scatter == exact.scatter
    assert "Annex E; implicit" in str(exact)


def test_refits_of_drawn_points_scatter_as_the_exact_derivatives_say():
    # Draws around the observed points, residuals included, small enough to be linear: sd of 200 draws, bound 5 sigma.
    x, y = noisy("exponential", APART)
    exact = calibration.fit_function("exponential", x, y, propagation="implicit", u_x=0.2, u_y=0.3)
    plain = calibration.fit_function("exponential", x, y, u_x=0.2, u_y=0.3)
    rng, small, trials = np.random.default_rng(5), 0.02, 200
    drawn = np.array([
        refitted(exact.family, APART, np.r_[x, y] + small * rng.multivariate_normal(np.zeros(18), APART), exact.values)
        for _ in range(trials)
    ])  # fmt: skip
    sd = drawn.std(axis=0, ddof=1) / small
    u, other = (np.array([each.u for each in curve.parameters]) for curve in (exact, plain))
    np.testing.assert_allclose(sd, u, rtol=5 / np.sqrt(2 * trials))
    assert np.abs(other / u - 1).max() > 0.02


def test_a_minimum_that_is_none_to_second_order_has_no_derivatives():
    # f = b²/2 with one exact x: the second derivative of the misfit is b² - (y - b²/2), 0 at b = 1 with a residual of 1
    family = of_formula("b**2/2 + 0*x")
    at = Minimum(b=np.array([1.0]), true_x=np.array([2.0]), pull=np.array([1.0]))
    with pytest.raises(CalibrationError, match="none to second order"):
        derivatives(family, np.diag([0.0, 1.0]), at)
    safe = Minimum(b=np.array([1.0]), true_x=np.array([2.0]), pull=np.array([0.2]))
    assert derivatives(family, np.diag([0.0, 1.0]), safe)[1][0, 0] == pytest.approx(1 / 0.8)


def test_other_ways_of_propagation_are_refused():
    with pytest.raises(CalibrationError, match="Did you mean 'implicit'"):
        calibration.fit_line(X, X, u_y=0.1, propagation="implict")


def test_the_function_of_a_test_has_an_importable_name():
    assert of_function(saturating)[0].origin.endswith(":saturating")
