"""Check standards: drift of a known truth, what is shared, forecasts, intervals, refusals."""

from datetime import date, timedelta

import numpy as np
import pytest
from scipy import stats

from analysis import calibration
from analysis.core import CalibrationError
from analysis.uncertainty import Quantity

FIRST = date(2025, 1, 1)


def on(days):
    return (FIRST + timedelta(days=int(days))).isoformat()


def q(value, u, label=""):
    return Quantity(value=value, u=u, units="V", label=label)


DAYS = np.arange(0, 360, 30)
DATES = [on(d) for d in DAYS]
STANDARD = q(10.0, 2e-5, "standard")


def readings(rate=1e-7, u=1e-5, seed=1, offset=0.0):
    rng = np.random.default_rng(seed)
    return [q(10.0 + offset + rate * d + rng.normal(0, u), u) for d in DAYS]


def test_the_drift_is_that_of_weighted_least_squares_by_hand():
    given = readings()
    found = calibration.drift(DATES, given, q(10.0, 0.0))
    errors = np.array([each.value - 10.0 for each in given])
    slope, _ = np.polyfit(DAYS, errors, 1)
    assert found.rate.value == pytest.approx(slope, rel=1e-9)
    assert found.rate.u == pytest.approx(1e-5 / np.sqrt(((DAYS - DAYS.mean()) ** 2).sum()), rel=1e-9)
    assert found.rate.units in ("V/d", "V d-1")
    assert found.p_value == pytest.approx(2 * stats.norm.sf(abs(slope) / found.rate.u), rel=1e-6)


def test_what_the_standard_is_wrong_by_moves_the_error_and_not_the_rate():
    found = calibration.drift(DATES, readings(), STANDARD)
    (source,) = STANDARD.parts()
    assert abs(found.rate.parts().get(source, 0.0)) < 1e-15
    assert found.error_at(on(200)).parts()[source] == pytest.approx(-2e-5, rel=1e-9)
    assert abs(found.change(on(0), on(300)).parts().get(source, 0.0)) < 1e-12
    assert found.change(on(0), on(300)).value == pytest.approx(300 * found.rate.value)


def test_forecasts_hold_the_truth_as_often_as_promised():
    # readings and the standard are drawn again in each trial; exact binomial bounds at p = 1e-6
    rng, trials, hits = np.random.default_rng(2), 150, 0
    for trial in range(trials):
        wrong = rng.normal(0, 2e-5)
        found = calibration.drift(DATES, readings(2e-7, seed=1000 + trial, offset=wrong), STANDARD)
        error = found.error_at(on(500))
        hits += abs(error.value - 2e-7 * 500) <= error.U()
    low, high = stats.binom.ppf([5e-7, 1 - 5e-7], trials, 0.95)
    assert low <= hits <= high


def test_the_uncertainty_of_the_error_grows_beyond_the_checks_and_far_ones_are_refused():
    found = calibration.drift(DATES, readings(), STANDARD)
    assert found.error_at(on(600)).u > found.error_at(on(330)).u > found.error_at(on(165)).u
    with pytest.raises(CalibrationError, match="lies further from the checks"):
        found.error_at(on(700))
    assert found.error_at(on(700), extrapolate=True).u > found.error_at(on(600)).u


def test_a_scatter_that_readings_do_not_hold_widens_the_drift():
    plain = calibration.drift(DATES, readings(), STANDARD)
    scatter = Quantity(value=0.0, u=5e-5, units="V", dof=11)
    wide = calibration.drift(DATES, readings(), STANDARD, scatter=scatter)
    assert wide.rate.u == pytest.approx(plain.rate.u * np.hypot(1e-5, 5e-5) / 1e-5, rel=1e-6)
    jumping = calibration.drift(DATES, [q(10 + 1e-3 * (-1) ** k, 1e-5) for k in range(12)], STANDARD)
    assert "u is too small" in str(jumping)


