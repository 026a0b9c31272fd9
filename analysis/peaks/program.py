"""Tied parameters as small postfix programs, evaluated with their derivatives, compiled.

Not here: parsing an expression into a program (`analysis.peaks.ties`).
"""

# Compiled code has no annotations: numba finds its types, and long argument lists are its tables.
# ruff: noqa: ANN001, ANN201, ANN202, PLR0911
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

import math

from analysis.peaks.compiled import compiled
from analysis.peaks.opcodes import (
    ADD,
    ASIN,
    CONSTANT,
    COS,
    DIVIDE,
    ERFCX,
    EXP,
    GAMMA,
    LOAD,
    LOG,
    MAXIMUM,
    MULTIPLY,
    NEGATE,
    POWER,
    SIN,
    SQRT,
    SUBTRACT,
    TAN,
)
from analysis.peaks.special import digamma, erfcx

__all__ = ["apply_ties"]

DEPTH = 32
TWO_OVER_SQRT_PI = 2.0 / math.sqrt(math.pi)


@compiled()
def _arcsine(a):
    inside = 1.0 - a * a
    if inside < 0.0:
        return math.nan, math.nan
    return math.asin(a), 1.0 / math.sqrt(inside) if inside > 0.0 else math.inf


@compiled()
def _unary(op, a):  # noqa: C901 - a table
    """Return value and derivative."""
    if op == NEGATE:
        return -a, -1.0
    if op == SQRT:
        root = math.sqrt(a) if a >= 0.0 else math.nan
        return root, 0.5 / root if root > 0.0 else math.inf
    if op == EXP:
        e = math.exp(min(a, 709.0))
        return e, e
    if op == LOG:
        return (math.log(a), 1.0 / a) if a > 0.0 else (math.nan, math.nan)
    if op == SIN:
        return math.sin(a), math.cos(a)
    if op == COS:
        return math.cos(a), -math.sin(a)
    if op == TAN:
        t = math.tan(a)
        return t, 1.0 + t * t
    if op == ASIN:
        return _arcsine(a)
    if op == GAMMA:
        g = math.gamma(a)
        return g, g * digamma(a)
    if op == ERFCX:
        w = erfcx(a)
        return w, 2.0 * a * w - TWO_OVER_SQRT_PI
    return abs(a), (1.0 if a >= 0.0 else -1.0)


@compiled()
def _power(a, b):
    if a == 0.0:
        value = 1.0 if b == 0.0 else (0.0 if b > 0.0 else math.inf)
        return value, (1.0 if b == 1.0 else 0.0), 0.0
    if a < 0.0 and b != math.floor(b):
        return math.nan, math.nan, math.nan
    value = a**b
    return value, b * value / a, (value * math.log(a) if a > 0.0 else 0.0)


@compiled()
def _binary(op, a, b):
    """Return value and both derivatives."""
    if op == ADD:
        return a + b, 1.0, 1.0
    if op == SUBTRACT:
        return a - b, 1.0, -1.0
    if op == MULTIPLY:
        return a * b, b, a
    if op == DIVIDE:
        if b == 0.0:
            return math.nan, math.nan, math.nan
        return a / b, 1.0 / b, -a / (b * b)
    if op == POWER:
        return _power(a, b)
    if op == MAXIMUM:
        return (a, 1.0, 0.0) if a >= b else (b, 0.0, 1.0)
    return (a, 1.0, 0.0) if a <= b else (b, 0.0, 1.0)


@compiled()
def _put(out, row, given, at):
    for j in range(out.shape[1]):
        out[row, j] = given[at, j]


@compiled()
def _clear(out, row):
    for j in range(out.shape[1]):
        out[row, j] = 0.0


@compiled()
def apply_ties(ties, v, chain, stack, slopes):
    """Compute the tied parameters in `v` and their rows of `chain`.

    Parameters
    ----------
    ties:
        `(ops, args, start, target)` of `analysis.peaks.ties.Ties`.
    v:
        All parameters, dims `(parameter,)`; the tied ones are overwritten.
    chain:
        Derivatives of `v` to the free parameters, dims `(parameter, free)`; tied rows are overwritten.
    stack, slopes:
        Work space, dims `(32,)` and `(32, free)`.
    """
    ops, args, start, target = ties
    free = chain.shape[1]
    for k in range(target.size):
        top = 0
        for at in range(start[k], start[k + 1]):
            op = ops[at]
            if op == CONSTANT:
                stack[top] = args[at]
                _clear(slopes, top)
                top += 1
            elif op == LOAD:
                stack[top] = v[int(args[at])]
                _put(slopes, top, chain, int(args[at]))
                top += 1
            elif op >= NEGATE:
                stack[top - 1], d = _unary(op, stack[top - 1])
                for j in range(free):
                    slopes[top - 1, j] *= d
            else:
                top -= 1
                stack[top - 1], da, db = _binary(op, stack[top - 1], stack[top])
                for j in range(free):
                    slopes[top - 1, j] = da * slopes[top - 1, j] + db * slopes[top, j]
        v[target[k]] = stack[0]
        _put(chain, target[k], slopes, 0)
