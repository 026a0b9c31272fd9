"""Datasets as JSON text, exact to the last bit, for certificates that carry them.

Not here: files of their own (`analysis.io.netcdf`).
"""

import json
from typing import Any

import numpy as np
import xarray as xr

from analysis.core import FormatError

_KINDS = {"f": "float", "i": "int", "u": "int", "b": "bool", "U": "text"}
_TYPES: dict[str, Any] = {"float": np.float64, "int": np.int64, "bool": np.bool_, "text": np.str_}
_NUMBER = "number"  # that JSON has no word for
_SPECIAL = {"nan": np.nan, "inf": np.inf, "-inf": -np.inf}


def to_json(dataset: xr.Dataset) -> str:
    """Write a Dataset as JSON.

    Parameters
    ----------
    dataset:
        Numbers and text.

    Returns
    -------
    :
        JSON text.

    Raises
    ------
    FormatError
        If a variable is of another kind.
    """
    variables = {str(name): _variable(str(name), variable) for name, variable in dataset.variables.items()}
    content = {
        "variables": variables,
        "coords": [str(name) for name in dataset.coords],
        "attrs": _attrs(dataset.attrs),
    }
    return json.dumps(content, ensure_ascii=False, allow_nan=False, sort_keys=True)


def from_json(text: str) -> xr.Dataset:
    """Read what `to_json` wrote.

    Parameters
    ----------
    text:
        JSON text.

    Returns
    -------
    :
        The Dataset.

    Raises
    ------
    FormatError
        If it is not such a text.
    """
    try:
        content = json.loads(text)
        found = {}
        for name, (dims, kind, shape, values, attrs) in content["variables"].items():
            array = np.array([_back(each) for each in values], dtype=_TYPES[kind]).reshape(
                [int(size) for size in shape]
            )
            found[name] = xr.Variable([str(dim) for dim in dims], array, _restored(attrs))
        coords = {name: found.pop(name) for name in content["coords"]}
        return xr.Dataset(found, coords=coords, attrs=_restored(content["attrs"]))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        msg = (
            f"the data that the certificate carries do not read back ({type(error).__name__}: {error}); it was altered"
        )
        raise FormatError(msg) from error


def _variable(name: str, variable: xr.Variable) -> list[Any]:
    values = variable.values
    if values.dtype.kind == "O" and all(isinstance(each, str) for each in values.flat):
        values = values.astype(str)
    if values.dtype.kind not in _KINDS:
        msg = f"{name!r} is of dtype {values.dtype}, which a certificate cannot carry; wanted numbers or text"
        raise FormatError(msg)
    kind = _KINDS[values.dtype.kind]
    flat = [_plain(each) for each in values.ravel().tolist()]
    return [[str(dim) for dim in variable.dims], kind, list(values.shape), flat, _attrs(variable.attrs)]


def _attrs(attrs: Any) -> dict[str, Any]:  # noqa: ANN401 - as xarray types them
    return {str(name): _plain(value.tolist() if hasattr(value, "tolist") else value) for name, value in attrs.items()}


def _plain(value: Any) -> Any:  # noqa: ANN401 - numbers, text, lists
    if isinstance(value, float) and not np.isfinite(value):
        return {_NUMBER: str(value)}
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value


def _back(value: Any) -> Any:  # noqa: ANN401 - as `_plain`
    return _SPECIAL[value[_NUMBER]] if isinstance(value, dict) else value


def _restored(attrs: dict[str, Any]) -> dict[str, Any]:
    return {str(name): _back(value) for name, value in attrs.items()}
