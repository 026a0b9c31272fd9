"""The door to global fits: several data sets with different axes and models, and parameters that they share.

Not here: the numbers (`analysis.peaks.joint_solve`), names (`analysis.peaks.joint_names`), the Dataset that comes out
(`analysis.peaks.global_result`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import lmfit
import numpy as np
import xarray as xr

from analysis.core import ModelError, SpectrumError, did_you_mean, history
from analysis.peaks import carried, joint_problem, joint_solve
from analysis.peaks.compile import components, required_names
from analysis.peaks.data import Given, Sigma, prepare, refuse_correlated, refuse_single, take
from analysis.peaks.global_result import Entry, assemble
from analysis.peaks.joint_names import Member, Naming, joint_plan
from analysis.peaks.language import model_from_json, model_to_json, params_from_json, params_to_json
from analysis.peaks.outcome import Found, conclude
from analysis.peaks.status import Status
from analysis.uncertainty import Source

__all__ = ["fit_global", "global_again"]

Floats = np.ndarray[Any, np.dtype[np.float64]]
Ints = np.ndarray[Any, np.dtype[Any]]
Data = Mapping[str, tuple[xr.Dataset | xr.DataArray, lmfit.Model]]
PAIR = 2
MOST_PARAMETERS = 2500


@dataclass(frozen=True, kw_only=True)
class _Rows:
    """The spectra of an entry as rows; `status` is not CONVERGED where one is left out."""

    data: Floats
    weights: Floats
    status: Ints


def fit_global(
    data: Data,
    params: lmfit.Parameters,
    *,
    axis: str | Mapping[str, str],
    shared: Sequence[str],
    sigma: Mapping[str, Sigma] | float | None = None,
    scale_covar: bool | None = None,
    max_iterations: int = 200,
) -> xr.Dataset:
    """Fit several data sets together, with parameters that have one value in all of them.

    Parameters
    ----------
    data:
        `{name: (spectrum, model)}`. Axes and models may differ. A map stands for its spectra, named
        `<name>_<position>...`; one that cannot be used is flagged and the others are fitted.
    params:
        A parameter in `shared` exists once. Any other exists for each data set whose model takes it and is named
        `<dataset>_<parameter>`: it starts from the parameter of that full name if `params` has it, else from the plain
        one, with its bounds, `vary` and tie. In an expression a plain name means the data set's own parameter, a full
        name that of another. What no model takes exists once, or for each data set if its expression uses such.
    axis:
        Name of the coordinate along `channel`, or one for each data set.
    shared:
        Names of the shared parameters.
    sigma:
        Standard uncertainty of the signal: a number for all, or for each data set what `peaks.fit` takes. None takes
        `u_signal`; either all data sets have one or none.
    scale_covar:
        Multiply the covariance by the reduced chi-square of all data sets. None: True when unweighted, else False.
    max_iterations:
        Steps at most, > 0.

    Returns
    -------
    :
        A fit like that of `peaks.fit`: `value`, `stderr`, `covariance` over all parameters, `status`,
        `parameter_status`, statistics of the whole; and for each spectrum, dim `dataset`, `chisqr_of`, `ndata_of` and
        `status_of`. Sources of axes and signals are carried: one that several data sets have moves them together
        (`value_sources`). `peaks.quantity` and `peaks.evaluate` take it.

    Raises
    ------
    ModelError
        If a model is unknown to the batched engine, parameters do not fit the models, there are more free parameters
        than points, or a setting is out of range.
    SpectrumError
        If a data set has no such axis or no usable point, or only some of them have a sigma.
    UnitsError
        If the units of sigma do not convert to those of the signal.
    """
    if max_iterations < 1:
        msg = f"max_iterations must be at least 1, got {max_iterations}. Usual are 100 to 1000"
        raise ModelError(msg)
    entries = _entries(data, axis, sigma)
    weighted = _require_all_weighted(entries)
    _require_parameters(params)
    naming = joint_plan([member for entry in entries for member in entry.members], params, shared)
    _require_size(naming)
    rows = [_prepare(entry) for entry in entries]
    kept, lost = _without_left_out(naming, rows)
    problem = _problem(kept, entries, rows)
    points = sum(int(np.count_nonzero(np.broadcast_to(part.weights, part.data.shape))) for part in problem.parts)
    if points < kept.plan.free.size:
        msg = (
            f"{points} points cannot determine {kept.plan.free.size} free parameters; share more, fix some or crop less"
        )
        raise ModelError(msg)
    found = joint_solve.solve(problem, limit=max_iterations)
    scaled = not weighted if scale_covar is None else bool(scale_covar)
    outcome = conclude(kept.plan, found, kept.plan.start[None].copy(), loss="least_squares", scale_covar=scaled)
    result = assemble(
        entries, naming, outcome, lost=lost, status_of=np.concatenate([each.status for each in rows]),
        chisqr_of=problem.chisqr_of(found.u[0]), moved=_moved(problem, found, entries, lost),
        attrs={
            "params": params_to_json(params), "scale_covar": int(scaled), "weighted": int(weighted),
            "max_iterations": max_iterations, "engine": "batched", "loss": "least_squares", "derivatives": "analytic",
        },
    )  # fmt: skip
    settings: dict[str, object] = {
        "models": {name: model_to_json(model) for name, (_, model) in data.items()}, "axis": axis,
        "shared": list(shared), "params": params_to_json(params), "scale_covar": scale_covar,
        "max_iterations": max_iterations, "sigma": sigma if isinstance(sigma, float | int) else None,
    }  # fmt: skip
    inputs: dict[str, object] = {f"data {name}": spectrum for name, (spectrum, _) in data.items()}
    if isinstance(sigma, Mapping):
        inputs |= {f"sigma {name}": np.asarray(each, dtype=float) for name, each in sigma.items() if each is not None}
    return history.record(result, "peaks.fit_global", settings=settings, inputs=inputs)


def _require_parameters(params: object) -> None:
    if not isinstance(params, lmfit.Parameters):
        msg = f"params must be lmfit.Parameters, for example model.make_params(...); got {type(params).__name__}"
        raise ModelError(msg)


def _entries(data: object, axis: str | Mapping[str, str], sigma: Mapping[str, Sigma] | float | None) -> list[Entry]:
    if not isinstance(data, Mapping) or not data:
        msg = f"data must be {{name: (spectrum, model)}} with at least one entry; got {type(data).__name__}"
        raise ModelError(msg)
    for what, given in (("axis", axis), ("sigma", sigma)):
        if isinstance(given, Mapping):
            _require_known(what, given, data)
    return [_entry(str(name), pair, axis, sigma) for name, pair in data.items()]


def _require_known(what: str, given: Mapping[str, Any], data: Mapping[Any, Any]) -> None:
    for name in given:
        if name not in data:
            hint = did_you_mean(str(name), [str(n) for n in data])
            msg = f"{what} names {name!r}, which is no data set; they are {list(data)}.{hint}"
            raise ModelError(msg)


def _entry(name: str, pair: object, axis: str | Mapping[str, str], sigma: Mapping[str, Sigma] | float | None) -> Entry:
    if not (isinstance(pair, tuple) and len(pair) == PAIR and isinstance(pair[1], lmfit.Model)):
        msg = f"data set {name!r} must be a pair (spectrum, lmfit model); got {type(pair).__name__}"
        raise ModelError(msg)
    if not name.isidentifier():
        msg = f"the name {name!r} of a data set becomes part of parameter names; use letters, digits and _"
        raise ModelError(msg)
    spectrum, model = pair
    own_axis = axis.get(name, "") if isinstance(axis, Mapping) else axis
    own_sigma = sigma.get(name) if isinstance(sigma, Mapping) else sigma
    try:
        components(model)
        given = take(spectrum, axis=own_axis, sigma=own_sigma)
        if own_sigma is None:
            refuse_correlated(given)
    except (ModelError, SpectrumError) as error:
        msg = f"data set {name!r}: {error}".replace("Fit with engine='lmfit'", "Fit it alone with engine='lmfit'")
        raise type(error)(msg) from error
    needs = tuple(required_names(model))
    shape = given.signal.shape[:-1]
    labels = ["_".join([name, *map(str, at)]) for at in np.ndindex(*shape)]
    return Entry(
        name=name, given=given, model=model,
        members=tuple(Member(label=label, entry=name, needs=needs) for label in labels),
    )  # fmt: skip


def _require_all_weighted(entries: Sequence[Entry]) -> bool:
    weighted = [entry.name for entry in entries if entry.given.sigma is not None]
    if weighted and len(weighted) < len(entries):
        rest = [entry.name for entry in entries if entry.name not in weighted]
        msg = (
            f"{weighted} have a sigma and {rest} have none, so they cannot be weighed against each other; give sigma "
            "for all, or drop u_signal from all"
        )
        raise SpectrumError(msg)
    return bool(weighted)


def _require_size(naming: Naming) -> None:
    count = len(naming.plan.names)
    if count > MOST_PARAMETERS:
        msg = (
            f"the data sets have {count} parameters together; their joint covariance is kept for {MOST_PARAMETERS} at "
            "most. Fit fewer spectra, then fix the shared parameters and use peaks.fit for the others"
        )
        raise ModelError(msg)


def _prepare(entry: Entry) -> _Rows:
    signal = np.asarray(entry.given.signal.values, dtype=float)
    flat = signal.reshape(-1, signal.shape[-1])
    sigma = _sigma(entry.given, flat.shape)
    data, weights, status = prepare(flat, sigma, 1)
    if not entry.given.batch:
        try:
            refuse_single(int(status[0]), flat, sigma, 1)
        except SpectrumError as error:
            msg = f"data set {entry.name!r}: {error}"
            raise SpectrumError(msg) from error
    good = status == Status.CONVERGED
    if not good.any():
        msg = f"data set {entry.name!r}: none of its {len(flat)} spectra can be used; all are NaN or of wrong sigma"
        raise SpectrumError(msg)
    return _Rows(data=data[good], weights=weights if len(weights) == 1 else weights[good], status=status)


def _sigma(given: Given, shape: tuple[int, ...]) -> Floats | None:
    if given.sigma is None:
        return None
    full = given.sigma.broadcast_like(given.signal).transpose(*given.signal.dims)
    return np.asarray(full.values, dtype=float).reshape(shape)


def _without_left_out(naming: Naming, rows: Sequence[_Rows]) -> tuple[Naming, Ints]:
    """Fix what belongs only to spectra that are left out; also return which parameters are lost with them."""
    good = np.concatenate([each.status for each in rows]) == Status.CONVERGED
    plan = naming.plan
    movers = joint_problem.movers(naming)
    used: set[int] = set()
    missed: set[int] = set()
    for takes, usable in zip(naming.takes, good, strict=True):
        (used if usable else missed).update(*(movers[k] for k in takes))
    gone = sorted(missed - used)
    lost = np.array([bool(each & set(gone)) for each in movers])
    stay = np.array([j for j in range(plan.free.size) if j not in gone], dtype=np.int64)
    kept = replace(plan, free=plan.free[stay], low=plan.low[stay], high=plan.high[stay])
    return replace(naming, plan=kept), lost


def _problem(naming: Naming, entries: Sequence[Entry], rows: Sequence[_Rows]) -> joint_problem.Problem:
    parts, places, first = [], [], 0
    for entry, own in zip(entries, rows, strict=True):
        x = np.array(entry.given.axis.values, dtype=float)
        needs = entry.members[0].needs
        parts.append(joint_problem.compile_part(entry.model, needs, x, own.data, own.weights))
        places.append([first + int(k) for k in np.flatnonzero(own.status == Status.CONVERGED)])
        first += len(own.status)
    return joint_problem.make(naming, parts, places)


def _moved(problem: joint_problem.Problem, found: Found, entries: Sequence[Entry], lost: Ints) -> dict[Source, Floats]:
    """Compute how far each source moves each parameter."""
    each = [carried.sources_of(entry.given) for entry in entries]
    union = list(dict.fromkeys(source for own in each for source in own))
    if not union:
        return {}
    count = len(problem.naming.plan.names)
    if found.status[0] != Status.CONVERGED:
        return dict.fromkeys(union, np.full(count, np.nan))
    modes = []
    for entry, own in zip(entries, each, strict=True):
        made = carried.modes_of(entry.given)
        if made is not None:
            rows = np.zeros((len(union), made.sources.shape[1]))
            rows[[union.index(source) for source in own]] = made.sources
            made = replace(made, sources=rows)
        modes.append(made)
    inner = joint_solve.sensitivities(problem, found, modes, len(union))
    _, chain = problem.values(found.u[0])
    held = np.asarray(np.isnan(inner).any(axis=1))
    out = chain @ np.where(held[:, None], 0.0, inner)
    touched = chain != 0.0
    out[(touched & held).any(axis=1) & ~(touched & ~held).any(axis=1) | lost] = np.nan
    return dict(zip(union, out.T, strict=True))


def global_again(settings: Mapping[str, Any], inputs: Mapping[str, Any]) -> xr.Dataset:
    """Redo a global fit from its history.

    Parameters
    ----------
    settings, inputs:
        As its history holds them.

    Returns
    -------
    :
        The fit.
    """
    rest = {key: settings[key] for key in ("axis", "shared", "scale_covar", "max_iterations", "sigma")}
    given = {key.partition(" ")[2]: each for key, each in inputs.items() if key.startswith("sigma ")}
    data = {name: (inputs[f"data {name}"], model_from_json(text)) for name, text in settings["models"].items()}
    return fit_global(data, params_from_json(settings["params"]), **(rest | ({"sigma": given} if given else {})))
