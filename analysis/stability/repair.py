"""Readings made ready: stamped readings on an even grid, counters that wrapped, outliers, jumps of frequency.

Nothing is repaired in silence: what is taken out becomes NaN and is counted in `advice`.

Not here: drift (`analysis.stability.drift`).

References: NIST SP 1065 (Riley 2008), 10.9 (outliers by the median absolute deviation) and 10.13 (jumps).
"""

import numpy as np
import numpy.typing as npt
import xarray as xr

from analysis.core import SpectrumError, history
from analysis.stability.estimate import recorded
from analysis.stability.series import Array, Data, read_series

_MAD = 0.6744897501960817
_AROUND = 2
_AMBIGUOUS = 0.4
_WINDOWS = 8
_MOST_GRID = 200_000_000


def on_grid(data: npt.ArrayLike, times: npt.ArrayLike, *, rate: float, tolerance: float = 0.05) -> xr.Dataset:
    """Put readings with time stamps on an even grid, NaN where none was taken.

    Parameters
    ----------
    data:
        Readings, in the order of `times`.
    times:
        Time stamps in s, ascending, each used once.
    rate:
        Samples per second of the grid, which begins at the first time.
    tolerance:
        How far a stamp may lie from its place, in steps of the grid; below 0.5.

    Returns
    -------
    :
        `signal` over `time`, NaN in the gaps; `advice` says how many.

    Raises
    ------
    SpectrumError
        If stamps are not finite or ascending, miss the grid, fall on one place, or the grid would be too long.
    """
    values, at = np.asarray(data, dtype=float), np.asarray(times, dtype=float)
    if values.ndim != 1 or values.shape != at.shape or at.size == 0 or not (rate > 0 and 0 < tolerance < 0.5):  # noqa: PLR2004
        msg = f"wanted readings with one time each, rate > 0, tolerance in (0, 0.5); got {values.shape} and {at.shape}"
        raise SpectrumError(msg)
    if not np.isfinite(at).all() or (np.diff(at) <= 0).any():
        msg = "times must be finite and ascending; got a stamp not after the one before. Sort them, drop copies"
        raise SpectrumError(msg)
    places = (at - at[0]) * rate
    if places[-1] >= _MOST_GRID:
        msg = f"the grid would have {places[-1]:.3g} places, more than {_MOST_GRID}; check rate and units of times"
        raise SpectrumError(msg)
    whole = np.rint(places).astype(np.int64)
    off = np.abs(places - whole)
    if off.max() > tolerance or (np.diff(whole) == 0).any():
        msg = (
            f"time stamps must lie within {tolerance} steps of the grid and apart; the worst is off by {off.max():.3g} "
            f"steps of 1/rate = {1 / rate:g} s. Correct rate, or resample knowingly"
        )
        raise SpectrumError(msg)
    signal = np.full(whole[-1] + 1, np.nan)
    signal[whole] = values
    missing = int(np.isnan(signal).sum())
    result = _signal(signal, rate, start=float(at[0])).assign_attrs(advice=f"{missing} of {signal.size} are missing.")
    inputs = {"data": xr.DataArray(values), "times": xr.DataArray(at)}
    return history.record(
        result, "stability.on_grid", settings={"rate": float(rate), "tolerance": tolerance}, inputs=inputs
    )


def unwrap(data: Data, *, rate: float, period: float) -> xr.Dataset:
    """Continue the phase of a counter that starts again after `period`.

    Parameters
    ----------
    data:
        Phase, evenly sampled; a wrap across a gap cannot be told and is refused.
    rate:
        Samples per second.
    period:
        What the counter loses when it wraps, in units of `data`.

    Returns
    -------
    :
        `signal` over `time`; `advice` says how many wraps.

    Raises
    ------
    SpectrumError
        If there are gaps, the period is not positive, or steps come near half a period, where wraps are ambiguous.
    """
    series = read_series(data, rate=rate, kind="phase", level=False)
    values = np.asarray(data["signal"] if isinstance(data, xr.Dataset) else data, dtype=float)
    if not period > 0 or series.gaps:
        msg = f"unwrap needs every sample and a period above 0; got period={period}, gaps={series.gaps}. Cut at the gap"
        raise SpectrumError(msg)
    steps = np.diff(values)
    wraps = np.rint(steps / period)
    left = np.abs(steps - wraps * period)
    if left.max() > _AMBIGUOUS * period:
        msg = f"a step of {left.max():g} is near half the period {period:g}: sample faster, or check the period"
        raise SpectrumError(msg)
    whole = values - period * np.concatenate([[0.0], np.cumsum(wraps)])
    result = _signal(whole, rate, like=data).assign_attrs(
        advice=f"{int(np.abs(wraps).sum())} wraps of {period:g} were undone."
    )
    return recorded(result, "unwrap", {"rate": float(rate), "period": float(period)}, data)


