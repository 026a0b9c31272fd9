"""CSV files that metrospec wrote: read back equal.

Not here: writing them (`analysis.io.exchange_write`), other CSV (`analysis.io.ascii`).
"""

import numpy as np
import xarray as xr

from analysis.core import FormatError
from analysis.io import exchange, sniff, text
from analysis.io.exchange_write import CSV_MARK
from analysis.io.reader import Reader


def read(content: bytes, name: str) -> xr.Dataset:
    """Read a CSV file of metrospec.

    Parameters
    ----------
    content:
        The whole file.
    name:
        Its name, for messages.

    Returns
    -------
    :
        The Dataset that was written.

    Raises
    ------
    FormatError
        If it was altered.
    """
    lines = text.lines_of(content, name)
    rows = [line.split(",") for line in lines[2:]]
    width = len(rows[0]) if rows else 0
    bad = next((at for at, row in enumerate(rows, 3) if len(row) != width), 0)
    if not rows or bad:
        msg = f"{name!r} line {bad or len(lines)} does not have the {width} numbers of the others. Write the file again"
        raise FormatError(msg)
    try:
        columns = list(np.array([[float(cell) for cell in row] for row in rows]).T)
    except ValueError as error:
        msg = f"{name!r} holds something that is no number ({error}); it was altered. Write the file again"
        raise FormatError(msg) from error
    return exchange.restore(lines[0].removeprefix(CSV_MARK), columns, name)


READER = Reader(
    name="csv",
    title="CSV of metrospec",
    recognises=lambda head: sniff.start_of(head).startswith(CSV_MARK),
    read=read,
    reads="what `io.write(spectrum, 'file.csv')` wrote, equal to the last bit, with u, sources and history",
    reads_not="files of it that were edited",
    tested_on="files of this version kept in `tests/files`",
)
