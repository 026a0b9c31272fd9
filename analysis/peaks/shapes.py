"""Line shapes with their derivatives, in lmfit's parameters, for one block of points at a time.

Each function adds a weighted component to the model row and writes its weighted derivatives into its own
rows. Rows are `BLOCK` apart in flat arrays, with literal offsets: the compiler then sees that nothing
aliases, and uses SIMD. Amplitudes are areas, as in `lmfit.lineshapes`.

Not here: which component stands where (`analysis.peaks.compile`), the fit (`analysis.peaks.engine`).
"""

# Compiled code has no annotations: numba finds its types, and long argument lists are its tables.
# ruff: noqa: ANN001, ANN201, ANN202, ARG001, PLR0917, PLR2004
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

import math

from llvmlite import ir  # type: ignore[import-untyped]
from numba import njit, types
from numba.extending import intrinsic

from analysis.peaks.axial import add_axial
from analysis.peaks.compiled import ELEMENTWISE, compiled, entry
from analysis.peaks.core_level import add_core_level
from analysis.peaks.faddeeva import SERIES, TERMS, begin, finish, five_terms, wofz
from analysis.peaks.kinds import (
    AXIAL_VOIGT,
    CORE_LEVEL,
    GAUSSIAN,
    LORENTZIAN,
    POLYNOMIAL,
    PSEUDO_VOIGT,
    THOMPSON_COX_HASTINGS,
    VOIGT,
)
from analysis.peaks.profiles import add_profile
from analysis.peaks.rows import BLOCK, MODEL, SPARE, WEIGHT, X

__all__ = ["add_component", "fast_exp"]

ROW1, ROW2, ROW3 = BLOCK, 2 * BLOCK, 3 * BLOCK
Z_RE, Z_IM, SUM_RE, SUM_IM = SPARE, SPARE + BLOCK, SPARE + 2 * BLOCK, SPARE + 3 * BLOCK

TINY = 1e-15
ROUND = 6755399441055744.0
LOG2_E = 1.4426950408889634
LN2_HIGH = 6.93147180369123816490e-01
LN2_LOW = 1.90821492927058770002e-10
SQRT_2PI = math.sqrt(2.0 * math.pi)
SQRT_2 = math.sqrt(2.0)
LN2 = math.log(2.0)


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
def fast_exp(x):
    """Return exp(x) for x <= 0 to 4e-16 relative, 0 below -700 (SIMD: numba ships no vector exp)."""
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
def _gaussian(area, center, sigma, sign, n, front, rows):
    inverse = 1.0 / max(sigma, TINY)
    unit = sign * inverse / SQRT_2PI
    slope = area * inverse
    for i in range(n):
        t = (front[X + i] - center) * inverse
        g = unit * fast_exp(-0.5 * t * t) * front[WEIGHT + i]
        d = slope * g
        rows[i] = g
        rows[ROW1 + i] = d * t
        rows[ROW2 + i] = d * (t * t - 1.0)
        front[MODEL + i] += area * g


@compiled(fastmath=ELEMENTWISE)
def _lorentzian(area, center, sigma, sign, n, front, rows):
    inverse = 1.0 / max(sigma, TINY)
    unit = sign * inverse / math.pi
    slope = area * inverse
    for i in range(n):
        t = (front[X + i] - center) * inverse
        c = 1.0 / (1.0 + t * t)
        u = unit * c * front[WEIGHT + i]
        d = slope * u * c
        rows[i] = u
        rows[ROW1 + i] = 2.0 * d * t
        rows[ROW2 + i] = d * (t * t - 1.0)
        front[MODEL + i] += area * u


@compiled(fastmath=ELEMENTWISE)
def _pseudo_voigt(area, center, sigma, fraction, sign, n, front, rows):
    inverse = 1.0 / max(sigma, TINY)
    peak_g = sign * inverse * math.sqrt(LN2 / math.pi)
    peak_c = sign * inverse / math.pi
    slope = area * inverse
    for i in range(n):
        t = (front[X + i] - center) * inverse
        square = t * t
        w = front[WEIGHT + i]
        c = 1.0 / (1.0 + square)
        u = peak_c * c * w
        g = peak_g * fast_exp(-LN2 * square) * w
        mixed = (1.0 - fraction) * g + fraction * u
        dg = slope * (1.0 - fraction) * g
        du = slope * fraction * u * c
        rows[i] = mixed
        rows[ROW1 + i] = 2.0 * (LN2 * dg + du) * t
        rows[ROW2 + i] = dg * (2.0 * LN2 * square - 1.0) + du * (square - 1.0)
        rows[ROW3 + i] = area * (u - g)
        front[MODEL + i] += area * mixed


@compiled(fastmath=ELEMENTWISE)
def _series(c0, c1, c2, c3, c4, n, front):
    for i in range(n):
        pr, pi = five_terms(front[SUM_RE + i], front[SUM_IM + i], front[Z_RE + i], front[Z_IM + i], c0, c1, c2, c3, c4)
        front[SUM_RE + i] = pr
        front[SUM_IM + i] = pi


