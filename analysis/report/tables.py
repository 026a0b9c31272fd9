"""Results as tables: pandas DataFrames, CSV text and xlsx workbooks.

Not here: uncertainty budgets for reading (`analysis.report.budgets`).
"""

import datetime as dt
import io
import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from analysis.core import MetrospecError
from analysis.report.budgets import harmless, rows_by_source
from analysis.uncertainty import Budget, Quantity

_EPOCH = dt.datetime(2000, 1, 1)  # noqa: DTZ001 - xlsx has no time zones
_MOST_ROWS = 1_000_000
_LONGEST_TITLE = 31


def table(result: object) -> pd.DataFrame:
    """Return a result as a table.

    Parameters
    ----------
    result:
        A fit (one row for each parameter of each spectrum), a budget (one row for each source), a dict of quantities
        or of budgets (one row each), a DataFrame, or anything whose `table()` returns rows.

    Returns
    -------
    :
        Numbers stay numbers. In a fit `u` has all sources, `u_noise` the noise alone, both with k = 1.

    Raises
    ------
    MetrospecError
        If there is no table of such a thing.
    """
    if isinstance(result, pd.DataFrame):
        return result
    if isinstance(result, xr.Dataset) and {"value", "stderr", "status"} <= set(result.data_vars):
        return _fit_table(result)
    if isinstance(result, Budget):
        return pd.DataFrame([_source_row(result, i) for i in range(len(result.contributions))])
    if isinstance(result, Mapping) and result and all(isinstance(each, Budget | Quantity) for each in result.values()):
        return pd.DataFrame([_quantity_row(str(name), each) for name, each in result.items()])
    rows = tabular(result)
    if rows is not None:
        return pd.DataFrame(rows)
    msg = f"no table of a {type(result).__name__}; wanted a fit, a budget, or a dict of quantities or budgets"
    raise MetrospecError(msg)


def tabular(result: object) -> list[dict[str, str]] | None:
    """Return the rows of a thing that can list itself.

    Parameters
    ----------
    result:
        For example a verdict on a calibration.

    Returns
    -------
    :
        Its `table()` if that is a list of dicts, else None.
    """
    method = getattr(result, "table", None)
    rows = method() if callable(method) else None
    if isinstance(rows, list) and all(isinstance(row, dict) for row in rows):
        return [{str(key): str(cell) for key, cell in row.items()} for row in rows]
    return None


def csv(result: object) -> str:
    """Return a result as CSV text.

    Parameters
    ----------
    result:
        As in `table`.

    Returns
    -------
    :
        Comma separated, decimal points, full precision; text that a spreadsheet would run is disarmed.

    Raises
    ------
    MetrospecError
        If there is no table of such a thing.
    """
    return _disarmed(table(result)).to_csv(index=False, lineterminator="\n")


def xlsx(results: Mapping[str, object]) -> bytes:
    """Return results as an Excel workbook.

    Parameters
    ----------
    results:
        By title of the sheet, each as in `table`.

    Returns
    -------
    :
        The bytes of an .xlsx file.

    Raises
    ------
    MetrospecError
        If there is nothing, a table is too long for a sheet, or there is no table of such a thing.
    ImportError
        If openpyxl is not installed.
    """
    try:
        import openpyxl  # noqa: PLC0415 - an optional extra, only xlsx needs it
        from openpyxl.styles import Font  # noqa: PLC0415 - as above
    except ImportError as error:  # pragma: no cover - hidden in a contract test
        msg = "xlsx tables need openpyxl: pip install 'metrospec[tables]'; csv needs nothing"
        raise ImportError(msg) from error
    if not results:
        msg = "nothing to write: results is empty; give at least one table by its title"
        raise MetrospecError(msg)
    book = openpyxl.Workbook()
    book.remove(book.active)
    book.properties.created = book.properties.modified = _EPOCH
    for title, result in results.items():
        frame = table(result)
        if len(frame) > _MOST_ROWS:
            msg = f"table {title!r} has {len(frame)} rows, a sheet holds {_MOST_ROWS}; write csv or netCDF instead"
            raise MetrospecError(msg)
        sheet = book.create_sheet(_sheet_title(title, book.sheetnames))
        sheet.append([str(column) for column in frame.columns])
        for row in frame.itertuples(index=False):
            sheet.append([_cell(each) for each in row])
        for column, cell in zip(frame.columns, sheet[1], strict=True):
            cell.font = Font(bold=True)
            longest = max([len(str(column)), *(len(str(each)) for each in frame[column].head(200))])
            sheet.column_dimensions[cell.column_letter].width = min(longest + 2, 48)
        sheet.freeze_panes = "A2"
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def _fit_table(fit: xr.Dataset) -> pd.DataFrame:
    fit = fit.compute()
    batch = [str(dim) for dim in fit["value"].dims if dim != "parameter"]
    order = [*batch, "parameter"]
    shape = tuple(fit.sizes[dim] for dim in order)
    value = fit["value"].transpose(*order).values
    noise = fit["stderr"].transpose(*order).values
    shared = _shared_variance(fit, order)
    units = fit["parameter_units"].values if "parameter_units" in fit.coords else np.full(shape[-1], "")
    where = [[_label(fit, dim, i) for i in range(fit.sizes[dim])] for dim in batch]
    places = [tuple(place) for place in itertools.product(*where) for _ in range(shape[-1])]
    columns: dict[str, Any] = {dim: [place[i] for place in places] for i, dim in enumerate(batch)}
    count = int(np.prod(shape[:-1]))
    columns |= {
        "parameter": np.tile(fit["parameter"].values.astype(str), count),
        "value": value.ravel(),
        "u": np.sqrt(noise**2 + shared).ravel(),
        "u_noise": noise.ravel(),
        "k": np.ones(value.size, dtype=int),
        "units": np.tile(np.asarray(units).astype(str), count),
        "status": np.repeat(_words(fit["status"].transpose(*batch)), shape[-1]),
    }
    if "parameter_status" in fit:
        columns["parameter_status"] = _words(fit["parameter_status"].transpose(*order))
    return pd.DataFrame(columns)


