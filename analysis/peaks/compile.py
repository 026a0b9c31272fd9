"""An lmfit model and its parameters → the flat tables that the batched engine reads.

Not here: models and parameters as text (`analysis.peaks.language`), expressions (`analysis.peaks.ties`).
"""

import math
import operator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import lmfit
import numpy as np

from analysis.core import ModelError, did_you_mean
from analysis.peaks import kinds, ties
from analysis.peaks.polynomials import shift_matrix
from analysis.peaks.status import ParameterStatus
from analysis.peaks.terms import leaf

__all__ = [
    "Component",
    "Plan",
    "compile_plan",
    "components",
    "in_order",
    "is_known",
    "parameter_plan",
    "require_value",
    "required_names",
]

Floats = np.ndarray[Any, np.dtype[np.float64]]
Ints = np.ndarray[Any, np.dtype[np.int64]]
_SIGNS = {operator.add: 1.0, operator.sub: -1.0}


@dataclass(frozen=True, kw_only=True)
class Component:
    """One term of a sum: kind code, its parameters in the engine's order, and its sign."""

    label: str
    kind: int
    names: tuple[str, ...]
    sign: float


@dataclass(frozen=True, kw_only=True)
class ParameterPlan:
    """Which parameters are free, fixed and tied; the tied ones in an order that can be computed."""

    names: tuple[str, ...]
    start: Floats
    free: Ints
    low: Floats
    high: Floats
    tied: tuple[tuple[int, ties.Program], ...]

    @cached_property
    def tables(self) -> tuple[Any, ...]:
        """The ties as the compiled code reads them."""
        return _tables(list(self.tied))

    @cached_property
    def state(self) -> Ints:
        """What each parameter is, as `ParameterStatus`."""
        state: Ints = np.full(len(self.names), ParameterStatus.FIXED, dtype=np.int8)
        state[self.free] = ParameterStatus.FREE
        state[[at for at, _ in self.tied]] = ParameterStatus.TIED
        return state


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What the kernel reads. Free parameters θ = `mix` @ u with u the kernel's own, better conditioned."""

    parameters: ParameterPlan
    components: tuple[Component, ...]
    layout: tuple[Any, ...]
    ties: tuple[Any, ...]
    mix: Floats
    unmix: Floats
    span: Floats
    """The largest standard error of each of u that means anything."""


def components(model: lmfit.Model) -> tuple[Component, ...]:
    """Take a model apart into the terms of its sum.

    Parameters
    ----------
    model:
        A built-in lmfit model, or sums and differences of them.

    Returns
    -------
    :
        Its terms from left to right.

    Raises
    ------
    ModelError
        If the batched engine does not know a term or an operator.
    """
    return tuple(_terms(model, 1.0))


def _terms(model: lmfit.Model, sign: float) -> list[Component]:
    if isinstance(model, lmfit.model.CompositeModel):
        if model.op not in _SIGNS:
            name = getattr(model.op, "__name__", str(model.op))
            msg = (
                f"the batched engine adds and subtracts components; this model combines them by {name!r}: "
                f"{model.name}. Fit with engine='lmfit'"
            )
            raise ModelError(msg)
        return _terms(model.left, sign) + _terms(model.right, sign * _SIGNS[model.op])
    kind, parts = leaf(model)
    label = model.prefix.rstrip("_") or type(model).__name__.removesuffix("Model").lower()
    return [Component(label=label, kind=kind, names=tuple(model.prefix + p for p in parts), sign=sign)]


def is_known(model: lmfit.Model) -> bool:
    """Say whether the compiled kernel can fit a model.

    Parameters
    ----------
    model:
        Any lmfit model.

    Returns
    -------
    :
        True for sums and differences of line shapes that it knows.
    """
    try:
        components(model)
    except ModelError:
        return False
    return True


def required_names(model: lmfit.Model) -> list[str]:
    """List the parameters that the functions of a model take, without derived ones.

    Parameters
    ----------
    model:
        Any lmfit model.

    Returns
    -------
    :
        Names with prefixes.
    """
    return [
        part.prefix + root
        for part in model.components
        for root in part._param_root_names or part.param_names  # noqa: SLF001 - an expression has no roots
    ]


