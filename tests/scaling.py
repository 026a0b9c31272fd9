"""A simulated map in a store, fitted on a cluster of processes of which one is killed half-way.

For the unit test (some thousand spectra) and the benchmark (a million). Not here: what the spectra are
(`tests.workload`).
"""

import logging
import os
import signal
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import dask
import dask.array as da
import numpy as np
import psutil
import xarray as xr
from distributed import Client, LocalCluster

from analysis import io, peaks
from tests import workload
from tests.compiled import compilations

POINTS = 256
CHUNK = 2000
LEAN = {  # the profiler's stacks grow with the number of tasks, and every thread of a worker has a heap of its own
    "distributed.worker.profile.enabled": False,
    "distributed.nanny.pre-spawn-environ.MALLOC_ARENA_MAX": "2",
}
QUIET = {"dashboard_address": None, "silence_logs": logging.ERROR}
FITTED = ("value", "stderr", "covariance", "status", "parameter_status", "chisqr", "nfev")


@dataclass(frozen=True, kw_only=True)
class Run:
    """What a fit on a cluster took."""

    seconds: float
    killed: int
    """Process that was killed, 0 for none."""
    chunks_before: int
    """Chunks that were stored when it was killed."""
    survivors: tuple[int, ...]
    """Processes at the end."""
    peak_bytes: int
    """Most memory of this process and all that it started together: the scheduler, workers, and their helpers.

    Looked at every 0.4 s. A page that several of them share counts once, divided among them (Linux: Pss).
    """
    compilations: tuple[int, ...]
    """Functions that each worker compiled instead of loading."""


