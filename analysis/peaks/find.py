"""Find peaks: every local maximum that stands out of the noise at some scale, refined below a sample.

Not here: starting values of a model (`analysis.peaks.guess`), reference lines (`analysis.calibration`).
References: P. Du et al., Bioinformatics 22 (2006) 2059, doi:10.1093/bioinformatics/btl355 (scales);
H. Guo, IEEE Signal Processing Magazine 28(5) (2011) 134, doi:10.1109/MSP.2011.941846 (weighted log parabola).
"""

import math
from typing import Any

import numpy as np
import xarray as xr
from scipy.ndimage import gaussian_filter1d
from scipy.signal import find_peaks, peak_widths

from analysis.core import CHANNEL, SpectrumError, history
from analysis.peaks.data import Sigma, take

__all__ = ["find", "find_1d", "noise_of"]

Floats = np.ndarray[Any, np.dtype[np.float64]]
SCALES = (0.0, 1.0, 2.0, 4.0, 8.0)
FWHM_OF_SCALE = 2.0 * math.sqrt(2.0 * math.log(2.0))
BROADER_THAN_SCALE = 1.5
NOISE_PROMINENCE = 2.5  # how far, in units of the noise, the saddles of a peak lie too low by noise alone
LEAST_SAMPLES = 3
LEAST_FOR_NOISE = 5
NARROW = 3.5
COLUMNS = ("position", "height", "width", "prominence", "snr")
_MEANING = {
    "position": "peak position",
    "height": "signal at the peak",
    "width": "full width at half prominence",
    "prominence": "height above the higher of the two saddles",
    "snr": "prominence over noise at the best scale, less what noise alone makes of it",
}


def find(
    spectrum: xr.Dataset | xr.DataArray,
    *,
    axis: str,
    min_snr: float = 5.0,
    max_peaks: int | None = None,
    sigma: Sigma = None,
) -> xr.Dataset:
    """Find the peaks of each spectrum.

    Parameters
    ----------
    spectrum:
        Dims `(*batch, channel)`; NaN is bridged by a straight line.
    axis:
        Name of the coordinate along `channel` in whose units positions and widths are given.
    min_snr:
        Least prominence in units of the noise at the scale of the peak, > 0, beyond the 2.5 units that
        noise alone adds (5 then gives one false peak in about 50 spectra of 1000 samples).
    max_peaks:
        Keep the most prominent ones; needed for dask.
    sigma:
        Noise of the signal, as in `peaks.fit`; None takes `u_signal`, or estimates it from the data.

    Returns
    -------
    :
        `position`, `width` in axis units, `height`, `prominence` in signal units, `snr`, dims
        `(*batch, peak)`, in the order of the channels, padded with NaN; `count` `(*batch)`.

    Raises
    ------
    SpectrumError
        If the axis, sigma or a setting is wrong, or the data are lazy and `max_peaks` is None.
    """
    if not min_snr > 0.0:
        msg = f"min_snr must be above 0, got {min_snr}. Usual are 3 to 20"
        raise SpectrumError(msg)
    if max_peaks is not None and max_peaks < 1:
        msg = f"max_peaks must be at least 1 or None, got {max_peaks}. None keeps all"
        raise SpectrumError(msg)
    if isinstance(sigma, float | int) and not 0.0 < sigma < np.inf:
        msg = f"sigma must be positive and finite, got {sigma}. None estimates the noise from the data"
        raise SpectrumError(msg)
    given = take(spectrum, axis=axis, sigma=sigma)
    lazy = given.signal.chunks is not None
    if lazy and max_peaks is None:
        msg = "lazy data need max_peaks, because the size of the result must be known before computing; got None"
        raise SpectrumError(msg)
    x = np.asarray(given.axis.values, dtype=float)
    search = _Search(axis=x, min_snr=min_snr, max_peaks=max_peaks, pad=max_peaks if lazy else None)
    bare = given.signal.drop_vars(list(given.signal.coords))
    arguments, cores = [bare], [[CHANNEL]]
    if given.sigma is not None:
        noise = given.sigma.drop_vars(list(given.sigma.coords))
        arguments.append(noise.broadcast_like(bare) if noise.ndim else noise + 0.0 * bare)
        cores.append([CHANNEL])
    table, count = xr.apply_ufunc(
        search, *arguments, input_core_dims=cores, output_core_dims=[["peak", "column"], []], dask="parallelized",
        output_dtypes=[float, np.int64], keep_attrs=False,
        dask_gufunc_kwargs={"output_sizes": {"peak": max_peaks or 0, "column": len(COLUMNS)}},
    )  # fmt: skip
    x_units, y_units = given.axis.attrs.get("units", "1"), given.signal.attrs.get("units", "1")
    units = {"position": x_units, "width": x_units, "height": y_units, "prominence": y_units, "snr": "1"}
    found = xr.Dataset({name: table.isel(column=k) for k, name in enumerate(COLUMNS)})
    found["count"] = count
    for name in COLUMNS:
        found[name].attrs = {"units": units[name], "long_name": _MEANING[name]}
    found["count"].attrs = {"long_name": "number of peaks"}
    kept = {n: c for n, c in given.spectrum.coords.items() if set(c.dims) <= set(given.batch)}
    settings: dict[str, object] = {"axis": axis, "min_snr": min_snr, "max_peaks": max_peaks}
    inputs: dict[str, object] = {
        "spectrum": f"lazy {dict(bare.sizes)}" if lazy and not history.of(spectrum) else spectrum
    }
    if sigma is None or isinstance(sigma, float | int):
        settings["sigma"] = sigma
    else:
        inputs["sigma"] = sigma
    found = found.assign_coords(kept).assign_attrs(axis=axis)
    return history.record(found, "peaks.find", settings=settings, inputs=inputs)


