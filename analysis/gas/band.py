"""A rovibrational band of a diatomic molecule: levels, line positions, strengths and widths, as data with u and source.

Not here: profiles (`analysis.gas.transmittance`), what a fit makes of them (`analysis.gas.fitting`).
References: Herzberg, Spectra of Diatomic Molecules (1950); Šimečková et al., JQSRT 98 (2006) 130,
doi:10.1016/j.jqsrt.2005.07.003 (strengths).
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
import numpy.typing as npt
import xarray as xr

from analysis.core import CalibrationError, did_you_mean, history
from analysis.uncertainty import Quantity, Source

__all__ = ["LINE", "REFERENCE", "SECOND", "Band", "Numbers", "band"]

LINE = "line"
REFERENCE = 296.0
"""Temperature in K that strengths and widths are stated for."""
SECOND = 1.438776877
"""h c / k in cm K, exact in the SI."""
_MHZ = 1e6 / 29_979_245_800.0
_LEVELS = 100
_BANDS = ("CO 1-0",)
Numbers = npt.NDArray[np.float64] | npt.NDArray[np.complex128]


@dataclass(frozen=True, kw_only=True, eq=False)
class Band:
    """What is known of a band."""

    name: str
    molecule: str
    facts: Mapping[str, Quantity]
    """`origin`, `lower_B`, `lower_D`, `lower_H`, `upper_B`, `upper_D`, `upper_H` in cm-1; `strength` in cm; two
    Herman-Wallis coefficients, `mass` in u."""
    widths: xr.Dataset
    """`air`, `self` (cm-1/atm) and `exponent` along `m`."""

    def term(self, level: str, j: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return the rotational term of levels.

        Parameters
        ----------
        level:
            `"lower"` or `"upper"`.
        j:
            Rotational quantum numbers.

        Returns
        -------
        :
            B J(J+1) - D J²(J+1)² + H J³(J+1)³ in cm-1.
        """
        square = np.asarray(j, dtype=float) * (np.asarray(j, dtype=float) + 1.0)
        b, d, h = (self.facts[f"{level}_{name}"].value for name in "BDH")
        return np.asarray(square * (b - square * (d - square * h)))

    def partition_sum(self, temperature: complex) -> complex:
        """Return the sum over all levels of the two vibrational states.

        Parameters
        ----------
        temperature:
            K.

        Returns
        -------
        :
            Dimensionless. Higher vibrational states add less than 1e-5 below 500 K.
        """
        j = np.arange(_LEVELS)
        energy = np.stack([self.term("lower", j), self.facts["origin"].value + self.term("upper", j)])
        total: complex = ((2 * j + 1) * np.exp(-SECOND * energy / temperature)).sum()
        return total

    def lines(self, low: float = 0.0, high: float = np.inf, *, temperature: float = REFERENCE) -> xr.Dataset:
        """List the lines in a range.

        Parameters
        ----------
        low, high:
            Range in cm-1.
        temperature:
            Of the gas, K, > 0.

        Returns
        -------
        :
            Along `line` (`"R5"`, ...): `wavenumber`, `energy` of the lower level (cm-1), `strength` (cm, for one
            molecule, isotopes as in nature), `air`, `self` (cm-1/atm at 296 K), `exponent`, `j`, `m`.

        Raises
        ------
        CalibrationError
            If the temperature is not above 0 or no line lies in the range.
        """
        if not temperature > 0.0:
            msg = f"the temperature of a gas must be above 0 K, got {temperature:g}. Was it in degC?"
            raise CalibrationError(msg)
        top = int(self.widths["m"].max())
        m = np.array([*range(-top, 0), *range(1, top + 1)])
        below = np.where(m > 0, m - 1, -m)
        place = self.facts["origin"].value + self.term("upper", below + np.sign(m)) - self.term("lower", below)
        table = xr.Dataset(
            {
                "wavenumber": (LINE, place, {"units": "cm-1"}),
                "energy": (LINE, self.term("lower", below), {"units": "cm-1"}),
                "strength": (LINE, np.real(self.strengths(m, place, temperature)), {"units": "cm"}),
                **{
                    each: (LINE, self.widths[each].sel(m=np.abs(m)).values, self.widths[each].attrs)
                    for each in ("air", "self", "exponent")
                },
                "j": (LINE, below),
                "m": (LINE, m),
            },
            coords={LINE: [f"{'R' if k > 0 else 'P'}{j}" for k, j in zip(m, below, strict=True)]},
            attrs={"band": self.name, "temperature_K": temperature},
        )
        kept = np.flatnonzero((place >= low) & (place <= high))
        if not kept.size:
            msg = (
                f"no line of {self.name} lies in {low:g} to {high:g} cm-1; they span {place.min():.1f} to "
                f"{place.max():.1f} cm-1. Is this the gas, and the axis in cm-1?"
            )
            raise CalibrationError(msg)
        settings = {"band": self.name, "low": low, "high": None if np.isinf(high) else high, "temperature": temperature}
        return history.record(table.isel({LINE: kept}), "gas.Band.lines", settings=settings, inputs={})

    def strengths(self, m: npt.ArrayLike, wavenumber: npt.ArrayLike, temperature: complex) -> Numbers:
        """Return line strengths; they take a complex temperature, for derivatives.

        Parameters
        ----------
        m:
            -J'' in the P branch, J'' + 1 in the R branch.
        wavenumber:
            Of the lines, cm-1.
        temperature:
            K.

        Returns
        -------
        :
            In cm, for one molecule.
        """
        m, place = np.asarray(m, dtype=float), np.asarray(wavenumber, dtype=float)
        energy = self.term("lower", np.where(m > 0, m - 1, -m))
        moment = 1.0 + self.facts["herman_wallis_1"].value * m + self.facts["herman_wallis_2"].value * m**2
        thermal = np.exp(-SECOND * energy / temperature) * (1.0 - np.exp(-SECOND * place / temperature))
        whole = self.facts["strength"].value * np.abs(m) * place * moment * thermal / self.partition_sum(temperature)
        return np.asarray(whole)