def write_map(path: Path, *, spectra: int, chunk: int, seed: int = 5) -> Path:
    """Simulate case "b" chunk by chunk into a Zarr store, with the history that a measured map would have."""

    def block(block_info):
        (low, high), _ = block_info[None]["array-location"]
        return workload.make("b", spectra=high - low, points=POINTS, seed=(seed, low)).y

    sizes = (*[chunk] * (spectra // chunk), *([spectra % chunk] if spectra % chunk else []))
    counts = da.map_blocks(block, chunks=(sizes, (POINTS,)), dtype=float, meta=np.zeros((0, 0)))
    attrs = {"units": "counts"}
    lazy = xr.Dataset(
        {
            "signal": (("spectrum", "channel"), counts, attrs),
            "u_signal": (("spectrum", "channel"), da.sqrt(da.maximum(counts, 1.0)), attrs),
        },
        coords={workload.AXIS: ("channel", np.linspace(0.0, workload.LENGTH, POINTS), {"units": "keV"})},
    )
    return io.write(lazy, path)


def fit(path: Path) -> xr.Dataset:
    """Fit a store lazily, every spectrum from the same start."""
    made = workload.make("b", spectra=200, points=POINTS, seed=1)
    params = made.params.copy()
    for name, value in zip(made.names, np.median(made.truth, axis=0), strict=True):
        params[name].value = float(value)
    return peaks.fit(io.read(path), made.model, params, axis=workload.AXIS)


def run(source: Path, target: Path, *, workers: int = 2, kill: bool = True, memory: str = "800MB") -> Run:
    """Fit a store into another on a cluster; kill one worker when half of the chunks are stored."""
    with (
        dask.config.set(LEAN),
        LocalCluster(n_workers=workers, threads_per_worker=1, memory_limit=memory, **QUIET) as cluster,
        Client(cluster) as client,
    ):
        lazy = fit(source)
        watch = _Watch(client, target, half=lazy.status.data.npartitions // 2 if kill else 10**9)
        watch.start()
        began = time.perf_counter()
        try:
            io.write(lazy, target)
        finally:
            seconds = time.perf_counter() - began
            watch.ended.set()
            watch.join()
        client.wait_for_workers(workers, timeout=60)
        survivors = tuple(client.run(os.getpid).values())
        compiled = tuple(client.run(compilations).values())
    if kill and not watch.killed:
        msg = f"nothing was killed: {watch.chunks} chunks stored in {seconds:.1f} s"
        raise RuntimeError(msg)
    return Run(
        seconds=seconds, killed=watch.killed, chunks_before=watch.chunks, survivors=survivors,
        peak_bytes=watch.peak, compilations=compiled,
    )  # fmt: skip


class _Watch(threading.Thread):
    """Counts stored chunks and memory; kills the first worker at half-way."""

    def __init__(self, client, target, *, half):
        super().__init__(daemon=True)
        self.pids = list(client.run(os.getpid).values())
        self.target, self.half = target, half
        self.killed = self.chunks = self.peak = 0
        self.ended = threading.Event()

    def run(self):
        me = psutil.Process()
        looks = 0
        while not self.ended.wait(0.02):
            looks += 1
            if looks % 20 == 0:
                self.peak = max(self.peak, sum(_memory(each) for each in (me, *me.children(recursive=True))))
            if not self.killed:
                self._kill_at_half_way()

    def _kill_at_half_way(self):
        stored = sum(1 for _ in self.target.parent.glob(f".{self.target.name}.*.part/status/c/*"))
        if stored >= self.half:
            self.killed, self.chunks = self.pids[0], stored
            os.kill(self.killed, signal.SIGKILL)


def _memory(process):
    """Return its memory, with what it shares with others divided among them where the system says so."""
    try:
        info = process.memory_full_info()
        return getattr(info, "pss", info.uss)
    except psutil.Error:
        return 0


def differing(a: xr.Dataset, b: xr.Dataset, *, step: int = 100_000) -> list[str]:
    """Name the variables that differ in a bit; a part of the map after the other."""
    found = set()
    for low in range(0, a.sizes["spectrum"], step):
        one, other = (each.isel(spectrum=slice(low, low + step)) for each in (a, b))
        found |= {name for name in FITTED if not _same_bits(one[name].values, other[name].values)}
    return sorted(found)


def _same_bits(a, b):
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def _alone(function, *given, **settings):
    """Call a function in a fresh process, so that its memory is that of its own work."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as other:
        return other.submit(function, *given, **settings).result()


def report(folder: Path, *, spectra: int) -> tuple[str, Run, list[str]]:
    """Simulate, fit on a cluster and in one process, compare; return a text, the run and what differs."""
    chunk = min(CHUNK, max(spectra // 20, 1))
    began = time.perf_counter()
    source = _alone(write_map, folder / "map.zarr", spectra=spectra, chunk=chunk)
    made = time.perf_counter() - began
    found = _alone(run, source, folder / "cluster.zarr")
    began, cpu = time.perf_counter(), time.process_time()
    with dask.config.set(scheduler="synchronous"):
        io.write(fit(source), folder / "alone.zarr")
        alone, cpu = time.perf_counter() - began, time.process_time() - cpu
        cluster, single = io.read(folder / "cluster.zarr"), io.read(folder / "alone.zarr")
        differ = differing(cluster, single, step=20 * chunk)
        failed = int((cluster.status != 0).sum())
    text = (
        f"{spectra} spectra of {POINTS} points (case b), from one Zarr store to another in chunks of {chunk}: "
        f"simulated and written in {made:.0f} s ({_gigabytes(source):.2f} GB), fitted by 2 workers in "
        f"{found.seconds:.0f} s ({_gigabytes(folder / 'cluster.zarr'):.2f} GB of results). One worker was killed after "
        f"{found.chunks_before} of {-(-spectra // chunk)} chunks. Memory of all processes together: at most "
        f"{found.peak_bytes / 1e9:.2f} GB. Functions compiled in workers: {sum(found.compilations)}. One process alone "
        f"took {alone:.0f} s ({cpu:.0f} s of processor time). Fits not converged: {failed}. Variables that differ from "
        f"the single process in any bit: {', '.join(differ) or 'none'}."
    )
    return text, found, differ


def _gigabytes(folder):
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e9
