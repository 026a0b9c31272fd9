"""The door to fitting: one call for a spectrum, a map, or a map that is larger than memory.

Not here: the numbers (`analysis.peaks.solve`, `analysis.peaks.reference`), starting values
(`analysis.peaks.guess`), what is read from a fit (`analysis.peaks.quantity`).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import lmfit
import numpy as np
import xarray as xr

from analysis.core import CHANNEL, ModelError, did_you_mean, history
from analysis.peaks import carried, kernel_cache, reference, vectorised
from analysis.peaks.compile import ParameterPlan, is_known, parameter_plan
from analysis.peaks.data import Given, Sigma, refuse_correlated, spread, take
from analysis.peaks.job import Engine, Job, Progress
from analysis.peaks.language import model_to_json, params_to_json
from analysis.peaks.progress import Bar
from analysis.peaks.result import CORE_DIMS, advice, assemble
from analysis.uncertainty import sources

__all__ = ["fit"]

Floats = np.ndarray[Any, np.dtype[np.float64]]
ENGINES = ("batched", "lmfit")
LARGEST_SETTING = 1000  # numbers that the history keeps as text; more are known by their content
LOSSES = ("least_squares", "poisson", "soft_l1", "huber")
NOT_LOOKED_AT = "Lazy data: nothing was looked at yet. See status, parameter_status and redchi of the computed fit."


def fit(
    spectrum: xr.Dataset | xr.DataArray,
    model: lmfit.Model,
    params: lmfit.Parameters,
    *,
    axis: str | Sequence[str],
    sigma: Sigma = None,
    engine: Literal["batched", "lmfit"] = "batched",
    loss: Literal["least_squares", "poisson", "soft_l1", "huber"] = "least_squares",
    start: Mapping[str, Any] | xr.Dataset | None = None,
    scale_covar: bool | None = None,
    max_iterations: int = 200,
    threads: int | None = None,
    progress: Progress | bool | None = None,
) -> xr.Dataset:
    """Fit a model to each spectrum, by least squares or another loss.

    Parameters
    ----------
    spectrum:
        Dims `(*batch, channel)`; NaN samples are masked. Sources of its axis (`<axis>_sources`) and of the
        signal (`signal_sources`, shared by a map or different in each spectrum) are carried to the parameters.
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
        What is minimised: `"least_squares"`; `"poisson"`, the Cash deviance of raw counts, which takes no sigma;
        or, against outliers, `"soft_l1"` and `"huber"`, which pass from square to linear at one sigma and whose
        covariance follows from the scatter of the data (`engine="batched"` only).
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
        Called with (done, total) spectra now and then; True writes a line of text to stderr. If it returns False,
        or the user interrupts, the fit stops and returns what is done; the other spectra have the status CANCELLED.

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
    given, scaled = _weighting(given, loss=loss, sigma=sigma, scale_covar=scale_covar)
    x = given.points
    lazy = given.signal.chunks is not None
    solver = _engine(engine, model, params, x, max_iterations=max_iterations, loss=loss)
    if given.signal.sizes[CHANNEL] < solver.parameters.free.size:
        msg = (
            f"{given.signal.sizes[CHANNEL]} channels cannot determine {solver.parameters.free.size} free parameters; "
            "fix parameters or crop less"
        )
        raise ModelError(msg)
    modes = carried.modes_of(given)
    starts = _starts(start, solver.parameters, given)
    job = Job(
        solver=solver, axis=x, modes=modes, scale_covar=scaled, start_at=tuple(starts), single=not given.batch,
        threads=1 if lazy else threads,  # the scheduler of lazy data has its own
        progress=Bar() if progress is True else progress or None,
    )  # fmt: skip
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
        msg = f"loss must be one of {list(LOSSES)}, got {loss!r}.{did_you_mean(str(loss), LOSSES)}"
        raise ModelError(msg)
    if engine == "lmfit" and loss != "least_squares":
        msg = f"engine='lmfit' minimises least squares only, got loss={loss!r}; leave engine out"
        raise ModelError(msg)
    if max_iterations < 1:
        msg = f"max_iterations must be at least 1, got {max_iterations}. Usual are 100 to 1000"
        raise ModelError(msg)
    if threads is not None and threads < 1:
        msg = f"threads must be at least 1 or None, got {threads}. None takes as many as it may"
        raise ModelError(msg)


