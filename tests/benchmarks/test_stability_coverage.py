"""Coverage of 95 % intervals of the Allan family, noise known and identified, from white PM to random walk FM.

The phase is drawn with the very covariance that the truth is computed from, so that only the intervals are on trial.
A missing interval counts as a miss. Each share must hold the exact binomial bound within 1 % (chi-square is not quite
the law of a sum of correlated squares); with the noise identified it may be too large, as intervals allow for what is
possible. Time deviations have the intervals of mdev; total deviations have none under phase noise.
Run:  python run.py bench -k stability_coverage
"""

import sys

import numpy as np
import pytest
from scipy.linalg import cholesky, toeplitz
from scipy.special import binom

from analysis import stability
from analysis.stability.freedom import generalised_covariance
from tests.coverages import bounds

SAMPLES = 200
TRIALS = 400
NAMES = ("adev", "oadev", "mdev", "hdev", "ohdev", "totdev", "mtotdev", "theo1")
NOISES = (2, 1, 0, -1, -2)
ALLOWED = 0.01


def drawn(alpha):
    """Return phases, one series a row, whose second differences have the covariance of the noise."""
    lags = np.arange(SAMPLES - 2.0)
    covariance = sum((-1) ** k * binom(4, k) * generalised_covariance(lags + k - 2, alpha) for k in range(5))
    second = np.random.default_rng(10 + alpha).standard_normal((TRIALS, lags.size)) @ cholesky(toeplitz(covariance))
    return np.cumsum(np.cumsum(np.pad(second, ((0, 0), (2, 0))), axis=1), axis=1)


def truth(name, alpha, tau):
    """Return the deviation that the estimates of `name` are about."""
    m = round(tau)
    order = 3 if "hdev" in name else 2
    factors = [(-1) ** k * binom(order, k) for k in range(order + 1)]
    if name in ("mdev", "mtotdev"):
        places, weights = np.arange(3 * m), np.repeat(factors, m) / m
    else:
        places, weights = np.arange(order + 1) * tau, np.array(factors)
    square = weights @ generalised_covariance(np.subtract.outer(places, places), alpha) @ weights
    return np.sqrt(square / (6 if order == 3 else 2)) / tau


def shares(name, alpha, series, noise):
    found = [getattr(stability, name)(x, rate=1.0, noise=noise) for x in series]
    true = [truth(name, alpha, tau) for tau in found[0]["tau"].values]
    return np.mean([(each["low"].values <= true) & (true <= each["high"].values) for each in found], axis=0)


@pytest.mark.parametrize("known", [True, False])
def test_stability_coverage(known, capsys):
    low, high = (each / TRIALS for each in bounds(TRIALS))
    said, missed = [], []
    for alpha in NOISES:
        series = drawn(alpha)
        for name in NAMES:
            if name == "totdev" and alpha > 0:
                continue
            found = shares(name, alpha, series, alpha if known else None)
            said.append(f"{stability.NOISES[alpha]:15} {name:8}" + "".join(f"{100 * each:7.1f}" for each in found))
            if found.min() < low - ALLOWED or (known and found.max() > high + ALLOWED):
                missed.append(said[-1])
    with capsys.disabled():
        title = f"coverage of 95 % intervals in %, noise {'known' if known else 'identified'}: {TRIALS} series of"
        sys.stdout.write("\n" + "\n".join([f"{title} {SAMPLES} phases, at the octaves", *said]) + "\n")
    assert missed == []
