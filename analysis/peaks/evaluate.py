"""The curve of a fit, from the fit alone.

Not here: fitting (`analysis.peaks.fit`).
"""

from collections.abc import Hashable
from typing import Any

import lmfit
import numpy as np
import xarray as xr

from analysis.core import CHANNEL, ModelError, history
from analysis.core.arrays import for_kernel
from analysis.peaks import kernel_cache, vectorised
from analysis.peaks.compile import is_known
from analysis.peaks.global_result import curves, is_global
from analysis.peaks.language import model_from_json
from analysis.peaks.scattering import separate
from analysis.peaks.select import axes_of, points_of, require_same
from analysis.peaks.terms import axis_names

__all__ = ["evaluate"]

Floats = np.ndarray[Any, np.dtype[np.float64]]


def evaluate(fit: xr.Dataset, *, components: bool = False, model: lmfit.Model | None = None) -> xr.DataArray:
    """Compute the fitted curve of each spectrum on the axis that was fitted.

    Parameters
    ----------
    fit:
        Result of `peaks.fit`.
    components:
        Give each term of the model by itself, along a new last dimension but one, `component`.
    model:
        Needed if it holds a user's own function; else it is rebuilt from the fit.

    Returns
    -------
    :
        Dims `(*batch, channel)` or `(*batch, component, channel)`, units of the fitted signal; NaN where
        the fit failed. The components add up to the curve if the model is a sum. Of a global fit
        `(dataset, channel)`, NaN beyond the end of a shorter axis.

    Raises
    ------
    ModelError
        If this is not a fit, its model holds a user's own function and was not passed, or another was.
    """
    if "model" not in fit.attrs or "value" not in fit:
        msg = f"evaluate needs the result of peaks.fit; got a Dataset with {list(fit.data_vars)}"
        raise ModelError(msg)
    if is_global(fit):
        return _of_data_sets(fit, components=components)
    model = model_from_json(fit.attrs["model"]) if model is None else require_same(fit, model)
    axis = fit[str(fit.attrs["axis"])]
    curve = _Curve(fit, model, points_of(fit), components=components)
    dims = ["component", CHANNEL] if components else [CHANNEL]
    sizes = {CHANNEL: axis.size} | ({"component": len(curve.labels)} if components else {})
    made = xr.apply_ufunc(
        curve, fit["value"].drop_vars(list(fit["value"].coords)), input_core_dims=[["parameter"]],
        output_core_dims=[dims], dask="parallelized", output_dtypes=[float],
        dask_gufunc_kwargs={"output_sizes": sizes},
    )  # fmt: skip
    kept: dict[Hashable, xr.DataArray] = {n: c for n, c in fit.coords.items() if set(c.dims) <= set(fit["status"].dims)}
    along: dict[Hashable, xr.DataArray] = {
        name: fit[name].drop_vars(list(fit[name].coords)).assign_attrs(fit[name].attrs) for name in axes_of(fit)
    }
    made = made.assign_coords(kept | along)
    if components:
        made = made.assign_coords(component=("component", np.array(curve.labels, dtype=object).astype(str)))
    made = made.rename("signal").assign_attrs(units=fit.attrs["signal_units"], long_name="fitted curve")
    return history.record(made, "peaks.evaluate", settings={"components": components}, inputs={"fit": fit})


def _of_data_sets(fit: xr.Dataset, *, components: bool) -> xr.DataArray:
    if components:
        msg = "the data sets of a global fit have terms of their own; evaluate it with components=False"
        raise ModelError(msg)
    made = curves(fit).rename("signal").assign_attrs(units=fit.attrs["signal_units"], long_name="fitted curve")
    return history.record(made, "peaks.evaluate", settings={"components": components}, inputs={"fit": fit})


class _Curve:
    """Evaluates a model on plain arrays of parameters."""

    def __init__(self, fit: xr.Dataset, model: lmfit.Model, axis: Floats, *, components: bool) -> None:
        self.names = [str(name) for name in fit["parameter"].values]
        self.axis = axis
        self.parts = separate(model) if components else [model]
        self.labels = [
            part.prefix.rstrip("_") or type(part).__name__.removesuffix("Model").lower()
            for part in (model.components if components else [model])
        ]
        self.components = components
        self.signs = _signs(model) if components else [1.0]
        self.batched = fit.attrs["engine"] == "batched"
        self.variables = axis_names(model)

    def __call__(self, values: Floats) -> Floats:
        flat = for_kernel(values.reshape(-1, values.shape[-1]))
        curves = [sign * self._one(part, flat) for part, sign in zip(self.parts, self.signs, strict=True)]
        stacked = np.stack(curves, axis=1) if self.components else curves[0]
        return stacked.reshape((*values.shape[:-1], *stacked.shape[1:]))

    def _one(self, model: lmfit.Model, flat: Floats) -> Floats:
        if self.batched and not (self.axis.ndim == 1 and is_known(model)):
            return vectorised.curve(model, self.names, self.axis, flat, variables=self.variables)
        if self.batched:
            made: Floats = kernel_cache.load("batched").curve(model, self.names, self.axis, flat)
            return made
        out = np.full((len(flat), self.axis.size), np.nan)
        for s, row in enumerate(flat):
            if np.isfinite(row).all():
                given = dict(zip(self.names, row, strict=True))
                params = lmfit.Parameters()
                for name, value in given.items():
                    params.add(name, value=value)
                out[s] = model.eval(params, **{axis_names(model)[0]: self.axis})
        return out


def _signs(model: lmfit.Model) -> list[float]:
    """Give each component its sign in the sum; 1 where the model is not a sum."""
    if not isinstance(model, lmfit.model.CompositeModel):
        return [1.0]
    minus = getattr(model.op, "__name__", "") == "sub"
    return _signs(model.left) + [(-1.0 if minus else 1.0) * sign for sign in _signs(model.right)]
