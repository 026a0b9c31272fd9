"""The simulated furnace as a Modbus TCP server on a port of this machine. Needs the extra `metrospec[instruments]`.

Not here: the furnace (`instruments.simulators.furnace`).
"""

import asyncio
import threading
from types import TracebackType
from typing import Any, Self

from instruments.simulators.bench import Bench
from instruments.simulators.furnace import LAST, ModbusFault

try:
    from pymodbus.constants import ExcCodes
    from pymodbus.server import ModbusTcpServer
    from pymodbus.simulator import DataType, SimData, SimDevice
except ImportError as error:  # pragma: no cover - tests run with it
    raise ImportError("Modbus needs pymodbus: pip install 'metrospec[instruments]'") from error  # noqa: EM101

__all__ = ["FurnaceServer"]

WAIT = 5.0
DEAF = ("drop", "timeout", "late", "disconnect", "garble", "truncate")


class FurnaceServer:
    """Serves the furnace of a bench as unit 1 on 127.0.0.1, on a free port; use it in a `with` statement."""

    def __init__(self, bench: Bench) -> None:
        self._furnace = bench.furnace
        self._ready, self._port = threading.Event(), 0
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self._thread.start()
        self._ready.wait(WAIT)

    @property
    def resource(self) -> str:
        """The name of the furnace for `instruments.open`."""
        return f"modbus://127.0.0.1:{self._port}"

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        data = SimData(0, count=LAST, values=0, datatype=DataType.REGISTERS)
        server: Any = ModbusTcpServer(SimDevice(id=1, simdata=[data], action=self._act), address=("127.0.0.1", 0))
        await server.listen()
        self._port = server.transport.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        await server.shutdown()

    async def _act(
        self, _function: int, start: int, address: int, count: int, registers: list[int],
        values: list[int] | list[bool] | None,
    ) -> ExcCodes | None:  # fmt: skip
        defect = self._furnace.defects.line()
        if defect and defect.kind in DEAF:
            return ExcCodes.GATEWAY_NO_RESPONSE
        try:
            if values is not None:
                self._furnace.write(address, [int(value) for value in values])
            else:
                registers[address - start : address - start + count] = self._furnace.read(address, count)
        except ModbusFault as fault:
            return ExcCodes(fault.code)
        return None

    def close(self) -> None:
        """Stop serving; again is no error."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(WAIT)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
