"""Finding peaks in a map against a loop over scipy's `find_peaks`, in one run.

scipy runs as a user would run it, with prominence and width, at one scale and without refining.
Run:  python run.py bench -k find
"""

import sys
import time

import numpy as np
import xarray as xr
from scipy.signal import find_peaks

from analysis import peaks
from analysis.core import history

SPECTRA, CHANNELS = 10_000, 1024
SOME = 1000


def _map():
    rng = np.random.default_rng(0)
    x = np.arange(float(CHANNELS))
    y = rng.normal(20, 1, (SPECTRA, CHANNELS))
    for row in y:
        for _ in range(rng.integers(3, 11)):
            center, fwhm, height = rng.uniform(10, 1014), np.exp(rng.uniform(0.7, 3.4)), np.exp(rng.uniform(2, 6.2))
            row[:] += height * np.exp(-4 * np.log(2) * ((x - center) / fwhm) ** 2)
    return xr.Dataset(
        {"signal": (("n", "channel"), y, {"units": "counts"})}, coords={"x": ("channel", x, {"units": "nm"})}
    )


def _best(call):
    times = []
    for _ in range(5):
        began = time.process_time()
        call()
        times.append(time.process_time() - began)
    return min(times)


def test_find(capsys):
    raw = _map()
    known = history.record(raw, "benchmark", settings={}, inputs={})
    found = peaks.find(known, axis="x")
    ours = _best(lambda: peaks.find(known, axis="x")) / SPECTRA
    hashed = _best(lambda: peaks.find(raw, axis="x")) / SPECTRA
    rows = raw["signal"].values[:SOME]
    theirs = _best(lambda: [find_peaks(row, prominence=7.5, width=1) for row in rows]) / SOME
    each = float(found["count"].mean())
    with capsys.disabled():
        sys.stdout.write(
            f"\npeaks.find, {SPECTRA} spectra of {CHANNELS}, {each:.1f} peaks each, one thread:\n"
            f"{ours * 1e6:6.1f} us a spectrum; {hashed * 1e6:.1f} us where its raw data are hashed for the history\n"
            f"{theirs * 1e6:6.1f} us scipy find_peaks (one scale, prominence and width), ratio {theirs / ours:.1f}x\n"
        )
    assert theirs > ours
