"""The simulated bench: a world, a clock, and the instruments on it that see each other.

Not here: the world's laws (`instruments.simulators.world`), carriers (`instruments.simulators.visa_library`).
"""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from analysis.core import InstrumentError, did_you_mean
from instruments.clock import Clock, VirtualClock
from instruments.simulators.furnace import Furnace
from instruments.simulators.multimeter import Multimeter
from instruments.simulators.port import Port
from instruments.simulators.receivers import LockIn, Oscilloscope
from instruments.simulators.simulated import Place, Simulated
from instruments.simulators.sources import Generator, SourceMeasureUnit
from instruments.simulators.spectrograph import Spectrograph
from instruments.simulators.testing_frame import TestingFrame
from instruments.simulators.world import World

__all__ = ["Bench", "default_bench"]

_KINDS: dict[str, type[Simulated]] = {
    "dmm": Multimeter, "smu": SourceMeasureUnit, "generator": Generator, "oscilloscope": Oscilloscope,
    "lockin": LockIn, "spectrometer": Spectrograph, "frame": TestingFrame,
}  # fmt: skip


class Bench:
    """Instruments on one world and one clock: the source drives the resistor that the meter reads, and so on.

    Parameters
    ----------
    seed:
        Of all noise and all true errors; each instrument draws its own.
    clock:
        What all share; None is a `VirtualClock`, on which nothing takes time.
    truth:
        The world; None is one with usual values.
    """

    def __init__(self, *, seed: int = 0, clock: Clock | None = None, truth: World | None = None) -> None:
        self.clock: Clock = VirtualClock() if clock is None else clock
        self.truth = World() if truth is None else truth
        self.truth.clock = self.clock.now
        self.truth.furnace.moment = max(self.truth.furnace.moment, self.clock.now())
        self._devices = {name: kind(self._place(name, seed)) for name, kind in _KINDS.items()}
        self.furnace = Furnace(self._place("furnace", seed))

    def _place(self, name: str, seed: int) -> Place:
        return Place(name=name, world=self.truth, clock=self.clock, seed=seed)

    @property
    def devices(self) -> Mapping[str, Simulated]:
        """The instruments that speak SCPI, by name; the furnace speaks Modbus and is `furnace`."""
        return MappingProxyType(self._devices)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all instruments."""
        return (*self._devices, "furnace")

    def device(self, name: str) -> Simulated | Furnace:
        """Return a simulated instrument; its `truth()` says how wrong it is.

        Parameters
        ----------
        name:
            One of `names`.

        Returns
        -------
        :
            The device, not its driver.

        Raises
        ------
        InstrumentError
            If there is none of that name.
        """
        if name == "furnace":
            return self.furnace
        if name not in self._devices:
            msg = f"no simulated instrument {name!r}; there are {list(self.names)}.{did_you_mean(name, self.names)}"
            raise InstrumentError(msg)
        return self._devices[name]

    def port(self, name: str) -> Port:
        """Return a new line to an instrument that speaks SCPI.

        Parameters
        ----------
        name:
            One of `devices`.

        Returns
        -------
        :
            The line, with the defects of the instrument.

        Raises
        ------
        InstrumentError
            If it does not speak SCPI.
        """
        device = self.device(name)
        if not isinstance(device, Simulated):
            msg = f"{name!r} speaks Modbus, not SCPI; open it as 'sim://{name}'"
            raise InstrumentError(msg)
        return Port(device, self.clock, device.defects)

    def fail(
        self, name: str, kind: str, *, after: int = 0, times: float = 1.0, size: float | None = None
    ) -> None:  # fmt: skip
        """Arrange for something to go wrong.

        Parameters
        ----------
        name:
            Of the instrument.
        kind:
            drop, garble, truncate, late, timeout, disconnect, drift or saturate.
        after, times, size:
            As in `instruments.simulators.defects`.
        """
        self.device(name).defects.add(kind, after=after, times=times, size=size)

    def repair(self, name: str) -> None:
        """Take all defects of an instrument away.

        Parameters
        ----------
        name:
            Of the instrument.
        """
        self.device(name).defects.clear()


@cache
def default_bench() -> Bench:
    """Return the bench behind `sim://` names, the same each time.

    Returns
    -------
    :
        Seed 0, on a virtual clock.
    """
    return Bench()
