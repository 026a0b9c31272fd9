"""Calibration of the spectral axis: reference lines, matching, fit, laser zero, application, check."""

from analysis.calibration.applying import apply
from analysis.calibration.axis import AxisCalibration
from analysis.calibration.checking import BandCheck, ValidityVerdict, Verdict, check, compare, normalized_error
from analysis.calibration.fitting import fit_axis
from analysis.calibration.laser import laser_zero
from analysis.calibration.lines import lines
from analysis.calibration.matching import PeakFate, match

__all__ = [
    "AxisCalibration",
    "BandCheck",
    "PeakFate",
    "ValidityVerdict",
    "Verdict",
    "apply",
    "check",
    "compare",
    "fit_axis",
    "laser_zero",
    "lines",
    "match",
    "normalized_error",
]
