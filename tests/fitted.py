"""A peak on a line, as one spectrum or a map: what several tests of fitting begin with."""

import numpy as np
import xarray as xr
from lmfit.models import GaussianModel, LinearModel

X = np.linspace(500.0, 540.0, 200)


def peak_and_line():
    model = GaussianModel(prefix="p_") + LinearModel(prefix="b_")
    params = model.make_params(p_amplitude=80, p_center=519, p_sigma=2.5, b_slope=0.1, b_intercept=-40)
    return model, params


def spectra(model, params, shape=(), noise=0.1, seed=0):
    rng = np.random.default_rng(seed)
    signal = model.eval(params, x=X) + rng.normal(0, noise, (*shape, X.size))
    dims = ("row", "col")[: len(shape)]
    return xr.Dataset(
        {"signal": ((*dims, "channel"), signal, {"units": "counts"})},
        coords={"raman_shift": ("channel", X, {"units": "cm-1", "long_name": "Raman shift"})},
    )
