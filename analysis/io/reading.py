"""`read`: a file to a spectrum, by content and never by suffix.

Not here: which reader a file needs (`analysis.io.registry`), the formats (one module each),
projects and calibrations (`analysis.io.projects`), packaged spectra (`analysis.io.samples`).
"""

import hashlib
from pathlib import Path

import xarray as xr

from analysis.core import FormatError, history
from analysis.io import collection, registry, sniff, zarr_store
from analysis.io.collection import Collection


def read(path: str | Path, *, format: str | None = None, item: str | None = None) -> xr.Dataset | Collection:  # noqa: A002 - the name users know
    """Read a spectrum from a file, by what is in it.

    `docs/formats.md` lists the formats. Points are never dropped or re-sorted; blank cells become NaN (their
    number is in the attribute `blank_values`); negative counts are kept, they are usual after dark subtraction. The
    raw header of a file is kept as JSON in the attribute `header`.

    Parameters
    ----------
    path:
        The file.
    format:
        A name of `analysis.io.formats()`, such as `netcdf`, `jcamp`, `ascii`, or `columns` (a table as it stands, no
        axis); None looks at the content. A first column that the file does not name is the axis `x`: say what it is
        with `analysis.io.name_axis`.
    item:
        Which spectrum of a file that holds a collection; None for all.

    Returns
    -------
    :
        A spectrum, in memory; from a Zarr store its data are lazy, in the chunks of the store. Several spectra with a
        common axis are one Dataset with the dimension `spectrum`; without one, a `Collection` by name. What
        `analysis.io.write` wrote comes back as it was, with its history; anything else gets the history step
        `io.read` with the file's name and SHA-256.

    Raises
    ------
    FormatError
        If the file cannot be read safely or is not what its content says.
    ImportError
        If the format needs an optional extra that is not installed.
    """
    source = sniff.require_source(path)
    found = registry.identify(source) if format is None else registry.require_format(format)
    content = b""
    read: xr.Dataset | Collection
    if found == "zarr":
        read = zarr_store.read(source)
    elif found == "netcdf":
        from analysis.io import hdf5  # noqa: PLC0415 - h5py is needed for such files only

        read = hdf5.read_one(source)
    else:
        content = _content(source, registry.readers()[found].max_bytes)
        read = registry.read(source, found, content)
    step = {"path": source.name, "sha256": hashlib.sha256(content).hexdigest() if content else "", "format": found}
    if isinstance(read, Collection):
        noted = {name: _recorded(each, source, {**step, "item": name}) for name, each in read.items()}
        return collection.take(Collection(noted), item, source.name)
    return collection.take(_recorded(read, source, step), item, source.name)


def _content(source: Path, limit: int) -> bytes:
    if source.is_dir():
        msg = f"{source.name!r} is a Zarr store; wanted a file. Read it without format="
        raise FormatError(msg)
    sniff.require_size(source, limit)
    return source.read_bytes()


def _recorded(dataset: xr.Dataset, source: Path, step: dict[str, str]) -> xr.Dataset:
    if history.of(dataset):
        return dataset
    return history.record(
        dataset, "io.read", settings={**step, "sha256": step["sha256"] or sha256_of(source)}, inputs={}
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
