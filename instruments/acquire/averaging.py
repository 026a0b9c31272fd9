"""The mean of repeated readings of one instrument, with its Type A part.

Not here: readings at several places (`instruments.acquire.tasks`).
"""

import math

import numpy as np

from analysis.core import InstrumentError, history
from analysis.uncertainty import Quantity, type_a_series
from instruments.protocols import Meter

__all__ = ["average"]


def average(meter: Meter, *, count: int, interval: float = 0.0, correlated: bool = False) -> Quantity:
    """Read an instrument several times and return the mean.

    Parameters
    ----------
    meter:
        Under settings that stay as they are.
    count:
        Readings, at least 2; at least 10 if they may be correlated.
    interval:
        From the start of one reading to the next, s; 0 is as fast as the meter reads.
    correlated:
        Whether readings may depend on those before (drift of the zero, a filter, line pickup): the noise of the mean
        is then taken from the lowest frequencies (`uncertainty.type_a_series`), not from s/sqrt(n).

    Returns
    -------
    :
        The mean: Type A of the mean with its degrees of freedom, Type B of the instrument.

    Raises
    ------
    InstrumentError
        If there are too few readings, the interval is negative, or a reading fails.
    """
    least = 10 if correlated else 2
    if count < least:
        msg = f"a mean of {'correlated ' if correlated else ''}readings needs count >= {least}, got {count}"
        raise InstrumentError(msg)
    if not (0.0 <= interval < math.inf):
        msg = f"interval must be finite and >= 0 s, got {interval!r}"
        raise InstrumentError(msg)
    begun, readings = meter.clock.now(), np.empty(count)
    for k in range(count):
        meter.clock.sleep_until(begun + k * interval)
        readings[k] = meter.reading()
    plain = meter.quantity(readings)
    if not correlated:
        return plain
    series = type_a_series(readings, units=plain.units, label=f"{meter.name}: noise", source=f"{count} readings")
    device = {source: part for source, part in plain.parts().items() if source.kind != "A"}
    record = history.extend("instruments.average", settings={"count": count}, inputs={"series": series})
    return Quantity.from_components(
        plain.value,
        {**device, **series.parts()},
        units=plain.units,
        label=meter.name,
        source=meter.name,
        history=record,
    )
