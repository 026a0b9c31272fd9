"""Packaged lines of nuclides and elements: value, u and source.

Not here: which of them are in a spectrum (`analysis.gamma.identify`).
"""

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from analysis.core import CalibrationError, did_you_mean
from analysis.uncertainty import Quantity, Source

__all__ = ["Line", "Nuclide", "nuclide", "nuclides", "xray"]

XRAYS = "Hölzer et al., doi:10.1103/PhysRevA.56.4554; NIST SRD 128"


@dataclass(frozen=True, kw_only=True)
class Line:
    """One gamma line."""

    energy: Quantity
    """keV."""
    intensity: Quantity
    """Photons for one decay."""


@dataclass(frozen=True, kw_only=True)
class Nuclide:
    """A nuclide with the lines of its own decay; daughters are nuclides of their own."""

    name: str
    half_life: Quantity
    """s."""
    lines: tuple[Line, ...]
    """By rising energy."""

    def line(self, energy: float, *, within: float = 1.0) -> Line:
        """Return the line at an energy.

        Parameters
        ----------
        energy:
            keV.
        within:
            The most that it may be away, keV.

        Returns
        -------
        :
            The nearest line.

        Raises
        ------
        CalibrationError
            If there is none.
        """
        nearest = min(self.lines, key=lambda line: abs(line.energy.value - energy))
        if not abs(nearest.energy.value - energy) <= within:
            has = [line.energy.value for line in self.lines]
            msg = f"{self.name} has no packaged line within {within:g} keV of {energy:g} keV; it has {has}"
            raise CalibrationError(msg)
        return nearest


@cache
def _table(name: str) -> tuple[dict[str, str], ...]:
    text = files("analysis.gamma").joinpath("data", f"{name}.csv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(row for row in text.splitlines() if not row.startswith("#")))


def _figure(value: str, u: str, *, units: str, label: str, origin: str) -> Quantity:
    source = Source(id=f"nuclear:{label}", label=label, units=units, origin=origin, tags=("nuclear data",))
    return Quantity.from_components(float(value), {source: float(u)}, units=units, label=label, source=origin)


def nuclides() -> tuple[str, ...]:
    """Return the names of the packaged nuclides.

    Returns
    -------
    :
        In alphabetical order.
    """
    return tuple(dict.fromkeys(row["nuclide"] for row in _table("nuclides")))


@cache
def nuclide(name: str) -> Nuclide:
    """Return a packaged nuclide: figures of the Decay Data Evaluation Project (LNHB).

    Parameters
    ----------
    name:
        For example `"Cs-137"`.

    Returns
    -------
    :
        Its figures have sources of fixed id: results that used the same figure are correlated through it.

    Raises
    ------
    CalibrationError
        If it is not packaged.
    """
    if name not in nuclides():
        msg = f"no packaged nuclide {name!r}; there are {list(nuclides())}.{did_you_mean(name, nuclides())}"
        raise CalibrationError(msg)
    rows = [row for row in _table("nuclides") if row["nuclide"] == name]
    first = rows[0]
    return Nuclide(
        name=name,
        half_life=_figure(
            first["half_life"], first["u_half_life"], units="s", label=f"half-life of {name}", origin=first["source"]
        ),
        lines=tuple(_line(row) for row in rows),
    )


def _line(row: dict[str, str]) -> Line:
    at = f"{row['nuclide']} {row['energy']} keV"
    return Line(
        energy=_figure(row["energy"], row["u_energy"], units="keV", label=f"energy of {at}", origin=row["source"]),
        intensity=_figure(
            row["intensity"], row["u_intensity"], units="1", label=f"intensity of {at}", origin=row["source"]
        ),
    )


def xray(element: str) -> Quantity:
    """Return the energy of the Kα1 line of an element.

    Parameters
    ----------
    element:
        Its symbol.

    Returns
    -------
    :
        keV, with its u and source.

    Raises
    ------
    CalibrationError
        If it is not packaged.
    """
    rows = {row["element"]: row for row in _table("xrays")}
    if element not in rows:
        msg = f"no packaged Kα1 line of {element!r}; there are {list(rows)}.{did_you_mean(element, rows)}"
        raise CalibrationError(msg)
    row = rows[element]
    return _figure(row["energy"], row["u_energy"], units="keV", label=f"energy of {element} Kα1", origin=XRAYS)
