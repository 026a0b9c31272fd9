"""The batched least-squares kernel: a trust region over the nonlinear parameters, compiled once.

Steps: Gauss-Newton in variables of unit curvature; the region restricts how far centres, widths and
fractions move, measured in the widths of their own peak, while linear parameters follow freely (as in
variable projection). Bounds enter by Coleman-Li scaling, so iterates stay inside; a parameter that
converges to its bound is put on it and held for the covariance. One spectrum never influences another.

Not here: the normal equations (`analysis.peaks.normal`), threads and blocks (`analysis.peaks.solve`).
References: Coleman & Li, SIAM J. Optim. 6 (1996) 418, doi:10.1137/0806023; Nocedal & Wright, Numerical
Optimization (2006), algorithm 4.3; Golub & Pereyra, Inverse Problems 19 (2003) R1.
"""

# Compiled code has no annotations: numba finds its types, and long argument lists are its tables.
# ruff: noqa: ANN001, ANN201, ANN202, PLR0917, PLR0912, PLR2004, C901
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

import math

import numpy as np
from numba import njit

from analysis.peaks.kinds import POLYNOMIAL, PSEUDO_VOIGT, VOIGT
from analysis.peaks.normal import normal_equations, workspace

__all__ = ["fit_many", "gradient_many"]

CONVERGED, MAX_ITERATIONS, SINGULAR, NON_FINITE_MODEL, STALLED = 0, 1, 2, 5, 6
STAY_INSIDE = 0.995
LARGEST_REGION = 8.0
NEAR_SINGULAR = 1e-12


@njit(cache=True)
def _cholesky(matrix, size, factor):
    """Factorise in place of `factor`; return the smallest pivot, or -1."""
    smallest = math.inf
    for i in range(size):
        for j in range(i + 1):
            s = matrix[i, j]
            for k in range(j):
                s -= factor[i, k] * factor[j, k]
            if i == j:
                if not s > 0.0:
                    return -1.0
                smallest = min(smallest, s)
                factor[i, i] = math.sqrt(s)
            else:
                factor[i, j] = s / factor[j, j]
    return smallest


@njit(cache=True)
def _forward(factor, size, b, out):
    for i in range(size):
        s = b[i]
        for k in range(i):
            s -= factor[i, k] * out[k]
        out[i] = s / factor[i, i]


@njit(cache=True)
def _backward(factor, size, b, out):
    for i in range(size - 1, -1, -1):
        s = b[i]
        for k in range(i + 1, size):
            s -= factor[k, i] * out[k]
        out[i] = s / factor[i, i]


@njit(cache=True)
def _reach(layout, ties, free, v, chain, spacing, reach):
    """Set how far each free parameter may sensibly move in one step; 0 for linear ones."""
    kind, first, _, _, _, source, row = layout
    reach[:] = 0.0
    for c in range(kind.size):
        if kind[c] == POLYNOMIAL:
            continue
        a = first[c]
        width = max(abs(v[source[a + 2]]), spacing)
        if kind[c] == VOIGT:
            width += abs(v[source[a + 3]])
        for k in range(a + 1, first[c + 1]):
            if row[k] < 0:
                continue
            limit = width if k == a + 1 else 0.5 * width
            if k == a + 3 and kind[c] == PSEUDO_VOIGT:
                limit = 0.5
            for j in range(free.size):
                slope = abs(chain[source[k], j]) if ties[3].size > 0 else 1.0 * (free[j] == source[k])
                if slope > 0.0:
                    own = limit / slope
                    reach[j] = own if reach[j] == 0.0 else min(reach[j], own)


@njit(cache=True)
def _room(u, gradient, low, high, j):
    """Return the distance to the bound that descent pushes parameter j towards."""
    if gradient[j] > 0.0:
        return u[j] - low[j]
    if gradient[j] < 0.0:
        return high[j] - u[j]
    return math.inf


