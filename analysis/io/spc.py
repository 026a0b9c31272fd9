"""Galactic SPC files, new (1996 on, both byte orders) and old (LabCalc): one spectrum or many, with the log.

Y are 16- or 32-bit fractions times a power of two, or 32-bit floats; X are even, a list for all, or a list for each.
Header 512 bytes (old: 256, with the first subheader), subheaders 32, directory entries 12, log 64. Every offset and
count of the file is checked before anything is taken. What WiRE exports as SPC is resampled to an even axis.
Not here: names of axes and units (`analysis.io.spc_words`).
Reference: Thermo Galactic, "A brief guide to SPC file format and using GSPCIO" and its header file SPC.H.
"""

import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import xarray as xr

from analysis.core import CHANNEL, FormatError
from analysis.io import collection, spc_words
from analysis.io.collection import Collection
from analysis.io.reader import Reader

_NEW, _NEW_MSB, _OLD = 0x4B, 0x4C, 0x4D
_SHORT, _MULTI, _LABELS, _OWN_X, _X_LIST = 0x01, 0x04, 0x20, 0x40, 0x80
_FLOAT = -128
_HEADER = "BBBbI2dIBBBBI9s9sH32s130s30sIIBBhf48sfIfB187x"
_OLD_HEADER = "<BBhfffBBHBBBB8sHH28s130s30s"
_SUBHEADER = "BbHfffIIf4x"
_SUBHEADER_SIZE, _DIRECTORY_SIZE, _LOG_SIZE, _SIZES = 32, 12, 64, {_NEW: 512, _NEW_MSB: 512, _OLD: 224}
_MOST_SPECTRA = 200_000
Array = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class _Header:
    """What the main header of either kind says."""

    order: str
    old: bool
    flags: int
    exponent: int
    points: int
    first: float
    last: float
    spectra: int
    units: tuple[int, int, int]
    acquired: str
    source: str
    comment: str
    labels: tuple[str, ...]
    log: int
    z_step: float
    planes: int
    w_step: float
    w_units: int
    directory: int


@dataclass(frozen=True, kw_only=True)
class _Part:
    """One subfile."""

    y: Array
    x: Array
    z: float
    w: float
    scans: int


def read(content: bytes, name: str) -> xr.Dataset | Collection:
    """Read a Galactic SPC file.

    Parameters
    ----------
    content:
        The whole file.
    name:
        Its name, for messages.

    Returns
    -------
    :
        One spectrum, several on one axis with their Z values, or a collection.

    Raises
    ------
    FormatError
        If it is cut short or contradicts itself.
    """
    header = _main(content, name)
    parts = list(_parts(content, header, name))
    log = _log(content, header, name)
    found = [_dataset(part, header, log) for part in parts]
    if len(found) > 1:
        z_name, z_about = spc_words.axis(header.units[2], header.labels, 2)
        found = [
            each.assign_coords({_free(z_name, each): ((), part.z, z_about)})
            for each, part in zip(found, parts, strict=True)
        ]
    if header.planes > 1:
        w_name, w_about = spc_words.axis(header.w_units, (), 0)
        found = [
            each.assign_coords({f"w_{w_name}": ((), part.w, w_about)}) for each, part in zip(found, parts, strict=True)
        ]
    return collection.gather((str(at + 1), each) for at, each in enumerate(found))


def _free(name: str, dataset: xr.Dataset) -> str:
    return f"z_{name}" if name in dataset.variables or name in dataset.dims else name


def _main(content: bytes, name: str) -> _Header:
    version = content[1] if len(content) > 1 else 0
    if len(content) < _SIZES.get(version, 512):
        msg = f"{name!r} is Galactic SPC of {len(content)} bytes, its header alone has {_SIZES.get(version, 512)}"
        msg += ". It is cut short; copy it again"
        raise FormatError(msg)
    header = _old(content) if version == _OLD else _new(content, "<" if version == _NEW else ">")
    own = header.flags & _OWN_X
    if not np.isfinite([header.first, header.last]).all() or (not own and header.points < 1):
        msg = (
            f"{name!r} is Galactic SPC of {header.points} points from {header.first:g} to {header.last:g}; wanted one "
            "point at least and finite ends. It is damaged; export it again"
        )
        raise FormatError(msg)
    room = len(content) // _SUBHEADER_SIZE
    if not 1 <= header.spectra <= min(room + 1, _MOST_SPECTRA):
        msg = f"{name!r} is Galactic SPC that promises {header.spectra} spectra in {len(content)} bytes"
        msg += ". It is damaged; export it again"
        raise FormatError(msg)
    return header


