"""What an ensemble of baselines says about itself: a slow oracle, coverage, its way into a fit, bad input."""

import numpy as np
import pytest
import xarray as xr
from lmfit.models import GaussianModel
from scipy import linalg, stats

from analysis import baseline, peaks, uncertainty
from analysis.baseline import evidence
from analysis.core import SpectrumError
from tests import curved

MODEL = GaussianModel(prefix="a_") + GaussianModel(prefix="b_") + GaussianModel(prefix="c_")


@pytest.fixture(scope="module")
def drawn():
    return curved.draw(np.random.default_rng(11), "fluorescence", "counting", 100)


@pytest.fixture(scope="module")
def found(drawn):
    return baseline.ensemble(drawn.spectra, axis="raman_shift", regions=curved.REGIONS)


@pytest.fixture(scope="module")
def fit(drawn, found):
    flat = baseline.subtract(drawn.spectra, found, allow_unconverged=True)
    return peaks.fit(flat, MODEL, MODEL.make_params(), axis="raman_shift", start=drawn.start)


@pytest.mark.parametrize("known", [True, False])
def test_curve_and_covariance_are_those_of_the_mixed_model(known):
    """Route: restricted likelihood of contrasts and best linear unbiased prediction, with dense matrices."""
    rng = np.random.default_rng(5)
    x = np.linspace(0, 1, 70)
    y = 3 + np.sin(4 * x) + rng.normal(0, 0.2, x.size)
    weights = np.where(np.abs(x - 0.5) < 0.1, 0.0, 1 / 0.2**2 if known else 1.0)
    basis = evidence.design(x, 10)
    curve = evidence.through(y[None], weights[None], basis, known=known)
    used = weights > 0
    differences = np.diff(np.eye(basis.shape[1]), evidence.ORDER, axis=0)
    penalty = differences.T @ differences
    normal = basis.T @ (weights[:, None] * basis)
    scale = np.trace(normal) / np.trace(penalty)
    free = linalg.null_space(differences)
    bent = np.linalg.pinv(differences)
    contrasts = linalg.null_space((basis[used] @ free).T).T
    noise = np.eye(used.sum()) / weights[used][0]
    logs, means, covariances = [], [], []
    for lam in 10.0 ** np.arange(-10, 10.1, 0.5):
        whole = noise + basis[used] @ bent @ bent.T @ basis[used].T / (lam * scale)
        inner = contrasts @ whole @ contrasts.T
        inner = 0.5 * (inner + inner.T)
        count = contrasts.shape[0]
        square = contrasts @ y[used] @ np.linalg.solve(inner, contrasts @ y[used])
        logdet = np.linalg.slogdet(inner)[1]
        logs.append(-0.5 * logdet - (0.5 * square if known else 0.5 * count * np.log(square)))
        precise = np.linalg.inv(normal + lam * scale * penalty)
        means.append(precise @ basis.T @ (weights * y))
        covariances.append(precise * (1.0 if known else square / count))
    share = np.exp(np.array(logs) - max(logs))
    share /= share.sum()
    mean = share @ np.array(means)
    apart = np.array(means) - mean
    covariance = np.einsum("g,gij->ij", share, covariances) + np.einsum("g,gi,gj->ij", share, apart, apart)
    np.testing.assert_allclose(basis @ curve.coefficients[0], basis @ mean, rtol=1e-5)
    ours = basis @ curve.factors[0]
    np.testing.assert_allclose((ours**2).sum(axis=1), np.diag(basis @ covariance @ basis.T), rtol=1e-4)


def test_areas_cover_and_those_of_a_baseline_taken_as_exact_do_not(drawn, fit):
    """300 areas; binomial bounds: 95 % of them, 4 standard deviations of 1.26 % apart. 20 800 in the benchmark."""
    names = ["a_amplitude", "b_amplitude", "c_amplitude"]
    moved = (xr.dot(fit["value_sensitivity"], fit["mode_sources"], dim="mode") ** 2).sum("source")
    off = fit["value"].sel(parameter=names).values - drawn.areas
    held = np.abs(off) < 1.96 * np.sqrt(fit["stderr"] ** 2 + moved).sel(parameter=names).values
    alone = np.abs(off) < 1.96 * fit["stderr"].sel(parameter=names).values
    assert 0.90 < held.mean() <= 1.0
    assert alone.mean() < held.mean() - 0.02


def test_a_fit_moves_with_each_source_as_refits_do(drawn, found, fit):
    k, at = 0, 3
    one = drawn.spectra.isel(spectrum=at)
    step = found["baseline_sources"].isel(source=k, spectrum=at)
    start = {name: float(value[at]) for name, value in drawn.start.items()}
    ends = []
    for sign in (+1, -1):
        flat = baseline.subtract(one, found["baseline"].isel(spectrum=at) + sign * 0.01 * step, allow_unconverged=True)
        ends.append(peaks.fit(flat, MODEL, MODEL.make_params(), axis="raman_shift", start=start)["value"])
    slope = (ends[0] - ends[1]) / 0.02
    ours = peaks.quantity(fit, "b_amplitude", at={"spectrum": at}).components
    source = next(each for each in ours if each.id == f"{found.source.values[k]}[{at}]")
    assert ours[source] == pytest.approx(float(slope.sel(parameter="b_amplitude")), rel=1e-3)


