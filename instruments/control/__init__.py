"""Closed loops: PID, identification of a process, tuning, set points, interlocks, the way to a safe state."""

from instruments.control.closed import ClosedLoop
from instruments.control.guarding import guard
from instruments.control.identify import Ultimate, identify_relay, identify_step
from instruments.control.loop import Interlock, LoopSettings, run_loop
from instruments.control.pid import Pid, PidSettings
from instruments.control.profile import Profile, Ramp, Soak
from instruments.control.tuning import simc, tyreus_luyben

__all__ = [
    "ClosedLoop",
    "Interlock",
    "LoopSettings",
    "Pid",
    "PidSettings",
    "Profile",
    "Ramp",
    "Soak",
    "Ultimate",
    "guard",
    "identify_relay",
    "identify_step",
    "run_loop",
    "simc",
    "tyreus_luyben",
]