def test_a_drift_moves_a_curve_and_an_axis_with_its_sources():
    found = calibration.drift(DATES, readings(2e-7), STANDARD)
    curve = calibration.fit_line([0.0, 5.0, 10.0], [0.0, 5.001, 10.002], u_y=1e-5)
    curve = calibration.fit_line(
        [Quantity(value=v, u=0.0, units="V") for v in (0.0, 5.0, 10.0)], [q(v, 1e-5) for v in (0.0, 5.001, 10.002)]
    )
    change = found.change(on(330), on(500))
    moved = calibration.add_drift(curve, change)
    before, after = curve.predict(5.0), moved.predict(5.0)
    assert after.value - before.value == pytest.approx(change.value)
    assert after.u == pytest.approx(np.hypot(before.u, change.u), rel=1e-9)
    back = moved.inverse(q(5.0, 0.0))
    assert back.value == pytest.approx(curve.inverse(q(5.0 - change.value, 0.0)).value, rel=1e-12)
    allowance = found.allowance(on(330), on(500))
    assert allowance.value == 0.0
    assert allowance.u == pytest.approx((abs(change.value) + change.U()) / np.sqrt(3))
    assert calibration.add_drift(curve, allowance).predict(5.0).value == before.value
    assert "moved by a drift" in str(moved)
    axis = calibration.AxisCalibration(
        axis="wavelength", units="nm", of="pixel", coefficients=[500.0, 10.0], knots=[0.0, 100.0], contributions={}
    )
    shifted = calibration.add_drift(axis, Quantity(value=0.2, u=0.05, units="nm"))
    at = Quantity(value=50.0, u=0.0, units="1")
    assert shifted.predict(at).value - axis.predict(at).value == pytest.approx(0.2)
    assert shifted.predict(at).u == pytest.approx(0.05)
    own = calibration.fit_function(lambda x, a: a * x, [1.0, 2.0, 3.0], [1.0, 2.0, 3.1])
    with pytest.raises(CalibrationError, match="no constant term"):
        calibration.add_drift(own, Quantity(value=0.0, u=0.1, units="1"))


def test_the_interval_ends_on_the_last_day_on_which_the_error_with_its_uncertainty_is_below_the_limit():
    found = calibration.drift(DATES, readings(2e-7), STANDARD)
    interval = calibration.interval_from_drift(found, q(2e-4, 0.0), start=on(330), longest=3000)

    def reached(days):
        error = found.error_at(on(330 + days), extrapolate=True)
        return abs(error.value) + error.U()

    assert reached(interval.days) < 2e-4 <= reached(interval.days + 1)
    assert interval.due == on(330 + interval.days)
    assert "reaches 0.0002 V" in interval.message
    assert all(str(each)[:20] in each._repr_html_() for each in (interval, found))
    short = calibration.interval_from_drift(found, q(2e-4, 0.0), start=on(330), longest=100)
    assert (short.days, short.message.count("longest")) == (100, 1)
    now = calibration.interval_from_drift(found, q(1e-5, 0.0), start=on(330), longest=100)
    assert (now.days, now.due) == (0, on(330))
    chart = calibration.check_chart(DATES, [*readings()[:-1], q(10.01, 1e-5)], STANDARD)
    stop = calibration.interval_from_drift(found, q(2e-4, 0.0), start=on(330), longest=100, chart=chart)
    assert (stop.days, stop.method) == (0, "control chart")


@pytest.mark.parametrize(
    ("error", "days", "word"), [(0.5, 250.0, "lengthened"), (0.9, 200.0, "stays"), (-1.1, 100.0, "shortened")]
)
def test_the_staircase_grows_stays_or_shrinks(error, days, word):
    found = calibration.interval_staircase(200.0, [q(error, 0.0), q(0.1, 0.0)], q(1.0, 0.0), start="2026-01-01")
    assert found.days == days
    assert word in found.message
    assert found.due == (date(2026, 1, 1) + timedelta(days=days)).isoformat()


def test_checks_and_settings_that_cannot_be_are_refused():
    with pytest.raises(CalibrationError, match="sort them"):
        calibration.drift(DATES[::-1], readings(), STANDARD)
    with pytest.raises(CalibrationError, match="got 12, 11 and 11"):
        calibration.drift(DATES, readings()[:-1], STANDARD)
    with pytest.raises(CalibrationError, match="at least 3 checks"):
        calibration.drift(DATES[:2], readings()[:2], STANDARD)
    with pytest.raises(CalibrationError, match="at least 3 checks over some time"):
        calibration.drift([on(0)] * 3, readings()[:3], STANDARD)
    with pytest.raises(CalibrationError, match="ISO 8601"):
        calibration.drift(["today", *DATES[1:]], readings(), STANDARD)
    found = calibration.drift(DATES, readings(), STANDARD)
    with pytest.raises(CalibrationError, match="must be above 0"):
        calibration.interval_from_drift(found, q(0.0, 0.0), start=on(330), longest=100)
    with pytest.raises(CalibrationError, match="the staircase needs"):
        calibration.interval_staircase(0.0, [q(0.0, 0.0)], q(1.0, 0.0), start=on(0))
