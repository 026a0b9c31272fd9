"""The less common line shapes, each a scalar function: value and derivatives at one point, compiled.

They add to those of `analysis.peaks.shapes`, in lmfit's parameters and with lmfit's definitions; where a
formula of lmfit overflows an equal one is used. `c` holds what does not depend on the point.
Not here: which parameter does what (`analysis.peaks.kinds`), special functions (`analysis.peaks.special`).
"""

# Compiled code has no annotations: numba finds its types, and long argument lists are its tables.
# ruff: noqa: ANN001, ANN201, ANN202, C901, PLR0911, PLR0917, PLR2004
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

import math

from analysis.peaks.compiled import compiled, inlined
from analysis.peaks.curves import curve
from analysis.peaks.faddeeva import wofz
from analysis.peaks.kinds import (
    BREIT_WIGNER,
    DAMPED_HARMONIC_OSCILLATOR,
    DAMPED_OSCILLATOR,
    DONIACH,
    EXPONENTIAL_GAUSSIAN,
    LOGNORMAL,
    MOFFAT,
    PEARSON7,
    SKEWED_GAUSSIAN,
    SKEWED_VOIGT,
    SPLIT_GAUSSIAN,
    SPLIT_LORENTZIAN,
    SPLIT_PEARSON7,
    SPLIT_PSEUDO_VOIGT,
    STUDENTS_T,
)
from analysis.peaks.rows import BLOCK, MODEL, SPARE, WEIGHT, X
from analysis.peaks.special import digamma, erfcx, gamma_ratio

__all__ = ["add_profile"]

TINY = 1e-15
SQRT_PI = math.sqrt(math.pi)
SQRT_2PI = math.sqrt(2.0 * math.pi)
SQRT_2 = math.sqrt(2.0)
LN_2 = math.log(2.0)
PEAK_GAUSSIAN = math.sqrt(LN_2 / math.pi)
PEAK_LORENTZIAN = 1.0 / math.pi


@compiled()
def _area(kind, shape):
    """Return ∫ p(t) dt of a side profile with p(0) = 1, and its derivative to the shape parameter."""
    if kind == SPLIT_GAUSSIAN:
        return SQRT_2PI, 0.0
    if kind == SPLIT_LORENTZIAN:
        return math.pi, 0.0
    if kind == SPLIT_PSEUDO_VOIGT:
        height = PEAK_GAUSSIAN + shape * (PEAK_LORENTZIAN - PEAK_GAUSSIAN)
        return 1.0 / height, (PEAK_GAUSSIAN - PEAK_LORENTZIAN) / (height * height)
    m = max(shape, TINY)
    ratio = SQRT_PI * gamma_ratio(m)
    return ratio, ratio * (digamma(m - 0.5) - digamma(m))


@compiled()
def _side(kind, t, shape, d):
    """Return p(t) of a side profile; put dp/dt and dp/dshape into d[6] and d[7]."""
    square = t * t
    if kind == SPLIT_GAUSSIAN:
        p = math.exp(-0.5 * square)
        d[6] = -t * p
        return p
    lorentzian = 1.0 / (1.0 + square)
    if kind == SPLIT_LORENTZIAN:
        d[6] = -2.0 * t * lorentzian * lorentzian
        return lorentzian
    if kind == SPLIT_PSEUDO_VOIGT:
        gaussian = math.exp(-LN_2 * square)
        height = PEAK_GAUSSIAN + shape * (PEAK_LORENTZIAN - PEAK_GAUSSIAN)
        fg = (1.0 - shape) * PEAK_GAUSSIAN / height
        fl = shape * PEAK_LORENTZIAN / height
        d[6] = -2.0 * t * (fg * LN_2 * gaussian + fl * lorentzian * lorentzian)
        d[7] = PEAK_GAUSSIAN * PEAK_LORENTZIAN * (lorentzian - gaussian) / (height * height)
        return fg * gaussian + fl * lorentzian
    m = max(shape, TINY)
    p = lorentzian**m
    d[6] = -2.0 * m * t * lorentzian * p
    d[7] = -math.log1p(square) * p
    return p


@compiled()
def _split(kind, q, c, x, d):
    """Two halves of equal height; c = (area, its slope) of the left and of the right side."""
    s, r = max(q[2], TINY), max(q[3], TINY)
    has_shape = q.size > 4
    total = 0.5 * (s * c[0] + r * c[2])
    left = x < q[1]
    width = s if left else r
    t = (x - q[1]) / width
    p = _side(kind, t, q[4 if left else 5] if has_shape else 0.0, d)
    d[0] = p / total
    unit = q[0] / total
    value = unit * p
    pull = unit * d[6] / width
    d[1] = -pull
    d[2] = -0.5 * value * c[0] / total - (pull * t if left else 0.0)
    d[3] = -0.5 * value * c[2] / total - (0.0 if left else pull * t)
    if has_shape:
        slope = unit * d[7]
        d[4] = -0.5 * value * s * c[1] / total + (slope if left else 0.0)
        d[5] = -0.5 * value * r * c[3] / total + (0.0 if left else slope)
    return value


