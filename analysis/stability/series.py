"""What comes in: phase or frequency, evenly sampled, with gaps; and the averaging times that are asked for.

Not here: the statistics (`analysis.stability.estimate`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import xarray as xr

from analysis.core import SpectrumError, did_you_mean, units

Array = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]
Data = xr.Dataset | xr.DataArray | npt.ArrayLike
Kind = Literal["phase", "frequency"]
Taus = Literal["octave", "decade", "all"] | Sequence[float] | npt.NDArray[np.float64]
_UNEVEN = 1e-3
_BLOCK = 1 << 15
_SHORTEST = 3
_MOST_ALL = 100_000


@dataclass(frozen=True, kw_only=True)
class Series:
    """Phase without its mean slope, and where samples are missing.

    A term that uses the samples i to j is whole if ``missing_before[i] == missing_until[j]``.
    """

    phase: Array
    missing_before: Counts | None
    missing_until: Counts | None
    rate: float
    kind: Kind
    units: str

    @property
    def gaps(self) -> bool:
        """Whether samples are missing."""
        return self.missing_before is not None


def read_series(data: Data, *, rate: float, kind: str, level: bool = True) -> Series:
    """Check data and turn them into phase, less its mean slope if `level`; errors say what to do."""
    given: object = rate
    if not (isinstance(given, int | float | np.number) and np.isfinite(rate) and rate > 0):
        msg = f"rate must be a finite number of samples per second above 0; got {rate!r}. Give 1/tau0"
        raise SpectrumError(msg)
    if kind not in ("phase", "frequency"):
        msg = f"kind must be 'phase' or 'frequency'; got {kind!r}.{did_you_mean(str(kind), ('phase', 'frequency'))}"
        raise SpectrumError(msg)
    values, unit = _values(data, rate)
    absent = np.isnan(values)
    if np.isinf(values).any() or (~absent).sum() < _SHORTEST:
        msg = (
            f"data must have at least {_SHORTEST} finite samples and no infinite ones; got {int((~absent).sum())} of "
            f"{values.size}. Write NaN where a sample is missing"
        )
        raise SpectrumError(msg)
    gaps = bool(absent.any())
    if kind == "frequency":
        return _from_frequency(
            values - (np.nanmean(values) if level else 0.0), absent if gaps else None, rate=rate, unit=unit
        )
    seconds = units.factor(unit, "s") if unit != "1" and units.same_dimension(unit, "s") else 1.0
    unit = "1" if unit == "1" or units.same_dimension(unit, "s") else units.multiply(unit, "s", power=-1)
    until = np.cumsum(absent) if gaps else None
    scaled = values * seconds if seconds != 1.0 else values
    return Series(
        phase=_levelled(scaled, absent) if level else scaled,
        missing_before=None if until is None else until - absent,
        missing_until=until,
        rate=float(rate),
        kind="phase",
        units=unit,
    )


def _from_frequency(values: Array, absent: npt.NDArray[np.bool_] | None, *, rate: float, unit: str) -> Series:
    count = None
    if absent is not None:
        values[absent] = 0.0
        count = np.concatenate([[0], np.cumsum(absent)])
    phase = np.empty(values.size + 1)
    phase[0] = 0.0
    np.cumsum(values, out=phase[1:])
    phase /= rate
    return Series(
        phase=phase, missing_before=count, missing_until=count, rate=float(rate), kind="frequency", units=unit
    )


def _values(data: Data, rate: float) -> tuple[Array, str]:
    if isinstance(data, xr.Dataset):
        if "signal" not in data:
            msg = f"a dataset must hold 'signal'; got {sorted(map(str, data.data_vars))}. Pass one of its variables"
            raise SpectrumError(msg)
        data = data["signal"]
    unit = str(data.attrs.get("units", "1")) if isinstance(data, xr.DataArray) else "1"
    if isinstance(data, xr.DataArray):
        _require_even(data, rate)
    try:
        values = np.asarray(data, dtype=float)
    except (TypeError, ValueError) as error:
        msg = f"data must be numbers; got {type(data).__name__} ({error}). Pass one array of readings"
        raise SpectrumError(msg) from error
    if values.ndim != 1:
        msg = f"data must have one dimension; got shape {values.shape}. Pass one series at a time"
        raise SpectrumError(msg)
    return values, units.require_units(unit)


def _require_even(data: xr.DataArray, rate: float) -> None:
    if "time" not in data.coords:  # `coords.get` would make one up for the dimension
        return
    times = data.coords["time"]
    if times.ndim != 1 or times.size < 2 or not np.issubdtype(times.dtype, np.number):  # noqa: PLR2004
        return
    steps = np.diff(times.values.astype(float)) * units.factor(str(times.attrs.get("units", "s")), "s") * rate
    if not np.allclose(steps, 1.0, atol=_UNEVEN):
        msg = (
            f"time must advance by 1/rate = {1 / rate:g} s; its steps are {steps.min() / rate:g} to "
            f"{steps.max() / rate:g} s. Put the readings on an even grid with NaN in the gaps"
        )
        raise SpectrumError(msg)


def _levelled(values: Array, absent: npt.NDArray[np.bool_]) -> Array:
    first, last = int(np.argmin(absent)), values.size - 1 - int(np.argmin(absent[::-1]))
    slope = (values[last] - values[first]) / (last - first)
    level, ramp = values[first] - slope * first, np.arange(_BLOCK, dtype=float)
    result = np.empty_like(values)
    for start in range(0, values.size, _BLOCK):
        part = values[start : start + _BLOCK]
        result[start : start + _BLOCK] = part - (level + slope * (start + ramp[: part.size]))
    return result


def averaging_factors(taus: Taus, *, rate: float, largest: int) -> Counts:
    """Return the averaging times in samples, ascending, each at most `largest`."""
    if isinstance(taus, str):
        return _named(taus, largest)
    wanted = np.atleast_1d(np.asarray(taus, dtype=float))
    factors = wanted * rate
    whole = np.rint(factors)
    bad = ~np.isfinite(wanted) | (whole < 1) | (np.abs(factors - whole) > _UNEVEN * np.maximum(whole, 1))
    if wanted.size == 0 or wanted.ndim != 1 or bad.any():
        shown = wanted[bad][:3].tolist() if wanted.ndim == 1 else wanted.shape
        msg = f"taus must be whole multiples of 1/rate = {1 / rate:g} s; got {shown}. Or say 'octave', 'decade', 'all'"
        raise SpectrumError(msg)
    if whole.max() > largest:
        msg = (
            f"taus must not exceed {largest / rate:g} s for so many samples; got {whole.max() / rate:g} s. "
            "Leave the longest out or measure longer"
        )
        raise SpectrumError(msg)
    return np.unique(whole).astype(np.int64)


def _named(taus: str, largest: int) -> Counts:
    powers = np.arange(int(np.log2(max(largest, 1))) + 1)
    if taus == "octave":
        found = 2**powers
    elif taus == "decade":
        decades = 10 ** np.arange(int(np.log10(max(largest, 1))) + 1)
        found = np.sort(np.outer(decades, [1, 2, 4]).ravel())
    elif taus == "all":
        found = np.arange(1, min(largest, _MOST_ALL) + 1)
        if largest > _MOST_ALL:
            msg = f"'all' takes at most {_MOST_ALL} averaging times; got {largest}. Use 'octave' or a list"
            raise SpectrumError(msg)
    else:
        options = ("octave", "decade", "all")
        msg = f"taus must be 'octave', 'decade', 'all' or times in s; got {taus!r}.{did_you_mean(taus, options)}"
        raise SpectrumError(msg)
    found = found[found <= largest]
    if not found.size:
        msg = "the series is too short for any averaging time; measure at least 4 phases or 3 frequencies"
        raise SpectrumError(msg)
    return found.astype(np.int64)
