"""When to calibrate again: from the drift, and by the staircase.

Not here: the drift (`analysis.calibration.drifting`), dates of validity (`analysis.calibration.validity`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from analysis.calibration.check_standards import CheckChart
from analysis.calibration.drifting import Drift
from analysis.calibration.validity import parse_date
from analysis.core import CalibrationError, Displayed
from analysis.uncertainty import Quantity

__all__ = ["CalibrationInterval", "interval_from_drift", "interval_staircase"]

STEP = 1.0


@dataclass(frozen=True, kw_only=True)
class CalibrationInterval(Displayed):
    """How long a calibration is good for."""

    days: float
    """From the start, in days; 0 where it is due now."""
    due: str
    """Last day (ISO 8601)."""
    method: str
    """Which method."""
    message: str
    """Why, in plain sentences."""

    def __str__(self) -> str:
        """Write the date and the reason."""
        return f"calibrate by {self.due} ({self.days:g} days, {self.method}): {self.message}"

    __repr__ = __str__


def interval_from_drift(
    found: Drift, limit: Quantity, *, start: str, longest: float, level: float = 0.95, chart: CheckChart | None = None
) -> CalibrationInterval:
    """Return the day on which |error| + U may first reach a limit.

    Parameters
    ----------
    found:
        The drift that checks show.
    limit:
        Largest error that the use allows, > 0.
    start:
        First day (ISO 8601), usually that of the last check.
    longest:
        Days that an interval lasts at most, whatever the checks say, > 0.
    level:
        Coverage probability of U.
    chart:
        The control chart of the checks; if a rule spoke, the calibration is due now.

    Returns
    -------
    :
        The interval; the last day on which |error| + U is still below the limit.

    Raises
    ------
    CalibrationError
        If the limit or `longest` is not above 0, or `start` does not parse.

    References
    ----------
    ILAC-G24:2022 / OIML D 10:2022, 6.3 (control chart, calendar time).
    """
    allowed = limit.to(found.checks.units).value
    if not (allowed > 0.0 and longest > 0.0):
        msg = f"limit and longest must be above 0, got {limit} and {longest:g} days"
        raise CalibrationError(msg)
    first = parse_date(start, "the start")
    if chart is not None and not chart.in_control:
        why = str(chart.signals[0]) if chart.signals else "a check has |E_n| > 1"
        return CalibrationInterval(
            days=0.0, due=first.date().isoformat(), method="control chart",
            message=f"the checks are out of control ({why}), so the drift says nothing about the time to come",
        )  # fmt: skip

    def reached(days: float) -> float:
        error = found.error_at((first + timedelta(days=days)).isoformat(), extrapolate=True)
        return abs(error.value) + error.U(level)

    days = 0.0
    while days <= longest and reached(days) < allowed:
        days += STEP
    kept = days - STEP
    if kept < 0.0:
        message = f"|error| + U is {reached(0.0):.3g} {found.checks.units} already, and {allowed:g} is allowed"
    elif days > longest:
        kept = longest
        message = f"|error| + U stays below {allowed:g} {found.checks.units}, so the longest interval was taken"
    else:
        message = f"|error| + U reaches {allowed:g} {found.checks.units} on the day after"
    kept = max(kept, 0.0)
    due = (first + timedelta(days=kept)).date().isoformat()
    return CalibrationInterval(days=kept, due=due, method="drift", message=message)


def interval_staircase(
    days: float, errors: Sequence[Quantity], limit: Quantity, *, start: str, share: float = 0.8, longer: float = 1.25,
    shorter: float = 0.5, longest: float = 3652.0,
) -> CalibrationInterval:  # fmt: skip
    """Return the next interval by automatic adjustment, from what the last calibration found.

    Parameters
    ----------
    days:
        Length of the interval that ended, > 0.
    errors:
        Errors that the calibration found, before any adjustment.
    limit:
        Largest error allowed, > 0.
    start:
        Date of that calibration (ISO 8601).
    share:
        If all errors lie within this share of the limit, the interval grows; in (0, 1].
    longer, shorter:
        Factors of the interval, above 1 and in (0, 1). The guide leaves them to the laboratory.
    longest:
        Days that an interval lasts at most.

    Returns
    -------
    :
        Longer where all errors lie within the share, shorter where one lies outside the limit, else the same.

    Raises
    ------
    CalibrationError
        If a setting is out of range or there are no errors.

    References
    ----------
    ILAC-G24:2022 / OIML D 10:2022, 6.2 (automatic adjustment or staircase).
    """
    allowed = limit.value
    fine = days > 0.0 and allowed > 0.0 and 0.0 < share <= 1.0 < longer and 0.0 < shorter < 1.0 and longest > 0.0
    if not fine or not len(errors):
        msg = (
            "the staircase needs days, limit and longest above 0, share in (0, 1], longer > 1, shorter in (0, 1) and "
            f"errors; got {days}, {limit}, {longest}, {share}, {longer}, {shorter} and {len(errors)} errors"
        )
        raise CalibrationError(msg)
    most = max(abs(each.to(limit.units).value) for each in errors)
    said = f"the largest error is {100.0 * most / allowed:.0f} % of the limit"
    if most > allowed:
        found, message = days * shorter, f"{said}, so the interval is shortened by the factor {shorter:g}"
    elif most <= share * allowed:
        found, message = days * longer, f"{said}, so the interval is lengthened by the factor {longer:g}"
    else:
        found, message = days, f"{said}, so the interval stays"
    if found > longest:
        found, message = longest, f"{message}, up to the longest of {longest:g} days"
    due = (parse_date(start, "the start") + timedelta(days=found)).date().isoformat()
    return CalibrationInterval(days=found, due=due, method="staircase", message=message)
