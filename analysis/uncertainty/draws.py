"""Draws of the sources of one or several results, block by block.

Every independent source is drawn once a trial and acts on all inputs that share it. A source with a normal
distribution and finite degrees of freedom is drawn from the scaled t distribution (JCGM 101, 6.4.9.2), whose standard
deviation is larger than u; sources of one ensemble share one chi-squared variable, which makes them jointly t. Samples
of one ensemble are drawn row by row. Degrees of freedom of other distributions do not enter; say inexact limits with
`distributions.curvilinear_trapezoidal`.
Not here: when to stop (`analysis.uncertainty.sample`, `analysis.uncertainty.joint`).
"""

import math
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from analysis.core import UncertaintyError
from analysis.uncertainty.budget import Budget
from analysis.uncertainty.sources import Source

Floats = npt.NDArray[np.float64]
FEWEST_BLOCKS = {True: 100, False: 10}
_BLOCK = 10_000
_MOST_BLOCKS = 500


def require_settings(trials: int | None, digits: int) -> None:
    """Check the number of trials and of digits.

    Parameters
    ----------
    trials:
        At least 100, or None.
    digits:
        From 1 to 4.

    Raises
    ------
    UncertaintyError
        If one is out of range.
    """
    if trials is not None and (isinstance(trials, bool) or trials < 100):  # noqa: PLR2004 - an interval needs some
        msg = f"trials must be at least 100, got {trials}; None chooses the number"
        raise UncertaintyError(msg)
    if not 1 <= digits <= 4:  # noqa: PLR2004 - more would need 1e10 draws
        msg = f"digits must lie in [1, 4], got {digits}"
        raise UncertaintyError(msg)


def blocks(budgets: Sequence[Budget], trials: int | None, rng: np.random.Generator) -> Iterator[list[Floats]]:
    """Draw results together, 10 000 trials at a time.

    Parameters
    ----------
    budgets:
        Made by `propagate`; sources that they share are drawn once.
    trials:
        How many draws, or None for up to 5 000 000.
    rng:
        The generator; its state advances.

    Yields
    ------
    :
        One array for each budget.

    Raises
    ------
    UncertaintyError
        If draws fall outside the domain of a model.
    """
    given = [quantity for budget in budgets for quantity in budget.inputs.values()]
    sources = {each: row for row, each in enumerate(dict.fromkeys(each for q in given for each in q.parts()))}
    for size in _sizes(trials):
        z = _draw(list(sources), rng, size)
        inputs: dict[int, Floats] = {}
        for quantity in given:
            if id(quantity) not in inputs:
                terms = (c * z[sources[each]] for each, c in quantity.parts().items())
                inputs[id(quantity)] = sum(terms, start=np.full(size, quantity.value))
        found = []
        for budget in budgets:
            values = {name: inputs[id(quantity)] for name, quantity in budget.inputs.items()}
            found.append(_require_inside(budget, budget.model.values(values, trials=size)))
        yield found


def _sizes(trials: int | None) -> list[int]:
    if trials is None:
        return [_BLOCK] * _MOST_BLOCKS
    sizes = [_BLOCK] * (trials // _BLOCK) + ([trials % _BLOCK] if trials % _BLOCK else [])
    if len(sizes) > 1 and sizes[-1] < 100:  # noqa: PLR2004 - an interval needs some
        sizes = [*sizes[:-2], sizes[-2] + sizes[-1]]
    return sizes


def _require_inside(budget: Budget, found: Floats) -> Floats:
    outside = int((~np.isfinite(found)).sum())
    if outside:
        msg = (
            f"{budget.name}: {outside} of {found.size} draws lie outside the domain of {budget.formula}; "
            "give the inputs distributions that stay inside, for example rectangular()"
        )
        raise UncertaintyError(msg)
    return found


def _draw(sources: list[Source], rng: np.random.Generator, size: int) -> list[Floats]:
    stretch: dict[tuple[str, float], Floats] = {}
    picked: dict[str, npt.NDArray[np.int64]] = {}
    rows = []
    for source in sources:
        if source.distribution.kind == "samples" and source.ensemble:
            values = np.asarray(source.distribution.shape)
            if source.ensemble not in picked:
                picked[source.ensemble] = rng.integers(0, values.size, size)
            rows.append(values[picked[source.ensemble]])
            continue
        z = source.distribution.draw(rng, size)
        if source.distribution.kind == "normal" and math.isfinite(source.dof):
            key = (source.ensemble or source.id, source.dof)
            if key not in stretch:
                stretch[key] = np.sqrt(source.dof / rng.chisquare(source.dof, size))
            z = z * stretch[key]
        rows.append(z)
    return rows
