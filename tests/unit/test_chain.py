"""The whole chain on the spectrometer with known truth: what the budget of a band says is what happens.

Lamp, match, fit_axis, laser_zero, to_raman_shift, apply, fit, quantity, propagate. Shares are checked against re-runs
with a source taken away, covariances against Monte Carlo from the raw spectra on.
"""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from lmfit.models import ConstantModel, GaussianModel

from analysis import calibration, peaks, preprocess
from analysis.uncertainty import Quantity, propagate, sources
from tests.simulated import READ_NOISE, Spectrometer

DEVICE = Spectrometer()
BANDS = (1001.4, 1031.8)
U_LINE = 0.01
"""Inflated uncertainty of the lamp lines in nm, about 0.3 cm-1, so that they matter beside the noise."""
U_SILICON = 0.14
"""NMIJ RM 8156: 520.45 cm-1 with U = 0.28 cm-1 (k = 2)."""
MODEL = GaussianModel(prefix="a_") + GaussianModel(prefix="b_") + ConstantModel(prefix="bg_")


def neon_table(u=None):
    """Return the packaged lines; `u` in nm replaces the uncertainty of every line."""
    table = calibration.lines("Ne", 530, 645, units="nm")
    return table if u is None else with_line_u(table, np.full(table.sizes["line"], u))


def with_line_u(table, u):
    packaged = sources.detach(table, "value")
    parts = {source: np.where(row != 0, u, 0.0) for source, row in packaged.items()}
    return sources.attach(table.assign(u=("line", u, table["u"].attrs)), "value", parts, ("line",))


def pairs(rng, table, *, strength=100.0):
    # the nominal axis is 0.3 nm off; 1 % of its range, 1.1 nm, is far enough to look
    return calibration.match(DEVICE.neon(rng, strength=strength), table, max_shift=0.01)


def calibrate(rng, table, *, silicon=520.45, degree=3, strength=100.0):
    axis = calibration.fit_axis(pairs(rng, table, strength=strength), axis="wavelength", degree=degree)
    laser = calibration.laser_zero(axis, DEVICE.bands([silicon], rng), laser=532.0)
    return axis.to_raman_shift(laser)


def sample(rng, *, height=4000.0):
    spectrum = DEVICE.bands(BANDS, rng, height=height)
    noise = np.sqrt(np.clip(spectrum["signal"].values, 1, None) + READ_NOISE**2)
    spectrum["u_signal"] = ("channel", noise, {"units": "counts"})
    return spectrum


def fit(raman, spectrum):
    low, high = DEVICE.pixel_of_shift([940.0, 1090.0])
    window = calibration.apply(raman, preprocess.crop(spectrum, axis="pixel", low=low, high=high))
    params = MODEL.make_params(
        a_center=1001.0, b_center=1032.0, a_sigma=4.5, b_sigma=4.5, a_amplitude=4e4, b_amplitude=4e4, bg_c=50.0
    )
    return peaks.fit(window, MODEL, params, axis="raman_shift")


def bands(raman, spectrum):
    found = fit(raman, spectrum)
    return peaks.quantity(found, "a_center"), peaks.quantity(found, "b_center")


def without(raman, source):
    """Return the calibration with one source taken away, in the axis and in the laser."""
    laser = Quantity.from_components(
        raman.laser.value,
        {each: part for each, part in raman.laser.parts().items() if each != source},
        units="nm",
        label="laser",
    )
    kept = {each: vector for each, vector in raman.contributions.items() if each != source}
    return replace(raman, contributions=kept, laser=laser)


@pytest.fixture(scope="module")
def raman():
    return calibrate(np.random.default_rng(11), neon_table(0.002))


@pytest.fixture(scope="module")
def spectrum():
    return sample(np.random.default_rng(12))


