"""A SCPI instrument without physics: a table of headers, an error queue, status registers, compound messages.

A message goes in as bytes, an answer comes out as bytes without termination; what is wrong goes to the error queue with
its number of SCPI-99 (-100 command, -200 execution, -300 device, -400 query).
Not here: parsing of single parameters (`instruments.simulators.program`), lines and their defects
(`instruments.simulators.port`).
"""

import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from instruments.simulators.program import Answer, Kind, Number, ScpiError, pattern, split

__all__ = ["Register", "ScpiDevice"]

QUEUE = 20
OPC, QYE, DDE, EXE, CME, POWER_ON = 1, 4, 8, 16, 32, 128
BYTE = 256
ERROR_QUEUE, QUESTIONABLE, AVAILABLE, EVENTS, REQUEST, OPERATION = 4, 8, 16, 32, 64, 128
_CLASSES = ((-200, CME), (-300, EXE), (-400, DDE), (-500, QYE))
_HEADER = re.compile(r"^[*:]?[A-Za-z][\w:]*\??$")


@dataclass
class Register:
    """A status register: what is, what has been since it was read, and what is summed up."""

    condition: int = 0
    event: int = 0
    enable: int = 0

    def set_condition(self, bits: int) -> None:
        """Set what is; bits that come on are remembered as events."""
        self.event |= bits & ~self.condition
        self.condition = bits

    def take(self) -> int:
        """Return the events and forget them."""
        found, self.event = self.event, 0
        return found


@dataclass(frozen=True, kw_only=True)
class Command:
    """One row of the header table."""

    header: str
    query: Callable[..., object] | None
    action: Callable[..., object] | None
    asks: tuple[int, int]
    takes: tuple[int, int]
    shape: re.Pattern[str] = field(repr=False)


