"""Spectra with peaks of known area on curved backgrounds, for the uncertainty of a baseline."""

from dataclasses import dataclass

import numpy as np
import xarray as xr

BACKGROUNDS = ("cubic", "fluorescence", "waves", "broad line")
REGIONS = [(48.0, 112.0), (158.0, 222.0), (278.0, 342.0)]
CHANNELS, SIGMA, NOISE = 400, 12.0 / 2.3548, 5.0


@dataclass(frozen=True, kw_only=True)
class Drawn:
    spectra: xr.Dataset
    areas: np.ndarray
    start: dict[str, np.ndarray]


def background(kind, rng, count):
    x = np.linspace(0.0, 1.0, CHANNELS)[None]

    def one(low, high):
        return rng.uniform(low, high, (count, 1))

    if kind == "cubic":
        return 300 + one(-100, 100) * x + one(-200, 200) * (x - 0.5) ** 2 + one(-300, 300) * (x - 0.5) ** 3
    if kind == "fluorescence":
        hump = one(200, 800) * np.exp(-0.5 * ((x - one(0.2, 0.8)) / one(0.15, 0.5)) ** 2)
        return one(50, 150) + hump + one(0, 300) * np.exp(-x / one(0.1, 0.5))
    if kind == "waves":
        parts = [
            rng.normal(0, 150 / k**2, (count, 1)) * np.cos(np.pi * k * x)
            + rng.normal(0, 150 / k**2, (count, 1)) * np.sin(np.pi * k * x)
            for k in range(1, 5)
        ]
        return np.maximum(800 + sum(parts), 20.0)
    return one(50, 150) + one(200, 800) / (1 + ((x - one(-0.2, 1.2)) / one(0.15, 0.4)) ** 2)


def draw(rng, kind, noise, count):
    x = np.arange(CHANNELS, dtype=float)
    centres = np.array([80.0, 190.0, 310.0]) + rng.uniform(-15, 15, (count, 3))
    heights = rng.uniform(50, 300, (count, 3))
    lines = heights[:, :, None] * np.exp(-0.5 * ((x - centres[:, :, None]) / SIGMA) ** 2)
    truth = background(kind, rng, count) + lines.sum(axis=1)
    signal = rng.poisson(truth).astype(float) if noise == "counting" else truth + rng.normal(0, NOISE, truth.shape)
    u = np.sqrt(truth) if noise == "counting" else np.full_like(truth, NOISE)
    dims, units = ("spectrum", "channel"), {"units": "counts"}
    spectra = xr.Dataset(
        {"signal": (dims, signal, units), "u_signal": (dims, u, units)},
        coords={"raman_shift": ("channel", x, {"units": "cm-1"})},
    )
    areas = heights * SIGMA * np.sqrt(2 * np.pi)
    start = {}
    for k, name in enumerate("abc"):
        start |= {f"{name}_center": centres[:, k], f"{name}_amplitude": areas[:, k]}
        start[f"{name}_sigma"] = np.full(count, SIGMA)
    return Drawn(spectra=spectra, areas=areas, start=start)
