"""Does a calibration still hold? Dates, and check bands that were not used in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import xarray as xr

from analysis.calibration import validity
from analysis.calibration.applying import give_axis, positions
from analysis.calibration.axis import AxisCalibration
from analysis.calibration.bands import measure, on_axis
from analysis.calibration.lines import LINE, require_lines
from analysis.calibration.locate import require_one
from analysis.core import CHANNEL, CalibrationError, Displayed, history, require_axis, units
from analysis.uncertainty import Quantity, sources

K = 2.0


class Verdict(StrEnum):
    """What a check of a calibration found."""

    VALID = "valid"
    """The check bands agree, and the dates do not speak against it."""
    STALE = "stale"
    """The spectrum was recorded outside the validity of the calibration."""
    DRIFTED = "drifted"
    """A check band disagrees: |E_n| > 1."""
    UNDECIDED = "undecided"
    """No check band could be measured well enough to tell."""


@dataclass(frozen=True, kw_only=True)
class BandCheck:
    """One check band."""

    name: str
    """Its name in the table."""
    reference: Quantity
    """Published value."""
    measured: Quantity | None
    """Value on the calibrated axis with all its sources; None where the band was not found."""

    @property
    def deviation(self) -> float:
        """Measured less reference, in the units of the axis; NaN where not found."""
        return np.nan if self.measured is None else self.measured.value - self.reference.value

    @property
    def en(self) -> float:
        """Normalised error E_n with k = 2 (ISO 13528:2022, 9.7); NaN where not found."""
        return np.nan if self.measured is None else normalized_error(self.measured, self.reference)


@dataclass(frozen=True, kw_only=True)
class ValidityVerdict(Displayed):
    """The verdict on a calibration for one spectrum."""

    verdict: Verdict
    """What was found; dates come first, then the bands."""
    by_date: validity.ByDate
    """How the dates stand."""
    by_bands: Verdict
    """What the bands say, whatever the dates."""
    bands: tuple[BandCheck, ...]
    """The check bands."""
    message: str
    """The verdict in plain sentences."""
    history: str = ""
    """How it was found (`analysis.core.history`)."""

    def __bool__(self) -> bool:
        """Say whether the calibration may be used."""
        return self.verdict is Verdict.VALID

    def __str__(self) -> str:
        """Return the message."""
        return self.message

    def _rows(self) -> list[dict[str, str]]:
        return self.table()

    def table(self) -> list[dict[str, str]]:
        """List the bands for a table.

        Returns
        -------
        :
            One row a band: `band`, `reference`, `measured`, `deviation`, `E_n`, as text.
        """
        return [
            {
                "band": each.name,
                "reference": str(each.reference),
                "measured": "not found" if each.measured is None else str(each.measured),
                "deviation": "" if each.measured is None else f"{each.deviation:+.2f} {each.reference.units}",
                "E_n": "" if each.measured is None else f"{each.en:+.2f}",
            }
            for each in self.bands
        ]


def normalized_error(measured: Quantity, reference: Quantity) -> float:
    """Return E_n, the difference over its expanded uncertainty with k = 2.

    Parameters
    ----------
    measured, reference:
        In units that convert; sources they share are accounted for.

    Returns
    -------
    :
        E_n, dimensionless; results agree where it lies in [-1, 1] (ISO 13528:2022, 9.7).

    Raises
    ------
    UnitsError
        If the units do not convert.
    CalibrationError
        If both have no uncertainty.
    """
    difference = measured - reference
    if difference.u == 0:
        msg = f"E_n needs an uncertainty; {measured} and {reference} have none. Give the reference its u"
        raise CalibrationError(msg)
    return float(difference.value / (K * difference.u))


def compare(
    spectrum: xr.Dataset | xr.DataArray,
    lines: xr.Dataset,
    *,
    axis: str = "raman_shift",
    search: float = 10.0,
    half: float = 16.0,
) -> tuple[BandCheck, ...]:
    """Compare the bands of a spectrum with published ones, on an axis that it has.

    Parameters
    ----------
    spectrum:
        One spectrum; a calibrated axis brings its sources, a nominal one has none.
    lines:
        Published bands, as `lines` returns.
    axis:
        The axis to compare on, in the units of `lines`.
    search:
        How far from its published value to look for a band, in units of the axis.
    half:
        Half the widest window of its fit, in units of the axis.

    Returns
    -------
    :
        One `BandCheck` for each published band between the ends of the axis.

    Raises
    ------
    CalibrationError
        If the units of lines and axis differ, there is more than one spectrum, or this is no table of lines.
    SpectrumError
        If this is not a spectrum, or has no such axis.
    """
    require_lines(lines)
    dataset = require_one(spectrum)
    along = require_axis(dataset, axis)
    unit = str(along.attrs.get("units", "1"))
    _require_units(unit, lines)
    values = along.values.astype(float)
    parts = sources.detach(dataset, axis)
    inside = (lines["value"].values >= values.min()) & (lines["value"].values <= values.max())
    table = lines.isel({LINE: np.flatnonzero(inside)})
    found = measure(dataset, values, table["value"].values, search=search, half=half)
    return tuple(
        BandCheck(
            name=str(table[LINE].values[index]),
            reference=_reference(table, index),
            measured=None if channel is None else on_axis(channel, values, parts, unit),
        )
        for index, channel in enumerate(found)
    )


def check(
    axis: AxisCalibration,
    spectrum: xr.Dataset | xr.DataArray,
    lines: xr.Dataset,
    *,
    search: float = 10.0,
    half: float = 16.0,
    max_expanded: float | None = None,
) -> ValidityVerdict:
    """Check a calibration on bands that were not used in it.

    Only channels between the fitted lines are used.

    Parameters
    ----------
    axis:
        The calibration.
    spectrum:
        One spectrum of a check sample.
    lines:
        Its published bands, as `lines` returns, in units of the axis.
    search, half:
        As in `compare`.
    max_expanded:
        Largest U (k = 2) of a measured band that can prove anything, in units of the axis; None takes that of its
        reference value.

    Returns
    -------
    :
        `valid`, `stale`, `drifted` or `undecided`, with the bands and plain sentences.

    Raises
    ------
    CalibrationError
        If a check line was used in the calibration, the units of lines and axis differ, the instrument is another,
        there is more than one spectrum, or this is no table of lines.
    SpectrumError
        If this is not a spectrum.
    """
    require_lines(lines)
    dataset = require_one(spectrum)
    _require_independent(axis, lines)
    at = positions(axis, dataset).values.astype(float)
    inside = np.flatnonzero((at >= axis.low) & (at <= axis.high))
    bands: tuple[BandCheck, ...] = ()
    if inside.size:
        calibrated = give_axis(axis, dataset.isel({CHANNEL: inside}))
        bands = compare(calibrated, lines, axis=axis.axis, search=search, half=half)
    by_bands = _by_bands(bands, max_expanded)
    acquired = str(dataset.attrs.get("acquired", ""))
    by_date = validity.by_date(axis.valid_from, axis.valid_until, acquired)
    verdict = Verdict.STALE if by_date == "outside" else by_bands
    dates = validity.describe(axis.valid_from, axis.valid_until, axis.acquired, acquired)
    settings = {"search": search, "half": half, "max_expanded": max_expanded}
    return ValidityVerdict(
        verdict=verdict,
        by_date=by_date,
        by_bands=by_bands,
        bands=bands,
        message=f"{verdict}: {dates}; {_say(bands, by_bands)}",
        history=history.extend(
            "calibration.check", settings=settings, inputs={"axis": axis, "spectrum": dataset, "lines": lines}
        ),
    )


def _require_units(unit: str, lines: xr.Dataset) -> None:
    have = str(lines["value"].attrs["units"])
    if not units.same_dimension(have, unit) or units.factor(have, unit) != 1:
        msg = f"check lines in {have!r} do not fit an axis in {unit!r}; use to_raman_shift, or lines(units=)"
        raise CalibrationError(msg)


def _require_independent(axis: AxisCalibration, lines: xr.Dataset) -> None:
    _require_units(axis.units, lines)
    used = set(axis.contributions) | set(() if axis.laser is None else axis.laser.parts())
    shared = [source.label for source in sources.detach(lines, "value") if source in used]
    if shared:
        msg = f"{', '.join(shared)} was used in the calibration and cannot check it; take a sample that was not"
        raise CalibrationError(msg)


def _reference(table: xr.Dataset, index: int) -> Quantity:
    one = table.isel({LINE: [index]})
    components = {source: float(part[0]) for source, part in sources.detach(one, "value").items()}
    unit, name = str(table["value"].attrs["units"]), str(one[LINE].values[0])
    return Quantity.from_components(float(one["value"].values[0]), components, units=unit, label=name)


def _by_bands(bands: Sequence[BandCheck], max_expanded: float | None) -> Verdict:
    measured = [each for each in bands if each.measured is not None]
    if any(abs(each.en) > 1 for each in measured):
        return Verdict.DRIFTED
    enough = [
        each
        for each in measured
        if each.measured is not None
        and K * each.measured.u <= (K * each.reference.u if max_expanded is None else max_expanded)
    ]
    return Verdict.VALID if enough else Verdict.UNDECIDED


def _say(bands: Sequence[BandCheck], by_bands: Verdict) -> str:
    measured = [each for each in bands if each.measured is not None]
    if not measured:
        return "none of its check bands could be measured"
    worst = max(measured, key=lambda each: abs(each.en))
    said = f"{worst.name} deviates by {worst.deviation:+.2f} {worst.reference.units} (E_n = {worst.en:+.2f})"
    agreeing = sum(abs(each.en) <= 1 for each in measured)
    words = {
        Verdict.VALID: f"all {len(measured)} check bands agree, the worst, {said}",
        Verdict.DRIFTED: f"{len(measured) - agreeing} of {len(measured)} check bands disagree, the worst, {said}",
        Verdict.UNDECIDED: f"the check bands are measured with too large an uncertainty to tell; the worst, {said}",
    }
    return words.get(by_bands, said)
