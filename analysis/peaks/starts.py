"""Starting values of each line shape from the place, height and width of a peak, or from a whole curve.

Not here: finding the peaks and the background (`analysis.peaks.guess`).
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis.peaks import kinds

__all__ = ["Place", "curve_start", "peak_start"]

Floats = np.ndarray[Any, np.dtype[np.float64]]
Start = dict[str, float]
GAUSSIAN_WIDTH = 2.0 * math.sqrt(2.0 * math.log(2.0))
SQRT_2PI = math.sqrt(2.0 * math.pi)


@dataclass(frozen=True, kw_only=True)
class Place:
    """One peak: its highest point, full width at half maximum, and how much of it lies on the right."""

    position: float
    height: float
    width: float
    right: float = 0.5


# FWHM / sigma and height · sigma / area at the usual starts of the other parameters (Voigt with gamma = sigma).
_AREAS: dict[int, tuple[float, float]] = {
    kinds.GAUSSIAN: (GAUSSIAN_WIDTH, 1.0 / SQRT_2PI),
    kinds.LORENTZIAN: (2.0, 1.0 / math.pi),
    kinds.PSEUDO_VOIGT: (2.0, 0.5 * (1.0 / math.pi + math.sqrt(math.log(2.0) / math.pi))),
    kinds.VOIGT: (3.6013, 0.2087093),
    kinds.PEARSON7: (2.0 * math.sqrt(2.0 ** (1.0 / 1.5) - 1.0), 0.5),
}
_SPLIT = {
    kinds.SPLIT_GAUSSIAN: kinds.GAUSSIAN,
    kinds.SPLIT_LORENTZIAN: kinds.LORENTZIAN,
    kinds.SPLIT_PSEUDO_VOIGT: kinds.PSEUDO_VOIGT,
    kinds.SPLIT_PEARSON7: kinds.PEARSON7,
}


def _symmetric(kind: int, place: Place) -> Start:
    width, height = _AREAS[kind]
    sigma = place.width / width
    return {"center": place.position, "sigma": sigma, "amplitude": place.height * sigma / height}


def _split(kind: int, place: Place) -> Start:
    made = _symmetric(_SPLIT[kind], place)
    both = 2.0 * made["sigma"]
    right = min(max(place.right, 0.1), 0.9)
    return made | {"sigma": both * (1.0 - right), "sigma_r": both * right}


def _powder(place: Place) -> Start:
    made = _symmetric(kinds.VOIGT, place)
    return made | {"gamma": made["sigma"]}


def _core_level(place: Place) -> Start:
    made = _symmetric(kinds.VOIGT, place)
    return made | {"gamma": made["sigma"], "asymmetry": 0.05}


def _moffat(place: Place) -> Start:
    return {"center": place.position, "sigma": 0.5 * place.width, "amplitude": place.height, "beta": 1.0}


def _students_t(place: Place) -> Start:
    """Solve FWHM = 2 √(ν (2^(2 / (ν + 1)) - 1)) for ν, as far as it goes."""
    low, high = 0.02, 90.0
    for _ in range(60):
        nu = math.sqrt(low * high)
        wide = 2.0 * math.sqrt(nu * (2.0 ** (2.0 / (nu + 1.0)) - 1.0)) > place.width
        low, high = (low, nu) if wide else (nu, high)
    unit = math.gamma(0.5 * (nu + 1.0)) / (math.sqrt(nu * math.pi) * math.gamma(0.5 * nu))
    return {"center": place.position, "sigma": nu, "amplitude": place.height / unit}


def _exponential_gaussian(place: Place) -> Start:
    """Put gamma = 1 / sigma: FWHM is 2.89 sigma, the top 0.70 sigma right of the centre and 0.313 area / sigma high."""
    sigma = place.width / 2.89
    return {
        "center": place.position - 0.70 * sigma,
        "sigma": sigma,
        "gamma": 1.0 / sigma,
        "amplitude": place.height * sigma / 0.313,
    }


def _skewed_gaussian(place: Place) -> Start:
    """Put gamma = ±2: there FWHM is 1.56 sigma, the top 0.53 sigma off the centre and 0.593 area / sigma high."""
    side = 1.0 if place.right >= 0.5 else -1.0  # noqa: PLR2004 - one half
    sigma = place.width / 1.56
    return {
        "center": place.position - side * 0.53 * sigma,
        "sigma": sigma,
        "gamma": 2.0 * side,
        "amplitude": place.height * sigma / 0.593,
    }


def _skewed_voigt(place: Place) -> Start:
    side = 1.0 if place.right >= 0.5 else -1.0  # noqa: PLR2004 - one half
    made = _symmetric(kinds.VOIGT, place)
    return made | {"gamma": made["sigma"], "skew": side, "center": place.position - side * 0.4 * made["sigma"]}


def _doniach(place: Place) -> Start:
    gamma, sigma = 0.1, 0.5 * place.width
    unit = math.cos(0.5 * math.pi * gamma) / sigma ** (1.0 - gamma)
    return {"center": place.position, "sigma": sigma, "gamma": gamma, "amplitude": place.height / unit}


def _breit_wigner(place: Place) -> Start:
    q = 2.0 if place.right >= 0.5 else -2.0  # noqa: PLR2004 - one half
    sigma = place.width
    return {
        "center": place.position - 0.5 * sigma / q,
        "sigma": sigma,
        "q": q,
        "amplitude": place.height / (1.0 + q * q),
    }


def _lognormal(place: Place) -> Start:
    mode = max(place.position, 1e-12)
    sigma = math.asinh(0.5 * place.width / mode) / math.sqrt(2.0 * math.log(2.0))
    center = math.log(mode) + sigma * sigma
    return {
        "center": center,
        "sigma": sigma,
        "amplitude": place.height * sigma * SQRT_2PI * math.exp(center - 0.5 * sigma * sigma),
    }


def _damped_oscillator(place: Place) -> Start:
    damping = place.width / (math.sqrt(12.0) * max(abs(place.position), 1e-12))
    return {"center": place.position, "sigma": damping, "amplitude": 2.0 * damping * place.height}


def _damped_harmonic_oscillator(place: Place) -> Start:
    sigma, gamma = 0.5 * place.width, max(abs(place.position), place.width)
    bose = 1.0 - math.exp(-place.position / gamma)
    return {
        "center": place.position,
        "sigma": sigma,
        "gamma": gamma,
        "amplitude": place.height * math.pi * sigma * bose,
    }


_OWN: Mapping[int, Callable[[Place], Start]] = {
    kinds.THOMPSON_COX_HASTINGS: _powder,
    kinds.CORE_LEVEL: _core_level,
    kinds.AXIAL_VOIGT: _powder,
    kinds.MOFFAT: _moffat,
    kinds.STUDENTS_T: _students_t,
    kinds.EXPONENTIAL_GAUSSIAN: _exponential_gaussian,
    kinds.SKEWED_GAUSSIAN: _skewed_gaussian,
    kinds.SKEWED_VOIGT: _skewed_voigt,
    kinds.DONIACH: _doniach,
    kinds.BREIT_WIGNER: _breit_wigner,
    kinds.LOGNORMAL: _lognormal,
    kinds.DAMPED_OSCILLATOR: _damped_oscillator,
    kinds.DAMPED_HARMONIC_OSCILLATOR: _damped_harmonic_oscillator,
}


def peak_start(kind: int, place: Place) -> Start:
    """Give starting values of a line.

    Parameters
    ----------
    kind:
        Code of a peak in `analysis.peaks.kinds`.
    place:
        The peak that it is to describe.

    Returns
    -------
    :
        Values by name without prefix; what is missing starts where lmfit starts it. `amplitude` is that of
        the other values.
    """
    if kind in _OWN:
        return _OWN[kind](place)
    return _split(kind, place) if kind in _SPLIT else _symmetric(kind, place)


def curve_start(kind: int, x: Floats, y: Floats) -> Start:
    """Give starting values of an edge or of a background that is no polynomial.

    Parameters
    ----------
    kind:
        Code in `analysis.peaks.kinds` of something that is no peak.
    x, y:
        Ascending axis and signal, dims `(channel,)`.

    Returns
    -------
    :
        Values by name without prefix.
    """
    if kind >= kinds.RECTANGLE:
        return _rectangle(x, y)
    if kind >= kinds.STEP:
        return _step(x, y)
    if kind == kinds.SINE:
        return _sine(x, y)
    return _decay(kind, x, y)


def _step(x: Floats, y: Floats) -> Start:
    part = max(x.size // 5, 1)
    first, last = float(np.median(y[:part])), float(np.median(y[-part:]))
    upper, lower = max(first, last), min(first, last)
    above = y > 0.5 * (upper + lower)
    above = above if last >= first else ~above
    center = float(x[-1] - np.trapezoid(above.astype(float), x))
    return {
        "center": center,
        "sigma": math.copysign(0.1 * float(np.ptp(x)), last - first),
        "amplitude": upper if upper != 0.0 else 1.0,
    }


def _rectangle(x: Floats, y: Floats) -> Start:
    top = float(np.quantile(y, 0.95))
    sign = 1.0
    if abs(float(np.quantile(y, 0.05))) > abs(top):
        top, sign = float(np.quantile(y, 0.05)), -1.0
    inside = x[sign * y > 0.5 * abs(top)]
    first, last = (float(inside[0]), float(inside[-1])) if inside.size else (float(x[0]), float(x[-1]))
    width = 0.2 * max(last - first, float(x[1] - x[0]))
    return {"center1": first, "center2": last, "sigma1": width, "sigma2": width, "amplitude": top}


def _sine(x: Floats, y: Floats) -> Start:
    """Take the strongest of a fine grid of frequencies, by linear least squares at each."""
    y = y - y.mean()
    span = float(np.ptp(x))
    step = float(np.median(np.diff(x)))
    grid = np.arange(0.25, max(0.5 * span / step, 1.0), 0.125) * 2.0 * math.pi / span
    best, chosen = -1.0, (1.0, 1.0, 0.0)
    for frequency in grid:
        basis = np.stack([np.sin(frequency * x), np.cos(frequency * x)], axis=1)
        found, *_ = np.linalg.lstsq(basis, y, rcond=None)
        power = float(((basis @ found) ** 2).sum())
        if power > best * (1.0 + 1e-9):
            best, chosen = power, (float(frequency), float(found[0]), float(found[1]))
    frequency, in_phase, quadrature = chosen
    return {
        "frequency": frequency,
        "shift": math.atan2(quadrature, in_phase),
        "amplitude": math.hypot(in_phase, quadrature),
    }


def _decay(kind: int, x: Floats, y: Floats) -> Start:
    """Fit a line to ln |y|, weighted by y so that noise near zero does not count."""
    power_law = kind == kinds.POWER_LAW
    sign = math.copysign(1.0, float(np.sum(y)))
    use = (sign * y > 0.02 * float(np.abs(y).max())) & ((x > 0.0) if power_law else True)
    name = "exponent" if power_law else "decay"
    if np.count_nonzero(use) < 2:  # noqa: PLR2004 - points of a line
        return {name: 1.0, "amplitude": float(np.mean(y))}
    abscissa = np.log(x[use]) if power_law else x[use]
    slope, level = np.polyfit(abscissa, np.log(sign * y[use]), 1, w=np.abs(y[use]))
    amplitude = sign * math.exp(min(float(level), 700.0))
    if power_law:
        return {name: float(slope), "amplitude": amplitude}
    return {name: -1.0 / float(slope) if slope != 0.0 else 1e3 * float(np.ptp(x)), "amplitude": amplitude}
