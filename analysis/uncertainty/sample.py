"""Propagation of distributions by Monte Carlo, with the adaptive number of trials of JCGM 101.

Not here: how the sources are drawn (`analysis.uncertainty.draws`), several results at once
(`analysis.uncertainty.joint`), the comparison with the budget (`analysis.uncertainty.agreement`).
References: JCGM 101:2008, 7.
"""

import math
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from analysis.core import Displayed, UncertaintyError, history
from analysis.uncertainty.budget import Budget
from analysis.uncertainty.draws import FEWEST_BLOCKS, blocks, require_settings
from analysis.uncertainty.formatting import format_value, last_place

Floats = npt.NDArray[np.float64]
_LEVEL = 0.95
_SAME_LENGTH = 1e-3


@dataclass(frozen=True, kw_only=True, eq=False)
class Sample(Displayed):
    """Draws of a result."""

    name: str
    """Name of the result."""
    units: str
    """UDUNITS string."""
    draws: Floats = field(repr=False)
    """Values of the result in the order they were drawn, shape `(trials,)`, in `units`; read-only."""
    seed: int
    """Seed of the generator."""
    tolerance: float
    """Numerical tolerance of u at the digits asked for, in `units`."""
    errors: tuple[float, float, float, float]
    """Twice the standard error of value, u, and the two ends of the 95 % interval, in `units`."""
    stable: bool
    """Whether all of them are below the tolerance."""
    history: str = field(default="", repr=False)
    """How it was computed (`analysis.core.history`)."""

    @property
    def trials(self) -> int:
        """How many draws."""
        return int(self.draws.size)

    @property
    def value(self) -> float:
        """Mean of the draws, in `units`."""
        return float(self.draws.mean())

    @property
    def u(self) -> float:
        """Standard deviation of the draws, in `units`."""
        return float(self.draws.std(ddof=1))

    def interval(self, level: float = _LEVEL, *, kind: str = "symmetric") -> tuple[float, float]:
        """Return a coverage interval.

        Parameters
        ----------
        level:
            Coverage probability, in (0, 1).
        kind:
            `"symmetric"` in probability, or `"shortest"`: of the intervals within 0.1 % of the shortest the middle
            one, as the very shortest wanders with the draws.

        Returns
        -------
        :
            Its ends, in `units`.

        Raises
        ------
        UncertaintyError
            If `level` or `kind` is out of range, or there are too few draws for the level.
        """
        if kind not in ("symmetric", "shortest"):
            msg = f"kind of interval must be 'symmetric' or 'shortest', got {kind!r}"
            raise UncertaintyError(msg)
        return _interval(np.sort(self.draws), level, kind)

    def __str__(self) -> str:
        """Write the result in one line."""
        low, high = self.interval()
        units = "" if self.units == "1" else f" {self.units}"
        ends = " to ".join(format_value(end, self.u).split(" ± ")[0].lstrip("(") for end in (low, high))
        state = "" if self.stable else ", not stable at the digits asked for"
        pair = format_value(self.value, self.u)
        return f"{self.name} = {pair}{units} (k = 1), 95 %: {ends}{units}, {self.trials} trials{state}"

    __repr__ = __str__


def sample(budget: Budget, *, trials: int | None = None, digits: int = 2, seed: int) -> Sample:
    """Draw the result of a budget from the distributions of its sources.

    Parameters
    ----------
    budget:
        Made by `propagate`.
    trials:
        How many draws; None goes on until value, u and the 95 % interval are stable (JCGM 101, 7.9), from 1 000 000
        (100 000 for a function that does not act on arrays) to 5 000 000 draws.
    digits:
        Significant digits of u that must be stable.
    seed:
        Seed of the generator: the same seed gives the same draws.

    Returns
    -------
    :
        The draws; look at `stable`.

    Raises
    ------
    UncertaintyError
        If this is no budget, a setting is out of range, or draws fall outside the domain of the model.
    """
    given: object = budget
    if not isinstance(given, Budget):
        msg = f"sample draws from a budget, as uncertainty.propagate returns; got a {type(given).__name__}"
        msg += "; several together: uncertainty.sample_jointly" if isinstance(given, dict) else ""
        raise UncertaintyError(msg)
    require_settings(trials, digits)
    fewest = FEWEST_BLOCKS[budget.model.broadcasts({name: each.value for name, each in budget.inputs.items()})]
    drawn, statistics = [], []
    tolerance, errors = math.nan, (math.inf,) * 4
    for (block,) in blocks([budget], trials, np.random.default_rng(seed)):
        drawn.append(block)
        statistics.append((block.mean(), block.std(ddof=1), *_interval(np.sort(block), _LEVEL, "symmetric")))
        if trials is None and len(drawn) >= fewest:
            tolerance, errors = _convergence(np.array(statistics), digits)
            if max(errors) < tolerance or tolerance == 0.0:
                break
    tolerance, errors = _convergence(np.array(statistics), digits)
    draws = np.concatenate(drawn)
    draws.flags.writeable = False
    return Sample(
        name=budget.name,
        units=budget.units,
        draws=draws,
        seed=seed,
        tolerance=tolerance,
        errors=errors,
        stable=max(errors) < tolerance or tolerance == 0.0,
        history=history.extend(
            "uncertainty.sample",
            settings={"trials": trials, "digits": digits, "seed": seed},
            inputs={"budget": budget},
        ),
    )


def tolerance_of(u: float, digits: int) -> float:
    """Return the numerical tolerance of an uncertainty (JCGM 101, 7.9.2).

    Parameters
    ----------
    u:
        Standard uncertainty, any units.
    digits:
        Significant digits regarded as meaningful.

    Returns
    -------
    :
        Half a unit of the last of these digits, in the units of `u`; 0 for `u` = 0.
    """
    return 0.5 * 10.0 ** last_place(u, digits=digits) if u > 0 and math.isfinite(u) else 0.0


def _convergence(statistics: Floats, digits: int) -> tuple[float, tuple[float, float, float, float]]:
    count = statistics.shape[0]
    tolerance = tolerance_of(float(np.sqrt(np.mean(statistics[:, 1] ** 2))), digits)
    if count < 2:  # noqa: PLR2004 - a spread needs two
        return tolerance, (math.inf,) * 4
    y, u, low, high = (2 * statistics.std(axis=0, ddof=1) / math.sqrt(count)).tolist()
    return tolerance, (y, u, low, high)


def _interval(ordered: Floats, level: float, kind: str) -> tuple[float, float]:
    count = ordered.size
    if not 0 < level < 1:
        msg = f"a coverage level must lie in (0, 1), got {level:g}; write 0.95 for 95 %"
        raise UncertaintyError(msg)
    inside = round(level * count)
    if inside >= count or inside < 1:
        msg = (
            f"{count} draws are too few for an interval of level {level:g}; draw at least {math.ceil(10 / (1 - level))}"
        )
        raise UncertaintyError(msg)
    if kind == "symmetric":
        first = (count - inside) // 2
    else:
        lengths = ordered[inside:] - ordered[: count - inside]
        first = int(np.median(np.flatnonzero(lengths <= lengths.min() * (1 + _SAME_LENGTH))))
    return float(ordered[first]), float(ordered[first + inside])
