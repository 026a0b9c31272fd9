"""Share of 500 seeded trials of `calibration.match` without a wrong pair.

30 % of the lines removed, 5 spurious peaks added, a shift of 20 channels; with a nominal axis and without one.
What is wrong and what a coincidence is said by `trial`. A refusal holds no pair.
Run:  python run.py bench -k matching
"""

import sys
import time

import pytest

from analysis.core import CalibrationError
from tests.unit.test_calibration_match import trial

TRIALS = 500


def _outcome(seed, *, nominal):
    try:
        return trial(seed, nominal=nominal)
    except CalibrationError:
        return 0, 0, 0


@pytest.mark.parametrize("nominal", [True, False], ids=["nominal_axis", "no_axis"])
def test_matching(nominal, capsys):
    began = time.perf_counter()
    outcomes = [_outcome(seed, nominal=nominal) for seed in range(TRIALS)]
    each = (time.perf_counter() - began) / TRIALS
    clean = sum(wrong == 0 for _, wrong, _ in outcomes)
    strict = sum(wrong == coincident == 0 for _, wrong, coincident in outcomes)
    refused = sum(pairs == 0 for pairs, _, _ in outcomes)
    pairs, wrong, _ = (sum(column) for column in zip(*outcomes, strict=True))
    seeds = [seed for seed, (_, bad, _) in enumerate(outcomes) if bad]
    with capsys.disabled():
        sys.stdout.write(
            f"\nmatch, {'nominal axis 20 channels off' if nominal else 'no nominal axis'}: {clean} of {TRIALS} "
            f"({clean / TRIALS:.1%}) without a wrong pair, {strict} ({strict / TRIALS:.1%}) nor a coincidence, "
            f"{refused} of them refused; {wrong} wrong of {pairs} pairs, "
            f"{each:.2f} s each; seeds with a wrong pair: {seeds}\n"
        )
    assert clean >= 0.99 * TRIALS
