"""The record of a tensile test: force, extension or travel, time, in N, mm and s, after its checks.

Not here: what is computed from it (`analysis.tensile.evaluation`).
"""

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import xarray as xr

from analysis.core import SpectrumError, units
from analysis.tensile.specimen import Specimen

Floats = npt.NDArray[np.float64]
Columns = dict[str, tuple[Floats, str]]
_NAMES = {
    "force": (r"^force$", r"standard.?force|standardkraft", r"force|load(?!.*cell)|kraft"),
    "stress": (r"^stress$", r"stress|spannung"),
    "extension": (r"^extension$", r"^strain$", r"extenso|extension|strain|dehnung|l.ngen.nderung"),
    "crosshead": (
        r"^crosshead$",
        r"^position$",
        r"standard.?travel|standardweg",
        r"travel|position|displacement|crosshead",
    ),
    "time": (r"^time$", r"time|zeit|temps"),
}
_LEAST, _GAP = 20, 10.0
_STRESS, _CLIPPED = (3.0, 1e4), 5


@dataclass(frozen=True, kw_only=True)
class Record:
    """What was recorded, in order."""

    force: Floats
    """N."""
    extension: Floats
    """Of the gauge length, or travel of the crosshead, mm."""
    time: Floats | None
    """s."""
    by_crosshead: bool
    """Whether extension is travel of the crosshead."""
    clipped: bool
    """Whether the force stays at one greatest value."""
    notes: tuple[str, ...]
    """What was found and done, in plain sentences."""


def record_of(curve: xr.Dataset, specimen: Specimen) -> Record:
    """Return the record of a tensile test after its checks.

    Parameters
    ----------
    curve:
        As `tensile.evaluate` takes it.
    specimen:
        Its gauge length turns strain into extension, its area stress into force.

    Returns
    -------
    :
        The record without its empty rows.

    Raises
    ------
    SpectrumError
        If columns or units are missing, there are too few rows, or they cannot be those of a tensile test.
    """
    columns = _columns(curve)
    area, length = specimen.area.to("mm2").value, specimen.gauge_length.to("mm").value
    force = _force(columns, area)
    by_crosshead = "extension" not in columns
    extension = _extension(columns, "crosshead" if by_crosshead else "extension", length)
    time = _in(columns["time"], "s", "time") if "time" in columns else None
    notes: list[str] = []
    kept = np.isfinite(force) & np.isfinite(extension) & (np.isfinite(time) if time is not None else True)
    if not kept.all():
        notes.append(f"{int((~kept).sum())} of {kept.size} rows are not finite and were left out")
        force, extension = force[kept], extension[kept]
        time = time[kept] if time is not None else None
    _require(force, extension, area)
    if by_crosshead:
        extension = extension - extension[0]
    notes += _gaps(time)
    top = force >= force.max() * (1 - 1e-12)
    clipped = _longest(top) >= _CLIPPED
    return Record(
        force=force, extension=extension, time=time, by_crosshead=by_crosshead, clipped=clipped, notes=tuple(notes)
    )


def _columns(curve: xr.Dataset) -> Columns:
    thing: object = curve
    if not isinstance(thing, xr.Dataset):
        msg = f"a tensile curve is a Dataset with force and extension, got {type(thing).__name__}; name them and units"
        raise SpectrumError(msg)
    found: Columns = {}
    given: Columns = {
        str(name): (np.asarray(each.values, dtype=float), str(each.attrs.get("units", "")))
        for name, each in curve.variables.items()
        if each.ndim == 1 and each.dtype.kind in "fiu"
    }
    if "column_units" in curve.coords and "signal" in curve and curve["signal"].ndim == 2:  # noqa: PLR2004 - a table
        for row, (label, unit) in enumerate(zip(curve["spectrum"].values, curve["column_units"].values, strict=True)):
            given[str(label)] = (np.asarray(curve["signal"].values[row], dtype=float), str(unit))
    for kind, patterns in _NAMES.items():
        names = [name for pattern in patterns for name in given if re.search(pattern, name, re.IGNORECASE)]
        if names:
            found[kind] = given[names[0]]
    if not (("force" in found or "stress" in found) and ("extension" in found or "crosshead" in found)):
        msg = (
            f"a tensile curve needs force (or stress) and extension (or strain, crosshead); got {sorted(given)}: rename"
        )
        raise SpectrumError(msg)
    return found


def _in(column: tuple[Floats, str], wanted: str, name: str) -> Floats:
    values, unit = column
    if not unit:
        msg = f"{name} has no units, and N and kN look alike; set curve[{name!r}].attrs['units'] = {wanted!r}"
        raise SpectrumError(msg)
    return np.asarray(values * units.factor(unit, wanted), dtype=float)


def _force(columns: Columns, area: float) -> Floats:
    if "force" in columns:
        return _in(columns["force"], "N", "force")
    return _in(columns["stress"], "MPa", "stress") * area


def _extension(columns: Columns, name: str, length: float) -> Floats:
    unit = columns[name][1]
    if unit and units.dimensionless(unit):
        return _in(columns[name], "1", name) * length
    return _in(columns[name], "mm", name)


def _require(force: Floats, extension: Floats, area: float) -> None:
    if force.size < _LEAST:
        msg = f"wanted at least {_LEAST} finite rows, got {force.size}; record at a higher rate"
        raise SpectrumError(msg)
    if force.max() <= abs(force.min()) or extension.max() <= abs(min(extension.min(), 0.0)):
        msg = (
            f"force goes from {force.min():.4g} to {force.max():.4g} N and extension from {extension.min():.4g} to "
            f"{extension.max():.4g} mm; a tensile test has positive ones. For a turned sensor change signs"
        )
        raise SpectrumError(msg)
    stress = force.max() / area
    if not _STRESS[0] <= stress <= _STRESS[1]:
        msg = (
            f"the greatest stress is {stress:.3g} MPa, wanted one within {_STRESS} MPa; check whether force is in N or "
            "kN and the cross-section in mm2 or m2"
        )
        raise SpectrumError(msg)


def _gaps(time: Floats | None) -> list[str]:
    if time is None:
        return ["no time was recorded, so rates are not checked"]
    steps = np.diff(time)
    if (steps < 0).any():
        msg = f"time goes back {int((steps < 0).sum())} times; a record of one test goes forward. Sort or split it"
        raise SpectrumError(msg)
    usual = float(np.median(steps))
    wide = steps > _GAP * usual
    if not usual or not wide.any():
        return []
    return [f"time has {int(wide.sum())} gaps of up to {steps.max():.3g} s beside its usual step of {usual:.3g} s"]


def _longest(flags: npt.NDArray[np.bool_]) -> int:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(int), [0]])))
    return int((edges[1::2] - edges[::2]).max(initial=0))
