"""Text tables to spectra: which column is the axis, what is signal, when it was recorded.

The rules. Columns that repeat as (axis, signal, axis, signal, ...) are spectra side by side. Else the first column is
the axis: named by its label where that says what it is (`raman_shift`, `wavelength`, ...), `x` without units
where it does not (see `analysis.io.name_axis`). Further columns with axis labels are axes too, all others are signals.
Not here: cutting lines (`analysis.io.table`), reading labels (`analysis.io.labels`).
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import xarray as xr

from analysis.core import CHANNEL, FormatError
from analysis.io import collection, dates, labels, table, text
from analysis.io.collection import Collection
from analysis.io.labels import Label
from analysis.io.reader import Reader
from analysis.io.table import Table

SPECTRUM = "spectrum"
_UNKNOWN = "first column; the file does not say what it is"
Array = npt.NDArray[np.float64]


def read_table(table: Table, name: str) -> xr.Dataset | Collection:
    """Make a spectrum, or several with one axis, of a table.

    Parameters
    ----------
    table:
        The table of the file.
    name:
        Name of the file, for messages.

    Returns
    -------
    :
        `signal` along `channel`; with several signal columns `(spectrum, channel)`; spectra side by side on different
        axes are a collection.

    Raises
    ------
    FormatError
        If the axis has gaps or is not strictly monotonic.
    """
    found = [labels.read(text) for text in table.names]
    if table.values.shape[1] == 1:
        dataset = xr.Dataset({"signal": (CHANNEL, table.values[:, 0], _about(found[0]))})
    elif _is_side_by_side(found):
        return collection.gather(
            (title, _finish(dataset, table)) for title, dataset in _side_by_side(table, found, name)
        )
    else:
        dataset = _one_axis(table, found, name)
    return _finish(dataset, table)


def read_columns(table: Table, name: str) -> xr.Dataset:  # noqa: ARG001 - the signature of a reader
    """Keep every column as it stands, with no axis but `pixel`: for files whose axis cannot be used.

    Parameters
    ----------
    table:
        The table of the file.
    name:
        Name of the file.

    Returns
    -------
    :
        `signal (spectrum, channel)`, one spectrum a column, in the order of the file.
    """
    dataset = xr.Dataset(
        {"signal": ((SPECTRUM, CHANNEL), np.ascontiguousarray(table.values.T))},
        coords={SPECTRUM: collection.unique([text or f"column {at + 1}" for at, text in enumerate(table.names)])},
    )
    return _finish(dataset, table)


def _finish(dataset: xr.Dataset, table: Table) -> xr.Dataset:
    blank = int(np.isnan(dataset["signal"].values).sum())
    attrs: dict[str, object] = {"header": table.header()}
    acquired = dates.find(table.before)
    if acquired:
        attrs["acquired"] = acquired
    if blank:
        attrs["blank_values"] = blank
    if "pixel" not in dataset.coords:
        pixel = np.arange(dataset.sizes[CHANNEL], dtype=float)
        dataset = dataset.assign_coords(pixel=(CHANNEL, pixel, {"units": "1", "long_name": "row of the table, from 0"}))
    return dataset.assign_attrs(attrs)


def _about(label: Label, text: str = "") -> dict[str, object]:
    attrs: dict[str, object] = {}
    if label.units:
        attrs["units"] = label.units
    if label.text or text:
        attrs["long_name"] = label.text or text
    if label.guessed:
        attrs["units_guessed"] = True
    if label.axis == "wavelength":
        attrs["medium"] = "unknown"
    return attrs


def _is_side_by_side(found: list[Label]) -> bool:
    axes = [label.axis for label in found]
    return len(axes) % 2 == 0 and len(axes) > 2 and bool(axes[0]) and len(set(axes[::2])) == 1 and not any(axes[1::2])  # noqa: PLR2004


def _one_axis(table: Table, found: list[Label], name: str) -> xr.Dataset:
    values = table.values
    is_axis = [at == 0 or bool(label.axis) for at, label in enumerate(found)]
    coords = {}
    for at in np.flatnonzero(is_axis).tolist():
        label = found[at]
        axis = label.axis or "x"
        problem = axis_problem(values[:, at], table.first_line)
        if at == 0 and problem:
            raise FormatError(axis_message(name, axis, problem))
        if axis not in coords and not problem:
            coords[axis] = (CHANNEL, values[:, at].copy(), _about(label, _UNKNOWN))
    signals = [at for at in range(len(found)) if not is_axis[at]]
    if not signals:
        msg = f"{name!r} has axes only ({[label.text for label in found]}); wanted a column of signal. Check the export"
        raise FormatError(msg)
    errors = [at for at in signals if found[at].is_uncertainty]
    if len(signals) == 2 and len(errors) == 1:  # noqa: PLR2004 - a signal and its uncertainty
        at = next(at for at in signals if at not in errors)
        about = _about(found[at])
        return xr.Dataset(
            {"signal": (CHANNEL, values[:, at], about), "u_signal": (CHANNEL, values[:, errors[0]], about)}, coords
        )
    if len(signals) == 1:
        return xr.Dataset({"signal": (CHANNEL, values[:, signals[0]], _about(found[signals[0]]))}, coords)
    texts = [found[at].text or f"column {at + 1}" for at in signals]
    data = np.ascontiguousarray(values[:, signals].T)
    return xr.Dataset(
        {"signal": ((SPECTRUM, CHANNEL), data, _common([found[at] for at in signals]))},
        coords | {SPECTRUM: collection.unique(texts)},
    )


def _side_by_side(table: Table, found: list[Label], name: str) -> Iterator[tuple[str, xr.Dataset]]:
    for at, title in enumerate(collection.unique(_titles(table, found))):
        x, y = table.values[:, 2 * at], table.values[:, 2 * at + 1]
        size, axis, label = _filled(x), found[2 * at].axis, found[2 * at + 1]
        problem = axis_problem(x[:size], table.first_line)
        if problem:
            raise FormatError(axis_message(name, f"{axis} of spectrum {at + 1}", problem))
        if np.isfinite(y[size:]).any():
            msg = f"{name!r}: spectrum {at + 1} ({title!r}) has values beyond the end of its axis. Export it again"
            raise FormatError(msg)
        coords = {axis: (CHANNEL, x[:size].copy(), _about(found[2 * at]))}
        attrs = {"title": title, "column_label": label.text}
        yield title, xr.Dataset({"signal": (CHANNEL, y[:size].copy(), _about(label))}, coords, attrs=attrs)


def _titles(table: Table, found: list[Label]) -> list[str]:
    """Take the names of the spectra from the line above the column labels, where it has one a pair."""
    count = len(found) // 2
    lines = [line for line in table.before if line.strip()]
    cells = [cell for cell in table.dialect.cells(lines[-2]) if cell] if len(lines) > 1 else []
    return cells if len(cells) == count else [f"{at + 1}: {label.text}" for at, label in enumerate(found[1::2])]


def _filled(column: Array) -> int:
    finite = np.flatnonzero(np.isfinite(column))
    return int(finite[-1]) + 1 if finite.size else 0


def axis_problem(x: Array, first_line: int) -> str:
    """Say in words what keeps numbers from being an axis; an empty text where nothing does."""
    if not np.isfinite(x).all() or not x.size:
        at = int(np.argmin(np.isfinite(x))) if x.size else 0
        return f"has a blank or infinite value (row {at + 1} of the table, which starts at line {first_line})"
    steps = np.diff(x)
    if (steps > 0).all() or (steps < 0).all():
        return ""
    direction = np.sign(np.median(steps)) or np.sign(x[-1] - x[0]) or 1.0
    at = int(np.argmax(steps * direction <= 0))
    return (
        f"is not strictly monotonic: {x[at]:g} is followed by {x[at + 1]:g} (row {at + 2} of the table, which "
        f"starts at line {first_line})"
    )


def axis_message(name: str, axis: str, problem: str) -> str:
    """Make the message about an axis that cannot be used."""
    return (
        f"{name!r}: the axis {axis!r} {problem}. Points are never dropped or re-sorted: correct the file, or read the "
        "columns as they stand with io.read(path, format='columns')"
    )


def _common(found: list[Label]) -> dict[str, object]:
    units = {label.units for label in found}
    return {"units": units.pop()} if len(units) == 1 and units != {""} else {}


READER = Reader(
    name="ascii",
    title="tables of text (tab, semicolon, comma or blanks)",
    recognises=lambda head: True,  # noqa: ARG005 - the last that is asked
    read=lambda content, name: read_table(table.parse(text.lines_of(content, name), name), name),
    reads="any usual delimiter, decimal sign, header and encoding; spectra side by side; a column of uncertainty",
    reads_not="tables that text interrupts, axes that are not strictly monotonic (read them as `columns`)",
    tested_on="Cary, Horiba, Renishaw, Tektronix and XDI files (METROSPEC_REAL_FILES), made ones in every dialect",
)
COLUMNS = Reader(
    name="columns",
    title="tables of text as they stand",
    recognises=lambda head: False,  # noqa: ARG005 - only where it is asked for
    read=lambda content, name: read_columns(table.parse(text.lines_of(content, name), name), name),
    reads='every column as it stands, no axis but `pixel`; only by `format="columns"`',
    tested_on="made ones",
)
