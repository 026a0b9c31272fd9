"""Which reader a file needs, by its content: those built in, those of plug-ins, and text as the last.

A plug-in is a package with an entry point in the group `metrospec.readers` that names an `analysis.io.Reader`. It is
asked after the readers that are built in, and never replaces one of them.
Not here: what a reader is (`analysis.io.reader`), the readers (one module a format).
"""

import functools
from importlib import metadata
from pathlib import Path

import numpy as np
import xarray as xr

from analysis.core import CHANNEL, FormatError, MetrospecError, did_you_mean
from analysis.io import ascii as ascii_table
from analysis.io import bwtek, exchange_csv, jcamp, sniff, spc
from analysis.io.collection import Collection
from analysis.io.makers import MAKERS
from analysis.io.reader import Reader

GROUP = "metrospec.readers"
"""Entry point group of plug-ins."""
OWN = ("netcdf", "zarr")
"""Formats that are read by path and checked by readers of their own."""
BUILT_IN: tuple[Reader, ...] = (exchange_csv.READER, jcamp.READER, bwtek.READER, *MAKERS, spc.READER)
"""Readers with a signature, in the order in which they are asked."""
LAST: tuple[Reader, ...] = (ascii_table.READER, ascii_table.COLUMNS)
"""Readers of any text, asked when no other knows the file."""


@functools.cache
def readers() -> dict[str, Reader]:
    """List all readers of whole files: built in, of plug-ins, of text.

    Returns
    -------
    :
        Name to reader, in the order in which they are asked.

    Raises
    ------
    FormatError
        If a plug-in does not load, is no `Reader`, or takes a name that is used.
    """
    found = {reader.name: reader for reader in (*BUILT_IN, *LAST)}
    plugged: dict[str, Reader] = {}
    for entry in sorted(metadata.entry_points(group=GROUP), key=lambda each: each.name):
        reader = _load(entry)
        if reader.name in {*found, *plugged, *OWN}:
            msg = f"the plug-in {entry.value!r} names its reader {reader.name!r}, which is taken. Uninstall one of them"
            raise FormatError(msg)
        plugged[reader.name] = reader
    first = {reader.name: reader for reader in BUILT_IN}
    return first | plugged | {reader.name: reader for reader in LAST}


def _load(entry: metadata.EntryPoint) -> Reader:
    try:
        reader = entry.load()
    except Exception as error:
        msg = (
            f"the reader plug-in {entry.name!r} ({entry.value}) does not load: {type(error).__name__}: {error}. "
            "Install it again, or uninstall it"
        )
        raise FormatError(msg) from error
    if not isinstance(reader, Reader):
        msg = f"the reader plug-in {entry.name!r} ({entry.value}) is a {type(reader).__name__}; wanted an io.Reader"
        raise FormatError(msg)
    return reader


def formats() -> tuple[str, ...]:
    """List the names that `io.read(format=...)` takes.

    Returns
    -------
    :
        Names of formats.
    """
    return (*OWN, *readers())


def require_format(name: str) -> str:
    """Return the name of a format that is known.

    Parameters
    ----------
    name:
        What the user gave.

    Returns
    -------
    :
        The name.

    Raises
    ------
    FormatError
        If there is no such format.
    """
    if name not in formats():
        msg = f"no format named {name!r}; known are {sorted(formats())}.{did_you_mean(name, formats())}"
        raise FormatError(msg)
    return name


def identify(path: Path) -> str:
    """Say which reader a file needs.

    Parameters
    ----------
    path:
        A file or Zarr store that exists.

    Returns
    -------
    :
        The name of a format.

    Raises
    ------
    FormatError
        If the content is of a kind that is not read.
    """
    if path.is_dir():
        return "zarr"
    head = sniff.peek(path)
    if sniff.is_hdf5(head):
        return "netcdf"
    last = {reader.name for reader in LAST}
    for name, reader in readers().items():
        if name not in last and reader.recognises(head):
            return name
    titles = [reader.title for reader in readers().values()]
    sniff.refuse_known(path, head, readable=", ".join(["netCDF-4/HDF5/NeXus", "Zarr", *titles]))
    return LAST[0].name


def read(path: Path, name: str, content: bytes) -> xr.Dataset | Collection:
    """Read the content of a file with one reader.

    Parameters
    ----------
    path:
        The file, for messages.
    name:
        The format.
    content:
        The whole file.

    Returns
    -------
    :
        What the reader gave, checked: never empty, its axes finite.

    Raises
    ------
    FormatError
        If the content is damaged, or the reader gave nothing.
    """
    reader = readers()[name]
    try:
        with np.errstate(all="ignore"):
            found = reader.read(content, path.name)
    except (MetrospecError, ImportError):
        raise
    except Exception as error:
        msg = (
            f"{path.name!r} looks like {reader.title} but does not read: {type(error).__name__}: {error}. It is "
            "damaged, or of a variant that is not known; export it again or as text"
        )
        raise FormatError(msg) from error
    for each in found.values() if isinstance(found, Collection) else (found,):
        _require_full(each, path.name, reader)
    if not len(found):
        msg = f"{path.name!r} is {reader.title} but holds no spectrum. Export it again"
        raise FormatError(msg)
    return found


def _require_full(dataset: xr.Dataset, name: str, reader: Reader) -> None:
    if "signal" not in dataset or not dataset["signal"].size:
        msg = f"{name!r} is {reader.title} but holds no values of a signal. Export it again"
        raise FormatError(msg)
    if dataset["signal"].dtype.kind == "f" and not np.isfinite(dataset["signal"].values).any():
        size = dataset["signal"].size
        msg = f"{name!r} is {reader.title} whose {size} values are all blank or infinite. Export it again"
        raise FormatError(msg)
    for axis in dataset.coords:
        values = dataset[axis]
        if values.dims == (CHANNEL,) and values.dtype.kind == "f" and not np.isfinite(values.values).all():
            at = int(np.argmin(np.isfinite(values.values)))
            msg = (
                f"{name!r}: the axis {axis!r} is {values.values[at]} at point {at + 1} of {values.size}; wanted finite "
                "numbers. The file is damaged; export it again"
            )
            raise FormatError(msg)