@compiled(fastmath=ELEMENTWISE)
def _voigt_sums(center, inverse, y, n, front):
    """Sum the series of the Faddeeva function for a block of points, a few terms at a time."""
    for i in range(n):
        zr, zi, _, _ = begin((front[X + i] - center) * inverse, y)
        front[Z_RE + i] = zr
        front[Z_IM + i] = zi
        front[SUM_RE + i] = SERIES[0]
        front[SUM_IM + i] = 0.0
    for k in range(1, TERMS, 5):
        _series(SERIES[k], SERIES[k + 1], SERIES[k + 2], SERIES[k + 3], SERIES[k + 4], n, front)


@compiled(fastmath=ELEMENTWISE)
def _voigt(area, center, sigma, gamma, sign, n, front, rows):
    width = max(sigma, TINY)
    inverse = 1.0 / (width * SQRT_2)
    y = gamma * inverse
    unit = sign / (width * SQRT_2PI)
    slope = -area * inverse
    _voigt_sums(center, inverse, y, n, front)
    for i in range(n):
        t = (front[X + i] - center) * inverse
        _, _, ir, ii = begin(t, y)
        w, _, dre, dim = finish(t, y, ir, ii, front[SUM_RE + i], front[SUM_IM + i])
        scale = unit * front[WEIGHT + i]
        rows[i] = scale * w
        rows[ROW1 + i] = scale * slope * dre
        rows[ROW2 + i] = scale * slope * SQRT_2 * (w + t * dre - y * dim)
        rows[ROW3 + i] = scale * slope * dim
        front[MODEL + i] += area * scale * w


@compiled()
def _voigt_below(area, center, sigma, gamma, sign, n, front, rows):
    """Continue the Voigt profile to gamma < 0, which a free fit may pass through."""
    width = max(sigma, TINY)
    inverse = 1.0 / (width * SQRT_2)
    y = gamma * inverse
    unit = sign / (width * SQRT_2PI)
    slope = -area * inverse
    for i in range(n):
        t = (front[X + i] - center) * inverse
        w, _, dre, dim = wofz(t, y)
        scale = unit * front[WEIGHT + i]
        rows[i] = scale * w
        rows[ROW1 + i] = scale * slope * dre
        rows[ROW2 + i] = scale * slope * SQRT_2 * (w + t * dre - y * dim)
        rows[ROW3 + i] = scale * slope * dim
        front[MODEL + i] += area * scale * w


@compiled(fastmath=ELEMENTWISE)
def _constant(value, sign, n, front, rows):
    for i in range(n):
        w = sign * front[WEIGHT + i]
        rows[i] = w
        front[MODEL + i] += value * w


@compiled(fastmath=ELEMENTWISE)
def _line(value, slope, sign, origin, inverse, n, front, rows):
    for i in range(n):
        w = sign * front[WEIGHT + i]
        t = (front[X + i] - origin) * inverse * w
        rows[i] = w
        rows[ROW1 + i] = t
        front[MODEL + i] += value * w + slope * t


@compiled()
def _polynomial(q, sign, origin, inverse, n, front, rows):
    for i in range(n):
        t = (front[X + i] - origin) * inverse
        power = sign * front[WEIGHT + i]
        for k in range(q.size):
            rows[BLOCK * k + i] = power
            front[MODEL + i] += q[k] * power
            power *= t


@entry()
def add_component(kind, q, sign, origin, inverse, n, front, rows):  # noqa: C901, PLR0912 - a table
    """Add one weighted component to the model row and write its derivative rows, for one block of points.

    Parameters
    ----------
    kind:
        Code of `analysis.peaks.kinds`.
    q:
        Its parameters, in the order of that module.
    sign:
        1 or -1: added or subtracted.
    origin, inverse:
        Shift and scale of a polynomial's variable; not used by peaks.
    n:
        Points in the block, at most `BLOCK`.
    front:
        Flat rows of axis values, weights and the weighted model, see `analysis.peaks.rows`.
    rows:
        Flat rows of the component's derivatives times the weights, one for each of `q`.
    """
    if kind == GAUSSIAN:
        _gaussian(q[0], q[1], q[2], sign, n, front, rows)
    elif kind == LORENTZIAN:
        _lorentzian(q[0], q[1], q[2], sign, n, front, rows)
    elif kind == PSEUDO_VOIGT:
        _pseudo_voigt(q[0], q[1], q[2], q[3], sign, n, front, rows)
    elif kind == VOIGT and q[3] >= 0.0:
        _voigt(q[0], q[1], q[2], q[3], sign, n, front, rows)
    elif kind == VOIGT:
        _voigt_below(q[0], q[1], q[2], q[3], sign, n, front, rows)
    elif kind == POLYNOMIAL and q.size == 1:
        _constant(q[0], sign, n, front, rows)
    elif kind == POLYNOMIAL and q.size == 2:
        _line(q[0], q[1], sign, origin, inverse, n, front, rows)
    elif kind == POLYNOMIAL:
        _polynomial(q, sign, origin, inverse, n, front, rows)
    elif kind == CORE_LEVEL:
        add_core_level(q, sign, n, front, rows)
    elif kind in (THOMPSON_COX_HASTINGS, AXIAL_VOIGT):
        add_axial(kind, q, sign, n, front, rows)
    else:
        add_profile(kind, q, sign, n, front, rows)
