"""Rotational constants from combination differences, and the bond length of a diatomic molecule.

Lines R(J) and P(J) end on different levels of the upper state and begin on the same of the lower, so their difference
tells the upper state alone; R(J-1) and P(J+1) tell the lower.
Not here: line positions (`analysis.gas.positions`).
References: Herzberg, Spectra of Diatomic Molecules (1950), chapter IV; CODATA 2022.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from analysis.core import CalibrationError
from analysis.gas.band import Band
from analysis.uncertainty import Budget, Quantity, Source, propagate

__all__ = ["Rotation", "bond_length", "combination_differences"]

FEWEST = 3
CODATA = "CODATA 2022"
FACTOR = 1.0 / (8.0 * np.pi**2 * 299_792_458.0)
PLANCK = 6.62607015e-34
ATOMIC = (1.66053906892e-27, 0.00000000052e-27)


@dataclass(frozen=True, kw_only=True)
class Rotation:
    """Rotational constants of both states of a band, cm-1; they share sources, so they are correlated."""

    lower_b: Quantity
    lower_d: Quantity
    upper_b: Quantity
    upper_d: Quantity
    chisqr: float
    """Of all differences together; NaN if a line has no u."""
    dof: int


def combination_differences(positions: Mapping[str, Quantity], band: Band) -> Rotation:
    """Determine B and D of both states from differences of lines that share a level.

    Parameters
    ----------
    positions:
        Lines by name (`"R5"`, `"P7"`), cm-1.
    band:
        Gives the third constant H, which is held (it moves R(10) by 1e-5 cm-1).

    Returns
    -------
    :
        Least squares weighted by the u of each difference. Errors that all lines share, as that of the axis, are
        carried as such.

    Raises
    ------
    CalibrationError
        If fewer than three differences of a state are there, or the positions are none in cm-1.
    """
    if not positions:
        msg = "combination differences need lines by name ('R5', 'P7', ...), got nothing. See line_positions"
        raise CalibrationError(msg)
    wrong = [name for name, each in positions.items() if each.units != "cm-1" or name[:1] not in ("P", "R")]
    if wrong:
        msg = f"positions must be in cm-1 and named as 'R5' or 'P7', got {wrong[:5]}. Take them from line_positions"
        raise CalibrationError(msg)
    states = {}
    top = max(int(name[1:]) for name in positions)
    for state, apart in (("upper", 0), ("lower", 1)):
        pairs = {j: (f"R{j - apart}", f"P{j + apart}") for j in range(1, 1 + top)}
        known = {j: positions[a] - positions[b] for j, (a, b) in pairs.items() if a in positions and b in positions}
        states[state] = _state(known, state, band)
    (upper_b, upper_d, chisqr, dof), (lower_b, lower_d, more, others) = states["upper"], states["lower"]
    return Rotation(
        lower_b=lower_b, lower_d=lower_d, upper_b=upper_b, upper_d=upper_d, chisqr=chisqr + more, dof=dof + others
    )


def _state(known: Mapping[int, Quantity], state: str, band: Band) -> tuple[Quantity, Quantity, float, int]:
    if len(known) < FEWEST:
        msg = (
            f"the {state} state needs {FEWEST} differences of lines, got {len(known)} (J = {list(known)}). Measure "
            "both branches"
        )
        raise CalibrationError(msg)
    j = np.array(list(known), dtype=float)
    above, below = (j + 1.0) * (j + 2.0), (j - 1.0) * j
    design = np.stack([above - below, below**2 - above**2], axis=1)
    seen = np.array([each.value for each in known.values()])
    noise = np.array([_own(each) for each in known.values()])
    rest = seen - band.facts[f"{state}_H"].value * (above**3 - below**3)
    weight = 1.0 / noise if (noise > 0.0).all() else np.ones(j.size)
    answer = np.linalg.pinv(design * weight[:, None]) * weight
    values = answer @ rest
    residual = (rest - design @ values) * weight
    chisqr = float(residual @ residual) if (noise > 0.0).all() else float("nan")
    made = []
    for k, name in enumerate("BD"):
        parts: dict[Source, float] = {}
        for factor, each in zip(answer[k], known.values(), strict=True):
            for source, part in (each.components or {}).items():
                parts[source] = parts.get(source, 0.0) + factor * part
        label = f"{name} of the {state} state"
        made.append(Quantity.from_components(float(values[k]), parts, units="cm-1", label=label))
    return made[0], made[1], chisqr, j.size - 2


def _own(difference: Quantity) -> float:
    """Return the u of a difference that no other has: what is independent in each line."""
    return float(np.sqrt(sum(part**2 for source, part in (difference.components or {}).items() if source.kind == "A")))


def bond_length(rotation: Rotation, band: Band) -> Budget:
    """Return the equilibrium bond length.

    Parameters
    ----------
    rotation:
        From `combination_differences`.
    band:
        Gives the reduced mass and the second order of the vibrational dependence, γe.

    Returns
    -------
    :
        √(h/(8π² c μ Be)) in pm with Be = (3 B0 - B1)/2 + 3 γe/4 and atomic masses; electrons that do not follow the
        nuclei make it differ by some 1e-5 from that of the Born-Oppenheimer potential.

    Raises
    ------
    CalibrationError
        If the constants give no length.
    """
    if not 3.0 * rotation.lower_b.value > rotation.upper_b.value > 0.0:
        msg = f"no bond length follows from B = {rotation.lower_b} and {rotation.upper_b}; both must be above 0"
        raise CalibrationError(msg)
    source = Source(id="constant:atomic mass", label="atomic mass constant", units="kg", origin=CODATA)
    unit = Quantity.from_components(ATOMIC[0] / 1e-27, {source: ATOMIC[1] / 1e-27}, units="1", label="atomic mass")
    inputs = {
        "b0": rotation.lower_b, "b1": rotation.upper_b, "second": band.facts["gamma_e"],
        "mass": band.facts["reduced_mass"], "unit": unit,
    }  # fmt: skip
    # h/(8π²c) in J s² m⁻¹, B in 100 m⁻¹, μ in 1e-27 kg: the root is in m.
    factor = PLANCK * FACTOR / (1e-27 * 100.0) * 1e24
    formula = f"sqrt({factor!r}/(mass*unit*((3*b0 - b1)/2 + 0.75*second)))"
    return propagate(formula, inputs, name=f"bond length of {band.molecule}", units="pm", check_units=False)
