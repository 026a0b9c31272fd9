"""Distributions are standardised, and their half-widths are those of the GUM."""

import math

import numpy as np
import pytest
from scipy import stats

from analysis.core import UncertaintyError
from analysis.uncertainty import Distribution, distributions

EVERY = [
    distributions.normal(),
    distributions.t(5),
    distributions.rectangular(),
    distributions.triangular(),
    distributions.trapezoidal(0.4),
    distributions.curvilinear_trapezoidal(0.5),
    distributions.arcsine(),
    distributions.samples([1.0, 2.0, 4.0, 9.0]),
]
N = 200_000


@pytest.mark.parametrize("distribution", EVERY, ids=str)
def test_draws_have_mean_0_and_standard_deviation_1(distribution):
    z = distribution.draw(np.random.default_rng(1), N)
    kurtosis = np.mean(z**4)
    assert abs(z.mean()) < 5 / math.sqrt(N)
    assert abs(z.var() - 1) < 5 * math.sqrt((kurtosis - 1) / N)


@pytest.mark.parametrize(
    ("distribution", "oracle"),
    [
        (distributions.rectangular(), stats.uniform(-math.sqrt(3), 2 * math.sqrt(3))),
        (distributions.triangular(), stats.triang(0.5, -math.sqrt(6), 2 * math.sqrt(6))),
        (distributions.arcsine(), stats.arcsine(-math.sqrt(2), 2 * math.sqrt(2))),
        (distributions.trapezoidal(0.4), stats.trapezoid(0.3, 0.7, -math.sqrt(6 / 1.16), 2 * math.sqrt(6 / 1.16))),
        (distributions.t(5), stats.t(5, scale=math.sqrt(3 / 5))),
    ],
    ids=["rectangular", "triangular", "arcsine", "trapezoidal", "t"],
)
def test_draws_follow_the_distribution_that_scipy_has(distribution, oracle):
    z = distribution.draw(np.random.default_rng(2), 20_000)
    assert stats.kstest(z, oracle.cdf).pvalue > 1e-4


@pytest.mark.parametrize("distribution", EVERY, ids=str)
def test_a_distribution_comes_back_from_its_json(distribution):
    assert Distribution.from_json(distribution.to_json()) == distribution


@pytest.mark.parametrize(
    ("distribution", "divisor"),
    [
        (distributions.rectangular(), math.sqrt(3)),  # JCGM 100:2008, 4.3.7
        (distributions.triangular(), math.sqrt(6)),  # 4.3.9
        (distributions.trapezoidal(0.5), math.sqrt(6 / 1.25)),  # 4.3.9, a²(1 + beta²)/6
        (distributions.arcsine(), math.sqrt(2)),  # H.1.3.4
    ],
    ids=str,
)
def test_u_follows_from_the_half_width_as_in_the_gum(distribution, divisor):
    assert distributions.u_from_half_width(0.6, distribution) == pytest.approx(0.6 / divisor)


def test_samples_keep_their_shape():
    z = distributions.samples([0.0, 0.0, 3.0]).draw(np.random.default_rng(1), 10)
    assert set(np.round(z, 9)) <= {round(-1 / math.sqrt(2), 9), round(math.sqrt(2), 9)}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: distributions.t(2), r"only for dof > 2, got 2"),
        (lambda: distributions.trapezoidal(1.5), r"must lie in \[0, 1\], got 1.5"),
        (lambda: distributions.samples([1.0]), "at least 2 finite values that differ, got 1"),
        (lambda: distributions.samples([1.0, 1.0]), "that differ"),
        (lambda: distributions.samples([1.0, math.nan]), "finite"),
        (lambda: Distribution(kind="norml"), "Did you mean 'normal'"),
        (lambda: Distribution(kind="t"), "has 1 shape numbers, got 0"),
        (lambda: distributions.t(math.inf), "must be finite"),
        (lambda: distributions.u_from_half_width(-1, distributions.rectangular()), "not negative, got -1"),
        (lambda: distributions.u_from_half_width(1, distributions.normal()), "has no half-width"),
        (lambda: Distribution.from_json("{"), "not a distribution"),
    ],
)
def test_what_is_no_distribution_is_refused(make, message):
    with pytest.raises(UncertaintyError, match=message):
        make()
