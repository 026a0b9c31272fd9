"""How a result shows itself in a notebook: HTML, LaTeX and CSV from one description, escaped and deterministic.

Not here: pages and files (`analysis.report`), the digits of a number (`analysis.uncertainty.formatting`).
"""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

_TOKEN = re.compile(r"(?P<name>[^\d\s^/*·-]+)\^?(?P<power>[-+]?\d+(?:\.\d+)?)?")
_TEN = re.compile(r"e([-+])0*(\d+)")
_LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "±": r"\ensuremath{\pm}",
} | {mark: f"\\{mark}" for mark in "&%$#_{}"}
_COMMANDS = "=+-@\t\r"
_COPY = "navigator.clipboard.writeText(this.parentElement.querySelector('pre').textContent)"


@dataclass(frozen=True, kw_only=True)
class Number:
    """A number that is written already, with its units."""

    text: str
    units: str = "1"

    def __str__(self) -> str:
        """Return plain text."""
        return self.text if self.units == "1" else f"{self.text} {self.units}"

    def html(self) -> str:
        """Return HTML with raised powers."""
        number = _TEN.sub(lambda m: f" × 10<sup>{'−' if m[1] == '-' else ''}{m[2]}</sup>", escape(self.text))
        return number if self.units == "1" else f"{number} {units_html(self.units)}"

    def latex(self) -> str:
        """Return LaTeX in math mode."""
        text = _TEN.sub(lambda m: rf" \times 10^{{{'-' if m[1] == '-' else ''}{m[2]}}}", self.text)
        text = text.replace("±", r"\pm").replace("∞", r"\infty").replace("NaN", r"\mathrm{NaN}").replace("%", r"\%")
        return f"${text}$" if self.units == "1" else rf"${text}\ {units_latex(self.units)}$"


Cell = str | Number


class Displayed:
    """Gives a class its display from `_head`, `_rows` and `_notes`; plain text is its `str`."""

    __slots__ = ()

    def _head(self) -> Sequence[Cell]:
        """Return the line above the table, all of the text where there is no table."""
        return (str(self),)

    def _rows(self) -> Sequence[Mapping[str, Cell]]:
        return ()

    def _records(self) -> Sequence[Mapping[str, object]]:
        return self._rows() or ({"result": "".join(map(str, self._head()))},)

    def _notes(self) -> Sequence[str]:
        return ()

    def _small(self) -> bool:
        """Say whether the display carries copies; else `to_latex` and `to_csv` make them."""
        return True

    def to_latex(self) -> str:
        """Write the result in LaTeX.

        Returns
        -------
        :
            The line, and a `tabular` where the result has a table.
        """
        head = "".join(_latex(cell) for cell in self._head())
        rows = self._rows()
        if not rows:
            return head
        names = list(rows[0])
        lines = [" & ".join(map(_latex, names)), *(" & ".join(_latex(row[n]) for n in names) for row in rows)]
        body = " \\\\\n".join(lines[1:])
        table = f"\\begin{{tabular}}{{{'l' * len(names)}}}\n{lines[0]} \\\\\n\\hline\n{body}\n\\end{{tabular}}"
        return f"{head}\n\n{table}" if head else table

    def to_csv(self) -> str:
        """Write the result as comma separated values, numbers in full.

        Returns
        -------
        :
            A line of names and one line a row; text that a spreadsheet would run is disarmed.
        """
        records = self._records()
        out = io.StringIO()
        writer = csv.DictWriter(out, list(records[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows({key: _harmless(cell) for key, cell in row.items()} for row in records)
        return out.getvalue()

    def _repr_html_(self) -> str:
        head = "".join(_html(cell) for cell in self._head()).replace("\n", "<br>")
        notes = "".join(f"<p>{escape(note)}</p>" for note in self._notes())
        copies = "".join(
            f'<details><summary>Copy as {name}</summary><button type="button" onclick="{_COPY}">Copy</button>'
            f"<pre>{escape(text)}</pre></details>"
            for name, text in ((("LaTeX", self.to_latex()), ("CSV", self.to_csv())) if self._small() else ())
        )
        return f"<div><p>{head}</p>{_table(self._rows())}{notes}{copies}</div>"

    def _repr_latex_(self) -> str:
        return self.to_latex()

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:  # noqa: ARG002
        return {"text/plain": repr(self), "text/html": self._repr_html_(), "text/latex": self.to_latex()}


def units_html(units: str) -> str:
    """Typeset units in HTML.

    Parameters
    ----------
    units:
        A UDUNITS string such as `cm-1/GPa`.

    Returns
    -------
    :
        HTML with raised powers, escaped.
    """
    return _TOKEN.sub(lambda m: escape(m["name"]) + _raised(m["power"], "<sup>", "</sup>", "−"), units)


def units_latex(units: str) -> str:
    """Typeset units in LaTeX, for math mode.

    Parameters
    ----------
    units:
        A UDUNITS string.

    Returns
    -------
    :
        Upright symbols with powers.
    """
    words = {"%": r"\%", "µ": r"\mu{}", "μ": r"\mu{}", "Ω": r"\Omega{}", "°": r"^\circ{}", "Å": r"\text{\AA}"}

    def one(found: re.Match[str]) -> str:
        name = "".join(words.get(mark, mark if mark.isalnum() else _latex(mark)) for mark in found["name"])
        return rf"\mathrm{{{name}}}" + _raised(found["power"], "^{", "}", "-")

    return _TOKEN.sub(one, units).replace(" ", r"\,")


def _raised(power: str | None, before: str, after: str, minus: str) -> str:
    return "" if not power else before + power.replace("-", minus).lstrip("+") + after


def _html(cell: Cell) -> str:
    return cell.html() if isinstance(cell, Number) else escape(cell)


def _latex(cell: Cell) -> str:
    if isinstance(cell, Number):
        return cell.latex()
    return "".join(_LATEX.get(mark, mark) for mark in cell)


def _table(rows: Sequence[Mapping[str, Cell]]) -> str:
    if not rows:
        return ""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in rows[0])
    body = "".join("<tr>" + "".join(f"<td>{_html(cell)}</td>" for cell in row.values()) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _harmless(cell: object) -> object:
    if isinstance(cell, float):
        return repr(float(cell))
    text = str(cell)
    return f"'{text}" if text[:1] in _COMMANDS and text[:1] and isinstance(cell, str) else text
