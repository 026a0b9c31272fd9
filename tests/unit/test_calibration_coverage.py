"""Intervals of calibrations hold the truth as often as they say; 20 000 trials are in the benchmarks."""

import numpy as np
import pytest

from tests import coverages, curve_coverages, peak_coverages

TRIALS = 80
SPECTRA = 300


@pytest.mark.parametrize("trial", [*curve_coverages.CURVES, *curve_coverages.OTHERS], ids=lambda trial: trial.__name__)
def test_an_interval_holds_the_truth_as_often_as_it_says(trial):
    rng = np.random.default_rng(28037)
    found = np.atleast_1d(np.sum([trial(rng) for _ in range(TRIALS)], axis=0))
    low, high = coverages.bounds(TRIALS)
    most = TRIALS if trial in curve_coverages.CONSERVATIVE else high
    assert all(low <= each <= most for each in found)


def test_a_fitted_peak_lies_in_its_interval_as_often_as_it_says():
    low, high = coverages.bounds(SPECTRA)
    found = peak_coverages.shares(trials=SPECTRA, seed=9)
    assert {name: share for name, share in found.items() if not low <= round(share * SPECTRA) <= high} == {}
