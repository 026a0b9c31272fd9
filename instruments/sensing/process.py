"""A process that is controlled by what another sensor sees than the one inside its controller.

Not here: the loop (`instruments.control`).
"""

from typing import Any

from analysis.uncertainty import Quantity, Source
from instruments.protocols import Controller, DataKey, Meter, Passing, Reading, Status
from instruments.sensing.sensor import Sensor

__all__ = ["SensedProcess"]


class SensedProcess(Passing):
    """A `Controller`: the output of one device, the process value of another.

    Parameters
    ----------
    controller:
        Takes the output; it keeps its own alarms and interlocks.
    sensor:
        Gives the process value; on the same clock.
    """

    def __init__(self, controller: Controller, sensor: Meter) -> None:
        super().__init__(controller, name=controller.name)
        self.controller, self.sensor = controller, sensor
        self.units, self.limits = sensor.units, controller.limits

    @property
    def setpoint(self) -> float:
        """Of the controller inside the device, which sees its own sensor."""
        return self.controller.setpoint

    @setpoint.setter
    def setpoint(self, value: float) -> None:
        self.controller.setpoint = value

    @property
    def output(self) -> float:
        """Manipulated value as a fraction of full power."""
        return self.controller.output

    @output.setter
    def output(self, value: float) -> None:
        self.controller.output = value

    def allow(self, low: float, high: float) -> None:
        """Say which outputs are allowed.

        Parameters
        ----------
        low, high:
            Fractions of full power.
        """
        self.controller.allow(low, high)

    def process_value(self) -> float:
        """Return what the sensor sees, in `units`."""
        return self.sensor.reading()

    def measure(self) -> Quantity:
        """Return what the sensor sees with its sources."""
        return self.sensor.measure()

    def lasting(self, seen: Quantity) -> frozenset[Source]:
        """Return which sources of a reading are the same in all readings.

        Parameters
        ----------
        seen:
            Measured by this process.

        Returns
        -------
        :
            As the sensor says, if it is a `Sensor`.
        """
        return self.sensor.lasting(seen) if isinstance(self.sensor, Sensor) else frozenset()

    def alarms(self) -> list[str]:
        """Return what the device complains about."""
        own: Any = getattr(self.controller, "alarms", list)
        return list(own())

    def set(self, value: float) -> Status:
        """Set the output.

        Parameters
        ----------
        value:
            Fraction of full power.

        Returns
        -------
        :
            Of the device.
        """
        return self.controller.set(value)

    def snapshot(self) -> dict[str, Any]:
        """Return the settings of both."""
        return {**self.controller.snapshot(), "sensor": self.sensor.snapshot()}

    def safe_state(self) -> None:
        """Make the device safe, then the sensor."""
        try:
            self.controller.safe_state()
        finally:
            self.sensor.safe_state()

    def close(self) -> None:
        """Close both."""
        try:
            self.controller.close()
        finally:
            self.sensor.close()

    def read(self) -> dict[str, Reading]:
        """Measure with both, as Bluesky asks for it."""
        return {**self.controller.read(), **self.sensor.read()}

    def describe(self) -> dict[str, DataKey]:
        """Say what `read` returns."""
        return {**self.controller.describe(), **self.sensor.describe()}

    def read_configuration(self) -> dict[str, Reading]:
        """Return the settings of both."""
        return {**self.controller.read_configuration(), **self.sensor.read_configuration()}

    def describe_configuration(self) -> dict[str, DataKey]:
        """Say what `read_configuration` returns."""
        return {**self.controller.describe_configuration(), **self.sensor.describe_configuration()}
