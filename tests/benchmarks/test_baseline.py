"""Baselines of a map of 1 024 channels against pybaselines in the same run, processor time of one thread.

Run:  python run.py bench -k baseline
"""

import sys
import time
import warnings

import numpy as np
import xarray as xr
from pybaselines import Baseline

from analysis import baseline

CHANNELS, OURS, THEIRS = 1024, 1000, 40


def rate(run, count):
    began = time.process_time()
    run()
    return count / (time.process_time() - began)


def test_baselines_against_pybaselines(capsys):
    rng = np.random.default_rng(0)
    x = np.arange(CHANNELS)
    centre, height = rng.uniform(100, 900, (OURS, 4, 1)), rng.uniform(20, 300, (OURS, 4, 1))
    lines = (height * np.exp(-0.5 * ((x - centre) / 8) ** 2)).sum(axis=1)
    rows = 200 + 80 * np.sin(x / 400) + lines + rng.normal(0, 4, (OURS, CHANNELS))
    spectra = xr.DataArray(rows, dims=("spectrum", "channel"))
    solver = Baseline(x.astype(float))
    ratios = {}
    for name in ("asls", "arpls", "airpls"):
        own, other = getattr(baseline, name), getattr(solver, name)
        own(spectra[:9], lam=1e5)
        ours = rate(lambda own=own: own(spectra, lam=1e5), OURS)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs = rate(lambda other=other: [other(row, lam=1e5, max_iter=99) for row in rows[:THEIRS]], THEIRS)
        ratios[name] = ours / theirs
        with capsys.disabled():
            sys.stdout.write(f"\n{name}: {ours:.0f} spectra/s, pybaselines {theirs:.0f}, ratio {ours / theirs:.1f}\n")
    assert min(ratios.values()) >= 2.0
