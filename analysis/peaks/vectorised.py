"""The second engine of the batched family: any lmfit model, all spectra at once, in numpy without compilation.

What the compiled kernel does not know comes here: users' functions, arithmetic expressions, products and
quotients of components, several axes. Not here: the kernel (`analysis.peaks.batched`), lmfit's own
engine (`analysis.peaks.reference`), the minimiser (`analysis.peaks.trust`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import lmfit
import numpy as np

from analysis.core import ModelError
from analysis.peaks import layered, objective, triangles, trust
from analysis.peaks.compile import ParameterPlan, parameter_plan, required_names
from analysis.peaks.data import prepare
from analysis.peaks.differences import by_complex_step, by_differences, takes_complex
from analysis.peaks.functions import PROBES, Function, probe, variables_of
from analysis.peaks.outcome import Found, chain_rule
from analysis.peaks.status import Status

__all__ = ["Vectorised", "curve", "make"]

Floats = np.ndarray[Any, np.dtype[np.float64]]
Ints = np.ndarray[Any, np.dtype[Any]]
MEMORY = 2_000_000
"""Numbers in the Jacobians of one block."""
ATTEMPTS = (
    trust.Rule(first=1.0, measure="largest"),
    trust.Rule(first=1.0, measure="theta"),
    trust.Rule(first=0.1, measure="theta"),
)
BETTER = 1e-9
DISAGREES = 1e-3
OFF = 0.03


@dataclass(frozen=True, kw_only=True)
class _Slopes:
    """Derivatives of a model to the free parameters, through the ties."""

    function: Function
    plan: ParameterPlan
    exact: bool
    analytic: bool = False

    def values(self, theta: Floats, base: Floats) -> tuple[Floats, Floats]:
        """Return all parameters and their derivatives to the free ones."""
        full = base.copy()
        full[:, self.plan.free] = theta
        return chain_rule(self.plan, full)

    def columns(self, full: Floats) -> dict[str, Floats]:
        return {name: full[:, self.plan.names.index(name)] for name in self.function.names}

    def model(self, axes: Floats, theta: Floats, base: Floats) -> Floats:
        columns = self.columns(self.values(theta, base)[0])
        if self.analytic:
            return layered.values(self.function.model, axes[0], columns)
        return np.asarray(self.function(axes, columns), dtype=float)

    def jacobian(self, axes: Floats, theta: Floats, base: Floats) -> Floats:
        """Return the derivatives, dims `(spectrum, channel, free)`."""
        full, chain = self.values(theta, base)
        moving = {*self.plan.free.tolist(), *(at for at, _ in self.plan.tied)}
        names = [name for name in self.function.names if self.plan.names.index(name) in moving]
        inner = self._inner(axes, self.columns(full), names)
        rows = chain[:, [self.plan.names.index(name) for name in names], :]
        return np.matmul(inner, rows)

    def _inner(self, axes: Floats, columns: dict[str, Floats], names: list[str]) -> Floats:
        if self.analytic:
            return layered.derivatives(self.function.model, axes[0], columns, names)
        take = by_complex_step if self.exact else by_differences
        return take(self.function, axes, columns, names)


@dataclass(frozen=True, kw_only=True)
class _Block:
    """The spectra of one block as something to minimise."""

    slopes: _Slopes
    axes: Floats
    data: Floats
    weights: Floats
    base: Floats
    loss: str
    scale: Floats
    calls: Ints

    def cost(self, theta: Floats, lanes: Ints) -> Floats:
        self.calls[lanes] += 1
        model = self.slopes.model(self.axes, theta, self.base[lanes])
        return objective.cost(model, self.data[lanes], self.weights[lanes], self.loss)

    def linear(self, theta: Floats, lanes: Ints, purpose: objective.Purpose = "step") -> Floats:
        self.calls[lanes] += 1 + theta.shape[1]
        base, weights = self.base[lanes], self.weights[lanes]
        model = self.slopes.model(self.axes, theta, base)
        residual, factor = objective.linearise(model, self.data[lanes], weights, self.loss, purpose=purpose)
        with np.errstate(all="ignore"):
            jacobian = self.slopes.jacobian(self.axes, theta, base) * factor[:, :, None]
        jacobian[weights == 0.0] = 0.0
        return np.concatenate([jacobian, residual[:, :, None]], axis=2)

    def only(self, lanes: Ints) -> "_Block":
        return replace(
            self, data=self.data[lanes], weights=self.weights[lanes], base=self.base[lanes],
            scale=self.scale[lanes], calls=self.calls[lanes],
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Vectorised:
    """Fits many spectra at once with numpy."""

    slopes: _Slopes
    params: lmfit.Parameters
    max_iterations: int
    loss: str
    block: int
    parallel: bool = False
    """One thread: a user's function runs Python code."""

    @property
    def parameters(self) -> ParameterPlan:
        """Which parameters are free, fixed and tied."""
        return self.slopes.plan

    @property
    def derivatives(self) -> str:
        """How the model was differentiated."""
        if self.slopes.analytic:
            return "analytic"
        return "complex step" if self.slopes.exact else "extrapolated central differences"

    def solve(self, axis: Floats, signal: Floats, sigma: Floats | None, start: Floats) -> Found:
        """Fit every spectrum.

        Parameters
        ----------
        axis:
            Dims `(channel,)`, or `(variable, channel)` if the model has several.
        signal, sigma, start:
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
        lanes = np.flatnonzero(found.status == Status.CONVERGED)
        if lanes.size:
            self._fit(self._block(axis, data[lanes], weights[lanes], start[lanes]), found, lanes)
        return found

    def _block(self, axis: Floats, data: Floats, weights: Floats, base: Floats) -> _Block:
        return _Block(
            slopes=self.slopes,
            axes=np.atleast_2d(axis),
            data=data,
            weights=weights,
            base=base,
            loss=self.loss,
            scale=objective.scale(data, weights, self.loss),
            calls=np.zeros(len(data), dtype=np.int64),
        )

    def _fit(self, block: _Block, found: Found, lanes: Ints) -> None:
        end = self._attempts(block)
        linear = block.linear(end.theta, np.arange(lanes.size))
        if self.slopes.exact:
            wrong = _differs(block, end, linear)
            if wrong.size:
                part = replace(block.only(wrong), slopes=replace(self.slopes, exact=False))
                again = self._attempts(part)
                for name in end.__dataclass_fields__:
                    getattr(end, name)[wrong] = getattr(again, name)
                linear[wrong] = part.linear(again.theta, np.arange(wrong.size))
                block.calls[wrong] = part.calls
        if self.loss in objective.ROBUST:
            linear = block.linear(end.theta, np.arange(lanes.size), "curvature")
        good = np.isfinite(linear).all(axis=(1, 2)) & (end.status != Status.NON_FINITE_MODEL)
        triangle = triangles.triangle_of(np.where(good[:, None, None], linear, 0.0))
        covariance, singular = triangles.covariance(triangle, end.held)
        if self.loss in objective.ROBUST:
            scatter = block.linear(end.theta, np.arange(lanes.size), "scatter")[:, :, :-1]
            half = np.matmul(np.where(good[:, None, None], scatter, 0.0), covariance)
            covariance = np.matmul(half.transpose(0, 2, 1), half)
        jacobian = triangle[:, :, :-1]
        ended = np.where(good, end.status, Status.NON_FINITE_MODEL)
        found.u[lanes] = np.where(good[:, None], end.theta, np.nan)
        found.chisqr[lanes] = np.where(good, 2.0 * end.cost, np.nan)
        found.status[lanes] = np.where((ended == Status.CONVERGED) & singular, Status.SINGULAR, ended)
        found.nfev[lanes] = block.calls
        found.held[lanes] = end.held
        found.normal[lanes] = np.matmul(jacobian.transpose(0, 2, 1), jacobian)
        found.covariance[lanes] = np.where((good & ~singular)[:, None, None], covariance, np.nan)

    def _attempts(self, block: _Block) -> trust.End:
        """Minimise; a lane that does not converge to something determined begins again with another region."""
        plan = self.parameters
        start = block.base[:, plan.free]
        end = self._minimise(block, start, ATTEMPTS[0])
        for rule in ATTEMPTS[1:]:
            open_ = _unsettled(block, end)
            if not open_.size:
                break
            part = block.only(open_)
            again = self._minimise(part, start[open_], rule)
            block.calls[open_] = part.calls
            with np.errstate(invalid="ignore"):
                better = again.cost <= end.cost[open_] * (1.0 + BETTER)
            for name in end.__dataclass_fields__:
                getattr(end, name)[open_[better]] = getattr(again, name)[better]
        return end

    def _minimise(self, block: _Block, start: Floats, rule: trust.Rule) -> trust.End:
        plan = self.parameters
        return trust.minimise(block, start, low=plan.low, high=plan.high, limit=self.max_iterations, rule=rule)

    def gradient(self, axis: Floats, data: Floats, weights: Floats, values: Floats, u: Floats) -> Floats:
        """Compute the gradient of half of chi-square in θ; see `analysis.peaks.solve.gradient`."""
        weights = np.broadcast_to(weights, data.shape)
        out = np.full(u.shape, np.nan)
        step = max(1, MEMORY // (data.shape[1] * (u.shape[1] + 1)))
        for low in range(0, len(data), step):
            part = slice(low, low + step)
            block = self._block(axis, data[part], weights[part], values[part])
            out[part] = triangles.gradient_of(block.linear(u[part], np.arange(len(u[part]))))
        return out


def _unsettled(block: _Block, end: trust.End) -> Ints:
    lanes = np.flatnonzero(np.isfinite(end.cost))
    linear = block.linear(end.theta[lanes], lanes)
    good = np.asarray(np.isfinite(linear).all(axis=(1, 2)))
    triangle = triangles.triangle_of(np.where(good[:, None, None], linear, 0.0))
    _, singular = triangles.covariance(triangle, end.held[lanes])
    settled = (end.status[lanes] == Status.CONVERGED) & ~singular & good
    return lanes[np.flatnonzero(~settled)]


def _differs(block: _Block, end: trust.End, linear: Floats) -> Ints:
    """Find converged lanes whose complex-step derivatives are not those of the real function at their end."""
    lanes = np.flatnonzero(end.status == Status.CONVERGED)
    theta, base = end.theta[lanes], block.base[lanes]
    inner = np.where(block.weights[lanes][:, :, None] > 0.0, block.slopes.jacobian(block.axes, theta, base), 0.0)
    size = np.sqrt((linear[lanes, :, :-1] ** 2).sum(axis=1))
    noise = np.sqrt(2.0 * end.cost[lanes] / block.data.shape[1])
    bad = np.zeros(lanes.size, dtype=bool)
    for j in range(theta.shape[1]):
        with np.errstate(all="ignore"):
            step = np.maximum(OFF * noise, 1e-6 * np.sqrt(block.scale[lanes])) / size[:, j]
        step = np.where(np.isfinite(step) & (step > 0.0), step, 1e-6 * np.maximum(np.abs(theta[:, j]), 1e-6))
        up, down = theta.copy(), theta.copy()
        up[:, j], down[:, j] = up[:, j] + step, down[:, j] - step
        block.calls[lanes] += 2
        high, low = (block.slopes.model(block.axes, each, base) for each in (up, down))
        with np.errstate(all="ignore"):
            near = np.where(block.weights[lanes] > 0.0, (high - low) / (up[:, j] - down[:, j])[:, None], 0.0)
            off = ((near - inner[:, :, j]) ** 2).sum(axis=1) > DISAGREES**2 * (near**2).sum(axis=1)
        bad |= off & np.isfinite(near).all(axis=1)
    return lanes[bad]


def make(
    model: lmfit.Model,
    params: lmfit.Parameters,
    axis: Floats,
    *,
    max_iterations: int,
    loss: str = "least_squares",
) -> Vectorised:
    """Prepare any lmfit model.

    Parameters
    ----------
    model, params:
        The model with all its parameters; ties are arithmetic. A function with the attribute `takes_complex = True`
        is not asked beforehand whether complex steps are right for it, only where the fit ends.
    axis:
        Dims `(channel,)`, or `(variable, channel)` in the order of the independent variables.
    max_iterations:
        As in `analysis.peaks.solve.solve`; a fit that fails is tried in two more ways of as many steps.
    loss:
        As in `analysis.peaks.objective`.

    Returns
    -------
    :
        The engine.

    Raises
    ------
    ModelError
        If the parameters do not fit the model, the model cannot be evaluated, or the number of axes is wrong.
    """
    axes = np.atleast_2d(axis)
    variables = variables_of(model)
    if len(variables) != len(axes):
        msg = (
            f"the model has the independent variables {list(variables)} and got {len(axes)} axes; name one coordinate "
            f"for each: axis=[...] with {len(variables)} names"
        )
        raise ModelError(msg)
    plan = parameter_plan(model, params)
    points = _points(plan)
    function = probe(model, axes, {name: points[:, plan.names.index(name)] for name in required_names(model)})
    slopes = _Slopes(function=function, plan=plan, exact=False)
    moving = {*plan.free.tolist(), *(at for at, _ in plan.tied)}
    names = [name for name in function.names if plan.names.index(name) in moving]
    analytic = layered.is_layered(model)
    said = bool(getattr(getattr(model, "func", None), "takes_complex", False))
    exact = not analytic and (said or takes_complex(function, axes, slopes.columns(points), names))
    return Vectorised(
        slopes=replace(slopes, exact=exact, analytic=analytic), params=params, max_iterations=max_iterations, loss=loss,
        block=max(1, MEMORY // (axes.shape[1] * (plan.free.size + 1))),
    )  # fmt: skip


def _points(plan: ParameterPlan) -> Floats:
    """Return the start and points near it, inside the bounds, all parameters."""
    shift = np.linspace(0.0, 1.0, plan.free.size + 2)[1:-1]
    points = np.tile(plan.start, (PROBES, 1))
    for k in range(1, PROBES):
        factor = 1.0 + 0.01 * k * np.where(np.arange(plan.free.size) % 2 == k % 2, 1.0, -1.0) * (0.5 + shift)
        free = plan.start[plan.free]
        points[k, plan.free] = np.where(free == 0.0, 0.001 * k * shift, free * factor)
    points[:, plan.free] = np.clip(points[:, plan.free], plan.low, plan.high)
    return chain_rule(plan, points)[0]


def curve(
    model: lmfit.Model, names: list[str], axis: Floats, values: Floats, *, variables: Sequence[str] | None = None
) -> Floats:
    """Evaluate a model for many parameter sets.

    Parameters
    ----------
    model:
        Any lmfit model.
    names:
        What stands along the last dim of `values`.
    axis:
        As in `make`.
    values:
        Dims `(spectrum, parameter)`.
    variables:
        What the axes are, where the model is a component that takes only some of them.

    Returns
    -------
    :
        Dims `(spectrum, channel)`; NaN where a parameter is NaN.
    """
    axes = np.atleast_2d(axis)
    out = np.full((len(values), axes.shape[1]), np.nan)
    good = np.flatnonzero(np.isfinite(values).all(axis=1))
    if not good.size:
        return out
    columns = {name: values[good, names.index(name)] for name in required_names(model)}
    function = probe(model, axes, {name: column[:PROBES] for name, column in columns.items()}, variables)
    out[good] = function(axes, columns)
    return out
