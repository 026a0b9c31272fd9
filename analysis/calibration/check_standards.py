"""Checks of an instrument by a check standard: E_n of each, Shewhart and EWMA control charts with run rules.

Not here: the drift that the checks show (`analysis.calibration.drifting`), check bands of one spectrum
(`analysis.calibration.checking`).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
import numpy.typing as npt
import xarray as xr

from analysis.calibration.check_rules import Signal, signals_of
from analysis.calibration.checking import normalized_error
from analysis.calibration.curve_families import with_units
from analysis.calibration.validity import parse_date
from analysis.core import CalibrationError, history
from analysis.quality.constants import d2
from analysis.quality.moving import moving_average, moving_spread
from analysis.uncertainty import Quantity

__all__ = ["CheckChart", "Checks", "check_chart", "checks_of"]

Array = npt.NDArray[np.float64]
FEWEST, USUAL = 5, 20


@dataclass(frozen=True, kw_only=True)
class Checks:
    """Readings of a check standard against its reference, in order of time."""

    dates: tuple[str, ...]
    """ISO 8601."""
    days: Array
    """Days since the first check."""
    errors: tuple[Quantity, ...]
    """Reading less reference, in the units of the first reading, with the sources of both."""
    en: Array
    """E_n of each with k = 2."""

    @property
    def units(self) -> str:
        """Units of the errors."""
        return self.errors[0].units

    @property
    def values(self) -> Array:
        """The errors without their uncertainty."""
        return np.array([each.value for each in self.errors])


def checks_of(dates: Sequence[str], readings: Sequence[Quantity], reference: Quantity | Sequence[Quantity]) -> Checks:
    """Bring checks into order.

    Parameters
    ----------
    dates:
        When each reading was taken (ISO 8601), in rising order.
    readings:
        Of the instrument, each with its own sources and those it shares.
    reference:
        Value of the check standard, one for all or one for each reading.

    Returns
    -------
    :
        Errors and E_n.

    Raises
    ------
    CalibrationError
        If the numbers do not match, or a date does not parse or goes back.
    """
    each = [reference] * len(readings) if isinstance(reference, Quantity) else list(reference)
    if not len(dates) == len(readings) == len(each) or not dates:
        msg = f"each check needs a date, a reading and a reference; got {len(dates)}, {len(readings)} and {len(each)}"
        raise CalibrationError(msg)
    times = [parse_date(date, "the date of a check") for date in dates]
    days = np.array([(time - times[0]).total_seconds() / 86400.0 for time in times])
    back = np.flatnonzero(np.diff(days) < 0.0)
    if back.size:
        msg = f"checks stand in order of time, and {dates[back[0] + 1]} comes after {dates[back[0]]}; sort them"
        raise CalibrationError(msg)
    errors = [reading - known for reading, known in zip(readings, each, strict=True)]
    units = errors[0].units
    en = [normalized_error(reading, known) for reading, known in zip(readings, each, strict=True)]
    alike = tuple(error if error.units == units else error.to(units) for error in errors)
    return Checks(dates=tuple(dates), days=days, errors=alike, en=np.array(en))


@dataclass(frozen=True, kw_only=True)
class CheckChart:
    """A control chart of a check standard."""

    checks: Checks
    """What was measured."""
    centre: float
    """Line of the centre, in the units of the errors."""
    sd: float
    """Standard deviation of one check from which the limits are made, in these units."""
    limits: tuple[float, float]
    """Shewhart limits for one check, in these units."""
    ewma: Array
    """Exponentially weighted moving average after each check, in these units."""
    ewma_limits: Array
    """Its lower and upper limit at each check, dims `(2, check)`."""
    weight: float
    """Weight of the newest check in the average, lambda."""
    signals: tuple[Signal, ...]
    """Which rule spoke at which check, in order of time."""
    notes: tuple[str, ...]
    """Plain sentences on what to mind."""
    history: str = ""
    """How it was made (`analysis.core.history`)."""

    @property
    def in_control(self) -> bool:
        """True where no rule spoke and every E_n lies in [-1, 1]."""
        return not self.signals and bool((np.abs(self.checks.en) <= 1.0).all())

    def __bool__(self) -> bool:
        """Say whether the instrument is in control."""
        return self.in_control

    def __str__(self) -> str:
        """Write limits and verdict in sentences."""
        units, low, high = self.checks.units, *self.limits
        said = {
            signal.rule: [each.date for each in self.signals if each.rule == signal.rule] for signal in self.signals
        }
        off = [date for date, en in zip(self.checks.dates, self.checks.en, strict=True) if abs(en) > 1.0]
        if off:
            said["reading and reference disagree, |E_n| > 1"] = off
        lines = [
            f"{len(self.checks.dates)} checks from {self.checks.dates[0]} to {self.checks.dates[-1]}: "
            f"{'in control' if self.in_control else 'out of control'}",
            f"  centre {with_units(self.centre, units, digits=4)}, limits {low:.4g} to "
            f"{with_units(high, units, digits=4)}, largest |E_n| {np.abs(self.checks.en).max():.2f}",
        ]
        lines += [
            f"  {rule}: on {dates[0]}" if len(dates) == 1 else f"  {rule}: {len(dates)} times, first on {dates[0]}"
            for rule, dates in said.items()
        ]
        return "\n".join([*lines, *(f"  note: {note}" for note in self.notes)])

    __repr__ = __str__

    def table(self) -> xr.Dataset:
        """Return the chart as numbers.

        Returns
        -------
        :
            `error, u, en, ewma, ewma_low, ewma_high` along `check`, with the coordinate `date`.
        """
        columns = {
            "error": self.checks.values, "u": np.array([each.u for each in self.checks.errors]), "en": self.checks.en,
            "ewma": self.ewma, "ewma_low": self.ewma_limits[0], "ewma_high": self.ewma_limits[1],
        }  # fmt: skip
        units = {name: "1" if name == "en" else self.checks.units for name in columns}
        table = xr.Dataset({name: ("check", each, {"units": units[name]}) for name, each in columns.items()})
        return table.assign_coords(date=("check", list(self.checks.dates)))

    def _repr_html_(self) -> str:
        """Show the verdict and the table in a notebook."""
        said = {signal.at: "" for signal in self.signals}
        for signal in self.signals:
            said[signal.at] += f"{signal.rule}; "
        rows = "".join(
            f"<tr><td>{escape(date)}</td><td>{escape(str(error))}</td><td>{en:+.2f}</td><td>{average:.4g}</td>"
            f"<td>{escape(said.get(k, '').rstrip('; '))}</td></tr>"
            for k, (date, error, en, average) in enumerate(
                zip(self.checks.dates, self.checks.errors, self.checks.en, self.ewma, strict=True)
            )
        )
        head = "<tr><th>date</th><th>error</th><th>E_n</th><th>EWMA</th><th>signal</th></tr>"
        return f"<pre>{escape(str(self))}</pre><table>{head}{rows}</table>"


def check_chart(
    dates: Sequence[str], readings: Sequence[Quantity], reference: Quantity | Sequence[Quantity], *,
    centre: float | None = None, sd: float | None = None, baseline: int | None = None, weight: float = 0.2,
    width: float = 3.0, steady: bool = False,
) -> CheckChart:  # fmt: skip
    """Chart the readings of a check standard and say whether the instrument is in control.

    Parameters
    ----------
    dates, readings, reference:
        The checks: when (ISO 8601, rising), what the instrument showed, and what was right.
    centre, sd:
        Centre and standard deviation from earlier checks, in the units of the readings; None takes them from the
        `baseline`: its mean, and its mean moving range over 1.128.
    baseline:
        How many of the first checks the limits are made from; None is all.
    weight:
        Of the newest check in the moving average, lambda in (0, 1].
    width:
        Half width of the limits in standard deviations.
    steady:
        Take the limits of the moving average that it comes to after many checks, instead of those at each check.

    Returns
    -------
    :
        The chart, with E_n of each check and the rules that spoke.

    Raises
    ------
    CalibrationError
        If there are too few checks for limits, their scatter is 0, or a setting is out of range.

    References
    ----------
    NIST/SEMATECH e-Handbook of Statistical Methods, 6.3.2; ASTM E2587; Western Electric, Statistical Quality Control
    Handbook (1956).
    """
    checks = checks_of(dates, readings, reference)
    values = checks.values
    first = values.size if baseline is None else baseline
    if not (0.0 < weight <= 1.0 and 0.0 < width < math.inf and 0 < first <= values.size):
        msg = (
            f"weight must lie in (0, 1], width be > 0 and baseline in [1, {values.size}]; got {weight}, {width} and "
            f"{first}"
        )
        raise CalibrationError(msg)
    if first < FEWEST and (centre is None or sd is None):
        msg = f"limits need at least {FEWEST} checks, got {first}; measure more, or give centre and sd of earlier ones"
        raise CalibrationError(msg)
    middle = float(values[:first].mean()) if centre is None else centre
    spread = float(np.abs(np.diff(values[:first])).mean()) / d2(2) if sd is None else sd
    if not (0.0 < spread < math.inf and math.isfinite(middle)):
        msg = f"the checks need a scatter > 0 and a finite centre, got {spread:g} and {middle:g}; give sd"
        raise CalibrationError(msg)
    averages = moving_average(values, middle, weight)
    half = width * spread * moving_spread(values.size, weight, steady=steady)
    settings = {
        "dates": list(dates), "centre": centre, "sd": sd, "baseline": baseline, "weight": weight, "width": width,
        "steady": steady,
    }  # fmt: skip
    inputs = {f"check {k + 1}": each for k, each in enumerate(checks.errors)}
    few = f"the limits come from {first} checks; below {USUAL} they are themselves uncertain"
    return CheckChart(
        checks=checks, centre=middle, sd=spread, limits=(middle - width * spread, middle + width * spread),
        ewma=averages, ewma_limits=np.stack([middle - half, middle + half]), weight=weight,
        signals=signals_of(checks.dates, (values - middle) / spread, (averages - middle) / half, width=width),
        notes=(few,) if sd is None and first < USUAL else (),
        history=history.extend("calibration.check_chart", settings=settings, inputs=inputs),
    )  # fmt: skip
