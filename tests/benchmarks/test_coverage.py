"""Coverage of 95 % intervals by simulation: 20 000 trials for each estimator, all sources redrawn in each.

An interval by approximate degrees of freedom (Welch-Satterthwaite, Meier, the cosine terms of correlated readings) may
miss 95 % by one per cent; the others must hold it within the exact binomial bound.
Run:  python run.py bench -k coverage
"""

import sys

import numpy as np

from tests import coverages

TRIALS = 20_000
ALLOWED = 0.01


def test_coverage(capsys):
    lines = [f"coverage of 95 % intervals, {TRIALS} trials each (standard error 0.15 %)"]
    low, high = (each / TRIALS for each in coverages.bounds(TRIALS))
    found = {}
    for estimator in coverages.ESTIMATORS:
        rng = np.random.default_rng(20)
        found[estimator.__name__] = sum(bool(estimator(rng)) for _ in range(TRIALS)) / TRIALS
        lines.append(f"{100 * found[estimator.__name__]:6.2f} %  {estimator.__name__.replace('_', ' ')}")
    with capsys.disabled():
        sys.stdout.write("\n" + "\n".join(lines) + "\n")
    assert all(low - ALLOWED <= each <= high + ALLOWED for each in found.values()), found
