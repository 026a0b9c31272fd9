"""The Dataset of a global fit, and the curves of its data sets.

Not here: the fit itself (`analysis.peaks.global_fit`).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import lmfit
import numpy as np
import xarray as xr

from analysis.core import CHANNEL, ModelError, history
from analysis.core.arrays import for_kernel
from analysis.peaks import kernel_cache
from analysis.peaks.compile import required_names
from analysis.peaks.data import Given
from analysis.peaks.joint_names import Member, Naming
from analysis.peaks.language import model_from_json, model_to_json
from analysis.peaks.outcome import Outcome
from analysis.peaks.parameter_units import parameter_units
from analysis.peaks.result import CORE_DIMS, LARGE_REDCHI, LONG_NAMES
from analysis.peaks.status import ParameterStatus, Status, status_attrs
from analysis.uncertainty import Source, sources

__all__ = ["Entry", "assemble", "curves", "is_global"]

Floats = np.ndarray[Any, np.dtype[np.float64]]
Ints = np.ndarray[Any, np.dtype[Any]]
DATASET = "dataset"
AXIS = "axis_values"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One named data set: a spectrum or the spectra of a map."""

    name: str
    given: Given
    model: lmfit.Model
    members: tuple[Member, ...]


def is_global(fit: xr.Dataset) -> bool:
    """Say whether a fit is one of several data sets.

    Parameters
    ----------
    fit:
        Result of `peaks.fit` or `peaks.fit_global`.

    Returns
    -------
    :
        True for the latter.
    """
    return "chisqr_of" in fit


def assemble(
    entries: Sequence[Entry],
    naming: Naming,
    outcome: Outcome,
    *,
    lost: Ints,
    status_of: Ints,
    chisqr_of: Floats,
    moved: Mapping[Source, Floats],
    attrs: Mapping[str, object],
) -> xr.Dataset:
    """Put labels, units, sources and attributes around the results.

    Parameters
    ----------
    entries:
        The data sets.
    naming:
        Their parameters.
    outcome:
        The fit as arrays, leading dim of size 1.
    lost:
        True for parameters of spectra that were left out.
    status_of:
        Why, for each spectrum.
    chisqr_of:
        For each that was fitted.
    moved:
        How far each source moves each parameter.
    attrs:
        Settings.

    Returns
    -------
    :
        The fit, without history.
    """
    names = naming.plan.names
    variables = {
        name: (dims, array[0]) for (name, dims), array in zip(CORE_DIMS.items(), outcome.arrays(), strict=True)
    }
    fit = xr.Dataset(variables)
    for name in ("value", "stderr", "initial"):
        fit[name][lost] = np.nan
    fit["covariance"].values[lost] = np.nan
    fit["covariance"].values[:, lost] = np.nan
    fit["parameter_status"][lost] = ParameterStatus.UNIDENTIFIABLE
    fit = _add_data_sets(fit, entries, status_of, chisqr_of)
    for label, array in fit.data_vars.items():
        array.attrs = {"long_name": LONG_NAMES.get(str(label), str(label))}
    for name, kind in (("status", Status), ("status_of", Status), ("parameter_status", ParameterStatus)):
        fit[name].attrs.update(status_attrs(kind))
    text = np.array(names, dtype=object).astype(str)
    labels = np.array(_units(entries, naming), dtype=object).astype(str)
    fit = fit.assign_coords(
        {"parameter": text, "parameter_": ("parameter_", text), "parameter_units": ("parameter", labels)}
    )
    fit = fit.assign_attrs(
        model=json.dumps({entry.name: json.loads(model_to_json(entry.model)) for entry in entries}, sort_keys=True),
        axis=AXIS, signal_units=_common(entry.given.signal for entry in entries),
        axis_units=_common(entry.given.axis for entry in entries),
        versions=json.dumps(history.versions(), sort_keys=True), **attrs,
    )  # fmt: skip
    if moved:
        fit = sources.attach(fit, "value", dict(moved), ("parameter",))
    return fit.assign_attrs(advice=json.dumps(_advice(fit)))


def _common(arrays: Any) -> str:  # noqa: ANN401 - of DataArrays
    found = {str(array.attrs.get("units", "1")) for array in arrays}
    return found.pop() if len(found) == 1 else ""


