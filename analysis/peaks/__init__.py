"""Peaks: find, guess, fit, and what is read from a fit."""

from analysis.peaks import models
from analysis.peaks.bridge import to_lmfit
from analysis.peaks.compare import compare
from analysis.peaks.diagnose import diagnose
from analysis.peaks.evaluate import evaluate
from analysis.peaks.find import find
from analysis.peaks.fit import fit
from analysis.peaks.global_fit import fit_global
from analysis.peaks.guess import guess, guess_each
from analysis.peaks.integral import integral
from analysis.peaks.interval_status import IntervalStatus
from analysis.peaks.intervals import intervals
from analysis.peaks.marked import Mark, fit_marked
from analysis.peaks.quantity import quantity
from analysis.peaks.status import ParameterStatus, Status
from analysis.peaks.warm import warm_start

__all__ = [
    "IntervalStatus",
    "Mark",
    "ParameterStatus",
    "Status",
    "compare",
    "diagnose",
    "evaluate",
    "find",
    "fit",
    "fit_global",
    "fit_marked",
    "guess",
    "guess_each",
    "integral",
    "intervals",
    "models",
    "quantity",
    "to_lmfit",
    "warm_start",
]