class _Search:
    """Finds peaks in plain arrays, spectrum by spectrum."""

    def __init__(self, *, axis: Floats, min_snr: float, max_peaks: int | None, pad: int | None) -> None:
        self.axis = axis
        self.min_snr = min_snr
        self.max_peaks = max_peaks
        self.pad = pad

    def __call__(self, signal: Floats, sigma: Floats | None = None) -> tuple[Floats, Any]:
        batch = signal.shape[:-1]
        flat = np.asarray(signal, dtype=float).reshape(-1, signal.shape[-1])
        noises = [None] * len(flat) if sigma is None else list(sigma.reshape(flat.shape))
        tables = [
            find_1d(self.axis, y, min_snr=self.min_snr, max_peaks=self.max_peaks, sigma=noise)
            for y, noise in zip(flat, noises, strict=True)
        ]
        size = self.pad or max((len(t) for t in tables), default=0)
        out = np.full((len(tables), size, len(COLUMNS)), np.nan)
        for row, table in zip(out, tables, strict=True):
            row[: len(table)] = table
        count = np.array([len(t) for t in tables], dtype=np.int64)
        return out.reshape((*batch, size, len(COLUMNS))), count.reshape(batch)


def noise_of(signal: Floats) -> float:
    """Estimate the noise of one spectrum from its second differences, robustly.

    Parameters
    ----------
    signal:
        Dims `(channel,)`, without NaN.

    Returns
    -------
    :
        Standard deviation in units of the signal; a tiny positive number if the spectrum is smooth.
    """
    least = 1e-9 * float(np.ptp(signal)) or 1e-300
    if signal.size < LEAST_FOR_NOISE:
        return least
    second = signal[2:] - 2.0 * signal[1:-1] + signal[:-2]
    spread = 1.4826 * float(np.median(np.abs(second - np.median(second)))) / math.sqrt(6.0)
    return max(spread, least)


