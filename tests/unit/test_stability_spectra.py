"""Spectra, drift, long-time estimates and repairs of stability data: truth recovered, refusals."""

import numpy as np
import pytest
from scipy.stats import norm

from analysis import stability
from analysis.core import SpectrumError


def mixed(count, seed=1, *, white_pm=1.0, white_fm=0.1, walk=2e-4):
    rng = np.random.default_rng(seed)
    steps = white_fm * rng.standard_normal(count) + np.cumsum(walk * rng.standard_normal(count))
    return white_pm * rng.standard_normal(count) + np.cumsum(steps)


def test_a_white_spectrum_has_the_level_of_its_variance_and_the_scatter_of_its_u():
    y = np.random.default_rng(0).standard_normal(1 << 15)
    found = stability.psd(y, rate=10.0, kind="frequency", segments=64)
    level = 2 / 10.0  # variance over half the rate
    inner = found.isel(frequency=slice(2, -2))
    assert inner["value"].mean() == pytest.approx(level, rel=0.02)
    assert inner["value"].std() == pytest.approx(float(inner["u"].mean()), rel=0.1)


def test_a_spectrum_of_phase_is_that_of_frequency_over_two_pi_f_squared_far_below_the_rate():
    x = mixed(4096)
    of_y, of_x = (stability.psd(x, rate=4.0, of=name) for name in ("frequency", "phase"))
    low = slice(None, 0.05)
    expected = of_y["value"] / (2 * np.pi * of_y["frequency"]) ** 2
    np.testing.assert_allclose(of_x["value"].sel(frequency=low), expected.sel(frequency=low), rtol=2e-3)


@pytest.mark.parametrize("which", ["oadev", "mdev", "ohdev"])
def test_a_spectrum_gives_the_deviation_of_the_same_data(which):
    x = mixed(1 << 15)
    implied = stability.deviation_from_psd(stability.psd(x, rate=2.0, segments=16), which=which, taus=[0.5, 1, 4, 16])
    direct = getattr(stability, which)(x, rate=2.0, taus=implied["tau"].values)
    np.testing.assert_allclose(implied["value"], direct["value"], rtol=0.01)


@pytest.mark.parametrize("which", ["oadev", "mdev", "ohdev"])
def test_levels_of_white_phase_and_frequency_noise_are_found_within_their_uncertainty(which):
    found = getattr(stability, which)(mixed(1 << 14), rate=2.0, taus=2.0 ** np.arange(-1, 10))
    levels = stability.psd_from_deviation(found, rate=2.0, which=which, laws=(2, 0, -2))
    truth = [8 * np.pi**2 / 2, 2 * 0.2**2 / 2, 2 * 4e-4**2 * 2 / (4 * np.pi**2)]  # sampled noises, rate 2
    assert (np.abs(levels["h"].values - truth) < 3.5 * levels["u"].values).all()
    assert (levels["u_value"] > 0).all()


def test_power_laws_give_the_closed_forms_of_ieee_1139():
    rate, m, laws = 1.0, 64, (2, 0, -1, -2)
    forms, _ = stability.spectrum._forms(stability.spectrum._kernel("oadev"), np.array([m]), rate, laws)
    closed = [3 * 0.5 / (4 * np.pi**2 * m**2), 1 / (2 * m), 2 * np.log(2), 2 * np.pi**2 * m / 3]
    np.testing.assert_allclose(forms[0], closed, rtol=2e-3)


def test_intervals_of_drift_hold_it_under_random_walk_as_often_as_they_say():
    hits = []
    for seed in range(40):
        x = mixed(1024, seed, walk=5e-3) + 0.5 * 1e-3 * (np.arange(1024) / 2) ** 2
        found = stability.drift(x, rate=2.0)
        hits.append(abs(found.value - 1e-3) <= found.U())
    assert np.mean(hits) >= 0.86


