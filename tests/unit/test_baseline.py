"""Properties of the baseline families, slow oracles for asls and snip, and subtraction."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from pybaselines import Baseline
from pybaselines.utils import ParameterWarning
from scipy.linalg import solveh_banded

from analysis import baseline, io
from analysis.core import SpectrumError, UnitsError, history

CHANNELS = 120
FAMILIES = {
    "asls": lambda s, **k: baseline.asls(s, **{"lam": 1e4, **k}),
    "arpls": lambda s, **k: baseline.arpls(s, **{"lam": 1e4, **k}),
    "airpls": lambda s, **k: baseline.airpls(s, **{"lam": 1e4, **k}),
    "modpoly": lambda s, **k: baseline.modpoly(s, **{"degree": 3, **k}),
    "snip": lambda s, **k: baseline.snip(s, **{"half_window": 20, **k}),
}
every_family = pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)


def truth():
    x = np.arange(CHANNELS) / CHANNELS
    return 100 + 30 * x - 20 * x**2


def spectrum(batch=(), noise=0.5):
    rng = np.random.default_rng(4)
    x = np.arange(CHANNELS)
    lines = 80 * np.exp(-0.5 * ((x - 40) / 3) ** 2) + 50 * np.exp(-0.5 * ((x - 85) / 3) ** 2)
    signal = truth() + lines + rng.normal(0, noise, (*batch, CHANNELS))
    dims = (*(f"b{at}" for at in range(len(batch))), "channel")
    return xr.Dataset(
        {
            "signal": (dims, signal, {"units": "counts"}),
            "u_signal": (dims, np.full_like(signal, noise), {"units": "counts"}),
        },
        coords={"raman_shift": ("channel", 500.0 + x, {"units": "cm-1"})},
        attrs={"title": "test"},
    )


def asls_oracle(y, lam, p, max_iterations=50, tolerance=1e-3):
    """Eilers' equations with full matrices."""
    d = np.diff(np.eye(y.size), 2, axis=0)
    w = np.ones(y.size)
    for _ in range(max_iterations):
        z = np.linalg.solve(np.diag(w) + lam * d.T @ d, w * y)
        new = np.where(y > z, p, 1 - p)
        if np.linalg.norm(new - w) / np.linalg.norm(w) < tolerance:
            break
        w = new
    return z


def snip_oracle(y, half_window, *, decreasing):
    """Clip sample by sample, the ends continued by straight lines through half_window points."""
    n, m = y.size, half_window
    at = np.arange(m)
    left = np.polynomial.Polynomial.fit(at, y[:m], 1)(np.arange(-m, 0))
    right = np.polynomial.Polynomial.fit(at, y[-m:], 1)(np.arange(m, 2 * m))
    v = np.concatenate([left, y, right])
    for k in range(m, 0, -1) if decreasing else range(1, m + 1):
        clipped = v.copy()
        for i in range(k, v.size - k):
            clipped[i] = min(v[i], (v[i - k] + v[i + k]) / 2)
        v = clipped
    return v[m : m + n]


@pytest.mark.filterwarnings(f"ignore::{ParameterWarning.__module__}.{ParameterWarning.__name__}")
@pytest.mark.parametrize("lam", [1e2, 1e4, 1e6, 1e9])
@pytest.mark.parametrize(("name", "most"), [("asls", 50), ("arpls", 100), ("airpls", 100)])
def test_the_compiled_solver_gives_the_baseline_of_pybaselines(name, most, lam):
    rows = spectrum(batch=(11,), noise=2.0)["signal"]
    found = getattr(baseline, name)(rows, lam=lam)
    near = max(1e-6, 16 * lam * np.finfo(float).eps)  # 16 lam is about the condition number of the system
    for row, ours in zip(rows.values, found, strict=True):
        theirs, about = getattr(Baseline(), name)(row, lam=lam, max_iter=most - 1, tol=1e-3)
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=near * np.ptp(row))
        changes = about["tol_history"]
        assert bool(ours["converged"]) == bool(len(changes) and changes[-1] < 1e-3)


@pytest.mark.parametrize("name", ["asls", "arpls", "airpls"])
def test_no_spectrum_of_a_map_changes_a_bit_of_another(name):
    rows = spectrum(batch=(19,), noise=2.0)["signal"] * xr.DataArray(np.geomspace(1e-3, 1e3, 19), dims="b0")
    found = getattr(baseline, name)(rows)
    for at in range(19):
        np.testing.assert_array_equal(found[at], getattr(baseline, name)(rows[at]))


