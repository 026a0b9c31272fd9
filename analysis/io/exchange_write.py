"""Spectra as CSV and JCAMP-DX that any program reads, and that read back here equal, with u and history.

CSV: a comment line with the note, a line of column names, the columns. JCAMP-DX: the first signal over the first axis
as XYPOINTS, all other columns as private records `##$COLUMN=`. Numbers have the shortest digits that give them back.

Not here: what goes into columns and note (`analysis.io.exchange`), reading CSV (`analysis.io.exchange_csv`)
and JCAMP-DX (`analysis.io.jcamp`).
"""

from datetime import datetime

import numpy as np
import xarray as xr

from analysis.core import FormatError
from analysis.io import exchange
from analysis.io.exchange import Array, Columns

CSV_MARK = "# metrospec CSV "
_UNITS = {"cm-1": "1/CM", "nm": "NANOMETERS", "um": "MICROMETERS", "s": "SECONDS", "Hz": "HZ", "eV": "EV", "1": "NONE"}


def csv(dataset: xr.Dataset) -> str:
    """Write a spectrum as CSV.

    Parameters
    ----------
    dataset:
        The spectrum.

    Returns
    -------
    :
        Text.

    Raises
    ------
    FormatError
        If it cannot be held exactly.
    """
    columns = exchange.take_apart(dataset, form="CSV")
    _require_same_length(columns)
    rows = (",".join(_text(value, blank="nan") for value in row) for row in zip(*columns.values, strict=True))
    names = ",".join(f'"{name}"' if "," in name else name for name in columns.names)
    return "\n".join([CSV_MARK + columns.note, names, *rows]) + "\n"


def jcamp(dataset: xr.Dataset) -> str:
    """Write a spectrum as JCAMP-DX.

    Parameters
    ----------
    dataset:
        The spectrum, with an axis along `channel`.

    Returns
    -------
    :
        Text.

    Raises
    ------
    FormatError
        If it cannot be held exactly, or has no axis.
    """
    columns = exchange.take_apart(dataset, form="JCAMP-DX")
    at = next(k for k, name in enumerate(columns.names) if name.split(" ")[0] == "signal")
    if not at:
        msg = "JCAMP-DX needs an axis along `channel`; this spectrum has none. Write it to a file that ends in .nc"
        raise FormatError(msg)
    x, y = columns.values[0], columns.values[at]
    axis = columns.names[0].split(" ")[0]
    kind = {"raman_shift": "RAMAN SPECTRUM", "wavenumber": "INFRARED SPECTRUM"}.get(axis, "SPECTRUM")
    acquired = str(dataset.attrs.get("acquired", ""))
    units = _line(dataset["signal"].attrs.get("units", "ARBITRARY UNITS"))
    note = columns.note.replace("$", r"\u0024")
    head = [
        f"##TITLE= {_line(dataset.attrs.get('title', 'spectrum'))}", "##JCAMP-DX= 5.01 $$ metrospec",
        f"##DATA TYPE= {kind}", "##DATA CLASS= XYPOINTS", "##ORIGIN= metrospec", "##OWNER= unknown",
        *([f"##LONGDATE= {_date(acquired)}"] if _date(acquired) else []),
        f"##XUNITS= {_units(dataset, axis)}", f"##YUNITS= {units}",
        "##XFACTOR= 1", "##YFACTOR= 1", f"##FIRSTX= {_text(x[0])}", f"##LASTX= {_text(x[-1])}", f"##NPOINTS= {x.size}",
        f"##$METROSPEC= {note}",
    ]  # fmt: skip
    body = []
    for k, (name, values) in enumerate(zip(columns.names, columns.values, strict=True)):
        if k == at:
            body += ["##XYPOINTS= (XY..XY)", *(f"{_text(a)}, {_text(b)}" for a, b in zip(x, y, strict=True))]
        else:
            body += [f"##$COLUMN= {_line(name)}", *(_text(value) for value in values)]
    return "\n".join([*head, *body, "##END="]) + "\n"


def _require_same_length(columns: Columns) -> None:
    if len({each.size for each in columns.values}) > 1:
        msg = "CSV holds columns of one length. Write it to a file that ends in .nc"
        raise FormatError(msg)


def _text(value: float | Array, *, blank: str = "?") -> str:
    number = float(value)
    return blank if np.isnan(number) else repr(number)


def _line(value: object) -> str:
    return " ".join(str(value).replace("$$", "").replace("##", "").split())


def _units(dataset: xr.Dataset, axis: str) -> str:
    units = str(dataset[axis].attrs.get("units", "1"))
    return _UNITS.get(units, _line(units))


def _date(acquired: str) -> str:
    try:
        return datetime.fromisoformat(acquired).strftime("%Y/%m/%d %H:%M:%S")
    except ValueError:
        return ""