@njit(cache=True)
def _scale(normal, gradient, u, low, high, reach, eager, scaled, slope, size, metric):
    """Build the scaled, bound-aware matrix, gradient and region metric."""
    n = u.size
    mean = 0.0
    count = 0
    for j in range(n):
        size[j] = math.sqrt(normal[j, j]) if normal[j, j] > 0.0 else 1.0
    for j in range(n):
        for k in range(n):
            scaled[j, k] = normal[j, k] / (size[j] * size[k])
        scaled[j, j] = 1.0
        room = _room(u, gradient, low, high, j)
        if room < math.inf:
            scaled[j, j] += abs(gradient[j]) / max(room, 1e-300) / (size[j] * size[j])
        slope[j] = gradient[j] / size[j]
        metric[j] = 0.0
        if reach[j] > 0.0:
            metric[j] = 1.0 / (reach[j] * size[j]) ** 2
            mean += metric[j]
            count += 1
    mean = mean / count if count > 0 else 1.0
    for j in range(n):
        if reach[j] == 0.0:
            metric[j] = eager * mean


@njit(cache=True)
def _length(metric, step):
    total = 0.0
    for j in range(step.size):
        total += metric[j] * step[j] * step[j]
    return math.sqrt(total)


@njit(cache=True)
def _region_step(scaled, slope, metric, radius, damped, factor, half, step):
    """Solve the trust-region problem; return the multiplier and the length of the step."""
    n = slope.size
    multiplier = 0.0
    ridge = 1e-14
    length = 0.0
    for _ in range(30):
        for i in range(n):
            for j in range(n):
                damped[i, j] = scaled[i, j]
            damped[i, i] = scaled[i, i] * (1.0 + ridge) + multiplier * metric[i]
        if _cholesky(damped, n, factor) <= 0.0:
            ridge *= 100.0
            continue
        for i in range(n):
            half[i] = -slope[i]
        _forward(factor, n, half, step)
        _backward(factor, n, step, half)
        for i in range(n):
            step[i] = half[i]
        length = _length(metric, step)
        if length <= 1.1 * radius:
            break
        for i in range(n):
            half[i] = metric[i] * step[i]
        _forward(factor, n, half, half)
        square = 0.0
        for i in range(n):
            square += half[i] * half[i]
        multiplier += (length * length / square) * (length - radius) / radius
    return multiplier, length


@njit(cache=True)
def _clip(u, step, low, high, trial):
    """Put `u + step` into `trial`, strictly inside the bounds; say whether a bound was in the way."""
    clipped = False
    for j in range(u.size):
        value = u[j] + step[j]
        if value <= low[j]:
            value = u[j] + STAY_INSIDE * (low[j] - u[j])
            clipped = True
        elif value >= high[j]:
            value = u[j] + STAY_INSIDE * (high[j] - u[j])
            clipped = True
        trial[j] = value
    return clipped


@njit(cache=True)
def _shorten(u, step, low, high, trial):
    """Put `u + t·step` into `trial` with t so short that all bounds hold."""
    t = 1.0
    for j in range(u.size):
        if step[j] < 0.0 and u[j] + step[j] <= low[j]:
            t = min(t, STAY_INSIDE * (low[j] - u[j]) / step[j])
        elif step[j] > 0.0 and u[j] + step[j] >= high[j]:
            t = min(t, STAY_INSIDE * (high[j] - u[j]) / step[j])
    for j in range(u.size):
        trial[j] = u[j] + t * step[j]


@njit(cache=True)
def _gain(normal, gradient, u, trial):
    """Return the fall of ½χ² that the quadratic model predicts, and the slope along the step."""
    linear = 0.0
    curved = 0.0
    for i in range(u.size):
        d = trial[i] - u[i]
        linear += gradient[i] * d
        for j in range(u.size):
            curved += d * normal[i, j] * (trial[j] - u[j])
    return -(linear + 0.5 * curved), -linear


@njit(cache=True)
def _hold(u, normal, gradient, low, high, held):
    """Put parameters that converged to a bound on it and mark them; return how many."""
    count = 0
    for j in range(u.size):
        held[j] = 0
        room = _room(u, gradient, low, high, j)
        if room < math.inf and normal[j, j] > 0.0:
            wanted = abs(gradient[j]) / normal[j, j]
            if room <= 1e-3 * wanted:
                u[j] = low[j] if gradient[j] > 0.0 else high[j]
                held[j] = 1
                count += 1
    return count


