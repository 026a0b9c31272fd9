"""Propagation of uncertainty through a measurement model, by the Taylor series of the GUM.

Not here: Monte Carlo (`analysis.uncertainty.sample`), the verdict on linearity (`analysis.uncertainty.agreement`).
References: JCGM 100:2008, clause 5; for several outputs JCGM 102:2011, 6.2.
"""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, overload

from analysis.core import UncertaintyError, history
from analysis.uncertainty.budget import Budget
from analysis.uncertainty.correlation import correlate
from analysis.uncertainty.formula import parse
from analysis.uncertainty.model import Function, Model, require_call, require_units
from analysis.uncertainty.quantity import Quantity
from analysis.uncertainty.second_order import second_order, shift_note
from analysis.uncertainty.sources import Source

Correlation = Mapping[tuple[str, str], float]


@overload
def propagate(
    function: str | Function,
    inputs: Mapping[str, Quantity | float],
    *,
    name: str,
    units: str,
    correlation: Correlation | None = None,
    order: int = 1,
    check_units: bool = True,
) -> Budget: ...
@overload
def propagate(
    function: Mapping[str, str] | Function,
    inputs: Mapping[str, Quantity | float],
    *,
    name: str,
    units: Mapping[str, str],
    correlation: Correlation | None = None,
    order: int = 1,
    check_units: bool = True,
) -> dict[str, Budget]: ...
def propagate(
    function: str | Function | Mapping[str, str],
    inputs: Mapping[str, Quantity | float],
    *,
    name: str,
    units: str | Mapping[str, str],
    correlation: Correlation | None = None,
    order: int = 1,
    check_units: bool = True,
) -> Budget | dict[str, Budget]:
    """Propagate the uncertainty of inputs to one or several results.

    Inputs that share sources are correlated exactly. Derivatives are exact for a formula.

    Parameters
    ----------
    function:
        A formula of the closed grammar, a function of the inputs by name, or a dict of formulas by output.
    inputs:
        Quantities by name; a plain number is exact and dimensionless.
    name:
        Name of the result; several results are named by the keys of `units`.
    units:
        UDUNITS string of the result, or a dict of them by output for several.
    correlation:
        Correlation coefficients `{(a, b): r}` of inputs that share no sources; where they have finite degrees
        of freedom, the smallest is taken for all of them.
    order:
        1, or 2 for the terms of GUM 5.1.2 note (formula and independent inputs only); the estimate is not shifted.
    check_units:
        Whether to follow units: a formula then converts (nm + um), a function is called with pint quantities and
        refused where it would need a conversion. False computes with the plain numbers.

    Returns
    -------
    :
        The budget, or a dict of budgets by output; their covariance follows from their sources.

    Raises
    ------
    UncertaintyError
        If the model, an input or a correlation makes no sense, or a derivative is not finite.
    UnitsError
        If units do not match.
    """
    quantities = {key: _as_quantity(key, each) for key, each in inputs.items()}
    if order not in (1, 2):
        msg = f"order must be 1 or 2, got {order}; for strongly curved models use uncertainty.sample"
        raise UncertaintyError(msg)
    outputs = _outputs(function, name=name, units=units)
    correlated, notes = correlate(quantities, correlation or {})
    settings: dict[str, object] = {
        "name": name,
        "units": units if isinstance(units, str) else dict(units),
        "correlation": [[a, b, r] for (a, b), r in (correlation or {}).items()],
        "order": order,
        "check_units": check_units,
    }
    found, texts = {}, {}
    for key, (each, wanted) in outputs.items():
        output = key if isinstance(units, Mapping) else ""
        model = _model(each, correlated, output=output, units=wanted, check_units=check_units)
        texts[key] = model.text
        found[key] = budget_of(model, correlated, name=key, units=wanted, order=order, notes=notes, checked=check_units)
    settings["function"] = texts if isinstance(units, Mapping) else texts[name]
    for key, budget in found.items():
        chosen: dict[str, object] = {"output": key} if isinstance(units, Mapping) else {}
        text = history.extend("uncertainty.propagate", settings=settings | chosen, inputs=quantities)
        found[key] = replace(budget, history=text)
    return found if isinstance(units, Mapping) else found[name]


