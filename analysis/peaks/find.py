"""Find peaks: every local maximum that stands out of the noise at some scale, refined below a sample.

Not here: starting values of a model (`analysis.peaks.guess`), reference lines (`analysis.calibration`).
References: P. Du et al., Bioinformatics 22 (2006) 2059, doi:10.1093/bioinformatics/btl355 (scales);
H. Guo, IEEE Signal Processing Magazine 28(5) (2011) 134, doi:10.1109/MSP.2011.941846 (weighted log parabola).
"""

import math
from typing import Any

import numpy as np
import xarray as xr

from analysis.core import CHANNEL, SpectrumError, history
from analysis.core.arrays import for_kernel
from analysis.peaks import kernel_cache
from analysis.peaks.data import Sigma, take

__all__ = ["find", "find_1d", "noise_of"]

Floats = np.ndarray[Any, np.dtype[np.float64]]
EXPECTED = 16  # peaks in a spectrum; more cost a second call of the kernel
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
    search = _Search(
        axis=x, min_snr=min_snr, max_peaks=max_peaks, pad=max_peaks if lazy else None,
        sigma=None if given.sigma is None or given.sigma.ndim else float(given.sigma),
    )  # fmt: skip
    bare = given.signal.drop_vars(list(given.signal.coords))
    arguments, cores = [bare], [[CHANNEL]]
    if given.sigma is not None and given.sigma.ndim:
        arguments.append(given.sigma.drop_vars(list(given.sigma.coords)).broadcast_like(bare))
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
    """Finds peaks in plain arrays."""

    def __init__(
        self, *, axis: Floats, min_snr: float, max_peaks: int | None, pad: int | None, sigma: float | None
    ) -> None:
        self.axis = axis
        self.min_snr = min_snr
        self.max_peaks = max_peaks
        self.pad = pad
        self.sigma = sigma

    def __call__(self, signal: Floats, sigma: Floats | None = None) -> tuple[Floats, Any]:
        batch = signal.shape[:-1]
        flat = for_kernel(signal).reshape(math.prod(batch), signal.shape[-1])
        noise = _rows(sigma, flat) if self.sigma is None else np.full((1, 1), self.sigma)
        table, count = _searched(self.axis, flat, noise, self.min_snr, self.max_peaks)
        size = self.pad or int(count.max(initial=0))
        out = np.full((len(flat), size, len(COLUMNS)), np.nan)
        out[np.arange(size) < count[:, None]] = table
        return out.reshape((*batch, size, len(COLUMNS))), count.reshape(batch)


def _rows(sigma: Floats | None, flat: Floats) -> Floats:
    """Return the noise as rows: none, one that serves all, or one for each spectrum."""
    if sigma is None or not flat.size:
        return np.empty((0, 0))
    if not any(sigma.strides[:-1]):
        sigma = sigma[(0,) * (sigma.ndim - 1)]
    return for_kernel(sigma).reshape(-1, flat.shape[1])


def _searched(
    axis: Floats, flat: Floats, sigma: Floats, min_snr: float, max_peaks: int | None
) -> tuple[Floats, np.ndarray[Any, np.dtype[np.int64]]]:
    """Return the peaks of all spectra below each other, and how many each has."""
    kernel = kernel_cache.load("search")
    count = np.zeros(len(flat), dtype=np.int64)
    table = np.empty((EXPECTED * len(flat) + flat.shape[1], len(COLUMNS)))
    most = flat.shape[1] if max_peaks is None else max_peaks
    parts: list[Floats] = []
    done = 0
    while done < len(flat):
        done, filled = kernel.search(for_kernel(axis), flat, sigma, done, float(min_snr), most, table, count)
        parts.append(table[:filled] if done == len(flat) else table[:filled].copy())
    return (parts[0] if len(parts) == 1 else np.concatenate([table[:0], *parts])), count


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
    return float(kernel_cache.load("search").noise(for_kernel(signal)))


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
    flat = for_kernel(signal)[None]
    return _searched(axis, flat, _rows(sigma, flat), min_snr, max_peaks)[0]
