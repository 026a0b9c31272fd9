"""Readings as quantities: the mean with its Type A part, and the limits of error of the device as Type B sources.

A device's gain and offset errors are one source each, made once: readings share them, so that an offset falls out of
differences and a gain out of ratios.
Not here: sensors behind the reading (`analysis.calibration.sensors`).
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from analysis.core import InstrumentError, history
from analysis.uncertainty import Quantity, Source, distributions
from analysis.uncertainty.sources import fresh_id
from instruments.datasheets import Limits

__all__ = ["Accuracy", "measured"]


class Accuracy:
    """The two errors of one input."""

    def __init__(self, limits: Limits, *, device: str, units: str) -> None:
        self.limits = limits
        self._gain, self._offset = (
            Source(
                id=fresh_id(), label=f"{device}: {what}", units=units, distribution=distributions.rectangular(),
                origin=limits.source, tags=("accuracy specification",),
            )
            for what in ("gain", "offset")
        )  # fmt: skip

    def parts(self, value: float) -> dict[Source, float]:
        """Return what both errors bring into a reading, in its units.

        Parameters
        ----------
        value:
            The reading.

        Returns
        -------
        :
            Contribution by source.
        """
        gain, offset = self.limits.gain * value / math.sqrt(3.0), self.limits.offset / math.sqrt(3.0)
        return {source: part for source, part in ((self._gain, gain), (self._offset, offset)) if part}


def measured(
    readings: npt.ArrayLike, *, units: str, device: str, accuracy: Mapping[Source, float], noise: float,
    settings: Mapping[str, Any],
) -> Quantity:  # fmt: skip
    """Return the mean of readings with its sources.

    Parameters
    ----------
    readings:
        One or more, in `units`.
    units:
        UDUNITS string.
    device:
        Its name, for the budget.
    accuracy:
        Type B parts at the mean, in `units`.
    noise:
        Standard deviation of one reading from the data sheet; used where there is only one.
    settings:
        Of the device, for the history.

    Returns
    -------
    :
        Mean of the readings; Type A of the mean with n - 1 degrees of freedom, or the noise; and the accuracy.

    Raises
    ------
    InstrumentError
        If there is no reading, or one is not finite.
    """
    found = np.atleast_1d(np.asarray(readings, dtype=float)).ravel()
    if not found.size or not np.isfinite(found).all():
        msg = f"{device}: a quantity needs finite readings, got {readings!r:.80}"
        raise InstrumentError(msg)
    single = found.size == 1
    u = noise if single else float(found.std(ddof=1)) / math.sqrt(found.size)
    own = Source(
        id=fresh_id(), label=f"{device}: noise", units=units, kind="B" if single else "A",
        dof=math.inf if single else found.size - 1, origin="data sheet" if single else f"{found.size} readings",
        tags=("noise",),
    )  # fmt: skip
    record = history.extend("instruments.measure", settings={"readings": found, **settings}, inputs={})
    parts = {**accuracy, own: u}
    return Quantity.from_components(
        float(found.mean()), parts, units=units, label=device, source=device, history=record
    )
