"""What data sheets say of instruments: limits of error and noise, as data that drivers and simulators share.

The simulators draw their true errors from these limits, the drivers make sources of uncertainty of them.
Not here: errors of a single specimen of an instrument, which its certificate gives.
"""

from dataclasses import dataclass

__all__ = ["MULTIMETER", "Limits", "lockin", "smu_current", "smu_voltage", "testing_frame", "thermometer"]


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Limits of error of one input, and the noise of one reading; rectangular."""

    gain: float
    """As a part of the reading."""
    offset: float
    """In units of the reading."""
    noise: float = 0.0
    """Standard deviation of one reading, in its units."""
    source: str
    """Where the figures stand."""


# Function: (range, ppm of reading, ppm of range). Agilent 34401A data sheet, one year, 23 degC +- 5 degC.
MULTIMETER: dict[str, tuple[tuple[float, float, float], ...]] = {
    "VOLTage[:DC]": ((0.1, 50, 35), (1.0, 40, 7), (10.0, 35, 5), (100.0, 45, 6), (1000.0, 45, 10)),
    "VOLTage:AC": ((0.1, 600, 400), (1.0, 600, 300), (10.0, 600, 300), (100.0, 600, 300), (750.0, 600, 300)),
    "CURRent[:DC]": ((0.01, 500, 200), (0.1, 500, 50), (1.0, 1000, 100), (3.0, 1200, 200)),
    "RESistance": (
        (1e2, 100, 40), (1e3, 100, 10), (1e4, 100, 10), (1e5, 100, 10), (1e6, 100, 10), (1e7, 400, 10), (1e8, 8000, 100)
    ),
    "FRESistance": (
        (1e2, 100, 40), (1e3, 100, 10), (1e4, 100, 10), (1e5, 100, 10), (1e6, 100, 10), (1e7, 400, 10), (1e8, 8000, 100)
    ),
    "FREQuency": ((0.1, 100, 0), (1.0, 100, 0), (10.0, 100, 0), (100.0, 100, 0), (750.0, 100, 0)),
}  # fmt: skip
MULTIMETER_NOISE = 0.3e-6
"""Of one reading at one power line cycle, as a part of the range."""

smu_voltage = Limits(gain=200e-6, offset=500e-6, source="simulated source-measure unit, source accuracy")
smu_current = Limits(gain=150e-6, offset=300e-9, noise=50e-9, source="simulated source-measure unit, meter accuracy")
lockin = Limits(gain=0.01, offset=0.0, source="simulated lock-in amplifier, accuracy")
LOCKIN_DENSITY = 20e-9
"""Of the input noise of the lock-in amplifier, V/sqrt(Hz)."""
thermometer = Limits(gain=0.001, offset=0.5, noise=0.02, source="simulated furnace, accuracy of its thermometer")
testing_frame = {
    "force": Limits(gain=0.0025, offset=5.0, noise=2.0, source="simulated frame, class 0.5 of ISO 7500-1"),
    "extension": Limits(gain=0.0025, offset=0.75e-6, noise=0.2e-6, source="simulated frame, class 0.5 of ISO 9513"),
    "position": Limits(gain=0.0, offset=2e-6, noise=1e-6, source="simulated frame, position"),
}
