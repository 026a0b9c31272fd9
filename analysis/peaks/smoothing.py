"""Gaussian smoothing and robust noise of one spectrum, compiled.

The sums are those of `scipy.ndimage.gaussian_filter1d(mode="nearest")` cut at four sigma, to rounding.
Not here: what is looked for in the smoothed spectrum (`analysis.peaks.search`).
"""

# Compiled code has no annotations: numba finds its types, and long argument lists are its tables.
# ruff: noqa: ANN001, ANN201, PLR0917
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

import math

from numba import njit

__all__ = ["MARGIN", "gaussian", "median", "noise_of", "pad", "smooth_two"]

# Elementwise loops: everything but reassociation, so that a number does not depend on its place in a row.
ELEMENTWISE = {"contract", "nnan", "ninf", "nsz", "arcp"}
MARGIN = 32
TAPS = 4
LEAST_FOR_NOISE = 5
FEW = 24
SAMPLES = 9
GUESSES = 8
MAD = 1.4826
SECOND_DIFFERENCE = math.sqrt(6.0)


@njit(cache=True, nogil=True, error_model="numpy")
def gaussian(scale, weights):
    """Write the weights of the samples 0 to 4 `scale` away; return how far they reach."""
    radius = int(4.0 * scale + 0.5)
    total = 0.0
    for k in range(radius + 1):
        weights[k] = math.exp(-0.5 / (scale * scale) * k * k)
        total += weights[k] if k == 0 else 2.0 * weights[k]
    for k in range(radius + 1):
        weights[k] /= total
    return radius


@njit(cache=True, nogil=True, error_model="numpy")
def pad(padded, n):
    """Repeat the ends of the `n` samples between two margins in the margins."""
    padded[:MARGIN] = padded[MARGIN]
    padded[MARGIN + n :] = padded[MARGIN + n - 1]


@njit(cache=True, nogil=True, error_model="numpy", fastmath=ELEMENTWISE)
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


@njit(cache=True, nogil=True, error_model="numpy")
def sort(values, n):
    """Sort the first `n` by insertion."""
    for i in range(1, n):
        v = values[i]
        j = i - 1
        while j >= 0 and values[j] > v:
            values[j + 1] = values[j]
            j -= 1
        values[j + 1] = v


@njit(cache=True, nogil=True, error_model="numpy")
def select(work, n, k, sample):
    """Return the `k`-th smallest of the first `n` of `work`, which is overwritten.

    Each pass keeps one side of the median of a few of them; counting and packing have no branches.
    """
    while n > FEW:
        for j in range(SAMPLES):
            sample[j] = work[(n * (2 * j + 1)) // (2 * SAMPLES)]
        sort(sample, SAMPLES)
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


@njit(cache=True, nogil=True, error_model="numpy", fastmath=ELEMENTWISE)
def _below(values, n, bound):
    count = 0
    for i in range(n):
        count += values[i] < bound
    return count


@njit(cache=True, nogil=True, error_model="numpy")
def _within(values, n, low, high, work):
    """Pack what lies in [low, high) into `work`; return how many."""
    count = 0
    for i in range(n):
        v = values[i]
        work[count] = v
        count += (v >= low) & (v < high)
    return count


@njit(cache=True, nogil=True, error_model="numpy")
def median(values, n, work, sample):
    """Return the median of the first `n` finite values.

    Counting what is below a bound is SIMD: a few counts close in on the median, what is left is sorted.
    """
    last = n // 2
    first = last - 1 + n % 2
    low, high = -math.inf, math.inf
    under, upto = 0, n
    if n > 4 * FEW:
        for j in range(SAMPLES):
            sample[j] = values[(n * (2 * j + 1)) // (2 * SAMPLES)]
        sort(sample, SAMPLES)
        middle, spread = sample[SAMPLES // 2], 0.5 * (sample[SAMPLES - 3] - sample[2])
        guess = middle
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


@njit(cache=True, nogil=True, error_model="numpy", fastmath=ELEMENTWISE)
def extent(y, n, low, high):
    """Return the highest less the lowest value; halves are laid on each other, which is SIMD."""
    for i in range(n):
        low[i] = y[i]
        high[i] = y[i]
    while n > 1:
        half = (n + 1) // 2
        for i in range(n - half):
            low[i] = low[i + half] if low[i + half] < low[i] else low[i]
            high[i] = high[i + half] if high[i + half] > high[i] else high[i]
        n = half
    return high[0] - low[0]


@njit(cache=True, nogil=True, error_model="numpy", fastmath=ELEMENTWISE)
def _second_differences(y, n, out):
    for i in range(n - 2):
        out[i] = y[i + 2] - 2.0 * y[i + 1] + y[i]


@njit(cache=True, nogil=True, error_model="numpy", fastmath=ELEMENTWISE)
def _deviations(values, n, centre):
    for i in range(n):
        values[i] = abs(values[i] - centre)


@njit(cache=True, nogil=True, error_model="numpy")
def noise_of(y, n, differences, work, sample):
    """Estimate the standard deviation of the noise from the spread of the second differences."""
    least = 1e-9 * extent(y, n, differences, work)
    if least == 0.0:
        least = 1e-300
    if n < LEAST_FOR_NOISE:
        return least
    _second_differences(y, n, differences)
    _deviations(differences, n - 2, median(differences, n - 2, work, sample))
    return max(MAD * median(differences, n - 2, work, sample) / SECOND_DIFFERENCE, least)


