"""HDF5 files: those written here, and other makers' netCDF and NeXus files.

Not here: writing (`analysis.io.netcdf`), what is refused before reading (`analysis.io.hdf5_check`).
"""

from pathlib import Path

import xarray as xr

from analysis.core import FormatError, MetrospecError
from analysis.io import foreign, hdf5_check, netcdf


def read_one(path: Path) -> xr.Dataset:
    """Read the one Dataset of a file.

    Parameters
    ----------
    path:
        An HDF5 file.

    Returns
    -------
    :
        The Dataset, in memory.

    Raises
    ------
    FormatError
        If the file is unsafe, damaged, a project, or of other origin and without a spectrum.
    """
    hdf5_check.require_safe(path)
    kind = netcdf.kind_of(path)
    if kind is None:
        return foreign.read(path)
    items = read_all(path)
    if kind == netcdf.PROJECT:
        msg = f"{path.name!r} is a project with the items {list(items)}; read them with io.read_project(path)"
        raise FormatError(msg)
    return next(iter(items.values()))[1]


def read_all(path: Path) -> dict[str, tuple[str, xr.Dataset]]:
    """Read all items of a file that was written here.

    Parameters
    ----------
    path:
        An HDF5 file.

    Returns
    -------
    :
        Name to the class it was, and its Dataset.

    Raises
    ------
    FormatError
        If the file is unsafe, damaged, or not written by `analysis.io.write`.
    """
    hdf5_check.require_safe(path)
    if netcdf.kind_of(path) is None:
        msg = f"{path.name!r} was not written by io.write, so it holds no items. Read it with io.read(path)"
        raise FormatError(msg)
    try:
        return netcdf.read_items(path)
    except MetrospecError:
        raise
    except (OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError) as error:
        msg = f"{path.name!r} is damaged: {error}. Copy it again from where it was written"
        raise FormatError(msg) from error
