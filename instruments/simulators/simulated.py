"""What all simulated instruments share: the world, the clock, their own noise, their own true errors, their defects.

Not here: single instruments.
"""

import zlib
from dataclasses import dataclass

import numpy as np

from instruments.clock import Clock
from instruments.simulators.defects import Defects
from instruments.simulators.scpi import ScpiDevice
from instruments.simulators.world import World

__all__ = ["Place", "Simulated"]

HOUR = 3600.0


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where an instrument stands."""

    name: str
    world: World
    clock: Clock
    seed: int

    def rng(self, purpose: str) -> np.random.Generator:
        """Return random numbers of its own, that no other instrument's use changes."""
        return np.random.default_rng([self.seed, zlib.crc32(f"{self.name} {purpose}".encode())])


class Simulated(ScpiDevice):
    """A SCPI instrument in the world."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.name, self.world, self.clock = place.name, place.world, place.clock
        self.rng = place.rng("noise")
        self.own = place.rng("errors")
        """Draws the true errors of this specimen of the instrument, once."""
        self.defects = Defects(place.rng("defects"))

    def drifted(self, value: float) -> float:
        """Return a reading with the drift defect: a part of the reading and hour."""
        return value * (1.0 + self.defects.device("drift", 0.0) * self.clock.now() / HOUR)

    def within(self, limit: float) -> float:
        """Draw a true error from a rectangle of a half width."""
        return float(self.own.uniform(-limit, limit))
