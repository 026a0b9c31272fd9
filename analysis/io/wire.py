"""Text files of Renishaw WiRE with positions or times: columns `#X #Y #Wave #Intensity`, one row a point.

The file says neither the units of the axis nor of the signal; the axis is `wave`, and positions are in the units that
WiRE uses (µm, s). Not here: a single spectrum (`#Wave #Intensity`), which is a plain table (`analysis.io.ascii`).
"""

import json
import re

import numpy as np
import numpy.typing as npt
import xarray as xr

from analysis.core import CHANNEL, FormatError
from analysis.io import ascii as ascii_table
from analysis.io import fields, positions, sniff, table, text
from analysis.io.fields import Array
from analysis.io.positions import Position
from analysis.io.reader import Reader

_TITLE = "Renishaw WiRE text"
_KNOWN = {"x": ("x", "um"), "y": ("y", "um"), "z": ("z", "um"), "time": ("elapsed", "s")}
_FIRST = re.compile(r"(?:#\w+\s+)+#Wave\s+#Intensity\s*$")


def read(data: bytes, name: str) -> xr.Dataset:
    """Read a series or a map.

    Parameters
    ----------
    data:
        The file.
    name:
        Its name, for messages.

    Returns
    -------
    :
        `signal` with the dims `spectrum` or `y`, `x` before `channel`, and the axis `wave` as in the file.

    Raises
    ------
    FormatError
        If spectra have different axes, or the axis cannot be used.
    """
    lines = text.lines_of(data, name)
    names = [each.lstrip("#").lower() for each in lines[0].split()]
    body = table.parse(["", *lines[1:]], name)
    if body.values.shape[1] != len(names):
        msg = (
            f"{name!r} is {_TITLE} of the columns {names}, but its rows have {body.values.shape[1]} cells. "
            "Export it again"
        )
        raise FormatError(msg)
    count = len(names) - 2
    starts = _starts(body.values[:, :count], body.values[:, count], name)
    size = len(body.values) // len(starts)
    wave = body.values[:size, count].copy()
    problem = ascii_table.axis_problem(wave, body.first_line)
    if problem:
        raise FormatError(ascii_table.axis_message(name, "wave", problem))
    found = {}
    for at, each in enumerate(names[:count]):
        called, units = _KNOWN.get(each, (each, ""))
        values = body.values[starts, at].copy()
        found[called] = Position(values=values, units=units, long_name=f"{each} of the file, in WiRE's usual units")
    dataset = positions.arrange(body.values[:, count + 1].reshape(-1, size), {"long_name": "signal"}, found)
    coords = {
        "wave": (CHANNEL, wave, {"long_name": "axis; the file does not say whether shift or wavelength"}),
        "pixel": fields.pixels(size, 0, "point, in the order of the file"),
    }
    raw = {"before": lines[: body.first_line - 1], "after": list(body.after)}
    return dataset.assign_coords(coords).assign_attrs(header=json.dumps(raw, ensure_ascii=False))


def _starts(places: Array, wave: Array, name: str) -> npt.NDArray[np.intp]:
    """Return the first row of each spectrum: where the position changes, or the axis begins again."""
    if not np.isfinite(places).all():
        row = int(np.argmin(np.isfinite(places).all(axis=1)))
        msg = f"{name!r} is {_TITLE}, but row {row + 1} of its table has no position. Export it again"
        raise FormatError(msg)
    moved = (np.diff(places, axis=0) != 0).any(axis=1) | (wave[1:] == wave[0])
    starts = np.concatenate([[0], np.flatnonzero(moved) + 1])
    sizes = np.diff([*starts, len(wave)])
    size = int(sizes[0])
    if (sizes != size).any() or (wave.reshape(-1, size) != wave[:size]).any():
        odd = int(np.argmax(sizes != size)) if (sizes != size).any() else 0
        msg = (
            f"{name!r} is {_TITLE} of {len(starts)} spectra that do not share their axis: the first has {size} points, "
            f"spectrum {odd + 1} has {sizes[odd]}, or other values. It is cut short, or split it by spectrum"
        )
        raise FormatError(msg)
    return starts


def _recognises(head: bytes) -> bool:
    first = re.split(r"[\r\n]", sniff.start_of(head), maxsplit=1)[0]
    return bool(_FIRST.match(first))


READER = Reader(
    name="wire",
    title=_TITLE,
    recognises=_recognises,
    read=read,
    reads="series, lines and maps with positions or times (`#X #Y #Wave #Intensity`), in the order of the file",
    reads_not="the kind and units of the axis, laser, date and exposure (not in the file: take the WDF)",
    tested_on="made ones by the layout that public files show; single spectra are read as `ascii`",
)
