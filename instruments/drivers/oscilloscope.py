"""Driver of oscilloscopes that speak SCPI: waveforms as binary blocks.

Messages: `CHAN1:SCAL`, `CHAN1:OFFS`, `TIM:SCAL`, `ACQ:POIN`, `TRIG:LEV`, `WAV:SOUR`, `DIG`, `WAV:PRE?`, `WAV:DATA?`,
`*IDN?`, `SYST:ERR?`.
"""

import numpy as np
import xarray as xr

from analysis.core import InstrumentError
from instruments.drivers.device import Choice, Number
from instruments.drivers.scpi import ScpiDriver

__all__ = ["Oscilloscope"]

TOP = 255
MOST = 1_000_000


class Oscilloscope(ScpiDriver):
    """An oscilloscope of 8 bit; codes at the end of the converter are an error, never a clipped waveform."""

    messages = ("DIG", "WAV:PRE?", "WAV:DATA?", "*IDN?", "SYST:ERR?")
    scale = Number("CHAN1:SCAL", units="V", limits=(1e-3, 5.0), doc="Volt per division of channel 1.")
    offset = Number("CHAN1:OFFS", units="V", limits=(-20.0, 20.0), doc="Voltage in the middle of the screen.")
    time_scale = Number("TIM:SCAL", units="s", limits=(1e-8, 10.0), doc="Seconds per division.")
    points = Number("ACQ:POIN", units="1", limits=(10, MOST), doc="Samples of a waveform.")
    trigger_level = Number("TRIG:LEV", units="V", limits=(-20.0, 20.0), doc="Of the trigger.")
    channel = Choice("WAV:SOUR", options={"1": "CHAN1", "2": "CHAN2"}, doc="Which channel is read out.")

    def acquire(self) -> xr.Dataset:
        """Take a waveform.

        Returns
        -------
        :
            `signal` (V) along `channel` with the coordinate `time` (s from the first sample); `u_signal` is that of the
            resolution of the converter; the settings are attributes.

        Raises
        ------
        InstrumentError
            If a sample lies at the end of the converter, or the block has not the announced number of samples.
        """
        self.send("DIG")
        count, step, _, per_code, zero = self.numbers("WAV:PRE?", 5)
        codes = np.frombuffer(self._line.query_block("WAV:DATA?", limit=2 * MOST), dtype=np.uint8)
        if codes.size != int(count):
            msg = (
                f"{self.resource} ({self.name}): {int(count)} samples were announced, {codes.size} came; take it again"
            )
            raise InstrumentError(msg)
        if bool(((codes == 0) | (codes == TOP)).any()):
            msg = (
                f"{self.resource} ({self.name}): the waveform leaves the screen; "
                f"choose a larger scale than {self.scale:g} V"
            )
            raise InstrumentError(msg)
        volts, u = zero + per_code * codes.astype(float), np.full(codes.size, per_code / np.sqrt(12.0))
        return xr.Dataset(
            {"signal": ("channel", volts, {"units": "V"}), "u_signal": ("channel", u, {"units": "V"})},
            coords={"time": ("channel", step * np.arange(codes.size), {"units": "s", "long_name": "time"})},
            attrs={"settings": str(self.snapshot())},
        )

    def values(self) -> dict[str, tuple[list[float], str]]:
        """Take a waveform, as a list."""
        return {self.name: (self.acquire()["signal"].values.tolist(), "V")}

    def keys(self) -> dict[str, tuple[str, list[int | None]]]:
        """Say what `values` returns."""
        return {self.name: ("V", [int(self.points)])}

    def safe_state(self) -> None:
        """Do nothing: it drives nothing."""
