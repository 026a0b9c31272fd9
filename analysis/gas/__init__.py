"""Infrared bands of gases: lines as data, transmittance, temperature, pressure and amount with budgets, bond lengths.

Not here: line fits in general (`analysis.peaks`), reading of files (`analysis.io`), figures (`analysis.figures`).
"""

from analysis.gas.band import Band, band
from analysis.gas.fitting import GasFit, fit
from analysis.gas.hydrogen import balmer, rydberg
from analysis.gas.interferometer import Interferometer
from analysis.gas.positions import line_positions
from analysis.gas.simulation import simulate
from analysis.gas.structure import Rotation, bond_length, combination_differences
from analysis.gas.transmittance import transmittance

__all__ = [
    "Band", "GasFit", "Interferometer", "Rotation", "balmer", "band", "bond_length",
    "combination_differences", "fit", "line_positions", "rydberg", "simulate", "transmittance",
]  # fmt: skip
