"""Numbers with their uncertainty, written by the GUM's rule: u to two digits, the value to match.

One formatter for text, notebooks and certificates. References: JCGM 100:2008, 7.2.2 and 7.2.6.
"""

import math

_LARGEST_PLAIN = 7
_SMALLEST_PLAIN = -5


def format_value(value: float, u: float, *, digits: int = 2, style: str = "pm") -> str:
    """Write a value and its standard uncertainty.

    Parameters
    ----------
    value, u:
        In the same units.
    digits:
        Significant digits of `u`.
    style:
        `"pm"` for ``520.45 ± 0.14``, `"bracket"` for ``520.45(14)``.

    Returns
    -------
    :
        The text, without units.
    """
    if not math.isfinite(value):
        return f"{_plain(value)} ± {_plain(u)}" if style == "pm" else f"{_plain(value)}({_plain(u)})"
    if not math.isfinite(u) or u <= 0:
        shown = "0" if u == 0 else _plain(u)
        return f"{_plain(value)} ± {shown}" if style == "pm" else f"{_plain(value)}({shown})"
    place = last_place(u, digits=digits)
    exponent = _shared_exponent(value, u, place)
    scaled = [_decimal(number, exponent, place) for number in (value, u)]
    if style == "bracket":
        shown = scaled[1] if "." in scaled[1] and float(scaled[1]) >= 1 else scaled[1].replace(".", "").lstrip("0")
        return f"{scaled[0]}({shown})" + (f"e{exponent:+03d}" if exponent else "")
    pair = f"{scaled[0]} ± {scaled[1]}"
    return f"({pair})e{exponent:+03d}" if exponent else pair


def format_u(u: float, *, digits: int = 2) -> str:
    """Write an uncertainty alone.

    Parameters
    ----------
    u:
        An uncertainty, any units.
    digits:
        Significant digits.

    Returns
    -------
    :
        The text, without units.
    """
    if not math.isfinite(u) or u == 0:
        return _plain(u)
    place = last_place(u, digits=digits)
    exponent = _shared_exponent(u, u, place)
    return _decimal(u, exponent, place) + (f"e{exponent:+03d}" if exponent else "")


def last_place(u: float, *, digits: int = 2) -> int:
    """Return the decimal place that an uncertainty is written to.

    Parameters
    ----------
    u:
        Finite and not zero.
    digits:
        Significant digits.

    Returns
    -------
    :
        The power of ten of the last digit: -2 for 0.14, -1 for 9.96 (which rounds to 10.0).
    """
    mantissa = f"{abs(u):.{digits - 1}e}"
    return int(mantissa.split("e")[1]) - digits + 1


def _shared_exponent(value: float, u: float, place: int) -> int:
    largest = max(_rounded(abs(value), place), _rounded(abs(u), place))
    order = math.floor(math.log10(largest)) if largest > 0 else 0
    if place > 0 or order >= _LARGEST_PLAIN + 2 or order < _SMALLEST_PLAIN:
        return order
    return 0


def _decimal(number: float, exponent: int, place: int) -> str:
    text = f"{_rounded(number, place) / 10.0**exponent:.{max(exponent - place, 0)}f}"
    return text[1:] if text.startswith("-") and float(text) == 0 else text


def _rounded(number: float, place: int) -> float:
    return round(number, -place) if abs(place) < 300 else number  # noqa: PLR2004 - the range of float


def _plain(number: float) -> str:
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "∞" if number > 0 else "-∞"
    return f"{number:.12g}"
