"""The lines of a powder diffractometer: Voigt or pseudo-Voigt lines spread by the divergence along the axis, compiled.

Gaussian and Lorentzian widths make one pseudo-Voigt line (Thompson, Cox, Hastings) or their convolution. Rays that
leave the plane of the diffractometer by a height h meet the detector at the angle δ with cos δ = cos 2θ √(1 + h²), h in
units of the radius. Over h the integral of Finger, Cox and Jephcoat has no singularity: its weight is
W(h) / (sin δ (1 + h²)), with W constant up to |s - d| and falling to 0 at s + d, where s and d are the half heights of
sample and detector slit.
Not here: the same line in numpy (`analysis.peaks.powder_line`), the other lines (`analysis.peaks.profiles`).
References: J. Appl. Cryst. 20 (1987) 79, doi:10.1107/S0021889887087090; J. Appl. Cryst. 27 (1994) 892,
doi:10.1107/S0021889894004218.
"""

# Compiled code has no annotations: numba finds its types, and long argument lists are its tables.
# ruff: noqa: ANN001, ANN201, ANN202, PLR0917
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

import math

import numpy as np

from analysis.peaks.compiled import compiled, inlined
from analysis.peaks.faddeeva import wofz
from analysis.peaks.kinds import AXIAL_VOIGT
from analysis.peaks.rows import BLOCK, MODEL, SPARE, WEIGHT, X

__all__ = ["COARSE", "FINE", "NEAR", "add_axial"]

NODES = BLOCK + SPARE
SIZE = 8  # numbers of a node: its angle and weight, and their derivatives to the angle of the line, |s - d| and s + d
COARSE, FINE = (tuple(map(tuple, np.polynomial.legendre.leggauss(n))) for n in (6, 24))
COARSE_T, COARSE_Q = (np.array(each) for each in COARSE)
FINE_T, FINE_Q = (np.array(each) for each in FINE)
NEAR = 0.3  # spread in widths up to which few nodes do
DEGREE = math.pi / 180.0
LN2 = math.log(2.0)
GAUSSIAN = math.sqrt(LN2 / math.pi)
TO_FWHM = 2.0 * math.sqrt(2.0 * LN2)
TINY = 1e-15
SQRT_2, SQRT_PI = math.sqrt(2.0), math.sqrt(math.pi)


@compiled()
def _width(sigma, gamma):
    """Return fwhm and Lorentzian share of the pseudo-Voigt line and their derivatives to both widths."""
    g, w = TO_FWHM * sigma, 2.0 * gamma
    fifth = ((((g + 2.69269 * w) * g + 2.42843 * w * w) * g + 4.47163 * w**3) * g + 0.07842 * w**4) * g + w**5
    f = max(max(fifth, 0.0) ** 0.2, TINY)
    below = 5.0 * f**4
    along_g = (((5.0 * g + 10.77076 * w) * g + 7.28529 * w * w) * g + 8.94326 * w**3) * g + 0.07842 * w**4
    along_w = (((2.69269 * g + 4.85686 * w) * g + 13.41489 * w * w) * g + 0.31368 * w**3) * g + 5.0 * w**4
    f_g, f_w = along_g / below, along_w / below
    r = w / f
    share = ((0.11116 * r - 0.47719) * r + 1.36603) * r
    slope = ((0.33348 * r - 0.95438) * r + 1.36603) / f
    return f, share, TO_FWHM * f_g, 2.0 * f_w, -TO_FWHM * slope * r * f_g, 2.0 * slope * (1.0 - r * f_w)


@compiled()
def _node(center, at, share, front, k):
    """Write the angle at height at[0] and its weight share[0]; their derivatives follow from those of both."""
    cosine = math.cos(center * DEGREE)
    g = math.sqrt(1.0 + at[0] * at[0])
    inside = 1.0 - (cosine * g) ** 2
    if not inside > 0.0 or share[0] == 0.0:
        return False
    sine = math.sqrt(inside)
    delta = math.acos(cosine * g)
    along_c = g * math.sin(center * DEGREE) / sine
    along_h = -cosine * at[0] / (g * sine)
    weight = share[0] / (sine * g * g)
    tilt = -cosine * g / sine
    by_h = tilt * along_h - 2.0 * at[0] / (g * g)
    front[k] = delta / DEGREE
    front[k + 1] = weight
    front[k + 2] = along_c
    front[k + 3] = along_h * at[1] / DEGREE
    front[k + 4] = along_h * at[2] / DEGREE
    front[k + 5] = weight * tilt * along_c * DEGREE
    front[k + 6] = weight * by_h * at[1] + share[1] / (sine * g * g)
    front[k + 7] = weight * by_h * at[2] + share[2] / (sine * g * g)
    return True


