"""Charts, capability, bias, linearity, stability, decisions: known answers, coverage, and what is refused."""

import math

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from analysis import figures, quality
from analysis.core import UncertaintyError, UnitsError
from analysis.quality import constants, rules
from analysis.quality.moving import cumulative_sums, moving_average
from analysis.uncertainty import Quantity, guard_factor
from analysis.uncertainty import conformity as evaluate
from tests.coverages import bounds

RNG = np.random.default_rng(5)
QUIET = RNG.normal(10.0, 1.0, (25, 5))
ZERO = Quantity(value=0.0, u=0.0, units="mm")


def test_the_constants_of_ranges_are_those_of_simulation():
    draws = np.ptp(np.random.default_rng(1).normal(size=(200_000, 7)), axis=1)
    assert constants.d2(7) == pytest.approx(draws.mean(), abs=5 * draws.std() / math.sqrt(200_000))
    assert constants.d3(7) == pytest.approx(draws.std(), rel=0.01)
    assert constants.d2_star(2, 1) == pytest.approx(math.sqrt(2), abs=1e-6)
    assert constants.range_dof(2, 1) == pytest.approx(1.0, abs=0.1)
    with pytest.raises(UncertaintyError, match="sizes from 2 to 1000, got 1"):
        constants.d2(1)


@pytest.mark.parametrize("kind", ["xbar_r", "xbar_s", "i_mr", "ewma", "cusum"])
def test_the_standard_deviation_of_a_chart_knows_its_uncertainty(kind):
    rng, estimates, stated = np.random.default_rng(2), [], []
    for _ in range(200):
        data = rng.normal(0.0, 2.0, 40 if kind == "i_mr" else (20, 4))
        found = quality.control_chart(data, kind=kind, rules="shewhart")
        estimates.append(found.sd.value)
        stated.append(found.sd.u)
    assert np.mean(estimates) == pytest.approx(2.0, abs=5 * np.std(estimates) / math.sqrt(200))
    assert np.std(estimates) == pytest.approx(np.mean(stated), rel=0.2)


def test_kinds_follow_the_data():
    assert quality.control_chart(QUIET).kind == "xbar_r"
    assert quality.control_chart(RNG.normal(size=(25, 12))).kind == "xbar_s"
    assert quality.control_chart(QUIET[:, 0]).kind == "i_mr"
    named = quality.control_chart(xr.DataArray(QUIET, dims=("day", "reading"), attrs={"units": "mm"}))
    assert named.units == "mm"
    assert named.to_dataset()["mean_upper"].attrs["units"] == "mm"


def test_a_shift_is_found_and_excluded_points_do_not_widen_the_limits():
    data = QUIET.copy()
    data[20] += 6.0
    found = quality.control_chart(data, exclude=[20], labels=[f"day {k}" for k in range(25)])
    assert found.signals[0].label == "day 20"
    assert not found
    assert "day 20: mean beyond 3" in str(found)
    clean = quality.control_chart(np.delete(data, 20, axis=0))
    assert found.sd.value == pytest.approx(clean.sd.value)
    assert found.centre.value == pytest.approx(clean.centre.value)
    assert found.table()[0]["at"] == "day 20"


def test_subgroups_of_different_size_have_limits_of_their_own():
    data = [row[: 3 + k % 3] for k, row in enumerate(QUIET)]
    found = quality.control_chart(data, kind="xbar_s")
    half = found.tracks[0].upper - found.tracks[0].centre
    np.testing.assert_allclose(half, 3 * found.sd.value / np.sqrt(found.sizes))
    assert any("differ in size" in note for note in found.notes)
    with pytest.raises(UncertaintyError, match="subgroups of one size"):
        quality.control_chart(data, kind="cusum")


