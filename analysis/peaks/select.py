"""One spectrum out of a map, by position.

Not here: what is done with it (`analysis.peaks.quantity`, `analysis.peaks.bridge`).
"""

from collections.abc import Mapping

import xarray as xr

from analysis.core import ModelError

__all__ = ["select_one"]


def select_one(fit: xr.Dataset, at: Mapping[str, int] | None) -> xr.Dataset:
    """Return the fit of one spectrum.

    Parameters
    ----------
    fit:
        Result of `peaks.fit`.
    at:
        One integer position for each dim of the map; None for a single spectrum.

    Returns
    -------
    :
        The fit without batch dims, loaded.

    Raises
    ------
    ModelError
        If dims are missing, unknown, or a position is out of range.
    """
    sizes = {str(dim): fit["status"].sizes[dim] for dim in fit["status"].dims}
    given = dict(at or {})
    if set(given) != set(sizes):
        example = dict.fromkeys(sizes, 0)
        msg = f"the fit is a map with dims {sizes}; got at={given or None}. Name one position for each: at={example}"
        if not sizes:
            msg = f"the fit is of one spectrum, so at must be None; got at={given}"
        raise ModelError(msg)
    for dim, position in given.items():
        if not -sizes[dim] <= int(position) < sizes[dim]:
            msg = f"position {position} is outside dim {dim!r} of size {sizes[dim]}"
            raise ModelError(msg)
    return fit.isel(given).compute()
