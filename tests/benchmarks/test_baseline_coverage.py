"""How often 95 % intervals of peak areas hold on curved backgrounds, with and without the baseline's own uncertainty.

Truth is simulated: three Gaussian peaks of known area, on cubic polynomials, on broad fluorescence with a decaying
tail, on waves and on a broad Lorentzian, with constant noise and with counting noise. Run:
python run.py bench -k baseline_coverage -s
"""

import sys

import numpy as np
import pytest
import xarray as xr
from lmfit.models import GaussianModel

from analysis import baseline, peaks
from tests import curved

SPECTRA = 1_300  # of each background and noise: 20 800 in both ways


def areas_held(drawn, curve):
    flat = baseline.subtract(drawn.spectra, curve, allow_unconverged=True)
    model = GaussianModel(prefix="a_") + GaussianModel(prefix="b_") + GaussianModel(prefix="c_")
    fit = peaks.fit(flat, model, model.make_params(), axis="raman_shift", start=drawn.start)
    wanted = xr.DataArray(drawn.areas, dims=("spectrum", "parameter"))
    names = ["a_amplitude", "b_amplitude", "c_amplitude"]
    variance = fit["stderr"] ** 2
    if "mode_sources" in fit:
        variance = variance + (xr.dot(fit["value_sensitivity"], fit["mode_sources"], dim="mode") ** 2).sum("source")
    z = (fit["value"] - 0).sel(parameter=names).drop_vars("parameter") - wanted
    return np.abs(z.values / np.sqrt(variance.sel(parameter=names).values)) < 1.96


def held_by(method, rng):
    kept = {}
    for background in curved.BACKGROUNDS:
        for noise in ("constant", "counting"):
            drawn = curved.draw(rng, background, noise, SPECTRA)
            kept[background, noise] = areas_held(drawn, method(drawn.spectra))
    return kept


@pytest.mark.parametrize("by", ["width", "regions"])
def test_intervals_of_areas_cover_as_often_as_they_say(by):
    how = {"width": 30.0} if by == "width" else {"regions": curved.REGIONS}
    kept = held_by(lambda spectra: baseline.ensemble(spectra, axis="raman_shift", **how), np.random.default_rng(7))
    usual = held_by(lambda spectra: baseline.arpls(spectra, lam=1e5), np.random.default_rng(7))
    for case in kept:
        sys.stdout.write(f"{by} {case}: ensemble {kept[case].mean():.4f}, arpls as exact {usual[case].mean():.4f}\n")
    overall = np.mean([each.mean() for each in kept.values()])
    sys.stdout.write(f"{by}: ensemble {overall:.4f}, usual {np.mean([each.mean() for each in usual.values()]):.4f}\n")
    assert 0.94 < overall < 0.96
    assert np.mean([each.mean() for each in usual.values()]) < 0.85
