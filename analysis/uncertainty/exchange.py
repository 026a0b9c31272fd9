"""Budgets as Datasets, which a file can hold, and back.

A Dataset of a budget: `value`, `u`, `dof` (scalars); `contribution`, `share` (source); `input_value`, `input_u`,
`sensitivity` (input); `input_sources` (source, input); coordinates `source`, `source_info`, `input`, `input_units`.
Not here: the budget (`analysis.uncertainty.budget`).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr

from analysis.core import UncertaintyError
from analysis.uncertainty.quantity import Quantity
from analysis.uncertainty.sources import INFO, SOURCE, Source


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What a budget is made of, apart from its model."""

    name: str
    """Name of the result."""
    value: float
    """The estimate."""
    units: str
    """UDUNITS string."""
    components: Mapping[Source, float]
    """Signed contribution of each source, in `units`."""
    inputs: Mapping[str, Quantity]
    """The inputs."""
    sensitivities: Mapping[str, float]
    """One for each input."""
    text: str
    """The model as text."""
    is_formula: bool
    """Whether the text is a formula."""
    checked_units: bool
    """Whether units were followed through the formula."""
    order: int
    """Order of the Taylor series."""
    notes: tuple[str, ...]
    """Plain sentences."""
    history: str
    """How it was computed."""


def to_dataset(parts: Parts, *, u: float, dof: float) -> xr.Dataset:
    """Return a budget as a Dataset.

    Parameters
    ----------
    parts:
        What it is made of.
    u, dof:
        Combined standard uncertainty in the units of the result, and its degrees of freedom.

    Returns
    -------
    :
        With numbers, text and JSON only.
    """
    everything = dict.fromkeys(parts.components)
    for quantity in parts.inputs.values():
        everything |= dict.fromkeys(quantity.parts())
    order = list(everything)
    names = list(parts.inputs)
    cs = np.array([parts.components.get(each, 0.0) for each in order])
    matrix = np.array([[q.parts().get(each, 0.0) for q in parts.inputs.values()] for each in order])
    text = {
        "name": parts.name,
        "units": parts.units,
        "model": parts.text,
        "is_formula": int(parts.is_formula),
        "checked_units": int(parts.checked_units),
        "order": parts.order,
        "notes": json.dumps(parts.notes),
        "kind": "budget",
        "history": parts.history,
    }
    units = {"units": parts.units}
    return xr.Dataset(
        {
            "value": ((), parts.value, {**units, "long_name": parts.name}),
            "u": ((), u, {**units, "long_name": "combined standard uncertainty"}),
            "dof": ((), dof, {"units": "1", "long_name": "effective degrees of freedom"}),
            "contribution": (SOURCE, cs, {**units, "long_name": "sensitivity times standard uncertainty"}),
            "share": (SOURCE, cs**2 / u**2 if u > 0 else 0 * cs, {"units": "1", "long_name": "part of the variance"}),
            "input_value": ("input", np.array([q.value for q in parts.inputs.values()])),
            "input_u": ("input", np.array([q.u for q in parts.inputs.values()])),
            "sensitivity": ("input", np.array([parts.sensitivities[name] for name in names])),
            "input_sources": ((SOURCE, "input"), matrix.reshape(len(order), len(names))),
        },
        coords={
            SOURCE: (SOURCE, _texts([each.id for each in order])),
            INFO: (SOURCE, _texts([each.to_json() for each in order])),
            "input": ("input", _texts(names)),
            "input_units": ("input", _texts([q.units for q in parts.inputs.values()])),
            "input_label": ("input", _texts([q.label for q in parts.inputs.values()])),
            "input_origin": ("input", _texts([q.source for q in parts.inputs.values()])),
        },
        attrs=text,
    )


def from_dataset(dataset: xr.Dataset) -> Parts:
    """Return what a budget is made of.

    Parameters
    ----------
    dataset:
        Made by `to_dataset`, perhaps read from a file.

    Returns
    -------
    :
        The parts.

    Raises
    ------
    UncertaintyError
        If it is not the Dataset of a budget.
    """
    missing = [key for key in ("value", "contribution", "input_sources", "sensitivity") if key not in dataset]
    if missing or dataset.attrs.get("kind") != "budget":
        msg = (
            f"not the Dataset of a budget: kind is {dataset.attrs.get('kind')!r}, missing "
            f"{missing}; wanted Budget.to_dataset()"
        )
        raise UncertaintyError(msg)
    order = [Source.from_json(str(text)) for text in dataset[INFO].values]
    cs = {each: float(c) for each, c in zip(order, dataset["contribution"].values, strict=True) if c != 0}
    return Parts(
        name=str(dataset.attrs["name"]),
        value=float(dataset["value"]),
        units=str(dataset.attrs["units"]),
        components=cs,
        inputs={str(name): _input(dataset, order, i) for i, name in enumerate(dataset["input"].values)},
        sensitivities={
            str(name): float(c) for name, c in zip(dataset["input"].values, dataset["sensitivity"].values, strict=True)
        },
        text=str(dataset.attrs["model"]),
        is_formula=bool(dataset.attrs["is_formula"]),
        checked_units=bool(dataset.attrs["checked_units"]),
        order=int(dataset.attrs["order"]),
        notes=tuple(json.loads(dataset.attrs["notes"])),
        history=str(dataset.attrs.get("history", "")),
    )


def _input(dataset: xr.Dataset, order: list[Source], i: int) -> Quantity:
    matrix = dataset["input_sources"].transpose(SOURCE, "input").values
    return Quantity.from_components(
        float(dataset["input_value"].values[i]),
        {each: float(c) for each, c in zip(order, matrix[:, i], strict=True)},
        units=str(dataset["input_units"].values[i]),
        label=str(dataset["input_label"].values[i]),
        source=str(dataset["input_origin"].values[i]),
    )


def _texts(words: list[str]) -> np.ndarray:
    return np.array(words, dtype=object).astype(str) if words else np.array([], dtype="<U1")
