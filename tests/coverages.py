"""Intervals of every estimator of `analysis.uncertainty` against a known truth, trial by trial.

Each entry of `ESTIMATORS` draws all its sources afresh and says whether the 95 % interval (or region) holds the truth.
The unit suite runs a few hundred trials with an exact binomial bound, `run.py bench -k coverage` 20 000.
"""

import math

import numpy as np
from scipy import stats

from analysis.uncertainty import (
    Quantity,
    anova,
    combine,
    conformity,
    correlated,
    distributions,
    from_draws,
    guard_factor,
    propagate,
    regression,
    sample,
    sample_jointly,
    type_a,
    type_a_complex,
    type_a_jointly,
    type_a_series,
)

LEVEL = 0.95


def bounds(trials, p=1e-6):
    """Return the least and the greatest number of hits that 95 % leave possible."""
    return stats.binom.ppf(p / 2, trials, LEVEL), stats.binom.isf(p / 2, trials, LEVEL)


def holds(found, truth):
    return abs(found.value - truth) <= found.U(LEVEL)


def autoregressive(rng, n, r):
    """Return readings with variance 1 and correlation r from one to the next."""
    found = rng.normal(size=n)
    for i in range(1, n):
        found[i] = r * found[i - 1] + math.sqrt(1 - r * r) * found[i]
    return found


def one_series(rng):
    return holds(type_a(rng.normal(3, 2, 5), units="V"), 3)


def independent_readings_as_a_series(rng):
    return holds(type_a_series(rng.normal(3, 2, 30), units="V"), 3)


def correlated_readings_as_a_series(rng):
    return holds(type_a_series(3 + autoregressive(rng, 200, 0.5), units="V"), 3)


def two_series_and_a_certificate(rng):
    # Welch-Satterthwaite: 6 and 4 readings, and a normal Type B input whose stated value is drawn too.
    inputs = {
        "a": type_a(rng.normal(1, 1, 6), units="V"),
        "b": type_a(rng.normal(2, 0.8, 4), units="V"),
        "c": Quantity(value=rng.normal(5, 0.3), u=0.3, units="V"),
    }
    return holds(propagate("a + b + c", inputs, name="y", units="V"), 8)


def simultaneous_readings(rng):
    # Willink: three quantities read together, correlated, 5 times.
    root = np.array([[1, 0, 0], [0.8, 0.5, 0], [-0.5, 0.3, 0.6]])
    read = 1000 + root @ rng.normal(size=(3, 5))
    inputs = type_a_jointly(dict(zip("abc", read, strict=True)), units=dict.fromkeys("abc", "V"))
    return holds(propagate("a*b/c", inputs, name="y", units="V"), 1000)


def weighted_mean_of_estimated_weights(rng):
    return holds(combine([type_a(rng.normal(7, s, 8), units="V") for s in (1, 1, 2, 3, 0.5)]).quantity, 7)


def weighted_mean_with_a_shared_source(rng):
    common = Quantity(value=0, u=0.3, units="V") + rng.normal(0, 0.3) * Quantity(value=1, u=0, units="V")
    members = [Quantity(value=rng.normal(7, s), u=s, units="V") + common for s in (1, 0.2, 0.4)]
    return holds(combine(members).quantity, 7)


X = np.array([0.0, 1.0, 2.0, 4.0, 7.0, 9.0])


def slope_of_a_line(rng):
    return holds(regression(X, 2 + 3 * X + rng.normal(size=6)).parameters[1], 3)


def response_of_a_line(rng):
    return holds(regression(X, 2 + 3 * X + rng.normal(size=6)).predict(12.0), 38)


def response_of_a_weighted_line(rng):
    u = 0.1 + 0.1 * X
    return holds(regression(X, 2 + 3 * X + u * rng.normal(size=6), u=u).predict(3.0), 11)


def mean_of_groups(rng):
    return holds(anova(rng.normal(5, 1, (6, 1)) + rng.normal(0, 0.7, (6, 4)), units="V").mean, 5)


def complex_mean(rng):
    readings = (3 + rng.normal(size=6)) + 1j * (1 + 0.4 * rng.normal(size=6))
    return type_a_complex(readings, units="V").contains(3 + 1j)


def difference_of_complex_means(rng):
    first, second = (
        type_a_complex(s * (rng.normal(size=n) + 1j * rng.normal(size=n)), units="V") for s, n in ((1, 5), (0.6, 8))
    )
    return (first - second).contains(0j)


DRAWS = 1000
"""A trial asks for few draws: the interval of n of them holds 0.95 n/(n + 1) of what is drawn once more."""


def drawn(rng, budget, trials=DRAWS):
    return sample(budget, trials=trials, seed=int(rng.integers(2**32)))


