"""Spectra of a gas with known truth: what a Fourier-transform spectrometer with these faults records.

Not here: the fit (`analysis.gas.fitting`).
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import xarray as xr

from analysis.core import CHANNEL
from analysis.gas.band import Band
from analysis.gas.interferometer import Interferometer
from analysis.gas.transmittance import transmittance

__all__ = ["simulate"]


def simulate(
    band: Band,
    wavenumber: npt.ArrayLike,
    *,
    pressures: Sequence[float],
    interferometer: Interferometer,
    seed: int,
    temperature: float = 296.0,
    fraction: float = 0.01,
    path: float = 10.0,
    noise: float = 1e-3,
    dark: float = 0.0,
) -> xr.Dataset:
    """Record transmittance at several pressures.

    Parameters
    ----------
    band:
        From `band(name)`.
    wavenumber:
        Channels in cm-1, evenly spaced.
    pressures:
        One for each spectrum, hPa.
    interferometer:
        The spectrometer.
    seed:
        Of the noise; equal seeds give equal spectra.
    temperature:
        K.
    fraction:
        Amount of the molecule over that of all gas.
    path:
        cm.
    noise:
        Standard deviation of the transmittance, >= 0.
    dark:
        Fault of the detector: what it reports where no light falls, in units of full light.

    Returns
    -------
    :
        Dims `(record, channel)` with `u_signal`; each spectrum has its own level and slope of some tenths of a per
        cent. The truth is in the attributes `truth_...`.
    """
    x = np.asarray(wavenumber, dtype=float)
    rng = np.random.default_rng(seed)
    rows = []
    for pressure in pressures:
        clear = transmittance(
            x, band, temperature=temperature, pressure=pressure, fraction=fraction, path=path,
            interferometer=interferometer,
        ).values  # fmt: skip
        level, slope = rng.normal(0.0, 3e-3, 2)
        background = 1.0 + level + slope * np.linspace(-1.0, 1.0, x.size)
        rows.append(background * (clear + dark) / (1.0 + dark) + rng.normal(0.0, noise, x.size))
    return xr.Dataset(
        {
            "signal": (("record", CHANNEL), np.array(rows), {"units": "1", "long_name": "transmittance"}),
            "u_signal": (("record", CHANNEL), np.full((len(rows), x.size), max(noise, 1e-12)), {"units": "1"}),
        },
        coords={
            "wavenumber": (CHANNEL, x, {"units": "cm-1"}),
            "pressure": ("record", np.asarray(pressures, dtype=float), {"units": "hPa", "long_name": "nominal"}),
        },
        attrs={
            "truth_temperature": temperature, "truth_pressures": list(map(float, pressures)),
            "truth_fraction": fraction, "truth_path": path, "seed": seed, "simulated": "analysis.gas.simulate",
        },
    )  # fmt: skip
