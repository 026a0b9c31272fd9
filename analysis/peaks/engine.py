"""The batched least-squares kernel: every spectrum by itself, through one compiled loop.

Gauss-Newton steps in variables of unit curvature, inside a trust region; a parameter that converges to its
bound is put on it and held for the covariance. One spectrum never influences another.
Not here: a step (`analysis.peaks.region`), the normal equations (`analysis.peaks.normal`), threads and
blocks (`analysis.peaks.job`).
"""

# Compiled code has no annotations: numba finds its types, and long argument lists are its tables.
# ruff: noqa: ANN001, ANN201, ANN202, PLR0917
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

import math

from analysis.peaks.coarse import bin_data, bins_of
from analysis.peaks.compiled import compiled, entry, inlined
from analysis.peaks.intake import take_row
from analysis.peaks.linear import backward, cholesky, covariance_of, forward
from analysis.peaks.losses import BREAD, LEAST_SQUARES, MEAT, POISSON
from analysis.peaks.normal import normal_equations
from analysis.peaks.region import clip, gain_of, reach_of, region_step, room_to_bound, scale, shorten
from analysis.peaks.reseed import reseed

__all__ = ["fit_many", "gradient_many"]

CONVERGED, MAX_ITERATIONS, SINGULAR, NON_FINITE_MODEL, STALLED = 0, 1, 2, 5, 6
LARGEST_REGION = 8.0
POOR, GOOD = 0.25, 0.75
FREELY, FIRMLY, PATIENCE = 2, 5, 40
SOON = 50  # iterations before other starting values are tried
SHARES = (64, 16)  # parts of the spectrum over which data are averaged to find other starting values
ALIKE, VISIBLE = 5.0, 1e-3  # z of neighbouring residuals' product, and share of the signal, that ask for them
ROUGH = 0.1  # squared distance to the optimum on binned data, in squared standard errors


@inlined
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


@inlined
def _start_inside(u, low, high):
    for j in range(u.size):
        margin = 1e-8 * max(1.0, abs(u[j]))
        if low[j] > -math.inf and high[j] < math.inf:
            margin = 1e-3 * (high[j] - low[j])
        if low[j] > -math.inf:
            u[j] = max(u[j], low[j] + min(margin, abs(low[j]) * 1e-3 + 1e-8))
        if high[j] < math.inf:
            u[j] = min(u[j], high[j] - min(margin, abs(high[j]) * 1e-3 + 1e-8))


@compiled()
def _power(y, w):
    """Return the sum of squares of the weighted data."""
    total = 0.0
    for i in range(y.size):
        total += (y[i] * w[i]) ** 2
    return total


@compiled()
def _eagerness(rejected):
    """Return how strongly the region also restricts linear parameters: not at all at first."""
    if rejected < FREELY:
        return 0.0
    return 1e-4 if rejected < FIRMLY else 1.0


@compiled()
def _next_radius(radius, length, ratio):
    """Return the next region: `ratio` is the fall of chi-square over the predicted one."""
    if ratio < POOR:
        return max(0.5 * min(length, radius), 1e-8)
    if ratio > GOOD and length >= 0.8 * radius:
        return min(2.5 * radius, LARGEST_REGION)
    return radius


@compiled()
def _copy(given, out):
    for j in range(given.size):
        out[j] = given[j]


@compiled()
def _adopt(u, normal, gradient, trial, normal2, gradient2):
    """Make the trial the present point."""
    for i in range(u.size):
        u[i] = trial[i]
        gradient[i] = gradient2[i]
        for j in range(u.size):
            normal[i, j] = normal2[i, j]


@compiled()
def _is_last(gain, fall, previous, noise, cost, precision):
    """Say whether after this full step, untried, the optimum is near enough.

    Full steps shrink by a constant factor, so the next one would have the squared length `fall²/previous`.
    """
    if not (previous > 0.0 and fall <= 0.1 * previous and gain <= 0.5 * cost):
        return False
    shrink = fall / previous
    return shrink * fall <= precision * noise and math.sqrt(shrink) * fall <= 10.0 * precision * cost


