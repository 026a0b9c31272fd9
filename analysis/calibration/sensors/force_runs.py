"""The series of a force calibration after ISO 376, and the relative errors that follow from them alone.

Not here: interpolation, class and use (`analysis.calibration.sensors.force`).
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import xarray as xr

from analysis.calibration.sensors.given import taken
from analysis.core import CalibrationError
from analysis.uncertainty import Quantity

__all__ = ["ForceRuns"]

Array = npt.NDArray[np.float64]
ROTATIONS, RETURNS, FEWEST = 3, 2, 5


@dataclass(frozen=True, kw_only=True)
class ForceRuns:
    """Deflections of a transducer, each less the reading without force before its series."""

    forces: Sequence[Quantity]
    """Calibration forces, rising, at least 5. What all forces of a machine share should be one source, such as
    `force * Quantity(value=1, u=5e-5, units="1")`; independent errors average out over the interpolation."""
    rotated: npt.ArrayLike
    """Rising series at 0°, 120° and 240° (X1, X3, X5), shape `(3, point)`, in `deflection_units`."""
    repeated: npt.ArrayLike
    """The second rising series at 0° (X2), shape `(point,)`."""
    returned: npt.ArrayLike | None = None
    """Falling series after X3 and X5 (X4, X6), shape `(2, point)` in the order of the forces; None if not measured."""
    resolution: float
    """Of the indicator, in `deflection_units`, > 0."""
    zero_shift: float
    """Largest change of the reading without force over a series, in `deflection_units`."""
    creep: float | None = None
    """Change of the reading from 30 s to 300 s after the largest force came or went, in `deflection_units`; None if
    not measured."""
    temperature: float = 0.0
    """Largest relative change of the sensitivity over the range of temperature: coefficient times half the range."""
    deflection_units: str = "mV/V"
    """Units of the deflections."""

    def __post_init__(self) -> None:
        """Refuse series that are none."""
        forces = tuple(self.forces)
        units = forces[0].units if forces and isinstance(forces[0], Quantity) else "N"
        object.__setattr__(self, "forces", tuple(taken(each, units, "calibration force") for each in forces))
        count = len(forces)
        values = self.values
        if count < FEWEST or not (np.diff(values) > 0.0).all() or values[0] <= 0.0:
            msg = f"a calibration needs at least {FEWEST} rising forces above 0, got {values.tolist()} {units}"
            raise CalibrationError(msg)
        wanted = {"rotated": (ROTATIONS, count), "repeated": (count,), "returned": (RETURNS, count)}
        for name, shape in wanted.items():
            given = getattr(self, name)
            if given is None:
                continue
            array = np.asarray(given, dtype=float)
            if array.shape != shape or not np.isfinite(array).all():
                msg = f"{name} must be finite with shape {shape} for {count} forces, got shape {array.shape}"
                raise CalibrationError(msg)
            object.__setattr__(self, name, array)
        if np.any(np.sign(self.mean) != np.sign(self.mean[-1])) or np.any(self.mean == 0.0):
            msg = "the deflections must have one sign; take off the reading without force first"
            raise CalibrationError(msg)
        sizes = (self.resolution, self.zero_shift, self.temperature, self.creep or 0.0)
        if not (np.isfinite(sizes).all() and self.resolution > 0.0 and self.temperature >= 0.0):
            msg = f"resolution must be > 0, temperature >= 0 and all finite; got {self.resolution}, {self.temperature}"
            raise CalibrationError(msg)
        if self.creep is None and self.returned is None:
            msg = (
                "neither creep nor falling series were measured, and ISO 376 wants one of them: give creep or returned"
            )
            raise CalibrationError(msg)

    @property
    def units(self) -> str:
        """Units of the forces."""
        return self.forces[0].units

    @property
    def values(self) -> Array:
        """The forces without their uncertainty."""
        return np.array([each.value for each in self.forces])

    @property
    def mean(self) -> Array:
        """Mean deflection over the rotations, dims `(point,)`."""
        return np.asarray(np.asarray(self.rotated, dtype=float).mean(axis=0))

    def errors(self) -> xr.Dataset:
        """Return the relative errors, in %.

        Returns
        -------
        :
            `reproducibility` b, `repeatability` b', `reversibility` v where measured, along `point` with the
            coordinate `force`; `zero` f0 and `creep` c of the largest deflection as attributes.

        References
        ----------
        ISO 376:2011, 7.5.
        """
        rotated, repeated = np.asarray(self.rotated, dtype=float), np.asarray(self.repeated, dtype=float)
        mean, largest = np.abs(self.mean), float(np.abs(self.mean[-1]))
        found = {
            "reproducibility": np.ptp(rotated, axis=0) / mean,
            "repeatability": np.abs(repeated - rotated[0]) / np.abs((repeated + rotated[0]) / 2.0),
        }
        if self.returned is not None:
            back = np.abs(np.asarray(self.returned, dtype=float) - rotated[1:]) / np.abs(rotated[1:])
            found["reversibility"] = back.mean(axis=0)
        whole = {"zero": 100.0 * self.zero_shift / largest}
        if self.creep is not None:
            whole["creep"] = 100.0 * self.creep / largest
        table = xr.Dataset({name: ("point", 100.0 * values, {"units": "%"}) for name, values in found.items()})
        return table.assign_coords(force=("point", self.values, {"units": self.units})).assign_attrs(whole)

    def components(self) -> xr.Dataset:
        """Return the relative standard uncertainties of Annex C that need no interpolation.

        Returns
        -------
        :
            By name along `point`, dimensionless, with the coordinate `force`. Without a creep test, creep is a third
            of the reversibility.

        References
        ----------
        ISO 376:2011, Annex C; EURAMET cg-4, version 2.0 (2011), 6.
        """
        errors, mean = self.errors(), np.abs(self.mean)
        flat = np.ones(mean.size)
        spread = np.asarray(self.rotated, dtype=float) / self.mean - 1.0
        found = {
            "calibration force": np.array([each.u for each in self.forces]) / self.values,
            "reproducibility": np.sqrt((spread**2).sum(axis=0) / (ROTATIONS * (ROTATIONS - 1))),
            "repeatability": errors["repeatability"].values / (100.0 * np.sqrt(3.0)),
            "resolution": self.resolution / (mean * np.sqrt(6.0)),
            "zero": abs(errors.attrs["zero"]) / 100.0 * flat,
            "temperature": self.temperature / np.sqrt(3.0) * flat,
        }
        if self.returned is not None:
            found["reversibility"] = errors["reversibility"].values / (100.0 * np.sqrt(3.0))
        if self.creep is not None:
            found["creep"] = abs(errors.attrs["creep"]) / (100.0 * np.sqrt(3.0)) * flat
        else:
            found["creep"] = found["reversibility"] / 3.0
        table = xr.Dataset({name: ("point", values, {"units": "1"}) for name, values in found.items()})
        return table.assign_coords(force=("point", self.values, {"units": self.units}))

    def identity(self) -> str:
        """Return a text that is the same for the same readings.

        Returns
        -------
        :
            JSON.
        """
        series = [np.asarray(each, dtype=float).tolist() for each in (self.rotated, self.repeated)]
        back = None if self.returned is None else np.asarray(self.returned, dtype=float).tolist()
        plain = [self.resolution, self.zero_shift, self.creep, self.temperature, self.deflection_units, self.units]
        return json.dumps([series, back, plain, self.values.tolist()])
