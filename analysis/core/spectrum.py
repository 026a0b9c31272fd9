"""What a spectrum is, and its check.

A spectrum is an `xarray.Dataset` with `signal` (dims `(*batch, channel)`), optionally `u_signal`, and axes
that are 1-D coordinates along `channel`. Not here: units (`analysis.core.units`), files (`analysis.io`).
"""

from typing import Any

import numpy as np
import xarray as xr

from analysis.core.errors import SpectrumError, did_you_mean

CHANNEL = "channel"


def require_spectrum(spectrum: xr.Dataset | xr.DataArray) -> xr.Dataset:
    """Return the spectrum as a Dataset after its check.

    Parameters
    ----------
    spectrum:
        Dataset with `signal`, or the signal itself; `channel` is the last dimension.

    Returns
    -------
    :
        A Dataset with `signal`; the same object if it was one.

    Raises
    ------
    SpectrumError
        If there is no `signal`, no `channel` dimension, no channel, or numbers of another kind than real.
    """
    dataset = _as_dataset(spectrum)
    signal = dataset["signal"]
    if CHANNEL not in signal.dims:
        other = str(signal.dims[-1]) if signal.dims else "x"
        msg = (
            f"a spectrum needs a dimension named {CHANNEL!r}; this one has {signal.dims}. "
            f"Rename it: signal.rename({{{other!r}: {CHANNEL!r}}})"
        )
        raise SpectrumError(msg)
    if signal.dims[-1] != CHANNEL:
        msg = f"{CHANNEL!r} must be the last dimension; got {signal.dims}. Reorder: signal.transpose(..., {CHANNEL!r})"
        raise SpectrumError(msg)
    if signal.sizes[CHANNEL] == 0:
        msg = "the spectrum is empty: 0 channels; wanted at least one. Check the file or the crop before this step"
        raise SpectrumError(msg)
    if signal.dtype.kind not in "fiu":
        msg = f"a signal must hold real numbers; got dtype {signal.dtype}. Convert it: signal.astype(float)"
        raise SpectrumError(msg)
    _require_u_signal(dataset)
    return dataset


def _as_dataset(spectrum: xr.Dataset | xr.DataArray) -> xr.Dataset:
    given: Any = spectrum
    if isinstance(given, xr.DataArray):
        return given.to_dataset(name="signal", promote_attrs=True).assign(signal=given.rename("signal"))
    if not isinstance(given, xr.Dataset):
        kind = type(given).__name__
        msg = f"a spectrum is an xarray Dataset or DataArray; got {kind}. Read one with analysis.io.read(path)"
        raise SpectrumError(msg)
    if "signal" not in given:
        names = [str(name) for name in given.data_vars]
        msg = (
            f"a spectrum Dataset needs a variable named 'signal'; this one has {names}.{did_you_mean('signal', names)}"
        )
        raise SpectrumError(msg)
    return given


def _require_u_signal(dataset: xr.Dataset) -> None:
    if "u_signal" not in dataset:
        return
    given = dataset["u_signal"]
    if given.dims != dataset["signal"].dims:
        msg = (
            f"'u_signal' must have the dims of 'signal' {dataset['signal'].dims}; got {given.dims}. "
            "Broadcast it: u_signal.broadcast_like(signal)"
        )
        raise SpectrumError(msg)
    if given.dtype.kind not in "fiu":
        msg = f"'u_signal' must hold real numbers; got dtype {given.dtype}. Convert it: u_signal.astype(float)"
        raise SpectrumError(msg)


def axes(spectrum: xr.Dataset) -> list[str]:
    """List the axes of a spectrum: its numeric 1-D coordinates along `channel`.

    Parameters
    ----------
    spectrum:
        A Dataset with the dimension `channel`.

    Returns
    -------
    :
        Their names, in the Dataset's order.
    """
    return [
        str(name) for name, coord in spectrum.coords.items() if coord.dims == (CHANNEL,) and coord.dtype.kind in "fiu"
    ]


def require_axis(spectrum: xr.Dataset | xr.DataArray, name: str, *, ordered: bool = True) -> xr.DataArray:
    """Return an axis of the spectrum after its check.

    Parameters
    ----------
    spectrum:
        A spectrum with one or more axes along `channel`.
    name:
        Name of the coordinate, for example `raman_shift`.
    ordered:
        Refuse an axis that is not strictly monotonic.

    Returns
    -------
    :
        The axis, dims `(channel,)`, in its own units.

    Raises
    ------
    SpectrumError
        If there is no such axis, or it has values that are not finite, or is not strictly monotonic
        although it should be.
    """
    dataset = require_spectrum(spectrum)
    known = axes(dataset)
    given: object = name
    if not isinstance(given, str):
        msg = f"axis must be the name of one coordinate along {CHANNEL!r}, got {given!r}; this spectrum has {known}"
        raise SpectrumError(msg)
    if name not in known:
        msg = f"no axis named {name!r} along {CHANNEL!r}; this spectrum has {known}.{did_you_mean(name, known)}"
        raise SpectrumError(msg)
    axis = dataset[name]
    values = np.asarray(axis.values, dtype=float)
    if not np.isfinite(values).all():
        count = int((~np.isfinite(values)).sum())
        msg = (
            f"axis {name!r} has {count} values that are not finite; wanted none. "
            f"Crop those channels: spectrum.isel({CHANNEL}=...)"
        )
        raise SpectrumError(msg)
    steps = np.diff(values)
    if ordered and values.size > 1 and not ((steps > 0).all() or (steps < 0).all()):
        direction = np.sign(np.median(steps)) or 1.0
        at = int(np.argmax(steps * direction <= 0))
        msg = (
            f"axis {name!r} is not strictly monotonic: {values[at]:g} is followed by {values[at + 1]:g} "
            f"at channel {at + 1}. Points are never re-sorted silently: spectrum.sortby(...) after removing repeats"
        )
        raise SpectrumError(msg)
    return axis
