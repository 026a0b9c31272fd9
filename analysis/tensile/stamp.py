"""Names of what an evaluation found: each source an id that the next evaluation of the same record gives it again.

So a budget can be redone from its record (`analysis.replay`) and comes out the same, sources included.
Not here: the evaluation (`analysis.tensile.evaluation`).
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import xarray as xr

from analysis.core import history
from analysis.tensile.line import Line
from analysis.tensile.specimen import Specimen
from analysis.uncertainty import Budget, Quantity, Source

__all__ = ["specimen_of", "stamped"]

STEP = "tensile.evaluate"
GIVEN = ("area", "gauge_length", "compliance")


def stamped(
    values: Mapping[str, Budget],
    line: Line | None,
    *,
    curve: xr.Dataset,
    specimen: Specimen,
    settings: Mapping[str, Any],
) -> tuple[dict[str, Budget], Line | None]:
    """Return budgets and line with sources of fixed ids and with a history.

    Parameters
    ----------
    values, line:
        Of the evaluation.
    curve, specimen:
        What was evaluated, as they were given.
    settings:
        Of the evaluation.

    Returns
    -------
    :
        The same numbers.
    """
    inputs: dict[str, object] = {"curve": curve}
    inputs |= {name: each for name in GIVEN if (each := getattr(specimen, name)) is not None}
    said = dict(settings) | specimen.as_settings()
    common = history.head(_Said(history.extend(STEP, settings=said, inputs=inputs)))
    kept = {source for each in inputs.values() if isinstance(each, Quantity) for source in each.parts()}
    kept |= {*specimen.force_gain().parts(), *specimen.extension_gain(1.0).parts()}
    names: dict[Source, Source] = {}

    def name(source: Source) -> Source:
        if source in kept:
            return source
        return names.setdefault(source, replace(source, id=f"{common}:{len(names)}"))

    def named(given: Quantity) -> Quantity:
        parts = {name(source): part for source, part in given.parts().items()}
        return Quantity.from_components(
            given.value, parts, units=given.units, label=given.label, source=given.source, history=given.history
        )

    made = {
        symbol: replace(
            budget,
            components={name(source): part for source, part in budget.components.items()},
            inputs={key: named(each) for key, each in budget.inputs.items()},
            history=history.extend(STEP, settings=said | {"symbol": symbol}, inputs=inputs),
        )
        for symbol, budget in values.items()
    }
    return made, None if line is None else replace(line, slope=named(line.slope), centre=named(line.centre))


class _Said:
    """What carries a history, to ask for its head."""

    def __init__(self, text: str) -> None:
        self.history = text


def specimen_of(settings: Mapping[str, Any], inputs: Mapping[str, Any]) -> Specimen:
    """Make a specimen again from the history of an evaluation.

    Parameters
    ----------
    settings, inputs:
        As the history holds them.

    Returns
    -------
    :
        The specimen with its sources.
    """
    own = {name: Source.from_json(settings["sources"][name]) for name in ("force", "extension")}
    return Specimen(
        area=inputs["area"],
        gauge_length=inputs["gauge_length"],
        compliance=inputs.get("compliance"),
        force_class=settings["force_class"],
        extension_class=settings["extension_class"],
        name=settings["name"],
        _force=own["force"],
        _extension=own["extension"],
    )
