"""Sensors, both ways and with sources: thermocouples, platinum thermometers, thermistors, force transducers, meters."""

from analysis.calibration.sensors.force import ForceTransducer, force_transducer
from analysis.calibration.sensors.force_runs import ForceRuns
from analysis.calibration.sensors.multimeters import (
    MeterRange,
    Specification,
    meter_range,
    specification,
    without_leads,
    zero_current,
)
from analysis.calibration.sensors.resistance import ResistanceThermometer, pt100
from analysis.calibration.sensors.thermistors import Thermistor, thermistor, thermistor_points
from analysis.calibration.sensors.thermocouples import Thermocouple, thermocouple

__all__ = [
    "ForceRuns",
    "ForceTransducer",
    "MeterRange",
    "ResistanceThermometer",
    "Specification",
    "Thermistor",
    "Thermocouple",
    "force_transducer",
    "meter_range",
    "pt100",
    "specification",
    "thermistor",
    "thermistor_points",
    "thermocouple",
    "without_leads",
    "zero_current",
]
