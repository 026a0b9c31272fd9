"""Driver of function generators that speak SCPI: a `Source` of an amplitude.

Messages: `SOUR:FUNC`, `SOUR:FREQ`, `SOUR:VOLT`, `SOUR:VOLT:OFFS`, `SOUR:PHAS`, `OUTP`, `*IDN?`, `SYST:ERR?`.
"""

from analysis.core import InstrumentError
from instruments.drivers.device import Choice, Number, Setting, Switch
from instruments.drivers.outputs import Allowed
from instruments.drivers.scpi import ScpiDriver
from instruments.protocols import Finished, Status, Transport, require_within

__all__ = ["Generator"]


class Generator(ScpiDriver):
    """A function generator; `level` is its amplitude, peak to peak, V. Outputs are refused until `allow`."""

    messages = ("*IDN?", "SYST:ERR?")
    units = "V"
    limits = (1e-3, 10.0)
    shape = Choice("SOUR:FUNC", options={"sine": "SIN", "square": "SQU", "ramp": "RAMP", "dc": "DC"}, doc="Waveform.")
    frequency = Number("SOUR:FREQ", units="Hz", limits=(1e-3, 1e6), doc="Of the waveform.")
    level = Number("SOUR:VOLT", units="V", limits=(1e-3, 10.0), doc="Amplitude, peak to peak; refused until `allow`.")
    offset = Number("SOUR:VOLT:OFFS", units="V", limits=(-5.0, 5.0), doc="Direct voltage that is added.")
    phase = Number("SOUR:PHAS", units="degree", limits=(-360.0, 360.0), doc="Of the waveform.")
    output = Switch("OUTP", "Whether the output is on; refused until `allow`.")

    def __init__(self, line: Transport, *, name: str = "generator") -> None:
        super().__init__(line, name=name)
        self._allowed = Allowed(name)

    def limits_of(self, setting: Number) -> tuple[float, float]:
        """Return the limits of a setting; level and offset together stay within what is allowed."""
        if setting.name == "level":
            low, high = self._allowed.require()
            left = high - 2.0 * abs(self.offset)
            if left < low:
                msg = f"{self.name}: an offset of {self.offset:g} V leaves nothing of the {high:g} V allowed; lower it"
                raise InstrumentError(msg)
            return low, left
        if setting.name == "offset" and self._allowed.range is not None:
            room = max(0.0, 0.5 * (self._allowed.range[1] - self.level))
            return max(-room, setting.limits[0]), min(room, setting.limits[1])
        return setting.limits

    def send_setting(self, setting: Setting, value: str) -> None:
        """Send a setting; the output is refused until `allow`."""
        if setting.name == "output" and value == "ON":
            _, high = self._allowed.require()
            require_within(0.5 * self.level + abs(self.offset), (0.0, 0.5 * high), f"{self.name}: peak", "V")
        super().send_setting(setting, value)

    def allow(self, low: float, high: float) -> None:
        """Say which amplitudes the circuit stands, V peak to peak: with its offset the output stays within +- high/2.

        Parameters
        ----------
        low, high:
            Inside `limits`.
        """
        self._allowed.allow(low, high, limits=self.limits, units="V")

    def set(self, value: float) -> Status:
        """Set the amplitude.

        Parameters
        ----------
        value:
            V, peak to peak.

        Returns
        -------
        :
            Has ended.
        """
        self.level = value
        return Finished()

    def values(self) -> dict[str, tuple[float, str]]:
        """Return amplitude and frequency."""
        return {f"{self.name}_level": (self.level, "V"), f"{self.name}_frequency": (self.frequency, "Hz")}

    def keys(self) -> dict[str, tuple[str, list[int | None]]]:
        """Say what `values` returns."""
        return {f"{self.name}_level": ("V", []), f"{self.name}_frequency": ("Hz", [])}

    def safe_state(self) -> None:
        """Switch off, at the least amplitude and no offset."""
        self.send("OUTP OFF;:SOUR:VOLT MIN;:SOUR:VOLT:OFFS 0")
