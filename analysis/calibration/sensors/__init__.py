"""Temperature sensors: thermocouples of ITS-90 and platinum resistance thermometers, both ways, with sources."""

from analysis.calibration.sensors.resistance import ResistanceThermometer, pt100
from analysis.calibration.sensors.thermocouples import Thermocouple, thermocouple

__all__ = ["ResistanceThermometer", "Thermocouple", "pt100", "thermocouple"]
