"""Trust-region minimisation of many sums of squares at once, by numpy, accurate where they are ill-conditioned.

Each lane (spectrum) has its own region, bounds and end; arrays only share the call. Steps come from the
singular values of the triangle of (J | r), never from JᵀJ, and an undamped polish takes the parameters to
the last digits. Not here: the model and its derivatives (`analysis.peaks.functions`), the engine around it
(`analysis.peaks.vectorised`).
References: Moré, Lecture Notes in Mathematics 630 (1978) 105; Nocedal & Wright, Numerical Optimization
(2006), ch. 4 and 10.
"""

from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from analysis.peaks.status import Status
from analysis.peaks.triangles import RANK, gain_of, gradient_of, triangle_of, undamped

__all__ = ["End", "Problem", "Rule", "minimise"]

Floats = np.ndarray[Any, np.dtype[np.float64]]
Ints = np.ndarray[Any, np.dtype[Any]]
Bools = np.ndarray[Any, np.dtype[np.bool_]]
GAIN = 1e-11
SMALL_GAIN = 1e-7
ROUNDING = 1e-15
POLISH = 20
SHRINKS = 60
NARROW = 1e-15
WORTH, POOR, WELL = 1e-4, 0.01, 0.5


class Problem(Protocol):
    """What is minimised: half a sum of squares, or what behaves like one."""

    @property
    def scale(self) -> Floats:
        """Size of chi-square that rounding is relative to, one a lane."""
        ...

    def cost(self, theta: Floats, lanes: Ints) -> Floats:
        """Return what is minimised, infinite where the model is not finite."""
        ...

    def linear(self, theta: Floats, lanes: Ints) -> Floats:
        """Return (J | r), dims `(lane, channel, free + 1)`."""
        ...


@dataclass(frozen=True, kw_only=True)
class Rule:
    """How the region begins and what measures it: the columns of J now, at their largest, or θ itself."""

    first: float
    measure: str


@dataclass(frozen=True, kw_only=True)
class End:
    """Where the lanes ended."""

    theta: Floats
    cost: Floats
    gain: Floats
    """What an undamped step would still gain."""
    status: Ints
    steps: Ints
    held: Bools


@dataclass(frozen=True, kw_only=True)
class _Lanes:
    """The lanes under way."""

    lane: Ints
    theta: Floats
    cost: Floats
    triangle: Floats
    size: Floats
    radius: Floats
    steps: Ints
    shrinks: Ints

    def only(self, keep: Bools) -> "_Lanes":
        return _Lanes(**{name: getattr(self, name)[keep] for name in self.__dataclass_fields__})


def minimise(problem: Problem, start: Floats, *, low: Floats, high: Floats, limit: int, rule: Rule) -> End:
    """Minimise every lane from its start.

    Parameters
    ----------
    problem:
        What is minimised.
    start:
        Dims `(lane, free)`, inside the bounds.
    low, high:
        Bounds, dims `(free,)`.
    limit:
        Steps at most.
    rule:
        Of the region.

    Returns
    -------
    :
        The ends; the status is CONVERGED, MAX_ITERATIONS, STALLED or NON_FINITE_MODEL.
    """
    count, free = start.shape
    end = End(
        theta=start.copy(),
        cost=np.full(count, np.inf),
        gain=np.full(count, np.inf),
        status=np.full(count, Status.NON_FINITE_MODEL, dtype=np.int8),
        steps=np.zeros(count, dtype=np.int64),
        held=np.zeros((count, free), dtype=bool),
    )
    lanes = _begin(problem, start, rule)
    while lanes.lane.size:
        held = _at_bound(lanes.theta, gradient_of(lanes.triangle), low, high)
        gain = gain_of(lanes.triangle / _columns(lanes.size), held)
        done = gain <= GAIN * lanes.cost + ROUNDING**2 * problem.scale[lanes.lane]
        over = (lanes.steps >= limit) & ~done
        small = np.sqrt(((lanes.size * lanes.theta) ** 2).sum(axis=1))
        stalled = (lanes.radius <= NARROW * small) | (lanes.shrinks >= SHRINKS)
        finished = done | over | stalled
        if finished.any():
            reason = np.where(done, Status.CONVERGED, np.where(over, Status.MAX_ITERATIONS, Status.STALLED))
            _write(end, lanes, finished, gain, reason)
            lanes = lanes.only(~finished)
            held = held[~finished]
        if lanes.lane.size:
            lanes = _advance(problem, lanes, held, low=low, high=high, rule=rule)
    return _polish(problem, end, low=low, high=high)


