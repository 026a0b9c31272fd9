"""Deviations of frequency: noise, degrees of freedom, intervals, gaps, refusals."""

import importlib

import numpy as np
import pytest
import xarray as xr
from scipy.stats import binom

from analysis import stability
from analysis.core import SpectrumError, history
from analysis.stability import differences


def noise(alpha, count, seed=0):
    """Return phase of sampled power-law noise: white, or a running sum of it."""
    phase = np.random.default_rng(seed).standard_normal(count)
    for _ in range({2: 0, 0: 1, -2: 2}[alpha]):
        phase = np.cumsum(phase)
    return phase


def freedom_by_traces(alpha, *, m, differences, modified, overlapping, count=150):
    """Return the degrees of freedom of a quadratic form of white noise: trace squared over trace of the square."""
    rows = np.eye(count) if alpha == 2 else np.tril(np.ones((count, count)))
    if modified:
        sums = np.cumsum(np.vstack([np.zeros((1, count)), rows]), axis=0)
        rows = sums[m:] - sums[:-m]
    for _ in range(differences):
        rows = rows[m:] - rows[:-m]
    rows = rows if overlapping else rows[::m]
    covariance = rows @ rows.T
    return np.trace(covariance) ** 2 / np.sum(covariance**2), len(rows)


@pytest.mark.parametrize("alpha", [2, 0])
@pytest.mark.parametrize("m", [1, 3, 10, 35])
@pytest.mark.parametrize("differences", [2, 3])
@pytest.mark.parametrize(("modified", "overlapping"), [(False, True), (False, False), (True, True)])
def test_degrees_of_freedom_are_those_of_the_covariance_matrix(alpha, m, differences, modified, overlapping):
    form = {"m": m, "differences": differences, "modified": modified, "overlapping": overlapping}
    expected, terms = freedom_by_traces(alpha, **form)
    assert stability.degrees_of_freedom(alpha, terms=terms, **form) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("alpha", [2, 1, 0, -1, -2])
@pytest.mark.parametrize("modified", [False, True])
def test_the_grid_of_lags_and_the_limit_of_long_averages_change_little(alpha, modified, monkeypatch):
    form = {"m": 1500, "terms": 30000, "modified": modified}
    found = stability.degrees_of_freedom(alpha, **form)
    monkeypatch.setattr("analysis.stability.freedom._FINE", 10**9)
    monkeypatch.setattr("analysis.stability.freedom._MOST_AVERAGED", 10**9)
    assert found == pytest.approx(stability.degrees_of_freedom(alpha, **form), rel=5e-4)


def test_a_variance_that_does_not_converge_has_no_degrees_of_freedom():
    assert np.isnan(stability.degrees_of_freedom(-3, m=4, terms=100))
    assert stability.degrees_of_freedom(-3, m=4, terms=100, differences=3) > 10


@pytest.mark.parametrize("alpha", [2, 0, -2])
def test_sampled_noises_are_identified(alpha):
    for seed in range(5):
        phase = noise(alpha, 4000, seed)
        assert stability.identify(phase, rate=10.0, tau=1.6) == alpha
        frequency = np.diff(phase) * 10
        assert stability.identify(frequency, rate=10.0, tau=1.6, kind="frequency") == alpha


def test_a_linear_drift_does_not_change_the_noise_or_the_hadamard_deviation():
    phase = noise(0, 4000)
    drifting = phase + 1e-3 * np.arange(4000) ** 2
    assert stability.identify(drifting, rate=1.0, tau=8.0) == 0
    plain, moved = (stability.ohdev(each, rate=1.0)["value"] for each in (phase, drifting))
    np.testing.assert_allclose(plain, moved, rtol=1e-6)
    left = stability.remove_drift(drifting, rate=1.0)
    still = stability.remove_drift(phase, rate=1.0)
    np.testing.assert_allclose(left["signal"], still["signal"], atol=1e-6)


@pytest.mark.parametrize("name", ["adev", "oadev", "mdev", "ohdev", "totdev"])
def test_intervals_of_white_frequency_noise_cover_the_truth(name):
    taus, trials = np.array([1.0, 8.0, 48.0]), 120
    truth = np.sqrt((taus**2 + 1) / (2 * taus**3)) if name == "mdev" else taus**-0.5
    rng = np.random.default_rng(7)
    inside = np.zeros(3)
    for _ in range(trials):
        found = getattr(stability, name)(rng.standard_normal(384), rate=1.0, taus=taus, kind="frequency")
        inside += (found["low"].values <= truth) & (truth <= found["high"].values)
    assert np.all(binom.cdf(inside, trials, 0.95) > 1e-6)