@pytest.mark.parametrize("lam", [1.0, 1e3, 1e6, 1e9])
def test_one_step_solves_the_banded_system_as_scipy_does(lam):
    y = spectrum()["signal"].values
    d = np.diff(np.eye(CHANNELS), 2, axis=0)
    full = np.eye(CHANNELS) + lam * d.T @ d
    bands = np.zeros((3, CHANNELS))
    for at in range(3):
        bands[at, : CHANNELS - at] = np.diagonal(full, at)
    found = baseline.asls(xr.DataArray(y, dims="channel"), lam=lam, max_iterations=1)
    np.testing.assert_allclose(
        found, solveh_banded(bands, y, lower=True), rtol=0, atol=max(1e-6, 16 * lam * 2.2e-16) * np.ptp(y)
    )


@settings(max_examples=20)
@given(lam=st.floats(1.0, 1e6), p=st.floats(0.001, 0.3), seed=st.integers(0, 99))
def test_asls_solves_the_equations_of_eilers(lam, p, seed):
    y = spectrum()["signal"].values + np.random.default_rng(seed).normal(0, 3, CHANNELS)
    found = baseline.asls(xr.DataArray(y, dims="channel"), lam=lam, p=p)
    np.testing.assert_allclose(found, asls_oracle(y, lam, p), rtol=1e-6)


@pytest.mark.parametrize("decreasing", [True, False])
@pytest.mark.parametrize("half_window", [5, 20, 40])
def test_snip_clips_sample_by_sample(half_window, decreasing):
    y = spectrum()["signal"].values
    found = baseline.snip(xr.DataArray(y, dims="channel"), half_window=half_window, decreasing=decreasing)
    np.testing.assert_allclose(found, snip_oracle(y, half_window, decreasing=decreasing), rtol=1e-9)


@every_family
def test_a_smooth_background_under_two_lines_is_found(family):
    found = family(spectrum(noise=0.05))
    assert np.abs(found.values - truth())[5:-5].max() < 4


@every_family
def test_the_baseline_has_dims_units_axes_and_its_step_in_the_history(family):
    given_spectrum = spectrum(batch=(2,))
    before = given_spectrum.copy(deep=True)
    found = family(given_spectrum)
    xr.testing.assert_identical(given_spectrum, before)
    assert found.name == "baseline"
    assert found.dims == ("b0", "channel")
    assert found.attrs["units"] == "counts"
    assert found["converged"].dims == ("b0",)
    np.testing.assert_array_equal(found["raman_shift"], given_spectrum["raman_shift"])
    last = history.parse(found.attrs["history"])["steps"][history.head(found)]
    room, name = last["function"].split(".")
    again = getattr(baseline, name)(given_spectrum, **last["settings"])
    assert room == "baseline"
    np.testing.assert_array_equal(again, found)


@every_family
def test_a_map_is_its_spectra_one_by_one(family):
    many = spectrum(batch=(2, 3))
    found = family(many)
    for at in np.ndindex(2, 3):
        where = {"b0": at[0], "b1": at[1]}
        np.testing.assert_allclose(found.isel(where), family(many.isel(where)), rtol=1e-12)


@every_family
def test_dask_gives_the_same_numbers(family):
    pytest.importorskip("dask.array", reason="dask is not installed")
    many = spectrum(batch=(4,))
    lazy = family(many.chunk({"b0": 2}).assign_attrs(history=history.extend("test", settings={}, inputs={})))
    assert lazy.chunks is not None
    np.testing.assert_allclose(lazy.compute(), family(many), rtol=1e-12)


@every_family
@given(scale=st.sampled_from([1e-6, 0.5, 4.0, 1e6]))
@settings(max_examples=4)
def test_the_baseline_scales_with_the_signal(family, scale):
    y = spectrum()["signal"]
    np.testing.assert_allclose(family(scale * y), scale * family(y), rtol=1e-6)


@every_family
def test_a_mirrored_spectrum_has_the_mirrored_baseline(family):
    y = spectrum()["signal"]
    turned = y.isel(channel=slice(None, None, -1))
    np.testing.assert_allclose(family(turned)[::-1], family(y), rtol=1e-5)


@every_family
def test_nan_is_refused_with_the_next_move(family):
    bad = spectrum()["signal"].copy(deep=True)
    bad[[3, 7]] = np.nan
    with pytest.raises(SpectrumError, match=r"2 of 120 are NaN or infinite. Crop them .*interpolate_na"):
        family(bad)


