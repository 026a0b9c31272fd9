"""Signal and sigma of many spectra → data, weights and a first status, compiled.

Not here: what a spectrum must have (`analysis.peaks.data`), the fit (`analysis.peaks.engine`).
"""

# Compiled code has no annotations: numba finds its types, and long argument lists are its tables.
# ruff: noqa: ANN001, ANN201, ANN202, PLR0917
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

import math

from analysis.peaks.compiled import compiled, entry

__all__ = ["take_row", "take_rows"]

CONVERGED, TOO_FEW_POINTS, INVALID_DATA = 0, 3, 4


@compiled()
def _copy_whole(y, sigma, data, weights):
    """Write signal and 1/sigma without a look at them; return how many channels should not have been."""
    odd = 0
    for i in range(y.size):
        good = (abs(y[i]) < math.inf) & (sigma[i] > 0.0) & (sigma[i] < math.inf)
        odd += 0 if good else 1
        data[i] = y[i]
        weights[i] = 1.0 / sigma[i]
    return odd


@compiled()
def _copy_usable(y, sigma, data, weights):
    """Write signal and 1/sigma, both 0 where masked; return the usable channels, and whether one is wrong."""
    usable = 0
    wrong = False
    for i in range(y.size):
        good = abs(y[i]) < math.inf and sigma[i] > 0.0 and sigma[i] < math.inf
        data[i] = y[i] if good else 0.0
        weights[i] = 1.0 / sigma[i] if good else 0.0
        usable += good
        wrong = wrong or not (good or math.isnan(y[i]))
    return usable, wrong


@compiled()
def _holds_counts(data):
    wrong = 0
    for i in range(data.size):
        wrong += 1 if (data[i] < 0.0) | (data[i] != math.floor(data[i])) else 0
    return wrong == 0


@compiled()
def take_row(y, sigma, counts, free, data, weights):
    """Fill `data` and `weights` from one spectrum; return its usable channels and status.

    Parameters
    ----------
    y, sigma:
        Signal and standard uncertainty, dims `(channel,)`; NaN in the signal is masked.
    counts:
        Whether the signal must be whole numbers >= 0.
    free:
        Number of free parameters.
    data, weights:
        Same dims; get the signal and 1/sigma, both 0 where masked.
    """
    usable = y.size
    wrong = False
    if _copy_whole(y, sigma, data, weights) > 0:
        usable, wrong = _copy_usable(y, sigma, data, weights)
    if wrong or usable == 0 or (counts and not _holds_counts(data)):
        return usable, INVALID_DATA
    return usable, CONVERGED if usable >= free else TOO_FEW_POINTS


@entry()
def take_rows(signal, sigma, counts, free, data, weights, status):
    """Fill the last three arrays; see `take_row`.

    Parameters
    ----------
    signal:
        Dims `(spectrum, channel)`; NaN is masked.
    sigma:
        Standard uncertainties of the same dims, or one row for all.
    counts, free:
        As in `take_row`.
    data, weights:
        Dims of `signal`.
    status:
        CONVERGED, INVALID_DATA or TOO_FEW_POINTS, int8.
    """
    for s in range(signal.shape[0]):
        row = min(s, sigma.shape[0] - 1)
        _, status[s] = take_row(signal[s], sigma[row], counts, free, data[s], weights[s])
