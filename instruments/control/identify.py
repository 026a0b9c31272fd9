"""A process from its answer: gain, time constant and dead time of a step, ultimate gain and period of a relay.

Not here: settings for a controller (`instruments.control.tuning`).
"""

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import least_squares

from analysis.core import InstrumentError
from analysis.uncertainty import Quantity, correlated, type_a

__all__ = ["FirstOrder", "Ultimate", "identify_relay", "identify_step"]

Floats = np.ndarray[Any, np.dtype[np.float64]]
_PARAMETERS = 4
_LEAST_POINTS = 12
_LEAST_CYCLES = 3


@dataclass(frozen=True, kw_only=True)
class FirstOrder:
    """A first-order process with dead time (FOPDT)."""

    gain: Quantity
    """Change of the value per change of the output."""
    time_constant: Quantity
    """In s."""
    dead_time: Quantity
    """In s."""


@dataclass(frozen=True, kw_only=True)
class Ultimate:
    """Gain and period at the limit of stability."""

    gain: Quantity
    """Output per value."""
    period: Quantity
    """In s."""


def identify_step(time: npt.ArrayLike, value: npt.ArrayLike, *, step: float, units: str) -> FirstOrder:
    """Fit a first-order process with dead time to the answer to a step of the output at time zero.

    Parameters
    ----------
    time:
        Dims `(point,)`, in s; points before the step (time < 0) fix where it began.
    value:
        Dims `(point,)`, process value with white noise, in `units`.
    step:
        Change of the output.
    units:
        Of the value, UDUNITS.

    Returns
    -------
    :
        Gain, time constant and dead time, correlated by the fit; their uncertainty is that of the scatter of the
        residuals.

    Raises
    ------
    InstrumentError
        If there are fewer than 12 points, no step, values that are not finite, or nothing that answers: the gain is
        within its own uncertainty of zero, or the record ends before the process has settled to 63 %.
    """
    t, y = np.asarray(time, dtype=float), np.asarray(value, dtype=float)
    if t.shape != y.shape or t.size < _LEAST_POINTS or not (np.isfinite(t).all() and np.isfinite(y).all()):
        msg = f"a step needs {_LEAST_POINTS} finite times and values or more, got shapes {t.shape} and {y.shape}"
        raise InstrumentError(msg)
    if not math.isfinite(step) or step == 0.0:
        msg = f"the step must be a finite change of the output, got {step!r}"
        raise InstrumentError(msg)
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
        raise InstrumentError(msg)
    found = correlated(
        best.x, covariance, units=(units, units, "s", "s"), dof=dof,
        labels=("value before the step", "gain", "time constant", "dead time"),
    )  # fmt: skip
    return FirstOrder(gain=found[1], time_constant=found[2], dead_time=found[3])


def identify_relay(
    time: npt.ArrayLike, value: npt.ArrayLike, *, amplitude: float, hysteresis: float = 0.0, units: str
) -> Ultimate:
    """Read ultimate gain and period from the oscillation under a relay.

    Parameters
    ----------
    time, value:
        Dims `(point,)`, in s and in `units`, with the first cycles, which are not yet steady, left out.
    amplitude:
        Of the relay: half the difference of its two outputs, > 0.
    hysteresis:
        Of the relay, half width, >= 0, in `units`.
    units:
        Of the value, UDUNITS.

    Returns
    -------
    :
        Ku = 4 d / (pi sqrt(a^2 - h^2)) by the describing function (Astrom & Hagglund 1984,
        doi:10.1016/0005-1098(84)90014-1), exact for a sine and good to some 20 % for a process with dead time; the
        uncertainties are those of the repeated cycles only.

    Raises
    ------
    InstrumentError
        If there are fewer than three whole cycles, or the oscillation does not exceed the hysteresis.
    """
    t, y = np.asarray(time, dtype=float), np.asarray(value, dtype=float)
    middle = 0.5 * (y.max() + y.min())
    up = np.flatnonzero((y[:-1] < middle) & (y[1:] >= middle))
    if up.size < _LEAST_CYCLES + 1:
        msg = f"a relay test needs {_LEAST_CYCLES} whole cycles or more, got {max(up.size - 1, 0)}; record longer"
        raise InstrumentError(msg)
    crossings = t[up] + (middle - y[up]) / (y[up + 1] - y[up]) * (t[up + 1] - t[up])
    swings = np.array([0.5 * np.ptp(y[i:j]) for i, j in pairwise(up)])
    if not swings.min() > hysteresis >= 0.0 or not amplitude > 0:
        msg = f"the oscillation of {swings.min():.3g} must exceed the hysteresis {hysteresis:g}, and amplitude be > 0"
        raise InstrumentError(msg)
    effective = type_a(np.sqrt(swings**2 - hysteresis**2), units=units, label="swing of the process value")
    return Ultimate(gain=4 * amplitude / math.pi / effective, period=type_a(np.diff(crossings), units="s"))


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
