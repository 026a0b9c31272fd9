"""Pages of JCAMP-DX NTUPLES: real and imaginary parts, scans of a chromatogram, rows of a map.

Not here: other tables (`analysis.io.jcamp`). Reference: Davies and Lampen, Appl. Spectrosc. 47 (1993) 1093.
"""

import re
from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt
import xarray as xr

from analysis.core import CHANNEL, FormatError
from analysis.io import jcamp_asdf, jcamp_records, jcamp_words
from analysis.io.jcamp_asdf import Run
from analysis.io.jcamp_records import Block, Record

Array = npt.NDArray[np.float64]
Variable = Mapping[str, str]
_LISTED = ("VARNAME", "SYMBOL", "VARTYPE", "VARFORM", "VARDIM", "UNITS", "FIRST", "LAST", "MIN", "MAX", "FACTOR")
_RUN = re.compile(r"\(\s*([A-Z0-9]+)\s*\+\+\s*\(\s*([A-Z0-9]+)\s*\.\.", re.IGNORECASE)
_PAIRS = re.compile(r"\(\s*([A-Z0-9]+)\s*\.\.\s*\1\s*\)", re.IGNORECASE)


def pages(block: Block, name: str) -> Iterator[tuple[str, xr.Dataset]]:
    """Read the pages of a block.

    Parameters
    ----------
    block:
        With `##NTUPLES=`.
    name:
        Name of the file, for messages.

    Yields
    ------
    :
        What the page is called, and its spectrum.

    Raises
    ------
    FormatError
        If a page names variables that the block does not define, or its length is not the one promised.
    """
    variables = _variables(block, name)
    page, local = "", dict[str, Record]()
    for record in block.records:
        if record.name == "PAGE":
            page, local = record.text, {}
        elif record.name == "DATATABLE":
            yield _page(record, page, local, variables, name)
        elif page:
            local[record.name] = record


def _variables(block: Block, name: str) -> dict[str, Variable]:
    lists = {key: [cell.strip() for cell in block.text(key).split(",")] for key in _LISTED}
    if not lists["SYMBOL"][0]:
        msg = f"{name!r} has ##NTUPLES= without ##SYMBOL=; wanted the names of its variables. Export the file again"
        raise FormatError(msg)
    return {
        symbol.upper(): {key: cells[at] if at < len(cells) else "" for key, cells in lists.items()}
        for at, symbol in enumerate(lists["SYMBOL"])
    }


def _page(
    record: Record, page: str, local: Mapping[str, Record], variables: Mapping[str, Variable], name: str
) -> tuple[str, xr.Dataset]:
    even, symbols = _symbols(record, variables, name)
    along, of = variables[symbols[0]], variables[symbols[1]]
    points = _points(local, along, of)
    scale = jcamp_records.number(of["FACTOR"]) or 1.0
    if even:
        decoded = jcamp_asdf.run(record, name, points)
        ends = _own_ends(local, list(variables).index(symbols[0]))
        x, notes = abscissae(
            decoded, factor=jcamp_records.number(along["FACTOR"]), step=None, name=name,
            first=ends.get("FIRST", jcamp_records.number(along["FIRST"])),
            last=ends.get("LAST", jcamp_records.number(along["LAST"])),
        )  # fmt: skip
        y = decoded.y * scale
    else:
        groups = jcamp_asdf.groups(record, name, 2)
        x, y, notes = groups[:, 0] * (jcamp_records.number(along["FACTOR"]) or 1.0), groups[:, 1] * scale, []
    if not y.size or (points is not None and y.size != points):
        msg = f"{name!r}: page {page!r} (line {record.at}) holds {y.size} points, its header promises {points}"
        msg += ". It is cut short or damaged; export it again"
        raise FormatError(msg)
    axis, about = jcamp_words.axis(along["UNITS"], "", along["VARNAME"])
    described = jcamp_words.signal(of["UNITS"], of["VARNAME"], float(np.nanmax(np.abs(y), initial=0.0)))
    attrs: dict[str, object] = {"page": page, **_page_values(page, variables)}
    if notes:
        attrs["header_check"] = "; ".join(notes)
    title = f"{of['VARNAME']} {page}".strip() if of["VARNAME"] else page
    return title, xr.Dataset({"signal": (CHANNEL, y, described)}, {axis: (CHANNEL, x, about)}, attrs=attrs)


