"""What is to be acquired: a stream, a sweep, a scan of a grid, triggered bursts. Nothing is measured yet.

Not here: doing it (`instruments.acquire.running`).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from analysis.core import InstrumentError, did_you_mean
from instruments.acquire.reading import Taken, read
from instruments.clock import Clock, RealClock
from instruments.drivers.device import Driver, Number
from instruments.protocols import Controller, Device, require_within
from instruments.shots import Axis

__all__ = ["Steps", "Task", "bursts", "grid", "steps", "stream", "sweep"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Steps:
    """Places that a device goes to in a scan; made by `steps`."""

    device: Any
    """What moves."""
    axis: Axis
    """Its places."""
    setting: str = ""
    """Which setting of the device; empty for its `set`."""

    def go(self, place: int) -> None:
        """Go to a place, and wait.

        Parameters
        ----------
        place:
            Number of the place.

        Raises
        ------
        InstrumentError
            If the device does not get there.
        """
        value = float(self.axis.values[place])
        if self.setting:
            setattr(self.device, self.setting, value)
            return
        status = self.device.set(value)
        if status is not None and (error := status.exception(None)) is not None:
            raise error


@dataclass(frozen=True, kw_only=True, eq=False)
class Task:
    """An acquisition that has not begun."""

    detectors: tuple[Device, ...]
    """What is read."""
    scan: tuple[Steps, ...] = ()
    """What moves, the slowest first; empty for a stream."""
    count: int | None = None
    """Shots in all; None for an open end."""
    period: float = 0.0
    """From shot to shot, s; 0 is as fast as it goes."""
    settle: float = 0.0
    """Wait after a move, s."""
    readings: int = 1
    """Of each meter in a shot, averaged."""

    @property
    def devices(self) -> tuple[Any, ...]:
        """All devices, what moves first; each once."""
        found = [*(each.device for each in self.scan), *self.detectors]
        return tuple(device for k, device in enumerate(found) if not any(device is other for other in found[:k]))

    @property
    def clock(self) -> Clock:
        """Of the first detector."""
        return self.detectors[0].clock

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the axes."""
        return tuple(each.axis.values.size for each in self.scan)

    def take(self, index: int, before: int | None, wait: Callable[[float], None]) -> Taken:
        """Go to a place and read.

        Parameters
        ----------
        index:
            Of the shot.
        before:
            Of the shot before; None goes to every place anew.
        wait:
            Waits some seconds.

        Returns
        -------
        :
            What was read.
        """
        if self.scan:
            here = np.unravel_index(index, self.shape)
            there = (-1,) * len(here) if before is None else np.unravel_index(before, self.shape)
            moved = [(each, place) for each, place, old in zip(self.scan, here, there, strict=True) if place != old]
            for each, place in moved:
                each.go(int(place))
            if moved and self.settle:
                wait(self.settle)
        return read(self.detectors, readings=self.readings)


def steps(device: Any, values: npt.ArrayLike, *, setting: str = "", name: str = "") -> Steps:  # noqa: ANN401
    """Say where a device goes in a scan.

    Parameters
    ----------
    device:
        With `set(value)` (a source, a controller), or a driver with the setting.
    values:
        Places, shape (n,), finite; checked against the limits of the device now, before anything moves.
    setting:
        Name of a setting of a driver, such as `"stage_x"`; empty takes `set`.
    name:
        Of the coordinate; empty takes the setting, or the name of the device.

    Returns
    -------
    :
        For `grid`.

    Raises
    ------
    InstrumentError
        If a place lies outside the limits, there is none, or the device cannot move.
    """
    places = np.array(values, dtype=float, ndmin=1)
    label = name or setting or str(device.name)
    if places.ndim != 1 or not places.size or not np.isfinite(places).all():
        msg = f"{label} needs finite places of shape (n,), got {values!r:.80}"
        raise InstrumentError(msg)
    limits, units = _limits(device, setting)
    for place in places:
        require_within(float(place), limits, label, units)
    return Steps(device=device, axis=Axis(name=label, values=places, units=units), setting=setting)


def _limits(device: Any, setting: str) -> tuple[tuple[float, float], str]:  # noqa: ANN401 - any device
    own = device.settings() if isinstance(device, Driver) else {}
    if not setting:
        if not hasattr(device, "set"):
            msg = f"{device.name} has nothing to set; name one of its settings: setting=..."
            raise InstrumentError(msg)
        if isinstance(device, Controller):
            return device.limits, "1"
        if "level" not in own:
            return device.limits, device.units
        setting = "level"
    found = own.get(setting)
    if not isinstance(found, Number):
        numbers = [key for key, each in own.items() if isinstance(each, Number)]
        msg = f"{device.name} has no numeric setting {setting!r}; there are {numbers}.{did_you_mean(setting, numbers)}"
        raise InstrumentError(msg)
    return device.limits_of(found), device.units_of(found)


