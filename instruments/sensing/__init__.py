"""Sensors on instruments: live readings of temperature, force and length as quantities with all their sources."""

from instruments.sensing.kinds import calibrated, extensometer, load_cell, resistance_thermometer, thermocouple
from instruments.sensing.process import SensedProcess
from instruments.sensing.sensor import Sensor

__all__ = [
    "SensedProcess",
    "Sensor",
    "calibrated",
    "extensometer",
    "load_cell",
    "resistance_thermometer",
    "thermocouple",
]
