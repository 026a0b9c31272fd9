"""The other engine: any lmfit model, one spectrum after another, through `lmfit.Model.fit`.

Tolerances are tight, and the covariance comes from central differences of the model at lmfit's optimum,
because forward differences cap standard errors at 3 to 5 digits.
Not here: the batched engine (`analysis.peaks.batched`).
"""

import math
from dataclasses import dataclass
from typing import Any

import lmfit
import numpy as np

from analysis.core import ModelError
from analysis.peaks.compile import ParameterPlan, parameter_plan, required_names
from analysis.peaks.data import prepare
from analysis.peaks.outcome import Found
from analysis.peaks.status import Status
from analysis.peaks.terms import axis_names
from analysis.peaks.ties import parse

__all__ = ["Reference", "make"]

Floats = np.ndarray[Any, np.dtype[np.float64]]
TOLERANCE = 1e-14
NEAR_BOUND = 1e-6
NEAR_SINGULAR = 1e-12


@dataclass(frozen=True, kw_only=True)
class Reference:
    """Fits spectra with lmfit's leastsq."""

    model: lmfit.Model
    params: lmfit.Parameters
    """What the fit reports."""
    whole: lmfit.Parameters
    """What lmfit wants: with the derived parameters that are left out of `params`."""
    parameters: ParameterPlan
    max_iterations: int
    loss: str = "least_squares"
    block: int = 1
    parallel: bool = False
    derivatives: str = "central differences"

    def solve(self, axis: Floats, signal: Floats, sigma: Floats | None, start: Floats) -> Found:
        """Fit every spectrum.

        Parameters
        ----------
        axis, signal, sigma, start:
            As in `analysis.peaks.solve.solve`.

        Returns
        -------
        :
            The answer; θ and u are the same here.
        """
        free = self.parameters.free.size
        data, weights, status = prepare(signal, sigma, free, counts=self.loss == "poisson")
        points = np.count_nonzero(weights, axis=1)
        found = Found.empty(status, points, mix=np.eye(free), span=np.full(free, np.inf))
        for s in range(len(data)):
            if found.status[s] == Status.CONVERGED:
                self._one(found, s, axis=axis, data=data[s], weights=weights[s], start=start[s])
        return found

    def _one(self, found: Found, s: int, *, axis: Floats, data: Floats, weights: Floats, start: Floats) -> None:
        params = self._with_values(start)
        keep = weights > 0.0
        x, y, w = axis[keep], data[keep], weights[keep]
        limit = self.max_iterations * (self.parameters.free.size + 1)
        result = None
        try:
            for _ in range(2):  # the second run starts at the optimum and polishes it
                result = self.model.fit(
                    y, params, weights=w, max_nfev=limit, calc_covar=False,
                    fit_kws={"ftol": TOLERANCE, "xtol": TOLERANCE, "gtol": 0.0}, **self._variables(x),
                )  # fmt: skip
                found.nfev[s] += result.nfev
                params = result.params
                if result.aborted:
                    break
        except ValueError:
            found.status[s] = Status.NON_FINITE_MODEL
            return
        assert result is not None  # noqa: S101
        theta = np.array([params[self.parameters.names[k]].value for k in self.parameters.free])
        found.u[s] = theta
        found.chisqr[s] = result.chisqr
        if result.aborted:
            found.status[s] = Status.MAX_ITERATIONS
        self._curvature(found, s, x=x, y=y, w=w, start=start)

    def _curvature(self, found: Found, s: int, *, x: Floats, y: Floats, w: Floats, start: Floats) -> None:
        theta = found.u[s]
        jacobian = self._jacobian(theta, x, start) * w[:, None]
        normal = jacobian.T @ jacobian
        gradient = jacobian.T @ ((self._model(theta, x, start) - y) * w)
        found.normal[s] = normal
        low, high = self.parameters.low, self.parameters.high
        size = np.sqrt(np.where(np.diag(normal) > 0.0, np.diag(normal), 1.0))
        noise = math.sqrt(found.chisqr[s] / max(1, y.size - theta.size))
        close = NEAR_BOUND * np.maximum(noise / size, np.abs(theta))
        held = ((theta - low <= close) & (gradient > 0)) | ((high - theta <= close) & (gradient < 0))
        found.held[s] = held
        keep = ~held
        scaled = normal[np.ix_(keep, keep)] / np.outer(size[keep], size[keep])
        covariance = np.zeros_like(normal)
        if keep.any() and np.linalg.eigvalsh(scaled)[0] > NEAR_SINGULAR:
            covariance[np.ix_(keep, keep)] = np.linalg.inv(scaled) / np.outer(size[keep], size[keep])
            found.covariance[s] = covariance
        elif found.status[s] == Status.CONVERGED:
            found.status[s] = Status.SINGULAR

    def _variables(self, x: Floats) -> dict[str, Floats]:
        return {axis_names(self.model)[0]: x}

    def _with_values(self, values: Floats) -> lmfit.Parameters:
        params = self.whole.copy()
        for at, name in enumerate(self.parameters.names):
            if not params[name].expr and math.isfinite(values[at]):
                params[name].value = values[at]
        return params

    def _model(self, theta: Floats, x: Floats, values: Floats) -> Floats:
        merged = values.copy()
        merged[self.parameters.free] = theta
        params = self.whole.copy()
        for at, name in enumerate(self.parameters.names):
            if not params[name].expr:
                params[name].set(value=merged[at], min=-math.inf, max=math.inf)
        return np.asarray(self.model.eval(params, **self._variables(x)), dtype=float) * np.ones(x.size)

    def _jacobian(self, theta: Floats, x: Floats, values: Floats) -> Floats:
        """Differentiate the model by central differences with one extrapolation."""
        out = np.empty((x.size, theta.size))
        for j in range(theta.size):
            step = 1e-4 * max(abs(theta[j]), 1e-3 if theta[j] == 0.0 else 0.0)
            step = self._step(theta, j, step)

            def central(h: float, j: int = j) -> Floats:
                up, down = theta.copy(), theta.copy()
                up[j] += h
                down[j] -= h
                return (self._model(up, x, values) - self._model(down, x, values)) / (up[j] - down[j])

            out[:, j] = (4.0 * central(0.5 * step) - central(step)) / 3.0
        return out

    def _step(self, theta: Floats, j: int, step: float) -> float:
        """Shorten a step for a location, which may be large against the width of its peak."""
        name = self.parameters.names[self.parameters.free[j]]
        if not name.endswith("center"):
            return step
        width = (
            self.parameters.names.index(name[: -len("center")] + "sigma")
            if (name[: -len("center")] + "sigma" in self.parameters.names)
            else -1
        )
        free = self.parameters.free.tolist()
        if width in free:
            return 1e-3 * abs(theta[free.index(width)]) or step
        return step

    def gradient(self, axis: Floats, data: Floats, weights: Floats, values: Floats, u: Floats) -> Floats:
        """Compute the gradient of ½χ² in θ for every spectrum.

        Parameters
        ----------
        axis, data, weights, values, u:
            As in `analysis.peaks.solve.gradient`.

        Returns
        -------
        :
            Dims `(spectrum, free)`.
        """
        weights = np.broadcast_to(weights, data.shape)
        out = np.empty_like(u)
        for s in range(len(data)):
            w = weights[s]
            residual = (self._model(u[s], axis, values[s]) - data[s]) * w
            out[s] = (self._jacobian(u[s], axis, values[s]) * w[:, None]).T @ residual
        return out


