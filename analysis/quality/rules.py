"""Rules by which a control chart speaks: patterns of points that a process in control seldom shows.

Not here: charts (`analysis.quality.charts`). References: Western Electric, Statistical Quality Control Handbook (1956);
Nelson, J. Qual. Technol. 16 (1984) 237; NIST/SEMATECH e-Handbook of Statistical Methods, 6.3.2.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analysis.core import UncertaintyError, did_you_mean

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One pattern."""

    words: str
    """What it is."""
    size: int
    """How many points in a row it looks at."""
    speaks: Callable[[Floats], bool]
    """Whether that many points, less centre and in standard deviations, show it; the last point belongs to it."""


def zone(size: int, count: int, edge: float, words: str) -> Rule:
    """Make a rule: of so many points in a row so many lie beyond an edge on one side, the newest among them.

    Parameters
    ----------
    size, count:
        In a row, and of them beyond the edge.
    edge:
        In standard deviations.
    words:
        What it is.

    Returns
    -------
    :
        The rule.
    """

    def speaks(last: Floats) -> bool:
        return any(
            bool(side * last[-1] > edge) and int((side * last > edge).sum()) >= count for side in (1.0, -1.0)
        )  # fmt: skip

    return Rule(words=words, size=size, speaks=speaks)


def beyond(width: float) -> Rule:
    """Make the rule of Shewhart: one point beyond the limits.

    Parameters
    ----------
    width:
        Half width of the limits, in standard deviations.

    Returns
    -------
    :
        The rule.
    """
    return Rule(words=f"beyond {width:g} standard deviations", size=1, speaks=lambda last: bool(abs(last[-1]) > width))


def _rising(last: Floats) -> bool:
    steps = np.diff(last)
    return bool((steps > 0.0).all() or (steps < 0.0).all())


def _turning(last: Floats) -> bool:
    steps = np.diff(last)
    return bool((steps[1:] * steps[:-1] < 0.0).all())


TWO_OF_THREE = zone(3, 2, 2.0, "two of three in a row beyond 2 standard deviations on one side")
FOUR_OF_FIVE = zone(5, 4, 1.0, "four of five in a row beyond 1 standard deviation on one side")
EIGHT = zone(8, 8, 0.0, "eight in a row on one side of the centre")
NINE = zone(9, 9, 0.0, "nine in a row on one side of the centre")
TREND = Rule(words="six in a row rising or falling", size=6, speaks=_rising)
SAWTOOTH = Rule(words="fourteen in a row up and down by turns", size=14, speaks=_turning)
HUGGING = Rule(
    words="fifteen in a row within 1 standard deviation", size=15, speaks=lambda last: bool((np.abs(last) < 1.0).all())
)
MIXTURE = Rule(
    words="eight in a row beyond 1 standard deviation on both sides",
    size=8,
    speaks=lambda last: bool((np.abs(last) > 1.0).all() and (last > 0).any() and (last < 0).any()),
)
SETS: dict[str, tuple[Rule, ...]] = {
    "shewhart": (),
    "western_electric": (TWO_OF_THREE, FOUR_OF_FIVE, EIGHT),
    "nelson": (NINE, TREND, SAWTOOTH, TWO_OF_THREE, FOUR_OF_FIVE, HUGGING, MIXTURE),
}


def rules_named(name: str, *, width: float) -> tuple[Rule, ...]:
    """Return a set of rules.

    Parameters
    ----------
    name:
        `"shewhart"` (limits alone), `"western_electric"` or `"nelson"`.
    width:
        Half width of the limits, in standard deviations.

    Returns
    -------
    :
        The rules, that of the limits first.

    Raises
    ------
    UncertaintyError
        If there is no such set.
    """
    if name not in SETS:
        msg = f"no rules are named {name!r}; there are {list(SETS)}.{did_you_mean(str(name), SETS)}"
        raise UncertaintyError(msg)
    return (beyond(width), *SETS[name])


def spoken(scores: Floats, rules: Sequence[Rule]) -> list[tuple[int, str]]:
    """Apply rules to a series of points.

    Parameters
    ----------
    scores:
        Points less centre in standard deviations, in order of time.
    rules:
        To be applied.

    Returns
    -------
    :
        Number of the point, from 0, and words of the rule whose pattern it completes.
    """
    return [
        (k, rule.words)
        for k in range(scores.size)
        for rule in rules
        if k + 1 >= rule.size and rule.speaks(scores[k + 1 - rule.size : k + 1])
    ]