def remove_outliers(data: Data, *, rate: float, kind: str = "phase", limit: float = 5.0) -> xr.Dataset:
    """Replace outliers by NaN: further than `limit` robust standard deviations (median absolute deviation).

    Frequencies are held against their median; phases against the median of five around, so that a step stays.

    Parameters
    ----------
    data:
        Phase or frequency, evenly sampled; gaps stay gaps.
    rate:
        Samples per second.
    kind:
        `"phase"` or `"frequency"`.
    limit:
        How many robust standard deviations are allowed.

    Returns
    -------
    :
        `signal` and `outlier` over `time`; `advice` says how many.

    Raises
    ------
    SpectrumError
        If the data cannot be used, more than half of them are equal, or `limit` is not above 0.
    """
    read_series(data, rate=rate, kind=kind)
    values = np.asarray(data["signal"] if isinstance(data, xr.Dataset) else data, dtype=float)
    away = values - (np.nanmedian(values) if kind == "frequency" else _running_median(values))
    spread = float(np.nanmedian(np.abs(away))) / _MAD
    if not limit > 0 or not spread > 0:
        msg = f"limit must be above 0 and the readings must vary; got limit={limit}, robust spread {spread:g}"
        raise SpectrumError(msg)
    outlier = np.abs(away) > limit * spread
    result = _signal(np.where(outlier, np.nan, values), rate, like=data)
    result["outlier"] = ("time", outlier)
    result.attrs["advice"] = f"{int(outlier.sum())} of {values.size} were taken out as outliers."
    return recorded(result, "remove_outliers", {"rate": float(rate), "kind": kind, "limit": limit}, data)


def _running_median(values: Array) -> Array:
    padded = np.pad(values, _AROUND, constant_values=np.nan)
    around = np.lib.stride_tricks.sliding_window_view(padded, 2 * _AROUND + 1)
    known = ~np.isnan(around).all(axis=1)
    result = np.full(values.size, np.nan)
    result[known] = np.nanmedian(around[known], axis=1)
    return result


def jumps(data: Data, *, rate: float, window: float, kind: str = "phase", limit: float = 5.0) -> xr.Dataset:
    """Find jumps of frequency: adjacent means over `window` that differ by more than their own kind allows.

    The spread of such differences is estimated from all of them (median absolute deviation), so that the test holds
    under coloured noise too; it is that of the Allan deviation at `window`.

    Parameters
    ----------
    data:
        Phase or frequency, evenly sampled; no gaps.
    rate:
        Samples per second.
    window:
        Length of the means in s; longer windows find smaller jumps and tell near ones less apart.
    kind:
        `"phase"` or `"frequency"`.
    limit:
        How many robust standard deviations a difference must exceed.

    Returns
    -------
    :
        Over `jump`: its `time` in s, `size` in units of frequency and its standard uncertainty `u`.

    Raises
    ------
    SpectrumError
        If there are gaps, or the record is shorter than 8 windows.
    """
    series = read_series(data, rate=rate, kind=kind)
    m = round(window * series.rate)
    if series.gaps or m < 1 or series.phase.size < _WINDOWS * m or not limit > 0:
        msg = (
            f"jumps needs no gaps, 8 windows of 1/rate or more and limit > 0; got {series.phase.size} phases, {m} each"
        )
        raise SpectrumError(msg)
    phase = series.phase
    moved = (phase[2 * m :] - 2 * phase[m:-m] + phase[: -2 * m]) * series.rate / m
    middle = float(np.median(moved))
    u = float(np.median(np.abs(moved - middle))) / _MAD
    strength = np.abs(moved - middle)
    found = []
    while strength.size and strength.max() > limit * u:
        at = int(np.argmax(strength))
        found.append(at)
        strength[max(at - m, 0) : at + m + 1] = 0.0
    found.sort()
    unit = {"units": series.units}
    places = {"units": "s", "long_name": "time of the jump"}
    result = xr.Dataset(
        {
            "size": ("jump", moved[found], {**unit, "long_name": "jump of frequency"}),
            "u": ("jump", np.full(len(found), u), {**unit, "long_name": "standard uncertainty"}),
        },
        coords={"time": ("jump", (np.array(found, dtype=float) + m) / series.rate, places)},
    )
    settings = {"rate": series.rate, "kind": kind, "window": m / series.rate, "limit": limit}
    return recorded(result, "jumps", settings, data)


def _signal(values: Array, rate: float, *, start: float = 0.0, like: Data | None = None) -> xr.Dataset:
    source = like["signal"] if isinstance(like, xr.Dataset) else like
    unit = str(source.attrs.get("units", "1")) if isinstance(source, xr.DataArray) else "1"
    times = ("time", start + np.arange(values.size) / rate, {"units": "s", "long_name": "time"})
    return xr.Dataset({"signal": ("time", values, {"units": unit})}, coords={"time": times})
