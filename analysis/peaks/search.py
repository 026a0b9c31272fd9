"""The search for peaks in many spectra, compiled: prominent maxima at each scale, the best of each group, refined.

Prominences and widths are those of `scipy.signal.peak_prominences` and `peak_widths`. A maximum that falls by less
than a threshold on either side cannot be prominent enough, so one pass over the samples finds the few that can.
Not here: smoothing and noise (`analysis.peaks.smoothing`), the public search (`analysis.peaks.find`).
"""

# Compiled code has no annotations: numba finds its types, and long argument lists are its tables.
# ruff: noqa: ANN001, ANN201, ANN202, PLR0917
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

import math

import numpy as np

from analysis.peaks.compiled import compiled, entry
from analysis.peaks.smoothing import (
    BLOCK,
    LEADS,
    MARGIN,
    SCALES,
    block_extremes,
    median,
    noise_of,
    pad,
    smooth_all,
)

__all__ = ["FIELDS", "noise", "search"]

FINITE = {"nnan", "ninf", "nsz"}
LEAST_FOR_SCALE = 6.0  # samples per unit of scale
FWHM_OF_SCALE = 2.0 * math.sqrt(2.0 * math.log(2.0))
BROADER_THAN_SCALE = 1.5
NOISE_PROMINENCE = 2.5  # how far, in units of the noise, the saddles of a peak lie too low by noise alone
ROUNDING = 1.0 - 1e-9
UNSEEN = 1e-14  # of the signal: smaller rises are rounding
FLAT = 1e-9  # bending of the logarithm over half the window: less is rounding, on a clipped top
LEAST_SAMPLES = 3
NARROW = 3.5
FLOOR = 0.02
FIELDS = 5
TOP, LEFT, RIGHT, PROMINENCE, SNR, WIDTH, BASE = range(7)
SAMPLES = 9


@compiled()
def _take(y, n, out):
    """Copy `y` with straight lines where it is not finite; return the number of finite samples."""
    good = 0
    for i in range(n):
        v = y[i]
        out[i] = v
        good += v - v == 0.0
    if good < n:
        _bridge(y, n, out)
    return good


@compiled()
def _bridge(y, n, out):
    last = -1
    for i in range(n):
        v = y[i]
        if math.isfinite(v):
            for j in range(last + 1, i):
                out[j] = v if last < 0 else y[last] + (v - y[last]) / (i - last) * (j - last)
            last = i
    for j in range(last + 1, n):
        out[j] = y[last]


@compiled(fastmath=FINITE)
def _lowest(y, low, high):
    best = y[low]
    for i in range(low, high):
        best = y[i] if y[i] < best else best
    return best


@compiled(fastmath=FINITE)
def _fall(high, low, count, threshold):
    """Return the threshold, at least as large as what rounding makes of the largest value."""
    largest = 0.0
    for block in range(count):
        largest = max(largest, abs(high[block]), abs(low[block]))
    return max(threshold, UNSEEN * largest)


@compiled(fastmath=FINITE)
def _turns(y, n, threshold, blocks, highs, valleys):
    """List the maxima between which `y` falls and rises by a threshold, and the lowest values around them.

    Every maximum with at least that prominence is in the list, the first of its equals. Returns how many. Only blocks
    in which the direction may turn are looked into.
    """
    high, low = blocks[0], blocks[1]
    count, rising, extreme, at = 0, True, y[0], 0
    number = block_extremes(y, n, blocks)
    fall = _fall(high, low, number, threshold)
    for block in range(number):
        start = block * BLOCK
        after, quiet = _passed(rising, extreme, low[block], high[block], fall)
        if quiet:
            at = start if after != extreme else at
            extreme = after
            continue
        for i in range(start, min(start + BLOCK, n)):
            v = y[i]
            if rising:
                if v > extreme:
                    extreme, at = v, i
                elif v <= extreme - fall:
                    highs[count] = _equal(y, at, extreme)
                    count, rising, extreme = count + 1, False, v
            elif v < extreme:
                extreme = v
            elif v >= extreme + fall:
                valleys[count] = extreme
                rising, extreme, at = True, v, i
    if rising:
        highs[count] = _equal(y, at, extreme)
        count += 1
        extreme = _lowest(y, highs[count - 1], n)
    valleys[count] = extreme
    valleys[0] = _lowest(y, 0, highs[0] + 1)
    return count


@compiled(fastmath=FINITE)
def _passed(rising, extreme, low, high, fall):
    """Return the extreme after a block, and whether the direction cannot turn within it."""
    if rising:
        extreme = high if high > extreme else extreme
        return extreme, low > extreme - fall
    extreme = low if low < extreme else extreme
    return extreme, high < extreme + fall


@compiled()
def _equal(y, i, value):
    while y[i] != value:
        i += 1
    return i


