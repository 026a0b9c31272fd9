"""Assembles the Dataset of a fit: labels, units, attributes and advice around plain arrays.

Not here: the numbers (`analysis.peaks.outcome`), what is read back from it (`analysis.peaks.quantity`).
"""

import json
import math
from collections.abc import Mapping
from typing import Any

import lmfit
import numpy as np
import xarray as xr

from analysis.core import CHANNEL, history
from analysis.peaks.data import Given, spread
from analysis.peaks.language import model_to_json, params_to_json
from analysis.peaks.parameter_units import parameter_units
from analysis.peaks.status import ParameterStatus, Status, status_attrs

__all__ = ["CORE_DIMS", "LARGE_REDCHI", "LONG_NAMES", "advice", "assemble"]

Floats = np.ndarray[Any, np.dtype[np.float64]]
PARAMETER = "parameter"
OTHER = "parameter_"
LARGE_REDCHI = 4.0
LOW_COUNTS = 100.0
LOOKED_AT = 32  # spectra of a map whose weights are looked at
MODE = "mode"
CORE_DIMS: dict[str, tuple[str, ...]] = {
    "value": (PARAMETER,),
    "stderr": (PARAMETER,),
    "covariance": (PARAMETER, OTHER),
    "status": (),
    "parameter_status": (PARAMETER,),
    "initial": (PARAMETER,),
    "chisqr": (),
    "redchi": (),
    "aic": (),
    "bic": (),
    "nfev": (),
    "ndata": (),
}
LONG_NAMES = {
    "value": "fitted parameters",
    "stderr": "standard errors from noise",
    "covariance": "covariance of the parameters from noise",
    "status": "how the fit ended",
    "parameter_status": "what each parameter was in the fit",
    "initial": "starting values",
    "chisqr": "sum of squared weighted residuals",
    "redchi": "reduced chi-square",
    "aic": "Akaike information criterion",
    "bic": "Bayesian information criterion",
    "nfev": "evaluations of the model",
    "ndata": "points used",
    "chisqr_of": "contribution to chi-square",
    "ndata_of": "points used",
    "status_of": "whether the data set was fitted",
}


_UNDER = {
    "poisson": {"chisqr": "Cash deviance", "redchi": "reduced Cash deviance"},
    "soft_l1": {"chisqr": "sum of soft_l1 losses", "redchi": "reduced sum of soft_l1 losses"},
    "huber": {"chisqr": "sum of Huber losses", "redchi": "reduced sum of Huber losses"},
}


def assemble(
    given: Given,
    variables: Mapping[str, xr.Variable],
    *,
    model: lmfit.Model,
    params: lmfit.Parameters,
    names: tuple[str, ...],
    attrs: Mapping[str, object],
) -> xr.Dataset:
    """Put labels, units and attributes around the results of a fit.

    Parameters
    ----------
    given:
        What was fitted.
    variables:
        Results by name, dims `(*batch, …)`.
    model, params:
        What was fitted with.
    names:
        The parameters, along `parameter`.
    attrs:
        Engine, loss, settings, advice and the like.

    Returns
    -------
    :
        The fit, without sources and history.
    """
    axis = given.axis
    x_units, y_units = str(axis.attrs.get("units", "1")), str(given.signal.attrs.get("units", "1"))
    labels = parameter_units(model, names, axis=x_units, signal=y_units)
    text = np.array(names, dtype=object).astype(str)
    coords = {
        PARAMETER: (PARAMETER, text),
        OTHER: (OTHER, text),
        "parameter_units": (PARAMETER, np.array(labels, dtype=object).astype(str)),
        **{str(each.name): (CHANNEL, each.values.copy(), dict(each.attrs)) for each in (axis, *given.others)},
    }
    kept = {
        name: coord
        for name, coord in given.spectrum.coords.items()
        if name not in coords and set(coord.dims) <= set(given.batch)
    }
    said = LONG_NAMES | _UNDER.get(str(attrs["loss"]), {})
    for name, variable in variables.items():
        variable.attrs = {"long_name": said.get(name, name)}
    for name, kind in (("status", Status), ("parameter_status", ParameterStatus)):
        variables[name].attrs.update(status_attrs(kind))
    return xr.Dataset(
        dict(variables),
        coords={**kept, **coords},
        attrs={
            "model": model_to_json(model),
            "params": params_to_json(params),
            "axis": str(axis.name),
            **({"axes": json.dumps([str(each.name) for each in (axis, *given.others)])} if given.others else {}),
            "signal_units": y_units,
            "axis_units": x_units,
            "versions": json.dumps(history.versions(), sort_keys=True),
            **attrs,
        },
    )


