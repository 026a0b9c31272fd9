"""What a reader of one format is: how it knows its files, how it reads them, and what it says of itself.

A module for each format ends in `READER = Reader(...)`. A package of others names such a `Reader` in the entry point
group `metrospec.readers`. Not here: the list of them (`analysis.io.registry`).
"""

from collections.abc import Callable
from dataclasses import dataclass

import xarray as xr

from analysis.io.collection import Collection

MAX_BYTES = 64_000_000
"""Largest file that is read whole, in bytes, unless its reader says otherwise."""


@dataclass(frozen=True, kw_only=True)
class Reader:
    """A reader of one format."""

    name: str
    """What `io.read(format=...)` calls it."""
    title: str
    """What people call it."""
    recognises: Callable[[bytes], bool]
    """Says from the first 4096 bytes of a file whether it is of this format."""
    read: Callable[[bytes, str], xr.Dataset | Collection]
    """Makes a spectrum, or a collection, of the whole content; the name of the file is for messages. Raises
    `FormatError` that says what was seen; never gives an empty or partial result."""
    reads: str
    """What is read, in words."""
    reads_not: str = ""
    """What is refused or left out, in words."""
    tested_on: str = ""
    """The files it was tested on, in words."""
    max_bytes: int = MAX_BYTES
    """Larger files are refused."""
    extra: str = ""
    """The optional extra of metrospec that brings it; empty for a reader that is built in."""
