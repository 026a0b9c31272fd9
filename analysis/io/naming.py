"""Saying what an axis is where the file does not.

Not here: what labels say by themselves (`analysis.io.labels`), new axes from a calibration (`analysis.calibration`).
"""

import xarray as xr

from analysis.core import SpectrumError, history, require_axis, require_spectrum


def name_axis(
    spectrum: xr.Dataset | xr.DataArray, *, name: str, units: str, axis: str = "x", medium: str | None = None
) -> xr.Dataset:
    """Give an axis its name and units, with a step in the history.

    `io.read` calls the first column of a table `x` where the file does not say what it is.

    Parameters
    ----------
    spectrum:
        A spectrum with the axis.
    name:
        What the axis is: `raman_shift`, `wavelength`, `wavenumber`, `energy`, ...
    units:
        Its units, a UDUNITS string such as `cm-1`; values are not converted.
    axis:
        What it is called now.
    medium:
        For a wavelength `air` or `vacuum`.

    Returns
    -------
    :
        The spectrum with the axis renamed.

    Raises
    ------
    SpectrumError
        If there is no such axis, or the new name is taken.
    """
    dataset = require_spectrum(spectrum)
    old = require_axis(dataset, axis)
    if name != axis and (name in dataset.variables or name in dataset.dims):
        msg = f"cannot name the axis {axis!r} {name!r}: that name is taken. The spectrum has {list(dataset.variables)}"
        raise SpectrumError(msg)
    about = {"units": units, "long_name": name.replace("_", " ")} | ({"medium": medium} if medium else {})
    result = dataset.drop_vars(axis).assign_coords({name: (old.dims, old.values, about)})
    settings = {"name": name, "units": units, "axis": axis, "medium": medium}
    return history.record(result, "io.name_axis", settings=settings, inputs={"spectrum": spectrum})
