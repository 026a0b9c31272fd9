"""Driver of furnace controllers with Modbus registers: a `Controller`.

Messages: 32 bit floats in two registers, high word first: 0 process value, 10 setpoint, 12 output, 14 gain, 16 integral
time, 18 alarm; 20 mode (0 manual, 1 automatic), 21 status (1 alarm, 2 end of the sensor).
"""

import math
import struct

import numpy as np

from analysis.core import InstrumentError
from analysis.uncertainty import Quantity
from instruments.datasheets import thermometer
from instruments.drivers.device import Driver, Number, Setting, Switch
from instruments.drivers.measuring import Accuracy, measured
from instruments.drivers.outputs import Allowed
from instruments.protocols import Finished, Registers, Status

__all__ = ["FurnaceController"]

PROCESS_VALUE, OUTPUT, MODE, STATUS = 0, 12, 20, 21
ALARMS = {1: "over its alarm", 2: "at the end of its sensor"}


def _single(value: float, limits: tuple[float, float]) -> float:
    """Return the nearest number of 32 bit that does not pass its limits."""
    low, high = limits
    found = np.float32(value)
    if found > high:
        found = np.nextafter(found, np.float32(-math.inf))
    elif found < low:
        found = np.nextafter(found, np.float32(math.inf))
    return float(found)


class FurnaceController(Driver):
    """A furnace with a heater (fraction of full power) and a thermometer (degC). No output but 0 until `allow`."""

    messages = ("registers 0-1", "registers 10-19", "register 20", "register 21")
    units = "degC"
    limits = (0.0, 1.0)
    setpoint = Number("10", units="degC", limits=(0.0, 450.0), doc="Of its own controller; used in automatic mode.")
    output = Number("12", units="1", limits=(0.0, 1.0), doc="Fraction of full power; setting it goes to manual mode.")
    gain = Number("14", units="K-1", limits=(0.0, 1.0), doc="Of its own controller.")
    integral_time = Number("16", units="s", limits=(1.0, 1e5), doc="Of its own controller.")
    alarm = Number("18", units="degC", limits=(0.0, 500.0), doc="Where it switches itself off.")
    automatic = Switch("20", "Whether its own controller works; refused until `allow`.")

    def __init__(self, line: Registers, *, name: str = "furnace") -> None:
        super().__init__(name=name, resource=line.resource, clock=line.clock)
        self._line = line
        self._allowed = Allowed(name)
        self._accuracy = Accuracy(thermometer, device=name, units="degC")

    def identity(self) -> str:
        """Return what kind of device it is: Modbus has no name."""
        return "furnace controller with Modbus registers"

    def _float(self, address: int) -> float:
        words = self._line.read_registers(address, 2)
        value = struct.unpack(">f", struct.pack(">HH", *words))[0]
        if not math.isfinite(value):
            msg = (
                f"{self.resource} ({self.name}): registers {address}-{address + 1} hold {value}, no number; "
                "check the sensor"
            )
            raise InstrumentError(msg)
        return float(value)

    def ask_setting(self, setting: Setting) -> str:
        """Read the registers of a setting."""
        address = int(setting.header)
        return str(self._line.read_registers(address, 1)[0] if address == MODE else self._float(address))

    def limits_of(self, setting: Number) -> tuple[float, float]:
        """Return the limits of a setting; of the output, what is allowed."""
        return self._allowed.require() if setting.name == "output" else setting.limits

    def send_setting(self, setting: Setting, value: str) -> None:
        """Write the registers of a setting and read them again."""
        address = int(setting.header)
        if address == MODE:
            if value == "ON":
                self._allowed.require()
            self._line.write_registers(MODE, [int(value == "ON")])
            return
        if address == OUTPUT and self.automatic:  # writing the mode would also acknowledge an alarm
            self._line.write_registers(MODE, [0])
        limits = self.limits_of(setting) if isinstance(setting, Number) else self.limits
        self._write(address, _single(float(value), limits))

    def _write(self, address: int, value: float) -> None:
        words = struct.unpack(">HH", struct.pack(">f", value))
        self._line.write_registers(address, words)
        if self._line.read_registers(address, 2) != list(words):
            msg = (
                f"{self.resource} ({self.name}): registers from {address} did not take {value:g}; "
                "check who else writes them"
            )
            raise InstrumentError(msg)

    def allow(self, low: float, high: float) -> None:
        """Say which outputs the furnace stands, as fractions of full power.

        Parameters
        ----------
        low, high:
            Inside `limits`.
        """
        self._allowed.allow(low, high, limits=self.limits, units="1")

    def set(self, value: float) -> Status:
        """Set the output.

        Parameters
        ----------
        value:
            Fraction of full power.

        Returns
        -------
        :
            Has ended.
        """
        self.output = value
        return Finished()

    def alarms(self) -> list[str]:
        """Return what the status register complains about."""
        status = self._line.read_registers(STATUS, 1)[0]
        return [said for bit, said in ALARMS.items() if status & bit]

    def process_value(self) -> float:
        """Return the temperature, degC."""
        return self._float(PROCESS_VALUE)

    def measure(self) -> Quantity:
        """Return the temperature with its sources."""
        value = self.process_value()
        return measured([value], units="degC", device=self.name, accuracy=self._accuracy.parts(value),
                        noise=thermometer.noise, settings=self.snapshot())  # fmt: skip

    def values(self) -> dict[str, tuple[float, str]]:
        """Measure temperature and output."""
        return {self.name: (self.process_value(), "degC"), f"{self.name}_output": (self.output, "1")}

    def keys(self) -> dict[str, tuple[str, list[int | None]]]:
        """Say what `values` returns."""
        return {self.name: ("degC", []), f"{self.name}_output": ("1", [])}

    def safe_state(self) -> None:
        """Go to manual mode with no power."""
        self._line.write_registers(MODE, [0])
        self._write(OUTPUT, 0.0)

    def close_line(self) -> None:
        """Close the line."""
        self._line.close()
