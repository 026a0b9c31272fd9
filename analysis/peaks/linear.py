"""Small dense linear algebra of the fit kernel, compiled.

Not here: the steps that use it (`analysis.peaks.region`, `analysis.peaks.engine`).
"""

# Compiled code has no annotations: numba finds its types, and long argument lists are its tables.
# ruff: noqa: ANN001, ANN201, PLR0917
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

import math

from numba import njit

__all__ = ["backward", "cholesky", "covariance_of", "forward"]

NEAR_SINGULAR = 1e-12


@njit(cache=True)
def cholesky(matrix, size, factor):
    """Factorise in place of `factor`; return the smallest pivot, or -1."""
    smallest = math.inf
    for i in range(size):
        for j in range(i + 1):
            s = matrix[i, j]
            for k in range(j):
                s -= factor[i, k] * factor[j, k]
            if i == j:
                if not s > 0.0:
                    return -1.0
                smallest = min(smallest, s)
                factor[i, i] = math.sqrt(s)
            else:
                factor[i, j] = s / factor[j, j]
    return smallest


@njit(cache=True)
def forward(factor, size, b, out):
    """Solve L out = b; `out` may be `b`."""
    for i in range(size):
        s = b[i]
        for k in range(i):
            s -= factor[i, k] * out[k]
        out[i] = s / factor[i, i]


@njit(cache=True)
def backward(factor, size, b, out):
    """Solve Lᵀ out = b; `out` may be `b`."""
    for i in range(size - 1, -1, -1):
        s = b[i]
        for k in range(i + 1, size):
            s -= factor[k, i] * out[k]
        out[i] = s / factor[i, i]


@njit(cache=True)
def covariance_of(normal, held, scaled, size, factor, half, step, out):
    """Invert the normal matrix with held parameters taken out; return False if near-singular."""
    n = held.size
    for i in range(n):
        size[i] = math.sqrt(normal[i, i]) if normal[i, i] > 0.0 else 0.0
    for i in range(n):
        for j in range(n):
            taken = held[i] == 1 or held[j] == 1
            scaled[i, j] = 0.0 if taken or size[i] * size[j] == 0.0 else normal[i, j] / (size[i] * size[j])
        scaled[i, i] = 1.0 if held[i] == 1 or size[i] > 0.0 else 0.0
    if not cholesky(scaled, n, factor) > NEAR_SINGULAR:
        return False
    for k in range(n):
        half[:] = 0.0
        half[k] = 1.0
        forward(factor, n, half, step)
        backward(factor, n, step, half)
        for i in range(n):
            out[i, k] = half[i] / (size[i] * size[k]) if held[i] == 0 and held[k] == 0 else 0.0
    return True
