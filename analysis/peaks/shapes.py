"""Line shapes with their derivatives, in lmfit's parameters, one row of the Jacobian per loop.

Each function adds a component to the model row `m` of one block of points and writes its derivatives
into the rows that the plan names. One row per loop: the compiler then knows that nothing aliases and
uses SIMD. Amplitudes are areas, as in `lmfit.lineshapes`.

Not here: which component stands where (`analysis.peaks.compile`), the fit (`analysis.peaks.engine`).
"""

# Compiled code has no annotations: numba finds its types, and long argument lists are its tables.
# ruff: noqa: ANN001, ANN201, ANN202, ARG001, PLR0917
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

import math

from llvmlite import ir  # type: ignore[import-untyped]
from numba import njit, types
from numba.extending import intrinsic

from analysis.peaks.faddeeva import wofz
from analysis.peaks.kinds import GAUSSIAN, LORENTZIAN, POLYNOMIAL, PSEUDO_VOIGT, VOIGT
from analysis.peaks.profiles import add_profile

__all__ = ["add_component"]

# Elementwise loops: everything but reassociation, which would undo the rounding trick in `exp`.
ELEMENTWISE = {"contract", "nnan", "ninf", "nsz", "arcp"}
TINY = 1e-15
ROUND = 6755399441055744.0
LOG2_E = 1.4426950408889634
LN2_HIGH = 6.93147180369123816490e-01
LN2_LOW = 1.90821492927058770002e-10
SQRT_2PI = math.sqrt(2.0 * math.pi)
SQRT_2LN2 = math.sqrt(2.0 * math.log(2.0))
SQRT_2 = math.sqrt(2.0)


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


@njit(fastmath=ELEMENTWISE, inline="always")
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


@njit(fastmath=ELEMENTWISE, cache=True)
def _offset(x, center, inverse, n, t):
    for i in range(n):
        t[i] = (x[i] - center) * inverse


@njit(fastmath=ELEMENTWISE, cache=True)
def _normal(t, scale, n, out):
    for i in range(n):
        out[i] = scale * fast_exp(-0.5 * t[i] * t[i])


@njit(fastmath=ELEMENTWISE, cache=True)
def _cauchy(t, n, out):
    for i in range(n):
        out[i] = 1.0 / (1.0 + t[i] * t[i])


@njit(fastmath=ELEMENTWISE, cache=True)
def _accumulate(scale, row, n, m):
    for i in range(n):
        m[i] += scale * row[i]


@njit(fastmath=ELEMENTWISE, cache=True)
def _scaled(scale, row, n, out):
    for i in range(n):
        out[i] = scale * row[i]


@njit(fastmath=ELEMENTWISE, cache=True)
def _gauss_center(scale, g, t, n, out):
    for i in range(n):
        out[i] = scale * g[i] * t[i]


@njit(fastmath=ELEMENTWISE, cache=True)
def _gauss_width(scale, g, t, n, out):
    for i in range(n):
        out[i] = scale * g[i] * (t[i] * t[i] - 1.0)


@njit(fastmath=ELEMENTWISE, cache=True)
def _cauchy_center(scale, c, t, n, out):
    for i in range(n):
        out[i] = scale * (c[i] * c[i]) * t[i]


@njit(fastmath=ELEMENTWISE, cache=True)
def _cauchy_width(scale, c, t, n, out):
    for i in range(n):
        out[i] = scale * (c[i] * c[i]) * (t[i] * t[i] - 1.0)


@njit(fastmath=ELEMENTWISE, cache=True)
def _mix(fg, g, fc, c, n, out):
    for i in range(n):
        out[i] = fg * g[i] + fc * c[i]


@njit(fastmath=ELEMENTWISE, cache=True)
def _mix_center(fg, g, fc, c, t, n, out):
    for i in range(n):
        out[i] = (fg * g[i] + fc * (c[i] * c[i])) * t[i]


@njit(fastmath=ELEMENTWISE, cache=True)
def _mix_width(fg, kg, g, fc, c, t, n, out):
    for i in range(n):
        square = t[i] * t[i]
        out[i] = fg * g[i] * (kg * square - 1.0) + fc * (c[i] * c[i]) * (square - 1.0)


@njit(cache=True)
def _gaussian(q, sign, rows, x, n, buf, scratch):
    t, g = scratch[0], scratch[1]
    sigma = max(q[2], TINY)
    inverse = 1.0 / sigma
    _offset(x, q[1], inverse, n, t)
    _normal(t, sign * inverse / SQRT_2PI, n, g)
    _accumulate(q[0], g, n, scratch[3])
    if rows[0] >= 0:
        _scaled(1.0, g, n, buf[rows[0]])
    scale = q[0] * inverse
    if rows[1] >= 0:
        _gauss_center(scale, g, t, n, buf[rows[1]])
    if rows[2] >= 0:
        _gauss_width(scale, g, t, n, buf[rows[2]])