@cache
def band(name: str) -> Band:
    """Return a packaged band.

    Parameters
    ----------
    name:
        `"CO 1-0"`.

    Returns
    -------
    :
        Its figures with sources of fixed id: results that used the same figure are correlated through it.

    Raises
    ------
    CalibrationError
        If it is not packaged.
    """
    if name not in _BANDS:
        msg = f"no packaged band {name!r}; there are {list(_BANDS)}.{did_you_mean(name, _BANDS)}"
        raise CalibrationError(msg)
    molecule = name.split(maxsplit=1)[0]
    rows = _table(f"{molecule}_widths")
    columns = {key: np.array([float(row[key]) for row in rows]) for key in rows[0]}
    units = {"air": "cm-1 atm-1", "self": "cm-1 atm-1", "exponent": "1"}
    return Band(
        name=name,
        molecule=molecule,
        facts={row["name"]: _fact(molecule, row) for row in _table(molecule)},
        widths=xr.Dataset(
            {key: ("m", columns[key], {"units": unit}) for key, unit in units.items()},
            coords={"m": columns["m"].astype(int)},
        ),
    )


def _table(name: str) -> list[dict[str, str]]:
    text = files("analysis.gas").joinpath("data", f"{name}.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(row for row in text.splitlines() if not row.startswith("#")))


def _fact(molecule: str, row: Mapping[str, str]) -> Quantity:
    factor, units = (_MHZ, "cm-1") if row["units"] == "MHz" else (1.0, row["units"])
    label = f"{row['name'].replace('_', ' ')} of {molecule}"
    source = Source(id=f"gas:{label}", label=label, units=units, origin=row["source"], tags=("molecular data",))
    u = factor * float(row["u"])
    return Quantity.from_components(
        factor * float(row["value"]), {source: u}, units=units, label=label, source=row["source"]
    )
