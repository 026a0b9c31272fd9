"""Which of two models the same spectra support: information criteria, evidence ratio, and a test for nested models.

Not here: whether a model describes the data at all (`analysis.peaks.diagnose`).
References: Akaike, IEEE Trans. Autom. Control 19 (1974) 716, doi:10.1109/TAC.1974.1100705; Schwarz, Ann. Stat. 6
(1978) 461, doi:10.1214/aos/1176344136; Burnham & Anderson, Model Selection and Multimodel Inference (2002).
"""

from typing import Any

import numpy as np
import xarray as xr
from scipy import stats

from analysis.core import ModelError, history
from analysis.peaks.select import require_fit
from analysis.peaks.status import ParameterStatus, Status

__all__ = ["compare"]

Floats = np.ndarray[Any, np.dtype[np.float64]]
_SAME = ("loss", "weighted", "scale_covar", "axis", "signal_units")
_LIKELIHOODS = ("least_squares", "poisson")
_LONG_NAMES = {
    "delta_aic": "Akaike information criterion of `full` minus that of `simple`",
    "delta_aicc": "the same with the correction for few points",
    "delta_bic": "Bayesian information criterion of `full` minus that of `simple`",
    "evidence_ratio": "how many times better `full` is supported, from AIC",
    "statistic": "test statistic of the fall of chi-square",
    "p": "probability of such a fall if `simple` is true",
}


def compare(simple: xr.Dataset, full: xr.Dataset) -> xr.Dataset:
    """Compare two fits of the same spectra, one by one.

    Parameters
    ----------
    simple:
        Result of `peaks.fit` with fewer free parameters.
    full:
        Result with more; for `statistic` and `p` its model must contain that of `simple`.

    Returns
    -------
    :
        `delta_aic`, `delta_aicc`, `delta_bic` (negative where `full` is better; of chi-square itself where sigma is
        known, else of N log(chi-square / N) as lmfit has it), `evidence_ratio` = exp(-delta_aic / 2), and `statistic`,
        `p`: where sigma is known or under Poisson the likelihood-ratio test, else the F-test; the attribute `test`
        says which. NaN where a fit failed or `full` fits worse, which a model that contains `simple` cannot do at its
        optimum.

    Raises
    ------
    ModelError
        If these are not fits of the same points under the same loss and weights, or `full` has not more free
        parameters.
    """
    for fit in (simple, full):
        require_fit(fit)
    _require_alike(simple, full)
    few, many = _free(simple), _free(full)
    if many <= few:
        msg = f"the second fit must have more free parameters; got {few} and {many}. Exchange the two"
        raise ModelError(msg)
    points = simple["ndata"].astype(float)
    usable = (simple["status"] == Status.CONVERGED) & (full["status"] == Status.CONVERGED)
    usable &= simple["ndata"] == full["ndata"]
    known = not int(simple.attrs["scale_covar"])
    first, second = simple["chisqr"].where(usable), full["chisqr"].where(usable)
    added = many - few
    with np.errstate(all="ignore"):
        misfit = second - first if known else points * np.log(second / first)
        fall = first - second
        small = _correction(points, many) - _correction(points, few)
        out = {
            "delta_aic": misfit + 2.0 * added,
            "delta_aicc": misfit + 2.0 * added + small,
            "delta_bic": misfit + added * np.log(points),
            "evidence_ratio": np.exp(-0.5 * (misfit + 2.0 * added)),
            "statistic": (fall if known else fall / added / (second / (points - many))).where(fall >= 0.0),
        }
    out["p"] = xr.apply_ufunc(_tail, out["statistic"], points, kwargs={"added": added, "many": many, "known": known})
    made = xr.Dataset(out)
    for name, array in made.data_vars.items():
        array.attrs = {"long_name": _LONG_NAMES[str(name)], "units": "1"}
    made.attrs = {"test": "likelihood ratio" if known else "F", "added_parameters": added}
    return history.record(made, "peaks.compare", settings={}, inputs={"simple": simple, "full": full})


def _correction(points: xr.DataArray, free: int) -> xr.DataArray:
    return (2.0 * free * (free + 1.0) / (points - free - 1.0)).where(points > free + 1.0)


def _tail(statistic: Floats, points: Floats, *, added: int, many: int, known: bool) -> Floats:
    if known:
        return np.asarray(stats.chi2.sf(statistic, added))
    return np.asarray(np.where(points > many, stats.f.sf(statistic, added, np.maximum(points - many, 1.0)), np.nan))


def _free(fit: xr.Dataset) -> int:
    """Count the parameters that were varied; the same in every spectrum."""
    state = fit["parameter_status"]
    other = (state == ParameterStatus.FIXED) | (state == ParameterStatus.TIED)
    return int((~other).values.reshape(-1, state.shape[-1])[0].sum())


def _require_alike(simple: xr.Dataset, full: xr.Dataset) -> None:
    for name in _SAME:
        ours, theirs = simple.attrs.get(name), full.attrs.get(name)
        if ours != theirs:
            msg = f"the fits differ in {name}: {ours!r} and {theirs!r}. Fit both models in the same way"
            raise ModelError(msg)
    if simple.attrs["loss"] not in _LIKELIHOODS:
        msg = (
            f"loss {simple.attrs['loss']!r} is no likelihood, so models cannot be weighed by it; "
            f"fit with one of {list(_LIKELIHOODS)}"
        )
        raise ModelError(msg)
    if dict(simple["status"].sizes) != dict(full["status"].sizes):
        sizes = dict(simple["status"].sizes), dict(full["status"].sizes)
        msg = f"the fits have dims {sizes[0]} and {sizes[1]}; select the same spectra"
        raise ModelError(msg)
    points = simple["ndata"].values, full["ndata"].values
    both = (simple["status"].values == Status.CONVERGED) & (full["status"].values == Status.CONVERGED)
    if (points[0] != points[1])[both].any():
        msg = "the fits used different points; mask and crop the spectra in the same way for both"
        raise ModelError(msg)
