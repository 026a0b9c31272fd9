"""A Raman spectrometer with known truth: exact polynomial axis, Gaussian lines, Poisson and read noise.

Lines are point-sampled, so the models that are fitted are exact and every deviation is noise or calibration.
"""

from dataclasses import dataclass

import numpy as np
import xarray as xr

from analysis.calibration import air, lines

READ_NOISE = 5.0


@dataclass(frozen=True, kw_only=True)
class Spectrometer:
    """What the calibration has to find out."""

    channels: int = 1024
    start_nm: float = 530.0
    step_nm: float = 0.112
    bend_nm: float = -4e-6
    twist_nm: float = -1e-9
    laser_nm: float = 532.05
    fwhm_channels: float = 3.0
    drift_nm: float = 0.0

    def wavelength(self, pixel):
        """True wavelength in air in nm."""
        x = np.asarray(pixel, dtype=float)
        return self.start_nm + self.drift_nm + self.step_nm * x + self.bend_nm * x**2 + self.twist_nm * x**3

    def pixel(self, wavelength_nm):
        """Position of a wavelength, in channels."""
        grid = np.linspace(-50, self.channels + 50, 200_001)
        return np.interp(wavelength_nm, self.wavelength(grid), grid)

    def pixel_of_shift(self, shift_cm):
        """Position of a Raman shift, in channels."""
        exciting, _ = air.wavenumber(self.laser_nm, "air")
        return self.pixel(air.wavelength(exciting - np.asarray(shift_cm, dtype=float), "air"))

    def record(self, positions, heights, rng, *, background=50.0, **attrs):
        """Record lines at given channels; `rng` None records without noise."""
        pixel = np.arange(self.channels, dtype=float)
        sigma = self.fwhm_channels / 2.3548200450309493
        clean = np.full(self.channels, float(background))
        for position, height in zip(positions, heights, strict=True):
            clean += height * np.exp(-0.5 * ((pixel - position) / sigma) ** 2)
        counts = clean if rng is None else rng.poisson(clean) + rng.normal(0, READ_NOISE, clean.size)
        return xr.Dataset(
            {"signal": ("channel", np.asarray(counts, dtype=float), {"units": "counts"})},
            coords={"pixel": ("channel", pixel, {"units": "1"})},
            attrs={"instrument": "simulated", **attrs},
        )

    def neon(self, rng, *, strength=100.0, **attrs):
        """Record the neon lamp, with a nominal axis that is 0.3 nm off."""
        table = lines("Ne", 530, 645, units="nm")
        table = table.isel(line=np.flatnonzero(table["intensity"].values >= 30))
        inside = (table["value"].values > self.wavelength(3)) & (
            table["value"].values < self.wavelength(self.channels - 4)
        )
        positions = self.pixel(table["value"].values[inside])
        lamp = self.record(positions, strength * table["intensity"].values[inside], rng, **attrs)
        nominal = Spectrometer(channels=self.channels).wavelength(lamp["pixel"].values) + 0.3
        return lamp.assign_coords(wavelength=("channel", nominal, {"units": "nm", "medium": "air"}))

    def bands(self, shifts_cm, rng, *, height=4000.0, **attrs):
        """Record Raman bands."""
        positions = self.pixel_of_shift(shifts_cm)
        return self.record(positions, np.full(np.size(positions), height), rng, **attrs)
