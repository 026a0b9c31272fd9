"""A configured testing system: what was chosen, why, what it beat, and how well it will measure.

Not here: the choosing (`instruments.advisor.machines`).
"""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from analysis.core import InstrumentError
from analysis.report import html
from analysis.uncertainty import Budget, Quantity, Risks, global_risks

__all__ = ["Answer", "Beaten", "Configuration", "Selected"]

Answer = str | tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Beaten:
    """An alternative that was not taken."""

    value: str
    """What it is."""
    why: str
    """Why not."""


@dataclass(frozen=True, kw_only=True)
class Selected:
    """One choice of a configuration."""

    item: str
    """What is chosen."""
    value: str
    """The choice, with units."""
    figure: float = math.nan
    """The same as a number, in `units`; NaN where it is none."""
    units: str = "1"
    """UDUNITS string."""
    rule: str
    """Id of the rule."""
    reason: str
    """Why, with the numbers."""
    source: str
    """Where the rule comes from."""
    margin: str = ""
    """How far it is from its limit."""
    beaten: tuple[Beaten, ...] = ()
    """Alternatives."""


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """A testing system that suits the answers."""

    answers: Mapping[str, Answer]
    """As they were understood: a word, or the ends of a range."""
    choices: tuple[Selected, ...]
    """All parts, in the order of the rules."""
    assumptions: tuple[str, ...]
    """What was put in place of "not sure"."""
    budget: Budget
    """Predicted for one strength at its greatest value."""

    def __getitem__(self, item: str) -> Selected:
        """Return the choice of an item."""
        for choice in self.choices:
            if choice.item == item:
                return choice
        msg = f"no choice of {item!r} in this configuration; it has {[choice.item for choice in self.choices]}"
        raise InstrumentError(msg)

    def __str__(self) -> str:
        """Write one line for each choice."""
        lines = [f"{choice.item}: {choice.value}{choice.margin and f' ({choice.margin})'}" for choice in self.choices]
        return "\n".join([*lines, f"predicted {self.budget}"])

    def risks(self, *, tolerance: float, spread: float) -> tuple[float, Risks]:
        """Return the test uncertainty ratio and the global risks of deciding with this system.

        Parameters
        ----------
        tolerance:
            Half width of the tolerance about the expected strength, as a part of it, > 0.
        spread:
            Standard deviation of the items, as a part of the strength, > 0.

        Returns
        -------
        :
            TUR, and PFA and PFR (JCGM 106, 9.5).

        Raises
        ------
        InstrumentError
            If a number is not above 0.
        """
        if not (tolerance > 0 and spread > 0):
            msg = f"tolerance and spread must be above 0, got {tolerance} and {spread}; give them as parts of the value"
            raise InstrumentError(msg)
        value, half = self.budget.value, tolerance * self.budget.value
        prior = Quantity(value=value, u=spread * value, units=self.budget.units)
        risks = global_risks(self.budget.u, prior=prior, lower=value - half, upper=value + half)
        return half / self.budget.U(), risks

    def to_json(self) -> str:
        """Write answers and choices; `ask` makes the same of its answers again.

        Returns
        -------
        :
            JSON.
        """
        chosen = [asdict(each) for each in self.choices]
        for each in chosen:
            if not math.isfinite(each["figure"]):
                del each["figure"]
        held = {"answers": dict(self.answers), "assumptions": self.assumptions, "choices": chosen}
        return json.dumps(held, indent=1, ensure_ascii=False)

    def to_html(self) -> str:
        """Write a sheet to print.

        Returns
        -------
        :
            A complete page that loads nothing.
        """
        parts = {each.item: f"{each.value}. {each.reason} {each.margin}. Source: {each.source}. "
                 + " ".join(f"Not {b.value}: {b.why}." for b in each.beaten) for each in self.choices}  # fmt: skip
        given = {key: value if isinstance(value, str) else f"{value[0]:g} to {value[1]:g}"
                 for key, value in self.answers.items()}  # fmt: skip
        return html({"predicted uncertainty": self.budget, "answers": "; ".join(f"{k}: {v}" for k, v in given.items())},
                    title="Testing system", particulars=parts, advice=self.assumptions)  # fmt: skip
