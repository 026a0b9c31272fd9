"""Coverage of 95 % intervals of calibrations: 20 000 trials, all points and readings redrawn in each.

Every one must hold the exact binomial bound at p = 1e-6; curves that are not linear in what is drawn may miss 95 % by
another 0.3 %, the error of the first order, and those that are wide on purpose may hold the truth more often.
Run:  python run.py bench -k curve_coverage
"""

import sys

from tests import coverages, curve_coverages

TRIALS = 20_000
FIRST_ORDER = 0.003


def test_curve_coverage(capsys):
    trials_of = {
        each: (FIRST_ORDER if each in curve_coverages.NOT_LINEAR else 0.0, each in curve_coverages.CONSERVATIVE)
        for each in (*curve_coverages.CURVES, *curve_coverages.OTHERS)
    }
    lines, missed = coverages.table(trials_of, trials=TRIALS, seed=28037)
    title = (
        f"coverage of 95 % intervals of calibrations (predict, inverse), {TRIALS} trials each (standard error 0.15 %)"
    )
    with capsys.disabled():
        sys.stdout.write("\n" + "\n".join([title, *lines]) + "\n")
    assert missed == {}
