"""A first-order system with dead time, from its answer to a step.

Not here: levels, rise and settling of any step (`analysis.waveform.steps`).
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import least_squares

from analysis.core import SpectrumError
from analysis.uncertainty import Quantity, correlated

__all__ = ["FirstOrder", "first_order"]

Floats = np.ndarray[Any, np.dtype[np.float64]]
_PARAMETERS = 4
_LEAST_POINTS = 12


@dataclass(frozen=True, kw_only=True)
class FirstOrder:
    """A first-order system with dead time (FOPDT)."""

    gain: Quantity
    """Change of the answer per change of what drives it."""
    time_constant: Quantity
    """In s."""
    dead_time: Quantity
    """In s."""


def first_order(time: npt.ArrayLike, value: npt.ArrayLike, *, step: float, units: str) -> FirstOrder:
    """Fit a first-order system with dead time (FOPDT) to its answer to a step at time zero.

    Parameters
    ----------
    time:
        Dims `(point,)`, in s; points before the step (time < 0) fix where it began.
    value:
        Dims `(point,)`, answer with white noise, in `units`.
    step:
        Change of what drives it.
    units:
        Of the value, UDUNITS.

    Returns
    -------
    :
        Gain, time constant and dead time, correlated by the fit; their uncertainty is that of the scatter of the
        residuals.

    Raises
    ------
    SpectrumError
        If there are fewer than 12 points, no step, values that are not finite, or nothing that answers: the gain is
        within its own uncertainty of zero, or the record ends before the system has settled to 63 %.
    """
    t, y = np.asarray(time, dtype=float), np.asarray(value, dtype=float)
    if t.shape != y.shape or t.size < _LEAST_POINTS or not (np.isfinite(t).all() and np.isfinite(y).all()):
        msg = f"a step needs {_LEAST_POINTS} finite times and values or more, got shapes {t.shape} and {y.shape}"
        raise SpectrumError(msg)
    if not math.isfinite(step) or step == 0.0:
        msg = f"the step must be a finite change of what drives it, got {step!r}"
        raise SpectrumError(msg)
    span = float(t.max())
    best = min(_starts(t, y, step, span), key=lambda fit: float(fit.cost))
    _, gain, lag, dead = best.x
    dof = t.size - _PARAMETERS
    inverse = np.linalg.pinv(best.jac.T @ best.jac)
    covariance = inverse * 2 * best.cost / dof
    if abs(gain) <= 2 * math.sqrt(covariance[1, 1]) or dead + lag > span:
        msg = (
            f"nothing settled: gain {gain:.3g} with u {math.sqrt(covariance[1, 1]):.3g}, time constant and dead time "
            f"{lag:.3g} and {dead:.3g} s in a record of {span:.3g} s; make the step larger, or record longer"
        )
        raise SpectrumError(msg)
    found = correlated(
        best.x, covariance, units=(units, units, "s", "s"), dof=dof,
        labels=("value before the step", "gain", "time constant", "dead time"),
    )  # fmt: skip
    return FirstOrder(gain=found[1], time_constant=found[2], dead_time=found[3])


def _starts(t: Floats, y: Floats, step: float, span: float) -> list[Any]:
    """Fit from several dead times, as the answer has a kink there."""
    order = np.argsort(t)
    first, last = float(np.median(y[order[:5]])), float(np.median(y[order[-5:]]))
    low = [-np.inf, -np.inf, 1e-6 * span, 0.0]

    def misfit(p: Floats) -> Floats:
        return np.asarray(p[0] + p[1] * step * _answer(t, p[2], p[3]) - y)

    return [
        least_squares(
            misfit, [first, (last - first) / step, share * span, dead * span], bounds=(low, np.inf), x_scale="jac"
        )
        for share in (0.05, 0.2)
        for dead in (0.01, 0.05, 0.15)
    ]


def _answer(t: Floats, lag: float, dead: float) -> Floats:
    return np.asarray(-np.expm1(-np.maximum(t - dead, 0.0) / lag))
