"""`read`: a file to a spectrum, by content and never by suffix.

Not here: the formats (`analysis.io.bwtek`, `analysis.io.ascii`, `analysis.io.hdf5`, `analysis.io.zarr_store`),
projects and calibrations (`analysis.io.projects`), packaged spectra (`analysis.io.samples`).
"""

import hashlib
from collections.abc import Callable
from pathlib import Path

import xarray as xr

from analysis.core import FormatError, did_you_mean, history
from analysis.io import ascii as ascii_table
from analysis.io import bwtek, sniff, table, text, zarr_store
from analysis.io.table import Table

_TEXT: dict[str, Callable[[Table, str], xr.Dataset]] = {
    "ascii": ascii_table.read,
    "bwtek": bwtek.read,
    "columns": ascii_table.read_columns,
}
FORMATS = ("netcdf", "zarr", *_TEXT)


def read(path: str | Path, *, format: str | None = None) -> xr.Dataset:  # noqa: A002 - the name users know
    """Read a spectrum from a file, by what is in it.

    Known are netCDF-4/HDF5/NeXus, Zarr stores, text of B&W Tek spectrometers, and tables of text with any usual
    delimiter, decimal sign, header and encoding. Points are never dropped or re-sorted; blank cells become NaN (their
    number is in the attribute `blank_values`); negative counts are kept, they are usual after dark subtraction. The
    raw header of a text file is kept as JSON in the attribute `header`.

    Parameters
    ----------
    path:
        The file.
    format:
        One of `netcdf`, `zarr`, `ascii`, `bwtek`, or `columns` (a table as it stands, no axis); None looks at the
        content. A first column that the file does not name is the axis `x`: say what it is with
        `analysis.io.name_axis`.

    Returns
    -------
    :
        A spectrum, in memory; from a Zarr store its data are lazy, in the chunks of the store. What
        `analysis.io.write` wrote comes back as it was, with its history; anything else gets the history step
        `io.read` with the file's name and SHA-256.

    Raises
    ------
    FormatError
        If the file cannot be read safely or is not what its content says.
    ImportError
        If the path is a Zarr store and zarr is not installed.
    """
    source = sniff.require_source(path)
    found = sniff.identify(source) if format is None else _require_format(format)
    if found == "zarr":
        dataset = zarr_store.read(source)
        content = b""
    elif found == "netcdf":
        from analysis.io import hdf5  # noqa: PLC0415 - h5py is needed for such files only

        dataset = hdf5.read_one(source)
        content = b""
    else:
        content = source.read_bytes()
        parsed = table.parse(text.lines_of(content, source.name), source.name)
        dataset = _TEXT[found](parsed, source.name)
    if history.of(dataset):
        return dataset
    digest = hashlib.sha256(content).hexdigest() if content else sha256_of(source)
    return history.record(
        dataset, "io.read", settings={"path": source.name, "sha256": digest, "format": found}, inputs={}
    )


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, or of the names and contents of all files of a folder.

    Parameters
    ----------
    path:
        The file or folder.

    Returns
    -------
    :
        64 hexadecimal digits.
    """
    if path.is_dir():
        listed = sorted(item.relative_to(path).as_posix() for item in path.rglob("*") if item.is_file())
        return hashlib.sha256("".join(f"{name} {sha256_of(path / name)}\n" for name in listed).encode()).hexdigest()
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _require_format(name: str) -> str:
    if name not in FORMATS:
        msg = f"no format named {name!r}; known are {sorted(FORMATS)}.{did_you_mean(name, FORMATS)}"
        raise FormatError(msg)
    return name
