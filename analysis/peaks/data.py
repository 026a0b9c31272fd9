"""What a fit takes from a spectrum: the axis, the signal and the standard uncertainties, checked.

Not here: units of the results (`analysis.peaks.result`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from analysis.core import SpectrumError, require_axis, require_spectrum, units
from analysis.core.arrays import for_kernel
from analysis.peaks import kernel_cache
from analysis.peaks.status import Status

__all__ = ["Given", "Sigma", "prepare", "refuse_correlated", "refuse_single", "rows_of", "spread", "take"]

Floats = np.ndarray[Any, np.dtype[np.float64]]
Sigma = xr.DataArray | np.ndarray[Any, Any] | float | None


@dataclass(frozen=True, kw_only=True)
class Given:
    """A spectrum as a fit sees it; `sigma` is None for an unweighted fit."""

    spectrum: xr.Dataset
    axis: xr.DataArray
    signal: xr.DataArray
    sigma: xr.DataArray | None
    others: tuple[xr.DataArray, ...] = ()
    """The second and further axes of a model with several independent variables."""

    @property
    def points(self) -> Floats:
        """Values of the axis, dims `(channel,)`, or of several, dims `(variable, channel)`."""
        rows = np.array([np.asarray(each.values, dtype=float) for each in (self.axis, *self.others)])
        return rows if self.others else rows[0]

    @property
    def batch(self) -> tuple[str, ...]:
        """Dimensions of the map; empty for one spectrum."""
        return tuple(str(dim) for dim in self.signal.dims[:-1])


def take(
    spectrum: xr.Dataset | xr.DataArray, *, axis: str | Sequence[str], sigma: Sigma, ordered: bool = True
) -> Given:
    """Check a spectrum and what weights it.

    Parameters
    ----------
    spectrum:
        Dims `(*batch, channel)`.
    axis:
        Name of a coordinate along `channel`, or several for a model of several independent variables.
    sigma:
        Standard uncertainty of the signal, in its units: a number, an array of the signal's shape or of
        its last dimensions, or None for `u_signal` if there is one.
    ordered:
        Refuse an axis that is not strictly monotonic.

    Returns
    -------
    :
        The parts.

    Raises
    ------
    SpectrumError
        If the axis is missing or `sigma` does not fit the signal.
    UnitsError
        If `sigma` has units that do not convert to those of the signal.
    """
    dataset = require_spectrum(spectrum)
    signal = dataset["signal"]
    several = isinstance(axis, list | tuple) and len(axis) > 0
    names: list[Any] = list(axis) if several else [axis]
    coordinates = [require_axis(dataset, name, ordered=ordered and len(names) == 1) for name in names]
    chosen = dataset.get("u_signal") if sigma is None else _as_array(sigma, signal)
    if chosen is not None:
        chosen = _in_units(chosen, signal)
    return Given(spectrum=dataset, axis=coordinates[0], signal=signal, sigma=chosen, others=tuple(coordinates[1:]))


def refuse_correlated(given: Given) -> None:
    """Refuse `u_signal` as weights where smoothing has given neighbouring channels the same noise.

    Parameters
    ----------
    given:
        A spectrum whose own `u_signal` would be its sigma.

    Raises
    ------
    SpectrumError
        If the attribute `noise_correlated` says so.
    """
    said = given.spectrum.attrs.get("noise_correlated")
    if said and given.sigma is not None:
        msg = (
            f"u_signal would count the channels as independent, and they are not any more: {said}. "
            "Fit the spectrum as it was before preprocess.smooth, or give sigma=spectrum['u_signal'] to do it all "
            "the same"
        )
        raise SpectrumError(msg)


def _as_array(sigma: xr.DataArray | np.ndarray[Any, Any] | float, signal: xr.DataArray) -> xr.DataArray:
    if isinstance(sigma, xr.DataArray):
        extra = [dim for dim in sigma.dims if dim not in signal.dims]
        if extra:
            msg = f"sigma has dimensions {sigma.dims}, the signal {signal.dims}; remove {extra}"
            raise SpectrumError(msg)
        wrong = {dim: n for dim, n in sigma.sizes.items() if n != signal.sizes[dim]}
        if wrong:
            msg = f"sigma has sizes {wrong}, the signal {dict(signal.sizes)}; crop both in the same way"
            raise SpectrumError(msg)
        return sigma.drop_vars([name for name in sigma.coords if name not in sigma.dims])
    plain = np.asarray(sigma, dtype=float)
    shape = signal.shape[signal.ndim - plain.ndim :] if plain.ndim <= signal.ndim else None
    if plain.shape != shape:
        msg = (
            f"sigma has shape {plain.shape}; wanted a number, or the shape {signal.shape} of the signal "
            f"or its last dimensions. Name its dimensions: xr.DataArray(sigma, dims=...)"
        )
        raise SpectrumError(msg)
    return xr.DataArray(plain, dims=signal.dims[signal.ndim - plain.ndim :])


def _in_units(sigma: xr.DataArray, signal: xr.DataArray) -> xr.DataArray:
    ours, theirs = sigma.attrs.get("units"), signal.attrs.get("units")
    if ours is None or theirs is None or ours == theirs:
        return sigma
    return sigma * units.factor(ours, theirs)


def prepare(
    signal: Floats, sigma: Floats | None, free: int, *, counts: bool = False
) -> tuple[Floats, Floats, np.ndarray[Any, Any]]:
    """Turn signal and sigma into the data and weights of an engine.

    Parameters
    ----------
    signal:
        Dims `(spectrum, channel)`; NaN is masked.
    sigma:
        Same dims, `(1, channel)` if shared, or None for weights of 1.
    free:
        Number of free parameters.
    counts:
        Whether the signal must be counts.

    Returns
    -------
    :
        Data and weights, 0 where masked, and a status for each spectrum.
    """
    signal, shared = rows_of(signal, sigma)
    data, weights = np.empty_like(signal), np.empty_like(signal)
    status = np.empty(len(signal), dtype=np.int8)
    kernel_cache.load("intake").take_rows(signal, shared, counts, free, data, weights, status)
    return data, weights, status


def spread(array: xr.DataArray, sizes: Mapping[Any, int]) -> xr.Variable:
    """Give a variable all dimensions of a map, without a copy.

    Parameters
    ----------
    array:
        Dims among those of `sizes`; its coordinates play no part.
    sizes:
        Of the map.

    Returns
    -------
    :
        The variable with those dims, in that order.
    """
    if array.dims == tuple(sizes):
        return array.variable  # set_dims would make it read-only, and the kernel would copy it
    spread_out: xr.Variable = array.variable.set_dims(dict(sizes))  # type: ignore[no-untyped-call]
    return spread_out


def rows_of(signal: Floats, sigma: Floats | None) -> tuple[Floats, Floats]:
    """Give signal and sigma as the compiled code reads them.

    Parameters
    ----------
    signal, sigma:
        As in `prepare`.

    Returns
    -------
    :
        Both as contiguous float64, dims `(spectrum, channel)`; sigma perhaps one row for all.
    """
    shared = np.ones((1, signal.shape[1])) if sigma is None else for_kernel(sigma)
    return for_kernel(signal), shared


def refuse_single(status: int, signal: Floats, sigma: Floats | None, free: int, *, counts: bool = False) -> None:
    """Refuse one spectrum that cannot be fitted (in a map it is flagged instead).

    Parameters
    ----------
    status:
        Of its fit.
    signal, sigma:
        Of this spectrum.
    free:
        Number of free parameters.
    counts:
        Whether the signal must be counts.

    Raises
    ------
    SpectrumError
        If the spectrum has no usable point, an infinite one, too few, or a wrong sigma.
    """
    if status not in (Status.TOO_FEW_POINTS, Status.INVALID_DATA):
        return
    count = int(np.isfinite(signal).sum())
    if status == Status.TOO_FEW_POINTS:
        msg = f"the spectrum has {count} usable points for {free} free parameters; crop less or fix parameters"
    elif count == 0:
        msg = f"all {signal.size} points of the spectrum are NaN or infinite; wanted numbers. Check the file"
    elif np.isinf(signal).any():
        msg = f"{int(np.isinf(signal).sum())} points of the spectrum are infinite; mask them with NaN"
    elif counts:
        wrong = signal[(signal < 0.0) | (signal != np.floor(signal))]
        msg = (
            f"loss='poisson' needs raw counts, whole numbers >= 0; got {wrong.size} other values, the first "
            f"{wrong.ravel()[0]:g}. Fit the counts before any scaling or subtraction, or use sigma and least squares"
        )
    else:
        assert sigma is not None  # noqa: S101 - weights of 1 cannot be wrong
        wrong = sigma[~(np.isfinite(sigma) & (sigma > 0.0))]
        msg = (
            f"sigma must be positive and finite; got {wrong.size} other values, the first {wrong.ravel()[0]:g}. "
            "Mask those points with NaN in the signal, or give them their real uncertainty"
        )
    raise SpectrumError(msg)