@compiled()
def _normalise(front, count):
    """Divide the weights by their sum."""
    for k in (6, 5, 7, 1):
        slope = total = 0.0
        for i in range(count):
            total += front[NODES + SIZE * i + 1]
            slope += front[NODES + SIZE * i + k]
        for i in range(count):
            a = NODES + SIZE * i
            front[a + k] = front[a + 1] / total if k == 1 else (front[a + k] - front[a + 1] * slope / total) / total


@compiled()
def _spread(center, s, d, few, front):
    """Write the nodes of the integral over the height; return how many, 0 if there is no spread."""
    low, high = abs(s - d), s + d
    if not (high > 0.0 and 0.0 < center < 180.0):  # noqa: PLR2004
        return 0
    t, q = (COARSE_T, COARSE_Q) if few else (FINE_T, FINE_Q)
    count = 0
    for i in range(t.size):
        u, p = 0.5 * (1.0 + t[i]), 0.5 * q[i]
        if low > 0.0 and _node(center, (low * u, u, 0.0), (p * low, p, 0.0), front, NODES + SIZE * count):
            count += 1
        share = p * (high - low) * (1.0 - u), -p * (1.0 - u), p * (1.0 - u)
        if _node(center, (low + (high - low) * u, 1.0 - u, u), share, front, NODES + SIZE * count):
            count += 1
    _normalise(front, count)
    return count


@inlined
def _pseudo_voigt(y, f, share, f_s, f_g, share_s, share_g):
    """Return the line of area 1 at a distance y, and its derivatives to -y and both widths."""
    w = 2.0 / f
    t = y * w
    lorentzian = w / math.pi / (1.0 + t * t)
    gaussian = w * GAUSSIAN * math.exp(-LN2 * t * t)
    r = (1.0 - share) * gaussian + share * lorentzian
    pull = 2.0 * t * ((1.0 - share) * LN2 * gaussian + share * lorentzian / (1.0 + t * t))
    by_f, by_share = (t * pull - r) / f, lorentzian - gaussian
    return r, pull * w, by_f * f_s + by_share * share_s, by_f * f_g + by_share * share_g


@inlined
def _voigt(y, sigma, gamma):
    """Return the same for the convolution itself."""
    inverse = 1.0 / (SQRT_2 * max(sigma, TINY))
    unit = inverse / SQRT_PI
    t, below = y * inverse, gamma * inverse
    w, _, dre, dim = wofz(t, below)
    slope = -unit * inverse
    return unit * w, slope * dre, slope * SQRT_2 * (w + t * dre - below * dim), slope * dim


@compiled()
def add_axial(kind, q, sign, n, front, rows):
    """Add one weighted line to the model row and write its derivative rows, for one block of points.

    Parameters
    ----------
    kind, q, sign, n, front, rows:
        As in `analysis.peaks.shapes.add_component`; q = (area, angle, sigma, gamma, s, d), angles in degrees.
    """
    f, share, f_s, f_g, share_s, share_g = _width(q[2], q[3])
    s, d = abs(q[4]), abs(q[5])
    few = 0.5 * (s + d) ** 2 < NEAR * f * DEGREE * abs(math.tan(q[1] * DEGREE))
    count = _spread(q[1], s, d, few, front)
    if count == 0:
        count = 1
        for k in range(SIZE):
            front[NODES + k] = q[1] if k == 0 else 1.0 * (k in (1, 2))
    turn = 0.0 if s == d else math.copysign(1.0, s - d)
    for i in range(n):
        line = by_c = by_s = by_g = by_low = by_high = 0.0
        for k in range(count):
            a = NODES + SIZE * k
            y = front[X + i] - front[a]
            if kind == AXIAL_VOIGT:
                r, pull, r_s, r_g = _voigt(y, q[2], q[3])
            else:
                r, pull, r_s, r_g = _pseudo_voigt(y, f, share, f_s, f_g, share_s, share_g)
            v = front[a + 1]
            line += v * r
            by_s += v * r_s
            by_g += v * r_g
            by_c += v * pull * front[a + 2] + r * front[a + 5]
            by_low += v * pull * front[a + 3] + r * front[a + 6]
            by_high += v * pull * front[a + 4] + r * front[a + 7]
        weight = sign * front[WEIGHT + i]
        unit = q[0] * weight
        front[MODEL + i] += unit * line
        rows[i] = weight * line
        rows[BLOCK + i] = unit * by_c
        rows[2 * BLOCK + i] = unit * by_s
        rows[3 * BLOCK + i] = unit * by_g
        rows[4 * BLOCK + i] = math.copysign(1.0, q[4]) * unit * (by_high + turn * by_low)
        rows[5 * BLOCK + i] = math.copysign(1.0, q[5]) * unit * (by_high - turn * by_low)
