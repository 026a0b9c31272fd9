"""Units: UDUNITS strings (`cm-1`, `nm`, `counts`) translated to pint in this one place.

Not here: spectroscopic conversions with a medium or a laser line (`analysis.calibration`).
"""

import re
from functools import cache
from typing import TYPE_CHECKING

from analysis.core.errors import UnitsError

if TYPE_CHECKING:
    import pint

_FACTOR = re.compile(r"^(?P<name>[^\W\d_%]+|%|°C|1)\^?(?P<power>[-+]?\d+(?:\.\d+)?)?$")
_PRODUCT = re.compile(r"(?:[ *·]|\.(?!\d))+")
_POWER_TOLERANCE = 1e-9
_SPELLING = {"%": "percent", "°C": "degC", "Å": "angstrom", "counts": "count", "pixels": "pixel"}


@cache
def _registry() -> "pint.UnitRegistry[float]":
    import pint  # noqa: PLC0415 - half a second, and most steps only compare equal units

    return pint.UnitRegistry(autoconvert_offset_to_baseunit=True)


def _factor(text: str, units: str) -> str:
    found = _FACTOR.match(text)
    if not found:
        msg = f"{text!r} in units {units!r} does not parse; write them as 'cm-1', 'nm', 'counts s-1' or 'cm-1/GPa'"
        raise UnitsError(msg)
    name = _SPELLING.get(found["name"], found["name"])
    return f"{name}**({found['power']})" if found["power"] else name


def _translate(units: str) -> str:
    if units.strip() in ("", "1"):
        return "dimensionless"
    over, *under = re.sub(r"\s*([/*·]|\.(?!\d))\s*", r"\1", units.strip().replace("**", "^")).split("/")
    terms = [_factor(part, units) for part in _PRODUCT.split(over)]
    for group in under:
        terms += [f"({_factor(part, units)})**(-1)" for part in _PRODUCT.split(group)]
    return "*".join(terms)


@cache
def _unit(units: str) -> "pint.Unit":
    try:
        return _registry().parse_units(_translate(units))
    except UnitsError:
        raise
    except (TypeError, ValueError, AttributeError) as error:
        msg = f"units {units!r} are not known ({error}); write them as 'cm-1', 'nm', 'counts s-1' or 'cm-1/GPa'"
        raise UnitsError(msg) from error


def require_units(units: str) -> str:
    """Return `units` if they parse.

    Parameters
    ----------
    units:
        A UDUNITS string; ``"1"`` is dimensionless.

    Returns
    -------
    :
        The same string.

    Raises
    ------
    UnitsError
        If they do not parse.
    """
    _unit(units)
    return units


def same_dimension(first: str, second: str) -> bool:
    """Say whether two units can be converted into each other.

    Parameters
    ----------
    first, second:
        UDUNITS strings.

    Returns
    -------
    :
        True for `nm` and `m`; False for `nm` and `cm-1`.

    Raises
    ------
    UnitsError
        If either does not parse.
    """
    return bool(_unit(first).dimensionality == _unit(second).dimensionality)


def factor(from_: str, to: str) -> float:
    """Return the number that turns a difference in `from_` into one in `to`.

    Parameters
    ----------
    from_, to:
        UDUNITS strings of one dimension.

    Returns
    -------
    :
        The factor, dimensionless (1e-9 from `nm` to `m`).

    Raises
    ------
    UnitsError
        If the dimensions differ, or a unit does not parse.
    """
    if from_ == to:
        return 1.0
    if not same_dimension(from_, to):
        msg = f"units do not match: got {from_!r}, wanted {to!r} or units that convert to it"
        raise UnitsError(msg)
    one, two = _unit(from_), _unit(to)
    base = _registry().Quantity
    step = base(1.0, one).to(two).magnitude - base(0.0, one).to(two).magnitude
    return float(step)


def convert(value: float, from_: str, to: str) -> float:
    """Convert a value, offsets (degC to K) included.

    Parameters
    ----------
    value:
        In `from_`.
    from_, to:
        UDUNITS strings of one dimension.

    Returns
    -------
    :
        The value in `to`.

    Raises
    ------
    UnitsError
        If the dimensions differ, or a unit does not parse.
    """
    if from_ == to:
        return value
    factor(from_, to)
    return float(_registry().Quantity(value, _unit(from_)).to(_unit(to)).magnitude)


def _tidy(power: float) -> float:
    return float(round(power)) if abs(power - round(power)) < _POWER_TOLERANCE else power


def _spell(unit: "pint.Unit") -> str:
    powers = {name: _tidy(float(power.real)) for name, power in unit._units.items()}  # noqa: SLF001
    words = []
    for name, power in sorted(((n, p) for n, p in powers.items() if p), key=lambda item: (item[1] < 0, item[0])):
        symbol = "counts" if name == "count" else _registry().get_symbol(name)
        exponent = f"{power:g}" if power.is_integer() else f"^{power:.12g}"
        words.append(symbol if power == 1 else symbol + exponent)
    return " ".join(words) or "1"


def multiply(first: str, second: str, *, power: int = 1) -> str:
    """Return the units of a product ``first * second**power``.

    Parameters
    ----------
    first, second:
        UDUNITS strings.
    power:
        Exponent of `second`; -1 for a quotient.

    Returns
    -------
    :
        A UDUNITS string, ``"1"`` where all cancels.

    Raises
    ------
    UnitsError
        If a unit does not parse.
    """
    if _unit(second).dimensionless and _unit(second) == _unit("1"):
        return first
    return _spell(_unit(first) * _unit(second) ** power)


def dimensionless(units: str) -> bool:
    """Say whether `units` are those of a plain number (`1`, `%`).

    Parameters
    ----------
    units:
        A UDUNITS string.

    Returns
    -------
    :
        True if they have no dimension.

    Raises
    ------
    UnitsError
        If they do not parse.
    """
    return bool(_unit(units).dimensionless)


def pint_unit(units: str) -> "pint.Unit":
    """Return the pint unit of a UDUNITS string, in the registry that all rooms share.

    Parameters
    ----------
    units:
        A UDUNITS string.

    Returns
    -------
    :
        The unit; ``1.0 * pint_unit("cm-1")`` is a pint quantity.

    Raises
    ------
    UnitsError
        If they do not parse.
    """
    return _unit(units)


def spell(unit: "pint.Unit") -> str:
    """Return the UDUNITS string of a pint unit of the shared registry.

    Parameters
    ----------
    unit:
        For example the units of a product.

    Returns
    -------
    :
        For example ``"cm-1"``; ``"1"`` if dimensionless.
    """
    return _spell(unit)
