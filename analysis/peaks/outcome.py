"""From what an engine found to values, standard errors and statistics, as plain arrays.

Not here: labels and units (`analysis.peaks.result`).
"""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from analysis.peaks.compile import ParameterPlan
from analysis.peaks.status import ParameterStatus, Status
from analysis.peaks.ties import differentiate

__all__ = ["Found", "Outcome", "chain_rule", "conclude"]

Floats = np.ndarray[Any, np.dtype[np.float64]]
Ints = np.ndarray[Any, np.dtype[Any]]
NULL_SHARE = 1e-4
NULL_EIGENVALUE = 1e-10


@dataclass(frozen=True, kw_only=True)
class Found:
    """An engine's answer, leading dim `spectrum`; covariance unscaled.

    In the engine's own free parameters u; the user's are θ = `mix` @ u.
    """

    u: Floats
    mix: Floats
    covariance: Floats
    normal: Floats
    chisqr: Floats
    nfev: Ints
    status: Ints
    held: Ints
    points: Ints


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A fit as arrays, leading dim `spectrum`; the field names are those of the fit Dataset."""

    value: Floats
    stderr: Floats
    covariance: Floats
    status: Ints
    parameter_status: Ints
    initial: Floats
    chisqr: Floats
    redchi: Floats
    aic: Floats
    bic: Floats
    nfev: Ints
    ndata: Ints

    def arrays(self) -> tuple[Any, ...]:
        """Return all fields in order."""
        return tuple(getattr(self, field.name) for field in fields(self))


def chain_rule(plan: ParameterPlan, values: Floats) -> tuple[Floats, Floats]:
    """Complete the tied parameters and give the derivatives of all parameters to the free ones.

    Parameters
    ----------
    plan:
        Which parameters are free and tied.
    values:
        All parameters, dims `(spectrum, parameter)`; tied ones are recomputed in a copy.

    Returns
    -------
    :
        The parameters, and derivatives with dims `(spectrum, parameter, free)`.
    """
    values = values.copy()
    chain = np.zeros((*values.shape, plan.free.size))
    chain[:, plan.free, np.arange(plan.free.size)] = 1.0
    for at, program in plan.tied:
        values[:, at], slopes = differentiate(program, values)
        for k, slope in slopes.items():
            with np.errstate(all="ignore"):
                chain[:, at] += slope[:, None] * chain[:, k]
    return values, chain


def _resolve_singular(found: Found) -> tuple[Floats, np.ndarray[Any, np.dtype[np.bool_]]]:
    """Give near-singular fits the pseudo-inverse and mark the parameters that the data leave open."""
    covariance = found.covariance.copy()
    lost = np.zeros(found.u.shape, dtype=bool)
    for s in np.flatnonzero(found.status == Status.SINGULAR):
        keep = found.held[s] == 0
        normal = found.normal[s][np.ix_(keep, keep)]
        size = np.sqrt(np.clip(np.diag(normal), 0.0, None))
        size = np.where(size > 0.0, size, 1.0)
        eigen, vectors = np.linalg.eigh(normal / np.outer(size, size))
        null = eigen < NULL_EIGENVALUE
        inverse = (vectors[:, ~null] / eigen[~null]) @ vectors[:, ~null].T / np.outer(size, size)
        part = np.zeros(found.normal[s].shape)
        part[np.ix_(keep, keep)] = inverse
        covariance[s] = part
        lost[s, keep] = (np.abs(vectors[:, null]) > NULL_SHARE).any(axis=1)
        if not null.any():
            lost[s, keep] = np.abs(vectors[:, 0]) > NULL_SHARE
    return covariance, lost


def conclude(plan: ParameterPlan, found: Found, initial: Floats, *, scale_covar: bool) -> Outcome:
    """Compute everything that a fit reports.

    Parameters
    ----------
    plan:
        Which parameters are free, fixed and tied.
    found:
        The engine's answer.
    initial:
        Starting values of all parameters, dims `(spectrum, parameter)`.
    scale_covar:
        Multiply the covariance by the reduced chi-square.

    Returns
    -------
    :
        Values, covariance and statistics with lmfit's definitions; NaN for fits that failed.
    """
    covariance, lost = _resolve_singular(found)
    values = initial.copy()
    values[:, plan.free] = found.u @ found.mix.T
    covariance = found.mix @ covariance @ found.mix.T
    lost = (lost[:, None, :] & (found.mix != 0.0)).any(axis=2)
    values, chain = chain_rule(plan, values)
    points = found.points
    chisqr = found.chisqr
    redchi = chisqr / np.maximum(1, points - plan.free.size)
    if scale_covar:
        covariance = covariance * redchi[:, None, None]
    with np.errstate(all="ignore"):
        full = chain @ covariance @ chain.transpose(0, 2, 1)
    stuck = found.held == 1
    touched = chain != 0.0
    open_ = (touched & lost[:, None, :]).any(axis=2)
    bound = touched.any(axis=2) & ~(touched & ~stuck[:, None, :]).any(axis=2)
    has_u = np.isin(found.status, (Status.CONVERGED, Status.SINGULAR))[:, None]
    unknown = open_ | bound | ~has_u
    full = np.where(unknown[:, :, None] | unknown[:, None, :], np.nan, full)
    full = 0.5 * (full + full.transpose(0, 2, 1))
    failed = np.isin(found.status, (Status.TOO_FEW_POINTS, Status.INVALID_DATA, Status.NON_FINITE_MODEL))
    values[failed] = np.nan
    with np.errstate(all="ignore"):
        floor = np.maximum(chisqr, 1e-250 * points)
        likelihood = points * np.log(floor / points)
        stderr = np.sqrt(np.diagonal(full, axis1=1, axis2=2))
    return Outcome(
        value=values,
        stderr=stderr,
        covariance=full,
        status=found.status.astype(np.int8),
        parameter_status=_parameter_status(plan, stuck, lost & ~failed[:, None]),
        initial=initial,
        chisqr=np.where(failed, np.nan, chisqr),
        redchi=np.where(failed, np.nan, redchi),
        aic=np.where(failed, np.nan, likelihood + 2 * plan.free.size),
        bic=np.where(failed, np.nan, likelihood + np.log(np.maximum(points, 1)) * plan.free.size),
        nfev=found.nfev.astype(np.int64),
        ndata=points.astype(np.int64),
    )


def _parameter_status(plan: ParameterPlan, stuck: Ints, lost: Ints) -> Ints:
    state = np.full((len(stuck), len(plan.names)), ParameterStatus.FREE, dtype=np.int8)
    state[:, plan.fixed] = ParameterStatus.FIXED
    state[:, [at for at, _ in plan.tied]] = ParameterStatus.TIED
    at_free = state[:, plan.free]
    at_free[stuck] = ParameterStatus.AT_BOUND
    at_free[lost] = ParameterStatus.UNIDENTIFIABLE
    state[:, plan.free] = at_free
    return state
