r"""Units in the notation of the D-SI, the data model of digital calibration certificates: `\nano\metre`.

Not here: conversions (`analysis.core.units`), the certificate itself (`analysis.report.dcc`).
"""

import re

from analysis.core.errors import UnitsError
from analysis.core.units import require_units

_PREFIXES = {
    "Y": "yotta",
    "Z": "zetta",
    "E": "exa",
    "P": "peta",
    "T": "tera",
    "G": "giga",
    "M": "mega",
    "k": "kilo",
    "h": "hecto",
    "da": "deca",
    "d": "deci",
    "c": "centi",
    "m": "milli",
    "u": "micro",
    "µ": "micro",
    "μ": "micro",
    "n": "nano",
    "p": "pico",
    "f": "femto",
    "a": "atto",
    "z": "zepto",
    "y": "yocto",
}
_UNITS = {
    "m": "metre",
    "g": "gram",
    "s": "second",
    "A": "ampere",
    "K": "kelvin",
    "mol": "mole",
    "cd": "candela",
    "rad": "radian",
    "sr": "steradian",
    "Hz": "hertz",
    "N": "newton",
    "Pa": "pascal",
    "J": "joule",
    "W": "watt",
    "C": "coulomb",
    "V": "volt",
    "F": "farad",
    "ohm": "ohm",
    "Ω": "ohm",
    "S": "siemens",
    "Wb": "weber",
    "T": "tesla",
    "H": "henry",
    "lm": "lumen",
    "lx": "lux",
    "Bq": "becquerel",
    "Gy": "gray",
    "Sv": "sievert",
    "kat": "katal",
    "L": "litre",
    "l": "litre",
    "eV": "electronvolt",
}
_WHOLE = {
    "1": "one",
    "%": "percent",
    "percent": "percent",
    "degC": "degreecelsius",
    "°C": "degreecelsius",
    "min": "minute",
    "h": "hour",
    "d": "day",
    "deg": "degree",
    "bar": "bar",
    "metre": "metre",
    "meter": "metre",
    "second": "second",
    "kelvin": "kelvin",
    "volt": "volt",
    "ampere": "ampere",
    "radian": "radian",
}
_FACTOR = re.compile(r"^(?P<name>[^\W\d_%]+|%|°C|1)(?:\^|\*\*)?(?P<power>[-+]?\d+(?:\.\d+)?)?$")
_PRODUCT = re.compile(r"(?:[ ·]|(?<!\*)\*(?!\*)|\.(?!\d))+")


def to_dsi(units: str) -> str:
    r"""Write units in D-SI notation.

    Parameters
    ----------
    units:
        As the project writes them, `cm-1` or `W m-2/nm`.

    Returns
    -------
    :
        For example `\centi\metre\tothe{-1}`.

    Raises
    ------
    UnitsError
        If they do not parse, or the D-SI has no word for one of them.
    """
    require_units(units)
    if units.strip() in ("", "1"):
        return r"\one"
    over, *under = re.sub(r"\s*([/·])\s*", r"\1", units.strip()).split("/")
    words = [_word(each, 1, units) for each in _PRODUCT.split(over) if each != "1"]
    words += [_word(each, -1, units) for group in under for each in _PRODUCT.split(group)]
    return "".join(words)


def _word(text: str, sign: int, units: str) -> str:
    found = _FACTOR.match(text)
    name = _name(found["name"]) if found else ""
    if not found or not name:
        msg = (
            f"the D-SI has no word for {text!r} in units {units!r}; a digital certificate needs SI units, percent or "
            "the units accepted with the SI: convert first, or write the certificate with format='html'"
        )
        raise UnitsError(msg)
    power = sign * float(found["power"] or 1)
    return name if power == 1 else rf"{name}\tothe{{{power:g}}}"


def _name(symbol: str) -> str:
    if symbol in _WHOLE:
        return rf"\{_WHOLE[symbol]}"
    if symbol in _UNITS:
        return rf"\{_UNITS[symbol]}"
    for prefix, word in _PREFIXES.items():
        rest = symbol.removeprefix(prefix)
        if rest != symbol and rest in _UNITS:
            return rf"\{word}\{_UNITS[rest]}"
    return ""


def from_dsi(text: str) -> str:
    r"""Read units in D-SI notation.

    Parameters
    ----------
    text:
        For example `\centi\metre\tothe{-1}`, `\metre\per\second`, or `|counts`, a unit that the certificate defines.

    Returns
    -------
    :
        A UDUNITS string.

    Raises
    ------
    UnitsError
        If a word is not known.
    """
    if text.startswith("|"):
        return require_units(text[1:])
    found, at, under, prefix = [], 0, False, ""
    text = text.strip()
    for match in _DSI.finditer(text):
        if match.start() != at:
            break
        word = match["word"]
        if word == "per":
            under = True
        elif word in _SHORT_PREFIX and not prefix:
            prefix = _SHORT_PREFIX[word]
        elif word in _SHORT:
            power = (-1.0 if under else 1.0) * float(match["power"] or 1)
            found.append(f"{prefix}{_SHORT[word]}{'' if power == 1 else f'{power:g}'}")
            prefix, under = "", False
        else:
            break
        at = match.end()
    if at != len(text) or not found or prefix:
        msg = f"the unit {text!r} is not one of the D-SI that are known here, such as \\milli\\metre\\tothe{{-1}}"
        raise UnitsError(msg)
    kept = [each for each in found if each != "1"]
    return require_units(" ".join(kept) or "1")


_DSI = re.compile(r"\\(?P<word>[a-z]+)(?:\\tothe\{(?P<power>[-+]?\d+(?:\.\d+)?)\})?")
_SHORT_PREFIX = {word: symbol for symbol, word in reversed(_PREFIXES.items())}
_SHORT = {
    **{word: symbol for symbol, word in reversed((_UNITS | _WHOLE).items())},
    "tonne": "t", "arcminute": "arcmin", "arcsecond": "arcsec", "ppm": "1e-6",
}  # fmt: skip