def flat_and_normal(rng):
    flat = distributions.rectangular()
    a = Quantity(value=2 + rng.uniform(-1, 1), u=1 / math.sqrt(3), units="V", distribution=flat)
    b = Quantity(value=rng.normal(5, 0.3), u=0.3, units="V")
    return propagate("a - b", {"a": a, "b": b}, name="y", units="V")


def symmetric_interval_of_draws(rng):
    low, high = drawn(rng, flat_and_normal(rng)).interval()
    return low <= -3 <= high


def shortest_interval_of_draws(rng):
    # The shortest of few draws is chosen for being short: 10 000 lose 0.2 %.
    low, high = drawn(rng, flat_and_normal(rng), 10 * DRAWS).interval(kind="shortest")
    return low <= -3 <= high


def draws_with_few_degrees_of_freedom(rng):
    read = type_a(rng.normal(3, 2, 5), units="V")
    low, high = drawn(rng, propagate("2*a", {"a": read}, name="y", units="V")).interval()
    return low <= 6 <= high


def quantity_known_by_draws(rng):
    # The posterior of a normal mean with known scatter, as draws.
    posterior = rng.normal(rng.normal(4, 0.5), 0.5, DRAWS // 2)
    mean = from_draws({"m": posterior}, units={"m": "V"})["m"]
    low, high = drawn(rng, propagate("2*m", {"m": mean}, name="y", units="V")).interval()
    return low <= 8 <= high


ROOT = np.array([[0.3, 0], [0.2, 0.1]])


def region_of_two_results(rng, kind):
    a, b = correlated([1, 2] + ROOT @ rng.normal(size=2), ROOT @ ROOT.T, units="V", labels=["a", "b"])
    budgets = propagate(
        {"sum": "a + b", "other": "a - 2*b"}, {"a": a, "b": b}, name="both", units={"sum": "V", "other": "V"}
    )
    found = sample_jointly(budgets, trials=DRAWS, seed=int(rng.integers(2**32)))
    return bool(found.region(0.95, kind=kind).contains([3, -3]))


def ellipse_of_two_results(rng):
    return region_of_two_results(rng, "ellipsoid")


def rectangle_of_two_results(rng):
    return region_of_two_results(rng, "rectangle")


def guarded_limit(rng):
    # What is measured w = r U inside a limit lies beyond it with the risk that r was made for.
    found = type_a(rng.normal(3, 2, 6), units="V")
    return found.value + guard_factor(0.05, dof=found.dof) * found.U(0.95) >= 3


def probability_of_conformity(rng):
    # Where items conform as often as they are said to, the number at the end is uniform in (0, 1).
    item = rng.normal(0.5, 1)
    found = conformity(
        Quantity(value=rng.normal(item, 0.4), u=0.4, units="V"),
        lower=-1,
        upper=1,
        prior=Quantity(value=0.5, u=1, units="V"),
    )
    p, share = found.probability, rng.uniform()
    return (share * p if abs(item) <= 1 else p + share * (1 - p)) <= LEVEL


ESTIMATORS = [
    one_series,
    independent_readings_as_a_series,
    correlated_readings_as_a_series,
    two_series_and_a_certificate,
    simultaneous_readings,
    weighted_mean_of_estimated_weights,
    weighted_mean_with_a_shared_source,
    slope_of_a_line,
    response_of_a_line,
    response_of_a_weighted_line,
    mean_of_groups,
    complex_mean,
    difference_of_complex_means,
    symmetric_interval_of_draws,
    shortest_interval_of_draws,
    draws_with_few_degrees_of_freedom,
    quantity_known_by_draws,
    ellipse_of_two_results,
    rectangle_of_two_results,
    guarded_limit,
    probability_of_conformity,
]
APPROXIMATE = {
    independent_readings_as_a_series,
    correlated_readings_as_a_series,
    two_series_and_a_certificate,
    simultaneous_readings,
    weighted_mean_of_estimated_weights,
    difference_of_complex_means,
}
"""Those whose degrees of freedom are approximate: Welch-Satterthwaite, Willink, Meier, cosine terms."""


def table(trials_of, *, trials, seed):
    """Run the trials of several estimators and return lines to print and the shares of hits by name.

    `trials_of` maps each estimator to (spare, conservative): how far the share may miss the exact binomial bounds, and
    whether more hits than 95 % are allowed.
    """
    low, high = (each / trials for each in bounds(trials))
    lines, missed = [], {}
    for estimator, (spare, conservative) in trials_of.items():
        rng = np.random.default_rng(seed)
        shares = np.atleast_1d(np.mean([estimator(rng) for _ in range(trials)], axis=0))
        name = estimator.__name__.replace("_", " ")
        lines.append(f"{' '.join(f'{100 * share:6.2f} %' for share in shares):18}  {name}")
        most = 1.0 if conservative else high + spare
        if not all(low - spare <= share <= most for share in shares):
            missed[name] = shares
    return lines, missed
