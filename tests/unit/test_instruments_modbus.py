"""The furnace over Modbus TCP: the driver of the in-process line, and peers that mean harm."""

import contextlib
import resource
import socket
import threading
import time

import pytest

import instruments
from analysis.core import InstrumentError
from instruments.simulators import Bench
from instruments.simulators.modbus_server import FurnaceServer
from instruments.transports.modbus import ModbusTransport


def test_the_same_driver_works_over_modbus_tcp():
    bench = Bench(seed=3)
    with FurnaceServer(bench) as server, instruments.open(server.resource, timeout=1.0) as furnace:
        furnace.allow(0.0, 0.6)
        furnace.output = 0.5
        bench.clock.sleep(3600.0)
        found = furnace.measure()
        assert abs(found.value - bench.truth.temperature) < 3.0 * found.u
        with pytest.raises(InstrumentError, match=r"furnace.output must lie in \[0, 0.6\]"):
            furnace.output = 0.7
    assert bench.furnace.values["output"] == 0.0


def test_registers_that_do_not_exist_or_values_beyond_limits_are_refused_by_name():
    with FurnaceServer(Bench()) as server:
        line = ModbusTransport(server.resource, timeout=1.0)
        with pytest.raises(InstrumentError, match=r"127.0.0.1.*no such register"):
            line.read_registers(5, 2)
        with pytest.raises(InstrumentError, match="value refused"):
            line.write_registers(12, [0x4000, 0])
        line.close()
        with pytest.raises(InstrumentError, match="the line is closed"):
            line.read_registers(0, 2)


@pytest.mark.parametrize(
    "answer",
    [b"", b"\xff" * 5000, b"\x00\x01\x00\x00\xff\xff\x01\x03\xff", b"\x00\x01\x00\x00\x00\x05\x01\x03\x02\x00\x01"],
)
def test_a_peer_that_is_silent_or_lies_about_lengths_is_cut_off(answer):
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        line, _ = listener.accept()
        with line:
            line.settimeout(2.0)
            line.recv(100)
            line.sendall(answer)
            time.sleep(0.5)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    line = ModbusTransport(f"modbus://127.0.0.1:{listener.getsockname()[1]}", timeout=0.3)
    start = time.monotonic()
    with pytest.raises(InstrumentError, match="last command 'read 2 registers from 0'"):
        line.read_registers(0, 2)
    assert time.monotonic() - start < 2.0
    line.close()
    thread.join(5.0)
    listener.close()


def test_a_name_that_is_none_is_refused():
    with pytest.raises(InstrumentError, match="is no Modbus name"):
        instruments.open("modbus://somewhere")


@pytest.mark.parametrize(("piece", "pause"), [(b"\xff" * 65536, 0.0), (b"\x00\x01\x00\x00\xff\xff\x01", 0.005)])
def test_a_peer_that_does_not_end_is_cut_off_with_bounded_memory(piece, pause):
    listener, done = socket.create_server(("127.0.0.1", 0)), threading.Event()

    def serve():
        with contextlib.suppress(OSError):
            line, _ = listener.accept()
            with line:
                line.settimeout(2.0)
                line.recv(100)
                while not done.is_set():
                    line.sendall(piece)
                    time.sleep(pause)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    line = ModbusTransport(f"modbus://127.0.0.1:{listener.getsockname()[1]}", timeout=0.3)
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    with pytest.raises(InstrumentError, match="last command 'read 2 registers from 0'"):
        line.read_registers(0, 2)
    assert time.monotonic() - start < 3.0
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # kB
    done.set()
    line.close()
    thread.join(5.0)
    listener.close()
