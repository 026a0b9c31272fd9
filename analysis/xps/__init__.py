"""X-ray photoelectron spectra: doublets, energy scale, static backgrounds, quantification.

Not here: line shapes and active backgrounds (`analysis.peaks`), files (`analysis.io`).
"""

from analysis.xps.backgrounds import shirley, tougaard
from analysis.xps.doublets import doublet
from analysis.xps.energy_scale import EnergyScale, energy_scale, reference_energy
from analysis.xps.quantification import choice_of_background, quantify
from analysis.xps.simulation import simulate

__all__ = [
    "EnergyScale",
    "choice_of_background",
    "doublet",
    "energy_scale",
    "quantify",
    "reference_energy",
    "shirley",
    "simulate",
    "tougaard",
]
