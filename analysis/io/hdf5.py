"""HDF5 files: those written here, and other makers' netCDF and NeXus files.

Not here: writing (`analysis.io.netcdf`), what is refused before reading (`analysis.io.hdf5_check`).
"""

from pathlib import Path

import xarray as xr

from analysis.core import FormatError
from analysis.io import netcdf


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
    items = netcdf.read_items(path)
    if netcdf.kind_of(path) == netcdf.PROJECT:
        msg = f"{path.name!r} is a project with the items {list(items)}; read them with io.read_project(path)"
        raise FormatError(msg)
    return next(iter(items.values()))[1]
