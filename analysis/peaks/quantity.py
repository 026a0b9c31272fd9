"""One fitted parameter as a Quantity with all its sources: noise, axis, signal.

Not here: how sources reach the parameters (`analysis.peaks.propagation`).
"""

import hashlib
import math
from collections.abc import Mapping

import numpy as np
import xarray as xr

from analysis.core import ModelError, UncertaintyError, did_you_mean, history
from analysis.peaks.select import require_fit, select_one
from analysis.peaks.status import ParameterStatus, Status
from analysis.uncertainty import Quantity, Source, sources

__all__ = ["quantity"]


def quantity(fit: xr.Dataset, name: str, *, at: Mapping[str, int] | None = None) -> Quantity:
    """Take one parameter out of a fit, with everything it depends on.

    Noise enters as independent sources shared by all parameters of one spectrum, so two parameters of a
    fit are correlated exactly; sources of the axis and the signal keep their identity, so parameters of
    different spectra are correlated through them.

    Parameters
    ----------
    fit:
        Result of `peaks.fit`.
    name:
        A parameter, for example `si_center`.
    at:
        Position of the spectrum in a map, one integer for each of its dims.

    Returns
    -------
    :
        Value and standard uncertainty in the units of the parameter.

    Raises
    ------
    ModelError
        If this is no fit, there is no such parameter, or the spectrum is not named in full.
    UncertaintyError
        If the fit failed, or the parameter was fixed, at its bound or not determined.
    """
    require_fit(fit)
    names = [str(each) for each in fit["parameter"].values]
    if name not in names:
        msg = f"no parameter named {name!r}; this fit has {names}.{did_you_mean(name, names)}"
        raise ModelError(msg)
    one = select_one(fit, at)
    k = names.index(name)
    _require_usable(one, name, k)
    label = name if not at else f"{name} at {dict(at)}"
    components = _noise(one, k, history.head(fit), label, at) | _shared(one, k)
    return Quantity.from_components(
        float(one["value"].values[k]),
        components,
        units=str(one["parameter_units"].values[k]) or "1",
        label=label,
        history=history.extend(
            "peaks.quantity", settings={"name": name, "at": None if at is None else dict(at)}, inputs={"fit": fit}
        ),
    )


def _require_usable(one: xr.Dataset, name: str, k: int) -> None:
    status = Status(int(one["status"]))
    if status != Status.CONVERGED:
        why = f"{status.sentence} (status {status.name})"
        msg = f"no uncertainty of {name!r}: {why}. Look at peaks.evaluate(fit) and at the starting values"
        raise UncertaintyError(msg)
    state = ParameterStatus(int(one["parameter_status"].values[k]))
    if state not in (ParameterStatus.FREE, ParameterStatus.TIED) or not math.isfinite(float(one["stderr"].values[k])):
        what = state.sentence if state != ParameterStatus.TIED else "tied to a parameter that is at its bound or open"
        msg = f"no uncertainty of {name!r}: it is {what} ({state.name}). Use fit['value'] for the number alone"
        raise UncertaintyError(msg)


def _noise(one: xr.Dataset, k: int, fit_id: str, label: str, at: Mapping[str, int] | None) -> dict[Source, float]:
    """Resolve the covariance into independent sources by the Cholesky factor of its free part."""
    covariance = one["covariance"].values
    state = one["parameter_status"].values
    free = np.flatnonzero((state == ParameterStatus.FREE) & np.isfinite(one["stderr"].values))
    size = np.sqrt(np.diag(covariance)[free])
    if not (size > 0.0).all():
        return {}
    factor = np.linalg.cholesky(covariance[np.ix_(free, free)] / np.outer(size, size))
    row = np.linalg.solve(factor, covariance[free, k] / size)
    row[np.abs(row) < 1e-13 * np.abs(row).max()] = 0.0
    row *= float(one["stderr"].values[k]) / math.hypot(*row)
    scaled = bool(one.attrs["scale_covar"])
    varied = int(np.isin(state, (ParameterStatus.FREE, ParameterStatus.AT_BOUND, ParameterStatus.UNIDENTIFIABLE)).sum())
    dof = float(int(one["ndata"]) - varied) if scaled else math.inf
    if dof <= 0:
        msg = f"no uncertainty of {label!r}: as many free parameters as points leave no degrees of freedom. Give sigma"
        raise UncertaintyError(msg)
    spot = "" if at is None else str(sorted((str(d), int(i)) for d, i in at.items()))
    digest = hashlib.blake2b(f"{fit_id}|{spot}".encode(), digest_size=12).hexdigest()
    where = "" if not at else " at " + ", ".join(f"{d} {i}" for d, i in at.items())
    return {
        Source(
            id=f"{digest}-{j}",
            label=f"noise {j + 1}{where}",
            kind="A",
            dof=dof,
            origin=f"residuals of fit {fit_id}",
            tags=("noise",),
            ensemble=digest if scaled else "",
        ): float(value)
        for j, value in enumerate(row)
    }


def _shared(one: xr.Dataset, k: int) -> dict[Source, float]:
    if "value_sources" in one:
        return {source: float(row[k]) for source, row in sources.detach(one, "value").items()}
    if "mode_sources" in one:
        moved = one["value_sensitivity"].values[k]
        return {source: float(row @ moved) for source, row in sources.detach(one, "mode").items()}
    return {}
