"""What a live view knows of an acquisition: its last shots, with the uncertainty of each reading.

Shots are taken beside the sampling and only kept; they are turned into columns when the view asks.
Not here: the view (`instruments.widgets.live`).
"""

import math
from collections import deque
from collections.abc import Mapping
from typing import Any

import numpy as np

from analysis.uncertainty import format_value
from instruments.shots import Channel, Layout, Shot

__all__ = ["Tail", "alarms_of"]

Floats = np.ndarray[Any, np.dtype[np.float64]]
_MOST = 20_000


class Tail:
    """The last 20 000 shots as columns, and the last array of each kind."""

    def __init__(self) -> None:
        self.layout: Layout | None = None
        self.count = 0
        self.last: Shot | None = None
        self._new: deque[Shot] = deque(maxlen=_MOST)
        self._times: deque[float] = deque(maxlen=_MOST)
        self._columns: dict[str, deque[float]] = {}
        self._first = math.nan

    def take(self, shot: Shot) -> None:
        """Keep a shot; called beside the sampling, costs next to nothing.

        Parameters
        ----------
        shot:
            The newest.
        """
        self._new.append(shot)

    def update(self, layout: Layout | None) -> bool:
        """Turn new shots into columns.

        Parameters
        ----------
        layout:
            Of the acquisition; None before its first shot.

        Returns
        -------
        :
            Whether there were any.
        """
        if layout is None or not self._new:
            return False
        self.layout = layout
        while self._new:
            self._add(self._new.popleft())
        return True

    def _add(self, shot: Shot) -> None:
        self.last, self.count = shot, self.count + 1
        self._first = shot.timestamp if math.isnan(self._first) else self._first
        self._times.append(shot.timestamp - self._first)
        for channel in self.numbers:
            self._column(channel.name).append(float(shot.values[channel.name]))
            self._column(f"u_{channel.name}").append(_u(shot, channel.name))

    def _column(self, name: str) -> deque[float]:
        return self._columns.setdefault(name, deque(maxlen=_MOST))

    @property
    def names(self) -> tuple[str, ...]:
        """What can be drawn."""
        return tuple(channel.name for channel in self._drawn)

    @property
    def _drawn(self) -> tuple[Channel, ...]:
        every = self.layout.channels if self.layout is not None else ()
        known = {channel.name for channel in every}
        return tuple(c for c in every if not (c.name.startswith("u_") and c.name[2:] in known))

    @property
    def numbers(self) -> tuple[Channel, ...]:
        """Channels whose shots are numbers, without their uncertainties."""
        return tuple(channel for channel in self._drawn if not channel.dims)

    def channel(self, name: str) -> Channel | None:
        """Return a channel; the first that can be drawn for an empty name, None where there is none."""
        return next((channel for channel in self._drawn if name in ("", channel.name)), None)

    def column(self, name: str, *, seconds: float) -> tuple[Floats, Floats, Floats]:
        """Return times, values and standard uncertainties of a number.

        Parameters
        ----------
        name:
            Of the channel.
        seconds:
            Of the past; 0 is all.

        Returns
        -------
        :
            In s since the first shot, and in the units of the channel.
        """
        times, values, u = (np.array(each) for each in (self._times, self._columns[name], self._columns[f"u_{name}"]))
        shown = times >= (times[-1] - seconds if seconds else -math.inf)
        return times[shown], values[shown], u[shown]

    def array(self, channel: Channel) -> tuple[str, str, Floats, Floats, Floats | None]:
        """Return the last array of a channel: name and units of its axis, places, values, standard uncertainties."""
        if self.layout is None or self.last is None:
            msg = f"no shot of {channel.name} has come yet"
            raise LookupError(msg)
        axes = [axis for axis in self.layout.coordinates if (axis.dim or axis.name) == channel.dims[-1]]
        axis = axes[-1] if axes else None
        values = np.asarray(self.last.values[channel.name], dtype=float).ravel()
        places = np.arange(values.size, dtype=float) if axis is None or len(channel.dims) > 1 else axis.values
        u = self.last.values.get(f"u_{channel.name}")
        order = np.argsort(places)
        named = ("place", "1") if axis is None else (axis.attrs.get("long_name", axis.name), axis.units)
        return *named, places[order], values[order], None if u is None else np.asarray(u, dtype=float).ravel()[order]

    def rows(self) -> list[dict[str, str]]:
        """Return the last readings in words.

        Returns
        -------
        :
            What, value with its standard uncertainty, units; numbers only.
        """
        if self.last is None:
            return []
        found = [(c, float(self.last.values[c.name]), _u(self.last, c.name)) for c in self.numbers]
        return [
            {"reading": c.name.replace("_", " "), "value": _words(value, u), "units": "" if c.units == "1" else c.units}
            for c, value, u in found
        ]


def _u(shot: Shot, name: str) -> float:
    """Return the standard uncertainty of a number: its noise, and what it shares with other shots."""
    return math.hypot(float(shot.values.get(f"u_{name}", 0.0)), *shot.parts.get(name, {}).values())


def _words(value: float, u: float) -> str:
    return format_value(value, u) if u > 0.0 else f"{value:.6g}"


def alarms_of(shot: Shot, limits: Mapping[str, tuple[float, float]], units: Mapping[str, str]) -> list[str]:
    """Return which readings lie outside their limits.

    Parameters
    ----------
    shot:
        The newest.
    limits:
        Lowest and highest value by channel.
    units:
        By channel.

    Returns
    -------
    :
        A sentence each.
    """
    found = []
    for name, (low, high) in limits.items():
        value = float(shot.values.get(name, math.nan))
        if not low <= value <= high:
            said = _words(value, _u(shot, name))
            found.append(f"{name} is {said} {units.get(name, '')}, outside [{low:g}, {high:g}]")
    return found