def parameter_plan(model: lmfit.Model, params: lmfit.Parameters, *, parse: bool = True) -> ParameterPlan:
    """Sort parameters into free, fixed and tied ones, after their check.

    Parameters
    ----------
    model:
        Any lmfit model.
    params:
        Its parameters; extra ones are allowed if an expression uses them.
    parse:
        False leaves expressions to lmfit: tied parameters then count as fixed here.

    Returns
    -------
    :
        The plan.

    Raises
    ------
    ModelError
        If parameters are missing, unknown, not finite, outside their bounds, none is free, or a tie
        cannot be read.
    """
    needed = required_names(model)
    names = tuple(params)
    _require_parameters(needed, names)
    programs = {
        name: ties.clipped(ties.parse(par.expr, names=names, owner=name), par.min, par.max)
        for name, par in params.items()
        if par.expr and parse
    }
    used = {n for program in programs.values() for n in program.names}
    for name, par in params.items():
        if name not in needed and not par.expr and name not in used and parse:
            msg = f"parameter {name!r} is unknown to the model; it takes {needed}.{did_you_mean(name, needed)}"
            raise ModelError(msg)
        require_value(name, par)
    free = [k for k, par in enumerate(params.values()) if par.vary and not par.expr]
    if not free:
        msg = "no parameter is free; got all fixed or tied. Set vary=True on at least one, or use model.eval(...)"
        raise ModelError(msg)
    values = list(params.values())
    return ParameterPlan(
        names=names,
        start=np.array([par.value for par in values], dtype=float),
        free=np.array(free, dtype=np.int64),
        low=np.array([values[k].min for k in free], dtype=float),
        high=np.array([values[k].max for k in free], dtype=float),
        tied=in_order(programs, names),
    )


def _require_parameters(needed: list[str], names: tuple[str, ...]) -> None:
    missing = [name for name in needed if name not in names]
    if missing:
        hint = did_you_mean(missing[0], names)
        msg = (
            f"params lack {missing}; the model takes {needed}.{hint} Start from model.make_params() or peaks.guess(...)"
        )
        raise ModelError(msg)


def require_value(name: str, par: lmfit.Parameter) -> None:
    """Refuse a parameter that has nothing to start from.

    Parameters
    ----------
    name:
        Of the parameter.
    par:
        The parameter; one that is tied needs no value.

    Raises
    ------
    ModelError
        If its value is not a finite number.
    """
    if par.expr:
        return
    value = par.value
    if value is None or not math.isfinite(value):
        msg = f"parameter {name!r} starts at {value}; wanted a finite number. Set it: params[{name!r}].set(value=...)"
        raise ModelError(msg)


def in_order(programs: dict[str, ties.Program], names: tuple[str, ...]) -> tuple[tuple[int, ties.Program], ...]:
    """Order tied parameters so that each comes after those it uses.

    Parameters
    ----------
    programs:
        Expressions by the parameter that they define.
    names:
        All parameters.

    Returns
    -------
    :
        Positions and programs.

    Raises
    ------
    ModelError
        If they depend on each other in a circle.
    """
    done: dict[str, None] = {}

    def visit(name: str, path: tuple[str, ...]) -> None:
        if name in path:
            msg = f"the expressions of {sorted({*path})} depend on each other in a circle; free one of them"
            raise ModelError(msg)
        if name in done or name not in programs:
            return
        for used in programs[name].names:
            visit(used, (*path, name))
        done[name] = None

    for name in programs:
        visit(name, ())
    return tuple((names.index(name), programs[name]) for name in done)


