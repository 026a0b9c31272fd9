"""netCDF and NeXus files of other origin: the one spectrum in them, if it can be told which it is.

NeXus: the `NXdata` group that `default` points to (or the only one) with its `signal` and `axes`. netCDF: the
variable `signal`, or the only numeric variable with a dimension. The last dimension becomes `channel`.
Not here: files written here (`analysis.io.netcdf`).
"""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import xarray as xr

from analysis.core import CHANNEL, FormatError
from analysis.io import labels


def read(path: Path) -> xr.Dataset:
    """Read the spectrum of a file of other origin.

    Parameters
    ----------
    path:
        An HDF5 file, already checked.

    Returns
    -------
    :
        A spectrum with what the file says of it.

    Raises
    ------
    FormatError
        If it cannot be told which array is the spectrum.
    """
    with h5py.File(path, "r") as file:
        group = _find_nxdata(file)
        if group is not None:
            return _from_nexus(group, path.name)
    return _from_netcdf(path)


def _text(value: Any) -> str:  # noqa: ANN401 - an HDF5 attribute
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value if isinstance(value, str) else ""


def _find_nxdata(file: h5py.File) -> h5py.Group | None:
    group: Any = file
    while isinstance(group, h5py.Group) and _text(group.attrs.get("NX_class")) != "NXdata":
        group = group.get(_text(group.attrs.get("default")) or "\0", None)
    if isinstance(group, h5py.Group):
        return group
    found: list[h5py.Group] = []

    def visit(_: str, item: object) -> None:
        if isinstance(item, h5py.Group) and _text(item.attrs.get("NX_class")) == "NXdata":
            found.append(item)

    file.visititems(visit)
    return found[0] if len(found) == 1 else None


def _from_nexus(group: h5py.Group, name: str) -> xr.Dataset:
    key = _text(group.attrs.get("signal")) or next((k for k in group if "signal" in group[k].attrs), "")
    array = group.get(key or "\0")
    if not isinstance(array, h5py.Dataset) or not array.shape:
        msg = f"{name!r}: the NXdata group {group.name!r} names no signal; it holds {list(group)}. Set 'signal'"
        raise FormatError(msg)
    given = group.attrs.get("axes", [])
    axes = [_text(item) for item in np.atleast_1d(given)] if not isinstance(given, str) else [given]
    axes = [*axes, *[""] * len(array.shape)][: len(array.shape)]
    dims = [axis if axis and axis != "." else f"dim_{at}" for at, axis in enumerate(axes[:-1])] + [CHANNEL]
    about = _attrs(array)
    data: dict[str, Any] = {"signal": (dims, array[...].astype(float), about)}
    for errors in (f"{key}_errors", "errors"):
        if isinstance(group.get(errors), h5py.Dataset) and group[errors].shape == array.shape:
            data["u_signal"] = (dims, group[errors][...].astype(float), about)
            break
    coords: dict[str, Any] = {}
    for axis, dim, size in zip(axes, dims, array.shape, strict=True):
        values = group.get(axis or "\0")
        if isinstance(values, h5py.Dataset) and values.shape == (size,) and values.dtype.kind in "fiu":
            label = labels.read(axis).axis if dim == CHANNEL else ""
            coords[label or axis] = (dim, values[...].astype(float), _attrs(values))
    return xr.Dataset(data, coords, attrs={"title": _text(group.attrs.get("title"))} if "title" in group.attrs else {})


def _attrs(array: h5py.Dataset) -> dict[str, str]:
    found = {key: _text(array.attrs.get(key, "")) for key in ("units", "long_name")}
    return {key: value for key, value in found.items() if value}


def _from_netcdf(path: Path) -> xr.Dataset:
    try:
        with xr.open_dataset(path, engine="h5netcdf", phony_dims="access", decode_times=False) as opened:
            dataset = opened.load().drop_encoding()
    except (OSError, ValueError, RuntimeError, KeyError, TypeError) as error:
        msg = f"{path.name!r} is HDF5 but neither netCDF nor NeXus that can be read: {error}. Export it as text"
        raise FormatError(msg) from error
    arrays = [str(name) for name, item in dataset.data_vars.items() if item.ndim and item.dtype.kind in "fiu"]
    chosen = "signal" if "signal" in arrays else arrays[0] if len(arrays) == 1 else ""
    if not chosen:
        msg = (
            f"{path.name!r} does not say which array is the spectrum; it holds {arrays}. Open it with "
            "xarray.open_dataset, rename one: .rename(name='signal'), and write it with io.write"
        )
        raise FormatError(msg)
    return _as_spectrum(dataset.rename({chosen: "signal"}))


def _as_spectrum(dataset: xr.Dataset) -> xr.Dataset:
    last = dataset["signal"].dims[-1]
    if last == CHANNEL:
        return dataset
    if last not in dataset.coords:
        return dataset.rename({last: CHANNEL})
    along = dataset[last].variable
    name = labels.read(str(last)).axis or str(last)
    bare = dataset.drop_vars(str(last)).rename({last: CHANNEL})
    return bare.assign_coords({name: (CHANNEL, along.values, along.attrs)})
