"""From what an engine found to values, standard errors and statistics, as plain arrays.

Not here: labels and units (`analysis.peaks.result`).
"""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from analysis.peaks import kernel_cache
from analysis.peaks.compile import ParameterPlan
from analysis.peaks.status import Status
from analysis.peaks.ties import differentiate

__all__ = ["Found", "Outcome", "chain_rule", "conclude"]

Floats = np.ndarray[Any, np.dtype[np.float64]]
Ints = np.ndarray[Any, np.dtype[Any]]
NULL_SHARE = 1e-4
NULL_EIGENVALUE = 1e-10


@dataclass(frozen=True, kw_only=True)
class Found:
    """An engine's answer, leading dim `spectrum`; covariance unscaled.

    In the engine's own free parameters u; the user's are θ = `mix` @ u. `span`, dims `(free,)`, is the largest
    standard error that means anything, such as the length of the axis for a centre.
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
    span: Floats

    @classmethod
    def empty(cls, status: Ints, points: Ints, *, mix: Floats, span: Floats) -> "Found":
        """Give the arrays of fits that are still to be made."""
        count, free = len(status), len(mix)
        return cls(
            u=np.full((count, free), np.nan),
            mix=mix,
            covariance=np.full((count, free, free), np.nan),
            normal=np.full((count, free, free), np.nan),
            chisqr=np.full(count, np.nan),
            nfev=np.zeros(count, dtype=np.int64),
            status=status,
            held=np.zeros((count, free), dtype=np.int8),
            points=points,
            span=span,
        )


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

    @classmethod
    def empty(cls, count: int, parameters: int) -> "Outcome":
        """Give the arrays of fits that were never made."""
        nan = np.full(count, np.nan)
        rows = np.full((count, parameters), np.nan)
        return cls(
            value=rows,
            stderr=rows.copy(),
            covariance=np.full((count, parameters, parameters), np.nan),
            status=np.full(count, Status.CANCELLED, dtype=np.int8),
            parameter_status=np.zeros((count, parameters), dtype=np.int8),
            initial=rows.copy(),
            chisqr=nan,
            redchi=nan.copy(),
            aic=nan.copy(),
            bic=nan.copy(),
            nfev=np.zeros(count, dtype=np.int64),
            ndata=np.zeros(count, dtype=np.int64),
        )

    def part(self, rows: slice) -> "Outcome":
        """Give some of the fits, as views."""
        return Outcome(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})

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
    covariance = found.covariance
    lost = np.zeros(found.u.shape, dtype=bool)
    singular = np.flatnonzero(found.status == int(Status.SINGULAR))
    if singular.size:
        covariance = covariance.copy()
    for s in singular:
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


def conclude(
    plan: ParameterPlan, found: Found, initial: Floats, *, loss: str, scale_covar: bool, out: Outcome | None = None
) -> Outcome:
    """Compute everything that a fit reports.

    Parameters
    ----------
    plan:
        Which parameters are free, fixed and tied.
    found:
        The engine's answer.
    initial:
        Starting values of all parameters, dims `(spectrum, parameter)`.
    loss:
        What was minimised; under Poisson the information criteria are those of the likelihood.
    scale_covar:
        Multiply the covariance by the reduced chi-square.
    out:
        Filled and returned; None makes a new one.

    Returns
    -------
    :
        Values, covariance and statistics with lmfit's definitions; NaN for fits that failed.
    """
    inner, lost = _resolve_singular(found)
    out = out or Outcome.empty(len(initial), initial.shape[1])
    out.value[...] = out.initial[...] = initial
    out.nfev[...] = found.nfev
    out.ndata[...] = found.points
    kernel_cache.load("expansion").conclude_rows(
        plan.tables, plan.free, plan.state, loss == "poisson", scale_covar,
        (
            found.mix, found.span, found.u, inner, found.normal, found.held, lost, found.points, found.chisqr,
            found.status,
        ),
        (out.value, out.stderr, out.covariance, out.status, out.parameter_status),
        (out.chisqr, out.redchi, out.aic, out.bic),
    )  # fmt: skip
    return out
