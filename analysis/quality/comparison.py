"""The result of an interlaboratory comparison, and how it shows itself.

Not here: how it is computed (`analysis.quality.interlaboratory`).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import xarray as xr

from analysis.core import Cell, Displayed, Number, UncertaintyError, did_you_mean
from analysis.uncertainty import Quantity, format_u, format_value

_DOUBT = 0.05


@dataclass(frozen=True, kw_only=True)
class Laboratory:
    """One laboratory, held against the consensus."""

    name: str
    """Its name."""
    result: Quantity
    """What it reported."""
    degree: Quantity
    """Degree of equivalence: result less consensus, with the sources of both."""
    weight: float
    """Its weight in the consensus, 0 where it does not enter; of a scatter-based consensus always 0."""
    z: float
    """Difference over sigma; NaN without sigma."""
    z_prime: float
    """Difference over the root of the sum of squares of sigma and u of the consensus; NaN without sigma."""
    zeta: float
    """Difference over its standard uncertainty, correlation included; NaN without stated uncertainty."""
    en: float
    """Difference over its expanded uncertainty with k = 2; NaN without stated uncertainty."""
    note: str = ""
    """Why a score is not given."""

    @property
    def agrees(self) -> bool:
        """Whether E_n lies in [-1, 1]; False where it is not given."""
        return abs(self.en) <= 1.0


@dataclass(frozen=True, kw_only=True)
class Comparison(Displayed):
    """Consensus value and laboratories."""

    method: str
    """How the consensus was made; `reference` where it was given."""
    consensus: Quantity
    """The consensus or reference value, with its sources."""
    laboratories: tuple[Laboratory, ...]
    """In the order given."""
    chisqr: float
    """Weighted sum of squares of the laboratories that were not excluded, with what they state and their correlation;
    NaN where one states no u."""
    dof: int
    """Degrees of freedom of `chisqr`."""
    p: float
    """Probability of a larger chi-square if what they state holds; NaN as above."""
    excess: float
    """Standard deviation between laboratories beyond what they state (dark uncertainty), in the units of the results;
    0 where the method has none."""
    excess_interval: tuple[float, float]
    """Its coverage interval at `level`; NaN where the method has none."""
    sigma: float
    """Standard deviation for proficiency assessment behind z and z'; NaN where there is none."""
    level: float
    """Coverage probability of the expanded uncertainties."""
    notes: tuple[str, ...]
    """Plain sentences on what to mind."""

    _WORDS: ClassVar[Mapping[str, str]] = {
        "weighted_mean": "weighted mean", "largest_consistent_subset": "largest consistent subset",
        "dersimonian_laird": "DerSimonian and Laird", "mandel_paule": "Mandel and Paule",
        "algorithm_a": "Algorithm A", "q_hampel": "Q method and Hampel's mean",
    }  # fmt: skip

    @property
    def consistent(self) -> bool:
        """Whether the laboratories that were not excluded agree within what they state: p is at least 5 %."""
        return self.p >= _DOUBT

    @property
    def birge(self) -> float:
        """Birge ratio, the root of chi-square over its degrees of freedom."""
        return math.sqrt(self.chisqr / self.dof) if self.dof else math.nan

    def __getitem__(self, name: str) -> Laboratory:
        """Return a laboratory by its name."""
        found = {each.name: each for each in self.laboratories}
        if name not in found:
            msg = f"no laboratory is named {name!r}; there are {list(found)}.{did_you_mean(name, found)}"
            raise UncertaintyError(msg)
        return found[name]

    def between(self, name: str, other: str) -> Quantity:
        """Return the degree of equivalence of two laboratories with each other.

        Parameters
        ----------
        name, other:
            Their names.

        Returns
        -------
        :
            The result of the first less that of the second; sources they share cancel as far as they do.
        """
        return self[name].result - self[other].result

    def to_dataset(self) -> xr.Dataset:
        """Return all numbers.

        Returns
        -------
        :
            Along `laboratory`: `value, u, weight, degree, u_degree, U_degree, z, z_prime, zeta, en`; along
            `(laboratory, other)`: `degree_between, u_between`, and `covariance` of the degrees of equivalence.
        """
        labs, units = self.laboratories, self.consensus.units
        columns = {
            "value": [each.result.value for each in labs], "u": [each.result.u for each in labs],
            "degree": [each.degree.value for each in labs], "u_degree": [each.degree.u for each in labs],
            "U_degree": [each.degree.U(self.level) for each in labs], "weight": [each.weight for each in labs],
            "z": [each.z for each in labs], "z_prime": [each.z_prime for each in labs],
            "zeta": [each.zeta for each in labs], "en": [each.en for each in labs],
        }  # fmt: skip
        plain = {"weight", "z", "z_prime", "zeta", "en"}
        pairs = [[a.result - b.result for b in labs] for a in labs]
        across = ("laboratory", "other")
        names = [each.name for each in labs]
        return xr.Dataset(
            {name: ("laboratory", each, {"units": "1" if name in plain else units}) for name, each in columns.items()}
            | {
                "degree_between": (across, [[each.value for each in row] for row in pairs], {"units": units}),
                "u_between": (across, [[each.u for each in row] for row in pairs], {"units": units}),
                "covariance": (across, [[a.degree.covariance(b.degree) for b in labs] for a in labs]),
            },
            coords={"laboratory": names, "other": names},
            attrs={"method": self.method, "consensus": self.consensus.value, "u_consensus": self.consensus.u},
        )

    def table(self) -> list[dict[str, str]]:
        """Return the laboratories as rows of text.

        Returns
        -------
        :
            Name, result, degree of equivalence with U, scores.
        """
        return [{key: str(cell) for key, cell in row.items()} for row in self._rows()]

    def __str__(self) -> str:
        """Write the consensus, the test and the laboratories that disagree."""
        name = self._WORDS.get(self.method, self.method)
        units = "" if self.consensus.units == "1" else f" {self.consensus.units}"
        pair = format_value(self.consensus.value, self.consensus.U(self.level))
        said = f"{name} {pair}{units} (U, {100 * self.level:g} %) of {self._entered()} laboratories"
        if not math.isnan(self.p) and self.dof:
            verdict = "agree" if self.consistent else "do not agree"
            said += f"; they {verdict} within what they state: "
            said += f"chi-square {self.chisqr:.3g} for {self.dof} (p = {self.p:.2g})"
        if self.excess or not math.isnan(self.excess_interval[1]):
            low, high = (format_u(each) for each in self.excess_interval)
            said += f"; excess between laboratories {format_u(self.excess)}{units} [{low}, {high}]"
        off = [each.name for each in self.laboratories if abs(each.en) > 1]
        return said + (f"; |E_n| > 1: {', '.join(off)}" if off else "")

    def _entered(self) -> int:
        weighed = sum(each.weight != 0 for each in self.laboratories)
        return weighed or self.dof + 1

    def _rows(self) -> Sequence[Mapping[str, Cell]]:
        units = self.consensus.units
        rows: list[dict[str, Cell]] = []
        for each in self.laboratories:
            row: dict[str, Cell] = {
                "laboratory": each.name,
                "result ± u": Number(text=format_value(each.result.value, each.result.u), units=units),
                "weight": f"{each.weight:.3f}",
                f"degree of equivalence ± U ({100 * self.level:g} %)": Number(
                    text=format_value(each.degree.value, each.degree.U(self.level)), units=units
                ),
                "E_n": _score(each.en),
                "zeta": _score(each.zeta),
            }
            if math.isfinite(self.sigma):
                row |= {"z": _score(each.z), "z'": _score(each.z_prime)}
            rows.append(row)
        return rows

    def _records(self) -> Sequence[Mapping[str, object]]:
        table = self.to_dataset().drop_dims("other")
        names = [str(each) for each in table.data_vars]
        return [
            {"laboratory": str(lab)} | {name: float(table[name].values[k]) for name in names}
            for k, lab in enumerate(table["laboratory"].values)
        ]

    def _notes(self) -> Sequence[str]:
        return self.notes


def _score(number: float) -> str:
    return "not given" if not np.isfinite(number) else f"{number:+.2f}"
