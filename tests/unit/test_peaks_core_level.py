"""The convolved line of a core level, against direct integration of the convolution."""

import lmfit
import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import voigt_profile

from analysis.peaks.core_line import core_level


def doniach(x, gamma, alpha):
    """Doniach-Šunjić line, J. Phys. C 3 (1970) 285, tail at larger x, with the Lorentzian's area for α = 0."""
    power = 1.0 - alpha
    return (
        (x * x + gamma * gamma) ** (-0.5 * power) * np.cos(0.5 * np.pi * alpha - power * np.arctan2(x, gamma)) / np.pi
    )


def convolved(x, sigma, gamma, alpha):
    normal = lambda y: np.exp(-0.5 * (y / sigma) ** 2) / (sigma * np.sqrt(2 * np.pi))  # noqa: E731
    ends = -12 * sigma, 12 * sigma
    top = min(max(x, ends[0]), ends[1])
    return quad(lambda y: normal(y) * doniach(x - y, gamma, alpha), *ends, points=[top], epsabs=1e-13, limit=500)[0]


@pytest.mark.parametrize("alpha", [0.04, 0.3])
@pytest.mark.parametrize(("sigma", "gamma"), [(0.3, 0.1), (0.1, 0.4), (0.05, 0.01)])
def test_a_core_level_is_the_convolution_of_its_two_parts(sigma, gamma, alpha):
    x = np.array([-3.0, -0.4, -0.05, 0.0, 0.1, 0.7, 8.0])
    expected = np.array([convolved(each, sigma, gamma, alpha) for each in x])
    made = core_level(x, 1.0, 0.0, sigma, gamma, alpha)
    np.testing.assert_allclose(made, expected, rtol=0, atol=2e-11 * expected.max())


def test_without_asymmetry_it_is_the_line_of_voigt_and_with_the_other_sign_its_mirror_image():
    x = np.linspace(-5.0, 5.0, 101)
    np.testing.assert_allclose(
        core_level(x, 2.0, 0.5, 0.3, 0.2, 0.0), 2.0 * voigt_profile(x - 0.5, 0.3, 0.2), rtol=1e-11
    )
    np.testing.assert_allclose(
        core_level(x, 2.0, 0.0, 0.3, 0.2, -0.1), core_level(-x, 2.0, 0.0, 0.3, 0.2, 0.1), rtol=1e-11
    )


def test_a_narrow_response_leaves_the_line_of_lmfit():
    x = np.linspace(-5.0, 5.0, 101)
    expected = lmfit.lineshapes.doniach(-x, 1.0 / np.pi, 0.0, 0.2, 0.1)
    np.testing.assert_allclose(core_level(x, 1.0, 0.0, 1e-9, 0.2, 0.1), expected, rtol=1e-7)
