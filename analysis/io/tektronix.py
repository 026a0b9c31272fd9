"""Tektronix oscilloscope CSV: settings, then columns of time and channels; or settings beside the first rows.

The numbers are digitised voltages: no rule of counting is marked. Not here: binary waveforms (`analysis.io.scope`).
"""

import json
import re
from typing import Any

import numpy as np
import xarray as xr

from analysis.core import CHANNEL, FormatError
from analysis.io import collection, fields, labels, sniff, text
from analysis.io.fields import Array
from analysis.io.reader import Reader

_TITLE = "Tektronix CSV"
_FIRST = re.compile(r'(Model,\s*"?(MSO|DPO|DSA|TDS|MDO|TBS|TPS|DSO|LPD|DPS|MSO)|"?Record Length"?\s*,)', re.IGNORECASE)
_NUMBER = re.compile(r"\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d{1,3})?\s*")
_PAIR = 2


def read(data: bytes, name: str) -> xr.Dataset:
    """Read the waveforms of an oscilloscope.

    Parameters
    ----------
    data:
        The file.
    name:
        Its name, for messages.

    Returns
    -------
    :
        `signal` along `time` (s); with several channels `(spectrum, channel)`.

    Raises
    ------
    FormatError
        If rows are missing or damaged.
    """
    lines = text.lines_of(data, name)
    at = next((index for index, line in enumerate(lines) if re.match(r'"?TIME"?\s*,', line, re.IGNORECASE)), None)
    if at is not None:
        head, names, rows = lines[:at], [_bare(cell) for cell in lines[at].split(",")], lines[at + 1 :]
        values = _table([(index, row) for index, row in enumerate(rows, at + 2) if row.strip()], len(names), name)
    else:
        head, values = _beside(lines, name)
        names = ["TIME", _setting(head, "Source") or "CH1"]
    wanted = _setting(head, "Record Length")
    if _NUMBER.fullmatch(wanted) and float(wanted) != values.shape[0]:
        msg = f"{name!r} is damaged or cut short: its header says {wanted} samples, it has {values.shape[0]}"
        msg_0 = f"{msg}. Copy it again"
        raise FormatError(msg_0)
    return _dataset(head, names, values)


def _dataset(head: list[str], names: list[str], values: Array) -> xr.Dataset:
    units = labels.read(f"x ({_setting(head, 'Horizontal Units') or 's'})").units or "s"
    is_frequency = units == "Hz"
    time: dict[str, object] = {"units": units, "long_name": "frequency" if is_frequency else "time from the trigger"}
    given = _setting(head, "Vertical Units")
    about = {"units": labels.read(f"x ({given})").units or given} if given else {}
    signal = np.ascontiguousarray(values[:, 1:].T)
    axis = "frequency" if is_frequency else "time"
    coords: dict[str, Any] = {
        axis: (CHANNEL, values[:, 0].copy(), time),
        "pixel": fields.pixels(values.shape[0], 0, "sample, from 0"),
    }
    data: dict[str, Any] = {}
    if len(names) == _PAIR:
        data = {"signal": (CHANNEL, signal[0], about | {"long_name": names[1]})}
    else:
        data = {"signal": (("spectrum", CHANNEL), signal, about)}
        coords["spectrum"] = collection.unique(names[1:])
    attrs: dict[str, object] = {"header": json.dumps({"before": head}, ensure_ascii=False)}
    said = " ".join(filter(None, (_setting(head, "Model"), _setting(head, "Firmware Version"))))
    attrs |= {"instrument": f"Tektronix {said}"} if said else {}
    interval = _setting(head, "Sample Interval")
    attrs |= {"sample_interval_s": float(interval)} if _NUMBER.fullmatch(interval) else {}
    return xr.Dataset(data, coords, attrs=attrs)


def _table(rows: list[tuple[int, str]], width: int, name: str) -> Array:
    if not rows or width < _PAIR:
        msg = f"{name!r} is {_TITLE} with {len(rows)} rows of {width} columns; wanted time and a channel. Copy it again"
        raise FormatError(msg)
    values = np.empty((len(rows), width))
    for index, (at, row) in enumerate(rows):
        cells = row.split(",")
        cells = cells[:-1] if len(cells) == width + 1 and not cells[-1].strip() else cells
        if len(cells) != width or not all(_NUMBER.fullmatch(cell) for cell in cells):
            msg = f"{name!r}: line {at} is {row[:60]!r}; wanted {width} numbers. Copy it again"
            raise FormatError(msg)
        values[index] = [float(cell) for cell in cells]
    return values


def _beside(lines: list[str], name: str) -> tuple[list[str], Array]:
    """Read the older form: settings in the first columns, time and voltage in the last two."""
    head, rows = [], []
    for at, line in enumerate(lines, 1):
        cells = line.rstrip(", \t").split(",")
        if len(cells) > _PAIR and all(_NUMBER.fullmatch(cell) for cell in cells[-_PAIR:]):
            rows.append((at, ",".join(cells[-_PAIR:])))
        elif line.strip(', \t"') and rows:
            msg = f"{name!r}: line {at} is {line[:60]!r}; wanted time and voltage in the last two cells. Copy it again"
            raise FormatError(msg)
        if any(cell.strip(' "') for cell in cells[:_PAIR]) and len(cells) > _PAIR - 1:
            head.append(line)
    return head, _table(rows, _PAIR, name)


def _setting(head: list[str], key: str) -> str:
    for line in head:
        cells = [_bare(cell) for cell in line.split(",")]
        if cells[0].lower() == key.lower() and len(cells) > 1:
            return cells[1]
    return ""


def _bare(cell: str) -> str:
    return cell.strip().strip('"').strip()


READER = Reader(
    name="tektronix",
    title=_TITLE,
    recognises=lambda head: _FIRST.match(sniff.start_of(head)) is not None,
    read=read,
    reads="time (or frequency), all channels, units, model, sample interval, the whole header; the older form too",
    reads_not="digital buses",
    tested_on="50000 samples of an MSO64 (METROSPEC_REAL_FILES), made ones of both forms",
    max_bytes=256_000_000,
)
