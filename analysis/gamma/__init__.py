"""Gamma-ray and X-ray spectra: peaks, calibrations, nuclides, activity with its budget, limits of detection.

Not here: fits (`analysis.peaks`), reading of files (`analysis.io`), figures (`analysis.figures`).
"""

from analysis.gamma.activity import activity, decay_factor
from analysis.gamma.counting import dead_share, true_rate
from analysis.gamma.curves import Efficiency, calibrate_efficiency, calibrate_energy, calibrate_fwhm
from analysis.gamma.identify import identify
from analysis.gamma.limits import Limits, limits
from analysis.gamma.nuclides import Line, Nuclide, nuclide, nuclides, xray
from analysis.gamma.photopeak import fit_peak, photopeak, read_peak
from analysis.gamma.search import search
from analysis.gamma.simulation import simulate

__all__ = [
    "Efficiency",
    "Limits",
    "Line",
    "Nuclide",
    "activity",
    "calibrate_efficiency",
    "calibrate_energy",
    "calibrate_fwhm",
    "dead_share",
    "decay_factor",
    "fit_peak",
    "identify",
    "limits",
    "nuclide",
    "nuclides",
    "photopeak",
    "read_peak",
    "search",
    "simulate",
    "true_rate",
    "xray",
]
