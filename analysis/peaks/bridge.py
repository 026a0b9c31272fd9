"""A fit as the `ModelResult` that lmfit's users know: reports, confidence intervals, plots.

Not here: fitting with lmfit (`analysis.peaks.reference`).
"""

from collections.abc import Mapping

import lmfit
import numpy as np
import xarray as xr

from analysis.core import ModelError, SpectrumError
from analysis.peaks.data import Given, Sigma, take
from analysis.peaks.language import model_from_json, params_from_json
from analysis.peaks.select import axes_of, select_one
from analysis.peaks.status import ParameterStatus, Status
from analysis.peaks.terms import axis_names

__all__ = ["to_lmfit"]


def to_lmfit(
    fit: xr.Dataset,
    spectrum: xr.Dataset | xr.DataArray,
    *,
    model: lmfit.Model | None = None,
    at: Mapping[str, int] | None = None,
    sigma: Sigma = None,
) -> lmfit.model.ModelResult:
    """Rebuild lmfit's result object for one spectrum, with the numbers of the fit.

    Parameters
    ----------
    fit:
        Result of `peaks.fit`.
    spectrum:
        What was fitted.
    model:
        Needed if it holds a user's own function; else it is rebuilt from the fit.
    at:
        Position of the spectrum in a map, one integer for each of its dims.
    sigma:
        As it was given to `peaks.fit`.

    Returns
    -------
    :
        A result whose values, standard errors, covariance and statistics equal those of the fit.

    Raises
    ------
    ModelError
        If the model must be passed, the spectrum is not named in full, or the fit failed.
    SpectrumError
        If the spectrum lacks the axis, or has other channels than were fitted.
    """
    one = select_one(fit, at)
    status = Status(int(one["status"]))
    if not np.isfinite(one["value"].values).all():
        msg = f"the fit has no values: {status.sentence} (status {status.name})"
        raise ModelError(msg)
    model = model_from_json(fit.attrs["model"]) if model is None else model
    names = axes_of(fit)
    given = take(spectrum, axis=names if len(names) > 1 else names[0], sigma=sigma, ordered=False)
    _require_same_axis(fit, given)
    where = dict(at or {})
    y = np.asarray(given.signal.isel(where).values, dtype=float)
    along = dict(zip(axis_names(model), np.atleast_2d(given.points), strict=True))
    keep = np.isfinite(y)
    weights = None
    if given.sigma is not None:
        own = given.sigma.isel({d: i for d, i in where.items() if d in given.sigma.dims})
        weights = (1.0 / np.broadcast_to(own.values, y.shape))[keep]
    params = params_from_json(fit.attrs["params"])
    result = lmfit.model.ModelResult(
        model, params, data=y[keep], weights=weights, scale_covar=bool(fit.attrs["scale_covar"]),
        fcn_args=(y[keep], weights), fcn_kws={name: x[keep] for name, x in along.items()},
    )  # fmt: skip
    _fill(result, one, status)
    return result


def _require_same_axis(fit: xr.Dataset, given: Given) -> None:
    for each in (given.axis, *given.others):
        fitted, axis = fit[each.name].values, each.values
        if not np.array_equal(fitted, axis):
            msg = (
                f"the fit has {fitted.size} channels, {each.name} {fitted[0]:g} to {fitted[-1]:g}; this spectrum has "
                f"{axis.size}, {axis[0]:g} to {axis[-1]:g}. Give the spectrum as it was fitted"
            )
            raise SpectrumError(msg)


def _fill(result: lmfit.model.ModelResult, one: xr.Dataset, status: Status) -> None:
    names = [str(name) for name in one["parameter"].values]
    init = result.params.copy()
    state = one["parameter_status"].values
    free = [k for k in range(len(names)) if state[k] not in (ParameterStatus.FIXED, ParameterStatus.TIED)]
    covariance = one["covariance"].values
    for k, name in enumerate(names):
        if not result.params[name].expr:
            init[name].value = float(one["initial"].values[k])
            result.params[name].value = float(one["value"].values[k])
    result.params.update_constraints()
    for k, name in enumerate(names):
        error = float(one["stderr"].values[k])
        result.params[name].stderr = error if np.isfinite(error) else None
        if k in free and np.isfinite(error):
            size = np.sqrt(np.diag(covariance))
            result.params[name].correl = {
                names[j]: float(covariance[k, j] / (size[k] * size[j])) for j in free if j != k and size[j] > 0.0
            }
    result.init_params, result.init_values = init, {n: float(p.value) for n, p in init.items()}
    result.best_values = {name: float(result.params[name].value) for name in names}
    result.var_names = [names[k] for k in free]
    result.init_vals = [result.init_values[n] for n in result.var_names]
    result.nvarys = len(free)
    result.covar = covariance[np.ix_(free, free)]
    result.errorbars = bool(np.isfinite(result.covar).all())
    result.best_fit = result.model.eval(result.params, **result.userkws)
    result.init_fit = result.model.eval(init, **result.userkws)
    result.residual = result.model._residual(  # noqa: SLF001
        result.params, result.data, result.weights, **result.userkws
    )
    for key in ("chisqr", "redchi", "aic", "bic"):
        setattr(result, key, float(one[key]))
    result.ndata, result.nfev = int(one["ndata"]), int(one["nfev"])
    result.nfree = result.ndata - result.nvarys
    result.success, result.aborted = status == Status.CONVERGED, False
    result.message = status.sentence
    result.method = "leastsq"
    result.ier, result.lmdif_message = 1, status.sentence
