"""Gamma spectra: counting rules, search, photopeaks, calibrations, nuclides, activity, limits."""

import math

import numpy as np
import pytest
import xarray as xr
from scipy import integrate, stats

from analysis import gamma
from analysis.core import CHANNEL, CalibrationError, SpectrumError
from analysis.uncertainty import Quantity

TRUTH = {"Co-60": 400.0, "Cs-137": 300.0}


@pytest.fixture(scope="module")
def counted():
    return gamma.simulate(TRUTH, seed=9, gain=0.25, channels=6000)


@pytest.fixture(scope="module")
def fits(counted):
    where = {661.6553: "Cs-137", 1173.228: "Co-60", 1332.492: "Co-60"}
    return {
        energy: (gamma.nuclide(name), gamma.read_peak(gamma.fit_peak(counted, energy / 0.25, width_of(energy))))
        for energy, name in where.items()
    }


def width_of(energy):
    return math.sqrt(0.8 + 0.0022 * energy) / 0.25


def spectrum_of(counts, **attrs):
    counts = np.asarray(counts, dtype=float)
    return xr.Dataset(
        {"signal": (CHANNEL, counts, {"units": "1"})},
        coords={"pixel": (CHANNEL, np.arange(float(counts.size)), {"units": "1"})},
        attrs=attrs,
    )


def test_the_area_of_a_photopeak_is_its_amplitude_and_its_tail_is_the_convolution():
    area = integrate.quad(lambda x: float(gamma.photopeak(np.array(x), 3.0, 0.0, 1.0, 0.3, 2.0, 0.0)), -80, 20)[0]
    assert area == pytest.approx(3.0, rel=1e-8)
    convolved = integrate.quad(lambda s: math.exp(-s / 2.0) / 2.0 * stats.norm.pdf(-1.5 + s), 0, 60)[0]
    assert float(gamma.photopeak(np.array(-1.5), 1.0, 0.0, 1.0, 1.0, 2.0, 0.0)) == pytest.approx(convolved, rel=1e-8)


@pytest.mark.parametrize("beta", [1e-3, 1e3])
def test_tails_of_any_length_stay_finite(beta):
    assert np.isfinite(gamma.photopeak(np.linspace(-1e4, 1e4, 101), 1.0, 0.0, 1.0, 0.5, beta, 0.1)).all()


def test_search_finds_the_lines_and_nothing_in_a_flat_background(counted):
    found = gamma.search(counted, lambda x: np.sqrt(0.8 + 0.0022 * 0.25 * x) / 0.25)
    for energy in (661.655, 1173.228, 1332.492):
        assert np.abs(0.25 * found.pixel.values - energy).min() < 0.2
    flat = spectrum_of(np.random.default_rng(4).poisson(100.0, 4000))
    assert gamma.search(flat, 6.0, probability=1e-6).sizes["peak"] == 0


def test_energies_of_lines_are_recovered_inside_their_interval(fits):
    channels = [found[1] for _, found in fits.values()]
    lines = [nuclide.line(energy).energy for energy, (nuclide, _) in fits.items()]
    curve = gamma.calibrate_energy(channels[::2], lines[::2])
    between = curve.predict(channels[1])
    assert abs(between.value - 1173.228) <= min(0.25, between.U(0.9999))
    rows = gamma.identify([curve.predict(c, extrapolate=True) for c in channels], probability=0.999)
    assert set(rows.nuclide.values) == {"Co-60", "Cs-137"}


def test_widths_follow_their_calibration(fits):
    energies = [nuclide.line(energy).energy for energy, (nuclide, _) in fits.items()]
    quarter = Quantity(value=0.25, u=0.0, units="keV", label="gain")
    curve = gamma.calibrate_fwhm(energies, [found[2] * quarter for _, found in fits.values()])
    found = np.sqrt(curve.predict(1000.0))
    assert abs(found.value - math.sqrt(3.0)) <= found.U(0.9999)


def test_activity_holds_the_truth_and_names_its_sources(fits):
    nuclide, (area, _, _) = fits[661.6553]
    line = nuclide.line(661.66)
    truth = math.exp(0.9 - 0.9 * math.log(line.energy.value))
    efficiency = Quantity(value=truth, u=0.01 * truth, units="1", label="efficiency")
    live = Quantity(value=3600.0, u=0.0, units="s", label="live time")
    found = gamma.activity(area, nuclide, line, efficiency, live_time=live)
    assert abs(found.value - TRUTH["Cs-137"]) <= found.U(0.999)
    year = Quantity(value=365.25 * 86400.0, u=0.0, units="s", label="elapsed")
    before = gamma.activity(area, nuclide, line, efficiency, live_time=live, real_time=live, elapsed=year)
    decayed = gamma.decay_factor(nuclide, year)
    assert decayed.value == pytest.approx(0.5 ** (365.25 * 86400.0 / 947300000.0), rel=1e-12)
    within = 1.0 + math.log(2.0) * 3600.0 / (2.0 * 947300000.0)
    assert before.value * decayed.value == pytest.approx(found.value * within, rel=1e-10)


