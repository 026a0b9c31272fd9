"""A global fit as one least-squares problem: residuals of all data sets over the joint parameters.

Each data set is compiled by itself with all its parameters free; the chain rule carries its normal equations to the
joint parameters, which give them the shape of an arrow.
Not here: the steps (`analysis.peaks.joint_solve`), names (`analysis.peaks.joint_names`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import lmfit
import numpy as np

from analysis.peaks import kernel_cache
from analysis.peaks.arrow import Arrow, Places
from analysis.peaks.compile import Plan, compile_plan
from analysis.peaks.joint_names import Naming
from analysis.peaks.outcome import chain_rule

__all__ = ["Part", "Problem", "compile_part", "make", "movers"]

Floats = np.ndarray[Any, np.dtype[np.float64]]
Ints = np.ndarray[Any, np.dtype[np.int64]]
Gradients = Callable[["Part", Floats, Floats], Floats]


@dataclass(frozen=True, kw_only=True)
class Part:
    """One entry: spectra on one axis with one model; masked points have data and weights 0."""

    model: lmfit.Model
    plan: Plan
    axis: Floats
    data: Floats
    weights: Floats


@dataclass(frozen=True, kw_only=True)
class _Member:
    """Where one spectrum stands: its row in a part, its parameters, and the free ones that move them."""

    row: int
    takes: Ints
    columns: Ints
    own: Ints
    """Positions within `columns` of its own free parameters."""
    border: Ints
    """Positions within `columns` of those that also move others."""
    border_at: Ints
    """Where those stand in the border."""


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Everything that does not change while the fit runs. θ = `mix` @ u for the free parameters."""

    naming: Naming
    parts: tuple[Part, ...]
    members: tuple[tuple[_Member, ...], ...]
    places: Places
    mix: Floats
    mixed: bool

    def start(self) -> Floats:
        """Return where the free parameters u start."""
        plan = self.naming.plan
        inside: Floats = np.clip(plan.start[plan.free], plan.low, plan.high)
        if self.mixed:
            inside = np.linalg.solve(self.mix, inside).astype(float)
        return inside

    def values(self, u: Floats) -> tuple[Floats, Floats]:
        """Return all parameters and their derivatives to u."""
        plan = self.naming.plan
        values = plan.start.copy()
        values[plan.free] = self.mix @ u if self.mixed else u
        full, chain = chain_rule(plan, values[None])
        return full[0], chain[0] @ self.mix if self.mixed else chain[0]

    def local(self, part: Part, members: Sequence[_Member], values: Floats) -> Floats:
        """Return the kernel's parameters of each spectrum of a part."""
        taken = np.stack([values[member.takes] for member in members])
        made: Floats = np.ascontiguousarray(taken @ part.plan.unmix.T, dtype=float)
        return made

    def equations(self, u: Floats) -> tuple[float, Floats, Arrow]:
        """Compute χ², the gradient of ½χ², and JᵀJ."""
        values, chain = self.values(u)
        engine = kernel_cache.load("batched").solve
        count, slots = self.places.own.shape
        border = self.places.border.size
        arrow = Arrow(
            places=self.places, own=np.zeros((count, slots, slots)), side=np.zeros((count, slots, border)),
            core=np.zeros((border, border)),
        )  # fmt: skip
        gradient = np.zeros(self.places.size)
        total, at = 0.0, 0
        for part, members in zip(self.parts, self.members, strict=True):
            own = self.local(part, members, values)
            plan = part.plan
            chisqr, slope, normal = engine.equations(plan, part.axis, part.data, part.weights, values=own, u=own)
            total += float(chisqr.sum())
            for member in members:
                move = plan.unmix @ chain[np.ix_(member.takes, member.columns)]
                gradient[member.columns] += move.T @ slope[member.row]
                _add(arrow, at, member, move.T @ normal[member.row] @ move)
                at += 1
        return total, gradient, arrow

    def chisqr_of(self, u: Floats) -> Floats:
        """Compute what each spectrum contributes to χ²."""
        values, _ = self.values(u)
        engine = kernel_cache.load("batched").solve
        out = []
        for part, members in zip(self.parts, self.members, strict=True):
            own = self.local(part, members, values)
            out.append(engine.equations(part.plan, part.axis, part.data, part.weights, values=own, u=own)[0])
        return np.concatenate(out)

    def collect(self, u: Floats, slopes: Sequence[Floats]) -> Floats:
        """Carry derivatives of each spectrum's ½χ² to the joint parameters, dims `(free, …)`."""
        _, chain = self.values(u)
        out = np.zeros((self.places.size, *slopes[0].shape[2:]))
        for part, members, slope in zip(self.parts, self.members, slopes, strict=True):
            for member in members:
                move = part.plan.unmix @ chain[np.ix_(member.takes, member.columns)]
                out[member.columns] += np.tensordot(move.T, slope[member.row], axes=1)
        return out


