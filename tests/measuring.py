"""Measures the fit engine on simulated spectra: speed beside its peers, optima, intervals. Each function gives text.

Fits per second are per second of processor time, on one thread, through the public `peaks.fit`. The sections are
printed by `tests/benchmarks/test_fits.py` and kept in `docs/performance.md` by `docs/make_performance.py`.
Not here: the spectra (`tests.workload`), the peers (`tests.peers`), maps larger than memory (`tests.scaling`).
"""

import contextlib
import os
import platform
import subprocess
import sys
import time
import warnings
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path

import numpy as np
import xarray as xr
from lmfit.models import ConstantModel, PseudoVoigtModel, VoigtModel
from scipy import special

from analysis import peaks
from analysis.core import history
from analysis.peaks import kernel_cache
from tests import peers, workload
from tests.workload import Workload

ROOT = Path(__file__).resolve().parents[1]
COLUMNS = (("a", 256), ("a", 1024), ("b", 256), ("b", 1024))
MUST = {("a", 256): 70_000, ("b", 256): 13_000, ("b", 1024): 4_000}
AIM = {("a", 256): 100_000, ("b", 256): 18_000, ("b", 1024): 8_000}
SAME = 1e-6
LOW_COUNTS = 25.0


@dataclass(frozen=True, kw_only=True)
class Section:
    """Text for the page and what tests look at."""

    title: str
    text: str
    numbers: dict[str, float]


def fit(made: Workload, *, starts=None, bounded: bool = False, threads: int = 1, data=None, **settings) -> xr.Dataset:
    """Fit a workload; its spectra have a history, as those that `io.read` gives."""
    data = spectra(made) if data is None else data
    params = made.bounded() if bounded else made.params
    start = made.starts() if starts is None else dict(zip(made.names, starts.T, strict=True))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return peaks.fit(data, made.model, params, axis=workload.AXIS, start=start, threads=threads, **settings)


def spectra(made: Workload, *, uncertain: bool = True) -> xr.Dataset:
    """Return the spectra with a history."""
    return history.record(made.spectra(uncertain=uncertain), "tests.workload.make", settings={}, inputs={})


def seconds(made: Workload, *, repeats: int = 3, **settings) -> float:
    """Return the processor time of a fit, the least of several."""
    data, least = spectra(made), np.inf
    for _ in range(repeats):
        began = time.process_time()
        fit(made, data=data, **settings)
        least = min(least, time.process_time() - began)
    return least


def speed(*, count: int = 10_000, with_peers: bool = True) -> Section:
    """Compare fits per second of processor time with the peers, in this run."""
    ours, theirs = {}, {name: [] for name in peers.PEERS}
    for at, (case, points) in enumerate(COLUMNS):
        made = workload.make(case, spectra=count, points=points)
        fit(workload.make(case, spectra=5, points=points))
        ours[case, points] = count / seconds(made)
        for name, (run, module, counts) in peers.PEERS.items():
            if not with_peers or not peers.installed(module):
                continue
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                done, took = run(made, counts[at])
            theirs[name].append(done / took)
    rows = [("metrospec `peaks.fit`", list(ours.values())), *theirs.items()]
    lines = ["| engine | a, 256 pt | a, 1024 | b, 256 | b, 1024 |", "|---|---|---|---|---|"]
    for name, values in rows:
        shown = [_thousands(value) for value in values] or ["not installed"] * len(COLUMNS)
        lines.append(f"| {name} | {' | '.join(shown)} |")
    lines.append(f"| must reach | {' | '.join(_thousands(MUST[c]) if c in MUST else '–' for c in COLUMNS)} |")
    best = [max((v[at] for v in theirs.values() if v), default=np.nan) for at in range(len(COLUMNS))]
    ratios = ", ".join(f"{mine / peer:.1f}" for mine, peer in zip(ours.values(), best, strict=True))
    text = (
        "Fits per second of processor time on one thread, with standard errors and status. Case a: Gaussian and "
        "constant, 4 parameters. Case b: three pseudo-Voigts and a line, 14 parameters. Poisson noise, weights "
        f"1/√max(y, 1), starts wrong by up to 30 %; {count} spectra for us, fewer for slow peers.\n\n"
        + "\n".join(lines)
        + (f"\n\nOver the best peer of each column: {ratios} times." if with_peers else "")
    )
    return Section(title="Speed", text=text, numbers={f"{case}{points}": v for (case, points), v in ours.items()})