class ScpiDevice:
    """The header table and what every instrument has of IEEE 488.2 and SCPI."""

    identity = "METROSPEC,SCPI,0,0.1"

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.errors: deque[ScpiError] = deque()
        self.esr, self.ese, self.sre = POWER_ON, 0, 0
        self.questionable, self.operation = Register(), Register()
        self._kinds: dict[str, Kind] = {}
        self._table: list[Command] = []
        self._common()

    def command(
        self, header: str, *, query: Callable[..., object] | None = None, action: Callable[..., object] | None = None,
        asks: tuple[int, int] = (0, 0), takes: tuple[int, int] = (0, 0),
    ) -> None:  # fmt: skip
        """Add a row: functions of the header's numbers and the parameters, and how many parameters they take."""
        row = Command(header=header, query=query, action=action, asks=asks, takes=takes, shape=pattern(header))
        self._table.append(row)

    def cell(self, header: str, name: str, kind: Kind, *, then: Callable[[], object] | None = None) -> None:
        """Add a setting: kept in `values[name]`, set by the header, asked for by `header?`, reset by *RST."""
        self._kinds[name] = kind
        self.values[name] = kind.default

        def action(text: str) -> None:
            self.values[name] = kind.parse(text)
            if then is not None:
                then()

        def query(text: str = "") -> str:
            value = kind.parse(text) if text and isinstance(kind, Number) else self.values[name]
            return kind.show(value)

        self.command(header, query=query, action=action, asks=(0, 1), takes=(1, 1))

    def reset(self) -> None:
        """Put all settings back to what *RST says."""
        self.values.update({name: kind.default for name, kind in self._kinds.items()})

    def execute(self, message: bytes) -> bytes | None:
        """Carry out one program message, perhaps compound.

        Parameters
        ----------
        message:
            Without its termination.

        Returns
        -------
        :
            The answer without its termination; None where nothing was asked.
        """
        answers: list[bytes] = []
        try:
            units = split(message.decode("latin-1").strip(), ";")
        except ScpiError as error:
            self.fail(error)
            return None
        path = ""
        for unit in units:
            if unit.strip():
                path = self._unit(unit.strip(), path, answers)
        return b";".join(answers) if answers else None

    def _unit(self, unit: str, path: str, answers: list[bytes]) -> str:
        """Carry out one unit and return the path that the next one starts from (SCPI-99, 6.2.4)."""
        head, _, rest = unit.partition(" ")
        common = head.startswith("*")
        full = head.lstrip(":") if head.startswith(":") or common else path + head
        try:
            if not _HEADER.match(head):
                raise ScpiError(-102, head[:40])
            answer = self._call(full, [part.strip() for part in split(rest, ",")] if rest.strip() else [])
            if answer is not None:
                answers.append(answer if isinstance(answer, bytes) else answer.encode("latin-1"))
        except ScpiError as error:
            self.fail(error)
        return path if common else full.rpartition(":")[0] + ":" * (":" in full)

    def _call(self, header: str, parameters: list[str]) -> Answer | None:
        asked = header.endswith("?")
        name = header.rstrip("?").upper()
        for row in self._table:
            found = row.shape.match(name)
            function, count = (row.query, row.asks) if asked else (row.action, row.takes)
            if found is None or function is None:
                continue
            if len(parameters) < count[0]:
                raise ScpiError(-109, row.header)
            if len(parameters) > count[1]:
                raise ScpiError(-108, row.header)
            answer = function(*(int(number or 1) for number in found.groups()), *parameters)
            return (answer if isinstance(answer, bytes) else str(answer)) if asked else None
        raise ScpiError(-113, header[:40])

    def fail(self, error: ScpiError) -> None:
        """Put an error into the queue; a full queue says so in its last place."""
        self.esr |= next(bit for least, bit in _CLASSES if error.code > least)
        if len(self.errors) >= QUEUE:
            self.errors[-1] = ScpiError(-350)
        else:
            self.errors.append(error)

    def status_byte(self, *, available: bool = False) -> int:
        """Return the status byte; its bit 6 is the master summary."""
        byte = (
            ERROR_QUEUE * bool(self.errors)
            | QUESTIONABLE * bool(self.questionable.event & self.questionable.enable)
            | AVAILABLE * available
            | EVENTS * bool(self.esr & self.ese)
            | OPERATION * bool(self.operation.event & self.operation.enable)
        )
        return byte | REQUEST * bool(byte & self.sre)

    def _next_error(self) -> str:
        if not self.errors:
            return '+0,"No error"'
        error = self.errors.popleft()
        return f'{error.code},"{error.text}"'

    def _clear(self) -> None:
        self.errors.clear()
        self.esr = self.questionable.event = self.operation.event = 0

    def _take_events(self) -> int:
        found, self.esr = self.esr, 0
        return found

    def _complete(self) -> None:
        self.esr |= OPC

    def _common(self) -> None:
        self.command("*IDN", query=lambda: self.identity)
        self.command("*RST", action=self.reset)
        self.command("*CLS", action=self._clear)
        self.command("*OPC", query=lambda: "1", action=self._complete)
        self.command("*WAI", action=lambda: None)
        self.command("*TST", query=lambda: "0")
        self.command("*STB", query=self.status_byte)
        self.command("*ESR", query=self._take_events)
        self.command("*ESE", query=lambda: self.ese, action=self._enable("ese"), takes=(1, 1))
        self.command("*SRE", query=lambda: self.sre, action=self._enable("sre"), takes=(1, 1))
        self.command("SYSTem:ERRor[:NEXT]", query=self._next_error)
        self.command("SYSTem:ERRor:COUNt", query=lambda: len(self.errors))
        self.command("SYSTem:VERSion", query=lambda: "1999.0")
        self.command("STATus:PRESet", action=self._preset)
        for node, register in (("QUEStionable", self.questionable), ("OPERation", self.operation)):
            self.command(f"STATus:{node}[:EVENt]", query=register.take)
            self.command(f"STATus:{node}:CONDition", query=lambda register=register: register.condition)
            self.command(
                f"STATus:{node}:ENABle", query=lambda register=register: register.enable,
                action=lambda text, register=register: setattr(register, "enable", _bits(text, 0x7FFF)), takes=(1, 1),
            )  # fmt: skip

    def _enable(self, name: str) -> Callable[[str], None]:
        return lambda text: setattr(self, name, _bits(text, BYTE - 1))

    def _preset(self) -> None:
        self.questionable.enable = self.operation.enable = 0


def _bits(text: str, most: int) -> int:
    return int(Number(low=0, high=most, default=0, integer=True).parse(text))
