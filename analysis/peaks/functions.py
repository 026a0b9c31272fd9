"""Any lmfit model as a function of many parameter sets at once: evaluation and the probe of what it can do.

A user's numpy function is called with parameters of shape `(spectrum, 1)` against an axis of shape
`(channel,)` if a probe shows that this gives what one set at a time gives; else it is called in a loop.
An ExpressionModel is never evaluated as Python: its text must be arithmetic of the closed grammar.

Not here: derivatives (`analysis.peaks.differences`), the sums that the compiled kernel knows
(`analysis.peaks.compile`).
"""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import lmfit
import numpy as np

from analysis.core import ModelError
from analysis.peaks import opcodes as op
from analysis.peaks.compile import required_names
from analysis.peaks.terms import axis_names
from analysis.peaks.ties import Program, parse

__all__ = ["Function", "probe", "variables_of"]

Numbers = np.ndarray[Any, np.dtype[Any]]
Floats = np.ndarray[Any, np.dtype[np.float64]]
PROBES = 3
SAME = 1e-9
_MODEL = "<model>"
_UNARY: Mapping[int, Callable[[Any], Any]] = {
    op.NEGATE: np.negative,
    op.SQRT: np.sqrt,
    op.EXP: np.exp,
    op.LOG: np.log,
    op.SIN: np.sin,
    op.COS: np.cos,
    op.TAN: np.tan,
    op.ASIN: np.arcsin,
    op.ABS: np.abs,
}
_BINARY: Mapping[int, Callable[[Any, Any], Any]] = {
    op.ADD: np.add,
    op.SUBTRACT: np.subtract,
    op.MULTIPLY: np.multiply,
    op.DIVIDE: np.divide,
    op.POWER: np.power,
    op.MAXIMUM: np.maximum,
    op.MINIMUM: np.minimum,
}


@dataclass(frozen=True, kw_only=True)
class Function:
    """A model as a function of arrays of parameters."""

    model: lmfit.Model
    names: tuple[str, ...]
    """The parameters that it takes."""
    variables: tuple[str, ...]
    """The independent variables, in the order of the axes."""
    broadcasts: bool = True

    @cached_property
    def programs(self) -> dict[int, Program]:
        """The arithmetic of each ExpressionModel, by the identity of the model."""
        return {
            id(part): parse(part.expr, names=(*required_names(part), *part.independent_vars), owner=_MODEL)
            for part in self.model.components
            if isinstance(part, lmfit.models.ExpressionModel)
        }

    def __call__(self, axes: Floats, columns: Mapping[str, Numbers]) -> Numbers:
        """Evaluate the model.

        Parameters
        ----------
        axes:
            Dims `(variable, channel)`.
        columns:
            Parameters by name, dims `(spectrum,)`, real or complex.

        Returns
        -------
        :
            Dims `(spectrum, channel)`; NaN where a function raised for the values of one spectrum.
        """
        count = len(next(iter(columns.values())))
        shape = (count, axes.shape[1])
        with np.errstate(all="ignore"):
            if self.broadcasts and count:
                try:
                    given = {name: column[:, None] for name, column in columns.items()}
                    return np.broadcast_to(np.asarray(self._of(self.model, axes, given)), shape)
                except Exception:  # noqa: BLE001 - a function may raise anything; the loop finds for which spectrum
                    return self._loop(axes, columns, shape)
            return self._loop(axes, columns, shape)

    def _loop(self, axes: Floats, columns: Mapping[str, Numbers], shape: tuple[int, int]) -> Numbers:
        out = np.full(shape, np.nan, dtype=np.result_type(float, *(column.dtype for column in columns.values())))
        for s in range(shape[0]):
            try:
                made = np.asarray(self.one(axes, {name: column[s] for name, column in columns.items()}))
                out[s] = made if np.iscomplexobj(out) else made.real
            except Exception:  # noqa: BLE001, S112 - it stays NaN, and the fit says so
                continue
        return out

    def one(self, axes: Floats, values: Mapping[str, Any]) -> Any:  # noqa: ANN401 - what a user's function returns
        """Evaluate the model for one set of numbers, as lmfit would.

        Parameters
        ----------
        axes:
            Dims `(variable, channel)`.
        values:
            Parameters by name.

        Returns
        -------
        :
            Whatever the model returns.
        """
        return self._of(self.model, axes, values)

    def _of(self, model: lmfit.Model, axes: Floats, values: Mapping[str, Any]) -> Any:  # noqa: ANN401
        if isinstance(model, lmfit.model.CompositeModel):
            return model.op(self._of(model.left, axes, values), self._of(model.right, axes, values))
        along = {name: axes[self.variables.index(name)] for name in model.independent_vars if name in self.variables}
        if id(model) in self.programs:
            return _run(self.programs[id(model)], [*(values[n] for n in required_names(model)), *along.values()])
        own = {root: values[model.prefix + root] for root in model._param_root_names}  # noqa: SLF001
        return model.func(**model.opts, **along, **own)


