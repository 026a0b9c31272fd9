"""Quantities and arrays made again from the settings that their history holds, under the sources that they had.

Not here: propagation and arithmetic, and the walk through a history (`analysis.replay`).
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from analysis.core import history
from analysis.uncertainty.anova import anova
from analysis.uncertainty.array import UncertainArray
from analysis.uncertainty.arrays import array, concat, interpolate
from analysis.uncertainty.combination import combine
from analysis.uncertainty.distributions import Distribution
from analysis.uncertainty.empirical import from_draws
from analysis.uncertainty.quantity import Quantity
from analysis.uncertainty.regression import mean_response, regression
from analysis.uncertainty.sources import Source
from analysis.uncertainty.typea import correlated, type_a, type_a_series

Named = Mapping[str, Any]


def _quantity(settings: Named, inputs: Named) -> Quantity:  # noqa: ARG001 - all steps are called alike
    dof = math.inf if settings["dof"] is None else float(settings["dof"])
    shape = Distribution.from_json(settings["distribution"])
    name, label, origin = settings["units"], settings["label"], settings["source"]
    parts = {
        Source(
            id=key,
            label=label,
            units=name,
            kind="B" if math.isinf(dof) else "A",
            distribution=shape,
            dof=dof,
            origin=origin,
        ): settings["u"]
        for key in settings["ids"]
    }
    return Quantity(
        value=settings["value"],
        u=settings["u"],
        units=name,
        dof=dof,
        distribution=shape,
        label=label,
        source=origin,
        components=parts,
        history=history.extend("uncertainty.Quantity", settings=settings, inputs={}),
    )


def _own(found: Quantity, function: str, settings: Named) -> Quantity:
    """Give a quantity of one source the id and the history that it had."""
    parts = {
        replace(own, id=key): part for key, (own, part) in zip(settings["ids"], found.parts().items(), strict=False)
    }
    return replace(found, components=parts, history=history.extend(function, settings=settings, inputs={}))


def _without(settings: Named, *names: str) -> dict[str, Any]:
    return {name: setting for name, setting in settings.items() if name not in names}


def _correlated(settings: Named, inputs: Named) -> Quantity:  # noqa: ARG001 - as above
    dof = math.inf if settings["dof"] is None else settings["dof"]
    return correlated(**_without(settings, "output", "dof"), dof=dof)[settings["output"]]


def _array(settings: Named, inputs: Named) -> UncertainArray:
    given = {**settings, "dof": math.inf if settings["dof"] is None else settings["dof"]}
    if settings["distribution"] is not None:
        given["distribution"] = Distribution.from_json(settings["distribution"])
    return array(**inputs, **given)


STEPS: dict[str, Callable[[Named, Named], Quantity | UncertainArray]] = {
    "uncertainty.Quantity": _quantity,
    "uncertainty.type_a": lambda s, _: _own(type_a(**_without(s, "ids")), "uncertainty.type_a", s),
    "uncertainty.type_a_series": lambda s, _: _own(type_a_series(**_without(s, "ids")), "uncertainty.type_a_series", s),
    "uncertainty.anova": lambda s, _: _own(anova(s["table"], units=s["units"]).mean, "uncertainty.anova", s),
    "uncertainty.correlated": _correlated,
    "uncertainty.from_draws": lambda s, _: from_draws(s["draws"], units=s["units"])[s["output"]],
    "uncertainty.regression": lambda s, _: regression(**_without(s, "output")).parameters[s["output"]],
    "uncertainty.predict": lambda s, inputs: mean_response(s["row"], list(inputs.values()), units=s["units"]),
    "uncertainty.combine": lambda s, inputs: combine(list(inputs.values()), **s).quantity,
    "uncertainty.array": _array,
    "uncertainty.element": lambda s, inputs: inputs["array"].quantity(**s),
    "uncertainty.isel": lambda s, inputs: inputs["array"].isel(s["indexers"]),
    "uncertainty.transpose": lambda s, inputs: inputs["array"].transpose(**s),
    "uncertainty.linear": lambda s, inputs: inputs["array"].linear(inputs["matrix"], **s),
    "uncertainty.sum": lambda s, inputs: inputs["array"].sum(**s),
    "uncertainty.mean": lambda s, inputs: inputs["array"].mean(**s),
    "uncertainty.concat": lambda s, inputs: concat([inputs[str(k)] for k in range(len(inputs))], **s),
    "uncertainty.interpolate": lambda s, inputs: interpolate(inputs["x"], **{**s, **_without(inputs, "x")}),
}
"""By the name of the function in a history: from its settings and inputs to the result."""
