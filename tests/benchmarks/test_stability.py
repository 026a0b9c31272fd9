"""Overlapping and modified Allan deviations of ten million phases beside allantools, in one run.

allantools is a peer only; where it is not installed our own time is still measured.
Run:  python run.py bench -k stability
"""

import importlib.util
import sys
import time

import numpy as np

from analysis import stability

POINTS = 10_000_000


def _spent(call):
    began = time.process_time()
    found = call()
    return time.process_time() - began, found


def _theirs(phase, taus):
    import allantools  # noqa: PLC0415 - a peer, perhaps not installed

    return [getattr(allantools, name)(phase, rate=1.0, data_type="phase", taus=taus)[1] for name in ("oadev", "mdev")]


def test_stability(capsys):
    phase = np.cumsum(np.random.default_rng(0).standard_normal(POINTS))
    for warm in (stability.oadev, stability.mdev):
        warm(phase[:500_000], rate=1.0)  # loads the compiled loops
    ours, found = _spent(lambda: [stability.oadev(phase, rate=1.0), stability.mdev(phase, rate=1.0)])
    said = f"\noadev + mdev, {POINTS} phases, all octaves, with intervals: {ours:.2f} CPU-s"
    ratio = None
    if importlib.util.find_spec("allantools"):
        theirs, peer = _spent(lambda: _theirs(phase, found[1]["tau"].values))
        ratio = theirs / ours
        said += f"; allantools {theirs:.2f} CPU-s, ratio {ratio:.1f}x"
        for each, values in zip(found, peer, strict=True):
            np.testing.assert_allclose(each["value"].values[: values.size], values, rtol=1e-6)
    with capsys.disabled():
        sys.stdout.write(said + "\n")
    assert ratio is None or ratio >= 5