@compiled(fastmath=FINITE)
def _base(y, k, count, highs, valleys):
    """Return the higher of the saddles of a maximum of the list."""
    height = y[highs[k]]
    left, j = valleys[k], k - 1
    while j >= 0 and y[highs[j]] <= height:
        left = min(left, valleys[j])
        j -= 1
    right, j = valleys[k + 1], k + 1
    while j < count and y[highs[j]] <= height:
        right = min(right, valleys[j + 1])
        j += 1
    return max(left, right)


@compiled(fastmath=FINITE)
def _crossings(y, peak, level):
    """Return where `y` crosses a level to the left and right of a peak; it does cross it."""
    i = peak
    while level < y[i]:
        i -= 1
    left = i + (level - y[i]) / (y[i + 1] - y[i]) if y[i] < level else float(i)
    i = peak
    while level < y[i]:
        i += 1
    right = i - (level - y[i]) / (y[i - 1] - y[i]) if y[i] < level else float(i)
    return left, right


@compiled(fastmath=FINITE)
def _measure(y, peak, base, noise, scale, row):
    """Fill the row of a maximum; False if it is no broader than the smoothing."""
    prominence = y[peak] - base
    left, right = _crossings(y, peak, y[peak] - 0.5 * prominence)
    width = right - left
    if width < BROADER_THAN_SCALE * FWHM_OF_SCALE * scale:
        return False
    row[TOP], row[LEFT], row[RIGHT], row[PROMINENCE] = peak, left, right, prominence
    row[SNR] = prominence / noise - NOISE_PROMINENCE
    row[WIDTH] = math.sqrt(max(width * width - (FWHM_OF_SCALE * scale) ** 2, 0.0))
    row[BASE] = y[peak] - prominence
    return True


@compiled(fastmath=FINITE)
def _at_scale(y, n, noise, threshold, min_snr, scale, blocks, highs, valleys, rows, found):
    """Add the maxima of one scale, in their order; return how many there are now."""
    gain = 1.0 / math.sqrt(2.0 * math.sqrt(math.pi) * scale) if scale > 0.0 else 1.0
    fall = threshold * gain * ROUNDING
    count = _turns(y, n, fall, blocks, highs, valleys)
    for k in range(count):
        i = highs[k]
        height = y[i]
        base = _base(y, k, count, highs, valleys)
        if height - base < fall:
            continue
        least = height - fall
        while i < n and least < y[i] <= height:
            if y[i] < height:
                i += 1
                continue
            end = i
            while end + 1 < n and y[end + 1] == height:
                end += 1
            if end + 1 == n or y[end + 1] > height:
                break
            peak = (i + end) // 2
            sigma = noise[peak] * gain
            if (height - base) / sigma - NOISE_PROMINENCE >= min_snr:
                found += _measure(y, peak, base, sigma, scale, rows[found])
            i = end + 1
    return found


@compiled(fastmath=FINITE)
def _sort_rising(keys, order, count):
    """Sort the first indices of `order` by their keys, stably."""
    for i in range(1, count):
        one = order[i]
        v = keys[one]
        j = i - 1
        while j >= 0 and keys[order[j]] > v:
            order[j + 1] = order[j]
            j -= 1
        order[j + 1] = one


@compiled(fastmath=FINITE)
def _strongest(rows, found, most, keys, order, kept):
    """Keep of each group of detections within half a width the one with the best snr, in order of place."""
    for i in range(found):
        order[i] = i
        keys[i] = -rows[i, SNR]
    _sort_rising(keys, order, found)
    count = 0
    for i in range(found):
        one = order[i]
        alone = True
        for j in range(count):
            other = kept[j]
            if abs(rows[one, TOP] - rows[other, TOP]) <= 0.5 * max(rows[other, WIDTH], 1.0):
                alone = False
                break
        if alone:
            kept[count] = one
            count += 1
    fields = (PROMINENCE, TOP) if count > most else (TOP, TOP)
    for field in fields:
        for i in range(found):
            keys[i] = -rows[i, field] if field == PROMINENCE else rows[i, field]
        _sort_rising(keys, kept, count)
        count = min(count, most)
    return count


@compiled()
def _parabola(y, low, high, peak, base, prominence):
    """Fit a weighted parabola to the logarithm of the samples of a peak; return its slope and curvature at the top."""
    reach = float(max(high - peak, peak - low))
    s0 = s1 = s2 = s3 = s4 = b0 = b1 = b2 = 0.0
    for i in range(low, high + 1):
        t = (i - peak) / reach
        above = max((y[i] - base) / prominence, FLOOR)
        log = math.log(above)
        w = above * above
        wt, wt2 = w * t, w * t * t
        s0 += w
        s1 += wt
        s2 += wt2
        s3 += wt2 * t
        s4 += wt2 * t * t
        b0 += w * log
        b1 += wt * log
        b2 += wt2 * log
    mean, log = s1 / s0, b0 / s0
    m11, m12, m22 = s2 - s1 * mean, s3 - s2 * mean, s4 - s2 * s2 / s0
    r1, r2 = b1 - s1 * log, b2 - s2 * log
    determinant = m11 * m22 - m12 * m12
    curve = (m11 * r2 - m12 * r1) / determinant
    slope = (m22 * r1 - m12 * r2) / determinant
    return (slope / reach, curve / (reach * reach)) if curve < -FLAT else (0.0, 0.0)


