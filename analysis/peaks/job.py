"""Fits the last axis of plain arrays, block by block: what the door calls on one chunk or on all of a map.

Blocks share only read-only tables, and no spectrum influences another, so neither the number of threads nor
the size of a block changes a result. Not here: xarray (`analysis.peaks.fit`), the engines.
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import Any, Protocol

import lmfit
import numpy as np

from analysis.core import ModelError
from analysis.peaks import kernel_cache
from analysis.peaks.compile import ParameterPlan
from analysis.peaks.data import prepare, refuse_single
from analysis.peaks.outcome import Found, Outcome, chain_rule, conclude
from analysis.peaks.propagation import Modes, sensitivities

__all__ = ["Engine", "Job", "Progress"]

Floats = np.ndarray[Any, np.dtype[np.float64]]
Progress = Callable[[int, int], object]


class Engine(Protocol):
    """What fits plain arrays."""

    @property
    def parameters(self) -> ParameterPlan:
        """Which parameters are free, fixed and tied."""

    @property
    def params(self) -> lmfit.Parameters:
        """What the fit reports."""

    @property
    def derivatives(self) -> str:
        """How derivatives were taken."""

    @property
    def loss(self) -> str:
        """What is minimised."""

    @property
    def block(self) -> int:
        """How many spectra it likes to get at once."""

    @property
    def parallel(self) -> bool:
        """Whether blocks in threads run side by side."""

    def solve(self, axis: Floats, signal: Floats, sigma: Floats | None, start: Floats) -> Found:
        """Fit every spectrum."""

    def gradient(self, axis: Floats, data: Floats, weights: Floats, values: Floats, u: Floats) -> Floats:
        """Compute the gradient of half the loss."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """Everything that the blocks of one call have in common."""

    solver: Engine
    axis: Floats
    modes: Modes | None
    scale_covar: bool
    start_at: tuple[str, ...]
    single: bool
    threads: int | None
    progress: Progress | None

    def __call__(self, signal: Floats, *rest: Floats) -> tuple[Any, ...]:
        """Return the arrays of the outcome, and the sensitivities if there are modes."""
        others = list(rest)
        batch = signal.shape[:-1]
        count = int(np.prod(batch, dtype=int))
        flat = signal.reshape(count, signal.shape[-1])
        own = None
        if self.modes is not None and self.modes.own:
            moving = others.pop()
            own = np.broadcast_to(moving, (*batch, *moving.shape[-2:])).reshape(count, *moving.shape[-2:])
        has_sigma = len(others) > len(self.start_at)
        sigma = _flatten_sigma(others[0], batch, signal.shape[-1]) if has_sigma else None
        initial = self._initial(count, [np.broadcast_to(o, batch).ravel() for o in others[has_sigma:]])
        plan = self.solver.parameters
        outcome = Outcome.empty(count, len(plan.names))
        moved = None if self.modes is None else np.full((count, len(plan.names), self.modes.count), np.nan)

        def work(part: slice) -> int:
            weights = sigma if sigma is None or len(sigma) == 1 else sigma[part]
            moves = None if own is None else own[part]
            found = self._block(flat[part], weights, initial[part], outcome.part(part), own=moves)
            if moved is not None:
                moved[part] = found
            return part.stop - part.start

        self._run(work, count)
        arrays = outcome.arrays() if moved is None else (*outcome.arrays(), moved)
        return tuple(array.reshape((*batch, *array.shape[1:])) for array in arrays)

    def _initial(self, count: int, starts: list[Floats]) -> Floats:
        plan = self.solver.parameters
        initial = np.tile(plan.start, (count, 1))
        bad = []
        for name, values in zip(self.start_at, starts, strict=True):
            initial[:, plan.names.index(name)] = values
            if not np.isfinite(values).all():
                bad.append(name)
        if bad:
            msg = f"start of {bad} has values that are not finite; leave those parameters out of start"
            raise ModelError(msg)
        if starts:
            initial[:, plan.free] = np.clip(initial[:, plan.free], plan.low, plan.high)
        kernel_cache.load("expansion").complete_rows(plan.tables, initial)
        return initial

    def _run(self, work: Callable[[slice], int], count: int) -> None:
        """Do all blocks, in threads if that pays; stop early if `progress` says False or the user interrupts."""
        workers = (self.threads or _cores()) if self.solver.parallel else 1
        parts = _parts(count, self.solver.block, workers)
        workers = min(workers, len(parts))
        pool = ThreadPoolExecutor(max_workers=workers) if workers > 1 else None
        done = 0
        try:
            results = _in_threads(pool, work, parts) if pool else map(work, parts)
            for fitted in results:
                done += fitted
                if self.progress is not None and self.progress(done, count) is False:
                    break
        except KeyboardInterrupt:
            if self.progress is None:
                raise
        finally:
            if pool:
                pool.shutdown(cancel_futures=True)

    def _block(
        self, signal: Floats, sigma: Floats | None, initial: Floats, out: Outcome, *, own: Floats | None
    ) -> Floats | None:
        """Fit some spectra into `out`; return their sensitivities if there are modes."""
        plan = self.solver.parameters
        counts = self.solver.loss == "poisson"
        found = self.solver.solve(self.axis, signal, sigma, initial)
        if self.single:
            refuse_single(int(found.status[0]), signal, sigma, plan.free.size, counts=counts)
        conclude(plan, found, initial, loss=self.solver.loss, scale_covar=self.scale_covar, out=out)
        if self.modes is None:
            return None
        data, weights, _ = prepare(signal, sigma, plan.free.size, counts=counts)
        return self._sensitivity(found, out.value, data, weights, own)

    def _sensitivity(self, found: Found, values: Floats, data: Floats, weights: Floats, own: Floats | None) -> Floats:
        assert self.modes is not None  # noqa: S101
        plan = self.solver.parameters

        def gradient(u: Floats, axis: Floats, moved: Floats) -> Floats:
            return self.solver.gradient(axis, moved, weights, values, u)

        inner = sensitivities(
            gradient,
            found.u,
            normal=found.normal,
            held=found.held,
            status=found.status,
            axis=self.axis,
            data=data,
            weights=weights,
            modes=self.modes,
            own=None if own is None else np.where(weights[:, None, :] > 0.0, own, 0.0),
        )
        with np.errstate(all="ignore"):
            held = np.asarray(np.isnan(inner).any(axis=2))
            free = np.einsum("ij,sjm->sim", found.mix, np.where(held[:, :, None], 0.0, inner))
            _, chain = chain_rule(plan, values)
            out = chain @ free
        touched = (chain != 0.0) & held[:, None, :]
        only = touched.any(axis=2) & ~((chain != 0.0) & ~held[:, None, :]).any(axis=2)
        out[only] = np.nan
        return np.asarray(out)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _parts(count: int, block: int, workers: int) -> list[slice]:
    """Cut into blocks, of which every worker gets as many, if there is more than one."""
    number = -(-count // block)
    if number > 1:
        number = workers * -(-number // workers)
    size = -(-count // max(number, 1))
    return [slice(low, min(low + size, count)) for low in range(0, count, size)] if count else []


def _in_threads(pool: ThreadPoolExecutor, work: Callable[[slice], int], parts: list[slice]) -> Iterator[int]:
    for future in as_completed([pool.submit(work, part) for part in parts]):
        yield future.result()


def _flatten_sigma(sigma: Floats, batch: tuple[int, ...], channels: int) -> Floats:
    if sigma.ndim <= 1 or all(n == 1 for n in sigma.shape[:-1]):
        return np.ascontiguousarray(np.broadcast_to(sigma.reshape(1, -1), (1, channels)), dtype=float)
    wanted = (*batch, channels)
    # broadcast_to makes read-only, which the kernel would copy
    return (sigma if sigma.shape == wanted else np.broadcast_to(sigma, wanted)).reshape(-1, channels)