@njit(cache=True)
def _lorentzian(q, sign, rows, x, n, buf, scratch):
    t, c = scratch[0], scratch[1]
    sigma = max(q[2], TINY)
    inverse = 1.0 / sigma
    unit = sign * inverse / math.pi
    _offset(x, q[1], inverse, n, t)
    _cauchy(t, n, c)
    _accumulate(q[0] * unit, c, n, scratch[3])
    if rows[0] >= 0:
        _scaled(unit, c, n, buf[rows[0]])
    scale = q[0] * unit * inverse
    if rows[1] >= 0:
        _cauchy_center(2.0 * scale, c, t, n, buf[rows[1]])
    if rows[2] >= 0:
        _cauchy_width(scale, c, t, n, buf[rows[2]])


@njit(cache=True)
def _pseudo_voigt(q, sign, rows, x, n, buf, scratch):
    t, g, c = scratch[0], scratch[1], scratch[2]
    area, fraction = q[0], q[3]
    sigma = max(q[2], TINY)
    inverse = 1.0 / sigma
    narrow = SQRT_2LN2 * SQRT_2LN2
    unit = sign * inverse / math.pi
    _offset(x, q[1], inverse * SQRT_2LN2, n, t)
    _normal(t, sign * inverse * SQRT_2LN2 / SQRT_2PI, n, g)
    _offset(x, q[1], inverse, n, t)
    _cauchy(t, n, c)
    row = scratch[4]
    _mix(1.0 - fraction, g, fraction * unit, c, n, row)
    _accumulate(area, row, n, scratch[3])
    if rows[0] >= 0:
        _scaled(1.0, row, n, buf[rows[0]])
    fg = area * (1.0 - fraction) * inverse
    fc = area * fraction * unit * inverse
    if rows[1] >= 0:
        _mix_center(fg * narrow, g, 2.0 * fc, c, t, n, buf[rows[1]])
    if rows[2] >= 0:
        _mix_width(fg, narrow, g, fc, c, t, n, buf[rows[2]])
    if rows[3] >= 0:
        _mix(-area, g, area * unit, c, n, buf[rows[3]])


@njit(cache=True)
def _voigt(q, sign, rows, x, n, buf, scratch):
    w, dre, dim, t = scratch[0], scratch[1], scratch[2], scratch[4]
    sigma = max(q[2], TINY)
    inverse = 1.0 / (sigma * SQRT_2)
    y = q[3] * inverse
    unit = sign / (sigma * SQRT_2PI)
    for i in range(n):
        t[i] = (x[i] - q[1]) * inverse
        w[i], _, dre[i], dim[i] = wofz(t[i], y)
    _accumulate(q[0] * unit, w, n, scratch[3])
    if rows[0] >= 0:
        _scaled(unit, w, n, buf[rows[0]])
    scale = q[0] * unit
    if rows[1] >= 0:
        _scaled(-scale * inverse, dre, n, buf[rows[1]])
    if rows[2] >= 0:
        out = buf[rows[2]]
        factor = -scale / sigma
        for i in range(n):
            out[i] = factor * (w[i] + t[i] * dre[i] - y * dim[i])
    if rows[3] >= 0:
        _scaled(-scale * inverse, dim, n, buf[rows[3]])


@njit(cache=True)
def _polynomial(q, sign, rows, origin, inverse, x, n, buf, scratch):
    t, power = scratch[0], scratch[1]
    _offset(x, origin, inverse, n, t)
    for i in range(n):
        power[i] = sign
    for k in range(q.size):
        if k > 0:
            for i in range(n):
                power[i] *= t[i]
        _accumulate(q[k], power, n, scratch[3])
        if rows[k] >= 0:
            _scaled(1.0, power, n, buf[rows[k]])


@njit(cache=True)
def add_component(kind, q, sign, rows, origin, inverse, x, n, buf, scratch):
    """Add one component to the model row and write its derivative rows, for one block of points.

    Parameters
    ----------
    kind:
        Code of `analysis.peaks.kinds`.
    q:
        Its parameters, in the order of that module.
    sign:
        1 or -1: added or subtracted.
    rows:
        Row of `buf` for each parameter, -1 for one that is fixed.
    origin, inverse:
        Shift and scale of a polynomial's variable; not used by peaks.
    x:
        Axis values, at least `n` of them.
    n:
        Points in the block.
    buf:
        Rows of the Jacobian, in units of signal / parameter.
    scratch:
        Five rows of work space; row 3 is the model.
    """
    if kind == GAUSSIAN:
        _gaussian(q, sign, rows, x, n, buf, scratch)
    elif kind == LORENTZIAN:
        _lorentzian(q, sign, rows, x, n, buf, scratch)
    elif kind == PSEUDO_VOIGT:
        _pseudo_voigt(q, sign, rows, x, n, buf, scratch)
    elif kind == VOIGT:
        _voigt(q, sign, rows, x, n, buf, scratch)
    elif kind == POLYNOMIAL:
        _polynomial(q, sign, rows, origin, inverse, x, n, buf, scratch)
    else:
        add_profile(kind, q, sign, rows, x, n, buf, scratch)
