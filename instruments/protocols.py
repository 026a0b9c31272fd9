"""What acquisition, control and recording rely on, and every driver offers: small protocols in SI units.

A device has a `name` (the prefix of its keys), a `clock`, a snapshot of its settings, a safe state, and Bluesky's
`read`, `describe` and (where it can be moved) `set`, so that a RunEngine takes it as it is. Numbers are plain floats in
SI units (degC for temperatures); `measure()` gives the same number as a `Quantity` with its sources.
Not here: devices, opening lines, time (`instruments.clock`).
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypedDict, runtime_checkable

import numpy as np
import numpy.typing as npt
import xarray as xr

from analysis.core import InstrumentError
from analysis.uncertainty import Quantity
from instruments.clock import Clock

__all__ = [
    "Controller", "DataKey", "Device", "Finished", "Frame", "Meter", "Passing", "Reading", "Registers", "Source",
    "Spectrometer", "Status", "Transport", "require_within",
]  # fmt: skip


class Reading(TypedDict):
    """One value with its time, as Bluesky has it."""

    value: Any
    """In the units of its `DataKey`; a float or a nested list of floats."""
    timestamp: float
    """Seconds since 1970-01-01T00:00:00Z."""


class DataKey(TypedDict):
    """What a value of `read` is, as Bluesky has it."""

    source: str
    """Resource and message it comes from."""
    dtype: str
    """`number`, `array`, `string`, `integer` or `boolean`."""
    shape: list[int | None]
    """Empty for a number."""
    units: str
    """UDUNITS string."""


@runtime_checkable
class Status(Protocol):
    """The end of an action: Bluesky waits for it."""

    @property
    def done(self) -> bool:
        """Whether it has ended."""

    @property
    def success(self) -> bool:
        """Whether it has ended well."""

    def add_callback(self, callback: Callable[["Status"], None]) -> None:
        """Call back at the end, at once if it has ended."""

    def exception(self, timeout: float | None = 0.0) -> BaseException | None:
        """Return what went wrong, or None."""


class Finished:
    """A status that has ended: drivers return when an action is done."""

    done = True

    def __init__(self, error: BaseException | None = None) -> None:
        self._error = error

    @property
    def success(self) -> bool:
        """Whether the action ended well."""
        return self._error is None

    def add_callback(self, callback: Callable[[Status], None]) -> None:
        """Call back at once.

        Parameters
        ----------
        callback:
            Takes this status.
        """
        callback(self)

    def exception(self, timeout: float | None = 0.0) -> BaseException | None:  # noqa: ARG002 - has ended
        """Return what went wrong.

        Parameters
        ----------
        timeout:
            Not needed: the action has ended.

        Returns
        -------
        :
            None where it went well.
        """
        return self._error

    def wait(self, timeout: float | None = None) -> None:  # noqa: ARG002 - has ended
        """Return at once, or raise what went wrong.

        Parameters
        ----------
        timeout:
            Not needed: the action has ended.
        """
        if self._error is not None:
            raise self._error


@runtime_checkable
class Transport(Protocol):
    """A line to an instrument: messages out, answers in. Errors name resource, last command, termination, timeout."""

    resource: str
    """VISA name or address."""
    clock: Clock

    def write(self, message: str) -> None:
        """Send a message; the termination is the transport's."""

    def query(self, message: str) -> str:
        """Send a message and return the answer without its termination."""

    def query_block(self, message: str, *, limit: int) -> bytes:
        """Send a message and return the content of the IEEE 488.2 block that answers, of at most `limit` bytes."""

    def clear(self) -> None:
        """Forget what is under way, on both sides."""

    def close(self) -> None:
        """Close the line; again is no error."""


@runtime_checkable
class Registers(Protocol):
    """A line to a device of 16 bit registers (Modbus)."""

    resource: str
    clock: Clock

    def read_registers(self, address: int, count: int) -> list[int]:
        """Return registers."""

    def write_registers(self, address: int, words: Sequence[int]) -> None:
        """Write registers."""

    def close(self) -> None:
        """Close the line; again is no error."""


@runtime_checkable
class Device(Protocol):
    """What all devices share. A driver is its own context manager: leaving makes it safe and closes it."""

    name: str
    """Prefix of its keys in `read`."""
    resource: str
    clock: Clock
    parent: None

    def identity(self) -> str:
        """Return who the instrument says it is."""

    def snapshot(self) -> dict[str, Any]:
        """Return all settings, JSON-able, as `{name: value}` and `{name}_units`; stored with the data."""

    def safe_state(self) -> None:
        """Drive outputs to where they do no harm: zero and off. Works again and again, and after an error."""

    def close(self) -> None:
        """Make safe and close the line; again is no error."""

    def read(self) -> Mapping[str, Reading]:
        """Measure and return `{key: reading}`."""

    def describe(self) -> Mapping[str, DataKey]:
        """Say what `read` returns, key by key."""

    def read_configuration(self) -> Mapping[str, Reading]:
        """Return the settings as readings."""

    def describe_configuration(self) -> Mapping[str, DataKey]:
        """Say what `read_configuration` returns."""

    def trigger(self) -> Status:
        """Get ready to be read."""

    def stop(self, *, success: bool = False) -> None:
        """Stop what moves, now."""


