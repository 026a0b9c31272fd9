"""Detection limits: the closed form of ISO 11843-2, and simulated alarms and misses."""

import numpy as np
import pytest
from scipy import optimize, stats

from analysis import calibration
from analysis.core import CalibrationError
from analysis.uncertainty import Quantity

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
    unit = curve.scatter / curve.parameters[1].value * np.sqrt(inner)
    assert found.critical.value == pytest.approx(t * unit, rel=1e-9)
    # x_d = delta(nu; alpha; beta) sigma / b sqrt(...), delta from P[T(nu; delta) <= t] = beta
    delta = optimize.brentq(lambda d: stats.nct.cdf(t, X.size - 2, d) - 0.05, 1, 30, xtol=1e-12)
    assert found.detection.value == pytest.approx(delta * unit, rel=1e-9)
    other = calibration.detection_limits(curve, repeats=2, method="sum_of_t")
    assert other.detection.value == pytest.approx(2 * t * unit, rel=1e-9)
    assert other.critical.value == pytest.approx(found.critical.value, rel=1e-12)
    at = curve.inverse([curve.predict(found.quantification.value).value] * 2)
    assert at.u == pytest.approx(0.1 * found.quantification.value, rel=1e-6)


def exact_curve(x, sd=0.1):
    """A curve whose estimates are the truth: 0.1 + 2 x with a residual scatter of exactly sd."""
    noise = np.random.default_rng(9).normal(size=x.size)
    columns = np.stack([np.ones_like(x), x], axis=1)
    rest = noise - columns @ np.linalg.lstsq(columns, noise, rcond=None)[0]
    return calibration.fit_line(x, 0.1 + 2.0 * x + rest * sd * np.sqrt((x.size - 2) / (rest**2).sum()))


def missed(x, content, t, repeats, trials):
    """Draw calibrations and readings of a content; count those not above the critical value of their calibration."""
    rng = np.random.default_rng(2)
    y = 0.1 + 2.0 * x + rng.normal(0, 0.1, (trials, x.size))
    means = 0.1 + 2.0 * content + rng.normal(0, 0.1 / np.sqrt(repeats), trials)
    s_xx = ((x - x.mean()) ** 2).sum()
    slope = (y * (x - x.mean())).sum(axis=1) / s_xx
    offset = y.mean(axis=1) - slope * x.mean()
    rest = y - offset[:, None] - slope[:, None] * x
    sd = np.sqrt((rest**2).sum(axis=1) / (x.size - 2))
    limit = t * sd * np.sqrt(1 / repeats + 1 / x.size + x.mean() ** 2 / s_xx)
    return int((means - offset <= limit).sum())


@pytest.mark.parametrize("repeats", [1, 3])
@pytest.mark.parametrize("x", [np.linspace(0.0, 3.0, 5), X], ids=["3 dof", "16 dof"])
def test_false_alarms_and_misses_are_as_many_as_promised(x, repeats):
    # calibrations and observations are drawn again in each trial; exact binomial bounds at p = 1e-6
    trials, t = 200_000, stats.t.ppf(0.95, x.size - 2)
    limits = calibration.detection_limits(exact_curve(x), repeats=repeats, extrapolate=True)
    low, high = stats.binom.ppf([5e-7, 1 - 5e-7], trials, 0.05)
    assert low <= trials - missed(x, 0.0, t, repeats, trials) <= high
    assert low <= missed(x, limits.detection.value, t, repeats, trials) <= high
    if x.size == 5:  # the sum of quantiles promises too much: fewer are missed
        wide = calibration.detection_limits(exact_curve(x), repeats=repeats, method="sum_of_t")
        assert missed(x, wide.detection.value, t, repeats, trials) < low


def test_the_limits_of_each_calibration_decide_as_their_formula_says():
    rng, trials, alarms = np.random.default_rng(12), 120, 0
    for _ in range(trials):
        curve = calibration.fit_line(X, 0.1 + 2.0 * X + rng.normal(0, 0.1, X.size))
        limits = calibration.detection_limits(curve)
        alarms += curve.inverse(float(0.1 + rng.normal(0, 0.1)), extrapolate=True).value > limits.critical.value
    low, high = stats.binom.ppf([5e-7, 1 - 5e-7], trials, 0.05)
    assert low <= alarms <= high


def test_delta_is_that_of_currie_for_four_degrees_of_freedom():
    # L. A. Currie, Pure Appl. Chem. 67 (1995) 1699: delta = 4.07 for nu = 4 and 5 %, where 2 t = 4.26
    x = np.linspace(0.0, 2.0, 6)
    curve = exact_curve(x)
    unit = np.sqrt(1 + 1 / 6 + x.mean() ** 2 / ((x - x.mean()) ** 2).sum()) * 0.1 / 2.0
    exact = calibration.detection_limits(curve)
    assert exact.detection.value / unit == pytest.approx(4.07, abs=5e-3)
    sums = calibration.detection_limits(curve, method="sum_of_t")
    assert sums.detection.value / unit == pytest.approx(4.26, abs=5e-3)
    assert exact.dof == pytest.approx(4)
    assert "delta(nu; alpha; beta) of ISO 11843-2, 4 degrees of freedom" in str(exact)
    assert "approximation" in str(sums)


def test_known_noise_makes_the_sum_of_normal_quantiles_and_other_probabilities_count():
    curve = calibration.fit_line(X, 0.1 + 2.0 * X, u_y=0.1)
    found = calibration.detection_limits(curve, u_reading=0.1, alpha=0.01, beta=0.1)
    u = np.hypot(0.1, curve.predict(0.0).u) / 2.0
    assert found.critical.value == pytest.approx(stats.norm.ppf(0.99) * u, rel=1e-9)
    assert found.detection.value == pytest.approx((stats.norm.ppf(0.99) + stats.norm.ppf(0.9)) * u, rel=1e-9)


