"""Datasets in the terms of netCDF-4: what the format cannot hold is noted beside it and restored.

`encode` gives a Dataset of plain numbers and text and a note (JSON); `decode` undoes it exactly: names,
dtypes, coordinates, order and attributes. Not here: HDF5 (`analysis.io.netcdf`).
"""

import json
from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import xarray as xr

from analysis.core import FormatError

Note = dict[str, Any]
Attributes = Mapping[Any, Any]

_RESERVED = frozenset(
    {"NX_class", "signal", "axes", "default", "auxiliary_signals", "_FillValue", "missing_value", "scale_factor"}
    | {"add_offset", "coordinates", "dtype", "calendar", "_Unsigned", "grid_mapping", "bounds", "CLASS", "NAME"}
    | {"DIMENSION_LIST", "REFERENCE_LIST", "DIMENSION_LABELS", "_Netcdf4Dimid", "_Netcdf4Coordinates", "_NCProperties"}
    | {"_nc3_strict", "metrospec"}
)
_LARGEST = 2**63


def encode(dataset: xr.Dataset) -> tuple[xr.Dataset, Note]:
    """Put a Dataset into plain numbers, text and attributes.

    Parameters
    ----------
    dataset:
        Any Dataset of numbers, booleans, text and times.

    Returns
    -------
    :
        The Dataset as netCDF holds it (uncertainties under their NeXus names), and the note for `decode`.

    Raises
    ------
    FormatError
        If a variable or an attribute is of a kind that netCDF cannot hold exactly.
    """
    names = _nexus_names(dataset)
    note: Note = {
        "version": 1,
        "order": [str(name) for name in dataset.variables],
        "coords": [str(name) for name in dataset.coords],
        "names": names,
        "dtypes": {},
        "hidden": {},
        "json": {},
    }
    variables: dict[str, xr.Variable] = {}
    for key, variable in dataset.variables.items():
        name = _require_name(key)
        kind, data = _encode_values(name, variable)
        if kind:
            note["dtypes"][name] = kind
        attrs = _encode_attrs(name, variable.attrs, note)
        variables[names.get(name, name)] = xr.Variable(variable.dims, data, attrs)
    attrs = _encode_attrs("", dataset.attrs, note)
    coords = {names.get(str(name), str(name)) for name in dataset.coords}
    return xr.Dataset(
        {name: variable for name, variable in variables.items() if name not in coords},
        coords={name: variable for name, variable in variables.items() if name in coords},
        attrs=attrs,
    ), note


def decode(plain: xr.Dataset, note: Note) -> xr.Dataset:
    """Undo `encode`.

    Parameters
    ----------
    plain:
        What was read, not decoded by xarray; lazy data stay lazy.
    note:
        The note that `encode` made.

    Returns
    -------
    :
        The Dataset that was written.

    Raises
    ------
    FormatError
        If the note names variables that the file does not hold.
    """
    variables: dict[str, xr.Variable] = {}
    for name in note["order"]:
        stored = note["names"].get(name, name)
        if stored not in plain.variables:
            msg = f"the file is damaged: it lists the variable {name!r} but does not hold it. Write it again"
            raise FormatError(msg)
        variable = plain.variables[stored]
        data = _decode_values(_values_of(variable), note["dtypes"].get(name, ""))
        variables[name] = xr.Variable(variable.dims, data, _decode_attrs(name, variable.attrs, note))
    coords = set(note["coords"])
    return xr.Dataset(
        {name: variable for name, variable in variables.items() if name not in coords},
        coords={name: variable for name, variable in variables.items() if name in coords},
        attrs=_decode_attrs("", plain.attrs, note),
    )


def _nexus_names(dataset: xr.Dataset) -> dict[str, str]:
    """Map `u_x` to `x_errors` and `stderr` to `value_errors`, where `x` is there and the name is free."""
    taken = {str(name) for name in dataset.variables} | {str(dim) for dim in dataset.dims}
    pairs = {f"u_{name}": f"{name}_errors" for name in taken} | {"stderr": "value_errors"}
    wanted = {old: new for old, new in pairs.items() if old in taken and new not in taken}
    if "value" not in taken:
        wanted.pop("stderr", None)
    return {old: new for old, new in wanted.items() if old not in dataset.dims}


def _require_name(key: Hashable) -> str:
    if not isinstance(key, str) or not key or "/" in key or key in {".", ".."} or "\0" in key:
        msg = f"netCDF cannot hold a variable named {key!r}; wanted text without '/'. Rename it: dataset.rename(...)"
        raise FormatError(msg)
    return key


