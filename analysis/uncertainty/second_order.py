"""The second-order terms of the GUM's Taylor series.

Not here: the first order (`analysis.uncertainty.propagate`). References: JCGM 100:2008, 5.1.2 note and H.1.7.
"""

import hashlib
import math
from collections.abc import Mapping
from itertools import combinations_with_replacement, product

from analysis.core import UncertaintyError
from analysis.uncertainty.formatting import format_u, last_place
from analysis.uncertainty.model import Model
from analysis.uncertainty.quantity import Quantity
from analysis.uncertainty.sources import Source

_ROUNDING = 1e-13


def second_order(
    model: Model, inputs: Mapping[str, Quantity], slopes: Mapping[str, float], *, name: str, units: str
) -> tuple[dict[Source, float], str]:
    """Return what the second-order terms add to a budget.

    Parameters
    ----------
    model:
        A formula.
    inputs:
        Independent quantities.
    slopes:
        First-order sensitivities.
    name, units:
        Of the result.

    Returns
    -------
    :
        One source for all these terms with its contribution, and a sentence on the shift of the estimate. Its degrees
        of freedom are the fewest of the inputs that enter.

    Raises
    ------
    UncertaintyError
        If the model is a function, inputs are correlated, or the terms would lower the variance below zero.
    """
    _require_usable(model, inputs)
    formula = model.formula
    assert formula is not None  # noqa: S101 - held by _require_usable
    values = {key: each.value for key, each in inputs.items()}
    uncertain = [key for key, each in inputs.items() if each.u > 0]
    terms, shift, dof = [], [], math.inf
    for i, j in product(uncertain, repeat=2):
        weight = (inputs[i].u * inputs[j].u) ** 2
        twice, thrice = formula.partial(i, j)(values), formula.partial(i, j, j)(values)
        terms.append((0.5 * float(twice) ** 2 + slopes[i] * float(thrice)) * weight)
        if terms[-1] != 0:
            dof = min(dof, inputs[i].dof, inputs[j].dof)
        if i == j:
            shift.append(0.5 * float(twice) * inputs[i].u ** 2)
    variance = math.fsum(terms)
    if not math.isfinite(variance) or variance < 0:
        msg = (
            f"{name}: the second-order terms add {variance:g} to the variance, so the series does "
            "not converge; use uncertainty.sample"
        )
        raise UncertaintyError(msg)
    text = repr([model.text, name, sorted(each.id for key in uncertain for each in inputs[key].parts())])
    extra = Source(
        id=hashlib.blake2b(text.encode(), digest_size=16).hexdigest(),
        label="second-order terms",
        units=units,
        kind="B" if math.isinf(dof) else "A",
        dof=dof,
        origin="JCGM 100:2008, 5.1.2 note",
        tags=("second order",),
    )
    moved = math.fsum(shift)
    sentence = (
        f"second-order terms add {format_u(math.sqrt(variance))} {units} in quadrature; "
        f"they would shift the estimate of {name} by {moved:.2g} {units}, which is not applied"
    )
    return ({extra: math.sqrt(variance)} if variance > 0 else {}), sentence


def shift_note(model: Model, inputs: Mapping[str, Quantity], u: float, *, name: str, units: str) -> tuple[str, ...]:
    """Say by how much the second-order terms would move the estimate, where that matters.

    Parameters
    ----------
    model:
        A formula; for a function nothing is said, as its second derivatives are not exact.
    inputs:
        Quantities, correlated or not.
    u:
        Standard uncertainty of the result at first order, in `units`.
    name, units:
        Of the result.

    Returns
    -------
    :
        One sentence if the shift is more than half a unit of the second digit of `u`, else none.
    """
    if model.formula is None:
        return ()
    values = {key: each.value for key, each in inputs.items()}
    terms = []
    for i, j in combinations_with_replacement([key for key, each in inputs.items() if each.u > 0], 2):
        joint = inputs[i].covariance(inputs[j])
        if joint:
            twice = float(model.formula.partial(i, j)(values))
            terms.append((0.5 if i == j else 1.0) * twice * joint if math.isfinite(twice) else 0.0)
    moved = math.fsum(terms)
    if abs(moved) <= _half_digit(u) or abs(moved) <= _ROUNDING * abs(float(model.value(values))):
        return ()
    sentence = (
        f"the second-order terms would shift the estimate of {name} by {moved:.2g} {units}, which matters beside u = "
        f"{format_u(u)} {units} and is not applied; state the result of uncertainty.sample instead"
    )
    return (sentence,)


def _half_digit(u: float) -> float:
    return 0.5 * 10.0 ** last_place(u) if u > 0 else 0.0


def _require_usable(model: Model, inputs: Mapping[str, Quantity]) -> None:
    if model.formula is None:
        msg = (
            f"order=2 needs a formula, whose derivatives are exact; {model.text} is a function. Use uncertainty.sample"
        )
        raise UncertaintyError(msg)
    seen: dict[Source, str] = {}
    for key, each in inputs.items():
        for source in each.parts():
            if source in seen:
                msg = (
                    f"order=2 needs independent inputs; {seen[source]!r} and {key!r} share "
                    f"{source.label!r}. Use uncertainty.sample"
                )
                raise UncertaintyError(msg)
            seen[source] = key
