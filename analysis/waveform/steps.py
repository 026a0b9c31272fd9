"""A step: levels, transition duration, overshoot, settling.

Reference: IEEE Std 181-2011, 5.2 to 5.4. Not here: a model of the process behind it (`instruments` identifies it).
"""

import math
from dataclasses import dataclass

import numpy as np

from analysis.core import SpectrumError
from analysis.uncertainty import Quantity
from analysis.waveform.samples import Array, Samples, read_samples, require_rate

__all__ = ["Step", "step_response"]

_EDGE = 0.1  # part of the record at each end that is taken for settled


@dataclass(frozen=True, kw_only=True)
class Step:
    """What a record of one step shows."""

    before: Quantity
    """Level before the step, in the units of the samples."""
    after: Quantity
    """Level after it."""
    amplitude: Quantity
    """After less before."""
    middle: Quantity
    """When it is half way, s after the first sample."""
    duration: Quantity
    """From 10 % to 90 % of the amplitude, s."""
    overshoot: Quantity
    """Beyond the level after the step, part of the amplitude; 0 if there is none beyond noise."""
    settling: Quantity
    """From half way until it stays within the tolerance, s."""


def step_response(samples: Samples, *, rate: float, tolerance: float = 0.02) -> Step:
    """Describe the one step in a record.

    Parameters
    ----------
    samples:
        One record, at least 50 samples: settled before the step in the first tenth, and after it in the last tenth.
    rate:
        Samples per second.
    tolerance:
        Of the settling, part of the amplitude, in (0, 0.5).

    Returns
    -------
    :
        Levels with their Type A uncertainty; moments with what noise over slope and the interval between two samples
        (rectangular) leave of them.

    Raises
    ------
    SpectrumError
        If the amplitude is not above the noise, the record is not settled at its ends, or noise hides the tolerance.
    """
    rate = require_rate(rate)
    found = read_samples(samples, rate=rate, least=50)
    if found.ndim != 1:
        msg = f"step_response takes one record, got {dict(found.sizes)}; choose one by isel"
        raise SpectrumError(msg)
    if not 0.0 < tolerance < 0.5:  # noqa: PLR2004 - half the amplitude is the step itself
        msg = f"tolerance must lie in (0, 0.5), got {tolerance!r}"
        raise SpectrumError(msg)
    y, units = found.values, str(found.attrs.get("units", "1"))
    edge = max(5, int(_EDGE * y.size))
    before, after = (_level(part, units, label) for part, label in ((y[:edge], "before"), (y[-edge:], "after")))
    amplitude = after - before
    noise = math.sqrt(0.25 * (np.diff(y[:edge]).var(ddof=1) + np.diff(y[-edge:]).var(ddof=1)))
    _require_step(y, edge, amplitude, noise, tolerance)
    rise = (y - before.value) / amplitude.value
    relative = noise / abs(amplitude.value)
    low, half, high = (_crossing(rise, level, relative, rate) for level in (0.1, 0.5, 0.9))
    outside = np.flatnonzero(np.abs(rise - 1.0) > tolerance)
    until = (outside[-1] + 1) / rate
    top = float(rise.max() - 1.0)
    beyond = top if top > relative * (math.sqrt(2.0 * math.log(y.size)) + 1.0) else 0.0
    return Step(
        before=before, after=after, amplitude=amplitude, middle=half, duration=high - low,
        overshoot=Quantity(value=beyond, u=relative, units="1", label="overshoot"),
        settling=Quantity(value=until, u=1.0 / rate / math.sqrt(12.0), units="s", label="last sample outside") - half,
    )  # fmt: skip


def _level(part: Array, units: str, label: str) -> Quantity:
    u = float(part.std(ddof=1)) / math.sqrt(part.size)
    return Quantity(value=float(part.mean()), u=u, units=units, dof=part.size - 1, label=f"level {label} the step")


def _require_step(y: Array, edge: int, amplitude: Quantity, noise: float, tolerance: float) -> None:
    size = abs(amplitude.value)
    if size <= 5.0 * noise or size == 0.0:
        msg = f"no step: the ends differ by {amplitude.value:.3g}, the noise is {noise:.3g}; record the whole step"
        raise SpectrumError(msg)
    for part, where in ((y[:edge], "first"), (y[-edge:], "last")):
        half = edge // 2
        drift = abs(float(part[half:].mean() - part[:half].mean()))
        if drift > 0.5 * tolerance * size + 4.0 * noise / math.sqrt(half):
            msg = f"the record is not settled in its {where} tenth: it moves by {drift:.3g} there; record longer"
            raise SpectrumError(msg)
    if 3.0 * noise > tolerance * size:
        msg = (
            f"noise of {noise:.3g} hides a tolerance of {tolerance * size:.3g}; average records, or give tolerance >= "
            f"{3.0 * noise / size:.2g}"
        )
        raise SpectrumError(msg)


def _crossing(rise: Array, level: float, noise: float, rate: float) -> Quantity:
    """Return when the rise passes a level for the last time before it has passed the middle for good."""
    above = np.flatnonzero(rise >= level)
    k = int(above[0])
    if k == 0:
        msg = f"the record begins beyond {level:.0%} of the step; begin before it"
        raise SpectrumError(msg)
    slope = rise[k] - rise[k - 1]
    part = (level - rise[k - 1]) / slope
    u = math.hypot(noise / abs(slope) if slope else 1.0, 0.05)
    return Quantity(value=(k - 1 + part) / rate, u=min(u, 1.0) / rate, units="s", label=f"{level:.0%} of the step")
