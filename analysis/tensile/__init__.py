"""Tensile tests of metals by ISO 6892-1 with budgets, and verification of the machine and its extensometer.

Not here: reading of files (`analysis.io`), figures (`analysis.figures`).
"""

from analysis.tensile.evaluation import evaluate
from analysis.tensile.result import Tensile
from analysis.tensile.specimen import Specimen
from analysis.tensile.verification import Verification, verify_extension, verify_force

__all__ = ["Specimen", "Tensile", "Verification", "evaluate", "verify_extension", "verify_force"]
