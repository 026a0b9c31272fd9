"""Readings of a process as they are handed in: single ones or subgroups; what is refused and why.

Not here: charts and capability (`analysis.quality.charts`, `analysis.quality.process`).
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from analysis.core import UncertaintyError

Floats = npt.NDArray[np.float64]


def subgroups_of(data: Any) -> tuple[Floats, ...]:  # noqa: ANN401 - what a user passes
    """Bring readings into subgroups.

    Parameters
    ----------
    data:
        Shape `(n,)` for single readings, `(subgroup, reading)`, or a list of one-dimensional arrays.

    Returns
    -------
    :
        One array a subgroup, in order.

    Raises
    ------
    UncertaintyError
        If there are no readings, they are not numbers or not finite, or have more dims.
    """
    try:
        rows = [np.asarray(each, dtype=float) for each in getattr(data, "values", data)]
    except (TypeError, ValueError) as error:
        msg = f"readings must be numbers, in one dimension or as subgroups; got {data!r:.80}"
        raise UncertaintyError(msg) from error
    if not rows or any(each.ndim > 1 or each.size == 0 for each in rows) or len({each.ndim for each in rows}) > 1:
        msg = (
            f"readings have the shape (n,), (subgroup, reading), or are a list of subgroups that are not empty; got "
            f"shapes {[each.shape for each in rows][:4]}"
        )
        raise UncertaintyError(msg)
    bad = [k for k, each in enumerate(rows) if not np.isfinite(each).all()]
    if bad:
        msg = (
            f"readings must be finite; those at {bad[:4]} (from 0) are not. Leave them out and say so; subgroups may "
            "differ in size"
        )
        raise UncertaintyError(msg)
    return tuple(np.atleast_1d(each) for each in rows)