@compiled()
def _power(kind, q, c, x, d):
    """Pearson VII by area, Moffat by height."""
    s = max(q[2], TINY)
    area = s * c[0] if kind == PEARSON7 else 1.0
    t = (x - q[1]) / s
    p = _side(kind, t, q[3], d) if kind == PEARSON7 else (1.0 + t * t) ** (-q[3])
    if kind == MOFFAT:
        d[6] = -2.0 * q[3] * t / (1.0 + t * t) * p
        d[7] = -math.log1p(t * t) * p
    d[0] = p / area
    unit = q[0] / area
    value = unit * p
    pull = unit * d[6] / s
    d[1] = -pull
    d[2] = -pull * t
    d[3] = unit * d[7]
    if kind == PEARSON7:
        d[2] -= value / s
        d[3] -= value * c[1] / c[0]
    return value


@inlined
def _students_t(q, c, x, d):
    """C = (height, d ln height / dν)."""
    nu = max(q[2], TINY)
    y = x - q[1]
    z = y * y / nu
    d[0] = c[0] * (1.0 + z) ** (-0.5 * (nu + 1.0))
    value = q[0] * d[0]
    d[1] = value * (nu + 1.0) * y / (nu * (1.0 + z))
    d[2] = value * (c[1] - 0.5 * math.log1p(z) + 0.5 * (nu + 1.0) * z / (nu * (1.0 + z)))
    return value


@inlined
def _exponential_gaussian(q, x, d):
    s = max(q[2], TINY)
    t = (x - q[1]) / s
    k = q[3] * s
    z = (k - t) / SQRT_2
    normal = math.exp(-0.5 * t * t)
    e = normal * erfcx(z) if z > 0.0 else math.exp(k * (0.5 * k - t)) * math.erfc(z)
    g = normal * (SQRT_2 / SQRT_PI)
    along_k = e * (k - t) - g
    along_t = g - k * e
    d[0] = 0.5 * q[3] * e
    unit = 0.5 * q[0] * q[3]
    d[1] = -unit * along_t / s
    d[2] = unit * (along_k * q[3] - along_t * t / s)
    d[3] = 0.5 * q[0] * e + unit * along_k * s
    return q[0] * d[0]


@inlined
def _skewed(kind, q, x, d):
    """Gaussian or Voigt line times 1 + erf."""
    s = max(q[2], TINY)
    t = (x - q[1]) / s
    skew = q[q.size - 1] / SQRT_2
    b = skew * t
    wing = math.erfc(-b)
    e = 2.0 / SQRT_PI * math.exp(-b * b)
    unit = 1.0 / (s * SQRT_2PI)
    d[2] = 0.0
    if kind == SKEWED_GAUSSIAN:
        line = math.exp(-0.5 * t * t)
        along_t = -t * line
    else:
        y = q[3] / (s * SQRT_2)
        line, _, dre, dim = wofz(t / SQRT_2, y)
        along_t = dre / SQRT_2
        d[3] = -q[0] * unit * wing * dim / (s * SQRT_2)
        d[2] = q[0] * unit * wing * dim * y / s
    d[0] = unit * line * wing
    value = q[0] * d[0]
    pull = q[0] * unit * (along_t * wing + line * e * skew) / s
    d[1] = -pull
    d[2] -= value / s + pull * t
    d[q.size - 1] = q[0] * unit * line * e * t / SQRT_2
    return value


@inlined
def _doniach(q, x, d):
    s = max(q[2], TINY)
    t = (x - q[1]) / s
    power = 1.0 - q[3]
    size = max(TINY, s**power)
    square = 1.0 + t * t
    angle = math.atan(t)
    phase = 0.5 * math.pi * q[3] + power * angle
    unit = square ** (-0.5 * power) / size
    cosine, sine_ = math.cos(phase), math.sin(phase)
    d[0] = unit * cosine
    value = q[0] * d[0]
    pull = -q[0] * unit * power * (sine_ + cosine * t) / (square * s)
    d[1] = -pull
    d[2] = -pull * t - power * value / s
    d[3] = q[0] * unit * (cosine * (math.log(s) + 0.5 * math.log(square)) - sine_ * (0.5 * math.pi - angle))
    return value


@inlined
def _breit_wigner(q, x, d):
    half = 0.5 * q[2]
    y = x - q[1]
    e = q[3] * half + y
    below = half * half + y * y
    r = e / below
    d[0] = e * r
    d[1] = -2.0 * q[0] * r * (1.0 - y * r)
    d[2] = q[0] * r * (q[3] - half * r)
    d[3] = 2.0 * q[0] * half * r
    return q[0] * d[0]


