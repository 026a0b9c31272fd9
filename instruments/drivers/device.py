"""What every driver has: settings as properties with limits and units, a snapshot, Bluesky's view, and a safe end.

A setting refuses what lies outside its limits before anything is sent. Nothing here knows a line: SCPI drivers add one
(`instruments.drivers.scpi`).
"""

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import TracebackType
from typing import Any, ClassVar, Self

from analysis.core import InstrumentError, did_you_mean
from instruments.clock import Clock
from instruments.protocols import DataKey, Finished, Reading, Status, require_within

__all__ = ["Choice", "Driver", "Number", "Setting", "Switch"]


def exactly(value: float) -> str:
    """Return a number as text that reads back as the same number, so that no rounding passes a limit."""
    short = f"{value:.12G}"
    return short if float(short) == value else repr(float(value)).upper()


class Setting:
    """A property of a driver that stands for a setting of its instrument."""

    units = "1"
    dtype = "string"

    def __init__(self, header: str, doc: str) -> None:
        self.header, self.__doc__ = header, doc
        self.name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, device: "Driver | None", owner: type | None = None) -> Any:  # noqa: ANN401 - by kind
        """Ask the instrument."""
        return self if device is None else self.decode(device.ask_setting(self))

    def __set__(self, device: "Driver", value: object) -> None:
        """Check, send, and check that the instrument took it."""
        device.send_setting(self, self.encode(device, value))

    def encode(self, device: "Driver", value: object) -> str:
        """Return a checked value as the instrument wants it."""
        raise NotImplementedError

    def decode(self, text: str) -> Any:  # noqa: ANN401 - by kind
        """Return what the instrument answered as a value."""
        raise NotImplementedError


class Number(Setting):
    """A number with units and limits; a driver may narrow the limits (`Driver.limits_of`)."""

    dtype = "number"

    def __init__(self, header: str, *, units: str, limits: tuple[float, float], doc: str) -> None:
        super().__init__(header, doc)
        self.units, self.limits = units, limits

    def encode(self, device: "Driver", value: object) -> str:
        """Return the number, if it lies within its limits."""
        found = require_within(value, device.limits_of(self), f"{device.name}.{self.name}", device.units_of(self))  # type: ignore[arg-type]
        return exactly(found)

    def decode(self, text: str) -> float:
        """Return the number."""
        return float(text)


class Switch(Setting):
    """On or off."""

    dtype = "boolean"

    def encode(self, device: "Driver", value: object) -> str:
        """Return ON or OFF; only True and False are taken."""
        if not isinstance(value, bool):
            msg = f"{device.name}.{self.name} must be True or False, got {value!r}; nothing was sent"
            raise InstrumentError(msg)
        return "ON" if value else "OFF"

    def decode(self, text: str) -> bool:
        """Return whether it is on."""
        return bool(int(float(text)))


class Choice(Setting):
    """One of a few names; the instrument has its own words for them."""

    def __init__(self, header: str, *, options: Mapping[str, str], doc: str, quoted: bool = False) -> None:
        super().__init__(header, doc)
        self.options, self.quoted = dict(options), quoted

    def encode(self, device: "Driver", value: object) -> str:
        """Return the instrument's word."""
        if not isinstance(value, str) or value not in self.options:
            msg = (
                f"{device.name}.{self.name} must be one of {list(self.options)}, got {value!r}; nothing was sent."
                f"{did_you_mean(str(value), self.options)}"
            )
            raise InstrumentError(msg)
        word = self.options[value]
        return f'"{word}"' if self.quoted else word

    def decode(self, text: str) -> str:
        """Return the name of what the instrument answered."""
        bare = text.strip('"').upper()
        return next((name for name, word in self.options.items() if word.upper() == bare), bare)


class Driver(ABC):
    """The base of all drivers. Use it in a `with` statement: leaving makes the instrument safe and closes the line."""

    messages: ClassVar[tuple[str, ...]] = ()
    """What it sends; its settings' headers besides."""
    parent = None

    def __init__(self, *, name: str, resource: str, clock: Clock) -> None:
        self.name, self.resource, self.clock = name, resource, clock
        self.closed = False

    @classmethod
    def settings(cls) -> dict[str, Setting]:
        """Return the settings of a driver by name."""
        found = {key: value for base in reversed(cls.__mro__) for key, value in vars(base).items()}
        return {key: value for key, value in found.items() if isinstance(value, Setting)}

    def limits_of(self, setting: Number) -> tuple[float, float]:
        """Return the limits that hold for a setting now."""
        return setting.limits

    def units_of(self, setting: Setting) -> str:
        """Return the units of a setting now."""
        return setting.units

    @abstractmethod
    def ask_setting(self, setting: Setting) -> str:
        """Ask for a setting."""

    @abstractmethod
    def send_setting(self, setting: Setting, value: str) -> None:
        """Send a setting and check that it was taken."""

    @abstractmethod
    def identity(self) -> str:
        """Return who the instrument says it is."""

    @abstractmethod
    def safe_state(self) -> None:
        """Drive outputs to where they do no harm."""

    @abstractmethod
    def values(self) -> dict[str, tuple[Any, str]]:
        """Measure and return `{key: (value, units)}`."""

    @abstractmethod
    def close_line(self) -> None:
        """Close the line."""

    def snapshot(self) -> dict[str, Any]:
        """Return all settings with their units, JSON-able; they are stored with the data."""
        found: dict[str, Any] = {"name": self.name, "resource": self.resource, "identity": self.identity()}
        for key, setting in self.settings().items():
            found[key] = getattr(self, key)
            if isinstance(setting, Number):
                found[f"{key}_units"] = self.units_of(setting)
        return found

    def close(self) -> None:
        """Make safe and close the line; again is no error. The line closes even if the safe state is not reached."""
        if self.closed:
            return
        self.closed = True
        try:
            self.safe_state()
        finally:
            self.close_line()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.close()
        except InstrumentError as failed:
            if error is None:
                raise
            error.add_note(f"{self.name}: the safe state was not confirmed: {failed}")

    def read(self) -> dict[str, Reading]:
        """Measure, as Bluesky asks for it."""
        found = self.values()
        return {key: Reading(value=value, timestamp=self.clock.timestamp()) for key, (value, _) in found.items()}

    def describe(self) -> dict[str, DataKey]:
        """Say what `read` returns."""
        return {key: self._key(units, "number", shape) for key, (units, shape) in self.keys().items()}

    @abstractmethod
    def keys(self) -> dict[str, tuple[str, list[int | None]]]:
        """Return `{key: (units, shape)}` of what `values` returns, without measuring."""

    def _key(self, units: str, dtype: str, shape: list[int | None]) -> DataKey:
        return DataKey(source=self.resource, dtype="array" if shape else dtype, shape=shape, units=units)

    def read_configuration(self) -> dict[str, Reading]:
        """Return the settings, as Bluesky asks for them."""
        now = self.clock.timestamp()
        return {f"{self.name}_{key}": Reading(value=getattr(self, key), timestamp=now) for key in self.settings()}

    def describe_configuration(self) -> dict[str, DataKey]:
        """Say what `read_configuration` returns."""
        return {
            f"{self.name}_{key}": self._key(self.units_of(each), each.dtype, [])
            for key, each in self.settings().items()
        }

    def trigger(self) -> Status:
        """Get ready to be read: nothing is to be done."""
        return Finished()

    def stop(self, *, success: bool = False) -> None:  # noqa: ARG002 - Bluesky says how the plan ended
        """Make safe, now."""
        with contextlib.suppress(InstrumentError):
            self.safe_state()
