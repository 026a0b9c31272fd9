"""What the panel of a budget works with: its settings, the draws, its call as code, rows, tables and sentences.

Not here: the panel (`analysis.widgets.budgeting`).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

from analysis import uncertainty
from analysis.core import MetrospecError, UncertaintyError
from analysis.uncertainty import Agreement, Budget, Sample, format_u
from analysis.widgets.input_rows import InputRow
from analysis.widgets.tables import table

__all__ = [
    "BudgetSettings", "Drawn", "code_of", "draw", "legend", "number_from", "rows_of", "said_of", "tables_of",
    "why_fixed",
]  # fmt: skip

_MOST_SOURCES = 12
_SAID = "line-height: 1.5; padding-left: 10px; margin: 6px 0"


@dataclass(frozen=True, kw_only=True)
class BudgetSettings:
    """Everything that the panel can change."""

    u: tuple[tuple[str, float], ...] = ()
    """Supposed standard uncertainties: input, and u in its units."""
    level: float = 0.95
    """Coverage probability of U and of the intervals."""
    target: float | None = None
    """Wanted expanded uncertainty, in the units of the result; None asks for nothing."""
    digits: int = 2
    """Significant digits of u to which the intervals are compared."""
    seed: int = 1
    """Seed of the draws."""

    @property
    def drawn_by(self) -> tuple[object, ...]:
        """What the draws and their comparison depend on."""
        return (self.u, self.level, self.digits, self.seed)

    def require(self) -> None:
        """Refuse what no budget can be asked for.

        Raises
        ------
        MetrospecError
            If a setting is out of range.
        """
        if not 0 < self.level < 1:
            msg = f"a coverage level must lie in (0, 1), got {self.level:g}; write 0.95 for 95 %"
            raise MetrospecError(msg)
        if self.target is not None and not (math.isfinite(self.target) and self.target > 0):
            msg = f"the target U must be above 0, got {self.target:g}; leave it empty to ask for none"
            raise MetrospecError(msg)
        if self.digits not in (1, 2, 3):
            msg = f"intervals are compared to 1, 2 or 3 digits of u, got {self.digits}; usual are 2"
            raise MetrospecError(msg)


@dataclass(frozen=True, kw_only=True, eq=False)
class Drawn:
    """Draws of a budget and the verdict on linear propagation, or why there is none."""

    of: tuple[object, ...]
    """The settings they were drawn by."""
    sample: Sample | None
    """The draws."""
    agreement: Agreement | None
    """The comparison of the intervals (JCGM 101, clause 8)."""
    said: str
    """The verdict in a plain sentence."""


def draw(budget: Budget, now: BudgetSettings) -> Drawn:
    """Draw the result and compare the intervals; what cannot be drawn or compared is said."""
    sample = None
    try:
        sample = uncertainty.sample(budget, digits=now.digits, seed=now.seed)
        found = uncertainty.compare(budget, sample, digits=now.digits, level=now.level)
    except UncertaintyError as error:
        return Drawn(of=now.drawn_by, sample=sample, agreement=None, said=f"No verdict by Monte Carlo: {error}.")
    return Drawn(of=now.drawn_by, sample=sample, agreement=found, said=found.sentence)


def code_of(now: BudgetSettings, name: str) -> str:
    """Write the call that makes what is shown."""
    return f"uncertainty.what_if({name}, {dict(now.u)!r})" if now.u else name


def number_from(text: str, name: str) -> float | None:
    """Read a number of a text field; an empty field is None."""
    if not text.strip():
        return None
    try:
        return float(text.strip().replace(",", "."))
    except ValueError:
        msg = f"{name} must be a number, got {text!r}; leave it empty to ask for none"
        raise MetrospecError(msg) from None


def why_fixed(budget: Budget, name: str) -> str:
    """Say why the u of an input cannot be changed alone; empty where it can."""
    try:
        uncertainty.what_if(budget, {name: budget.inputs[name].u})
    except UncertaintyError as error:
        return str(error)
    return ""


def rows_of(given: Budget, made: Budget, now: BudgetSettings, fixed: Mapping[str, str]) -> list[InputRow]:
    """Return a row for each input: as it is, as it is supposed, its share, and the u that the target asks for."""
    shares = {each.name: each.share for each in made.by_input}
    rows = []
    for name, quantity in given.inputs.items():
        u = made.inputs[name].u
        required, use = _required(made, name, now) if not fixed[name] else (fixed[name], "")
        rows.append(
            InputRow(
                name=name, units=quantity.units, value=str(quantity).removesuffix(" (k = 1)"), u=u, shown=f"{u:.4g}",
                most=2 * quantity.u or 1.0, share=f"{100 * shares[name]:.1f} %", part=min(max(shares[name], 0.0), 1.0),
                why=fixed[name], required=required, use=use,
            )
        )  # fmt: skip
    return rows


def _required(made: Budget, name: str, now: BudgetSettings) -> tuple[str, str]:
    if now.target is None:
        return "", ""
    units = "" if made.inputs[name].units == "1" else f" {made.inputs[name].units}"
    try:
        u = uncertainty.required_u(made, name, target=now.target, level=now.level)
    except UncertaintyError:
        return "not by this input alone", ""
    return ("any u will do", "") if math.isinf(u) else (f"{format_u(u)}{units} at most", f"{u:.12g}")


def _result(budget: Budget, level: float) -> str:
    units = "" if budget.units == "1" else f" {budget.units}"
    pair = uncertainty.format_value(budget.value, budget.u)
    return f"{pair}{units} (k = 1), U = {format_u(budget.U(level))}{units} at {100 * level:g} %"


def _sentences(given: Budget, made: Budget, now: BudgetSettings, drawn: Drawn | None) -> list[str]:
    found = [f"{made.name} = {_result(made, now.level)}"]
    if now.u:
        found += [f"as it is: {_result(given, now.level)}", *(f"{note}" for note in made.notes)]
    if now.target is not None:
        units = "" if made.units == "1" else f" {made.units}"
        met = "is met" if made.U(now.level) <= now.target else "is not met"
        found.append(f"the target U = {now.target:g}{units} {met}")
    return [*found, drawn.said if drawn else "drawing …"]


def said_of(given: Budget, made: Budget, now: BudgetSettings, drawn: Drawn | None) -> str:
    """Say the budget in words."""
    required = {name: _required(made, name, now)[0] if not why_fixed(made, name) else "" for name in made.inputs}
    lines = [
        f"{each.name}: u = {format_u(each.quantity.u)} {each.quantity.units}, {100 * each.share:.1f} % of the variance"
        + (f"; for the target {required[each.name]}" if required[each.name] else "")
        for each in made.by_input
    ]
    return "\n".join([*_sentences(given, made, now, drawn), *lines])


def legend(given: Budget, made: Budget, now: BudgetSettings, drawn: Drawn | None) -> str:
    """Write the result, the verdict and what the curves are as HTML."""
    doubtful = drawn is not None and (drawn.agreement is None or not drawn.agreement.valid)
    first, *rest = _sentences(given, made, now, drawn)
    edge = "#d55e00" if doubtful else "#009e73"
    curves = "dashes: linear propagation (GUM); filled: Monte Carlo; vertical lines: the ends of their intervals"
    curves += "; dots: as it is" if now.u else ""
    return (
        f'<div aria-live="polite" style="{_SAID}; border-left: 4px solid {edge}">'
        f"<b>{escape(first)}</b><br>{'<br>'.join(escape(each[:1].upper() + each[1:]) for each in rest)}</div>"
        f'<p style="line-height: 1.5; margin: 4px 0">{escape(curves)}</p>'
    )


def tables_of(made: Budget) -> str:
    """Write the sources of a budget as HTML, those of one kind gathered."""
    groups = made.by_tag()
    shown, rest = groups[:_MOST_SOURCES], groups[_MOST_SOURCES:]
    rows = [
        (f"{each.name} ({each.count} sources)" if each.count > 1 else each.name, each.u, each.share) for each in shown
    ]
    if rest:
        rows.append(
            (f"{len(rest)} more", math.hypot(*(each.u for each in rest)), math.fsum(each.share for each in rest))
        )
    units = "" if made.units == "1" else f" ({made.units})"
    listed = [
        {"source": name, f"contribution to u{units}": format_u(u), "share of the variance": f"{100 * share:.1f} %"}
        for name, u, share in rows
    ]
    return table(listed, caption="Independent sources", bars={"share of the variance": [share for *_, share in rows]})
