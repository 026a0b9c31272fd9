"""Binary waveforms of oscilloscopes (Tektronix, Rigol, Keysight, LeCroy), read with RigolWFM (extra `scope`).

The numbers are digitised voltages: no rule of counting is marked. For Tektronix WFM 3 the time of the first sample is
corrected by the fraction of a sample between it and the trigger, which the package leaves out.
Not here: CSV of oscilloscopes (`analysis.io.tektronix`).
"""

from typing import Any

import numpy as np
import xarray as xr

from analysis.core import CHANNEL
from analysis.io import collection, extras, fields
from analysis.io.collection import Collection
from analysis.io.fields import Array, Content
from analysis.io.reader import Reader

_TITLE = "oscilloscope waveform"
_MAGIC = (
    b"\x0f\x0f:WFM#", b"\xf0\xf0:WFM#", b"\xa5\xa5\xa4\x01", b"\xa1\xa5\x00\x00", b"\x01\xff\xff\xff",
    b"\xa5\xa5\x38\x00", b"\xa5\xa5\x00\x00", b"AG01", b"AG03", b"AG10", b"RG01", b"RG03",
)  # fmt: skip
_TEK3 = b"\x0f\x0f:WFM#003"
_STEP_AT, _FRACTION_AT = 488, 788
_UNITS = {"v": "V", "a": "A", "w": "W"}


def recognises(head: bytes) -> bool:
    """Say whether a file begins like a waveform of an oscilloscope.

    Parameters
    ----------
    head:
        Its first bytes.

    Returns
    -------
    :
        By the marks of the makers.
    """
    return head.startswith(_MAGIC) or b"WAVEDESC" in head[:64]


def read(data: bytes, name: str) -> xr.Dataset | Collection:
    """Read the channels of an oscilloscope.

    Parameters
    ----------
    data:
        The file.
    name:
        Its name, for messages.

    Returns
    -------
    :
        `signal` along `time` (s from the trigger); several channels `(spectrum, channel)`.

    Raises
    ------
    FormatError
        If the file is damaged or holds no channel.
    """
    content = Content(data=data, name=name, title=_TITLE)
    package = extras.require("RigolWFM.wfm", extra="scope", title=_TITLE)
    with extras.as_file(data, name) as path:
        file = package.Wfm.from_file(str(path))
    found = [
        (str(each.name), _channel(each, content))
        for each in file.channels
        if each.enabled and each.volts is not None and each.times is not None
    ]
    if not found:
        content.refuse("no channel of it holds samples")
    raw = {"maker": file.header_name, "parser": file.parser_name, "serial_number": file.serial_number}
    attrs: dict[str, object] = {"header": fields.header(raw | {"firmware": file.firmware})}
    said = " ".join(each for each in (str(file.header_name), str(file.serial_number)) if each and each != "unknown")
    attrs |= {"instrument": said} if said else {}
    frames = int(getattr(file, "frame_count", 1) or 1)
    attrs |= {"not_read": f"{frames - 1} of {frames} frames: only the first is read"} if frames > 1 else {}
    return collection.gather([(title, each.assign_attrs(attrs)) for title, each in found])


def _channel(each: Any, content: Content) -> xr.Dataset:  # noqa: ANN401 - a class of others without types
    volts, times = np.asarray(each.volts, float), np.asarray(each.times, float)
    if volts.shape != times.shape or not volts.size:
        content.refuse(f"{each.name} has {volts.size} samples at {times.size} times")
    step = float(each.seconds_per_point)
    units = _UNITS.get(getattr(each.unit, "name", ""), "1")
    about = {"units": units}
    along = {"units": "s", "long_name": "time from the trigger"}
    return xr.Dataset(
        {"signal": (CHANNEL, volts, about)},
        {
            "time": (CHANNEL, _from_trigger(times, step, content), along),
            "pixel": fields.pixels(volts.size, 0, "sample, from 0"),
        },
    ).assign_attrs(sample_interval_s=step)


def _from_trigger(times: Array, step: float, content: Content) -> Array:
    if not content.data.startswith(_TEK3) or content.number(_STEP_AT, "d", "the interval") != step:
        return times
    fraction = content.number(_FRACTION_AT, "d", "the place of the trigger")
    return times[0] + (np.arange(times.size) + fraction) * step if 0 <= fraction < 1 else times


READER = Reader(
    name="scope",
    title=_TITLE,
    recognises=recognises,
    read=read,
    reads="channels that were on, time from the trigger, volts, sample interval, maker",
    reads_not="digital lanes, frames after the first, settings of the trigger",
    tested_on="50000 samples of an MSO64, also as CSV (METROSPEC_REAL_FILES)",
    extra="scope",
)
