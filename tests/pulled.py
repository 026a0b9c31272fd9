"""Simulated tensile tests with known truth: steel, steel with a yield point, aluminium, a polymer.

Stress is a function of plastic strain with its maximum at a known place; the machine adds toe, class errors and noise.
Not here: the simulated testing frame (`instruments.simulators`).
"""

from dataclasses import dataclass

import numpy as np
import xarray as xr

from analysis.tensile import Specimen
from analysis.uncertainty import Quantity

AREA, LENGTH, RATE = 78.54, 50.0, 50.0


@dataclass(frozen=True, kw_only=True)
class Material:
    E: float  # MPa
    start: float
    Rm: float
    uniform: float
    end: float
    upper: float = 0.0
    luders: float = 0.0
    neck: float = 0.25

    def stress(self, p):
        shifted = np.clip(p - self.luders, 0, None)
        to_top = np.clip(1 - shifted / (self.uniform - self.luders), 0, 1)
        rising = self.Rm - (self.Rm - self.start) * to_top**2
        past = np.clip((p - self.uniform) / (self.end - self.uniform), 0, None)
        peak = max(self.upper - self.start, 0.0) * np.clip(1 - p / 0.0004, 0, None)
        return rising + peak - self.neck * self.Rm * past**2

    def truth(self):
        rp = float(self.stress(0.002))
        found = {"E": self.E * 1e-3, "Rp0.2": rp, "Rm": self.Rm, "Ag": 100 * self.uniform,
                 "Agt": 100 * (self.uniform + self.Rm / self.E), "A": 100 * self.end}  # fmt: skip
        return found | ({"ReH": self.upper, "ReL": self.start} if self.upper else {})


MATERIALS = {
    "steel": Material(E=205e3, start=350.0, Rm=520.0, uniform=0.15, end=0.24),
    "luders": Material(E=208e3, start=300.0, Rm=430.0, uniform=0.18, end=0.3, upper=330.0, luders=0.018),
    "aluminium": Material(E=70e3, start=240.0, Rm=310.0, uniform=0.08, end=0.12),
    "polymer": Material(E=3e3, start=30.0, Rm=62.0, uniform=0.03, end=0.12),
}


def specimen(**changes):
    given = {
        "area": Quantity(value=AREA, u=0.1, units="mm2", label="cross-section"),
        "gauge_length": Quantity(value=LENGTH, u=0.05, units="mm", label="gauge length"),
        "force_class": 0.5,
        "extension_class": 0.5,
    }
    return Specimen(**(given | changes))


def pull(name, *, seed=1, noise=(2.0, 2e-4), errors=True, toe=0.01, compliance=0.0):
    """Return the record of one test; `errors` draws cross-section, gauge length and both calibrations anew."""
    rng, material = np.random.default_rng(seed), MATERIALS[name]
    draw = rng.uniform(-1, 1, 2) if errors else np.zeros(2)
    area, length = (AREA + 0.1 * rng.normal(), LENGTH + 0.05 * rng.normal()) if errors else (AREA, LENGTH)
    yield_stress = max(material.start, material.upper)
    elastic = np.linspace(0, yield_stress / material.E, 40_000, endpoint=False)
    p = np.concatenate([np.zeros(elastic.size), np.geomspace(1e-7, material.end, 80_000)])
    stress = np.concatenate([material.E * elastic, material.stress(p[elastic.size :])])
    strain = p + stress / material.E
    strain = np.maximum.accumulate(strain)
    slow = 0.02 / 0.00025
    time = np.arange(0, slow + (strain[-1] - 0.02) / 0.0067, 1 / RATE)
    pulled = np.where(time < slow, 0.00025 * time, 0.02 + 0.0067 * (time - slow))
    force = np.interp(pulled, strain, stress) * area
    extension = pulled * length * (1 + toe * np.exp(-pulled / 2e-4) / 10) + compliance * force
    limit = np.maximum(0.005 * extension, 1.5e-3)
    force = np.append(force * (1 + 0.005 * draw[0]), np.full(5, 3.0))
    extension = extension + limit * draw[1] * np.minimum(extension / 0.01, 1)
    extension = np.append(extension, np.full(5, extension[-1]))
    time = np.append(time, time[-1] + np.arange(1, 6) / RATE)
    force = force + noise[0] * rng.normal(size=force.size)
    extension = extension + noise[1] * rng.normal(size=extension.size)
    column = "crosshead" if compliance else "extension"
    return xr.Dataset(
        {"force": ("channel", force, {"units": "N"}), column: ("channel", extension, {"units": "mm"})},
        coords={"time": ("channel", time, {"units": "s"})},
    )
