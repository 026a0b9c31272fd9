"""A simulated universal testing frame: crosshead, load cell, extensometer, the compliance of the machine, a specimen.

Not here: the driver.
"""

import numpy as np

from instruments.datasheets import testing_frame
from instruments.simulators.program import Number, ScpiError, Switch, block
from instruments.simulators.simulated import Place, Simulated

__all__ = ["TestingFrame"]

CAPACITY, TRAVEL, GAUGE = 100e3, 0.5, 25e-3
"""N, m, m: end of the load cell, of the crosshead, of the extensometer."""
FORCE, EXTENSION, POSITION = testing_frame["force"], testing_frame["extension"], testing_frame["position"]
MOST_RECORDED = 200_000
FORCE_BIT, LIMIT_BIT = 1, 2


class TestingFrame(Simulated):
    """The simulated frame."""

    __test__ = False
    identity = "METROSPEC,UTM-SIM,0,1.0"

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self.force_gain, self.force_zero = self.within(FORCE.gain), self.within(FORCE.offset)
        self.extension_gain = self.within(EXTENSION.gain)
        self.place_now = 0.0
        self.extension_zero, self.position_zero = self.within(EXTENSION.offset), self.within(POSITION.offset)
        self._tare = 0.0
        self._record: list[tuple[float, float, float, float]] = []
        self.cell("CROSshead:SPEed", "speed", Number(low=1e-7, high=0.01, default=1e-4))
        self.cell("CROSshead:LIMit:LOW", "low", Number(low=-TRAVEL, high=TRAVEL, default=-0.01))
        self.cell("CROSshead:LIMit:HIGH", "high", Number(low=-TRAVEL, high=TRAVEL, default=0.05))
        self.cell("FORCe:LIMit", "force limit", Number(low=0, high=CAPACITY, default=CAPACITY))
        self.cell("RECord:RATE", "rate", Number(low=0.1, high=1000, default=10))
        self.cell("DRIVe[:STATe]", "drive", Switch())
        self.command("CROSshead:MOVE", action=self._move, takes=(1, 1))
        self.command("CROSshead:POSition", query=lambda: f"{self._position():+.8E}")
        self.command("FORCe", query=lambda: f"{self._force():+.8E}")
        self.command("FORCe:TARE", action=self._zero)
        self.command("EXTension", query=lambda: f"{self._extension():+.8E}")
        self.command("RECord:DATA", query=lambda: block(np.array(self._record, dtype="<f8").tobytes()))
        self.command("SPECimen:BROKen", query=lambda: int(self.world.specimen.broken))

    def truth(self) -> dict[str, float]:
        """Return the true errors of force (part, N) and extension (part)."""
        return {
            "force_gain": self.force_gain, "force_zero": self.force_zero, "extension_gain": self.extension_gain,
            "extension_zero": self.extension_zero, "position_zero": self.position_zero,
        }  # fmt: skip

    def _zero(self) -> None:
        self._tare = self._shown_force()

    def _shown_force(self) -> float:
        shown = self.drifted(self.world.force * (1.0 + self.force_gain)) + self.force_zero
        end = CAPACITY * self.defects.device("saturate", 1.0)
        return float(np.clip(shown + self.rng.normal(0.0, FORCE.noise), -end, end))

    def _force(self) -> float:
        return self._shown_force() - self._tare

    def _extension(self) -> float:
        true = self.world.specimen.elongation(self.world.force)
        return min(true * (1.0 + self.extension_gain) + self.extension_zero, GAUGE) + self.rng.normal(
            0.0, EXTENSION.noise
        )

    def _position(self) -> float:
        return self.place_now + self.position_zero + self.rng.normal(0.0, POSITION.noise)

    def _move(self, text: str) -> None:
        """Move to a place at the set speed and record on the way; stop at the limits of travel and force."""
        values = self.values
        target = Number(low=-TRAVEL, high=TRAVEL, default=0, unit="M").parse(text)
        if not values["drive"]:
            raise ScpiError(-221, "drive is off")
        if not values["low"] <= target <= values["high"]:
            raise ScpiError(-222, "beyond the limits of the crosshead")
        seconds = abs(target - self.place_now) / values["speed"]
        steps = max(1, round(seconds * values["rate"]))
        if steps > MOST_RECORDED:
            raise ScpiError(-222, f"{steps} rows are more than the memory holds")
        self._record = []
        for place in np.linspace(self.place_now, target, steps + 1)[1:].tolist():
            self.clock.sleep(seconds / steps)
            self.place_now = place
            self.world.force = self.world.specimen.force(place, self.world.compliance)
            shown = self._force()
            self._record.append((self.clock.now(), self._position(), shown, self._extension()))
            if abs(shown) > values["force limit"] or self.world.specimen.broken:
                self.operation.event |= FORCE_BIT
                break
