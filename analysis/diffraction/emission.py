"""What an X-ray tube emits: wavelengths, natural widths and shares of its lines, packaged with u and source.

Not here: angles (`analysis.diffraction.bragg`).
"""

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from analysis.core import CalibrationError, did_you_mean
from analysis.uncertainty import Quantity, Source

__all__ = ["Line", "Radiation", "radiation", "read_table"]

ORIGIN = "Deslattes et al., International Tables C (2006) 4.2.2; Hölzer et al., doi:10.1103/PhysRevA.56.4554"


@dataclass(frozen=True, kw_only=True)
class Line:
    """One Lorentzian of an emission spectrum."""

    name: str
    wavelength: float
    """nm."""
    fwhm: float
    """Natural width, nm; 0 if it is left to the widths of the fit."""
    weight: float
    """Share of the integral."""


@dataclass(frozen=True, kw_only=True)
class Radiation:
    """The lines that are told apart in a pattern, and the wavelength that angles are stated for."""

    name: str
    wavelength: Quantity
    """Top of the strongest line, nm; all lines are known in proportion to it."""
    lines: tuple[Line, ...]


def read_table(name: str) -> list[dict[str, str]]:
    """Read a packaged table of this room.

    Parameters
    ----------
    name:
        Of the file, without suffix.

    Returns
    -------
    :
        Its rows.
    """
    text = files("analysis.diffraction").joinpath("data", f"{name}.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(row for row in text.splitlines() if not row.startswith("#")))


@cache
def radiation(name: str) -> Radiation:
    """Return what an X-ray tube emits.

    Parameters
    ----------
    name:
        `"Cu Ka"` (two lines), `"Cu Ka Hoelzer"` (four Lorentzians), or one line of a monochromator: `"Cu Ka1"`,
        `"Co Ka1"`, `"Fe Ka1"`, `"Cr Ka1"`, `"Mo Ka1"`.

    Returns
    -------
    :
        Wavelengths in nm with a source of fixed id: results that used the same line are correlated through it.

    Raises
    ------
    CalibrationError
        If it is not packaged.
    """
    rows = read_table("emission")
    names = list(dict.fromkeys(row["radiation"] for row in rows))
    if name not in names:
        msg = f"no packaged radiation {name!r}; there are {names}.{did_you_mean(name, names)}"
        raise CalibrationError(msg)
    element = name.split(maxsplit=1)[0]
    top = next(row for row in rows if row["radiation"].startswith(f"{element} ") and row["line"] == "Ka1")
    source = Source(
        id=f"emission:{element} Ka1",
        label=f"wavelength of {element} Kα1",
        units="nm",
        origin=ORIGIN,
        tags=("wavelength",),
    )
    return Radiation(
        name=name,
        wavelength=Quantity.from_components(
            float(top["wavelength"]), {source: float(top["u"])}, units="nm", label=f"{element} Kα1", source=ORIGIN
        ),
        lines=tuple(
            Line(
                name=row["line"],
                wavelength=float(row["wavelength"]),
                fwhm=float(row["fwhm"]),
                weight=float(row["weight"]),
            )
            for row in rows
            if row["radiation"] == name
        ),
    )
