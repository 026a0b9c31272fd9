"""Spectra that were taken at positions or times: a map where they fill a grid, else a series.

Not here: the files (`analysis.io.labspec`, `analysis.io.wire`).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr

from analysis.core import CHANNEL
from analysis.io.fields import Array


@dataclass(frozen=True, kw_only=True)
class Position:
    """One coordinate of the spectra."""

    values: Array
    """One a spectrum, in the order of the file."""
    units: str
    """As UDUNITS; empty if the file does not say."""
    long_name: str
    """What it is, in words."""


def arrange(signal: Array, about: Mapping[str, object], positions: Mapping[str, Position]) -> xr.Dataset:
    """Give spectra the dimensions that their positions have.

    Parameters
    ----------
    signal:
        Shape (spectra, points), in the order of the file.
    about:
        Attributes of the signal.
    positions:
        Coordinates by name, the slow one first or last alike.

    Returns
    -------
    :
        `signal (y, x, channel)` where two positions fill a grid, each place once (places in the order in which the
        file first names them); else `signal (spectrum, channel)`.
    """
    coords = {name: _attributes(each) for name, each in positions.items()}
    if set(positions) == {"x", "y"}:
        at = {name: _places(each.values) for name, each in positions.items()}
        shape = tuple(at[name][0].size for name in ("y", "x"))
        place = at["y"][1] * shape[1] + at["x"][1]
        if min(shape) > 1 and np.array_equal(np.sort(place), np.arange(shape[0] * shape[1])):
            grid = signal[np.argsort(place)].reshape(*shape, -1)
            axes = {name: (name, at[name][0], coords[name]) for name in ("y", "x")}
            return xr.Dataset({"signal": (("y", "x", CHANNEL), grid, dict(about))}, axes)
    along = {name: ("spectrum", each.values, coords[name]) for name, each in positions.items()}
    return xr.Dataset({"signal": (("spectrum", CHANNEL), signal, dict(about))}, along)


def _places(values: Array) -> tuple[Array, np.ndarray]:
    found, first, inverse = np.unique(values, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty_like(order)
    rank[order] = np.arange(order.size)
    return found[order], rank[inverse]


def _attributes(position: Position) -> dict[str, str]:
    about = {"long_name": position.long_name}
    return about | ({"units": position.units} if position.units else {})
