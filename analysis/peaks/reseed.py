"""Other starting values, read from the data, for a fit that ended in a wrong place, compiled.

One peak after another is taken off the smoothed data where they are highest above a straight background, and
the peaks of the model get these places in the order of their own starting centres.
Not here: when that is needed, and the fit (`analysis.peaks.engine`).
"""

# Compiled code has no annotations: numba finds its types, and long argument lists are its tables.
# ruff: noqa: ANN001, ANN201, ANN202, PLR0917
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

import math

from analysis.peaks.compiled import compiled, inlined
from analysis.peaks.kinds import CENTER, LINEAR, SHAPE, WIDTH

__all__ = ["reseed"]

FINEST, COARSEST = 5, 64  # points of the moving average, at least; and the share of the spectrum it takes
NARROW, WIDE = 1.5, 0.5  # bounds of a width, in points and in lengths of the axis


@inlined
def _smooth(y, w, size, out):
    """Average over `size` usable points to each side of each; NaN where none is usable."""
    for i in range(y.size):
        total = 0.0
        count = 0
        for k in range(max(i - size, 0), min(i + size + 1, y.size)):
            if w[k] > 0.0:
                total += y[k]
                count += 1
        out[i] = total / count if count > 0 else math.nan


@compiled()
def _lowest(curve, low, high):
    best = -1
    for i in range(low, high):
        if not math.isnan(curve[i]) and (best < 0 or curve[i] < curve[best]):
            best = i
    return best


@compiled()
def _highest(curve):
    best = -1
    for i in range(curve.size):
        if not math.isnan(curve[i]) and (best < 0 or curve[i] > curve[best]):
            best = i
    return best


@compiled()
def _flatten(x, curve, sign):
    """Subtract the line through the lowest points of the left and right third, peaks pointing up."""
    n = x.size
    for i in range(n):
        curve[i] *= sign
    left = _lowest(curve, 0, n // 3)
    right = _lowest(curve, n - n // 3, n)
    if left < 0 or right < 0 or x[left] == x[right]:
        return False
    base = curve[left]
    slope = (curve[right] - base) / (x[right] - x[left])
    start = x[left]
    for i in range(n):
        curve[i] -= base + slope * (x[i] - start)
    return True


@inlined
def _half_width(x, curve, top):
    """Return the shorter distance from a maximum to half its height."""
    n = x.size
    half = 0.5 * curve[top]
    best = math.inf
    i = top
    while i > 0 and not curve[i] < half:
        i -= 1
    if curve[i] < half:
        best = abs(x[top] - x[i])
    i = top
    while i < n - 1 and not curve[i] < half:
        i += 1
    if curve[i] < half:
        best = min(best, abs(x[i] - x[top]))
    return best


@inlined
def _take_off(x, curve, top, width):
    """Subtract a Gaussian with the height and half width at half maximum of a peak."""
    height, center = curve[top], x[top]
    for i in range(x.size):
        t = (x[i] - center) / width
        curve[i] -= height * math.exp(-0.6931471805599453 * min(t * t, 700.0))


@compiled()
def _owner(free, position):
    for j in range(free.size):
        if free[j] == position:
            return j
    return -1


@compiled()
def _is_peak(layout, c):
    """Say whether a component has an area, one centre and a width."""
    first, role = layout[1], layout[7]
    centres = widths = 0
    for k in range(first[c], first[c + 1]):
        centres += role[k] == CENTER
        widths += role[k] == WIDTH
    return centres == 1 and widths > 0 and role[first[c]] == LINEAR


@compiled()
def _place(layout, free, c, center, width, low, high, u):
    """Put one component at a place found in the data, as far as its parameters are free and their bounds allow."""
    first, source, role, typical = layout[1], layout[5], layout[7], layout[8]
    widths = 0
    for k in range(first[c], first[c + 1]):
        widths += role[k] == WIDTH
    for k in range(first[c], first[c + 1]):
        j = _owner(free, source[k])
        if j < 0 or role[k] == LINEAR:
            continue
        if role[k] == CENTER:
            value = center
        elif role[k] == WIDTH:
            value = width / widths
        elif low[j] > -math.inf and high[j] < math.inf:
            value = 0.5 * (low[j] + high[j])
        else:
            value = min(max(u[j], -typical[k]), typical[k]) if role[k] == SHAPE else u[j]
        u[j] = min(max(value, low[j]), high[j])


@compiled()
def reseed(layout, free, v, low, high, x, y, w, share, curve, found, u):
    """Read centres and widths of the model's peaks from the data into `u`.

    Parameters
    ----------
    layout, free:
        As in `analysis.peaks.normal.normal_equations`.
    v:
        All starting values.
    low, high:
        Bounds of the free parameters.
    x, y, w:
        Axis, data and weights, dims `(channel,)`.
    share:
        The moving average takes one part in `share` of the spectrum.
    curve, found:
        Work space, dims `(channel,)` and `(2, component)`.
    u:
        Free parameters; those of peaks are replaced.

    Returns
    -------
    :
        False if the model has no peak or the data show too few; `u` may then be half changed.
    """
    first, source = layout[1], layout[5]
    peaks = 0
    total = 0.0
    for c in range(first.size - 1):
        if _is_peak(layout, c):
            peaks += 1
            total += v[source[first[c]]] * layout[2][c]
    if peaks == 0:
        return False
    _smooth(y, w, max(FINEST, x.size // share) // 2, curve)
    if not _flatten(x, curve, 1.0 if total >= 0.0 else -1.0):
        return False
    length = abs(x[-1] - x[0])
    spacing = length / max(x.size - 1, 1)
    for p in range(peaks):
        top = _highest(curve)
        if top < 0 or not curve[top] > 0.0:
            return False
        width = min(max(_half_width(x, curve, top), NARROW * spacing), WIDE * length)
        _insert(found, p, x[top], width)
        _take_off(x, curve, top, width)
    return _assign(layout, free, v, low, high, peaks, found, u)


@inlined
def _insert(found, count, center, width):
    """Keep the first `count` columns of `found` sorted by centre."""
    i = count
    while i > 0 and found[0, i - 1] > center:
        found[0, i] = found[0, i - 1]
        found[1, i] = found[1, i - 1]
        i -= 1
    found[0, i] = center
    found[1, i] = width


@compiled()
def _center(layout, v, c):
    for k in range(layout[1][c], layout[1][c + 1]):
        if layout[7][k] == CENTER:
            return v[layout[5][k]]
    return math.inf


@compiled()
def _next_peak(layout, v, last):
    """Return the peak that follows `last` in the order of starting centres; the first one after -1."""
    best = -1
    for c in range(layout[0].size):
        if not _is_peak(layout, c):
            continue
        at = _center(layout, v, c)
        before = _center(layout, v, last) if last >= 0 else -math.inf
        later = at > before or (at == before and c > last)
        if later and (best < 0 or at < _center(layout, v, best)):
            best = c
    return best


@inlined
def _assign(layout, free, v, low, high, peaks, found, u):
    """Give the places in `found` to the peaks in the order of their starting centres."""
    last = _next_peak(layout, v, -1)
    for p in range(peaks):
        if last < 0:
            return False
        _place(layout, free, last, found[0, p], found[1, p], low, high, u)
        last = _next_peak(layout, v, last)
    return True
