"""Atomic fractions from areas and relative sensitivity factors, each with its budget.

Not here: areas (`analysis.peaks`), sensitivity factors of an instrument, which its user knows.
Reference: ISO 18118 (relative sensitivity factors for homogeneous materials).
"""

import math
from collections.abc import Mapping

from analysis.core import UncertaintyError, did_you_mean
from analysis.uncertainty import Budget, Quantity, distributions, propagate

__all__ = ["choice_of_background", "quantify"]

FEWEST = 2


def quantify(areas: Mapping[str, Quantity], factors: Mapping[str, Quantity]) -> dict[str, Budget]:
    """Compute atomic fractions x_i = (A_i / S_i) / Σ (A_j / S_j) of a homogeneous sample.

    Parameters
    ----------
    areas:
        Area of one line of each element, all in one unit; names are words, such as `"Au"`.
    factors:
        Relative sensitivity factors of those lines, with the transmission of the instrument in them, > 0.

    Returns
    -------
    :
        The budget of each fraction; fractions share their sources, so that they add up to 1 exactly.

    Raises
    ------
    UncertaintyError
        If names do not match, there are fewer than two elements, or an area or factor is not positive.
    UnitsError
        If areas differ in what they measure.
    """
    _require_matching(areas, factors)
    inputs = {f"area_{name}": area for name, area in areas.items()}
    inputs |= {f"factor_{name}": factors[name] for name in areas}
    total = " + ".join(f"area_{name}/factor_{name}" for name in areas)
    formulas = {name: f"(area_{name}/factor_{name}) / ({total})" for name in areas}
    return propagate(formulas, inputs, name="atomic fractions", units=dict.fromkeys(areas, "1"))


def _require_matching(areas: Mapping[str, Quantity], factors: Mapping[str, Quantity]) -> None:
    if len(areas) < FEWEST:
        msg = f"fractions need two elements at least, got {list(areas)}. Add the area of another line"
        raise UncertaintyError(msg)
    missing = [name for name in areas if name not in factors]
    if missing:
        hint = did_you_mean(missing[0], list(factors))
        msg = (
            f"no sensitivity factor for {missing}; there are factors for {list(factors)}.{hint} Give one for each area"
        )
        raise UncertaintyError(msg)
    for name, area in areas.items():
        for what, each in (("area", area), ("sensitivity factor", factors[name])):
            if not each.value > 0.0:
                msg = (
                    f"the {what} of {name} must be > 0, got {each.value:g} {each.units}. Is the line there? "
                    "State a limit of detection instead"
                )
                raise UncertaintyError(msg)


def choice_of_background(results: Mapping[str, Quantity], *, chosen: str) -> Quantity:
    """Say what the choice of a background may have done to a result, as a line for its budget.

    Add it to the result: `area + choice_of_background(...)`.

    Parameters
    ----------
    results:
        The same result by each background that could be defended, by name; two at least.
    chosen:
        The one that is stated.

    Returns
    -------
    :
        0 with the largest distance of another result as the half width of a rectangular distribution.

    Raises
    ------
    UncertaintyError
        If there is nothing to compare.
    """
    if chosen not in results or len(results) < FEWEST:
        hint = did_you_mean(chosen, list(results))
        msg = f"wanted {chosen!r} and another background, got results by {list(results)}.{hint} Fit with both"
        raise UncertaintyError(msg)
    stated = results[chosen]
    farthest = max(abs((other - stated).value) for other in results.values())
    others = ", ".join(name for name in results if name != chosen)
    return Quantity(
        value=0.0, u=farthest / math.sqrt(3.0), units=stated.units, distribution=distributions.rectangular(),
        label="choice of background", source=f"{chosen} against {others}",
    )  # fmt: skip