def compile_plan(model: lmfit.Model, params: lmfit.Parameters, axis: Floats) -> Plan:
    """Compile a model for the batched engine.

    Parameters
    ----------
    model:
        Sum of built-in lmfit models.
    params:
        Its parameters.
    axis:
        Axis values, dims `(channel,)`, in the axis's units; polynomials are centred on it inside.

    Returns
    -------
    :
        The tables.

    Raises
    ------
    ModelError
        If the batched engine cannot fit this model or these parameters.
    """
    terms = components(model)
    parameters = parameter_plan(model, params)
    names = parameters.names
    source = np.array([names.index(n) for term in terms for n in term.names], dtype=np.int64)
    needed = _kernel_ties(parameters, set(source.tolist()))
    first = np.cumsum([0, *(len(term.names) for term in terms)]).astype(np.int64)
    origin, inverse = np.zeros(len(terms)), np.ones(len(terms))
    mix, unmix = np.eye(parameters.free.size), np.eye(parameters.free.size)
    for c, term in enumerate(terms):
        at = _centred(term, parameters)
        if at is not None:
            origin[c] = 0.5 * (axis[0] + axis[-1])
            half = 0.5 * abs(axis[-1] - axis[0]) or 1.0
            inverse[c] = 1.0 / half
            mix[np.ix_(at, at)] = shift_matrix(len(at), -origin[c]) / half ** np.arange(len(at))
            unmix[np.ix_(at, at)] = shift_matrix(len(at), origin[c]) * half ** np.arange(len(at))[:, None]
    layout = (
        np.array([term.kind for term in terms], dtype=np.int64),
        first,
        np.array([term.sign for term in terms]),
        origin,
        inverse,
        source,
        _places(parameters, source),
        np.array([role for term in terms for role, _ in _roles(term)], dtype=np.int64),
        np.array([typical for term in terms for _, typical in _roles(term)]),
    )
    return Plan(
        parameters=parameters, components=terms, layout=layout, ties=_tables(needed), mix=mix, unmix=unmix,
        span=_span(layout, axis),
    )  # fmt: skip


def _span(layout: tuple[Any, ...], axis: Floats) -> Floats:
    """Give centres and widths the length of the axis, the others no limit."""
    place, role = layout[6], layout[7]
    along = (place >= 0) & np.isin(role[place], (kinds.CENTER, kinds.WIDTH))
    return np.where(along, np.ptp(axis), np.inf)


def _centred(term: Component, parameters: ParameterPlan) -> list[int] | None:
    """Return the free positions of a polynomial that may be centred: all free, unbounded, used by no tie."""
    if term.kind != kinds.POLYNOMIAL or len(term.names) == 1:
        return None
    used = {name for _, program in parameters.tied for name in program.names}
    free = [parameters.names[k] for k in parameters.free]
    if any(name in used or name not in free for name in term.names):
        return None
    at = [free.index(name) for name in term.names]
    bounded = np.isfinite(parameters.low[at]).any() or np.isfinite(parameters.high[at]).any()
    return None if bounded else at


def _kernel_ties(parameters: ParameterPlan, source: set[int]) -> list[tuple[int, ties.Program]]:
    """Keep the ties that the model needs, in order."""
    wanted = set(source)
    kept = []
    for at, program in reversed(parameters.tied):
        if at in wanted:
            kept.append((at, program))
            wanted |= {parameters.names.index(name) for name in program.names}
    return kept[::-1]


def _places(parameters: ParameterPlan, source: Ints) -> Ints:
    """Give each free parameter its place among those of the components, -1 if only ties use it."""
    at = source.tolist()
    return np.array([at.index(k) if k in at else -1 for k in parameters.free.tolist()], dtype=np.int64)


def _roles(term: Component) -> list[tuple[int, float]]:
    """Say what each parameter of a term does, and how far it may sensibly move: in widths, rates or by itself."""
    if term.kind == kinds.POLYNOMIAL:
        return [(kinds.LINEAR, 0.0)] * len(term.names)
    reach = {kinds.LINEAR: 0.0, kinds.CENTER: 1.0, kinds.WIDTH: 0.5, kinds.RATE: 0.5}
    return [(p.role, reach.get(p.role, p.scale)) for p in kinds.BY_CODE[term.kind].parameters]


def _tables(needed: list[tuple[int, ties.Program]]) -> tuple[Any, ...]:
    start = np.cumsum([0, *(len(program.ops) for _, program in needed)]).astype(np.int64)
    return (
        np.array([o for _, program in needed for o in program.ops], dtype=np.int64),
        np.array([a for _, program in needed for a in program.args], dtype=float),
        start,
        np.array([at for at, _ in needed], dtype=np.int64),
    )
