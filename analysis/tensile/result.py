"""The result of a tensile test: budgets by symbol, reasons for what is not stated, checks.

Not here: how they are computed (`analysis.tensile.evaluation`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import xarray as xr

from analysis.core import Cell, Displayed, Number, UncertaintyError, did_you_mean
from analysis.tensile.line import Line
from analysis.uncertainty import Budget, Conformity, conformity, format_value

SYMBOLS = ("E", "slope", "Rp0.2", "ReH", "ReL", "Rm", "Ag", "Agt", "A")


@dataclass(frozen=True, kw_only=True, eq=False)
class Tensile(Displayed):
    """What a tensile test gave; `result["Rp0.2"]` is a budget, and all of them share their sources."""

    values: Mapping[str, Budget]
    """By symbol of ISO 6892-1: stresses in MPa, extensions in %, `E` and `slope` in GPa."""
    reasons: Mapping[str, str]
    """Why a symbol is not stated."""
    notes: tuple[str, ...]
    """What to mind, in plain sentences."""
    checks: Mapping[str, str]
    """Rates and classes, in plain sentences."""
    line: Line | None
    """The straight part, as it was fitted; None if there is none."""
    curve: xr.Dataset
    """`stress` (MPa) and `strain` (%) along `channel`, toe corrected where there is a line."""
    points: Mapping[str, tuple[float, float]]
    """Strain (%) and stress (MPa) of what was found, for figures."""
    standard: str
    """The method."""
    name: str = field(default="")
    """Of the specimen."""

    def __getitem__(self, symbol: str) -> Budget:
        """Return the budget of a symbol, or say why there is none."""
        if symbol in self.values:
            return self.values[symbol]
        why = self.reasons.get(symbol, f"there are {list(self.values)}.{did_you_mean(symbol, self.values)}")
        msg = f"{symbol} is not stated: {why}"
        raise UncertaintyError(msg)

    def conformity(
        self, symbol: str, *, lower: float | None = None, upper: float | None = None, guard: float = 1.0
    ) -> Conformity:
        """Decide whether a property meets its specification, with a guard band.

        Parameters
        ----------
        symbol:
            Such as `"Rm"`.
        lower, upper:
            Limits, in the units of the budget; at least one.
        guard:
            Guard band as a multiple of U; 1 is guarded acceptance.

        Returns
        -------
        :
            The decision (`uncertainty.conformity`).

        Raises
        ------
        UncertaintyError
            If the property is not stated, or there is no limit.
        """
        return conformity(self[symbol], lower=lower, upper=upper, guard=guard)

    def __str__(self) -> str:
        """Write values, reasons, checks and notes."""
        rows = [f"{key:6}{format_value(each.value, each.u)} {each.units} (k = 1)" for key, each in self.values.items()]
        rows += [f"{key:6}not stated: {why}" for key, why in self.reasons.items()]
        rows += [f"{key}: {text}" for key, text in self.checks.items()]
        return "\n".join([f"{self.standard} {self.name}".strip(), *rows, *(f"note: {note}" for note in self.notes)])

    def _head(self) -> tuple[Cell, ...]:
        return (f"{self.standard} {self.name}".strip(),)

    def _rows(self) -> list[dict[str, Cell]]:
        return [
            {
                "property": key,
                "value": Number(text=format_value(each.value, each.u), units=each.units),
                "U (95 %)": Number(text=f"{each.U():.2g}", units=each.units),
            }
            for key, each in self.values.items()
        ]

    def _notes(self) -> tuple[str, ...]:
        said = [f"{key} is not stated: {why}" for key, why in self.reasons.items()]
        return (*said, *(f"{key}: {text}" for key, text in self.checks.items()), *self.notes)
