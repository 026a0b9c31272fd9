"""Verdicts on what was printed and drawn: stored against recomputed, number by number.

A number moves within its stated u, or it has changed. Not here: how numbers are read from text
(`analysis.verify.numbers`), how drawn data come out of a picture (`analysis.verify.pictures`).
"""

import enum
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from analysis.verify.numbers import RELATIVE, RESULTS, SHARE_OF_U, Number, close, read_lines, skeleton

_LABEL = 60


class Verdict(enum.StrEnum):
    """What came of one comparison; only `CHANGED` fails."""

    SAME = "same"
    NOT_COMPARED = "not compared"
    MOVED = "moved"
    CHANGED = "changed"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One number, text or picture of a notebook, and the verdict on it; `shift` is in units of the stated u."""

    cell: int
    what: str
    stored: str
    recomputed: str
    verdict: Verdict
    shift: float | None = None
    why: str = ""
    published: str = ""


def compare_text(stored: str, recomputed: str, *, cell: int) -> list[Finding]:
    """Compare two printed texts.

    Parameters
    ----------
    stored, recomputed:
        The texts.
    cell:
        Where they stand, for the findings.

    Returns
    -------
    :
        One finding a number, and one for each stretch of lines whose words differ.
    """
    old, new = stored.strip("\n").split("\n"), recomputed.strip("\n").split("\n")
    numbers = read_lines("\n".join(old)), read_lines("\n".join(new))
    matcher = SequenceMatcher(None, [skeleton(line) for line in old], [skeleton(line) for line in new], autojunk=False)
    found: list[Finding] = []
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind == "equal":
            for i, j in zip(range(a, b), range(c, d), strict=True):
                found += _line(old[i], numbers[0][i], numbers[1][j], cell)
        else:
            found.append(_words("\n".join(old[a:b]), "\n".join(new[c:d]), cell))
    return found


def compare_numbers(old: Number, new: Number) -> tuple[Verdict, float | None, str]:
    """Compare two numbers.

    Parameters
    ----------
    old, new:
        Stored and recomputed.

    Returns
    -------
    :
        The verdict, the difference in units of the stored uncertainty where there is one, and the reason.
    """
    if old.is_u and new.is_u:
        return _compare_u(old.value, new.value, old.digit)
    if old.u is None or new.u is None:
        equal = close(old.value, new.value) and old.u is new.u
        return (Verdict.SAME, None, "") if equal else (Verdict.CHANGED, None, "no uncertainty stands beside it")
    shift = (new.value - old.value) / old.u if old.u else None
    room = RESULTS if old.exact and new.exact else RELATIVE
    if close(old.value, new.value, room) and close(old.u, new.u, room):
        return Verdict.SAME, 0.0, ""
    spread = _compare_u(old.u, new.u, old.digit)
    if spread[0] is Verdict.CHANGED:
        return Verdict.CHANGED, shift, "its uncertainty is another"
    if shift is None or abs(shift) > 1 + 1e-9:
        return Verdict.CHANGED, shift, "by more than its uncertainty"
    return Verdict.MOVED, shift, "within its uncertainty"


def _compare_u(old: float, new: float, digit: float) -> tuple[Verdict, None, str]:
    if close(old, new):
        return Verdict.SAME, None, ""
    room = max(SHARE_OF_U * old, 1.01 * digit if digit <= old / 10 else 0.0)
    if abs(old - new) <= room:
        return Verdict.MOVED, None, "an uncertainty, by 5 % or its last digit at most"
    return Verdict.CHANGED, None, "an uncertainty, by more than 5 %"


def _line(line: str, old: Sequence[Number], new: Sequence[Number], cell: int) -> Iterator[Finding]:
    for one, other in zip(old, new, strict=True):
        verdict, shift, why = compare_numbers(one, other)
        yield Finding(
            cell=cell,
            what=_shorten(line),
            stored=one.text,
            recomputed=other.text,
            verdict=verdict,
            shift=shift,
            why=why,
        )


def _words(old: str, new: str, cell: int) -> Finding:
    why = "the words or whole numbers differ" if old and new else "only on one side"
    return Finding(cell=cell, what="text", stored=old, recomputed=new, verdict=Verdict.CHANGED, why=why)


def _shorten(line: str) -> str:
    words = " ".join(line.split())
    return words if len(words) <= _LABEL else words[: _LABEL - 1] + "…"
