"""Driver of multimeters that speak SCPI as the 34401A does, and its successors.

Messages: `FUNC "<function>"`, `<function>:RANG`, `<function>:NPLC`, `<function>:RANG:AUTO`, `READ?`, `*IDN?`,
`SYST:ERR?`. References: Agilent 34401A user's guide, chapter 4; accuracy from `instruments.datasheets`.
"""

import math

import numpy.typing as npt

from analysis.calibration.sensors import Specification, specification
from analysis.core import InstrumentError
from analysis.uncertainty import Quantity
from instruments.datasheets import MULTIMETER, MULTIMETER_NOISE
from instruments.drivers.device import Choice, Number, Setting, Switch
from instruments.drivers.measuring import measured
from instruments.drivers.scpi import ScpiDriver
from instruments.protocols import Transport

__all__ = ["Multimeter"]

FUNCTIONS = {
    "voltage": "VOLT", "voltage_ac": "VOLT:AC", "current": "CURR", "resistance": "RES", "resistance_4w": "FRES",
    "frequency": "FREQ",
}  # fmt: skip
UNITS = {
    "voltage": "V", "voltage_ac": "V", "current": "A", "resistance": "ohm", "resistance_4w": "ohm", "frequency": "Hz"
}  # fmt: skip
SHEETS = dict(zip(FUNCTIONS, MULTIMETER, strict=True))
OVERLOAD = 9e37


class Multimeter(ScpiDriver):
    """A digital multimeter: a `Meter`. Accuracy: one year, 23 degC +- 5 degC, of the 34401A."""

    messages = ("READ?", "*IDN?", "SYST:ERR?")
    function = Choice("FUNC", options=FUNCTIONS, quoted=True, doc="What is measured.")
    range_ = Number(
        "RANG", units="1", limits=(0.0, 1e8), doc="End of the range, in `units`; smaller ones are rounded up."
    )
    autorange = Switch("RANG:AUTO", "Whether the meter chooses its range.")
    nplc = Number("NPLC", units="1", limits=(0.02, 100.0), doc="Integration time in power line cycles.")

    def __init__(self, line: Transport, *, name: str = "dmm") -> None:
        super().__init__(line, name=name)
        self._specifications: dict[tuple[str, float], Specification] = {}
        self._function = self.function

    @property
    def units(self) -> str:
        """Units of the readings."""
        return UNITS[self._function]

    def header(self, setting: Setting) -> str:
        """Return the header; ranges and integration times belong to the function."""
        if setting.header == "FUNC":
            return "FUNC"
        function = FUNCTIONS[self._function]
        between = ":VOLT" if function == "FREQ" and setting.header.startswith("RANG") else ""
        return f"{function}{between}:{setting.header}"

    def limits_of(self, setting: Number) -> tuple[float, float]:
        """Return the limits of a setting for the present function."""
        rows = MULTIMETER[SHEETS[self._function]]
        return (rows[0][0], rows[-1][0]) if setting.name == "range_" else setting.limits

    def units_of(self, setting: Setting) -> str:
        """Return the units of a setting for the present function."""
        if setting.name == "range_":
            return "V" if self._function == "frequency" else self.units
        return setting.units

    def send_setting(self, setting: Setting, value: str) -> None:
        """Send a setting; the function is remembered, as other headers depend on it."""
        super().send_setting(setting, value)
        if setting.header == "FUNC":
            self._function = setting.decode(value)

    def reading(self) -> float:
        """Return one reading, in `units`.

        Returns
        -------
        :
            As shown.

        Raises
        ------
        InstrumentError
            If there is an overload.
        """
        shown = self.number("READ?")
        if abs(shown) > OVERLOAD:
            msg = (
                f"{self.resource} ({self.name}): overload in the range of {self.range_:g} {self.units}; "
                "choose a larger one"
            )
            raise InstrumentError(msg)
        return shown

    def measure(self) -> Quantity:
        """Return one reading with its sources."""
        return self.quantity([self.reading()])

    def quantity(self, readings: npt.ArrayLike) -> Quantity:
        """Return the mean of readings taken under the present settings, with its sources.

        Parameters
        ----------
        readings:
            In `units`.

        Returns
        -------
        :
            Type A of the mean, and the one-year specification of the range.
        """
        settings = self.snapshot()
        full, nplc = settings["range_"], settings["nplc"]
        bare = measured(readings, units=self.units, device=self.name, accuracy={}, noise=0.0, settings={})
        scale = abs(bare.value) if self._function == "frequency" else full
        return measured(
            readings, units=self.units, device=self.name, settings=settings,
            accuracy=self._specification(full).parts(bare.value, full),
            noise=MULTIMETER_NOISE * scale / math.sqrt(nplc),
        )  # fmt: skip

    def _specification(self, full: float) -> Specification:
        key = (self._function, full)
        if key not in self._specifications:
            rows = MULTIMETER[SHEETS[self._function]]
            found = next((row for row in rows if math.isclose(row[0], full, rel_tol=1e-6)), None)
            if found is None:
                msg = (
                    f"{self.name}: no specification for the range of {full:g} {self.units}; "
                    f"there are {[r[0] for r in rows]}"
                )
                raise InstrumentError(msg)
            self._specifications[key] = specification(
                reading=found[1], range_=found[2], period="1 y", units=self.units, meter=self.name,
                source="Agilent 34401A data sheet, 1 year",
            )  # fmt: skip
        return self._specifications[key]

    def values(self) -> dict[str, tuple[float, str]]:
        """Measure."""
        return {self.name: (self.reading(), self.units)}

    def keys(self) -> dict[str, tuple[str, list[int | None]]]:
        """Say what `values` returns."""
        return {self.name: (self.units, [])}

    def safe_state(self) -> None:
        """Do nothing: a meter drives nothing that does harm."""
