"""A simulated 6 1/2 digit multimeter that speaks the language of the HP 34401A.

It reads the resistor (VOLT, CURR, RES with leads), the Pt100 at the sample (FRES) and the generator (VOLT:AC, FREQ).
Its gain and offset errors are drawn once for each range from the limits of its one-year specification; noise falls with
the square root of NPLC; 120 % of a range is an overload. Figures: Agilent 34401A data sheet, one year, 23 +- 5 degC.
Not here: the driver.
"""

import math
from collections.abc import Callable

from instruments.datasheets import MULTIMETER, MULTIMETER_NOISE
from instruments.simulators.program import Choice, Number, ScpiError, Switch, Text
from instruments.simulators.simulated import Place, Simulated

__all__ = ["Multimeter"]

NPLC = (0.02, 0.2, 1.0, 10.0, 100.0)
OVERLOAD = 9.9e37
HEADROOM = 1.2
LINE = 50.0
MOST = 50_000
VOLTAGE_OVERLOAD = 1


class Multimeter(Simulated):
    """The simulated multimeter."""

    identity = "METROSPEC,34401A-SIM,0,10-5-2"

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self._stored: list[float] = []
        self._errors = {
            (function, full): (self.within(1e-6 * gain), self.within(1e-6 * offset) * full)
            for function, rows in MULTIMETER.items()
            for full, gain, offset in rows
        }
        self.cell("[SENSe:]FUNCtion[:ON]", "function", Choice(
            options=tuple(MULTIMETER), default="VOLTage[:DC]", quoted=True))  # fmt: skip
        for function, rows in MULTIMETER.items():
            self._function_cells(function, tuple(row[0] for row in rows))
        self._other_cells()
        self.command("INITiate[:IMMediate]", action=self._take)
        self.command("FETCh", query=self._fetch)
        self.command("READ", query=self._read)
        self.command("DATA:POINts", query=lambda: len(self._stored))
        self.command("SYSTem:BEEPer", action=lambda: None)
        self.command("ROUTe:TERMinals", query=lambda: "FRON")
        for word in ("REMote", "LOCal", "RWLock"):
            self.command(f"SYSTem:{word}", action=lambda: None)

    def truth(self) -> dict[str, float]:
        """Return the true errors of the present range: gain (1) and offset (in units of the function)."""
        gain, offset = self._errors[self.values["function"], self._range(self._true())]
        return {"gain": gain, "offset": offset}

    def _function_cells(self, function: str, ends: tuple[float, ...]) -> None:
        node = f"{function}:VOLTage" if function == "FREQuency" else function
        fixed = Number(low=ends[0], high=ends[-1], default=ends[min(2, len(ends) - 1)], steps=ends)
        self.cell(f"[SENSe:]{node}:RANGe[:UPPer]", f"{function} range", fixed,
                  then=lambda: self.values.update({f"{function} auto": False}))  # fmt: skip
        self.cell(f"[SENSe:]{node}:RANGe:AUTO", f"{function} auto", Switch(default=True))
        cycles = Number(low=NPLC[0], high=NPLC[-1], default=10.0, steps=NPLC)
        self.cell(f"[SENSe:]{function}:NPLCycles", f"{function} nplc", cycles)
        self.cell(f"[SENSe:]{function}:RESolution", f"{function} resolution",
                  Number(low=1e-7 * ends[0], high=1e-3 * ends[-1], default=1e-6 * ends[0]))  # fmt: skip
        self.command(f"CONFigure:{function}", action=lambda *_: self._configure(function), takes=(0, 2))
        self.command(
            f"MEASure:{function}", query=lambda *_: self._measure(function),
            asks=(0, 2),
        )  # fmt: skip

    def _other_cells(self) -> None:
        self.cell("[SENSe:]ZERO:AUTO", "autozero", Switch(default=True))
        self.cell("INPut:IMPedance:AUTO", "impedance", Switch())
        self.cell("[SENSe:]DETector:BANDwidth", "band", Number(low=3, high=200, default=20, steps=(3, 20, 200)))
        self.cell("[SENSe:]FREQuency:APERture", "gate", Number(low=0.01, high=1, default=0.1, steps=(0.01, 0.1, 1)))
        self.cell("TRIGger:SOURce", "trigger", Choice(options=("IMMediate", "BUS", "EXTernal"), default="IMMediate"))
        self.cell("TRIGger:COUNt", "triggers", Number(low=1, high=MOST, default=1, integer=True))
        self.cell("SAMPle:COUNt", "samples", Number(low=1, high=MOST, default=1, integer=True))
        self.cell("TRIGger:DELay", "delay", Number(low=0, high=3600, default=0))
        self.cell("TRIGger:DELay:AUTO", "auto delay", Switch(default=True))
        self.cell("DISPlay", "display", Switch(default=True))
        self.cell("DISPlay:TEXT", "text", Text(most=12))
        self.cell("SYSTem:BEEPer:STATe", "beeper", Switch(default=True))

    def _configure(self, function: str) -> None:
        self.reset()
        self.values["function"] = function

    def _true(self) -> float:
        world = self.world
        tone = world.tone
        seen: dict[str, Callable[[], float]] = {
            "VOLTage[:DC]": lambda: world.voltage,
            "VOLTage:AC": lambda: tone[1] / math.sqrt(2.0),
            "CURRent[:DC]": lambda: world.current,
            "RESistance": lambda: world.resistance + world.lead_resistance,
            "FRESistance": lambda: world.pt100,
            "FREQuency": lambda: tone[0],
        }
        return seen[self.values["function"]]()

    def _range(self, true: float) -> float:
        function = self.values["function"]
        if function == "FREQuency":
            return 1.0
        ends = [row[0] for row in MULTIMETER[function]]
        if not self.values[f"{function} auto"]:
            return float(self.values[f"{function} range"])
        return next((end for end in ends if abs(true) <= HEADROOM * end), ends[-1])

    def _one(self) -> float:
        function, true = self.values["function"], self._true()
        full, nplc = self._range(true), self.values[f"{function} nplc"]
        self.clock.sleep(nplc / LINE * (2.0 if self.values["autozero"] else 1.0) + self.values["delay"])
        gain, offset = self._errors[function, full]
        scale = true if function == "FREQuency" else full
        shown = self.drifted(true * (1.0 + gain) + offset) + self.rng.normal(
            0.0, MULTIMETER_NOISE * abs(scale) / math.sqrt(nplc)
        )
        if function != "FREQuency" and abs(shown) > HEADROOM * full * self.defects.device("saturate", 1.0):
            self.questionable.event |= VOLTAGE_OVERLOAD
            self.values[f"{function} range"] = full
            return math.copysign(OVERLOAD, shown)
        if self.values[f"{function} auto"]:
            self.values[f"{function} range"] = full
        return shown

    def _take(self) -> None:
        count = int(self.values["triggers"] * self.values["samples"])
        if count > MOST:
            raise ScpiError(-221, "more readings than memory")
        self._stored = [self._one() for _ in range(count)]

    def _read(self) -> str:
        self._take()
        return self._fetch()

    def _measure(self, function: str) -> str:
        self._configure(function)
        return self._read()

    def _fetch(self) -> str:
        if not self._stored:
            raise ScpiError(-230)
        return ",".join(f"{value:+.8E}" for value in self._stored)