@inlined
def _lognormal(q, x, d):
    s = max(q[2], TINY)
    x = max(x, TINY)
    t = (math.log(x) - q[1]) / s
    d[0] = math.exp(-0.5 * t * t) / (x * s * SQRT_2PI)
    value = q[0] * d[0]
    d[1] = value * t / s
    d[2] = value * (t * t - 1.0) / s
    return value


@inlined
def _damped_oscillator(q, x, d):
    center = max(TINY, abs(q[1]))
    r = x / center
    detuned = 1.0 - r * r
    damping = 2.0 * q[2] * r
    below = 1.0 / (detuned * detuned + damping * damping)
    d[0] = math.sqrt(below)
    value = q[0] * d[0]
    d[1] = math.copysign(2.0, q[1]) * value * below * (q[2] * damping - r * detuned) * r / center
    d[2] = -2.0 * value * below * damping * r
    return value


@inlined
def _damped_harmonic_oscillator(q, x, d):
    center, s, gamma = q[1], q[2], max(q[3], TINY)
    square = s * s
    low = 1.0 / ((x - center) * (x - center) + square)
    high = 1.0 / ((x + center) * (x + center) + square)
    if abs(x) <= 1e-8:
        middle = 1.0 / (center * center + square)
        thermal = 4.0 * gamma * center * middle * middle
        slope = 4.0 * gamma * middle * middle * (1.0 - 4.0 * center * center * middle)
        widen = -4.0 * s * middle * thermal
        warm = thermal / gamma
    else:
        decay = math.exp(min(-x / gamma, 700.0))
        bose = 1.0 / (1.0 - decay)
        thermal = (low - high) * bose
        slope = 2.0 * ((x - center) * low * low + (x + center) * high * high) * bose
        widen = -2.0 * s * (low * low - high * high) * bose
        warm = thermal * bose * decay * x / (gamma * gamma)
    d[0] = s / math.pi * thermal
    unit = q[0] * s / math.pi
    d[1] = unit * slope
    d[2] = unit * widen + q[0] * thermal / math.pi
    d[3] = unit * warm
    return q[0] * d[0]


@inlined
def _prepare(kind, q, c):
    """Compute what does not depend on the point."""
    if SPLIT_LORENTZIAN <= kind <= SPLIT_PEARSON7:
        has_shape = q.size > 4
        c[0], c[1] = _area(kind, q[4] if has_shape else 0.0)
        c[2], c[3] = _area(kind, q[5] if has_shape else 0.0)
    elif kind == PEARSON7:
        c[0], c[1] = _area(kind, q[3])
    elif kind == STUDENTS_T:
        nu = max(q[2], TINY)
        c[0] = 1.0 / (math.sqrt(nu * math.pi) * gamma_ratio(0.5 * (nu + 1.0)))
        c[1] = 0.5 * (digamma(0.5 * (nu + 1.0)) - digamma(0.5 * nu) - 1.0 / nu)


@compiled()
def _profile(kind, q, c, x, d):
    """Return the value at one point; put its derivative to parameter k into d[k]."""
    if kind <= SPLIT_PEARSON7:
        return _split(kind, q, c, x, d)
    if kind <= MOFFAT:
        return _power(kind, q, c, x, d)
    if kind == STUDENTS_T:
        return _students_t(q, c, x, d)
    if kind == EXPONENTIAL_GAUSSIAN:
        return _exponential_gaussian(q, x, d)
    if kind <= SKEWED_VOIGT:
        return _skewed(kind, q, x, d)
    if kind == DONIACH:
        return _doniach(q, x, d)
    if kind == BREIT_WIGNER:
        return _breit_wigner(q, x, d)
    if kind == LOGNORMAL:
        return _lognormal(q, x, d)
    if kind == DAMPED_OSCILLATOR:
        return _damped_oscillator(q, x, d)
    if kind == DAMPED_HARMONIC_OSCILLATOR:
        return _damped_harmonic_oscillator(q, x, d)
    return curve(kind, q, x, d)


@compiled()
def add_profile(kind, q, sign, n, front, rows):
    """Add one weighted component to the model row and write its derivative rows, for one block of points.

    Parameters
    ----------
    kind, q, sign, n, front, rows:
        As in `analysis.peaks.shapes.add_component`.
    """
    d, c = front[SPARE : SPARE + BLOCK], front[SPARE + BLOCK : SPARE + 2 * BLOCK]
    _prepare(kind, q, c)
    for i in range(n):
        w = sign * front[WEIGHT + i]
        front[MODEL + i] += w * _profile(kind, q, c, front[X + i], d)
        for k in range(q.size):
            rows[BLOCK * k + i] = w * d[k]
