"""Intervals of fitted peaks against a known truth: noise and the error of the axis are drawn anew for each spectrum.

The unit suite fits a few thousand spectra, `run.py bench -k test_coverage` 20 000.
"""

import numpy as np
import xarray as xr
from lmfit.models import ConstantModel, GaussianModel

from analysis import peaks
from analysis.uncertainty import Source, sources
from tests.coverages import holds

X = np.linspace(500.0, 540.0, 41)
TRUTH = {"p_center": 519.0, "p_amplitude": 800.0, "p_fwhm": 2 * np.sqrt(2 * np.log(2)) * 3.0}
U_AXIS = 0.02
NOISE = 2.0


def spectra(trials, seed):
    """Each spectrum is shifted by its own draw of the error that the axis is said to have."""
    rng = np.random.default_rng(seed)
    at = X - rng.normal(0, U_AXIS, trials)[:, None]
    height = TRUTH["p_amplitude"] / (3.0 * np.sqrt(2 * np.pi))
    clean = height * np.exp(-0.5 * ((at - TRUTH["p_center"]) / 3.0) ** 2) + 20
    data = xr.Dataset(
        {
            "signal": (("shot", "channel"), rng.normal(clean, NOISE), {"units": "counts"}),
            "u_signal": (("shot", "channel"), np.full(clean.shape, NOISE), {"units": "counts"}),
        },
        coords={"wavelength": ("channel", X, {"units": "nm", "medium": "air"})},
    )
    laser = Source(id="axis", label="zero of the axis", units="nm")
    return sources.attach(data, "wavelength", {laser: np.full(X.size, U_AXIS)}, ("channel",))


def shares(*, trials, seed):
    """Return how often the 95 % interval of each fitted quantity holds the truth."""
    model = GaussianModel(prefix="p_") + ConstantModel(prefix="b_")
    params = model.make_params(p_amplitude=700, p_center=518.5, p_sigma=2.8, b_c=18)
    fit = peaks.fit(spectra(trials, seed), model, params, axis="wavelength")
    return {
        f"{name} of a fitted peak": np.mean(
            [holds(peaks.quantity(fit, name, at={"shot": shot}), truth) for shot in range(trials)]
        )
        for name, truth in TRUTH.items()
    }
