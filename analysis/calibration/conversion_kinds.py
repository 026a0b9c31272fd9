"""Kinds of spectral axes as functions of one another, through the vacuum wavenumber.

The functions take complex numbers, so that derivatives come by complex step, exact to rounding: W. Squire and
G. Trapp, SIAM Review 40 (1998) 110, doi:10.1137/S003614459631241X. Constants: SI Brochure, 9th edition (2019), exact.
Not here: axes in a Dataset and their sources (`analysis.calibration.conversion`).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from analysis.calibration.air_conditions import STEP, refractivity, require_range
from analysis.core import CalibrationError, did_you_mean

__all__ = ["KINDS", "Kind", "Way", "require_kind", "to_wavenumber"]

Values = npt.NDArray[Any]
Array = npt.NDArray[np.float64]
LIGHT, PLANCK, CHARGE = 299_792_458.0, 6.626_070_15e-34, 1.602_176_634e-19
KINDS = {"wavelength": "nm", "wavenumber": "cm-1", "frequency": "THz", "energy": "eV", "raman_shift": "cm-1"}
"""Kinds of axes and the units they are computed in."""
PER_THZ = 1e10 / LIGHT
"""cm-1 for one THz."""
PER_EV = CHARGE / (PLANCK * LIGHT) / 100.0
"""cm-1 for one eV."""
STILL = np.zeros(6)
ROUNDS = 6


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One side of a conversion."""

    name: str
    """One of `KINDS`."""
    medium: str = "vacuum"
    """Medium of wavelengths: `air` or `vacuum`."""
    laser: float = 0.0
    """Vacuum wavenumber of the laser in cm-1, for `raman_shift`; its change is the last of the modes."""


def require_kind(name: str) -> str:
    """Return the name of a kind of axis after its check.

    Parameters
    ----------
    name:
        As the user wrote it.

    Returns
    -------
    :
        The same name.

    Raises
    ------
    CalibrationError
        If there is no such kind.
    """
    if name not in KINDS:
        msg = f"no kind of axis named {name!r}; known are {list(KINDS)}.{did_you_mean(str(name), KINDS)}"
        raise CalibrationError(msg)
    return name


def to_wavenumber(kind: Kind, values: Values, air: Values, moved: Values = STILL) -> Values:
    """Return vacuum wavenumbers.

    Parameters
    ----------
    kind:
        What the values are.
    values:
        In the units of `KINDS`, any shape; complex for a derivative.
    air:
        Conditions as `refractivity` takes them.
    moved:
        Changes of the conditions (4), of the index of air, and of the wavenumber of the laser (6,).

    Returns
    -------
    :
        In cm-1.
    """
    if kind.name == "wavenumber":
        return values
    if kind.name == "frequency":
        return values * PER_THZ
    if kind.name == "energy":
        return values * PER_EV
    if kind.name == "raman_shift":
        return kind.laser + moved[5] - values
    if kind.medium == "vacuum":
        return 1e7 / values
    vacuum = values
    for _ in range(ROUNDS):
        vacuum = values * (1.0 + refractivity(vacuum, air + moved[:4]) + moved[4])
    return 1e7 / vacuum


def from_wavenumber(kind: Kind, wavenumber: Values, air: Values, moved: Values = STILL) -> Values:
    """Return the values of an axis for vacuum wavenumbers.

    Parameters
    ----------
    kind, air, moved:
        As in `to_wavenumber`.
    wavenumber:
        In cm-1, any shape; complex for a derivative.

    Returns
    -------
    :
        In the units of `KINDS`.
    """
    if kind.name == "wavenumber":
        return wavenumber
    if kind.name == "frequency":
        return wavenumber / PER_THZ
    if kind.name == "energy":
        return wavenumber / PER_EV
    if kind.name == "raman_shift":
        return kind.laser + moved[5] - wavenumber
    vacuum = 1e7 / wavenumber
    if kind.medium == "vacuum":
        return vacuum
    return vacuum / (1.0 + refractivity(vacuum, air + moved[:4]) + moved[4])


@dataclass(frozen=True, kw_only=True)
class Way:
    """A conversion from one kind of axis to another."""

    start: Kind
    """What is given."""
    end: Kind
    """What is wanted."""
    air: Array
    """Conditions as `refractivity` takes them."""

    def require(self, values: Array) -> None:
        """Refuse values that have no counterpart.

        Parameters
        ----------
        values:
            In the units of the first kind.

        Raises
        ------
        CalibrationError
            If a wavenumber would not be positive, or there is no index of air.
        """
        if self.start.name != "raman_shift" and not (values > 0.0).all():
            msg = f"a {self.start.name} must be above 0 to be converted; the lowest is {values.min():g}. Crop first"
            raise CalibrationError(msg)
        if self.start.name == "wavelength" and self.start.medium == "air":
            require_range(values)
        wavenumber = to_wavenumber(self.start, values, self.air)
        if not (wavenumber > 0.0).all():
            msg = (
                f"Raman shifts up to {values.max():g} cm-1 exceed the wavenumber of the laser {self.start.laser:.6g} "
                "cm-1; check the laser, or crop first"
            )
            raise CalibrationError(msg)
        if self.end.name == "wavelength" and self.end.medium == "air":
            require_range(1e7 / wavenumber)

    def value(self, values: Values, moved: Values = STILL) -> Values:
        """Convert.

        Parameters
        ----------
        values:
            In the units of the first kind, any shape; complex for a derivative.
        moved:
            As in `to_wavenumber`.

        Returns
        -------
        :
            In the units of the second kind.
        """
        return from_wavenumber(self.end, to_wavenumber(self.start, values, self.air, moved), self.air, moved)

    def slope(self, values: Array, moved: Array = STILL) -> Array:
        """Differentiate the result by the given values.

        Parameters
        ----------
        values, moved:
            As in `value`, real.

        Returns
        -------
        :
            In units of the second kind by units of the first.
        """
        return np.asarray(np.imag(self.value(values + 1j * STEP, moved)) / STEP)

    def along(self, values: Array, change: Array, moved: Array) -> Array:
        """Differentiate the result along a change of the values and of what the conversion depends on.

        Parameters
        ----------
        values:
            In the units of the first kind (channel,).
        change:
            How far they move (channel,).
        moved:
            How far conditions, index and laser move (6,).

        Returns
        -------
        :
            How far the result moves (channel,), to first order.
        """
        return np.asarray(np.imag(self.value(values + 1j * STEP * change, 1j * STEP * moved)) / STEP)
