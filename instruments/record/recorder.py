"""The recorder: writes each shot to an HDF5 file that others may watch, and acknowledges it when it is there.

A shot is acknowledged by its time stamp, written last. The system keeps what was flushed when the program is killed.
Not here: the file before its first shot (`instruments.record.skeleton`), reading (`instruments.record.reading`).
"""

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import h5py
import numpy as np
import numpy.typing as npt
import xarray as xr

from analysis import io
from analysis.core import InstrumentError
from analysis.uncertainty.sources import INFO, SOURCE, Source
from instruments.acquire import Task, run
from instruments.record import reading, skeleton
from instruments.shots import STREAM, Layout, Shot

__all__ = ["Recorder", "record"]

_TIME = "timestamp"
_CACHE = 1 << 18  # bytes of chunks in memory for each array; the default of HDF5 2 lets a long stream grow by 24 MB
_OPEN = "not ended: being recorded, or the program was killed"


class Recorder:
    """A sink that keeps every shot in a file; one writer a file, any number of readers.

    Parameters
    ----------
    path:
        The file, `.nc`, `.h5` or `.nxs`.
    resume:
        Whether to go on with a file that is there; without it such a file is an error.

    Raises
    ------
    InstrumentError
        If the file is there and `resume` is not set, it is no recording, or another program writes it.
    """

    def __init__(self, path: str | Path, *, resume: bool = False) -> None:
        self.path = Path(path).resolve()  # a link is no second file
        if self.path.exists() and not resume:
            msg = f"{self.path.name!r} is there already; nothing was written. Choose another name, or resume=True"
            raise InstrumentError(msg)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = reading.locked(self.path)
        self.count = 0
        self._file: h5py.File | None = None
        self._arrays: dict[str, h5py.Dataset] = {}
        self._places: dict[Source, int] = {}
        self._layout: Layout | None = None
        self._rows, self._begun = 0, math.nan
        try:
            self._done = set(reading.recovered(self.path)) if self.path.exists() else set()
            self.count = len(self._done)
        except BaseException:
            self._lock.release()
            raise

    def done(self) -> frozenset[int]:
        """Return the shots that need not be taken again.

        Returns
        -------
        :
            Indices of those in the file; of a stream that is being recorded the last one only.
        """
        return frozenset(self._done)

    def begin(self, layout: Layout) -> None:
        """Make the file, or go on with it; from now on others may watch it.

        Parameters
        ----------
        layout:
            What the shots hold.

        Raises
        ------
        InstrumentError
            If the file holds another scan or cannot hold this one, or this recorder has begun or ended.
        """
        if self._file is not None or not self._lock.is_locked:
            msg = f"{self.path.name!r} has begun or ended already; make a new Recorder(path, resume=True)"
            raise InstrumentError(msg)
        skeleton.require_recordable(layout)
        if self.count:
            self._require_same(layout)
        else:
            skeleton.make(layout, self.path, {"ended": _OPEN})
        self._layout = layout
        self._file = h5py.File(self.path, "r+", libver="latest", rdcc_nbytes=_CACHE)
        group = self._file[skeleton.DATA]
        group.attrs["ended"] = _OPEN
        names = json.loads(group.attrs["metrospec"])["names"]
        stored = {channel.name: names.get(channel.name, channel.name) for channel in layout.channels}
        kept = [*(f"{name}{skeleton.SOURCES}" for name in stored), SOURCE, INFO, STREAM, "time"]
        self._arrays = {name: group[own] for name, own in stored.items()}
        self._arrays |= {name: group[name] for name in kept if name in group} | {_TIME: group[_TIME]}
        self._rows = 0 if layout.axes else group[_TIME].shape[0]
        self._begun = float(group[_TIME][0]) if self._rows else math.nan
        if INFO in self._arrays:
            texts = self._arrays[INFO][()]
            self._places = {Source.from_json(text.decode()): k for k, text in enumerate(texts)}
        self._file.swmr_mode = True

    def put(self, shot: Shot) -> None:
        """Write a shot; when this returns it survives the end of the program.

        Parameters
        ----------
        shot:
            Of the layout.

        Raises
        ------
        InstrumentError
            If it does not fit the layout, or the disk does not take it; what was acknowledged before is kept.
        """
        if self._file is None or self._layout is None:
            msg = f"{self.path.name!r} is not open for recording; call begin(layout) first"
            raise InstrumentError(msg)
        try:
            self._put(shot, self._layout)
        except (OSError, RuntimeError) as error:
            msg = (
                f"{self.path.name!r} does not take shot {shot.index}: {error}; {self.count} shots are kept. "
                "Make room and resume=True"
            )
            raise InstrumentError(msg) from error
        if not self._layout.axes:
            self._done.clear()  # a stream goes on after its last shot; a set of all would grow for ever
        elif shot.index in self._done:
            return
        self._done.add(shot.index)
        self.count += 1

    def end(self, *, reason: str = "") -> None:
        """Close the file and say how it ended; again is no error.

        Parameters
        ----------
        reason:
            Empty if all went well.

        Raises
        ------
        InstrumentError
            If the file cannot be closed; what was acknowledged is kept.
        """
        file, self._file, self._arrays = self._file, None, {}
        try:
            if file is not None:
                file.close()
                missing = max(0, _expected(self._layout) - self.count)
                skeleton.ended(self.path, {"ended": reason or "complete", "missing": missing})
        except (OSError, RuntimeError) as error:
            msg = f"{self.path.name!r} could not be closed: {error}; {self.count} shots are kept: record.recover"
            raise InstrumentError(msg) from error
        finally:
            self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.end(reason="" if error is None else f"{type(error).__name__}: {error}")
        except InstrumentError as failed:
            if error is None:
                raise
            error.add_note(str(failed))

    def _require_same(self, layout: Layout) -> None:
        with h5py.File(self.path, "r") as file:
            held = skeleton.layout_of(file)
        for what, ours, theirs in (
            ("axes", layout.axes, held.axes), ("coordinates", layout.coordinates, held.coordinates)
        ):  # fmt: skip
            same = [(a.name, a.units) for a in ours] == [(a.name, a.units) for a in theirs] and all(
                np.array_equal(a.values, b.values) for a, b in zip(ours, theirs, strict=True)
            )
            if not same:
                self._refuse(what)
        if [(c.name, c.units, c.shape) for c in layout.channels] != [(c.name, c.units, c.shape) for c in held.channels]:
            self._refuse("channels")

    def _refuse(self, what: str) -> None:
        msg = f"{self.path.name!r} holds another acquisition: its {what} differ; nothing was written. Choose a new name"
        raise InstrumentError(msg)

    def _put(self, shot: Shot, layout: Layout) -> None:
        _require_fitting(shot, layout, frozenset(self._arrays))
        self._name_sources(shot.parts)
        place: tuple[Any, ...] = tuple(np.unravel_index(shot.index, layout.shape)) if layout.axes else (self._rows,)
        if not layout.axes:
            self._grow(self._rows + 1)
            self._begun = shot.timestamp if math.isnan(self._begun) else self._begun
            _write(self._arrays[STREAM], place, shot.index)
            _write(self._arrays["time"], place, shot.timestamp - self._begun)
        for channel in layout.channels:
            _write(self._arrays[channel.name], place, shot.values[channel.name])
            rows = self._arrays.get(f"{channel.name}{skeleton.SOURCES}")
            for source, part in shot.parts.get(channel.name, {}).items():
                _write(rows, (self._places[source], *place), part)
        for name, array in self._arrays.items():
            if name != _TIME:
                array.flush()
        _write(self._arrays[_TIME], place, shot.timestamp)
        self._arrays[_TIME].flush()
        self._rows += not layout.axes

    def _grow(self, rows: int) -> None:
        for name, array in self._arrays.items():
            if name.endswith(skeleton.SOURCES):
                array.resize(rows, axis=1)
            elif name not in {SOURCE, INFO}:
                array.resize(rows, axis=0)

    def _name_sources(self, parts: Mapping[str, Mapping[Source, float]]) -> None:
        for source in dict.fromkeys(source for each in parts.values() for source in each):
            if source in self._places:
                continue
            text = json.dumps(json.loads(source.to_json())).encode("ascii")
            if len(text) > skeleton.INFO_BYTES:
                msg = f"the source {source.label!r} takes {len(text)} bytes, {skeleton.INFO_BYTES} are kept; shorten it"
                raise InstrumentError(msg)
            k = self._places[source] = len(self._places)
            for name, array in self._arrays.items():
                if name in {SOURCE, INFO} or name.endswith(skeleton.SOURCES):
                    array.resize(k + 1, axis=0)
            self._arrays[SOURCE][k], self._arrays[INFO][k] = source.id.encode("ascii"), text


