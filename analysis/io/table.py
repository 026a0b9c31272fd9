"""Text lines to a table of numbers, with delimiter, decimal sign, header and column names found out.

The rules, in order: a row is a line of which every cell is a number or blank; the dialect that makes most
rows wins (tab, semicolon, comma, blanks; point before comma); the longest run of rows is the table; what
stands before and after is kept raw. Not here: what the columns mean (`analysis.io.ascii`).
"""

import json
import re
from collections import Counter
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analysis.core import FormatError

_SAMPLE = 500
_PAIR = 2
_POINT = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eEdD][+-]?\d+)?|[+-]?(nan|inf)", re.IGNORECASE)
_COMMA = re.compile(r"[+-]?(\d+(,\d+)?|,\d+)([eEdD][+-]?\d+)?|[+-]?(nan|inf)", re.IGNORECASE)
_COMMENT = "#%!*/"


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """How a line is cut into numbers."""

    delimiter: str
    """Tab, semicolon, comma, or an empty text for runs of blanks."""
    decimal: str
    """Point or comma."""

    def cells(self, line: str) -> list[str]:
        """Cut a line; cells are stripped and empty ones at the end are dropped."""
        found = [cell.strip() for cell in line.split(self.delimiter)] if self.delimiter else line.split()
        while found and not found[-1]:
            found.pop()
        return found

    def numbers(self, line: str) -> list[float] | None:
        """Return the numbers of a row (NaN for a blank cell), or None if the line is not a row."""
        cells = self.cells(line)
        pattern = _POINT if self.decimal == "." else _COMMA
        if not any(cells) or any(cell and not pattern.fullmatch(cell) for cell in cells):
            return None
        return [float(re.sub("[dD]", "e", cell.replace(",", "."))) if cell else np.nan for cell in cells]


DIALECTS = tuple(
    Dialect(delimiter=delimiter, decimal=decimal)
    for delimiter, decimal in (("\t", "."), ("\t", ","), (";", "."), (";", ","), (",", "."), ("", "."), ("", ","))
)


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table of numbers and the text around it."""

    values: npt.NDArray[np.float64]
    """Numbers, shape (rows, columns); NaN for blank cells."""
    names: tuple[str, ...]
    """Column names, empty texts where the file gives none."""
    before: tuple[str, ...]
    """Raw lines before the table."""
    after: tuple[str, ...]
    """Raw lines after the table."""
    first_line: int
    """Line number of the first row, from 1."""
    dialect: Dialect
    """How the lines were cut."""

    def header(self) -> str:
        """Return the raw lines before and after the table as JSON."""
        return json.dumps({"before": self.before, "after": self.after}, ensure_ascii=False)


@dataclass(frozen=True, kw_only=True)
class _Text:
    """The lines of a file, and the rows among them."""

    lines: list[str]
    rows: list[list[float] | None]
    width: int
    name: str


def parse(lines: list[str], name: str) -> Table:
    """Find the table of numbers in a text.

    Parameters
    ----------
    lines:
        The text.
    name:
        Name of the file, for messages.

    Returns
    -------
    :
        The table.

    Raises
    ------
    FormatError
        If there is no table, a row is cut short, or text interrupts the rows.
    """
    dialect = _find_dialect(lines)
    rows = [dialect.numbers(line) if line.strip() else [] for line in lines]
    start, stop = _longest_run(rows)
    block = [row for row in rows[start:stop] if row]
    if len(block) < _PAIR or (len(block[0]) == 1 and 2 * len(block) < sum(bool(line.strip()) for line in lines)):
        msg = (
            f"{name!r} holds no table of numbers: {len(lines)} lines, the first is {_first(lines)!r}; wanted rows of "
            "numbers separated by tab, semicolon, comma or blanks. Export the spectrum as two columns of text"
        )
        raise FormatError(msg)
    width = max(len(row) for row in block)
    _require_complete(_Text(lines=lines, rows=rows, width=width, name=name), start, stop)
    values = np.full((len(block), width), np.nan)
    for index, row in enumerate(block):
        values[index, : len(row)] = row
    before = lines[:start]
    return Table(
        values=values,
        names=_column_names(before, dialect, width),
        before=tuple(before),
        after=tuple(lines[stop:]),
        first_line=start + 1,
        dialect=dialect,
    )


def _first(lines: list[str]) -> str:
    return next((line.strip()[:60] for line in lines if line.strip()), "")


def _find_dialect(lines: list[str]) -> Dialect:
    step = max(1, len(lines) // _SAMPLE)
    sample = [line for line in lines[::step] if line.strip()]

    def score(dialect: Dialect) -> tuple[int, int]:
        widths = Counter(len(row) for row in map(dialect.numbers, sample) if row)
        wide = sum(count for width, count in widths.items() if width > 1)
        return wide, sum(widths.values())

    return max(DIALECTS, key=score)


def _longest_run(rows: list[list[float] | None]) -> tuple[int, int]:
    """Return the bounds of the longest run of rows (of two cells or more, if there are); blank lines do not end it."""
    least = 2 if any(row and len(row) > 1 for row in rows) else 1
    best, start, count, last = (0, 0, 0), 0, 0, 0
    for index, row in enumerate([*rows, None]):
        if row is None or (row and len(row) < least and not count):
            if count > best[0]:
                best = (count, start, last + 1)
            count = 0
        elif row:
            start = start if count else index
            count, last = count + 1, index
    return best[1], best[2]


def _require_complete(text: _Text, start: int, stop: int) -> None:
    rows, lines, width = text.rows, text.lines, text.width
    short = [at for at in range(start, stop) if width == _PAIR and 0 < len(rows[at] or []) < width]
    if short:
        msg = (
            f"{text.name!r} line {short[0] + 1} has 1 cell where the others have 2: {lines[short[0]][:60]!r}. The file "
            "is cut short or damaged; export it again, or delete that line"
        )
        raise FormatError(msg)
    outside = [at for at in (*range(start), *range(stop, len(rows))) if width > 1 and len(rows[at] or []) == width]
    beyond = [at for at in outside if at >= stop or _joins(rows, at, start)]
    if beyond:
        end = stop if beyond[-1] >= stop else start - 1
        msg = (
            f"{text.name!r} line {end + 1} interrupts the rows: {lines[end][:60]!r}; {len(beyond)} more rows stand "
            "beyond it and are not dropped silently. Delete the line, or split the file"
        )
        raise FormatError(msg)


def _joins(rows: list[list[float] | None], at: int, start: int) -> bool:
    """Say whether a row before the table belongs to a run of rows (and not to the header)."""
    following = rows[at + 1] if at + 1 < start else None
    previous = rows[at - 1] if at else None
    return any(row is not None and len(row) > 1 for row in (following, previous))


def _column_names(before: list[str], dialect: Dialect, width: int) -> tuple[str, ...]:
    for line in reversed([line for line in before if line.strip()][-3:]):
        cells = [cell.lstrip("#").strip().strip('"') for cell in dialect.cells(line.strip().lstrip(_COMMENT))]
        if len(cells) > width:
            cells = [cell for cell in cells if cell]
        text = sum(bool(re.search("[^\\W\\d_]", cell)) for cell in cells)
        if len(cells) == width and text == width:
            return tuple(cells)
        if len(cells) == width and width > _PAIR and text > width // 2:
            return tuple(cells)
    return ("",) * width
