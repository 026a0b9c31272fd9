"""The physical world of the bench, with known truth: a circuit, a furnace, a sample, light and a tensile specimen.

Instruments measure this world and act on it; what they show differs by their own errors. Everything is exact for
piecewise constant inputs, so that the same moments give the same world whatever the steps between them.
Not here: instruments (`instruments.simulators.bench` puts them together).
"""

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from analysis.calibration.sensors import pt100, thermocouple
from analysis.uncertainty import Quantity

__all__ = ["FurnacePlant", "SteelSpecimen", "World"]

Array = npt.NDArray[np.float64]
_PT100, _TYPE_K = pt100(), thermocouple("K")


@dataclass
class FurnacePlant:
    """A furnace with a wall and a sample: two lags and a dead time, heated by a fraction of full power."""

    gain: float = 400.0
    """Rise of temperature at full power, K."""
    lag: float = 120.0
    """Of the wall, s."""
    sample_lag: float = 15.0
    """Of the sample behind the wall, s."""
    dead_time: float = 5.0
    """From heater to wall, s."""
    ambient: float = 23.0
    """degC."""
    moment: float = 0.0
    wall: float = 0.0
    sample: float = 0.0
    """Both above ambient, K."""
    acting: float = 0.0
    _coming: deque[tuple[float, float]] = field(default_factory=deque)

    def heat(self, power: float, now: float) -> None:
        """Set the power from now on; it acts after the dead time."""
        self.advance(now)
        self._coming.append((now + self.dead_time, power))

    def advance(self, now: float) -> None:
        """Bring the furnace to a moment, exactly."""
        while self._coming and self._coming[0][0] <= now:
            when, power = self._coming.popleft()
            self._relax(when)
            self.acting = power
        self._relax(now)

    def _relax(self, now: float) -> None:
        dt = max(0.0, now - self.moment)
        a, b, end = self.lag, self.sample_lag, self.gain * self.acting
        slow, fast = math.exp(-dt / a), math.exp(-dt / b)
        self.sample = end + (self.sample - end) * fast + (self.wall - end) * a / (a - b) * (slow - fast)
        self.wall = end + (self.wall - end) * slow
        self.moment = max(self.moment, now)

    def temperature(self, now: float) -> float:
        """Return the temperature of the sample, degC."""
        self.advance(now)
        return self.ambient + self.sample


@dataclass
class SteelSpecimen:
    """A tensile specimen: elastic, then Voce hardening, then fracture. Loading from zero, unloading elastic."""

    length: float = 50e-3
    """Parallel length over which the extensometer measures, m."""
    area: float = 78.54e-6
    """Original cross-section, m2."""
    modulus: float = 205e9
    """Pa."""
    yield_stress: float = 350e6
    saturation: float = 180e6
    """Hardening from yield to saturation, Pa."""
    rate: float = 25.0
    """Of hardening, per unit of plastic strain."""
    fracture_strain: float = 0.22
    plastic: float = 0.0
    broken: bool = False

    def flow(self, plastic: float) -> float:
        """Return the stress at which it flows after a plastic strain, Pa."""
        return self.yield_stress + self.saturation * -math.expm1(-self.rate * plastic)

    def force(self, displacement: float, compliance: float) -> float:
        """Return the force at a displacement of the crosshead through a machine of a compliance (m/N), N."""
        if self.broken:
            return 0.0
        series = self.length / (self.modulus * self.area) + compliance
        trial = (displacement - self.plastic * self.length) / series
        if trial > self.flow(self.plastic) * self.area:
            self.plastic = self._flowing(displacement, series)
            trial = self.flow(self.plastic) * self.area
        if self.plastic + trial / (self.modulus * self.area) > self.fracture_strain:
            self.broken, trial = True, 0.0
        return trial

    def _flowing(self, displacement: float, series: float) -> float:
        """Solve displacement = plastic strain times length + force times series for the plastic strain."""
        low, high = self.plastic, displacement / self.length
        for _ in range(80):
            middle = 0.5 * (low + high)
            over = middle * self.length + self.flow(middle) * self.area * series - displacement
            low, high = (low, middle) if over > 0.0 else (middle, high)
        return 0.5 * (low + high)

    def elongation(self, force: float) -> float:
        """Return how much longer the gauge length is, m."""
        return self.length * (self.plastic + force / (self.modulus * self.area))


