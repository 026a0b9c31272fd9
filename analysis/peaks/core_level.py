"""The line of a core level, asymmetric and convolved with the Gaussian response of an instrument, compiled.

A Doniach-Šunjić line is the real part of e^(iπα/2) (γ - i t)^(α - 1) / π. Its convolution with a Gaussian of width σ
is a sum over nodes s of the Gaussian; on a path shifted by `SHIFT` into the complex plane the singularity stays away
from the nodes, and evenly spaced ones give all digits, also for γ = 0.
Not here: the same line in numpy (`analysis.peaks.core_line`), the other lines (`analysis.peaks.profiles`).
References: J. Phys. C 3 (1970) 285, doi:10.1088/0022-3719/3/2/010; Trefethen & Weideman, SIAM Review 56 (2014) 385,
doi:10.1137/130932132 (evenly spaced nodes).
"""

# Compiled code has no annotations: numba finds its types, and long argument lists are its tables.
# ruff: noqa: ANN001, ANN201
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

import math

import numpy as np

from analysis.peaks.compiled import compiled
from analysis.peaks.rows import BLOCK, MODEL, WEIGHT, X

__all__ = ["NODES", "SHIFT", "WEIGHTS", "add_core_level"]

SHIFT = 2.5
STEP = 0.4
NODES = STEP * np.arange(-20, 21)
WEIGHTS = STEP / math.sqrt(2.0 * math.pi) * np.exp(0.5 * (SHIFT**2 - NODES**2))
TINY = 1e-15
HALF_PI = 0.5 * math.pi


@compiled()
def add_core_level(q, sign, n, front, rows):
    """Add one weighted line to the model row and write its derivative rows, for one block of points.

    Parameters
    ----------
    q, sign, n, front, rows:
        As in `analysis.peaks.shapes.add_component`; q = (amplitude, center, sigma, gamma, asymmetry).
    """
    s = max(q[2], TINY)
    side = 1.0 if q[4] >= 0.0 else -1.0
    alpha = side * q[4]
    power = 1.0 - alpha
    unit = s**-power / math.pi
    u = q[3] / s + SHIFT
    for i in range(n):
        t = side * (q[1] - front[X + i]) / s
        line = by_alpha = by_u = by_v = 0.0
        for k in range(NODES.size):
            v = t + NODES[k]
            square = u * u + v * v
            log = 0.5 * math.log(square)
            angle = math.atan2(v, u)
            size = WEIGHTS[k] * math.exp(-power * log)
            phase = HALF_PI * alpha + power * angle - SHIFT * NODES[k]
            c, d = size * math.cos(phase), size * math.sin(phase)
            line += c
            by_alpha += c * log - d * (HALF_PI - angle)
            by_u += power * (d * v - c * u) / square
            by_v -= power * (c * v + d * u) / square
        w = sign * unit * front[WEIGHT + i]
        slope = q[0] * w / s
        front[MODEL + i] += q[0] * w * line
        rows[i] = w * line
        rows[BLOCK + i] = slope * side * by_v
        rows[2 * BLOCK + i] = -slope * (power * line + by_u * q[3] / s + by_v * t)
        rows[3 * BLOCK + i] = slope * by_u
        rows[4 * BLOCK + i] = side * q[0] * w * (line * math.log(s) + by_alpha)
