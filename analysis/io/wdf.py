"""Renishaw WiRE WDF: spectra, series and maps, read with the package renishawWiRE (extra `wdf`).

Blocks and counts are checked here before the package sees them; the picture of the microscope is left out. The numbers
are digitised charge: no rule of counting is marked. Not here: SPC and text that WiRE exports.
"""

import struct
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import xarray as xr

from analysis.core import CHANNEL
from analysis.io import extras, fields
from analysis.io.fields import Content
from analysis.io.reader import Reader

_TITLE = "Renishaw WDF"
_HEAD = 512
_BLOCK = 16
_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)
_MOST_ORIGINS = 64
_AXES = {
    "RamanShift": ("raman_shift", "cm-1", "Raman shift"),
    "Wavenumber": ("wavenumber", "cm-1", "wavenumber"),
    "Nanometre": ("wavelength", "nm", "wavelength"),
    "Micron": ("wavelength", "um", "wavelength"),
    "ElectronVolt": ("energy", "eV", "energy"),
}
_UNITS = {
    "Micron": "um",
    "Millimetres": "mm",
    "Metres": "m",
    "Nanometre": "nm",
    "Counts": "counts",
    "Electrons": "electrons",
}
_DIMS = {1: (CHANNEL,), 2: ("spectrum", CHANNEL), 3: ("y", "x", CHANNEL)}


