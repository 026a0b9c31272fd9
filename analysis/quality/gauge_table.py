"""Readings of a gauge study as they are handed in, brought into cells of part and operator; what is refused and why.

Not here: their evaluation (`analysis.quality.gauge`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from analysis.core import UncertaintyError

Floats = npt.NDArray[np.float64]
DIMS = ("part", "operator", "trial")
_COLUMNS = {
    "part": ("part", "item", "sample", "specimen"),
    "operator": ("operator", "appraiser", "inspector", "instrument"),
    "value": ("value", "reading", "measurement", "result"),
}


@dataclass(frozen=True, kw_only=True)
class Cells:
    """Readings by part and operator, every combination present."""

    parts: tuple[str, ...]
    operators: tuple[str, ...]
    readings: tuple[tuple[Floats, ...], ...]
    """Of each part, of each operator, its readings, shape `(trial,)`."""

    @property
    def counts(self) -> npt.NDArray[np.int64]:
        """Numbers of readings, dims `(part, operator)`."""
        return np.array([[cell.size for cell in row] for row in self.readings])

    @property
    def balanced(self) -> bool:
        """Whether each cell has as many readings."""
        return bool((self.counts == self.counts[0, 0]).all())

    @property
    def means(self) -> Floats:
        """Mean of each cell, dims `(part, operator)`."""
        return np.array([[cell.mean() for cell in row] for row in self.readings])

    @property
    def ranges(self) -> Floats:
        """Range of each cell, dims `(part, operator)`."""
        return np.array([[np.ptp(cell) for cell in row] for row in self.readings])


def cells_of(table: Any) -> Cells:  # noqa: ANN401 - what a user passes
    """Bring a table into cells.

    Parameters
    ----------
    table:
        A DataArray with the dims part, operator and trial; an array of that order; columns `part`, `operator`, `value`
        (a dict of lists, a DataFrame), one row a reading; or a list of such rows.

    Returns
    -------
    :
        The cells.

    Raises
    ------
    UncertaintyError
        If it is no such thing, a reading is no finite number, or a combination is missing.
    """
    if isinstance(table, xr.DataArray):
        if set(table.dims) != set(DIMS):
            msg = f"a gauge study has the dims {DIMS}, got {tuple(map(str, table.dims))}; rename or expand them"
            raise UncertaintyError(msg)
        ordered = table.transpose(*DIMS)
        names = [_labels(ordered, dim) for dim in DIMS[:2]]
        return _from_array(ordered.values, names[0], names[1])
    if hasattr(table, "keys"):
        return _from_columns(table)
    if isinstance(table, Sequence) and table and hasattr(table[0], "keys"):
        return _from_columns({str(key): [row.get(key, np.nan) for row in table] for key in table[0]})
    return _from_array(table, None, None)


def _labels(array: xr.DataArray, dim: str) -> tuple[str, ...] | None:
    return tuple(map(str, array[dim].values)) if dim in array.coords else None


def _from_array(given: Any, parts: tuple[str, ...] | None, operators: tuple[str, ...] | None) -> Cells:  # noqa: ANN401
    values = _numbers(given)
    if values.ndim != 3:  # noqa: PLR2004 - part, operator, trial
        msg = f"an array of a gauge study has the order {DIMS}, got shape {values.shape}; pass columns otherwise"
        raise UncertaintyError(msg)
    bad = np.argwhere(~np.isfinite(values))
    if bad.size:
        where = ", ".join(f"{dim} {k + 1}" for dim, k in zip(DIMS, bad[0], strict=True))
        msg = (
            f"{len(bad)} readings are not finite, the first at {where}; pass columns part, operator, value without "
            "those rows, which makes the study unbalanced and is said"
        )
        raise UncertaintyError(msg)
    return Cells(
        parts=parts or tuple(str(k + 1) for k in range(values.shape[0])),
        operators=operators or tuple(chr(ord("A") + k) if k < 26 else str(k + 1) for k in range(values.shape[1])),  # noqa: PLR2004
        readings=tuple(tuple(cell.copy() for cell in row) for row in values),
    )


def _from_columns(table: Any) -> Cells:  # noqa: ANN401 - a DataFrame or a dict
    names = {str(each).lower(): each for each in table.keys()}  # noqa: SIM118 - a DataFrame iterates otherwise
    chosen = {what: next((names[each] for each in known if each in names), None) for what, known in _COLUMNS.items()}
    missing = [what for what, name in chosen.items() if name is None]
    if missing:
        msg = f"a gauge study needs the columns part, operator and value; {missing} missing in {list(names.values())}"
        raise UncertaintyError(msg)
    columns = {what: list(table[name]) for what, name in chosen.items()}
    values = _numbers(columns["value"])
    if values.ndim != 1 or len({len(each) for each in columns.values()}) != 1:
        msg = f"columns must be of one length, got { {what: len(each) for what, each in columns.items()} }"
        raise UncertaintyError(msg)
    bad = np.flatnonzero(~np.isfinite(values))
    if bad.size:
        k = int(bad[0])
        msg = (
            f"{bad.size} readings are not finite, the first of part {columns['part'][k]}, operator "
            f"{columns['operator'][k]}; remove those rows, which makes the study unbalanced and is said"
        )
        raise UncertaintyError(msg)
    return _gathered([str(each) for each in columns["part"]], [str(each) for each in columns["operator"]], values)


def _gathered(of_part: list[str], of_operator: list[str], values: Floats) -> Cells:
    parts, operators = tuple(dict.fromkeys(of_part)), tuple(dict.fromkeys(of_operator))
    found: dict[tuple[str, str], list[float]] = {}
    for part, operator, value in zip(of_part, of_operator, values.tolist(), strict=True):
        found.setdefault((part, operator), []).append(value)
    lacking = [(part, operator) for part in parts for operator in operators if (part, operator) not in found]
    if lacking:
        part, operator = lacking[0]
        msg = (
            f"every operator reads every part: {len(lacking)} combinations are missing, the first is part {part}, "
            f"operator {operator}; measure them, or leave that part or operator out"
        )
        raise UncertaintyError(msg)
    return Cells(
        parts=parts,
        operators=operators,
        readings=tuple(tuple(np.array(found[part, each]) for each in operators) for part in parts),
    )


def _numbers(given: Any) -> Floats:  # noqa: ANN401 - as above
    try:
        return np.asarray(given, dtype=float)
    except (TypeError, ValueError) as error:
        msg = (
            f"readings must be numbers, got {given!r:.80}; a ragged or worded table: pass columns part, operator, value"
        )
        raise UncertaintyError(msg) from error
