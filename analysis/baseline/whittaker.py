"""Baselines by penalised least squares (Whittaker smoothing with asymmetric weights).

All minimise Σ w (y − z)² + λ Σ (Δ² z)² and differ in how the weights follow from y − z. λ grows with the fourth power
of the width, in channels, of what is to stay in the signal. Solved by `analysis.baseline.banded`.
Not here: smoothing (`analysis.preprocess`), subtraction (`analysis.baseline.subtract`).
"""

import math

import numpy as np
import xarray as xr

from analysis.baseline import kernel_cache
from analysis.baseline.door import Array, Flags, Method, estimate, require_between, require_iterations, unsolvable


def asls(
    spectrum: xr.Dataset | xr.DataArray,
    *,
    lam: float = 1e6,
    p: float = 0.01,
    max_iterations: int = 50,
    tolerance: float = 1e-3,
) -> xr.DataArray:
    """Estimate the baseline of each spectrum by asymmetric least squares.

    Parameters
    ----------
    spectrum:
        Spectra, dims `(*batch, channel)`, any units.
    lam:
        Smoothness penalty, dimensionless, > 0.
    p:
        Weight of channels above the baseline, in (0, 1); those below have 1 − p.
    max_iterations:
        Reweighting steps at most, >= 1.
    tolerance:
        Relative change of the weights at which it stops, > 0.

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
    Eilers, Anal. Chem. 75 (2003) 3631, doi:10.1021/ac034173t.
    """
    _require(lam, max_iterations, tolerance)
    require_between("p", p, 0.0, 1.0)

    settings = {"lam": lam, "p": p, "max_iterations": max_iterations, "tolerance": tolerance}
    return estimate(spectrum, _banded("ASLS", **settings), name="asls", settings=settings)


def arpls(
    spectrum: xr.Dataset | xr.DataArray, *, lam: float = 1e5, max_iterations: int = 100, tolerance: float = 1e-3
) -> xr.DataArray:
    """Estimate the baseline of each spectrum by asymmetrically reweighted penalised least squares.

    The weights are a logistic function of y − z against the mean and standard deviation of its negative part, so
    noise is followed through its middle; there is no asymmetry to choose.

    Parameters
    ----------
    spectrum:
        Spectra, dims `(*batch, channel)`, any units.
    lam:
        Smoothness penalty, dimensionless, > 0.
    max_iterations:
        Reweighting steps at most, >= 1.
    tolerance:
        Relative change of the weights at which it stops, > 0.

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
    Baek, Park, Ahn and Choo, Analyst 140 (2015) 250, doi:10.1039/C4AN01061B.
    """
    _require(lam, max_iterations, tolerance)

    settings = {"lam": lam, "max_iterations": max_iterations, "tolerance": tolerance}
    return estimate(spectrum, _banded("ARPLS", **settings), name="arpls", settings=settings)


def airpls(
    spectrum: xr.Dataset | xr.DataArray, *, lam: float = 1e6, max_iterations: int = 100, tolerance: float = 1e-3
) -> xr.DataArray:
    """Estimate the baseline of each spectrum by adaptive iteratively reweighted penalised least squares.

    Channels above the baseline get weight 0, those below a weight that grows with depth and iteration; the
    result runs along the lower edge of the noise.

    Parameters
    ----------
    spectrum:
        Spectra, dims `(*batch, channel)`, any units.
    lam:
        Smoothness penalty, dimensionless, > 0.
    max_iterations:
        Reweighting steps at most, >= 1.
    tolerance:
        Sum of the negative residuals relative to the sum of the signal at which it stops, > 0.

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
    Zhang, Chen and Liang, Analyst 135 (2010) 1138, doi:10.1039/B922045C.
    """
    _require(lam, max_iterations, tolerance)

    settings = {"lam": lam, "max_iterations": max_iterations, "tolerance": tolerance}
    return estimate(spectrum, _banded("AIRPLS", **settings), name="airpls", settings=settings)


def _require(lam: float, max_iterations: int, tolerance: float) -> None:
    require_between("lam", lam, 0.0, math.inf)
    require_between("tolerance", tolerance, 0.0, math.inf)
    require_iterations(max_iterations)


def _banded(kind: str, *, lam: float, max_iterations: float, tolerance: float, p: float = 0.0) -> Method:
    def run(rows: Array) -> tuple[Array, Flags]:
        banded = kernel_cache.load("banded")
        found, converged = np.empty_like(rows), np.empty(rows.shape[0], dtype=bool)
        failed = banded.solve_rows(
            rows, getattr(banded, kind), float(lam), float(p), int(max_iterations), float(tolerance), found, converged
        )
        if failed:
            why = f"{failed} of {rows.shape[0]} are not positive definite"
            raise unsolvable(why)
        return found, converged | ~rows.any(axis=1)

    return run
