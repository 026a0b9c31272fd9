"""An acquisition under way: sampled in one thread, given away in another, stopped at once, safe at the end.

The sampling thread never waits for a file or a view, unless they fall behind a scan, which can wait. What is read is
kept in memory until somebody else has it.
Not here: what is acquired (`instruments.acquire.tasks`), files.
"""

import itertools
import math
import queue
import threading
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import xarray as xr

from analysis.core import AcquisitionError, InstrumentError
from instruments.acquire.reading import Taken
from instruments.acquire.tasks import Task
from instruments.clock import RealClock
from instruments.control import guard
from instruments.shots import Channel, Layout, Shot, Sink, to_dataset

__all__ = ["Running", "run", "start"]

_SLICE = 0.05  # s, how long a stop may wait for a wait
_TAIL = 10_000  # shots kept in memory where a sink keeps them all


class _StoppedError(Exception):
    """The user stopped it: what moves and drives is made safe as after an error."""


class Running:
    """An acquisition that goes on in a thread; made by `start`."""

    def __init__(
        self, task: Task, sinks: Sequence[Sink], told: Callable[[Shot], object] | None, retries: int, queue_size: int
    ) -> None:
        self.task, self._sinks, self._told, self._retries = task, tuple(sinks), told, retries
        self.layout: Layout | None = None
        self.count = self.dropped = self.late = self.retaken = 0
        self._kept: deque[Shot] = deque(maxlen=_TAIL if sinks else None)
        self._queue: queue.Queue[Shot | None] = queue.Queue(maxsize=queue_size)
        self._stop = threading.Event()
        self._error: BaseException | None = None
        self._unsafe: tuple[str, ...] = ()
        self._begun: list[Sink] = []
        self._writer = threading.Thread(target=self._give, name="metrospec writer", daemon=True)
        self._sampler = threading.Thread(target=self._sample, name="metrospec sampler")
        self._sampler.start()

    # -- what the user asks
    @property
    def state(self) -> str:
        """`running`, `done`, `stopped` or `failed`."""
        if self._sampler.is_alive() or self._writer.is_alive():
            return "running"
        if self._error is None:
            return "done"
        return "stopped" if self._stopped else "failed"

    @property
    def reason(self) -> str:
        """Why it ended early; empty if it did not."""
        if self._error is None:
            return ""
        stopped = isinstance(self._error, _StoppedError)
        why = "stopped by the user" if stopped else f"{type(self._error).__name__}: {self._error}"
        return "; ".join((why, *self._unsafe))

    @property
    def _stopped(self) -> bool:
        """Whether the user ended it and all devices were made safe."""
        return isinstance(self._error, _StoppedError) and not self._unsafe

    def stop(self) -> None:
        """Stop after the exchange that is under way and make all devices safe; what was read stays."""
        self._stop.set()

    def dataset(self) -> xr.Dataset:
        """Return what has been read so far.

        Returns
        -------
        :
            As `instruments.shots.to_dataset` makes it; attributes say what was `dropped`, `late`, `retaken`, and why
            it `ended` early. With a sink only the last 10 000 shots are in memory: the sink has them all.

        Raises
        ------
        InstrumentError
            If nothing has been read yet.
        """
        if self.layout is None:
            msg = f"nothing has been read yet{': ' + self.reason if self.reason else ''}"
            raise InstrumentError(msg)
        counted = {"dropped": self.dropped, "late": self.late, "retaken": self.retaken, "ended": self.reason}
        return to_dataset(self.layout, list(self._kept), attrs=counted)

    def latest(self, count: int) -> tuple[Shot, ...]:
        """Return the last shots, for a live view.

        Parameters
        ----------
        count:
            At most so many.

        Returns
        -------
        :
            The oldest first.
        """
        kept = list(self._kept)
        return tuple(kept[-count:])

    def wait(self, timeout: float | None = None) -> xr.Dataset:
        """Wait for the end.

        Parameters
        ----------
        timeout:
            In s of the real clock; None waits as long as it takes.

        Returns
        -------
        :
            What was read, also if it was stopped.

        Raises
        ------
        AcquisitionError
            If it failed: a device, a sink, the callback, or a stop after which a device could not be made safe. The
            message says which devices are not safe; `data` has what was read.
        InstrumentError
            If it still runs after the timeout.
        """
        end = math.inf if timeout is None else time.monotonic() + timeout
        while self._sampler.is_alive() and time.monotonic() < end:  # in slices, so that Ctrl-C gets through everywhere
            self._sampler.join(min(0.2, end - time.monotonic()))
        if self._sampler.is_alive():
            msg = f"still running after {timeout} s, at shot {self.count}; wait on, or stop()"
            raise InstrumentError(msg)
        if self._writer.ident is not None:
            self._writer.join(timeout)
        if self.dropped:
            words = f"{self.dropped} shots were dropped: what takes them was slower than what reads; its gaps are known"
            warnings.warn(words, RuntimeWarning, stacklevel=2)
        if self._error is None or self._stopped:
            return self.dataset()
        raise self._failure() from self._error

    def _failure(self) -> AcquisitionError:
        of = f" of {self.task.count}" if self.task.count else ""
        safe = "" if self._unsafe else "; all devices were made safe"
        error = AcquisitionError(f"ended at shot {self.count}{of} by {self.reason}{safe}; what was read is in .data")
        error.data = None if self.layout is None else self.dataset()
        return error

    def _interrupt(self, error: Any) -> None:  # noqa: ANN401 - an exception, which is told more
        self.stop()
        self._sampler.join()
        if self._error is None:  # it had just ended well, and left the outputs as they were
            self._guard(self._give_rest)
        if self._writer.ident is not None:
            self._writer.join()
        error.data = None if self.layout is None else self.dataset()
        safe = "; ".join(self._unsafe) or "all devices were made safe"
        error.add_note(f"{self.count} shots were read; {safe}; .data has what was read")

    def _guard(self, act: Callable[[], None]) -> None:
        """Act; at any exception note why, and make all devices safe."""
        try:
            with guard(*self.task.devices):
                try:
                    act()
                except BaseException as error:
                    self._error = self._error or error
                    raise _StoppedError from error  # a fresh one, in which only what is not safe is noted
        except _StoppedError as ended:
            self._unsafe = tuple(getattr(ended, "__notes__", ()))

    # -- the sampling thread
    def _sample(self) -> None:
        self._guard(self._all)
        if self._writer.ident is None:
            for sink in self._begun:
                self._end(sink)
        while self._writer.is_alive() and threading.main_thread().is_alive() and not self._offer(None):
            pass

    def _all(self) -> None:
        self._loop()
        self._give_rest()

    def _give_rest(self) -> None:
        """Wait until all shots are kept; what fails there is a reason to make safe, too."""
        if self._writer.ident is not None:
            self._offer(None)
            while self._writer.is_alive() and not self._stop.is_set():
                self._writer.join(_SLICE)
        if self._stop.is_set() or self._error is not None:
            raise _StoppedError

    def _loop(self) -> None:
        clock, before, begun = self.task.clock, None, 0.0
        for done, index in enumerate(self._to_do()):
            if self._stop.is_set() or not threading.main_thread().is_alive():
                raise _StoppedError
            if done and self.task.period:
                due = begun + done * self.task.period
                self.late += clock.now() > due + 0.01 * self.task.period
                self._wait(due - clock.now())
            elif not done:
                begun = clock.now()
            when = clock.timestamp()
            taken = self._taken(index, before)
            self._keep(Shot(index=index, timestamp=when, values=taken.values, parts=taken.parts))
            before = index

    def _to_do(self) -> Iterator[int]:
        done = frozenset[int]().union(*(getattr(sink, "done", frozenset)() for sink in self._sinks))
        every = itertools.count() if self.task.count is None else range(self.task.count)
        if done and not self.task.scan:
            every = itertools.count(max(done) + 1) if self.task.count is None else range(max(done) + 1, self.task.count)
        return (index for index in every if index not in done)

    def _taken(self, index: int, before: int | None) -> Taken:
        for attempt in itertools.count():
            try:
                taken = self.task.take(index, before if attempt == 0 else None, self._wait)
                if self.layout is None:
                    self.layout = self._layout(taken)
            except InstrumentError:
                if attempt >= self._retries or self._stop.is_set():
                    raise
                self.retaken += 1
            else:
                return taken
        raise AssertionError

    def _wait(self, seconds: float) -> None:
        clock = self.task.clock
        if not isinstance(clock, RealClock):
            clock.sleep(max(seconds, 0.0))
            return
        end = clock.now() + seconds
        while (left := end - clock.now()) > 0.0:
            if self._stop.wait(min(left, _SLICE)) or not threading.main_thread().is_alive():
                raise _StoppedError

    def _keep(self, shot: Shot) -> None:
        if self.layout is not None and not self.count:
            for sink in self._sinks:
                sink.begin(self.layout)
                self._begun.append(sink)
            if self._sinks or self._told is not None:
                self._writer.start()
        self._kept.append(shot)
        self.count += 1
        if self._writer.ident is None:
            return
        if self.task.period and self._queue.full():
            self.dropped += 1
            return
        self.dropped += not self._offer(shot)

    def _offer(self, shot: Shot | None) -> bool:
        """Wait for a place in the queue until it is stopped; tell whether there was one."""
        while True:
            try:
                self._queue.put(shot, timeout=_SLICE)
            except queue.Full:
                if self._stop.is_set():
                    return False
            else:
                return True

    def _layout(self, taken: Taken) -> Layout:
        return Layout(
            axes=tuple(each.axis for each in self.task.scan), channels=_named(taken.channels),
            coordinates=taken.coordinates, count=self.task.count,
            settings={device.name: device.snapshot() for device in self.task.devices},
        )  # fmt: skip

    # -- the thread that gives shots away
    def _give(self) -> None:
        try:
            while (shot := self._queue.get()) is not None:
                for sink in self._sinks:
                    sink.put(shot)
                if self._told is not None:
                    self._told(shot)
        except BaseException as error:  # noqa: BLE001 - the sampling thread ends, `wait` tells
            self._error = self._error or error
            self._stop.set()
            while self._queue.get() is not None:  # until the sampling thread has ended
                pass
        for sink in self._begun:
            self._end(sink)

    def _end(self, sink: Sink) -> None:
        dropped = f"{self.dropped} shots dropped" if self.dropped else ""
        try:
            sink.end(reason="; ".join(filter(None, (self.reason, dropped))))
        except Exception as error:  # noqa: BLE001 - the other sinks end too, `wait` tells
            self._error = self._error or error


