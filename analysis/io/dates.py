"""When a spectrum was recorded, from header lines, where that is unambiguous.

`03/04/2022` is two dates: such a value is left alone.
"""

import re
from collections.abc import Iterable
from datetime import datetime

_KEY = re.compile(
    r"^\W*(?:(?:[\w.]*[._ ])?date|acquired|acquisition|measured|[\w.]*start_?time)\b[^\d\n]{0,20}?(\d.*)$",
    re.IGNORECASE,
)
_ISO = re.compile(
    r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ,;]+(\d{1,2}:\d{2}(?::\d{2})?)(\.\d+)?(Z|[+-]\d\d:?\d\d)?)?"
)
_DAY_FIRST = re.compile(
    r"(\d{1,2})([./-])(\d{1,2})\2(\d{4})(?:[T ,;]+(\d{1,2}:\d{2}(?::\d{2})?)(?!\s*[AP]M))?", re.IGNORECASE
)
_MONTHS = 12


def find(lines: Iterable[str]) -> str:
    """Find the date and time of the measurement.

    Parameters
    ----------
    lines:
        The header.

    Returns
    -------
    :
        ISO 8601 text with what the file gives (a date, a time, a zone), or an empty text.
    """
    for line in lines:
        found = _KEY.match(line)
        text = read(found.group(1)) if found else ""
        if text:
            return text
    return ""


def read(text: str) -> str:
    """Read a date, and the time after it.

    Parameters
    ----------
    text:
        As `2022-03-17 08:46:42`, `17.03.2022`.

    Returns
    -------
    :
        ISO 8601 text, or an empty text where it is ambiguous or none.
    """
    if iso := _ISO.match(text):
        year, month, day, time, _, zone = iso.groups()
        return _iso(int(year), int(month), int(day), time, zone)
    if other := _DAY_FIRST.match(text):
        first, mark, second, year, time = other.groups()
        one, two = int(first), int(second)
        if mark == "." or one > _MONTHS:
            return _iso(int(year), two, one, time, None)
        if two > _MONTHS:
            return _iso(int(year), one, two, time, None)
    return ""


def _iso(year: int, month: int, day: int, time: str | None, zone: str | None) -> str:
    try:
        date = datetime(year, month, day).date().isoformat()  # noqa: DTZ001 - the file gives no zone
    except ValueError:
        return ""
    if not time:
        return date
    clock = time.zfill(8) if time.count(":") == 2 else time.zfill(5)  # noqa: PLR2004 - h:m:s
    return f"{date}T{clock}{zone or ''}"
