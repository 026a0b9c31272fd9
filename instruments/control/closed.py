"""A closed loop as a device: each reading is one step of control, so that a loop is acquired, recorded and watched.

Not here: the controller (`instruments.control.pid`), acquisition (`instruments.acquire`).
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

from analysis.core import InstrumentError
from analysis.uncertainty import Quantity, Source
from instruments.control.loop import Interlock
from instruments.control.pid import Pid, PidSettings
from instruments.control.profile import Profile
from instruments.protocols import Controller, DataKey, Passing, Reading, require_within

__all__ = ["ClosedLoop"]


class ClosedLoop(Passing):
    """A PID loop over a process: reading it measures, computes and sets.

    It takes over where the output is: the first step only measures, and a value at its set point makes no bump.

    Parameters
    ----------
    process:
        Measures the process value and takes the output.
    pid:
        The controller; its limits must lie within what the process allows.
    setpoint:
        At first, in the units of the process value; may be changed at any time, also by a `Profile`.
    interlocks:
        Checked with each measurement, as the alarms of the device are, before anything is set. A set point beyond one
        is refused.
    """

    def __init__(
        self, process: Controller, pid: PidSettings, *, setpoint: float, interlocks: Sequence[Interlock] = ()
    ) -> None:
        super().__init__(process, name=process.name)
        self.process, self.units, self.interlocks = process, process.units, tuple(interlocks)
        self.alarms: tuple[str, ...] = ()
        """What the device complained about at the last step."""
        self._pid, self._last = Pid(pid), math.nan
        self._wanted: Callable[[], float] = float
        self.setpoint = setpoint

    @property
    def setpoint(self) -> float:
        """Of now, in the units of the process value."""
        return self._wanted()

    @setpoint.setter
    def setpoint(self, value: float) -> None:
        found = self._required(value)
        self._wanted = lambda: found

    def _required(self, value: float) -> float:
        low = max((each.low for each in self.interlocks), default=-math.inf)
        high = min((each.high for each in self.interlocks), default=math.inf)
        return require_within(value, (low, high), f"{self.name}.setpoint", self.units)

    def follow(self, profile: Profile) -> None:
        """Follow ramps and soaks, from now on.

        Parameters
        ----------
        profile:
            Within the interlocks.
        """
        begun = self.clock.now()
        for value in (profile.start, *(step.to for step in profile.steps if hasattr(step, "to"))):
            self._required(value)
        self._wanted = lambda: profile.setpoint(self.clock.now() - begun)

    def retune(self, pid: PidSettings) -> None:
        """Take other settings of the controller, without a bump of the output.

        Parameters
        ----------
        pid:
            Used from the next step on.
        """
        self._pid.retune(pid)

    def quantities(self) -> dict[str, Quantity]:
        """Do one step.

        Returns
        -------
        :
            The process value with its sources; set point and output.

        Raises
        ------
        InstrumentError
            If an interlock trips, the device has an alarm, or it fails; nothing is set then.
        """
        value, setpoint = self.process.measure(), self.setpoint
        self._check(value)
        output = self._output(setpoint, value.value)
        exact = {"setpoint": (setpoint, self.units), "output": (output, "1")}
        return {
            self.name: value,
            **{f"{self.name}_{key}": Quantity(value=v, u=0.0, units=units) for key, (v, units) in exact.items()},
        }

    def _check(self, value: Quantity) -> None:
        for each in self.interlocks:
            if not each.low <= value.value <= each.high:
                msg = (
                    f"interlock {each.name!r}: {self.name} at {value} lies outside [{each.low:g}, {each.high:g}] "
                    f"{self.units}; find out why before you start it again"
                )
                raise InstrumentError(msg)
        own: Any = getattr(self.process, "alarms", tuple)
        self.alarms = tuple(own())
        if self.alarms:
            msg = f"{self.name} at {value} is {', '.join(self.alarms)}; find out why before you start it again"
            raise InstrumentError(msg)

    def _output(self, setpoint: float, value: float) -> float:
        now = self.clock.now()
        seconds, self._last = now - self._last, now
        if not seconds > 0.0:  # the first step
            self._pid.hold(self.process.output, setpoint=value, value=value)
            return self._pid.output
        output = self._pid.update(setpoint, value, seconds)
        self.process.set(output)
        return output

    def lasting(self, seen: Quantity) -> frozenset[Source]:
        """Return which sources of the process value are the same in all readings.

        Parameters
        ----------
        seen:
            A process value.

        Returns
        -------
        :
            As the process says.
        """
        own: Any = getattr(self.process, "lasting", lambda _: frozenset[Source]())
        return frozenset(own(seen))

    def snapshot(self) -> dict[str, Any]:
        """Return the settings of device, controller and interlocks."""
        loop = {"setpoint": self.setpoint, **{key: _plain(value) for key, value in vars(self._pid.settings).items()}}
        locks = [{"name": each.name, "low": _plain(each.low), "high": _plain(each.high)} for each in self.interlocks]
        return {**self.process.snapshot(), "loop": loop, "interlocks": locks}

    def safe_state(self) -> None:
        """Make the process safe; the next step begins where the output then is."""
        self._last = math.nan
        self.process.safe_state()

    def read(self) -> dict[str, Reading]:
        """Do one step, as Bluesky asks for it."""
        found, now = self.quantities(), self.clock.timestamp()
        values = {**{key: each.value for key, each in found.items()}, f"u_{self.name}": found[self.name].u}
        return {key: Reading(value=value, timestamp=now) for key, value in values.items()}

    def describe(self) -> dict[str, DataKey]:
        """Say what `read` returns."""
        units = {
            self.name: self.units, f"{self.name}_setpoint": self.units, f"{self.name}_output": "1",
            f"u_{self.name}": self.units,
        }  # fmt: skip
        return {key: DataKey(source=self.resource, dtype="number", shape=[], units=each) for key, each in units.items()}


def _plain(value: float) -> float | None:
    """Return a number that JSON has; None for infinity."""
    return value if math.isfinite(value) else None
