"""Normal equations of one spectrum, block by block, compiled: J is never stored whole.

Not here: the steps that use them (`analysis.peaks.engine`).
"""

# Compiled code has no annotations: numba finds its types, and long argument lists are its tables.
# ruff: noqa: ANN001, ANN201, ANN202, ARG001, PLR0917, PLR0912, C901
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

import numpy as np
from numba import njit

from analysis.peaks.program import DEPTH, apply_ties
from analysis.peaks.shapes import add_component

__all__ = ["model_rows", "normal_equations", "workspace"]

BLOCK = 128


@njit(cache=True)
def workspace(layout, ties, parameters, free):
    """Allocate the work space of one thread; a tuple, see `normal_equations`."""
    rows = 0
    for k in range(layout[6].size):
        rows = max(rows, layout[6][k] + 1)
    padded = 3 * ((rows + 3) // 3)
    buf = np.zeros((padded, BLOCK))
    scratch = np.zeros((5, BLOCK))
    gram = np.zeros((padded, padded))
    chain = np.zeros((parameters, max(free, 1)))
    q = np.zeros(layout[5].size)
    half = np.zeros((max(rows, 1), max(free, 1)))
    return (buf, scratch, gram, chain, q, half, np.zeros(DEPTH), np.zeros((DEPTH, max(free, 1))), rows)


@njit(cache=True)
def _model(layout, q, x, n, buf, scratch):
    """Fill derivative rows and the model row for one block."""
    kind, first, sign, origin, inverse, _, row = layout
    scratch[3, :n] = 0.0
    for c in range(kind.size):
        a = first[c]
        b = first[c + 1]
        add_component(kind[c], q[a:b], sign[c], row[a:b], origin[c], inverse[c], x, n, buf, scratch)


@njit(cache=True, fastmath={"contract", "nsz", "arcp"})
def _weigh(row, w, n):
    for i in range(n):
        row[i] *= w[i]


@njit(cache=True, fastmath={"contract", "nsz", "arcp"})
def _residual(m, y, w, n, out):
    for i in range(n):
        out[i] = (m[i] - y[i]) * w[i]


@njit(cache=True, fastmath={"contract", "nsz", "arcp", "reassoc"})
def _gram(buf, padded, n, gram):
    """Add buf·bufᵀ of one block to the upper triangle, in tiles of three by three."""
    for a in range(0, padded, 3):
        for b in range(a, padded, 3):
            s00 = s01 = s02 = s10 = s11 = s12 = s20 = s21 = s22 = 0.0
            for i in range(n):
                a0 = buf[a, i]
                a1 = buf[a + 1, i]
                a2 = buf[a + 2, i]
                b0 = buf[b, i]
                b1 = buf[b + 1, i]
                b2 = buf[b + 2, i]
                s00 += a0 * b0
                s01 += a0 * b1
                s02 += a0 * b2
                s10 += a1 * b0
                s11 += a1 * b1
                s12 += a1 * b2
                s20 += a2 * b0
                s21 += a2 * b1
                s22 += a2 * b2
            gram[a, b] += s00
            gram[a, b + 1] += s01
            gram[a, b + 2] += s02
            gram[a + 1, b] += s10
            gram[a + 1, b + 1] += s11
            gram[a + 1, b + 2] += s12
            gram[a + 2, b] += s20
            gram[a + 2, b + 1] += s21
            gram[a + 2, b + 2] += s22


@njit(cache=True)
def _reduce(layout, work, normal, gradient):
    """Carry the Gram matrix of the rows to the free parameters through the chain rule."""
    _, _, gram, chain, _, half, _, _, rows = work
    source = layout[5]
    row = layout[6]
    free = gradient.size
    for k in range(row.size):
        r = row[k]
        if r < 0:
            continue
        for j in range(free):
            half[r, j] = 0.0
    for k in range(row.size):
        r = row[k]
        if r < 0:
            continue
        for s in range(rows):
            value = gram[r, s] if r <= s else gram[s, r]
            for j in range(free):
                half[s, j] += value * chain[source[k], j]
    normal[:free, :free] = 0.0
    gradient[:] = 0.0
    for k in range(row.size):
        r = row[k]
        if r < 0:
            continue
        for i in range(free):
            t = chain[source[k], i]
            if t != 0.0:
                gradient[i] += t * gram[r, rows]
                for j in range(free):
                    normal[i, j] += t * half[r, j]


@njit(cache=True)
def normal_equations(layout, ties, free, u, v, x, y, w, work, normal, gradient):
    """Compute JᵀJ, Jᵀr and rᵀr with r = (model - y)·w over the free parameters.

    Parameters
    ----------
    layout:
        `(kind, first, sign, origin, inverse, source, row)` of `analysis.peaks.compile.Plan`.
    ties:
        `(ops, args, start, target)`.
    free:
        Positions of the free parameters in `v`.
    u:
        Their values.
    v:
        All parameters; free and tied ones are overwritten.
    x, y, w:
        Axis, data and weights (1/sigma, 0 where masked), dims `(channel,)`.
    work:
        From `workspace`.
    normal, gradient:
        Results, dims `(free, free)` and `(free,)`.

    Returns
    -------
    :
        rᵀr, dimensionless if weighted.
    """
    buf, scratch, gram, chain, q, _, stack, slopes, rows = work
    for j in range(free.size):
        v[free[j]] = u[j]
    if ties[3].size > 0:
        chain[:] = 0.0
        for j in range(free.size):
            chain[free[j], j] = 1.0
        apply_ties(ties, v, chain, stack, slopes)
    for k in range(q.size):
        q[k] = v[layout[5][k]]
    gram[:] = 0.0
    at = 0
    while at < x.size:
        n = min(BLOCK, x.size - at)
        xb, yb, wb = x[at : at + n], y[at : at + n], w[at : at + n]
        _model(layout, q, xb, n, buf, scratch)
        for r in range(rows):
            _weigh(buf[r], wb, n)
        _residual(scratch[3], yb, wb, n, buf[rows])
        _gram(buf, buf.shape[0], n, gram)
        at += n
    if ties[3].size > 0:
        _reduce(layout, work, normal, gradient)
    else:
        for i in range(free.size):
            gradient[i] = gram[i, rows]
            for j in range(i, free.size):
                normal[i, j] = gram[i, j]
                normal[j, i] = gram[i, j]
    return gram[rows, rows]


@njit(cache=True)
def model_rows(layout, values, x, out):
    """Evaluate the model for many parameter sets.

    Parameters
    ----------
    layout:
        As in `normal_equations`; all rows -1.
    values:
        Parameters in `layout`'s sources, dims `(spectrum, parameter)`.
    x:
        Axis, dims `(channel,)`.
    out:
        Result, dims `(spectrum, channel)`.
    """
    source = layout[5]
    q = np.zeros(source.size)
    buf = np.zeros((1, BLOCK))
    scratch = np.zeros((5, BLOCK))
    for s in range(values.shape[0]):
        for k in range(source.size):
            q[k] = values[s, source[k]]
        at = 0
        while at < x.size:
            n = min(BLOCK, x.size - at)
            _model(layout, q, x[at : at + n], n, buf, scratch)
            out[s, at : at + n] = scratch[3, :n]
            at += n
