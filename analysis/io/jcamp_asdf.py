"""Numbers of JCAMP-DX tables: AFFN, PAC, SQZ, DIF and DUP forms, with the Y-check of the difference form.

A letter stands for sign and first digit: `@A-I a-i` of an ordinate (SQZ), `%J-R j-r` of its difference from the one
before (DIF), `S-Z s` of how many times the last one stands (DUP). A line that ends in differences is followed by a line
whose first ordinate repeats its last: if the two are not equal, something is lost, and the file is refused.
Not here: what the numbers mean (`analysis.io.jcamp`). Reference: McDonald and Wilks, Appl. Spectrosc. 42 (1988) 151, 5.
"""

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analysis.core import FormatError
from analysis.io.jcamp_records import Record

_PLAIN = r"[+-]?(?:\d+\.?\d*|\.\d+)"
_AFFN = re.compile(rf"\s*[,;]?\s*({_PLAIN}(?:[EeDd][+-]?\d+)?(?![\d.])|\?|[+-]?(?:nan|inf)\w*)", re.IGNORECASE)
_X = re.compile(rf"\s*({_PLAIN}(?:[Ee][+-]\d+)?|[@A-Ia-i]\d*\.?\d*)")
_PACKED = re.compile(rf"[\s,]*({_PLAIN}|[@A-Ia-i%J-Rj-rS-Zs]\d*\.?\d*|\?)")
_LETTERS = re.compile("[@%A-DF-Za-df-z]")
_MOST = 20_000_000
_SQZ = {"@": "0"} | {chr(64 + k): str(k) for k in range(1, 10)} | {chr(96 + k): f"-{k}" for k in range(1, 10)}
_DIF = {"%": "0"} | {chr(73 + k): str(k) for k in range(1, 10)} | {chr(105 + k): f"-{k}" for k in range(1, 10)}
_DUP = {chr(82 + k): str(k) for k in range(1, 9)} | {"s": "9"}
Array = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Run:
    """Ordinates in steps of one abscissa, as they stand in the file."""

    y: Array
    """Ordinates, not scaled; NaN where the file has `?`."""
    starts: tuple[tuple[int, float], ...]
    """For each line the index of its first ordinate and its abscissa, not scaled."""


def run(table: Record, name: str, limit: int | None) -> Run:
    """Decode a table of the form `(X++(Y..Y))`.

    Parameters
    ----------
    table:
        The record.
    name:
        Name of the file, for messages.
    limit:
        Number of ordinates that the header gives; more are an error.

    Returns
    -------
    :
        The ordinates.

    Raises
    ------
    FormatError
        If a line does not read, a Y-check fails, or there are too many ordinates.
    """
    rows = [(table.at + at, line) for at, line in enumerate(table.lines, 1) if line.strip()]
    packed = any(_LETTERS.search(line) for _, line in rows)
    decoder = _Decoder(name=name, limit=_MOST if limit is None else limit)
    for at, line in rows:
        numbers = None if packed else affn(line)
        if numbers is not None and len(numbers) > 1:
            decoder.take_plain(numbers)
        else:
            decoder.take_packed(line, at)
    return Run(y=np.array(decoder.y, dtype=float), starts=tuple(decoder.starts))


def affn(line: str) -> list[float] | None:
    """Read a line of free-form numbers.

    Parameters
    ----------
    line:
        Numbers, separated by blanks, commas, semicolons or their signs.

    Returns
    -------
    :
        The numbers, NaN for `?`; None if there is anything else.
    """
    found, at = [], 0
    line = line.strip().rstrip(";,").rstrip()
    while at < len(line):
        token = _AFFN.match(line, at)
        if token is None:
            return None
        text = token.group(1)
        found.append(np.nan if text == "?" else float(re.sub("[dD]", "e", text) if text[-1].isdigit() else text))
        at = token.end()
    return found


