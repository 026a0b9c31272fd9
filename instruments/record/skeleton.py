"""The file of a recording before its first shot: every group, array, scale and attribute that it will ever have.

A writer that others may watch (SWMR) makes nothing new later, so the stream file is the final NeXus and netCDF-4 file.
Not here: writing shots (`instruments.record.recorder`).
"""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import xarray as xr

from analysis.core import InstrumentError
from analysis.io import codec, netcdf
from analysis.uncertainty.sources import INFO, SOURCE
from instruments.shots import STREAM, Axis, Channel, Layout, to_dataset

__all__ = ["DATA", "INFO_BYTES", "SOURCES", "ended", "is_recording", "layout_of", "make", "require_recordable"]

DATA = "entry/data"
SOURCES = "_sources"
INFO_BYTES = 4096
_ID_BYTES = 64
_LAYOUT, _UNLIMITED = "metrospec_layout", (STREAM, SOURCE)
_CHUNK_BYTES = 1 << 16
_NO_VARIABLE = b"This is a netCDF dimension but not a netCDF variable.%10d"


def make(layout: Layout, path: Path, attrs: Mapping[str, Any]) -> None:
    """Write the file without a shot; it appears under its name when it is whole.

    Parameters
    ----------
    layout:
        What the shots hold.
    path:
        The file, replaced without asking.
    attrs:
        Of the Dataset, beside those of `to_dataset`.
    """
    plain, note = codec.encode(_template(layout, attrs))
    note["dtypes"] |= {SOURCE: f"<U{_ID_BYTES}", INFO: f"<U{INFO_BYTES}"}
    temporary = path.with_name(f".{path.name}.new")
    with h5py.File(temporary, "w", libver="latest") as file:
        file.attrs.update({"NX_class": "NXroot", "metrospec": netcdf.DATASET, "creator": "metrospec"})
        file.attrs.update({"default": "entry", "metrospec_items": json.dumps([["entry", ""]])})
        group = file.create_group(DATA)
        file["entry"].attrs.update({"NX_class": "NXentry", "default": "data"})
        scales = {str(dim): _scale(group, str(dim), plain) for dim in plain.sizes}
        for name, variable in plain.variables.items():
            made = group[name] if name in scales else _array(group, str(name), variable)
            _describe(made, variable.attrs)
            if name not in scales:
                for k, dim in enumerate(variable.dims):
                    made.dims[k].attach_scale(scales[str(dim)])
        _describe(group, plain.attrs)
        _describe(group, netcdf.nexus_attributes(plain))
        _describe(group, {"metrospec": json.dumps(note, sort_keys=True)})
        _describe(file["entry"], {_LAYOUT: _json_of(layout)})
    with temporary.open("rb+") as stream:
        os.fsync(stream.fileno())
    temporary.replace(path)


def require_recordable(layout: Layout) -> None:
    """Refuse what a file cannot hold, before there is one.

    Parameters
    ----------
    layout:
        What the shots hold.

    Raises
    ------
    InstrumentError
        If two things have one name, or a channel does not hold real floating-point numbers.
    """
    own = [axis.name for axis in (*layout.axes, *layout.coordinates)] + [channel.name for channel in layout.channels]
    taken = {"timestamp", SOURCE, INFO} | (set() if layout.axes else {STREAM, "time"})
    twice = sorted({name for name in own if own.count(name) > 1 or name in taken or "/" in name})
    if twice:
        msg = f"names {twice} stand twice, hold '/', or are among {sorted(taken)}, which the file needs; rename them"
        raise InstrumentError(msg)
    for channel in layout.channels:
        if np.dtype(channel.dtype).kind != "f":
            msg = (
                f"channel {channel.name!r} is {channel.dtype}; a missing shot is NaN, so wanted float32 or float64. "
                "Choose float64: it holds integers up to 2**53 exactly"
            )
            raise InstrumentError(msg)


def is_recording(file: h5py.File) -> bool:
    """Say whether a file is a recording.

    Parameters
    ----------
    file:
        Any HDF5 file.

    Returns
    -------
    :
        Whether `make` made it.
    """
    return DATA in file and _LAYOUT in file["entry"].attrs