def _thousands(value: float) -> str:
    return f"{value:,.0f}".replace(",", " ") if value >= 100 else f"{value:.1f}"


def door(*, count: int = 10_000) -> Section:
    """Measure what is not the kernel, two threads, and how time grows with the number of spectra."""
    lines, numbers = [], {}
    for case, points in COLUMNS:
        share, more = _door_share(workload.make(case, spectra=count, points=points))
        lines.append(f"| {case}, {points} | {share:.1%} | {more:.1%} |")
        numbers[f"door_{case}{points}"] = share
    many = workload.make("b", spectra=2 * count, points=256)
    data = spectra(many)
    walls = []
    for threads in (1, 2):
        fit(many, data=data, threads=threads)
        walls.append(min(_wall(lambda threads=threads: fit(many, data=data, threads=threads)) for _ in range(3)))
    numbers["threads"] = walls[0] / walls[1]
    growth = []
    for size in (10_000, 100_000, 1_000_000):
        made = _tiled(size)
        took = seconds(made, repeats=3 if size == 10_000 else 1)
        growth.append((size, 1e6 * took / size))
        del made
    numbers["growth"] = growth[-1][1] / growth[0][1]
    text = (
        f"Share of the processor time outside the compiled code (xarray, checks, advice, the hash of the data), and "
        f"outside the compiled fit alone (also covariances of derived parameters and statistics), at {count} spectra:"
        "\n\n| case, points | outside compiled code | outside the fit |\n|---|---|---|\n"
        + "\n".join(lines)
        + f"\n\nTwo threads over one, elapsed time (b, 256; the machine was not free of other work): "
        f"{numbers['threads']:.2f}.\n\nProcessor time per spectrum (a, 64 points): "
        + ", ".join(f"{each:.1f} µs at {_thousands(size)}" for size, each in growth)
        + "."
    )
    return Section(title="What is not the kernel", text=text, numbers=numbers)


def _wall(call) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def _tiled(size: int) -> Workload:
    made = workload.make("a", spectra=10_000, points=64)
    rows = np.arange(size) % 10_000
    return replace(made, y=made.y[rows], sigma=made.sigma[rows], start=made.start[rows], truth=made.truth[:1])


def _door_share(made: Workload) -> tuple[float, float]:
    """Return the shares outside the compiled code, and outside the compiled fit alone."""
    data, least = spectra(made), np.inf
    inside = {"fit_many": 0.0, "_conclude_rows": 0.0}
    with contextlib.ExitStack() as stack:
        for module, name in (("solve", "fit_many"), ("expansion", "_conclude_rows")):
            stack.enter_context(_timed(kernel_cache.load(module), name, inside))
        for _ in range(5):
            inside.update(dict.fromkeys(inside, 0.0))
            began = time.process_time()
            fit(made, data=data)
            took = time.process_time() - began
            if took < least:
                least, fitted, concluded = took, inside["fit_many"], inside["_conclude_rows"]
    return 1.0 - (fitted + concluded) / least, 1.0 - fitted / least


@contextlib.contextmanager
def _timed(module, name, inside):
    """Add the processor time of one function of a module to `inside`."""
    plain = getattr(module, name)

    def timed(*args):
        began = time.process_time()
        plain(*args)
        inside[name] += time.process_time() - began

    setattr(module, name, timed)
    try:
        yield
    finally:
        setattr(module, name, plain)


