"""Uncertainty budgets as tables, with sources gathered by tag so that thirty lamp lines are one row.

Not here: the budget itself (`analysis.uncertainty.budget`).
"""

import csv
import io
import math

from analysis.core import MetrospecError
from analysis.report import markup
from analysis.uncertainty import Budget, Contribution, format_u, format_value

Rows = list[dict[str, str]]


def budget_table(budget: Budget, *, format: str = "text", full: bool = False) -> str:  # noqa: A002 - the design's name
    """Write the uncertainty budget of a result.

    Parameters
    ----------
    budget:
        Made by `uncertainty.propagate`.
    format:
        `"text"`, `"markdown"`, `"html"` or `"csv"`.
    full:
        One row for each source, instead of one for each tag.

    Returns
    -------
    :
        The table; its shares add up to 100 %, rounding aside.

    Raises
    ------
    MetrospecError
        If the format is unknown.
    """
    rows = rows_by_source(budget) if full else rows_by_tag(budget)
    total = dict.fromkeys(rows[0], "") if rows else {"source": ""}
    total |= {
        "source": f"combined, {budget.name}",
        "dof": dof_text(budget.dof),
        f"u ({budget.units})": format_u(budget.u),
    }
    total |= {"share": "100.0 %" if rows else ""}
    return write_rows([*rows, total], format=format)


def rows_by_source(budget: Budget) -> Rows:
    """List a budget with one row for each independent source.

    Parameters
    ----------
    budget:
        Made by `uncertainty.propagate`.

    Returns
    -------
    :
        Rows of text, the largest contribution first.
    """
    return [_row(each, each.name or each.source.id[:8], budget.units) for each in budget.contributions]


def rows_by_tag(budget: Budget) -> Rows:
    """List a budget with one row for each tag, and for each source without one.

    Parameters
    ----------
    budget:
        Made by `uncertainty.propagate`.

    Returns
    -------
    :
        Rows of text, the largest contribution first.
    """
    members: dict[str, list[Contribution]] = {}
    for each in budget.contributions:
        members.setdefault(each.source.tags[0] if each.source.tags else each.name, []).append(each)
    rows = []
    for group in budget.by_tag():
        inside = members[group.name]
        if len(inside) == 1:
            rows.append(_row(inside[0], inside[0].name or group.name, budget.units))
            continue
        rows.append(
            {
                "source": f"{group.name} ({group.count} sources)",
                "type": _common([each.source.kind for each in inside]),
                "distribution": _common([str(each.source.distribution) for each in inside]),
                "dof": _common([dof_text(each.source.dof) for each in inside]),
                f"u ({budget.units})": format_u(group.u),
                "share": f"{100 * group.share:.1f} %",
            }
        )
    return rows


def rows_by_input(budget: Budget) -> Rows:
    """List the inputs of a model with their sensitivities.

    Parameters
    ----------
    budget:
        Made by `uncertainty.propagate`.

    Returns
    -------
    :
        Rows of text in the model's order.
    """
    return [
        {
            "input": each.name if each.quantity.label in ("", each.name) else f"{each.name} ({each.quantity.label})",
            "estimate ± u": format_value(each.quantity.value, each.quantity.u),
            "units": each.quantity.units,
            "dof": dof_text(each.quantity.dof),
            "sensitivity": f"{each.sensitivity:.4g}",
            f"u of {budget.name} ({budget.units})": format_u(each.u),
        }
        for each in budget.by_input
    ]


def dof_text(dof: float) -> str:
    """Write degrees of freedom.

    Parameters
    ----------
    dof:
        Above 0.

    Returns
    -------
    :
        One decimal at most; a sign for infinity, also for numbers that act like it.
    """
    if math.isinf(dof) or dof >= 1e6:  # noqa: PLR2004 - t is normal to nine digits there
        return "∞"
    return f"{dof:.1f}".removesuffix(".0") if dof < 100 else f"{dof:.0f}"  # noqa: PLR2004 - three digits are plenty


def write_rows(rows: Rows, *, format: str) -> str:  # noqa: A002 - the design's name
    """Write rows of text as a table.

    Parameters
    ----------
    rows:
        Column to text, the same columns in each row.
    format:
        As in `budget_table`.

    Returns
    -------
    :
        The table.

    Raises
    ------
    MetrospecError
        If the format is unknown.
    """
    columns = list(rows[0]) if rows else []
    cells = [columns, *([row.get(column, "") for column in columns] for row in rows)]
    if format == "html":
        return markup.table(rows)
    if format == "csv":
        buffer = io.StringIO()
        csv.writer(buffer, lineterminator="\n").writerows([[harmless(cell) for cell in row] for row in cells])
        return buffer.getvalue()
    if format == "markdown":
        clean = [["&nbsp;" if not cell else _markdown(cell) for cell in row] for row in cells]
        rule = ["---"] * len(columns)
        return "\n".join(f"| {' | '.join(row)} |" for row in [clean[0], rule, *clean[1:]]) + "\n"
    if format == "text":
        widths = [max(len(row[i]) for row in cells) for i in range(len(columns))]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in cells]
        return "\n".join(line.rstrip() for line in lines) + "\n"
    msg = f"format must be 'text', 'markdown', 'html' or 'csv', got {format!r}"
    raise MetrospecError(msg)


def harmless(cell: str) -> str:
    """Return text that a spreadsheet will not run as a formula.

    Parameters
    ----------
    cell:
        Perhaps from a file.

    Returns
    -------
    :
        The same text, after an apostrophe if it starts like a formula and is not a number.
    """
    if cell[:1] not in ("=", "+", "-", "@", "\t", "\r"):
        return cell
    try:
        float(cell.split(" ", maxsplit=1)[0])
    except ValueError:
        return f"'{cell}"
    return cell


def _row(each: Contribution, name: str, units: str) -> dict[str, str]:
    return {
        "source": name,
        "type": each.source.kind,
        "distribution": str(each.source.distribution),
        "dof": dof_text(each.source.dof),
        f"u ({units})": format_u(each.u),
        "share": f"{100 * each.share:.1f} %",
    }


def _common(words: list[str]) -> str:
    return words[0] if len(set(words)) == 1 else "mixed"


def _markdown(cell: str) -> str:
    for mark in "\\`*_{}[]<>#|":
        cell = cell.replace(mark, f"\\{mark}")
    return cell.replace("\n", " ")