def _weighting(given: Given, *, loss: str, sigma: Sigma, scale_covar: bool | None) -> tuple[Given, bool]:
    """Check that sigma and `scale_covar` go with the loss; return what is fitted and whether to scale."""
    if loss == "least_squares":
        return given, given.sigma is None if scale_covar is None else bool(scale_covar)
    if scale_covar:
        msg = f"scale_covar=True belongs to least squares; with loss={loss!r} the covariance follows from the loss"
        raise ModelError(msg)
    if loss == "poisson":
        if sigma is not None:
            msg = "loss='poisson' takes its uncertainty from the counts; got sigma as well. Leave sigma out"
            raise ModelError(msg)
        return replace(given, sigma=None), False
    if given.sigma is None:
        msg = (
            f"loss={loss!r} tells outliers from noise in units of sigma, and there is none; got no u_signal and "
            "sigma=None. Give sigma, for example preprocess.noise(...) or the scatter of a flat region"
        )
        raise ModelError(msg)
    return given, False


def _require_model(model: object, params: object) -> None:
    if not isinstance(model, lmfit.Model):
        msg = f"model must be an lmfit model such as lmfit.models.GaussianModel(); got {type(model).__name__}"
        raise ModelError(msg)
    if not isinstance(params, lmfit.Parameters):
        msg = f"params must be lmfit.Parameters, for example model.make_params(...); got {type(params).__name__}"
        raise ModelError(msg)


def _engine(
    name: str, model: lmfit.Model, params: lmfit.Parameters, axis: Floats, *, max_iterations: int, loss: str
) -> Engine:
    if name == "lmfit":
        return reference.make(model, params, max_iterations=max_iterations)
    if axis.ndim > 1 or not is_known(model):
        return vectorised.make(model, params, axis, max_iterations=max_iterations, loss=loss)
    parameter_plan(model, params)
    solver: Engine = kernel_cache.load("batched").make(model, params, axis, max_iterations=max_iterations, loss=loss)
    return solver


def _starts(start: Mapping[str, Any] | xr.Dataset | None, plan: ParameterPlan, given: Given) -> dict[str, xr.Variable]:
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
        sizes = {str(dim): given.signal.sizes[dim] for dim in given.batch}
        if not array.sizes.items() <= sizes.items():
            msg = f"start of {name!r} has sizes {dict(array.sizes)}; wanted those of the map {sizes}"
            raise ModelError(msg)
        found[name] = spread(array, sizes)
    return found


def _start_array(name: str, value: object, given: Given) -> xr.DataArray:
    plain = np.asarray(value, dtype=float)
    shape = given.signal.shape[:-1]
    if plain.ndim and plain.shape != shape:
        msg = f"start of {name!r} has shape {plain.shape}; wanted a number or one value per spectrum {shape}"
        raise ModelError(msg)
    return xr.DataArray(plain, dims=given.batch if plain.ndim else ())


def _apply(job: Job, given: Given, starts: list[xr.Variable]) -> dict[str, xr.Variable]:
    """Run the job on plain or dask arrays and name what comes out."""
    plan = job.solver.parameters
    names = list(CORE_DIMS)
    dims: list[tuple[str, ...]] = list(CORE_DIMS.values())
    sizes = {"parameter": len(plan.names), "parameter_": len(plan.names)}
    if job.modes is not None:
        names.append("value_sensitivity")
        dims.append(("parameter", "mode"))
        sizes["mode"] = job.modes.count
    arguments = [given.signal.variable]
    if given.sigma is not None:
        arguments.append(spread(given.sigma, {**given.sigma.sizes, CHANNEL: given.signal.sizes[CHANNEL]}))
    cores = [[CHANNEL] for _ in arguments] + [[] for _ in starts]
    arguments += starts
    own = carried.varying(given) if job.modes is not None else None
    if own is not None:
        arguments.append(own.variable)
        cores.append([sources.SOURCE, CHANNEL])
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
    if start is not None and sum(np.size(values) for values in dict(start).values()) > LARGEST_SETTING:
        inputs["start"] = start if isinstance(start, xr.Dataset) else _as_dataset(start)
    else:
        given = {} if start is None else dict(start)
        settings["start"] = {str(k): np.asarray(v, dtype=float) for k, v in given.items()} or None
    settings |= {"model": model_to_json(model), "params": params_to_json(params)}
    return history.record(result, "peaks.fit", settings=settings, inputs=inputs)


def _as_dataset(start: Mapping[str, Any]) -> xr.Dataset:
    """Give the arrays of `start` names, so that their content can stand for them."""
    arrays = {str(name): np.asarray(values, dtype=float) for name, values in start.items()}
    return xr.Dataset({name: ([f"batch_{k}" for k in range(a.ndim)], a) for name, a in arrays.items()})


def _nameable(spectrum: xr.Dataset | xr.DataArray) -> object:
    """Stand in for lazy data without a history, whose content must not be loaded to hash it."""
    if history.of(spectrum) or spectrum.chunksizes == {}:
        return spectrum
    return f"lazy spectrum {dict(spectrum.sizes)}"
