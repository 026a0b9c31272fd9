"""Thermo Nicolet OMNIC SPA: one spectrum or interferogram of an FTIR or Raman instrument.

The file begins with a table of sections; section 2 says how many points there are and on which axis, section 3 holds
them. The layout is not published: what is read here is what several independent readers agree on.
Not here: OMNIC groups and series (SPG, SRS), which are refused.
"""

from datetime import UTC, datetime, timedelta

import numpy as np
import xarray as xr

from analysis.core import CHANNEL
from analysis.io import collection, fields
from analysis.io.collection import Collection
from analysis.io.fields import Content
from analysis.io.reader import Reader

_TITLE = "Thermo SPA"
_MAGIC = b"Spectral Data File"
_EPOCH = datetime(1899, 12, 31, tzinfo=UTC)
_SECTIONS_AT, _COUNT_AT, _DATE_AT = 304, 294, 296
_SECTION_SIZE, _HEADER_SIZE = 16, 84
_HEADER, _VALUES, _COMMENT, _HISTORY = 2, 3, 4, 27
_X = {
    1: ("wavenumber", "cm-1", "wavenumber"),
    3: ("wavelength", "nm", "wavelength"),
    4: ("wavelength", "um", "wavelength"),
    32: ("raman_shift", "cm-1", "Raman shift"),
}
_Y = {
    11: ("percent", "reflectance"),
    12: ("1", "log(1/R)"),
    15: ("1", "single beam, arbitrary units"),
    16: ("percent", "transmittance"),
    17: ("1", "absorbance"),
    20: ("1", "Kubelka-Munk"),
    21: ("1", "reflectance"),
    22: ("V", "detector signal"),
    26: ("1", "photoacoustic, arbitrary units"),
    31: ("1", "Raman intensity, arbitrary units"),
}


def read(data: bytes, name: str) -> xr.Dataset | Collection:
    """Read the spectrum of a file.

    Parameters
    ----------
    data:
        The file.
    name:
        Its name, for messages.

    Returns
    -------
    :
        `signal` along `wavenumber`, `raman_shift`, `wavelength` or `pixel` (an interferogram), descending where the
        file is.

    Raises
    ------
    FormatError
        If the file is damaged or cut short.
    """
    content = Content(data=data, name=name, title=_TITLE)
    count = content.integer(_COUNT_AT, "H", "the number of sections")
    content.require(_SECTIONS_AT, count * _SECTION_SIZE, f"a table of {count} sections")
    sections = [_section(content, _SECTIONS_AT + at * _SECTION_SIZE) for at in range(count)]
    headers = [section for section in sections if section[0] == _HEADER]
    values = [section for section in sections if section[0] == _VALUES]
    if not values or len(headers) != len(values):
        content.refuse(f"has {len(headers)} headers and {len(values)} arrays of values in {count} sections")
    title = content.text(30, 256)
    texts = {
        key: content.text(at, size)
        for kind, at, size in sections
        for key, wanted in (("comment", _COMMENT), ("history", _HISTORY))
        if kind == wanted
    }
    found = [_spectrum(content, head[1], value) for head, value in zip(headers, values, strict=True)]
    shared = {"title": title} | _date(content)
    return collection.gather(
        (title, dataset.assign_attrs(shared | {"header": fields.header({"title": title, **texts, **raw})}))
        for dataset, raw in found
    )


def _section(content: Content, at: int) -> tuple[int, int, int]:
    kind = content.integer(at, "B", "the table of sections")
    return kind, content.integer(at + 2, "I", "a section"), content.integer(at + 6, "I", "a section")


def _spectrum(content: Content, at: int, values: tuple[int, int, int]) -> tuple[xr.Dataset, dict[str, object]]:
    content.require(at, _HEADER_SIZE, "the header of the spectrum")
    points = content.integer(at + 4, "I", "the number of points")
    if values[2] != 4 * points or not points:
        content.refuse(f"its header says {points} points and its values take {values[2]} bytes, 4 each")
    signal = content.numbers(values[1], "<f4", points, f"{points} values")
    x_code, y_code = content.data[at + 8], content.data[at + 12]
    first, last = content.number(at + 16, "f", "the axis"), content.number(at + 20, "f", "the axis")
    scans = content.integer(at + 36, "I", "the scans")
    raw: dict[str, object] = {
        "points": points,
        "x_code": x_code,
        "y_code": y_code,
        "first_x": first,
        "last_x": last,
        "scans": scans,
        "background_scans": content.integer(at + 52, "I", "the scans"),
        "collection_length_s": content.integer(at + 68, "I", "the time") / 100,
        "reference_frequency_cm-1": content.number(at + 80, "f", "the reference"),
    }
    units, what = _Y.get(y_code, ("", f"signal (code {y_code} of the maker)"))
    about = {"units": units, "long_name": what} if units else {"long_name": what}
    dataset = xr.Dataset({"signal": (CHANNEL, signal, about)}, {"pixel": fields.pixels(points, 0, "point")})
    dataset = dataset.assign_attrs({"averages": scans} if scans else {})
    if x_code == 2:  # noqa: PLR2004 - points of an interferogram
        return dataset, raw
    if not (np.isfinite([first, last]).all() and (first != last or points == 1)):
        content.refuse(f"its axis goes from {first:g} to {last:g} in {points} points")
    axis, axis_units, long_name = _X.get(x_code, ("x", "", f"axis (code {x_code} of the maker)"))
    along = {"units": axis_units, "long_name": long_name} if axis_units else {"long_name": long_name}
    along |= {"medium": "unknown"} if axis == "wavelength" else {}
    return dataset.assign_coords({axis: (CHANNEL, np.linspace(first, last, points), along)}), raw


def _date(content: Content) -> dict[str, object]:
    seconds = content.integer(_DATE_AT, "I", "the date")
    return {"acquired": (_EPOCH + timedelta(seconds=seconds)).isoformat()} if seconds else {}


READER = Reader(
    name="thermo",
    title=_TITLE,
    recognises=lambda head: head.startswith(_MAGIC),
    read=read,
    reads="spectra and interferograms, axis, units, scans, date, title, comment, history",
    reads_not="interferograms stored beside a spectrum; groups and series (SPG, SRS)",
    tested_on="made ones, by the layout that independent readers agree on",
)