def _outputs(
    function: str | Function | Mapping[str, str], *, name: str, units: str | Mapping[str, str]
) -> dict[str, tuple[str | Function, str]]:
    if isinstance(function, Mapping):
        if not isinstance(units, Mapping) or set(units) != set(function):
            shown = sorted(units) if isinstance(units, Mapping) else units
            msg = f"several formulas need units for each: got formulas {sorted(function)} and units {shown}"
            raise UncertaintyError(msg)
        return {key: (text, units[key]) for key, text in function.items()}
    if isinstance(units, str):
        return {name: (function, units)}
    if isinstance(function, str):
        msg = f"units is a dict {sorted(units)}, but there is one formula {function!r}; give a dict of formulas"
        raise UncertaintyError(msg)
    return {key: (function, wanted) for key, wanted in units.items()}


def _as_quantity(name: str, given: Any) -> Quantity:  # noqa: ANN401 - what a user passes
    if isinstance(given, Quantity):
        return given
    if isinstance(given, bool) or not isinstance(given, int | float):
        msg = f"input {name!r} must be a Quantity or a number, got {type(given).__name__} {given!r:.40}"
        raise UncertaintyError(msg)
    return Quantity(value=float(given), u=0.0, units="1", label=name)


def _model(
    function: str | Function, inputs: Mapping[str, Quantity], *, output: str, units: str, check_units: bool
) -> Model:
    given = {name: each.units for name, each in inputs.items()}
    if isinstance(function, str):
        formula = parse(function, inputs)
        return Model(formula=formula.in_units(given, wanted=units) if check_units else formula)
    given_function: object = function
    if not callable(given_function):
        msg = f"the model must be a formula or a function, got {type(function).__name__} {function!r:.40}"
        raise UncertaintyError(msg)
    require_call(function, list(inputs))
    model = Model(function=function, output=output)
    if check_units:
        require_units(model, {name: each.value for name, each in inputs.items()}, given, units)
    return model


def budget_of(
    model: Model,
    inputs: Mapping[str, Quantity],
    *,
    name: str,
    units: str,
    order: int,
    notes: tuple[str, ...],
    checked: bool,
) -> Budget:
    """Return the budget of one output.

    Parameters
    ----------
    model:
        One output of the measurement model.
    inputs:
        By name, correlated by the sources that they share.
    name, units, order:
        As in `propagate`.
    notes:
        What was assumed before.
    checked:
        Whether units were followed.

    Returns
    -------
    :
        Without a history.

    Raises
    ------
    UncertaintyError
        If the model is not finite or has no finite slope.
    """
    values = {key: each.value for key, each in inputs.items()}
    value = model.value(values)
    if not math.isfinite(value):
        shown = ", ".join(f"{key} = {number:g}" for key, number in values.items())
        msg = f"{name}: {model.text} is not finite at {shown}; wanted inputs inside its domain"
        raise UncertaintyError(msg)
    slopes = {key: _slope(model, values, key, each) for key, each in inputs.items()}
    components: dict[Source, float] = {}
    for key, each in inputs.items():
        for source, c in each.parts().items():
            components[source] = components.get(source, 0.0) + slopes[key] * c
    flat = [key for key, each in inputs.items() if each.u > 0 and slopes[key] == 0]
    said = [*notes, *(_flat_note(name, key) for key in flat)]
    if order == 2:  # noqa: PLR2004 - the second order
        extra, sentence = second_order(model, inputs, slopes, name=name, units=units)
        components |= extra
        said.append(sentence)
    else:
        said += shift_note(model, inputs, math.hypot(*components.values()), name=name, units=units)
    return Budget(
        name=name,
        value=value,
        units=units,
        components={source: c for source, c in components.items() if c != 0},
        inputs=inputs,
        sensitivities=slopes,
        model=model,
        order=order,
        notes=tuple(said),
        checked_units=checked,
    )


def _slope(model: Model, values: Mapping[str, float], key: str, quantity: Quantity) -> float:
    slope = model.slope(values, key, quantity.u)
    if math.isfinite(slope):
        return slope
    if quantity.u == 0:
        return 0.0
    msg = (
        f"{model.text} has no finite slope at {key} = {values[key]:g}, so it cannot be "
        "propagated; use uncertainty.sample"
    )
    raise UncertaintyError(msg)


def _flat_note(name: str, key: str) -> str:
    return (
        f"the first-order sensitivity of {name} to {key} is zero here, so {key} adds nothing; "
        "check with uncertainty.sample"
    )
