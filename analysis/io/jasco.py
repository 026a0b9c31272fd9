"""Text files of JASCO Spectra Manager: header `KEY<tab or comma>value`, a table after `XYDATA`, information below it.

The table has one column a channel (`YUNITS`, `Y2UNITS`, ...), or begins with a row of what changed from scan to scan.
Dates are year/month/day in every language of the program. Not here: JCAMP-DX that JASCO writes (`analysis.io.jcamp`).
"""

import json
import re

import numpy as np
import xarray as xr

from analysis.core import CHANNEL, FormatError
from analysis.io import ascii as ascii_table
from analysis.io import collection, dates, fields, labels, sniff, table, text
from analysis.io.reader import Reader
from analysis.io.table import Table

_TITLE = "JASCO text"
_SIGN = re.compile(r"TITLE[\t,].*?^ORIGIN[\t,]\s*JASCO", re.DOTALL | re.MULTILINE)
_DATE = re.compile(r"(\d\d)/(\d\d)/(\d\d)")
_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)?")
_WIDE = re.compile("[\u3040-\u30ff\u4e00-\u9fff]")
_AXES = {"NANOMETERS": ("wavelength", "nm", "wavelength"), "1/CM": ("wavenumber", "cm-1", "wavenumber")}
_UNITS = {"ABSORBANCE": "1", "TRANSMITTANCE": "", "INTENSITY": ""}
_KEYS = {
    "laser": ("Laser wavelength",),
    "exposure": ("Exposure time", "Exposure"),
    "averages": ("Accumulation", "Accumulations", "積算回数"),
    "model": ("Model Name", "Model name", "機種名"),
}
"""What the information below the table calls it."""
_CLOSE = 1e-4
"""How far the ends of the axis may be from those of the header, as a share of its numbers: the header rounds."""
_TURN = 70
"""Two digits of a year from here on are of the 20th century."""


def read(data: bytes, name: str) -> xr.Dataset:
    """Read a spectrum, its channels, or the scans of a series.

    Parameters
    ----------
    data:
        The file.
    name:
        Its name, for messages.

    Returns
    -------
    :
        `signal (channel)`, or `(spectrum, channel)` for several channels or scans, with what header and information
        say of laser line, exposure, accumulations, date and instrument.

    Raises
    ------
    FormatError
        If the table is not the one that the header announces.
    """
    lines = text.lines_of(_as_utf8(data), name)
    marks = [at for at, line in enumerate(lines) if line.strip().rstrip(",") == "XYDATA"]
    if not marks:
        msg = f"{name!r} is {_TITLE} without the line 'XYDATA' before its table: it is cut short. Export it again"
        raise FormatError(msg)
    begin = marks[0] + 1
    end = next((at for at in range(begin, len(lines)) if not lines[at].strip(" \t,")), len(lines))
    header = _pairs(lines[:begin])
    body = table.parse([""] * begin + lines[begin:end], name)
    odd = [at for at, line in enumerate(lines[begin : body.first_line - 1], begin) if line.strip()]
    odd += [end - len(body.after)] if body.after else []
    width = body.values.shape[1]
    odd += [end for line in lines[end:] if width > 1 and len(body.dialect.numbers(line) or []) == width][:1]
    if odd:
        msg = f"{name!r} is {_TITLE}, but line {odd[0] + 1} is no row: {lines[odd[0]][:60]!r}. Export it again"
        raise FormatError(msg)
    dataset = _dataset(body, header)
    _require_announced(dataset, header, name, begin)
    raw = {"before": lines[:begin], "after": lines[end:]}
    attrs = _attributes(header, _pairs(lines[end:])) | {"header": json.dumps(raw, ensure_ascii=False)}
    axis = _axis(header)[0]
    if axis == "raman_shift" and "laser_wavelength_nm" in attrs:
        dataset[axis].attrs["laser_wavelength_nm"] = attrs["laser_wavelength_nm"]
    return dataset.assign_attrs(attrs)


