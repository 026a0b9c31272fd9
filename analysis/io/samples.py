"""Spectra that come with the package: measured ones carried over with their source, and a simulated pair.

Not here: how they were made (`sample_data/make`), and their table (`sample_data/README.md`).
"""

from pathlib import Path

import xarray as xr

import analysis
from analysis.core import FormatError, did_you_mean, history
from analysis.io import hdf5

_SUFFIX = ".nc"


def sample_names() -> list[str]:
    """List the packaged spectra.

    Returns
    -------
    :
        Names for `sample`, sorted.

    Raises
    ------
    FormatError
        If the sample data are not installed.
    """
    return sorted(path.stem for path in _folder().glob(f"*{_SUFFIX}"))


def sample(name: str) -> xr.Dataset:
    """Read a packaged spectrum.

    Parameters
    ----------
    name:
        One of `sample_names()`, such as `raman_neon`.

    Returns
    -------
    :
        The spectrum with its provenance in the attributes, and the history step `io.sample`.

    Raises
    ------
    FormatError
        If there is no such sample, or the sample data are not installed.
    """
    names = sample_names()
    if name not in names:
        msg = f"no sample named {name!r}; there are {names}.{did_you_mean(name, names)}"
        raise FormatError(msg)
    dataset = hdf5.read_one(_folder() / f"{name}{_SUFFIX}")
    return history.record(dataset, "io.sample", settings={"name": name}, inputs={})


def _folder() -> Path:
    """Find the data beside the package (a clone) or inside it (an installed wheel)."""
    package = Path(analysis.__path__[0])
    for folder in (package / "_sample_data", package.parent / "sample_data"):
        if any(folder.glob(f"*{_SUFFIX}")):
            return folder
    msg = f"the sample data are not there (looked in {package.name!r} and beside it). Install metrospec again"
    raise FormatError(msg)
