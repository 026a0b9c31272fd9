"""Removal of cosmic rays by the modified z-score of first differences.

Reference: Whitaker and Hayes, Chemom. Intell. Lab. Syst. 179 (2018) 82, doi:10.1016/j.chemolab.2018.06.009. Added
here: a spike must rise and fall again within `max_width` channels, so that sharp lines are not cut off.
Not here: smoothing (`analysis.preprocess.smooth`).
"""

from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import xarray as xr

from analysis.core import CHANNEL, SpectrumError, history, require_spectrum

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
_MAD_TO_SIGMA = 0.6745
_MEAN_TO_SIGMA = 0.7979
"""Iglewicz and Hoaglin's second choice, 1/1.253314, where more than half of the differences are equal."""


def despike(
    spectrum: xr.Dataset | xr.DataArray,
    *,
    threshold: float = 7.0,
    max_width: int = 2,
    neighbours: int = 3,
    replace: Literal["mean", "nan"] = "mean",
) -> xr.Dataset:
    """Replace cosmic rays in each spectrum.

    The first differences of a spectrum have the modified z-score 0.6745 (d − median d) / MAD. A spike is a group of
    scores beyond `threshold` that begins with a rise, ends with a fall and spans at most `max_width` channels; a line
    is wider than that. A spike on the first or last channel, or on the flank of a sharp line, is not found.

    Parameters
    ----------
    spectrum:
        Spectra, dims `(*batch, channel)`; NaN samples stay NaN.
    threshold:
        Modified z-score, dimensionless, > 0; lower finds more.
    max_width:
        Widest spike, in channels, >= 1. Weak lines of a lamp are hardly wider: do not despike a lamp.
    neighbours:
        Good channels on each side whose mean replaces a spike, >= 1.
    replace:
        `mean` of the good neighbours, or `nan`, which a fit leaves out. A mean tells a fit nothing new although it
        counts as a channel.

    Returns
    -------
    :
        The spectra with new `signal`, everything else (also `u_signal`) as it was, and `is_spike` (bool, dims of
        `signal`); the attribute `spikes_removed` is the number of replaced samples (absent for dask arrays).

    Raises
    ------
    SpectrumError
        If a setting is out of range.

    References
    ----------
    Whitaker and Hayes, Chemom. Intell. Lab. Syst. 179 (2018) 82, doi:10.1016/j.chemolab.2018.06.009.
    """
    dataset = require_spectrum(spectrum)
    _require_settings(threshold, max_width, neighbours, replace)
    settings = {"threshold": threshold, "max_width": max_width, "neighbours": neighbours, "replace": replace}
    signal, spikes = xr.apply_ufunc(
        _despike_block,
        dataset["signal"].astype(float),
        input_core_dims=[[CHANNEL]],
        output_core_dims=[[CHANNEL], [CHANNEL]],
        kwargs=settings,
        dask="parallelized",
        output_dtypes=[float, bool],
        keep_attrs=True,
    )
    result = dataset.assign(signal=signal, is_spike=spikes.assign_attrs(long_name="sample replaced by despike"))
    if signal.chunks is None:
        result.attrs["spikes_removed"] = int(spikes.sum())
    return history.record(result, "preprocess.despike", settings=settings, inputs={"spectrum": spectrum})


def _require_settings(threshold: float, max_width: int, neighbours: int, replace: str) -> None:
    if not threshold > 0:
        msg = f"threshold must be > 0, got {threshold}. Usual are 3.5 (finds more) to 10"
        raise SpectrumError(msg)
    if max_width < 1 or neighbours < 1:
        msg = (
            f"max_width and neighbours must be at least 1 channel, got {max_width} and {neighbours}. Usual are 2 and 3"
        )
        raise SpectrumError(msg)
    if replace not in {"mean", "nan"}:
        msg = f"replace must be 'mean' or 'nan', got {replace!r}. Choose one of them"
        raise SpectrumError(msg)


def _despike_block(
    block: Array, *, threshold: float, max_width: int, neighbours: int, replace: str
) -> tuple[Array, Mask]:
    rows = block.reshape(-1, block.shape[-1])
    found = np.zeros(rows.shape, dtype=bool)
    clean = rows.copy()
    beyond = _beyond(rows, threshold)
    for index in np.flatnonzero(beyond.any(axis=1)):
        found[index] = _spikes(rows[index], np.flatnonzero(beyond[index]), max_width)
        good = ~found[index] & np.isfinite(rows[index])
        for at in np.flatnonzero(found[index]).tolist():
            clean[index, at] = _mean_around(rows[index], good, at, neighbours) if replace == "mean" else np.nan
    return clean.reshape(block.shape), found.reshape(block.shape)


def _beyond(rows: Array, threshold: float) -> Mask:
    """Say which first differences have a modified z-score beyond the threshold, shape (spectra, channels - 1)."""
    steps = np.diff(rows, axis=-1)
    if not steps.size:
        return np.zeros(steps.shape, dtype=bool)
    finite: Any = np.ma.masked_invalid(steps)
    median: Any = np.ma.median
    distance = np.ma.abs(finite - median(finite, axis=-1, keepdims=True))
    spread = np.ma.filled(median(distance, axis=-1, keepdims=True), 0.0) / _MAD_TO_SIGMA
    mean = np.ma.filled(distance.mean(axis=-1, keepdims=True), 0.0) / _MEAN_TO_SIGMA
    sigma = np.where(spread > 0, spread, mean)
    return np.ma.filled(distance, 0.0) > threshold * sigma


def _spikes(row: Array, steps: npt.NDArray[np.intp], max_width: int) -> Mask:
    found = np.zeros(row.size, dtype=bool)
    for group in np.split(steps, np.flatnonzero(np.diff(steps) > max_width) + 1):
        first, last = int(group[0]), int(group[-1])
        rises, falls = row[first + 1] > row[first], row[last + 1] < row[last]
        if rises and falls and 1 <= last - first <= max_width:
            found[first + 1 : last + 1] = True
    return found


def _mean_around(row: Array, good: Mask, at: int, neighbours: int) -> float:
    left = np.flatnonzero(good[:at])[-neighbours:]
    right = np.flatnonzero(good[at + 1 :])[:neighbours] + at + 1
    around = np.concatenate([row[left], row[right]])
    return float(around.mean()) if around.size else float("nan")