def find_1d(
    axis: Floats, signal: Floats, *, min_snr: float, max_peaks: int | None = None, sigma: Floats | None = None
) -> Floats:
    """Find the peaks of one spectrum.

    Parameters
    ----------
    axis, signal:
        Dims `(channel,)`.
    min_snr, max_peaks:
        As in `find`.
    sigma:
        Noise of each sample, or None.

    Returns
    -------
    :
        Dims `(peak, 5)`: position, height, width, prominence, snr.
    """
    good = np.isfinite(signal)
    if good.sum() < LEAST_SAMPLES:
        return np.empty((0, len(COLUMNS)))
    index = np.arange(signal.size, dtype=float)
    y = np.interp(index, index[good], signal[good])
    noise = np.full(y.size, noise_of(y))
    if sigma is not None:
        usable = np.isfinite(sigma) & (sigma > 0.0)
        noise = np.where(usable, sigma, noise)
    rows = [row for scale in SCALES for row in _at_scale(y, noise, scale, min_snr) if scale * 6 < y.size]
    kept = _strongest(rows)
    kept.sort(key=lambda row: -row[3])
    kept = sorted(kept[:max_peaks])
    out = np.array([_refine(axis, y, row) for row in kept])
    return out.reshape(-1, len(COLUMNS))


Row = tuple[float, ...]


def _at_scale(y: Floats, noise: Floats, scale: float, min_snr: float) -> list[Row]:
    """List (index, left, right, prominence, snr, width, base) of the maxima at one scale."""
    smooth = gaussian_filter1d(y, scale, mode="nearest") if scale else y
    gain = 1.0 / math.sqrt(2.0 * math.sqrt(math.pi) * scale) if scale else 1.0
    peaks, found = find_peaks(smooth, prominence=0.0)
    if not peaks.size:
        return []
    snr = found["prominences"] / (noise[peaks] * gain) - NOISE_PROMINENCE
    keep = snr >= min_snr
    peaks, snr, prominence = peaks[keep], snr[keep], found["prominences"][keep]
    data = (prominence, found["left_bases"][keep], found["right_bases"][keep])
    width, _, left, right = peak_widths(smooth, peaks, rel_height=0.5, prominence_data=data)
    broad = width >= BROADER_THAN_SCALE * FWHM_OF_SCALE * scale
    own = np.sqrt(np.maximum(width**2 - (FWHM_OF_SCALE * scale) ** 2, 0.0))
    rows = zip(peaks, left, right, prominence, snr, own, smooth[peaks] - prominence, strict=True)
    return [tuple(map(float, row)) for row, ok in zip(rows, broad, strict=True) if ok]


def _strongest(rows: list[Row]) -> list[Row]:
    """Keep of each group of detections within half a width the one with the best snr."""
    kept: list[Row] = []
    for row in sorted(rows, key=lambda each: -each[4]):
        if all(abs(row[0] - other[0]) > 0.5 * max(other[5], 1.0) for other in kept):
            kept.append(row)
    return kept


def _refine(axis: Floats, y: Floats, row: Row) -> list[float]:
    """Place a peak between samples by a weighted parabola through the logarithm of its upper half."""
    top, left, right, prominence, snr, width, base = row
    peak = int(top)
    around = slice(max(peak - max(1, int(0.25 * width)), 0), peak + max(1, int(0.25 * width)) + 1)
    height = float(y[peak]) if width < NARROW else float(np.median(y[around]))
    low = max(0, min(math.ceil(left), peak - 1))
    high = min(y.size - 1, max(math.floor(right), peak + 1))
    i = np.arange(low, high + 1)
    above = y[i] - base
    floor = 0.02 * prominence
    at, logs = i - top, np.log(np.maximum(above, floor))
    weight = np.maximum(above, floor)
    curve, slope, _ = np.polyfit(at, logs, 2, w=weight) if i.size >= LEAST_SAMPLES else (0.0, 0.0, 0.0)
    shift = -0.5 * slope / curve if curve < 0.0 else 0.0
    if width < NARROW and curve < 0.0:  # the half-height crossings lie between too few samples
        width = math.sqrt(-4.0 * math.log(2.0) / curve)
    place = top + float(np.clip(shift, low - top, high - top))
    index = np.arange(axis.size, dtype=float)
    position = float(np.interp(place, index, axis))
    scale = abs(float(axis[min(peak + 1, axis.size - 1)] - axis[max(peak - 1, 0)])) / (
        min(peak + 1, axis.size - 1) - max(peak - 1, 0)
    )
    return [position, height, width * scale, prominence, snr]
