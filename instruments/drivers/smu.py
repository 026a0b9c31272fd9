"""Driver of source-measure units that speak SCPI: a `Source` that measures the current it drives.

Messages: `SOUR:FUNC`, `SOUR:VOLT`, `SOUR:CURR`, `OUTP`, `SENS:CURR:PROT`, `SENS:VOLT:PROT`, `SENS:NPLC`, `MEAS:CURR?`,
`STAT:OPER:COND?`, `*IDN?`, `SYST:ERR?`.
"""

import math

import numpy.typing as npt

from analysis.uncertainty import Quantity
from instruments.datasheets import smu_current, smu_voltage
from instruments.drivers.device import Choice, Number, Setting, Switch
from instruments.drivers.measuring import Accuracy, measured
from instruments.drivers.outputs import Allowed
from instruments.drivers.scpi import ScpiDriver
from instruments.protocols import Finished, Status, Transport

__all__ = ["SourceMeasureUnit"]

LEVELS = {"voltage": (-21.0, 21.0), "current": (-1.05, 1.05)}
UNITS = {"voltage": "V", "current": "A"}
HEADERS = {"voltage": "SOUR:VOLT", "current": "SOUR:CURR"}
IN_COMPLIANCE = 8


class SourceMeasureUnit(ScpiDriver):
    """A source-measure unit: sources `level` (V or A, by `mode`) and reads the current (A)."""

    messages = ("MEAS:CURR?", "STAT:OPER:COND?", "*IDN?", "SYST:ERR?")
    mode = Choice("SOUR:FUNC", options={"voltage": "VOLT", "current": "CURR"}, doc="What is sourced.")
    level = Number("", units="V", limits=LEVELS["voltage"], doc="Setpoint; refused until `allow`.")
    current_limit = Number("SENS:CURR:PROT", units="A", limits=(1e-9, 1.05), doc="Compliance where voltage is sourced.")
    voltage_limit = Number("SENS:VOLT:PROT", units="V", limits=(1e-3, 21.0), doc="Compliance where current is sourced.")
    nplc = Number("SENS:NPLC", units="1", limits=(0.01, 10.0), doc="Integration time in power line cycles.")
    output = Switch("OUTP", "Whether the output is on; refused until `allow`.")

    def __init__(self, line: Transport, *, name: str = "smu") -> None:
        super().__init__(line, name=name)
        self._allowed = Allowed(name)
        self._mode = self.mode
        self._current = Accuracy(smu_current, device=f"{name} current", units="A")
        self._voltage = Accuracy(smu_voltage, device=f"{name} level", units="V")

    @property
    def units(self) -> str:
        """Units of `reading`: A."""
        return "A"

    @property
    def limits(self) -> tuple[float, float]:
        """What the device can source, in V or A."""
        return LEVELS[self._mode]

    def header(self, setting: Setting) -> str:
        """Return the header; that of the level is of the mode."""
        return HEADERS[self._mode] if setting.name == "level" else setting.header

    def units_of(self, setting: Setting) -> str:
        """Return the units of a setting in the present mode."""
        return UNITS[self._mode] if setting.name == "level" else setting.units

    def limits_of(self, setting: Number) -> tuple[float, float]:
        """Return the limits of a setting; of the level, what is allowed."""
        return self._allowed.require() if setting.name == "level" else setting.limits

    def send_setting(self, setting: Setting, value: str) -> None:
        """Send a setting; a change of mode makes safe first and forgets what was allowed."""
        if setting.name == "output" and value == "ON":
            self._allowed.require()
        if setting.name == "mode":
            self.safe_state()
            self._allowed.forget()
        super().send_setting(setting, value)
        if setting.name == "mode":
            self._mode = self.mode

    def allow(self, low: float, high: float) -> None:
        """Say which levels the circuit stands, in V or A by mode.

        Parameters
        ----------
        low, high:
            Inside `limits`.
        """
        self._allowed.allow(low, high, limits=self.limits, units=UNITS[self._mode])

    def set(self, value: float) -> Status:
        """Set the level.

        Parameters
        ----------
        value:
            In V or A by mode.

        Returns
        -------
        :
            Has ended.
        """
        self.level = value
        return Finished()

    def in_compliance(self) -> bool:
        """Return whether the output is held at its compliance, so that the level is not what is given."""
        return bool(int(self.number("STAT:OPER:COND?")) & IN_COMPLIANCE)

    def level_quantity(self) -> Quantity:
        """Return the level that is sourced, with the accuracy of the source; for mode `voltage`."""
        level = self.level
        return measured([level], units=UNITS[self._mode], device=f"{self.name} level", noise=0.0,
                        accuracy=self._voltage.parts(level), settings=self.snapshot())  # fmt: skip

    def reading(self) -> float:
        """Return one reading of the current, A."""
        return self.number("MEAS:CURR?")

    def measure(self) -> Quantity:
        """Return one reading of the current with its sources."""
        return self.quantity([self.reading()])

    def quantity(self, readings: npt.ArrayLike) -> Quantity:
        """Return the mean of readings of the current with its sources.

        Parameters
        ----------
        readings:
            In A.

        Returns
        -------
        :
            Type A of the mean, and the accuracy of the meter.
        """
        bare = measured(readings, units="A", device=self.name, accuracy={}, noise=0.0, settings={})
        settings = self.snapshot()
        noise = smu_current.noise / math.sqrt(settings["nplc"])
        return measured(readings, units="A", device=self.name, accuracy=self._current.parts(bare.value), noise=noise,
                        settings=settings)  # fmt: skip

    def values(self) -> dict[str, tuple[float, str]]:
        """Measure."""
        return {self.name: (self.reading(), "A"), f"{self.name}_level": (self.level, UNITS[self._mode])}

    def keys(self) -> dict[str, tuple[str, list[int | None]]]:
        """Say what `values` returns."""
        return {self.name: ("A", []), f"{self.name}_level": (UNITS[self._mode], [])}

    def safe_state(self) -> None:
        """Go to zero and switch off."""
        self.send("OUTP OFF;:SOUR:VOLT 0;:SOUR:CURR 0")