def _parabola(coefficients: tuple[float, float, float], x: float) -> float:
    return coefficients[0] + x * (coefficients[1] + x * coefficients[2])


def _nothing(times: Array) -> Array:
    """Return the waveform of a generator that is off."""
    return np.zeros_like(times)


@dataclass
class World:
    """What is true: `bench.truth`. Fields may be changed before a run; numbers in SI units, temperatures in degC."""

    resistance: float = 1000.0
    """Of the resistor that the source drives and the meter reads, ohm."""
    lead_resistance: float = 0.08
    """Of both leads of the resistor, ohm."""
    thermal_emf: float = 0.6e-6
    """Of the joints in the voltage circuit, V."""
    compliance: float = 2.0e-8
    """Of the testing frame, m/N."""
    corner: float = 5_000.0
    """Frequency of the RC low-pass between generator and detector, Hz."""
    attenuation: float = 1e-3
    """Of the low-pass at zero frequency."""
    raman_shift: float = 520.45
    """Of the silicon sample at 25 degC where it is not strained, cm-1."""
    raman_slope: float = -0.022
    """Of the shift with temperature, cm-1/K."""
    raman_width: float = 3.2
    """Full width at half maximum, cm-1."""
    laser: float = 532.04e-9
    """Wavelength in air of the laser, m."""
    strain: float = 0.9
    """Largest change of the shift over the sample, cm-1, as a Gauss function of 40 um around its middle."""
    connected: Literal["resistor", "thermocouple", "load cell", "extensometer"] = "resistor"
    """What the voltage terminals of the multimeter are connected to."""
    bridge_supply: float = 10.0
    """Of the strain gauge bridge of the load cell, V."""
    bridge: tuple[float, float, float] = (1.2e-5, 2.0e-8, 8.0e-16)
    """Output of that bridge over its supply: without force (1), per force (N-1), per squared force (N-2)."""
    extensometer: tuple[float, float, float] = (0.013, 1600.0, 900.0)
    """Output of the extensometer: at zero (V), per length (V/m), per squared length (V/m2)."""
    furnace: FurnacePlant = field(default_factory=FurnacePlant)
    specimen: SteelSpecimen = field(default_factory=SteelSpecimen)
    force: float = 0.0
    """On the specimen now, N."""
    source_voltage: float = 0.0
    """Across the terminals of the source now, V."""
    waveform: Callable[[Array], Array] = field(default=_nothing)
    """Voltage of the generator at times (s), V."""
    tone: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Frequency (Hz), amplitude (V, peak) and phase (rad) of the fundamental of the generator."""
    clock: Callable[[], float] = field(default=float)
    """Tells the seconds since the start; the bench sets it."""

    @property
    def current(self) -> float:
        """In the resistor, A."""
        return self.source_voltage / (self.resistance + self.lead_resistance)

    @property
    def voltage(self) -> float:
        """At the voltage terminals, as a perfect meter between the same joints sees it, V."""
        seen: dict[str, Callable[[], float]] = {
            "resistor": lambda: self.current * self.resistance,
            "thermocouple": lambda: self.emf,
            "load cell": lambda: self.bridge_supply * _parabola(self.bridge, self.force),
            "extensometer": lambda: _parabola(self.extensometer, self.specimen.elongation(self.force)),
        }
        return seen[self.connected]() + self.thermal_emf

    @property
    def temperature(self) -> float:
        """Of the sample in the furnace now, degC."""
        return self.furnace.temperature(self.clock())

    @property
    def pt100(self) -> float:
        """Resistance of the thermometer at the sample now, ohm."""
        t = Quantity(value=self.temperature, u=0.0, units="degC")
        return _PT100.resistance(t).value

    @property
    def emf(self) -> float:
        """Of the type K thermocouple at the sample, its reference at 0 degC, V."""
        t = Quantity(value=self.temperature, u=0.0, units="degC")
        return _TYPE_K.emf(t).to("V").value

    def shift_at(self, x: float, y: float) -> float:
        """Return the Raman shift of the sample at a place (m) and the present temperature, cm-1."""
        strained = self.strain * math.exp(-(x**2 + y**2) / (2.0 * 40e-6**2))
        return self.raman_shift + self.raman_slope * (self.temperature - 25.0) + strained

    def transfer(self, frequency: float) -> complex:
        """Return the transfer of the low-pass at a frequency, Hz."""
        return self.attenuation / complex(1.0, frequency / self.corner)