def test_limits_from_a_baseline_watch_what_comes_after():
    data = np.concatenate([QUIET, QUIET + 3.0])
    found = quality.control_chart(data, baseline=25, rules="shewhart")
    assert {each.at for each in found.signals if each.track == "mean"} >= set(range(25, 50))
    given_ = quality.control_chart(data[:3], centre=10.0, sd=Quantity(value=1000.0, u=10.0, units="um"), units="mm")
    assert given_.sd.value == pytest.approx(1.0)
    assert given_.sd.u == pytest.approx(0.01)


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        ("nelson", [0.1] * 9, "nine in a row"),
        ("western_electric", [0.1] * 8, "eight in a row"),
        ("nelson", [0.5 * (-1) ** k for k in range(15)], "fifteen in a row within"),
        ("nelson", [1.5 * (-1) ** k for k in range(8)], "eight in a row beyond 1 standard deviation on both sides"),
        ("nelson", [-0.5, 0.1, 0.4, 0.7, 0.8, 0.9], "six in a row rising"),
        ("shewhart", [0.0, -3.2], "beyond 3 standard deviations"),
    ],
)
def test_rules_speak_at_the_point_that_completes_them(name, values, words):
    said = rules.spoken(np.array(values), rules.rules_named(name, width=3.0))
    assert any(at == len(values) - 1 and text.startswith(words) for at, text in said)
    before = rules.spoken(np.array(values[:-1]), rules.rules_named(name, width=3.0))
    assert not any(text.startswith(words) for _, text in before)


@settings(max_examples=30, deadline=None)
@given(values=st.lists(st.floats(-5, 5), min_size=1, max_size=30), weight=st.floats(0.01, 1.0), slack=st.floats(0, 1))
def test_memories_are_those_of_their_definitions(values, weight, slack):
    x = np.array(values)
    direct = [
        (1 - weight) ** (k + 1) * 0.5 + sum(weight * (1 - weight) ** j * x[k - j] for j in range(k + 1))
        for k in range(x.size)
    ]
    np.testing.assert_allclose(moving_average(x, 0.5, weight), direct, atol=1e-12)
    high, low = cumulative_sums(x, 0.0, slack)
    # Page: the sum is the rise of the walk above its least value so far
    for found, side in ((high, 1.0), (low, -1.0)):
        walk = np.concatenate([[0.0], np.cumsum(side * x - slack)])
        np.testing.assert_allclose(found, (walk - np.minimum.accumulate(walk))[1:], atol=1e-12)


@pytest.mark.parametrize(
    ("data", "kwargs", "message"),
    [
        ([1.0, 2.0, 3.0], {}, "at least 5 subgroups, got 3"),
        ([1.0] * 10, {}, "scatter above 0"),
        ([1.0, math.nan, 2.0, 3.0, 1.0], {}, r"those at \[1\]"),
        ([1.0, "x", 2.0], {}, "readings must be numbers"),
        ([], {}, "shape"),
        (QUIET, {"kind": "xbar"}, "Did you mean 'xbar_[rs]'"),
        (QUIET, {"kind": "i_mr"}, "takes single readings"),
        (QUIET[:, 0], {"kind": "xbar_r"}, "subgroups of at least 2"),
        (QUIET, {"rules": "nelsen"}, "Did you mean 'nelson'"),
        (QUIET, {"weight": 0.0, "kind": "ewma"}, "weight in"),
        (QUIET, {"baseline": 99}, "baseline must lie in"),
        (QUIET, {"exclude": [30]}, "exclude in"),
        (QUIET, {"labels": ["a"]}, "needs a label, got 1"),
        (np.ones((3, 2, 2)), {}, "shape"),
    ],
)
def test_what_cannot_be_charted_is_refused(data, kwargs, message):
    with pytest.raises(UncertaintyError, match=message):
        quality.control_chart(data, **kwargs)


def test_few_subgroups_and_a_wild_scatter_are_said():
    wild = QUIET.copy()
    wild[3] = 10 + 5 * (wild[3] - 10)
    found = quality.control_chart(wild, rules="shewhart")
    assert any("limits of the means say little" in note for note in found.notes)
    assert any("come from 6 subgroups" in note for note in quality.control_chart(QUIET[:6]).notes)