def _expected(layout: Layout | None) -> int:
    if layout is None:
        return 0
    return math.prod(layout.shape) if layout.axes else layout.count or 0


def _require_fitting(shot: Shot, layout: Layout, arrays: frozenset[str]) -> None:
    """Refuse a shot before any of it is written."""
    if not math.isfinite(shot.timestamp):
        msg = f"shot {shot.index}: the timestamp is {shot.timestamp}; wanted seconds since 1970, finite"
        raise InstrumentError(msg)
    if layout.axes and not 0 <= shot.index < math.prod(layout.shape):
        msg = f"shot {shot.index} lies outside the grid of {layout.shape}: 0 to {math.prod(layout.shape) - 1}"
        raise InstrumentError(msg)
    for channel in layout.channels:
        if channel.name not in shot.values:
            msg = f"shot {shot.index} brings {sorted(shot.values)}, the layout wants {channel.name!r}"
            raise InstrumentError(msg)
        shape = np.shape(shot.values[channel.name])
        if shape != channel.shape:
            msg = f"shot {shot.index}: {channel.name!r} has shape {shape}, the layout says {channel.shape}"
            raise InstrumentError(msg)
    lost = [name for name, parts in shot.parts.items() if parts and f"{name}{skeleton.SOURCES}" not in arrays]
    if lost:
        msg = f"shot {shot.index}: {lost} bring sources, which are kept for numbers with a channel 'u_<name>' only"
        raise InstrumentError(msg)


