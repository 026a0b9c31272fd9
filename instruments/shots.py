"""Shots: what one step of an acquisition brings; what all of a run hold; and the one way from shots to a Dataset.

Not here: how shots are taken (`instruments.acquire`), files of them.
"""

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
import xarray as xr

from analysis import uncertainty
from analysis.core import InstrumentError
from analysis.uncertainty import UncertainArray
from analysis.uncertainty.contributions import Direct, Part
from analysis.uncertainty.sources import INFO, SOURCE, Source, attach, detach

__all__ = ["Axis", "Channel", "Layout", "Shot", "Sink", "array", "to_dataset"]

STREAM = "shot"


@dataclass(frozen=True, kw_only=True)
class Channel:
    """One thing that every shot brings."""

    name: str
    """Of the variable."""
    units: str
    """UDUNITS string."""
    dims: tuple[str, ...] = ()
    """Of the value of one shot; empty for a number."""
    shape: tuple[int, ...] = ()
    """Of the value of one shot."""
    dtype: str = "float64"
    """As NumPy has it."""
    attrs: Mapping[str, Any] = field(default_factory=dict)
    """Further attributes, such as `long_name`, and `dof` of a noise that comes from readings."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Axis:
    """Places of a scan, or a coordinate along the dims of a channel."""

    name: str
    """Of the coordinate."""
    values: npt.NDArray[np.float64]
    """Shape (places,), in `units`."""
    units: str
    """UDUNITS string."""
    dim: str = ""
    """The dim that it belongs to; empty for its own."""
    attrs: Mapping[str, str] = field(default_factory=dict)
    """Further attributes, such as `long_name` and `medium`."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Layout:
    """What the shots of one acquisition hold; known before the first is given away."""

    axes: tuple[Axis, ...]
    """The grid of a scan, slowest first; empty for a stream."""
    channels: tuple[Channel, ...]
    """What each shot brings."""
    coordinates: tuple[Axis, ...] = ()
    """Along the dims of channels, such as the wavelength of pixels."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Snapshot of each device, JSON-able."""
    count: int | None = None
    """Shots in all; None for an open end."""

    @property
    def dims(self) -> tuple[str, ...]:
        """Dims of the run: the axes of a scan, or `shot`."""
        return tuple(axis.name for axis in self.axes) or (STREAM,)

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the axes; empty for a stream."""
        return tuple(axis.values.size for axis in self.axes)


@dataclass(frozen=True, kw_only=True, eq=False)
class Shot:
    """One step: what was read at one place of the grid, or one after the other."""

    index: int
    """Place in the grid in C order, or number in the stream, from 0."""
    timestamp: float
    """When it was begun: seconds since 1970-01-01T00:00:00Z."""
    values: Mapping[str, npt.NDArray[np.float64] | float]
    """By channel."""
    parts: Mapping[str, Mapping[Source, float]] = field(default_factory=dict)
    """By channel, what sources bring that this shot shares with others: gain and offset errors of the instrument."""


@runtime_checkable
class Sink(Protocol):
    """What takes shots as they come: a file, a live view."""

    def begin(self, layout: Layout) -> None:
        """Get ready; called once, before the first shot."""

    def put(self, shot: Shot) -> None:
        """Take a shot; when this returns, the shot is kept."""

    def end(self, *, reason: str = "") -> None:
        """Be done; the reason is empty if all went well."""


def to_dataset(layout: Layout, shots: Iterable[Shot], *, attrs: Mapping[str, Any] | None = None) -> xr.Dataset:
    """Put shots together.

    Parameters
    ----------
    layout:
        What they hold.
    shots:
        Some or all; a later shot of the same place wins.
    attrs:
        Added to the attributes.

    Returns
    -------
    :
        Dims: the axes of the scan, or `shot`, then those of the channels. Each channel; `timestamp` (s since 1970);
        `<channel>_sources` for what shots share. A place without a shot is NaN, and `missing` counts them.
    """
    found = {shot.index: shot for shot in shots}
    indices = sorted(found)
    count = math.prod(layout.shape) if layout.axes else len(indices)
    at = indices if layout.axes else list(range(count))
    variables = {
        c.name: _column(layout, c, at, [found[k].values[c.name] for k in indices], count) for c in layout.channels
    }
    times = np.full(count, np.nan)
    times[at] = [found[k].timestamp for k in indices]
    variables["timestamp"] = xr.Variable(layout.dims, times.reshape(layout.shape or (count,)), _TIME)
    expected = (math.prod(layout.shape) if layout.axes else layout.count) or len(indices)
    dataset = xr.Dataset(variables, coords=_coordinates(layout, indices, times), attrs={
        "settings": json.dumps(layout.settings, default=str), "missing": expected - len(indices), **(attrs or {}),
    })  # fmt: skip
    return _with_sources(dataset, layout, {k: found[k].parts for k in indices}, at)


def array(dataset: xr.Dataset, name: str) -> UncertainArray:
    """Return the readings of one channel with all their sources.

    Parameters
    ----------
    dataset:
        Made by `to_dataset`, perhaps read from a file.
    name:
        Of a channel whose shots are numbers.

    Returns
    -------
    :
        Noise, independent from shot to shot, and the errors of the instrument, which shots share. Asked again it is
        the same array: the difference of the two is 0 ± 0.

    Raises
    ------
    InstrumentError
        If there is no such channel, or it has no uncertainty.
    """
    if name not in dataset or f"u_{name}" not in dataset:
        known = [str(each) for each in dataset.data_vars if f"u_{each}" in dataset]
        msg = f"no channel {name!r} with an uncertainty; there are {known}"
        raise InstrumentError(msg)
    value, u = dataset[name].drop_vars([SOURCE, INFO], errors="ignore"), dataset[f"u_{name}"]
    made = hashlib.sha256(value.values.tobytes() + dataset["timestamp"].values.tobytes() + name.encode())
    noise = uncertainty.array(
        value, u=u.drop_vars([SOURCE, INFO], errors="ignore"), label=f"{name}: noise",
        dof=float(u.attrs.get("dof", math.inf)), source="readings", source_id=made.hexdigest()[:32],
    )  # fmt: skip
    one = np.zeros((1,) * value.ndim, dtype=np.int64)
    shared: dict[Source, Part] = {
        source: Direct(c=np.asarray(c), draw=one, draws=1) for source, c in detach(dataset, name).items()
    }
    return replace(noise, parts={**noise.parts, **shared}, label=name)


_TIME = {"units": "s", "long_name": "time since 1970-01-01T00:00:00Z"}


def _column(layout: Layout, channel: Channel, at: list[int], values: list[Any], count: int) -> xr.Variable:
    whole = np.broadcast_to(np.array(np.nan, dtype=channel.dtype), (count, *channel.shape))  # takes no memory
    if values:
        whole = whole.copy()
        whole[at] = np.asarray(values)
    shape = (*(layout.shape or (count,)), *channel.shape)
    return xr.Variable((*layout.dims, *channel.dims), whole.reshape(shape), {"units": channel.units, **channel.attrs})


def _coordinates(layout: Layout, indices: list[int], times: npt.NDArray[np.float64]) -> dict[str, xr.Variable]:
    own = {
        axis.name: xr.Variable(axis.dim or axis.name, axis.values, {"units": axis.units, **axis.attrs})
        for axis in (*layout.axes, *layout.coordinates)
    }
    if layout.axes:
        return own
    since = times - times[0] if times.size else times
    return own | {
        STREAM: xr.Variable(STREAM, np.array(indices, dtype=np.int64)),
        "time": xr.Variable(STREAM, since, {"units": "s", "long_name": "time since the first shot"}),
    }


def _with_sources(
    dataset: xr.Dataset, layout: Layout, parts: Mapping[int, Mapping[str, Mapping[Source, float]]], at: list[int]
) -> xr.Dataset:
    for channel in layout.channels:
        known = dict.fromkeys(source for each in parts.values() for source in each.get(channel.name, ()))
        if not known:
            continue
        rows = {}
        for source in known:
            row = np.zeros(dataset["timestamp"].size)
            row[at] = [each.get(channel.name, {}).get(source, 0.0) for each in parts.values()]
            rows[source] = row.reshape(dataset["timestamp"].shape)
        dataset = attach(dataset, channel.name, rows, layout.dims)
    return dataset
