"""Control charts of check standards: rules one by one, limits, false alarms of a process in control."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from analysis import calibration
from analysis.core import CalibrationError
from analysis.uncertainty import Quantity

ZERO = Quantity(value=0.0, u=0.0, units="V")


def charted(values, **settings):
    dates = [f"2026-01-{k // 1440 + 1:02d}T{k // 60 % 24:02d}:{k % 60:02d}" for k in range(len(values))]
    given = [Quantity(value=float(v), u=10.0, units="V") for v in values]
    return calibration.check_chart(dates, given, ZERO, **({"centre": 0.0, "sd": 1.0} | settings))


QUIET = [0.5, -0.5, 0.2, -0.3]


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ([*QUIET, 3.1], "beyond 3 standard deviations"),
        ([*QUIET, -2.1, 0.1, -2.2], "two of three in a row"),
        ([*QUIET, 1.1, 1.2, 0.4, 1.3, 1.1], "four of five in a row"),
        ([-0.5, *[0.2, 0.4, 0.3, 0.5, 0.1, 0.4, 0.2, 0.3]], "eight in a row on one side of the centre"),
        ([0.5, -0.9, -0.6, -0.3, 0.1, 0.4, 0.8], "six in a row rising or falling"),
        ([0.3 * (-1) ** k for k in range(14)], "fourteen in a row up and down by turns"),
    ],
)
def test_each_rule_speaks_at_the_check_that_completes_it(values, rule):
    assert any(
        each.at == len(values) - 1 and each.rule.startswith(rule) for each in charted(values, weight=1.0).signals
    )
    assert not charted(values[:-1], weight=1.0).signals


def test_a_process_in_control_has_as_many_points_beyond_the_limits_as_the_normal_distribution():
    chart = charted(np.random.default_rng(1).normal(size=4000))
    beyond = sum(each.rule.startswith("beyond 3") for each in chart.signals)
    low, high = stats.binom.ppf([5e-7, 1 - 5e-7], 4000, 2 * stats.norm.sf(3))
    assert low <= beyond <= high
    assert np.std(chart.ewma[50:]) == pytest.approx(np.sqrt(0.2 / 1.8), rel=0.1)


def test_the_limits_of_the_moving_average_start_narrow_and_come_to_the_steady_ones():
    chart = charted(np.zeros(60) + np.tile([0.1, -0.1], 30), weight=0.3)
    half = (chart.ewma_limits[1] - chart.ewma_limits[0]) / 2
    # the variance of z_i is the sum of squares of the weights of all checks so far
    for i in (1, 2, 5):
        weights = [0.3 * 0.7**k for k in range(i)]
        assert half[i - 1] == pytest.approx(3 * np.sqrt(np.sum(np.square(weights))))
    steady = charted(np.tile([0.1, -0.1], 30), weight=0.3, steady=True)
    assert half[-1] == pytest.approx((steady.ewma_limits[1, 0] - steady.ewma_limits[0, 0]) / 2)


@settings(max_examples=25, deadline=None)
@given(scale=st.floats(1e-3, 1e3), shift=st.floats(-10, 10), seed=st.integers(0, 1000))
def test_the_rules_do_not_depend_on_units_or_on_where_zero_is(scale, shift, seed):
    values = np.round(np.random.default_rng(seed).normal(0, 1.3, 25), 3)
    plain = charted(values, centre=None, sd=None)
    moved = charted(scale * (values + shift), centre=None, sd=None)
    assert [(each.at, each.rule) for each in moved.signals] == [(each.at, each.rule) for each in plain.signals]
    np.testing.assert_allclose(moved.ewma, scale * (plain.ewma + shift), rtol=1e-9, atol=1e-9 * scale)


def test_a_small_shift_is_seen_by_the_moving_average():
    values = np.r_[np.random.default_rng(3).normal(0, 1, 20), np.random.default_rng(4).normal(1.2, 1, 12)]
    chart = charted(values)
    assert not chart
    averages = [each.at for each in chart.signals if "moving average" in each.rule]
    assert averages
    assert min(averages) >= 20


def test_a_check_that_disagrees_with_its_reference_is_out_of_control():
    dates = [f"2026-0{k}-01" for k in range(1, 7)]
    given = [Quantity(value=1.0 + 0.01 * (-1) ** k, u=0.1, units="V") for k in range(6)]
    chart = calibration.check_chart(dates, given, ZERO)
    assert not chart.signals
    assert not chart.in_control
    assert chart.checks.en[0] == pytest.approx(1.01 / 0.2)
    assert "|E_n| > 1" in str(chart)
    assert "limits come from 6 checks" in str(chart)
    table = chart.table()
    assert list(table.date.values) == dates
    np.testing.assert_allclose(table["error"], [1.01, 0.99] * 3)
    assert "<table>" in chart._repr_html_()
    assert "2026-03-01" in chart._repr_html_()


def test_charts_that_cannot_be_are_refused():
    with pytest.raises(CalibrationError, match="at least 5 checks"):
        charted([0.1, 0.2, 0.3], centre=None)
    with pytest.raises(CalibrationError, match="scatter > 0"):
        charted([0.1] * 6, sd=None)
    with pytest.raises(CalibrationError, match="weight must lie"):
        charted(QUIET, weight=0.0)
