"""One spectrum out of a map, by position.

Not here: what is done with it (`analysis.peaks.quantity`, `analysis.peaks.bridge`).
"""

from collections.abc import Mapping
from numbers import Integral

import xarray as xr

from analysis.core import ModelError

__all__ = ["require_fit", "select_one"]


def require_fit(fit: xr.Dataset) -> None:
    """Refuse what is not the result of a fit.

    Parameters
    ----------
    fit:
        What was given.

    Raises
    ------
    ModelError
        If it lacks what `peaks.fit` makes.
    """
    given: object = fit
    has = [str(name) for name in given.data_vars] if isinstance(given, xr.Dataset) else []
    if not {"value", "status"} <= set(has):
        msg = f"wanted the result of peaks.fit; got a {type(given).__name__} with {has}. Fit the spectrum first"
        raise ModelError(msg)


def _require_positions(at: object) -> None:
    if at is not None and not isinstance(at, Mapping):
        msg = f"at must name a position for each dim, such as at={{'row': 2, 'col': 3}}; got {at!r}"
        raise ModelError(msg)
    for dim, position in dict(at or {}).items():
        if not isinstance(position, Integral):
            msg = f"at counts spectra and wants an integer for each dim; got {dim!r}: {position!r}"
            raise ModelError(msg)


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
        If this is no fit, dims are missing or unknown, or a position is no integer or out of range.
    """
    require_fit(fit)
    sizes = {str(dim): fit["status"].sizes[dim] for dim in fit["status"].dims}
    _require_positions(at)
    given = dict(at or {})
    if set(given) != set(sizes):
        example = dict.fromkeys(sizes, 0)
        msg = f"the fit is a map with dims {sizes}; got at={given or None}. Name one position for each: at={example}"
        if not sizes:
            msg = f"the fit is of one spectrum, so at must be None; got at={given}"
        raise ModelError(msg)
    for dim, position in given.items():
        if not -sizes[dim] <= int(position) < sizes[dim]:
            msg = f"position {position} is outside dim {dim!r} of size {sizes[dim]}; wanted 0 to {sizes[dim] - 1}"
            raise ModelError(msg)
    return fit.isel(given).compute()
