"""Gaussian smoothing and robust noise of one spectrum, compiled.

The sums are those of `scipy.ndimage.gaussian_filter1d(mode="nearest")` cut at four sigma, to rounding.
Not here: what is looked for in the smoothed spectrum (`analysis.peaks.search`).
"""

# Compiled code has no annotations: numba finds its types, and long argument lists are its tables.
# ruff: noqa: ANN001, ANN201, ANN202, PLR0917
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

import math
from typing import Any

import numpy as np

from analysis.peaks.compiled import ELEMENTWISE, compiled

__all__ = ["BLOCK", "MARGIN", "REACH", "SCALES", "WEIGHTS", "block_extremes", "median", "noise_of", "pad", "smooth_two"]

MARGIN = 32
TAPS = 4
SCALES = (0.0, 1.0, 2.0, 4.0, 8.0)
REACH = np.array([4, 8, 16, 32])
BLOCK = 8
LEAST_FOR_NOISE = 5
FEW = 24
SAMPLES = 9
GUESSES = 8
MAD = 1.4826
SMOOTH = 1e-9  # of the extent of the signal: less noise is rounding
SECOND_DIFFERENCE = math.sqrt(6.0)


def _gaussian(scale: float) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the weights of the samples 0 to 4 `scale` away, zero beyond."""
    k = np.arange(MARGIN + 1)
    weights = np.where(k <= 4.0 * scale, np.exp(-0.5 * (k / scale) ** 2), 0.0)
    made: np.ndarray[Any, np.dtype[np.float64]] = weights / (weights[0] + 2.0 * weights[1:].sum())
    return made


WEIGHTS = np.stack([_gaussian(scale) for scale in SCALES[1:]])


@compiled()
def pad(padded, n):
    """Repeat the ends of the `n` samples between two margins in the margins."""
    padded[:MARGIN] = padded[MARGIN]
    padded[MARGIN + n :] = padded[MARGIN + n - 1]


@compiled(fastmath=ELEMENTWISE)
def smooth_two(padded, n, narrow, near, wide, far, out, broad):
    """Convolve with two sets of symmetric weights at once, four pairs of samples a pass; both reach multiples of 4."""
    centre = padded[MARGIN : MARGIN + n]
    narrow_0, wide_0 = narrow[0], wide[0]
    for i in range(n):
        out[i] = narrow_0 * centre[i]
        broad[i] = wide_0 * centre[i]
    for k in range(1, near + 1, TAPS):
        a1, a2, a3, a4 = narrow[k], narrow[k + 1], narrow[k + 2], narrow[k + 3]
        b1, b2, b3, b4 = wide[k], wide[k + 1], wide[k + 2], wide[k + 3]
        left = padded[MARGIN - k - 3 : MARGIN - k + n]
        right = padded[MARGIN + k : MARGIN + k + 3 + n]
        for i in range(n):
            s1, s2 = left[i + 3] + right[i], left[i + 2] + right[i + 1]
            s3, s4 = left[i + 1] + right[i + 2], left[i] + right[i + 3]
            out[i] += a1 * s1 + a2 * s2 + a3 * s3 + a4 * s4
            broad[i] += b1 * s1 + b2 * s2 + b3 * s3 + b4 * s4
    for k in range(near + 1, far + 1, TAPS):
        b1, b2, b3, b4 = wide[k], wide[k + 1], wide[k + 2], wide[k + 3]
        left = padded[MARGIN - k - 3 : MARGIN - k + n]
        right = padded[MARGIN + k : MARGIN + k + 3 + n]
        for i in range(n):
            s1, s2 = left[i + 3] + right[i], left[i + 2] + right[i + 1]
            s3, s4 = left[i + 1] + right[i + 2], left[i] + right[i + 3]
            broad[i] += b1 * s1 + b2 * s2 + b3 * s3 + b4 * s4


@compiled()
def sort(values, n):
    """Sort the first `n` by insertion."""
    for i in range(1, n):
        v = values[i]
        j = i - 1
        while j >= 0 and values[j] > v:
            values[j + 1] = values[j]
            j -= 1
        values[j + 1] = v


@compiled()
def select(work, n, k, sample):
    """Return the `k`-th smallest of the first `n` of `work`, which is overwritten.

    Each pass keeps one side of the median of a few of them; counting and packing have no branches.
    """
    while n > FEW:
        for j in range(SAMPLES):
            sample[j] = work[(n * (2 * j + 1)) // (2 * SAMPLES)]
        sort(sample, sample.size)
        pivot = sample[(k * SAMPLES) // n]
        less, equal = 0, 0
        for i in range(n):
            less += work[i] < pivot
            equal += work[i] == pivot
        count = 0
        if k < less:
            for i in range(n):
                v = work[i]
                work[count] = v
                count += v < pivot
        elif k < less + equal:
            return pivot
        else:
            for i in range(n):
                v = work[i]
                work[count] = v
                count += v > pivot
            k -= less + equal
        n = count
    sort(work, n)
    return work[k]


@compiled(fastmath=ELEMENTWISE)
def _below(values, n, bound):
    count = 0
    for i in range(n):
        count += values[i] < bound
    return count


@compiled()
def _within(values, n, low, high, work):
    """Pack what lies in [low, high) into `work`; return how many."""
    count = 0
    for i in range(n):
        v = values[i]
        work[count] = v
        count += (v >= low) & (v < high)
    return count


@compiled()
def _bracket(values, n, first, last, sample):
    """Return bounds with the ranks `first` and `last` between them, and how many values are below the lower.

    Counting what is below a bound is SIMD: a few counts close in.
    """
    for j in range(SAMPLES):
        sample[j] = values[(n * (2 * j + 1)) // (2 * SAMPLES)]
    sort(sample, sample.size)
    guess, spread = sample[SAMPLES // 2], 0.5 * (sample[SAMPLES - 3] - sample[2])
    low, high = -math.inf, math.inf
    under, upto, side = 0, n, 0
    for _ in range(GUESSES):
        count = _below(values, n, guess)
        if count <= first:
            low, under, side = guess, count, 1
        elif count > last:
            high, upto, side = guess, count, -1
        else:
            break
        if upto - under <= FEW:
            break
        if math.isinf(low) or math.isinf(high):
            guess += side * spread
        else:
            guess = low + (last + side * (FEW // 3) - under) / (upto - under) * (high - low)
            guess = min(max(guess, low), high)
    return low, high, under


@compiled()
def median(values, n, work, sample):
    """Return the median of the first `n` finite values."""
    last = n // 2
    first = last - 1 + n % 2
    low, high, under = -math.inf, math.inf, 0
    if n > 4 * FEW:
        low, high, under = _bracket(values, n, first, last, sample)
    left = _within(values, n, low, high, work)
    if left <= FEW:
        sort(work, left)
        return 0.5 * (work[first - under] + work[last - under])
    upper = select(work, left, last - under, sample)
    lower = upper
    if first < last:
        left = _within(values, n, low, upper, work)
        if left == last - under:
            lower = work[0]
            for i in range(1, left):
                lower = max(lower, work[i])
    return 0.5 * (lower + upper)


@compiled(fastmath=ELEMENTWISE)
def _far(y, n, reach):
    """Count what lies further than `reach` from the first sample."""
    count = 0
    first = y[0]
    for i in range(n):
        count += abs(y[i] - first) > reach
    return count


@compiled()
def _least_noise(y, n):
    low, high = y[0], y[0]
    for i in range(n):
        low = min(low, y[i])
        high = max(high, y[i])
    return SMOOTH * (high - low) if high > low else 1e-300


@compiled(fastmath=ELEMENTWISE)
def _second_differences(y, n, out):
    for i in range(n - 2):
        out[i] = abs(y[i + 2] - 2.0 * y[i + 1] + y[i])


@compiled()
def noise_of(y, n, differences, work, sample):
    """Estimate the standard deviation of the noise from the median size of the second differences.

    Of a smooth curve they are near zero, so no centre is taken off (as DER_SNR does, Stoehr et al. 2008).
    """
    if n < LEAST_FOR_NOISE:
        return _least_noise(y, n)
    _second_differences(y, n, differences)
    spread = MAD * median(differences, n - 2, work, sample) / SECOND_DIFFERENCE
    if spread > 0.0 and not _far(y, n, 0.5 / SMOOTH * spread):
        return spread
    return max(spread, _least_noise(y, n))


@compiled(fastmath=ELEMENTWISE)
def _fold(high, low, count, upper, lower):
    for i in range(count):
        upper[i] = high[2 * i] if high[2 * i] > high[2 * i + 1] else high[2 * i + 1]
        lower[i] = low[2 * i] if low[2 * i] < low[2 * i + 1] else low[2 * i + 1]


@compiled()
def block_extremes(y, n, table):
    """Write the highest and lowest value of each block of samples as rows 0 and 1; return how many."""
    blocks = n // BLOCK
    high, low = table[0], table[1]
    _fold(y, y, 4 * blocks, high, low)
    _fold(high, low, 2 * blocks, table[2], table[3])
    _fold(table[2], table[3], blocks, high, low)
    if n > BLOCK * blocks:
        high[blocks], low[blocks] = y[n - 1], y[n - 1]
        for i in range(BLOCK * blocks, n):
            high[blocks] = max(high[blocks], y[i])
            low[blocks] = min(low[blocks], y[i])
        blocks += 1
    return blocks