def test_each_spectrum_has_its_own_baseline_and_two_areas_of_one_share_it(fit):
    here = peaks.quantity(fit, "a_amplitude", at={"spectrum": 3})
    there = peaks.quantity(fit, "a_amplitude", at={"spectrum": 4})
    beside = peaks.quantity(fit, "b_amplitude", at={"spectrum": 3})
    assert not set(here.components) & set(there.components)
    shared = set(here.components) & set(beside.components)
    assert {"baseline"} <= {tag for each in shared for tag in each.tags}
    assert all(not each.over for each in here.components)


def test_a_map_is_its_spectra_one_by_one_in_memory_and_in_dask(drawn, found):
    few = drawn.spectra.isel(spectrum=slice(0, 4))
    chunked = baseline.ensemble(few.chunk(spectrum=1), axis="raman_shift", regions=curved.REGIONS)
    for at in range(4):
        one = baseline.ensemble(few.isel(spectrum=at), axis="raman_shift", regions=curved.REGIONS)
        for other in (found.isel(spectrum=at), chunked.isel(spectrum=at)):
            assert (np.abs(one["baseline"] - other["baseline"]) < 1e-6 * one["u_baseline"]).all()
            np.testing.assert_allclose(one["u_baseline"], other["u_baseline"], rtol=1e-6)


def test_peaks_are_found_by_their_width_and_by_nothing_else(drawn, found):
    by_width = baseline.ensemble(drawn.spectra, axis="raman_shift", width=30.0)
    heart = np.abs(drawn.spectra["raman_shift"].values - drawn.start["b_center"][:, None]) < 5
    assert (by_width["is_peak"].values & heart).sum() > 0.99 * heart.sum()
    assert 0.8 < float(by_width["misfit"].mean()) < 1.1
    apart = (by_width["baseline"] - found["baseline"]) / found["u_baseline"]
    assert float(np.abs(apart).mean()) < 1.0


def test_without_u_signal_the_noise_is_estimated():
    known = curved.draw(np.random.default_rng(2), "cubic", "constant", 20)
    settings = {"axis": "raman_shift", "regions": curved.REGIONS}
    told = baseline.ensemble(known.spectra, **settings)
    guessed = baseline.ensemble(known.spectra.drop_vars("u_signal"), **settings)
    ratio = (guessed["u_baseline"] / told["u_baseline"]).mean("channel")
    assert float(ratio.mean()) == pytest.approx(1.0, abs=0.15)
    assert (guessed["misfit"] == 1.0).all()


def test_sources_that_the_signal_had_stay(drawn, found):
    lamp = uncertainty.Source(id="flat field", label="flat field")
    given = uncertainty.sources.attach(drawn.spectra, "signal", {lamp: np.full(curved.CHANNELS, 2.0)}, ("channel",))
    flat = baseline.subtract(given, found, allow_unconverged=True)
    parts = uncertainty.sources.detach(flat, "signal")
    np.testing.assert_array_equal(parts[lamp], np.full(flat["signal"].shape, 2.0))
    assert len(parts) == 1 + found.sizes["source"]


def test_a_baseline_that_does_not_explain_the_samples_is_said_and_not_subtracted(drawn):
    step = drawn.spectra.assign(signal=drawn.spectra["signal"] + 1000 * (drawn.spectra["raman_shift"] > 130))
    found = baseline.ensemble(step, axis="raman_shift", regions=curved.REGIONS)
    assert not found["converged"].any()
    with pytest.raises(SpectrumError, match="misfit"):
        baseline.subtract(step, found)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "width= .* or regions="),
        ({"width": 30.0, "regions": [(1, 2)]}, "not both"),
        ({"width": -1.0}, "above 0"),
        ({"width": 300.0}, "half of the axis"),
        ({"regions": [(900, 950)]}, "holds no channel"),
        ({"regions": [(80, 70)]}, "holds no channel"),
        ({"width": 30.0, "segments": 4}, "segments must be"),
    ],
)
def test_settings_that_cannot_be_met_are_refused(drawn, settings, message):
    with pytest.raises(SpectrumError, match=message):
        baseline.ensemble(drawn.spectra, axis="raman_shift", **settings)


def test_missing_samples_are_refused_between_the_peaks_and_allowed_inside(drawn):
    few = drawn.spectra.isel(spectrum=slice(0, 2)).copy(deep=True)
    few["signal"][0, 80] = np.nan
    found = baseline.ensemble(few, axis="raman_shift", regions=curved.REGIONS)
    assert np.isfinite(found["baseline"]).all()
    few["signal"][0, 10] = np.nan
    with pytest.raises(SpectrumError, match="finite samples"):
        baseline.ensemble(few, axis="raman_shift", regions=curved.REGIONS)


def test_nothing_left_between_the_peaks_is_not_converged(drawn):
    found = baseline.ensemble(drawn.spectra.isel(spectrum=[0]), axis="raman_shift", regions=[(5.0, 395.0)])
    assert not found["converged"].any()
    assert np.isnan(found["baseline"]).all()


def test_kinds_of_noise_follow_the_normal_law_the_misfit_says():
    plain = curved.draw(np.random.default_rng(8), "cubic", "constant", 200)
    found = baseline.ensemble(plain.spectra, axis="raman_shift", regions=curved.REGIONS)
    dof = curved.CHANNELS - int(found["is_peak"][0].sum()) - 5
    assert stats.kstest(found["misfit"].values * dof, stats.chi2(dof).cdf).pvalue > 1e-3
