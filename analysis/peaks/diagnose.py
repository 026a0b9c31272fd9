"""What the residuals of a fit say: are they noise, and which channels decide the parameters.

Not here: which of two models is better (`analysis.peaks.compare`).
References: Wald & Wolfowitz, Ann. Math. Stat. 11 (1940) 147, doi:10.1214/aoms/1177731909; Cook, Technometrics 19
(1977) 15, doi:10.1080/00401706.1977.10489493; Durbin & Watson, Biometrika 37 (1950) 409, doi:10.2307/2332391.
"""

import json
from typing import Any

import lmfit
import numpy as np
import xarray as xr
from scipy import stats

from analysis.core import CHANNEL, history
from analysis.peaks.again import Again, labelled, take_up
from analysis.peaks.data import Sigma
from analysis.peaks.language import model_to_json

__all__ = ["diagnose"]

Floats = np.ndarray[Any, np.dtype[np.float64]]
UNLIKELY = 1e-3
_LONG_NAMES = {
    "residual": "residual in units of its standard uncertainty",
    "studentised": "residual in units of its standard deviation after the fit",
    "leverage": "diagonal of the hat matrix",
    "cooks_distance": "shift of all parameters if the channel is left out, Cook's distance",
    "runs": "runs of residuals of one sign",
    "runs_expected": "runs expected of independent residuals",
    "runs_p": "p-value of the runs test, two-sided",
    "durbin_watson": "Durbin-Watson statistic",
    "lag1": "autocorrelation of neighbouring residuals",
    "chisqr_p": "probability of a chi-square at least as large",
}


def diagnose(
    fit: xr.Dataset, spectrum: xr.Dataset | xr.DataArray, *, sigma: Sigma = None, model: lmfit.Model | None = None
) -> xr.Dataset:
    """Judge the residuals of each fit.

    Parameters
    ----------
    fit:
        Result of `peaks.fit`.
    spectrum:
        What was fitted, with dims `(*batch, channel)`.
    sigma:
        As it was given to `peaks.fit`.
    model:
        Needed if it holds a user's own function.

    Returns
    -------
    :
        Along `channel`: `residual` (data minus curve, in units of sigma; of the residual scatter where the fit scaled
        its covariance; under Poisson of the square root of the curve), `studentised`, `leverage`, `cooks_distance`.
        For each spectrum: `runs`, `runs_expected` and `runs_p` (Wald-Wolfowitz, normal approximation), `lag1`,
        `durbin_watson`, and `chisqr_p`, NaN where sigma was not known. NaN where masked or where the fit failed. The
        attribute `advice` says in sentences what is unlikely to be noise.

    Raises
    ------
    ModelError
        If this is no fit, or the model must be passed.
    SpectrumError
        If the spectrum or sigma is not the one that was fitted.
    """
    again = take_up(fit, spectrum, sigma=sigma, model=model)
    curves = again.curves(again.values)
    weights = again.weights(curves)
    free = again.plan.free.size
    spread = np.sqrt(again.flat("redchi")) if again.scaled else np.ones(len(curves))
    with np.errstate(all="ignore"):
        residual = np.where(weights > 0.0, (again.signal - curves) * weights / spread[:, None], np.nan)
        leverage = np.where(np.isfinite(residual), again.leverage(curves), np.nan)
        studentised = residual / np.sqrt(1.0 - leverage)
        cook = studentised**2 * leverage / ((1.0 - leverage) * free)
    found = {
        "residual": ((CHANNEL,), residual),
        "studentised": ((CHANNEL,), studentised),
        "leverage": ((CHANNEL,), leverage),
        "cooks_distance": ((CHANNEL,), cook),
        **{name: ((), array) for name, array in (_runs(residual) | _neighbours(residual)).items()},
        "chisqr_p": ((), _chisqr_p(again)),
    }
    out = labelled(again, found)
    for name, array in out.data_vars.items():
        array.attrs = {"long_name": _LONG_NAMES[str(name)], "units": "1"}
    axis = again.given.axis
    out = out.assign_coords({str(axis.name): axis.variable}).assign_attrs(advice=json.dumps(_advice(out)))
    inputs: dict[str, object] = {"fit": fit, "spectrum": spectrum}
    inputs |= {} if sigma is None else {"sigma": sigma}
    settings = {} if model is None else {"model": model_to_json(model)}
    return history.record(out, "peaks.diagnose", settings=settings, inputs=inputs)


def _runs(residual: Floats) -> dict[str, Floats]:
    """Count runs of one sign; masked channels are passed over."""
    usable = np.isfinite(residual)
    plus = usable & (residual >= 0.0)
    at = np.where(usable, np.arange(residual.shape[1]), -1)
    last = np.maximum.accumulate(at, axis=1)
    before = np.concatenate([np.full((len(at), 1), -1), last[:, :-1]], axis=1)
    same = np.take_along_axis(plus, np.maximum(before, 0), axis=1) == plus
    runs = (usable & ((before < 0) | ~same)).sum(axis=1).astype(float)
    n, up = usable.sum(axis=1).astype(float), plus.sum(axis=1).astype(float)
    with np.errstate(all="ignore"):
        expected = 2.0 * up * (n - up) / n + 1.0
        variance = (expected - 1.0) * (expected - 2.0) / (n - 1.0)
        p = 2.0 * stats.norm.sf(np.abs(runs - expected) / np.sqrt(variance))
    none = n == 0.0
    runs[none] = np.nan
    return {"runs": runs, "runs_expected": expected, "runs_p": np.where(variance > 0.0, p, np.nan)}


def _neighbours(residual: Floats) -> dict[str, Floats]:
    """Compare each residual with that of the next channel, where both are there."""
    with np.errstate(all="ignore"):
        total = np.nansum(residual**2, axis=1)
        product = np.nansum(residual[:, 1:] * residual[:, :-1], axis=1)
        squared = np.nansum((residual[:, 1:] - residual[:, :-1]) ** 2, axis=1)
        return {"durbin_watson": squared / total, "lag1": product / total}


def _chisqr_p(again: Again) -> Floats:
    chisqr, dof = again.flat("chisqr"), again.flat("ndata") - again.plan.free.size
    known = not again.scaled and again.loss in ("least_squares", "poisson")
    p: Floats = np.where(known & (dof > 0), stats.chi2.sf(chisqr, np.maximum(dof, 1)), np.nan)
    return p


def _advice(found: xr.Dataset) -> list[str]:
    said = []
    for name, what in (
        ("runs_p", "residuals whose signs do not alternate like noise: the model misses a feature, or the noise of "
         "neighbouring channels is correlated"),
        ("chisqr_p", "a chi-square that noise of this sigma does not give: the model or sigma is wrong"),
    ):  # fmt: skip
        p = found[name].values
        count, total = int((p < UNLIKELY).sum()), int(np.isfinite(p).sum())
        if count > max(1.0, 3.0 * UNLIKELY * total) or (count and total == 1):
            said.append(f"{count} of {total} fits have {what} ({name} < {UNLIKELY:g}).")
    return said
