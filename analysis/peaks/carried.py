"""The sources that a spectrum brings to a fit, and where they stand in its Dataset.

Not here: how they act on the parameters (`analysis.peaks.propagation`).
"""

import numpy as np
import xarray as xr

from analysis.core import CHANNEL, SpectrumError
from analysis.peaks.data import Given
from analysis.peaks.propagation import Modes, factor
from analysis.uncertainty import sources

__all__ = ["attach", "modes_of", "sources_of"]


def _contributions(given: Given) -> tuple[dict[sources.Source, np.ndarray], dict[sources.Source, np.ndarray]]:
    axis = sources.detach(given.spectrum, str(given.axis.name))
    signal = sources.detach(given.spectrum, "signal")
    shape = (given.axis.size,)
    for source, row in signal.items():
        if row.shape != shape:
            msg = (
                f"source {source.label!r} of the signal has shape {row.shape}; a fit carries contributions along "
                f"{CHANNEL!r} only, shape {shape}. Fit spectrum by spectrum, or drop 'signal_sources'"
            )
            raise SpectrumError(msg)
    return axis, signal


def sources_of(given: Given) -> list[sources.Source]:
    """List the sources of axis and signal, in the order of `modes_of`.

    Parameters
    ----------
    given:
        What is fitted.

    Returns
    -------
    :
        Each once.
    """
    axis, signal = _contributions(given)
    return list(dict.fromkeys([*axis, *signal]))


def modes_of(given: Given) -> Modes | None:
    """Factor the sources of axis and signal into a few modes.

    Parameters
    ----------
    given:
        What is fitted.

    Returns
    -------
    :
        The modes, or None if the spectrum has no sources.

    Raises
    ------
    SpectrumError
        If a source of the signal does not stand along `channel`, or there are several axes with sources.
    """
    axis, signal = _contributions(given)
    union = sources_of(given)
    axes = (given.axis, *given.others)
    if given.others and any(f"{each.name}_sources" in given.spectrum for each in axes):
        msg = (
            f"a fit along several axes does not carry their sources; got {[str(a.name) for a in axes]}. Drop the "
            "'<axis>_sources' from the spectrum, and see their effect by fitting with moved axes"
        )
        raise SpectrumError(msg)
    if not union:
        return None
    zero = np.zeros(given.axis.size)
    x = np.asarray(given.axis.values, dtype=float)
    spacing = abs(x[-1] - x[0]) / max(x.size - 1, 1) or 1.0
    rows = np.stack([signal.get(source, zero) for source in union])
    scale = float(np.abs(rows).max()) or 1.0
    return factor(np.stack([axis.get(source, zero) for source in union]), rows, spacing, scale)


def attach(fit: xr.Dataset, given: Given, modes: Modes | None) -> xr.Dataset:
    """Give a fit its sources: resolved for one spectrum, factored for a map.

    Parameters
    ----------
    fit:
        With `value_sensitivity` if there are modes.
    given:
        What was fitted.
    modes:
        From `modes_of`.

    Returns
    -------
    :
        With `value_sources`, or with `mode_sources` beside `value_sensitivity`.

    Raises
    ------
    SpectrumError
        As in `modes_of`.
    """
    if modes is None:
        return fit
    union = sources_of(given)
    if given.batch:
        parts = dict(zip(union, modes.sources, strict=True))
        return sources.attach(fit, "mode", parts, ("mode",))
    moved = fit["value_sensitivity"].values @ modes.sources.T
    bare = fit.drop_vars("value_sensitivity")
    return sources.attach(bare, "value", dict(zip(union, moved.T, strict=True)), ("parameter",))
