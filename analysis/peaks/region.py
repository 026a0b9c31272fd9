"""One trust-region step of the fit kernel, with bounds, compiled.

The region restricts how far centres, widths and fractions move, measured in the widths of their own
peak, while linear parameters follow freely (as in variable projection); bounds enter by Coleman-Li scaling.
Not here: whether a step is taken (`analysis.peaks.engine`).
References: Coleman & Li, SIAM J. Optim. 6 (1996) 418, doi:10.1137/0806023; Nocedal & Wright, Numerical
Optimization (2006), algorithm 4.3; Golub & Pereyra, Inverse Problems 19 (2003) R1.
"""

# Compiled code has no annotations: numba finds its types, and long argument lists are its tables.
# ruff: noqa: ANN001, ANN201, ANN202, PLR0917
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

import math

from analysis.peaks.compiled import compiled
from analysis.peaks.kinds import LINEAR, RATE, SHAPE, WIDTH
from analysis.peaks.linear import backward, cholesky, forward

__all__ = ["clip", "gain_of", "reach_of", "region_step", "room_to_bound", "scale", "shorten"]

STAY_INSIDE = 0.995


@compiled()
def _width_of(layout, c, v, spacing):
    """Return the width of a component: the sum of those of its parameters that are widths."""
    width = 0.0
    for k in range(layout[1][c], layout[1][c + 1]):
        if layout[7][k] == WIDTH:
            width += abs(v[layout[5][k]])
    return max(width, spacing)


@compiled()
def reach_of(layout, tied, v, chain, spacing, reach):
    """Set how far each free parameter may sensibly move in one step; 0 for linear ones."""
    first, source, place, role, typical = layout[1], layout[5], layout[6], layout[7], layout[8]
    reach[:] = 0.0
    for c in range(first.size - 1):
        width = _width_of(layout, c, v, spacing)
        for k in range(first[c], first[c + 1]):
            if role[k] == LINEAR:
                continue
            limit = typical[k]
            if role[k] == RATE:
                limit /= width
            elif role[k] != SHAPE:
                limit *= width
            for j in range(reach.size):
                slope = abs(chain[source[k], j]) if tied else 1.0 * (place[j] == k)
                if slope > 0.0:
                    own = limit / slope
                    reach[j] = own if reach[j] == 0.0 else min(reach[j], own)


@compiled()
def room_to_bound(u, gradient, low, high, j):
    """Return the distance to the bound that descent pushes parameter j towards."""
    if gradient[j] > 0.0:
        return u[j] - low[j]
    if gradient[j] < 0.0:
        return high[j] - u[j]
    return math.inf


@compiled()
def scale(normal, gradient, u, low, high, reach, eager, scaled, slope, size, metric):
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
        room = room_to_bound(u, gradient, low, high, j)
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


@compiled()
def _length(metric, step):
    total = 0.0
    for j in range(step.size):
        total += metric[j] * step[j] * step[j]
    return math.sqrt(total)


@compiled()
def region_step(scaled, slope, metric, radius, damped, factor, half, step):
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
        if cholesky(damped, n, factor) <= 0.0:
            ridge *= 100.0
            continue
        for i in range(n):
            half[i] = -slope[i]
        forward(factor, n, half, step)
        backward(factor, n, step, half)
        for i in range(n):
            step[i] = half[i]
        length = _length(metric, step)
        if length <= 1.1 * radius:
            break
        for i in range(n):
            half[i] = metric[i] * step[i]
        forward(factor, n, half, half)
        square = 0.0
        for i in range(n):
            square += half[i] * half[i]
        multiplier += (length * length / square) * (length - radius) / radius
    return multiplier, length


@compiled()
def clip(u, step, gradient, low, high, negligible, trial):
    """Put `u + step` into `trial`, strictly inside the bounds.

    Returns
    -------
    :
        Whether a bound was in the way of a fall of ½χ² above `negligible`.
    """
    clipped = False
    for j in range(u.size):
        value = u[j] + step[j]
        if low[j] < value < high[j]:
            trial[j] = value
            continue
        room = low[j] - u[j] if value <= low[j] else high[j] - u[j]
        trial[j] = u[j] + STAY_INSIDE * room
        if abs(gradient[j] * room) > negligible:
            clipped = True
    return clipped


@compiled()
def shorten(u, step, low, high, trial):
    """Put `u + t·step` into `trial` with t so short that all bounds hold."""
    t = 1.0
    for j in range(u.size):
        if step[j] < 0.0 and u[j] + step[j] <= low[j]:
            t = min(t, STAY_INSIDE * (low[j] - u[j]) / step[j])
        elif step[j] > 0.0 and u[j] + step[j] >= high[j]:
            t = min(t, STAY_INSIDE * (high[j] - u[j]) / step[j])
    for j in range(u.size):
        trial[j] = u[j] + t * step[j]


@compiled()
def gain_of(normal, gradient, u, trial):
    """Return the fall of ½χ² that the quadratic model predicts, and the slope along the step."""
    linear = 0.0
    curved = 0.0
    for i in range(u.size):
        d = trial[i] - u[i]
        linear += gradient[i] * d
        for j in range(u.size):
            curved += d * normal[i, j] * (trial[j] - u[j])
    return -(linear + 0.5 * curved), -linear
