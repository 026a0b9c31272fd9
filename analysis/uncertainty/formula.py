"""Measurement models written as text, in a closed grammar; nothing is ever evaluated as Python.

Grammar: `+ - * / **`, unary `+ -`, brackets, decimal numbers, `pi`, names of inputs, and the functions `sqrt exp log
log10 sin cos tan asin acos atan atan2 abs`. Not here: propagation (`analysis.uncertainty.propagate`).
"""

import ast
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from analysis.core import UncertaintyError, UnitsError, did_you_mean
from analysis.core import units as unit_rules
from analysis.uncertainty import expression
from analysis.uncertainty.expression import Node

_LONGEST = 4000
_MOST_NODES = 600
_DEEPEST = 60
_OPERATORS: dict[type, str] = {
    ast.Add: "add",
    ast.Sub: "subtract",
    ast.Mult: "multiply",
    ast.Div: "divide",
    ast.Pow: "power",
    ast.UAdd: "positive",
    ast.USub: "negative",
}
_FUNCTIONS = {
    "sqrt": "sqrt",
    "exp": "exp",
    "log": "log",
    "log10": "log10",
    "sin": "sin",
    "cos": "cos",
    "tan": "tan",
    "asin": "arcsin",
    "acos": "arccos",
    "atan": "arctan",
    "atan2": "arctan2",
    "abs": "absolute",
}
_CONSTANTS = {"pi": math.pi}


@dataclass(frozen=True, kw_only=True)
class Formula:
    """A parsed measurement model."""

    text: str
    """As it was written."""
    tree: Node
    """What it means."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the inputs it uses, sorted."""
        return tuple(sorted(expression.names(self.tree)))

    def __call__(self, values: Mapping[str, Any]) -> Any:  # noqa: ANN401 - floats in, floats out; arrays likewise
        """Compute the formula for numbers or arrays."""
        return expression.evaluate(self.tree, values)

    def partial(self, *names: str) -> "Formula":
        """Differentiate exactly, once for each name.

        Parameters
        ----------
        names:
            With respect to what, in turn.

        Returns
        -------
        :
            The derivative.
        """
        tree = self.tree
        for name in names:
            tree = expression.derivative(tree, name)
        return Formula(text=f"d({self.text})/d({', '.join(names)})", tree=tree)

    def in_units(self, given: Mapping[str, str], *, wanted: str) -> "Formula":
        """Put in the unit conversions, so that inputs in `given` units make a result in `wanted` units.

        Parameters
        ----------
        given:
            UDUNITS string of each name.
        wanted:
            UDUNITS string of the result.

        Returns
        -------
        :
            A formula on plain numbers.

        Raises
        ------
        UnitsError
            If units do not match inside the formula, or the result has another dimension than `wanted`.
        """
        try:
            tree, found = expression.with_units(self.tree, given)
        except UnitsError as error:
            shown = ", ".join(f"{name} in {given[name]!r}" for name in self.names)
            msg = (
                f"units do not match in {self.text!r} with {shown}: {error}. Give a constant with units as "
                "Quantity(value=..., u=0, units=...), or compute plain numbers with check_units=False"
            )
            raise UnitsError(msg) from error
        if not unit_rules.same_dimension(found, wanted):
            msg = f"{self.text!r} gives {found!r}, but units={wanted!r} was asked for; correct the formula or the units"
            raise UnitsError(msg)
        scaled = expression.call("multiply", expression.number(unit_rules.factor(found, wanted)), tree)
        return Formula(text=self.text, tree=scaled)


def parse(text: str, names: Iterable[str]) -> Formula:
    """Read a formula.

    Parameters
    ----------
    text:
        For example `"(shift - free) / slope"`.
    names:
        The inputs that it may use.

    Returns
    -------
    :
        The formula.

    Raises
    ------
    UncertaintyError
        If it does not parse, is too long, or holds anything outside the grammar; the message shows where.
    """
    allowed = set(names)
    if len(text) > _LONGEST:
        msg = f"the formula has {len(text)} characters; at most {_LONGEST} are read. Write a function and pass that"
        raise UncertaintyError(msg)
    try:
        parsed = ast.parse(text.strip(), mode="eval")
        count = sum(1 for _ in ast.walk(parsed))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        reason = error.msg if isinstance(error, SyntaxError) else str(error) or type(error).__name__
        msg = f"the formula {text[:80]!r} does not parse: {reason}. Write it like '(shift - free) / slope'"
        raise UncertaintyError(msg) from error
    if count > _MOST_NODES:
        msg = f"the formula has {count} parts; at most {_MOST_NODES} are read. Write a function and pass that"
        raise UncertaintyError(msg)
    return Formula(text=text.strip(), tree=_Reader(text.strip(), allowed).read(parsed.body, 0))


class _Reader:
    """Turns Python's syntax tree into ours, and refuses what is not in the grammar."""

    def __init__(self, text: str, allowed: set[str]) -> None:
        self._text, self._allowed = text, allowed

    def read(self, node: ast.AST, depth: int) -> Node:
        if depth > _DEEPEST:
            raise self._refusal(node, f"brackets go deeper than {_DEEPEST}")
        if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
            arguments = (self.read(node.left, depth + 1), self.read(node.right, depth + 1))
            return Node(function=_OPERATORS[type(node.op)], arguments=arguments)
        if isinstance(node, ast.UnaryOp) and type(node.op) in _OPERATORS:
            return Node(function=_OPERATORS[type(node.op)], arguments=(self.read(node.operand, depth + 1),))
        if isinstance(node, ast.Call):
            return self._call(node, depth)
        if isinstance(node, ast.Name):
            return self._name(node)
        if isinstance(node, ast.Constant):
            return self._number(node)
        raise self._refusal(node, "only + - * / ** with numbers, inputs and functions can stand in a formula")

    def _call(self, node: ast.Call, depth: int) -> Node:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name not in _FUNCTIONS:
            hint = did_you_mean(name, _FUNCTIONS) if name else ""
            raise self._refusal(node.func, f"the functions are {' '.join(_FUNCTIONS)}.{hint}".rstrip("."))
        wanted = 2 if name == "atan2" else 1
        if node.keywords or len(node.args) != wanted:
            raise self._refusal(node, f"{name} takes {wanted} argument{'s' if wanted > 1 else ''}")
        return Node(function=_FUNCTIONS[name], arguments=tuple(self.read(each, depth + 1) for each in node.args))

    def _name(self, node: ast.Name) -> Node:
        if node.id in self._allowed:
            return Node(function="name", name=node.id)
        if node.id in _CONSTANTS:
            return expression.number(_CONSTANTS[node.id])
        options = sorted(self._allowed)
        raise self._refusal(node, f"no input has that name; there are {options}.{did_you_mean(node.id, options)}")

    def _number(self, node: ast.Constant) -> Node:
        given = node.value
        if isinstance(given, bool) or not isinstance(given, int | float):
            raise self._refusal(node, f"a {type(node.value).__name__} is not a decimal number")
        try:
            value = float(given)
        except OverflowError:
            value = math.inf
        if not math.isfinite(value):
            raise self._refusal(node, "the number is too large")
        return expression.number(value)

    def _refusal(self, node: ast.AST, reason: str) -> UncertaintyError:
        token = ast.get_source_segment(self._text, node) or type(node).__name__
        column = getattr(node, "col_offset", 0) + 1
        msg = f"the formula has {token[:40]!r} at character {column}: {reason}"
        return UncertaintyError(msg)
