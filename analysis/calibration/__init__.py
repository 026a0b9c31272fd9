"""Calibration: the spectral axis from reference lines to its check, and curves with errors in both variables."""

from analysis.calibration import sensors
from analysis.calibration.applying import apply
from analysis.calibration.axis import AxisCalibration
from analysis.calibration.checking import BandCheck, ValidityVerdict, Verdict, check, compare, normalized_error
from analysis.calibration.curve import CurveCalibration
from analysis.calibration.curves import fit_function, fit_line, fit_polynomial
from analysis.calibration.detection import DetectionLimits, detection_limits
from analysis.calibration.fitting import fit_axis
from analysis.calibration.laser import laser_zero
from analysis.calibration.lines import lines
from analysis.calibration.matching import PeakFate, match

__all__ = [
    "AxisCalibration",
    "BandCheck",
    "CurveCalibration",
    "DetectionLimits",
    "PeakFate",
    "ValidityVerdict",
    "Verdict",
    "apply",
    "check",
    "compare",
    "detection_limits",
    "fit_axis",
    "fit_function",
    "fit_line",
    "fit_polynomial",
    "laser_zero",
    "lines",
    "match",
    "normalized_error",
    "sensors",
]
