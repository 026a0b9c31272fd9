"""Simulated instruments on one bench, with physics, seeded noise, known truth, and defects by name."""

from instruments.simulators.bench import Bench, default_bench
from instruments.simulators.world import FurnacePlant, SteelSpecimen, World

__all__ = ["Bench", "FurnacePlant", "SteelSpecimen", "World", "default_bench"]
