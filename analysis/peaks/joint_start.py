"""Where a global fit starts: each spectrum is first fitted by itself, which finds peaks that a joint step would lose.

Not here: the joint steps (`analysis.peaks.joint_solve`).
"""

from typing import Any

import lmfit
import numpy as np

from analysis.peaks import kernel_cache
from analysis.peaks.compile import compile_plan
from analysis.peaks.joint_problem import Part, Problem
from analysis.peaks.status import Status

__all__ = ["start"]

Floats = np.ndarray[Any, np.dtype[np.float64]]
Ints = np.ndarray[Any, np.dtype[np.int64]]
LIMIT = 100


def start(problem: Problem) -> Floats:
    """Choose between the user's start and what the spectra say one by one.

    Parameters
    ----------
    problem:
        From `joint_problem.make`.

    Returns
    -------
    :
        Free parameters u: those of the user, or own ones from fits of each spectrum and shared ones as their median,
        whichever has the lower χ².
    """
    given = problem.start()
    plan = problem.naming.plan
    free = {int(k): j for j, k in enumerate(plan.free)}
    values, _ = problem.values(given)
    heard: list[list[float]] = [[] for _ in free]
    for part, members in zip(problem.parts, problem.members, strict=True):
        for member in members:
            alone = _alone(part, member.row, member.takes, problem, values)
            for k, value in zip(member.takes, alone, strict=True):
                if int(k) in free and np.isfinite(value):
                    heard[free[int(k)]].append(float(value))
    theta = np.clip(
        [np.median(each) if each else values[k] for each, k in zip(heard, plan.free, strict=True)], plan.low, plan.high
    )
    other = np.linalg.solve(problem.mix, theta) if problem.mixed else theta
    ours, theirs = problem.chisqr_of(other).sum(), problem.chisqr_of(given).sum()
    return other if ours < theirs else given


def _alone(part: Part, row: int, takes: Ints, problem: Problem, values: Floats) -> Floats:
    """Fit one spectrum with its shared and tied parameters free; NaN if that does not converge."""
    joint = problem.naming.plan
    position = {int(k): j for j, k in enumerate(joint.free)}
    moving = {*position, *(k for k, _ in joint.tied)}
    names = part.plan.parameters.names
    params = lmfit.Parameters()
    for name, k in zip(names, takes, strict=True):
        j = position.get(int(k), -1)
        low, high = (joint.low[j], joint.high[j]) if j >= 0 else (-np.inf, np.inf)
        params.add(name, value=float(values[k]), min=low, max=high, vary=int(k) in moving)
    weights = part.weights if len(part.weights) == 1 else part.weights[row : row + 1]
    free = sum(par.vary for par in params.values())
    nothing = np.full(len(names), np.nan)
    if free == 0 or np.count_nonzero(np.broadcast_to(weights, (1, part.axis.size))) < free:
        return nothing
    plan = compile_plan(part.model, params, part.axis)
    begin = values[takes][None]
    used = weights > 0.0
    signal, sigma = np.where(used, part.data[row : row + 1], np.nan), 1.0 / np.where(used, weights, 1.0)
    found = kernel_cache.load("batched").solve.solve(plan, part.axis, signal, sigma, start=begin, max_iterations=LIMIT)
    if found.status[0] != Status.CONVERGED:
        return nothing
    out = begin[0].copy()
    out[plan.parameters.free] = plan.mix @ found.u[0]
    return out
