"""Gaussian smoothing and robust noise of one spectrum, compiled.

Each scale smooths the one before, with weights so far apart that what they leave out is smoothed away already (3e-9).
The result is `scipy.ndimage.gaussian_filter1d(mode="nearest")`, to what that cuts off at four sigma.
Not here: what is looked for in the smoothed spectrum (`analysis.peaks.search`).
"""

# Compiled code has no annotations: numba finds its types, and long argument lists are its tables.
# ruff: noqa: ANN001, ANN201, ANN202
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

import math
from typing import Any

import numpy as np

from analysis.peaks.compiled import ELEMENTWISE, compiled

__all__ = ["BLOCK", "LEADS", "MARGIN", "SCALES", "block_extremes", "median", "noise_of", "pad", "smooth_all"]

SCALES = (0.0, 1.0, 2.0, 4.0, 8.0)
FIRST, THEN = 8, 7  # weights on each side: 4 standard deviations
LEADS = (THEN * (2 + 4), THEN * (2 + 4), THEN * 4, 0)
MARGIN = FIRST + LEADS[0]
BLOCK = 8
LEAST_FOR_NOISE = 5
FEW = 24
SAMPLES = 9
GUESSES = 8
MAD = 1.4826
SMOOTH = 1e-9  # of the extent of the signal: less noise is rounding
SECOND_DIFFERENCE = math.sqrt(6.0)


def _gaussian(scale: float, reach: int, step: int = 1) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the weights of the samples 0, `step`, 2 `step` ... away."""
    weights = np.exp(-0.5 * (np.arange(reach + 1) * step / scale) ** 2)
    made: np.ndarray[Any, np.dtype[np.float64]] = weights / (weights[0] + 2.0 * weights[1:].sum())
    return made


NARROW, WIDE = _gaussian(SCALES[1], FIRST // 2), _gaussian(SCALES[2], FIRST)
WIDER = _gaussian(math.sqrt(SCALES[3] ** 2 - SCALES[2] ** 2), THEN, 2)
WIDEST = _gaussian(math.sqrt(SCALES[4] ** 2 - SCALES[3] ** 2), THEN, 4)


@compiled()
def pad(padded, n):
    """Repeat the ends of the `n` samples between two margins in the margins."""
    padded[:MARGIN] = padded[MARGIN]
    padded[MARGIN + n :] = padded[MARGIN + n - 1]


@compiled(fastmath=ELEMENTWISE)
def _smooth_first(y, count, out, broad):
    """Convolve with the two narrowest Gaussians at once; sample i of the results is sample i + FIRST of `y`."""
    a0, a1, a2, a3, a4 = NARROW[0], NARROW[1], NARROW[2], NARROW[3], NARROW[4]
    b0, b1, b2, b3, b4 = WIDE[0], WIDE[1], WIDE[2], WIDE[3], WIDE[4]
    b5, b6, b7, b8 = WIDE[5], WIDE[6], WIDE[7], WIDE[8]
    for i in range(count):
        s1, s2 = y[i + 7] + y[i + 9], y[i + 6] + y[i + 10]
        s3, s4 = y[i + 5] + y[i + 11], y[i + 4] + y[i + 12]
        s5, s6 = y[i + 3] + y[i + 13], y[i + 2] + y[i + 14]
        s7, s8 = y[i + 1] + y[i + 15], y[i] + y[i + 16]
        out[i] = a0 * y[i + 8] + a1 * s1 + a2 * s2 + a3 * s3 + a4 * s4
        broad[i] = b0 * y[i + 8] + b1 * s1 + b2 * s2 + b3 * s3 + b4 * s4 + b5 * s5 + b6 * s6 + b7 * s7 + b8 * s8


def _spaced(weights, step):
    """Make the convolution with weights `step` samples apart; sample i of the result is sample i + 7 `step`."""
    w0, w1, w2, w3, w4, w5, w6, w7 = weights

    @compiled(fastmath=ELEMENTWISE)
    def smooth(y, count, out):
        for i in range(count):
            s1, s2 = y[i + 6 * step] + y[i + 8 * step], y[i + 5 * step] + y[i + 9 * step]
            s3, s4 = y[i + 4 * step] + y[i + 10 * step], y[i + 3 * step] + y[i + 11 * step]
            s5, s6 = y[i + 2 * step] + y[i + 12 * step], y[i + step] + y[i + 13 * step]
            s7 = y[i] + y[i + 14 * step]
            out[i] = w0 * y[i + 7 * step] + w1 * s1 + w2 * s2 + w3 * s3 + w4 * s4 + w5 * s5 + w6 * s6 + w7 * s7

    return smooth


_smooth_wider, _smooth_widest = _spaced(WIDER, 2), _spaced(WIDEST, 4)


@compiled()
def smooth_all(padded, n, smooth):
    """Fill the rows of `smooth` with the `n` samples between the margins smoothed at each scale above 0.

    The first sample of row k stands at `LEADS[k]`. What comes before and after serves the next row.
    """
    _smooth_first(padded, n + 2 * LEADS[0], smooth[0], smooth[1])
    _smooth_wider(smooth[1], n + 2 * LEADS[2], smooth[2])
    _smooth_widest(smooth[2], n, smooth[3])


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
