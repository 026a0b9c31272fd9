"""Acquisition: streams, averages, sweeps, scans of a grid with an array at each step, triggered bursts."""

from instruments.acquire.averaging import average
from instruments.acquire.running import Running, run, start
from instruments.acquire.tasks import Steps, Task, bursts, grid, steps, stream, sweep

__all__ = [
    "Running", "Steps", "Task", "average", "bursts", "grid", "run", "start", "steps", "stream",
    "sweep",
]  # fmt: skip
