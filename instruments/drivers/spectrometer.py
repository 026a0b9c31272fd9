"""Driver of grating spectrometers with a CCD that speak SCPI: a `Spectrometer`, with its laser and stage.

Messages: `INT:TIME`, `GRAT:CENT`, `SLIT:WIDT`, `INP:SOUR`, `DET:TEMP`, `LAS:POW`, `LAS`, `STAG:X`, `STAG:Y`, `ACQ`,
`SPEC?`, `DET:PIX?`, `GRAT:POLY?`, `STAT:QUES:COND?`, `*IDN?`, `SYST:ERR?`.
"""

import datetime as dt
import json

import numpy as np
import xarray as xr

from analysis.core import InstrumentError
from instruments.drivers.device import Choice, Number, Switch
from instruments.drivers.scpi import ScpiDriver

__all__ = ["GratingSpectrometer"]

BIAS, ELECTRONS, READ_NOISE = 300.0, 2.0, 6.0
"""Counts, electrons per count, electrons: of the data sheet."""
SATURATED = 1
MOST_PIXELS = 16_384


class GratingSpectrometer(ScpiDriver):
    """A grating spectrometer; a saturated spectrum is an error, never a clipped one."""

    messages = ("ACQ", "SPEC?", "DET:PIX?", "GRAT:POLY?", "STAT:QUES:COND?", "*IDN?", "SYST:ERR?")
    exposure = Number("INT:TIME", units="s", limits=(1e-3, 60.0), doc="Of one spectrum.")
    centre = Number("GRAT:CENT", units="m", limits=(400e-9, 900e-9), doc="Wavelength in the middle of the CCD.")
    slit = Number("SLIT:WIDT", units="m", limits=(10e-6, 500e-6), doc="Width of the slit.")
    light = Choice("INP:SOUR", options={"sample": "SAMP", "neon": "NEON", "dark": "DARK"}, doc="What is looked at.")
    detector_temperature = Number("DET:TEMP", units="degC", limits=(-70.0, 20.0), doc="Of the CCD.")
    laser_power = Number("LAS:POW", units="W", limits=(0.0, 0.1), doc="On the sample.")
    laser = Switch("LAS", "Whether the laser is on.")
    stage_x = Number("STAG:X", units="m", limits=(-5e-3, 5e-3), doc="Place on the sample.")
    stage_y = Number("STAG:Y", units="m", limits=(-5e-3, 5e-3), doc="Place on the sample.")

    def acquire(self) -> xr.Dataset:
        """Take a spectrum.

        Returns
        -------
        :
            `signal` (counts, as read, with its offset) and `u_signal` (shot and read noise) along `channel`; `pixel`
            and the nominal `wavelength` (nm, air) as coordinates; time and settings as attributes.

        Raises
        ------
        InstrumentError
            If a pixel is saturated, or the block has not the number of pixels.
        """
        self.send("ACQ")
        if int(self.number("STAT:QUES:COND?")) & SATURATED:
            msg = (
                f"{self.resource} ({self.name}): saturated at an exposure of {self.exposure:g} s; choose a shorter one"
            )
            raise InstrumentError(msg)
        counts = np.frombuffer(self._line.query_block("SPEC?", limit=2 * MOST_PIXELS), dtype="<u2").astype(float)
        pixels = int(self.number("DET:PIX?"))
        if counts.size != pixels:
            msg = f"{self.resource} ({self.name}): {pixels} pixels were expected, {counts.size} came; take it again"
            raise InstrumentError(msg)
        pixel = np.arange(pixels, dtype=float)
        axis = 1e9 * np.polynomial.Polynomial(self.numbers("GRAT:POLY?", 3))(pixel)
        u = np.sqrt(np.maximum(counts - BIAS, 1.0) * ELECTRONS + READ_NOISE**2) / ELECTRONS
        when = dt.datetime.fromtimestamp(self.clock.timestamp(), tz=dt.UTC)
        return xr.Dataset(
            {"signal": ("channel", counts, {"units": "counts"}), "u_signal": ("channel", u, {"units": "counts"})},
            coords={
                "pixel": ("channel", pixel, {"units": "1", "long_name": "pixel"}),
                "wavelength": ("channel", axis, {"units": "nm", "long_name": "nominal wavelength", "medium": "air"}),
            },
            attrs={"acquired": when.isoformat(), "settings": json.dumps(self.snapshot())},
        )

    def values(self) -> dict[str, tuple[list[float], str]]:
        """Take a spectrum, as a list."""
        return {self.name: (self.acquire()["signal"].values.tolist(), "counts")}

    def keys(self) -> dict[str, tuple[str, list[int | None]]]:
        """Say what `values` returns."""
        return {self.name: ("counts", [int(self.number("DET:PIX?"))])}

    def safe_state(self) -> None:
        """Switch the laser off."""
        self.send("LAS OFF;:LAS:POW 0")