def _named(channels: tuple[Channel, ...]) -> tuple[Channel, ...]:
    names = [each.name for each in channels]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        msg = f"several devices bring {twice}; open them with names of their own"
        raise InstrumentError(msg)
    return channels


def start(
    task: Task, *, sinks: Sequence[Sink] = (), told: Callable[[Shot], object] | None = None, retries: int = 0,
    queue_size: int = 1000,
) -> Running:  # fmt: skip
    """Begin an acquisition in a thread of its own; the kernel stays free.

    Parameters
    ----------
    task:
        What to acquire.
    sinks:
        Take every shot as it comes, such as a recorder. Shots that a sink has already (`done()`) are not taken again.
    told:
        Called with every shot, beside the sampling; if it raises, the acquisition ends safely.
    retries:
        How often a shot is taken again if an instrument fails; how often that was is said.
    queue_size:
        Shots that wait for the sinks. If they are full a scan waits; a stream with a period goes on, and what is
        dropped is counted and said.

    Returns
    -------
    :
        To watch, to stop, to wait for.

    Raises
    ------
    InstrumentError
        If a number makes no sense.
    """
    if retries < 0 or queue_size < 1:
        msg = f"retries must be >= 0 and queue_size >= 1, got {retries} and {queue_size}"
        raise InstrumentError(msg)
    return Running(task, sinks, told, retries, queue_size)


def run(
    task: Task, *, sinks: Sequence[Sink] = (), told: Callable[[Shot], object] | None = None, retries: int = 0,
    queue_size: int = 1000,
) -> xr.Dataset:  # fmt: skip
    """Acquire and wait for the end.

    Parameters
    ----------
    task, sinks, told, retries, queue_size:
        As in `start`.

    Returns
    -------
    :
        What was read: see `Running.dataset`.

    Raises
    ------
    AcquisitionError
        If a device, a sink or the callback fails. All devices are safe then, and `data` has what was read.
    KeyboardInterrupt
        Ctrl-C: the exchange under way ends, all devices are made safe, and `data` of the exception has what was read.
    """
    running = start(task, sinks=sinks, told=told, retries=retries, queue_size=queue_size)
    try:
        return running.wait()
    except KeyboardInterrupt as error:
        running._interrupt(error)  # noqa: SLF001 - the same module
        raise
