"""The batched least-squares kernel: every spectrum by itself, through one compiled loop.

Gauss-Newton steps in variables of unit curvature, inside a trust region; a parameter that converges to its
bound is put on it and held for the covariance. One spectrum never influences another.
Not here: a step (`analysis.peaks.region`), the normal equations (`analysis.peaks.normal`), threads and
blocks (`analysis.peaks.solve`).
"""

# Compiled code has no annotations: numba finds its types, and long argument lists are its tables.
# ruff: noqa: ANN001, ANN201, ANN202, PLR0917
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

import math

import numpy as np
from numba import njit

from analysis.peaks.linear import backward, cholesky, covariance_of, forward
from analysis.peaks.normal import normal_equations, workspace
from analysis.peaks.region import clip, gain_of, reach_of, region_step, room_to_bound, scale, shorten

__all__ = ["fit_many", "gradient_many"]

CONVERGED, MAX_ITERATIONS, SINGULAR, NON_FINITE_MODEL, STALLED = 0, 1, 2, 5, 6
LARGEST_REGION = 8.0
POOR, GOOD = 0.25, 0.75
FREELY, FIRMLY, PATIENCE = 2, 5, 40


@njit(cache=True)
def _hold(u, normal, gradient, low, high, held):
    """Put parameters that converged to a bound on it and mark them; return how many."""
    count = 0
    for j in range(u.size):
        held[j] = 0
        room = room_to_bound(u, gradient, low, high, j)
        if room < math.inf and normal[j, j] > 0.0:
            wanted = abs(gradient[j]) / normal[j, j]
            if room <= 1e-3 * wanted:
                u[j] = low[j] if gradient[j] > 0.0 else high[j]
                held[j] = 1
                count += 1
    return count


@njit(cache=True)
def _start_inside(u, low, high):
    for j in range(u.size):
        margin = 1e-8 * max(1.0, abs(u[j]))
        if low[j] > -math.inf and high[j] < math.inf:
            margin = 1e-3 * (high[j] - low[j])
        if low[j] > -math.inf:
            u[j] = max(u[j], low[j] + min(margin, abs(low[j]) * 1e-3 + 1e-8))
        if high[j] < math.inf:
            u[j] = min(u[j], high[j] - min(margin, abs(high[j]) * 1e-3 + 1e-8))


@njit(cache=True)
def _power(y, w):
    """Return the sum of squares of the weighted data."""
    total = 0.0
    for i in range(y.size):
        total += (y[i] * w[i]) ** 2
    return total


@njit(cache=True)
def _eagerness(rejected):
    """Return how strongly the region also restricts linear parameters: not at all at first."""
    if rejected < FREELY:
        return 0.0
    return 1e-4 if rejected < FIRMLY else 1.0


@njit(cache=True)
def _next_radius(radius, length, ratio):
    """Return the next region: `ratio` is the fall of chi-square over the predicted one."""
    if ratio < POOR:
        return max(0.5 * min(length, radius), 1e-8)
    if ratio > GOOD and length >= 0.8 * radius:
        return min(2.5 * radius, LARGEST_REGION)
    return radius


@njit(cache=True)
def _descend(problem, u, v, space, work, tolerance, limit):
    """Iterate to the optimum; return ½χ², evaluations and status."""
    layout, ties, free, low, high, x, y, w, spacing, points = problem
    normal, normal2, gradient, gradient2, scaled, damped, factor, slope, size, metric, reach, half, step, trial = space
    cost = 0.5 * normal_equations(layout, ties, free, u, v, x, y, w, work, normal, gradient)
    if not cost < math.inf:
        return cost, 1, NON_FINITE_MODEL
    floor = 1e-29 * _power(y, w)
    radius = 1.0
    rejected = 0
    for iteration in range(limit):
        v[free] = u
        reach_of(layout, ties, free, v, work[3], spacing, reach)
        scale(normal, gradient, u, low, high, reach, _eagerness(rejected), scaled, slope, size, metric)
        multiplier, length = region_step(scaled, slope, metric, radius, damped, factor, half, step)
        step /= size
        clipped = clip(u, step, gradient, low, high, 1e-13 * cost + floor, trial)
        gain, fall = gain_of(normal, gradient, u, trial)
        if clipped and gain <= 0.0:
            shorten(u, step, low, high, trial)
            gain, fall = gain_of(normal, gradient, u, trial)
        noise = 2.0 * cost / max(points - u.size, 1)
        done = multiplier == 0.0 and not clipped and fall <= max(tolerance * noise, floor)
        cost2 = 0.5 * normal_equations(layout, ties, free, trial, v, x, y, w, work, normal2, gradient2)
        if cost2 <= cost or (done and cost2 <= cost * (1.0 + 1e-12) + floor):
            radius = _next_radius(radius, length, (cost - cost2) / gain if gain > 0.0 else 1.0)
            u[:] = trial
            cost = cost2
            normal[:] = normal2
            gradient[:] = gradient2
            rejected = 0
            if done:
                return cost, iteration + 2, CONVERGED
        else:
            if (gain <= 1e-13 * cost and not clipped) or done:
                settled = fall <= 1e-7 * noise + 1e-13 * cost + floor
                return cost, iteration + 2, CONVERGED if settled else STALLED
            radius = 0.25 * min(max(length, 1e-12), radius)
            rejected += 1
            if rejected > PATIENCE:
                return cost, iteration + 2, STALLED
    return cost, limit + 1, MAX_ITERATIONS


