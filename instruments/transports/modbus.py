"""A line of registers over Modbus TCP; pymodbus is hidden here. Needs the extra `metrospec[instruments]`.

Not here: what the registers hold (`instruments.drivers`).
"""

import re
import threading
from collections.abc import Callable, Sequence
from typing import Any

from analysis.core import InstrumentError, InstrumentTimeoutError
from instruments.clock import Clock, RealClock

try:
    from pymodbus.client import ModbusTcpClient
    from pymodbus.exceptions import ModbusException
except ImportError as error:  # pragma: no cover - tests run with it
    raise ImportError("Modbus needs pymodbus: pip install 'metrospec[instruments]'") from error  # noqa: EM101

__all__ = ["ModbusTransport"]

_NAME = re.compile(r"^modbus://(?P<host>[\w.-]+):(?P<port>\d{1,5})(?:/(?P<unit>\d{1,3}))?$")
REASONS = {1: "function not known", 2: "no such register", 3: "value refused", 10: "the gateway has no path to it",
           11: "the gateway has no answer from it"}  # fmt: skip
SILENT = (10, 11)


class ModbusTransport:
    """A line to one Modbus unit.

    Parameters
    ----------
    name:
        `modbus://host:port`, or `modbus://host:port/unit`; unit 1 where it is missing.
    timeout:
        Until an answer, s.
    clock:
        None is the `RealClock`.
    """

    def __init__(self, name: str, *, timeout: float = 2.0, clock: Clock | None = None) -> None:
        found = _NAME.match(name)
        if found is None:
            msg = f"{name!r} is no Modbus name; write it as 'modbus://192.0.2.7:502' or 'modbus://192.0.2.7:502/1'"
            raise InstrumentError(msg)
        self.resource, self.timeout, self._unit = name, timeout, int(found["unit"] or 1)
        self.clock: Clock = RealClock() if clock is None else clock
        self._client: Any = ModbusTcpClient(found["host"], port=int(found["port"]), timeout=timeout, retries=0)
        self._closed = False
        self._lock = threading.Lock()
        if not self._client.connect():  # type: ignore[no-untyped-call]
            self.close()
            raise InstrumentTimeoutError(self._say("nothing", "does not open"))

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

        Raises
        ------
        InstrumentError
            If the device refuses, does not answer (`InstrumentTimeoutError`, also where a gateway says so), or answers
            another number of registers.
        """
        what = f"read {count} registers from {address}"
        answer = self._exchange(
            lambda: self._client.read_holding_registers(address, count=count, device_id=self._unit), what
        )
        words = list(answer.registers)
        if len(words) != count:
            raise InstrumentError(self._say(what, f"{len(words)} registers came"))
        return words

    def write_registers(self, address: int, words: Sequence[int]) -> None:
        """Write registers.

        Parameters
        ----------
        address, words:
            First register, and 16 bit words.
        """
        what = f"write {len(words)} registers from {address}"
        self._exchange(lambda: self._client.write_registers(address, list(words), device_id=self._unit), what)

    def close(self) -> None:
        """Close the line; again is no error."""
        self._closed = True
        self._client.close()

    def _exchange(self, act: Callable[[], Any], what: str) -> Any:  # noqa: ANN401 - an answer of pymodbus
        if self._closed:
            raise InstrumentError(self._say(what, "the line is closed"))
        try:
            with self._lock:
                answer = act()
        except (ModbusException, OSError) as error:
            raise InstrumentTimeoutError(self._say(what, f"no answer in time ({error})")) from error
        if answer.isError():
            code = int(getattr(answer, "exception_code", 0))
            kind = InstrumentTimeoutError if code in SILENT else InstrumentError
            raise kind(self._say(what, f"{REASONS.get(code, 'refused')} (exception {code})"))
        return answer

    def _say(self, what: str, reason: str) -> str:
        return (
            f"{self.resource}: {reason}; last command {what!r}, termination by length, timeout {self.timeout:g} s. "
            "Check the line and the device, or open it again"
        )
