"""A report page of any results, for the headless command and for reading.

Not here: certificates (`analysis.report.certificate`).
"""

import json
from collections.abc import Mapping, Sequence

import pandas as pd
import xarray as xr

from analysis.core import history
from analysis.report import markup, steps
from analysis.report.budgets import rows_by_tag
from analysis.report.tables import table, tabular
from analysis.uncertainty import Agreement, Budget, Quantity, Sample, format_u, format_value

_MOST_ROWS = 200


def html(
    results: Mapping[str, object],
    *,
    title: str = "Report",
    particulars: Mapping[str, str] | None = None,
    figures: Mapping[str, bytes] | None = None,
    advice: Sequence[str] = (),
) -> str:
    """Write a report page.

    Parameters
    ----------
    results:
        By heading: fits, budgets, quantities, tables, verdicts, or text.
    title:
        What stands on top.
    particulars:
        Files, instrument and the like, name to text.
    figures:
        Caption to the bytes of a PNG file.
    advice:
        Plain sentences to put before the results.

    Returns
    -------
    :
        A complete HTML page; tables of more than 200 rows are cut, and say so.

    Raises
    ------
    MetrospecError
        If a result cannot be shown.
    """
    body = [markup.element("h1", title)]
    if particulars:
        body.append(markup.pairs(particulars))
    body += [markup.element("p", each, role="note") for each in advice]
    body += [markup.figure(caption, png) for caption, png in (figures or {}).items()]
    for name, result in results.items():
        body += [markup.element("h2", name), *section(result)]
    body += _provenance(results)
    return markup.document(title, body)


def section(result: object) -> list[str]:
    """Write one result as HTML.

    Parameters
    ----------
    result:
        As in `html`.

    Returns
    -------
    :
        Pieces of HTML.

    Raises
    ------
    MetrospecError
        If it cannot be shown.
    """
    said = sentence(result)
    if isinstance(result, Budget):
        notes = [markup.element("p", f"{note[:1].upper()}{note[1:]}.", role="note") for note in result.notes]
        return [markup.element("p", said), markup.table(rows_by_tag(result)), *notes]
    if isinstance(result, xr.Dataset):
        return [*_fit_head(result), _frame(_readable(table(result))), *_advice(result)]
    rows = tabular(result)
    if rows is not None:
        return [markup.element("p", said), markup.table(rows)]
    if said:
        doubtful = isinstance(result, Agreement) and not result.valid
        return [markup.element("p", said, role="note" if doubtful else "")]
    return [_frame(_readable(table(result)))]


def sentence(result: object) -> str:
    """Say a result in one line.

    Parameters
    ----------
    result:
        As in `html`.

    Returns
    -------
    :
        The line; empty for what is only a table.
    """
    if isinstance(result, Quantity):
        return f"{result.label} = {result}" if result.label else str(result)
    if isinstance(result, Agreement):
        return result.sentence
    if isinstance(result, str | Budget | Sample):
        return str(result)
    listed = not isinstance(result, pd.DataFrame | xr.Dataset | Mapping) and tabular(result) is not None
    return str(result) if listed else ""


def _fit_head(fit: xr.Dataset) -> list[str]:
    words = {name: str(fit.attrs[name]) for name in ("engine", "loss") if name in fit.attrs}
    single = fit["value"].ndim == 1
    names = [name for name in ("redchi", "ndata", "nfev") if single and name in fit]
    words |= {str(fit[name].attrs.get("long_name", name)): f"{float(fit[name]):.6g}" for name in names}
    return [markup.pairs(words)] if words else []


def _advice(fit: xr.Dataset) -> list[str]:
    given = fit.attrs.get("advice", "[]")
    try:
        said = json.loads(given) if isinstance(given, str) else list(given)
    except json.JSONDecodeError:
        said = [given]
    return [markup.element("p", str(each), role="note") for each in (said if isinstance(said, list) else [said])]


def _readable(frame: pd.DataFrame) -> pd.DataFrame:
    if not {"value", "u", "units"} <= set(frame.columns):
        return frame
    pairs = [format_value(value, u) for value, u in zip(frame["value"], frame["u"], strict=True)]
    shown = frame.assign(**{"value ± u (k = 1)": pairs})
    if "U (95 %)" in frame:
        shown["U (95 %)"] = [format_u(u) for u in frame["U (95 %)"]]
        shown["k"] = [f"{k:.2f}" for k in frame["k"]]
        shown["dof"] = [f"{dof:.3g}" for dof in frame["dof"]]
    if "u_noise" in frame:
        shown["u from noise"] = [format_u(u) for u in frame["u_noise"]]
    first = [
        each
        for each in shown.columns
        if each not in ("value", "u", "u_noise", "units", "k", "dof", "U (95 %)", "status")
    ]
    first = [each for each in first if each not in ("value ± u (k = 1)", "parameter_status", "u from noise")]
    extra = [
        each for each in ("U (95 %)", "u from noise", "units", "dof", "parameter_status", "status") if each in shown
    ]
    if "U (95 %)" in shown:
        extra.insert(1, "k")
    return shown[[*first, "value ± u (k = 1)", *extra]]


def _frame(frame: pd.DataFrame) -> str:
    rows = [{str(key): str(cell) for key, cell in row.items()} for row in frame.head(_MOST_ROWS).to_dict("records")]
    cut = (
        f"The first {_MOST_ROWS} of {len(frame)} rows; the table file has them all." if len(frame) > _MOST_ROWS else ""
    )
    return markup.table(rows, caption=cut)


def _provenance(results: Mapping[str, object]) -> list[str]:
    texts = list(dict.fromkeys(text for text in (history.of(each) for each in results.values()) if text))
    if not texts:
        return []
    return [
        markup.element("h2", "Data, steps and software"),
        markup.table(steps.data_rows(texts), caption="Data"),
        markup.table(steps.step_rows(texts), caption="Steps, in the order in which they can be done again"),
        markup.pairs(steps.software(texts)),
    ]
