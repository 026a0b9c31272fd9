"""The probability densities of a result, by linear propagation and of its draws, over the same values.

Not here: the verdict on whether they agree (`analysis.uncertainty.agreement`), their figure (`analysis.figures`).
"""

import math

import numpy as np
import xarray as xr
from scipy import stats

from analysis.core import UncertaintyError
from analysis.uncertainty.budget import Budget
from analysis.uncertainty.sample import Sample

_REACH = 4.0  # standard uncertainties to either side that are always shown
_TAIL = 0.0005  # of the draws that may lie beyond either end


def densities(
    budget: Budget, drawn: Sample | None = None, *, bins: int = 120, over: tuple[float, float] | None = None
) -> xr.Dataset:
    """Return the density of a result by linear propagation and that of its draws.

    Parameters
    ----------
    budget:
        Made by `propagate`; its density is normal, or t with the effective degrees of freedom.
    drawn:
        Made by `sample` from the same budget; without it there is only `gum`.
    bins:
        How many intervals of equal width, >= 1.
    over:
        Range of the values, in units of the result; None takes four u to either side, and all but a thousandth of the
        draws.

    Returns
    -------
    :
        `gum` and `monte_carlo` (bin), in 1 / units of the result, at the coordinate `value`, the middles of the
        intervals; their ends are `edges` (edge). Both integrate to 1 but for what lies beyond the last edges.

    Raises
    ------
    UncertaintyError
        If they are of different results, the budget has no uncertainty, or there is no bin or no range.
    """
    if drawn is not None and (budget.name != drawn.name or budget.units != drawn.units):
        msg = (
            f"the draws are of {drawn.name!r} in {drawn.units!r}, the budget of {budget.name!r} in {budget.units!r}; "
            "sample this one"
        )
        raise UncertaintyError(msg)
    if budget.u == 0.0:
        msg = f"{budget.name} has u = 0 by linear propagation, which has no density; state the interval of the draws"
        raise UncertaintyError(msg)
    if bins < 1:
        msg = f"a density needs 1 bin or more, got {bins}; usual are 60 to 200"
        raise UncertaintyError(msg)
    low, high = _range(budget, drawn) if over is None else over
    if not low < high:
        msg = f"a density needs a range that rises, got {low:g} to {high:g} {budget.units}; exchange its ends"
        raise UncertaintyError(msg)
    edges = np.linspace(low, high, bins + 1)
    middles = 0.5 * (edges[1:] + edges[:-1])
    shape = stats.norm() if math.isinf(budget.dof) else stats.t(budget.dof)
    per = {"units": "1" if budget.units == "1" else f"({budget.units})-1"}
    made = xr.Dataset(
        {
            "gum": ("bin", shape.pdf((middles - budget.value) / budget.u) / budget.u, per),
            "edges": ("edge", edges, {"units": budget.units}),
        },
        coords={"value": ("bin", middles, {"units": budget.units})},
    )
    if drawn is not None:
        counts, _ = np.histogram(drawn.draws, edges)
        made["monte_carlo"] = ("bin", counts / drawn.trials / np.diff(edges), per)
    return made


def _range(budget: Budget, drawn: Sample | None) -> tuple[float, float]:
    reach = _REACH * (budget.u if drawn is None else max(budget.u, drawn.u))
    low, high = budget.value - reach, budget.value + reach
    if drawn is None:
        return low, high
    first, last = np.quantile(drawn.draws, [_TAIL, 1 - _TAIL])
    return min(low, float(first)), max(high, float(last))
