"""The batched engine as an object: a compiled plan for one model on one axis.

This module brings numba with it. Not here: the other engine (`analysis.peaks.reference`).
"""

from dataclasses import dataclass
from typing import Any

import lmfit
import numpy as np

from analysis.peaks import solve
from analysis.peaks.compile import ParameterPlan, Plan, compile_plan, components
from analysis.peaks.outcome import Found
from analysis.peaks.rows import BLOCK, FRONT, MODEL, WEIGHT, X
from analysis.peaks.shapes import add_component

__all__ = ["Batched", "component", "curve", "make"]

Floats = np.ndarray[Any, np.dtype[np.float64]]
BLOCK_SAMPLES = 2**20  # of a block of spectra: large beside the calls for it, small beside a map


@dataclass(frozen=True, kw_only=True)
class Batched:
    """Fits many spectra with one compiled kernel."""

    plan: Plan
    params: lmfit.Parameters
    max_iterations: int
    loss: str
    block: int
    parallel: bool = True
    derivatives: str = "analytic"

    @property
    def parameters(self) -> ParameterPlan:
        """Which parameters are free, fixed and tied."""
        return self.plan.parameters

    def solve(self, axis: Floats, signal: Floats, sigma: Floats | None, start: Floats) -> Found:
        """Fit every spectrum; see `analysis.peaks.solve.solve`."""
        return solve.solve(
            self.plan, axis, signal, sigma, start=start, max_iterations=self.max_iterations, loss=self.loss
        )

    def gradient(self, axis: Floats, data: Floats, weights: Floats, values: Floats, u: Floats) -> Floats:
        """Compute the gradient of half the loss in u; see `analysis.peaks.solve.gradient`."""
        return solve.gradient(self.plan, axis, data, weights, values=values, u=u, loss=self.loss)


def make(
    model: lmfit.Model,
    params: lmfit.Parameters,
    axis: Floats,
    *,
    max_iterations: int,
    loss: str,
) -> Batched:
    """Compile a model for the batched engine.

    Parameters
    ----------
    model, params, axis:
        As in `analysis.peaks.compile.compile_plan`.
    max_iterations, loss:
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
    block = max(64, BLOCK_SAMPLES // axis.size)
    return Batched(plan=plan, params=params, max_iterations=max_iterations, loss=loss, block=block)


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
        np.zeros(0, dtype=np.int64),
        np.zeros(count, dtype=np.int64),
        np.zeros(count),
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
    front, rows = np.zeros(FRONT), np.zeros((count, BLOCK))
    front[WEIGHT : WEIGHT + BLOCK] = 1.0
    for at in range(0, axis.size, BLOCK):
        n = min(BLOCK, axis.size - at)
        front[X : X + n] = axis[at : at + n]
        front[MODEL : MODEL + n] = 0.0
        add_component(kind, values, 1.0, 0.0, 1.0, n, front, rows.reshape(-1))
        out[0, at : at + n] = front[MODEL : MODEL + n]
        out[1:, at : at + n] = rows[:, :n]
    return out[0], out[1:]
