"""Intervals from refits to simulated spectra.

Each spectrum draws from its own stream, so an interval does not depend on how the map is cut into blocks.
Not here: what the intervals mean (`analysis.peaks.intervals`).
References: Davison & Hinkley, Bootstrap Methods and their Application (1997), sections 2.5, 6.2 and 7.2.
"""

from typing import Any

import numpy as np

from analysis.peaks.again import Again
from analysis.peaks.interval_status import IntervalStatus, Limits
from analysis.peaks.status import Status

__all__ = ["bootstrap"]

Floats = np.ndarray[Any, np.dtype[np.float64]]
Ints = np.ndarray[Any, np.dtype[Any]]
ELEMENTS = 8_000_000
MOST_FAILED = 0.05
_SCALES = {
    "poisson": "Poisson counts of the fitted curve",
    "normal": "normal noise of the given sigma on the fitted curve",
    "residual": "residuals of the fit, corrected for leverage, drawn again",
}


def bootstrap(again: Again, names: list[str], *, level: float, samples: int, seed: int, threads: int | None) -> Limits:
    """Simulate, refit and take quantiles.

    Parameters
    ----------
    again:
        Fit and spectra.
    names:
        Free parameters.
    level:
        Coverage.
    samples:
        Simulated spectra for each.
    seed:
        Of the streams.
    threads:
        As in `analysis.peaks.fit.fit`.

    Returns
    -------
    :
        The ends; NaN where more than 5 % of the refits did not converge.
    """
    count, channels = again.signal.shape
    shape = (count, len(names))
    low, high = np.full(shape, np.nan), np.full(shape, np.nan)
    state = np.full(shape, IntervalStatus.NO_FIT, dtype=np.int8)
    refits = np.zeros(count, dtype=np.int64)
    good = np.flatnonzero(again.flat("status") == Status.CONVERGED)
    kind = "poisson" if again.loss == "poisson" else "residual" if again.scaled else "normal"
    curves = again.curves(again.values)
    pool = _pool(again, curves) if kind == "residual" else None
    at = [again.plan.names.index(name) for name in names]
    size = max(1, ELEMENTS // (samples * channels))
    for first in range(0, good.size, size):
        rows = good[first : first + size]
        drawn = np.concatenate(
            [_draw(again, int(row), kind=kind, curves=curves, pool=pool, samples=samples, seed=seed) for row in rows]
        )
        own = again.sigma
        sigma = own if own is None or len(own) == 1 else np.repeat(own[rows], samples, axis=0)
        found = again.refit(drawn, sigma, np.repeat(again.values[rows], samples, axis=0), threads=threads)
        usable = (found["status"].values == Status.CONVERGED).reshape(rows.size, samples)
        values = np.where(usable[:, :, None], found["value"].values.reshape(rows.size, samples, -1)[:, :, at], np.nan)
        refits[rows] = usable.sum(axis=1)
        enough = refits[rows] >= (1.0 - MOST_FAILED) * samples
        tails = [0.5 - 0.5 * level, 0.5 + 0.5 * level]
        state[rows] = np.where(enough, IntervalStatus.FOUND, IntervalStatus.REFIT_FAILED)[:, None]
        if enough.any():
            low[rows[enough]], high[rows[enough]] = _quantiles(values[enough], tails)
    return Limits(low=low, high=high, low_status=state, high_status=state.copy(), refits=refits, scale=_SCALES[kind])


def _quantiles(values: Floats, tails: list[float]) -> Floats:
    """Take quantiles over the samples; the plotting position k/(n + 1) makes 999 samples exact at 2.5 %."""
    out: Floats = np.nanquantile(values, tails, axis=1, method="weibull")
    return out


def _pool(again: Again, curves: Floats) -> Floats:
    """Return residuals in units of sigma as large as the noise itself, centred; NaN where masked."""
    weights = again.weights(curves)
    with np.errstate(all="ignore"):
        spread = np.sqrt(np.maximum(1.0 - again.leverage(curves), 1e-3))
        found = np.where(weights > 0.0, (again.signal - curves) * weights / spread, np.nan)
    usable = np.isfinite(found)
    mean = np.where(usable, found, 0.0).sum(axis=1) / np.maximum(usable.sum(axis=1), 1)
    return found - mean[:, None]


def _draw(again: Again, row: int, *, kind: str, curves: Floats, pool: Floats | None, samples: int, seed: int) -> Floats:
    """Simulate one spectrum many times."""
    random = np.random.default_rng([seed, row])
    curve = curves[row]
    masked = np.isnan(again.signal[row])
    shape = (samples, curve.size)
    if kind == "poisson":
        drawn = random.poisson(np.maximum(curve, 0.0), shape).astype(float)
    else:
        if pool is None:
            noise = random.standard_normal(shape)
        else:
            own = pool[row][np.isfinite(pool[row])]
            noise = random.choice(own, shape)
        sigma = 1.0 if again.sigma is None else again.sigma[min(row, len(again.sigma) - 1)]
        drawn = curve + noise * sigma
    drawn[:, masked] = np.nan
    return drawn
