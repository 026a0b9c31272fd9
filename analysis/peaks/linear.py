"""Small dense linear algebra of the fit kernel, compiled.

Factors are upper triangular and every inner loop runs along a row, so that it uses SIMD.
Not here: the steps that use it (`analysis.peaks.region`, `analysis.peaks.engine`).
"""

# Compiled code has no annotations: numba finds its types, and long argument lists are its tables.
# ruff: noqa: ANN001, ANN201, ANN202, PLR0917
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

import math

from analysis.peaks.compiled import REASSOCIATED, compiled

__all__ = ["backward", "cholesky", "covariance_of", "forward"]

NEAR_SINGULAR = 1e-12


@compiled()
def cholesky(matrix, size, factor):
    """Factorise UᵀU = matrix into `factor`, reading the upper triangle; return the smallest pivot, or -1."""
    for i in range(size):
        for j in range(i, size):
            factor[i, j] = matrix[i, j]
    smallest = math.inf
    for k in range(size):
        pivot = factor[k, k]
        if not pivot > 0.0:
            return -1.0
        smallest = min(smallest, pivot)
        inverse = 1.0 / math.sqrt(pivot)
        for j in range(k, size):
            factor[k, j] *= inverse
        for i in range(k + 1, size):
            scale = factor[k, i]
            for j in range(i, size):
                factor[i, j] -= scale * factor[k, j]
    return smallest


@compiled()
def forward(factor, size, b, out):
    """Solve Uᵀ out = b; `out` may be `b`."""
    for i in range(size):
        out[i] = b[i]
    for k in range(size):
        out[k] /= factor[k, k]
        scale = out[k]
        for j in range(k + 1, size):
            out[j] -= scale * factor[k, j]


@compiled(fastmath=REASSOCIATED)
def backward(factor, size, b, out):
    """Solve U out = b; `out` may be `b`."""
    for i in range(size - 1, -1, -1):
        s = b[i]
        for k in range(i + 1, size):
            s -= factor[i, k] * out[k]
        out[i] = s / factor[i, i]


@compiled(fastmath=REASSOCIATED)
def _inverse(factor, size, work, size_of, held, out):
    """Put (UᵀU)⁻¹, unscaled and 0 for held parameters, into `out`; `work` becomes U⁻¹."""
    for i in range(size - 1, -1, -1):
        for j in range(size):
            work[i, j] = 0.0
        work[i, i] = 1.0
        for k in range(i + 1, size):
            scale = factor[i, k]
            for j in range(k, size):
                work[i, j] -= scale * work[k, j]
        pivot = 1.0 / factor[i, i]
        for j in range(i, size):
            work[i, j] *= pivot
    for i in range(size):
        for j in range(i, size):
            s = 0.0
            for k in range(j, size):
                s += work[i, k] * work[j, k]
            free = held[i] == 0 and held[j] == 0
            value = s / (size_of[i] * size_of[j]) if free else 0.0
            out[i, j] = value
            out[j, i] = value


@compiled()
def covariance_of(normal, held, scaled, size, factor, out):
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
    _inverse(factor, n, scaled, size, held, out)
    return True