def test_the_u_of_a_limit_is_what_the_limits_of_redrawn_calibrations_scatter_by():
    rng, x = np.random.default_rng(6), np.repeat(X, 2)
    promised = calibration.detection_limits(exact_curve(x))
    drawn = []
    for _ in range(150):
        limits = calibration.detection_limits(calibration.fit_line(x, 0.1 + 2.0 * x + rng.normal(0, 0.1, x.size)))
        drawn.append([limits.critical.value, limits.detection.value, limits.quantification.value])
    u = [promised.critical.u, promised.detection.u, promised.quantification.u]
    np.testing.assert_allclose(np.std(drawn, axis=0), u, rtol=5 / np.sqrt(2 * 150))
    # the two share slope and scatter: their ratio is known far better than either
    ratio = promised.detection / promised.critical
    assert ratio.u < 1e-3 * promised.detection.u / promised.critical.value


def test_an_uncertain_noise_of_a_reading_goes_to_the_limits():
    curve = calibration.fit_line(X, 0.1 + 2.0 * X, u_y=1e-6)
    noise = Quantity(value=0.1, u=0.01, units="1", dof=50, label="noise")
    found = calibration.detection_limits(curve, u_reading=noise)
    (source,) = noise.parts()
    assert found.critical.value == pytest.approx(stats.t.ppf(0.95, 50) * 0.1 / 2.0, rel=1e-6)
    assert found.critical.parts()[source] == pytest.approx(0.1 * found.critical.value, rel=1e-6)


def test_errors_in_both_variables_widen_the_limits_and_stay_in_the_content():
    rng = np.random.default_rng(5)
    shared = Quantity(value=1.0, u=0.02, units="1", label="stock solution")
    contents = [Quantity(value=float(v), u=0.01, units="mg/L") * shared for v in X + 1e-3 * np.arange(X.size)]
    signals = [Quantity(value=float(0.1 + 2 * c.value + rng.normal(0, 0.02)), u=0.02, units="V") for c in contents]
    curve = calibration.fit_line(contents, signals)
    plain = calibration.fit_line([c.value for c in contents], [s.value for s in signals], u_y=0.02)
    ours = calibration.detection_limits(curve, u_reading=Quantity(value=0.02, u=0.0, units="V"), relative=0.2)
    theirs = calibration.detection_limits(plain, u_reading=0.02, relative=0.2)
    assert ours.units == "mg/L"
    assert ours.detection.value > theirs.detection.value
    assert ours.quantification.value > theirs.quantification.value
    (source,) = shared.parts()
    assert ours.detection.parts()[source] == pytest.approx(0.02 * ours.detection.value, rel=0.1)
    content = curve.inverse(Quantity(value=3.1, u=0.02, units="V"))
    assert content.parts()[source] == pytest.approx(0.02 * content.value, rel=0.05)


def test_few_points_widen_the_critical_value_though_the_noise_of_a_reading_is_known():
    # Welch-Satterthwaite by hand: the line has 3 degrees of freedom, the reading has infinitely many
    x = np.linspace(0.0, 2.0, 5)
    curve = calibration.fit_line(x, 0.1 + 2.0 * x + np.array([0.1, -0.12, 0.02, 0.09, -0.09]))
    at_zero = curve.scatter * np.sqrt(1 / 5 + x.mean() ** 2 / ((x - x.mean()) ** 2).sum())
    u = np.hypot(at_zero, 0.1)
    t = stats.t.ppf(0.95, 3 * u**4 / at_zero**4)
    found = calibration.detection_limits(curve, u_reading=0.1)
    assert found.critical.value == pytest.approx(t * u / curve.parameters[1].value, rel=1e-9)
    assert t > 1.01 * stats.norm.ppf(0.95)


def test_noise_that_grows_with_the_content_moves_the_limit_of_quantification():
    curve = calibration.fit_line(X, 2.0 * X, u_y=0.05)
    even = calibration.detection_limits(curve, u_reading=0.05)
    growing = calibration.detection_limits(curve, u_reading=lambda x: 0.05 + 0.1 * x)
    assert growing.critical.value == pytest.approx(even.critical.value)
    assert growing.detection.value > even.detection.value
    assert growing.quantification.value > even.quantification.value
    assert "detection limit" in str(even)


def test_limits_that_cannot_be_known_are_refused():
    curve = calibration.fit_line(X, 2.0 * X, u_y=0.05)
    with pytest.raises(CalibrationError, match="give u_reading"):
        calibration.detection_limits(curve)
    with pytest.raises(CalibrationError, match="above the calibrated range"):
        calibration.detection_limits(curve, u_reading=5.0)
    with pytest.raises(CalibrationError, match="near x = 0"):
        calibration.detection_limits(calibration.fit_line(X + 5, 2.0 * X, u_y=0.05), u_reading=0.05)
    with pytest.raises(CalibrationError, match="Did you mean 'sum_of_t'"):
        calibration.detection_limits(curve, u_reading=0.05, method="sum_of_ts")
    with pytest.raises(CalibrationError, match="repeats must be at least 1"):
        calibration.detection_limits(curve, u_reading=0.05, repeats=0)
    with pytest.raises(CalibrationError, match="positive and finite"):
        calibration.detection_limits(curve, u_reading=-1.0)