def _add(arrow: Arrow, at: int, member: _Member, block: Floats) -> None:
    count = member.own.size
    arrow.own[at, :count, :count] += block[np.ix_(member.own, member.own)]
    arrow.side[at][np.ix_(np.arange(count), member.border_at)] += block[np.ix_(member.own, member.border)]
    arrow.core[np.ix_(member.border_at, member.border_at)] += block[np.ix_(member.border, member.border)]


def compile_part(model: lmfit.Model, needs: Sequence[str], axis: Floats, data: Floats, weights: Floats) -> Part:
    """Compile the model of one entry with all its parameters free.

    Parameters
    ----------
    model:
        Sum of built-in models.
    needs:
        Its parameters.
    axis:
        Dims `(channel,)`.
    data, weights:
        Dims `(spectrum, channel)`, 0 where masked.

    Returns
    -------
    :
        The part.
    """
    params = lmfit.Parameters()
    for name in needs:
        params.add(name, value=1.0)
    return Part(model=model, plan=compile_plan(model, params, axis), axis=axis, data=data, weights=weights)


def make(naming: Naming, parts: Sequence[Part], rows: Sequence[Sequence[int]]) -> Problem:
    """Sort the free parameters into those of one spectrum and those of the border.

    Parameters
    ----------
    naming:
        From `joint_plan`.
    parts:
        The entries.
    rows:
        For each part the rows of `naming.takes` of its spectra.

    Returns
    -------
    :
        The problem.
    """
    plan = naming.plan
    moves = movers(naming)
    columns = [sorted(set().union(*(moves[k] for k in naming.takes[row]))) for part in rows for row in part]
    times = np.zeros(plan.free.size, dtype=int)
    for chosen in columns:
        times[chosen] += 1
    border = np.flatnonzero(times != 1)
    at_border = {int(j): k for k, j in enumerate(border)}
    slots = max((sum(times[j] == 1 for j in chosen) for chosen in columns), default=0)
    own = np.full((len(columns), max(slots, 1)), -1, dtype=np.int64)
    members, at = [], 0
    for part in rows:
        found: list[_Member] = []
        for row in part:
            chosen = columns[at]
            mine = [k for k, j in enumerate(chosen) if times[j] == 1]
            rest = [k for k, j in enumerate(chosen) if times[j] != 1]
            own[at, : len(mine)] = [chosen[k] for k in mine]
            found.append(
                _Member(
                    row=len(found), takes=np.array(naming.takes[row]), columns=np.array(chosen, dtype=np.int64),
                    own=np.array(mine, dtype=np.int64), border=np.array(rest, dtype=np.int64),
                    border_at=np.array([at_border[chosen[k]] for k in rest], dtype=np.int64),
                )
            )  # fmt: skip
            at += 1
        members.append(tuple(found))
    places = Places(own=own, border=border.astype(np.int64), size=plan.free.size)
    mix = _mix(naming, parts, members, times)
    return Problem(
        naming=naming, parts=tuple(parts), members=tuple(members), places=places, mix=mix,
        mixed=bool((mix != np.eye(len(mix))).any()),
    )  # fmt: skip


def movers(naming: Naming) -> list[set[int]]:
    """Give for each parameter the free ones that move it.

    Parameters
    ----------
    naming:
        From `joint_plan`.

    Returns
    -------
    :
        For each parameter positions among the free ones.
    """
    plan = naming.plan
    index = {name: k for k, name in enumerate(plan.names)}
    found: list[set[int]] = [set() for _ in plan.names]
    for j, k in enumerate(plan.free):
        found[k] = {j}
    for k, program in plan.tied:
        found[k] = set().union(*(found[index[name]] for name in program.names))
    return found


def _mix(naming: Naming, parts: Sequence[Part], members: Sequence[Sequence[_Member]], times: Ints) -> Floats:
    """Let polynomials that belong to one spectrum, unbounded and untied, keep the kernel's centred coefficients."""
    plan = naming.plan
    position = {int(k): j for j, k in enumerate(plan.free)}
    used = {plan.names.index(name) for _, program in plan.tied for name in program.names}
    mix = np.eye(plan.free.size)
    for part, group in zip(parts, members, strict=True):
        moved = part.plan.mix != np.eye(len(part.plan.mix))
        at = np.flatnonzero(moved.any(axis=0) | moved.any(axis=1))
        for member in group:
            joint = member.takes[at]
            free = [position.get(int(k), -1) for k in joint]
            if not at.size or -1 in free or used & set(joint.tolist()) or (times[free] != 1).any():
                continue
            if np.isfinite(plan.low[free]).any() or np.isfinite(plan.high[free]).any():
                continue
            mix[np.ix_(free, free)] = part.plan.mix[np.ix_(at, at)]
    return mix
