"""Calls the compiled kernel on plain arrays.

Not here: the kernel (`analysis.peaks.engine`), blocks and threads (`analysis.peaks.job`).
"""

from typing import Any

import numpy as np

from analysis.core.arrays import for_kernel
from analysis.peaks.compile import Plan
from analysis.peaks.data import rows_of
from analysis.peaks.engine import fit_many, gradient_many
from analysis.peaks.losses import CODES
from analysis.peaks.normal import model_rows
from analysis.peaks.outcome import Found
from analysis.peaks.space import space_of, workspace

TOLERANCE = 1e-11

__all__ = ["equations", "evaluate_layout", "gradient", "solve"]

Floats = np.ndarray[Any, np.dtype[np.float64]]


def solve(
    plan: Plan,
    axis: Floats,
    signal: Floats,
    sigma: Floats | None,
    *,
    start: Floats,
    max_iterations: int,
    loss: str = "least_squares",
) -> Found:
    """Fit every spectrum.

    Parameters
    ----------
    plan:
        From `compile_plan`.
    axis:
        Dims `(channel,)`.
    signal:
        Dims `(spectrum, channel)`; NaN is masked.
    sigma:
        Same dims, `(1, channel)` if shared, or None for weights of 1.
    start:
        All parameters, dims `(spectrum, parameter)`, free ones as the user sees them.
    max_iterations:
        At most.
    loss:
        One of `analysis.peaks.losses.CODES`.

    Returns
    -------
    :
        The solution; not fitted spectra hold NaN.
    """
    count, free = len(signal), plan.parameters.free
    kernel_start = start.copy()
    kernel_start[:, free] = start[:, free] @ plan.unmix.T
    signal, shared = rows_of(signal, sigma)
    status, points = np.empty(count, dtype=np.int8), np.empty(count, dtype=np.int64)
    found = Found.empty(status, points, mix=plan.mix, span=plan.span)
    fit_many(
        plan.layout, plan.ties, CODES[loss], free, plan.parameters.low, plan.parameters.high, axis, signal, shared,
        kernel_start, max_iterations, TOLERANCE,
        workspace(plan.layout, start.shape[1], free.size), space_of(plan.layout, start.shape[1], free.size, axis.size),
        found.u, found.covariance, found.normal, found.chisqr, found.nfev, found.status, found.held, found.points,
    )  # fmt: skip
    return found


def gradient(
    plan: Plan, axis: Floats, data: Floats, weights: Floats, *, values: Floats, u: Floats, loss: str = "least_squares"
) -> Floats:
    """Compute the gradient of half the loss in the kernel's free parameters.

    Parameters
    ----------
    plan, axis, loss:
        As in `solve`.
    data, weights:
        From `analysis.peaks.data.prepare`.
    values:
        All parameters, dims `(spectrum, parameter)`; the free ones come from `u`.
    u:
        The kernel's free parameters, dims `(spectrum, free)`.

    Returns
    -------
    :
        Dims `(spectrum, free)`.
    """
    return equations(plan, axis, data, weights, values=values, u=u, loss=loss)[1]


def equations(
    plan: Plan, axis: Floats, data: Floats, weights: Floats, *, values: Floats, u: Floats, loss: str = "least_squares"
) -> tuple[Floats, Floats, Floats]:
    """Compute the loss, and gradient and curvature of half of it, in the kernel's free parameters.

    Parameters
    ----------
    plan, axis, data, weights, values, u, loss:
        As in `gradient`.

    Returns
    -------
    :
        Dims `(spectrum,)`, `(spectrum, free)` and `(spectrum, free, free)`.
    """
    slope, normal, chisqr = np.empty_like(u), np.empty((*u.shape, u.shape[1])), np.empty(len(u))
    gradient_many(
        plan.layout, plan.ties, CODES[loss], plan.parameters.free, axis, data, weights,
        for_kernel(values), u, workspace(plan.layout, values.shape[1], u.shape[1]),
        np.zeros(values.shape[1]), slope, normal, chisqr,
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
    kind, first, sign, origin, inverse, *rest = layout
    plain = (kind, first, sign, np.zeros_like(origin), np.ones_like(inverse), *rest)
    out = np.empty((len(values), axis.size))
    work = workspace(plain, values.shape[1], 0)
    model_rows(plain, for_kernel(values), for_kernel(axis), np.ones(axis.size), work, out)
    return out
