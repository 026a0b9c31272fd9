"""Free parameters and their covariance → all parameters and theirs, for many fits, compiled.

Not here: which are tied and how (`analysis.peaks.ties`), statuses and statistics (`analysis.peaks.outcome`).
"""

# Compiled code has no annotations: numba finds its types, and long argument lists are its tables.
# ruff: noqa: ANN001, ANN201, ANN202, PLR0917
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

import math

import numpy as np

from analysis.peaks.compiled import compiled, entry
from analysis.peaks.program import DEPTH, apply_ties

__all__ = ["complete_rows", "expand_rows"]


@entry()
def _complete_rows(ties, values, chain, stack, slopes):
    for s in range(values.shape[0]):
        apply_ties(ties, values[s], chain, stack, slopes)


def complete_rows(ties, values):
    """Compute the tied parameters of every row of `values`, dims `(spectrum, parameter)`, in place."""
    _complete_rows(ties, values, np.zeros((values.shape[1], 1)), np.zeros(DEPTH), np.zeros((DEPTH, 1)))


@compiled()
def _columns(rows, width, used, count):
    """List in `used` the columns of each row that are not zero."""
    for p in range(rows.shape[0]):
        n = 0
        for j in range(width):
            if rows[p, j] != 0.0:
                used[p, n] = j
                n += 1
        count[p] = n


@compiled()
def _sandwich(rows, covariance, used, count, half, out):
    """Compute rows · covariance · rowsᵀ, most elements of `rows` being zero."""
    width = covariance.shape[0]
    for p in range(rows.shape[0]):
        for j in range(width):
            half[j] = 0.0
        for n in range(count[p]):
            scale = rows[p, used[p, n]]
            for j in range(width):
                half[j] += scale * covariance[used[p, n], j]
        for q in range(p + 1):
            total = 0.0
            for n in range(count[q]):
                total += half[used[q, n]] * rows[q, used[q, n]]
            out[p, q] = total
            out[q, p] = total


@compiled()
def _is_unknown(row, width, lost, held):
    """Say whether a parameter has no standard error: moved by an open one, or only by ones at their bounds."""
    moved = False
    loose = False
    for j in range(width):
        if row[j] != 0.0:
            if lost[j]:
                return True
            moved = True
            loose = loose or held[j] == 0
    return moved and not loose


def expand_rows(ties, free, mix, u, inner, lost, held, known, scale, values, stderr, covariance):
    """Fill the last three arrays; NaN in place of a standard error that is not known.

    Parameters
    ----------
    ties:
        `(ops, args, start, target)` of all tied parameters.
    free:
        Positions of the free parameters.
    mix:
        Free parameters = `mix` @ u, dims `(free, free)`.
    u, inner:
        The engine's free parameters and their covariance, leading dim `spectrum`.
    lost, held:
        Marks of free parameters that the data leave open, and of those of u at a bound, dims `(spectrum, free)`.
    known:
        False for a fit whose covariance means nothing.
    scale:
        Factor of the covariance of each fit.
    values:
        All parameters, dims `(spectrum, parameter)`; free and tied ones are overwritten.
    stderr, covariance:
        Dims `(spectrum, parameter)` and `(spectrum, parameter, parameter)`.
    """
    width = free.size
    size = values.shape[1]
    work = (
        np.zeros((size, width)), np.zeros(DEPTH), np.zeros((DEPTH, width)), np.zeros((size, width), dtype=np.int64),
        np.zeros(size, dtype=np.int64), np.zeros(width), np.zeros(size, dtype=np.bool_),
    )  # fmt: skip
    _expand_rows(ties, free, mix, u, inner, lost, held, known, scale, work, values, stderr, covariance)


@entry()
def _expand_rows(ties, free, mix, u, inner, lost, held, known, scale, work, values, stderr, covariance):
    chain, stack, slopes, used, count, half, unknown = work
    width = free.size
    size = values.shape[1]
    for s in range(values.shape[0]):
        v = values[s]
        chain[:] = 0.0
        for j in range(width):
            total = 0.0
            for k in range(width):
                total += mix[j, k] * u[s, k]
            v[free[j]] = total
            for k in range(width):
                chain[free[j], k] = mix[j, k]
        apply_ties(ties, v, chain, stack, slopes)
        _columns(chain, width, used, count)
        _sandwich(chain, inner[s], used, count, half, covariance[s])
        for p in range(size):
            unknown[p] = not known[s] or _is_unknown(chain[p], width, lost[s], held[s])
        for p in range(size):
            for q in range(size):
                covariance[s, p, q] = math.nan if unknown[p] or unknown[q] else covariance[s, p, q] * scale[s]
            stderr[s, p] = math.sqrt(covariance[s, p, p])
