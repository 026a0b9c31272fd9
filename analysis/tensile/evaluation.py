"""Evaluation of a tensile test after ISO 6892-1: from a raw curve to budgets.

Not here: points of the curve (`analysis.tensile.points`), its straight part (`analysis.tensile.line`). The symbols are
those of ISO 6892-1:2019. Its text was not seen; ranges of rates and rules for yield points are general knowledge.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import xarray as xr

from analysis.core import CHANNEL, SpectrumError
from analysis.tensile import points
from analysis.tensile.line import Line, fit_line
from analysis.tensile.record import Record, record_of
from analysis.tensile.result import Tensile
from analysis.tensile.specimen import Specimen
from analysis.tensile.stamp import specimen_of, stamped
from analysis.uncertainty import Budget, Quantity, propagate

STANDARDS = ("ISO 6892-1",)
RATES = {"range 1": 0.00007, "range 2": 0.00025, "range 3": 0.002, "range 4": 0.0067}
_TOLERANCE = 0.2
_STEPS = 4
_MODULUS_OVER_STRENGTH, _STIFFEST = 8.0, 1500.0
_NOT_E = (
    "extension is travel of the crosshead: the slope holds the machine, grips and fillets as well and is not Young's "
    "modulus. Use an extensometer, or give the compliance of the machine"
)


@dataclass(frozen=True, kw_only=True)
class _Stated:
    values: dict[str, Budget]
    reasons: dict[str, str]
    points: dict[str, points.Point]


def evaluate(
    curve: xr.Dataset,
    *,
    specimen: Specimen,
    standard: str = "ISO 6892-1",
    window: tuple[float, float] = (0.1, 0.4),
    offset: float = 0.002,
) -> Tensile:
    """Evaluate a tensile test: modulus, yield, strength and extensions, each with its budget.

    Parameters
    ----------
    curve:
        Variables or coordinates along one dim, with units: `force` (or `stress`), `extension` (or `strain`) of the
        gauge length, else `crosshead` (or `position`), and `time`; or a table as `io.read` gives it for testXpert.
        A test by crosshead takes its travel from the first row on.
    specimen:
        Cross-section, gauge length, classes of the machine.
    standard:
        `"ISO 6892-1"`.
    window:
        Straight part, as fractions of the offset yield (or of the upper yield, if that is smaller).
    offset:
        Plastic extension of the offset yield, as a part of the gauge length.

    Returns
    -------
    :
        Budgets that share their sources. What the curve does not give has a reason in place of a number: no modulus
        from crosshead travel without compliance, no strength from a clipped record, no elongation without fracture.

    Raises
    ------
    SpectrumError
        If the curve is not that of a tensile test, or standard, window or offset makes no sense.
    UnitsError
        If units do not fit.
    """
    if standard not in STANDARDS:
        msg = f"standard must be one of {STANDARDS}, got {standard!r}"
        raise SpectrumError(msg)
    if not (0 <= window[0] < window[1] <= 1 and 0 < offset < 0.1):  # noqa: PLR2004 - 10 %
        msg = (
            f"wanted a window inside [0, 1] with its lower end first and an offset in (0, 0.1), got {window}, {offset}"
        )
        raise SpectrumError(msg)
    settings = {"standard": standard, "window": list(window), "offset": offset}
    found = _evaluated(record_of(curve, specimen), specimen, window, offset)
    values, line = stamped(found.values, found.line, curve=curve, specimen=specimen, settings=settings)
    return replace(found, values=values, line=line)


def evaluate_again(settings: Mapping[str, Any], inputs: Mapping[str, Any]) -> Budget:
    """Redo one property from its history.

    Parameters
    ----------
    settings, inputs:
        As its history holds them.

    Returns
    -------
    :
        The budget.
    """
    found = evaluate(
        inputs["curve"],
        specimen=specimen_of(settings, inputs),
        standard=settings["standard"],
        window=(settings["window"][0], settings["window"][1]),
        offset=settings["offset"],
    )
    return found[settings["symbol"]]


def _evaluated(record: Record, specimen: Specimen, window: tuple[float, float], offset: float) -> Tensile:
    specimen = replace(specimen, area=specimen.area.to("mm2"), gauge_length=specimen.gauge_length.to("mm"))
    top = points.greatest(record.force, record.extension)
    stated = _Stated(values={}, reasons={}, points={"Rm": top})
    _strength(record, specimen, top, stated)
    try:
        line, at, why = _straight(record, specimen, window, offset)
    except SpectrumError as error:
        stated.reasons.update(dict.fromkeys(("E", f"Rp{100 * offset:g}", "Ag", "Agt", "A"), str(error)))
        return _result(record, specimen, None, stated)
    _modulus(record, specimen, line, stated)
    if at is None:
        stated.reasons[f"Rp{100 * offset:g}"] = why
    else:
        stated.points[f"Rp{100 * offset:g}"] = at
        stated.values[f"Rp{100 * offset:g}"] = _stress(at, specimen, f"Rp{100 * offset:g}")
        _yields(record, specimen, line, at.row, stated)
    _extensions(record, specimen, line, stated)
    return _result(record, specimen, line, stated)


def _stress(point: points.Point, specimen: Specimen, name: str) -> Budget:
    inputs = {"F": point.force, "gain": specimen.force_gain(), "S": specimen.area}
    return propagate("F*gain/S", inputs, name=name, units="MPa")


def _strength(record: Record, specimen: Specimen, top: points.Point, stated: _Stated) -> None:
    values, reasons = stated.values, stated.reasons
    if record.clipped:
        reasons["Rm"] = f"the force stays at {record.force.max():.6g} N for several rows: the record is clipped"
    elif top.row >= record.force.size - 2:
        reasons["Rm"] = "the greatest force is that of the last row: the record ends before the force falls"
    else:
        values["Rm"] = _stress(top, specimen, "Rm")


def _straight(
    record: Record, specimen: Specimen, window: tuple[float, float], offset: float
) -> tuple[Line, points.Point | None, str]:
    """Return the straight part, its window following the yield, and the offset yield or why there is none."""
    reference, at, why = float(record.force.max()), None, ""
    for _ in range(_STEPS):
        line = fit_line(record.force, record.extension, window[0] * reference, window[1] * reference)
        gain = specimen.extension_gain(offset * specimen.gauge_length.value)
        try:
            at = points.offset_point(
                record.force, record.extension, line, offset, length=specimen.gauge_length, gain=gain
            )
        except SpectrumError as error:
            return line, None, str(error)
        before, reference = reference, at.force.value
        if abs(before - reference) < 1e-3 * reference:
            break
    _require_plausible(record, specimen, line)
    return line, at, why


def _require_plausible(record: Record, specimen: Specimen, line: Line) -> None:
    modulus = line.slope.value * specimen.gauge_length.value / specimen.area.value * 1e-3
    ratio = modulus * 1e3 / (record.force.max() / specimen.area.value)
    if modulus > _STIFFEST or (ratio < _MODULUS_OVER_STRENGTH and not record.by_crosshead):
        msg = (
            f"the slope is {modulus:.3g} GPa, {ratio:.3g} times the strength; wanted at most {_STIFFEST:g} GPa and at "
            f"least {_MODULUS_OVER_STRENGTH:g} times. Check units: % or mm/mm of strain, N or kN, gauge length"
        )
        raise SpectrumError(msg)


def _modulus(record: Record, specimen: Specimen, line: Line, stated: _Stated) -> None:
    values, reasons = stated.values, stated.reasons
    width = float(np.ptp(record.extension[slice(*line.rows)]))
    inputs = {"m": line.slope, "L": specimen.gauge_length, "S": specimen.area, "force": specimen.force_gain(),
              "extension": specimen.extension_gain(width)}  # fmt: skip
    if not record.by_crosshead:
        values["E"] = propagate("m*L/S*force/extension", inputs, name="E", units="GPa")
        return
    values["slope"] = propagate("m*L/S*force/extension", inputs, name="slope", units="GPa")
    if specimen.compliance is None:
        reasons["E"] = f"{_NOT_E}. The slope is {values['slope'].value:.1f} GPa"
        return
    stiff = inputs | {"C": specimen.compliance.to("mm/N")}
    if stiff["C"].value * line.slope.value >= 1:
        reasons["E"] = "the compliance given is larger than that of machine and specimen together; check its units"
        return
    values["E"] = propagate("force*L/S/(extension/m - C*force)", stiff, name="E", units="GPa")


def _yields(record: Record, specimen: Specimen, line: Line, before: int, stated: _Stated) -> None:
    pair = points.yield_points(record.force, record.extension, line, before, length=specimen.gauge_length.value)
    if pair is None:
        stated.reasons.update(dict.fromkeys(("ReH", "ReL"), "the curve yields without a fall of the force"))
        return
    for key, each in zip(("ReH", "ReL"), pair, strict=True):
        stated.values[key], stated.points[key] = _stress(each, specimen, key), each


def _extensions(record: Record, specimen: Specimen, line: Line, stated: _Stated) -> None:
    values, reasons, top = stated.values, stated.reasons, stated.points["Rm"]
    nothing = Quantity(value=0.0, u=0.0, units="mm/N")
    compliance = nothing if specimen.compliance is None else specimen.compliance.to("mm/N")
    middle = Quantity(value=line.middle, u=0.0, units="mm")
    common = {"m": line.slope, "c": line.centre, "x": middle, "L": specimen.gauge_length, "C": compliance}
    plastic, total = "gain*(d - (x - c/m) - F/m)/L", "gain*(d - (x - c/m) - C*F)/L"
    blind = record.by_crosshead and specimen.compliance is None

    def state(name: str, formula: str, point: points.Point) -> None:
        inputs = common | {"d": point.extension, "F": point.force}
        inputs["gain"] = specimen.extension_gain(abs(point.extension.value))
        used = {key: each for key, each in inputs.items() if key != "C" or formula == total}
        values[name] = propagate(formula, used, name=name, units="%")

    if "Rm" in values:
        state("Ag", plastic, top)
        if blind:
            reasons["Agt"] = "total extension from crosshead travel holds the machine; give its compliance"
        else:
            state("Agt", total, top)
    else:
        reasons |= dict.fromkeys(("Ag", "Agt"), reasons["Rm"])
    ended = None if "Rm" in reasons else points.fracture(record.force, record.extension, top.row)
    if ended is None:
        reasons["A"] = "no fracture was recorded" if "Rm" in values else reasons["Rm"]
        return
    state("A", plastic, ended[0])
    stated.points["A"] = ended[0]


def _result(record: Record, specimen: Specimen, line: Line | None, stated: _Stated) -> Tensile:
    found = stated.points
    area, length = specimen.area.value, specimen.gauge_length.value
    toe = 0.0 if line is None else line.middle - line.centre.value / line.slope.value
    strain = 100 * (record.extension - toe) / length
    named = {"stress": (record.force / area, "MPa"), "strain": (strain, "%")}
    curve = xr.Dataset({key: (CHANNEL, each, {"units": unit}) for key, (each, unit) in named.items()})
    notes = list(record.notes)
    if line is not None:
        low, high = (each / area for each in line.window)
        notes.append(
            f"the line was fitted to {line.rows[1] - line.rows[0]} rows from {low:.4g} to {high:.4g} MPa; its upper "
            f"half is {100 * line.bend:+.2g} % steeper than the lower; toe of {1e3 * toe:.3g} um"
        )
    if record.by_crosshead:
        notes.append("extension is travel of the crosshead; plastic extensions are those of the parallel length")
    for given, what in ((specimen.force_class, "force"), (specimen.extension_class, "extension")):
        if given is None:
            notes.append(f"the class of the {what} measurement is not given, so its calibration is not in the budgets")
    if not math.isclose(specimen.area.u, 0.0):
        notes.append("all stresses share the source of the cross-section")
    across = {key: 100 * (each.extension.value - toe) / length for key, each in found.items()}
    return Tensile(
        values=stated.values,
        reasons=stated.reasons,
        notes=tuple(notes),
        checks=_rates(record, length, line, found),
        line=line,
        curve=curve,
        points={key: (across[key], each.force.value / area) for key, each in found.items()},
        standard=STANDARDS[0],
        name=specimen.name,
    )


def _rates(record: Record, length: float, line: Line | None, found: dict[str, points.Point]) -> dict[str, str]:
    """Return the strain rates of the straight part, of yield and of the greatest force, with their ranges."""
    if record.time is None:
        return {}
    places = {} if line is None else {"straight part": slice(*line.rows)}
    for key, each in found.items():
        if key.startswith("Rp") or key == "Rm":
            places[key] = slice(max(0, each.row - 50), each.row + 1)
    said = {}
    for key, part in places.items():
        time, strain = record.time[part], record.extension[part] / length
        spread = time - time.mean()
        if time.size < 3 or not float(spread @ spread) > 0:  # noqa: PLR2004
            continue
        rate = float(spread @ strain) / float(spread @ spread)
        inside = [name for name, each in RATES.items() if abs(rate / each - 1) <= _TOLERANCE]
        words = inside[0] if inside else "none of the ranges"
        said[f"strain rate, {key}"] = f"{rate:.3g} s-1, {words} of method A (ranges of general knowledge, ± 20 %)"
    return said
