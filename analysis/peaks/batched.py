"""The batched engine as an object: a compiled plan for one model on one axis.

This module brings numba with it. Not here: the other engine (`analysis.peaks.reference`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import lmfit
import numpy as np

from analysis.peaks import kernel_cache, solve
from analysis.peaks.compile import ParameterPlan, Plan, compile_plan, components
from analysis.peaks.normal import BLOCK
from analysis.peaks.outcome import Found
from analysis.peaks.shapes import add_component

__all__ = ["Batched", "component", "curve", "make"]

Floats = np.ndarray[Any, np.dtype[np.float64]]
kernel_cache.drop_stale()  # before anything compiled is called; numba loads its cache at the first call


@dataclass(frozen=True, kw_only=True)
class Batched:
    """Fits many spectra with one compiled kernel."""

    plan: Plan
    params: lmfit.Parameters
    max_iterations: int
    threads: int | None
    progress: Callable[[int, int], object] | None
    derivatives: str = "analytic"

    @property
    def parameters(self) -> ParameterPlan:
        """Which parameters are free, fixed and tied."""
        return self.plan.parameters

    def solve(self, axis: Floats, data: Floats, weights: Floats, start: Floats, status: Any) -> Found:  # noqa: ANN401
        """Fit every spectrum; see `analysis.peaks.solve.solve`."""
        found = solve.solve(
            self.plan, axis, data, weights, start=start, status=status,
            max_iterations=self.max_iterations, threads=self.threads, progress=self.progress,
        )  # fmt: skip
        return Found(
            u=found.u, mix=self.plan.mix, covariance=found.covariance, normal=found.normal, chisqr=found.chisqr,
            nfev=found.nfev, status=found.status, held=found.held,
            points=np.count_nonzero(np.broadcast_to(weights, data.shape), axis=1),
        )  # fmt: skip

    def gradient(self, axis: Floats, data: Floats, weights: Floats, values: Floats, u: Floats) -> Floats:
        """Compute the gradient of ½χ² in u; see `analysis.peaks.solve.gradient`."""
        return solve.gradient(self.plan, axis, data, weights, values=values, u=u)


def make(
    model: lmfit.Model,
    params: lmfit.Parameters,
    axis: Floats,
    *,
    max_iterations: int,
    threads: int | None,
    progress: Callable[[int, int], object] | None,
) -> Batched:
    """Compile a model for the batched engine.

    Parameters
    ----------
    model, params, axis:
        As in `analysis.peaks.compile.compile_plan`.
    max_iterations, threads, progress:
        As in `analysis.peaks.solve.solve`.

    Returns
    -------
    :
        The engine.

    Raises
    ------
    ModelError
        If the model or the parameters cannot be compiled.
    """
    plan = compile_plan(model, params, axis)
    return Batched(plan=plan, params=params, max_iterations=max_iterations, threads=threads, progress=progress)


def curve(model: lmfit.Model, names: list[str], axis: Floats, values: Floats) -> Floats:
    """Evaluate a sum of built-in models for many parameter sets.

    Parameters
    ----------
    model:
        As in `make`.
    names:
        What stands along the last dim of `values`.
    axis:
        Dims `(channel,)`.
    values:
        Dims `(spectrum, parameter)`.

    Returns
    -------
    :
        Dims `(spectrum, channel)`; NaN where a parameter is NaN.
    """
    terms = components(model)
    count = sum(len(term.names) for term in terms)
    layout = (
        np.array([term.kind for term in terms], dtype=np.int64),
        np.cumsum([0, *(len(term.names) for term in terms)]).astype(np.int64),
        np.array([term.sign for term in terms]),
        np.zeros(len(terms)),
        np.ones(len(terms)),
        np.array([names.index(name) for term in terms for name in term.names], dtype=np.int64),
        np.full(count, -1, dtype=np.int64),
    )
    made = solve.evaluate_layout(layout, axis, values)
    made[~np.isfinite(values).all(axis=1)] = np.nan
    return made


def component(kind: int, values: Floats, axis: Floats) -> tuple[Floats, Floats]:
    """Evaluate one component with its derivatives.

    Parameters
    ----------
    kind:
        Code of `analysis.peaks.kinds`, no polynomial.
    values:
        Its parameters in the engine's order.
    axis:
        Dims `(channel,)`.

    Returns
    -------
    :
        The curve, dims `(channel,)`, and its derivatives, dims `(parameter, channel)`.
    """
    count = values.size
    out = np.empty((count + 1, axis.size))
    buf, scratch = np.zeros((count, BLOCK)), np.zeros((5, BLOCK))
    for at in range(0, axis.size, BLOCK):
        x = np.ascontiguousarray(axis[at : at + BLOCK], dtype=float)
        add_component(kind, values, 1.0, np.arange(count), 0.0, 1.0, x, x.size, buf, scratch)
        out[0, at : at + x.size] = scratch[3, : x.size]
        out[1:, at : at + x.size] = buf[:, : x.size]
        scratch[3] = 0.0
    return out[0], out[1:]