@njit(cache=True)
def _polish(problem, u, v, space, work, held, cost):
    """Take Gauss-Newton steps in the parameters that are not at a bound; return ½χ² and evaluations."""
    layout, ties, free, low, high, x, y, w, _, _ = problem
    normal, normal2, gradient, gradient2, scaled, _, factor, slope, size, _, _, half, step, trial = space
    n = u.size
    cost = 0.5 * normal_equations(layout, ties, free, u, v, x, y, w, work, normal, gradient)
    for count in range(6):
        for i in range(n):
            size[i] = math.sqrt(normal[i, i]) if normal[i, i] > 0.0 else 1.0
            slope[i] = 0.0 if held[i] == 1 else -gradient[i] / size[i]
        for i in range(n):
            for j in range(n):
                scaled[i, j] = 0.0 if held[i] == 1 or held[j] == 1 else normal[i, j] / (size[i] * size[j])
            scaled[i, i] = 1.0 + 1e-14
        if cholesky(scaled, n, factor) <= 0.0:
            return cost, count + 1
        forward(factor, n, slope, half)
        backward(factor, n, half, step)
        for i in range(n):
            trial[i] = u[i] if held[i] == 1 else min(max(u[i] + step[i] / size[i], low[i]), high[i])
        cost2 = 0.5 * normal_equations(layout, ties, free, trial, v, x, y, w, work, normal2, gradient2)
        if not cost2 < cost:
            return cost, count + 2
        u[:] = trial
        cost = cost2
        normal[:] = normal2
        gradient[:] = gradient2
    return cost, 7


@njit(cache=True, nogil=True)
def fit_many(
    layout,
    ties,
    free,
    low,
    high,
    x,
    data,
    weights,
    points,
    start,
    tolerance,
    limit,
    u_out,
    covariance,
    normal_out,
    chisqr,
    nfev,
    status,
    held,
):
    """Fit every row of `data`; results go into the last seven arrays.

    Parameters
    ----------
    layout, ties, free:
        As in `analysis.peaks.normal.normal_equations`.
    low, high:
        Bounds of the free parameters, infinite where there is none.
    x:
        Axis, dims `(channel,)`.
    data, weights:
        Dims `(spectrum, channel)`; masked points have both 0. One row of weights serves all.
    points:
        Usable points of each spectrum; below the number of free parameters nothing is fitted.
    start:
        All parameters, dims `(spectrum, parameter)`.
    tolerance:
        Squared distance to the optimum at which to stop, in units of the squared standard error.
    limit:
        Iterations at most.
    u_out, covariance, normal_out, chisqr, nfev, status, held:
        Free parameters, their unscaled covariance, JᵀJ, rᵀr, evaluations, status and bound flags.
    """
    n = free.size
    work = workspace(layout, ties, start.shape[1], n)
    square = (n, n)
    space = (
        np.zeros(square), np.zeros(square), np.zeros(n), np.zeros(n), np.zeros(square), np.zeros(square),
        np.zeros(square), np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n),
    )  # fmt: skip
    v = np.zeros(start.shape[1])
    spacing = 0.5 * abs(x[-1] - x[0]) / max(x.size - 1, 1)
    for s in range(data.shape[0]):
        if status[s] != CONVERGED:
            continue
        row = min(s, weights.shape[0] - 1)
        v[:] = start[s]
        u = u_out[s]
        for j in range(n):
            u[j] = v[free[j]]
        _start_inside(u, low, high)
        problem = (layout, ties, free, low, high, x, data[s], weights[row], spacing, points[s])
        cost, count, state = _descend(problem, u, v, space, work, tolerance, limit)
        if state == CONVERGED and _hold(u, space[0], space[2], low, high, held[s]) > 0:
            cost, more = _polish(problem, u, v, space, work, held[s], cost)
            count += more
        chisqr[s] = 2.0 * cost
        nfev[s] = count
        normal_out[s] = space[0]
        good = covariance_of(space[0], held[s], space[4], space[8], space[6], space[11], space[12], covariance[s])
        if state == CONVERGED and not good:
            state = SINGULAR
        status[s] = state


@njit(cache=True, nogil=True)
def gradient_many(layout, ties, free, x, data, weights, values, u, out, normal, chisqr):
    """Compute the gradient of ½χ², JᵀJ and χ² at `u` for every spectrum.

    Parameters
    ----------
    layout, ties, free, x, data, weights:
        As in `fit_many`.
    values:
        All parameters, dims `(spectrum, parameter)`; the free ones are taken from `u`.
    u:
        Free parameters, dims `(spectrum, free)`.
    out, normal, chisqr:
        Results, dims `(spectrum, free)`, `(spectrum, free, free)` and `(spectrum,)`.
    """
    n = free.size
    work = workspace(layout, ties, values.shape[1], n)
    v = np.zeros(values.shape[1])
    for s in range(data.shape[0]):
        v[:] = values[s]
        row = min(s, weights.shape[0] - 1)
        chisqr[s] = normal_equations(layout, ties, free, u[s], v, x, data[s], weights[row], work, normal[s], out[s])
