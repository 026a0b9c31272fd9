"""Uncertain arrays as Datasets, which a file can hold, and back.

A Dataset of an array: `value`, `u`; `value_sources` (source, *dims) and `value_draw` (source, *dims), the contribution
of each source and the number of its draw; for sources that mix draws `mixed`, `mixed_source`, `mixed_element`,
`mixed_draw` (entry), a sparse matrix; coordinates `source`, `source_info`, `source_draws`.
Not here: the array (`analysis.uncertainty.array`).
"""

import math

import numpy as np
import xarray as xr
from scipy import sparse

from analysis.core import UncertaintyError
from analysis.uncertainty import sources as stored
from analysis.uncertainty.array_arithmetic import Operand
from analysis.uncertainty.contributions import Direct, Mixed, Part
from analysis.uncertainty.sources import INFO, SOURCE, Source

_DRAWS, _SHAPE = "source_draws", "mixed_shape"


def to_dataset(x: Operand) -> xr.Dataset:
    """Return an array as a Dataset that a file can hold.

    Parameters
    ----------
    x:
        Any uncertain array.

    Returns
    -------
    :
        See the top of this module.
    """
    direct = {source: part for source, part in x.parts.items() if isinstance(part, Direct)}
    several = {source: part for source, part in x.parts.items() if isinstance(part, Mixed)}
    units = {"units": x.units}
    dataset = xr.Dataset(
        {"value": x.value.assign_attrs(units, long_name=x.label), "u": x.u.assign_attrs(units)},
        attrs={"kind": "uncertain array", "history": x.history},
    )
    zeros = np.zeros(x.shape)
    cs = {source: np.broadcast_to(part.c, x.shape) for source, part in direct.items()} | dict.fromkeys(several, zeros)
    dataset = stored.attach(dataset, "value", cs, x.dims)
    order = [*direct, *several]
    draws = [np.broadcast_to(direct[s].draw, x.shape) if s in direct else zeros.astype(np.int64) for s in order]
    dataset["value_draw"] = ((SOURCE, *x.dims), np.array(draws, dtype=np.int64).reshape(len(order), *x.shape))
    dataset = dataset.assign_coords({_DRAWS: (SOURCE, np.array([x.parts[s].draws for s in order], dtype=np.int64))})
    entries = [part.matrix.tocoo() for part in several.values()]
    columns = {
        "mixed": [each.data for each in entries],
        "mixed_source": [np.full(each.nnz, len(direct) + k) for k, each in enumerate(entries)],
        "mixed_element": [each.coords[0] for each in entries],
        "mixed_draw": [each.coords[1] for each in entries],
    }
    if entries:
        dataset = dataset.assign({name: ("entry", np.concatenate(rows)) for name, rows in columns.items()})
        dataset["mixed"].attrs[_SHAPE] = list(x.shape)
    return dataset


def from_dataset(dataset: xr.Dataset) -> Operand:
    """Read what `to_dataset` made.

    Parameters
    ----------
    dataset:
        Perhaps read from a file, perhaps cut by position or label.

    Returns
    -------
    :
        The array, correlated with all others of the same sources.

    Raises
    ------
    UncertaintyError
        If it is not the Dataset of an array, or was cut although its elements share draws in ways that only the
        whole array knows.
    """
    if dataset.attrs.get("kind") != "uncertain array" or "value_draw" not in dataset:
        msg = f"not the Dataset of an uncertain array: kind is {dataset.attrs.get('kind')!r}; wanted x.to_dataset()"
        raise UncertaintyError(msg)
    value = dataset["value"].drop_vars([SOURCE, INFO, _DRAWS], errors="ignore")
    dims = [str(dim) for dim in value.dims]
    cs = dataset["value_sources"].transpose(SOURCE, *dims).values
    draws = dataset["value_draw"].transpose(SOURCE, *dims).values
    known = [Source.from_json(str(text)) for text in dataset[INFO].values]
    counts = [int(count) for count in dataset[_DRAWS].values]
    parts: dict[Source, Part] = {
        source: Direct(c=c, draw=draw if source.over else np.zeros((1,) * draw.ndim, dtype=np.int64), draws=count)
        for source, c, draw, count in zip(known, cs, draws, counts, strict=True)
    }
    if "mixed" in dataset:
        if tuple(int(size) for size in np.atleast_1d(dataset["mixed"].attrs[_SHAPE])) != value.shape:
            msg = "this Dataset was cut after it was made, and its elements share draws; cut the UncertainArray instead"
            raise UncertaintyError(msg)
        parts |= _mixed(dataset, known, counts, value.shape)
    return Operand(
        value=value.drop_attrs().assign_attrs(units=str(value.attrs.get("units", "1"))),
        parts=parts,
        label=str(value.attrs.get("long_name", "")),
        history=str(dataset.attrs.get("history", "")),
    )


def _mixed(dataset: xr.Dataset, known: list[Source], counts: list[int], shape: tuple[int, ...]) -> dict[Source, Part]:
    found: dict[Source, Part] = {}
    source, element, draw = (dataset[f"mixed_{name}"].values for name in ("source", "element", "draw"))
    for number in np.unique(source):
        own = source == number
        size = (math.prod(shape), counts[number])
        matrix = sparse.csr_array((dataset["mixed"].values[own], (element[own], draw[own])), shape=size)
        found[known[number]] = Mixed(matrix=matrix, shape=shape, draws=counts[number])
    return found
