"""A simulated furnace controller (PLC): registers of Modbus over the furnace of the world.

Registers, 32 bit floats in two registers, high word first: 0 process value (degC, read only), 2 thermometer resistance
(ohm, read only), 10 setpoint (degC), 12 output (fraction of full power), 14 proportional band gain (1/K), 16 integral
time (s), 18 alarm (degC); single registers: 20 mode (0 manual, 1 automatic), 21 status bits (1 alarm, 2 sensor end).
Not here: the carrier, the driver.
"""

import struct
from collections.abc import Sequence

import numpy as np

from instruments.datasheets import thermometer
from instruments.simulators.defects import Defects
from instruments.simulators.simulated import Place

__all__ = ["FLOATS", "MODE", "STATUS", "Furnace", "ModbusFault"]

FLOATS = {"process_value": 0, "resistance": 2, "setpoint": 10, "output": 12, "gain": 14, "integral": 16, "alarm": 18}
MODE, STATUS, LAST = 20, 21, 22
LIMITS = {
    "setpoint": (0.0, 450.0), "output": (0.0, 1.0), "gain": (0.0, 1.0), "integral": (1.0, 1e5), "alarm": (0.0, 500.0)
}  # fmt: skip
ALARM, SENSOR_END = 1, 2
ILLEGAL_ADDRESS, ILLEGAL_VALUE = 2, 3
STEP = 1.0


class ModbusFault(Exception):  # noqa: N818 - Modbus calls it an exception response
    """An exception response: 2 illegal address, 3 illegal value."""

    def __init__(self, code: int) -> None:
        self.code = code
        super().__init__(f"Modbus exception {code}")


class Furnace:
    """The controller: manual power, or its own PI loop in steps of one second; over the alarm it switches off."""

    identity = "METROSPEC,PLC-SIM,0,1.0"

    def __init__(self, place: Place) -> None:
        self.name, self.world, self.clock = place.name, place.world, place.clock
        self.rng, own = place.rng("noise"), place.rng("errors")
        self.gain_error = float(own.uniform(-thermometer.gain, thermometer.gain))
        self.zero_error = float(own.uniform(-thermometer.offset, thermometer.offset))
        self.defects = Defects(place.rng("defects"))
        self.values = {"setpoint": 23.0, "output": 0.0, "gain": 0.02, "integral": 120.0, "alarm": 450.0}
        self.mode = self.status = 0
        self.applied = self._sum = 0.0
        self._moment = self.clock.now()

    def truth(self) -> dict[str, float]:
        """Return the true errors of its thermometer: gain (part of the reading in degC) and zero (K)."""
        return {"gain": self.gain_error, "zero": self.zero_error}

    def advance(self) -> None:
        """Let its loop and the alarm run until now."""
        now = self.clock.now()
        while self._moment + STEP <= now:
            self._moment += STEP
            self._loop(self._moment)

    def _loop(self, moment: float) -> None:
        shown = self._shown(moment)
        if shown > self.values["alarm"]:
            self.status |= ALARM
            self.mode, self.values["output"] = 0, 0.0
        if self.mode:
            error, gain = self.values["setpoint"] - shown, self.values["gain"]
            free = gain * error + self._sum
            self.values["output"] = min(1.0, max(0.0, free))
            if free == self.values["output"]:
                self._sum += gain * error * STEP / self.values["integral"]
        self._heat(moment)

    def _heat(self, moment: float) -> None:
        if self.values["output"] != self.applied:
            self.applied = self.values["output"]
            self.world.furnace.heat(self.applied, moment)

    def _shown(self, moment: float) -> float:
        true = self.world.furnace.temperature(moment)
        drift = 1.0 + self.defects.device("drift", 0.0) * moment / 3600.0
        shown = true * (1.0 + self.gain_error) * drift + self.zero_error + self.rng.normal(0.0, thermometer.noise)
        end = 600.0 * self.defects.device("saturate", 1.0)
        if shown >= end:
            self.status |= SENSOR_END
        return float(min(end, shown))

    def read(self, address: int, count: int) -> list[int]:
        """Return registers.

        Parameters
        ----------
        address, count:
            First register, and how many.

        Returns
        -------
        :
            16 bit words.

        Raises
        ------
        ModbusFault
            If a register does not exist.
        """
        self.advance()
        asked = self._require(address, count)
        return self._image(asked)[asked]

    def _image(self, asked: slice) -> list[int]:
        """Return the registers; only what is asked for is measured."""
        words = [0] * LAST
        measured = {"process_value": lambda: self._shown(self.clock.now()), "resistance": lambda: self.world.pt100}
        for name, first in FLOATS.items():
            if first + 1 < asked.start or first >= asked.stop:
                continue
            value = measured[name]() if name in measured else self.values[name]
            words[first : first + 2] = struct.unpack(">HH", struct.pack(">f", value))
        words[MODE], words[STATUS] = self.mode, self.status
        return words

    def _require(self, address: int, count: int) -> slice:
        inside = (*range(4), *range(10, LAST))
        if count < 1 or any(at not in inside for at in range(address, address + count)):
            raise ModbusFault(ILLEGAL_ADDRESS)
        return slice(address, address + count)

    def write(self, address: int, words: Sequence[int]) -> None:
        """Write one value: a float in its two registers, or the mode.

        Parameters
        ----------
        address, words:
            First register, and 16 bit words.

        Raises
        ------
        ModbusFault
            If the register does not exist or is read only, or the value is beyond its limits.
        """
        self.advance()
        name = next((name for name, first in FLOATS.items() if first == address and name in LIMITS), None)
        if address == MODE and len(words) == 1:
            self._switch(words[0])
        elif name is None or len(words) != 2:  # noqa: PLR2004 - the registers of a float
            raise ModbusFault(ILLEGAL_ADDRESS)
        else:
            value = float(struct.unpack(">f", struct.pack(">HH", *words))[0])
            low, high = LIMITS[name]
            if not np.isfinite(value) or not low <= value <= high:
                raise ModbusFault(ILLEGAL_VALUE)
            if name == "output" and self.mode:
                raise ModbusFault(ILLEGAL_VALUE)
            self.values[name] = value
            self._heat(self.clock.now())

    def _switch(self, mode: int) -> None:
        if mode not in (0, 1):
            raise ModbusFault(ILLEGAL_VALUE)
        if mode and not self.mode:
            self._sum = self.values["output"]
        self.mode = mode
        self.status &= ~ALARM
