"""Starts of a map from its tiles: what they are, that nothing but position decides them, and what is refused."""

import numpy as np
import pytest
import xarray as xr
from lmfit.models import ConstantModel, GaussianModel

from analysis import peaks
from analysis.core import ModelError, SpectrumError

X = np.linspace(0.0, 30.0, 150)
MODEL = GaussianModel(prefix="p_") + ConstantModel(prefix="b_")
PARAMS = MODEL.make_params(p_amplitude=20, p_center=13, p_sigma=1.5, b_c=0)
SHAPE = (20, 26)


def drifting(noise=0.5, seed=0):
    """Make a map whose peak walks through most of the axis, far from any one start."""
    row, col = np.indices(SHAPE)
    center = 6.0 + 0.4 * row + 0.4 * col
    peak = 8.0 * np.exp(-0.5 * (X - center[..., None]) ** 2)
    signal = 1.0 + peak + np.random.default_rng(seed).normal(0, noise, (*SHAPE, X.size))
    made = xr.DataArray(
        signal,
        dims=("row", "col", "channel"),
        coords={"energy": ("channel", X, {"units": "keV"}), "row": np.arange(20)},
    )
    return made.assign_attrs(units="counts"), center


def test_each_spectrum_gets_what_the_median_of_its_tile_gives():
    data, _ = drifting()
    start = peaks.warm_start(data, MODEL, PARAMS, axis="energy", tile=8)
    assert start.attrs["tiles"] == 12
    assert start["p_center"].dims == ("row", "col")
    tile = data.isel(row=slice(8, 16), col=slice(24, 26)).median(("row", "col"))
    own = peaks.fit(tile, MODEL, PARAMS, axis="energy", start={n: float(start[n][8, 24]) for n in start.data_vars})
    for name in start.data_vars:
        np.testing.assert_allclose(start[name][8:16, 24:26], own["value"].sel(parameter=name), rtol=1e-7)


def test_a_drifting_map_is_fitted_from_its_tiles_and_not_from_one_start():
    data, center = drifting()
    warm = peaks.fit(
        data, MODEL, PARAMS, axis="energy", start=peaks.warm_start(data, MODEL, PARAMS, axis="energy", tile=4)
    )
    cold = peaks.fit(data, MODEL, PARAMS, axis="energy")
    assert int((abs(warm["value"].sel(parameter="p_center") - center) > 1).sum()) < 0.02 * center.size
    assert warm["nfev"].mean() < 0.8 * cold["nfev"].mean()


def test_starts_do_not_depend_on_chunks():
    data, _ = drifting()
    plain = peaks.warm_start(data, MODEL, PARAMS, axis="energy")
    for chunks in ({"row": 3, "col": 7}, {"row": 20, "col": 5}):
        lazy = peaks.warm_start(data.chunk(chunks), MODEL, PARAMS, axis="energy")
        xr.testing.assert_identical(lazy.drop_attrs(), plain.drop_attrs())


def test_bad_spectra_do_not_spoil_their_tile_and_an_empty_tile_gets_the_start_of_the_map():
    data, _ = drifting()
    data[:8, :8] = np.nan
    data[9, 9] = 1e6
    data[10, 10, 5] = np.inf
    start = peaks.warm_start(data, MODEL, PARAMS, axis="energy", tile=8)
    assert start.attrs["tiles_failed"] == 1
    assert all(np.isfinite(start[name]).all() for name in start.data_vars)
    clean = peaks.warm_start(drifting()[0], MODEL, PARAMS, axis="energy", tile=8)
    np.testing.assert_allclose(start["p_center"][9, 9], clean["p_center"][9, 9], atol=0.2)


def test_fixed_and_tied_parameters_are_left_to_params():
    params = PARAMS.copy()
    params["b_c"].set(value=1.0, vary=False)
    start = peaks.warm_start(drifting()[0], MODEL, params, axis="energy")
    assert set(start.data_vars) == {"p_amplitude", "p_center", "p_sigma"}


def test_what_warm_start_refuses():
    data, _ = drifting()
    with pytest.raises(ModelError, match="tile must be at least 2 spectra wide, got 1"):
        peaks.warm_start(data, MODEL, PARAMS, axis="energy", tile=1)
    with pytest.raises(SpectrumError, match="a single spectrum has no neighbours"):
        peaks.warm_start(data[0, 0], MODEL, PARAMS, axis="energy")
    with pytest.raises(SpectrumError, match="all samples are NaN; there is nothing to start from"):
        peaks.warm_start(data * np.nan, MODEL, PARAMS, axis="energy")
    with pytest.raises(SpectrumError, match=r"no axis named 'enrgy'.*Did you mean 'energy'"):
        peaks.warm_start(data, MODEL, PARAMS, axis="enrgy")
