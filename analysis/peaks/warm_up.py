"""Compile the fit kernel and fill its cache on disk: `python -m analysis.peaks.warm_up`.

Not here: the kernel (`analysis.peaks.engine`).
"""

import sys
import time

import numpy as np
import xarray as xr
from lmfit.models import GaussianModel, LinearModel

from analysis import baseline
from analysis.peaks.evaluate import evaluate
from analysis.peaks.find import find, noise_of
from analysis.peaks.fit import fit
from analysis.uncertainty import Source, sources

__all__ = ["warm_up"]


def warm_up() -> float:
    """Run everything that is compiled once.

    Returns
    -------
    :
        Seconds it took.
    """
    began = time.perf_counter()
    model = GaussianModel() + LinearModel(prefix="line_")
    params = model.make_params(amplitude=3.0, center=0.1, sigma=1.2, line_intercept=0.0, line_slope=0.0)
    x = np.linspace(-5.0, 5.0, 50)
    signal = model.eval(params, x=x) + 0.01 * np.cos(37.0 * x)
    spectrum = xr.Dataset(
        {"signal": ("channel", signal, {"units": "counts"})}, coords={"energy": ("channel", x, {"units": "keV"})}
    )
    spectrum = sources.attach(
        spectrum, "energy", {Source(id="warm-up", label="", units="keV"): 0.01 + 0.0 * x}, ("channel",)
    )
    find(spectrum, axis="energy")
    noise_of(signal)
    baseline.arpls(spectrum)
    evaluate(fit(spectrum, model, params, axis="energy"))
    return time.perf_counter() - began


def main() -> None:
    """Say what is being done, do it, say how long it took."""
    sys.stdout.write("compiling the fit kernel (about half a minute the first time, cached afterwards) ... ")
    sys.stdout.flush()
    sys.stdout.write(f"done in {warm_up():.1f} s\n")


if __name__ == "__main__":
    main()
