"""Bragg's law between spacings and angles, and the reflections of a phase under a radiation.

Not here: fits (`analysis.diffraction.pattern`).
"""

import math
from typing import overload

import numpy as np
import xarray as xr

from analysis.core import CalibrationError, SpectrumError
from analysis.diffraction.emission import Radiation
from analysis.diffraction.phase import Phase, indices
from analysis.uncertainty import Quantity

__all__ = ["angle", "reflections", "spacing"]

REFLECTION = "reflection"
STRAIGHT = 180.0


@overload
def spacing(two_theta: Quantity, wavelength: Quantity) -> Quantity: ...
@overload
def spacing(two_theta: float, wavelength: float) -> float: ...
def spacing(two_theta: Quantity | float, wavelength: Quantity | float) -> Quantity | float:
    """Compute d = λ / (2 sin θ).

    Parameters
    ----------
    two_theta:
        Diffraction angle in degrees, in (0, 180).
    wavelength:
        nm, > 0.

    Returns
    -------
    :
        The spacing in nm; a Quantity with the sources of both if the angle is one.

    Raises
    ------
    SpectrumError
        If the angle or the wavelength is out of range.
    """
    value = two_theta.value if isinstance(two_theta, Quantity) else two_theta
    length = wavelength.value if isinstance(wavelength, Quantity) else wavelength
    if not 0.0 < value < STRAIGHT or not length > 0.0:
        msg = f"Bragg's law needs 0 < 2θ < 180 degrees and a wavelength above 0 nm, got {value:g} and {length:g}"
        raise SpectrumError(msg)
    theta = math.radians(0.5 * value)
    d = length / (2.0 * math.sin(theta))
    if not isinstance(two_theta, Quantity):
        return d
    slope = -d / math.tan(theta) * math.radians(0.5)
    parts = {source: slope * c for source, c in (two_theta.components or {}).items()}
    if isinstance(wavelength, Quantity):
        for source, c in (wavelength.components or {}).items():
            parts[source] = parts.get(source, 0.0) + d / length * c
    return Quantity.from_components(d, parts, units="nm", label=f"d of {two_theta.label}", history=two_theta.history)


def angle(d: float, wavelength: float) -> float:
    """Compute 2θ = 2 arcsin(λ / 2d).

    Parameters
    ----------
    d, wavelength:
        nm, > 0.

    Returns
    -------
    :
        Degrees.

    Raises
    ------
    SpectrumError
        If the wavelength is longer than twice the spacing: nothing is diffracted.
    """
    if not 0.0 < wavelength <= 2.0 * d:
        msg = f"nothing is diffracted at d = {d:g} nm by {wavelength:g} nm; it must lie in (0, {2 * d:g}] nm"
        raise SpectrumError(msg)
    return 2.0 * math.degrees(math.asin(wavelength / (2.0 * d)))


def reflections(phase: Phase, radiation: Radiation, low: float, high: float) -> xr.Dataset:
    """List the reflections of a phase between two angles.

    Parameters
    ----------
    phase:
        The phase.
    radiation:
        Its `wavelength` gives the angles.
    low, high:
        Degrees of 2θ, 0 < low < high < 180.

    Returns
    -------
    :
        `h`, `k`, `l`, `multiplicity`, `d` (nm), `two_theta` (degree), `first` and `last` (of the lines of the
        tube) along `reflection`, which is named by its indices;
        reflections of equal spacing are one.

    Raises
    ------
    CalibrationError
        If the range is none, or no reflection lies in it.
    """
    if not 0.0 < low < high < STRAIGHT:
        msg = f"reflections needs 0 < low < high < 180 degrees, got low = {low:g}, high = {high:g}"
        raise CalibrationError(msg)
    wavelength = radiation.wavelength.value
    least = wavelength / (2.0 * math.sin(math.radians(0.5 * high)))
    d, triples, count = indices(phase, least)
    ends = [pick(line.wavelength for line in radiation.lines) for pick in (min, max)]
    order = [i for i in np.argsort(-d) if angle(float(d[i]), wavelength) >= low and ends[1] < 2.0 * d[i]]
    if not order:
        first = angle(float(d.max()), wavelength) if d.size else math.nan
        msg = (
            f"{phase.name} has no reflection between {low:g} and {high:g} degrees at {wavelength:g} nm; its first "
            f"stands at {first:.3f} degrees. Is this the phase, and the radiation?"
        )
        raise CalibrationError(msg)
    hkl = np.array([triples[i] for i in order])
    return xr.Dataset(
        {
            **{name: (REFLECTION, hkl[:, i], {"units": "1"}) for i, name in enumerate("hkl")},
            "multiplicity": (REFLECTION, np.array([count[i] for i in order]), {"units": "1"}),
            "d": (REFLECTION, d[order], {"units": "nm", "long_name": "spacing"}),
            "two_theta": (
                REFLECTION, np.array([angle(float(d[i]), wavelength) for i in order]),
                {"units": "degree", "long_name": "diffraction angle"},
            ),
            **{
                name: (REFLECTION, np.array([angle(float(d[i]), end) for i in order]), {"units": "degree"})
                for name, end in zip(("first", "last"), ends, strict=True)
            },
        },
        coords={REFLECTION: [label(triples[i]) for i in order]},
        attrs={"phase": phase.name, "radiation": radiation.name},
    )  # fmt: skip


def label(hkl: tuple[int, int, int]) -> str:
    """Write indices so that they can stand in the name of a parameter: 111, 1_10_0, m1_2_3."""
    words = [f"m{-i}" if i < 0 else str(i) for i in hkl]
    return ("" if all(len(word) == 1 for word in words) else "_").join(words)
