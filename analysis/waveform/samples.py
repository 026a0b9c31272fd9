"""What comes in: records of evenly spaced samples, one or many, and what is refused.

Not here: what is computed from them.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from analysis.core import CHANNEL, SpectrumError

__all__ = ["Array", "Samples", "read_samples", "require_rate"]

Array = npt.NDArray[np.float64]
Samples = xr.Dataset | xr.DataArray | npt.ArrayLike
_UNEVEN = 1e-3  # largest step in time over the mean step, less 1


def require_rate(rate: float) -> float:
    """Refuse a rate of samples that is none.

    Parameters
    ----------
    rate:
        Samples per second.

    Returns
    -------
    :
        The rate.

    Raises
    ------
    SpectrumError
        If it is not finite and > 0.
    """
    something: Any = rate
    if np.ndim(something) or isinstance(something, bool) or not np.isfinite(something) or something <= 0:
        msg = f"rate must be a finite number of samples per second > 0, got {rate!r}"
        raise SpectrumError(msg)
    return float(rate)


def read_samples(samples: Samples, *, rate: float, least: int, clipped: bool = True) -> xr.DataArray:
    """Return records as an array whose last dim is the sample.

    Parameters
    ----------
    samples:
        `signal` of a Dataset, a DataArray, or an array; the last dim is time.
    rate:
        Samples per second.
    least:
        Samples that are needed.
    clipped:
        Whether a record may stand at its highest or lowest value for three samples and more in many places.

    Returns
    -------
    :
        Dims `(*batch, channel)`; its units are those of the samples, or "1".

    Raises
    ------
    SpectrumError
        If samples are too few, missing, infinite, not evenly spaced in time, or clipped.
    """
    found = samples["signal"] if isinstance(samples, xr.Dataset) else samples
    if not isinstance(found, xr.DataArray):
        values = np.asarray(found, dtype=float)
        dims = [f"dim_{k}" for k in range(values.ndim - 1)]
        found = xr.DataArray(values, dims=[*dims, CHANNEL] if values.ndim else [])
    if not found.ndim or found.shape[-1] < least:
        msg = f"a record needs {least} samples or more along its last dim, got shape {found.shape}"
        raise SpectrumError(msg)
    lost = int((~np.isfinite(found.values)).sum())
    if lost:
        msg = f"{lost} of {found.size} samples are missing or infinite; cut the record where it is whole"
        raise SpectrumError(msg)
    _require_even(found, rate)
    if not clipped:
        _require_unclipped(found)
    return found.transpose(..., found.dims[-1]).astype(float)


def _require_even(found: xr.DataArray, rate: float) -> None:
    if "time" not in found.coords or found["time"].dims != (found.dims[-1],):
        return
    steps = np.diff(found["time"].values.astype(float))
    if np.abs(steps * rate - 1.0).max() > _UNEVEN:
        msg = (
            f"the coordinate time has steps of {steps.min():g} to {steps.max():g} s, the rate says {1 / rate:g} s; "
            "resample the record, or give its rate"
        )
        raise SpectrumError(msg)


def _require_unclipped(found: xr.DataArray) -> None:
    values = found.values.reshape(-1, found.shape[-1])
    for row in values:
        levels = np.unique(row)
        if levels.size < 3:  # noqa: PLR2004 - a converter of one bit is no clipped one
            continue
        for extreme, beside in ((levels[0], levels[1]), (levels[-1], levels[-2])):
            # a sine stays longest in its extreme codes, but less than three times as long as in the code beside
            at, near = int((row == extreme).sum()), int((row == beside).sum())
            if at > 8 and at > 5 * near and at > 0.01 * row.size:  # noqa: PLR2004 - chance, and the arcsine law
                msg = f"the record is clipped: {at} of {row.size} samples stand at {extreme:g}; lower the amplitude"
                raise SpectrumError(msg)
