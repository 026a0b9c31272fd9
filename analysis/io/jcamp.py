"""JCAMP-DX files (4.24, 5.00, 5.01, 6.00) to spectra: XYDATA, XYPOINTS, PEAK TABLE, ASSIGNMENTS, NTUPLES, LINK.

The header is believed only where it agrees with the table: a wrong number of points is an error, and what else differs
(first ordinate, extremes, abscissae at the beginning of lines) is said in the attribute `header_check`.
Not here: records and blocks (`analysis.io.jcamp_records`), numbers (`analysis.io.jcamp_asdf`), pages of NTUPLES
(`analysis.io.jcamp_ntuples`), writing (`analysis.io.exchange_write`).
"""

import re
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import xarray as xr

from analysis.core import CHANNEL, FormatError
from analysis.io import collection, dates, exchange, jcamp_asdf, jcamp_ntuples, jcamp_records, jcamp_words, sniff, text
from analysis.io.collection import Collection, Named
from analysis.io.jcamp_records import Block, Record
from analysis.io.reader import Reader

_LISTS = ("XYPOINTS", "PEAKTABLE", "PEAKASSIGNMENTS", "PEAKASSIGNMENT", "ASSIGNMENTS")
_SIDE = ("PEAKASSIGNMENTS", "PEAKASSIGNMENT", "ASSIGNMENTS")
_LOOSE = 1e-2
Array = npt.NDArray[np.float64]


def read(content: bytes, name: str) -> xr.Dataset | Collection:
    """Read a JCAMP-DX file.

    Parameters
    ----------
    content:
        The whole file.
    name:
        Its name, for messages.

    Returns
    -------
    :
        One spectrum, several on one axis, or a collection.

    Raises
    ------
    FormatError
        If anything in it does not agree with the format or with its header.
    """
    blocks = jcamp_records.parse(text.lines_of(content, name), name)
    kept = blocks[0].text("$METROSPEC")
    if kept:
        return exchange.restore(kept, _columns(blocks, name), name)
    found = [each for block in blocks for each in _spectra(block, name)]
    if not found:
        labels = [record.label for record in blocks[0].records][:20]
        msg = f"{name!r} is JCAMP-DX without a table of data; its first block has {labels}. Export the spectrum itself"
        raise FormatError(msg)
    return collection.gather(found)


def _columns(blocks: list[Block], name: str) -> list[Array]:
    """Return the columns that `analysis.io.exchange_write` put into a file, in their order."""
    return [
        jcamp_asdf.groups(record, name, 1 + (record.name == "XYPOINTS"))[:, -1]
        for record in blocks[0].records
        if record.name in ("XYPOINTS", "$COLUMN")
    ]


def _spectra(block: Block, name: str) -> Iterator[Named]:
    children = [each for child in block.children for each in _spectra(child, name)]
    promised = block.number("BLOCKS")
    if block.is_link and promised is not None and len(block.children) < promised - 1:
        msg = f"{name!r} promises {promised:.0f} blocks and holds {len(block.children)}: it is cut short. Copy it again"
        raise FormatError(msg)
    yield from children
    yield from _own(block, name)


def _own(block: Block, name: str) -> Iterator[Named]:
    tables = [record for record in block.records if record.name in jcamp_records.TABLES and record.text]
    title = block.text("TITLE")
    if block.text("NTUPLES") or any(record.name == "DATATABLE" for record in tables):
        for page, dataset in jcamp_ntuples.pages(block, name):
            yield page, _described(dataset, block, title)
        return
    main = [record for record in tables if record.name not in _SIDE] or tables
    for record in main:
        dataset = _list(block, record, name) if _is_list(record) else _even(block, record, name)
        if not block.ended and block.number("NPOINTS") is None:
            msg = f"{name!r} ends without ##END= and gives no ##NPOINTS=: it may be cut short. Copy or export it again"
            raise FormatError(msg)
        about = _described(dataset, block, title)
        aside = [each.label for each in tables if each not in main]
        if aside:
            about.attrs["tables_not_read"] = ", ".join(aside)
        yield (title if len(main) == 1 else f"{title} {record.label}".strip()), about


def _is_list(record: Record) -> bool:
    return record.name in _LISTS or "++" not in record.value


def _described(dataset: xr.Dataset, block: Block, title: str) -> xr.Dataset:
    attrs: dict[str, object] = {"title": title, "data_type": block.text("DATATYPE"), "header": block.header()}
    attrs["instrument"] = block.text("SPECTROMETER/DATASYSTEM", "SPECTROMETERDATASYSTEM", "SPECTROMETER")
    attrs["origin"] = block.text("ORIGIN")
    stamp = block.text("LONGDATE") or f"{block.text('DATE')} {block.text('TIME')}"
    attrs["acquired"] = dates.read(_full_year(stamp))
    laser = block.number("$LASERWAVELENGTH", "$EXCITATIONWAVELENGTH", ".EXCITATIONWAVELENGTH", "$LASER")
    if laser is not None:
        attrs["laser_wavelength_nm"] = laser
    return dataset.assign_attrs({key: value for key, value in attrs.items() if value != ""} | dataset.attrs)


def _full_year(stamp: str) -> str:
    """Write a date of two digits a year, as 4.24 asks for (YY/MM/DD), with four: 95/11/30 is 1995-11-30."""
    found = re.match(r"\s*(\d{2})/(\d{2})/(\d{2})(?!\d)(.*)", stamp, re.DOTALL)
    if not found:
        return stamp
    century = "19" if int(found.group(1)) >= 80 else "20"  # noqa: PLR2004 - the standard is of 1988
    return f"{century}{found.group(1)}/{found.group(2)}/{found.group(3)}{found.group(4)}"


