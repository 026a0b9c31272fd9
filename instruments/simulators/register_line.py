"""The in-process line to the simulated furnace: registers without a network, on the clock of the bench.

Not here: the furnace (`instruments.simulators.furnace`).
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

from analysis.core import InstrumentError, InstrumentTimeoutError
from instruments.clock import Clock
from instruments.simulators.furnace import Furnace, ModbusFault

__all__ = ["RegisterLine"]

T = TypeVar("T")


class RegisterLine:
    """A line of registers; waiting for an answer that does not come moves the clock."""

    def __init__(self, furnace: Furnace, *, timeout: float = 2.0) -> None:
        self._furnace, self._timeout = furnace, timeout
        self.resource = f"sim://{furnace.name}"
        self.clock: Clock = furnace.clock
        self._open = True

    def read_registers(self, address: int, count: int) -> list[int]:
        """Return registers.

        Parameters
        ----------
        address, count:
            First register, and how many.

        Returns
        -------
        :
            16 bit words.
        """
        return self._exchange(lambda: self._furnace.read(address, count), f"read {count} registers from {address}")

    def write_registers(self, address: int, words: Sequence[int]) -> None:
        """Write registers.

        Parameters
        ----------
        address, words:
            First register, and 16 bit words.
        """
        self._exchange(lambda: self._furnace.write(address, words), f"write {len(words)} registers from {address}")

    def close(self) -> None:
        """Close the line."""
        self._open = False

    def _exchange(self, act: Callable[[], T], what: str) -> T:
        defect = self._furnace.defects.line()
        if not self._open or (defect and defect.kind == "disconnect"):
            self._open = False
            raise InstrumentTimeoutError(self._say(what, "the line is closed or broken"))
        if defect and defect.kind == "timeout":
            self.clock.sleep(self._timeout)
            raise InstrumentTimeoutError(self._say(what, "no answer in time"))
        try:
            found = act()
        except ModbusFault as fault:
            reason = {2: "no such register", 3: "value refused"}.get(fault.code, "refused")
            raise InstrumentError(self._say(what, f"{reason} (exception {fault.code})")) from fault
        if defect:
            self.clock.sleep(self._timeout)
            raise InstrumentTimeoutError(self._say(what, "the answer was lost, late or damaged"))
        return found

    def _say(self, what: str, reason: str) -> str:
        return (
            f"{self.resource}: {reason}; last command {what!r}, termination by length, timeout {self._timeout:g} s. "
            "Check the line and the device, or open it again"
        )
