"""Recording: rows of 512 float32, each flushed before it is acknowledged, against a bare h5py loop; memory over 10^6.

`pytest -s tests/benchmarks/test_recording.py`. Asked: 1 000 rows/s and more; memory that does not grow.
"""

import resource
import sys
import time

import h5py
import numpy as np

from instruments import record
from instruments.shots import Shot
from tests import recording

ROWS, MANY = 5_000, 1_000_000


def bare(path, count):
    """The same rows by the least that h5py needs: two arrays, resized and flushed for each row."""
    with h5py.File(path, "w", libver="latest") as file:
        shape = {"maxshape": (None, recording.POINTS), "chunks": (32, recording.POINTS)}
        signal = file.create_dataset("signal", (0, recording.POINTS), dtype="f4", **shape)
        stamps = file.create_dataset("timestamp", (0,), maxshape=(None,), chunks=(8192,), dtype="f8")
        file.swmr_mode = True
        for k in range(count):
            signal.resize(k + 1, axis=0)
            stamps.resize(k + 1, axis=0)
            signal[k] = recording.row(k)
            signal.flush()
            stamps[k] = 1e9 + k
            stamps.flush()


def test_rows_per_second_against_bare_h5py(tmp_path):
    recording.stream(tmp_path / "warm.nc", 500)
    rates = {}
    for turn in range(3):
        for name, write in {"recorder": recording.stream, "bare h5py": bare}.items():
            begun = time.perf_counter()
            write(tmp_path / f"{name} {turn}.nc", ROWS)
            rates.setdefault(name, []).append(ROWS / (time.perf_counter() - begun))
    best = {name: max(found) for name, found in rates.items()}
    sys.stdout.write(f"\nrows/s: {', '.join(f'{name} {rate:.0f}' for name, rate in best.items())}\n")
    assert best["recorder"] > 1_000
    assert best["recorder"] > 0.5 * best["bare h5py"]  # which keeps two arrays, not four


def test_memory_over_a_million_rows(tmp_path):
    used = []
    with record.Recorder(tmp_path / "many.nc") as recorder:
        recorder.begin(recording.PIXELS)
        begun = time.perf_counter()
        for k in range(MANY):
            recorder.put(Shot(index=k, timestamp=1e9 + k, values={"signal": recording.row(k)}))
            if k % 100_000 == 99_999:
                used.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    sys.stdout.write(
        f"\n{MANY / (time.perf_counter() - begun):.0f} rows/s; highest memory by 10^5 rows, MB: {np.round(used)}\n"
    )
    assert used[-1] - used[0] < 20.0