def read(data: bytes, name: str) -> xr.Dataset:
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
        `signal` with the dims `spectrum` (a series or a line) or `y`, `x` (a map) before `channel`; positions of the
        stage as coordinates; the axis as in the file, usually descending.

    Raises
    ------
    FormatError
        If the file is damaged, cut short, or says more than it holds.
    """
    content = Content(data=data, name=name, title=_TITLE)
    checked = _checked(content)
    package = extras.require("renishawWiRE", extra="wdf", title=_TITLE)
    with extras.as_file(checked, name) as path:
        file = package.WDFReader(str(path))
        file.close()
    signal = np.asarray(file.spectra, float)
    points = int(file.point_per_spectrum)
    if signal.ndim == 1 and signal.size != points:
        signal = signal.reshape(-1, points)
    dims = _DIMS[signal.ndim]
    kind = file.xlist_unit.name
    axis, units, what = _AXES.get(kind, ("x", "", f"axis ({kind} of the maker)"))
    about: dict[str, object] = {"long_name": what}
    about |= {"units": units} if units else {}
    laser = float(file.laser_length or 0.0)
    about |= {"medium": "unknown"} if axis == "wavelength" else {}
    about |= {"laser_wavelength_nm": laser} if axis == "raman_shift" and laser > 0 else {}
    spectral = _UNITS.get(file.spectral_unit.name, "")
    dataset = xr.Dataset(
        {"signal": (dims, signal, {"long_name": "signal"} | ({"units": spectral} if spectral else {}))},
        {
            axis: (CHANNEL, np.asarray(file.xdata, float), about),
            "pixel": fields.pixels(points, 0, "point, in the order of the file"),
        },
    )
    return dataset.assign_coords(_positions(file, signal.shape)).assign_attrs(_attributes(file, content, laser))


def _checked(content: Content) -> bytes:
    """Check blocks and counts; return the file with the block of the picture renamed, which is not read."""
    blocks: dict[bytes, int] = {}
    data, at = bytearray(content.data), 0
    content.require(0, _HEAD, "the header")
    while at < len(data):
        content.require(at, _BLOCK, "the head of a block")
        tag, size = bytes(data[at : at + 4]), struct.unpack_from("<Q", data, at + 8)[0]
        if size < _BLOCK:
            content.refuse(f"its block {tag!r} at byte {at} says it has {size} bytes")
        content.require(at, size, f"the block {tag!r}")
        blocks.setdefault(tag, size)
        if tag == b"WHTL":
            data[at : at + 4] = b"WH__"
        at += size
    points, capacity, count = struct.unpack_from("<iqq", data, 60)
    y_length, x_length, origins = struct.unpack_from("<iii", data, 84)
    wanted = {
        b"DATA": 4 * points * count,
        b"XLST": 8 + 4 * x_length,
        b"YLST": 8 + 4 * y_length,
        b"ORGN": 4 + origins * (24 + 8 * capacity),
    }
    said = f"it says {count} of {capacity} spectra of {points} points, {x_length} on the axis, {origins} origins"
    if min(points, count) < 1 or count > capacity or x_length != points or not 0 <= origins <= _MOST_ORIGINS:
        content.refuse(said)
    short = [
        tag.decode() for tag, size in wanted.items() if size > blocks.get(tag, 0) - _BLOCK and not _absent(tag, blocks)
    ]
    if short:
        content.refuse(f"{said}; too short are {short}")
    return bytes(data)


def _absent(tag: bytes, blocks: dict[bytes, int]) -> bool:
    return tag in (b"ORGN", b"YLST") and tag not in blocks


def _positions(file: Any, shape: tuple[int, ...]) -> dict[str, Any]:  # noqa: ANN401 - a class of others without types
    coords: dict[str, Any] = {}
    grid = shape[:-1]
    for axis in ("x", "y", "z"):
        held = np.asarray(getattr(file, f"{axis}pos", np.zeros(0)), float)
        unit = getattr(file, f"{axis}pos_unit", None)
        if unit is None or held.size != int(np.prod(grid)) or not grid:
            continue
        about = {"units": _UNITS.get(unit.name, "1"), "long_name": f"{axis} of the stage"}
        values = held.reshape(grid)
        if len(grid) == 1:
            coords[axis] = ("spectrum", values, about)
        elif axis == "x" and (values == values[:1]).all():
            coords["x"] = ("x", values[0], about)
        elif axis == "y" and (values == values[:, :1]).all():
            coords["y"] = ("y", values[:, 0], about)
        else:
            coords[f"position_{axis}"] = (("y", "x"), values, about)
    for header in getattr(file, "origin_list_header", []):
        values = np.asarray(header[4] if header[4] is not None else [], float)
        if header[1] is not None and header[1].name == "Time" and grid and values.size == int(np.prod(grid)):
            dims = ("spectrum",) if len(grid) == 1 else ("y", "x")
            about = {"units": "s", "long_name": "time since the first spectrum"}
            coords["elapsed"] = (dims, values.reshape(grid), about)
    return coords


def _attributes(file: Any, content: Content, laser: float) -> dict[str, object]:  # noqa: ANN401 - a class of others without types
    attrs: dict[str, object] = {"averages": int(file.accumulation_count)}
    attrs |= {"laser_wavelength_nm": laser} if laser > 0 else {}
    attrs |= {"title": file.title} if file.title else {}
    attrs["instrument"] = f"Renishaw, WiRE {'.'.join(str(each) for each in file.application_version)}"
    started = content.integer(136, "Q", "the time")
    if 0 < started < 1 << 62:
        when = _EPOCH + timedelta(microseconds=started // 10)
        attrs["acquired"] = when.isoformat()
    if file.count != file.capacity:
        attrs["not_read"] = f"{file.capacity - file.count} of {file.capacity} spectra were never measured"
    raw = {
        "title": file.title,
        "user": file.username,
        "measurement": file.measurement_type.name,
        "scan": file.scan_type.name,
        "blocks": {key: list(value) for key, value in file.block_info.items()},
    }
    return attrs | {"header": fields.header(raw)}


READER = Reader(
    name="wdf",
    title=_TITLE,
    recognises=lambda head: head.startswith(b"WDF1"),
    read=read,
    reads="spectra, series, lines and maps with positions and times; axis, laser line, accumulations, date",
    reads_not="picture of the microscope, exposure and objective (property blocks), results of WiRE's own analysis",
    tested_on="calcite at 785 nm from WiRE 5.5, also as SPC and text (METROSPEC_REAL_FILES), damaged ones",
    max_bytes=1_000_000_000,
    extra="wdf",
)