def _encode_values(name: str, variable: xr.Variable) -> tuple[str, Any]:
    dtype = variable.dtype
    if dtype.kind in "fiu" and dtype.itemsize <= np.dtype(np.float64).itemsize:
        return "", variable.data
    if dtype.kind == "b":
        return "bool", variable.data.astype(np.int8)
    if dtype.kind in "Mm":
        return dtype.str, variable.data.view(np.int64)
    if dtype.kind in "UOT":
        return _encode_text(name, variable)
    msg = (
        f"netCDF cannot hold {name!r} of dtype {dtype}; wanted real numbers, booleans, text or times. "
        "Write complex values as two variables (real, imag)"
    )
    raise FormatError(msg)


def _encode_text(name: str, variable: xr.Variable) -> tuple[str, Any]:
    values = np.asarray(variable.values)
    wrong = next((item for item in values.ravel() if not isinstance(item, str)), None)
    if wrong is not None:
        msg = (
            f"netCDF cannot hold {name!r}: an object of type {type(wrong).__name__} is among its values. "
            "Use numbers or text, one kind a variable"
        )
        raise FormatError(msg)
    if any("\0" in item for item in values.ravel()):
        msg = f"netCDF cannot hold {name!r}: a text value holds a NUL character. Remove it"
        raise FormatError(msg)
    kind = {"U": values.dtype.str, "O": "object", "T": "StringDType"}[values.dtype.kind]
    return kind, values.astype(object)


def _values_of(variable: xr.Variable) -> Any:  # noqa: ANN401 - lazy data stay lazy
    return np.asarray(variable.values) if variable.chunks is None else variable.data


def _decode_values(values: np.ndarray[Any, Any], kind: str) -> np.ndarray[Any, Any]:
    if not kind:
        return values
    if kind == "bool":
        return values.astype(bool)
    if kind == "object":
        return values.astype(object)
    if kind == "StringDType":
        return values.astype(np.dtypes.StringDType())
    dtype = np.dtype(kind)
    return values.view(dtype) if dtype.kind in "Mm" else values.astype(dtype)


def _encode_attrs(owner: str, attrs: Attributes, note: Note) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    for key, value in attrs.items():
        name = _require_name(key)
        if name in _RESERVED or name.endswith("_indices"):
            note["hidden"].setdefault(owner, {})[name] = _as_json(owner, name, value)
        elif _is_native(value):
            plain[name] = value
        else:
            plain[name] = _as_json(owner, name, value)
            note["json"].setdefault(owner, []).append(name)
    return plain


def _is_native(value: object) -> bool:
    if isinstance(value, str):
        return bool(value) and "\0" not in value
    if isinstance(value, bool | np.bool_):
        return False
    if isinstance(value, int):
        return -_LARGEST <= value < _LARGEST
    if isinstance(value, np.ndarray):
        return value.ndim == 1 and value.size > 1 and value.dtype.kind in "fiu"
    return isinstance(value, float | np.integer | np.floating)


def _as_json(owner: str, name: str, value: object) -> str:
    try:
        return json.dumps(value, default=_plain)
    except (TypeError, ValueError) as error:
        of = f" of {owner!r}" if owner else ""
        msg = (
            f"netCDF cannot hold the attribute {name!r}{of}: {error}. Use text, real numbers, booleans, None, or "
            "lists and dicts of these; a complex number as [real, imag], a date as ISO 8601 text"
        )
        raise FormatError(msg) from error


def _plain(value: object) -> object:
    if isinstance(value, np.ndarray) and value.dtype.kind in "fiubU":
        return value.tolist()
    if isinstance(value, np.bool_ | np.integer | np.floating):
        return value.item()
    msg = f"got {type(value).__name__} {value!r:.60}"
    raise TypeError(msg)


def _decode_attrs(owner: str, attrs: Attributes, note: Note) -> dict[str, Any]:
    as_json = set(note["json"].get(owner, []))
    found = {
        str(name): json.loads(value) if name in as_json else _native(value)
        for name, value in attrs.items()
        if name not in _RESERVED and not str(name).endswith("_indices")
    }
    return found | {name: json.loads(text) for name, text in note["hidden"].get(owner, {}).items()}


def _native(value: Any) -> Any:  # noqa: ANN401 - an attribute may be anything
    if isinstance(value, np.float64 | np.int64 | np.str_):
        return value.item()
    return value
