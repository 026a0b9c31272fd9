"""Power spectral densities with units, their bandwidth and their uncertainty.

Reference: Welch, IEEE Trans. Audio Electroacoust. 15 (1967) 70, doi:10.1109/TAU.1967.1161901. Not here: lines of a sine
(`analysis.waveform.digitiser`).
"""

import math
from typing import Any

import numpy as np
import xarray as xr
from scipy import signal

from analysis.core import SpectrumError
from analysis.core import units as unit_rules
from analysis.waveform.samples import Samples, read_samples, require_rate

__all__ = ["psd"]


def psd(samples: Samples, *, rate: float, segment: int | None = None, window: str = "hann") -> xr.Dataset:
    """Estimate the one-sided power spectral density by averaging over half-overlapping segments.

    Parameters
    ----------
    samples:
        Dims `(*batch, channel)`.
    rate:
        Samples per second.
    segment:
        Samples of a segment, at least 8; None is an eighth of the record.
    window:
        Name of a window of `scipy.signal.get_window`.

    Returns
    -------
    :
        `psd` along `frequency` (Hz), in units of the samples squared per Hz: its integral is the variance; `u_psd`, its
        relative standard uncertainty being 1/sqrt(averages) with the overlap accounted for; `dof` of the chi-square
        distribution of each value; attributes `bandwidth` (equivalent noise bandwidth, Hz) and `averages`.

    Raises
    ------
    SpectrumError
        If there are too few samples, or there is no such window.
    """
    rate = require_rate(rate)
    found = read_samples(samples, rate=rate, least=16)
    length = max(8, found.shape[-1] // 8) if segment is None else int(segment)
    if not 8 <= length <= found.shape[-1]:  # noqa: PLR2004 - a window needs some samples
        msg = f"segment must lie between 8 and the {found.shape[-1]} samples of the record, got {segment}"
        raise SpectrumError(msg)
    try:
        shape: Any = signal.get_window(window, length)
    except ValueError as error:
        msg = f"no window {window!r}: {error}"
        raise SpectrumError(msg) from error
    frequency, density = signal.welch(found.values, fs=rate, window=shape, nperseg=length, noverlap=length // 2)
    averages = _averages(shape, found.shape[-1], length)
    units = str(found.attrs.get("units", "1"))
    squared = unit_rules.multiply(unit_rules.multiply(units, units), "Hz", power=-1)
    dof = np.full(frequency.size, 2.0 * averages)
    dof[0] = averages
    if length % 2 == 0:
        dof[-1] = averages
    dims = found.dims[:-1]
    coords = {str(key): each for key, each in found.coords.items() if found.dims[-1] not in each.dims}
    attrs = {"units": squared, "long_name": "power spectral density"}
    return xr.Dataset(
        {
            "psd": ((*dims, "frequency"), density, attrs),
            "u_psd": ((*dims, "frequency"), density * np.sqrt(2.0 / dof), attrs),
            "dof": ("frequency", dof),
        },
        coords=coords | {"frequency": ("frequency", frequency, {"units": "Hz"})},
        attrs={
            "bandwidth": float(rate * np.sum(shape**2) / np.sum(shape) ** 2), "averages": averages, "window": window,
            "segment": length,
        },
    )  # fmt: skip


def _averages(shape: np.ndarray[tuple[int], np.dtype[np.float64]], count: int, length: int) -> float:
    """Return how many independent segments the overlapping ones are worth."""
    hop = length - length // 2
    segments = 1 + (count - length) // hop
    power = float(np.sum(shape**2))
    shared = [
        (float(np.sum(shape[k * hop :] * shape[: length - k * hop])) / power) ** 2
        for k in range(1, math.ceil(length / hop))
    ]
    inflation = 1.0 + 2.0 * sum((1.0 - k / segments) * rho for k, rho in enumerate(shared, start=1) if k < segments)
    return segments / inflation
