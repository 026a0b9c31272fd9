"""Mean squares of differences of phase at a distance, in blocks that stay in the cache.

Sums over a window move on by what enters and leaves, so that nothing is subtracted from a large running total. Long
series without gaps go to compiled loops (`analysis.stability.squares`).

Not here: what the mean squares mean (`analysis.stability.deviations`).
"""

from collections.abc import Iterator
from functools import cache
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from analysis.core.arrays import for_kernel
from analysis.core.stale_kernels import drop_stale
from analysis.stability.series import Array, Counts

_BLOCK = 1 << 15
_LONG = 1 << 17
"""Terms from which loading the compiled loops pays."""
_ALLAN = 2


def mean_square(
    phase: Array, m: int, order: int, *, before: Counts | None = None, until: Counts | None = None
) -> tuple[float, int]:
    """Return the mean square of the differences of one order at distance `m`, and how many are whole."""
    total = phase.size - order * m
    if before is None and total >= _LONG:
        square = float(_compiled().differences(for_kernel(phase), m, order))
        if np.isfinite(square):
            return square / total, total
    return _mean(_differences(phase, m, order, total), order * m, before, until)


def mean_square_of_sums(
    phase: Array, m: int, order: int, *, before: Counts | None = None, until: Counts | None = None
) -> tuple[float, int]:
    """Return the mean square of such differences summed over `m` neighbours, and how many are whole."""
    total = phase.size - (order + 1) * m + 1
    if before is None and order == _ALLAN and total >= _LONG:
        square = float(_compiled().sums(for_kernel(phase), m))
        if np.isfinite(square):
            return square / total, total
    if before is not None:
        phase = np.nan_to_num(phase)
    return _mean(_sums(phase, m, order, total), (order + 1) * m - 1, before, until)


@cache
def _compiled() -> Any:  # noqa: ANN401 - a module; numba takes as long to import as all the rest
    drop_stale(Path(__file__).parent, ("squares",))
    return import_module("analysis.stability.squares")


def _mean(blocks: Iterator[Array], span: int, before: Counts | None, until: Counts | None) -> tuple[float, int]:
    square, count, start = 0.0, 0, 0
    for block in blocks:
        stop = start + block.size
        terms = block
        if before is not None and until is not None:
            terms = block[before[start:stop] == until[start + span : stop + span]]
        elif np.isnan(block).any():
            terms = block[~np.isnan(block)]
        square += float(terms @ terms)
        count += terms.size
        start = stop
    return (square / count if count else np.nan), count


def _differences(phase: Array, m: int, order: int, total: int) -> Iterator[Array]:
    for start in range(0, total, _BLOCK):
        stop = min(start + _BLOCK, total)
        parts = [phase[start + k * m : stop + k * m] for k in range(order + 1)]
        while len(parts) > 1:
            parts = [after - before for before, after in pairwise(parts)]
        yield parts[0]


def _sums(phase: Array, m: int, order: int, total: int) -> Iterator[Array]:
    at = sum(float(block.sum()) for block in _differences(phase, m, order, m))
    moves = _differences(phase, m, order + 1, total - 1)
    yield np.array([at])
    for move in moves:
        block = np.cumsum(move)
        block += at
        at = float(block[-1])
        yield block
