"""Deviations of measured clocks beside the figures that Stable32 gave for them.

Clocks and figures come with the source distribution of allantools 2024.6 (LGPL-3; not with its wheel, and not with this
project): unpack it, and let METROSPEC_ALLANTOOLS name its folder.
Run:  METROSPEC_ALLANTOOLS=allantools-2024.6 python run.py bench -k stable32
"""

import os
import sys
from pathlib import Path

import numpy as np
import pytest

from analysis import stability
from analysis.stability import freedom

FOLDER = Path(os.environ.get("METROSPEC_ALLANTOOLS", "not there")) / "tests"
PRINTED = 6e-5
LIMITS = 3e-3
_FIVE = ("oadev", "mdev", "hdev", "ohdev", "tdev")
CLOCKS = {
    "caesium clock, 5 days": ("Cs5071A", "5071A_phase.txt.gz", "{}_decade.txt", ("adev", *_FIVE, "totdev")),
    "GPS receiver, 1 pulse a second": (
        "gps",
        "gps_1pps_phase_data.txt.gz",
        "stable32_{}_octave.txt",
        (*_FIVE, "totdev"),
    ),
    "counter noise": ("Keysight53230A_ti_noise_floor", "tic_phase.txt", "tic_{}.txt", (*_FIVE, "totdev")),
    "quartz oscillator": ("ocxo", "ocxo_frequency.txt", "stable32_{}_alltau.txt", ("adev", *_FIVE, "totdev")),
}


def rows(path):
    """Return a table of Stable32: averaging factor, tau, n, alpha, lower limit, deviation, upper limit."""
    lines = [line.split() for line in path.read_text(encoding="latin-1").splitlines()]
    found = np.array([line for line in lines if len(line) == 7 and line[0].isdigit()], dtype=float)
    if found.size and found[:, 4].max() == 0:  # all averaging times without limits: octaves will do
        found = found[np.isin(found[:, 0], 2.0 ** np.arange(20))]
    return found[found[:, 5] > 0]


def compared(data, kind, name, table):
    """Return the worst relative difference of deviations, that of limits with the same noise, and how many those are.

    Stable32 corrects the total deviation for its bias, and gives what is no interval of it under phase noise.
    """
    found = getattr(stability, name)(data, rate=1.0, taus=table[:, 1], kind=kind, level=0.683)
    np.testing.assert_array_equal(found["n"], table[:, 2])
    values = found["value"].values.copy()
    if name == "totdev":
        samples = data.size + (kind == "frequency")
        values /= [np.sqrt(freedom.total_freedom(int(a), int(m), samples)[1]) for m, a in table[:, [0, 3]]]
    same = (found["noise"].values == table[:, 3]) & np.isfinite(found["low"].values) & (table[:, 4] > 0)
    ours = np.stack([found["low"].values, found["high"].values], axis=1)[same]
    limits = np.abs(ours / table[same][:, [4, 6]] - 1).max() if same.any() else 0.0
    return np.abs(values / table[:, 5] - 1).max(), limits, int(same.sum())


@pytest.mark.skipif(not FOLDER.exists(), reason="METROSPEC_ALLANTOOLS names no unpacked source of allantools")
@pytest.mark.parametrize("clock", CLOCKS)
def test_stable32(clock, capsys):
    folder, file, pattern, names = CLOCKS[clock]
    kind = "frequency" if folder == "ocxo" else "phase"
    data = np.loadtxt(FOLDER / folder / file) * (1e-7 if folder == "ocxo" else 1.0)  # Hz at 10 MHz
    found = {}
    for name in names:
        path = FOLDER / folder / pattern.format(name.upper() if folder == "gps" else name)
        found[name] = compared(data, kind, name, rows(path))
    said = [f"{clock}, {data.size} readings: ours over Stable32's less 1 (its five digits allow 5e-5)"]
    said += [f"  {name:7} deviation {v:.1e}, {n:2d} limits {u:.1e}" for name, (v, u, n) in found.items()]
    with capsys.disabled():
        sys.stdout.write("\n" + "\n".join(said) + "\n")
    assert max(value for value, _, _ in found.values()) < PRINTED
    assert max(limit for _, limit, _ in found.values()) < LIMITS
