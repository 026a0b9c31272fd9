"""Time that instruments, loops and simulators share: the machine's, or a virtual one in which an hour takes no time.

Not here: who waits for what (`instruments.protocols` says what a device does with its clock).
"""

import math
import threading
import time
from typing import Protocol, runtime_checkable

from analysis.core import InstrumentError

__all__ = ["Clock", "RealClock", "VirtualClock"]

VIRTUAL_START = 1_767_225_600.0  # 2026-01-01T00:00:00Z, so that simulated data carry the same time stamps in every run


@runtime_checkable
class Clock(Protocol):
    """What tells the time and waits."""

    def now(self) -> float:
        """Return seconds since an arbitrary start; never runs backwards."""

    def timestamp(self) -> float:
        """Return seconds since 1970-01-01T00:00:00Z, for labels."""

    def sleep(self, seconds: float) -> None:
        """Wait; 0 is allowed, less is refused."""

    def sleep_until(self, moment: float) -> None:
        """Wait until `now()` is at least `moment`; the past is no wait."""


class RealClock:
    """The clock of this machine: monotonic for intervals, system time for labels."""

    def now(self) -> float:
        """Return seconds of the monotonic clock.

        Returns
        -------
        :
            In s.
        """
        return time.monotonic()

    def timestamp(self) -> float:
        """Return the system time.

        Returns
        -------
        :
            Seconds since 1970-01-01T00:00:00Z.
        """
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Wait.

        Parameters
        ----------
        seconds:
            Finite, >= 0.
        """
        time.sleep(_require_wait(seconds))

    def sleep_until(self, moment: float) -> None:
        """Wait until a moment of `now()`.

        Parameters
        ----------
        moment:
            In s; the past is no wait.
        """
        time.sleep(max(0.0, moment - self.now()))


class VirtualClock:
    """A clock that only sleeping moves: deterministic, safe between threads, and as fast as the program.

    All who share it share its time: a sleep of one thread moves the time of all. `sleep_until` of several threads
    to one moment moves it there once.
    """

    def __init__(self, start: float = VIRTUAL_START) -> None:
        self._start = float(start)
        self._elapsed = 0.0
        self._lock = threading.Lock()

    def now(self) -> float:
        """Return the virtual time since the start.

        Returns
        -------
        :
            In s.
        """
        with self._lock:
            return self._elapsed

    def timestamp(self) -> float:
        """Return the virtual time of day.

        Returns
        -------
        :
            Seconds since 1970-01-01T00:00:00Z.
        """
        return self._start + self.now()

    def sleep(self, seconds: float) -> None:
        """Move the time on, at once.

        Parameters
        ----------
        seconds:
            Finite, >= 0.
        """
        wait = _require_wait(seconds)
        with self._lock:
            self._elapsed += wait

    def sleep_until(self, moment: float) -> None:
        """Move the time to a moment, at once.

        Parameters
        ----------
        moment:
            In s of `now()`; the past changes nothing.
        """
        if not math.isfinite(moment):
            _require_wait(moment)
        with self._lock:
            self._elapsed = max(self._elapsed, float(moment))


def _require_wait(seconds: float) -> float:
    if not math.isfinite(seconds) or seconds < 0.0:
        msg = f"a wait must be finite and >= 0 s, got {seconds}; compute the time left with max(0, ...)"
        raise InstrumentError(msg)
    return float(seconds)
