"""Detector linearity: detectors of known curvature, Monte Carlo of the whole test, and dead time in closed form."""

import numpy as np
import pytest
import xarray as xr

from analysis import calibration
from analysis.core import CalibrationError
from analysis.uncertainty import Quantity, sources

LIGHT = np.array([0.1, 0.2, 0.35, 0.5, 0.5, 0.35])
OTHER = np.array([0.1, 0.25, 0.3, 0.45, 0.4, 0.2])


def q(value, u, units="counts"):
    return Quantity(value=float(value), u=float(u), units=units)


def reading(light, curvature=-0.03, full=5e4):
    """Solve corrected = N (1 + curvature N / full) for N."""
    wanted = light * full
    return (-1 + np.sqrt(1 + 4 * curvature * wanted / full)) / (2 * curvature / full)


def added(noise=0.0, rng=None, u=20.0):
    rows = [[reading(a), reading(b), reading(a + b)] for a, b in zip(LIGHT, OTHER, strict=True)]
    values = np.array(rows) + (0 if rng is None else noise * rng.standard_normal((LIGHT.size, 3)))
    return [tuple(q(v, u) for v in row) for row in values]


def spectrum(values, units="counts"):
    x = np.asarray(values, dtype=float)
    return xr.Dataset({"signal": ("channel", x, {"units": units}), "u_signal": ("channel", np.sqrt(np.abs(x)))})


@pytest.mark.parametrize("method", ["flux", "series"])
def test_a_known_curvature_is_found_and_taken_out(method):
    series = [(x, q(reading(x), 20.0)) for x in (0.1, 0.3, 0.5, 0.7, 0.95)]
    found = (
        calibration.flux_addition(added())
        if method == "flux"
        else calibration.fit_linearity([x for x, _ in series], [n for _, n in series])
    )
    light = np.linspace(0.01, 0.9, 7)
    corrected = calibration.apply_linearity(found, spectrum(reading(light)))
    np.testing.assert_allclose(corrected["signal"].values, 5e4 * light, rtol=1e-9)
    # noise grows with the slope of the correction
    slope = 1 - 0.06 * reading(light) / 5e4
    np.testing.assert_allclose(corrected["u_signal"].values, slope * np.sqrt(reading(light)), rtol=1e-9)
    assert found.chisqr == pytest.approx(0.0, abs=1e-9)


def test_the_uncertainty_of_flux_addition_agrees_with_repeated_tests():
    rng, trials = np.random.default_rng(2), 300
    found = calibration.flux_addition(added())
    drawn = [calibration.flux_addition(added(20.0, rng)) for _ in range(trials)]
    at = np.array([4e4])
    spread = np.std([each.evaluate(at)[0][0] for each in drawn])
    u = np.sqrt(sum(part[0] ** 2 for part in found.evaluate(at)[2].values()))
    assert spread == pytest.approx(u, rel=5 / np.sqrt(2 * trials))
    assert np.mean([each.chisqr for each in drawn]) == pytest.approx(found.dof, abs=5 * np.sqrt(2 * found.dof / trials))


def test_a_dark_reading_shared_by_all_levels_is_one_source():
    dark = q(100.0, 5.0)
    rows = [tuple(each + 100.0 * q(1, 0) - dark for each in row) for row in added()]
    found = calibration.flux_addition(rows)
    shared = next(iter(dark.parts()))
    assert shared in found.contributions
    # closed form, one coefficient: derivative of the fit by a common offset, from two nearby fits
    moved = [tuple(each - q(5.0, 0) for each in row) for row in rows]
    change = calibration.flux_addition(moved).coefficients - found.coefficients
    np.testing.assert_allclose(found.contributions[shared], change, rtol=0.02)


def test_dead_time_is_corrected_in_closed_form():
    tau, high = q(2e-6, 1e-7, "s"), q(1e5, 0, "counts s-1")
    found = calibration.dead_time(tau, high=high)
    corrected = calibration.apply_linearity(found, spectrum([1e4, 8e4], "counts s-1"))
    rate = np.array([1e4, 8e4])
    np.testing.assert_allclose(corrected["signal"].values, rate / (1 - rate * 2e-6), rtol=1e-12)
    np.testing.assert_allclose(corrected["u_signal"].values, np.sqrt(rate) / (1 - rate * 2e-6) ** 2, rtol=1e-12)
    [part] = sources.detach(corrected, "signal").values()
    np.testing.assert_allclose(part, 1e-7 * (rate / (1 - rate * 2e-6)) ** 2, rtol=1e-12)
    one = found.correct(q(8e4, 300, "counts s-1"))
    assert one.u == pytest.approx(np.hypot(part[1], 300 / (1 - 0.16) ** 2))


def test_what_was_not_tested_is_refused():
    found = calibration.flux_addition(added())
    with pytest.raises(CalibrationError, match="1 of 2 readings lie outside what was tested"):
        calibration.apply_linearity(found, spectrum([100.0, 6e4]))
    with pytest.raises(CalibrationError, match="too few for 2 coefficients"):
        calibration.flux_addition(added()[:2], degree=2)
    with pytest.raises(CalibrationError, match="needs its uncertainty above 0"):
        calibration.flux_addition(added(u=0.0))
    with pytest.raises(CalibrationError, match="busy for"):
        calibration.dead_time(q(1e-5, 0, "s"), high=q(1e5, 0, "counts s-1"))
    assert "at the highest tested reading" in found.summary()
    masked = calibration.apply_linearity(found, spectrum([100.0, np.nan]).drop_vars("u_signal"))
    assert np.isnan(masked["signal"].values[1])
