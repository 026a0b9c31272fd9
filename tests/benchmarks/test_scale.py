"""A million spectra of case "b" from one Zarr store to another on a cluster that loses a worker half-way.

Time, memory (what processes share is divided among them), and whether every bit is that of the single-process run.
SPECTRA in the environment makes it smaller. Run:  python run.py bench -k scale
"""

import os
import sys
import time

import dask

from analysis import io
from tests import scaling

SPECTRA = int(os.environ.get("SPECTRA", "1000000"))
CHUNK = 2000
LIMIT = 1e9


def _gigabytes(folder):
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e9


def test_scale(tmp_path, capsys):
    chunk = min(CHUNK, max(SPECTRA // 20, 1))
    began = time.perf_counter()
    source = scaling.write_map(tmp_path / "map.zarr", spectra=SPECTRA, chunk=chunk)
    made = time.perf_counter() - began
    found = scaling.run(source, tmp_path / "cluster.zarr")
    began, cpu = time.perf_counter(), time.process_time()
    with dask.config.set(scheduler="synchronous"):
        io.write(scaling.fit(source), tmp_path / "alone.zarr")
        alone, cpu = time.perf_counter() - began, time.process_time() - cpu
        cluster, single = io.read(tmp_path / "cluster.zarr"), io.read(tmp_path / "alone.zarr")
        differ = scaling.differing(cluster, single, step=20 * chunk)
        failed = int((cluster.status != 0).sum())
    text = (
        f"\n{SPECTRA} spectra x {scaling.POINTS} points (case b) in chunks of {chunk}, store to store: simulated and "
        f"written in {made:.0f} s ({_gigabytes(source):.2f} GB); fitted by 2 workers in {found.seconds:.0f} s "
        f"({_gigabytes(tmp_path / 'cluster.zarr'):.2f} GB of results), one killed after {found.chunks_before} of "
        f"{-(-SPECTRA // chunk)} chunks; memory at most {found.peak_bytes / 1e9:.2f} GB in all processes together; "
        f"compiled in workers: {sum(found.compilations)}; by one process in {alone:.0f} s ({cpu:.0f} s processor "
        f"time); fits not converged: {failed}; variables that differ in a bit: {differ or 'none'}\n"
    )
    with capsys.disabled():
        sys.stdout.write(text)
    assert differ == []
    assert found.killed not in found.survivors
    assert found.peak_bytes <= LIMIT
    assert sum(found.compilations) == 0