def layout_of(file: h5py.File) -> Layout:
    """Return what the shots of a recording hold.

    Parameters
    ----------
    file:
        One that `make` made.

    Returns
    -------
    :
        The layout.
    """
    held, group = json.loads(file["entry"].attrs[_LAYOUT]), file[DATA]

    def axes(key: str) -> tuple[Axis, ...]:
        return tuple(Axis(**(each | {"values": group[each["name"]][()]})) for each in held[key])

    return Layout(
        axes=axes("axes"), coordinates=axes("coordinates"), settings=held["settings"], count=held["count"],
        channels=tuple(
            Channel(**(each | {"dims": tuple(each["dims"]), "shape": tuple(each["shape"])}))
            for each in held["channels"]
        ),
    )  # fmt: skip


def ended(path: Path, attrs: Mapping[str, Any]) -> None:
    """Write how a recording ended; no writer may have it open.

    Parameters
    ----------
    path:
        The file.
    attrs:
        Of the Dataset.
    """
    with h5py.File(path, "r+", libver="latest") as file:
        _describe(file[DATA], attrs)


def _template(layout: Layout, attrs: Mapping[str, Any]) -> xr.Dataset:
    """Return the Dataset without shots, its arrays without memory."""
    empty = to_dataset(layout, [], attrs=attrs)
    names = {channel.name for channel in layout.channels}
    rows = {
        f"{c.name}{SOURCES}": xr.Variable(
            (SOURCE, *layout.dims), np.empty((0, *(empty.sizes[d] for d in layout.dims))), {"units": c.units}
        )
        for c in layout.channels if not c.dims and f"u_{c.name}" in names
    }  # fmt: skip
    if not rows:
        return empty
    return empty.assign(rows).assign_coords(
        {SOURCE: (SOURCE, np.array([], dtype="<U1")), INFO: (SOURCE, np.array([], dtype="<U1"))}
    )


def _json_of(layout: Layout) -> str:
    def axis(each: Axis) -> dict[str, Any]:
        return {key: dict(value) if key == "attrs" else value for key, value in vars(each).items() if key != "values"}

    held = {
        "axes": [axis(each) for each in layout.axes],
        "coordinates": [axis(each) for each in layout.coordinates],
        "channels": [asdict(each) for each in layout.channels],
        "settings": dict(layout.settings),
        "count": layout.count,
    }
    return json.dumps(held, default=str)


def _scale(group: h5py.Group, dim: str, plain: xr.Dataset) -> h5py.Dataset:
    """Make the scale of a dim: its coordinate, or the empty array by which netCDF-4 says that there is none."""
    known = plain.variables.get(dim)
    if known is not None:
        made = _array(group, dim, known)
        made.make_scale(dim)
        return made
    size = plain.sizes[dim]
    grows = {"maxshape": (None,), "chunks": (1024,)} if dim in _UNLIMITED else {}
    made = group.create_dataset(dim, shape=(size,), dtype=">f4", **grows)
    made.make_scale((_NO_VARIABLE % size).decode())
    return made


def _array(group: h5py.Group, name: str, variable: xr.Variable) -> h5py.Dataset:
    dims = tuple(str(dim) for dim in variable.dims)
    text = {SOURCE: f"S{_ID_BYTES}", INFO: f"S{INFO_BYTES}"}.get(name)
    dtype = np.dtype(text) if text else variable.dtype
    fixed = not set(dims) & set(_UNLIMITED) and np.isfinite(np.asarray(variable.values.flat[:1], dtype=float)).all()
    if fixed:
        return group.create_dataset(name, data=variable.values)
    return group.create_dataset(
        name, shape=variable.shape, dtype=dtype, chunks=_chunks(dims, variable.shape, dtype),
        maxshape=tuple(None if dim in _UNLIMITED else size for dim, size in zip(dims, variable.shape, strict=True)),
        fillvalue=np.nan if dtype.kind == "f" and not name.endswith(SOURCES) else None,
    )  # fmt: skip


def _chunks(dims: tuple[str, ...], shape: tuple[int, ...], dtype: np.dtype[Any]) -> tuple[int, ...]:
    """Choose chunks of about 64 kB in which the last dims are whole, so that a shot touches one."""
    left, found = max(1, _CHUNK_BYTES // dtype.itemsize), []
    for dim, size in zip(reversed(dims), reversed(shape), strict=True):
        own = 1 if dim == SOURCE and len(dims) > 1 else left if dim in _UNLIMITED else min(size, left)
        found.append(max(1, own))
        left = max(1, left // max(1, own))
    return tuple(reversed(found))


def _describe(thing: h5py.Group | h5py.Dataset, attrs: Mapping[Any, Any]) -> None:
    for key, value in attrs.items():
        thing.attrs[str(key)] = value
