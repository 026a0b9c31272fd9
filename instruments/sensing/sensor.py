"""A sensor on a meter: a `Meter` of what the sensor sees, whose readings carry the sources of both.

Not here: kinds of sensors (`instruments.sensing.kinds`), their functions (`analysis.calibration.sensors`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from analysis.core import InstrumentError
from analysis.core import units as unit_rules
from analysis.uncertainty import Quantity, Source
from instruments.protocols import DataKey, Meter, Passing, Reading

__all__ = ["Linearisation", "Sensor"]


class Linearisation(Protocol):
    """The way from the signal of a sensor to what it sees, and back."""

    def forward(self, signal: Quantity) -> Quantity:
        """Return what the sensor sees, with the sources of signal and sensor."""

    def back(self, seen: Quantity) -> Quantity:
        """Return the signal; only its value counts."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What a sensor is."""

    linearisation: Linearisation
    """Both ways."""
    signal: str
    """Units in which it gives its signal; the meter must measure them."""
    units: str
    """Of what it sees."""
    settings: Mapping[str, Any]
    """For the snapshot, JSON-able."""


class Sensor(Passing):
    """A sensor and the meter behind it: to all who read it, one meter."""

    def __init__(self, meter: Meter, kind: Kind, *, name: str) -> None:
        if not unit_rules.same_dimension(meter.units, kind.signal):
            msg = (
                f"{name} gives its signal in {kind.signal}, but {meter.name} measures {meter.units}; choose another "
                f"function of {meter.name}, or another meter"
            )
            raise InstrumentError(msg)
        super().__init__(meter, name=name)
        self.meter, self._kind = meter, kind
        self.units = kind.units

    def reading(self) -> float:
        """Return one reading, without its uncertainty.

        Returns
        -------
        :
            In `units`.
        """
        return self._seen(self.meter.reading())

    def _seen(self, shown: float) -> float:
        return self._kind.linearisation.forward(Quantity(value=shown, u=0.0, units=self.meter.units)).value

    def measure(self) -> Quantity:
        """Return one reading with the sources of meter and sensor.

        Returns
        -------
        :
            In `units`.
        """
        return self._kind.linearisation.forward(self.meter.measure())

    def quantity(self, readings: npt.ArrayLike) -> Quantity:
        """Return the mean of readings taken under the present settings.

        Parameters
        ----------
        readings:
            Of this sensor, in `units`.

        Returns
        -------
        :
            Type A of the mean, Type B of meter and sensor.
        """
        seen = np.atleast_1d(np.asarray(readings, dtype=float)).ravel()
        exact = (Quantity(value=float(value), u=0.0, units=self.units) for value in seen)
        signals = [self._kind.linearisation.back(each).to(self.meter.units).value for each in exact]
        return self._kind.linearisation.forward(self.meter.quantity(signals))

    def lasting(self, seen: Quantity) -> frozenset[Source]:
        """Return which sources of a reading are the same in all readings: calibration, zero, class, supply.

        Parameters
        ----------
        seen:
            A reading of this sensor.

        Returns
        -------
        :
            All but those of the meter.
        """
        signal = self._kind.linearisation.back(Quantity(value=seen.value, u=0.0, units=self.units))
        exact = Quantity(value=signal.value, u=0.0, units=signal.units)
        return frozenset(self._kind.linearisation.forward(exact).parts())

    def snapshot(self) -> dict[str, Any]:
        """Return what the sensor is, and all settings of its meter."""
        return {"name": self.name, **self._kind.settings, "units": self.units, "meter": self.meter.snapshot()}

    def read(self) -> dict[str, Reading]:
        """Measure, as Bluesky asks for it: the value and its standard uncertainty.

        Returns
        -------
        :
            `<name>` and `u_<name>`.
        """
        now, found = self.clock.timestamp(), self.measure()
        return {
            self.name: Reading(value=found.value, timestamp=now),
            f"u_{self.name}": Reading(value=found.u, timestamp=now),
        }

    def describe(self) -> dict[str, DataKey]:
        """Say what `read` returns."""
        key = DataKey(source=self.resource, dtype="number", shape=[], units=self.units)
        return {self.name: key, f"u_{self.name}": key}