@pytest.mark.parametrize("name", ["Cp", "Cpk", "Ppk", "Cpm"])
def test_intervals_of_capability_hold_the_truth(name):
    truth = {"Cp": 4 / 3, "Cpk": 1.0, "Ppk": 1.0, "Cpm": 8 / (6 * math.sqrt(2))}[name]
    rng, trials, hits = np.random.default_rng(11), 200, 0
    for _ in range(trials):
        found = quality.capability(rng.normal(1.0, 1.0, (25, 4)), lower=-4.0, upper=4.0, target=0.0)[name]
        hits += found.interval[0] <= truth <= found.interval[1]
    assert hits >= bounds(trials)[0]


def test_capability_says_what_spoils_it():
    rng = np.random.default_rng(3)
    skewed = quality.capability(rng.exponential(1.0, 200), upper=10.0)
    assert skewed.p_normal < 1e-6
    assert any("not normal" in note for note in skewed.notes)
    drifting = quality.capability(np.linspace(0, 5, 40) + rng.normal(0, 0.1, 40), lower=-20.0, upper=20.0)
    assert drifting.in_control is False
    assert not drifting.capable
    assert any("not in control" in note for note in drifting.notes)
    good = quality.capability(QUIET, lower=2.0, upper=18.0)
    assert good.capable
    assert good.outside == pytest.approx(0.0, abs=1e-8)
    assert "shown to be capable" in str(good)
    one = quality.capability(rng.normal(0, 1, 50), upper=3.0)
    assert [each.name for each in one.indices] == ["Cpk", "Ppk"]


def test_the_normality_test_is_uniform_for_normal_readings():
    rng = np.random.default_rng(4)
    found = [quality.capability(rng.normal(size=25), upper=9.0).p_normal for _ in range(300)]
    assert stats.kstest(found, "uniform").pvalue > 1e-3


@pytest.mark.parametrize(
    ("data", "kwargs", "message"),
    [
        (QUIET, {}, "a lower or an upper limit"),
        (QUIET, {"lower": 2.0, "upper": 1.0}, "the lower one below"),
        (QUIET, {"lower": 2.0, "target": 1.0}, "a target lies between two limits"),
        ([1.0, 2.0], {"upper": 3.0}, "at least 5 readings"),
        ([1.0] * 9, {"upper": 3.0}, "that scatter"),
        (QUIET, {"upper": 20.0, "level": 0.0}, "level must lie"),
    ],
)
def test_what_has_no_capability_is_refused(data, kwargs, message):
    with pytest.raises(UncertaintyError, match=message):
        quality.capability(data, **kwargs)


def test_a_bias_keeps_the_source_of_its_reference():
    reference = Quantity(value=10.0, u=0.02, units="mm", label="gauge block")
    readings = [10.11, 10.09, 10.10, 10.12, 10.08]
    found = quality.bias(readings, reference)
    assert found.quantity.value == pytest.approx(0.10)
    assert found.quantity.u == pytest.approx(math.hypot(np.std(readings, ddof=1) / math.sqrt(5), 0.02))
    assert (found.quantity + reference).u < found.quantity.u
    assert found.significant
    exact = quality.bias(readings, Quantity(value=10.1, u=0.0, units="mm"))
    expected = stats.ttest_1samp(readings, 10.1)
    assert (exact.t, exact.p) == pytest.approx((expected.statistic, expected.pvalue), abs=1e-9)
    with pytest.raises(UncertaintyError, match="do not scatter and the reference has no u"):
        quality.bias([1.0, 1.0], ZERO)
    with pytest.raises(UncertaintyError, match="reference is a Quantity"):
        quality.bias([1.0, 2.0], 1.0)


