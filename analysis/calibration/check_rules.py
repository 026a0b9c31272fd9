"""Rules by which a control chart speaks: the four of Western Electric, two on trends, and the moving average.

Not here: the chart (`analysis.calibration.check_standards`), the patterns themselves (`analysis.quality.rules`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analysis.quality import rules

__all__ = ["Signal", "signals_of"]

Array = npt.NDArray[np.float64]
RULES = (rules.TWO_OF_THREE, rules.FOUR_OF_FIVE, rules.EIGHT, rules.TREND, rules.SAWTOOTH)


@dataclass(frozen=True, kw_only=True)
class Signal:
    """One rule that spoke."""

    at: int
    """Number of the check, from 0."""
    date: str
    """Its date."""
    rule: str
    """The rule in words."""

    def __str__(self) -> str:
        """Write date and rule."""
        return f"{self.date}: {self.rule}"


def signals_of(dates: Sequence[str], scores: Array, averages: Array, *, width: float) -> tuple[Signal, ...]:
    """Apply all rules.

    Parameters
    ----------
    dates:
        Of the checks.
    scores:
        Checks less centre in standard deviations, dims `(check,)`.
    averages:
        Moving averages less centre in half widths of their limits, dims `(check,)`.
    width:
        Half width of the limits for one check, in standard deviations.

    Returns
    -------
    :
        The signals, in order of time; a rule speaks at the check that completes its pattern.
    """
    said = rules.spoken(scores, (rules.beyond(width), *RULES))
    said += [(int(k), "the moving average lies beyond its limits") for k in np.flatnonzero(np.abs(averages) > 1.0)]
    said.sort(key=lambda each: each[0])
    return tuple(Signal(at=k, date=dates[k], rule=words) for k, words in said)
