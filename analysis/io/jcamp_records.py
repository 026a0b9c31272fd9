"""JCAMP-DX text to labelled data records and blocks.

A record is `##LABEL= value` with the lines that follow it; a block goes from `##TITLE=` to `##END=`; a LINK block holds
blocks. Labels count without case, blanks, hyphens, underscores and slashes; `$$` begins a comment.
Not here: numbers (`analysis.io.jcamp_asdf`), spectra (`analysis.io.jcamp`).
References: McDonald and Wilks, Appl. Spectrosc. 42 (1988) 151 (4.24); Lampen et al., Pure Appl. Chem. 71 (1999) 1549
(5.01).
"""

import json
import re
from dataclasses import dataclass, field

from analysis.core import FormatError

_RECORD = re.compile(r"\s*##([^=]*)=(.*)$")
_NUMBER = re.compile(r"[+-]?(?:\d+[.,]?\d*|[.,]\d+)(?:[eEdD][+-]?\d+)?")
TABLES = ("XYDATA", "XYPOINTS", "PEAKTABLE", "PEAKASSIGNMENTS", "PEAKASSIGNMENT", "ASSIGNMENTS", "RADATA", "DATATABLE")
_MANY_BLOCKS = 10_000


@dataclass(frozen=True, kw_only=True)
class Record:
    """One labelled data record."""

    label: str
    """As it stands in the file."""
    name: str
    """Normalised: `XYDATA`."""
    value: str
    """Text after the equals sign, without comments."""
    lines: tuple[str, ...]
    """Lines that follow, without comments."""
    at: int
    """Line number in the file, from 1."""

    @property
    def text(self) -> str:
        """All of the value."""
        return "\n".join([self.value, *self.lines]).strip()


@dataclass(kw_only=True)
class Block:
    """One block, while it is read and after."""

    records: list[Record] = field(default_factory=list)
    children: list["Block"] = field(default_factory=list)
    ended: bool = False
    """True if the file has its `##END=`."""

    def text(self, *names: str) -> str:
        """Return the text of the first record with one of the names, empty if there is none."""
        return next((record.text for name in names for record in self.records if record.name == name), "")

    def number(self, *names: str) -> float | None:
        """Return the first number in a record, None if there is no record or no number in it."""
        return number(self.text(*names))

    @property
    def is_link(self) -> bool:
        """True if the block holds blocks and no data of its own."""
        return "LINK" in self.text("DATATYPE", "DATACLASS").upper() or bool(self.text("BLOCKS"))

    def header(self) -> str:
        """Return label and text of all records but the tables as JSON."""
        held = [[record.label, record.text] for record in self.records if record.name not in TABLES]
        return json.dumps(held, ensure_ascii=False)


def number(text: str) -> float | None:
    """Read the number that a text begins with.

    Parameters
    ----------
    text:
        Text, such as `4000.0 cm-1`, or `0,5`.

    Returns
    -------
    :
        The number, or None.
    """
    found = _NUMBER.match(text.strip())
    return float(re.sub("[dD]", "e", found.group().replace(",", "."))) if found else None


def normalise(label: str) -> str:
    """Return a label as it counts.

    Parameters
    ----------
    label:
        As it stands in a file.

    Returns
    -------
    :
        Upper case without blanks and the signs that do not count.
    """
    return re.sub(r"[\s\-_/]", "", label).upper()


def parse(lines: list[str], name: str) -> list[Block]:
    """Cut a file into its blocks.

    Parameters
    ----------
    lines:
        The text.
    name:
        Name of the file, for messages.

    Returns
    -------
    :
        Blocks that stand in no other.

    Raises
    ------
    FormatError
        If there is no block, or there are very many.
    """
    top: list[Block] = []
    open_blocks: list[Block] = []
    count = 0
    for record in _records(lines):
        if record.name == "TITLE":
            count += 1
            while open_blocks and not open_blocks[-1].is_link:
                open_blocks.pop()
            block = Block()
            (open_blocks[-1].children if open_blocks else top).append(block)
            open_blocks.append(block)
        if not open_blocks:
            continue
        if record.name == "END":
            open_blocks.pop().ended = True
        else:
            open_blocks[-1].records.append(record)
    if not top or count > _MANY_BLOCKS:
        msg = f"{name!r} is JCAMP-DX with {count} blocks (##TITLE=); wanted 1 to {_MANY_BLOCKS}. Export it again"
        raise FormatError(msg)
    return top


def _records(lines: list[str]) -> list[Record]:
    found: list[Record] = []
    label, value, start, following = "", "", 0, []
    for at, raw in enumerate(lines, 1):
        line = raw.split("$$", 1)[0]
        begins = _RECORD.match(line)
        if not begins:
            following.append(line)
            continue
        if label:
            found.append(Record(label=label, name=normalise(label), value=value, lines=tuple(following), at=start))
        label, value, start, following = begins.group(1).strip(), begins.group(2).strip(), at, []
    if label:
        found.append(Record(label=label, name=normalise(label), value=value, lines=tuple(following), at=start))
    return found
