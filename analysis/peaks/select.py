"""What a fit is read by: one spectrum out of a map, its axes, the model passed again.

Not here: what is done with it (`analysis.peaks.quantity`, `analysis.peaks.bridge`).
"""

import json
from collections.abc import Mapping
from numbers import Integral
from typing import Any

import lmfit
import numpy as np
import xarray as xr

from analysis.core import ModelError
from analysis.peaks.language import model_to_json

__all__ = ["axes_of", "points_of", "require_fit", "require_same", "select_one"]


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


def axes_of(fit: xr.Dataset) -> list[str]:
    """List the axes of a fit, in the order of the model's independent variables.

    Parameters
    ----------
    fit:
        Result of `peaks.fit`.

    Returns
    -------
    :
        One name, or several.
    """
    names: list[str] = json.loads(fit.attrs["axes"]) if "axes" in fit.attrs else [str(fit.attrs["axis"])]
    return names


def points_of(fit: xr.Dataset) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the values of the axes of a fit.

    Parameters
    ----------
    fit:
        Result of `peaks.fit`.

    Returns
    -------
    :
        Dims `(channel,)`, or `(variable, channel)` if there are several.
    """
    rows = np.array([np.asarray(fit[name].values, dtype=float) for name in axes_of(fit)])
    return rows if len(rows) > 1 else rows[0]


def require_same(fit: xr.Dataset, model: lmfit.Model) -> lmfit.Model:
    """Return a model after a check that it is the one that was fitted.

    Parameters
    ----------
    fit:
        Result of `peaks.fit`.
    model:
        Passed again because the fit stores functions by name only.

    Returns
    -------
    :
        The model.

    Raises
    ------
    ModelError
        If it is no model, or another one.
    """
    given: object = model
    if not isinstance(given, lmfit.Model) or model_to_json(model) != fit.attrs["model"]:
        what = given.name if isinstance(given, lmfit.Model) else type(given).__name__
        msg = f"the fit is of the model {fit.attrs['model'][:200]}; got {what}. Pass the model that was fitted"
        raise ModelError(msg)
    return model


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
