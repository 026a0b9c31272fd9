"""The lines of a powder diffractometer as lmfit models: Voigt and Thompson-Cox-Hastings with axial divergence.

Not here: the compiled line with its derivatives, the formulas and their sources (`analysis.peaks.axial`).
"""

import math

import numpy as np
from scipy.special import wofz

from analysis.peaks.line_model import Floats, LineModel

# lmfit reads the parameters of a model from the positional arguments of its function.
# ruff: noqa: PLR0917

__all__ = ["AxialVoigtModel", "ThompsonCoxHastingsModel", "thompson_cox_hastings"]

COARSE, FINE = (np.polynomial.legendre.leggauss(n) for n in (6, 24))
NEAR = 0.3
TINY = 1e-15
RIGHT_ANGLES = 180.0


def _spread(center: float, s: float, d: float, fwhm: float) -> tuple[Floats, Floats]:
    """Return the angles at which rays of different height arrive, in degrees, and their weights."""
    low, high = abs(s - d), s + d
    if not (high > 0.0 and 0.0 < center < RIGHT_ANGLES):
        return np.array([center]), np.ones(1)
    few = 0.5 * high**2 < NEAR * math.radians(fwhm) * abs(math.tan(math.radians(center)))
    nodes, shares = COARSE if few else FINE
    u, p = 0.5 * (1.0 + nodes), 0.5 * shares
    h = np.concatenate([low * u, low + (high - low) * u])
    weight = np.concatenate([p * low, p * (high - low) * (1.0 - u)])
    cosine = math.cos(math.radians(center)) * np.sqrt(1.0 + h * h)
    inside = np.abs(cosine) < 1.0
    delta, weight = np.arccos(cosine[inside]), weight[inside] / (1.0 + h[inside] ** 2)
    weight /= np.sin(delta)
    return np.degrees(delta), weight / weight.sum()


def _fwhm(sigma: float, gamma: float) -> float:
    g, w = 2.0 * math.sqrt(2.0 * math.log(2.0)) * sigma, 2.0 * gamma
    powers = [g**k * w ** (5 - k) for k in range(6)]
    return max(max(float(np.dot([1.0, 0.07842, 4.47163, 2.42843, 2.69269, 1.0], powers)), 0.0) ** 0.2, TINY)


def axial_voigt(
    x: Floats,
    amplitude: float = 1.0,
    center: float = 0.0,
    sigma: float = 1.0,
    gamma: float = 0.0,
    sl: float = 0.0,
    hl: float = 0.0,
) -> Floats:
    """Compute the Voigt line at angles x in degrees; `sl` and `hl` are half heights over the radius."""
    delta, weight = _spread(float(center), abs(sl), abs(hl), _fwhm(sigma, gamma))
    unit = math.sqrt(2.0) * max(sigma, TINY)
    line = wofz((np.asarray(x)[..., None] - delta + 1j * gamma) / unit).real
    return np.asarray(amplitude / (math.sqrt(math.pi) * unit) * line @ weight)


def thompson_cox_hastings(
    x: Floats,
    amplitude: float = 1.0,
    center: float = 0.0,
    sigma: float = 1.0,
    gamma: float = 0.0,
    sl: float = 0.0,
    hl: float = 0.0,
) -> Floats:
    """Compute the line at angles x in degrees; `sl` and `hl` are half heights over the radius."""
    f = _fwhm(sigma, gamma)
    w = 2.0 * gamma
    share = 1.36603 * (w / f) - 0.47719 * (w / f) ** 2 + 0.11116 * (w / f) ** 3
    delta, weight = _spread(float(center), abs(sl), abs(hl), f)
    square = (2.0 * (np.asarray(x)[..., None] - delta) / f) ** 2
    line = (1.0 - share) * math.sqrt(math.log(2.0) / math.pi) * np.exp(-math.log(2.0) * square)
    return np.asarray(2.0 * amplitude / f * (line + share / math.pi / (1.0 + square)) @ weight)


class _AxialModel(LineModel):
    """What both lines share: hints."""

    follows = ("gamma", 0.5)

    def _set_paramhints_prefix(self) -> None:
        for name in ("sigma", "gamma"):
            self.set_param_hint(name, min=0.0)
        for name in ("sl", "hl"):
            self.set_param_hint(name, value=0.0, min=0.0, max=0.5, vary=False)


class ThompsonCoxHastingsModel(_AxialModel):
    """Pseudo-Voigt line of a powder diffractometer on an axis of 2θ in degrees.

    `amplitude` is the area, `center` the diffraction angle, `sigma` the standard deviation of the Gaussian, `gamma` the
    half width of the Lorentzian part, whose pseudo-Voigt line stands for their convolution. `sl` and `hl`, the half
    heights of sample and detector slit over the radius, spread it to one side; they are 0 and fixed until they are set.

    Parameters
    ----------
    prefix:
        Put before the names of its parameters.
    independent_vars, nan_policy:
        As in lmfit.
    """

    function = staticmethod(thompson_cox_hastings)


class AxialVoigtModel(_AxialModel):
    """Voigt line of a powder diffractometer: as `ThompsonCoxHastingsModel`, with the convolution itself.

    Parameters
    ----------
    prefix:
        Put before the names of its parameters.
    independent_vars, nan_policy:
        As in lmfit.
    """

    function = staticmethod(axial_voigt)