@runtime_checkable
class Meter(Device, Protocol):
    """Measures one scalar: DMM, SMU, lock-in, load cell."""

    units: str
    """Of `reading`, UDUNITS."""

    def reading(self) -> float:
        """Return one reading as shown, in `units`; an overload is an error, never a number."""

    def measure(self) -> Quantity:
        """Return one reading with its sources: noise (Type A or its specification) and accuracy (Type B)."""

    def quantity(self, readings: npt.ArrayLike) -> Quantity:
        """Return the mean of readings taken under the present settings: Type A of the mean, Type B of the device."""


class Passing:
    """What stands before a device and passes on whatever it does not do itself."""

    parent: None = None

    def __init__(self, device: Device, *, name: str) -> None:
        self.device, self.name = device, name
        self.resource: str = device.resource
        self.clock: Clock = device.clock

    def identity(self) -> str:
        """Return who the device says it is."""
        return self.device.identity()

    def snapshot(self) -> dict[str, Any]:
        """Return the settings of the device."""
        return self.device.snapshot()

    def safe_state(self) -> None:
        """Make the device safe."""
        self.device.safe_state()

    def close(self) -> None:
        """Close the device."""
        self.device.close()

    def read_configuration(self) -> Mapping[str, Reading]:
        """Return the settings of the device, as Bluesky asks for them."""
        return self.device.read_configuration()

    def describe_configuration(self) -> Mapping[str, DataKey]:
        """Say what `read_configuration` returns."""
        return self.device.describe_configuration()

    def trigger(self) -> Status:
        """Get the device ready."""
        return self.device.trigger()

    def stop(self, *, success: bool = False) -> None:
        """Make the device safe, now.

        Parameters
        ----------
        success:
            How the plan ended.
        """
        self.device.stop(success=success)


@runtime_checkable
class Source(Device, Protocol):
    """Sets one scalar: voltage, current, amplitude. Refused until `allow` has said what the circuit stands."""

    units: str
    limits: tuple[float, float]
    """What the device can do, in `units`."""
    level: float
    """Setpoint in `units`; setting it is refused outside the allowed range, before anything is sent."""
    output: bool
    """Whether the output is on."""

    def allow(self, low: float, high: float) -> None:
        """Say which levels the circuit stands, in `units`; until then every level and the output are refused."""

    def set(self, value: float) -> Status:
        """Set the level; for Bluesky and sweeps."""


@runtime_checkable
class Spectrometer(Device, Protocol):
    """Takes spectra."""

    exposure: float
    """In s."""

    def acquire(self) -> xr.Dataset:
        """Return a spectrum: `signal`, `u_signal` (counts) along `channel`, axes, and the settings as attributes."""


@runtime_checkable
class Frame(Device, Protocol):
    """A testing frame: a crosshead that moves, a load cell, an extensometer."""

    def force(self) -> Quantity:
        """Return the force, N."""

    def extension(self) -> Quantity:
        """Return the extension, m."""

    def position(self) -> Quantity:
        """Return where the crosshead is, m."""

    def allow(self, low: float, high: float) -> None:
        """Say between which positions (m) the crosshead may move; until then it does not."""

    def move(self, position: float, *, speed: float) -> Status:
        """Move to a position (m) at a speed (m/s), and wait."""


@runtime_checkable
class Controller(Device, Protocol):
    """A process with one input and one output: furnace, bath, PLC loop."""

    units: str
    """Of the process value, such as degC."""
    limits: tuple[float, float]
    """Of the manipulated value, as a fraction of full power: (0, 1)."""
    setpoint: float
    """Of the controller inside the device, in `units`; used in its automatic mode."""
    output: float
    """Manipulated value as a fraction of full power; setting it puts the device into manual mode."""

    def allow(self, low: float, high: float) -> None:
        """Say which outputs (fractions) are allowed; until then none but 0."""

    def process_value(self) -> float:
        """Return the process value, in `units`."""

    def measure(self) -> Quantity:
        """Return the process value with its sources."""

    def set(self, value: float) -> Status:
        """Set the manipulated value; for Bluesky and loops."""


def require_within(value: float, allowed: Sequence[float], name: str, units: str) -> float:
    """Refuse a setting outside its limits, before anything is sent.

    Parameters
    ----------
    value:
        What was asked for, in `units`.
    allowed:
        Lowest and highest value, in `units`.
    name, units:
        For the error.

    Returns
    -------
    :
        The value.

    Raises
    ------
    InstrumentError
        If it is no finite number or lies outside.
    """
    low, high = allowed
    something: Any = value
    plain = isinstance(something, float | int | np.floating | np.integer) and not isinstance(something, bool)
    if not plain or not math.isfinite(something) or not low <= value <= high:
        msg = f"{name} must lie in [{low:g}, {high:g}] {units}, got {value!r}; nothing was sent. Choose a value inside"
        raise InstrumentError(msg)
    return float(value)
