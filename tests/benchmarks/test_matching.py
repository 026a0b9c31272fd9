"""Share of 500 seeded trials of `calibration.match` without a wrong pair.

30 % of the lines removed, 5 spurious peaks added, a shift of 20 channels; with a nominal axis and without one.
Run:  python run.py bench -k matching
"""

import sys
import time

import pytest

from tests.unit.test_calibration_match import trial

TRIALS = 500


@pytest.mark.parametrize("nominal", [True, False], ids=["nominal_axis", "no_axis"])
def test_matching(nominal, capsys):
    began = time.perf_counter()
    outcomes = [trial(seed, nominal=nominal) for seed in range(TRIALS)]
    seconds = time.perf_counter() - began
    clean = sum(wrong == 0 for _, wrong in outcomes)
    pairs = sum(each for each, _ in outcomes)
    wrong = sum(each for _, each in outcomes)
    with capsys.disabled():
        sys.stdout.write(
            f"\nmatch, {'nominal axis 20 channels off' if nominal else 'no nominal axis'}: "
            f"{clean} of {TRIALS} trials ({clean / TRIALS:.1%}) without a wrong pair; {wrong} wrong of {pairs} pairs; {seconds / TRIALS:.2f} s each\n"
        )
    assert clean >= 0.99 * TRIALS