def _begin(problem: Problem, start: Floats, rule: Rule) -> _Lanes:
    lane = np.arange(len(start))
    cost = problem.cost(start, lane)
    lane = lane[np.isfinite(cost)]
    linear = problem.linear(start[lane], lane)
    good = np.isfinite(linear).all(axis=(1, 2))
    lane, linear = lane[good], linear[good]
    triangle = triangle_of(linear)
    theta = start[lane]
    size = _measure(rule, triangle, theta, None)
    radius = np.sqrt(((size * theta) ** 2).sum(axis=1))
    return _Lanes(
        lane=lane,
        theta=theta,
        cost=cost[lane],
        triangle=triangle,
        size=size,
        radius=rule.first * np.where(radius > 0.0, radius, 1.0),
        steps=np.zeros(lane.size, dtype=np.int64),
        shrinks=np.zeros(lane.size, dtype=np.int64),
    )


def _measure(rule: Rule, triangle: Floats, theta: Floats, before: Floats | None) -> Floats:
    columns = np.sqrt((triangle[:, :, :-1] ** 2).sum(axis=1))
    if rule.measure == "theta":
        size = np.abs(theta)
        columns = 1.0 / np.where(size > 0.0, size, 1.0)
        return columns if before is None else np.minimum(before, columns)
    columns = np.where(columns > 0.0, columns, 1.0 if before is None else 0.0)
    if before is None:
        return columns
    return np.maximum(before, columns) if rule.measure == "largest" else np.where(columns > 0.0, columns, before)


def _columns(size: Floats) -> Floats:
    return np.concatenate([size, np.ones((len(size), 1))], axis=1)[:, None, :]


def _at_bound(theta: Floats, gradient: Floats, low: Floats, high: Floats) -> Bools:
    held: Bools = ((theta <= low) & (gradient > 0.0)) | ((theta >= high) & (gradient < 0.0))
    return held


def _advance(problem: Problem, lanes: _Lanes, held: Bools, *, low: Floats, high: Floats, rule: Rule) -> _Lanes:
    """Try one step in every lane; widen or narrow the region by how well it was foretold."""
    move = _bounded_step(lanes, held, low, high)
    trial = np.clip(lanes.theta + move, low, high)
    cost = problem.cost(trial, lanes.lane)
    jacobian, residual = lanes.triangle[:, :, :-1], lanes.triangle[:, :, -1]
    after = residual + np.einsum("lrk,lk->lr", jacobian, move)
    foretold = 0.5 * ((residual - after) * (residual + after)).sum(axis=1)
    with np.errstate(all="ignore"):
        ratio = np.where(foretold > 0.0, (lanes.cost - cost) / foretold, -1.0)
    ratio = np.where(np.isfinite(ratio), ratio, -1.0)
    length = np.sqrt(((lanes.size * move) ** 2).sum(axis=1))
    taken = ratio > WORTH
    triangle = lanes.triangle.copy()
    if taken.any():
        fresh = problem.linear(trial[taken], lanes.lane[taken])
        usable = np.isfinite(fresh).all(axis=(1, 2))
        rows = np.flatnonzero(taken)
        triangle[rows[usable]] = triangle_of(fresh[usable])
        taken[rows[~usable]] = False
    short = np.where(length > 0.0, np.minimum(length, lanes.radius), lanes.radius)
    radius = np.where(ratio < POOR, 0.5 * short, lanes.radius)
    radius = np.where(~taken, 0.25 * short, radius)
    radius = np.where(taken & (ratio > WELL), np.maximum(lanes.radius, 2.0 * length), radius)
    theta = np.where(taken[:, None], trial, lanes.theta)
    size = np.where(taken[:, None], _measure(rule, triangle, theta, lanes.size), lanes.size)
    return replace(
        lanes,
        theta=theta,
        cost=np.where(taken, cost, lanes.cost),
        triangle=triangle,
        size=size,
        radius=radius,
        steps=lanes.steps + taken,
        shrinks=np.where(taken, 0, lanes.shrinks + 1),
    )


