"""Coverage of 95 % intervals by simulation: 20 000 trials for each estimator, all sources redrawn in each.

An interval by approximate degrees of freedom (Welch-Satterthwaite, Meier, the cosine terms of correlated readings) may
miss 95 % by one per cent; the others must hold it within the exact binomial bound.
Run:  python run.py bench -k test_coverage
"""

import sys

from tests import coverages, peak_coverages

TRIALS = 20_000
ALLOWED = 0.01


def test_coverage(capsys):
    trials_of = {each: (ALLOWED * (each in coverages.APPROXIMATE), False) for each in coverages.ESTIMATORS}
    lines, missed = coverages.table(trials_of, trials=TRIALS, seed=20)
    for what, share in peak_coverages.shares(trials=TRIALS, seed=20).items():
        low, high = (each / TRIALS for each in coverages.bounds(TRIALS))
        lines.append(f"{100 * share:6.2f} %            {what}")
        if not low <= share <= high:
            missed[what] = share
    with capsys.disabled():
        title = f"coverage of 95 % intervals, {TRIALS} trials each (standard error 0.15 %)"
        sys.stdout.write("\n" + "\n".join([title, *lines]) + "\n")
    assert missed == {}
