"""Simulated pulse-height spectra of a germanium detector, with their truth beside them.

Not here: evaluation.
Reference: Knoll, Radiation Detection and Measurement, 4th ed., ch. 10 and 12.
"""

from collections.abc import Mapping

import numpy as np
import xarray as xr

from analysis.core import CHANNEL, SpectrumError
from analysis.gamma.nuclides import nuclide
from analysis.gamma.photopeak import TO_SIGMA, photopeak

__all__ = ["simulate"]

ELECTRON = 510.99895
PEAK_TO_COMPTON = 0.15  # share of the pulses of a line that hold its full energy


def simulate(
    activities: Mapping[str, float],
    *,
    seed: int,
    live_time: float = 3600.0,
    channels: int = 8192,
    gain: float = 0.25,
    offset: float = 0.0,
    tail: float = 0.0,
    step: float = 0.002,
    background: float = 20.0,
    dead_time: float = 5e-6,
) -> xr.Dataset:
    """Count a spectrum of nuclides.

    Each line is a photopeak (FWHM² = 0.8 keV² + 0.0022 keV E; ln ε = -0.9 ln (E / keV) + 0.9 up from 100 keV) on its
    Compton continuum up to the edge; all channels are Poisson counts.

    Parameters
    ----------
    activities:
        Bq by nuclide, in a small distance.
    seed:
        Of the generator.
    live_time:
        s.
    channels:
        Number of channels.
    gain, offset:
        keV for a channel; keV of channel 0.
    tail, step:
        Of the photopeaks; the tail is one FWHM long.
    background:
        Counts of each channel at 1 keV, falling with the root of the energy.
    dead_time:
        s for each pulse, which does not prolong itself.

    Returns
    -------
    :
        Dims `(channel,)`, coordinate `pixel`; attributes `live_time_s`, `real_time_s`, `truth` (text) and `seed`.

    Raises
    ------
    SpectrumError
        If there is nothing to count.
    """
    if live_time <= 0.0 or gain <= 0.0 or any(a < 0.0 for a in activities.values()):
        msg = (
            f"wanted live time and gain > 0 and activities >= 0, got {live_time:g} s, {gain:g} keV, {dict(activities)}"
        )
        raise SpectrumError(msg)
    x = np.arange(channels, dtype=float)
    energy = offset + gain * x
    mean = background / np.sqrt(np.maximum(energy, 1.0))
    for name, amount in activities.items():
        for line in nuclide(name).lines:
            at = line.energy.value
            area = amount * live_time * line.intensity.value * float(np.exp(0.9 - 0.9 * np.log(max(at, 100.0))))
            sigma = TO_SIGMA * np.sqrt(0.8 + 0.0022 * at)
            mean += gain * photopeak(energy, area, at, sigma, tail, sigma / TO_SIGMA, step)
            edge = at * 2.0 * at / (ELECTRON + 2.0 * at)
            continuum = area * (1.0 / PEAK_TO_COMPTON - 1.0) / edge * gain
            mean += continuum * 0.5 * (1.0 - np.tanh((energy - edge) / 4.0))
    counts = np.random.default_rng(seed).poisson(mean).astype(float)
    return xr.Dataset(
        {"signal": (CHANNEL, counts, {"units": "1"})},
        coords={"pixel": (CHANNEL, x, {"units": "1"})},
        attrs={
            "live_time_s": live_time,
            "real_time_s": live_time + dead_time * float(counts.sum()),
            "truth": f"{dict(activities)} Bq; {offset:g} keV + {gain:g} keV x channel; FWHM^2 = 0.8 + 0.0022 E",
            "seed": seed,
        },
    )
