"""Units of fitted parameters, from those of axis and signal and from what a parameter means.

Not here: translation of unit strings (`analysis.core`).
"""

import operator
import re

import lmfit

from analysis.core import UnitsError, units
from analysis.peaks import kinds

__all__ = ["parameter_units"]

_WORD = re.compile(r"^(?P<name>[A-Za-zµÅ]+|1)(?P<power>-?\d+)?$")
_DERIVED = {"fwhm": (0, 1), "height": (1, 0), "area": (1, 1), "midpoint": (0, 1)}
_POWERS = {
    "ConstantModel": {"c": 0},
    "LinearModel": {"intercept": 0, "slope": 1},
    "QuadraticModel": {"c": 0, "b": 1, "a": 2},
    "PolynomialModel": {f"c{k}": k for k in range(8)},
}


def parameter_units(model: lmfit.Model, names: tuple[str, ...], *, axis: str, signal: str) -> list[str]:
    """Give the units of each parameter.

    Parameters
    ----------
    model:
        An lmfit model; its built-in parts are known.
    names:
        All parameters.
    axis, signal:
        Units of the axis and the signal.

    Returns
    -------
    :
        A UDUNITS string for each name, `""` where the meaning is not known (a user's own function).
    """
    if _is_sum(model):
        return _of_sum(model, names, axis, signal)
    ones = (_of_sum(model, names, axis, each) for each in ("V", "A"))
    return [first if first == second else "" for first, second in zip(*ones, strict=True)]


def _of_sum(model: lmfit.Model, names: tuple[str, ...], axis: str, signal: str) -> list[str]:
    known: dict[str, str] = {}
    for part in model.components:
        kind = type(part).__name__
        for root, power in _POWERS.get(kind, {}).items():
            known[part.prefix + root] = _combine(signal, axis, -power) if power else signal
        shape = kinds.SHAPES.get(kinds.key_of(kind, part.opts.get("form")))
        if shape is not None:
            powers = {p.name: p.units for p in shape.parameters if p.units is not None}
            known |= {part.prefix + root: _powers(signal, axis, *both) for root, both in (_DERIVED | powers).items()}
    return [known.get(name, "") for name in names]


def _is_sum(model: lmfit.Model) -> bool:
    if not isinstance(model, lmfit.model.CompositeModel):
        return True
    return model.op in {operator.add, operator.sub} and _is_sum(model.left) and _is_sum(model.right)


def _powers(signal: str, axis: str, of_signal: int, of_axis: int) -> str:
    if of_signal:
        return _combine(signal, axis, of_axis) if of_axis else signal
    if of_axis == 1:
        return axis
    return _combine("1", axis, of_axis) if of_axis else "1"


def _combine(first: str, second: str, power: int) -> str:
    """Write `first · second**power`; plain units as text, because starting pint takes longer than a fit."""
    powers: dict[str, int] = {}
    for text, factor in ((first or "1", 1), (second or "1", power)):
        for word in text.split():
            found = _WORD.match(word)
            if found is None:
                return _by_pint(first, second, power)
            powers[found["name"]] = powers.get(found["name"], 0) + factor * int(found["power"] or 1)
    powers.pop("1", None)
    words = [name if n == 1 else f"{name}{n}" for name, n in sorted(powers.items(), key=lambda item: -item[1]) if n]
    return " ".join(words) or "1"


def _by_pint(first: str, second: str, power: int) -> str:
    try:
        return units.multiply(first, second, power=power)
    except UnitsError:
        return f"({first}) ({second})" if power == 1 else f"({first}) ({second}){power}"