def _bounded_step(lanes: _Lanes, held: Bools, low: Floats, high: Floats) -> Floats:
    """Find the step of each lane; parameters that would leave their bounds go onto them, the others follow."""
    stay = held.copy()
    move = _region_step(lanes, stay, np.zeros_like(lanes.theta))
    trial = lanes.theta + move
    todo = np.flatnonzero((~stay & ((trial < low) | (trial > high))).any(axis=1))
    while todo.size:
        trial = lanes.theta[todo] + move[todo]
        outside = ~stay[todo] & ((trial < low) | (trial > high))
        move[todo] = np.where(outside, np.clip(trial, low, high) - lanes.theta[todo], move[todo])
        stay[todo] |= outside
        todo = todo[outside.any(axis=1)]
        if todo.size:
            part = lanes.only(np.isin(np.arange(lanes.lane.size), todo))
            move[todo] = _region_step(part, stay[todo], np.where(stay[todo], move[todo], 0.0))
    return move


def _region_step(lanes: _Lanes, stay: Bools, fixed: Floats) -> Floats:
    """Minimise |r + J d| within the region of |size · d|; staying parameters move by what is fixed."""
    jacobian = lanes.triangle[:, :, :-1]
    right = lanes.triangle[:, :, -1] + np.einsum("lrk,lk->lr", jacobian, fixed)
    scaled = np.where(stay[:, None, :], 0.0, jacobian / lanes.size[:, None, :])
    left, size, back = np.linalg.svd(scaled, full_matrices=False)
    along = np.einsum("lrk,lr->lk", left, right)
    keep = size > RANK * size[:, :1]
    along = np.where(keep, along, 0.0)
    damping = _damping(size, along, lanes.radius)
    with np.errstate(all="ignore"):
        inverse = np.where(keep, 1.0 / (size**2 + damping[:, None]), 0.0)
    move = -np.einsum("lk,lkj->lj", size * along * inverse, back) / lanes.size
    return np.where(stay, fixed, move)


def _damping(size: Floats, along: Floats, radius: Floats) -> Floats:
    """Find the multiplier with which the step is as long as the region; 0 if the undamped one fits."""
    damping = np.zeros(len(size))
    with np.errstate(all="ignore"):
        top = np.sqrt(((size * along) ** 2).sum(axis=1)) / radius
        for _ in range(40):
            step = np.where(along != 0.0, size * along / (size**2 + damping[:, None]), 0.0)
            length = np.sqrt((step**2).sum(axis=1))
            slope = -np.where(along != 0.0, step**2 / (size**2 + damping[:, None]), 0.0).sum(axis=1) / length
            change = -(length / radius) * (length - radius) / slope
            wrong = np.abs(length - radius) > 0.05 * radius
            move = wrong & ((length > radius) | (damping > 0.0)) & np.isfinite(change)
            if not move.any():
                break
            damping = np.where(move, np.clip(damping + change, 0.0, top), damping)
    return damping


def _write(end: End, lanes: _Lanes, which: Bools, gain: Floats, reason: Ints) -> None:
    at = lanes.lane[which]
    end.theta[at], end.cost[at], end.gain[at] = lanes.theta[which], lanes.cost[which], gain[which]
    end.status[at], end.steps[at] = reason[which], lanes.steps[which]


def _polish(problem: Problem, end: End, *, low: Floats, high: Floats) -> End:
    """Take undamped steps for as long as they bring the gradient down; chi-square no longer tells."""
    lane = np.flatnonzero(np.isin(end.status, (Status.CONVERGED, Status.STALLED)))
    if not lane.size:
        return end
    theta = end.theta[lane]
    triangle = triangle_of(problem.linear(theta, lane))
    held = _at_bound(theta, gradient_of(triangle), low, high)
    end.held[lane] = held
    gain, move = undamped(triangle, held)
    end.gain[lane] = gain
    for _ in range(POLISH):
        trial = np.clip(theta + move, low, high)
        cost = problem.cost(trial, lane)
        fresh = problem.linear(trial, lane)
        usable = np.isfinite(fresh).all(axis=(1, 2)) & np.isfinite(cost)
        next_gain, next_move = undamped(triangle_of(np.where(usable[:, None, None], fresh, 0.0)), held)
        slack = 1e-9 * end.cost[lane] + 1e3 * ROUNDING**2 * problem.scale[lane]
        better = usable & (next_gain < 0.7 * gain) & (cost <= end.cost[lane] + slack)
        if not better.any():
            break
        lane, held = lane[better], held[better]
        theta, gain, move = trial[better], next_gain[better], next_move[better]
        end.theta[lane], end.cost[lane], end.gain[lane] = theta, cost[better], gain
    low_gain = end.gain <= SMALL_GAIN * end.cost + 1e4 * ROUNDING**2 * problem.scale
    end.status[(end.status == Status.STALLED) & low_gain] = Status.CONVERGED
    return end