def make(
    model: lmfit.Model,
    params: lmfit.Parameters,
    *,
    max_iterations: int,
) -> Reference:
    """Prepare a model for lmfit's own engine.

    Parameters
    ----------
    model, params:
        Any lmfit model of one independent variable, with all its parameters.
    max_iterations:
        As in `analysis.peaks.solve.solve`.

    Returns
    -------
    :
        The engine.

    Raises
    ------
    ModelError
        If the parameters do not fit the model, an expression is not plain arithmetic, or there are
        several independent variables.
    """
    if len(axis_names(model)) != 1:
        msg = f"the model has the independent variables {axis_names(model)}; one axis can serve one"
        raise ModelError(msg)
    readable = _without_unreadable(model, params)
    return Reference(
        model=model,
        params=readable,
        whole=params.copy(),
        parameters=parameter_plan(model, readable),
        max_iterations=max_iterations,
    )


def _without_unreadable(model: lmfit.Model, params: lmfit.Parameters) -> lmfit.Parameters:
    """Leave out derived parameters that lmfit's own models define by functions outside the grammar."""
    usual = {
        part.prefix + root: hint["expr"]
        for part in model.components
        for root, hint in part.param_hints.items()
        if type(part) is getattr(lmfit.models, type(part).__name__, None) and "expr" in hint
    }
    kept = params.copy()
    for name, par in params.items():
        if par.expr and par.expr == usual.get(name) and name not in required_names(model):
            try:
                parse(par.expr, names=tuple(params), owner=name)
            except ModelError:
                del kept[name]
    return kept
