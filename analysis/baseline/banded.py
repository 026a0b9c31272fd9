"""Compiled solver of penalised least squares: eight spectra side by side, each in its own lane.

The system (W + λ D'D) z = W y is pentadiagonal and positive definite: LDLᵀ without pivoting. A lane that is finished
takes the next spectrum, and no lane sees another, so a map equals its spectra one by one. Weights and stopping rules
are those of pybaselines. Not here: labelled data (`analysis.baseline.door`).
"""

# ruff: noqa: ANN001, ANN201, ANN202, ARG001, PLR0917, PLR2004
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

import math
from functools import partial

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import njit, types
from numba.extending import intrinsic

__all__ = ["AIRPLS", "ARPLS", "ASLS", "solve_rows"]

ASLS, ARPLS, AIRPLS = 0, 1, 2
ELEMENTWISE = {"contract", "nsz", "arcp"}
# Nothing here allocates, so numba need not count references. Python can call only `_solve_rows`.
compiled = partial(njit, error_model="numpy", _nrt=False, no_cpython_wrapper=True, no_cfunc_wrapper=True)
entry = partial(njit, cache=True, nogil=True, error_model="numpy", _nrt=False, no_cfunc_wrapper=True)
LEAST = float(np.finfo(float).eps)
MOST_STEPS = 50
ROUND = 6755399441055744.0
LOG2_E = 1.4426950408889634
LN2_HIGH = 6.93147180369123816490e-01
LN2_LOW = 1.90821492927058770002e-10


@intrinsic
def _bits(typing, value):
    def generate(context, builder, signature, args):
        return builder.bitcast(args[0], ir.IntType(64))

    return types.int64(types.float64), generate


@intrinsic
def _float(typing, value):
    def generate(context, builder, signature, args):
        return builder.bitcast(args[0], ir.DoubleType())

    return types.float64(types.int64), generate


@njit(fastmath=ELEMENTWISE, error_model="numpy", inline="always")
def _fast_exp(x):
    """Return exp(x) for x <= 0 to 4e-16 relative (SIMD: numba ships no vector exp)."""
    clipped = max(x, -700.0)
    t = clipped * LOG2_E + ROUND
    n = t - ROUND
    r = (clipped - n * LN2_HIGH) - n * LN2_LOW
    p = 2.08767569878681e-09
    p = p * r + 2.505210838544172e-08
    p = p * r + 2.755731922398589e-07
    p = p * r + 2.755731922398589e-06
    p = p * r + 2.48015873015873e-05
    p = p * r + 1.984126984126984e-04
    p = p * r + 1.3888888888888889e-03
    p = p * r + 8.333333333333333e-03
    p = p * r + 4.1666666666666664e-02
    p = p * r + 1.6666666666666666e-01
    p = p * r + 0.5
    p = p * r + 1.0
    p = p * r + 1.0
    return _float(_bits(p) + (_bits(t) << 52))  # type: ignore[call-arg]


@compiled(fastmath=ELEMENTWISE)
def _solve(y, w, lam, z, first, second, state, least):
    """Factorise and solve all lanes; `least` gets the smallest pivot of each."""
    n = y.shape[0]
    e1, side1, f1, f2, u1, u2 = state[0], state[1], state[2], state[3], state[4], state[5]
    state[:] = 0.0
    least[:] = np.inf
    for i in range(n):
        edge = min(i, n - 1 - i)
        diagonal = lam * (1.0 if edge == 0 else 5.0 if edge == 1 else 6.0)
        off = lam * (-2.0 if edge == 0 or i == n - 2 else -4.0)
        far = lam if i < n - 2 else 0.0
        for k in range(8):
            pivot = w[i, k] + diagonal - side1[k] * e1[k] - lam * f2[k]
            u = w[i, k] * y[i, k] - e1[k] * u1[k] - f2[k] * u2[k]
            inverse = 1.0 / pivot
            side = off - lam * e1[k]
            e = side * inverse
            least[k] = min(least[k], pivot)
            first[i, k] = e
            second[i, k] = far * inverse
            z[i, k] = u * inverse
            e1[k] = e
            side1[k] = side
            f2[k] = f1[k]
            f1[k] = far * inverse
            u2[k] = u1[k]
            u1[k] = u
    state[:] = 0.0
    for i in range(n - 1, -1, -1):
        for k in range(8):
            value = z[i, k] - first[i, k] * u1[k] - second[i, k] * u2[k]
            z[i, k] = value
            u2[k] = u1[k]
            u1[k] = value


@compiled(fastmath=ELEMENTWISE)
def _below(y, z, count, total, square):
    """Count, mean and sum of squared deviations of the negative residuals, per lane."""
    count[:] = 0.0
    total[:] = 0.0
    square[:] = 0.0
    for i in range(y.shape[0]):
        for k in range(8):
            r = y[i, k] - z[i, k]
            count[k] += 1.0 if r < 0.0 else 0.0
            total[k] += r if r < 0.0 else 0.0
    for i in range(y.shape[0]):
        for k in range(8):
            r = y[i, k] - z[i, k]
            d = r - total[k] / max(count[k], 1.0)
            square[k] += d * d if r < 0.0 else 0.0