@every_family
def test_an_empty_spectrum_of_zeros_has_a_baseline_of_zeros(family):
    found = family(xr.DataArray(np.zeros(CHANNELS), dims="channel"))
    assert not found.any()
    assert bool(found["converged"])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda s: baseline.asls(s, lam=0), "lam must be > 0, got 0"),
        (lambda s: baseline.asls(s, p=1.0), r"p must be in \(0, 1\), got 1.0"),
        (lambda s: baseline.arpls(s, lam=float("nan")), "lam must be > 0, got nan"),
        (lambda s: baseline.arpls(s, tolerance=0), "tolerance must be > 0, got 0"),
        (lambda s: baseline.airpls(s, max_iterations=0), "max_iterations must be at least 1, got 0"),
        (lambda s: baseline.modpoly(s, degree=21), "degree must be 0 to 20 and less than the 120 channels, got 21"),
        (lambda s: baseline.modpoly(s, degree=-1), "got -1"),
        (lambda s: baseline.snip(s, half_window=0), "half_window must be 1 to 59 for 120 channels, got 0"),
        (lambda s: baseline.snip(s, half_window=60), "got 60"),
        (lambda s: baseline.arpls(s.isel(channel=slice(3))), "needs 5 channels at least, got 3"),
    ],
)
def test_settings_out_of_range_are_refused(call, message):
    with pytest.raises(SpectrumError, match=message):
        call(spectrum())


def test_a_baseline_that_did_not_converge_says_so_and_is_not_subtracted_silently():
    given_spectrum = spectrum(batch=(3,))
    found = baseline.arpls(given_spectrum, lam=1e5, max_iterations=1)
    assert not found["converged"].any()
    with pytest.raises(SpectrumError, match=r"3 of 3 baselines did not converge. Raise max_iterations"):
        baseline.subtract(given_spectrum, found)
    flat = baseline.subtract(given_spectrum, found, allow_unconverged=True)
    assert not flat["baseline_converged"].any()


def test_subtraction_keeps_what_plain_arithmetic_loses():
    given_spectrum = spectrum(batch=(2,)).assign(
        raman_shift_sources=(("source", "channel"), np.ones((1, CHANNELS))),
    )
    before = given_spectrum.copy(deep=True)
    found = baseline.arpls(given_spectrum, lam=1e4)
    flat = baseline.subtract(given_spectrum, found)
    xr.testing.assert_identical(given_spectrum, before)
    np.testing.assert_array_equal(flat["signal"], given_spectrum["signal"].values - found.values)
    np.testing.assert_array_equal(flat["u_signal"], given_spectrum["u_signal"])
    np.testing.assert_array_equal(flat["raman_shift_sources"], given_spectrum["raman_shift_sources"])
    assert flat["signal"].attrs == {"units": "counts"}
    assert flat.attrs["title"] == "test"
    graph = history.parse(flat.attrs["history"])
    last = graph["steps"][graph["head"]]
    assert last["function"] == "baseline.subtract"
    assert set(last["inputs"]) == {"spectrum", "baseline"}
    assert graph["steps"][last["inputs"]["baseline"]]["function"] == "baseline.arpls"


def test_one_baseline_may_serve_a_whole_map():
    many = spectrum(batch=(2,))
    one = baseline.snip(many.isel(b0=0), half_window=20).drop_vars("converged")
    flat = baseline.subtract(many, one)
    assert flat["signal"].dims == ("b0", "channel")
    np.testing.assert_array_equal(flat["signal"][1], many["signal"].values[1] - one.values)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda b: b.assign_attrs(units="V"), UnitsError, "signal is in 'counts', the baseline in 'V'"),
        (
            lambda b: b.isel(channel=slice(50)),
            SpectrumError,
            r"sizes of signal and baseline differ: \{'channel': \(120, 50\)\}",
        ),
        (lambda b: b.expand_dims("k"), SpectrumError, r"must have the dims of the signal \('channel',\)"),
        (lambda b: b.assign_coords(raman_shift=b["raman_shift"] + 1), SpectrumError, "different axes 'raman_shift'"),
    ],
)
def test_a_baseline_that_does_not_fit_is_refused(change, error, message):
    given_spectrum = spectrum()
    with pytest.raises(error, match=message):
        baseline.subtract(given_spectrum, change(baseline.snip(given_spectrum, half_window=20)))


def test_the_chain_runs_on_the_simulated_map():
    spectra = io.sample("raman_silicon_map")
    flat = baseline.subtract(spectra, baseline.arpls(spectra, lam=1e5))
    far = flat["signal"].isel(channel=slice(300, None))
    assert abs(float(far.mean())) < 0.2 * float(spectra["u_signal"].mean())
    assert float(flat["signal"].max()) > 8000
