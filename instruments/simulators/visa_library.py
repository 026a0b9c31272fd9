"""The in-process carrier: a VISA library whose resources are the instruments of a simulated bench.

No thread, no port, exact blocks; waiting for an answer moves the clock of the bench. Any program that takes a PyVISA
resource manager can use it. Needs the extra `metrospec[instruments]`.
Not here: servers.
"""

import itertools
from collections.abc import Iterable
from typing import Any

from instruments.simulators.bench import Bench
from instruments.simulators.port import Answered, Port

try:
    import pyvisa
    from pyvisa import constants, errors, highlevel, rname
    from pyvisa.constants import ResourceAttribute, StatusCode
    from pyvisa.util import LibraryPath
except ImportError as error:  # pragma: no cover - tests run with it
    raise ImportError("the simulated bench needs PyVISA: pip install 'metrospec[instruments]'") from error  # noqa: EM101

__all__ = ["SimulatedVisaLibrary", "resource_manager", "resource_name"]

NEWLINE = 10
_numbers = itertools.count()


def resource_name(name: str) -> str:
    """Return the VISA name of a simulated instrument.

    Parameters
    ----------
    name:
        Such as `dmm`.

    Returns
    -------
    :
        Such as `TCPIP0::dmm::inst0::INSTR`.
    """
    return f"TCPIP0::{name}::inst0::INSTR"


class _Session:
    """One opened resource, or a resource manager (without a port)."""

    def __init__(self, port: Port | None, attributes: dict[Any, Any]) -> None:
        self.port, self.attributes = port, attributes