def advice(fit: xr.Dataset, given: Given, *, unweighted: bool, scale_covar: bool) -> list[str]:
    """Say in plain sentences what a user of the numbers should know.

    Parameters
    ----------
    fit:
        A computed fit.
    given:
        What was fitted.
    unweighted:
        Whether there was no sigma.
    scale_covar:
        Whether standard errors were scaled by the misfit.

    Returns
    -------
    :
        Sentences, perhaps none.
    """
    said = _about_status(fit) + _about_parameters(fit) + _about_centres(fit, given) + _about_channels(given)
    if not unweighted:
        said += _about_weights(given)
    if fit.attrs["loss"] == "poisson":
        said += _about_counts(given)
    redchi = fit["redchi"].values
    median = float(np.median(redchi[np.isfinite(redchi)])) if np.isfinite(redchi).any() else 0.0
    if not unweighted and not scale_covar and median > LARGE_REDCHI:
        said.append(
            f"The median reduced chi-square is {median:.3g}: the model or sigma does not describe the data, and "
            "standard errors taken from sigma are too small. Compare scale_covar=True."
        )
    return said


def _about_status(fit: xr.Dataset) -> list[str]:
    status = fit["status"].values.ravel()
    return [
        f"{count} of {status.size} fits: {kind.sentence}."
        for kind in Status
        if kind != Status.CONVERGED and (count := int((status == int(kind)).sum()))
    ]


def _about_parameters(fit: xr.Dataset) -> list[str]:
    states = fit["parameter_status"].values.reshape(-1, fit.sizes[PARAMETER])
    said = []
    for kind in (ParameterStatus.AT_BOUND, ParameterStatus.UNIDENTIFIABLE):
        found = states == int(kind)
        for name, count in zip(fit[PARAMETER].values, found.sum(axis=0), strict=True) if found.any() else ():
            if count:
                said.append(f"Parameter {name} is {kind.sentence} ({count} of {len(states)} fits).")
    return said


def _about_centres(fit: xr.Dataset, given: Given) -> list[str]:
    low, high = np.min(given.axis.values), np.max(given.axis.values)
    said = []
    for k, name in enumerate(fit[PARAMETER].values):
        if not str(name).endswith("center"):
            continue
        for which, what in (("initial", "started"), ("value", "ended")):
            values = fit[which].values[..., k]
            count = int(((values < low) | (values > high)).sum())
            if count:
                said.append(f"{name} {what} outside the axis [{low:g}, {high:g}] in {count} of {values.size} fits.")
    return said


def _about_channels(given: Given) -> list[str]:
    said = []
    clipped = given.spectrum.get("saturated")
    if clipped is not None and (count := int(((clipped != 0) & given.signal.notnull()).sum())):
        said.append(
            f"{count} fitted channels are saturated: the tops of their peaks are cut off, and the fit does not know. "
            "Mask them with NaN, or measure with a shorter exposure."
        )
    if "noise_correlated" in given.spectrum.attrs:
        said.append(
            f"The noise is correlated by {given.spectrum.attrs['noise_correlated']}; standard errors count the "
            "channels as independent and are too small. Fit the spectrum as it was before."
        )
    return said


def _some(array: xr.DataArray, signal: xr.DataArray) -> Floats:
    """Take a few spectra from all over a map, dims `(spectrum, channel)`."""
    full = spread(array, signal.sizes).values
    if full.ndim == 1:
        return np.asarray(full[None], dtype=float)
    batch = full.shape[:-1]
    at = np.unique(np.linspace(0, math.prod(batch) - 1, LOOKED_AT).astype(int))
    return np.asarray(full[np.unravel_index(at, batch)], dtype=float)


def _are_roots(sigma: Floats, counts: Floats) -> bool:
    good = np.isfinite(counts) & np.isfinite(sigma)
    wanted = np.maximum(counts[good], 1.0)
    return bool((np.abs(sigma[good] ** 2 - wanted) <= 1e-6 * wanted).all())


def _middle(rows: Floats) -> Floats:
    """Return the lower median of each row without its NaN, NaN if there is nothing else."""
    half = np.maximum(np.isfinite(rows).sum(axis=1) - 1, 0) // 2
    middle: Floats = np.take_along_axis(np.sort(rows, axis=1), half[:, None], axis=1)
    return middle


def _about_weights(given: Given) -> list[str]:
    if given.sigma is None:
        return []
    signal, sigma = _some(given.signal, given.signal), _some(given.sigma, given.signal)
    if not (_are_roots(sigma, signal) and np.nanmin(_middle(signal)) < LOW_COUNTS):
        return []
    return [
        "sigma is the square root of counts below 100: such weights pull the fit below the data, and the stated "
        "intervals then miss the truth far too often. Fit the raw counts with loss='poisson'."
    ]


def _about_counts(given: Given) -> list[str]:
    """Say where u_signal holds more than the counting that a Poisson fit knows."""
    own = given.spectrum.get("u_signal")
    if own is None:
        return []
    if _are_roots(_some(own, given.signal), _some(given.signal, given.signal)):
        return []
    return [
        "u_signal is not the square root of the counts, and loss='poisson' knows counting noise only: other noise in "
        "u_signal is left out of the standard errors. Compare least squares with u_signal."
    ]
