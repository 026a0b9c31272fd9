"""What a better input would bring: budgets with changed uncertainties, and the u that a target asks for.

Not here: the budget as it is (`analysis.uncertainty.budget`).
"""

import math
from collections.abc import Mapping
from dataclasses import replace

from scipy import optimize

from analysis.core import UncertaintyError, did_you_mean
from analysis.uncertainty.budget import Budget
from analysis.uncertainty.formatting import format_u
from analysis.uncertainty.propagate import budget_of
from analysis.uncertainty.quantity import Quantity
from analysis.uncertainty.sources import Source

_LEVEL = 0.95


def what_if(budget: Budget, u: Mapping[str, float]) -> Budget:
    """Return the budget as it would be with other standard uncertainties of its inputs.

    Parameters
    ----------
    budget:
        Made by `propagate`; not changed.
    u:
        New standard uncertainty by name of the input, in the units of the input, >= 0. Its sources are scaled alike;
        their degrees of freedom stay.

    Returns
    -------
    :
        The new budget, with a note that says what was supposed; it has no history, as nothing was measured.

    Raises
    ------
    UncertaintyError
        If a name is no input, a number is negative, or an input is exact or shares sources with another.
    """
    inputs = dict(budget.inputs)
    for name, wanted in u.items():
        _require_own(budget, name)
        if not (math.isfinite(wanted) and wanted >= 0):
            msg = f"u of {name!r} must be finite and not negative, got {wanted:g} {inputs[name].units}"
            raise UncertaintyError(msg)
        inputs[name] = _scaled(inputs[name], wanted / inputs[name].u)
    supposed = ", ".join(f"u({name}) = {format_u(each)} {inputs[name].units}" for name, each in u.items())
    return budget_of(
        budget.model,
        inputs,
        name=budget.name,
        units=budget.units,
        order=budget.order,
        notes=(f"what if {supposed}: a supposition, not a measurement",),
        checked=budget.checked_units,
    )


def required_u(budget: Budget, name: str, *, target: float, level: float | None = _LEVEL) -> float:
    """Return the standard uncertainty of one input that brings the result to a target.

    Parameters
    ----------
    budget:
        Made by `propagate`.
    name:
        The input to improve.
    target:
        Wanted expanded uncertainty U of the result at `level`, or its standard uncertainty for `level=None`, in the
        units of the result.
    level:
        Coverage probability of U, in (0, 1); the coverage factor follows the effective degrees of freedom.

    Returns
    -------
    :
        The u of the input, in its units; infinite if the input has no influence and the target is met.

    Raises
    ------
    UncertaintyError
        If the other inputs alone exceed the target, or the input is exact or shares sources with another.
    """
    _require_own(budget, name)
    if not target > 0:
        msg = f"the target must be above 0, got {target:g} {budget.units}"
        raise UncertaintyError(msg)
    given = budget.inputs[name].u

    def excess(share: float) -> float:
        found = what_if(budget, {name: share * given})
        return (found.u if level is None else found.U(level)) - target

    least = excess(0.0)
    if least > 0:
        msg = (
            f"even an exact {name} leaves {format_u(least + target)} {budget.units}, above the target "
            f"{format_u(target)}; improve another input first: look at budget.by_input"
        )
        raise UncertaintyError(msg)
    if budget.sensitivities[name] == 0 and budget.order == 1:
        return math.inf
    high = 1.0
    while excess(high) < 0:
        high *= 2
    share = float(optimize.bisect(excess, 0.0, high, xtol=1e-15 * high, rtol=1e-12, maxiter=200))
    while excess(share) > 0:
        share *= 1 - 1e-12
    return share * given


def _require_own(budget: Budget, name: str) -> None:
    if name not in budget.inputs:
        msg = f"no input named {name!r}; there are {list(budget.inputs)}.{did_you_mean(name, budget.inputs)}"
        raise UncertaintyError(msg)
    own = budget.inputs[name]
    if own.u == 0:
        msg = f"{name!r} is exact, so there is nothing to scale; give it a u and propagate again"
        raise UncertaintyError(msg)
    for other, each in budget.inputs.items():
        shared: set[Source] = set(own.parts()) & set(each.parts())
        if other != name and shared:
            labels = sorted(source.label or source.id for source in shared)
            msg = (
                f"{name!r} and {other!r} share {labels[:3]}, so neither can be improved alone; "
                "change that source and propagate again"
            )
            raise UncertaintyError(msg)


def _scaled(quantity: Quantity, factor: float) -> Quantity:
    parts = {source: factor * c for source, c in quantity.parts().items()}
    elementary = Quantity.from_components(
        quantity.value, parts, units=quantity.units, label=quantity.label, source=quantity.source
    )
    return replace(elementary, distribution=quantity.distribution)
