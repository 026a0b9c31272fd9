"""Zwick/Roell testXpert TRA: quoted lines `"name",value,"unit"`, then labels, units and rows of a materials test.

Not here: what the columns mean for a test, other text (`analysis.io.ascii`).
"""

import csv
import json
import re
from datetime import datetime, timedelta

import numpy as np
import xarray as xr

from analysis.core import CHANNEL, FormatError
from analysis.io import collection, fields, labels, sniff, text
from analysis.io.fields import Array
from analysis.io.reader import Reader

_TITLE = "testXpert TRA"
_PAIR = re.compile(r'"[^"\n]*"(?P<mark>[,;\t])("[^"\n]*"|[-+\d.,eE]*)((?P=mark)("[^"\n]*")?)?\s*')
_LABELS = re.compile(r'"[^"\n]+"(?P<mark>[,;\t])"[^"\n]+"((?P=mark)"[^"\n]*")*\s*')
_NUMBER = re.compile(r"[-+]?(\d+([.,]\d*)?|[.,]\d+)([eE][-+]?\d{1,3})?")
_TIME = re.compile(r"(test )?time|(pr\u00fcf|test)?zeit|temps", re.IGNORECASE)
_DATE = re.compile(r"date|datum", re.IGNORECASE)
_EXCEL = datetime(1899, 12, 30)  # noqa: DTZ001 - the file gives no zone
_EXCEL_DAYS = (20_000.0, 80_000.0)
_UNITS = {"\u00b5m": "um", "\u00b2": "2", "\u00b3": "3"}
_NAMED = (
    (re.compile(r"cross.?section|querschnitt|section", re.IGNORECASE), "cross_section"),
    (re.compile(r"gau?ge length|messl\u00e4nge|longueur de base|l0\b", re.IGNORECASE), "gauge_length"),
    (re.compile(r"thickness|dicke|\u00e9paisseur", re.IGNORECASE), "thickness"),
    (re.compile(r"width|breite|largeur", re.IGNORECASE), "width"),
    (re.compile(r"diameter|durchmesser|diam\u00e8tre", re.IGNORECASE), "diameter"),
)


def recognises(head: bytes) -> bool:
    """Say whether a file begins like one of testXpert.

    Parameters
    ----------
    head:
        Its first bytes.

    Returns
    -------
    :
        By quoted names and values, then two quoted lines of as many cells (labels and units).
    """
    lines = sniff.start_of(head).splitlines()[:-1]
    at = next((index for index, line in enumerate(lines) if not _PAIR.fullmatch(line)), len(lines))
    at = next((index for index in range(1, len(lines) - 1) if _is_head(lines[index : index + 2])), at)
    return at > 0 and _is_head(lines[at : at + 2]) and all(_PAIR.fullmatch(line) for line in lines[:at] if line.strip())


def _is_head(lines: list[str]) -> bool:
    if len(lines) < 2 or not all(_LABELS.fullmatch(line.strip()) for line in lines):  # noqa: PLR2004 - labels, units
        return False
    names, units = (next(csv.reader([line.strip()], delimiter=_mark(line))) for line in lines)
    return len(names) == len(units) and all(len(unit) <= 8 for unit in units)  # noqa: PLR2004 - units are short


def _mark(line: str) -> str:
    found = re.match(r'\s*"[^"]*"([,;\t])', line)
    return found.group(1) if found else ","


