"""Baselines by clipping peaks against their surroundings.

Solved by pybaselines. Not here: methods with a penalty (`analysis.baseline.whittaker`).
"""

import xarray as xr
from pybaselines import Baseline

from analysis.baseline.door import Array, estimate, one_by_one
from analysis.core import CHANNEL, SpectrumError, require_spectrum


def snip(spectrum: xr.Dataset | xr.DataArray, *, half_window: int = 40, decreasing: bool = True) -> xr.DataArray:
    """Estimate the baseline of each spectrum by statistics-sensitive non-linear iterative peak clipping.

    For window half-widths m one after the other, each sample becomes the smaller of itself and the mean of the
    samples m channels to its left and right. Beyond the ends the spectrum is continued by straight lines. The result
    runs along the lower edge of the noise. Nothing iterates to convergence, so `converged` is always true.

    Parameters
    ----------
    spectrum:
        Spectra, dims `(*batch, channel)`, any units.
    half_window:
        Widest m in channels, about the half-width of the widest peak at its foot, >= 1 and at most (channels − 1) / 2.
    decreasing:
        From wide to narrow (smoother, Morháč) or from narrow to wide (Ryan).

    Returns
    -------
    :
        `baseline`, dims and units of the signal, with the coordinate `converged` per spectrum.

    Raises
    ------
    SpectrumError
        If `half_window` is out of range or a sample is not finite.

    References
    ----------
    Ryan et al., Nucl. Instrum. Methods B 34 (1988) 396, doi:10.1016/0168-583X(88)90063-8; Morháč and Matoušek, Appl.
    Spectrosc. 62 (2008) 91, doi:10.1366/000370208783412762.
    """
    channels = require_spectrum(spectrum).sizes[CHANNEL]
    widest = (channels - 1) // 2
    if not 1 <= half_window <= widest:
        msg = f"half_window must be 1 to {widest} for {channels} channels, got {half_window}. Take the foot of a peak"
        raise SpectrumError(msg)

    def run(solver: Baseline, row: Array) -> tuple[Array, bool]:
        found, _ = solver.snip(row, max_half_window=half_window, decreasing=decreasing)
        return found, True

    settings = {"half_window": half_window, "decreasing": decreasing}
    return estimate(spectrum, one_by_one(run), name="snip", settings=settings)