def _run(program: Program, operands: list[Any]) -> Any:  # noqa: ANN401
    """Evaluate postfix arithmetic with numpy."""
    stack: list[Any] = []
    for operation, argument in zip(program.ops, program.args, strict=True):
        if operation == op.CONSTANT:
            stack.append(argument)
        elif operation == op.LOAD:
            stack.append(operands[int(argument)])
        elif operation in _UNARY:
            stack.append(_UNARY[operation](stack.pop()))
        else:
            second, first = stack.pop(), stack.pop()
            stack.append(_BINARY[operation](first, second))
    return stack[0]


def variables_of(model: lmfit.Model) -> tuple[str, ...]:
    """List the independent variables of a model in the order in which its axes are given.

    Parameters
    ----------
    model:
        Any lmfit model.

    Returns
    -------
    :
        The names, those of the first component first.
    """
    return tuple(axis_names(model))


def probe(
    model: lmfit.Model, axes: Floats, points: Mapping[str, Floats], variables: Sequence[str] | None = None
) -> Function:
    """Call a model at a few points and see whether it takes many parameter sets at once.

    Parameters
    ----------
    model:
        Any lmfit model.
    axes:
        Dims `(variable, channel)`.
    points:
        Parameters by name, dims `(point,)`, the start first.
    variables:
        What the axes are; None takes the independent variables of the model in their order.

    Returns
    -------
    :
        The function.

    Raises
    ------
    ModelError
        If the model raises at the start, or returns something that is not one real number a channel.
    """
    function = Function(
        model=model, names=tuple(required_names(model)), variables=tuple(variables or variables_of(model))
    )
    _require_arithmetic(function)
    singles = _singles(function, axes, points)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            given = {name: column[:, None] for name, column in points.items()}
            together = np.broadcast_to(np.asarray(function._of(model, axes, given)), singles.shape)  # noqa: SLF001
        except Exception:  # noqa: BLE001 - whatever it raises, it does not broadcast
            together = np.full(singles.shape, np.inf)
    size = np.nanmax(np.abs(singles), axis=1, initial=0.0)[:, None]
    near = np.abs(together - singles) <= SAME * np.where(np.isfinite(size), size, 0.0)
    same = near | (np.isnan(together) & np.isnan(singles)) | (together == singles)
    broadcasts = bool(same.all()) and bool(np.isrealobj(together))
    return replace(function, broadcasts=broadcasts)


def _require_arithmetic(function: Function) -> None:
    try:
        _ = function.programs
    except ModelError as error:
        texts = [p.expr for p in function.model.components if isinstance(p, lmfit.models.ExpressionModel)]
        msg = f"the batched engine takes an ExpressionModel only if it is arithmetic, got {texts}: {error}"
        if "engine='lmfit'" not in msg:
            msg += " Fit with engine='lmfit', or write it as a numpy function: lmfit.Model(function)"
        raise ModelError(msg) from error


def _singles(function: Function, axes: Floats, points: Mapping[str, Floats]) -> Floats:
    count = len(next(iter(points.values())))
    out = np.full((count, axes.shape[1]), np.nan)
    for s in range(count):
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                made = np.asarray(function.one(axes, {name: float(column[s]) for name, column in points.items()}))
        except Exception as error:
            if s:
                continue
            values = {name: float(column[s]) for name, column in points.items()}
            msg = (
                f"{_called(function.model)} raised {type(error).__name__} at the starting values {values}: {error}. "
                "Correct it, or try engine='lmfit'"
            )
            raise ModelError(msg) from error
        _require_curve(function.model, made, axes.shape[1])
        out[s] = made
    return out


def _require_curve(model: lmfit.Model, made: Numbers, channels: int) -> None:
    if made.shape not in {(channels,), (), (1,)}:
        msg = (
            f"{_called(model)} returned an array of shape {made.shape}; wanted one value for each of the {channels} "
            "channels. Let it compute with the axis as a whole array"
        )
        raise ModelError(msg)
    if made.dtype.kind not in "fiub":
        msg = (
            f"{_called(model)} returned {made.dtype} for real parameters; wanted real numbers. Return np.real(...) "
            "of it, or its two parts one after the other"
        )
        raise ModelError(msg)


def _called(model: lmfit.Model) -> str:
    names = [getattr(part.func, "__name__", type(part).__name__) for part in model.components]
    return f"the function {names[0]!r}" if len(names) == 1 else f"the model of the functions {names}"