def _symbols(record: Record, variables: Mapping[str, Variable], name: str) -> tuple[bool, tuple[str, str]]:
    even, pairs = _RUN.search(record.value), _PAIRS.search(record.value)
    found = (even.group(1).upper(), even.group(2).upper()) if even else None
    if pairs and not even:
        text = pairs.group(1).upper()
        found = next(((a, b) for a in variables for b in variables if a + b == text), None)
    if found is None or not set(found) <= set(variables):
        msg = (
            f"{name!r} line {record.at}: the table {record.value!r} names variables other than {list(variables)}; "
            "wanted a form such as (X++(Y..Y)) or (XY..XY). Export the file again"
        )
        raise FormatError(msg)
    return even is not None, found


def _points(local: Mapping[str, Record], along: Variable, of: Variable) -> int | None:
    given = jcamp_records.number(local["NPOINTS"].text) if "NPOINTS" in local else None
    found = given or jcamp_records.number(of["VARDIM"]) or jcamp_records.number(along["VARDIM"])
    return int(found) if found and found >= 1 else None


def _own_ends(local: Mapping[str, Record], at: int) -> dict[str, float]:
    """Return what a page says of the ends of its own abscissa."""
    found = {}
    for key in ("FIRST", "LAST"):
        cells = local[key].text.split(",") if key in local else []
        value = jcamp_records.number(cells[at]) if at < len(cells) else None
        if value is not None:
            found[key] = value
    return found


def _page_values(page: str, variables: Mapping[str, Variable]) -> dict[str, object]:
    found: dict[str, object] = {}
    for symbol, text in re.findall(r"(\w+)\s*=\s*([^,]+)", page):
        value = jcamp_records.number(text)
        if value is not None and symbol.upper() in variables:
            name = variables[symbol.upper()]["VARNAME"] or symbol
            found[re.sub(r"\W+", "_", name).strip("_").lower() or symbol] = value
    return found


def abscissae(
    decoded: Run, *, factor: float | None, first: float | None, last: float | None, step: float | None, name: str
) -> tuple[Array, list[str]]:
    """Compute the even abscissae of a table, and compare them with those at the beginning of its lines.

    Parameters
    ----------
    decoded:
        The table.
    factor:
        Of the abscissae in the lines; None is 1.
    first, last, step:
        What the header gives.
    name:
        Name of the file, for messages.

    Returns
    -------
    :
        Abscissae from first to last, and what differs, in words. Where the lines run from last to first, the lines
        are believed, as they stand beside the ordinates.

    Raises
    ------
    FormatError
        If neither header nor lines give the axis.
    """
    size = decoded.y.size
    at = np.array([index for index, _ in decoded.starts])
    seen = np.array([x for _, x in decoded.starts]) * (1.0 if factor is None else factor)
    if first is None or (last is None and size > 1):
        first = float(seen[0])
        last = float(seen[0] + (seen[-1] - seen[0]) / at[-1] * (size - 1)) if at[-1] > 0 else None
        last = first + step * (size - 1) if last is None and step is not None else last
    if last is None and size > 1:
        msg = f"{name!r} gives no ##FIRSTX= and ##LASTX= for its {size} points. Export the file again"
        raise FormatError(msg)
    x = np.linspace(first, first if last is None else last, size)
    width = abs(x[1] - x[0]) if size > 1 else max(abs(first), 1.0)
    tolerance = np.maximum(1.5 * width, 1e-3 * np.abs(seen))
    inside = at < size
    off = np.abs(seen - x[np.minimum(at, size - 1)]) > tolerance
    turned = np.abs(seen - x[::-1][np.minimum(at, size - 1)]) > tolerance
    if not (off & inside).any():
        return x, []
    if not (turned & inside).any():
        return x[::-1].copy(), ["##FIRSTX= and ##LASTX= are exchanged: the lines run from last to first"]
    bad = int(np.argmax(off & inside))
    return x, [
        f"line {bad + 1} of the table begins at {seen[bad]:.7g}, an even axis from ##FIRSTX= to ##LASTX= has "
        f"{x[at[bad]]:.7g} there"
    ]
