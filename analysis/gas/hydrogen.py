"""The Rydberg constant from Balmer lines that are not resolved into their fine structure.

Levels of one n differ by their fine structure (Dirac), and a line that is not resolved stands at the mean of its
components, weighted by their strengths: radial integrals of hydrogen times the shares of a doublet. That mean lies
0.2 cm-1 above the lines of Bohr; Lamb shifts (0.04 cm-1 in 2s, for a fifth of the light) and how the upper levels are
filled are in the budget as one source.
Not here: the refraction of air (`analysis.calibration`).
References: Bethe and Salpeter, Quantum Mechanics of One- and Two-Electron Atoms (1957), sections 17, 63 and 64; CODATA
2022.
"""

import csv
import math
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.polynomial import laguerre
from scipy import special

from analysis.calibration import AirConditions
from analysis.core import CalibrationError
from analysis.uncertainty import Budget, Quantity, Source, distributions, propagate

__all__ = ["balmer", "rydberg"]

ORIGIN = "NIST Atomic Spectra Database, doi:10.18434/T4W30F"
ALPHA = 7.2973525643e-3
ELECTRON_OVER_PROTON = 1.0 / 1836.152673426
NOMINAL = 109_737.0
LAMB = 0.0353
"""Of 2s above 2p 1/2, cm-1."""
HIGHEST = 30
TRANSITIONS = (
    (1, 0, ((1.5, 0.5, 2.0), (0.5, 0.5, 1.0))),
    (0, 1, ((0.5, 1.5, 2.0), (0.5, 0.5, 1.0))),
    (2, 1, ((2.5, 1.5, 9.0), (1.5, 0.5, 5.0), (1.5, 1.5, 1.0))),
)
"""l of the upper and lower level; j of both and the share of the light."""


def balmer() -> dict[int, Quantity]:
    """Return the observed wavelengths of the Balmer lines.

    Returns
    -------
    :
        By the upper n (3 to 6), in nm in standard air.
    """
    text = files("analysis.gas").joinpath("data", "H.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(row for row in text.splitlines() if not row.startswith("#"))
    made = {}
    for row in rows:
        label = f"Balmer line from n = {row['n']}"
        source = Source(id=f"line:H:{row['wavelength']}", label=label, units="nm", origin=ORIGIN)
        parts = {source: float(row["u"])}
        made[int(row["n"])] = Quantity.from_components(
            float(row["wavelength"]), parts, units="nm", label=label, source=ORIGIN
        )
    return made


@cache
def _radial(n: int, upper: int, lower: int) -> float:
    """Return the radial integral of r between (n, upper) and (2, lower), in Bohr radii."""
    points, weights = laguerre.laggauss(80)
    rate = 1.0 / n + 0.5
    r = points / rate

    def wave(level: int, momentum: int) -> np.ndarray:
        norm = math.sqrt(
            (2.0 / level) ** 3 * math.factorial(level - momentum - 1) / (2.0 * level * math.factorial(level + momentum))
        )
        inner = 2.0 * r / level
        return norm * inner**momentum * special.eval_genlaguerre(level - momentum - 1, 2 * momentum + 1, inner)

    return float((weights * r**3 * wave(n, upper) * wave(2, lower)).sum() / rate)


def _fine(n: int, j: float) -> float:
    """Return the fine structure of a level, cm-1."""
    return -NOMINAL * ALPHA**2 / n**3 * (1.0 / (j + 0.5) - 0.75 / n)


@cache
def _shift(n: int) -> tuple[float, float]:
    """Return how far the mean of the components lies above Bohr's line, and the u of that, cm-1."""
    shifts, shares = [], []
    for upper, lower, pairs in TRANSITIONS:
        strength = max(upper, lower) * _radial(n, upper, lower) ** 2
        whole = sum(share for *_, share in pairs)
        for j, k, share in pairs:
            shifts.append(_fine(n, j) - _fine(2, k) - (LAMB if lower == 0 else 0.0))
            shares.append(strength * share / whole)
    mean = float(np.average(shifts, weights=shares))
    # Where the strong d to p doublet alone is filled as its statistical weights say, or all components alike.
    bounds = float(np.ptp([mean, np.mean(shifts), np.average(shifts[4:], weights=shares[4:])]))
    return mean, bounds / math.sqrt(3.0)


def rydberg(wavelengths: Mapping[int, Quantity], *, air: AirConditions | None = None) -> Budget:
    """Determine the Rydberg constant R∞ from Balmer lines.

    Parameters
    ----------
    wavelengths:
        By the upper n, nm in air; unresolved lines of hydrogen-1.
    air:
        In which they were measured; None is standard air.

    Returns
    -------
    :
        The mean of the lines weighted by what each has of its own, in cm-1. Sources that lines share, such as the
        calibration of one spectrometer, are carried as such.

    Raises
    ------
    CalibrationError
        If there is no line, an n is out of range, or a wavelength is no Balmer line of it.
    """
    if not wavelengths:
        msg = "no lines given; wanted {3: Quantity(value=656.279, u=0.003, units='nm'), ...}"
        raise CalibrationError(msg)
    conditions = air or AirConditions()
    single = {n: _one(n, each, conditions) for n, each in wavelengths.items()}
    weights = {n: 1.0 / each.u**2 for n, each in single.items() if each.u > 0.0}
    if len(weights) < len(single):
        weights = dict.fromkeys(single, 1.0)
    total = sum(weights.values())
    formula = " + ".join(f"{weights[n] / total!r}*line_{n}" for n in single)
    inputs = {f"line_{n}": each.to_quantity() for n, each in single.items()}
    return propagate(formula, inputs, name="Rydberg constant", units="cm-1")


def _one(n: int, wavelength: Quantity, air: AirConditions) -> Budget:
    if not 3 <= n <= HIGHEST:  # noqa: PLR2004
        msg = f"the upper level of a Balmer line must lie in [3, {HIGHEST}], got {n}"
        raise CalibrationError(msg)
    bohr = 0.25 - 1.0 / n**2
    expected = 1e7 / (NOMINAL / (1.0 + ELECTRON_OVER_PROTON) * bohr)
    if wavelength.units != "nm" or not abs(wavelength.value / expected - 1.0) < 0.01:  # noqa: PLR2004
        msg = f"the Balmer line from n = {n} stands near {expected:.1f} nm in vacuum, got {wavelength}. In nm, in air?"
        raise CalibrationError(msg)
    above, u = _shift(n)
    blend = Source(
        id="gas:fine structure of H", label="blend of the fine structure", units="cm-1",
        distribution=distributions.rectangular(), origin="bounds of how the upper levels are filled",
    )  # fmt: skip
    inputs = {
        "index": air.index(wavelength.value * (1.0 + 2.8e-4)),
        "wavelength": wavelength,
        "above": Quantity.from_components(above, {blend: u}, units="cm-1", label=blend.label),
        "unit": Quantity(value=1e7, u=0.0, units="nm cm-1", label="nm in a cm"),
    }
    factor = (1.0 + ELECTRON_OVER_PROTON) / bohr
    return propagate(f"(unit/(wavelength*index) - above)*{factor!r}", inputs, name=f"R from n = {n}", units="cm-1")
