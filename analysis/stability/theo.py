"""Estimates that use nearly all of a record at long times: modified total variance and Theo1, with their laws.

Not here: the functions a user calls (`analysis.stability.totals`), other degrees of freedom
(`analysis.stability.freedom`).

References: NIST SP 1065 (Riley 2008), 5.2.12, 5.2.15 and 5.4; Howe and Peppler, Proc. IEEE FCS (2003) 261; Box, Annals
of Mathematical Statistics 25 (1954) 290, doi:10.1214/aoms/1177728786 (degrees of freedom of a quadratic form).
"""

from collections.abc import Callable

import numpy as np

from analysis.stability.freedom import degrees_of_freedom, generalised_covariance
from analysis.stability.series import Array, Series

SHARE = 0.75
"""The averaging time of Theo1 over its stride."""
_REDDEST = -2
_EXACT = 160
_STRIDES = 16
_PLAIN = 4
_ROWS = 1 << 20


def modified_total(series: Series, m: int) -> tuple[float, int]:
    """Return the modified total variance: each run of 3m phases, less its slope, reflected at both ends."""
    phase = series.phase
    runs = np.lib.stride_tricks.sliding_window_view(phase, 3 * m)
    square, block = 0.0, max(_ROWS // (9 * m), 1)
    for start in range(0, len(runs), block):
        square += float(np.sum(_mean_squares(runs[start : start + block], m)))
    return square / len(runs) * (series.rate / m) ** 2 / 2, len(runs)


def _mean_squares(runs: Array, m: int) -> Array:
    """Return the mean over 6m places of the squared second differences of means over m, for each run."""
    return np.mean(_reflected(runs, m) ** 2, axis=1)


def _reflected(runs: Array, m: int) -> Array:
    """Return second differences of means over m at 6m places of each run, less its slope, reflected at both ends."""
    length = 3 * m
    half = length // 2
    gap = half + length % 2  # between the centres of the halves
    slope = (runs[:, -half:].mean(axis=1) - runs[:, :half].mean(axis=1)) / gap
    left = runs - slope[:, None] * np.arange(length)
    longer = np.concatenate([left[:, ::-1], left, left[:, ::-1]], axis=1)
    sums = np.cumsum(np.concatenate([np.zeros((len(runs), 1)), longer], axis=1), axis=1)
    means = (sums[:, m:] - sums[:, :-m]) / m
    return means[:, : 6 * m] - 2 * means[:, m : 7 * m] + means[:, 2 * m : 8 * m]


def modified_total_freedom(noise: int, m: int, samples: int) -> tuple[float, float]:
    """Return the degrees of freedom and the mean over the true modified variance.

    The estimate is a quadratic form x'Qx of Gaussian phase with covariance R: its mean is tr(QR), its degrees of
    freedom are tr(QR)**2 / tr(QRQR). Exact up to 160 phases; longer records are taken at fewer phases in the same
    ratio, at most 16 averaging times, and scaled by the freedom of the modified Allan variance.
    """
    if noise < _REDDEST:
        return float("nan"), 1.0
    few, short = samples, m
    if samples > _EXACT:
        strides = min(samples / m, _STRIDES)
        short = min(int(_EXACT / strides), m)
        few = round(short * strides)
    covariance = generalised_covariance(np.subtract.outer(np.arange(few), np.arange(few)), noise)
    product = _modified_total_form(short, few) @ covariance
    mean = float(np.trace(product))
    window = np.repeat([1.0, -2.0, 1.0], short) / short
    true = float(window @ covariance[: 3 * short, : 3 * short] @ window)
    scale = _modified_freedom(noise, m, samples) / _modified_freedom(noise, short, few)
    return max(mean**2 / float(np.sum(product * product.T)) * scale, 1.0), mean / true


def _modified_total_form(m: int, samples: int) -> Array:
    """Return the matrix Q of the modified total variance of so many phases, times 2 m**2."""
    rows, runs = _reflected(np.eye(3 * m), m), samples - 3 * m + 1
    one = rows @ rows.T / (6 * m)
    form = np.zeros((samples, samples))
    for start in range(runs):
        form[start : start + 3 * m, start : start + 3 * m] += one / runs
    return form


def _modified_freedom(noise: int, m: int, samples: int) -> float:
    return degrees_of_freedom(noise, m=m, terms=max(samples, _PLAIN * m) - 3 * m + 1, modified=True)


def theo1(series: Series, m: int) -> tuple[float, int]:
    """Return Theo1 at stride `m`, an even number."""
    phase, half = series.phase, m // 2
    places = phase.size - m
    total = 0.0
    for away in range(half):
        terms = phase[:places] - phase[half - away : half - away + places]
        terms += phase[m:] - phase[half + away : half + away + places]
        total += float(terms @ terms) / (half - away)
    return total / places * (series.rate / m) ** 2 / SHARE, places


def theo1_freedom(noise: int, m: int, samples: int) -> tuple[float, float]:
    """Return the degrees of freedom (Howe and Peppler) and the mean over the true Allan variance at 0.75 m."""
    n, r = float(samples), SHARE * m
    laws: dict[int, Callable[[], float]] = {
        2: lambda: 0.86 * (n + 1) * (n - 4 * r / 3) / (n - r) * r / (r + 1.14),
        1: lambda: (4.798 * n**2 - 6.374 * n * r + 12.387 * r) / (np.sqrt(r + 36.6) * (n - r)) * r / (r + 0.3),
        0: lambda: ((4.1 * n + 0.8) / r - (3.1 * n + 6.5) / n) * r**1.5 / (r**1.5 + 5.2),
        -1: lambda: (2 * n**2 - 1.3 * n * r - 3.5 * r) / (n * r) * r**3 / (r**3 + 2.3),
        -2: lambda: (
            (4.4 * n - 2)
            / (2.9 * r)
            * ((4.4 * n - 1) ** 2 - 8.6 * r * (4.4 * n - 1) + 11.4 * r**2)
            / (4.4 * n - 3) ** 2
        ),
    }
    if noise not in laws:
        return float("nan"), 1.0
    return max(float(laws[noise]()), 1.0), _theo1_bias(noise, m)


def _theo1_bias(noise: int, m: int) -> float:
    half = m // 2
    away = np.arange(half, dtype=float)
    zero = np.zeros(half)
    expected = _square(np.stack([zero, half - away, zero + m, half + away]), (1, -1, 1, -1), noise)
    found = float(np.sum(expected / (half - away))) / m**2 / SHARE
    at = SHARE * m
    true = _square(np.array([[0.0], [at], [2 * at]]), (1, -2, 1), noise)
    return found / (float(true[0]) / (2 * at**2))


def _square(places: Array, factors: tuple[int, ...], noise: int) -> Array:
    """Return the mean square of a sum of phases at `places`, dims (phase, case), up to the noise's level."""
    parts = [
        first * second * generalised_covariance(a - b, noise)
        for first, a in zip(factors, places, strict=True)
        for second, b in zip(factors, places, strict=True)
    ]
    total: Array = np.sum(parts, axis=0)
    return total
