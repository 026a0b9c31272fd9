"""Detection limits: the closed form of ISO 11843-2, and simulated alarms and misses."""

import numpy as np
import pytest
from scipy import stats

from analysis import calibration
from analysis.core import CalibrationError

X = np.repeat([0.0, 0.5, 1.0, 1.5, 2.0, 3.0], 3)


def test_the_critical_value_is_that_of_iso_11843():
    rng = np.random.default_rng(1)
    y = 0.1 + 2.0 * X + rng.normal(0, 0.1, X.size)
    curve = calibration.fit_line(X, y)
    found = calibration.detection_limits(curve, repeats=2)
    # ISO 11843-2:2000, 5.2: x_c = t sigma / b sqrt(1/K + 1/(I J) + mean(x)^2 / s_xx)
    s_xx = ((X - X.mean()) ** 2).sum()
    inner = 1 / 2 + 1 / X.size + X.mean() ** 2 / s_xx
    t = stats.t.ppf(0.95, X.size - 2)
    assert found.critical == pytest.approx(t * curve.scatter / curve.parameters[1].value * np.sqrt(inner), rel=1e-9)
    assert found.detection == pytest.approx(2 * found.critical, rel=0.05)
    at = curve.inverse([curve.predict(found.quantification).value] * 2)
    assert at.u == pytest.approx(0.1 * found.quantification, rel=1e-6)


def test_false_alarms_and_misses_are_as_many_as_promised():
    # calibration and observations are drawn again in each trial; exact binomial bounds at p = 1e-6
    rng, trials = np.random.default_rng(2), 1500
    alarms = misses = 0
    known = calibration.fit_line(X, 0.1 + 2.0 * X, u_y=0.1)
    promised = calibration.detection_limits(known, u_reading=0.1)
    for _ in range(trials):
        y = 0.1 + 2.0 * X + rng.normal(0, 0.1, X.size)
        slope, offset = np.polyfit(X, y, 1)
        blank, low = 0.1 + rng.normal(0, 0.1, 2) + 2.0 * np.array([0.0, promised.detection])
        alarms += (blank - offset) / slope > promised.critical
        misses += (low - offset) / slope <= promised.critical
    low, high = stats.binom.ppf([5e-7, 1 - 5e-7], trials, 0.05)
    assert low <= alarms <= high
    assert low <= misses <= high


def test_few_points_widen_the_critical_value_though_the_noise_of_a_reading_is_known():
    # Welch-Satterthwaite by hand: the line has 3 degrees of freedom, the reading has infinitely many
    x = np.linspace(0.0, 2.0, 5)
    curve = calibration.fit_line(x, 0.1 + 2.0 * x + np.array([0.1, -0.12, 0.02, 0.09, -0.09]))
    at_zero = curve.scatter * np.sqrt(1 / 5 + x.mean() ** 2 / ((x - x.mean()) ** 2).sum())
    u = np.hypot(at_zero, 0.1)
    t = stats.t.ppf(0.95, 3 * u**4 / at_zero**4)
    found = calibration.detection_limits(curve, u_reading=0.1)
    assert found.critical == pytest.approx(t * u / curve.parameters[1].value, rel=1e-9)
    assert t > 1.01 * stats.norm.ppf(0.95)


def test_noise_that_grows_with_the_content_moves_the_limit_of_quantification():
    curve = calibration.fit_line(X, 2.0 * X, u_y=0.05)
    even = calibration.detection_limits(curve, u_reading=0.05)
    growing = calibration.detection_limits(curve, u_reading=lambda x: 0.05 + 0.1 * x)
    assert growing.critical == pytest.approx(even.critical)
    assert growing.quantification > even.quantification
    assert "detection limit" in str(even)


def test_limits_that_cannot_be_known_are_refused():
    curve = calibration.fit_line(X, 2.0 * X, u_y=0.05)
    with pytest.raises(CalibrationError, match="give u_reading"):
        calibration.detection_limits(curve)
    with pytest.raises(CalibrationError, match="above the calibrated range"):
        calibration.detection_limits(curve, u_reading=5.0)
    with pytest.raises(CalibrationError, match="near x = 0"):
        calibration.detection_limits(calibration.fit_line(X + 5, 2.0 * X, u_y=0.05), u_reading=0.05)
    with pytest.raises(CalibrationError, match="repeats must be at least 1"):
        calibration.detection_limits(curve, u_reading=0.05, repeats=0)
    with pytest.raises(CalibrationError, match="positive and finite"):
        calibration.detection_limits(curve, u_reading=-1.0)
