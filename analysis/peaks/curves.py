"""Backgrounds and edges as scalar functions: exponential, power law, sine, steps, rectangles, compiled.

Not here: peaks and the loop over points (`analysis.peaks.profiles`), polynomials (`analysis.peaks.shapes`).
"""

# Compiled code has no annotations: numba finds its types, and long argument lists are its tables.
# ruff: noqa: ANN001, ANN201, ANN202
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

import math

from analysis.peaks.compiled import compiled
from analysis.peaks.kinds import EXPONENTIAL, POWER_LAW, RECTANGLE, SINE, STEP

__all__ = ["curve"]

TINY = 1e-15
LINEAR, ARCTAN, ERF = 0, 1, 2
TWO_OVER_SQRT_PI = 2.0 / math.sqrt(math.pi)


@compiled()
def _edge(form, t, half):
    """Return an edge from -1/2 to 1/2 and its slope; the linear one ends at ±`half`."""
    if form == LINEAR:
        if abs(t) < half:
            return 0.5 * t / half, 0.5 / half
        return math.copysign(0.5, t), 0.0
    if form == ARCTAN:
        return math.atan(t) / math.pi, 1.0 / (math.pi * (1.0 + t * t))
    if form == ERF:
        return 0.5 * math.erf(t), 0.5 * TWO_OVER_SQRT_PI * math.exp(-t * t)
    level = math.tanh(0.5 * t)
    return 0.5 * level, 0.25 * (1.0 - level * level)


@compiled()
def _step(form, q, x, d):
    s = math.copysign(max(TINY * TINY, abs(q[2])), q[2])
    t = (x - q[1]) / s
    level, slope = _edge(form, t, 0.5)
    d[0] = 0.5 + level
    d[1] = -q[0] * slope / s
    d[2] = d[1] * t
    return q[0] * d[0]


@compiled()
def _rectangle(form, q, x, d):
    s, r = max(q[2], TINY), max(q[4], TINY)
    t, u = (x - q[1]) / s, (q[3] - x) / r
    up, rise = _edge(form, t, 1.0)
    down, fall = _edge(form, u, 1.0)
    d[0] = up + down
    d[1] = -q[0] * rise / s
    d[2] = d[1] * t
    d[3] = q[0] * fall / r
    d[4] = -d[3] * u
    return q[0] * d[0]


@compiled()
def curve(kind, q, x, d):
    """Return the value at one point; put its derivative to parameter k into d[k].

    Parameters
    ----------
    kind:
        EXPONENTIAL or above in `analysis.peaks.kinds`.
    q:
        Parameters.
    x:
        One point of the axis.
    d:
        Result.

    Returns
    -------
    :
        In units of the signal.
    """
    if kind >= RECTANGLE:
        return _rectangle(kind - RECTANGLE, q, x, d)
    if kind >= STEP:
        return _step(kind - STEP, q, x, d)
    if kind == SINE:
        phase = x * q[1] + q[2]
        d[0] = math.sin(phase)
        d[2] = q[0] * math.cos(phase)
        d[1] = x * d[2]
    elif kind == POWER_LAW:
        d[0] = x ** q[1]
        d[1] = q[0] * d[0] * math.log(x) if x > 0.0 else 0.0
    elif kind == EXPONENTIAL:
        decay = math.copysign(max(TINY, abs(q[1])), q[1])
        d[0] = math.exp(-x / decay)
        d[1] = q[0] * d[0] * x / (decay * decay)
    return q[0] * d[0]
