"""Simulated sources: a source-measure unit on the resistor, and a function generator.

Their gain and offset errors are drawn once from their specifications; the source limits at its compliance and says so.
Not here: their drivers.
"""

import math

import numpy as np
import numpy.typing as npt

from instruments.datasheets import smu_current, smu_voltage
from instruments.simulators.program import Choice, Number, Switch
from instruments.simulators.simulated import Place, Simulated

__all__ = ["Generator", "SourceMeasureUnit"]

Array = npt.NDArray[np.float64]
IN_COMPLIANCE = 8
HARMONICS = 31


class SourceMeasureUnit(Simulated):
    """Sources a voltage or a current into the resistor and measures the other one."""

    identity = "METROSPEC,SMU-SIM,0,1.0"

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self.gain, self.offset = self.within(smu_voltage.gain), self.within(smu_voltage.offset)
        self.sense_gain, self.sense_offset = self.within(smu_current.gain), self.within(smu_current.offset)
        then = self._apply
        self.cell("[SOURce:]FUNCtion[:MODE]", "mode", Choice(
            options=("VOLTage", "CURRent"), default="VOLTage"), then=then)  # fmt: skip
        self.cell("[SOURce:]VOLTage[:LEVel]", "voltage", Number(low=-21, high=21, default=0, unit="V"), then=then)
        self.cell("[SOURce:]CURRent[:LEVel]", "current", Number(low=-1.05, high=1.05, default=0, unit="A"), then=then)
        self.cell("SENSe:CURRent:PROTection", "most current", Number(low=1e-9, high=1.05, default=0.1), then=then)
        self.cell("SENSe:VOLTage:PROTection", "most voltage", Number(low=1e-3, high=21, default=2), then=then)
        self.cell("OUTPut[:STATe]", "output", Switch(), then=then)
        self.cell("SENSe:NPLCycles", "nplc", Number(low=0.01, high=10, default=1))
        self.command("MEASure:CURRent", query=lambda: self._show(self.world.current, 1.0))
        self.command("MEASure:VOLTage", query=lambda: self._show(self.world.source_voltage, 10.0))
        self._apply()

    def truth(self) -> dict[str, float]:
        """Return the true errors: of the source (gain, offset in V) and of the meter of current (gain, offset in A)."""
        return {
            "gain": self.gain, "offset": self.offset,
            "sense_gain": self.sense_gain, "sense_offset": self.sense_offset,
        }  # fmt: skip

    def reset(self) -> None:
        """Put all settings back; the output goes off."""
        super().reset()
        self._apply()

    def _apply(self) -> None:
        values, load = self.values, self.world.resistance + self.world.lead_resistance
        if not values["output"]:
            self.world.source_voltage = 0.0
            self.operation.set_condition(0)
            return
        wanted = values["voltage"] if values["mode"] == "VOLTage" else values["current"] * load
        limit = values["most current"] * load if values["mode"] == "VOLTage" else values["most voltage"]
        limit *= self.defects.device("saturate", 1.0)
        held = abs(wanted) > limit
        self.operation.set_condition(IN_COMPLIANCE if held else 0)
        given = math.copysign(limit, wanted) if held else wanted * (1.0 + self.gain) + self.offset
        self.world.source_voltage = given

    def _show(self, true: float, scale: float) -> str:
        self._apply()
        nplc = self.values["nplc"]
        self.clock.sleep(nplc / 50.0)
        noise = self.rng.normal(0.0, smu_current.noise * scale / math.sqrt(nplc))
        return f"{self.drifted(true * (1.0 + self.sense_gain) + self.sense_offset * scale) + noise:+.8E}"


class Generator(Simulated):
    """A function generator: sine, square, ramp and direct voltage."""

    identity = "METROSPEC,AFG-SIM,0,1.0"

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self.gain, self.clock_error = self.within(0.01), self.within(1e-6)
        then = self._apply
        shapes = Choice(options=("SINusoid", "SQUare", "RAMP", "DC"), default="SINusoid")
        self.cell("[SOURce:]FUNCtion[:SHAPe]", "shape", shapes, then=then)
        self.cell("[SOURce:]FREQuency", "frequency", Number(low=1e-3, high=1e6, default=1e3, unit="HZ"), then=then)
        self.cell("[SOURce:]VOLTage[:AMPLitude]", "amplitude", Number(low=1e-3, high=10, default=0.1), then=then)
        self.cell("[SOURce:]VOLTage:OFFSet", "offset", Number(low=-5, high=5, default=0), then=then)
        self.cell("[SOURce:]PHASe", "phase", Number(low=-360, high=360, default=0), then=then)
        self.cell("OUTPut[:STATe]", "output", Switch(), then=then)
        self._apply()

    def truth(self) -> dict[str, float]:
        """Return the true errors of amplitude and frequency, as parts."""
        return {"gain": self.gain, "clock_error": self.clock_error}

    def reset(self) -> None:
        """Put all settings back; the output goes off."""
        super().reset()
        self._apply()

    def _apply(self) -> None:
        values = dict(self.values)
        peak = 0.5 * values["amplitude"] * (1.0 + self.gain) * values["output"]
        frequency = values["frequency"] * (1.0 + self.clock_error)
        phase, offset, shape = math.radians(values["phase"]), values["offset"] * values["output"], values["shape"]
        harmonics = _series(shape)

        def waveform(times: Array) -> Array:
            angle = 2.0 * math.pi * frequency * np.asarray(times, dtype=float) + phase
            return offset + peak * sum((h * np.sin(n * angle) for n, h in harmonics), np.zeros_like(angle))

        self.world.waveform = waveform
        self.world.tone = (frequency, peak * harmonics[0][1] if harmonics else 0.0, phase)


def _series(shape: str) -> list[tuple[int, float]]:
    """Return orders and amplitudes of the harmonics, as far as the output stage passes them."""
    orders = range(1, HARMONICS + 1, 2)
    if shape == "SQUare":
        return [(n, 4.0 / math.pi / n) for n in orders]
    if shape == "RAMP":
        return [(n, 8.0 / math.pi**2 * (-1.0) ** (n // 2) / n**2) for n in orders]
    return [] if shape == "DC" else [(1, 1.0)]