@compiled()
def _interpolated(axis, place):
    i = min(int(place), axis.size - 2)
    return (axis[i + 1] - axis[i]) * (place - i) + axis[i]


@compiled()
def _refine(axis, y, n, row, work, sample, out):
    """Place a peak between samples by a weighted parabola through the logarithm of its upper half."""
    peak, width = int(row[TOP]), row[WIDTH]
    out[1] = y[peak]
    if width >= NARROW:
        near = max(1, int(0.25 * width))
        start, end = max(peak - near, 0), min(peak + near + 1, n)
        out[1] = median(y[start:end], end - start, work, sample)
    low = max(0, min(math.ceil(row[LEFT]), peak - 1))
    high = min(n - 1, max(math.floor(row[RIGHT]), peak + 1))
    slope, curve = _parabola(y, low, high, peak, row[BASE], row[PROMINENCE])
    shift = 0.0
    if curve < 0.0:
        shift = -0.5 * slope / curve
        if width < NARROW:  # the half-height crossings lie between too few samples
            width = math.sqrt(-4.0 * math.log(2.0) / curve)
    out[0] = _interpolated(axis, peak + min(max(shift, low - peak), high - peak))
    before, after = max(peak - 1, 0), min(peak + 1, n - 1)
    out[2] = width * (abs(axis[after] - axis[before]) / (after - before))
    out[3], out[4] = row[PROMINENCE], row[SNR]


@compiled()
def _fill(noise, sigma, level, n):
    """Fill in the noise of each sample where it is not stated; return the least."""
    if not sigma.size:
        noise[:] = level
        return level
    least = math.inf
    for i in range(n):
        stated = sigma[min(i, sigma.size - 1)]
        noise[i] = stated if 0.0 < stated < math.inf else level
        least = min(least, noise[i])
    return least


def search(axis, signal, sigma, first, min_snr, most, table, counts):
    """Search the spectra from `first` on until the table may be too short for the next; return rows of both done.

    `sigma` has one row of noise for each spectrum, one for all, or none; a row has one number or one per sample.
    """
    n = signal.shape[1]
    maxima = n // 2 + 1
    detections = 5 * maxima
    space = (
        np.empty(n + 2 * MARGIN), np.empty((4, n + 2 * LEADS[0])), np.empty((2, n + 1)), np.empty(SAMPLES),
        np.empty(n),
        np.empty(n + 1), np.empty(n + 1, dtype=np.int64), np.empty((4, maxima)), np.empty((detections, 7)),
        np.empty(detections), np.empty(detections, dtype=np.int64), np.empty(detections, dtype=np.int64),
    )  # fmt: skip
    return _search(axis, signal, sigma, first, min_snr, most, space, table, counts)


@entry()
def _search(axis, signal, sigma, first, min_snr, most, space, table, counts):
    padded, smooth, work, sample, noise, valleys, highs, blocks, rows, keys, order, kept = space
    n = signal.shape[1]
    y = padded[MARGIN : MARGIN + n]
    filled = 0
    for spectrum in range(first, len(signal)):
        if filled + n // 2 + 1 > len(table):
            return spectrum, filled
        counts[spectrum] = 0
        if _take(signal[spectrum], n, y) < LEAST_SAMPLES:
            continue
        pad(padded, n)
        level = noise_of(y, n, work[0], work[1], sample)
        stated = sigma[min(spectrum, len(sigma) - 1)] if len(sigma) else noise[:0]
        least = (min_snr + NOISE_PROMINENCE) * _fill(noise, stated, level, n)
        smooth_all(padded, n, smooth)
        found = np.int64(0)
        for k in range(len(SCALES)):
            if LEAST_FOR_SCALE * SCALES[k] < n:
                smoothed = smooth[k - 1, LEADS[k - 1] : LEADS[k - 1] + n] if k > 0 else y
                found = _at_scale(smoothed, n, noise, least, min_snr, SCALES[k], blocks, highs, valleys, rows, found)
        counts[spectrum] = _strongest(rows, found, most, keys, order, kept)
        for j in range(counts[spectrum]):
            _refine(axis, y, n, rows[kept[j]], work[0], sample, table[filled + j])
        filled += counts[spectrum]
    return len(signal), filled


def noise(signal):
    """Estimate the noise of one spectrum without NaN."""
    return _noise(signal, np.empty((2, signal.size + 1)), np.empty(SAMPLES))


@entry()
def _noise(signal, work, sample):
    return noise_of(signal, signal.size, work[0], work[1], sample)
