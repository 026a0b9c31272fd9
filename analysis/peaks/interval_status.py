"""How the search for the end of an interval went, and the arrays that both methods return.

Not here: the search itself (`analysis.peaks.profile`, `analysis.peaks.bootstrap`).
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np

__all__ = ["IntervalStatus", "Limits"]

Floats = np.ndarray[Any, np.dtype[np.float64]]
Ints = np.ndarray[Any, np.dtype[Any]]


class IntervalStatus(IntEnum):
    """How the search for one end of an interval went; stored as CF flag values."""

    FOUND = 0
    OPEN = 1
    AT_BOUND = 2
    NO_FIT = 3
    REFIT_FAILED = 4
    FIT_NOT_MINIMUM = 5

    @property
    def sentence(self) -> str:
        """What it means, in one sentence."""
        return _SENTENCES[self]


_SENTENCES = {
    IntervalStatus.FOUND: "the end was found",
    IntervalStatus.OPEN: "chi-square never rises enough on this side, so the data leave the interval open",
    IntervalStatus.AT_BOUND: "the parameter reaches its bound before chi-square has risen enough; the end is open",
    IntervalStatus.NO_FIT: "the fit has not converged, so there is no interval",
    IntervalStatus.REFIT_FAILED: "refits did not converge, so the end is not known",
    IntervalStatus.FIT_NOT_MINIMUM: (
        "a refit has a lower chi-square than the fit, which was no minimum; fit again from better_start"
    ),
}


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Intervals as arrays, dims `(spectrum, parameter)`; `lowest`, `better` only where a profile was searched."""

    low: Floats
    high: Floats
    low_status: Ints
    high_status: Ints
    refits: Ints
    scale: str
    lowest: Floats | None = None
    better: Floats | None = None
