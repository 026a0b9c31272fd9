"""netCDF-4 files that are NeXus files: writing, and reading what was written here.

One item is an `NXentry` with one `NXdata` (a fit: an `NXfit` with one), and each `NXdata` is a netCDF group:
`xarray.open_dataset(path, engine="h5netcdf", group="entry/data")`. Uncertainties are `<field>_errors`.
Not here: dtypes and attributes (`analysis.io.codec`), what is refused (`analysis.io.hdf5_check`).
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import xarray as xr

from analysis.core import CHANNEL, FormatError, history
from analysis.io import codec

DATASET = "dataset"
PROJECT = "project"
ENTRY = "entry"
_COMPRESS_FROM = 1024
_SOURCE = "source"
_AXES = ("raman_shift", "wavenumber", "wavelength", "energy", "two_theta", "time", "frequency", "pixel")


def write_items(items: Mapping[str, xr.Dataset], path: Path, *, kind: str, notes: Mapping[str, str]) -> None:
    """Write Datasets as the entries of one new file.

    Parameters
    ----------
    items:
        Name of the entry to Dataset; equal content is stored once.
    path:
        The file, replaced without asking.
    kind:
        `DATASET` or `PROJECT`.
    notes:
        For each entry, what class it was before it became a Dataset.

    Raises
    ------
    FormatError
        If something in a Dataset cannot be held exactly.
    """
    stored: dict[str, str] = {}
    places: dict[str, str] = {}
    with h5py.File(path, "w") as file:
        file.attrs.update({"NX_class": "NXroot", "metrospec": kind, "creator": "metrospec"})
    for name, dataset in items.items():
        fingerprint = _fingerprint(dataset, notes[name]) if len(items) > 1 else name
        if fingerprint in stored:
            places[name] = stored[fingerprint]
            continue
        stored[fingerprint] = name
        _write_entry(dataset, name, path)
    with h5py.File(path, "r+") as file:
        for name, original in places.items():
            file[name] = file[original]
        file.attrs["default"] = next(iter(items))
        file.attrs["metrospec_items"] = json.dumps([[name, notes[name]] for name in items])


def read_items(path: Path) -> dict[str, tuple[str, xr.Dataset]]:
    """Read all entries of a file that `write_items` made.

    Parameters
    ----------
    path:
        The file, already checked.

    Returns
    -------
    :
        Name of the entry to its class note and its Dataset, in memory.

    Raises
    ------
    FormatError
        If the file is damaged.
    """
    with h5py.File(path, "r") as file:
        listed = _parse(str(file.attrs["metrospec_items"]), path)
        groups = {name: _data_group(file, name, path) for name, _ in listed}
    return {name: (note, _read_group(path, groups[name])) for name, note in listed}


def kind_of(path: Path) -> str | None:
    """Say what `write_items` made of a file.

    Parameters
    ----------
    path:
        An HDF5 file.

    Returns
    -------
    :
        `DATASET`, `PROJECT`, or None for a file of other origin.
    """
    with h5py.File(path, "r") as file:
        found = file.attrs.get("metrospec")
    return found if found in {DATASET, PROJECT} else None


def _fingerprint(dataset: xr.Dataset, note: str) -> str:
    attrs = {str(name): {str(key): str(item) for key, item in v.attrs.items()} for name, v in dataset.variables.items()}
    about = json.dumps([note, attrs, {str(key): str(value) for key, value in dataset.attrs.items()}], sort_keys=True)
    return history.content_hash(dataset) + about


def _write_entry(dataset: xr.Dataset, name: str, path: Path) -> None:
    plain, note = codec.encode(dataset)
    is_fit = {"value", "parameter"} <= {str(key) for key in dataset.variables}
    group = f"{name}/fit/result" if is_fit else f"{name}/data"
    plain = _with_axis_errors(plain)
    encoding = {key: _encoding(variable) for key, variable in plain.variables.items()}
    plain.to_netcdf(path, engine="h5netcdf", group=group, mode="a", encoding=encoding)
    with h5py.File(path, "r+") as file:
        entry, data = file[name], file[group]
        entry.attrs.update({"NX_class": "NXentry", "default": group.split("/")[1]})
        if is_fit:
            file[f"{name}/fit"].attrs.update({"NX_class": "NXfit", "default": "result"})
        data.attrs.update(nexus_attributes(plain))
        data.attrs["metrospec"] = json.dumps(note, sort_keys=True)
        for field, source in (("title", "title"), ("start_time", "acquired")):
            if isinstance(dataset.attrs.get(source), str):
                entry.create_dataset(field, data=dataset.attrs[source])


def _with_axis_errors(plain: xr.Dataset) -> xr.Dataset:
    """Add `<axis>_errors`, which other programs know, from the sources of an axis; reading here leaves them out."""
    errors: dict[str, xr.DataArray] = {}
    for name in plain.coords:
        parts, free = f"{name}_sources", f"{name}_errors" not in plain.variables
        if free and parts in plain.data_vars and plain[parts].dims == (_SOURCE, *plain[name].dims):
            about = {"units": plain[name].attrs.get("units", "1"), "long_name": f"standard uncertainty of {name}"}
            errors[f"{name}_errors"] = (
                ((plain[parts] ** 2).sum(_SOURCE) ** 0.5).reset_coords(drop=True).assign_attrs(about)
            )
    return plain.assign(errors)


def _encoding(variable: xr.Variable) -> dict[str, Any]:
    large = variable.ndim > 0 and variable.dtype.kind in "fiu" and variable.nbytes >= _COMPRESS_FROM
    compression = {"zlib": True, "complevel": 5, "shuffle": True} if large else {}
    return {"_FillValue": None, **compression} if variable.dtype.kind == "f" else compression


def nexus_attributes(plain: xr.Dataset) -> dict[str, Any]:
    """Return the attributes by which NeXus names signal and axes of a group.

    Parameters
    ----------
    plain:
        The encoded Dataset of the group.

    Returns
    -------
    :
        `NX_class`, `signal`, `axes`, and where each axis belongs.
    """
    found: dict[str, Any] = {"NX_class": "NXdata"}
    signal = next((name for name in ("signal", "value") if name in plain.data_vars), None)
    if signal is None:
        signal = next((str(name) for name, v in plain.data_vars.items() if v.dtype.kind in "fiu" and v.ndim), None)
    if signal is None:
        return found
    dims = plain[signal].dims
    found["signal"] = signal
    found["axes"] = [_axis_name(plain, str(dim)) for dim in dims]
    for name, coord in plain.coords.items():
        if coord.ndim == 1 and coord.dims[0] in dims:
            found[f"{name}_indices"] = dims.index(coord.dims[0])
    return found


def _axis_name(plain: xr.Dataset, dim: str) -> str:
    if dim in plain.coords:
        return dim
    along = [str(name) for name, coord in plain.coords.items() if coord.dims == (dim,) and coord.dtype.kind in "fiu"]
    preferred = [name for name in _AXES if name in along] if dim == CHANNEL else []
    return (preferred or along or ["."])[0]


def _data_group(file: h5py.File, name: str, path: Path) -> str:
    for group in (f"{name}/data", f"{name}/fit/result"):
        if group in file:
            return group
    msg = f"{path.name!r} is damaged: it lists the item {name!r} but does not hold it. Write it again"
    raise FormatError(msg)


def _read_group(path: Path, group: str) -> xr.Dataset:
    with h5py.File(path, "r") as file:
        note = _parse(str(file[group].attrs.get("metrospec", "")), path)
    with xr.open_dataset(path, engine="h5netcdf", group=group, decode_cf=False) as plain:
        return codec.decode(plain.load(), note)


def _parse(text: str, path: Path) -> Any:  # noqa: ANN401 - JSON
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        msg = f"{path.name!r} is damaged: its table of contents does not parse ({error}). Write it again"
        raise FormatError(msg) from error
