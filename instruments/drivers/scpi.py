"""The base of drivers that speak SCPI: messages over a line, and the error queue read after every set.

Not here: single instruments, opening of lines.
"""

import math

from analysis.core import InstrumentError
from instruments.drivers.device import Driver, Setting
from instruments.protocols import Transport

__all__ = ["ScpiDriver"]

MOST_ERRORS = 32


class ScpiDriver(Driver):
    """A driver on a line."""

    def __init__(self, line: Transport, *, name: str) -> None:
        super().__init__(name=name, resource=line.resource, clock=line.clock)
        self._line = line

    def identity(self) -> str:
        """Return the answer to `*IDN?`."""
        return self._line.query("*IDN?")

    def header(self, setting: Setting) -> str:
        """Return the header of a setting, as it is now."""
        return setting.header

    def ask_setting(self, setting: Setting) -> str:
        """Ask for a setting."""
        answer = self._line.query(f"{self.header(setting)}?")
        try:
            setting.decode(answer)
        except ValueError as error:
            raise InstrumentError(self._odd(f"{self.header(setting)}?", answer)) from error
        return answer

    def send_setting(self, setting: Setting, value: str) -> None:
        """Send a setting and read the error queue."""
        self.send(f"{self.header(setting)} {value}")

    def send(self, message: str) -> None:
        """Send a message and read the error queue until it is empty; what stands in it is an error here."""
        self._line.write(message)
        found = []
        for _ in range(MOST_ERRORS):
            answer = self._line.query("SYST:ERR?")
            code = answer.partition(",")[0].strip()
            if not code.lstrip("+-").isdigit():
                raise InstrumentError(self._odd("SYST:ERR?", answer))
            if int(code) == 0:
                break
            found.append(answer)
        if found:
            msg = f"{self.resource} ({self.name}) refused {message!r}: {'; '.join(found)}. Change the setting it names"
            raise InstrumentError(msg)

    def number(self, message: str) -> float:
        """Ask for one finite number; what is none is refused."""
        return self.numbers(message, 1)[0]

    def numbers(self, message: str, count: int) -> list[float]:
        """Ask for so many finite numbers."""
        answer = self._line.query(message)
        try:
            found = [float(part) for part in answer.split(",")]
        except ValueError as error:
            raise InstrumentError(self._odd(message, answer)) from error
        if len(found) != count or not all(math.isfinite(each) for each in found):
            raise InstrumentError(self._odd(message, answer))
        return found

    def _odd(self, message: str, answer: str) -> str:
        return (
            f"{self.resource} ({self.name}): {message!r} was answered by {answer[:60]!r}, which cannot be read. "
            "Clear the line and ask again"
        )

    def close_line(self) -> None:
        """Close the line."""
        self._line.close()