def test_standard_uncertainties_are_the_limits_at_68_percent():
    found = stability.oadev(noise(0, 500), rate=1.0, level=0.6826894921370859)
    np.testing.assert_allclose(found["value"] - found["u_low"], found["low"])
    np.testing.assert_allclose(found["value"] + found["u_high"], found["high"])


@pytest.mark.parametrize("name", ["adev", "oadev", "hdev", "ohdev", "mdev"])
@pytest.mark.parametrize("kind", ["phase", "frequency"])
def test_terms_that_touch_a_gap_are_left_out(name, kind):
    data = noise(2, 300)
    data[[40, 41, 150]] = np.nan
    found = getattr(stability, name)(data, rate=2.0, taus=[0.5, 2.0], kind=kind)
    order = 3 if "h" in name else 2
    for tau, value, n in zip((1, 4), found["value"].values, found["n"].values, strict=True):
        terms = list(
            whole_terms(data, tau, order, kind=kind, modified=name == "mdev", step=tau if name[0] in "ah" else 1)
        )
        assert n == len(terms)
        scale = (6 if order == 3 else 2) * (1.0 if kind == "frequency" else (tau / 2.0) ** 2)
        assert value == pytest.approx(np.sqrt(np.mean(np.square(terms)) / scale), rel=1e-9)
    assert "gap" in found.attrs["advice"]


def whole_terms(data, m, order, *, kind, modified, step):
    """Yield each difference from its own samples, averaged one by one."""
    factors = [np.poly1d([1, -1]) ** (order - (kind == "frequency"))][0].coeffs
    spans = len(factors)
    starts = range(0, data.size, step)
    for start in starts:
        parts = []
        for shift in range(m if modified else 1):
            at = start + shift
            if kind == "frequency":
                blocks = [data[at + k * m : at + (k + 1) * m] for k in range(spans)]
                if any(block.size < m for block in blocks):
                    break
                parts.append(sum(f * block.mean() for f, block in zip(factors, blocks, strict=True)))
            else:
                if at + (spans - 1) * m >= data.size:
                    break
                parts.append(sum(f * data[at + k * m] for k, f in enumerate(factors)))
        if len(parts) == (m if modified else 1) and np.isfinite(parts).all():
            yield float(np.mean(parts))


def test_mtie_is_the_largest_peak_to_peak_of_any_window():
    phase = noise(0, 200)
    found = stability.mtie(phase, rate=1.0, taus=[1.0, 7.0, 64.0, 199.0])
    expected = [max(np.ptp(phase[i : i + m + 1]) for i in range(200 - m)) for m in (1, 7, 64, 199)]
    np.testing.assert_allclose(found["value"], expected)
    assert np.isnan(found["u_low"]).all()


def test_units_and_history_are_kept():
    phase = xr.DataArray(noise(0, 100), dims="time", attrs={"units": "ns"})
    found = stability.tdev(phase, rate=1.0)
    assert found["value"].attrs["units"] == "s"
    plain = stability.tdev(phase.values * 1e-9, rate=1.0)
    np.testing.assert_allclose(found["value"], plain["value"])
    assert stability.adev(phase, rate=1.0)["value"].attrs["units"] == "1"
    assert (
        stability.adev(xr.DataArray(noise(0, 100), attrs={"units": "Hz"}), rate=1.0, kind="frequency")["value"].attrs[
            "units"
        ]
        == "Hz"
    )
    assert "stability.tdev" in history.of(found)


def test_a_short_series_says_that_its_noise_is_not_identified():
    found = stability.oadev(noise(0, 12), rate=1.0)
    assert np.isnan(found["u_low"]).all()
    assert "give noise=" in found.attrs["advice"]
    assert np.isfinite(stability.oadev(noise(0, 12), rate=1.0, noise=0)["high"]).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rate": 0.0}, "rate must be"),
        ({"rate": np.nan}, "rate must be"),
        ({"kind": "phases"}, "Did you mean 'phase'"),
        ({"taus": [0.25]}, "whole multiples"),
        ({"taus": [1e4]}, "must not exceed"),
        ({"taus": "octaves"}, "Did you mean 'octave'"),
        ({"taus": []}, "whole multiples"),
        ({"level": 1.0}, "level must"),
        ({"noise": 5}, "noise must"),
        ({"data": np.ones((3, 3))}, "one dimension"),
        ({"data": [1.0, np.inf, 2.0, 3.0]}, "finite"),
        ({"data": [1.0, np.nan, np.nan]}, "finite"),
        ({"data": ["a", "b", "c"]}, "must be numbers"),
        ({"data": xr.DataArray(np.ones(9), dims="time", coords={"time": np.arange(9.0) ** 2})}, "time must advance"),
    ],
)
def test_bad_input_is_refused(change, message):
    settings = {"data": noise(0, 64), "rate": 1.0, **change}
    with pytest.raises(SpectrumError, match=message):
        stability.oadev(**settings)


