"""The door to fitting: one call for a spectrum, a map, or a map that is larger than memory.

Not here: the numbers (`analysis.peaks.solve`, `analysis.peaks.reference`), starting values
(`analysis.peaks.guess`), what is read from a fit (`analysis.peaks.quantity`).
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import lmfit
import numpy as np
import xarray as xr

from analysis.core import CHANNEL, ModelError, did_you_mean, history
from analysis.peaks import carried, kernel_cache, reference, vectorised
from analysis.peaks.compile import ParameterPlan, is_known, parameter_plan
from analysis.peaks.data import Given, Sigma, prepare, refuse_correlated, refuse_single, take
from analysis.peaks.language import model_to_json, params_to_json
from analysis.peaks.outcome import Found, chain_rule, conclude
from analysis.peaks.propagation import Modes, sensitivities
from analysis.peaks.result import CORE_DIMS, advice, assemble

__all__ = ["fit"]

Floats = np.ndarray[Any, np.dtype[np.float64]]
Progress = Callable[[int, int], object]
ENGINES = ("batched", "lmfit")
LOSSES = ("least_squares",)
NOT_LOOKED_AT = "Lazy data: nothing was looked at yet. See status, parameter_status and redchi of the computed fit."


class _Engine(Protocol):
    @property
    def parameters(self) -> ParameterPlan: ...
    @property
    def params(self) -> lmfit.Parameters: ...
    @property
    def derivatives(self) -> str: ...
    def solve(self, axis: Floats, data: Floats, weights: Floats, start: Floats, status: Any) -> Found: ...  # noqa: ANN401
    def gradient(self, axis: Floats, data: Floats, weights: Floats, values: Floats, u: Floats) -> Floats: ...


def fit(
    spectrum: xr.Dataset | xr.DataArray,
    model: lmfit.Model,
    params: lmfit.Parameters,
    *,
    axis: str | Sequence[str],
    sigma: Sigma = None,
    engine: Literal["batched", "lmfit"] = "batched",
    loss: Literal["least_squares"] = "least_squares",
    start: Mapping[str, Any] | xr.Dataset | None = None,
    scale_covar: bool | None = None,
    max_iterations: int = 200,
    threads: int | None = None,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Fit a model to each spectrum by least squares.

    Parameters
    ----------
    spectrum:
        Dims `(*batch, channel)`; NaN samples are masked. Sources of its axis (`<axis>_sources`) and of the
        signal (`signal_sources`) are carried to the parameters.
    model:
        An lmfit model. Sums of line shapes (the guide lists them) are fitted by the compiled kernel; any other, such as
        `lmfit.Model(function)`, an arithmetic ExpressionModel or a product, by numpy. `attrs["derivatives"]` says
        how the model was differentiated.
    params:
        Starting values, bounds, fixed parameters and ties, as lmfit has them.
    axis:
        Name of the coordinate along `channel` that is the model's independent variable; a list of them for a
        model of several, in the order of its `independent_vars`.
    sigma:
        Standard uncertainty of the signal, > 0, in its units: a number or an array of its shape or its last
        dimensions. None takes `u_signal` if the spectrum has it, else the fit is unweighted.
    engine:
        `"batched"` (compiled, all spectra) or `"lmfit"` (one after another).
    loss:
        What is minimised.
    start:
        Starting values that win over `params`: for each parameter a number or one value per spectrum, or
        the Dataset of `guess_each`.
    scale_covar:
        Multiply the covariance by the reduced chi-square. None: True when unweighted, else False.
    max_iterations:
        Steps at most, > 0. A fit of a function that fails is tried twice more, from another trust region.
    threads:
        None: as many as the process may use. The result does not depend on it.
    progress:
        Called with (done, total) spectra now and then.

    Returns
    -------
    :
        `value`, `stderr` (*batch, parameter), `covariance`, `status`, `parameter_status`, statistics with
        lmfit's definitions, and `value_sources` (one spectrum) or `value_sensitivity` and `mode_sources`
        (a map) if there are sources. A fit that failed has NaN and a status; at the iteration limit values
        stay; a parameter at its bound has stderr NaN and the others are computed with it held.

    Raises
    ------
    ModelError
        If the engine cannot take the model, the parameters do not fit it, or a setting is out of range.
    SpectrumError
        If the axis or sigma is wrong, one spectrum alone has too few usable points, or `u_signal` would weigh a
        smoothed spectrum.
    UnitsError
        If the units of sigma do not convert to those of the signal.

    References
    ----------
    Design and tests: Coleman & Li (1996), doi:10.1137/0806023; lmfit, doi:10.5281/zenodo.598352.
    """
    _require_settings(engine, loss, max_iterations, threads)
    _require_model(model, params)
    given = take(spectrum, axis=axis, sigma=sigma, ordered=engine == "lmfit" or is_known(model))
    if sigma is None:
        refuse_correlated(given)
    x = given.points
    lazy = given.signal.chunks is not None
    workers = 1 if lazy else threads  # the scheduler of lazy data has its own
    solver = _engine(engine, model, params, x, max_iterations=max_iterations, threads=workers, progress=progress)
    if given.signal.sizes[CHANNEL] < solver.parameters.free.size:
        msg = (
            f"{given.signal.sizes[CHANNEL]} channels cannot determine {solver.parameters.free.size} free parameters; "
            "fix parameters or crop less"
        )
        raise ModelError(msg)
    scaled = given.sigma is None if scale_covar is None else bool(scale_covar)
    modes = carried.modes_of(given)
    starts = _starts(start, solver.parameters, given)
    job = _Job(solver=solver, axis=x, modes=modes, scale_covar=scaled, start_at=tuple(starts), single=not given.batch)
    variables = _apply(job, given, list(starts.values()))
    result = assemble(
        given, variables, model=model, params=solver.params, names=solver.parameters.names,
        attrs={
            "engine": engine, "loss": loss, "scale_covar": int(scaled), "derivatives": solver.derivatives,
            "weighted": int(given.sigma is not None), "max_iterations": max_iterations,
        },
    )  # fmt: skip
    said = [NOT_LOOKED_AT] if lazy else advice(result, given, unweighted=given.sigma is None, scale_covar=scaled)
    result = carried.attach(result.assign_attrs(advice=json.dumps(said)), given, modes)
    return _record(
        result, spectrum, model, solver.params, axis=axis if isinstance(axis, str) else list(axis),
        sigma=sigma, engine=engine, loss=loss, start=start,
        scale_covar=scale_covar, max_iterations=max_iterations,
    )  # fmt: skip


