"""Polynomials about another origin, where their coefficients are less correlated.

Not here: which polynomials may be moved (`analysis.peaks.compile`).
"""

import math
from typing import Any

import numpy as np

__all__ = ["shift_matrix"]

Floats = np.ndarray[Any, np.dtype[np.float64]]


def shift_matrix(size: int, origin: float) -> Floats:
    """Return B with Σ c_k (t + origin)^k = Σ (B c)_j t^j, dims `(size, size)`."""
    out = np.zeros((size, size))
    for k in range(size):
        for j in range(k + 1):
            out[j, k] = math.comb(k, j) * origin ** (k - j)
    return out
