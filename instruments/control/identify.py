"""A process from its answer: gain, time constant and dead time of a step, ultimate gain and period of a relay.

Not here: settings for a controller (`instruments.control.tuning`).
"""

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from analysis.core import InstrumentError, SpectrumError
from analysis.uncertainty import Quantity, type_a
from analysis.waveform import FirstOrder, first_order

__all__ = ["Ultimate", "identify_relay", "identify_step"]

_LEAST_CYCLES = 3


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
    time, value, step, units:
        As for `analysis.waveform.first_order`; the step is that of the output.

    Returns
    -------
    :
        Gain, time constant and dead time, correlated by the fit.

    Raises
    ------
    InstrumentError
        Where the fit refuses the record.
    """
    try:
        return first_order(time, value, step=step, units=units)
    except SpectrumError as error:
        raise InstrumentError(str(error)) from error


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