def voigt(*, count: int = 10_000, points: int = 256) -> Section:
    """Compare a Voigt with a pseudo-Voigt, each on spectra of its own shape."""
    base = workload.make("a", spectra=count, points=points)
    rng = np.random.default_rng(4)
    ratio, area, centre = rng.uniform(0.3, 0.7, count), base.truth[:, 0], base.truth[:, 1]
    sigma = base.truth[:, 2]
    took = {}
    for shape, model in (("voigt", VoigtModel()), ("pseudo", PseudoVoigtModel())):
        x = base.x - centre[:, None]
        if shape == "voigt":
            clean = special.voigt_profile(x, sigma[:, None], (ratio * sigma)[:, None])
        else:
            t, eta = (x / sigma[:, None]) ** 2, ratio[:, None]
            clean = ((1 - eta) * peers.G * np.exp(-peers.LN2 * t) + eta / (np.pi * (1 + t))) / sigma[:, None]
        y = rng.poisson(area[:, None] * clean + 100.0).astype(float)
        third = ratio * sigma if shape == "voigt" else ratio
        truth = np.stack([area, centre, sigma, third, np.full(count, 100.0)], axis=1)
        whole = model + ConstantModel()
        names = ("amplitude", "center", "sigma", "gamma" if shape == "voigt" else "fraction", "c")
        params = whole.make_params(**dict(zip(names, truth[0], strict=True)))
        if shape == "voigt":
            params["gamma"].set(vary=True, expr="")
        start = truth * rng.uniform(0.8, 1.2, truth.shape)
        start[:, 1] = centre + rng.uniform(-0.3, 0.3, count) * 2 * sigma
        made = replace(base, y=y, sigma=np.sqrt(np.maximum(y, 1)), names=names, truth=truth, start=start,
                       model=whole, params=params)  # fmt: skip
        fit(replace(made, y=y[:5], sigma=made.sigma[:5], start=start[:5]))
        took[shape] = seconds(made)
    ratio_of = took["voigt"] / took["pseudo"]
    text = (
        f"One peak and a constant, {points} points: {_thousands(count / took['pseudo'])} pseudo-Voigts and "
        f"{_thousands(count / took['voigt'])} Voigts a second; a Voigt takes {ratio_of:.2f} times as long."
    )
    return Section(title="Voigt and pseudo-Voigt", text=text, numbers={"voigt": ratio_of})


def optima(*, near: int = 10_000, far: int = 15_000, others: int = 300) -> Section:
    """Count fits that end at the reference χ², that from the truth, from near and from far starts."""
    lines = ["| case | starts | fits | at the reference χ² | CONVERGED on another optimum |", "|---|---|---|---|---|"]
    numbers, wrong, total = {}, 0, 0
    for case in ("a", "b"):
        for kind, count in (("±30 %", near), ("×3 or /3, ±1.2 FWHM", far)):
            made = workload.make(case, spectra=count, points=256, seed=7)
            bounded = kind != "±30 %"
            best = fit(made, starts=made.truth, bounded=bounded).chisqr.values
            found = fit(made, starts=made.far_start if bounded else made.start, bounded=bounded)
            best = np.fmin(best, found.chisqr.values)
            same = found.chisqr.values <= best * (1 + SAME)
            bad = int(((found.status.values == 0) & ~same).sum())
            lines.append(f"| {case} | {kind} | {count} | {same.mean():.4%} | {bad} |")
            numbers[f"{case}_{'far' if bounded else 'near'}"] = float(same.mean())
            if bounded:
                wrong, total = wrong + bad, total + count
                for program in ("scipy", "lmfit") if others else ():
                    tried = others if program == "scipy" else others // 3  # lmfit takes a quarter of a second a fit
                    reached = peers.far(made, tried, program=program) <= best[:tried] * (1 + SAME)
                    name = {"scipy": "scipy `least_squares(trf)`", "lmfit": "lmfit `leastsq`"}[program]
                    lines.append(f"| {case} | the same, {name} | {tried} | {reached.mean():.2%} | – |")
    numbers["wrong"], numbers["starts"] = float(wrong), float(total)
    text = (
        "The reference is the lower of our fits from the truth and from the start, and a fit is at it within "
        f"{SAME:g} of χ². 256 points; far starts have bounds (amplitude ≥ 0, centre on the axis, width from half a "
        "channel to the axis, fraction 0 to 1; a start outside is put on its bound, for the peers a fraction inside "
        "0.05 to 0.95, as they do not leave a bound).\n\n"
        + "\n".join(lines)
        + f"\n\nFrom {total} far starts {wrong} fits said CONVERGED at another optimum ({wrong / total:.1e})."
    )
    return Section(title="The right optimum", text=text, numbers=numbers)


