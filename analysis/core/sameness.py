"""Two results compared: bit by bit, or within a small part of their uncertainty.

Not here: making them (`analysis.replay`).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from analysis.core.errors import HistoryError

_OF_U = 1e-6
_RELATIVE = 1e-9
_UNCERTAIN = frozenset({"stderr", "u", "covariance", "contribution", "share", "dof", "value_sensitivity"})
_COUNTS = frozenset({"nfev"})
_SHOWN = 6


def require_same(got: xr.Dataset, wanted: xr.Dataset, *, what: str) -> bool:
    """Refuse a redone result that differs from the given one.

    Values may differ by 1e-6 of their standard uncertainty, uncertainties by 1e-6 of the largest of their kind, other
    floats by 1e-9 of their size; whole numbers (but counts of iterations), texts, shapes and units not at all.

    Parameters
    ----------
    got:
        The redone result.
    wanted:
        The given one.
    what:
        Its name, for the message.

    Returns
    -------
    :
        True if they are bit-identical, False if they differ within the tolerance.

    Raises
    ------
    HistoryError
        If they differ beyond it.
    """
    if set(got.variables) != set(wanted.variables):
        differ = sorted(str(name) for name in set(got.variables) ^ set(wanted.variables))
        msg = f"{what}: redone it has not the same variables as given: {differ} stand in one of them only"
        raise HistoryError(msg)
    exact = [_same(what, str(name), got, wanted) for name in wanted.variables]
    return all(exact)


def _same(what: str, name: str, got: xr.Dataset, wanted: xr.Dataset) -> bool:
    a, b = got[name], wanted[name]
    unit_a, unit_b = (str(each.attrs.get("units", "")) for each in (a, b))
    if a.dims != b.dims or a.shape != b.shape or unit_a != unit_b:
        _refuse(what, name, f"{a.dims} {a.shape} in {unit_a!r}", f"{b.dims} {b.shape} in {unit_b!r}")
    x, y = np.asarray(a.values), np.asarray(b.values)
    number = x.dtype.kind in "fc"
    if np.array_equal(x, y, equal_nan=number):
        return True
    if number and name not in _COUNTS:
        limit = _limit(name, wanted, y)
        bad = ~((np.abs(x - y) <= limit) | (np.isnan(x) & np.isnan(y)))
    else:
        bad = np.asarray(x != y) & (name not in _COUNTS)
    if bad.any():
        _refuse(what, name, _shown(x[bad]), _shown(y[bad]))
    return False


def _limit(name: str, dataset: xr.Dataset, values: np.ndarray) -> Any:  # noqa: ANN401 - a number or an array
    largest = float(np.nanmax(np.abs(values), initial=0.0))
    if name in _UNCERTAIN or name.endswith("_sources") or name.startswith("u_"):
        return _OF_U * largest
    for key in (f"u_{name}", *(("stderr", "u") if name == "value" else ())):
        if key in dataset and dataset[key].dims == dataset[name].dims:
            return np.maximum(np.nan_to_num(_OF_U * dataset[key].values), _RELATIVE * np.abs(values))
    if f"{name}_sources" in dataset:
        squares = (dataset[f"{name}_sources"] ** 2).sum("source")
        return _OF_U * np.sqrt(squares.values) + _RELATIVE * np.abs(values)
    return _RELATIVE * np.maximum(np.abs(values), largest)


def _shown(values: Sequence[Any] | np.ndarray) -> str:
    words = [repr(each) for each in np.asarray(values).ravel()[:_SHOWN].tolist()]
    return ", ".join(words) + (f" … ({np.size(values)} of them)" if np.size(values) > _SHOWN else "")


def _refuse(what: str, name: str, got: str, wanted: str) -> None:
    msg = (
        f"{what}: {name!r} is not what its history gives: redone it is {got}, given it is {wanted}. The result was "
        "changed after it was computed, or the raw data were; use the redone one"
    )
    raise HistoryError(msg)
