"""Parameters of a global fit: which exist once, which for each data set, and under what name.

Not here: the tables for the kernel (`analysis.peaks.joint_problem`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import lmfit
import numpy as np

from analysis.core import ModelError, did_you_mean
from analysis.peaks import ties
from analysis.peaks.compile import ParameterPlan, in_order, require_value
from analysis.peaks.opcodes import LOAD

__all__ = ["Member", "Naming", "joint_plan"]


@dataclass(frozen=True, kw_only=True)
class Member:
    """One spectrum of a global fit: its label, the data set that it belongs to, and what its model takes."""

    label: str
    entry: str
    needs: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Naming:
    """All parameters in order, and for each member those that its model takes, by position."""

    plan: ParameterPlan
    units_from: tuple[tuple[str, str], ...]
    """For each parameter the entry and the plain name that it was made from; `("", name)` for helpers."""
    takes: tuple[tuple[int, ...], ...]


def joint_plan(members: Sequence[Member], params: lmfit.Parameters, shared: Sequence[str]) -> Naming:
    """Name the parameters of all members and compile their ties.

    Parameters
    ----------
    members:
        The spectra.
    params:
        Plain names (start of each data set), full names `<dataset>_<parameter>` (one data set), and helpers.
    shared:
        Parameters that exist once.

    Returns
    -------
    :
        The plan.

    Raises
    ------
    ModelError
        If names are missing, unknown or ambiguous, a value or an expression cannot be used, or none is free.
    """
    plain = list(dict.fromkeys(name for member in members for name in member.needs))
    _require_shared(shared, plain, params)
    table = _Table(members, params, shared, plain)
    names = tuple(table.made)
    index = {name: k for k, name in enumerate(names)}
    programs = {name: table.program(name, index) for name, (_, par) in table.made.items() if par.expr}
    for name, (_, par) in table.made.items():
        require_value(name, par)
    values = [par for _, par in table.made.values()]
    free = [k for k, par in enumerate(values) if par.vary and not par.expr]
    if not free:
        msg = "no parameter is free; got all fixed or tied. Set vary=True on at least one"
        raise ModelError(msg)
    plan = ParameterPlan(
        names=names,
        start=np.array([par.value for par in values], dtype=float),
        free=np.array(free, dtype=np.int64),
        low=np.array([values[k].min for k in free], dtype=float),
        high=np.array([values[k].max for k in free], dtype=float),
        tied=in_order(programs, names),
    )
    takes = tuple(tuple(index[table.resolve(name, member)] for name in member.needs) for member in members)
    return Naming(plan=plan, units_from=tuple(table.origin[name] for name in names), takes=takes)


def _require_shared(shared: Sequence[str], plain: Sequence[str], params: lmfit.Parameters) -> None:
    if isinstance(shared, str):
        msg = f"shared must be a list of names, got the text {shared!r}; write [{shared!r}]"
        raise ModelError(msg)
    for name in shared:
        if name not in plain:
            msg = f"shared names {name!r}, which no model takes; they take {list(plain)}.{did_you_mean(name, plain)}"
            raise ModelError(msg)
        if name not in params:
            msg = f"params lack the shared {name!r}; add it: params.add({name!r}, value=...)"
            raise ModelError(msg)


class _Table:
    """Makes the joint names; `made` maps each to its member (None: exists once) and its lmfit parameter."""

    def __init__(
        self, members: Sequence[Member], params: lmfit.Parameters, shared: Sequence[str], plain: Sequence[str]
    ) -> None:
        self.params = params
        self.made: dict[str, tuple[Member | None, lmfit.Parameter]] = {}
        self.origin: dict[str, tuple[str, str]] = {}
        self.full = {f"{each}_{name}" for m in members for each in (m.label, m.entry) for name in plain}
        _require_clear(self.full, plain, shared, members, params)
        extra = [name for name in params if name not in plain and name not in self.full]
        own = set(plain) - set(shared)
        self.each = self._for_each(extra, own)
        self.once = {*shared, *(name for name in extra if name not in self.each)}
        _require_used(extra, params, plain)
        for name in shared:
            first = next(member for member in members if name in member.needs)
            self._make(name, None, params[name], (first.entry, name))
        for member in members:
            for name in [*(n for n in member.needs if n in own), *self._derived_of(member)]:
                self._make(f"{member.label}_{name}", member, self._chosen(member, name), (member.entry, name))
        for name in extra:
            if name in self.once:
                self._make(name, None, params[name], ("", name))

    def _uses(self, name: str) -> tuple[str, ...]:
        return ties.parse(self.params[name].expr, names=list(self.params), owner=name).names

    def _for_each(self, extra: Sequence[str], own: set[str]) -> dict[str, tuple[str, ...]]:
        """Find the extra expressions that use what exists for each data set: those exist for each too."""
        uses = {name: self._uses(name) for name in extra if self.params[name].expr}
        found: dict[str, tuple[str, ...]] = {}
        while True:
            more = {n: used for n, used in uses.items() if n not in found and (own | set(found)) & set(used)}
            if not more:
                return {name: used for name, used in uses.items() if name in found}
            found |= more

    def _derived_of(self, member: Member) -> list[str]:
        """List the extra expressions of which a member has all that they use."""
        has = {*member.needs, *self.once, *self.full}
        found: list[str] = []
        while True:
            more = [n for n, used in self.each.items() if n not in found and set(used) <= {*has, *found}]
            if not more:
                return found
            found += more

    def _make(self, name: str, member: Member | None, par: lmfit.Parameter, origin: tuple[str, str]) -> None:
        self.made[name] = (member, par)
        self.origin[name] = origin

    def _chosen(self, member: Member, name: str) -> lmfit.Parameter:
        for key in (f"{member.label}_{name}", f"{member.entry}_{name}", name):
            if key in self.params:
                return self.params[key]
        msg = (
            f"params lack {name!r} of data set {member.entry!r}; add {name!r} for all data sets, or "
            f"'{member.entry}_{name}' for this one"
        )
        raise ModelError(msg)

    def resolve(self, name: str, member: Member | None) -> str:
        """Give the joint name that a name means in the expressions and the model of a member."""
        if member is not None and name not in self.once and f"{member.label}_{name}" in self.made:
            return f"{member.label}_{name}"
        if name in self.made:
            return name
        where = "that exists once" if member is None else f"of data set {member.label!r}"
        msg = (
            f"an expression {where} uses {name!r}, which is not there; a parameter of one data set is named "
            f"<dataset>_<parameter>; known are {list(self.made)[:20]}.{did_you_mean(name, self.made)}"
        )
        raise ModelError(msg)

    def program(self, name: str, index: Mapping[str, int]) -> ties.Program:
        """Compile the expression of a joint parameter."""
        member, par = self.made[name]
        known = list(self.params)
        owner = self.origin[name][1]
        parsed = ties.parse(par.expr, names=known, owner=owner if owner in self.params else name)
        to = [index[self.resolve(known[int(a)], member)] if o == LOAD else a for o, a in _code(parsed)]
        joint = replace(
            parsed,
            args=tuple(float(a) for a in to),
            names=tuple(self.resolve(used, member) for used in parsed.names),
        )
        return ties.clipped(joint, par.min, par.max)


def _code(program: ties.Program) -> list[tuple[int, float]]:
    return list(zip(program.ops, program.args, strict=True))


def _require_clear(
    full: set[str], plain: Sequence[str], shared: Sequence[str], members: Sequence[Member], params: lmfit.Parameters
) -> None:
    twice = sorted(full & set(plain))
    if twice:
        msg = f"{twice[0]!r} is a parameter of a model and also that of a data set; rename the data set"
        raise ModelError(msg)
    both = [f"{m.entry}_{name}" for m in members for name in shared if f"{m.entry}_{name}" in params]
    if both:
        msg = f"{both[0]!r} is set for one data set, and its parameter is shared; take it out of one of the two"
        raise ModelError(msg)


def _require_used(extra: Sequence[str], params: lmfit.Parameters, plain: Sequence[str]) -> None:
    names = list(params)
    used = {n for name, par in params.items() if par.expr for n in ties.parse(par.expr, names=names, owner=name).names}
    for name in extra:
        if not params[name].expr and name not in used:
            msg = (
                f"parameter {name!r} is taken by no model and used by no expression; models take {list(plain)}, one "
                f"data set's own is <dataset>_<parameter>.{did_you_mean(name, plain)}"
            )
            raise ModelError(msg)