def _require_settings(engine: str, loss: str, max_iterations: int, threads: int | None) -> None:
    if engine not in ENGINES:
        msg = f"engine must be one of {list(ENGINES)}, got {engine!r}.{did_you_mean(str(engine), ENGINES)}"
        raise ModelError(msg)
    if loss not in LOSSES:
        msg = f"loss must be one of {list(LOSSES)}, got {loss!r}; others are not built yet"
        raise ModelError(msg)
    if max_iterations < 1:
        msg = f"max_iterations must be at least 1, got {max_iterations}. Usual are 100 to 1000"
        raise ModelError(msg)
    if threads is not None and threads < 1:
        msg = f"threads must be at least 1 or None, got {threads}. None takes as many as it may"
        raise ModelError(msg)


def _require_model(model: object, params: object) -> None:
    if not isinstance(model, lmfit.Model):
        msg = f"model must be an lmfit model such as lmfit.models.GaussianModel(); got {type(model).__name__}"
        raise ModelError(msg)
    if not isinstance(params, lmfit.Parameters):
        msg = f"params must be lmfit.Parameters, for example model.make_params(...); got {type(params).__name__}"
        raise ModelError(msg)


def _engine(
    name: str,
    model: lmfit.Model,
    params: lmfit.Parameters,
    axis: Floats,
    *,
    max_iterations: int,
    threads: int | None,
    progress: Progress | None,
) -> _Engine:
    if name == "lmfit":
        return reference.make(model, params, max_iterations=max_iterations, progress=progress)
    if axis.ndim > 1 or not is_known(model):
        return vectorised.make(model, params, axis, max_iterations=max_iterations, progress=progress)
    parameter_plan(model, params)
    batched = kernel_cache.load_engine()
    solver: _Engine = batched.make(
        model, params, axis, max_iterations=max_iterations, threads=threads, progress=progress
    )
    return solver


