"""What one source does to each element of an array, exactly, after any linear step.

A source draws once for everything, or once for each of many things; the draws are numbered. `Direct`: each element
depends on one draw. `Mixed`: each depends on several, as after a mean or an interpolation, by a sparse matrix.
Not here: several sources, values, units (`analysis.uncertainty.array`).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from analysis.core import UncertaintyError

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Shape = tuple[int, ...]
Rearrange = Callable[[npt.NDArray[Any]], npt.NDArray[Any]]
MOST_ENTRIES = 50_000_000  # of a matrix; 12 bytes each


@dataclass(frozen=True, kw_only=True, eq=False)
class Direct:
    """One draw for each element; `c` and `draw` broadcast to the shape of the array, with as many axes."""

    c: Floats
    """Signed contribution."""
    draw: Ints
    """Number of the draw."""
    draws: int
    """How many draws the source has."""

    def scaled(self, factor: float | Floats) -> "Direct":
        """Multiply by a number, or by one for each element (as many axes)."""
        if isinstance(factor, float) and factor == 1.0:
            return self
        return Direct(c=self.c * factor, draw=self.draw, draws=self.draws)

    def lifted(self, axes: Sequence[int | None], shape: Shape) -> "Direct":  # noqa: ARG002 - as Mixed
        """Give the axes a new order; None stands for a new axis."""
        if list(axes) == list(range(self.c.ndim)):
            return self
        return Direct(c=lift(self.c, axes), draw=lift(self.draw, axes), draws=self.draws)

    def rearranged(self, how: Rearrange, shape: Shape) -> "Direct":
        """Pick, repeat or reorder elements as `how` does with an array of this shape."""
        c, draw = how(np.broadcast_to(self.c, shape)), how(np.broadcast_to(self.draw, shape))
        return Direct(c=c, draw=draw, draws=self.draws)

    def along(self, axis: int, matrix: sparse.csr_array, shape: Shape) -> "Direct | Mixed":
        """Multiply the vectors along an axis by a matrix."""
        draw = np.broadcast_to(self.draw, shape)
        first = draw.take([0], axis=axis)
        if self.draw.shape[axis] > 1 and not np.array_equal(draw, np.broadcast_to(first, shape)):
            return self.mixed(shape).along(axis, matrix, shape)
        lean = self.draw if self.draw.shape[axis] == 1 else first
        c = np.moveaxis(np.broadcast_to(self.c, np.broadcast_shapes(self.c.shape, _long(shape, axis))), axis, 0)
        made = np.moveaxis((matrix @ c.reshape(c.shape[0], -1)).reshape(-1, *c.shape[1:]), 0, axis)
        return Direct(c=made, draw=lean, draws=self.draws)

    def drawn(self, draw: int, draws: int) -> "Direct":
        """Say which of many draws this one is."""
        return Direct(c=self.c, draw=np.full((1,) * self.c.ndim, draw), draws=draws)

    def mixed(self, shape: Shape) -> "Mixed":
        """Write the same as a matrix."""
        size = math.prod(shape)
        _require_entries(size)
        c, draw = np.broadcast_to(self.c, shape).ravel(), np.broadcast_to(self.draw, shape).ravel()
        entries = sparse.csr_array((c, draw, np.arange(size + 1)), shape=(size, self.draws))
        return Mixed(matrix=entries, shape=shape, draws=self.draws)

    def powers(self, power: int, shape: Shape) -> Floats:  # noqa: ARG002 - as Mixed
        """Return for each element the sum over draws of a power of the contribution; broadcasts to the shape."""
        made: Floats = self.c**power
        return made

    def element(self, index: tuple[int, ...], shape: Shape) -> dict[int, float]:
        """Return draw to contribution for one element."""
        return {int(np.broadcast_to(self.draw, shape)[index]): float(np.broadcast_to(self.c, shape)[index])}


@dataclass(frozen=True, kw_only=True, eq=False)
class Mixed:
    """Several draws for each element."""

    matrix: sparse.csr_array
    """Contributions, dims (element in C order, draw)."""
    shape: Shape
    """Of the array."""
    draws: int
    """How many draws the source has."""

    def scaled(self, factor: float | Floats) -> "Mixed":
        """Multiply by a number, or by one for each element (as many axes)."""
        each = np.broadcast_to(factor, self.shape).ravel()
        return Mixed(matrix=sparse.diags_array(each).tocsr() @ self.matrix, shape=self.shape, draws=self.draws)

    def lifted(self, axes: Sequence[int | None], shape: Shape) -> "Mixed":
        """Give the axes a new order, None for a new axis, and broadcast."""
        return self.rearranged(lambda a: np.broadcast_to(lift(a, axes), shape), self.shape)

    def rearranged(self, how: Rearrange, shape: Shape) -> "Mixed":
        """Pick, repeat or reorder elements as `how` does with an array of this shape."""
        picked = how(np.arange(math.prod(shape)).reshape(shape))
        _require_entries(int(np.diff(self.matrix.indptr)[picked.ravel()].sum()))
        return Mixed(matrix=self.matrix[picked.ravel()], shape=picked.shape, draws=self.draws)

    def along(self, axis: int, matrix: sparse.csr_array, shape: Shape) -> "Mixed":
        """Multiply the vectors along an axis by a matrix."""
        before, after = math.prod(shape[:axis]), math.prod(shape[axis + 1 :])
        each = self.matrix.nnz / max(math.prod(shape), 1)
        _require_entries(int(before * after * matrix.nnz * max(each, 1.0)))
        inner: Any = sparse.kron(matrix, sparse.eye_array(after), format="csr")
        whole: Any = sparse.kron(sparse.eye_array(before), inner, format="csr")
        made = (*shape[:axis], matrix.shape[0], *shape[axis + 1 :])
        return Mixed(matrix=sparse.csr_array(whole @ self.matrix), shape=made, draws=self.draws)

    def drawn(self, draw: int, draws: int) -> "Mixed":
        """Say which of many draws the only one is."""
        moved = sparse.csr_array(
            (self.matrix.data, np.full(self.matrix.nnz, draw), self.matrix.indptr), shape=(self.matrix.shape[0], draws)
        )
        return Mixed(matrix=moved, shape=self.shape, draws=draws)

    def mixed(self, shape: Shape) -> "Mixed":
        """Return the same, broadcast."""
        if shape == self.shape:
            return self
        return self.rearranged(lambda a: np.broadcast_to(a, shape), self.shape)

    def powers(self, power: int, shape: Shape) -> Floats:
        """Return for each element the sum over draws of a power of the contribution."""
        return np.asarray(self.matrix.power(power).sum(axis=1), dtype=float).reshape(shape)

    def element(self, index: tuple[int, ...], shape: Shape) -> dict[int, float]:
        """Return draw to contribution for one element."""
        at = int(np.ravel_multi_index(index, shape)) if shape else 0
        low, high = self.matrix.indptr[at], self.matrix.indptr[at + 1]
        found = zip(self.matrix.indices[low:high], self.matrix.data[low:high], strict=True)
        return {int(draw): float(c) for draw, c in found}


Part = Direct | Mixed


def added(a: Part, b: Part, shape: Shape) -> Part:
    """Add two contributions of one source, both with the axes of `shape`."""
    if isinstance(a, Direct) and isinstance(b, Direct) and _same(a.draw, b.draw):
        return Direct(c=a.c + b.c, draw=a.draw, draws=a.draws)
    total = sparse.csr_array(a.mixed(shape).matrix + b.mixed(shape).matrix)
    return Mixed(matrix=total, shape=shape, draws=a.draws)


def joined(parts: Sequence[Part | None], shapes: Sequence[Shape], axis: int) -> Part:
    """Join contributions of one source along an axis; None where an array does not have the source."""
    known = next(part for part in parts if part is not None)
    filled = [part or _nothing(shape, known.draws) for part, shape in zip(parts, shapes, strict=True)]
    direct = [part for part in filled if isinstance(part, Direct)]
    if len(direct) == len(filled):
        pairs = list(zip(direct, shapes, strict=True))
        return Direct(
            c=np.concatenate([np.broadcast_to(part.c, shape) for part, shape in pairs], axis=axis),
            draw=np.concatenate([np.broadcast_to(part.draw, shape) for part, shape in pairs], axis=axis),
            draws=known.draws,
        )
    starts = np.cumsum([0, *(math.prod(shape) for shape in shapes)])
    places = [np.arange(math.prod(shape)).reshape(shape) + start for shape, start in zip(shapes, starts, strict=False)]
    place = np.concatenate(places, axis=axis)
    below = sparse.vstack([part.mixed(shape).matrix for part, shape in zip(filled, shapes, strict=True)], format="csr")
    return Mixed(matrix=sparse.csr_array(below)[place.ravel()], shape=place.shape, draws=known.draws)


def _nothing(shape: Shape, draws: int) -> Direct:
    return Direct(c=np.zeros(shape), draw=np.zeros(shape, dtype=np.int64), draws=draws)


def _long(shape: Shape, axis: int) -> Shape:
    return tuple(size if k == axis else 1 for k, size in enumerate(shape))


def lift(array: npt.NDArray[Any], axes: Sequence[int | None]) -> npt.NDArray[Any]:
    """Give the axes of an array a new order; None stands for a new axis."""
    kept = array.transpose([axis for axis in axes if axis is not None])
    return kept[tuple(None if axis is None else slice(None) for axis in axes)]


def _same(a: Ints, b: Ints) -> bool:
    if a.shape == b.shape and a.strides == b.strides and a.ctypes.data == b.ctypes.data:
        return True
    first, second = np.broadcast_arrays(a, b)
    return np.array_equal(first, second)


def _require_entries(count: int) -> None:
    if count > MOST_ENTRIES:
        msg = (
            f"the exact correlations of this result need {count:.2g} numbers, more than {MOST_ENTRIES:.2g}; "
            "take fewer elements first (x.isel), or reduce the dimension that each element draws along"
        )
        raise UncertaintyError(msg)
