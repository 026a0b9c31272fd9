"""`write`: results and reports to files, atomically.

Not here: the layout of the file (`analysis.io.netcdf`, `analysis.io.zarr_store`), how a report is made
(`analysis.report`).
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import xarray as xr

from analysis.core import FormatError
from analysis.io import atomic, exchange_write, netcdf, zarr_check, zarr_store
from analysis.io.collection import Collection, as_project

_ZARR = ".zarr"
_TEXTS = {".csv": exchange_write.csv, ".jdx": exchange_write.jcamp, ".dx": exchange_write.jcamp}
_SUFFIXES = frozenset({".nc", ".nc4", ".nxs", ".h5", ".hdf5", ""})


def write(thing: object, path: str | Path) -> Path:
    """Write a result, a report or a project to a file.

    A Dataset, a DataArray and everything with a method `to_dataset` (a budget, a calibration) become netCDF-4 that is
    also NeXus; a mapping of such things and texts becomes a project file, in which equal data are stored once; text
    and bytes (an HTML certificate, a CSV table) are written as they are, text as UTF-8. A spectrum becomes CSV with the
    suffix .csv and JCAMP-DX with .jdx or .dx: others read them, and here they read back equal, with u. With
    the suffix .zarr a Dataset or DataArray becomes a Zarr store: lazy data are computed and written chunk by chunk by
    the scheduler in use, so that a map larger than memory, or its fit, can be written. The old file stays until the new
    one is complete on disk, and stays for good if anything fails.

    Parameters
    ----------
    thing:
        What to write; not changed.
    path:
        The file; its folder must exist. Data need one of the suffixes .nc, .nc4, .nxs, .h5, .hdf5, .csv, .jdx,
        .dx, .zarr (a folder; all workers of a cluster must see it).

    Returns
    -------
    :
        The path that was written.

    Raises
    ------
    FormatError
        If the thing or something in it cannot be held exactly, or the path does not fit.
    ImportError
        If the suffix is .zarr and zarr is not installed.
    """
    target = Path(path)
    if isinstance(thing, str | bytes):
        atomic.write_bytes(thing.encode() if isinstance(thing, str) else thing, target)
        return target
    if target.suffix.lower() == _ZARR:
        return _write_store(thing, target)
    if target.suffix.lower() in _TEXTS:
        return _write_text(thing, target)
    if target.suffix.lower() not in _SUFFIXES:
        msg = (
            f"data are written as netCDF-4/NeXus or Zarr; got the suffix {target.suffix!r}, wanted one of "
            f"{sorted({*_SUFFIXES, *_TEXTS, _ZARR} - {''})}. For tables and reports write the text of "
            "analysis.report"
        )
        raise FormatError(msg)
    if isinstance(thing, Collection):
        thing = as_project(thing)
    project = isinstance(thing, Mapping) and not isinstance(thing, xr.Dataset)
    given: Mapping[Any, object] = thing if project else {netcdf.ENTRY: thing}  # type: ignore[assignment]
    items = {_require_key(name): _as_dataset(item, name) for name, item in given.items()}
    if not items:
        msg = f"nothing to write to {target.name!r}: the project is empty. Give one item at least: {{'raw': spectrum}}"
        raise FormatError(msg)
    with atomic.replacing(target) as temporary:
        netcdf.write_items(
            {name: dataset for name, (_, dataset) in items.items()},
            temporary,
            kind=netcdf.PROJECT if project else netcdf.DATASET,
            notes={name: note for name, (note, _) in items.items()},
        )
    return target


def _write_text(thing: object, target: Path) -> Path:
    if not isinstance(thing, xr.Dataset | xr.DataArray):
        msg = (
            f"{target.suffix} holds one Dataset or DataArray; got a {type(thing).__name__}. Write each item to "
            "a file of its own, or all to one that ends in .nc"
        )
        raise FormatError(msg)
    _, dataset = _as_dataset(thing, target.name)
    atomic.write_bytes(_TEXTS[target.suffix.lower()](dataset).encode(), target)
    return target


def _write_store(thing: object, target: Path) -> Path:
    if not isinstance(thing, xr.Dataset | xr.DataArray):
        msg = (
            f"a Zarr store holds one Dataset or DataArray; got a {type(thing).__name__}. Write each item of a project "
            "to a store of its own, and anything else to a file that ends in .nc"
        )
        raise FormatError(msg)
    kind, dataset = _as_dataset(thing, target.name)
    with atomic.replacing_folder(target, marker=zarr_check.METADATA) as temporary:
        zarr_store.write(dataset, temporary, kind=kind)
    return target


def _require_key(name: object) -> str:
    if not isinstance(name, str) or not name.isidentifier():
        msg = (
            f"an item of a project needs a name such as 'raw' or 'fit_2' (letters, digits, _); got {name!r}. Rename it"
        )
        raise FormatError(msg)
    return name


def _as_dataset(item: object, name: object) -> tuple[str, xr.Dataset]:
    if isinstance(item, xr.Dataset):
        return "Dataset", item
    if isinstance(item, xr.DataArray):
        return _from_array(item)
    if isinstance(item, str):
        return "text", xr.Dataset({"text": ((), item)})
    if hasattr(item, "to_dataset"):
        return type(item).__name__, item.to_dataset()
    msg = (
        f"cannot write {name!r}, a {type(item).__name__}: wanted a Dataset, a DataArray, text, bytes, a mapping of "
        "these, or something with to_dataset(). Convert it first"
    )
    raise FormatError(msg)


def _from_array(array: xr.DataArray) -> tuple[str, xr.Dataset]:
    name = "signal" if array.name is None else str(array.name)
    if name in array.coords:
        msg = f"cannot write the DataArray {name!r}: a coordinate has the same name. Rename it: array.rename('signal')"
        raise FormatError(msg)
    dataset = array.rename(name).to_dataset()
    return f"DataArray:{name}" if array.name is not None else "DataArray", dataset
