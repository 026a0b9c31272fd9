"""Modified total deviation and Theo1 where few averaging times fit: freedom, bias and noises that are possible."""

import numpy as np
import pytest

from analysis import stability
from analysis.stability import noise as noises
from analysis.stability import theo
from analysis.stability.series import read_series


def drawn(alpha, count, trials, seed=3):
    """Return phases of white PM, white FM or random walk FM, one series a row."""
    phase = np.random.default_rng(seed).standard_normal((trials, count))
    for _ in range({2: 0, 0: 1, -2: 2}[alpha]):
        phase = np.cumsum(phase, axis=1)
    return phase


@pytest.mark.parametrize("alpha", [2, 0, -2])
@pytest.mark.parametrize(("count", "m"), [(64, 21), (64, 15), (40, 1)])
def test_freedom_and_bias_of_modified_totals_are_those_of_drawn_noise(alpha, count, m):
    trials = 2500
    squares = np.array(
        [theo.modified_total(read_series(x, rate=1.0, kind="phase"), m)[0] for x in drawn(alpha, count, trials)]
    )
    sums = np.cumsum(np.pad(drawn(alpha, 3 * m, 40 * trials, seed=4), ((0, 0), (1, 0))), axis=1)
    means = np.diff(sums[:, [0, m, 2 * m, 3 * m]], axis=1) / m
    truth = np.mean((means[:, 2] - 2 * means[:, 1] + means[:, 0]) ** 2) / (2 * m**2)
    edf, bias = theo.modified_total_freedom(alpha, m, count)
    allowed = np.sqrt(2 / edf / trials) + 0.01
    assert squares.mean() / truth == pytest.approx(bias, rel=4 * allowed)
    assert 2 * squares.mean() ** 2 / squares.var() == pytest.approx(edf, rel=5 * np.sqrt((2 + 12 / edf) / trials))


@pytest.mark.parametrize("alpha", [2, 1, 0, -1, -2])
@pytest.mark.parametrize("m", [2, 12, 60, 133])
def test_fewer_phases_in_the_same_ratio_have_nearly_the_same_freedom(alpha, m, monkeypatch):
    found, bias = theo.modified_total_freedom(alpha, m, 400)
    monkeypatch.setattr(theo, "_EXACT", 400)
    expected, true_bias = theo.modified_total_freedom(alpha, m, 400)
    assert found == pytest.approx(expected, rel=0.02)
    assert bias == pytest.approx(true_bias, rel=0.005)


def test_a_modified_total_deviation_at_one_sample_is_the_allan_deviation_over_the_root_of_two():
    # so SP 1065 prints 75.50203 = 91.22945 * sqrt(0.5 / 0.73) for its nine frequencies
    x = drawn(0, 200, 1)[0]
    found = stability.mtotdev(x, rate=1.0, taus=[1.0])
    allan = stability.oadev(x, rate=1.0, taus=[1.0])
    np.testing.assert_allclose(found["value"], allan["value"] * np.sqrt(0.5))
    np.testing.assert_allclose(found["high"], allan["high"], rtol=1e-3)


def test_random_walk_that_looks_redder_keeps_its_intervals_and_says_so():
    hits, said = [], 0
    for x in drawn(-2, 200, 120):
        found = stability.oadev(x, rate=1.0, taus=[16.0, 32.0])
        m = found["tau"].values
        truth = np.sqrt((2 * m**2 + 1) / (6 * m))  # the sums of m steps are m (2 m**2 + 1) / 3 in square
        hits.append((found["low"].values <= truth) & (truth <= found["high"].values))
        said += "use ohdev" in found.attrs["advice"]
    assert np.mean(hits) > 0.88
    assert 2 < said < 100


def test_noise_far_redder_than_random_walk_has_no_allan_interval():
    x = np.cumsum(np.cumsum(drawn(-2, 600, 1)[0]))
    found = stability.oadev(x, rate=1.0, taus=[4.0])
    assert int(found["noise"][0]) == -4
    assert np.isnan(found["high"]).all()
    assert np.isfinite(stability.ohdev(x, rate=1.0, taus=[4.0])["high"]).all()


@pytest.mark.parametrize(
    ("looks", "alpha", "possible", "held"),
    [
        ([(0.1, 0.1)], 0, (0,), False),
        ([(-1.44, 0.1)], -1, (-2, -1), False),
        ([(-2.6, 0.1)], -2, (-2,), True),
        ([(-2.2, 0.2), (-3.9, 0.2)], -2, (-2,), False),
        ([(-3.9, 0.2), (-4.1, 0.2)], -4, (-4,), False),
    ],
)
def test_what_the_spread_of_an_exponent_leaves_possible(looks, alpha, possible, held):
    assert noises._noise(looks, -2) == noises.Noise(alpha=alpha, possible=possible, held=held)


def test_intervals_of_theo1_reach_over_the_noises_that_are_possible():
    x = drawn(0, 100, 1, seed=11)[0]
    seen = noises.noises(read_series(x, rate=1.0, kind="phase"), np.array([10]), reddest=-2)[0]
    assert len(seen.possible) > 1
    given = [stability.theo1(x, rate=1.0, taus=[7.5], noise=alpha) for alpha in seen.possible]
    found = stability.theo1(x, rate=1.0, taus=[7.5])
    assert float(found["low"][0]) == min(float(each["low"][0]) for each in given)
    assert float(found["high"][0]) == max(float(each["high"][0]) for each in given)