def _starts(start: Mapping[str, Any] | xr.Dataset | None, plan: ParameterPlan, given: Given) -> dict[str, xr.DataArray]:
    """Check `start` and give each parameter the dims of the map."""
    found = {}
    for key, value in ({} if start is None else dict(start)).items():
        name = str(key)
        if name not in plan.names:
            hint = did_you_mean(name, plan.names)
            msg = f"start names {name!r}, which is no parameter; known are {list(plan.names)}.{hint}"
            raise ModelError(msg)
        at = plan.names.index(name)
        if at in [k for k, _ in plan.tied]:
            continue
        array = value if isinstance(value, xr.DataArray) else _start_array(name, value, given)
        wrong = set(array.dims) - set(given.batch)
        if wrong:
            msg = f"start of {name!r} has dims {array.dims}; wanted those of the map {given.batch}"
            raise ModelError(msg)
        found[name] = array.drop_vars(list(array.coords)).broadcast_like(
            given.signal.isel({CHANNEL: 0}, drop=True).drop_vars(list(given.signal.coords), errors="ignore")
        )
    return found


def _start_array(name: str, value: object, given: Given) -> xr.DataArray:
    plain = np.asarray(value, dtype=float)
    shape = given.signal.shape[:-1]
    if plain.ndim and plain.shape != shape:
        msg = f"start of {name!r} has shape {plain.shape}; wanted a number or one value per spectrum {shape}"
        raise ModelError(msg)
    return xr.DataArray(plain, dims=given.batch if plain.ndim else ())


@dataclass(frozen=True, kw_only=True)
class _Job:
    """Fits the last axis of plain arrays; what `apply_ufunc` calls, on one block or on all."""

    solver: _Engine
    axis: Floats
    modes: Modes | None
    scale_covar: bool
    start_at: tuple[str, ...]
    single: bool

    def __call__(self, signal: Floats, *others: Floats) -> tuple[Any, ...]:
        """Return the arrays of the outcome, and the sensitivities if there are modes."""
        plan = self.solver.parameters
        batch = signal.shape[:-1]
        count = int(np.prod(batch, dtype=int))
        has_sigma = len(others) > len(self.start_at)
        sigma = _flatten_sigma(others[0], batch, signal.shape[-1]) if has_sigma else None
        flat = signal.reshape(count, signal.shape[-1])
        data, weights, status = prepare(flat, sigma, plan.free.size)
        if self.single:
            refuse_single(int(status[0]), flat, sigma, plan.free.size)
        initial = np.tile(plan.start, (count, 1))
        for name, values in zip(self.start_at, others[1:] if has_sigma else others, strict=True):
            initial[:, plan.names.index(name)] = np.broadcast_to(values, batch).ravel()
        initial = _inside(plan, initial, list(self.start_at))
        initial, _ = chain_rule(plan, initial)
        found = self.solver.solve(self.axis, data, weights, initial, status)
        outcome = conclude(plan, found, initial, scale_covar=self.scale_covar)
        arrays = [a.reshape((*batch, *a.shape[1:])) for a in outcome.arrays()]
        if self.modes is not None:
            moved = self._sensitivity(found, outcome.value, data, weights)
            arrays.append(moved.reshape((*batch, *moved.shape[1:])))
        return tuple(arrays)

    def _sensitivity(self, found: Found, values: Floats, data: Floats, weights: Floats) -> Floats:
        assert self.modes is not None  # noqa: S101
        plan = self.solver.parameters

        def gradient(u: Floats, axis: Floats, moved: Floats) -> Floats:
            return self.solver.gradient(axis, moved, weights, values, u)

        inner = sensitivities(
            gradient,
            found.u,
            normal=found.normal,
            held=found.held,
            status=found.status,
            axis=self.axis,
            data=data,
            weights=weights,
            modes=self.modes,
        )
        with np.errstate(all="ignore"):
            held = np.asarray(np.isnan(inner).any(axis=2))
            free = np.einsum("ij,sjm->sim", found.mix, np.where(held[:, :, None], 0.0, inner))
            _, chain = chain_rule(plan, values)
            out = chain @ free
        touched = (chain != 0.0) & held[:, None, :]
        only = touched.any(axis=2) & ~((chain != 0.0) & ~held[:, None, :]).any(axis=2)
        out[only] = np.nan
        return out