def coverage_of(case: str, *, count: int, loss: str, seed: int = 11, points: int = 256) -> dict[str, float]:
    """Return for each parameter the share of 68.3 % intervals that hold the truth, at 10 to 40 counts."""
    made = workload.make(case, spectra=count, points=points, seed=seed, background=LOW_COUNTS)
    data = spectra(made, uncertain=loss != "poisson")
    found = fit(made, data=data, loss=loss).sel(parameter=list(made.names))
    inside = np.abs(found.value.values - made.truth) <= found.stderr.values
    return dict(zip(made.names, inside.mean(axis=0).tolist(), strict=True))


def coverage(*, count: int = 20_000, losses: tuple[str, ...] = ("least_squares", "poisson")) -> Section:
    """Count the intervals that hold the truth where counts are few."""
    lines = ['| case | parameter | √y weights | loss="poisson" |', "|---|---|---|---|"]
    numbers = {}
    for case in ("a", "b"):
        found = {loss: coverage_of(case, count=count, loss=loss) for loss in losses}
        for name in found[losses[0]]:
            shown = [f"{found[loss][name]:.1%}" if loss in found else "–" for loss in ("least_squares", "poisson")]
            lines.append(f"| {case} | {name} | {shown[0]} | {shown[1]} |")
        numbers |= {f"{loss}_{case}_{name}": v for loss, each in found.items() for name, v in each.items()}
    text = (
        f"Share of nominal 68.3 % intervals that hold the truth; background about {LOW_COUNTS:.0f} counts, peaks ten "
        f"times as high, 256 points, {count} spectra each.\n\n" + "\n".join(lines)
    )
    return Section(title="Intervals at few counts", text=text, numbers=numbers)


FIRST = """
import time
from tests import compiled, workload
from analysis import peaks
from analysis.peaks import batched
made = workload.make("b", spectra=1, points=256)
data = made.spectra()
began = time.process_time()
peaks.fit(data, made.model, made.params, axis=workload.AXIS)
print(time.process_time() - began, compiled.compilations())
"""


def first(*, runs: int = 3) -> Section:
    """Time the first fit of fresh processes after their imports; the kernel comes from the cache on disk."""
    command = [sys.executable, "-c", FIRST]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in (str(ROOT), *sys.path) if path)}
    done = [
        subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout.split()  # noqa: S603
        for _ in range(runs + 1)
    ]
    least = min(float(took) for took, _ in done[1:])
    text = (
        f"First fit (b, 256) of a fresh process, after imports: {least:.2f} s of processor time; functions compiled "
        f"in it: {done[-1][1]}."
    )
    return Section(title="The first fit", text=text, numbers={"first": least, "compiled": float(done[-1][1])})


def machine() -> str:
    """Say on what was measured, and with which versions."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    cpu = models[0] if models else platform.processor() or platform.machine()
    named = {**history.versions(), **{name: _version(name) for name in ("numba", "dask", "zarr", "jax", "hyperspy")}}
    packages = ", ".join(f"{name} {number}" for name, number in named.items())
    return f"{cpu}, {os.cpu_count()} processors; {platform.system()}, Python {platform.python_version()}; {packages}"


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"