class _Decoder:
    """The state of decoding: ordinates so far, and the last difference."""

    def __init__(self, *, name: str, limit: int) -> None:
        self.name, self.limit = name, limit
        self.y: list[float] = []
        self.starts: list[tuple[int, float]] = []
        self._difference: float | None = None

    def take_plain(self, numbers: list[float]) -> None:
        self.starts.append((len(self.y), numbers[0]))
        self.y.extend(numbers[1:])
        self._require_room(len(self.y))
        self._difference = None

    def take_packed(self, line: str, at: int) -> None:
        found = _X.match(line)
        if found is None:
            raise FormatError(self._unread(line, 0, at))
        x, place = _value(found.group(1)), found.end()
        checking, first = self._difference is not None, True
        self.starts.append((len(self.y) - checking, x))
        end = len(line.rstrip(" \t,;"))
        while place < end:
            token = _PACKED.match(line, place)
            if token is None:
                raise FormatError(self._unread(line, place, at))
            if first and checking:
                self._check(token.group(1), at)
            else:
                self._take(token.group(1), at)
            first, place = False, token.end()

    def _take(self, cell: str, at: int) -> None:
        mark, rest = cell[0], cell[1:]
        if mark in _DIF:
            self._difference = float(_DIF[mark] + rest)
            self.y.append(self._last(at) + self._difference)
        elif mark in _DUP:
            times = float(_DUP[mark] + rest)
            self._require_room(len(self.y) + times - 1)
            last, step = self._last(at), self._difference or 0.0
            self.y.extend(last + step * k for k in range(1, int(times)))
        else:
            self._difference = None
            self.y.append(np.nan if cell == "?" else _value(cell))
        self._require_room(len(self.y))

    def _check(self, cell: str, at: int) -> None:
        self._difference = None
        seen, last = (np.nan if cell == "?" else _value(cell)), self.y[-1]
        if not abs(seen - last) <= 1e-9 * max(abs(last), 1.0):
            msg = (
                f"{self.name!r} line {at}: the Y-check fails: the line begins with {seen:.10g}, the line before ends "
                f"at {last:.10g}. A character or a line is lost or altered; export the file again"
            )
            raise FormatError(msg)

    def _last(self, at: int) -> float:
        if not self.y:
            msg = f"{self.name!r} line {at} begins with a difference or a repetition of nothing. Export the file again"
            raise FormatError(msg)
        return self.y[-1]

    def _require_room(self, count: float) -> None:
        if count > self.limit:
            msg = f"{self.name!r} holds {count:.0f} ordinates or more where {self.limit} are allowed by its header"
            msg += ". It is damaged; export it again"
            raise FormatError(msg)

    def _unread(self, line: str, place: int, at: int) -> str:
        return (
            f"{self.name!r} line {at}: {line[place : place + 20]!r} is no number of JCAMP-DX (AFFN, PAC, SQZ, DIF, "
            "DUP). It is damaged; export it again"
        )


def _value(cell: str) -> float:
    if cell[0] in _SQZ:
        return float(_SQZ[cell[0]] + cell[1:])
    if cell[0] in _DIF or cell[0] in _DUP:
        msg = f"{cell!r} stands where an ordinate is due"
        raise FormatError(msg)
    return float(cell)


def groups(table: Record, name: str, width: int) -> Array:
    """Decode a table of the form `(XY..XY)`.

    Parameters
    ----------
    table:
        The record.
    name:
        Name of the file, for messages.
    width:
        Numbers in a group.

    Returns
    -------
    :
        Shape (groups, width).

    Raises
    ------
    FormatError
        If a line does not read or the groups are not complete.
    """
    found: list[float] = []
    for at, line in enumerate(table.lines, table.at + 1):
        numbers = affn(line)
        if numbers is None:
            msg = f"{name!r} line {at}: {line.strip()[:40]!r} is not a list of numbers. Export the file again"
            raise FormatError(msg)
        found.extend(numbers)
    if len(found) % width:
        msg = f"{name!r}: the table at line {table.at} has {len(found)} numbers, wanted groups of {width}: cut short"
        raise FormatError(msg)
    return np.array(found, dtype=float).reshape(-1, width)
