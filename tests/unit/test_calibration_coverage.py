"""Intervals of calibration curves hold the truth as often as they say; 20 000 trials are in the benchmarks."""

import numpy as np
import pytest

from tests import coverages, curve_coverages

TRIALS = 60


@pytest.mark.parametrize("trial", curve_coverages.CURVES, ids=lambda trial: trial.__name__)
def test_an_interval_holds_the_truth_as_often_as_it_says(trial):
    rng = np.random.default_rng(28037)
    found = np.sum([trial(rng) for _ in range(TRIALS)], axis=0)
    low, high = coverages.bounds(TRIALS)
    assert all(low <= each <= high for each in found)