def _write(array: Any, place: tuple[Any, ...], value: npt.ArrayLike) -> None:  # noqa: ANN401 - h5py has no types
    """Write one shot's value; a fifth of the time that `array[place] = value` takes."""
    given = np.asarray(value, dtype=array.dtype, order="C")
    start, count = place + (0,) * given.ndim, (1,) * len(place) + given.shape
    there = array.id.get_space()
    there.select_hyperslab(start, count)
    array.id.write(h5py.h5s.create_simple(count), there, given)


def record(
    task: Task, path: str | Path, *, resume: bool = False, told: Callable[[Shot], object] | None = None,
    retries: int = 0,
) -> xr.Dataset:  # fmt: skip
    """Acquire into a file, and return what it holds.

    Parameters
    ----------
    task:
        What to acquire.
    path:
        The file, `.nc`, `.h5` or `.nxs`.
    resume:
        Whether to go on with a file that is there: shots that it has are not taken again.
    told:
        Called with every shot that is kept.
    retries:
        How often a shot is taken again if an instrument fails.

    Returns
    -------
    :
        As `io.read` reads the file, with the shots of before.

    Raises
    ------
    AcquisitionError
        If a device, the disk or the callback fails; what was acknowledged is in the file.
    InstrumentError
        If the file is there already, holds another acquisition, or another program writes it.
    """
    recorder = Recorder(path, resume=resume)
    if task.count is None or recorder.count < task.count:
        try:
            run(task, sinks=[recorder], told=told, retries=retries)
        finally:
            recorder.end(reason="")
    else:
        recorder.end()
    return io.require_one(io.read(path))
