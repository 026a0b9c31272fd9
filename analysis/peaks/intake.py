"""Signal and sigma of many spectra → data, weights and a first status, compiled.

Not here: what a spectrum must have (`analysis.peaks.data`), the fit (`analysis.peaks.engine`).
"""

# Compiled code has no annotations: numba finds its types, and long argument lists are its tables.
# ruff: noqa: ANN001, ANN201, ANN202, PLR0917
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

import math

from analysis.peaks.compiled import compiled, entry

__all__ = ["take_rows"]

CONVERGED, TOO_FEW_POINTS, INVALID_DATA = 0, 3, 4


@compiled()
def _weigh(y, sigma, weights):
    """Write 1/sigma, 0 where the signal is NaN; return the usable points, and how many are unusable."""
    usable = 0
    wrong = 0
    for i in range(y.size):
        there = not math.isnan(y[i])
        good = there and sigma[i] > 0.0 and sigma[i] < math.inf
        weights[i] = 1.0 / sigma[i] if good else 0.0
        usable += good
        wrong += there and not good
    return usable, wrong


@compiled()
def _is_invalid(y, counts):
    """Say whether a row has an infinite sample or, where it should hold counts, anything else."""
    for i in range(y.size):
        if math.isinf(y[i]) or (counts and (y[i] < 0.0 or y[i] != math.floor(y[i])) and not math.isnan(y[i])):
            return True
    return False


@entry()
def take_rows(signal, sigma, counts, free, data, weights, status):
    """Fill the last four arrays.

    Parameters
    ----------
    signal:
        Dims `(spectrum, channel)`; NaN is masked.
    sigma:
        Standard uncertainties of the same dims, or one row for all.
    counts:
        Whether the signal must be whole numbers >= 0.
    free:
        Number of free parameters.
    data, weights:
        Dims of `signal`; get the signal and 1/sigma, both 0 where masked.
    status:
        CONVERGED, INVALID_DATA or TOO_FEW_POINTS, int8.
    """
    for s in range(signal.shape[0]):
        y = signal[s]
        usable, wrong = _weigh(y, sigma[min(s, sigma.shape[0] - 1)], weights[s])
        status[s] = CONVERGED
        if wrong > 0 or _is_invalid(y, counts) or usable == 0:
            status[s] = INVALID_DATA
        elif usable < free:
            status[s] = TOO_FEW_POINTS
        for i in range(y.size):
            data[s, i] = y[i] if weights[s, i] > 0.0 and status[s] != INVALID_DATA else 0.0
