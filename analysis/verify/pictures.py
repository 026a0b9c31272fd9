"""Pictures compared by the data they draw, which our figures keep in their PNG files.

Not here: how a figure says what it draws (`analysis.figures.drawn`).
"""

import base64
import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from analysis.verify.compare import Finding, Verdict
from analysis.verify.numbers import RELATIVE, same

_KEY = b"metrospec drawn data"
_HEADER = 8
_LINE_WIDTH = 1e-3
"""A shift by less than this share of the drawn range is not seen in the picture."""


def drawn_data(png: bytes) -> list[dict[str, Any]] | None:
    """Read what a picture draws.

    Parameters
    ----------
    png:
        A PNG file.

    Returns
    -------
    :
        Its axes, or None where the file does not say.
    """
    at = _HEADER
    while at + _HEADER <= len(png):
        length, kind = struct.unpack(">I4s", png[at : at + _HEADER])
        body = png[at + _HEADER : at + _HEADER + length]
        if kind in {b"tEXt", b"iTXt"} and body.partition(b"\0")[0] == _KEY:
            text = body.partition(b"\0")[2] if kind == b"tEXt" else body.split(b"\0", 5)[-1]
            return list(json.loads(text))
        at += length + 12
    return None


def compare_pictures(stored: str, recomputed: str, *, cell: int) -> Finding:
    """Compare two pictures by the data they draw.

    Parameters
    ----------
    stored, recomputed:
        PNG files in base64.
    cell:
        Where they stand, for the finding.

    Returns
    -------
    :
        Not compared if a picture does not say what it draws; changed if words or numbers of points differ or a
        curve has shifted by more than 0.1 % of the drawn range.
    """
    pngs = base64.b64decode(stored), base64.b64decode(recomputed)
    old, new = (drawn_data(png) for png in pngs)
    if old is None or new is None:
        equal = pngs[0] == pngs[1]
        why = "" if equal else "the picture does not say what it draws; the cell before prints its numbers"
        return _finding(cell, "bytes", "bytes", Verdict.SAME if equal else Verdict.NOT_COMPARED, why)
    shown = _count(old), _count(new)
    shifts = list(_shifts(old, new))
    if None in shifts:
        return _finding(cell, *shown, Verdict.CHANGED, "other words, artists or numbers of points")
    worst = max((shift for shift in shifts if shift is not None), default=0.0)
    if worst > _LINE_WIDTH:
        return _finding(cell, *shown, Verdict.CHANGED, f"drawn data shifted by {worst:.2g} of the drawn range")
    if worst > RELATIVE:
        return _finding(cell, *shown, Verdict.MOVED, f"drawn data shifted by {worst:.2g} of the drawn range, unseen")
    return _finding(cell, *shown, Verdict.SAME, "")


def _finding(cell: int, stored: str, recomputed: str, verdict: Verdict, why: str) -> Finding:
    return Finding(cell=cell, what="picture", stored=stored, recomputed=recomputed, verdict=verdict, why=why)


def _count(axes: Sequence[Mapping[str, Any]]) -> str:
    artists = [artist for one in axes for artist in one["artists"]]
    return f"{len(artists)} artists, {sum(artist['n'] for artist in artists)} points"


def _shifts(old: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]]) -> Iterator[float | None]:
    """Yield shifts as shares of the drawn range, and None for what cannot be compared."""
    for one, other in zip_longest(old, new):
        if one is None or other is None or not same("\n".join(one["words"]), "\n".join(other["words"])):
            yield None
            continue
        for first, second in zip_longest(one["artists"], other["artists"]):
            if first is None or second is None or (first["kind"], first["n"]) != (second["kind"], second["n"]):
                yield None
                continue
            for axis in ("x", "y"):
                span = abs(one[axis][1] - one[axis][0])
                yield from (abs(a - b) / span for a, b in zip(first[axis], second[axis], strict=True))
