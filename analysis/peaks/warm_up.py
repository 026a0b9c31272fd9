"""Compile the kernels and fill their cache on disk: `python -m analysis.peaks.warm_up`.

Not here: the kernel (`analysis.peaks.engine`).
"""

import subprocess
import sys
import time

import lmfit
import numpy as np
import xarray as xr
from lmfit.models import GaussianModel, LinearModel

from analysis import baseline
from analysis.peaks import kernel_cache
from analysis.peaks.data import prepare
from analysis.peaks.find import find, noise_of
from analysis.peaks.fit import fit
from analysis.peaks.outcome import Found, conclude

__all__ = ["warm_fit", "warm_others"]


OTHERS = "--others"


def _spectrum() -> tuple[lmfit.Model, lmfit.Parameters, xr.Dataset]:
    model = GaussianModel() + LinearModel(prefix="line_")
    params = model.make_params(amplitude=3.0, center=0.1, sigma=1.2, line_intercept=0.0, line_slope=0.0)
    x = np.linspace(-5.0, 5.0, 50)
    signal = model.eval(params, x=x) + 0.01 * np.cos(37.0 * x)
    spectrum = xr.Dataset(
        {"signal": ("channel", signal, {"units": "counts"})}, coords={"energy": ("channel", x, {"units": "keV"})}
    )
    return model, params, spectrum


def warm_fit() -> None:
    """Run what evaluates models once, the fit last: it takes what `warm_others` has compiled by then."""
    model, params, spectrum = _spectrum()
    x, signal = spectrum["energy"].values, spectrum["signal"].values[None]
    engine = kernel_cache.load("batched")
    made = engine.make(model, params, x, max_iterations=1, loss="least_squares")
    plan = made.parameters
    made.gradient(x, signal, np.ones_like(signal), plan.start[None], plan.start[None, plan.free])
    engine.curve(model, model.param_names, x, np.array([[params[name].value for name in model.param_names]]))
    fit(spectrum, model, params, axis="energy")


def warm_others() -> None:
    """Run what stands beside the models once, then what has nothing to do with fits."""
    model, params, spectrum = _spectrum()
    x, signal = spectrum["energy"].values, spectrum["signal"].values
    made = kernel_cache.load("batched").make(model, params, x, max_iterations=1, loss="least_squares")
    plan = made.parameters
    _, _, status = prepare(signal[None], None, plan.free.size)
    found = Found.empty(status, np.array([x.size]), mix=np.eye(plan.free.size), span=np.full(plan.free.size, np.inf))
    conclude(plan, found, plan.start[None], loss="least_squares", scale_covar=False)
    find(spectrum, axis="energy")
    noise_of(signal)
    baseline.arpls(spectrum)


def main() -> None:
    """Compile in two processes at once; say what is being done, and how long it took."""
    if OTHERS in sys.argv[1:]:
        warm_others()
        return
    began = time.perf_counter()
    sys.stdout.write("compiling the kernels (about half a minute the first time, cached afterwards) ... ")
    sys.stdout.flush()
    with subprocess.Popen([sys.executable, "-m", "analysis.peaks.warm_up", OTHERS]) as others:  # noqa: S603
        warm_fit()
    if others.returncode:
        sys.exit(others.returncode)
    sys.stdout.write(f"done in {time.perf_counter() - began:.1f} s\n")


if __name__ == "__main__":
    main()