def test_the_sources_of_references_reach_line_and_bias():
    common = Quantity(value=0.0, u=0.05, units="mm", label="the interferometer")
    exact = [Quantity(value=v, u=0.0, units="mm") for v in (1.0, 2.0, 3.0, 4.0)]
    rng = np.random.default_rng(1)
    readings = [v + 0.1 + rng.normal(0, 0.01, 5) for v in (1.0, 2.0, 3.0, 4.0)]
    plain = quality.linearity(exact, readings)
    found = quality.linearity([each + common for each in exact], readings)
    # an error common to all references shifts the bias by -(1 + slope) times itself and leaves the slope
    assert found.slope.u == pytest.approx(plain.slope.u, rel=1e-6)
    assert found.bias_at(2.5).u == pytest.approx(math.hypot(plain.bias_at(2.5).u, (1 + plain.slope.value) * 0.05))
    assert found.bias_at(2.5).correlation(common) < 0
    assert found.linear
    assert not quality.linearity(exact, readings).acceptable
    with pytest.raises(UncertaintyError, match="the study reaches from 1 to 4, got 9"):
        found.bias_at(9.0)


@pytest.mark.parametrize(
    ("references", "readings", "message"),
    [
        ([ZERO, ZERO, ZERO], [[1.0]] * 3, "at least 3 different reference parts"),
        ([1.0, 2.0, 3.0], [[1.0]] * 3, "as quantities"),
        ([ZERO], [[1.0]], "got 1 parts"),
    ],
)
def test_what_has_no_linearity_is_refused(references, readings, message):
    with pytest.raises(UncertaintyError, match=message):
        quality.linearity(references, readings)


def test_the_interval_of_a_line_of_bias_holds_the_truth():
    rng, trials, hits = np.random.default_rng(9), 80, 0
    values = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    for _ in range(trials):
        errors = rng.normal(0, 0.02, 5)
        parts = [Quantity(value=float(v), u=0.02, units="mm") for v in values]
        found = quality.linearity(
            parts, [v + e + 0.1 + 0.03 * v + rng.normal(0, 0.05, 6) for v, e in zip(values, errors, strict=True)]
        )
        line = found.bias_at(4.0)
        hits += abs(line.value - (0.1 + 0.12)) <= line.U()
    assert hits >= bounds(trials)[0]


def test_a_drifting_gauge_is_not_stable():
    rng = np.random.default_rng(2)
    steady = quality.stability(rng.normal(5, 0.1, (30, 4)), reference=Quantity(value=5.0, u=0.01, units="mm"))
    assert steady.rate.units == "mm"
    drifting = quality.stability(
        rng.normal(5, 0.1, (30, 4)) + 0.02 * np.arange(30)[:, None], times=range(0, 60, 2), units="mm", time_units="d"
    )
    assert not drifting.stable
    assert drifting.rate.value == pytest.approx(0.01, abs=5 * drifting.rate.u)
    assert drifting.bias is None
    assert "not stable" in drifting._repr_html_()
    with pytest.raises(UncertaintyError, match="times rise"):
        quality.stability([1.0] * 6, times=[1, 2, 3, 3, 4, 5])


@pytest.mark.parametrize(
    ("value", "rule", "outcome"),
    [
        (9.7, "guarded", "pass"), (9.9, "simple", "pass"), (9.9, "guarded", "fail"),
        (9.9, "non_binary", "conditional pass"),
        (10.1, "non_binary", "conditional fail"), (10.3, "non_binary", "fail"), (10.1, "simple", "fail"),
        (9.83, "iso_14253", "pass"), (9.84, "iso_14253", "fail"), (10.1, "guarded_rejection", "pass"),
        (10.2, "guarded_rejection", "fail"),
    ],
)  # fmt: skip
def test_rules_of_decision(value, rule, outcome):
    found = quality.conformity(Quantity(value=value, u=0.1, units="mm"), upper=10.0, rule=rule)
    assert found.outcome.value == outcome
    assert found.probability == pytest.approx(stats.norm.cdf((10.0 - value) / 0.1))


