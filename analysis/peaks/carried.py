"""The sources that a spectrum brings to a fit, and where they stand in its Dataset.

Not here: how they act on the parameters (`analysis.peaks.propagation`).
"""

from dataclasses import replace

import numpy as np
import xarray as xr

from analysis.core import CHANNEL, SpectrumError
from analysis.peaks.data import Given
from analysis.peaks.propagation import Modes, factor
from analysis.uncertainty import sources

__all__ = ["attach", "modes_of", "sources_of", "varying"]


Rows = dict[sources.Source, np.ndarray]


def _contributions(given: Given) -> tuple[Rows, Rows]:
    """Return the rows of axis and signal along `channel`; a signal whose rows vary over the map has none."""
    axis = sources.detach(given.spectrum, str(given.axis.name))
    if varying(given) is not None:
        return axis, {}
    signal = sources.detach(given.spectrum, "signal")
    shape = (given.axis.size,)
    for source, row in signal.items():
        if row.shape != shape:
            msg = (
                f"source {source.label!r} of the signal has shape {row.shape}; a fit carries contributions of shape "
                f"{shape}, or of the whole map. Transpose 'signal_sources' to the dims of the signal, or drop it"
            )
            raise SpectrumError(msg)
    return axis, signal


def varying(given: Given) -> xr.DataArray | None:
    """Return contributions to the signal that differ from spectrum to spectrum of a map.

    Parameters
    ----------
    given:
        What is fitted.

    Returns
    -------
    :
        Dims `(*batch, source, channel)`, or None.
    """
    found = given.spectrum.get("signal_sources")
    wanted = {sources.SOURCE, *given.signal.dims}
    if found is None or not given.batch or set(found.dims) != wanted:
        return None
    rows = found.transpose(*given.batch, sources.SOURCE, CHANNEL)
    if rows.chunks is not None:
        return rows.chunk({sources.SOURCE: -1, CHANNEL: -1})
    used = np.any(rows.values != 0, axis=(*range(len(given.batch)), rows.ndim - 1))
    return rows.isel({sources.SOURCE: np.flatnonzero(used)})


def _named(rows: xr.DataArray | None) -> list[sources.Source]:
    return [] if rows is None else [sources.Source.from_json(str(text)) for text in rows[sources.INFO].values]


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
    return list(dict.fromkeys([*axis, *signal, *_named(varying(given))]))


def modes_of(given: Given) -> Modes | None:
    """Factor the sources of axis and signal into a few modes.

    Parameters
    ----------
    given:
        What is fitted.

    Returns
    -------
    :
        The modes, or None if the spectrum has no sources; those that vary over a map stand last, one a source.

    Raises
    ------
    SpectrumError
        If a source of the signal stands neither along `channel` nor over the whole map, or there are several axes
        with sources.
    """
    axis, signal = _contributions(given)
    own = _named(varying(given))
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
    shared = factor(np.stack([axis.get(source, zero) for source in union]), rows, spacing, scale)
    each = np.array([[float(source == other) for other in own] for source in union])
    return replace(shared, sources=np.hstack([shared.sources, each]), own=len(own)) if own else shared


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