def _new(content: bytes, order: str) -> _Header:
    found = struct.unpack_from(order + _HEADER, content)
    flags, exponent, points, first, last, spectra = found[0], found[3], found[4], found[5], found[6], found[7]
    stamp = found[12]
    labels = _text(found[18], keep_nul=True).split("\0") if flags & _LABELS else []
    return _Header(
        order=order, old=False, flags=flags, exponent=exponent, points=0 if flags & _OWN_X else points, first=first,
        last=last, spectra=max(spectra, 1), units=(found[8], found[9], found[10]),
        acquired=spc_words.date(stamp >> 20, stamp >> 16 & 15, stamp >> 11 & 31, stamp >> 6 & 31, stamp & 63),
        source=_text(found[14]), comment=_text(found[17]), labels=tuple(labels[:3]), log=found[19],
        z_step=found[25], planes=found[26], w_step=found[27], w_units=found[28],
        directory=points if flags & _OWN_X else 0,
    )  # fmt: skip


def _old(content: bytes) -> _Header:
    found = struct.unpack_from(_OLD_HEADER, content)
    flags, exponent, points, first, last = found[0], found[2], found[3], found[4], found[5]
    year = found[8] & 0x0FFF
    labels = _text(found[18], keep_nul=True).split("\0") if flags & _LABELS else []
    return _Header(
        order="<", old=True, flags=flags, exponent=exponent, points=int(points) if 0 < points < 1e9 else 0,  # noqa: PLR2004
        first=first, last=last, spectra=1, units=(found[6], found[7], found[8] >> 12),
        acquired=spc_words.date(year, found[9], found[10], found[11], found[12]), source="", comment=_text(found[17]),
        labels=tuple(labels[:3]), log=0, z_step=0.0, planes=0, w_step=0.0, w_units=0, directory=0,
    )  # fmt: skip


def _parts(content: bytes, header: _Header, name: str) -> Iterator[_Part]:
    place = _SIZES[_OLD] if header.old else 512
    shared = None
    if 2 * header.points > len(content):
        _cut(name, place + 4 * header.points, content)
    if header.flags & _X_LIST and not header.flags & _OWN_X:
        shared, place = _floats(content, place, header.points, header, name)
    elif not header.flags & _OWN_X:
        shared = np.linspace(header.first, header.last, header.points)
    directory = _directory(content, header, name)
    count = 0
    first_z, second_z = 0.0, 0.0
    while count < header.spectra or (header.old and header.flags & _MULTI and place + _SUBHEADER_SIZE < len(content)):
        if directory:
            place = directory[count]
        part, place = _part(content, place, header, shared, name)
        count += 1
        first_z = part.z if count == 1 else first_z
        second_z = part.z if count == 2 else second_z  # noqa: PLR2004 - the second
        step = header.z_step
        even = step and count > 2 and first_z == second_z == part.z  # noqa: PLR2004 - all Z as the first
        yield (
            part if not even else _Part(y=part.y, x=part.x, z=first_z + step * (count - 1), w=part.w, scans=part.scans)
        )


def _directory(content: bytes, header: _Header, name: str) -> list[int]:
    """Return where the subfiles begin, of a file in which each has its own X."""
    if not header.directory:
        return []
    end = header.directory + _DIRECTORY_SIZE * header.spectra
    if end > len(content):
        return _cut(name, end, content)
    return [
        struct.unpack_from(header.order + "I", content, header.directory + _DIRECTORY_SIZE * at)[0]
        for at in range(header.spectra)
    ]


def _cut(name: str, wanted: int, content: bytes) -> list[int]:
    msg = f"{name!r} is Galactic SPC of {len(content)} bytes; its header asks for {wanted} at least"
    msg += ". It is cut short or damaged; copy or export it again"
    raise FormatError(msg)


def _floats(content: bytes, place: int, count: int, header: _Header, name: str) -> tuple[Array, int]:
    end = place + 4 * count
    if end > len(content):
        _cut(name, end, content)
    return np.frombuffer(content, header.order + "f4", count, place).astype(float), end


