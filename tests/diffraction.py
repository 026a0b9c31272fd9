"""Simulated powder patterns and what is fitted to them, for tests and for the coverage of stated intervals."""

from dataclasses import replace

import numpy as np

from analysis import diffraction, peaks
from analysis.uncertainty import Quantity

SILICON = diffraction.phase("SRM 640f")
LINES = diffraction.radiation("Cu Ka Hoelzer")
RADIUS = 217.5


def counted(machine=None, *, seed=1, two_theta=(25.0, 118.0, 0.02), half_width=1.0, phase=SILICON, **settings):
    """Count a pattern of silicon and keep what lies near its lines."""
    whole = diffraction.simulate(
        phase, LINES, seed=seed, two_theta=two_theta, diffractometer=machine or diffraction.Diffractometer(), **settings
    )
    table = diffraction.reflections(phase, LINES, *two_theta[:2])
    return diffraction.near(whole, table, half_width=half_width)


def fitted(pattern, radiation=LINES, **settings):
    """Fit it; return the fit and the model."""
    made = diffraction.pattern_model(pattern, SILICON, radiation, radius=RADIUS, **settings)
    return peaks.fit(pattern, made.model, made.params, axis="two_theta", loss="poisson"), made


def one_trial(rng, *, radiation=LINES, profile="voigt"):
    """Draw wavelength, displacement, temperature and counts anew; return what is stated of the lattice parameter."""
    truth = SILICON.cell["a"].value
    stretch = 1.0 + rng.normal(0, LINES.wavelength.u / LINES.wavelength.value)
    warmth = rng.normal(0, 0.5)
    cell = Quantity(
        value=truth * (1.0 + SILICON.expansion.value * (1.5 + warmth)) / stretch, u=0.0, units="nm", label="a"
    )
    machine = diffraction.Diffractometer(displacement=rng.normal(0, 0.05))
    pattern = counted(
        machine, seed=int(rng.integers(2**31)), phase=replace(SILICON, cell={"a": cell}), two_theta=(25.0, 98.0, 0.02)
    )
    fit, _ = fitted(pattern, radiation, profile=profile)
    thermometer = Quantity(value=SILICON.temperature + 1.5, u=0.5, units="degC", label="thermometer")
    return diffraction.lattice_parameter(fit, SILICON, LINES, temperature=thermometer)


def coverage(*, trials, seed, **settings):
    """Return how often the 95 % interval holds the truth, and the mean deviation over the truth."""
    rng = np.random.default_rng(seed)
    truth = SILICON.cell["a"].value
    found = [one_trial(rng, **settings) for _ in range(trials)]
    held = [abs(each.value - truth) <= each.U(0.95) for each in found]
    return float(np.mean(held)), float(np.mean([each.value / truth - 1.0 for each in found]))
