"""Calibration: the spectral axis from reference lines to its check, and curves with errors in both variables."""

from analysis.calibration import sensors
from analysis.calibration.air_conditions import AirConditions
from analysis.calibration.applying import apply
from analysis.calibration.axis import AxisCalibration
from analysis.calibration.check_standards import CheckChart, check_chart
from analysis.calibration.checking import BandCheck, ValidityVerdict, Verdict, check, compare, normalized_error
from analysis.calibration.conversion import convert_axis
from analysis.calibration.curve import CurveCalibration
from analysis.calibration.curves import fit_function, fit_line, fit_polynomial
from analysis.calibration.detection import DetectionLimits, detection_limits
from analysis.calibration.drifting import Drift, add_drift, drift
from analysis.calibration.fitting import fit_axis
from analysis.calibration.intensity_standards import CertifiedIntensity, intensity_standard, intensity_table
from analysis.calibration.intervals import CalibrationInterval, interval_from_drift, interval_staircase
from analysis.calibration.laser import laser_zero
from analysis.calibration.linearity import (
    LinearityCalibration,
    apply_linearity,
    dead_time,
    fit_linearity,
    flux_addition,
)
from analysis.calibration.lines import lines
from analysis.calibration.matching import PeakFate, match
from analysis.calibration.moved_axis import transfer_axis
from analysis.calibration.pairs import leave_out, residuals
from analysis.calibration.resolution import ResolutionFunction, fit_resolution
from analysis.calibration.response import ResponseCalibration, apply_response, response
from analysis.calibration.stray_light import StrayLightCalibration, apply_stray_light, stray_light
from analysis.calibration.transfer import (
    TransferCalibration,
    apply_transfer,
    check_transfer,
    fit_transfer,
)

__all__ = [
    "AirConditions",
    "AxisCalibration",
    "BandCheck",
    "CalibrationInterval",
    "CertifiedIntensity",
    "CheckChart",
    "CurveCalibration",
    "DetectionLimits",
    "Drift",
    "LinearityCalibration",
    "PeakFate",
    "ResolutionFunction",
    "ResponseCalibration",
    "StrayLightCalibration",
    "TransferCalibration",
    "ValidityVerdict",
    "Verdict",
    "add_drift",
    "apply",
    "apply_linearity",
    "apply_response",
    "apply_stray_light",
    "apply_transfer",
    "check",
    "check_chart",
    "check_transfer",
    "compare",
    "convert_axis",
    "dead_time",
    "detection_limits",
    "drift",
    "fit_axis",
    "fit_function",
    "fit_line",
    "fit_linearity",
    "fit_polynomial",
    "fit_resolution",
    "fit_transfer",
    "flux_addition",
    "intensity_standard",
    "intensity_table",
    "interval_from_drift",
    "interval_staircase",
    "laser_zero",
    "leave_out",
    "lines",
    "match",
    "normalized_error",
    "residuals",
    "response",
    "sensors",
    "stray_light",
    "transfer_axis",
]