class SimulatedVisaLibrary(highlevel.VisaLibraryBase):
    """The VISA library of one bench."""

    bench: Bench

    @staticmethod
    def get_library_paths() -> Iterable[LibraryPath]:
        """Return one path that names no file."""
        return (LibraryPath("metrospec"),)

    @staticmethod
    def get_debug_info() -> dict[str, str]:
        """Return nothing of interest."""
        return {"Version": "metrospec"}

    def _init(self) -> None:
        self._sessions: dict[int, _Session] = {}
        self._count = itertools.count(1)

    def _new(self, session: _Session) -> int:
        number = next(self._count)
        self._sessions[number] = session
        return number

    def _port(self, session: Any) -> Port:  # noqa: ANN401 - a number
        found = self._sessions.get(session)
        if found is None or found.port is None:
            raise errors.VisaIOError(StatusCode.error_invalid_object)
        if not found.port.connected:
            raise errors.VisaIOError(StatusCode.error_connection_lost)
        return found.port

    def open_default_resource_manager(self) -> tuple[Any, StatusCode]:
        """Open a manager."""
        return self._new(_Session(None, {})), StatusCode.success

    def list_resources(self, session: Any, query: str = "?*::INSTR") -> tuple[str, ...]:  # noqa: ANN401, ARG002
        """Return the VISA names of all instruments that speak SCPI."""
        return tuple(rname.filter([resource_name(name) for name in self.bench.devices], query))

    def open(
        self, session: Any, resource_name: str,  # noqa: ANN401
        access_mode: constants.AccessModes = constants.AccessModes.no_lock,  # noqa: ARG002
        open_timeout: int = constants.VI_TMO_IMMEDIATE,  # noqa: ARG002
    ) -> tuple[Any, StatusCode]:  # fmt: skip
        """Open an instrument."""
        parsed = rname.parse_resource_name(resource_name)
        name = str(getattr(parsed, "host_address", ""))
        if name not in self.bench.devices:
            raise errors.VisaIOError(StatusCode.error_resource_not_found)
        attributes = {
            ResourceAttribute.timeout_value: 2000,
            ResourceAttribute.resource_name: str(parsed),
            ResourceAttribute.interface_type: parsed.interface_type_const,
            ResourceAttribute.interface_number: 0,
            ResourceAttribute.resource_class: parsed.resource_class,
            ResourceAttribute.resource_manager_session: session,
            ResourceAttribute.termchar: NEWLINE,
            ResourceAttribute.termchar_enabled: False,
            ResourceAttribute.suppress_end_enabled: False,
        }
        return self._new(_Session(self.bench.port(name), attributes)), StatusCode.success

    def close(self, session: Any) -> StatusCode:  # noqa: ANN401
        """Close a session."""
        self._sessions.pop(session, None)
        return StatusCode.success

    def disable_event(self, session: Any, event_type: Any, mechanism: Any) -> StatusCode:  # noqa: ANN401, ARG002
        """Do nothing: there are no events."""
        return StatusCode.success

    def discard_events(self, session: Any, event_type: Any, mechanism: Any) -> StatusCode:  # noqa: ANN401, ARG002
        """Do nothing: there are no events."""
        return StatusCode.success

    def get_attribute(self, session: Any, attribute: Any) -> tuple[Any, StatusCode]:  # noqa: ANN401
        """Return an attribute."""
        known = self._sessions[session].attributes
        if attribute not in known:
            return 0, StatusCode.error_nonsupported_attribute
        return known[attribute], StatusCode.success

    def set_attribute(self, session: Any, attribute: Any, attribute_state: Any) -> StatusCode:  # noqa: ANN401
        """Set an attribute."""
        self._sessions[session].attributes[attribute] = attribute_state
        return StatusCode.success

    def clear(self, session: Any) -> StatusCode:  # noqa: ANN401
        """Device clear."""
        self._port(session).clear()
        return StatusCode.success

    def read_stb(self, session: Any) -> tuple[int, StatusCode]:  # noqa: ANN401
        """Return the status byte, as a serial poll."""
        port = self._port(session)
        return port.device.status_byte(available=bool(port.answers)), StatusCode.success

    def write(self, session: Any, data: bytes) -> tuple[int, StatusCode]:  # noqa: ANN401
        """Send bytes, with END."""
        self._port(session).write(bytes(data), end=True)
        return len(data), StatusCode.success

    def read(self, session: Any, count: int) -> tuple[bytes, StatusCode]:  # noqa: ANN401
        """Read at most `count` bytes; waiting moves the clock."""
        port, attributes = self._port(session), self._sessions[session].attributes
        wait = attributes[ResourceAttribute.timeout_value] / 1e3
        deadline = self.bench.clock.now() + wait
        if not port.answers or port.answers[0].ready > deadline:
            self.bench.clock.sleep_until(deadline)
            raise errors.VisaIOError(StatusCode.error_timeout)
        answer = port.answers.popleft()
        self.bench.clock.sleep_until(answer.ready)
        size, status = self._size(answer.data, count, attributes)
        if size < len(answer.data):
            port.answers.appendleft(Answered(answer.data[size:], answer.ready))
        return answer.data[:size], status

    @staticmethod
    def _size(data: bytes, count: int, attributes: dict[Any, Any]) -> tuple[int, StatusCode]:
        found = data.find(bytes([attributes[ResourceAttribute.termchar]]), 0, count)
        if attributes[ResourceAttribute.termchar_enabled] and found >= 0:
            return found + 1, StatusCode.success_termination_character_read
        if len(data) > count:
            return count, StatusCode.success_max_count_read
        return len(data), StatusCode.success


def resource_manager(bench: Bench) -> Any:  # noqa: ANN401 - untyped
    """Return a PyVISA resource manager whose resources are the instruments of a bench.

    Parameters
    ----------
    bench:
        The bench.

    Returns
    -------
    :
        A `pyvisa.ResourceManager`.
    """
    path = LibraryPath(f"metrospec-bench-{next(_numbers)}")
    library = SimulatedVisaLibrary(path)
    SimulatedVisaLibrary._registry.pop((SimulatedVisaLibrary, path), None)  # noqa: SLF001 - it would keep the bench
    library.bench = bench
    return pyvisa.ResourceManager(library)
