"""Numbers in printed text, with the uncertainty that stands beside them.

`520.45 ± 0.14` and `520.45(14)` carry one; in a table with a column `value` and a column `u` so does the value.
Whole numbers are text. Not here: what a difference means for a notebook (`analysis.verify.compare`).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_PLAIN = r"[-+−]?\d+(?:\.\d+)?(?:[eE][-+−]?\d+)?"
NUMBER = re.compile(
    rf"(?P<value>{_PLAIN})\s*(?:±|\+/-)\s*(?P<u>\d+(?:\.\d+)?(?:[eE][-+−]?\d+)?)"
    r"|(?<![\w.])(?P<short>[-+−]?\d+(?:\.\d+)?)\((?P<digits>\d+)\)"
    r"|(?<![\w.])(?P<float>[-+−]?(?:\d+\.\d*|\.\d+|\d+(?=[eE][-+−]?\d))(?:[eE][-+−]?\d+)?)(?![\w.])"
)
SHARE_OF_U = 0.05
RELATIVE = 1e-7
RESULTS = 1e-6
_ROUNDED = 3  # digits of u, at most, in what is printed for people
_COLUMNS = re.compile(r"\s{2,}")
_U_COLUMN = re.compile(r"u(?: \(.*\))?")
_VALUE_COLUMN = re.compile(r"value(?: \(.*\))?")


@dataclass(frozen=True, kw_only=True)
class Number:
    """A number as it is printed; `u` is None where none stands beside it, `digit` one unit of its last digit."""

    text: str
    value: float
    u: float | None
    digit: float
    is_u: bool = False
    exact: bool = False
    """Whether `u` has more digits than a person needs: then it is a regression value, as those of `made_with`."""


def same(old: str, new: str) -> bool:
    """Tell whether two outputs say the same: text exactly, numbers as `agree` has it.

    Parameters
    ----------
    old, new:
        What was printed.

    Returns
    -------
    :
        Whether they do.
    """
    return skeleton(old) == skeleton(new) and all(
        agree(a, b) for a, b in zip(read_all(old), read_all(new), strict=True)
    )


def agree(old: Number, new: Number) -> bool:
    """Tell whether two numbers are one for a regression test.

    Parameters
    ----------
    old, new:
        With an uncertainty, value and uncertainty may differ by 5 % of it, or flip their last digit; if both are given
        with many digits, by 1e-6. Without, the relative tolerance is 1e-7.

    Returns
    -------
    :
        Whether they are.
    """
    if old.u is None or new.u is None:
        return (old.u is None) == (new.u is None) and close(old.value, new.value)
    if old.exact and new.exact:
        return close(old.value, new.value, RESULTS) and close(old.u, new.u, RESULTS)
    # a value on the edge of rounding may flip its last digit
    room = max(SHARE_OF_U * old.u, 1.01 * old.digit if old.digit <= old.u / 2 else 0.0)
    return abs(old.value - new.value) <= room and abs(old.u - new.u) <= room


def close(old: float, new: float, relative: float = RELATIVE) -> bool:
    """Tell whether two plain numbers are equal.

    Parameters
    ----------
    old, new:
        The numbers.
    relative:
        Difference that counts as none.

    Returns
    -------
    :
        Whether they are.
    """
    return abs(old - new) <= relative * max(abs(old), abs(new))


def skeleton(text: str) -> str:
    """Return text with its numbers taken out; runs of spaces count as one, as tables are padded.

    Parameters
    ----------
    text:
        What was printed.

    Returns
    -------
    :
        The rest.
    """
    return re.sub(r"[ \t]+", " ", NUMBER.sub("<number>", text))


def read_all(text: str) -> list[Number]:
    """Read the numbers of a text in order, without regard to tables.

    Parameters
    ----------
    text:
        What was printed.

    Returns
    -------
    :
        As many as `skeleton` takes out.
    """
    return [_read(match) for match in NUMBER.finditer(text)]


def read_lines(text: str) -> list[list[Number]]:
    """Read the numbers of each line; in tables with the columns `value` and `u` a value has its u.

    Parameters
    ----------
    text:
        What was printed.

    Returns
    -------
    :
        The numbers, line by line.
    """
    found, header = [], list[str]()
    for line in text.split("\n"):
        cells = _COLUMNS.split(line.strip())
        if any(_U_COLUMN.fullmatch(cell) for cell in cells):
            header = cells
        elif len(cells) < max(len(header), 1) or not line.strip():
            header = []
        found.append(_read_row(line, cells, header) if header and cells != header else read_all(line))
    return found


def _read_row(line: str, cells: Sequence[str], header: Sequence[str]) -> list[Number]:
    by_name = dict(zip(reversed(header), reversed(cells), strict=False))
    u = next(by_name[name] for name in header if _U_COLUMN.fullmatch(name))
    value = next((by_name[name] for name in header if _VALUE_COLUMN.fullmatch(name)), "")
    uncertainty = NUMBER.fullmatch(u)
    row = []
    for number in read_all(line):
        if uncertainty and uncertainty["float"] and number.text == value and number.u is None:
            row.append(Number(text=number.text, value=number.value, u=_to_float(u), digit=number.digit))
        elif uncertainty and number.text == u:
            row.append(Number(text=number.text, value=number.value, u=None, digit=number.digit, is_u=True))
        else:
            row.append(number)
    return row


def _read(match: re.Match[str]) -> Number:
    text = match["value"] or match["short"] or match["float"]
    mantissa, _, exponent = text.lower().replace("−", "-").partition("e")
    digit = 10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2]))
    u = _to_float(match["u"]) if match["u"] else int(match["digits"]) * digit if match["digits"] else None
    exact = len(re.sub(r"e.*|\D", "", (match["u"] or "").lower()).lstrip("0")) > _ROUNDED
    return Number(text=match[0], value=_to_float(text), u=u, digit=digit, exact=exact)


def _to_float(text: str) -> float:
    return float(text.replace("−", "-"))
