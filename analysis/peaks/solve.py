"""Runs the compiled kernel over blocks of spectra, in threads if that pays.

Blocks only share read-only tables, and no spectrum influences another, so the result does not depend on
the number of threads. Not here: the kernel (`analysis.peaks.engine`), xarray (`analysis.peaks.fit`).
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis.peaks.compile import Plan
from analysis.peaks.engine import fit_many, gradient_many
from analysis.peaks.normal import model_rows
from analysis.peaks.status import Status

__all__ = ["Solution", "equations", "evaluate_layout", "gradient", "solve"]

Floats = np.ndarray[Any, np.dtype[np.float64]]
BLOCK = 256
TOLERANCE = 1e-11


@dataclass(frozen=True, kw_only=True)
class Solution:
    """What the kernel found, in the kernel's own free parameters u; leading dim `spectrum`."""

    u: Floats
    covariance: Floats
    normal: Floats
    chisqr: Floats
    nfev: np.ndarray[Any, np.dtype[np.int64]]
    status: np.ndarray[Any, np.dtype[np.int8]]
    held: np.ndarray[Any, np.dtype[np.int8]]


def solve(
    plan: Plan,
    axis: Floats,
    data: Floats,
    weights: Floats,
    *,
    start: Floats,
    status: np.ndarray[Any, np.dtype[np.int8]],
    max_iterations: int,
    threads: int | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> Solution:
    """Fit every spectrum.

    Parameters
    ----------
    plan:
        From `compile_plan`.
    axis:
        Dims `(channel,)`.
    data, weights:
        Dims `(spectrum, channel)`, 0 where masked; one row of weights may serve all.
    start:
        All parameters, dims `(spectrum, parameter)`, free ones as the user sees them.
    status:
        Anything but CONVERGED is left out.
    max_iterations:
        At most.
    threads:
        None: as many as the process may use when there are several blocks.
    progress:
        Called with (done, total) spectra after every block, in this thread.

    Returns
    -------
    :
        The solution; not fitted spectra hold NaN.
    """
    count, free = len(data), plan.parameters.free
    kernel_start = start.copy()
    kernel_start[:, free] = start[:, free] @ plan.unmix.T
    found = Solution(
        u=np.full((count, free.size), np.nan),
        covariance=np.full((count, free.size, free.size), np.nan),
        normal=np.full((count, free.size, free.size), np.nan),
        chisqr=np.full(count, np.nan),
        nfev=np.zeros(count, dtype=np.int64),
        status=status.astype(np.int8),
        held=np.zeros((count, free.size), dtype=np.int8),
    )
    points = np.count_nonzero(np.broadcast_to(weights, data.shape), axis=1)

    def block(low: int) -> int:
        part = slice(low, min(low + BLOCK, count))
        fit_many(
            plan.layout, plan.ties, free, plan.parameters.low, plan.parameters.high, axis, data[part],
            weights if len(weights) == 1 else weights[part], points[part], kernel_start[part], TOLERANCE,
            max_iterations, found.u[part], found.covariance[part], found.normal[part], found.chisqr[part],
            found.nfev[part], found.status[part], found.held[part],
        )  # fmt: skip
        return part.stop

    _run(block, range(0, count, BLOCK), count, threads, progress)
    return found


def _run(
    block: Callable[[int], int],
    starts: range,
    total: int,
    threads: int | None,
    progress: Callable[[int, int], object] | None,
) -> None:
    workers = threads or (len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
    if workers == 1 or len(starts) == 1:
        results = map(block, starts)
        _report(results, total, progress)
        return
    with ThreadPoolExecutor(max_workers=min(workers, len(starts))) as pool:
        _report(pool.map(block, starts), total, progress)


def _report(results: Any, total: int, progress: Callable[[int, int], object] | None) -> None:  # noqa: ANN401
    for done in results:
        if progress is not None:
            progress(done, total)


def gradient(plan: Plan, axis: Floats, data: Floats, weights: Floats, *, values: Floats, u: Floats) -> Floats:
    """Compute the gradient of ½χ² in the kernel's free parameters.

    Parameters
    ----------
    plan, axis, data, weights:
        As in `solve`.
    values:
        All parameters, dims `(spectrum, parameter)`; the free ones come from `u`.
    u:
        The kernel's free parameters, dims `(spectrum, free)`.

    Returns
    -------
    :
        Dims `(spectrum, free)`.
    """
    return equations(plan, axis, data, weights, values=values, u=u)[1]


def equations(
    plan: Plan, axis: Floats, data: Floats, weights: Floats, *, values: Floats, u: Floats
) -> tuple[Floats, Floats, Floats]:
    """Compute χ², the gradient of ½χ² and JᵀJ in the kernel's free parameters.

    Parameters
    ----------
    plan, axis, data, weights, values, u:
        As in `gradient`.

    Returns
    -------
    :
        Dims `(spectrum,)`, `(spectrum, free)` and `(spectrum, free, free)`.
    """
    slope, normal, chisqr = np.empty_like(u), np.empty((*u.shape, u.shape[1])), np.empty(len(u))
    gradient_many(
        plan.layout, plan.ties, plan.parameters.free, axis, data, weights, np.ascontiguousarray(values), u, slope,
        normal, chisqr,
    )  # fmt: skip
    return chisqr, slope, normal


def evaluate_layout(layout: tuple[Any, ...], axis: Floats, values: Floats) -> Floats:
    """Evaluate a sum of components in the parameters as the user sees them.

    Parameters
    ----------
    layout:
        Of a plan; polynomials are taken in the raw axis.
    axis:
        Dims `(channel,)`.
    values:
        All parameters, dims `(spectrum, parameter)`.

    Returns
    -------
    :
        Dims `(spectrum, channel)`.
    """
    kind, first, sign, origin, inverse, source, row = layout
    plain = (kind, first, sign, np.zeros_like(origin), np.ones_like(inverse), source, np.full_like(row, -1))
    out = np.empty((len(values), axis.size))
    model_rows(plain, np.ascontiguousarray(values), np.ascontiguousarray(axis), out)
    return out


FAILED = (Status.TOO_FEW_POINTS, Status.INVALID_DATA, Status.NON_FINITE_MODEL)
