"""What all sources together do to the elements of an array: sums, covariances, degrees of freedom, one element.

Elements that leave an array as quantities have sources named `id[number of the draw]`; where they meet the source that
they came from, they become its draw again.
Not here: what one source does (`analysis.uncertainty.contributions`).
"""

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from scipy import sparse

from analysis.core import UncertaintyError
from analysis.uncertainty.contributions import MOST_ENTRIES, Direct, Floats, Part, Shape, added
from analysis.uncertainty.sources import Source

Parts = Mapping[Source, Part]
_DRAWN = re.compile(r"(.+)\[(\d+)\]", re.DOTALL)


def of_quantity(components: Mapping[Source, float]) -> dict[Source, Part]:
    """Return the parts of an array without dims.

    Parameters
    ----------
    components:
        Signed contribution of each source.

    Returns
    -------
    :
        One draw for each source.
    """
    return {
        source: Direct(c=np.asarray(c, dtype=float), draw=np.zeros((), dtype=np.int64), draws=1)
        for source, c in components.items()
    }


def merged(several: Sequence[Parts], shape: Shape) -> dict[Source, Part]:
    """Add up the parts of several terms.

    Parameters
    ----------
    several:
        One mapping for each term, all with the axes of `shape`.
    shape:
        Of the result.

    Returns
    -------
    :
        One part for each source.
    """
    total: dict[Source, Part] = {}
    for parts in reunited(several):
        for source, part in parts.items():
            total[source] = added(total[source], part, shape) if source in total else part
    return total


def reunited(several: Sequence[Parts]) -> list[Parts]:
    """Turn elements back into draws of the sources that they came from.

    Parameters
    ----------
    several:
        The parts of arrays that meet.

    Returns
    -------
    :
        The same parts, with common sources where one is a draw of another.
    """
    apart = {source.id for parts in several for source in parts if source.id.endswith("]")}
    if not apart:
        return list(several)
    parents = {source.id: (source, part.draws) for parts in several for source, part in parts.items() if source.over}
    return [dict(_as_draws(parts, parents)) for parts in several]


def _as_draws(parts: Parts, parents: Mapping[str, tuple[Source, int]]) -> Iterable[tuple[Source, Part]]:
    found: dict[Source, Part] = {}
    for source, part in parts.items():
        named = _DRAWN.fullmatch(source.id)
        parent = parents.get(named.group(1)) if named and not source.over else None
        key, one = source, part
        if parent is not None and named is not None:
            key, draws = parent
            one = part.drawn(int(named.group(2)), draws)
        found[key] = added(found[key], one, _shape(found[key], one)) if key in found else one
    return found.items()


def _shape(a: Part, b: Part) -> Shape:
    """Return the shape that two parts of one array have together."""
    shapes = [(part.c.shape if isinstance(part, Direct) else part.shape) for part in (a, b)]
    return tuple(np.broadcast_shapes(*shapes))


def degrees_of_freedom(parts: Parts, shape: Shape) -> Floats:
    """Return effective degrees of freedom of each element, as `coverage.effective_dof` does.

    Parameters
    ----------
    parts:
        Of the array.
    shape:
        Of the array.

    Returns
    -------
    :
        Each draw of a source is an estimate of its own; all draws of one ensemble are one estimate.
    """
    total, spread = np.zeros(shape), np.zeros(shape)
    pooled: dict[tuple[str, float], Floats] = defaultdict(lambda: np.zeros(shape))
    for source, part in parts.items():
        total += part.powers(2, shape)
        if math.isinf(source.dof):
            continue
        if source.ensemble:
            pooled[source.ensemble, source.dof] += part.powers(2, shape)
        else:
            spread += part.powers(4, shape) / source.dof
    for (_, dof), variance in pooled.items():
        spread += variance**2 / dof
    finite = spread > 0
    return np.divide(total**2, spread, out=np.full(shape, math.inf), where=finite)


def cross(ours: Parts, shape: Shape, theirs: Parts, other: Shape) -> Floats:
    """Return the covariance of each element of one array with each of another.

    Parameters
    ----------
    ours, shape, theirs, other:
        Parts and shape of both.

    Returns
    -------
    :
        Shape `(*shape, *other)`.

    Raises
    ------
    UncertaintyError
        If it would be too large.
    """
    rows, columns = math.prod(shape), math.prod(other)
    if rows * columns > MOST_ENTRIES:
        msg = (
            f"a covariance of {rows} with {columns} elements has {rows * columns:.2g} numbers; take at most "
            f"{MOST_ENTRIES:.2g}: x.isel(...), or .u for the variances alone"
        )
        raise UncertaintyError(msg)
    total = np.zeros((rows, columns))
    first, second = reunited([ours, theirs])
    for source, part in first.items():
        if source in second:
            total += sparse.csr_array(part.mixed(shape).matrix @ second[source].mixed(other).matrix.T).toarray()
    return total.reshape(*shape, *other)


def element(parts: Parts, index: tuple[int, ...], shape: Shape) -> dict[Source, float]:
    """Return the contribution of each source to one element.

    Parameters
    ----------
    parts, shape:
        Of the array.
    index:
        Position of the element.

    Returns
    -------
    :
        A source of its own for each draw of a source that draws more than once.
    """
    return {
        _one(source, draw): c for source, part in parts.items() for draw, c in part.element(index, shape).items() if c
    }


def _one(source: Source, draw: int) -> Source:
    if not source.over:
        return source
    return replace(source, id=f"{source.id}[{draw}]", label=f"{source.label} [{draw}]", over=())