def _add_data_sets(fit: xr.Dataset, entries: Sequence[Entry], status_of: Ints, chisqr_of: Floats) -> xr.Dataset:
    labels = [member.label for entry in entries for member in entry.members]
    owners = [entry.name for entry in entries for _ in entry.members]
    longest = max(entry.given.axis.size for entry in entries)
    axis = np.full((len(labels), longest), np.nan)
    points = np.zeros(len(labels), dtype=np.int64)
    at = 0
    for entry in entries:
        rows = slice(at, at + len(entry.members))
        axis[rows, : entry.given.axis.size] = entry.given.axis.values
        signal = entry.given.signal.values.reshape(len(entry.members), -1)
        points[rows] = np.isfinite(signal).sum(axis=1)
        at = rows.stop
    good = status_of == Status.CONVERGED
    chisqr = np.full(len(labels), np.nan)
    chisqr[good] = chisqr_of
    status = np.where(good, int(fit["status"]), status_of).astype(np.int8)
    as_text = [np.array(each, dtype=object).astype(str) for each in (labels, owners)]
    return fit.assign(
        chisqr_of=(DATASET, chisqr), ndata_of=(DATASET, np.where(good, points, 0)), status_of=(DATASET, status)
    ).assign_coords({DATASET: as_text[0], "entry": (DATASET, as_text[1]), AXIS: ((DATASET, CHANNEL), axis)})


def _units(entries: Sequence[Entry], naming: Naming) -> list[str]:
    """Give each parameter its units; refuse a shared one that has several."""
    by_name = {entry.name: entry for entry in entries}
    found = []
    for owner, plain in naming.units_from:
        if not owner:
            found.append("")
            continue
        own = _unit(by_name[owner], plain)
        if plain in naming.plan.names:
            others = {_unit(entry, plain) for entry in entries if plain in entry.members[0].needs}
            if len(others) > 1:
                msg = f"the shared {plain!r} has the units {sorted(others)} in different data sets; convert them first"
                raise ModelError(msg)
        found.append(own)
    return found


def _unit(entry: Entry, plain: str) -> str:
    axis, signal = (str(array.attrs.get("units", "1")) for array in (entry.given.axis, entry.given.signal))
    return parameter_units(entry.model, (plain,), axis=axis, signal=signal)[0]


def _advice(fit: xr.Dataset) -> list[str]:
    status = Status(int(fit["status"]))
    said = [] if status == Status.CONVERGED else [f"The global fit: {status.sentence}."]
    for kind in (ParameterStatus.AT_BOUND, ParameterStatus.UNIDENTIFIABLE):
        chosen = [str(name) for name in fit["parameter"].values[fit["parameter_status"].values == kind]]
        if chosen:
            said.append(f"Parameters {', '.join(chosen)}: {kind.sentence}.")
    for each in np.flatnonzero(fit["status_of"].values != int(status)):
        why = Status(int(fit["status_of"][each]))
        said.append(f"{fit[DATASET].values[each]} was left out: {why.sentence}.")
    redchi = float(fit["redchi"])
    if fit.attrs["weighted"] and not fit.attrs["scale_covar"] and redchi > LARGE_REDCHI:
        said.append(
            f"The reduced chi-square is {redchi:.3g}: a model or sigma does not describe the data, and standard errors "
            "taken from sigma are too small. Compare scale_covar=True."
        )
    return said


def curves(fit: xr.Dataset) -> xr.DataArray:
    """Compute the curve of each data set on its own axis.

    Parameters
    ----------
    fit:
        Result of `peaks.fit_global`.

    Returns
    -------
    :
        Dims `(dataset, channel)`; NaN beyond the end of a shorter axis and where a fit failed.
    """
    models = {name: model_from_json(json.dumps(text)) for name, text in json.loads(fit.attrs["model"]).items()}
    value = dict(zip((str(n) for n in fit["parameter"].values), fit["value"].values, strict=True))
    engine = kernel_cache.load("batched")
    axis = fit[AXIS].values
    out = np.full(axis.shape, np.nan)
    for row, (label, owner) in enumerate(zip(fit[DATASET].values, fit["entry"].values, strict=True)):
        model = models[str(owner)]
        needs = required_names(model)
        own = np.array([value.get(f"{label}_{name}", value.get(name, np.nan)) for name in needs])
        x = axis[row][np.isfinite(axis[row])]
        out[row, : x.size] = engine.curve(model, needs, for_kernel(x), own[None])[0]
    return xr.DataArray(out, dims=(DATASET, CHANNEL)).assign_coords(
        {name: fit[name] for name in (DATASET, "entry", AXIS)}
    )
