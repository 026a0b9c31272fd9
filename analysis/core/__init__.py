"""The data model: what a spectrum is, units, errors and history."""

from analysis.core import history, units
from analysis.core.display import Cell, Displayed, Number
from analysis.core.errors import (
    AcquisitionError,
    CalibrationError,
    FormatError,
    HistoryError,
    InstrumentError,
    InstrumentTimeoutError,
    MetrospecError,
    ModelError,
    SpectrumError,
    UncertaintyError,
    UnitsError,
    did_you_mean,
)
from analysis.core.spectrum import CHANNEL, axes, require_axis, require_spectrum

__all__ = [
    "CHANNEL",
    "AcquisitionError",
    "CalibrationError",
    "Cell",
    "Displayed",
    "FormatError",
    "HistoryError",
    "InstrumentError",
    "InstrumentTimeoutError",
    "MetrospecError",
    "ModelError",
    "Number",
    "SpectrumError",
    "UncertaintyError",
    "UnitsError",
    "axes",
    "did_you_mean",
    "history",
    "require_axis",
    "require_spectrum",
    "units",
]
