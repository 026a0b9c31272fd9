"""Powder diffraction: patterns, lattice parameters with their budget, size and strain.

Not here: line shapes and fits (`analysis.peaks`), reading of files (`analysis.io`), figures (`analysis.figures`).
"""

from analysis.diffraction.bragg import angle, reflections, spacing
from analysis.diffraction.broadening import WilliamsonHall, caglioti, williamson_hall
from analysis.diffraction.door import near
from analysis.diffraction.emission import Radiation, radiation
from analysis.diffraction.lattice import extrapolate, lattice_parameter
from analysis.diffraction.pattern import Pattern, pattern_model
from analysis.diffraction.phase import Phase, phase
from analysis.diffraction.simulation import Diffractometer, simulate

__all__ = [
    "Diffractometer",
    "Pattern",
    "Phase",
    "Radiation",
    "WilliamsonHall",
    "angle",
    "caglioti",
    "extrapolate",
    "lattice_parameter",
    "near",
    "pattern_model",
    "phase",
    "radiation",
    "reflections",
    "simulate",
    "spacing",
    "williamson_hall",
]
