"""A closed loop over a device: measure, compute, set, in real or virtual time, with interlocks.

Not here: the controller (`instruments.control.pid`), recording to a file.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import xarray as xr

from analysis.core import InstrumentError
from instruments.control.guarding import guard
from instruments.control.pid import Pid, PidSettings
from instruments.control.profile import Profile
from instruments.protocols import Controller

__all__ = ["Interlock", "LoopSettings", "run_loop"]


@dataclass(frozen=True, kw_only=True)
class Interlock:
    """Limits of the process value beyond which the loop stops and the device is made safe."""

    name: str
    """Said when it trips."""
    low: float = -math.inf
    """In the units of the process value."""
    high: float = math.inf
    """In the units of the process value."""


@dataclass(frozen=True, kw_only=True)
class LoopSettings:
    """What a loop does."""

    pid: PidSettings
    """The controller; its limits must lie within those of the device."""
    profile: Profile
    """Set points."""
    period: float
    """Between two measurements, in s, > 0."""
    interlocks: tuple[Interlock, ...] = ()
    """Checked at each measurement, before anything is set."""


def run_loop(
    device: Controller, settings: LoopSettings, *, told: Callable[[float, float, float, float], bool] | None = None
) -> xr.Dataset:
    """Control a process along a profile of set points.

    Parameters
    ----------
    device:
        Measures the process value and takes the output; its clock is that of the loop.
    settings:
        Controller, profile, period, interlocks.
    told:
        Called after each step with time, set point, value and output; if it returns False the loop ends.

    Returns
    -------
    :
        Dims `(time,)`: `setpoint`, `value`, `output`, and the time in s since the start. If a step took longer than
        the period the next begins at once; how often that was is in the attribute `late`.

    Raises
    ------
    InstrumentError
        If the period is not > 0, a measurement is not finite, or an interlock trips; the device is safe then.
    """
    if not 0 < settings.period < math.inf:
        msg = f"the period must be > 0 s, got {settings.period!r}"
        raise InstrumentError(msg)
    clock, pid = device.clock, Pid(settings.pid)
    count = int(settings.profile.duration / settings.period + 1e-9) + 1
    rows = np.full((count, 4), np.nan)
    begun, last, late, done = clock.now(), -settings.period, 0, 0
    with guard(device):
        for k in range(count):
            time = clock.now() - begun
            rows[k] = _step(device, settings, pid, time, time - last)
            last, done = time, k + 1
            if told is not None and told(*rows[k].tolist()) is False:
                break
            due = begun + (k + 1) * settings.period
            late += clock.now() > due
            if done < count:
                clock.sleep(max(due - clock.now(), 0.0))
    return _dataset(rows[:done], device.units, late)


def _step(
    device: Controller, settings: LoopSettings, pid: Pid, time: float, seconds: float
) -> tuple[float, float, float, float]:
    value = device.process_value()
    setpoint = settings.profile.setpoint(time)
    for each in settings.interlocks:
        if not each.low <= value <= each.high:
            msg = (
                f"interlock {each.name!r} at {time:g} s: {value:g} {device.units} lies outside "
                f"[{each.low:g}, {each.high:g}]; the device was made safe"
            )
            raise InstrumentError(msg)
    output = pid.update(setpoint, value, seconds)
    device.set(output)
    return time, setpoint, value, output


def _dataset(rows: np.ndarray[tuple[int, int], np.dtype[np.float64]], units: str, late: int) -> xr.Dataset:
    time, setpoint, value, output = rows.T
    return xr.Dataset(
        {
            "setpoint": ("time", setpoint, {"units": units}),
            "value": ("time", value, {"units": units}),
            "output": ("time", output, {"units": "1"}),
        },
        coords={"time": ("time", time, {"units": "s", "long_name": "time since the start"})},
        attrs={"late": late},
    )