def test_the_share_of_every_source_is_what_a_run_without_it_takes_away(raman, spectrum):
    budget = propagate("band", {"band": bands(raman, spectrum)[0]}, name="shift", units="cm-1")
    of_calibration = set(raman.contributions) | set(raman.laser.parts())
    shared = [each for each in budget.contributions if each.source in of_calibration]
    large = [each for each in shared if each.share > 1e-4]
    small = [each for each in shared if 0 < each.share <= 1e-4]
    kinds = {each.source.id.split(":")[0] for each in large}
    assert {"line", "position", "band"} <= kinds
    assert len(large) > 12
    for each in large + small[:: max(1, len(small) // 4)]:
        taken = 1 - (bands(without(raman, each.source), spectrum)[0].u / budget.u) ** 2
        # 1 % of the share; a difference of two variances is good to about 1e-13 of them
        assert taken == pytest.approx(each.share, rel=1e-2, abs=1e-12), each.name
    assert sum(each.share for each in budget.contributions) == pytest.approx(1.0, rel=1e-12)


def test_the_shares_of_a_misfit_are_what_runs_without_it_take_away(spectrum):
    # a parabola through this cubic axis leaves a scatter, one source for each line with its own offset
    raman = calibrate(np.random.default_rng(11), neon_table(), degree=2)
    budget = propagate("band", {"band": bands(raman, spectrum)[0]}, name="shift", units="cm-1")
    misfit = [each for each in budget.contributions if each.source.id.startswith("misfit") and each.share > 1e-4]
    assert sum(each.share for each in misfit) > 0.5
    for each in misfit[:6]:
        taken = 1 - (bands(without(raman, each.source), spectrum)[0].u / budget.u) ** 2
        assert taken == pytest.approx(each.share, rel=1e-2), each.name


def test_a_lamp_line_moved_by_its_u_moves_the_band_by_its_contribution(spectrum):
    # from the table of lines on: match, fit_axis, laser_zero, apply and fit are run again; the sign is checked too
    table = neon_table(0.002)
    start = bands(calibrate(np.random.default_rng(11), table), spectrum)[0]
    parts = [(source, part) for source, part in start.parts().items() if source.id.startswith("line:Ne")]
    largest = sorted(parts, key=lambda item: -abs(item[1]))[:4]
    for source, contribution in largest:
        moved = table.copy(deep=True)
        moved["value"].values += sources.detach(table, "value")[source]
        band = bands(calibrate(np.random.default_rng(11), moved), spectrum)[0]
        assert band.value - start.value == pytest.approx(contribution, rel=1e-2), source.label


def test_silicon_higher_than_its_published_value_moves_the_band_down_and_the_value_itself_moves_it_up(spectrum):
    # a shift is laser less scattered: the published silicon value enters one to one, where silicon is seen enters less
    rng = np.random.default_rng
    table = neon_table(0.002)
    start = bands(calibrate(rng(11), table), spectrum)[0]
    [published] = [part for source, part in start.parts().items() if source.id.startswith("line:silicon")]
    assert published == pytest.approx(U_SILICON, rel=1e-3)
    seen_higher = bands(calibrate(rng(11), table, silicon=520.45 + U_SILICON), spectrum)[0]
    assert seen_higher.value - start.value == pytest.approx(-published, rel=0.1)


def test_a_misfit_at_a_line_is_carried_with_the_sign_that_takes_the_axis_to_the_line():
    # the offset at a line undoes what its own weight gave to the polynomial: less than the scatter itself remains
    axis = calibration.fit_axis(pairs(np.random.default_rng(11), neon_table()), axis="wavelength", degree=2)
    misfit = [each for each in axis.contributions if each.id.startswith("misfit")]
    for knot, source in zip(axis.knots, misfit, strict=True):
        vector = axis.contributions[source]
        scatter = np.abs(vector[3:]).max()
        _, parts = axis.evaluate(np.array([knot]))
        scaled = 2 * (knot - axis.low) / (axis.high - axis.low) - 1
        leverage = float(np.polynomial.polynomial.polyval(scaled, vector[:3]))
        assert leverage > 0
        assert abs(float(parts[source][0])) == pytest.approx(scatter - leverage)


def test_a_lamp_line_with_a_smaller_u_in_the_table_takes_its_share_away(spectrum):
    # from the table on the fit weights the line anew; at the optimum of least squares that enters the variance in the
    # second order only (Gauss and Markov), so the first order is the share; with u = 0 it can only take away more
    table = neon_table(U_LINE)
    whole = bands(calibrate(np.random.default_rng(21), table), spectrum)[0]
    parts = {source: part for source, part in whole.parts().items() if source.id.startswith("line:Ne")}
    source = max(parts, key=lambda each: abs(parts[each]))
    share = (parts[source] / whole.u) ** 2
    assert share > 0.01

    def taken(factor):
        u = np.where(sources.detach(table, "value")[source] != 0, factor * U_LINE, U_LINE)
        less = bands(calibrate(np.random.default_rng(21), with_line_u(table, u)), spectrum)[0]
        return 1 - (less.u / whole.u) ** 2

    assert taken(0.999) / (1 - 0.999**2) == pytest.approx(share, rel=1e-2)
    assert taken(1e-9) > share


def test_the_difference_of_two_bands_under_one_axis_has_the_smaller_u_that_monte_carlo_finds():
    # drawn from the raw spectra on: lamp, silicon and sample noise, the value of every lamp line, the silicon value
    table, trials = neon_table(U_LINE), 60
    first, second = bands(calibrate(np.random.default_rng(21), table), sample(np.random.default_rng(22)))
    assert not any(source.id.startswith("misfit") for source in first.parts())
    together = propagate("b - a", {"a": first, "b": second}, name="difference", units="cm-1")
    apart = np.hypot(first.u, second.u)
    assert together.u < 0.35 * apart
    drawn = np.array([_draw(np.random.default_rng([23, trial]), table) for trial in range(trials)])
    spread = np.std([drawn[:, 0], drawn[:, 1], drawn[:, 1] - drawn[:, 0]], axis=1, ddof=1)
    stated = np.array([first.u, second.u, together.u])
    # s²/u² of normal values is chi-squared/(N - 1): 4 standard deviations of it are 4 sqrt(2/(N - 1)) = 0.74
    np.testing.assert_allclose((spread / stated) ** 2, 1.0, atol=4 * np.sqrt(2 / (trials - 1)))
    assert spread[2] < 0.5 * apart
    mean = drawn.mean(axis=0)
    np.testing.assert_allclose(mean, BANDS, atol=4 * first.u / np.sqrt(trials))


def _draw(rng, table):
    moved = table.copy(deep=True)
    moved["value"].values += rng.normal(0, U_LINE, table.sizes["line"])
    raman = calibrate(rng, moved, silicon=520.45 + rng.normal(0, U_SILICON))
    return [band.value for band in bands(raman, sample(rng))]


def test_two_pixels_of_a_map_are_correlated_through_the_axis_they_share():
    raman = calibrate(np.random.default_rng(21), neon_table(U_LINE))
    rows = [sample(np.random.default_rng(seed), height=height) for seed, height in ((31, 4000.0), (32, 800.0))]
    found = fit(raman, xr.concat(rows, dim="row"))
    one, two = (peaks.quantity(found, "a_center", at={"row": row}) for row in (0, 1))
    shared = set(one.parts()) & set(two.parts())
    assert {source for source in one.parts() if "noise" not in source.tags} <= shared | set(raman.laser.parts())
    # another route: the axis alone, at the true position of the band in channels
    _, parts = raman.evaluate(np.array([DEVICE.pixel_of_shift(BANDS[0])]))
    covariance = sum(float(part[0]) ** 2 for part in parts.values())
    assert one.covariance(two) == pytest.approx(covariance, rel=2e-2)
    assert one.correlation(two) == pytest.approx(covariance / (one.u * two.u), rel=2e-2)
    assert one.correlation(two) > 0.8
    difference = propagate("a - b", {"a": one, "b": two}, name="difference", units="cm-1")
    noise = [np.sqrt(each.u**2 - covariance) for each in (one, two)]
    assert difference.u == pytest.approx(np.hypot(*noise), rel=5e-2)
    alone = bands(raman, rows[0])[0]
    assert one.value == pytest.approx(alone.value, abs=1e-6)
    assert one.u == pytest.approx(alone.u, rel=1e-6)
