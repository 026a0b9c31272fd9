"""Simulated receivers of the generator's signal: an oscilloscope and a lock-in amplifier.

Channel 1 of the oscilloscope sees the generator, channel 2 nothing; the lock-in sees it behind the low-pass of the
world. Not here: their drivers.
"""

import cmath
import math

import numpy as np
import numpy.typing as npt

from instruments.datasheets import LOCKIN_DENSITY, lockin
from instruments.simulators.program import Choice, Number, ScpiError, Switch, block
from instruments.simulators.simulated import Place, Simulated

__all__ = ["LockIn", "Oscilloscope"]

DIVISIONS_X, DIVISIONS_Y = 10, 8
LEVELS = 256
MOST_POINTS = 1_000_000
OVERLOAD_BIT = 1


class Oscilloscope(Simulated):
    """An 8 bit digitiser of two channels; waveforms come as IEEE 488.2 blocks."""

    identity = "METROSPEC,DSO-SIM,0,1.0"

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self.gain, self.offset = (tuple(self.within(0.01) for _ in range(2)) for _ in range(2))
        for channel in (1, 2):
            self.cell(f"CHANnel{channel}:SCALe", f"scale {channel}", Number(low=1e-3, high=5, default=1, unit="V"))
            self.cell(f"CHANnel{channel}:OFFSet", f"offset {channel}", Number(low=-20, high=20, default=0, unit="V"))
        self.cell("TIMebase:SCALe", "time scale", Number(low=1e-8, high=10, default=1e-3, unit="S"))
        self.cell("ACQuire:POINts", "points", Number(low=10, high=MOST_POINTS, default=1000, integer=True))
        self.cell("TRIGger:LEVel", "level", Number(low=-20, high=20, default=0, unit="V"))
        self.cell("WAVeform:SOURce", "source", Choice(options=("CHANnel1", "CHANnel2"), default="CHANnel1"))
        self.cell("WAVeform:FORMat", "format", Choice(options=("BYTE", "WORD"), default="BYTE"))
        self.cell("WAVeform:DEFinite", "definite", Switch(default=True))
        self._codes: dict[int, npt.NDArray[np.uint8]] = {}
        self._axis = (0.0, 0.0)
        self.command("DIGitize", action=self._digitize)
        self.command("WAVeform:PREamble", query=self._preamble)
        self.command("WAVeform:DATA", query=self._data)

    def truth(self) -> dict[str, float]:
        """Return the true errors of channel 1: gain (1) and offset (in divisions)."""
        return {"gain": self.gain[0], "offset": self.offset[0]}

    def _digitize(self) -> None:
        points, span = int(self.values["points"]), DIVISIONS_X * self.values["time scale"]
        step = span / points
        start = self.clock.now() + float(self.own.uniform(0, step))
        self.clock.sleep(span)
        times = start + step * np.arange(points)
        self._axis = (step, start)
        for channel in (1, 2):
            true = self.world.waveform(times) if channel == 1 else np.zeros(points)
            self._codes[channel] = self._convert(channel, true)

    def _convert(self, channel: int, true: npt.NDArray[np.float64]) -> npt.NDArray[np.uint8]:
        full = DIVISIONS_Y * self.values[f"scale {channel}"]
        end = 0.5 * full * self.defects.device("saturate", 1.0)
        seen = true * (1.0 + self.gain[channel - 1]) + self.offset[channel - 1] * full / DIVISIONS_Y
        seen = self.rng.normal(self.drifted(1.0) * seen - self.values[f"offset {channel}"], 0.002 * full)
        codes = np.rint(np.clip(seen, -end, end) / full * LEVELS + LEVELS / 2)
        return np.clip(codes, 0, LEVELS - 1).astype(np.uint8)

    def _channel(self) -> int:
        return int(self.values["source"][-1])

    def _preamble(self) -> str:
        """Points, time step, first time, volt per code, volt at code 0."""
        channel = self._channel()
        if channel not in self._codes:
            raise ScpiError(-230)
        scale = DIVISIONS_Y * self.values[f"scale {channel}"] / LEVELS
        zero = self.values[f"offset {channel}"] - scale * LEVELS / 2
        return f"{self._codes[channel].size},{self._axis[0]:.9E},{self._axis[1]:.9E},{scale:.9E},{zero:.9E}"

    def _data(self) -> bytes:
        codes = self._codes.get(self._channel())
        if codes is None:
            raise ScpiError(-230)
        content = codes.tobytes() if self.values["format"] == "BYTE" else codes.astype(">u2").tobytes()
        return block(content, definite=self.values["definite"])


class LockIn(Simulated):
    """A lock-in amplifier on the low-pass; its reference is the generator."""

    identity = "METROSPEC,LIA-SIM,0,1.0"

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self.gain, self.phase_error = self.within(lockin.gain), self.within(math.radians(0.5))
        self.cell("SENSe:SENSitivity", "sensitivity", Number(low=1e-8, high=1.0, default=1e-3, unit="V"))
        self.cell("SENSe:TCONstant", "time constant", Number(low=1e-4, high=100, default=0.1, unit="S"))
        self.cell("SENSe:PHASe", "phase", Number(low=-180, high=180, default=0))
        self.cell("SENSe:HARMonic", "harmonic", Number(low=1, high=10, default=1, integer=True))
        self.command("SENSe:FREQuency", query=lambda: f"{self.world.tone[0]:+.9E}")
        self.command("FETCh:XY", query=self._xy)

    def truth(self) -> dict[str, float]:
        """Return the true errors: gain (1) and phase (rad)."""
        return {"gain": self.gain, "phase_error": self.phase_error}

    def _xy(self) -> str:
        """Wait five time constants; return in-phase and quadrature parts, V rms, and whether there was an overload."""
        values, (frequency, peak, _) = self.values, self.world.tone
        self.clock.sleep(5.0 * values["time constant"])
        signal = peak / math.sqrt(2.0) * self.world.transfer(frequency) if values["harmonic"] == 1 else 0j
        shown = signal * (1.0 + self.gain) * cmath.exp(1j * (self.phase_error - math.radians(values["phase"])))
        noise = LOCKIN_DENSITY * math.sqrt(0.25 / values["time constant"])
        x, y = (self.drifted(part) + self.rng.normal(0.0, noise) for part in (shown.real, shown.imag))
        end = 1.1 * values["sensitivity"] * self.defects.device("saturate", 1.0)
        over = max(abs(x), abs(y)) > end
        if over:
            self.questionable.event |= OVERLOAD_BIT
        x, y = (max(-end, min(end, part)) for part in (x, y))
        return f"{x:+.8E},{y:+.8E},{int(over)}"
