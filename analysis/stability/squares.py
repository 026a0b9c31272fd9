"""Compiled sums of squared differences of phase, without gaps: where the Allan family spends its time.

A sum over a window moves on by what enters and leaves it, in lanes that begin with a sum of their own; so nothing is
subtracted from a large running total. Not here: gaps (`analysis.stability.differences`).
"""

# ruff: noqa: ANN001, ANN201, ANN202, PLR2004
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from functools import partial

import numpy as np
from numba import njit

__all__ = ["differences", "sums"]

compiled = partial(
    njit, cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract", "nsz"}, boundscheck=False
)
_BLOCK = 512


@compiled()
def _second(a, b, c):
    """Sum the squares of c - 2 b + a."""
    total = 0.0
    for i in range(a.size):
        d = (c[i] - b[i]) - (b[i] - a[i])
        total += d * d
    return total


@compiled()
def _third(a, b, c, e):
    """Sum the squares of e - 3 c + 3 b - a."""
    total = 0.0
    for i in range(a.size):
        d = ((e[i] - c[i]) - (c[i] - b[i])) - ((c[i] - b[i]) - (b[i] - a[i]))
        total += d * d
    return total


@compiled()
def _moved(a, b, c, e, out):
    """Write e - 3 c + 3 b - a."""
    for i in range(a.size):
        out[i] = ((e[i] - c[i]) - (c[i] - b[i])) - ((c[i] - b[i]) - (b[i] - a[i]))


@compiled()
def differences(x, m, order):
    """Return the sum of squared second (order 2) or third (order 3) differences at distance m."""
    total = 0.0
    for at in range(0, x.size - order * m, _BLOCK):
        end = min(at + _BLOCK, x.size - order * m)
        a, b, c = x[at:end], x[at + m : end + m], x[at + 2 * m : end + 2 * m]
        total += _second(a, b, c) if order == 2 else _third(a, b, c, x[at + 3 * m : end + 3 * m])
    return total


@compiled()
def _moves(x, m, at, end, out):
    """Write by how much the sums that begin at `at` to `end` move on."""
    _moved(x[at:end], x[at + m : end + m], x[at + 2 * m : end + 2 * m], x[at + 3 * m : end + 3 * m], out)


@compiled()
def _begin(x, m, at):
    total = 0.0
    for i in range(at, at + m):
        total += (x[i + 2 * m] - x[i + m]) - (x[i + m] - x[i])
    return total


@compiled()
def _lane(x, m, at, end, begin):
    """Sum the squares of the sums that begin at `at` to `end`; the last does not move on."""
    out = np.empty(_BLOCK)
    total, s = begin * begin, begin
    for start in range(at, end - 1, _BLOCK):
        stop = min(start + _BLOCK, end - 1)
        _moves(x, m, start, stop, out)
        for j in range(stop - start):
            s += out[j]
            total += s * s
    return total


@compiled()
def sums(x, m):
    """Return the sum of squares of second differences at distance m that are summed over m neighbours."""
    count = x.size - 3 * m + 1
    lane = ((count - 1) // 4) // _BLOCK * _BLOCK
    if lane < m + _BLOCK:
        return _lane(x, m, 0, count, _begin(x, m, 0))
    outs = np.empty((4, _BLOCK))
    o0, o1, o2, o3 = outs[0], outs[1], outs[2], outs[3]
    s0, s1, s2, s3 = _begin(x, m, 0), _begin(x, m, lane), _begin(x, m, 2 * lane), _begin(x, m, 3 * lane)
    total = 0.0
    for start in range(0, lane, _BLOCK):
        for k in range(4):
            _moves(x, m, k * lane + start, k * lane + start + _BLOCK, outs[k])
        t0 = t1 = t2 = t3 = 0.0
        for j in range(_BLOCK):
            t0 += s0 * s0
            t1 += s1 * s1
            t2 += s2 * s2
            t3 += s3 * s3
            s0 += o0[j]
            s1 += o1[j]
            s2 += o2[j]
            s3 += o3[j]
        total += (t0 + t1) + (t2 + t3)
    return total + (_lane(x, m, 4 * lane, count, s3) if 4 * lane < count else 0.0)
