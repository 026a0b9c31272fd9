"""Expressions that tie parameters, from a closed grammar: parsed, never evaluated as Python.

Allowed: numbers, parameter names, `pi`, `+ - * / **`, unary signs, and the functions `sqrt exp log sin
cos tan asin abs max min gamfcn` (gamma function). lmfit's own expression for the height of a Voigt line, which uses
`wofz`, is recognised as text and rewritten. Anything else is refused.

Not here: the compiled evaluation inside the fit (`analysis.peaks.program`).
"""

import ast
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import digamma, erfcx, gamma

from analysis.core import ModelError, did_you_mean
from analysis.peaks import opcodes as op

__all__ = ["Program", "differentiate", "parse"]

Floats = np.ndarray[Any, np.dtype[Any]]
VOIGT_HEIGHT = (
    "({0}amplitude/(max(1e-15, {0}sigma*sqrt(2*pi))))*real(wofz((1j*{0}gamma)/(max(1e-15, {0}sigma*sqrt(2)))))"
)
VOIGT_HEIGHT_REAL = "{0}amplitude/max(1e-15, {0}sigma*sqrt(2*pi))*erfcx({0}gamma/max(1e-15, {0}sigma*sqrt(2)))"
MAX_LENGTH = 2000
MAX_STACK = 30
_BINARY = {
    ast.Add: op.ADD,
    ast.Sub: op.SUBTRACT,
    ast.Mult: op.MULTIPLY,
    ast.Div: op.DIVIDE,
    ast.Pow: op.POWER,
}
_UNARY = {
    "sqrt": op.SQRT,
    "exp": op.EXP,
    "log": op.LOG,
    "sin": op.SIN,
    "cos": op.COS,
    "tan": op.TAN,
    "asin": op.ASIN,
    "abs": op.ABS,
    "gamfcn": op.GAMMA,
}
_EXTREME = {"max": op.MAXIMUM, "min": op.MINIMUM}


@dataclass(frozen=True, kw_only=True)
class Program:
    """One expression as postfix code; `names` are the parameters that it uses."""

    text: str
    ops: tuple[int, ...]
    args: tuple[float, ...]
    names: tuple[str, ...]


def parse(expression: str, *, names: Sequence[str], owner: str) -> Program:
    """Compile an expression.

    Parameters
    ----------
    expression:
        lmfit's `expr` of a parameter.
    names:
        All parameters, in order; a `LOAD` refers to a position in it.
    owner:
        The parameter that it defines, for messages.

    Returns
    -------
    :
        Its program.

    Raises
    ------
    ModelError
        If the expression is not arithmetic on known parameters.
    """
    if len(expression) > MAX_LENGTH:
        msg = f"the expression of {owner!r} has {len(expression)} characters; at most {MAX_LENGTH} are taken"
        raise ModelError(msg)
    try:
        tree = ast.parse(expression.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError) as error:
        msg = f"the expression of {owner!r} does not parse: {expression!r}. Write arithmetic on parameter names"
        raise ModelError(msg) from error
    writer = _Writer(expression=expression, names=names, owner=owner)
    prefix = owner.removesuffix("height")
    if expression.replace(" ", "") == VOIGT_HEIGHT.format(prefix).replace(" ", ""):
        tree = ast.parse(VOIGT_HEIGHT_REAL.format(prefix), mode="eval")
        writer.functions = {**_UNARY, "erfcx": op.ERFCX}
    writer.visit(tree.body)
    if writer.deepest > MAX_STACK:
        msg = f"the expression of {owner!r} is nested too deeply: {expression!r}. Split it over helper parameters"
        raise ModelError(msg)
    used = tuple(dict.fromkeys(names[int(a)] for o, a in writer.code if o == op.LOAD))
    return Program(
        text=expression,
        ops=tuple(o for o, _ in writer.code),
        args=tuple(a for _, a in writer.code),
        names=used,
    )


def _require_known(used: Sequence[str], names: Sequence[str], owner: str, expression: str) -> None:
    for name in used:
        if name not in names:
            msg = (
                f"the expression of {owner!r} uses {name!r}, which is not a parameter: {expression!r}."
                f"{did_you_mean(name, names)}"
            )
            raise ModelError(msg)


class _Writer:
    """Walks a syntax tree and writes postfix code."""

    def __init__(self, *, expression: str, names: Sequence[str], owner: str) -> None:
        self.expression = expression
        self.names = names
        self.owner = owner
        self.functions = _UNARY
        self.code: list[tuple[int, float]] = []
        self.depth = 0
        self.deepest = 0

    def push(self, operation: int, argument: float) -> None:
        self.code.append((operation, argument))
        self.depth += 1
        self.deepest = max(self.deepest, self.depth)

    def visit(self, node: ast.expr) -> None:
        match node:
            case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
                self.push(op.CONSTANT, float(number))
            case ast.Name(id=name) if name in self.names:
                self.push(op.LOAD, float(self.names.index(name)))
            case ast.Name(id="pi"):
                self.push(op.CONSTANT, math.pi)
            case ast.Name(id=name):
                _require_known([name], self.names, self.owner, self.expression)
            case ast.BinOp(op=operator) if type(operator) in _BINARY:
                self.visit(node.left)
                self.visit(node.right)
                self.merge(_BINARY[type(operator)])
            case ast.UnaryOp(op=ast.USub()):
                self.visit(node.operand)
                self.code.append((op.NEGATE, 0.0))
            case ast.UnaryOp(op=ast.UAdd()):
                self.visit(node.operand)
            case ast.Call(func=ast.Name(id=name), keywords=[]):
                self.call(name, node.args)
            case _:
                self.refuse(ast.unparse(node))

    def merge(self, operation: int) -> None:
        self.code.append((operation, 0.0))
        self.depth -= 1

    def call(self, name: str, arguments: Sequence[ast.expr]) -> None:
        if name in self.functions and len(arguments) == 1:
            self.visit(arguments[0])
            self.code.append((self.functions[name], 0.0))
        elif name in _EXTREME and len(arguments) > 1:
            self.visit(arguments[0])
            for argument in arguments[1:]:
                self.visit(argument)
                self.merge(_EXTREME[name])
        else:
            self.refuse(f"{name}(...)")

    def refuse(self, part: str) -> None:
        msg = (
            f"the expression of {self.owner!r} is not plain arithmetic: {part!r} in {self.expression!r}. "
            f"Allowed are numbers, parameter names, pi, + - * / **, and {', '.join([*_UNARY, *_EXTREME])}; "
            "or fit with engine='lmfit'"
        )
        raise ModelError(msg)


