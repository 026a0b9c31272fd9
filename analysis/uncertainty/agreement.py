"""Whether linear propagation is valid for this result: the comparison of JCGM 101, clause 8.

Not here: the draws (`analysis.uncertainty.sample`).
"""

from dataclasses import dataclass, replace

from analysis.core import Displayed, UncertaintyError
from analysis.uncertainty.budget import Budget
from analysis.uncertainty.formatting import format_u
from analysis.uncertainty.sample import Sample, sample, tolerance_of


@dataclass(frozen=True, kw_only=True)
class Agreement(Displayed):
    """The ends of two coverage intervals, compared."""

    low: float
    """Distance of the lower ends, in units of the result, >= 0."""
    high: float
    """Distance of the upper ends, in units of the result, >= 0."""
    tolerance: float
    """Half a unit of the last digit of u, in units of the result."""
    noise: float
    """Twice the standard error of the ends that were drawn, in units of the result."""
    level: float
    """Coverage probability."""
    valid: bool
    """Whether both distances are within the tolerance, the noise of the draws allowed for."""
    sentence: str
    """The verdict in plain words."""


def compare(budget: Budget, drawn: Sample, *, digits: int = 2, level: float = 0.95) -> Agreement:
    """Compare the coverage intervals of a budget and of its draws.

    Parameters
    ----------
    budget:
        Made by `propagate`.
    drawn:
        Made by `sample` from the same budget.
    digits:
        Significant digits of u that the ends must agree to.
    level:
        Coverage probability, in (0, 1).

    Returns
    -------
    :
        The comparison; both intervals are symmetric in probability.

    Raises
    ------
    UncertaintyError
        If they are of different results, or there are too few draws.
    """
    if budget.name != drawn.name or budget.units != drawn.units:
        msg = (
            f"the draws are of {drawn.name!r} in {drawn.units!r}, the budget of {budget.name!r} in "
            f"{budget.units!r}; sample this one"
        )
        raise UncertaintyError(msg)
    ends, theirs = budget.interval(level), drawn.interval(level)
    tolerance = tolerance_of(budget.u if budget.u > 0 else drawn.u, digits)
    low, high = (abs(ours - other) for ours, other in zip(ends, theirs, strict=True))
    noise = max(drawn.errors[2:])
    units = "" if budget.units == "1" else f" {budget.units}"
    valid = max(low, high) <= tolerance + noise
    if valid and noise > 2 * tolerance > 0:
        msg = (
            f"{drawn.trials} trials leave the ends uncertain by {format_u(noise)}{units}, "
            "more than the tolerance "
            f"{format_u(tolerance)}; draw more, or compare with fewer digits than {digits}"
        )
        raise UncertaintyError(msg)
    words = "agree" if valid else "differ"
    sentence = (
        f"The {100 * level:g} % intervals of {budget.name} by linear propagation and by Monte Carlo {words}: "
        f"their ends are {format_u(low)} and {format_u(high)}{units} apart, tolerance "
        f"{format_u(tolerance)}{units} ({digits} digits of u)"
    )
    advice = (
        "" if valid else "; linear propagation is not valid for this result, state the interval of the draws instead"
    )
    return Agreement(
        low=low, high=high, tolerance=tolerance, noise=noise, level=level, valid=valid, sentence=f"{sentence}{advice}."
    )


def require_agreement(budget: Budget, drawn: Sample, *, digits: int = 2) -> Agreement:
    """Insist that linear propagation is valid for a result.

    Parameters
    ----------
    budget:
        Made by `propagate`.
    drawn:
        Made by `sample` from the same budget.
    digits:
        Significant digits of u that the ends of the 95 % intervals must agree to.

    Returns
    -------
    :
        The comparison.

    Raises
    ------
    UncertaintyError
        If the ends differ by more; the message says by how much and what to state instead.
    """
    found = compare(budget, drawn, digits=digits)
    if not found.valid:
        raise UncertaintyError(found.sentence)
    return found


def checked(budget: Budget, *, seed: int, digits: int = 2) -> Budget:
    """Draw a budget and set the verdict on linear propagation beside it.

    Parameters
    ----------
    budget:
        Made by `propagate`.
    seed:
        Seed of the generator.
    digits:
        Significant digits of u that the ends of the 95 % intervals must agree to.

    Returns
    -------
    :
        The same budget with the verdict as the first of its notes, in plain words.

    Raises
    ------
    UncertaintyError
        If draws fall outside the domain of the model.
    """
    verdict = compare(budget, sample(budget, digits=digits, seed=seed), digits=digits)
    return replace(budget, notes=(verdict.sentence.rstrip("."), *budget.notes))
