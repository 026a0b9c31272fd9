"""One range of a multimeter: correction from calibration points, limits of its specification, and leads.

Not here: ranges chosen by the meter itself, which must be read out with each reading.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.calibration.curve import CurveCalibration
from analysis.calibration.curves import fit_line
from analysis.calibration.sensors.given import combined, made, require_inside, taken
from analysis.core import CalibrationError
from analysis.core import units as unit_rules
from analysis.uncertainty import Quantity, Source, distributions
from analysis.uncertainty import sources as source_rules

__all__ = ["MeterRange", "Specification", "meter_range", "specification", "without_leads", "zero_current"]

PPM = 1e-6
TWO, FOUR = 2, 4


@dataclass(frozen=True, kw_only=True)
class Specification:
    """Limits of error of one range: ± (ppm of reading + ppm of range)."""

    reading: float
    """ppm of the reading."""
    range_: float
    """ppm of the range."""
    period: str
    """For how long after adjustment they hold, such as `90 d` or `1 y`."""
    gain: Source
    """The one error of the range that grows with the reading."""
    offset: Source
    """The one error of the range that does not."""

    def half_width(self, value: float, full: float) -> float:
        """Return the limit of error at a reading.

        Parameters
        ----------
        value, full:
            Reading and range, in one unit.

        Returns
        -------
        :
            In that unit.
        """
        return PPM * (self.reading * abs(value) + self.range_ * full)

    def parts(self, value: float, full: float) -> dict[Source, float]:
        """Return what the two errors bring into a reading.

        The two together have the standard uncertainty of one rectangle of the half width; readings of one range share
        them, so that an offset falls out of differences and a gain out of ratios.

        Parameters
        ----------
        value, full:
            Reading and range, in one unit.

        Returns
        -------
        :
            Contribution by source, in that unit.
        """
        gain, offset = PPM * self.reading * value, PPM * self.range_ * full
        size = math.hypot(gain, offset)
        if size == 0.0:
            return {}
        enlarged = self.half_width(value, full) / math.sqrt(3.0) / size
        return {self.gain: enlarged * gain, self.offset: enlarged * offset}


def specification(
    *, reading: float, range_: float, period: str, units: str, meter: str = "meter", source: str = ""
) -> Specification:
    """Return the accuracy specification of one range, as a data sheet gives it.

    Parameters
    ----------
    reading, range_:
        ppm of reading and ppm of range, >= 0, not both 0.
    period:
        Such as `24 h`, `90 d` or `1 y`; it is said in every budget.
    units:
        Units of the range.
    meter, source:
        Which meter, and where the figures stand.

    Returns
    -------
    :
        The specification; make it once for each range of each meter, for its two errors are the same in all readings.

    Raises
    ------
    CalibrationError
        If a figure is negative or both are 0.
    """
    if not (0.0 <= reading < math.inf and 0.0 <= range_ < math.inf and reading + range_ > 0.0):
        msg = f"a specification needs ppm of reading and of range >= 0 and not both 0, got {reading} and {range_}"
        raise CalibrationError(msg)
    made_of = [
        Source(
            id=source_rules.fresh_id(), label=f"{meter}: {what} within {period}", units=units, kind="B",
            distribution=distributions.rectangular(), origin=source or "accuracy specification",
            tags=("accuracy specification",),
        )
        for what in ("gain", "offset")
    ]  # fmt: skip
    return Specification(reading=reading, range_=range_, period=period, gain=made_of[0], offset=made_of[1])


@dataclass(frozen=True, kw_only=True)
class MeterRange:
    """One range of a multimeter."""

    full: float
    """End of the range, in `units`."""
    units: str
    """Units of the readings."""
    curve: CurveCalibration | None
    """Reading against what was applied; None where the meter was not calibrated here."""
    specification: Specification | None
    """Limits of error; None where the calibration is all there is."""

    @property
    def gain(self) -> Quantity | None:
        """Reading over applied value, 1 where right; None without calibration points."""
        return None if self.curve is None else self.curve.parameters[1]

    @property
    def offset(self) -> Quantity | None:
        """Reading at zero, in `units`; None without calibration points."""
        return None if self.curve is None else self.curve.parameters[0]

    def value(self, reading: Quantity) -> Quantity:
        """Return what a reading says was applied.

        Parameters
        ----------
        reading:
            As shown, its u the scatter and the resolution.

        Returns
        -------
        :
            Corrected for offset and gain, with the sources of reading, points and specification.

        Raises
        ------
        CalibrationError
            If the reading lies beyond the range, or outside the calibration points.
        """
        shown = taken(reading, self.units, "reading")
        end = "the range; choose a larger one on the meter"
        require_inside(shown.value, -self.full, self.full, f"reading in {self.units}", where=end)
        value, parts = shown.value, dict(shown.parts())
        if self.curve is not None:
            found = self.curve.inverse(shown)
            value, parts = found.value, dict(found.parts())
        if self.specification is not None:
            for source, part in self.specification.parts(shown.value, self.full).items():
                parts[source] = parts.get(source, 0.0) + part
        return made(value, parts, self.units, step="value", sensor=str(self), inputs={"reading": reading})

    def __str__(self) -> str:
        """Name the range, its correction and its specification."""
        said = [f"range {self.full:g} {self.units}"]
        if self.curve is not None:
            said.append(f"gain {self.gain}, offset {self.offset}")
        if self.specification is not None:
            each = self.specification
            said.append(f"± ({each.reading:g} ppm of reading + {each.range_:g} ppm of range), {each.period}")
        return "; ".join(said)

    __repr__ = __str__


def meter_range(
    full: float, *, units: str, applied: Sequence[Quantity] = (), readings: Sequence[Quantity] = (),
    specification: Specification | None = None,
) -> MeterRange:  # fmt: skip
    """Return one range of a multimeter, from calibration points, from its specification, or from both.

    Parameters
    ----------
    full:
        End of the range, in `units`, > 0.
    units:
        Units of the readings.
    applied, readings:
        Calibration points: what the calibrator gave, perhaps sharing its sources, and what the meter showed; at least
        two, and readings outside them are refused.
    specification:
        Limits of error between calibrations. With points it is what the meter may change by after them, so give the
        figures for stability; without, the figures against the standards of the maker.

    Returns
    -------
    :
        The range.

    Raises
    ------
    CalibrationError
        If a point lies beyond the range, there are neither points nor a specification, or the numbers do not match.
    """
    unit_rules.require_units(units)
    if not 0.0 < full < math.inf or (not len(applied) and specification is None) or len(applied) != len(readings):
        msg = (
            f"a range needs an end > 0, and calibration points or a specification; got {full:g} {units}, "
            f"{len(applied)} applied values and {len(readings)} readings"
        )
        raise CalibrationError(msg)
    curve = None
    if len(applied):
        x = [taken(each, units, "applied value") for each in applied]
        y = [taken(each, units, "reading") for each in readings]
        most = max(float(np.abs([each.value for each in side]).max()) for side in (x, y))
        if most > full:
            msg = f"a calibration point of {most:g} {units} lies beyond the range of {full:g} {units}; choose its range"
            raise CalibrationError(msg)
        curve = fit_line(x, y)
    return MeterRange(full=full, units=units, curve=curve, specification=specification)


def without_leads(reading: Quantity, *, wires: int, leads: Quantity | None = None) -> Quantity:
    """Return a resistance without its leads.

    Parameters
    ----------
    reading:
        As measured.
    wires:
        2, where both leads are measured along, or 4, where none is.
    leads:
        Resistance of both leads together; for two wires only, and needed there.

    Returns
    -------
    :
        In ohm, with the sources of both.

    Raises
    ------
    CalibrationError
        If leads are missing for two wires or given for four, or exceed the reading.
    """
    measured = taken(reading, "ohm", "reading")
    if wires not in (TWO, FOUR) or (wires == TWO) != (leads is not None):
        msg = (
            f"two wires need the resistance of both leads and four have none; got {wires} wires and "
            f"{'no leads' if leads is None else f'leads of {leads}'}"
        )
        raise CalibrationError(msg)
    if leads is None:
        return measured
    both = taken(leads, "ohm", "leads")
    if not 0.0 <= both.value <= measured.value:
        msg = f"leads of {both} cannot be part of {measured}; give the resistance of both leads together"
        raise CalibrationError(msg)
    parts = combined((1.0, measured), (-1.0, both))
    return made(
        measured.value - both.value, parts, "ohm", step="without_leads", sensor="two wires",
        inputs={"reading": reading, "leads": leads},
    )  # fmt: skip


def zero_current(readings: Sequence[Quantity], currents: Sequence[Quantity]) -> Quantity:
    """Return the resistance without self-heating, from readings at two currents.

    The heating goes with the square of the current, R(I) = R0 + s I², and the line through both is taken to I = 0.

    Parameters
    ----------
    readings:
        Two resistances at one temperature of the bath.
    currents:
        Their currents, different in size; the usual pair is I and √2 I.

    Returns
    -------
    :
        R0 in ohm, with the sources of readings and currents.

    Raises
    ------
    CalibrationError
        If there are not two of each, or the currents are equal.

    References
    ----------
    Guide to the Realization of the ITS-90: Platinum Resistance Thermometry (BIPM, 2018), 5.
    """
    if len(readings) != TWO or len(currents) != TWO:
        msg = f"self-heating is taken from two readings at two currents, got {len(readings)} and {len(currents)}"
        raise CalibrationError(msg)
    (r1, r2), (i1, i2) = (
        [taken(each, units, what) for each in row]
        for row, units, what in ((readings, "ohm", "reading"), (currents, "mA", "current"))
    )
    p1, p2 = i1.value**2, i2.value**2
    if p1 == p2 or min(r1.value, r2.value) <= 0.0:
        msg = (
            f"the currents must differ and the resistances lie above 0; got {i1.value:g} and {i2.value:g} mA, "
            f"{r1.value:g} and {r2.value:g} ohm"
        )
        raise CalibrationError(msg)
    heating = (r2.value - r1.value) / (p2 - p1)
    parts = combined(
        (p2 / (p2 - p1), r1),
        (-p1 / (p2 - p1), r2),
        (-2.0 * i1.value * heating * p2 / (p2 - p1), i1),
        (2.0 * i2.value * heating * p1 / (p2 - p1), i2),
    )
    return made(
        r1.value - heating * p1, parts, "ohm", step="zero_current", sensor="self-heating",
        inputs={"r1": readings[0], "r2": readings[1], "i1": currents[0], "i2": currents[1]},
    )  # fmt: skip