def _part(content: bytes, place: int, header: _Header, shared: Array | None, name: str) -> tuple[_Part, int]:
    if place + _SUBHEADER_SIZE > len(content):
        _cut(name, place + _SUBHEADER_SIZE, content)
    found = struct.unpack_from(header.order + _SUBHEADER, content, place)
    _, exponent, _, z, _, _, own_points, scans, w = found
    place += _SUBHEADER_SIZE
    points = own_points if header.flags & _OWN_X else header.points
    if shared is None:
        x, place = _floats(content, place, points, header, name)
    else:
        x = shared
    if not header.flags & _MULTI or (header.old and not exponent):
        exponent = header.exponent
    width = 2 if header.flags & _SHORT and exponent != _FLOAT else 4
    end = place + width * points
    if not points or end > len(content):
        _cut(name, end, content)
    y = _ordinates(content[place:end], exponent, header)
    return _Part(y=y, x=x, z=float(z), w=float(w), scans=scans), end


def _ordinates(raw: bytes, exponent: int, header: _Header) -> Array:
    if exponent == _FLOAT:
        return np.frombuffer(raw, header.order + "f4").astype(float)
    if header.flags & _SHORT:
        return np.ldexp(np.frombuffer(raw, header.order + "i2").astype(float), exponent - 16)
    if header.old:  # the high word comes first, each word with its low byte first
        words = np.frombuffer(raw, "<u2").reshape(-1, 2)
        raw = np.ascontiguousarray(words[:, ::-1]).tobytes()
    return np.ldexp(np.frombuffer(raw, header.order + "i4").astype(float), exponent - 32)


def _log(content: bytes, header: _Header, name: str) -> str:
    """Return the text of the log."""
    if not header.log:
        return ""
    if header.log + _LOG_SIZE > len(content):
        _cut(name, header.log + _LOG_SIZE, content)
    size, _, text = struct.unpack_from(header.order + "III", content, header.log)
    if header.log + size > len(content) + 1 or not _LOG_SIZE <= text <= max(size, _LOG_SIZE):
        _cut(name, header.log + size, content)
    return _text(content[header.log + text : header.log + size])


def _text(raw: bytes, *, keep_nul: bool = False) -> str:
    if not keep_nul:
        raw = raw.split(b"\0", 1)[0]
    return raw.decode("latin-1").strip() if not keep_nul else raw.decode("latin-1")


def _dataset(part: _Part, header: _Header, log: str) -> xr.Dataset:
    name, about = spc_words.axis(header.units[0], header.labels, 0)
    signal = spc_words.signal(header.units[1], header.labels)
    attrs: dict[str, object] = {"title": header.comment, "acquired": header.acquired, "instrument": header.source}
    attrs |= spc_words.of_log(log)
    if part.scans:
        attrs["scans"] = part.scans
    attrs["header"] = json.dumps({"comment": header.comment, "flags": header.flags, "log": log}, ensure_ascii=False)
    return xr.Dataset(
        {"signal": (CHANNEL, part.y, signal)},
        {name: (CHANNEL, part.x, about)},
        attrs={key: value for key, value in attrs.items() if value != ""},
    )


def _recognises(head: bytes) -> bool:
    if len(head) < 32 or head[1] not in _SIZES:  # noqa: PLR2004 - less than any header
        return False
    if head[1] == _OLD:
        points, first, last = struct.unpack_from("<fff", head, 4)
        sound = 1 <= points < 1e8 and points == int(points) and np.isfinite([first, last]).all()  # noqa: PLR2004
        return bool(sound) and head[17] < 140  # noqa: PLR2004 - the largest type of Y is 131
    return head[28] <= 31 or head[28] == 255  # noqa: PLR2004 - types of X


READER = Reader(
    name="spc",
    title="Galactic SPC",
    recognises=_recognises,
    read=read,
    reads="new (both byte orders) and old; 16 and 32 bit, float; even X, listed X, own X for each; many spectra with Z "
    "and W; comment, date, source, log with its laser, exposure and accumulations",
    reads_not="Shimadzu files of the same suffix; binary parts of the log",
    tested_on="a WiRE export (METROSPEC_REAL_FILES) beside the WDF's own values, made ones of every kind",
)
