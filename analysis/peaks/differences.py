"""Derivatives of a model to its parameters: by complex step where that is right, else by extrapolated differences.

A complex step has no error of truncation and none of cancellation, but only functions that are analytic in
their parameters take it: abs, real parts and comparisons are found out by comparison with differences.

Not here: evaluation (`analysis.peaks.functions`).
References: Squire & Trapp, SIAM Review 40 (1998) 110, doi:10.1137/S003614459631241X; Ridders, Adv. Eng.
Software 4 (1982) 75.
"""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from analysis.peaks.functions import Function

__all__ = ["by_complex_step", "by_differences", "takes_complex"]

Floats = np.ndarray[Any, np.dtype[np.float64]]
COMPLEX = 1e-20
FIRST = 1e-5
STEP = 1e-2
AGREES = 1e-5
ROUNDING = 1e-14


def by_complex_step(function: Function, axes: Floats, columns: Mapping[str, Floats], names: Sequence[str]) -> Floats:
    """Differentiate by a complex step.

    Parameters
    ----------
    function:
        The model.
    axes:
        Dims `(variable, channel)`.
    columns:
        Parameters by name, dims `(spectrum,)`.
    names:
        Those to differentiate to.

    Returns
    -------
    :
        Dims `(spectrum, channel, name)`.
    """
    out = np.empty((len(next(iter(columns.values()))), axes.shape[1], len(names)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for k, name in enumerate(names):
            size = np.abs(columns[name])
            step = COMPLEX * np.where(size > 0.0, size, 1.0)
            moved = dict(columns) | {name: columns[name] + 1j * step}
            out[:, :, k] = function(axes, moved).imag / step[:, None]
    return out


def by_differences(function: Function, axes: Floats, columns: Mapping[str, Floats], names: Sequence[str]) -> Floats:
    """Differentiate by central differences of three steps, extrapolated to zero.

    The steps follow the model: a hundredth of the way on which it, or its slope, changes by its own size.

    Parameters
    ----------
    function, axes, columns, names:
        As in `by_complex_step`.

    Returns
    -------
    :
        Dims `(spectrum, channel, name)`.
    """
    return _extrapolated(function, axes, columns, names)[0]


def _extrapolated(
    function: Function, axes: Floats, columns: Mapping[str, Floats], names: Sequence[str]
) -> tuple[Floats, Floats]:
    """Return the derivatives and how much rounding there is in them, dims `(spectrum, name)`."""
    middle = function(axes, columns)
    out = np.empty((*middle.shape, len(names)))
    noise = np.empty((len(middle), len(names)))
    largest = np.nanmax(np.abs(middle), axis=1, initial=0.0)
    for k, name in enumerate(names):
        step = _step(function, axes, columns, name, middle)
        noise[:, k] = ROUNDING * largest / step
        with np.errstate(all="ignore"):
            one, two, three = (_central(function, axes, columns, name, step / 2**n)[0] for n in range(3))
            finer, coarser = (4.0 * three - two) / 3.0, (4.0 * two - one) / 3.0
            out[:, :, k] = (16.0 * finer - coarser) / 15.0
    return out, noise


def _central(
    function: Function, axes: Floats, columns: Mapping[str, Floats], name: str, step: Floats
) -> tuple[Floats, Floats]:
    """Return the central difference, and the sum of the two values."""
    above, below = columns[name] + step, columns[name] - step
    high = function(axes, dict(columns) | {name: above})
    low = function(axes, dict(columns) | {name: below})
    with np.errstate(all="ignore"):
        return (high - low) / (above - below)[:, None], high + low


def _step(function: Function, axes: Floats, columns: Mapping[str, Floats], name: str, middle: Floats) -> Floats:
    size = np.abs(columns[name])
    first = FIRST * np.where(size > 0.0, size, 1.0)
    slope, both = _central(function, axes, columns, name, first)
    with np.errstate(all="ignore"):
        bend = (both - 2.0 * middle) / first[:, None] ** 2
        length = _norm(middle) / _norm(slope)
        turn = _norm(slope) / _norm(bend)
        step = STEP * np.fmin(length, turn)
    return np.where(np.isfinite(step) & (step > 0.0), step, 1e2 * first)


def _norm(rows: Floats) -> Floats:
    return np.asarray(np.sqrt(np.nansum(rows**2, axis=1)))


def takes_complex(function: Function, axes: Floats, columns: Mapping[str, Floats], names: Sequence[str]) -> bool:
    """Say whether complex steps give the derivatives that differences give.

    Parameters
    ----------
    function, axes, columns, names:
        As in `by_complex_step`, at a few points.

    Returns
    -------
    :
        False if they differ, or the function cannot be called with complex parameters.
    """
    exact = by_complex_step(function, axes, columns, names)
    near, noise = _extrapolated(function, axes, columns, names)
    known = np.isfinite(near).all(axis=(1, 2))
    if not known.any() or not np.isfinite(exact[known]).all():
        return False
    exact, near = exact[known], near[known]
    allowed = AGREES * np.abs(near).max(axis=1) + noise[known]
    return bool((np.abs(exact - near) <= allowed[:, None, :]).all())
