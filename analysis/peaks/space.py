"""Arrays that the compiled functions of a fit write into: allocated in Python, so that those allocate nothing.

Not here: what the functions do with them (`analysis.peaks.normal`, `analysis.peaks.engine`).
"""

from typing import Any

import numpy as np

from analysis.peaks.program import DEPTH
from analysis.peaks.rows import BLOCK, FRONT

__all__ = ["space_of", "workspace"]


def workspace(layout: tuple[Any, ...], parameters: int, free: int) -> tuple[Any, ...]:
    """Allocate the work space of `analysis.peaks.normal.normal_equations`."""
    count = layout[5].size
    padded = 3 * ((count + 3) // 3)
    rows = np.zeros((padded, BLOCK))
    chain = np.zeros((parameters, max(free, 1)))
    half = np.zeros((count + 1, max(free, 1)))
    return (
        np.zeros(FRONT), rows, rows.reshape(-1), np.zeros((padded, padded)), chain, np.zeros(count), half,
        np.zeros(DEPTH), np.zeros((DEPTH, max(free, 1))), np.zeros(2),
    )  # fmt: skip


def space_of(layout: tuple[Any, ...], parameters: int, free: int, points: int) -> tuple[Any, ...]:
    """Allocate what `analysis.peaks.engine.fit_many` needs besides `workspace`."""
    return (
        np.zeros((5, free, free)), np.zeros((11, free)), np.zeros((5, points)), np.zeros(parameters),
        np.zeros((2, layout[0].size)),
    )  # fmt: skip
