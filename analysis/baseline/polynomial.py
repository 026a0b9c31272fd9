"""Baselines by polynomials fitted again and again to what lies below them.

The polynomial is in the channel number. Solved by pybaselines. Not here: smoothing splines and penalties
(`analysis.baseline.whittaker`).
"""

import math

import xarray as xr
from pybaselines import Baseline

from analysis.baseline.door import Array, estimate, has_converged, one_by_one, require_between, require_iterations
from analysis.core import CHANNEL, SpectrumError, require_spectrum

_HIGHEST = 20


def modpoly(
    spectrum: xr.Dataset | xr.DataArray, *, degree: int = 4, max_iterations: int = 500, tolerance: float = 1e-3
) -> xr.DataArray:
    """Estimate the baseline of each spectrum by a modified polynomial fit.

    A polynomial is fitted, what stands above it is cut down to it, and so on until it no longer changes.

    Parameters
    ----------
    spectrum:
        Spectra, dims `(*batch, channel)`, any units.
    degree:
        Degree of the polynomial, 0 to 20 and less than the number of channels.
    max_iterations:
        Fits at most, >= 1.
    tolerance:
        Relative change of the baseline at which it stops, > 0.

    Returns
    -------
    :
        `baseline`, dims and units of the signal, with the coordinate `converged` per spectrum.

    Raises
    ------
    SpectrumError
        If a setting is out of range or a sample is not finite.

    References
    ----------
    Lieber and Mahadevan-Jansen, Appl. Spectrosc. 57 (2003) 1363, doi:10.1366/000370203322554518; Gan, Ruan and Mo,
    Chemom. Intell. Lab. Syst. 82 (2006) 59, doi:10.1016/j.chemolab.2005.08.009.
    """
    channels = require_spectrum(spectrum).sizes[CHANNEL]
    if not 0 <= degree <= _HIGHEST or degree >= channels:
        msg = f"degree must be 0 to {_HIGHEST} and less than the {channels} channels, got {degree}. Usual are 2 to 6"
        raise SpectrumError(msg)
    require_between("tolerance", tolerance, 0.0, math.inf)
    require_iterations(max_iterations)

    def run(solver: Baseline, row: Array) -> tuple[Array, bool]:
        found, about = solver.modpoly(row, poly_order=degree, max_iter=max_iterations, tol=tolerance)
        return found, has_converged(about, tolerance)

    settings = {"degree": degree, "max_iterations": max_iterations, "tolerance": tolerance}
    return estimate(spectrum, one_by_one(run), name="modpoly", settings=settings)
