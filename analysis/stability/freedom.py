"""Equivalent degrees of freedom of the mean squares, and the chi-square intervals that follow.

The differences are Gaussian; their autocovariance follows from that of the phase, so that the variance of the mean of
their squares is a sum over lags (Greenhall and Riley 2003). Here the autocovariance is that of the samples themselves,
which is exact at small averaging factors too.

Not here: which noise it is (`analysis.stability.noise`).
"""

import numpy as np
from scipy.special import binom
from scipy.stats import chi2

from analysis.core import SpectrumError
from analysis.stability.noise import NOISES
from analysis.stability.series import Array

_FINE = 4096
_MOST_AVERAGED = 256
_NODES = 400
_TOTAL = {0: (1.5, 0.0, 0.0), -1: (1.168, 0.222, 1 / (3 * np.log(2))), -2: (0.927, 0.358, 0.75)}
STANDARD = float(chi2.cdf(1, 1))


def degrees_of_freedom(
    noise: int, *, m: int, terms: int, differences: int = 2, overlapping: bool = True, modified: bool = False
) -> float:
    """Return the equivalent degrees of freedom of an Allan, modified Allan or Hadamard variance.

    Parameters
    ----------
    noise:
        Exponent alpha of the noise, 2 (white PM) to -4.
    m:
        Averaging time in samples.
    terms:
        Number of squares that are averaged.
    differences:
        2 for Allan, 3 for Hadamard variances.
    overlapping:
        Whether the terms advance by one sample, or by `m`.
    modified:
        Whether the phase is averaged over `m` samples first.

    Returns
    -------
    :
        Twice the squared mean over the variance; NaN where the variance does not converge for that noise
        (alpha < 1 - 2·differences is then the limit: -2 for Allan, -4 for Hadamard).

    Raises
    ------
    SpectrumError
        If a setting is outside its range.

    References
    ----------
    Greenhall and Riley, "Uncertainty of stability variances based on finite differences", Proc. 35th PTTI (2003) 267.
    """
    if noise not in NOISES or m < 1 or terms < 1 or differences not in (2, 3):
        msg = (
            "noise must be 2 to -4, m and terms >= 1, differences 2 or 3; "
            f"got noise={noise}, m={m}, terms={terms}, differences={differences}. See stability.NOISES"
        )
        raise SpectrumError(msg)
    if noise <= 1 - 2 * differences:
        return float("nan")
    if modified and m > _MOST_AVERAGED:
        terms, m = max(round(terms * _MOST_AVERAGED / m), 1), _MOST_AVERAGED
    if overlapping:
        lags, weights = _lags(m, (differences + 2) * m, terms)
    else:
        nodes = np.arange(min(differences + 2, terms), dtype=float)
        lags, weights = nodes * m, np.where(nodes == 0, 1.0, 2.0)
    share = 1 - lags / (terms * (1 if overlapping else m))
    covariance = _covariance(lags, noise, m, differences, modified=modified)
    return float(terms / np.sum(weights * share * (covariance / covariance[0]) ** 2))


def _lags(m: int, last: int, terms: int) -> tuple[Array, Array]:
    """Return lags and their weights in a sum over all lags of both signs: each one, or a grid dense near multiples."""
    last = min(last, terms - 1)
    if last <= _FINE:
        each = np.arange(last + 1, dtype=float)
        return each, np.where(each == 0, 1.0, 2.0)
    away = np.unique(np.concatenate([[0], np.geomspace(1, m / 2, _NODES).round()]))
    centres = np.arange(0, last + m, m)[:, None]
    lags: Array = np.unique(np.concatenate([(centres - away).ravel(), (centres + away).ravel(), [last]]))
    lags = lags[(lags >= 0) & (lags <= last)]
    steps = np.diff(lags)
    weights = np.zeros(lags.size)
    weights[1:] += steps + 1
    weights[:-1] += steps - 1
    weights[0] += 1.0
    return lags, weights


def _covariance(lags: Array, noise: int, m: int, differences: int, *, modified: bool) -> Array:
    """Return the autocovariance of the differences at `lags`, up to a factor."""
    order = 2 * differences
    factors = [(-1) ** k * binom(order, k) for k in range(order + 1)]
    shifts = [(k - differences) * m for k in range(order + 1)]
    if not modified:
        return np.sum(
            [f * generalised_covariance(lags + s, noise) for f, s in zip(factors, shifts, strict=True)], axis=0
        )
    reach = int(lags[-1]) + (differences + 1) * m + 1
    plain = generalised_covariance(np.arange(-reach, reach + 1, dtype=float), noise)
    window = np.convolve(np.ones(m), np.ones(m))
    averaged = np.convolve(plain, window, mode="same")
    at = lags.astype(int) + reach
    return np.sum([f * averaged[at + s] for f, s in zip(factors, shifts, strict=True)], axis=0)


def generalised_covariance(lags: Array, noise: int) -> Array:
    """Return the generalised autocovariance of sampled phase, up to a factor and to what differences remove."""
    away = np.abs(np.asarray(lags, dtype=float))
    if noise == 2:  # noqa: PLR2004 - white
        return (away == 0).astype(float)
    if noise == 1:
        return 2 * _power(away, 2) - _power(np.abs(away - 1), 2) - _power(away + 1, 2)
    return _power(away, 1 - noise)


def _power(away: Array, exponent: int) -> Array:
    """Return |t|**n with the sign that makes it a covariance, times ln|t| where n is even."""
    sign = -1.0 if exponent % 4 in (1, 0) else 1.0
    if exponent % 2:
        return sign * away**exponent
    return sign * away**exponent * np.log(np.where(away == 0, 1.0, away))


def total_freedom(noise: int, m: int, samples: int) -> tuple[float, float]:
    """Return the degrees of freedom of a total variance and its mean over the true variance.

    Known for white, flicker and random walk frequency noise at long times (SP 1065, 5.2.11 and 5.4.4); at short times
    reduced as those of the overlapping Allan variance are by the step between samples.
    """
    if noise not in _TOTAL:
        return float("nan"), 1.0
    b, c, a = _TOTAL[noise]
    length = (samples - 1) / m
    fine = 1.0
    if m < _MOST_AVERAGED and length > 3:  # noqa: PLR2004 - at longer times the ends rule
        terms = [round(length * each) - 2 * each + 1 for each in (m, _MOST_AVERAGED)]
        short, long = (
            degrees_of_freedom(noise, m=each, terms=n) for each, n in zip((m, _MOST_AVERAGED), terms, strict=True)
        )
        fine = min(short / long, 1.0)
    return max((b * length - c) * fine, 1.0), 1 - a / length


def interval(value: float, freedom: float, *, level: float, bias: float = 1.0) -> tuple[float, float]:
    """Return the limits of the deviation whose estimate is `value`."""
    if not np.isfinite(freedom):
        return float("nan"), float("nan")
    low, high = (
        value * float(np.sqrt(freedom / chi2.ppf(p, freedom) / bias)) for p in ((1 + level) / 2, (1 - level) / 2)
    )
    return low, high
