"""Normal equations of one spectrum, block by block, compiled: J is never stored whole.

Not here: the steps that use them (`analysis.peaks.engine`).
"""

# Compiled code has no annotations: numba finds its types, and long argument lists are its tables.
# ruff: noqa: ANN001, ANN201, ANN202, PLR0917
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from analysis.peaks.compiled import REASSOCIATED, compiled, entry, inlined
from analysis.peaks.losses import LEAST_SQUARES, adjust
from analysis.peaks.program import apply_ties
from analysis.peaks.rows import BLOCK, MODEL, WEIGHT, X
from analysis.peaks.shapes import add_component

__all__ = ["model_rows", "normal_equations"]


@inlined
def _fill(layout, q, n, front, flat):
    """Write the weighted model and the derivative rows of one block."""
    kind = layout[0]
    first = layout[1]
    sign = layout[2]
    origin = layout[3]
    inverse = layout[4]
    front[MODEL : MODEL + n] = 0.0
    for c in range(kind.size):
        a = first[c]
        b = first[c + 1]
        add_component(
            kind[c], q[a:b], sign[c], origin[c], inverse[c], n, front, flat[(a + 1) * BLOCK : (b + 1) * BLOCK]
        )


@inlined
def _residual(front, y, at, n, flat):
    for i in range(n):
        flat[i] = front[MODEL + i] - y[at + i] * front[WEIGHT + i]


@inlined
def _load(x, w, at, n, front):
    for i in range(n):
        front[X + i] = x[at + i]
    for i in range(n):
        front[WEIGHT + i] = w[at + i]


@compiled(fastmath=REASSOCIATED)
def _echo(flat, n):
    """Return the sum of products of neighbouring residuals."""
    total = 0.0
    for i in range(1, n):
        total += flat[i] * flat[i - 1]
    return total


@compiled(fastmath=REASSOCIATED)
def _gram(rows, n, gram):
    """Add rows·rowsᵀ of one block to the upper triangle, in tiles of three by three."""
    padded = rows.shape[0]
    for a in range(0, padded, 3):
        for b in range(a, padded, 3):
            s00 = s01 = s02 = s10 = s11 = s12 = s20 = s21 = s22 = 0.0
            for i in range(n):
                a0 = rows[a, i]
                a1 = rows[a + 1, i]
                a2 = rows[a + 2, i]
                b0 = rows[b, i]
                b1 = rows[b + 1, i]
                b2 = rows[b + 2, i]
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


@inlined
def _reduce(layout, gram, chain, half, normal, gradient):
    """Carry the Gram matrix of the rows to the free parameters through the chain rule."""
    source = layout[5]
    free = gradient.size
    half[:] = 0.0
    for k in range(source.size):
        for s in range(source.size + 1):
            value = gram[k + 1, s] if k + 1 <= s else gram[s, k + 1]
            for j in range(free):
                half[s, j] += value * chain[source[k], j]
    normal[:free, :free] = 0.0
    for j in range(free):
        gradient[j] = half[0, j]
    for k in range(source.size):
        for i in range(free):
            t = chain[source[k], i]
            if t != 0.0:
                for j in range(free):
                    normal[i, j] += t * half[k + 1, j]


@inlined
def _pick(place, gram, normal, gradient):
    """Take the rows of the free parameters out of the Gram matrix; one that no component uses gets 0."""
    free = gradient.size
    for i in range(free):
        a = place[i] + 1
        gradient[i] = gram[0, a] if a > 0 else 0.0
        for j in range(i, free):
            b = place[j] + 1
            value = gram[min(a, b), max(a, b)] if a > 0 and b > 0 else 0.0
            normal[i, j] = value
            normal[j, i] = value


@compiled()
def normal_equations(layout, ties, loss, free, u, v, x, y, w, work, normal, gradient):
    """Compute JᵀJ, Jᵀr and the loss with r = (model - y)·w over the free parameters.

    Parameters
    ----------
    layout:
        `(kind, first, sign, origin, inverse, source, place, role, typical)` of `analysis.peaks.compile.Plan`.
    ties:
        `(ops, args, start, target)`.
    loss:
        Code of `analysis.peaks.losses`; for least squares the loss is rᵀr.
    free:
        Positions of the free parameters in `v`.
    u:
        Their values.
    v:
        All parameters; free and tied ones are overwritten.
    x, y, w:
        Axis, data and weights (1/sigma, 0 where masked), dims `(channel,)`.
    work:
        From `analysis.peaks.space.workspace`; its last array tells the sum of products of neighbouring residuals and
        of their squares.
    normal, gradient:
        Results, dims `(free, free)` and `(free,)`: curvature and slope of half the loss.

    Returns
    -------
    :
        The loss, dimensionless if weighted.
    """
    front, rows, flat, gram, chain, q, half, stack, slopes, told = work
    tied = ties[3].size > 0
    for j in range(free.size):
        v[free[j]] = u[j]
    if tied:
        chain[:] = 0.0
        for j in range(free.size):
            chain[free[j], j] = 1.0
        apply_ties(ties, v, chain, stack, slopes)
    for k in range(q.size):
        q[k] = v[layout[5][k]]
    gram[:] = 0.0
    total = echo = 0.0
    at = 0
    while at < x.size:
        n = min(BLOCK, x.size - at)
        _load(x, w, at, n, front)
        _fill(layout, q, n, front, flat)
        if loss == LEAST_SQUARES:
            _residual(front, y, at, n, flat)
        else:
            total += adjust(loss, front[MODEL : MODEL + n], y[at : at + n], w[at : at + n], rows, q.size, n)
        echo += _echo(flat, n)
        _gram(rows, n, gram)
        at += n
    told[0] = echo
    told[1] = gram[0, 0]
    if tied:
        _reduce(layout, gram, chain, half, normal, gradient)
    else:
        _pick(layout[6], gram, normal, gradient)
    return gram[0, 0] if loss == LEAST_SQUARES else 2.0 * total


@entry()
def model_rows(layout, values, x, ones, work, out):
    """Evaluate the model for many parameter sets.

    Parameters
    ----------
    layout:
        As in `normal_equations`.
    values:
        Parameters in `layout`'s sources, dims `(spectrum, parameter)`.
    x:
        Axis, dims `(channel,)`.
    ones:
        1 for each point.
    work:
        From `analysis.peaks.space.workspace`.
    out:
        Result, dims `(spectrum, channel)`.
    """
    source = layout[5]
    front, _, flat, _, _, q, _, _, _, _ = work
    for s in range(values.shape[0]):
        for k in range(source.size):
            q[k] = values[s, source[k]]
        at = 0
        while at < x.size:
            n = min(BLOCK, x.size - at)
            _load(x, ones, at, n, front)
            _fill(layout, q, n, front, flat)
            for i in range(n):
                out[s, at + i] = front[MODEL + i]
            at += n
