"""Drivers, one file an instrument: settings with limits, readings with their sources, a safe end."""

from instruments.drivers.dmm import Multimeter
from instruments.drivers.frame import UniversalFrame
from instruments.drivers.furnace import FurnaceController
from instruments.drivers.generator import Generator
from instruments.drivers.lockin import LockIn
from instruments.drivers.oscilloscope import Oscilloscope
from instruments.drivers.smu import SourceMeasureUnit
from instruments.drivers.spectrometer import GratingSpectrometer

__all__ = [
    "FurnaceController",
    "Generator",
    "GratingSpectrometer",
    "LockIn",
    "Multimeter",
    "Oscilloscope",
    "SourceMeasureUnit",
    "UniversalFrame",
]