def _shared_variance(fit: xr.Dataset, order: list[str]) -> np.ndarray:
    total = xr.zeros_like(fit["value"])
    if "value_sources" in fit:
        total = total + (fit["value_sources"] ** 2).sum("source")
    if "value_sensitivity" in fit and "mode_sources" in fit:
        mixed = xr.dot(fit["value_sensitivity"], fit["mode_sources"], dim="mode")
        total = total + (mixed**2).sum("source")
    return total.transpose(*order).values


def _words(codes: xr.DataArray) -> np.ndarray:
    meanings = str(codes.attrs.get("flag_meanings", "")).split()
    flags = np.atleast_1d(codes.attrs.get("flag_values", np.arange(len(meanings)))).tolist()
    names = dict(zip(flags, meanings, strict=False))
    return np.array([names.get(int(code), str(code)).replace("_", " ") for code in codes.values.ravel()], dtype=object)


def _label(fit: xr.Dataset, dim: str, i: int) -> Any:  # noqa: ANN401 - whatever the coordinate holds
    return fit[dim].values[i] if dim in fit.coords else i


def _source_row(budget: Budget, i: int) -> dict[str, object]:
    each, words = budget.contributions[i], rows_by_source(budget)[i]
    return {
        "source": words["source"],
        "tags": " ".join(each.source.tags),
        "type": words["type"],
        "distribution": words["distribution"],
        "dof": each.source.dof,
        "contribution": each.c,
        "units": budget.units,
        "share": each.share,
        "origin": each.source.origin,
        "id": each.source.id,
    }


def _quantity_row(name: str, each: Budget | Quantity) -> dict[str, object]:
    expanded = each.U()
    return {
        "result": name,
        "value": each.value,
        "u": each.u,
        "U (95 %)": expanded,
        "k": expanded / each.u if each.u > 0 else float("nan"),
        "dof": each.dof,
        "units": each.units,
    }


def _cell(thing: Any) -> Any:  # noqa: ANN401 - a cell holds anything
    if isinstance(thing, np.generic):
        thing = thing.item()
    if isinstance(thing, float) and not np.isfinite(thing):
        return None if np.isnan(thing) else str(thing)
    if isinstance(thing, str):
        clean = "".join(mark for mark in thing if mark >= " " or mark in "\n\t")
        return harmless(clean)
    return thing if isinstance(thing, int | float | bool) or thing is None else str(thing)


def _disarmed(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.map(lambda cell: harmless(cell) if isinstance(cell, str) else cell)


def _sheet_title(title: str, taken: list[str]) -> str:
    clean = "".join("-" if mark in "[]:*?/\\" else mark for mark in title)[:_LONGEST_TITLE] or "table"
    name, number = clean, 2
    while name in taken:
        name, number = f"{clean[: _LONGEST_TITLE - 3]} {number}", number + 1
    return name