@compiled()
def _descend(problem, u, v, space, work, limit, precision):
    """Iterate to the optimum; return half the loss, evaluations and status."""
    layout, ties, loss, free, low, high, x, y, w, spacing, points = problem
    normal, normal2, gradient, gradient2, scaled, damped, factor, slope, size, metric, reach, half, step, trial = space
    cost = 0.5 * normal_equations(layout, ties, loss, free, u, v, x, y, w, work, normal, gradient)
    if not cost < math.inf:
        return cost, 1, NON_FINITE_MODEL
    floor = 1e-29 * _power(y, w)
    radius = 1.0
    rejected = 0
    previous = -1.0
    for iteration in range(limit):
        reach_of(layout, ties[3].size > 0, v, work[4], spacing, reach)
        scale(normal, gradient, u, low, high, reach, _eagerness(rejected), scaled, slope, size, metric)
        multiplier, length = region_step(scaled, slope, metric, radius, damped, factor, half, step)
        for j in range(u.size):
            step[j] /= size[j]
        clipped = clip(u, step, gradient, low, high, 1e-13 * cost + floor, trial)
        gain, fall = gain_of(normal, gradient, u, trial)
        if clipped and gain <= 0.0:
            shorten(u, step, low, high, trial)
            gain, fall = gain_of(normal, gradient, u, trial)
        noise = 2.0 * cost / max(points - u.size, 1)
        full = multiplier == 0.0 and not clipped
        if full and _is_last(gain, fall, previous, noise, cost, precision):
            _copy(trial, u)
            return max(cost - gain, 0.0), iteration + 1, CONVERGED
        done = full and fall <= max(1e-4 * precision * noise, floor)
        cost2 = 0.5 * normal_equations(layout, ties, loss, free, trial, v, x, y, w, work, normal2, gradient2)
        if cost2 <= cost or (done and cost2 <= cost * (1.0 + 1e-12) + floor):
            radius = _next_radius(radius, length, (cost - cost2) / gain if gain > 0.0 else 1.0)
            _adopt(u, normal, gradient, trial, normal2, gradient2)
            cost = cost2
            rejected = 0
            previous = fall if full else -1.0
            if done:
                return cost, iteration + 2, CONVERGED
        else:
            previous = -1.0
            if (gain <= 1e-13 * cost and not clipped) or done:
                settled = fall <= 1e-7 * noise + 1e-13 * cost + floor
                return cost, iteration + 2, CONVERGED if settled else STALLED
            radius = 0.25 * min(max(length, 1e-12), radius)
            rejected += 1
            if rejected > PATIENCE:
                return cost, iteration + 2, STALLED
    return cost, limit + 1, MAX_ITERATIONS


@inlined
def _polish(problem, u, v, space, work, held, cost):
    """Take Gauss-Newton steps in the parameters that are not at a bound; return half the loss and evaluations."""
    layout, ties, loss, free, low, high, x, y, w, _, _ = problem
    normal, normal2, gradient, gradient2, scaled, _, factor, slope, size, _, _, half, step, trial = space
    n = u.size
    cost = 0.5 * normal_equations(layout, ties, loss, free, u, v, x, y, w, work, normal, gradient)
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
        cost2 = 0.5 * normal_equations(layout, ties, loss, free, trial, v, x, y, w, work, normal2, gradient2)
        if not cost2 < cost:
            return cost, count + 2
        _adopt(u, normal, gradient, trial, normal2, gradient2)
        cost = cost2
    return cost, 7


