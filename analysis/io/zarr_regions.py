"""Lazy data into a Zarr store, region by region: one task writes what all variables hold of one chunk of the map.

A scheduler keeps the outcome of each task that writes until the last has ended, so there is one a region and not one
a variable. Not here: the layout of the store (`analysis.io.zarr_store`).
"""

# Dask has no annotations.
# mypy: disable-error-code="no-untyped-call"

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

__all__ = ["write_regions"]

Blocks = tuple[tuple[int, ...], ...]


def write_regions(plain: xr.Dataset, folder: Path, *, whole: frozenset[str]) -> None:
    """Compute the lazy variables and write them into the arrays of a store, by the scheduler in use.

    Parameters
    ----------
    plain:
        Lazy variables in the chunks of the store, beside others.
    folder:
        A store that describes them; every worker of the scheduler must see it under this path.
    whole:
        Dims that no chunk divides.
    """
    from dask.base import compute  # noqa: PLC0415 - an optional extra, only lazy data need it

    groups: dict[tuple[tuple[Hashable, ...], Blocks], dict[str, xr.Variable]] = {}
    for name, variable in plain.variables.items():
        if variable.chunks is not None:
            dims = tuple(dim for dim in variable.dims if dim not in whole)
            groups.setdefault((dims, tuple(variable.chunksizes[dim] for dim in dims)), {})[str(name)] = variable
    compute(*(_written(members, folder, dims, blocks) for (dims, blocks), members in groups.items()))


def _written(members: dict[str, xr.Variable], folder: Path, dims: tuple[Hashable, ...], blocks: Blocks) -> Any:  # noqa: ANN401 - a dask array
    """Return a lazy array of one element a region; to compute it is to write the region of all members."""
    import dask.array as da  # noqa: PLC0415 - as above

    arguments: list[Any] = []
    for dim, sizes in zip(dims, blocks, strict=True):
        begins = np.cumsum((0, *sizes[:-1]))
        arguments += [da.from_array(begins, chunks=1), (dim,)]
    for variable in members.values():
        arguments += [variable.data, variable.dims]
    return da.blockwise(
        _write_region, dims, *arguments, folder=folder, members=tuple((n, v.dims) for n, v in members.items()),
        dims=dims, concatenate=True, align_arrays=False, adjust_chunks=dict.fromkeys(dims, 1),
        dtype=bool, meta=np.empty((0,) * len(dims), dtype=bool),
    )  # fmt: skip


def _write_region(
    *given: np.ndarray[Any, Any],
    folder: Path,
    members: tuple[tuple[str, tuple[Hashable, ...]], ...],
    dims: tuple[Hashable, ...],
) -> np.ndarray[Any, Any]:
    """Write one region; `given` are where it begins along each dim of the map, then what each member holds of it."""
    import zarr  # noqa: PLC0415 - as above

    begins = {dim: int(begin[0]) for dim, begin in zip(dims, given, strict=False)}
    for (name, own), values in zip(members, given[len(dims) :], strict=True):
        stored: Any = zarr.open(folder / name, mode="r+", config={"write_empty_chunks": True})
        low = [begins.get(dim, 0) for dim in own]
        stored[tuple(slice(begin, begin + n) for begin, n in zip(low, values.shape, strict=True))] = values
    return np.ones((1,) * len(dims), dtype=bool)