@compiled(fastmath=ELEMENTWISE)
def _asls(y, z, w, p, moved, norm):
    for i in range(y.shape[0]):
        for k in range(8):
            new = p if y[i, k] > z[i, k] else 1.0 - p
            moved[k] += (new - w[i, k]) ** 2
            norm[k] += w[i, k] ** 2
            w[i, k] = new


@compiled(fastmath=ELEMENTWISE)
def _arpls(y, z, w, slope, middle, moved, norm):
    for i in range(y.shape[0]):
        for k in range(8):
            x = slope[k] * (y[i, k] - z[i, k] - middle[k])
            t = _fast_exp(-abs(x))
            new = (t if x > 0.0 else 1.0) / (1.0 + t)
            moved[k] += (new - w[i, k]) ** 2
            norm[k] += w[i, k] ** 2
            w[i, k] = new


@compiled(fastmath=ELEMENTWISE)
def _airpls(y, z, w, slope, norm):
    for i in range(y.shape[0]):
        for k in range(8):
            r = y[i, k] - z[i, k]
            new = 1.0 / _fast_exp(-max(slope[k] * min(r, 0.0), 0.0))
            norm[k] += abs(y[i, k])
            w[i, k] = new if r < 0.0 else 0.0


@compiled()
def _reweight(kind, p, y, z, w, steps, work, change):
    """Set the weights of all lanes and the change that the stopping rule looks at, NaN where too little is below."""
    count, total, square, slope, middle = work[0], work[1], work[2], work[3], work[4]
    moved, norm = work[5], work[6]
    moved[:] = 0.0
    norm[:] = 0.0
    if kind == ASLS:
        _asls(y, z, w, p, moved, norm)
        for k in range(8):
            change[k] = math.sqrt(moved[k]) / max(math.sqrt(norm[k]), LEAST)
        return
    _below(y, z, count, total, square)
    if kind == ARPLS:
        for k in range(8):
            deviation = math.sqrt(square[k] / (max(count[k], 2.0) - 1.0))
            deviation = LEAST if deviation == 0.0 else deviation
            slope[k] = 2.0 / deviation
            middle[k] = 2.0 * deviation - total[k] / max(count[k], 2.0)
        _arpls(y, z, w, slope, middle, moved, norm)
        for k in range(8):
            change[k] = math.sqrt(moved[k]) / max(math.sqrt(norm[k]), LEAST)
    else:
        for k in range(8):
            slope[k] = min(steps[k], MOST_STEPS) / (total[k] if count[k] >= 2.0 else -1.0)
        _airpls(y, z, w, slope, norm)
        for k in range(8):
            change[k] = -total[k] / norm[k]
    for k in range(8):
        if count[k] < 2.0:
            change[k] = math.nan


@compiled()
def _take(rows, at, k, y, w, owner, steps):
    """Give lane k the spectrum `at`, or zeros if there is none left."""
    left = at < rows.shape[0]
    owner[k] = at if left else -1
    steps[k] = 1.0
    for i in range(y.shape[0]):
        y[i, k] = rows[at, i] if left else 0.0
        w[i, k] = 1.0


def solve_rows(rows, kind, lam, p, most, tolerance, found, converged):
    """Fill `found` and `converged` for all rows; return how many systems could not be solved."""
    n = rows.shape[1]
    lanes = np.empty((5, n, 8)), np.empty((6, 8)), np.empty((7, 8)), np.empty((3, 8)), np.empty(8, dtype=np.int64)
    return _solve_rows(rows, kind, lam, p, most, tolerance, lanes, found, converged)


@entry()
def _solve_rows(rows, kind, lam, p, most, tolerance, lanes, found, converged):
    tables, state, work, told, owner = lanes
    y, w, z, first, second = tables[0], tables[1], tables[2], tables[3], tables[4]
    least, change, steps = told[0], told[1], told[2]
    failed = 0
    for k in range(8):
        _take(rows, k, k, y, w, owner, steps)
    following = 8
    left = rows.shape[0]
    while left > 0:
        _solve(y, w, lam, z, first, second, state, least)
        _reweight(kind, p, y, z, w, steps, work, change)
        for k in range(8):
            unsolved = not least[k] > 0.0
            if owner[k] >= 0 and (unsolved or not change[k] >= tolerance or steps[k] >= most):
                for i in range(y.shape[0]):
                    found[owner[k], i] = z[i, k]
                converged[owner[k]] = change[k] < tolerance
                failed += unsolved
                left -= 1
                _take(rows, following, k, y, w, owner, steps)
                following += 1
            else:
                steps[k] += 1.0
    return failed
