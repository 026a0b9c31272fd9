"""Quantum sensing with nitrogen-vacancy centres: resonances to field, Rabi and Ramsey oscillations, sensitivity.

Not here: line fits in general (`analysis.peaks`), the Allan family (`analysis.stability`).
"""

from analysis.quantum.constants import gyromagnetic_ratio, zero_field_splitting
from analysis.quantum.field import Field, axial_field, field, resonances
from analysis.quantum.odmr import fit_odmr
from analysis.quantum.oscillation import fit_rabi, fit_ramsey, rabi, ramsey
from analysis.quantum.sensitivity import Sensitivity, sensitivity, shot_noise_limit
from analysis.quantum.values import quantity

__all__ = [
    "Field", "Sensitivity", "axial_field", "field", "fit_odmr", "fit_rabi", "fit_ramsey", "gyromagnetic_ratio",
    "quantity", "rabi", "ramsey", "resonances", "sensitivity", "shot_noise_limit", "zero_field_splitting",
]  # fmt: skip
