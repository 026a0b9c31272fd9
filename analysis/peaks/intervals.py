"""How sure one is of fitted numbers beyond the standard error: intervals from the profile and by bootstrap.

Not here: the covariance (`analysis.peaks.fit`), the search along a profile (`analysis.peaks.profile`), the draws
(`analysis.peaks.bootstrap`).
"""

import json
from collections.abc import Sequence
from typing import Literal

import lmfit
import numpy as np
import xarray as xr

from analysis.core import ModelError, did_you_mean, history
from analysis.peaks import bootstrap, profile
from analysis.peaks.again import Again, labelled, take_up
from analysis.peaks.data import Sigma
from analysis.peaks.interval_status import IntervalStatus, Limits
from analysis.peaks.language import model_to_json
from analysis.peaks.status import status_attrs

__all__ = ["intervals"]

METHODS = ("profile", "bootstrap")
FEWEST = 20
LIKELIHOODS = ("least_squares", "poisson")


def intervals(
    fit: xr.Dataset,
    spectrum: xr.Dataset | xr.DataArray,
    *,
    method: Literal["profile", "bootstrap"] = "profile",
    level: float = 0.95,
    sigma: Sigma = None,
    parameters: Sequence[str] | None = None,
    samples: int = 999,
    seed: int = 0,
    model: lmfit.Model | None = None,
    threads: int | None = None,
) -> xr.Dataset:
    """Find an interval for each free parameter of each spectrum, also where chi-square is no parabola.

    Parameters
    ----------
    fit:
        Result of `peaks.fit`.
    spectrum:
        What was fitted, dims `(*batch, channel)`.
    method:
        `"profile"`: both ends are where chi-square (under Poisson the deviance), minimised over all other parameters,
        has risen by the quantile. `"bootstrap"`: quantiles of refits to simulated spectra: noise of the known sigma,
        Poisson counts, or residuals drawn again where sigma was not known.
    level:
        Coverage of the interval, between 0 and 1.
    sigma:
        As it was given to `peaks.fit`.
    parameters:
        Only these; None takes all free ones.
    samples:
        Simulated spectra for each spectrum (bootstrap), at least 20.
    seed:
        Of the simulation; the same seed gives the same interval, in a map as alone in its first place.
    model:
        Needed if it holds a user's own function.
    threads:
        As in `peaks.fit`.

    Returns
    -------
    :
        `value`, `low`, `high` (*batch, parameter) in the units of the parameter, `low_status` and `high_status`. An end
        that the data leave open is -inf or inf, with the status OPEN (chi-square never rises enough) or AT_BOUND (not
        before the parameter reaches its bound); NaN where there was no answer. `refits` counts what was fitted. Under
        `"profile"` `lowest_chisqr` is the smallest chi-square that was met; where it lies below that of the fit the fit
        was no minimum: the ends are NaN with the status FIT_NOT_MINIMUM, `advice` says so, and `better_start` holds the
        parameters to fit again from.

    Raises
    ------
    ModelError
        If this is no fit, a setting is out of range, or the loss is no likelihood and the method needs one.
    SpectrumError
        If the spectrum or sigma is not the one that was fitted.

    References
    ----------
    Venzon & Moolgavkar, Appl. Stat. 37 (1988) 87, doi:10.2307/2347496; Bates & Watts, Nonlinear Regression Analysis
    (1988), ch. 6; Davison & Hinkley, Bootstrap Methods (1997), ch. 6, doi:10.1017/CBO9780511802843.
    """
    _require_settings(method, level, samples)
    again = take_up(fit, spectrum, sigma=sigma, model=model)
    names = _chosen(again, parameters)
    if again.loss not in LIKELIHOODS:
        msg = f"loss {again.loss!r} is no likelihood, so its rise has no known quantile; fit with one of {LIKELIHOODS}"
        raise ModelError(msg)
    if method == "profile":
        found = profile.profile(again, names, level=level, threads=threads)
    else:
        found = bootstrap.bootstrap(again, names, level=level, samples=samples, seed=seed, threads=threads)
    result = _assemble(again, names, found).assign_attrs(
        method=method, level=level, scale=found.scale, advice=json.dumps(_advice(again, names, found))
    )
    settings: dict[str, object] = {
        "method": method, "level": level, "parameters": None if parameters is None else list(parameters),
        "samples": samples, "seed": seed,
    }  # fmt: skip
    settings |= {} if model is None else {"model": model_to_json(model)}
    inputs: dict[str, object] = {"fit": fit, "spectrum": spectrum}
    if sigma is not None:
        inputs["sigma"] = sigma
    return history.record(result, "peaks.intervals", settings=settings, inputs=inputs)


def _require_settings(method: str, level: float, samples: int) -> None:
    if method not in METHODS:
        msg = f"method must be one of {list(METHODS)}, got {method!r}.{did_you_mean(str(method), METHODS)}"
        raise ModelError(msg)
    if not 0.0 < level < 1.0:
        hint = f"{level / 100.0:g} for {level:g} %" if 1.0 < level < 100.0 else "0.95, for example"  # noqa: PLR2004
        msg = f"level must lie between 0 and 1, got {level}; {hint}"
        raise ModelError(msg)
    if samples < FEWEST:
        msg = f"samples must be at least {FEWEST}, got {samples}; usual are 999 or more"
        raise ModelError(msg)


def _chosen(again: Again, parameters: Sequence[str] | None) -> list[str]:
    free = again.free_names
    if parameters is None:
        return free
    if isinstance(parameters, str):
        msg = f"parameters must be a list of names, got the text {parameters!r}; write [{parameters!r}]"
        raise ModelError(msg)
    for name in parameters:
        if name not in free:
            msg = f"no free parameter named {name!r}; this fit varied {free}.{did_you_mean(name, free)}"
            raise ModelError(msg)
    return [name for name in free if name in parameters]


def _assemble(again: Again, names: list[str], found: Limits) -> xr.Dataset:
    at = [again.plan.names.index(name) for name in names]
    variables = {
        "value": (("parameter",), again.values[:, at]),
        "low": (("parameter",), found.low),
        "high": (("parameter",), found.high),
        "low_status": (("parameter",), found.low_status),
        "high_status": (("parameter",), found.high_status),
        "refits": ((), found.refits),
    }
    if found.lowest is not None:
        variables["lowest_chisqr"] = ((), found.lowest)
    if found.better is not None:
        variables["better_start"] = (("all_parameters",), found.better)
    out = labelled(again, variables)
    for name in ("low_status", "high_status"):
        out[name].attrs.update(status_attrs(IntervalStatus))
    if found.better is not None:
        out = out.assign_coords(all_parameters=again.fit["parameter"].values)
    units = again.fit["parameter_units"].values[at]
    return out.assign_coords(
        parameter=("parameter", np.array(names, dtype=object).astype(str)), parameter_units=("parameter", units)
    )


def _advice(again: Again, names: list[str], found: Limits) -> list[str]:
    total = len(again.signal)
    said = []
    for kind in IntervalStatus:
        if kind == IntervalStatus.FOUND:
            continue
        for k, name in enumerate(names):
            count = int(((found.low_status[:, k] == kind) | (found.high_status[:, k] == kind)).sum())
            if count:
                said.append(f"{name} in {count} of {total} fits: {kind.sentence}.")
    return said