def test_an_efficiency_curve_goes_through_its_points_and_keeps_the_common_error():
    standard = Quantity(value=1.0, u=0.02, units="1", label="activity of the standard")
    energies = [100.0, 300.0, 600.0, 1300.0]
    points = [Quantity(value=5.0 / e, u=0.001 / e, units="1", label=f"counts at {e:g}") / standard for e in energies]
    found = gamma.calibrate_efficiency(energies, points, degree=1).predict(500.0)
    assert found.value == pytest.approx(0.01, rel=1e-6)
    assert found.u / found.value == pytest.approx(0.02, rel=1e-3)


def test_limits_are_those_of_currie_and_miss_as_often_as_stated():
    one = Quantity(value=1.0, u=0.0, units="Bq", label="factor")
    found = gamma.limits(400.0, one, ratio=1.0)
    assert found.decision_threshold == pytest.approx(2.33 * 20.0, rel=2e-3)
    assert found.detection_limit == pytest.approx(2.71 + 4.65 * 20.0, rel=2e-3)
    rng = np.random.default_rng(1)
    net = rng.poisson(400.0 + found.detection_limit, 20000) - rng.poisson(400.0, 20000)
    assert np.mean(net <= found.decision_threshold) == pytest.approx(0.05, abs=0.006)


def test_the_detection_limit_solves_the_implicit_equation_of_the_standard():
    factor = Quantity(value=2.0, u=0.3, units="Bq", label="factor")
    found = gamma.limits(50.0, factor, ratio=0.5)
    k, y = stats.norm.isf(0.05), found.detection_limit
    u = math.sqrt(4.0 * (y / 2.0 + 50.0 * 1.5) + (y * 0.15) ** 2)
    assert found.decision_threshold + k * u == pytest.approx(y, rel=1e-12)
    with pytest.raises(CalibrationError, match="no detection limit exists"):
        gamma.limits(50.0, Quantity(value=1.0, u=0.7, units="Bq", label="factor"), ratio=1.0)


@pytest.mark.parametrize("model", ["nonparalyzable", "paralyzable"])
def test_dead_time_is_undone_with_its_slope(model):
    rate, tau = 2e4, 1e-5
    measured = rate / (1.0 + rate * tau) if model == "nonparalyzable" else rate * math.exp(-rate * tau)
    found = gamma.true_rate(
        Quantity(value=measured, u=0.0, units="s-1", label="rate"),
        Quantity(value=10.0, u=0.1, units="us", label="dead time"),
        model=model,
    )
    assert found.value == pytest.approx(rate, rel=1e-12)
    expected = rate**2 * 1e-7 / (1.0 if model == "nonparalyzable" else 1.0 - rate * tau)
    assert found.u == pytest.approx(expected, rel=1e-6)


def test_tables_hold_value_u_and_source():
    for name in gamma.nuclides():
        nuclide = gamma.nuclide(name)
        assert nuclide.half_life.u > 0
        assert all(line.energy.u > 0 and 0 < line.intensity.value <= 1 and line.energy.source for line in nuclide.lines)
    assert gamma.xray("Cu").value == pytest.approx(12.398419843 / 1.5405929, rel=2e-6)


BAD = [
    (lambda: gamma.search(spectrum_of(np.zeros(100)), 4.0), "empty"),
    (lambda: gamma.search(spectrum_of([-1.0] + [5.0] * 99), 4.0), "raw counts"),
    (lambda: gamma.search(spectrum_of([0.5] * 100), 4.0), "raw counts"),
    (lambda: gamma.search(spectrum_of([5.0] * 100, live_time_s=10.0, real_time_s=100.0), 4.0), "dead for 90 %"),
    (lambda: gamma.search(spectrum_of([5.0] * 100, live_time_s=10.0, real_time_s=1.0), 4.0), "real time"),
    (lambda: gamma.search(spectrum_of([5.0] * 100), 0.1), "fwhm"),
    (lambda: gamma.search(spectrum_of([5.0] * 100).rename(pixel="raman_shift"), 4.0), "gamma or X-ray"),
    (lambda: gamma.fit_peak(spectrum_of([5.0] * 100), 500.0, 4.0), "0 channels"),
    (lambda: gamma.fit_peak(spectrum_of([5.0] * 100), 50.0, 4.0, axis="energy"), "gamma or X-ray"),
]


@pytest.mark.parametrize(("call", "match"), BAD, ids=[f"case {i}" for i in range(len(BAD))])
def test_what_is_no_spectrum_of_counts_is_refused(call, match):
    with pytest.raises(SpectrumError, match=match):
        call()


def test_wrong_figures_are_refused():
    with pytest.raises(CalibrationError, match="Did you mean 'Cs-137'"):
        gamma.nuclide("Cs-173")
    with pytest.raises(CalibrationError, match="no packaged line"):
        gamma.nuclide("Cs-137").line(1173.0)
    with pytest.raises(CalibrationError, match="Calibrate the channels"):
        gamma.identify([Quantity(value=600.0, u=1.0, units="1", label="channel")])
    with pytest.raises(CalibrationError, match="lower rate"):
        gamma.true_rate(
            Quantity(value=1e5, u=0.0, units="s-1", label="rate"), Quantity(value=1e-5, u=0.0, units="s", label="tau")
        )
    with pytest.raises(CalibrationError, match="Kα1"):
        gamma.xray("Xx")
