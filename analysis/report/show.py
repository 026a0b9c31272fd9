"""Results as text and as rich displays in a notebook.

Not here: pages of their own (`analysis.report.page`, `analysis.report.certificate`).
"""

from dataclasses import dataclass

import pandas as pd

from analysis.report import markup
from analysis.report.budgets import budget_table, write_rows
from analysis.report.page import section, sentence
from analysis.report.tables import table, tabular
from analysis.uncertainty import Budget, format_u, format_value


@dataclass(frozen=True, kw_only=True, repr=False)
class Shown:
    """A result for a notebook: HTML where that is shown, the same in Markdown and in text."""

    plain: str
    """Deterministic text."""
    rich: str
    """HTML, escaped."""
    marked: str
    """Markdown."""

    def __repr__(self) -> str:
        """Return the text."""
        return self.plain

    def _repr_html_(self) -> str:
        return self.rich

    def _repr_markdown_(self) -> str:
        return self.marked


def text(result: object) -> str:
    """Write a result as plain text.

    Parameters
    ----------
    result:
        A quantity, budget, sample, verdict, fit, or a dict of quantities or budgets.

    Returns
    -------
    :
        Lines with the digits that the uncertainties allow.

    Raises
    ------
    MetrospecError
        If it cannot be shown.
    """
    head, rows = _parts(result)
    if isinstance(result, Budget):
        return f"{head}\n\n{budget_table(result)}"
    return "\n".join(part for part in (head, write_rows(rows, format="text") if rows else "") if part)


def show(result: object) -> Shown:
    """Show a result in a notebook.

    Parameters
    ----------
    result:
        As in `text`.

    Returns
    -------
    :
        An object that a notebook displays; its text is the same every time.

    Raises
    ------
    MetrospecError
        If it cannot be shown.
    """
    head, rows = _parts(result)
    if isinstance(result, Budget):
        marked = budget_table(result, format="markdown")
        rich = markup.element("p", head) + budget_table(result, format="html")
    else:
        marked = write_rows(rows, format="markdown") if rows else ""
        rich = (
            "".join(section(result)) if not rows else (markup.element("p", head) if head else "") + markup.table(rows)
        )
    return Shown(plain=text(result), rich=rich, marked=f"{head}\n\n{marked}".strip())


def _parts(result: object) -> tuple[str, list[dict[str, str]]]:
    said, rows = sentence(result), tabular(result)
    if said:
        return said, rows if rows is not None else []
    return "", _rounded(table(result))


def _rounded(frame: pd.DataFrame) -> list[dict[str, str]]:
    records = frame.to_dict("records")
    if not {"value", "u", "units"} <= set(frame.columns):
        return [{str(key): str(cell) for key, cell in row.items()} for row in records]
    rows = []
    for row in records:
        pair = format_value(row["value"], row["u"])
        kept = {
            str(key): str(cell)
            for key, cell in row.items()
            if not isinstance(cell, float) and key not in ("k", "units")
        }
        first = dict(list(kept.items())[: list(row).index("value")])
        extra = {"U (95 %)": format_u(row["U (95 %)"])} if "U (95 %)" in row else {}
        rows.append({**first, "value ± u (k = 1)": pair, **extra, "units": str(row["units"]), **kept})
    return rows