def test_gaps_are_refused_where_every_sample_is_needed():
    data = noise(0, 64)
    data[7] = np.nan
    for function in (stability.totdev, stability.mtie):
        with pytest.raises(SpectrumError, match="got NaN"):
            function(data, rate=1.0)


def three_clocks(rng, sizes=(1.0, 1.5, 2.0), count=500):
    a, b, c = (size * np.cumsum(rng.standard_normal(count)) for size in sizes)
    return {("a", "b"): a - b, ("c", "b"): c - b, ("a", "c"): a - c}


def test_three_clocks_are_separated_with_the_spread_that_repetition_shows():
    rng = np.random.default_rng(11)
    found = [stability.three_cornered_hat(three_clocks(rng), rate=1.0, taus=[1.0, 4.0]) for _ in range(150)]
    variances = np.array([each["variance"].values for each in found])
    truth = np.array([1.0, 1.5, 2.0])[:, None] ** 2 / np.array([1.0, 4.0])
    spread = variances.std(axis=0, ddof=1)
    np.testing.assert_allclose(variances.mean(axis=0), truth, atol=5 * spread.max() / np.sqrt(150))
    stated = np.sqrt(np.mean([(2 * each["value"] * each["u_low"]).values ** 2 for each in found], axis=0))
    np.testing.assert_allclose(stated, spread, rtol=0.25)
    assert list(found[0]["clock"].values) == ["a", "b", "c"]


def test_a_clock_too_good_for_the_comparison_has_no_deviation():
    found = stability.three_cornered_hat(three_clocks(np.random.default_rng(2), (1e-6, 1.0, 1.0)), rate=1.0)
    lost = found["variance"].values <= 0
    assert lost.any()
    assert np.isnan(found["value"].values[lost]).all()


@pytest.mark.parametrize(
    "pairs",
    [
        {("a", "b"): [0.0] * 9},
        {("a", "b"): np.arange(40.0), ("b", "a"): np.arange(40.0), ("a", "c"): np.arange(40.0)},
        {("a", "b"): noise(0, 40), ("b", "c"): noise(0, 41), ("a", "c"): noise(0, 40)},
    ],
)
def test_three_clocks_need_their_three_pairs_of_one_length(pairs):
    with pytest.raises(SpectrumError, match="three"):
        stability.three_cornered_hat(pairs, rate=1.0, taus=[1.0])


@pytest.mark.parametrize("m", [1, 2, 7, 1000, 33_000, 60_001])
def test_the_compiled_loops_give_what_the_blocks_give(m):
    """Route: NumPy in blocks, which also takes gaps; lengths and distances across the ends of blocks and lanes."""
    squares = importlib.import_module("analysis.stability.squares")
    for size in (180_004, 200_000, 262_144 + 3 * m):
        x = np.cumsum(np.random.default_rng(m).normal(size=size))
        for order in (2, 3):
            blocks = np.concatenate(list(differences._differences(x, m, order, size - order * m)))
            assert squares.differences(x, m, order) == pytest.approx(blocks @ blocks, rel=1e-12)
        windows = size - 3 * m + 1
        sums = np.concatenate(list(differences._sums(x, m, 2, windows)))[:windows]
        assert squares.sums(x, m) == pytest.approx(sums @ sums, rel=1e-11)


def test_a_long_series_with_a_gap_is_not_given_to_the_compiled_loops():
    x = np.random.default_rng(1).normal(size=200_000)
    whole = stability.oadev(x, rate=1.0, kind="phase", taus=[4.0])
    x[100_000] = np.nan
    gap = stability.oadev(x, rate=1.0, kind="phase", taus=[4.0])
    assert int(gap["n"][0]) == int(whole["n"][0]) - 3
    assert float(gap["value"][0]) == pytest.approx(float(whole["value"][0]), rel=1e-3)


def test_a_record_without_times_has_none_made_up():
    readings = np.random.default_rng(1).normal(size=300)
    named = xr.DataArray(readings, dims="time")
    found = stability.oadev(named, rate=100.0, kind="frequency")
    np.testing.assert_array_equal(found["value"], stability.oadev(readings, rate=100.0, kind="frequency")["value"])


@pytest.mark.parametrize("rate", ["1", None, [1.0], -1.0, float("nan")])
def test_a_rate_that_is_none_is_refused(rate):
    with pytest.raises(SpectrumError, match="samples per second"):
        stability.oadev(np.arange(32.0), rate=rate)
