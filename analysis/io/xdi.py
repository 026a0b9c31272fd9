"""XDI 1.0: X-ray absorption as text with a dictionary of metadata before the columns.

Not here: other text (`analysis.io.ascii`).
"""

import json
import re
from collections.abc import Iterable

import numpy as np
import xarray as xr

from analysis.core import CHANNEL, FormatError
from analysis.io import collection, fields, labels, sniff, text
from analysis.io.reader import Reader

_COMMENTS = "#%;*"
_FIELD = re.compile(r"([A-Za-z][\w-]*\.[\w-]+)\s*:\s*(.*)")
_RULE = re.compile(r"-{3,}|/{3,}")
_FIRST = re.compile(r"\s*[#%;*]?\s*XDI/\d")
_AXES = {"energy": "energy", "angle": "angle", "k": "k", "r": "r"}


def read(data: bytes, name: str) -> xr.Dataset:
    """Read a scan.

    Parameters
    ----------
    data:
        The file.
    name:
        Its name, for messages.

    Returns
    -------
    :
        `signal (spectrum, channel)` with a spectrum for each column but the axis, which is `energy` (or `angle`);
        `column_units` along `spectrum` says the units the file gives.

    Raises
    ------
    FormatError
        If a row is damaged or columns are missing.
    """
    lines = text.lines_of(data, name)
    marked = [line.strip()[1:].strip() if line.strip()[:1] in _COMMENTS else None for line in lines]
    head = [line for line in marked if line is not None]
    found = (_FIELD.match(line) for line in _until_rule(head))
    metadata = {match.group(1).lower(): match.group(2).strip() for match in found if match}
    rows = [
        (at, line)
        for at, (line, mark) in enumerate(zip(lines, marked, strict=True), 1)
        if mark is None and line.strip()
    ]
    values = _table(rows, name)
    columns = _columns(metadata, head, values.shape[1], name)
    at = next((index for index, (label, _) in enumerate(columns) if label.lower() in _AXES), 0)
    label, units = columns[at]
    axis = _AXES.get(label.lower(), "x")
    units = units or {"energy": "eV", "angle": "degree"}.get(axis, "")
    about = {"long_name": label} | ({"units": units} if units else {})
    others = [index for index in range(len(columns)) if index != at]
    if not others:
        msg = f"{name!r} is XDI with the column {label!r} alone; wanted an axis and a signal. Export all columns"
        raise FormatError(msg)
    dataset = xr.Dataset(
        {"signal": (("spectrum", CHANNEL), np.ascontiguousarray(values[:, others].T))},
        {
            axis: (CHANNEL, values[:, at].copy(), about),
            "pixel": fields.pixels(values.shape[0], 0, "row of the table, from 0"),
            "spectrum": collection.unique([columns[index][0] for index in others]),
            "column_units": ("spectrum", [columns[index][1] for index in others]),
        },
    )
    raw = {"version": head[0], "metadata": metadata, "lines": head}
    return dataset.assign_attrs(_attributes(metadata, head) | {"header": json.dumps(raw, ensure_ascii=False)})


def _until_rule(head: list[str]) -> Iterable[str]:
    for line in head:
        if _RULE.match(line):
            return
        yield line


def _table(rows: list[tuple[int, str]], name: str) -> fields.Array:
    if not rows:
        msg = f"{name!r} is XDI without a row of numbers; it may be cut short. Copy it again"
        raise FormatError(msg)
    width = len(rows[0][1].split())
    values = np.empty((len(rows), width))
    for index, (line, row) in enumerate(rows):
        try:
            cells = [float(cell) for cell in row.split()]
        except ValueError:
            cells = []
        if len(cells) != width:
            msg = f"{name!r}: line {line} is {row[:60]!r}; wanted {width} numbers as in the rows before. Copy it again"
            raise FormatError(msg)
        values[index] = cells
    return values


def _columns(metadata: dict[str, str], head: list[str], width: int, name: str) -> list[tuple[str, str]]:
    """Read labels and units from `Column.N`, or the labels from the last line before the rows."""
    named = {int(key[7:]): value for key, value in metadata.items() if re.fullmatch(r"column\.[1-9]\d{0,3}", key)}
    if named and max(named) > width:
        msg = f"{name!r} names {max(named)} columns and its rows have {width}; wanted as many. Copy it again"
        raise FormatError(msg)
    last = head[-1].split()
    texts = [named.get(at + 1, last[at] if len(last) == width else f"column {at + 1}") for at in range(width)]
    return [_label(each.partition("||")[0].strip()) for each in texts]


def _label(given: str) -> tuple[str, str]:
    name, _, units = given.partition(" ")
    units = units.strip(" ()[]")
    return name, labels.read(f"{name} ({units})").units if units else ""


def _attributes(metadata: dict[str, str], head: list[str]) -> dict[str, object]:
    wanted = {
        "acquired": "scan.start_time",
        "title": "sample.name",
        "element": "element.symbol",
        "edge": "element.edge",
    }
    attrs: dict[str, object] = {key: metadata[field] for key, field in wanted.items() if metadata.get(field)}
    attrs |= {key: metadata[f"scan.{key}"] for key in ("element", "edge") if metadata.get(f"scan.{key}")}
    place = (metadata.get(key, "") for key in ("facility.name", "beamline.name"))
    attrs |= {"instrument": said} if (said := " ".join(filter(None, place))) else {}
    if re.fullmatch(r"\d+\.?\d*", metadata.get("mono.d_spacing", "").split(" ")[0]):
        attrs["mono_d_spacing_angstrom"] = float(metadata["mono.d_spacing"].split(" ")[0])
    comments = [at for at, line in enumerate(head) if line.startswith("///")]
    if comments:
        after = head[comments[0] + 1 :]
        end = next((at for at, line in enumerate(after) if line.startswith("---")), 0)
        attrs["comment"] = "\n".join(after[:end]).strip()
    return attrs


READER = Reader(
    name="xdi",
    title="XDI",
    recognises=lambda head: _FIRST.match(sniff.start_of(head)) is not None,
    read=read,
    reads="all columns with labels and units, energy or angle, date, edge, element, beamline, comment, all metadata",
    reads_not="what the columns mean to each other: mu is not computed",
    tested_on="a copper foil scan (METROSPEC_REAL_FILES), made ones",
)