def test_drift_of_phase_and_of_its_frequency_with_gaps_agree():
    y = np.random.default_rng(2).standard_normal(2000) * 1e-3 + 1e-4 * np.arange(2000)
    holes = y.copy()
    holes[700:760] = np.nan
    whole, gappy = (stability.drift(each, rate=1.0, kind="frequency") for each in (y, holes))
    assert abs(whole.value - 1e-4) < 4 * whole.u
    assert abs(gappy.value - whole.value) < 3 * gappy.u


@pytest.mark.parametrize(("alpha", "expected"), [(0, 1.0), (-1, 1 / 1.87), (-2, 1 / 2.70)])
def test_the_bias_of_theo1_is_that_of_howe_and_peppler(alpha, expected):
    assert stability.theo.theo1_freedom(alpha, 400, 1000)[1] == pytest.approx(expected, rel=0.02)


def test_intervals_of_theo1_hold_the_allan_deviation_of_white_noise():
    hits = []
    for seed in range(60):
        found = stability.theo1(np.cumsum(np.random.default_rng(seed).standard_normal(301)), rate=1.0, noise=0)
        hits.append((found["low"] <= found["tau"] ** -0.5) & (found["high"] >= found["tau"] ** -0.5))
    assert 0.9 < np.mean(hits) < 0.99


def test_theo1_refuses_odd_strides_and_totals_refuse_gaps():
    x = mixed(200)
    with pytest.raises(SpectrumError, match=r"steps of 1.5/rate"):
        stability.theo1(x, rate=1.0, taus=[8.25])
    x[50] = np.nan
    with pytest.raises(SpectrumError, match="takes no gaps"):
        stability.mtotdev(x, rate=1.0)
    with pytest.raises(SpectrumError, match="needs every sample"):
        stability.psd(x, rate=1.0)


def test_stamped_readings_come_on_an_even_grid_and_others_are_refused():
    found = stability.on_grid([1.0, 2.0, 4.0], [10.0, 10.51, 11.49], rate=2.0)
    np.testing.assert_array_equal(found["signal"], [1.0, 2.0, np.nan, 4.0])
    assert found.attrs["advice"] == "1 of 4 are missing."
    with pytest.raises(SpectrumError, match=r"off by 0\.4 steps"):
        stability.on_grid([1.0, 2.0], [0.0, 0.7], rate=2.0)
    with pytest.raises(SpectrumError, match="ascending"):
        stability.on_grid([1.0, 2.0], [0.0, 0.0], rate=2.0)


def test_a_counter_that_wraps_is_continued_and_ambiguous_steps_are_refused():
    x = 0.3 * np.arange(50.0)
    np.testing.assert_allclose(stability.unwrap(x % 1.0, rate=1.0, period=1.0)["signal"], x, atol=1e-12)
    with pytest.raises(SpectrumError, match="near half the period"):
        stability.unwrap(0.45 * np.arange(9.0) % 1.0, rate=1.0, period=1.0)


@pytest.mark.parametrize("kind", ["phase", "frequency"])
def test_outliers_become_gaps_and_nothing_else_does(kind):
    y = np.random.default_rng(0).standard_normal(500)
    y[[20, 300]] += [30.0, -40.0]
    found = stability.remove_outliers(y, rate=1.0, kind=kind, limit=7.0)
    assert np.flatnonzero(found["outlier"]).tolist() == [20, 300]
    assert np.isnan(found["signal"][20])


def test_a_step_of_phase_is_no_outlier():
    x = np.random.default_rng(0).standard_normal(200) + np.where(np.arange(200) > 99, 50.0, 0.0)
    assert not stability.remove_outliers(x, rate=1.0, limit=7.0)["outlier"].any()


def test_jumps_are_found_with_their_time_and_size_and_noise_has_none():
    y = np.random.default_rng(3).standard_normal(4000)
    assert stability.jumps(y, rate=2.0, window=50.0, kind="frequency").sizes["jump"] == 0
    y[2500:] += 2.0
    found = stability.jumps(y, rate=2.0, window=50.0, kind="frequency")
    assert found.sizes["jump"] == 1
    assert abs(float(found["time"][0]) - 1250.0) < 3.0
    assert abs(float(found["size"][0]) - 2.0) < norm.ppf(0.999) * float(found["u"][0])