def clipped(program: Program, low: float, high: float) -> Program:
    """Return the program with lmfit's clipping of a tied parameter to its bounds.

    Parameters
    ----------
    program:
        An expression.
    low, high:
        Bounds, infinite where there is none.

    Returns
    -------
    :
        The same program if both are infinite.
    """
    ops, args = list(program.ops), list(program.args)
    for bound, operation in ((low, op.MAXIMUM), (high, op.MINIMUM)):
        if math.isfinite(bound):
            ops += [op.CONSTANT, operation]
            args += [bound, 0.0]
    if len(ops) == len(program.ops):
        return program
    return Program(text=program.text, ops=tuple(ops), args=tuple(args), names=program.names)


Dual = tuple[Floats, dict[int, Floats]]


def differentiate(program: Program, values: Floats) -> Dual:
    """Evaluate a program and its derivatives for many parameter sets.

    Parameters
    ----------
    program:
        From `parse`.
    values:
        All parameters, dims `(spectrum, parameter)`.

    Returns
    -------
    :
        Value, dims `(spectrum,)`, and its derivative to each parameter used, by position.
    """
    stack: list[Dual] = []
    with np.errstate(all="ignore"):
        for operation, argument in zip(program.ops, program.args, strict=True):
            if operation == op.CONSTANT:
                stack.append((np.full(len(values), argument), {}))
            elif operation == op.LOAD:
                at = int(argument)
                stack.append((values[:, at].copy(), {at: np.ones(len(values))}))
            elif operation >= op.NEGATE:
                a, da = stack.pop()
                value, slope = _ONE[operation](a)
                stack.append((value, {k: slope * d for k, d in da.items()}))
            else:
                second, first = stack.pop(), stack.pop()
                stack.append(_combine(operation, first, second))
    return stack[0]


def _combine(operation: int, first: Dual, second: Dual) -> Dual:
    a, da = first
    b, db = second
    value, slope_a, slope_b = _TWO[operation](a, b)
    slopes = {k: slope_a * d for k, d in da.items()}
    for k, d in db.items():
        slopes[k] = slopes[k] + slope_b * d if k in slopes else slope_b * d
    return value, slopes


def _power(a: Floats, b: Floats) -> tuple[Floats, Floats, Floats]:
    value = np.power(a, b)
    slope_a = np.where(b == 0.0, 0.0, b * np.power(a, b - 1.0))
    return value, slope_a, np.where(a > 0.0, value * np.log(np.where(a > 0.0, a, 1.0)), 0.0)


_ONE: Mapping[int, Callable[[Floats], tuple[Floats, Floats]]] = {
    op.NEGATE: lambda a: (-a, np.full_like(a, -1.0)),
    op.SQRT: lambda a: (np.sqrt(a), 0.5 / np.sqrt(a)),
    op.EXP: lambda a: (np.exp(a), np.exp(a)),
    op.LOG: lambda a: (np.log(a), 1.0 / a),
    op.SIN: lambda a: (np.sin(a), np.cos(a)),
    op.COS: lambda a: (np.cos(a), -np.sin(a)),
    op.TAN: lambda a: (np.tan(a), 1.0 + np.tan(a) ** 2),
    op.ASIN: lambda a: (np.arcsin(a), 1.0 / np.sqrt(1.0 - a * a)),
    op.ABS: lambda a: (np.abs(a), np.where(a >= 0.0, 1.0, -1.0)),
    op.GAMMA: lambda a: (gamma(a), gamma(a) * digamma(a)),
    op.ERFCX: lambda a: (erfcx(a), 2.0 * a * erfcx(a) - 2.0 / math.sqrt(math.pi)),
}
_TWO: Mapping[int, Callable[[Floats, Floats], tuple[Floats, Floats, Floats]]] = {
    op.ADD: lambda a, b: (a + b, np.ones_like(a), np.ones_like(a)),
    op.SUBTRACT: lambda a, b: (a - b, np.ones_like(a), np.full_like(a, -1.0)),
    op.MULTIPLY: lambda a, b: (a * b, b, a),
    op.DIVIDE: lambda a, b: (a / b, 1.0 / b, -a / b**2),
    op.POWER: _power,
    op.MAXIMUM: lambda a, b: (np.maximum(a, b), 1.0 * (a >= b), 1.0 * (a < b)),
    op.MINIMUM: lambda a, b: (np.minimum(a, b), 1.0 * (a <= b), 1.0 * (a > b)),
}
