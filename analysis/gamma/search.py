"""Search for peaks by the limits of Currie.

Not here: their fit (`analysis.gamma.photopeak`).
Reference: Currie, Anal. Chem. 40 (1968) 586, doi:10.1021/ac60259a007.
"""

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy import stats

from analysis.core import SpectrumError
from analysis.gamma.counting import require_counts

__all__ = ["search"]

Floats = npt.NDArray[np.float64]
LEAST_FWHM = 2.0
FEWEST = 10.0  # counts at the sides of a window for the normal distribution to hold


def search(
    spectrum: xr.Dataset | xr.DataArray, fwhm: float | Callable[[Floats], Floats], *, probability: float = 1e-4
) -> xr.Dataset:
    """Find peaks: windows whose net counts exceed Currie's critical level.

    A window of 1.2 FWHM to both sides of a channel is compared with the straight line between the windows
    beside it; a peak stands where the excess over its standard deviation has a maximum above the limit.

    Parameters
    ----------
    spectrum:
        One spectrum of raw counts with the coordinate `pixel`.
    fwhm:
        Of a peak, in channels: a number, or a function of the channel.
    probability:
        Of an error of the first kind in one window.

    Returns
    -------
    :
        Dims `(peak,)`: `pixel` (centroid of the window), `net`, `u_net`, `critical` (level), `detection` (limit for
        the same probability of an error of the second kind), in counts.

    Raises
    ------
    SpectrumError
        If the spectrum or a setting cannot be used.
    """
    x, y = require_counts(spectrum, "pixel")
    if not 0.0 < probability < 0.5:  # noqa: PLR2004
        msg = f"probability must lie within (0, 0.5), got {probability:g}"
        raise SpectrumError(msg)
    widths = np.broadcast_to(np.asarray(fwhm(x) if callable(fwhm) else fwhm, dtype=float), x.shape)
    if not (np.isfinite(widths).all() and widths.min() >= LEAST_FWHM and 8 * widths.max() < x.size):
        msg = (
            f"fwhm must be {LEAST_FWHM:g} channels at least and an eighth of the {x.size} channels at most, got "
            f"{widths.min():g} to {widths.max():g}"
        )
        raise SpectrumError(msg)
    half = np.maximum(1, np.round(1.2 * widths)).astype(int)
    net, variance, beside = _windows(y, half)
    k = float(stats.norm.isf(probability))
    excess = np.where(beside >= FEWEST, net / np.sqrt(np.maximum(variance, 1.0)), 0.0)
    kept = _tops(excess, k, half)
    rows = [_row(x, y, i, half[i]) for i in kept]
    critical = k * np.sqrt(variance[kept])
    return xr.Dataset(
        {
            "net": ("peak", net[kept], {"units": "1"}),
            "u_net": ("peak", np.sqrt(np.maximum(net[kept], 0.0) + variance[kept]), {"units": "1"}),
            "critical": ("peak", critical, {"units": "1"}),
            "detection": ("peak", k * k + 2.0 * critical, {"units": "1"}),
        },
        coords={"pixel": ("peak", np.array(rows, dtype=float), {"units": "1"})},
        attrs={"probability": probability},
    )


def _windows(y: Floats, half: npt.NDArray[np.int_]) -> tuple[Floats, Floats, Floats]:
    """Return net counts, their variance without a peak, and the counts beside, NaN-free; 0 near the ends."""
    total = np.r_[0.0, np.cumsum(y)]
    i = np.arange(y.size)
    first, last = i - 2 * half, i + 2 * half + 1
    inside = (first >= 0) & (last <= y.size)
    whole = total[np.clip(last, 0, y.size)] - total[np.clip(first, 0, y.size)]
    gross = total[np.clip(i + half + 1, 0, y.size)] - total[np.clip(i - half, 0, y.size)]
    beside = np.where(inside, whole - gross, 0.0)
    ratio = (2 * half + 1) / (2 * half)
    return np.where(inside, gross - ratio * beside, 0.0), beside * ratio * (1.0 + ratio), beside


def _tops(excess: Floats, k: float, half: npt.NDArray[np.int_]) -> npt.NDArray[np.int_]:
    found = [
        i
        for i in np.flatnonzero(excess > k)
        if excess[i] == excess[max(0, i - half[i]) : i + half[i] + 1].max() and excess[i] > excess[i - 1]
    ]
    return np.array(found, dtype=int)


def _row(x: Floats, y: Floats, i: int, half: int) -> float:
    """Return the centroid above the mean of both sides."""
    inside = slice(i - half, i + half + 1)
    base = (y[i - 2 * half : i - half].sum() + y[i + half + 1 : i + 2 * half + 1].sum()) / (2 * half)
    weights = np.maximum(y[inside] - base, 0.0)
    return float(x[i]) if math.isclose(weights.sum(), 0.0) else float((weights * x[inside]).sum() / weights.sum())