@inlined
def _approach(problem, u, v, space, work, bins, limit):
    """Come near the optimum on binned data, at a fraction of the cost; return evaluations at full length."""
    layout, ties, loss, free, low, high, x, y, w, spacing, _ = problem
    if loss not in (LEAST_SQUARES, POISSON):
        return 0
    width = bins_of(layout, v, spacing, x.size, u.size)
    if width == 1 and loss == LEAST_SQUARES:
        return 0
    xs, ys, ws, start = bins
    count = bin_data(x, y, w, width, loss, xs, ys, ws)
    _copy(u, start)
    plain = loss
    if loss == POISSON:
        plain = LEAST_SQUARES
    binned = (layout, ties, plain, free, low, high, xs[:count], ys[:count], ws[:count], spacing * width, count)
    cost, evaluations, state = _descend(binned, u, v, space, work, min(limit, SOON), ROUGH)
    if state != CONVERGED or not cost < math.inf:
        _copy(start, u)
    return (evaluations + width - 1) // width


@inlined
def _covariance(problem, u, v, space, work, held, out):
    """Put the covariance of the free parameters into `out`; return False if near-singular.

    The inverse curvature; for a robust loss the inverse curvature on both sides of the scatter of the score.
    """
    layout, ties, loss, free, _, _, x, y, w, _, _ = problem
    normal, normal2, _, gradient2, scaled, damped, factor, _, size, _, _, _, _, _ = space
    if loss in (LEAST_SQUARES, POISSON):
        return covariance_of(normal, held, scaled, size, factor, out)
    normal_equations(layout, ties, loss + BREAD, free, u, v, x, y, w, work, normal2, gradient2)
    if not covariance_of(normal2, held, scaled, size, factor, damped):
        return False
    normal_equations(layout, ties, loss + MEAT, free, u, v, x, y, w, work, normal2, gradient2)
    n = held.size
    for i in range(n):
        for j in range(n):
            scaled[i, j] = 0.0
            for k in range(n):
                scaled[i, j] += damped[i, k] * normal2[k, j]
    for i in range(n):
        for j in range(n):
            out[i, j] = 0.0
            for k in range(n):
                out[i, j] += scaled[i, k] * damped[k, j]
    return True


@compiled()
def _is_misplaced(problem, work):
    """Say whether the residuals hold a visible part of the signal, and neighbours among them are alike."""
    _, _, _, _, _, _, _, y, w, _, points = problem
    echo, square = work[9][0], work[9][1]
    if echo * math.sqrt(points) < ALIKE * square:
        return False
    sw = sy = syy = 0.0
    for i in range(y.size):
        own = w[i] * w[i]
        sw += own
        sy += own * y[i]
        syy += own * y[i] * y[i]
    return square > VISIBLE * (syy - sy * sy / sw)


@inlined
def _retry(problem, start, u, best, v, space, work, found, curve, cost, state, limit, precision):
    """Start again from places read from the data; keep what is better, and leave its normal equations in `space`.

    A fit that converged gives way only to one that explains the data: its user may want a part of them.
    """
    layout, ties, loss, free, low, high, x, y, w, _, _ = problem
    evaluations = 0
    settled = state == CONVERGED
    for share in SHARES:
        for j in range(v.size):
            v[j] = start[j]
        for j in range(u.size):
            u[j] = start[free[j]]
        if not reseed(layout, free, v, low, high, x, y, w, share, curve, found, u):
            continue
        _start_inside(u, low, high)
        other, count, ended = _descend(problem, u, v, space, work, limit, precision)
        evaluations += count
        if ended != CONVERGED or (state == CONVERGED and not other < cost):
            continue
        explained = not _is_misplaced(problem, work)
        if explained or not settled:
            cost, state = other, ended
            _copy(u, best)
        if explained:
            return cost, evaluations, state
    _copy(best, u)
    normal_equations(layout, ties, loss, free, u, v, x, y, w, work, space[0], space[2])
    return cost, evaluations + 1, state


