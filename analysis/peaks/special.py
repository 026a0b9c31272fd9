"""Special functions of one real argument for the line shapes, compiled.

Not here: the Faddeeva function (`analysis.peaks.faddeeva`).
References: NIST DLMF 7.12.1 (erfc at large argument), 5.11.2 and 5.5.2, 5.5.4 (digamma), 5.11.13 (ratio).
"""

# Compiled code has no annotations: numba finds its types.
# ruff: noqa: ANN001, ANN201, PLR2004
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

import math

from analysis.peaks.compiled import compiled

__all__ = ["digamma", "erfcx", "gamma_ratio"]

SQRT_PI = math.sqrt(math.pi)
FAR = 6.0
LARGE = 12.0
OVERFLOW = 170.0


@compiled()
def erfcx(z):
    """Return exp(z²) erfc(z).

    Parameters
    ----------
    z:
        Real number; above -26 the result is finite.

    Returns
    -------
    :
        Good to 1e-14 relative.
    """
    if z < FAR:
        return math.exp(z * z) * math.erfc(z)
    step = -0.5 / (z * z)
    term = 1.0
    total = 1.0
    for k in range(1, 34):
        term *= (2 * k - 1) * step
        if abs(term) < 1e-17:
            break
        total += term
    return total / (z * SQRT_PI)


@compiled()
def digamma(x):
    """Return the logarithmic derivative of the gamma function.

    Parameters
    ----------
    x:
        Real number.

    Returns
    -------
    :
        Good to 1e-14 of max(1, |ψ|); NaN at the poles.
    """
    shift = 0.0
    if x <= 0.0:
        if x == math.floor(x):
            return math.nan
        shift = -math.pi / math.tan(math.pi * x)
        x = 1.0 - x
    while x < LARGE:
        shift -= 1.0 / x
        x += 1.0
    u = 1.0 / (x * x)
    series = u * (
        1.0 / 12.0 - u * (1.0 / 120.0 - u * (1.0 / 252.0 - u * (1.0 / 240.0 - u * (1.0 / 132.0 - u * 691.0 / 32760.0))))
    )
    return shift + math.log(x) - 0.5 / x - series


@compiled()
def gamma_ratio(x):
    """Return Γ(x - 1/2) / Γ(x).

    Parameters
    ----------
    x:
        Real number > 0.

    Returns
    -------
    :
        Good to 1e-14 relative; infinite at 1/2, negative below.
    """
    if x == 0.5:
        return math.inf
    if x < OVERFLOW:
        return math.gamma(x - 0.5) / math.gamma(x)
    u = 1.0 / (8.0 * (x - 0.5))
    return 1.0 / (math.sqrt(x - 0.5) * (1.0 - u * (1.0 - u * (0.5 + u * (2.5 - u * 2.625)))))