def stream(*detectors: Device, count: int | None = None, period: float = 0.0, readings: int = 1) -> Task:
    """Read devices again and again.

    Parameters
    ----------
    detectors:
        At least one, all on one clock.
    count:
        Shots, at least 1; None goes on until it is stopped.
    period:
        From the start of one shot to the next, s; a shot that comes late is counted. 0 is as fast as it goes.
    readings:
        Of each meter in a shot, averaged.

    Returns
    -------
    :
        For `run` and `start`.

    Raises
    ------
    InstrumentError
        If a number makes no sense, or the devices have several clocks.
    """
    if count is not None and count < 1:
        msg = f"count must be at least 1, or None for an open end, got {count}"
        raise InstrumentError(msg)
    return _checked(Task(detectors=detectors, count=count, period=period, readings=readings))


def bursts(digitiser: Device, *, count: int, period: float = 0.0) -> Task:
    """Take records of a digitiser, each after a trigger of its own.

    Parameters
    ----------
    digitiser:
        Whatever has `acquire()`: an oscilloscope, a spectrometer.
    count:
        Records, at least 1.
    period:
        From the start of one record to the next, s.

    Returns
    -------
    :
        For `run` and `start`.

    Raises
    ------
    InstrumentError
        If the device takes no records, or a number makes no sense.
    """
    if not hasattr(digitiser, "acquire"):
        msg = f"{digitiser.name} takes no records; use stream for single readings"
        raise InstrumentError(msg)
    return stream(digitiser, count=count, period=period)


def sweep(
    device: Any,  # noqa: ANN401 - any device that can be set
    values: npt.ArrayLike,
    *detectors: Device,
    setting: str = "",
    settle: float = 0.0,
    readings: int = 1,
) -> Task:
    """Set one thing to several values and read devices at each.

    Parameters
    ----------
    device:
        As in `steps`.
    values:
        Shape (n,), in the units of the device, in the order they are set.
    detectors:
        Read at each value.
    setting:
        As in `steps`.
    settle:
        Wait after each move, s.
    readings:
        Of each meter at each value, averaged.

    Returns
    -------
    :
        For `run` and `start`.

    Raises
    ------
    InstrumentError
        If a value lies outside the limits, or a number makes no sense.
    """
    return grid([steps(device, values, setting=setting)], *detectors, settle=settle, readings=readings)


def grid(scan: Sequence[Steps], *detectors: Device, settle: float = 0.0, readings: int = 1) -> Task:
    """Go to all places of a grid and read devices at each: numbers, or an array at each step.

    Parameters
    ----------
    scan:
        Made by `steps`, the slowest first.
    detectors:
        Read at each place.
    settle:
        Wait after each move, s.
    readings:
        Of each meter at each place, averaged.

    Returns
    -------
    :
        For `run` and `start`.

    Raises
    ------
    InstrumentError
        If nothing moves, two axes have one name, or a number makes no sense.
    """
    names = [each.axis.name for each in scan]
    if not names or len(set(names)) < len(names):
        msg = f"a grid needs axes of different names, got {names}; give name= to steps"
        raise InstrumentError(msg)
    task = _checked(Task(detectors=detectors, scan=tuple(scan), settle=settle, readings=readings))
    return replace(task, count=math.prod(task.shape))


def _checked(task: Task) -> Task:
    if not task.detectors:
        msg = "nothing is read: give at least one device"
        raise InstrumentError(msg)
    for name, value in {"period": task.period, "settle": task.settle}.items():
        if not 0.0 <= value < math.inf:
            msg = f"{name} must be finite and >= 0 s, got {value!r}"
            raise InstrumentError(msg)
    if task.readings < 1:
        msg = f"readings must be at least 1, got {task.readings}"
        raise InstrumentError(msg)
    clocks = {_time_of(device.clock): device.name for device in task.devices}
    if len(clocks) > 1:
        msg = f"devices on several clocks: {list(clocks.values())}; open them all on one bench, or give one clock"
        raise InstrumentError(msg)
    return task


def _time_of(clock: Clock) -> object:
    """Return what tells apart clocks that do not run together: all real ones do."""
    return RealClock if isinstance(clock, RealClock) else id(clock)
