"""NI TDMS: channels of data acquisition in groups, read with the package npTDMS (LGPL, extra `tdms`).

Not here: recordings of our own (`instruments.record`).
"""

import contextlib
import io
import logging
from collections.abc import Iterator
from typing import Any

import numpy as np
import xarray as xr

from analysis.core import CHANNEL
from analysis.io import collection, extras, fields
from analysis.io.collection import Collection
from analysis.io.fields import Content
from analysis.io.reader import Reader

_TITLE = "NI TDMS"
_FIRST_YEAR = 1905


def read(data: bytes, name: str) -> xr.Dataset | Collection:
    """Read the numeric channels of a file.

    Parameters
    ----------
    data:
        The file.
    name:
        Its name, for messages.

    Returns
    -------
    :
        `signal` along `time` where the channels say their interval; channels with one axis in one Dataset along
        `spectrum`, else a collection.

    Raises
    ------
    FormatError
        If the file is damaged, says more than it holds, or has no numbers.
    """
    content = Content(data=data, name=name, title=_TITLE)
    package = extras.require("nptdms", extra="tdms", title=_TITLE)
    found, left = [], []
    with _heard() as warnings, package.TdmsFile.open(io.BytesIO(data)) as file:
        groups = file.groups()
        for group in groups:
            for channel in group.channels():
                title = channel.name if len(groups) == 1 else f"{group.name}/{channel.name}"
                if len(channel) > len(data):
                    content.refuse(f"{title!r} says it has {len(channel)} values in {len(data)} bytes")
                if len(channel) and np.dtype(channel.dtype).kind in "fiu":
                    found.append((title, _channel(channel, str(group.name))))
                else:
                    left.append(f"{title} ({len(channel)} values of {channel.dtype})")
        raw = {"properties": _plain(file.properties), "groups": {each.name: _plain(each.properties) for each in groups}}
    if warnings:
        content.refuse(f"the package says: {warnings[0][:200]}")
    if not found:
        content.refuse(f"no channel of it holds numbers; it has {left}")
    attrs: dict[str, object] = {"file_properties": fields.header(raw)}
    attrs |= {"not_read": "; ".join(left)} if left else {}
    return collection.gather([(title, each.assign_attrs(attrs)) for title, each in found])


@contextlib.contextmanager
def _heard() -> Iterator[list[str]]:
    """Collect what the package would log: that it guesses, or reads a part only; nothing of it is printed."""
    said: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]
    parts = [name for name in logging.root.manager.loggerDict if name.startswith("nptdms.")]
    loggers = [logging.getLogger(name) for name in ("nptdms", *parts)]
    before = [each.handlers for each in loggers]
    for each in loggers:
        each.handlers = [handler] if each.name == "nptdms" else []
    try:
        yield said
    finally:
        for each, handlers in zip(loggers, before, strict=True):
            each.handlers = handlers


def _channel(channel: Any, group: str) -> xr.Dataset:  # noqa: ANN401 - a class of others without types
    signal = np.asarray(channel[:], float)
    held = dict(channel.properties)
    units = str(held.get("unit_string") or held.get("NI_UnitDescription") or "")
    about = {"units": units} if units else {}
    dataset = xr.Dataset(
        {"signal": (CHANNEL, signal, about)}, {"pixel": fields.pixels(signal.size, 0, "sample, from 0")}
    )
    attrs: dict[str, object] = {"group": group, "header": fields.header(_plain(held))}
    step = float(held.get("wf_increment", 0.0) or 0.0)
    if step > 0:
        start = float(held.get("wf_start_offset", 0.0) or 0.0)
        is_time = str(held.get("wf_xunit_string", "s")) in ("s", "")
        axis = "time" if is_time else "x"
        along = {"units": str(held.get("wf_xunit_string") or "s"), "long_name": str(held.get("wf_xname") or "time")}
        dataset = dataset.assign_coords({axis: (CHANNEL, start + step * np.arange(signal.size), along)})
        attrs["sample_interval_s" if is_time else "sample_interval"] = step
    when = [held.get(key) for key in ("wf_start_time", "NI_ExpStartTimeStamp")]
    said = [str(each.astype("datetime64[us]")) for each in when if isinstance(each, np.datetime64)]
    said = [each for each in said if each[:4].isdigit() and int(each[:4]) >= _FIRST_YEAR]
    return dataset.assign_attrs(attrs | ({"acquired": f"{said[0]}Z"} if said else {}))


def _plain(held: Any) -> dict[str, object]:  # noqa: ANN401 - a mapping of others without types
    return {str(key): each if isinstance(each, int | float | str) else str(each) for key, each in held.items()}


READER = Reader(
    name="tdms",
    title=_TITLE,
    recognises=lambda head: head.startswith(b"TDSm"),
    read=read,
    reads="all numeric channels, time by their interval, units, dates, all properties",
    reads_not="channels of text, truth values or dates (named in the attribute not_read)",
    tested_on="a big-endian file of LabVIEW (METROSPEC_REAL_FILES)",
    max_bytes=256_000_000,
    extra="tdms",
)
