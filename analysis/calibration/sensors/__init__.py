"""Temperature sensors: thermocouples, platinum thermometers and thermistors, both ways, with sources."""

from analysis.calibration.sensors.resistance import ResistanceThermometer, pt100
from analysis.calibration.sensors.thermistors import Thermistor, thermistor, thermistor_points
from analysis.calibration.sensors.thermocouples import Thermocouple, thermocouple

__all__ = [
    "ResistanceThermometer",
    "Thermistor",
    "Thermocouple",
    "pt100",
    "thermistor",
    "thermistor_points",
    "thermocouple",
]
