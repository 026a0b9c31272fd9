"""The Faddeeva function w(z) and its derivative for the Voigt line shape, compiled.

The rational series of Weideman with 36 terms for Im z >= 0, in steps without a branch, so that loops over them
use SIMD; below the real axis by w(z) = 2 exp(-z²) - w(-z). Against `scipy.special.wofz` the difference stays
below 1e-12 |w|. The derivative is 2i/√π - 2zw, far out its asymptotic series, where that difference cancels.

References: J. A. C. Weideman, SIAM J. Numer. Anal. 31 (1994) 1497, doi:10.1137/0731077;
NIST DLMF 7.9.1 (asymptotic series), 7.10.2 (derivative).
"""

# Compiled code has no annotations: numba finds its types, and long argument lists are its tables.
# ruff: noqa: ANN001, ANN201, ANN202, PLR0917
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

import math

import numpy as np
from numba import njit

from analysis.peaks.compiled import compiled

__all__ = ["SERIES", "TERMS", "begin", "finish", "five_terms", "wofz"]

TERMS = 36
TWO_BY_SQRT_PI = 2.0 / math.sqrt(math.pi)
WIDTH = math.sqrt(TERMS / math.sqrt(2.0))
FAR_SQUARED = 400.0


def _weideman(terms: int) -> np.ndarray:
    """Compute the coefficients of the rational series, highest power first."""
    half = 2 * terms
    angle = np.arange(-half + 1, half) * math.pi / half
    node = WIDTH * np.tan(angle / 2.0)
    samples = np.concatenate([[0.0], np.exp(-(node**2)) * (WIDTH**2 + node**2)])
    series = np.fft.fft(np.fft.fftshift(samples)).real / (2 * half)
    return np.ascontiguousarray(series[1 : terms + 1][::-1])


SERIES = _weideman(TERMS)


@njit(error_model="numpy", inline="always")
def begin(x, y):
    """Return the variable Z of the series and 1/(L - iz), each as real and imaginary part, for y >= 0."""
    norm = 1.0 / ((WIDTH + y) * (WIDTH + y) + x * x)
    ir = (WIDTH + y) * norm
    ii = x * norm
    return (WIDTH - y) * ir - x * ii, (WIDTH - y) * ii + x * ir, ir, ii


@njit(error_model="numpy", inline="always")
def five_terms(pr, pi, zr, zi, c0, c1, c2, c3, c4):
    """Take Horner's scheme five coefficients further."""
    pr, pi = pr * zr - pi * zi + c0, pr * zi + pi * zr
    pr, pi = pr * zr - pi * zi + c1, pr * zi + pi * zr
    pr, pi = pr * zr - pi * zi + c2, pr * zi + pi * zr
    pr, pi = pr * zr - pi * zi + c3, pr * zi + pi * zr
    return pr * zr - pi * zi + c4, pr * zi + pi * zr


@njit(error_model="numpy", inline="always")
def finish(x, y, ir, ii, pr, pi):
    """Return Re w, Im w, Re w', Im w' from the sum of the series."""
    sr = ir * ir - ii * ii
    si = 2.0 * ir * ii
    wr = 2.0 * (pr * sr - pi * si) + 0.5 * TWO_BY_SQRT_PI * ir
    wi = 2.0 * (pr * si + pi * sr) + 0.5 * TWO_BY_SQRT_PI * ii
    square = x * x + y * y
    scale = 1.0 / max(square, FAR_SQUARED)
    ur = (x * x - y * y) * scale * scale
    ui = -2.0 * x * y * scale * scale
    tr, ti = five_terms(0.0, 0.0, ur, ui, 59.0625, 13.125, 3.75, 1.5, 1.0)
    far = square > FAR_SQUARED
    dr = 0.5 * TWO_BY_SQRT_PI * (tr * ui + ti * ur) if far else -2.0 * (x * wr - y * wi)
    di = -0.5 * TWO_BY_SQRT_PI * (tr * ur - ti * ui) if far else TWO_BY_SQRT_PI - 2.0 * (x * wi + y * wr)
    return wr, wi, dr, di


@compiled()
def _upper(x, y):
    zr, zi, ir, ii = begin(x, y)
    pr = SERIES[0]
    pi = 0.0
    for k in range(1, TERMS, 5):
        pr, pi = five_terms(pr, pi, zr, zi, SERIES[k], SERIES[k + 1], SERIES[k + 2], SERIES[k + 3], SERIES[k + 4])
    return finish(x, y, ir, ii, pr, pi)


@compiled()
def wofz(x, y):
    """Return Re w, Im w, Re w', Im w' at z = x + iy.

    Parameters
    ----------
    x, y:
        Real and imaginary part of z, dimensionless scalars.

    Returns
    -------
    :
        Four floats: w and dw/dz.
    """
    if y >= 0.0:
        return _upper(x, y)
    re, im, dre, dim = _upper(-x, -y)
    size = 2.0 * math.exp(y * y - x * x)
    gre = size * math.cos(2.0 * x * y)
    gim = -size * math.sin(2.0 * x * y)
    # d/dz [2 exp(-z²)] = -2 z · 2 exp(-z²), and d/dz [w(-z)] = -w'(-z)
    return (
        gre - re,
        gim - im,
        -2.0 * (x * gre - y * gim) + dre,
        -2.0 * (x * gim + y * gre) + dim,
    )
