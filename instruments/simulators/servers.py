"""The carrier over TCP: a simulated SCPI instrument on a port of this machine.

Not here: the in-process carrier (`instruments.simulators.visa_library`).
"""

import contextlib
import socket
import socketserver
import threading
from types import TracebackType
from typing import Self

from instruments.simulators.bench import Bench
from instruments.simulators.port import Port

__all__ = ["InstrumentServer"]

PIECE = 1 << 16
POLL = 0.02
"""How often the server looks whether it is to end, s."""


class InstrumentServer:
    """Serves one instrument of a bench on 127.0.0.1, on a free port; use it in a `with` statement.

    Parameters
    ----------
    bench, name:
        Which instrument; on a `RealClock` late answers are late, on a `VirtualClock` they come at once.
    """

    def __init__(self, bench: Bench, name: str) -> None:
        lock = threading.Lock()
        bench.port(name)

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                with contextlib.suppress(OSError):
                    _talk(self.request, bench.port(name), lock)

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True

        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(POLL,), daemon=True)
        self._thread.start()

    @property
    def resource(self) -> str:
        """The VISA name of the instrument."""
        return f"TCPIP0::127.0.0.1::{self._server.server_address[1]}::SOCKET"

    def close(self) -> None:
        """Stop serving; again is no error."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5.0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _talk(line: socket.socket, port: Port, lock: threading.Lock) -> None:
    while data := line.recv(PIECE):
        with lock:
            port.write(data)
            answers, port.answers = list(port.answers), type(port.answers)()
        for answer in answers:
            port.clock.sleep_until(answer.ready)
            line.sendall(answer.data)
        if not port.connected:
            return
