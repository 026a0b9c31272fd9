"""A line over VISA, with bounds on memory and time that no peer can pass.

What comes is read in pieces until the termination, at most `limit` bytes and until a deadline; binary blocks are
believed only as far as the reader's own limit goes. Sockets of pyvisa-py get TCP_NODELAY, and are cleared by a new
connection: its own `clear` does not end while the peer sends. An exchange of one thread is not cut by another, and
what was cut short (by Ctrl-C, say) is cleared before the next message. Needs the extra `metrospec[instruments]`.
Not here: which resource is which instrument.
"""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from analysis.core import InstrumentError, InstrumentTimeoutError
from instruments.clock import Clock, RealClock

try:
    import pyvisa
    from pyvisa.constants import ResourceAttribute, StatusCode
except ImportError as error:  # pragma: no cover - tests run with it
    raise ImportError("lines to instruments need PyVISA: pip install 'metrospec[instruments]'") from error  # noqa: EM101

__all__ = ["VisaTransport"]

MOST_TEXT = 1 << 20
PIECE = 1024
SLOWEST = 1e5
"""Bytes per second that a block must at least come with."""
SLICE = 4
"""ms between looks at the deadline in the middle of an answer."""


class VisaTransport:
    """A line to one VISA resource.

    Parameters
    ----------
    resource:
        VISA name, such as `TCPIP0::192.0.2.7::5025::SOCKET` or `GPIB0::22::INSTR`.
    manager:
        A `pyvisa.ResourceManager`; None takes the VISA library of this machine, else pyvisa-py.
    timeout:
        Until the first byte of an answer, s.
    termination:
        Of messages both ways.
    clock:
        None is the `RealClock`; a simulated bench gives its own.
    """

    def __init__(
        self, resource: str, *, manager: Any = None, timeout: float = 2.0, termination: str = "\n",  # noqa: ANN401 - untyped
        clock: Clock | None = None,
    ) -> None:  # fmt: skip
        self.resource, self.timeout, self.termination = resource, float(timeout), termination
        self.clock: Clock = RealClock() if clock is None else clock
        self._last, self._closed, self._asked = "", False, False
        self._lock = threading.RLock()
        self._end = termination.encode()
        self._manager = _manager() if manager is None else manager
        self._open()

    def _open(self) -> None:
        try:
            line = self._manager.open_resource(self.resource, open_timeout=int(1e3 * self.timeout))
        except Exception as error:
            msg = (
                f"{self.resource} does not open: {error}. Check the name, the cable or network, and that no other "
                "program holds it"
            )
            raise InstrumentError(msg) from error
        self._line: Any = line
        line.timeout = 1e3 * self.timeout
        line.write_termination = line.read_termination = self.termination
        self._socket = self.resource.upper().endswith("SOCKET")
        self._sliced = self._socket and type(line.visalib).__module__.startswith("pyvisa_py")
        if self._sliced:
            self._hurry()
            line.set_visa_attribute(ResourceAttribute.suppress_end_enabled, False)  # noqa: FBT003 - an attribute

    def _hurry(self) -> None:
        """Set TCP_NODELAY on the socket itself: the attribute of pyvisa-py 0.8 cannot be set."""
        session = self._line.visalib.sessions[self._line.session]
        session.interface.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def write(self, message: str) -> None:
        """Send a message.

        Parameters
        ----------
        message:
            Without termination, ASCII.

        Raises
        ------
        InstrumentError
            If the message holds the termination, or the line is closed or broken.
        """
        self._send(message, asked=False)

    def _send(self, message: str, *, asked: bool) -> None:
        if self.termination in message or not message.isascii():
            msg = f"{self.resource}: message {message!r} holds a termination or is not ASCII; send messages one by one"
            raise InstrumentError(msg)
        with self._lock:
            if self._asked:
                self.clear()
            self._last, self._asked = message, asked
            self._guarded(lambda: self._line.write(message))

    @contextlib.contextmanager
    def _exchange(self, message: str) -> Iterator[None]:
        with self._lock:
            self._send(message, asked=True)
            yield
            self._asked = False

    def query(self, message: str) -> str:
        """Send a message and return the answer.

        Parameters
        ----------
        message:
            Without termination.

        Returns
        -------
        :
            Without termination, ASCII.

        Raises
        ------
        InstrumentError
            If the answer is too long, not ASCII, or does not come.
        """
        with self._exchange(message):
            answer = self._message(MOST_TEXT, time.monotonic() + 2.0 * self.timeout)
        try:
            return answer.decode("ascii")
        except UnicodeDecodeError as error:
            self.clear()
            msg = self._say(f"the answer {answer[:40]!r} is not ASCII")
            raise InstrumentError(msg) from error

    def query_block(self, message: str, *, limit: int) -> bytes:
        """Send a message and return the content of the IEEE 488.2 block that answers.

        Parameters
        ----------
        message:
            Without termination.
        limit:
            Most bytes of content; a longer block is refused before it is read.

        Returns
        -------
        :
            The content, definite or indefinite.

        Raises
        ------
        InstrumentError
            If what comes is no block, is longer than `limit`, or does not come.
        """
        with self._exchange(message):
            return self._block(limit, time.monotonic() + 2.0 * self.timeout + limit / SLOWEST)

    def _block(self, limit: int, deadline: float) -> bytes:
        head = self._exactly(2, deadline)
        if head[:1] != b"#" or not head[1:].isdigit():
            self.clear()
            raise InstrumentError(self._say(f"wanted a binary block, got {head!r}..."))
        digits = int(head[1:])
        if digits == 0:
            return self._message(limit, deadline)
        told = self._exactly(digits, deadline)
        if not told.isdigit() or int(told) > limit:
            self.clear()
            raise InstrumentError(self._say(f"a block of {told!r} bytes was announced, at most {limit} are wanted"))
        content = self._exactly(int(told), deadline)
        rest = self._message(PIECE, deadline)
        if rest:
            self.clear()
            raise InstrumentError(self._say(f"{rest[:20]!r} came after the {int(told)} bytes of the block"))
        return content

    def clear(self) -> None:
        """Forget what is under way: device clear, or on a socket a new connection, so that no late answer comes."""
        if self._closed:
            return
        self._asked = False
        if not self._socket:
            self._guarded(self._line.clear, first=False)
            return
        self._shut()
        try:
            self._open()
        except InstrumentError:
            self._closed = True

    def close(self) -> None:
        """Close the line; again is no error."""
        if not self._closed:
            self._closed = True
            self._shut()

    def _shut(self) -> None:
        with contextlib.suppress(pyvisa.VisaIOError, OSError):
            self._line.close()

    def _exactly(self, count: int, deadline: float) -> bytes:
        """Read so many bytes and no more; a termination inside ends nothing."""
        found = bytearray()
        self._guarded(lambda: self._end_on_termination(on=False))
        try:
            while len(found) < count:
                found += self._piece(min(count - len(found), 1 << 16), deadline, first=not found)[0]
        finally:
            self._guarded(lambda: self._end_on_termination(on=True))
        return bytes(found)

    def _message(self, limit: int, deadline: float) -> bytes:
        """Read until the termination, or the END of a bus that has one."""
        found = bytearray()
        while True:
            piece, ended = self._piece(1 if self._sliced and not found else PIECE, deadline, first=not found)
            found += piece
            if found.endswith(self._end):
                return bytes(found).removesuffix(self._end)
            if ended and not self._socket:
                raise InstrumentError(self._say(f"the answer {bytes(found[:40])!r} ends without its termination"))
            if len(found) > limit + len(self._end):
                self.clear()
                raise InstrumentError(self._say(f"the answer is longer than {limit} bytes"))

    def _end_on_termination(self, *, on: bool) -> None:
        self._line.read_termination = self.termination if on else None

    def _piece(self, count: int, deadline: float, *, first: bool) -> tuple[bytes, bool]:
        if time.monotonic() > deadline:
            self.clear()
            raise InstrumentTimeoutError(self._say("the answer does not end"))
        if self._sliced and not self._closed:
            self._line.timeout = 1e3 * self.timeout if first else SLICE
        try:
            piece, status = self._guarded(lambda: self._some(count), first=first)
        except InstrumentTimeoutError:
            if first or not self._sliced:
                raise
            return b"", False
        return piece, status == StatusCode.success

    def _some(self, count: int) -> tuple[bytes, StatusCode]:
        with self._line.ignore_warning(StatusCode.success_max_count_read):
            return self._line.visalib.read(self._line.session, count)

    def _guarded(self, act: Callable[[], Any], *, first: bool = True) -> Any:  # noqa: ANN401 - what PyVISA returns
        if self._closed:
            raise InstrumentError(self._say("the line is closed"))
        try:
            return act()
        except pyvisa.VisaIOError as error:
            if error.error_code != StatusCode.error_timeout:
                self._asked = False
                raise InstrumentTimeoutError(self._say(f"the line is broken ({error.abbreviation})")) from error
            if first:
                self.clear()
            raise InstrumentTimeoutError(self._say("no answer in time")) from error
        except OSError as error:
            self._asked = False
            raise InstrumentTimeoutError(self._say(f"the line is broken ({error})")) from error

    def _say(self, what: str) -> str:
        return (
            f"{self.resource}: {what}; last command {self._last!r}, termination {self.termination!r}, "
            f"timeout {self.timeout:g} s. Check the line and the instrument, or open it again with a longer timeout"
        )


def _manager() -> Any:  # noqa: ANN401 - untyped
    """Return the manager of this machine's VISA library, else of pyvisa-py."""
    try:
        return pyvisa.ResourceManager()
    except (OSError, ValueError):
        return pyvisa.ResourceManager("@py")
