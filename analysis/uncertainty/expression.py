"""Expression trees: evaluation on numbers and arrays, exact derivatives, units.

Not here: the text they are parsed from (`analysis.uncertainty.formula`).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis.core import UnitsError, units
from analysis.uncertainty import algebra


@dataclass(frozen=True, kw_only=True)
class Node:
    """One node: a number, a name, or a function of other nodes."""

    function: str
    """`number`, `name`, or the name of a NumPy ufunc."""
    arguments: tuple["Node", ...] = ()
    """What the function acts on."""
    value: float = 0.0
    """Of a number."""
    name: str = ""
    """Of a name."""


def number(value: float) -> Node:
    """Return a node for a number.

    Parameters
    ----------
    value:
        Dimensionless.

    Returns
    -------
    :
        The node.
    """
    return Node(function="number", value=value)


def call(function: str, *arguments: Node) -> Node:
    """Return a node for a function, without the terms and factors that change nothing.

    Parameters
    ----------
    function:
        Name of a NumPy ufunc of the algebra, or `power`, or `sign`.
    arguments:
        What it acts on.

    Returns
    -------
    :
        The node, or a simpler one of the same value.
    """
    if all(each.function == "number" for each in arguments):
        with np.errstate(all="ignore"):
            return number(float(getattr(np, function)(*(each.value for each in arguments))))
    first, second = arguments[0], arguments[-1]
    table: dict[str, dict[tuple[int | None, int | None], Node]] = {
        "add": {(0, None): second, (None, 0): first},
        "subtract": {(None, 0): first},
        "multiply": {(0, None): number(0), (None, 0): number(0), (1, None): second, (None, 1): first},
        "divide": {(0, None): number(0), (None, 1): first},
        "power": {(None, 1): first, (None, 0): number(1)},
    }
    for (left, right), result in table.get(function, {}).items():
        if (left is None or _is(first, left)) and (right is None or _is(second, right)):
            return result
    return Node(function=function, arguments=arguments)


def _is(node: Node, value: float) -> bool:
    return node.function == "number" and node.value == value


def evaluate(node: Node, values: Mapping[str, Any]) -> Any:  # noqa: ANN401 - floats in, floats out; arrays likewise
    """Compute an expression.

    Parameters
    ----------
    node:
        The expression.
    values:
        A number or array for each name, of one shape.

    Returns
    -------
    :
        The value; infinite or NaN outside the domain.
    """
    if node.function == "number":
        return node.value
    if node.function == "name":
        return values[node.name]
    arguments = [np.asarray(evaluate(each, values), dtype=float) for each in node.arguments]
    with np.errstate(all="ignore"):
        return getattr(np, node.function)(*arguments)


def names(node: Node) -> set[str]:
    """List the names in an expression.

    Parameters
    ----------
    node:
        The expression.

    Returns
    -------
    :
        The names.
    """
    if node.function == "name":
        return {node.name}
    return set().union(*(names(each) for each in node.arguments)) if node.arguments else set()


def derivative(node: Node, name: str) -> Node:
    """Differentiate an expression exactly.

    Parameters
    ----------
    node:
        The expression.
    name:
        With respect to what.

    Returns
    -------
    :
        The derivative.
    """
    if node.function == "name":
        return number(1.0 if node.name == name else 0.0)
    if name not in names(node):
        return number(0.0)
    inner = [derivative(each, name) for each in node.arguments]
    outer = _partials(node)
    total = number(0.0)
    for slope, step in zip(outer, inner, strict=True):
        if not _is(step, 0.0):
            total = call("add", total, call("multiply", slope, step))
    return total


def _partials(node: Node) -> tuple[Node, ...]:
    first, second = node.arguments[0], node.arguments[-1]
    one, two = number(1.0), number(2.0)
    if len(node.arguments) == 1:
        return (_slope(node.function, first, node),)
    if node.function == "power":
        reduced = call("power", first, call("subtract", second, one))
        by_exponent = call("multiply", node, call("log", first)) if names(second) else number(0.0)
        return call("multiply", second, reduced), by_exponent
    if node.function == "arctan2":
        radius = call("add", call("power", first, two), call("power", second, two))
        return call("divide", second, radius), call("negative", call("divide", first, radius))
    return {
        "add": (one, one),
        "subtract": (one, number(-1.0)),
        "multiply": (second, first),
        "divide": (
            call("divide", one, second),
            call("negative", call("divide", first, call("power", second, two))),
        ),
    }[node.function]


def _slope(function: str, x: Node, node: Node) -> Node:
    one, two = number(1.0), number(2.0)
    root = call("sqrt", call("subtract", one, call("power", x, two)))
    return {
        "negative": number(-1.0),
        "positive": one,
        "absolute": call("sign", x),
        "sign": number(0.0),
        "sqrt": call("divide", number(0.5), node),
        "exp": node,
        "log": call("divide", one, x),
        "log10": call("divide", number(1 / math.log(10)), x),
        "sin": call("cos", x),
        "cos": call("negative", call("sin", x)),
        "tan": call("add", one, call("power", node, two)),
        "arcsin": call("divide", one, root),
        "arccos": call("divide", number(-1.0), root),
        "arctan": call("divide", one, call("add", one, call("power", x, two))),
    }[function]


def with_units(node: Node, given: Mapping[str, str]) -> tuple[Node, str]:
    """Follow the units through an expression, and put in the factors that bring them together.

    Parameters
    ----------
    node:
        The expression.
    given:
        UDUNITS string of each name.

    Returns
    -------
    :
        The expression with conversion factors, and the units of its value.

    Raises
    ------
    UnitsError
        If units do not match, for example a length in a logarithm.
    """
    if node.function == "number":
        return node, "1"
    if node.function == "name":
        return node, given[node.name]
    inner = [with_units(each, given) for each in node.arguments]
    arguments, found = [each for each, _ in inner], [each for _, each in inner]
    if node.function == "power":
        return _power_with_units(arguments, found)
    rule = algebra.rule_of(getattr(np, node.function))
    if rule is None:  # pragma: no cover - the grammar lets nothing else in
        msg = f"{node.function!r} has no rule for units"
        raise UnitsError(msg)
    factors, result = rule.scales(found)
    scaled = [call("multiply", number(factor), each) for factor, each in zip(factors, arguments, strict=True)]
    return call(node.function, *scaled), result


def _power_with_units(arguments: list[Node], found: list[str]) -> tuple[Node, str]:
    base, exponent = arguments
    exact = not names(exponent)
    value = float(evaluate(exponent, {})) if exact else math.nan
    result = algebra.power_units(found[0], found[1], value, exponent_is_exact=exact)
    if result == "1":
        base = call("multiply", number(units.factor(found[0], "1")), base)
    return call("power", base, call("multiply", number(units.factor(found[1], "1")), exponent)), result
