"""Datasets as columns of numbers and a note, for text formats that others read too: exact, with u and history.

The columns are the arrays along `channel`, one for each spectrum of a batch; the note is JSON with all else.
Not here: the formats (`analysis.io.exchange_write`).
"""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from analysis.core import CHANNEL, FormatError
from analysis.io import dataset_json

VERSION = 1
_MOST = 10_000_000
Array = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Columns:
    """A Dataset, taken apart."""

    names: tuple[str, ...]
    """Names of the columns, with units: axes first, then the signal, its uncertainty, and the rest."""
    values: tuple[Array, ...]
    """The columns, of one length."""
    note: str
    """JSON that puts them together again."""


def take_apart(dataset: xr.Dataset, *, form: str) -> Columns:
    """Make columns of a Dataset.

    Parameters
    ----------
    dataset:
        A spectrum with `signal` along `channel`.
    form:
        What is written, for messages.

    Returns
    -------
    :
        The columns.

    Raises
    ------
    FormatError
        If something in the Dataset cannot be held exactly.
    """
    if "signal" not in dataset or CHANNEL not in dataset["signal"].dims:
        msg = f"{form} holds spectra: wanted a Dataset with `signal` along `channel`; got {list(dataset.variables)}"
        msg += ". Write anything else to a file that ends in .nc"
        raise FormatError(msg)
    order = sorted(
        (str(name) for name, each in dataset.variables.items() if CHANNEL in each.dims),
        key=lambda name: (name not in dataset.coords, name == "pixel", name != "signal", name != "u_signal"),
    )
    names: list[str] = []
    values: list[Array] = []
    layout = []
    for name in order:
        variable = dataset[name].variable
        if variable.dtype.kind not in "fiub" or variable.dtype.itemsize > 8 or variable.dims[-1] != CHANNEL:  # noqa: PLR2004 - bytes
            msg = f"{form} cannot hold {name!r} ({variable.dtype}, {variable.dims}); wanted numbers, `channel` last"
            msg += ". Write it to a file that ends in .nc"
            raise FormatError(msg)
        rows = variable.values.reshape(-1, variable.shape[-1])
        exact = rows.astype(float)
        if variable.dtype.kind in "iu" and not np.array_equal(exact.astype(variable.dtype), rows):
            msg = f"{form} cannot hold the integers of {name!r} exactly. Write it to a file that ends in .nc"
            raise FormatError(msg)
        units = variable.attrs.get("units")
        title = f"{name} ({units})" if units else name
        names += [title if len(rows) == 1 else f"{title} {at + 1}" for at in range(len(rows))]
        values += list(exact)
        layout.append([name, [str(dim) for dim in variable.dims], list(variable.shape), str(variable.dtype)])
    attrs = xr.Dataset({}, attrs={}).assign({name: xr.Variable((), 0, dataset[name].attrs) for name in order})
    rest = dataset.drop_vars(order)
    note = {
        "version": VERSION, "layout": layout, "coords": [name for name in order if name in dataset.coords],
        "attrs": json.loads(dataset_json.to_json(attrs)), "rest": json.loads(dataset_json.to_json(rest)),
        "order": [str(name) for name in dataset.variables],
    }  # fmt: skip
    return Columns(names=tuple(names), values=tuple(values), note=json.dumps(note, sort_keys=True))


def restore(note: str, columns: list[Array], name: str) -> xr.Dataset:
    """Put a Dataset together again.

    Parameters
    ----------
    note:
        Of `take_apart`.
    columns:
        The columns of the file, in their order.
    name:
        Name of the file, for messages.

    Returns
    -------
    :
        The Dataset, equal to the one that was written.

    Raises
    ------
    FormatError
        If note and columns do not fit.
    """
    try:
        said: dict[str, Any] = json.loads(note)
        attrs = dataset_json.from_json(json.dumps(said["attrs"]))
        rest = dataset_json.from_json(json.dumps(said["rest"]))
        found: dict[str, xr.Variable] = {}
        left = list(columns)
        for key, dims, shape, dtype in said["layout"]:
            count = int(np.prod([int(size) for size in shape[:-1]], dtype=float))
            taken, left = left[:count], left[count:]
            if count > _MOST or len(taken) != count or any(each.size != shape[-1] for each in taken):
                sizes = sorted({each.size for each in taken})
                msg = f"{name!r}: {key!r} has {len(taken)} columns of {sizes} rows, wanted {count} of {shape[-1]}"
                msg += ". Lines or columns were added or lost; write it again"
                raise FormatError(msg)
            values = np.array(taken).reshape(shape).astype(np.dtype(dtype))
            found[key] = xr.Variable(dims, values, attrs[key].attrs)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        if isinstance(error, FormatError):
            raise
        msg = f"{name!r}: the note of metrospec does not read ({type(error).__name__}: {error}). It was altered"
        msg += "; write the file again"
        raise FormatError(msg) from error
    if left:
        msg = f"{name!r} has {len(left)} columns more than were written. Delete them, or write the file again"
        raise FormatError(msg)
    coords = {key: found.pop(key) for key in said["coords"]}
    every: dict[str, Any] = {str(key): rest[key].variable for key in rest.data_vars} | found
    ordered = {key: every[key] for key in said["order"] if key in every}
    return xr.Dataset(ordered, coords={**coords, **rest.coords}, attrs=rest.attrs)
