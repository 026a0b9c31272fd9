"""What each NumPy function does to values, units and sensitivities: the one algebra of scalars and arrays.

Not here: the things it acts on (`analysis.uncertainty.quantity`).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from analysis.core import UncertaintyError, UnitsError, units

if TYPE_CHECKING:
    import pint

Numbers = Any
"""A float or an array of floats; everything here acts on both."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """How one NumPy function acts."""

    partials: Callable[..., tuple[Numbers, ...]]
    """Arguments (and nothing else) to the derivative with respect to each."""
    scales: Callable[[Sequence[str]], tuple[tuple[float, ...], str]]
    """Units of the arguments to the factors that bring them to one system, and the units of the result."""


def rule_of(function: np.ufunc) -> Rule | None:
    """Return how a NumPy function acts, if it is one of the algebra.

    Parameters
    ----------
    function:
        A NumPy ufunc.

    Returns
    -------
    :
        Its rule, or None.
    """
    return _RULES.get(function.__name__)


def names() -> list[str]:
    """List the NumPy functions of the algebra.

    Returns
    -------
    :
        Their names, sorted.
    """
    return sorted([*_RULES, "power"])


def power_units(base: str, exponent_units: str, exponent: float, *, exponent_is_exact: bool) -> str:
    """Return the units of a power.

    Parameters
    ----------
    base, exponent_units:
        UDUNITS strings.
    exponent:
        Its value, dimensionless.
    exponent_is_exact:
        Whether the exponent is a plain number.

    Returns
    -------
    :
        A UDUNITS string.

    Raises
    ------
    UnitsError
        If the exponent has a dimension, or an uncertain exponent stands on a base with one.
    """
    units.factor(exponent_units, "1")
    if units.dimensionless(base):
        units.factor(base, "1")
        return "1"
    if not exponent_is_exact:
        msg = (
            f"an uncertain exponent needs a base without dimension, got a base in {base!r}; divide by a reference first"
        )
        raise UnitsError(msg)
    if exponent == int(exponent):
        return units.multiply("1", base, power=int(exponent))
    return units.spell(cast("pint.Unit", units.pint_unit(base) ** exponent))


def _same(given: Sequence[str]) -> tuple[tuple[float, ...], str]:
    first, second = given
    if first != second and units.same_dimension(first, second):
        _refuse_offset(first, second)
    return (1.0, units.factor(second, first)), first


def _refuse_offset(first: str, second: str) -> None:
    if units.convert(0.0, second, first) != 0.0:
        msg = (
            f"{first!r} and {second!r} have different zeros, so a sum of them has two meanings; "
            "convert one first: quantity.to('K')"
        )
        raise UnitsError(msg)


def _product(given: Sequence[str]) -> tuple[tuple[float, ...], str]:
    return (1.0, 1.0), units.multiply(given[0], given[1])


def _quotient(given: Sequence[str]) -> tuple[tuple[float, ...], str]:
    return (1.0, 1.0), units.multiply(given[0], given[1], power=-1)


def _kept(given: Sequence[str]) -> tuple[tuple[float, ...], str]:
    return (1.0,), given[0]


def _squared(given: Sequence[str]) -> tuple[tuple[float, ...], str]:
    return (1.0,), power_units(given[0], "1", 2.0, exponent_is_exact=True)


def _rooted(given: Sequence[str]) -> tuple[tuple[float, ...], str]:
    if units.dimensionless(given[0]):
        return (units.factor(given[0], "1"),), "1"
    return (1.0,), units.spell(cast("pint.Unit", units.pint_unit(given[0]) ** 0.5))


def _number(given: Sequence[str]) -> tuple[tuple[float, ...], str]:
    return (units.factor(given[0], "1"),), "1"


def _angle(given: Sequence[str]) -> tuple[tuple[float, ...], str]:
    return (units.factor(given[0], "rad"),), "1"


def _to_angle(given: Sequence[str]) -> tuple[tuple[float, ...], str]:
    return (units.factor(given[0], "1"),), "rad"


def _ratio_to_angle(given: Sequence[str]) -> tuple[tuple[float, ...], str]:
    return (1.0, units.factor(given[1], given[0])), "rad"


def power_rule(base_units: str, exponent_units: str, exponent: Numbers, *, exponent_is_exact: bool) -> Rule:
    """Return how a power acts, which depends on its exponent.

    Parameters
    ----------
    base_units, exponent_units:
        UDUNITS strings.
    exponent:
        A number, or an array if the base is dimensionless.
    exponent_is_exact:
        Whether the exponent is known exactly.

    Returns
    -------
    :
        The rule. The derivative to the exponent is 0 for an exact one, else NaN for a base below 0 and 0 for a base
        of 0 with a positive exponent.

    Raises
    ------
    UnitsError
        As `power_units`; or if exponents differ on a base with a dimension.
    """
    one = np.ravel(exponent)[:1]
    if not units.dimensionless(base_units) and not np.all(exponent == one):
        msg = f"a base in {base_units!r} needs one exponent, got several; divide by a reference first"
        raise UnitsError(msg)
    number = float(one[0]) if one.size else 1.0
    result = power_units(base_units, exponent_units, number, exponent_is_exact=exponent_is_exact)
    factor = units.factor(base_units, "1") if result == "1" and np.any(exponent != 0) else 1.0

    def partials(a: Numbers, b: Numbers) -> tuple[Numbers, Numbers]:
        first = np.where(np.equal(b, 0), 0.0, b * np.power(a, np.where(np.equal(b, 0), 1, b - 1)))
        if exponent_is_exact:
            return first, 0.0
        logarithm = np.log(np.where(np.greater(a, 0), a, 1.0))
        return first, np.where(np.less(a, 0), math.nan, np.power(a, b) * logarithm)

    return Rule(partials=partials, scales=lambda _given: ((factor, units.factor(exponent_units, "1")), result))


def evaluate(function: np.ufunc, arguments: Sequence[Numbers], names_: Sequence[str]) -> Numbers:
    """Apply a NumPy function and refuse a result outside its domain.

    Parameters
    ----------
    function:
        A NumPy ufunc.
    arguments:
        Its arguments.
    names_:
        What they are called, for the message.

    Returns
    -------
    :
        The value.

    Raises
    ------
    UncertaintyError
        If an argument lies outside the domain of the function (a logarithm of 0, a division by 0).
    """
    with np.errstate(all="ignore"):
        value = function(*arguments)
    if np.all(np.isfinite(value)) or not all(np.all(np.isfinite(each)) for each in arguments):
        return value
    shown = ", ".join(f"{name or 'argument'} = {each}" for name, each in zip(names_, arguments, strict=True))
    msg = f"{function.__name__} is not finite for {shown}; wanted arguments inside its domain"
    raise UncertaintyError(msg)


_RULES: dict[str, Rule] = {
    "add": Rule(partials=lambda _a, _b: (1.0, 1.0), scales=_same),
    "subtract": Rule(partials=lambda _a, _b: (1.0, -1.0), scales=_same),
    "multiply": Rule(partials=lambda a, b: (b, a), scales=_product),
    "divide": Rule(partials=lambda a, b: (1 / b, -a / b**2), scales=_quotient),
    "negative": Rule(partials=lambda _a: (-1.0,), scales=_kept),
    "positive": Rule(partials=lambda _a: (1.0,), scales=_kept),
    "absolute": Rule(partials=lambda a: (np.sign(a),), scales=_kept),
    "square": Rule(partials=lambda a: (2 * a,), scales=_squared),
    "sqrt": Rule(partials=lambda a: (0.5 / np.sqrt(a),), scales=_rooted),
    "exp": Rule(partials=lambda a: (np.exp(a),), scales=_number),
    "log": Rule(partials=lambda a: (1 / a,), scales=_number),
    "log10": Rule(partials=lambda a: (1 / (a * math.log(10)),), scales=_number),
    "sin": Rule(partials=lambda a: (np.cos(a),), scales=_angle),
    "cos": Rule(partials=lambda a: (-np.sin(a),), scales=_angle),
    "tan": Rule(partials=lambda a: (1 / np.cos(a) ** 2,), scales=_angle),
    "arcsin": Rule(partials=lambda a: (1 / np.sqrt(1 - a**2),), scales=_to_angle),
    "arccos": Rule(partials=lambda a: (-1 / np.sqrt(1 - a**2),), scales=_to_angle),
    "arctan": Rule(partials=lambda a: (1 / (1 + a**2),), scales=_to_angle),
    "arctan2": Rule(partials=lambda a, b: (b / (a**2 + b**2), -a / (a**2 + b**2)), scales=_ratio_to_angle),
}