def _as_utf8(data: bytes) -> bytes:
    """Translate the Japanese encoding that JASCO writes; all other text stays as it is."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        try:
            found = data.decode("cp932")
        except UnicodeDecodeError:
            return data
        return found.encode("utf-8") if _WIDE.search(found) else data
    return data


def _pairs(lines: list[str]) -> dict[str, str]:
    cut = (re.split(r"[\t,]", line, maxsplit=1) for line in lines)
    return {pair[0].strip(): pair[1].strip(" \t,") for pair in cut if len(pair) > 1}


def _dataset(body: Table, header: dict[str, str]) -> xr.Dataset:
    scans = bool(np.isnan(body.values[0, 0])) and body.values.shape[1] > 1
    rows = body.values[1:] if scans else body.values
    axis, about = _axis(header)
    coords = {
        axis: (CHANNEL, rows[:, 0].copy(), about),
        "pixel": fields.pixels(len(rows), 0, "point, in the order of the file"),
    }
    if rows.shape[1] == 2 and not scans:  # noqa: PLR2004 - an axis and a signal
        return xr.Dataset({"signal": (CHANNEL, rows[:, 1].copy(), _signal(header.get("YUNITS", "")))}, coords)
    signals = np.ascontiguousarray(rows[:, 1:].T)
    if scans:
        held = {"signal": (("spectrum", CHANNEL), signals, _signal(header.get("YUNITS", "")))}
        what = {"long_name": header.get("ZUNITS") or "what changed from scan to scan; the file does not say what"}
        return xr.Dataset(held, coords | {"scan": ("spectrum", body.values[0, 1:].copy(), what)})
    names = [header.get("YUNITS" if at == 1 else f"Y{at}UNITS", f"column {at + 1}") for at in range(1, rows.shape[1])]
    return xr.Dataset({"signal": (("spectrum", CHANNEL), signals)}, coords | {"spectrum": collection.unique(names)})


def _axis(header: dict[str, str]) -> tuple[str, dict[str, object]]:
    given = header.get("XUNITS", "")
    axis, units, what = _AXES.get(given.upper(), ("x", labels.read(given).units, given or "the file does not say"))
    if axis == "wavenumber" and "RAMAN" in header.get("DATA TYPE", "").upper():
        axis, what = "raman_shift", "Raman shift"
    about: dict[str, object] = {"long_name": what}
    about |= {"units": units} if units else {}
    return axis, about | ({"medium": "unknown"} if axis == "wavelength" else {})


def _signal(given: str) -> dict[str, object]:
    units = _UNITS.get(given.upper(), labels.read(given).units)
    about: dict[str, object] = {"long_name": given or "signal"}
    return about | ({"units": units} if units else {})


def _require_announced(dataset: xr.Dataset, header: dict[str, str], name: str, begin: int) -> None:
    axis = _axis(header)[0]
    x = dataset[axis].values
    problem = ascii_table.axis_problem(x, begin + 1)
    if problem:
        raise FormatError(ascii_table.axis_message(name, axis, problem))
    said = {key: _number(header[key]) for key in ("NPOINTS", "FIRSTX", "LASTX") if _NUMBER.match(header.get(key, ""))}
    near = _CLOSE * max(abs(x[-1] - x[0]), abs(x[0]), abs(x[-1]))
    wrong = [key for key, value in (("FIRSTX", x[0]), ("LASTX", x[-1])) if abs(said.get(key, value) - value) > near]
    if said.get("NPOINTS", x.size) != x.size or wrong:
        msg = (
            f"{name!r} is {_TITLE} that announces {said}, but its table has {x.size} rows from {x[0]:g} to {x[-1]:g}. "
            "It is cut short or damaged; export it again"
        )
        raise FormatError(msg)


def _number(cell: str) -> float:
    found = _NUMBER.match(cell)
    return float(found.group().replace(",", ".")) if found else 0.0


def _attributes(header: dict[str, str], below: dict[str, str]) -> dict[str, object]:
    first = {key: next((below[each] for each in keys if each in below), "") for key, keys in _KEYS.items()}
    attrs: dict[str, object] = {
        "laser_wavelength_nm": _number(first["laser"]) if "nm" in first["laser"] else 0.0,
        "integration_time_s": _number(first["exposure"]) if "sec" in first["exposure"] else 0.0,
        "averages": int(_number(first["averages"])),
        "instrument": header.get("SPECTROMETER/DATA SYSTEM") or first["model"],
        "title": header.get("TITLE", ""),
        "acquired": _acquired(header),
    }
    kept = {key: value for key, value in attrs.items() if value}
    local = {"acquired_note": "local time of the instrument's computer; the file gives no time zone"}
    return kept | (local if "acquired" in kept else {})


def _acquired(header: dict[str, str]) -> str:
    date = header.get("DATE", "")
    if short := _DATE.fullmatch(date):
        date = f"{19 if int(short[1]) >= _TURN else 20}{date}"
    return dates.read(f"{date} {header.get('TIME', '')}".strip())


READER = Reader(
    name="jasco",
    title=_TITLE,
    recognises=lambda head: bool(_SIGN.match(sniff.start_of(head).replace("\r", "\n"))),
    read=read,
    reads="spectra, channels and series; axis, units as far as the file says, date, instrument, laser line, exposure, "
    "accumulations, header and information in English or Japanese",
    reads_not="what changed from scan to scan (not in the file); the unit of transmittance; binary JWS",
    tested_on="made ones by the headers that public files show, also in Shift-JIS",
)
