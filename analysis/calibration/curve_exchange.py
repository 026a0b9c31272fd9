"""Calibration curves as Datasets that a file can hold, and back.

Not here: files (`analysis.io`), the curve itself (`analysis.calibration.curve`).
"""

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr

from analysis.calibration.curve_families import FAMILIES, Family, line, polynomial
from analysis.calibration.curve_functions import Model, of_formula, of_function, require_same
from analysis.core import CalibrationError
from analysis.uncertainty import Source, sources

__all__ = ["content", "fields_of", "to_dataset"]

Array = np.ndarray[Any, np.dtype[np.float64]]
KIND = "CurveCalibration"
PARAMETER = "curve_parameter"
TEXTS = ("of_units", "units", "ensemble", "valid_from", "valid_until", "history")
NO_OTHER = "gauss_newton"  # what curves were propagated by before their files said it


def to_dataset(
    family: Family, points: xr.Dataset, contributions: Mapping[Source, Array], *, fields: Mapping[str, Any]
) -> xr.Dataset:
    """Write a curve as a Dataset.

    Parameters
    ----------
    family, points, contributions:
        As the fields of `CurveCalibration`.
    fields:
        Its other fields by name.

    Returns
    -------
    :
        `parameters` (curve_parameter) with `parameters_sources`, and the points along `point`.

    Raises
    ------
    CalibrationError
        If the curve is a function of the user that has no importable name.
    """
    if family.kind == "function" and not family.origin:
        msg = (
            "a lambda or a function inside another cannot be kept in a file, because it has no name to find it by "
            "again; write a formula such as 'a + b*exp(-x/c)', or define the function in a module"
        )
        raise CalibrationError(msg)
    values, scatter = fields["values"], fields["scatter"]
    attrs = {
        "kind": KIND, "family": family.kind, "notes": json.dumps(list(fields["notes"])),
        "chisqr": float(fields["chisqr"]), "dof": float(fields["dof"]),
        "scatter": math.nan if scatter is None else scatter, "propagation": fields["propagation"],
        "function": family.origin, "parameter_names": json.dumps(list(family.names)),
        "parameter_units": json.dumps(list(family.units)),
        **{name: fields[name] for name in TEXTS},
    }  # fmt: skip
    dataset = points.assign_coords({PARAMETER: [f"b{k}" for k in range(values.size)]}).assign_attrs(attrs)
    dataset["parameters"] = (PARAMETER, values)
    return sources.attach(dataset, "parameters", contributions, (PARAMETER,))


def fields_of(dataset: xr.Dataset, *, function: Model | None = None) -> dict[str, Any]:
    """Read what `to_dataset` wrote.

    Parameters
    ----------
    dataset:
        As it describes.
    function:
        The function of the user, where the curve is of one.

    Returns
    -------
    :
        The fields of the curve.

    Raises
    ------
    CalibrationError
        If the Dataset is no curve, or of a function that this version does not know or that is to be passed again.
    """
    if dataset.attrs.get("kind") != KIND or "parameters" not in dataset:
        names = [str(name) for name in dataset.data_vars]
        msg = f"no calibration curve: this holds {names}. Wanted what io.write makes of calibration.fit_line(...)"
        raise CalibrationError(msg)
    names = ["x", "y", "u_x", "u_y", "fitted_x", "fitted_y", "leverage"]
    points = dataset[names].reset_coords(drop=True).drop_attrs(deep=False)
    values = np.asarray(dataset["parameters"].values, dtype=float)
    scatter = float(dataset.attrs["scatter"])
    return {
        "family": _family(dataset, values, function),
        "values": values,
        "points": points,
        "contributions": sources.detach(dataset, "parameters"),
        "chisqr": float(dataset.attrs["chisqr"]),
        "dof": float(dataset.attrs["dof"]),
        "scatter": None if math.isnan(scatter) else scatter,
        "propagation": str(dataset.attrs.get("propagation", NO_OTHER)),
        "notes": tuple(json.loads(dataset.attrs["notes"])),
        **{name: str(dataset.attrs[name]) for name in TEXTS},
    }


def _family(dataset: xr.Dataset, values: Array, function: Model | None) -> Family:
    kind, origin = str(dataset.attrs["family"]), str(dataset.attrs.get("function", ""))
    x = dataset["x"].values
    if function is not None and kind != "function":
        msg = f"the curve is of the kind {kind!r}, which the file holds whole; leave function out"
        raise CalibrationError(msg)
    if kind == "line":
        return line()
    if kind == "polynomial":
        return polynomial(values.size - 1, float(x.min()), float(x.max()))
    if kind in ("formula", "function"):
        own = of_formula(origin) if kind == "formula" else _own(dataset, values, function, origin)
        return replace(own, units=tuple(json.loads(dataset.attrs.get("parameter_units", "[]"))))
    if kind in FAMILIES:
        return FAMILIES[kind]
    known = ["line", "polynomial", "formula", "function", *FAMILIES]
    msg = f"a calibration curve of the kind {kind!r} is not known here; there are {known}"
    raise CalibrationError(msg)


def _own(dataset: xr.Dataset, values: Array, function: Model | None, origin: str) -> Family:
    if function is None:
        msg = (
            f"the curve is of the function {origin} of its author, and nothing that comes from a file is executed. "
            f"Pass it again: io.read_calibration(path, function={origin.rpartition(':')[2]})"
        )
        raise CalibrationError(msg)
    names = tuple(str(each) for each in json.loads(dataset.attrs["parameter_names"]))
    return require_same(
        of_function(function)[0], origin=origin, names=names, x=dataset["fitted_x"].values, b=values,
        y=dataset["fitted_y"].values,
    )  # fmt: skip


def content(curve: Any) -> tuple[object, ...]:  # noqa: ANN401 - the class imports this module
    """Return what makes two curves equal.

    Parameters
    ----------
    curve:
        Any.

    Returns
    -------
    :
        How it was made, its dates, its parameters and what each source contributes to them.
    """
    parts = {source: part.tolist() for source, part in curve.contributions.items()}
    return curve.history, curve.valid_from, curve.valid_until, curve.values.tolist(), parts