def _even(block: Block, record: Record, name: str) -> xr.Dataset:
    x_key, y_key = ("R", "A") if record.name == "RADATA" else ("X", "Y")
    points = _count(block, name)
    decoded = jcamp_asdf.run(record, name, points)
    require_count(decoded.y.size, points, name, record)
    scale = block.number(f"{y_key}FACTOR")
    y = decoded.y * (1.0 if scale is None else scale)
    x, notes = abscissae(
        decoded, factor=block.number(f"{x_key}FACTOR"), first=block.number(f"FIRST{x_key}"),
        last=block.number(f"LAST{x_key}"), step=block.number(f"DELTA{x_key}"), name=name,
    )  # fmt: skip
    return _dataset(block, x, y, [*notes, *_differences(block, y, y_key)], x_key)


def require_count(seen: int, points: int | None, name: str, record: Record) -> None:
    """Refuse a table whose length is not the one its header gives.

    Parameters
    ----------
    seen:
        Points in the table.
    points:
        What the header gives, None if nothing.
    name:
        Name of the file.
    record:
        The table.

    Raises
    ------
    FormatError
        If they differ, or there are none.
    """
    if not seen or (points is not None and seen != points):
        wanted = "one at least" if points is None else f"##NPOINTS= {points}"
        msg = (
            f"{name!r}: the table ##{record.label}= at line {record.at} holds {seen} points, the header promises "
            f"{wanted}. Points are lost or altered: export or copy the file again"
        )
        raise FormatError(msg)


def _count(block: Block, name: str) -> int | None:
    found = block.number("NPOINTS")
    if found is not None and (found < 1 or found != int(found)):
        msg = f"{name!r}: ##NPOINTS= {found:g}; wanted a whole number of points, 1 at least. Export the file again"
        raise FormatError(msg)
    return None if found is None else int(found)


abscissae = jcamp_ntuples.abscissae


def _differences(block: Block, y: Array, key: str) -> list[str]:
    """Say where the header differs from the ordinates, beyond what rounding explains."""
    given = {
        f"FIRST{key}": (block.number(f"FIRST{key}"), float(y[0])),
        f"MAX{key}": (block.number(f"MAX{key}"), float(np.nanmax(y)) if np.isfinite(y).any() else np.nan),
        f"MIN{key}": (block.number(f"MIN{key}"), float(np.nanmin(y)) if np.isfinite(y).any() else np.nan),
    }
    spread = float(np.nanmax(np.abs(y), initial=0.0))
    return [
        f"##{label}= {said:g}, the table has {seen:g}"
        for label, (said, seen) in given.items()
        if said is not None and not abs(said - seen) <= _LOOSE * spread
    ]


def _list(block: Block, record: Record, name: str) -> xr.Dataset:
    groups = _assigned(record, name) if record.name in _SIDE else None
    if groups is None:
        width = max(2, len(re.sub(r"\.\..*|[^A-Z]", "", record.value.upper())))
        groups = jcamp_asdf.groups(record, name, width)
    require_count(len(groups), _count(block, name), name, record)
    factors = [block.number(key) or 1.0 for key in ("XFACTOR", "YFACTOR")]
    dataset = _dataset(block, groups[:, 0] * factors[0], groups[:, 1] * factors[1], [], "X")
    dataset.attrs["data_class"] = record.label
    if groups.shape[1] > 2:  # noqa: PLR2004 - width or multiplicity of a peak
        dataset = dataset.assign(peak_width=(CHANNEL, groups[:, 2], {"long_name": f"third of {record.value}"}))
    return dataset


def _assigned(record: Record, name: str) -> Array | None:
    """Read `(x, y, m, <assignment>)`: abscissa, and ordinate where there is one."""
    found = []
    for each in re.findall(r"\(([^()<]*)<[^>]*>\s*\)", "\n".join(record.lines)):
        cells = [jcamp_records.number(cell) for cell in each.split(",")]
        if cells[0] is None:
            msg = f"{name!r}: the assignment ({each.strip()}...) at line {record.at} begins with no number"
            raise FormatError(msg)
        found.append([cells[0], cells[1] if len(cells) > 1 and cells[1] is not None else np.nan])
    return np.array(found, dtype=float).reshape(-1, 2) if found else None


def _dataset(block: Block, x: Array, y: Array, notes: list[str], key: str) -> xr.Dataset:
    units, y_units = block.text(f"{key}UNITS"), block.text("YUNITS" if key == "X" else "AUNITS")
    name, about = jcamp_words.axis(units, block.text("DATATYPE"), block.text("XLABEL"))
    largest = float(np.nanmax(np.abs(y), initial=0.0))
    described = jcamp_words.signal(y_units, block.text("YLABEL"), largest)
    dataset = xr.Dataset({"signal": (CHANNEL, y, described)}, {name: (CHANNEL, x, about)})
    return dataset.assign_attrs(header_check="; ".join(notes)) if notes else dataset


READER = Reader(
    name="jcamp",
    title="JCAMP-DX",
    recognises=lambda head: bool(re.match(r"(\$\$[^\r\n]*\s+)*##\s*(TITLE|JCAMP.?DX)\s*=", sniff.start_of(head), re.I)),
    read=read,
    reads="4.24 to 6.00: AFFN, PAC, SQZ, DIF, DUP with Y-check; XYDATA, XYPOINTS, PEAK TABLE, ASSIGNMENTS, RADATA, "
    "NTUPLES, LINK and blocks one after another; what `io.write` writes reads back equal, with u",
    reads_not="JCAMP-CS structures (their blocks are passed over); texts of assignments stay in the file",
    tested_on="the linked file of jcamp-dx.org (METROSPEC_REAL_FILES), 122 public test files, made ones of every form",
)
