"""Writers of recordings for tests that kill them; importable, so that a fork server can have them ready."""

import os
from pathlib import Path

import numpy as np

from analysis.uncertainty import Quantity
from analysis.uncertainty.sources import Source
from instruments import acquire, record
from instruments.clock import VirtualClock
from instruments.shots import Axis, Channel, Layout, Shot

POINTS = 512
PIXELS = Layout(
    axes=(),
    channels=(Channel(name="signal", units="counts", dims=("channel",), shape=(POINTS,), dtype="float32"),),
    coordinates=(Axis(name="pixel", values=np.arange(POINTS, dtype=float), units="1", dim="channel"),),
)


def row(index):
    return np.full(POINTS, index, dtype=np.float32)


def stream(path, count):
    """Write rows as fast as it goes."""
    with record.Recorder(path) as recorder:
        recorder.begin(PIXELS)
        for k in range(count):
            recorder.put(Shot(index=k, timestamp=1e9 + k, values={"signal": row(k)}))


class Stage:
    """Something that moves, and a meter beside it that reads what is known: ten times the row plus the column."""

    units, limits, parent, resource = "1", (0.0, 1000.0), None, "none"

    def __init__(self, name, world):
        self.name, self.world, self.clock = name, world, world["clock"]

    def set(self, value):
        self.world[self.name] = value

    def snapshot(self):
        return {"name": self.name}

    def safe_state(self):
        pass


class Reader(Stage):
    """The meter."""

    gain = Source(id="gain-of-the-reader", label="gain", units="1")

    def reading(self):
        return 10.0 * self.world["row"] + self.world["column"]

    def quantity(self, readings):
        noise = Source(id=os.urandom(8).hex(), label="noise", units="1", tags=("noise",))
        value = float(np.mean(readings))
        return Quantity.from_components(value, {self.gain: 0.01 * value, noise: 0.1}, units="1")

    def measure(self):
        return self.quantity([self.reading()])

    def _nothing(self):
        return {}

    identity = close = read = describe = read_configuration = describe_configuration = trigger = stop = _nothing


def scan(rows, columns):
    world = {"clock": VirtualClock(), "row": -1.0, "column": -1.0}
    places = [
        acquire.steps(Stage("row", world), np.arange(rows, dtype=float)),
        acquire.steps(Stage("column", world), np.arange(columns, dtype=float)),
    ]
    return acquire.grid(places, Reader("reader", world))


def write_scan(path, log, rows, columns):
    """Record a scan, going on where it stopped; note each shot that is acknowledged."""
    with Path(log).open("ab", buffering=0) as acknowledged:
        record.record(
            scan(rows, columns), path, resume=True, told=lambda shot: acknowledged.write(b"%d\n" % shot.index)
        )


def write_stream(path, log):
    """Write rows of pixels for ever, going on where it stopped."""
    with Path(log).open("ab", buffering=0) as acknowledged, record.Recorder(path, resume=True) as recorder:
        done = recorder.count
        recorder.begin(PIXELS)
        for k in range(done, 10**9):
            recorder.put(Shot(index=k, timestamp=1e9 + k, values={"signal": row(k)}))
            acknowledged.write(b"%d\n" % k)
