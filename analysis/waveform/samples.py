"""What comes in: records of evenly spaced samples, one or many, and what is refused.

Not here: what is computed from them.
"""

from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from analysis.core import CHANNEL, SpectrumError, units

__all__ = ["Array", "Samples", "read_samples", "require_number", "require_rate", "require_unwrapped"]

Array = npt.NDArray[np.float64]
Samples = xr.Dataset | xr.DataArray | npt.ArrayLike
_UNEVEN = 1e-3  # largest step in time over the mean step, less 1
_WRAP, _SMALL = 0.7, 0.2  # of the span: a step that a wrap takes, and what most others stay below


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
    if not require_number(rate, "rate") > 0:
        msg = f"rate must be a finite number of samples per second > 0, got {rate!r}"
        raise SpectrumError(msg)
    return float(rate)


def require_number(given: object, name: str) -> float:
    """Refuse what is no finite number.

    Parameters
    ----------
    given:
        What the user passed.
    name:
        Of the setting, for the message.

    Returns
    -------
    :
        The number.

    Raises
    ------
    SpectrumError
        If it is text, an array, missing or infinite.
    """
    if isinstance(given, bool) or not isinstance(given, Real) or not np.isfinite(float(given)):
        msg = f"{name} must be a finite number, got {given!r}; give it without quotes, in the units that are documented"
        raise SpectrumError(msg)
    return float(given)


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
        If samples are no real numbers, too few, missing, infinite, not evenly spaced in time, or clipped.
    """
    found = _labelled(samples)
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


def require_unwrapped(found: xr.DataArray) -> None:
    """Refuse a record of a sine whose codes ran over their range and began again at the other end.

    Parameters
    ----------
    found:
        Dims `(*batch, channel)`. Single samples that stand apart (sparkle codes) are not wraps.

    Raises
    ------
    SpectrumError
        If steps of nearly the whole span stand alone among small ones, which no sine and no white noise has.
    """
    for row in found.values.reshape(-1, found.shape[-1]):
        span = float(np.ptp(row))
        steps = np.abs(np.diff(row))
        large = np.concatenate([[False], steps > _WRAP * span, [False]])
        wraps = int((large[1:-1] & ~large[2:] & ~large[:-2]).sum())
        between = int(((steps > 0.5 * _WRAP * span) & (steps <= _WRAP * span)).sum())
        if wraps > 1 and wraps > 2 * between and np.median(steps) < _SMALL * span:
            msg = (
                f"the record wraps: {wraps} steps between neighbours take nearly its whole span of {span:g}; lower the "
                "amplitude, or undo the wraps with stability.unwrap"
            )
            raise SpectrumError(msg)


def _labelled(samples: Samples) -> xr.DataArray:
    if isinstance(samples, xr.Dataset) and "signal" not in samples:
        msg = f"a record is the variable 'signal' of a Dataset, got {list(samples.data_vars)}; rename it"
        raise SpectrumError(msg)
    found = samples["signal"] if isinstance(samples, xr.Dataset) else samples
    values: Any = np.asarray(found.values if isinstance(found, xr.DataArray) else found)
    if values.dtype.kind not in "fiu":
        msg = f"samples must be real numbers, got dtype {values.dtype}; convert text, split complex ones"
        raise SpectrumError(msg)
    if isinstance(found, xr.DataArray):
        return found
    dims = [f"dim_{k}" for k in range(values.ndim - 1)]
    return xr.DataArray(values, dims=[*dims, CHANNEL] if values.ndim else [])


def _require_even(found: xr.DataArray, rate: float) -> None:
    if "time" not in found.coords or found["time"].dims != (found.dims[-1],):
        return
    stamps = found["time"].values
    dated = stamps.dtype.kind == "M"
    scale = 1e-9 if dated else units.factor(str(found["time"].attrs.get("units", "s")), "s")
    steps = np.diff(stamps.astype("datetime64[ns]").astype(np.int64) if dated else stamps.astype(float)) * scale
    if not np.abs(steps * rate - 1.0).max() <= _UNEVEN:
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
