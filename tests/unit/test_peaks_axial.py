"""The line of a powder diffractometer against the integral it stands for, and against the Voigt line."""

import lmfit
import numpy as np
import pytest
import xarray as xr
from scipy import integrate

from analysis import peaks
from analysis.peaks.powder_line import thompson_cox_hastings

X = np.linspace(20.0, 29.0, 37)


def spread_line(x, center, sigma, gamma, sl, hl):
    """Average the symmetric line over where a ray starts on the sample and where it meets the slit, one by one."""

    def height(start, end):
        h = end - start
        cosine = np.cos(np.radians(center)) * np.sqrt(1 + h * h)
        delta = np.arccos(cosine)
        return np.degrees(delta), 1 / (np.sin(delta) * (1 + h * h))

    def of(part):
        return integrate.dblquad(part, -sl, sl, -hl, hl, epsabs=1e-9, epsrel=1e-9)[0]

    below = of(lambda a, b: height(a, b)[1])
    line = [
        of(lambda a, b, at=at: height(a, b)[1] * float(thompson_cox_hastings(at - height(a, b)[0], 1, 0, sigma, gamma)))
        for at in x
    ]
    return np.array(line) / below


@pytest.mark.parametrize(("sl", "hl"), [(0.03, 0.03), (0.05, 0.02)])
def test_the_spread_is_an_average_over_sample_and_slit(sl, hl):
    # An average over both heights instead of the one over their difference: no singularity either, another quadrature.
    made = thompson_cox_hastings(X, 1.0, 28.44, 0.04, 0.03, sl, hl)
    near = X[np.argsort(made)[-5:]]
    expected = spread_line(near, 28.44, 0.04, 0.03, sl, hl)
    np.testing.assert_allclose(np.sort(made)[-5:], expected, rtol=2e-6)


@pytest.mark.parametrize("gamma", [1e-9, 0.3, 1.0, 4.0])
def test_without_spread_it_is_a_voigt_line_to_about_a_percent_of_its_height(gamma):
    # Thompson, Cox and Hastings claim 1 % for the pseudo-Voigt line.
    x = np.linspace(-20, 20, 801)
    voigt = lmfit.lineshapes.voigt(x, 1.0, 0.0, 1.0, gamma)
    np.testing.assert_allclose(thompson_cox_hastings(x, 1.0, 0.0, 1.0, gamma), voigt, atol=0.013 * voigt.max())


def test_the_spread_points_to_small_angles_below_90_degrees_and_to_large_ones_above():
    x = np.linspace(20, 160, 140_001)
    for center, side in ((30.0, -1), (150.0, 1)):
        line = thompson_cox_hastings(x, 1.0, center, 0.05, 0.0, 0.04, 0.04)
        assert side * (np.trapezoid(line * x, x) - center) > 0.03
        np.testing.assert_allclose(np.trapezoid(line, x), 1.0, rtol=1e-7)


def test_a_fit_finds_the_spread_that_made_the_line():
    x = np.linspace(26.0, 30.0, 801)
    model = peaks.models.ThompsonCoxHastingsModel(prefix="p_") + lmfit.models.ConstantModel(prefix="b_")
    true = model.make_params(p_amplitude=900, p_center=28.44, p_sigma=0.05, p_gamma=0.03, p_sl=0.04, p_hl=0.03, b_c=20)
    data = xr.Dataset(
        {"signal": ("channel", np.random.default_rng(5).poisson(model.eval(true, x=x)).astype(float))},
        coords={"two_theta": ("channel", x, {"units": "degree"})},
    )
    start = model.make_params(p_amplitude=700, p_center=28.3, p_sigma=0.06, p_gamma=0.03, p_sl=0.03, b_c=10)
    start["p_sl"].set(vary=True)
    start["p_hl"].set(expr="p_sl")
    fit = peaks.fit(data, model, start, axis="two_theta", loss="poisson")
    for name, value in (("p_center", 28.44), ("p_sl", 0.035), ("p_sigma", 0.05)):
        found = peaks.quantity(fit, name)
        assert abs(found.value - value) < 4 * found.u, name
    assert found.units == "degree"
