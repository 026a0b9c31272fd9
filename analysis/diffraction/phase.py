"""Crystalline phases: cell, centring, and the reflections that they allow.

Not here: where reflections stand in a pattern (`analysis.diffraction.bragg`).
References: International Tables for Crystallography A (2016) 1.5 (metric) and 1.6 (conditions of reflection).
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

from analysis.core import CalibrationError, did_you_mean
from analysis.diffraction.emission import read_table
from analysis.uncertainty import Quantity, Source

__all__ = ["Phase", "indices", "inverse_square", "phase"]

Ints = npt.NDArray[np.int64]
ANGLES = ("alpha", "beta", "gamma")
FREE = {
    "cubic": ("a",),
    "tetragonal": ("a", "c"),
    "hexagonal": ("a", "c"),
    "orthorhombic": ("a", "b", "c"),
    "monoclinic": ("a", "b", "c", "beta"),
}
_MOST = 100_000
_REFERENCES = 22.5
_CENTRINGS: Mapping[str, Callable[[Ints, Ints, Ints], npt.NDArray[np.bool_]]] = {
    "P": lambda h, k, l: np.ones(h.shape, dtype=bool),  # noqa: ARG005, E741
    "I": lambda h, k, l: (h + k + l) % 2 == 0,  # noqa: E741
    "F": lambda h, k, l: (h % 2 == k % 2) & (k % 2 == l % 2),  # noqa: E741
    "A": lambda h, k, l: (k + l) % 2 == 0,  # noqa: ARG005, E741
    "B": lambda h, k, l: (h + l) % 2 == 0,  # noqa: ARG005, E741
    "C": lambda h, k, l: (h + k) % 2 == 0,  # noqa: ARG005, E741
    "R": lambda h, k, l: (-h + k + l) % 3 == 0,  # noqa: E741
    "diamond": lambda h, k, l: (h % 2 == k % 2) & (k % 2 == l % 2) & ((h + k + l) % 4 != 2),  # noqa: E741, PLR2004
}


@dataclass(frozen=True, kw_only=True)
class Phase:
    """A crystalline phase by its cell, at one temperature."""

    name: str
    system: str
    """`cubic`, `tetragonal`, `hexagonal` (also trigonal, hexagonal axes), `orthorhombic`, `monoclinic` (unique b)."""
    centring: str
    """`P`, `I`, `F`, `A`, `B`, `C`, `R` (obverse), or `diamond` with its glide planes."""
    cell: Mapping[str, Quantity]
    """Free lattice parameters: lengths in nm, `beta` in degrees."""
    temperature: float = _REFERENCES
    """At which the cell is stated, degC."""
    expansion: Quantity | None = None
    """Coefficient of linear expansion of a cubic cell, 1/K."""

    def __post_init__(self) -> None:
        if self.system not in FREE:
            msg = f"system must be one of {list(FREE)}, got {self.system!r}.{did_you_mean(self.system, FREE)}"
            raise CalibrationError(msg)
        if self.centring not in _CENTRINGS:
            msg = f"centring must be one of {list(_CENTRINGS)}, got {self.centring!r}"
            raise CalibrationError(msg)
        if set(self.cell) != set(FREE[self.system]):
            msg = f"a {self.system} cell has the parameters {list(FREE[self.system])}, got {list(self.cell)}"
            raise CalibrationError(msg)
        for name, given in self.cell.items():
            wanted = "degree" if name in ANGLES else "nm"
            if given.units != wanted or given.value <= 0:
                msg = f"{name} of {self.name} must be above 0 {wanted}, got {given}. Convert it: given.to({wanted!r})"
                raise CalibrationError(msg)


def phase(name: str) -> Phase:
    """Return a packaged reference phase.

    Parameters
    ----------
    name:
        `"SRM 640f"` or `"SRM 640d"`, silicon powders of NIST.

    Returns
    -------
    :
        The phase with the certified lattice parameter, u = U/2, as a source of fixed id.

    Raises
    ------
    CalibrationError
        If it is not packaged.
    """
    rows = {row["name"]: row for row in read_table("phases")}
    if name not in rows:
        msg = f"no packaged phase {name!r}; there are {list(rows)}.{did_you_mean(name, rows)} Or make one: Phase(...)"
        raise CalibrationError(msg)
    row = rows[name]
    certified = Source(id=f"phase:{name}", label=f"certificate of {name}", units="nm", origin=row["source"])
    expands = Source(id="expansion:silicon", label="expansion of silicon", units="K-1", origin="doi:10.1063/1.333965")
    return Phase(
        name=name,
        system=row["system"],
        centring=row["centring"],
        cell={
            "a": Quantity.from_components(
                float(row["a"]), {certified: float(row["u"])}, units="nm", label=f"a of {name}", source=row["source"]
            )
        },
        temperature=float(row["temperature"]),
        expansion=Quantity.from_components(
            float(row["expansion"]), {expands: float(row["u_expansion"])}, units="K-1", label="expansion of silicon"
        ),
    )


def inverse_square(system: str, hkl: tuple[int, int, int]) -> str:
    """Write 1/d² as arithmetic on the free lattice parameters.

    Parameters
    ----------
    system:
        As in `Phase`.
    hkl:
        Miller indices.

    Returns
    -------
    :
        A formula, in nm⁻².
    """
    h, k, l = hkl  # noqa: E741
    if system == "cubic":
        return f"{h * h + k * k + l * l}/a**2"
    if system == "tetragonal":
        return f"{h * h + k * k}/a**2+{l * l}/c**2"
    if system == "hexagonal":
        return f"{4 * (h * h + h * k + k * k)}/(3*a**2)+{l * l}/c**2"
    if system == "orthorhombic":
        return f"{h * h}/a**2+{k * k}/b**2+{l * l}/c**2"
    angle = f"beta*{math.pi / 180.0!r}"
    return f"({h * h}/a**2+{l * l}/c**2-{2 * h * l}*cos({angle})/(a*c))/sin({angle})**2+{k * k}/b**2"


def indices(phase: Phase, least: float) -> tuple[npt.NDArray[np.float64], list[tuple[int, int, int]], list[int]]:
    """List the reflections of a phase down to a spacing.

    Parameters
    ----------
    phase:
        The phase.
    least:
        Smallest spacing, nm.

    Returns
    -------
    :
        Spacings in nm from large to small, one index triple for each, and how many triples share it.

    Raises
    ------
    CalibrationError
        If there are too many.
    """
    cell = {name: given.value for name, given in phase.cell.items()}
    lengths = [cell.get(name, cell["a"]) for name in ("a", "b", "c")]
    reach = [int(length / least) + 1 for length in lengths]
    if math.prod(2 * n + 1 for n in reach) > 20 * _MOST:
        msg = f"{phase.name} has too many reflections down to {least:g} nm; give a smaller greatest angle"
        raise CalibrationError(msg)
    triples = np.array(list(product(*(range(-n, n + 1) for n in reach))), dtype=np.int64)
    h, k, l = triples.T  # noqa: E741
    square = _squares(phase.system, cell, triples)
    kept = (square > 0.0) & (square <= least**-2) & _CENTRINGS[phase.centring](h, k, l)
    triples, square = triples[kept], square[kept]
    key = np.round(square * lengths[0] ** 2, 9)
    _, first, count = np.unique(key, return_index=True, return_counts=True)
    found = [
        max(((int(p), int(q), int(r)) for p, q, r in triples[key == key[at]]), key=lambda t: (min(t) >= 0, t))
        for at in first
    ]
    return 1.0 / np.sqrt(square[first]), found, [int(n) for n in count]


def _squares(system: str, cell: Mapping[str, float], triples: Ints) -> npt.NDArray[np.float64]:
    """Compute 1/d² of many triples from the metric."""
    a = cell["a"]
    b = cell.get("b", a)
    c = cell.get("c", a)
    sine, cosine = 1.0, 0.0
    if system == "monoclinic":
        sine, cosine = math.sin(math.radians(cell["beta"])), math.cos(math.radians(cell["beta"]))
    h, k, l = (column.astype(float) for column in triples.T)  # noqa: E741
    if system == "hexagonal":
        return np.asarray(4.0 / 3.0 * (h * h + h * k + k * k) / a**2 + (l / c) ** 2)
    across = ((h / a) ** 2 + (l / c) ** 2 - 2.0 * h * l * cosine / (a * c)) / sine**2
    return np.asarray(across + (k / b) ** 2)
