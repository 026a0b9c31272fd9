"""Rules by which a control chart speaks: the four of Western Electric, two on trends, and the moving average.

Not here: the chart (`analysis.calibration.check_standards`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Signal", "signals_of"]

Array = npt.NDArray[np.float64]
# zone rules: of so many in a row, so many beyond so many standard deviations on one side
ZONES = (
    (3, 2, 2.0, "two of three in a row beyond 2 standard deviations on one side"),
    (5, 4, 1.0, "four of five in a row beyond 1 standard deviation on one side"),
    (8, 8, 0.0, "eight in a row on one side of the centre"),
)
TREND, SAWTOOTH = 6, 14


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
    found: list[Signal] = []
    for k in range(scores.size):
        said, recent = [], scores[max(0, k + 1 - SAWTOOTH) : k + 1]
        if abs(scores[k]) > width:
            said.append(f"beyond {width:g} standard deviations")
        said += [words for size, count, edge, words in ZONES if _zone(recent, size, count, edge)]
        said += _trends(recent)
        if abs(averages[k]) > 1.0:
            said.append("the moving average lies beyond its limits")
        found += [Signal(at=k, date=dates[k], rule=words) for words in said]
    return tuple(found)


def _zone(scores: Array, size: int, count: int, edge: float) -> bool:
    """Say whether the newest check completes a zone rule: it lies in the zone itself."""
    if scores.size < size:
        return False
    last = scores[-size:]
    return any(
        bool(side * last[-1] > edge) and int((side * last > edge).sum()) >= count for side in (1.0, -1.0)
    )  # fmt: skip


def _trends(scores: Array) -> list[str]:
    steps, said = np.diff(scores), []
    rising = steps[-(TREND - 1) :]
    if rising.size == TREND - 1 and ((rising > 0.0).all() or (rising < 0.0).all()):
        said.append("six in a row rising or falling")
    turning = steps[-(SAWTOOTH - 1) :]
    if turning.size == SAWTOOTH - 1 and (turning[1:] * turning[:-1] < 0.0).all():
        said.append("fourteen in a row up and down by turns")
    return said
