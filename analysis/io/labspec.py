"""Text files of Horiba LabSpec with their header: lines `#Key=value`, then a spectrum, a series or a map.

A map begins with a row whose first cells are blank: the axis that all its spectra share; each row after it holds the
position, then the values. Not here: LabSpec text without a header, which is a plain table (`analysis.io.ascii`).
"""

import json
import re

import numpy as np
import xarray as xr

from analysis.core import CHANNEL, FormatError
from analysis.io import ascii as ascii_table
from analysis.io import dates, fields, positions, sniff, table, text
from analysis.io.collection import Collection
from analysis.io.positions import Position
from analysis.io.reader import Reader
from analysis.io.table import Table

_TITLE = "Horiba LabSpec text"
_SIGNS = re.compile(r"^#(Acq\. time \(s\)|Accumulations|AxisType\[\d\])=", re.MULTILINE)
_PAIR = re.compile(r"#([^=]+)=[ \t]*(.*)")
_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)?")
_AXES = {
    "1/cm": ("raman_shift", "cm-1", "Raman shift"),
    "cm-1": ("raman_shift", "cm-1", "Raman shift"),
    "nm": ("wavelength", "nm", "wavelength"),
    "ev": ("energy", "eV", "energy"),
}
_UNITS = {
    "cnt": "counts",
    "cnt/sec": "counts s-1",
    "µm": "um",
    "μm": "um",
    "um": "um",
    "mm": "mm",
    "s": "s",
    "sec": "s",
}
_NAMES = {"x": "x", "xa": "x", "y": "y", "ya": "y", "z": "z", "za": "z", "time": "elapsed", "t": "elapsed"}
_FIRST_PLACE = 2
"""Axis 0 is the signal, axis 1 the spectrum; positions begin here."""


def read(data: bytes, name: str) -> xr.Dataset | Collection:
    """Read a spectrum, a series or a map.

    Parameters
    ----------
    data:
        The file.
    name:
        Its name, for messages.

    Returns
    -------
    :
        `signal` with the dims `spectrum` (a series or a line) or `y`, `x` (a map) before `channel`, with the laser
        line, the time of exposure, accumulations and the date of the header.

    Raises
    ------
    FormatError
        If the table is damaged, or its axis cannot be used.
    """
    lines = text.lines_of(data, name)
    count = next((at for at, line in enumerate(lines) if line.strip() and not line.startswith("#")), len(lines))
    header = {found[1].strip(): found[2].strip() for line in lines[:count] if (found := _PAIR.match(line))}
    body = table.parse([""] * count + lines[count:], name)
    raw = {"before": lines[: body.first_line - 1], "after": list(body.after)}
    attrs = _attributes(header) | {"header": json.dumps(raw, ensure_ascii=False)}
    places = int(np.argmin(np.isnan(body.values[0])))
    if not places and body.values.shape[1] != 2:  # noqa: PLR2004 - an axis and a signal
        return ascii_table.read_table(body, name)
    dataset = _spectra(body, header, places, name) if places else _spectrum(body, header)
    axis = next(each for each in dataset.coords if dataset[each].dims == (CHANNEL,))
    problem = ascii_table.axis_problem(dataset[axis].values, body.first_line)
    if problem:
        raise FormatError(ascii_table.axis_message(name, str(axis), problem))
    pixel = fields.pixels(dataset.sizes[CHANNEL], 0, "point, in the order of the file")
    return dataset.assign_coords(pixel=pixel).assign_attrs(attrs)


def _spectrum(body: Table, header: dict[str, str]) -> xr.Dataset:
    axis, about = _axis(header)
    held = {"signal": (CHANNEL, body.values[:, 1].copy(), _signal(header))}
    return xr.Dataset(held, {axis: (CHANNEL, body.values[:, 0].copy(), about)})


def _spectra(body: Table, header: dict[str, str], places: int, name: str) -> xr.Dataset:
    held = body.values[1:, :places]
    if not np.isfinite(held).all():
        row = int(np.argmin(np.isfinite(held).all(axis=1)))
        msg = f"{name!r} is {_TITLE}, but spectrum {row + 1} of its {len(held)} has no position. Export it again"
        raise FormatError(msg)
    found = {}
    for at in range(places):
        kind = header.get(f"AxisType[{at + _FIRST_PLACE}]", "")
        unit = header.get(f"AxisUnit[{at + _FIRST_PLACE}]", "")
        called = _NAMES.get(kind.lower(), f"position_{at + 1}")
        long_name = f"{kind or f'position in column {at + 1}'} of the file"
        found[called if called not in found else f"position_{at + 1}"] = Position(
            values=held[:, at].copy(), units=_UNITS.get(unit.lower(), ""), long_name=long_name
        )
    axis, about = _axis(header)
    dataset = positions.arrange(body.values[1:, places:], _signal(header), found)
    return dataset.assign_coords({axis: (CHANNEL, body.values[0, places:].copy(), about)})


def _signal(header: dict[str, str]) -> dict[str, object]:
    unit = _UNITS.get(header.get("AxisUnit[0]", "").lower(), "")
    about: dict[str, object] = {"long_name": "signal"}
    return about | ({"units": unit} if unit else {})


def _axis(header: dict[str, str]) -> tuple[str, dict[str, object]]:
    ranges = [found[1] for key in header if (found := re.match(r"Range \((.+)\)", key))]
    unit = (header.get("AxisUnit[1]") or next(iter(ranges), "")).lower().replace("⁻¹", "-1").replace("-¹", "-1")
    axis, units, long_name = _AXES.get(unit, ("x", "", "first column; the file does not say what it is"))
    about: dict[str, object] = {"long_name": long_name}
    about |= {"units": units} if units else {}
    laser = _laser(header)
    about |= {"medium": "unknown"} if axis == "wavelength" else {}
    return axis, about | ({"laser_wavelength_nm": laser} if axis == "raman_shift" and laser else {})


def _laser(header: dict[str, str]) -> float:
    return _number(header.get("Laser (nm)") or header.get("Laser") or header.get("Laser=") or "")


def _number(cell: str) -> float:
    found = _NUMBER.match(cell)
    return float(found.group().replace(",", ".")) if found else 0.0


def _attributes(header: dict[str, str]) -> dict[str, object]:
    laser, exposure = _laser(header), _number(header.get("Acq. time (s)", ""))
    averages = int(_number(header.get("Accumulations", "")))
    attrs: dict[str, object] = {
        "laser_wavelength_nm": laser,
        "integration_time_s": exposure,
        "averages": averages,
        "instrument": " ".join(filter(None, (header.get("Instrument"), header.get("Detector")))),
        "title": header.get("Title", ""),
        "acquired": dates.read(header.get("Acquired", "")) or dates.read(header.get("Date", "")),
    }
    kept = {key: value for key, value in attrs.items() if value}
    local = {"acquired_note": "local time of the instrument's computer; the file gives no time zone"}
    return kept | (local if "acquired" in kept else {})


def _recognises(head: bytes) -> bool:
    start = sniff.start_of(head).replace("\r", "\n")
    return start.startswith("#") and bool(_SIGNS.search(start))


READER = Reader(
    name="labspec",
    title=_TITLE,
    recognises=_recognises,
    read=read,
    reads="spectra, series and maps with positions; axis and units, laser line, exposure, accumulations, date, header",
    reads_not="settings of the processing (kept in the header); the medium of wavelengths (not in the file)",
    tested_on="made ones by the headers that public files show; plain columns of LabSpec are read as `ascii`",
)