@entry()
def fit_many(
    layout, ties, loss, free, low, high, x, signal, sigma, start, limit, precision, work, space,
    u_out, covariance, normal_out, chisqr, nfev, status, held, points,
):  # fmt: skip
    """Fit every row of `signal`; results go into the last eight arrays.

    Parameters
    ----------
    layout, ties, loss, free:
        As in `analysis.peaks.normal.normal_equations`.
    low, high:
        Bounds of the free parameters, infinite where there is none.
    x:
        Axis, dims `(channel,)`.
    signal, sigma:
        Dims `(spectrum, channel)`; NaN in the signal is masked. One row of sigma serves all.
    start:
        All parameters, dims `(spectrum, parameter)`.
    limit:
        Iterations at most.
    precision:
        Squared distance to the optimum at which to stop, in squared standard errors, and a tenth of the relative
        error of the loss.
    work, space:
        From `analysis.peaks.space`.
    u_out, covariance, normal_out, chisqr, nfev, status, held, points:
        Free parameters, their unscaled covariance, curvature of half the loss, the loss, evaluations,
        status, bound flags and usable channels. What cannot be fitted gets its status only.
    """
    n = free.size
    matrix, vector, binned, v, found = space
    space = (
        matrix[0], matrix[1], vector[0], vector[1], matrix[2], matrix[3], matrix[4],
        vector[2], vector[3], vector[4], vector[5], vector[6], vector[7], vector[8],
    )  # fmt: skip
    bins = (binned[0], binned[1], binned[2], vector[9])
    y, w = binned[3], binned[4]
    best = vector[10]
    spacing = abs(x[-1] - x[0]) / max(x.size - 1, 1)
    for s in range(signal.shape[0]):
        points[s], status[s] = take_row(signal[s], sigma[min(s, sigma.shape[0] - 1)], loss == POISSON, n, y, w)
        if status[s] != CONVERGED:
            continue
        _copy(start[s], v)
        u = u_out[s]
        for j in range(n):
            u[j] = v[free[j]]
        _start_inside(u, low, high)
        problem = (layout, ties, loss, free, low, high, x, y, w, spacing, points[s])
        count = _approach(problem, u, v, space, work, bins, limit)
        cost, more, state = _descend(problem, u, v, space, work, min(limit, SOON), precision)
        count += more
        if state != CONVERGED or _is_misplaced(problem, work):
            _copy(u, best)
            cost, more, state = _retry(
                problem, start[s], u, best, v, space, work, found, bins[0], cost, state, limit, precision
            )
            count += more
        if state == MAX_ITERATIONS and limit > SOON:
            cost, more, state = _descend(problem, u, v, space, work, limit - SOON, precision)
            count += more
        if state == CONVERGED and _hold(u, space[0], space[2], low, high, held[s]) > 0:
            cost, more = _polish(problem, u, v, space, work, held[s], cost)
            count += more
        chisqr[s] = 2.0 * cost
        nfev[s] = count
        for i in range(n):
            _copy(matrix[0, i], normal_out[s, i])
        if not _covariance(problem, u, v, space, work, held[s], covariance[s]) and state == CONVERGED:
            state = SINGULAR
        status[s] = state


@entry()
def gradient_many(layout, ties, loss, free, x, data, weights, values, u, work, v, gradient, normal, chisqr):
    """Compute gradient and curvature of half the loss, and the loss, at `u` for every spectrum.

    Parameters
    ----------
    layout, ties, loss, free, x, data, weights:
        As in `fit_many`; one row of weights may serve all.
    values:
        All parameters, dims `(spectrum, parameter)`; the free ones are taken from `u`.
    u:
        Free parameters, dims `(spectrum, free)`.
    work:
        From `analysis.peaks.space.workspace`.
    v:
        Work space, dims `(parameter,)`.
    gradient, normal, chisqr:
        Results, dims `(spectrum, free)`, `(spectrum, free, free)` and `(spectrum,)`.
    """
    for s in range(data.shape[0]):
        _copy(values[s], v)
        row = min(s, weights.shape[0] - 1)
        chisqr[s] = normal_equations(
            layout, ties, loss, free, u[s], v, x, data[s], weights[row], work, normal[s], gradient[s]
        )