def _inside(plan: ParameterPlan, initial: Floats, changed: list[str]) -> Floats:
    """Refuse starts that are not finite; put those outside their bounds on the bound, as lmfit does."""
    bad = [n for n in changed if not np.isfinite(initial[:, plan.names.index(n)]).all()]
    if bad:
        msg = f"start of {bad} has values that are not finite; leave those parameters out of start"
        raise ModelError(msg)
    initial[:, plan.free] = np.clip(initial[:, plan.free], plan.low, plan.high)
    return initial


def _flatten_sigma(sigma: Floats, batch: tuple[int, ...], channels: int) -> Floats:
    if sigma.ndim <= 1 or all(n == 1 for n in sigma.shape[:-1]):
        return np.broadcast_to(sigma.reshape(1, -1), (1, channels))
    return np.broadcast_to(sigma, (*batch, channels)).reshape(-1, channels)


def _apply(job: _Job, given: Given, starts: list[xr.DataArray]) -> dict[str, xr.DataArray]:
    """Run the job on plain or dask arrays and name what comes out."""
    plan = job.solver.parameters
    names = list(CORE_DIMS)
    dims: list[tuple[str, ...]] = list(CORE_DIMS.values())
    sizes = {"parameter": len(plan.names), "parameter_": len(plan.names)}
    if job.modes is not None:
        names.append("value_sensitivity")
        dims.append(("parameter", "mode"))
        sizes["mode"] = len(job.modes.axis)
    arguments = [given.signal.drop_vars(list(given.signal.coords))]
    cores = [[CHANNEL]]
    if given.sigma is not None:
        sigma = given.sigma.drop_vars(list(given.sigma.coords))
        arguments.append(
            sigma if CHANNEL in sigma.dims else sigma.expand_dims({CHANNEL: given.signal.sizes[CHANNEL]}, axis=-1)
        )
        cores.append([CHANNEL])
    arguments += starts
    cores += [[] for _ in starts]
    found = xr.apply_ufunc(
        job, *arguments, input_core_dims=cores, output_core_dims=[list(d) for d in dims],
        dask="parallelized", output_dtypes=[_dtype(name) for name in names],
        dask_gufunc_kwargs={"output_sizes": sizes},
    )  # fmt: skip
    return dict(zip(names, found, strict=True))


def _dtype(name: str) -> type:
    return {"status": np.int8, "parameter_status": np.int8, "nfev": np.int64, "ndata": np.int64}.get(name, float)


def _record(
    result: xr.Dataset,
    spectrum: xr.Dataset | xr.DataArray,
    model: lmfit.Model,
    params: lmfit.Parameters,
    *,
    sigma: Sigma,
    start: Mapping[str, Any] | xr.Dataset | None,
    **settings: object,
) -> xr.Dataset:
    inputs: dict[str, object] = {"spectrum": _nameable(spectrum)}
    if sigma is not None and not isinstance(sigma, float | int):
        inputs["sigma"] = sigma
    else:
        settings["sigma"] = sigma
    plain = None if start is None else {str(k): np.asarray(v, dtype=float) for k, v in dict(start).items()}
    settings |= {"model": model_to_json(model), "params": params_to_json(params), "start": plain}
    return history.record(result, "peaks.fit", settings=settings, inputs=inputs)


def _nameable(spectrum: xr.Dataset | xr.DataArray) -> object:
    """Stand in for lazy data without a history, whose content must not be loaded to hash it."""
    if history.of(spectrum) or spectrum.chunksizes == {}:
        return spectrum
    return f"lazy spectrum {dict(spectrum.sizes)}"
