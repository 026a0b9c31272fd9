"""Reference lines: packaged tables of values with their uncertainty and source.

Lamps (`Ne`, `Ar`, `Hg`, wavelengths in air) and Raman standards (`polystyrene`, `calcite`, `silicon`). Each line
is a `Source` with a fixed id, so calibrations that used the same line are correlated through it.
Not here: finding the lines in a spectrum (`analysis.calibration.locate`).
"""

import csv
from functools import cache
from importlib.resources import files

import numpy as np
import xarray as xr

from analysis.core import CalibrationError, did_you_mean, history, units
from analysis.uncertainty import Source, distributions, sources

LINE = "line"
_TABLES = ("Ne", "Ar", "Hg", "polystyrene", "calcite", "silicon")


@cache
def _table(name: str) -> tuple[dict[str, str], tuple[tuple[str, float, float, float], ...]]:
    text = files("analysis.calibration").joinpath("data", f"{name}.csv").read_text(encoding="utf-8")
    rows = text.splitlines()
    header = dict(row[2:].split(": ", 1) for row in rows if row.startswith("# "))
    records = csv.DictReader(row for row in rows if not row.startswith("#"))
    return header, tuple(
        (each["value"], float(each["value"]), float(each["u"]), float(each["intensity"])) for each in records
    )


def lines(source: str, low: float, high: float, *, units: str) -> xr.Dataset:
    """Return the packaged reference lines of a lamp or a Raman standard.

    Parameters
    ----------
    source:
        `Ne`, `Ar`, `Hg`, `polystyrene`, `calcite` or `silicon`.
    low, high:
        Range, in `units`.
    units:
        Units of the range and of the result: `nm` for lamps, `cm-1` for Raman standards.

    Returns
    -------
    :
        `value`, `u` and `intensity` (line), with `value_sources` (source, line); the attributes say the medium of
        the wavelengths and the origin of the table.

    Raises
    ------
    CalibrationError
        If the table is not known, its units are of another kind, or the range is none or holds none of its lines.
    """
    if source not in _TABLES:
        msg = f"no packaged lines of {source!r}; there are {list(_TABLES)}.{did_you_mean(source, _TABLES)}"
        raise CalibrationError(msg)
    header, records = _table(source)
    if not low < high:
        msg = f"lines needs low < high in {units}; got low = {low}, high = {high}. Exchange them?"
        raise CalibrationError(msg)
    scale = _scale(source, header["units"], units)
    kept = [
        (name, value * scale, u * scale, strength)
        for name, value, u, strength in records
        if low <= value * scale <= high
    ]
    if not kept:
        span = f"{records[0][1] * scale:g} to {records[-1][1] * scale:g} {units}"
        msg = f"no line of {source} lies in {low:g} to {high:g} {units}; its table spans {span}"
        raise CalibrationError(msg)
    names = [f"{source} {name}" for name, *_ in kept]
    value, u, strength = (np.array(column) for column in zip(*(record[1:] for record in kept), strict=True))
    shape = distributions.rectangular() if header.get("distribution") == "rectangular" else distributions.normal()
    components = {
        Source(
            id=f"line:{source}:{record[0]}",
            label=f"{source} {record[0]} {header['units']}",
            units=header["units"],
            distribution=shape,
            origin=header["origin"],
            tags=(f"{source} reference lines",),
        ): np.where(np.arange(len(kept)) == index, u, 0.0)
        for index, record in enumerate(kept)
    }
    found = xr.Dataset(
        {
            "value": (LINE, value, {"units": units, "long_name": header["label"]}),
            "u": (LINE, u, {"units": units, "long_name": "standard uncertainty"}),
            "intensity": (LINE, strength, {"units": "1", "long_name": "relative intensity, a guide only"}),
        },
        coords={LINE: names},
        attrs={"medium": header["medium"], "origin": header["origin"], "label": header["label"]},
    )
    found = sources.attach(found, "value", components, (LINE,))
    settings = {"source": source, "low": low, "high": high, "units": units}
    return history.record(found, "calibration.lines", settings=settings, inputs={})


def require_lines(table: xr.Dataset, *, needs: tuple[str, ...] = ("value", "u")) -> xr.Dataset:
    """Return a table of lines after its check.

    Parameters
    ----------
    table:
        As `lines` returns.
    needs:
        Variables that are used.

    Returns
    -------
    :
        The same table.

    Raises
    ------
    CalibrationError
        If a variable or the units are missing, or a value is not finite.
    """
    given: object = table
    has = [str(name) for name in given.data_vars] if isinstance(given, xr.Dataset) else []
    if missing := [name for name in needs if name not in has]:
        msg = (
            f"a table of lines needs {list(needs)} along {LINE!r}; got a {type(given).__name__} with {has}, "
            f"{missing} missing. Take it from calibration.lines(source, low, high, units=...)"
        )
        raise CalibrationError(msg)
    if "units" not in table["value"].attrs:
        msg = "the values of the lines have no units; set them: lines['value'].attrs['units'] = 'nm'"
        raise CalibrationError(msg)
    wrong = [name for name in needs if not np.isfinite(table[name].values).all()]
    if wrong:
        msg = f"{wrong} of the lines are not all finite; remove those lines: lines.isel({LINE}=...)"
        raise CalibrationError(msg)
    return table


def _scale(source: str, have: str, want: str) -> float:
    if not units.same_dimension(have, want):
        msg = f"the lines of {source} are in {have!r}, got units={want!r}; wanted a unit of the same kind"
        raise CalibrationError(msg)
    return units.factor(have, want)
