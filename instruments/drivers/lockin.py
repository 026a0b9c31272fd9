"""Driver of lock-in amplifiers that speak SCPI: a `Meter` of the amplitude at the reference.

Messages: `SENS:SENS`, `SENS:TCON`, `SENS:PHAS`, `SENS:HARM`, `SENS:FREQ?`, `FETC:XY?`, `*IDN?`, `SYST:ERR?`.
"""

import math

import numpy.typing as npt

from analysis.core import InstrumentError
from analysis.uncertainty import Quantity
from instruments.datasheets import LOCKIN_DENSITY, lockin
from instruments.drivers.device import Number
from instruments.drivers.measuring import Accuracy, measured
from instruments.drivers.scpi import ScpiDriver
from instruments.protocols import Transport

__all__ = ["LockIn"]


class LockIn(ScpiDriver):
    """A lock-in amplifier; readings are the amplitude R, V rms."""

    messages = ("SENS:FREQ?", "FETC:XY?", "*IDN?", "SYST:ERR?")
    units = "V"
    sensitivity = Number("SENS:SENS", units="V", limits=(1e-8, 1.0), doc="Full scale, rms.")
    time_constant = Number("SENS:TCON", units="s", limits=(1e-4, 100.0), doc="Of the low-pass, 6 dB per octave.")
    phase = Number("SENS:PHAS", units="degree", limits=(-180.0, 180.0), doc="Of the reference.")
    harmonic = Number("SENS:HARM", units="1", limits=(1, 10), doc="Of the reference.")

    def __init__(self, line: Transport, *, name: str = "lockin") -> None:
        super().__init__(line, name=name)
        self._accuracy = Accuracy(lockin, device=name, units="V")

    def components(self) -> complex:
        """Return in-phase and quadrature parts after five time constants.

        Returns
        -------
        :
            V rms.

        Raises
        ------
        InstrumentError
            If there is an overload.
        """
        x, y, over = self.numbers("FETC:XY?", 3)
        if over:
            msg = (
                f"{self.resource} ({self.name}): overload at a sensitivity of {self.sensitivity:g} V; "
                "choose a larger one"
            )
            raise InstrumentError(msg)
        return complex(x, y)

    def reading(self) -> float:
        """Return the amplitude, V rms."""
        return abs(self.components())

    def measure(self) -> Quantity:
        """Return the amplitude with its sources."""
        return self.quantity([self.reading()])

    def quantity(self, readings: npt.ArrayLike) -> Quantity:
        """Return the mean of amplitudes with its sources.

        Parameters
        ----------
        readings:
            V rms.

        Returns
        -------
        :
            Type A of the mean, and the accuracy of the amplifier.
        """
        bare = measured(readings, units="V", device=self.name, accuracy={}, noise=0.0, settings={})
        noise = LOCKIN_DENSITY * math.sqrt(0.25 / self.time_constant)
        return measured(readings, units="V", device=self.name, accuracy=self._accuracy.parts(bare.value), noise=noise,
                        settings=self.snapshot())  # fmt: skip

    def values(self) -> dict[str, tuple[float, str]]:
        """Measure."""
        return {self.name: (self.reading(), "V")}

    def keys(self) -> dict[str, tuple[str, list[int | None]]]:
        """Say what `values` returns."""
        return {self.name: ("V", [])}

    def safe_state(self) -> None:
        """Do nothing: it drives nothing."""