@njit(cache=True)
def _covariance(normal, held, scaled, size, factor, half, step, out):
    """Invert the normal matrix with held parameters taken out; return False if near-singular."""
    n = held.size
    for i in range(n):
        size[i] = math.sqrt(normal[i, i]) if normal[i, i] > 0.0 else 0.0
    for i in range(n):
        for j in range(n):
            taken = held[i] == 1 or held[j] == 1
            scaled[i, j] = 0.0 if taken or size[i] * size[j] == 0.0 else normal[i, j] / (size[i] * size[j])
        scaled[i, i] = 1.0 if held[i] == 1 or size[i] > 0.0 else 0.0
    if not _cholesky(scaled, n, factor) > NEAR_SINGULAR:
        return False
    for k in range(n):
        half[:] = 0.0
        half[k] = 1.0
        _forward(factor, n, half, step)
        _backward(factor, n, step, half)
        for i in range(n):
            out[i, k] = half[i] / (size[i] * size[k]) if held[i] == 0 and held[k] == 0 else 0.0
    return True


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
        for j in range(u.size):
            v[free[j]] = u[j]
        _reach(layout, ties, free, v, work[3], spacing, reach)
        eager = 0.0 if rejected < 2 else (1e-4 if rejected < 5 else 1.0)
        _scale(normal, gradient, u, low, high, reach, eager, scaled, slope, size, metric)
        multiplier, length = _region_step(scaled, slope, metric, radius, damped, factor, half, step)
        for j in range(u.size):
            step[j] /= size[j]
        clipped = _clip(u, step, low, high, trial)
        gain, fall = _gain(normal, gradient, u, trial)
        if clipped and gain <= 0.0:
            _shorten(u, step, low, high, trial)
            gain, fall = _gain(normal, gradient, u, trial)
        noise = 2.0 * cost / max(points - u.size, 1)
        done = multiplier == 0.0 and not clipped and fall <= max(tolerance * noise, floor)
        cost2 = 0.5 * normal_equations(layout, ties, free, trial, v, x, y, w, work, normal2, gradient2)
        if cost2 <= cost or (done and cost2 <= cost * (1.0 + 1e-12) + floor):
            ratio = (cost - cost2) / gain if gain > 0.0 else 1.0
            u[:] = trial
            cost = cost2
            normal[:] = normal2
            gradient[:] = gradient2
            rejected = 0
            if done:
                return cost, iteration + 2, CONVERGED
            if ratio < 0.25:
                radius = max(0.5 * min(length, radius), 1e-8)
            elif ratio > 0.75 and length >= 0.8 * radius:
                radius = min(2.5 * radius, LARGEST_REGION)
        else:
            if (gain <= 1e-13 * cost and not clipped) or done:
                settled = fall <= 1e-7 * noise + 1e-13 * cost + floor
                return cost, iteration + 2, CONVERGED if settled else STALLED
            radius = 0.25 * min(max(length, 1e-12), radius)
            rejected += 1
            if rejected > 40:
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
        if _cholesky(scaled, n, factor) <= 0.0:
            return cost, count + 1
        _forward(factor, n, slope, half)
        _backward(factor, n, half, step)
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
        good = _covariance(space[0], held[s], space[4], space[8], space[6], space[11], space[12], covariance[s])
        if state == CONVERGED and not good:
            state = SINGULAR
        status[s] = state


@njit(cache=True, nogil=True)
def gradient_many(layout, ties, free, x, data, weights, values, u, out):
    """Compute the gradient of ½χ² at `u` for every spectrum.

    Parameters
    ----------
    layout, ties, free, x, data, weights:
        As in `fit_many`.
    values:
        All parameters, dims `(spectrum, parameter)`; the free ones are taken from `u`.
    u:
        Free parameters, dims `(spectrum, free)`.
    out:
        Result, dims `(spectrum, free)`.
    """
    n = free.size
    work = workspace(layout, ties, values.shape[1], n)
    normal = np.zeros((n, n))
    v = np.zeros(values.shape[1])
    for s in range(data.shape[0]):
        v[:] = values[s]
        row = min(s, weights.shape[0] - 1)
        normal_equations(layout, ties, free, u[s], v, x, data[s], weights[row], work, normal, out[s])
