"""Levenberg-Marquardt steps of a global fit, with bounds, and how sources move its optimum.

Parameters at a bound that descent pushes outwards are held; steps are clipped to the bounds (Kanzow, Yamashita &
Fukushima, J. Comput. Appl. Math. 172 (2004) 375, doi:10.1016/j.cam.2004.02.013).
Not here: the equations (`analysis.peaks.joint_problem`), statistics (`analysis.peaks.outcome`).
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from analysis.peaks import joint_start, kernel_cache
from analysis.peaks.joint_problem import Part, Problem
from analysis.peaks.outcome import Found
from analysis.peaks.propagation import STEP, Modes, along
from analysis.peaks.status import Status

__all__ = ["sensitivities", "solve"]

Floats = np.ndarray[Any, np.dtype[np.float64]]
Bools = np.ndarray[Any, np.dtype[np.bool_]]
TOLERANCE = 1e-11
SETTLED = 1e-7
SMALL_DAMPING = 1e-4
LARGEST_DAMPING = 1e14
NEAR_SINGULAR = 1e-12
POOR, GOOD = 0.25, 0.75


class _Descent:
    """The state of one fit."""

    def __init__(self, problem: Problem, points: int) -> None:
        self.problem = problem
        plan = problem.naming.plan
        self.low, self.high = plan.low, plan.high
        self.u = joint_start.start(problem)
        self.dof = max(points - self.u.size, 1)
        self.power = sum(float(((part.data * part.weights) ** 2).sum()) for part in problem.parts)
        self.damping = 1e-3
        self.chisqr, self.gradient, self.arrow = problem.equations(self.u)
        self.nfev = 1

    def held(self) -> Bools:
        """Say which parameters descent pushes out of their bounds."""
        out: Bools = ((self.u <= self.low) & (self.gradient > 0.0)) | ((self.u >= self.high) & (self.gradient < 0.0))
        return out

    @property
    def floor(self) -> float:
        """The smallest change of ½χ² that arithmetic can see."""
        return 1e-29 * self.power + 1e-14 * self.chisqr

    def run(self, limit: int) -> Status:
        """Iterate until nothing is to be gained."""
        if not math.isfinite(self.chisqr) or not np.isfinite(self.gradient).all():
            return Status.NON_FINITE_MODEL
        for _ in range(limit):
            step = self.arrow.solve(-self.gradient, damping=self.damping, held=self.held())
            if step is None:
                self.damping = max(10.0 * self.damping, 1e-8)
                continue
            trial = np.clip(self.u + step, self.low, self.high)
            if self.accept(trial):
                return Status.CONVERGED
            if self.damping > LARGEST_DAMPING:
                return Status.CONVERGED if self.settled() else Status.STALLED
        return Status.MAX_ITERATIONS

    def accept(self, trial: Floats) -> bool:
        """Take the step if χ² falls; say whether it was the last."""
        step = trial - self.u
        fall = -float(self.gradient @ step)
        gain = fall - 0.5 * float(step @ self.arrow.times(step))
        done = fall <= max(TOLERANCE * self.chisqr / self.dof, self.floor) and self.damping <= SMALL_DAMPING
        chisqr, gradient, arrow = self.problem.equations(trial)
        self.nfev += 1
        change = 0.5 * (self.chisqr - chisqr)
        if not (math.isfinite(chisqr) and np.isfinite(gradient).all()) or change < (-self.floor if done else 0.0):
            self.damping = max(8.0 * self.damping, 1e-8)
            return done
        ratio = change / gain if gain > 0.0 else 1.0
        self.u, self.chisqr, self.gradient, self.arrow = trial, chisqr, gradient, arrow
        self.damping *= 0.1 if ratio > GOOD else 4.0 if ratio < POOR and not done else 0.5
        self.damping = max(self.damping, 1e-12)
        return done

    def settled(self) -> bool:
        """Say whether an undamped step would still gain something."""
        step = self.arrow.solve(-self.gradient, damping=0.0, held=self.held())
        if step is None:
            return False
        return -float(self.gradient @ step) <= SETTLED * self.chisqr / self.dof + self.floor


def solve(problem: Problem, *, limit: int) -> Found:
    """Fit all data sets together.

    Parameters
    ----------
    problem:
        From `joint_problem.make`.
    limit:
        Iterations at most.

    Returns
    -------
    :
        The answer, leading dim of size 1.
    """
    points = sum(int(np.count_nonzero(np.broadcast_to(part.weights, part.data.shape))) for part in problem.parts)
    descent = _Descent(problem, points)
    status = descent.run(limit)
    held = descent.held()
    normal = descent.arrow.dense()
    covariance = None
    if status == Status.CONVERGED:
        covariance = _inverse(normal, held)
        status = Status.SINGULAR if covariance is None else status
    return Found(
        u=descent.u[None], mix=problem.mix, normal=normal[None], chisqr=np.array([descent.chisqr]),
        covariance=np.full((1, *normal.shape), np.nan) if covariance is None else covariance[None],
        nfev=np.array([descent.nfev]), status=np.array([status], dtype=np.int8), held=held[None].astype(np.int8),
        points=np.array([points]), span=np.full(len(descent.u), np.inf),
    )  # fmt: skip


def _inverse(normal: Floats, held: Bools) -> Floats | None:
    """Invert JᵀJ without the held parameters; None if it is near-singular."""
    keep = np.flatnonzero(~held)
    part = normal[np.ix_(keep, keep)]
    size = np.sqrt(np.diag(part))
    if not (size > 0.0).all():
        return None
    scaled = part / np.outer(size, size)
    try:
        factor = np.linalg.cholesky(scaled)
    except np.linalg.LinAlgError:
        return None
    if not np.diag(factor).min() ** 2 > NEAR_SINGULAR:
        return None
    out = np.zeros_like(normal)
    out[np.ix_(keep, keep)] = np.linalg.inv(scaled) / np.outer(size, size)
    return out


def sensitivities(problem: Problem, found: Found, modes: Sequence[Modes | None], sources: int) -> Floats:
    """Compute how the free parameters move with each source, by the implicit-function theorem.

    Parameters
    ----------
    problem, found:
        The problem and its optimum.
    modes:
        For each part its modes, whose `sources` have one row for every source of the whole fit.
    sources:
        How many there are.

    Returns
    -------
    :
        Dims `(free, source)`; NaN where held.
    """
    u, held = found.u[0], found.held[0] == 1
    out = np.full((u.size, sources), np.nan)
    values, _ = problem.values(u)
    slopes = []
    for part, members, own in zip(problem.parts, problem.members, modes, strict=True):
        local = problem.local(part, members, values)
        mixed = np.zeros((*local.shape, sources))
        if own is not None:
            each = [
                along(_gradient(part), local, part.axis, part.data, along_axis=a, along_data=d)
                for a, d in zip(own.axis, own.signal, strict=True)
            ]
            mixed = np.stack(each, axis=2) @ own.sources.T if each else mixed
        slopes.append(mixed)
    right = problem.collect(u, slopes)
    size = np.sqrt(np.where(np.diag(found.normal[0]) > 0.0, np.diag(found.normal[0]), 1.0))
    hessian = _hessian(problem, u, size)
    hessian = hessian / np.outer(size, size)
    free = np.flatnonzero(~held)
    out[free] = -np.linalg.solve(hessian[np.ix_(free, free)], (right / size[:, None])[free]) / size[free, None]
    return out


def _gradient(part: Part) -> Any:  # noqa: ANN401 - a function of u, axis, data
    values_of = np.ascontiguousarray
    module = kernel_cache.load("batched").solve

    def gradient(u: Floats, axis: Floats, data: Floats) -> Floats:
        made: Floats = module.gradient(part.plan, axis, data, part.weights, values=values_of(u), u=values_of(u))
        return made

    return gradient


def _hessian(problem: Problem, u: Floats, size: Floats) -> Floats:
    """Differentiate the gradient by central differences, all spectra's own parameters of one slot at once."""
    places = problem.places
    norms = np.concatenate([np.sqrt(((part.data * part.weights) ** 2).sum(axis=1)) for part in problem.parts])
    reach = places.gather(
        np.repeat(norms[:, None], places.own.shape[1], axis=1), np.full(places.border.size, norms.max())
    )
    step = STEP * reach / size

    def slope(moved: Floats) -> Floats:
        return problem.equations(moved)[1]

    def difference(at: Any) -> tuple[Floats, Floats]:  # noqa: ANN401 - an index
        up, down = u.copy(), u.copy()
        up[at] += step[at]
        down[at] -= step[at]
        return slope(up) - slope(down), up - down

    out = np.zeros((u.size, u.size))
    for j in places.border:
        change, width = difference(j)
        out[:, j] = out[j, :] = change / width[j]
    for k in range(places.own.shape[1]):
        at = places.own[:, k]
        chosen = at[at >= 0]
        change, width = difference(chosen)
        for mine in places.own:
            if mine[k] >= 0:
                rows = mine[mine >= 0]
                out[rows, mine[k]] = change[rows] / width[mine[k]]
    for j in places.border:
        change, width = difference(j)
        out[places.border, j] = change[places.border] / width[j]
    return 0.5 * (out + out.T)
