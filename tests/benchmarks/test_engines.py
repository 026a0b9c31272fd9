"""The batched engine against lmfit on the same 500 spectra: agreement, and the ratio of times in one run.

lmfit runs as a user would run it, once from the same starting values with its own tolerances.
Run:  python run.py bench -k engines
"""

import sys
import time
import warnings

import numpy as np

from analysis import peaks
from tests.published import test_fit_against_lmfit as published


def _seconds(case, *, repeats=3):
    model, params = published.CASES[case]()
    data = published.spectra(model, params, seed=list(published.CASES).index(case))
    ours = []
    for _ in range(repeats):
        began = time.perf_counter()
        peaks.fit(data, model, params, axis="raman_shift", sigma=published.NOISE)
        ours.append(time.perf_counter() - began)
    weights = np.full(published.AXIS.size, 1 / published.NOISE)
    began = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for row in data.values:
            model.fit(row, params, x=published.AXIS, weights=weights, scale_covar=False)
    return min(ours), time.perf_counter() - began


def test_engines(capsys):
    rows = [f"{'case':20} {'chi-square':>11} {'value / u':>11} {'stderr':>11} {'batched':>9} {'lmfit':>9} {'ratio':>7}"]
    worst = np.zeros(3)
    for case in published.CASES:
        found = published.compare(case)
        worst = np.maximum(worst, found)
        ours, theirs = _seconds(case)
        rows.append(
            f"{case:20} {found[0]:11.1e} {found[1]:11.1e} {found[2]:11.1e} {ours * 1e3:6.1f} ms {theirs:7.2f} s"
            f" {theirs / ours:6.0f}x"
        )
    rows.append(f"{published.EACH} spectra each; largest differences: {worst[0]:.1e}, {worst[1]:.1e} u, {worst[2]:.1e}")
    with capsys.disabled():
        sys.stdout.write("\n" + "\n".join(rows) + "\n")
    assert worst[0] <= 1e-6
    assert worst[1] <= 1e-3
    assert worst[2] <= 1e-4
