"""A simulated grating spectrometer with a CCD and a stage, looking at a neon lamp, at the sample, or into the dark.

The CCD has an offset, dark current, shot noise, read noise, a gain of its own for each pixel, cosmic rays, 16 bit and a
full well; the grating is off by a small true amount. Wavelengths are in air.
Not here: the driver.
"""

import math

import numpy as np
import numpy.typing as npt

from instruments.simulators.program import Choice, Number, ScpiError, Switch, block
from instruments.simulators.simulated import Place, Simulated

__all__ = ["PIXELS", "Spectrograph"]

Array = npt.NDArray[np.float64]
PIXELS = 1024
DISPERSION, CURVATURE = 0.060e-9, -1.2e-15
"""m per pixel, m per pixel squared."""
FULL_SCALE, BIAS, ELECTRONS = 65_535, 300.0, 2.0
"""Counts, counts, electrons per count."""
READ_NOISE, DARK_CURRENT, COSMIC_RATE = 6.0, 4.0, 0.02
"""Electrons, electrons per second and pixel at -20 degC, events per second."""
SATURATED_BIT = 1
# Neon lines, wavelength in air (nm) and relative intensity: NIST Atomic Spectra Database.
NEON = (
    (540.05618, 20), (585.24879, 200), (588.18952, 100), (594.48342, 50), (597.55340, 60), (602.99969, 100),
    (607.43377, 100), (609.61631, 30), (612.84499, 10), (614.30626, 100), (616.35939, 100), (621.72812, 100),
    (626.64950, 100), (630.47889, 10), (633.44278, 100), (638.29917, 100), (640.22460, 200), (650.65281, 150),
)  # fmt: skip
AIR = 1.00028


class Spectrograph(Simulated):
    """The simulated spectrometer."""

    identity = "METROSPEC,CCD-SIM,0,1.0"

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self.shift = self.within(0.15e-9)
        self.response = 1.0 + 0.01 * self.own.standard_normal(PIXELS)
        self._counts = np.zeros(0, dtype=np.uint16)
        self.cell("INTegration:TIME", "exposure", Number(low=1e-3, high=60, default=0.1, unit="S"))
        self.cell("GRATing:CENTer", "centre", Number(low=400e-9, high=900e-9, default=547e-9, unit="M"))
        self.cell("SLIT:WIDTh", "slit", Number(low=10e-6, high=500e-6, default=50e-6, unit="M"))
        self.cell("INPut:SOURce", "light", Choice(options=("SAMPle", "NEON", "DARK"), default="SAMPle"))
        self.cell("DETector:TEMPerature", "detector", Number(low=-70, high=20, default=-20))
        self.cell("LASer:POWer", "laser", Number(low=0, high=0.1, default=0, unit="W"))
        self.cell("LASer[:STATe]", "laser on", Switch())
        for axis in ("X", "Y"):
            self.cell(f"STAGe:{axis}", f"stage {axis}", Number(low=-5e-3, high=5e-3, default=0, unit="M"),
                      then=lambda: self.clock.sleep(0.02))  # fmt: skip
        self.command("ACQuire", action=self._acquire)
        self.command("SPECtrum", query=self._spectrum)
        self.command("DETector:PIXels", query=lambda: PIXELS)
        self.command("GRATing:POLYnomial", query=self._polynomial)

    def truth(self) -> dict[str, float]:
        """Return how far the wavelength axis is off: true less nominal, m."""
        return {"wavelength_offset": self.shift}

    def nominal(self) -> Array:
        """Return the wavelengths that the instrument believes in, m."""
        pixel = np.arange(PIXELS) - (PIXELS - 1) / 2
        return np.asarray(self.values["centre"] + DISPERSION * pixel + CURVATURE * pixel**2)

    def _polynomial(self) -> str:
        middle = (PIXELS - 1) / 2
        c0 = self.values["centre"] - DISPERSION * middle + CURVATURE * middle**2
        return f"{c0:+.12E},{DISPERSION - 2.0 * CURVATURE * middle:+.12E},{CURVATURE:+.12E}"

    def _acquire(self) -> None:
        exposure = self.values["exposure"]
        self.clock.sleep(exposure)
        wavelength = self.nominal() + self.shift
        light = self._light(wavelength)
        warm = 2.0 ** ((self.values["detector"] + 20.0) / 7.0)
        mean = exposure * (self.drifted(1.0) * light * self.response + DARK_CURRENT * warm)
        electrons = self.rng.poisson(np.clip(mean, 0.0, 1e15)) + self.rng.normal(0.0, READ_NOISE, PIXELS)
        for _ in range(self.rng.poisson(COSMIC_RATE * exposure)):
            electrons[self.rng.integers(PIXELS)] += self.rng.uniform(2e3, 4e4)
        full = FULL_SCALE * self.defects.device("saturate", 1.0)
        counts = np.rint(BIAS + electrons / ELECTRONS)
        self.questionable.set_condition(SATURATED_BIT if bool((counts >= full).any()) else 0)
        self._counts = np.clip(counts, 0, full).astype(np.uint16)

    def _light(self, wavelength: Array) -> Array:
        """Return what falls on the CCD, electrons per second and pixel."""
        if self.values["light"] == "DARK":
            return np.zeros_like(wavelength)
        return self._neon(wavelength) if self.values["light"] == "NEON" else self._sample(wavelength)

    def _spectrum(self) -> bytes:
        if not self._counts.size:
            raise ScpiError(-230)
        return block(self._counts.astype("<u2").tobytes())

    def _width(self) -> float:
        """Return the instrumental standard deviation, m."""
        return math.hypot(0.06e-9, DISPERSION * self.values["slit"] / 50e-6 / math.sqrt(12.0))

    def _neon(self, wavelength: Array) -> Array:
        width, through = self._width(), self.values["slit"] / 50e-6
        light = np.zeros_like(wavelength)
        for line, height in NEON:
            light += 2e3 * height * through * np.exp(-0.5 * ((wavelength - line * 1e-9) / width) ** 2)
        return light

    def _sample(self, wavelength: Array) -> Array:
        """Return the Raman light of silicon (Lorentz) over fluorescence, electrons per second."""
        if not self.values["laser on"] or self.values["laser"] <= 0.0:
            return np.zeros_like(wavelength)
        world, power = self.world, self.values["laser"] / 10e-3
        through = power * self.values["slit"] / 50e-6
        shift = 0.01 / AIR * (1.0 / world.laser - 1.0 / wavelength)
        place = world.shift_at(self.values["stage X"], self.values["stage Y"])
        width = math.hypot(world.raman_width, 2.355 * self._width() * 0.01 / world.laser**2)
        silicon = 2e4 / (1.0 + (2.0 * (shift - place) / width) ** 2)
        return np.asarray(through * (silicon + 800.0 * np.exp(-(((shift - 900.0) / 900.0) ** 2))))