def read(data: bytes, name: str) -> xr.Dataset:
    """Read a materials test.

    Parameters
    ----------
    data:
        The file.
    name:
        Its name, for messages.

    Returns
    -------
    :
        `signal (spectrum, channel)`: each column but the time, with `column_units`; the axis `time` as recorded,
        irregular; what the file says of the specimen in attributes such as `cross_section` and `cross_section_units`.

    Raises
    ------
    FormatError
        If labels or numbers are missing or damaged.
    """
    lines = text.lines_of(data, name)
    at = next((index for index in range(len(lines) - 1) if _is_head(lines[index : index + 2])), -1)
    if at < 0:
        msg = f"{name!r} is {_TITLE} without a line of labels and one of units before its rows. Export it again"
        raise FormatError(msg)
    mark = _mark(lines[at])
    names, units = (next(csv.reader([line.strip()], delimiter=mark)) for line in lines[at : at + 2])
    units = [_units(unit) for unit in units]
    values = _rows(lines[at + 2 :], mark, (name, at + 3, len(names)))
    quantities = [_quantity(cells) for cells in csv.reader(lines[:at], delimiter=mark) if len(cells) > 1]
    time = next((index for index, label in enumerate(names) if _TIME.fullmatch(label.strip())), -1)
    others = [index for index in range(len(names)) if index != time]
    if not others:
        msg = f"{name!r} is {_TITLE} with the time alone; wanted a column of force or travel. Export all columns"
        raise FormatError(msg)
    coords = {
        "pixel": fields.pixels(values.shape[0], 0, "row of the table, from 0"),
        "spectrum": collection.unique([names[index] for index in others]),
        "column_units": ("spectrum", [units[index] for index in others]),
    }
    if time >= 0:
        about = {"units": units[time], "long_name": names[time]}
        coords |= {"time": (CHANNEL, values[:, time].copy(), about)}
    signal = np.ascontiguousarray(values[:, others].T)
    dataset = xr.Dataset({"signal": (("spectrum", CHANNEL), signal)}, coords, attrs=_attributes(quantities))
    return dataset.assign_attrs(header=json.dumps({"before": lines[: at + 2]}, ensure_ascii=False))


def _units(given: str) -> str:
    plain = given.strip()
    for spelling, usual in _UNITS.items():
        plain = plain.replace(spelling, usual)
    return labels.read(f"x ({plain})").units or plain


def _rows(lines: list[str], mark: str, where: tuple[str, int, int]) -> Array:
    name, first, width = where
    filled = [(at, line) for at, line in enumerate(lines, first) if line.strip()]
    if not filled:
        msg = f"{name!r} is {_TITLE} without a row of numbers; it may be cut short. Copy it again"
        raise FormatError(msg)
    values = np.empty((len(filled), width))
    for index, (at, line) in enumerate(filled):
        cells = [cell.strip() for cell in line.split(mark)]
        cells = cells[:-1] if len(cells) == width + 1 and not cells[-1] else cells
        if len(cells) != width or not all(_NUMBER.fullmatch(cell) or not cell for cell in cells) or not any(cells):
            msg = f"{name!r}: line {at} is {line[:60]!r}; wanted {width} numbers separated by {mark!r}. Copy it again"
            raise FormatError(msg)
        values[index] = [float(cell.replace(",", ".")) if cell else np.nan for cell in cells]
    return values


def _quantity(cells: list[str]) -> tuple[str, str, str]:
    return cells[0].strip(), cells[1].strip(), _units(cells[2]) if len(cells) > 2 else ""  # noqa: PLR2004 - name, value, units


def _attributes(quantities: list[tuple[str, str, str]]) -> dict[str, object]:
    attrs: dict[str, object] = {}
    for label, given, units in quantities:
        if not _NUMBER.fullmatch(given):
            continue
        value = float(given.replace(",", "."))
        key = next((key for pattern, key in _NAMED if pattern.search(label)), "")
        if key and key not in attrs:
            attrs |= {key: value, f"{key}_units": units}
        if _DATE.search(label) and _EXCEL_DAYS[0] < value < _EXCEL_DAYS[1]:
            attrs["acquired"] = (_EXCEL + timedelta(days=value)).isoformat(timespec="seconds")
            attrs["acquired_note"] = "local time of the machine's computer; the file gives days since 1899-12-30"
    said = next((given for label, given, _ in quantities if label.lower() in ("machine", "load cell") and given), "")
    return attrs | ({"instrument": said} if said else {})


READER = Reader(
    name="testxpert",
    title=_TITLE,
    recognises=recognises,
    read=read,
    reads="all columns with labels and units, time as recorded, cross-section, gauge length, date, the whole header",
    reads_not="several specimens in one file",
    tested_on="a tensile test of Invar (METROSPEC_REAL_FILES), made ones with decimal comma",
)