def test_a_decision_is_that_of_the_one_evaluation():
    result = Quantity(value=9.95, u=0.1, units="mm", dof=7)
    found = quality.conformity(result, lower=9.0, upper=10.0, rule="risk", risk=0.1)
    assert found.conformity == evaluate(result, lower=9.0, upper=10.0, guard=guard_factor(0.1, dof=7))
    assert found.accepted is (found.outcome is quality.Outcome.PASS)
    assert "probability of conformity" in found._repr_html_()
    own = quality.conformity(result, lower=9.0, upper=10.0, guard=0.2)
    assert own.acceptance == pytest.approx((9.0 + 0.2 * result.U(), 10.0 - 0.2 * result.U()))


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"upper": 10.0, "rule": "strict"}, "no rule is named 'strict'"),
        ({"upper": 10.0, "risk": 0.7}, "risk must lie"),
        ({}, "a lower or an upper limit"),
        ({"lower": 9.9, "upper": 10.0, "rule": "guarded"}, "leave nothing"),
    ],
)
def test_what_cannot_be_decided_is_refused(kwargs, message):
    with pytest.raises(UncertaintyError, match=message):
        quality.conformity(Quantity(value=9.95, u=0.1, units="mm"), **kwargs)
    with pytest.raises((UncertaintyError, UnitsError)):
        quality.conformity(Quantity(value=9.95, u=0.0, units="mm"), upper=10.0)


def test_charts_and_gauges_are_drawn_as_they_are():
    data = QUIET.copy()
    data[20] += 6.0
    chart = quality.control_chart(data)
    figure = figures.draw_chart(chart)
    top = figure.axes[0]
    np.testing.assert_array_equal(top.lines[0].get_ydata(), chart.tracks[0].values)
    assert list(top.lines[-1].get_xdata()) == sorted({each.at for each in chart.signals if each.track == "mean"})
    study = quality.gauge_rr(RNG.normal(size=(8, 3, 3)) + 5 * np.arange(8)[:, None, None])
    bars = figures.draw_gauge(study).axes[0].patches
    assert [each.get_width() for each in bars] == pytest.approx([each.study for each in study.components[:-1]])


@pytest.mark.parametrize(
    ("kind", "settings_"),
    [("cusum", {"slack": 0.5, "decision": 4.0}), ("ewma", {"weight": 0.3, "width": 2.7}), ("shewhart", {"width": 2.5})],
)
def test_average_run_lengths_are_those_of_simulated_charts(kind, settings_):
    rng, lengths = np.random.default_rng(6), []
    for _ in range(400):
        x = rng.normal(0.75, 1.0, 400)
        if kind == "cusum":
            out = np.maximum(*cumulative_sums(x, 0.0, 0.5)) > 4.0
        elif kind == "ewma":
            out = np.abs(moving_average(x, 0.0, 0.3)) > 2.7 * math.sqrt(0.3 / 1.7)
        else:
            out = np.abs(x) > 2.5
        lengths.append(1 + int(np.argmax(out)))
    expected = quality.run_length(kind, shift=0.75, **settings_)
    assert np.mean(lengths) == pytest.approx(expected, abs=5 * np.std(lengths) / math.sqrt(400))


def test_false_alarms_of_limits_are_those_of_the_normal_distribution():
    assert quality.run_length("shewhart") == pytest.approx(1 / (2 * stats.norm.sf(3)))
    assert quality.run_length("ewma", weight=1.0, width=3.0) == pytest.approx(370.4, rel=0.01)
    with pytest.raises(UncertaintyError, match="Did you mean 'cusum'"):
        quality.run_length("cumsum")
    with pytest.raises(UncertaintyError, match="decision must be a number in"):
        quality.run_length("cusum", decision=0.0)
