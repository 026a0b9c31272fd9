"""Powder patterns with known truth: what a diffractometer with these faults counts.

Each Lorentzian of the tube is convolved with the Gaussian of the diffractometer exactly (Voigt) and averaged over the
heights at which rays leave the sample and meet the slit: another way than the lines that are fitted.
Not here: the fit (`analysis.diffraction.pattern`).
"""

import math
from dataclasses import asdict, dataclass

import numpy as np
import xarray as xr
from scipy.special import voigt_profile

from analysis.core import CHANNEL, CalibrationError
from analysis.diffraction.bragg import reflections
from analysis.diffraction.door import AXIS, Floats
from analysis.diffraction.emission import Radiation
from analysis.diffraction.phase import Phase

__all__ = ["Diffractometer", "simulate"]

TO_FWHM = 2.0 * math.sqrt(2.0 * math.log(2.0))
HEIGHTS = 100
NEAR = 1.0  # degrees; farther out only the mean of the heights matters


@dataclass(frozen=True, kw_only=True)
class Diffractometer:
    """What a simulated powder diffractometer is, and what is wrong with it."""

    radius: float = 217.5
    """mm."""
    zero: float = 0.0
    """Error of the circle, degrees."""
    displacement: float = 0.0
    """Of the surface behind the axis, mm."""
    u: float = 2e-4
    v: float = -2e-4
    w: float = 2.5e-3
    """Gaussian fwhm² = u tan² θ + v tan θ + w, square degrees."""
    size: float = 0.01
    """Lorentzian fwhm · cos θ, degrees."""
    strain: float = 0.0
    """Lorentzian fwhm / tan θ, degrees."""
    axial: float = 0.03
    """Half height of sample and slit over the radius."""
    background: float = 40.0
    """Counts of a channel."""


def simulate(
    phase: Phase,
    radiation: Radiation,
    *,
    seed: int,
    two_theta: tuple[float, float, float] = (25.0, 140.0, 0.01),
    counts: float = 2e5,
    diffractometer: Diffractometer | None = None,
) -> xr.Dataset:
    """Count a powder pattern.

    Parameters
    ----------
    phase:
        What is measured, at the temperature of its cell.
    radiation:
        What the tube emits; its natural widths are part of the lines.
    seed:
        Of the noise; equal seeds give equal counts.
    two_theta:
        First and last angle and step, degrees.
    counts:
        Of the strongest line, all channels together, > 0.
    diffractometer:
        Its faults; None takes a good one.

    Returns
    -------
    :
        Counts along `two_theta`; the truth is in the attributes `truth_...`.

    Raises
    ------
    CalibrationError
        If the counts or the angles are out of range.
    """
    machine = diffractometer or Diffractometer()
    low, high, step = two_theta
    if not (counts > 0.0 and 0.0 < step < high - low):
        msg = f"simulate needs counts > 0 and 0 < step < last - first angle, got {counts:g} and {two_theta}"
        raise CalibrationError(msg)
    x: Floats = low + step * np.arange(round((high - low) / step) + 1, dtype=float)
    table = reflections(phase, radiation, low, high)
    strength = table["multiplicity"].values * _lorentz_polarisation(np.radians(table["two_theta"].values / 2))
    strength = counts * step * strength / strength.max()
    mean = np.full(x.size, machine.background)
    weight = sum(line.weight for line in radiation.lines)
    for d, area in zip(table["d"].values, strength, strict=True):
        for line in radiation.lines:
            mean += area / weight * line.weight * _line(x, float(d), line.wavelength, line.fwhm, machine)
    truth = {f"truth_{name}": given.value for name, given in phase.cell.items()}
    truth |= {f"truth_{name}": value for name, value in asdict(machine).items()}
    return xr.Dataset(
        {"signal": (CHANNEL, np.random.default_rng(seed).poisson(mean).astype(float), {"units": "counts"})},
        coords={AXIS: (CHANNEL, x, {"units": "degree", "long_name": "2θ"})},
        attrs=truth
        | {
            "seed": seed,
            "sample": phase.name,
            "radiation": radiation.name,
            "simulated": "analysis.diffraction.simulate",
        },
    )


def _lorentz_polarisation(theta: Floats) -> Floats:
    """Fall of intensity of a powder without monochromator."""
    return np.asarray((1.0 + np.cos(2.0 * theta) ** 2) / (np.sin(theta) ** 2 * np.cos(theta)))


def _line(x: Floats, d: float, wavelength: float, natural: float, machine: Diffractometer) -> Floats:
    """One emission line of one reflection, of unit area."""
    sine = wavelength / (2.0 * d)
    if sine >= 1.0:
        return np.zeros(x.size)
    theta = math.asin(sine)
    tangent = math.tan(theta)
    sigma = math.sqrt(max(machine.u * tangent**2 + machine.v * tangent + machine.w, 1e-8)) / TO_FWHM
    gamma = 0.5 * (machine.size / math.cos(theta) + machine.strain * tangent)
    gamma += tangent * math.degrees(natural / wavelength)
    shift = machine.zero - 2.0 * math.degrees(machine.displacement / machine.radius) * math.cos(theta)
    # The difference of two heights that are even over the sample and the slit falls linearly to their sum.
    share = (np.arange(HEIGHTS) + 0.5) / HEIGHTS
    heights = 2.0 * machine.axial * share
    angles = np.arccos(np.cos(2.0 * theta) * np.sqrt(1.0 + heights**2))
    weight = (1.0 - share) / (np.sin(angles) * (1.0 + heights**2))
    angles, weight = np.degrees(angles) + shift, weight / weight.sum()
    made = voigt_profile(x - float(weight @ angles), sigma, gamma)
    near = np.abs(x - angles[0]) < NEAR + 4.0 * np.ptp(angles)
    made[near] = voigt_profile(x[near, None] - angles, sigma, gamma) @ weight
    return np.asarray(made)
