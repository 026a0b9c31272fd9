"""A fit and its spectrum taken up again as plain arrays: same model, weights and loss, to fit or evaluate once more.

Not here: what is made of it (`analysis.peaks.intervals`, `analysis.peaks.diagnose`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import lmfit
import numpy as np
import xarray as xr
from scipy.special import xlogy

from analysis.core import CHANNEL, ModelError, SpectrumError
from analysis.peaks.compile import ParameterPlan, parameter_plan, required_names
from analysis.peaks.data import Given, Sigma, take
from analysis.peaks.evaluate import evaluate
from analysis.peaks.fit import fit as fit_once
from analysis.peaks.global_result import is_global
from analysis.peaks.language import is_rebuildable, model_from_json, params_from_json
from analysis.peaks.outcome import chain_rule
from analysis.peaks.select import require_fit
from analysis.peaks.status import ParameterStatus, Status

__all__ = ["Again", "labelled", "take_up"]

Floats = np.ndarray[Any, np.dtype[np.float64]]
Bools = np.ndarray[Any, np.dtype[np.bool_]]
FLAT = "spectrum_"
STEP = 1e-3
SAME = 1e-6
BLOCK = 2_000_000


@dataclass(frozen=True, kw_only=True)
class Again:
    """Spectra as rows, masked samples NaN; `sigma` has one row for each, one for all, or is None."""

    fit: xr.Dataset
    given: Given
    model: lmfit.Model
    params: lmfit.Parameters
    plan: ParameterPlan
    signal: Floats
    sigma: Floats | None
    values: Floats

    @property
    def loss(self) -> str:
        """What was minimised."""
        return str(self.fit.attrs["loss"])

    @property
    def scaled(self) -> bool:
        """Whether the noise was taken from the residuals."""
        return bool(self.fit.attrs["scale_covar"])

    @property
    def free_names(self) -> list[str]:
        """Parameters that were varied."""
        return [self.plan.names[k] for k in self.plan.free]

    def flat(self, name: str) -> Any:  # noqa: ANN401 - of any type
        """Return a variable of the fit with one row for each spectrum."""
        array = self.fit[name]
        return array.values.reshape(len(self.signal), *array.shape[len(self.given.batch) :])

    def weights(self, curves: Floats) -> Floats:
        """Return 1/sigma, under Poisson from the fitted curve, dims `(spectrum, channel)`; 0 where masked."""
        if self.loss == "poisson":
            spread = np.sqrt(np.maximum(curves, 1e-300))
        else:
            spread = np.ones((1, self.signal.shape[1])) if self.sigma is None else self.sigma
        with np.errstate(all="ignore"):
            return np.where(np.isfinite(self.signal), 1.0 / spread, 0.0)

    def curves(self, values: Floats) -> Floats:
        """Evaluate the model for any number of parameter sets; NaN where a parameter is."""
        if not is_rebuildable(self.model):
            return self._by_lmfit(values)
        attrs = {key: text for key, text in self.fit.attrs.items() if key != "history"}
        bare = xr.Dataset(
            {"value": ((FLAT, "parameter"), values), "status": (FLAT, np.zeros(len(values), dtype=np.int8))},
            coords={"parameter": self.fit["parameter"].values, **self._axes()},
            attrs=attrs,
        )
        return evaluate(bare).values

    def _by_lmfit(self, values: Floats) -> Floats:
        """Evaluate a model with a user's own function, row by row."""
        x = np.asarray(self.given.axis.values, dtype=float)
        needs = [(name, self.plan.names.index(name)) for name in required_names(self.model)]
        out = np.full((len(values), x.size), np.nan)
        for row, own in zip(out, values, strict=True):
            if np.isfinite(own).all():
                given = {name: own[k] for name, k in needs}
                row[:] = self.model.eval(**given, **{self.model.independent_vars[0]: x})
        return out

    def _axes(self) -> dict[str, xr.DataArray]:
        kept = [name for name, coord in self.fit.coords.items() if coord.dims == (CHANNEL,)]
        return {str(name): self.fit[name].drop_vars([o for o in kept if o != name]) for name in kept}

    def tied(self, values: Floats) -> Floats:
        """Compute the tied parameters from the others."""
        return chain_rule(self.plan, values)[0]

    def jacobian(self, rows: Any, weights: Floats) -> Floats:  # noqa: ANN401 - an index
        """Differentiate weight times model to the free parameters by central differences.

        Returns
        -------
        :
            Dims `(spectrum, channel, free)`; zero for parameters without a standard error.
        """
        values = self.values[rows]
        steps = STEP * np.nan_to_num(self.flat("stderr")[rows][:, self.plan.free])
        out = np.zeros((*weights.shape, self.plan.free.size))
        for j, k in enumerate(self.plan.free):
            up, down = values.copy(), values.copy()
            up[:, k] += steps[:, j]
            down[:, k] -= steps[:, j]
            width = (up[:, k] - down[:, k])[:, None]
            moved = self.curves(self.tied(up)) - self.curves(self.tied(down))
            usable = (width > 0.0) & (weights > 0.0) & np.isfinite(moved)
            out[:, :, j] = np.where(usable, moved * weights / np.where(width > 0.0, width, 1.0), 0.0)
        return out

    def leverage(self, curves: Floats) -> Floats:
        """Return the diagonal of the hat matrix, dims `(spectrum, channel)`; NaN where masked or failed."""
        out = np.empty_like(self.signal)
        weights = self.weights(curves)
        count = max(1, BLOCK // (self.signal.shape[1] * (self.plan.free.size + 1)))
        for low in range(0, len(out), count):
            rows = slice(low, low + count)
            slope = self.jacobian(rows, weights[rows])
            size = np.sqrt((slope**2).sum(axis=1))
            slope /= np.where(size > 0.0, size, 1.0)[:, None, :]
            gram = slope.transpose(0, 2, 1) @ slope
            at = np.arange(self.plan.free.size)
            gram[:, at, at] = np.where(size > 0.0, 1.0 + 1e-14, 1.0)
            out[rows] = (slope * np.linalg.solve(gram, slope.transpose(0, 2, 1)).transpose(0, 2, 1)).sum(axis=2)
        return np.where(np.isfinite(self.signal) & np.isfinite(curves), np.clip(out, 0.0, 1.0), np.nan)

    def refit(
        self,
        signal: Floats,
        sigma: Floats | None,
        start: Floats,
        *,
        held: str | None = None,
        threads: int | None = None,
    ) -> xr.Dataset:
        """Fit rows once more.

        Parameters
        ----------
        signal, sigma:
            As the fields of that name.
        start:
            Starting values of all parameters, dims `(spectrum, parameter)`.
        held:
            A parameter that stays at its start.
        threads:
            As in `analysis.peaks.fit.fit`.

        Returns
        -------
        :
            The fit, one leading dim.
        """
        if held is not None and self.plan.free.size == 1:
            return self._evaluated(signal, sigma, start)
        params = self.params.copy()
        if held is not None:
            params[held].set(vary=False, min=-np.inf, max=np.inf)
        attrs = self.given.signal.attrs
        spectrum = xr.DataArray(signal, dims=(FLAT, CHANNEL), attrs=attrs).assign_coords(
            {name: coord.variable for name, coord in self._axes().items()}
        )
        fixed = self.plan.state == ParameterStatus.FIXED
        starts = {name: start[:, k] for k, name in enumerate(self.plan.names) if not fixed[k] or name == held}
        weigh = None
        if sigma is not None:
            weigh = xr.DataArray(sigma, dims=(FLAT, CHANNEL)) if len(sigma) == len(signal) else sigma[0]
        engine = self.fit.attrs["engine"]
        return fit_once(
            spectrum, self.model, params, axis=str(self.fit.attrs["axis"]), sigma=weigh, engine=engine,
            loss=self.fit.attrs["loss"], start=starts, scale_covar=self.scaled, threads=threads,
            max_iterations=int(self.fit.attrs["max_iterations"]),
        )  # fmt: skip

    def _evaluated(self, signal: Floats, sigma: Floats | None, start: Floats) -> xr.Dataset:
        """Stand in for a fit without any free parameter."""
        values = self.tied(start)
        curves = self.curves(values)
        usable = np.isfinite(signal)
        data = np.where(usable, signal, curves)
        if self.loss == "poisson":
            chisqr = 2.0 * (curves - data + xlogy(data, data / curves)).sum(axis=1)
        else:
            chisqr = (((data - curves) / (1.0 if sigma is None else sigma)) ** 2).sum(axis=1)
        status = np.where(np.isfinite(chisqr), Status.CONVERGED, Status.NON_FINITE_MODEL)
        return xr.Dataset({"value": ((FLAT, "parameter"), values), "chisqr": (FLAT, chisqr), "status": (FLAT, status)})


def take_up(fit: xr.Dataset, spectrum: xr.Dataset | xr.DataArray, *, sigma: Sigma, model: lmfit.Model | None) -> Again:
    """Check that a spectrum is the one that was fitted, and make plain arrays of both.

    Parameters
    ----------
    fit:
        Result of `peaks.fit`.
    spectrum:
        What was fitted.
    sigma:
        As it was given to `peaks.fit`.
    model:
        Needed if it holds a user's own function.

    Returns
    -------
    :
        Both; lazy data are loaded.

    Raises
    ------
    ModelError
        If this is no fit, or the model must be passed.
    SpectrumError
        If the spectrum or sigma is not the one that was fitted.
    """
    require_fit(fit)
    if is_global(fit):
        msg = "wanted the result of peaks.fit for one spectrum or map; got a global fit of several data sets"
        raise ModelError(msg)
    fit = fit.compute()
    model = model_from_json(fit.attrs["model"]) if model is None else model
    params = params_from_json(fit.attrs["params"])
    given = take(spectrum, axis=str(fit.attrs["axis"]), sigma=sigma)
    _require_same(fit, given)
    count = int(np.prod(given.signal.shape[:-1], dtype=int))
    signal = np.array(given.signal.values, dtype=float).reshape(count, -1)
    signal[np.isinf(signal).any(axis=1)] = np.nan
    names = tuple(str(name) for name in fit["parameter"].values)
    again = Again(
        fit=fit, given=given, model=model, params=params, plan=parameter_plan(model, params), signal=signal,
        sigma=_sigma(given, fit, signal), values=fit["value"].values.reshape(count, len(names)),
    )  # fmt: skip
    _require_chisqr(again)
    return again


def _require_same(fit: xr.Dataset, given: Given) -> None:
    fitted, axis = fit[str(given.axis.name)].values, given.axis.values
    if not np.array_equal(fitted, axis):
        msg = (
            f"the fit has {fitted.size} channels, {given.axis.name} {fitted[0]:g} to {fitted[-1]:g}; this spectrum has "
            f"{axis.size}, {axis[0]:g} to {axis[-1]:g}. Give the spectrum as it was fitted"
        )
        raise SpectrumError(msg)
    sizes = {dim: n for dim, n in given.signal.sizes.items() if dim != CHANNEL}
    if dict(fit["status"].sizes) != sizes or fit["status"].dims != given.batch:
        msg = f"the fit has dims {dict(fit['status'].sizes)}, this spectrum {sizes}; select the same part of both"
        raise SpectrumError(msg)


def _sigma(given: Given, fit: xr.Dataset, signal: Floats) -> Floats | None:
    if not int(fit.attrs["weighted"]):
        return None
    if given.sigma is None:
        msg = "the fit was weighted, and this spectrum has no u_signal; give sigma as it was given to peaks.fit"
        raise SpectrumError(msg)
    shape = given.signal.shape
    plain = np.asarray(given.sigma.values, dtype=float)
    if given.batch and not set(given.sigma.dims) & set(given.batch):
        return np.broadcast_to(plain.reshape(1, -1), (1, signal.shape[1]))
    full = given.sigma.broadcast_like(given.signal).transpose(*given.signal.dims).values
    return np.array(np.broadcast_to(full, shape), dtype=float).reshape(signal.shape)


def _require_chisqr(again: Again) -> None:
    """Refuse data that do not have the chi-square of the fit."""
    if again.loss != "least_squares":
        return
    curves = again.curves(again.values)
    residual = np.where(np.isfinite(again.signal), (again.signal - curves) * again.weights(curves), 0.0)
    ours, theirs = (residual**2).sum(axis=1), again.flat("chisqr")
    with np.errstate(all="ignore"):
        floor = 1e-20 * np.nansum((again.signal * again.weights(curves)) ** 2, axis=1)
        wrong = np.abs(ours - theirs) > SAME * theirs + floor
    if wrong.any():
        at = int(np.flatnonzero(wrong)[0])
        msg = (
            f"{int(wrong.sum())} of {len(wrong)} spectra do not have the chi-square of their fit (the first "
            f"{ours[at]:.6g}, the fit says {theirs[at]:.6g}). Give the spectrum and sigma that were fitted"
        )
        raise SpectrumError(msg)


def labelled(again: Again, variables: Mapping[str, tuple[tuple[str, ...], Any]]) -> xr.Dataset:
    """Put the dims and coordinates of the map around flat arrays.

    Parameters
    ----------
    again:
        Whose map it is.
    variables:
        `{name: (dims after those of the map, array with one row for each spectrum)}`.

    Returns
    -------
    :
        The Dataset.
    """
    batch, shape = again.given.batch, again.given.signal.shape[:-1]
    kept = {name: coord for name, coord in again.given.spectrum.coords.items() if set(coord.dims) <= set(batch)}
    return xr.Dataset(
        {
            name: ((*batch, *dims), np.reshape(array, (*shape, *array.shape[1:])))
            for name, (dims, array) in variables.items()
        }
    ).assign_coords(kept)
