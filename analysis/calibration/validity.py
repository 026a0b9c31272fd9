"""When a calibration may be used: dates in ISO 8601, and an interval that is two-sided in time.

A lamp recorded after the sample says as much about the instrument as one recorded before it, so validity extends both
ways. Dates that are not known are said, never assumed.
"""

from datetime import UTC, datetime, timedelta
from typing import Literal

from analysis.core import CalibrationError

ByDate = Literal["within", "outside", "unknown"]


def parse_date(text: str, what: str) -> datetime:
    """Read an ISO 8601 date or time.

    Parameters
    ----------
    text:
        For example `2022-03-17` or `2022-03-17T08:46:42`; a time without a zone is taken as UTC.
    what:
        What the date is of, for the message.

    Returns
    -------
    :
        An aware time.

    Raises
    ------
    CalibrationError
        If the text is not a date.
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        msg = f"{what} must be an ISO 8601 date such as '2022-03-17' or '2022-03-17T08:46:42', got {text!r}"
        raise CalibrationError(msg) from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def around(acquired: str, days: float) -> tuple[str, str]:
    """Return the interval of `days` before and after a date.

    Parameters
    ----------
    acquired:
        ISO 8601 date, or an empty string where it is not known.
    days:
        Half the interval, in days, > 0.

    Returns
    -------
    :
        First and last date, ISO 8601; two empty strings for an unknown date.

    Raises
    ------
    CalibrationError
        If the date does not parse or `days` is not above 0.
    """
    if not days > 0:
        msg = f"a calibration is valid for a number of days above 0 on either side, got {days:g}"
        raise CalibrationError(msg)
    if not acquired:
        return "", ""
    centre = parse_date(acquired, "the date of the calibration")
    half = timedelta(days=days)
    return (centre - half).date().isoformat(), (centre + half).date().isoformat()


def by_date(valid_from: str, valid_until: str, acquired: str) -> ByDate:
    """Say whether a spectrum was recorded while a calibration was valid.

    Parameters
    ----------
    valid_from, valid_until:
        ISO 8601 dates of the calibration, both included; empty where not known.
    acquired:
        ISO 8601 date of the spectrum; empty where not known.

    Returns
    -------
    :
        `within`, `outside`, or `unknown` if any of the dates is.

    Raises
    ------
    CalibrationError
        If a date does not parse.
    """
    if not (valid_from and valid_until and acquired):
        return "unknown"
    recorded = parse_date(acquired, "the date of the spectrum").date()
    first, last = (parse_date(text, "a date of validity").date() for text in (valid_from, valid_until))
    return "within" if first <= recorded <= last else "outside"


def describe(valid_from: str, valid_until: str, recorded: str, acquired: str) -> str:
    """Say in a sentence how the dates of a calibration and a spectrum stand to each other.

    Parameters
    ----------
    valid_from, valid_until, acquired:
        As in `by_date`.
    recorded:
        Date of the calibration itself; empty where not known.

    Returns
    -------
    :
        A plain sentence.

    Raises
    ------
    CalibrationError
        If a date does not parse.
    """
    found = by_date(valid_from, valid_until, acquired)
    if found == "unknown":
        missing = [name for name, text in (("the calibration", recorded), ("the spectrum", acquired)) if not text]
        which = " and ".join(missing) or "validity"
        return f"the date of {which} is not known, so age says nothing about this calibration"
    apart = ""
    if recorded:
        days = (parse_date(acquired, "the date of the spectrum") - parse_date(recorded, "the calibration")).days
        apart = f", {abs(days)} days {'after' if days >= 0 else 'before'} the calibration of {recorded[:10]}"
    state = "inside" if found == "within" else "outside"
    return f"the spectrum was recorded on {acquired[:10]}{apart}: {state} its validity, {valid_from} to {valid_until}"
