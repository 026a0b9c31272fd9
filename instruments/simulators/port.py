"""The connector of a simulated SCPI instrument: bytes in, answers and the moment they are ready out.

Framing of messages, the rules of message exchange (query interrupted, unterminated) and the defects of lines are here,
once for every carrier. Not here: the carriers themselves (`instruments.simulators.visa_library`).
"""

from collections import deque
from dataclasses import dataclass

from instruments.clock import Clock
from instruments.simulators.defects import Defects
from instruments.simulators.program import ScpiError
from instruments.simulators.scpi import ScpiDevice

__all__ = ["Answered", "Port"]

MOST_INPUT = 1 << 20
END = b"\n"


@dataclass(frozen=True)
class Answered:
    """An answer with its termination, and when it can be read."""

    data: bytes
    ready: float


class Port:
    """One line to a device."""

    def __init__(self, device: ScpiDevice, clock: Clock, defects: Defects) -> None:
        self.device, self.clock, self.defects = device, clock, defects
        self.answers: deque[Answered] = deque()
        self.connected = True
        self._input = bytearray()

    def write(self, data: bytes, *, end: bool = False) -> None:
        """Take bytes; each complete message is carried out. `end` is the END of a bus that has one."""
        self._input += data
        if len(self._input) > MOST_INPUT:
            self._input.clear()
            self.device.fail(ScpiError(-363))
            return
        while (message := self._next(end=end)) is not None:
            if message.strip():
                self._exchange(message)

    def _next(self, *, end: bool) -> bytes | None:
        size = _complete(bytes(self._input), end=end)
        if size is None:
            return None
        message = bytes(self._input[:size])
        del self._input[:size]
        return message.rstrip(b"\r\n")

    def _exchange(self, message: bytes) -> None:
        defect = self.defects.line()
        kind = defect.kind if defect else ""
        if kind == "disconnect":
            self.connected = False
            self.answers.clear()
        if kind in ("timeout", "disconnect"):
            return
        if self.answers:
            self.answers.clear()
            self.device.fail(ScpiError(-410))
        answer = self.device.execute(message)
        if answer is None or kind == "drop":
            return
        if defect and kind in ("garble", "truncate"):
            answer = self.defects.spoil(answer, defect)
        late = defect.size if defect and kind == "late" else 0.0
        terminated = answer if kind == "truncate" else answer + END
        self.answers.append(Answered(terminated, self.clock.now() + late))

    def clear(self) -> None:
        """Device clear: forget input and answers."""
        self._input.clear()
        self.answers.clear()


def _complete(data: bytes, *, end: bool) -> int | None:
    """Return the size of the first message with its termination; a newline inside a block does not end it."""
    at = 0
    while at < len(data):
        if data[at : at + 1] == END:
            return at + 1
        if data[at : at + 1] == b"#" and data[at + 1 : at + 2].isdigit() and data[at + 1 : at + 2] != b"0":
            digits = int(data[at + 1 : at + 2])
            size = data[at + 2 : at + 2 + digits]
            if len(size) < digits:
                break
            at += 2 + digits + (int(size) if size.isdigit() else 0)
        else:
            at += 1
    return len(data) if end and data else None
