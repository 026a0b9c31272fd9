"""Drivers over TCP, against our server and against peers that mean harm: bounded memory and time."""

import contextlib
import resource
import socket
import threading
import time

import pytest

import instruments
from analysis.core import InstrumentError, InstrumentTimeoutError
from instruments.clock import RealClock
from instruments.simulators import Bench
from instruments.simulators.servers import InstrumentServer
from instruments.transports.visa import VisaTransport

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore:TCPIP:UserWarning")


class Peer:
    """Answers every message by whatever `answer(send)` does."""

    def __init__(self, answer):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.name = f"TCPIP0::127.0.0.1::{self.listener.getsockname()[1]}::SOCKET"
        self.answer, self.done = answer, threading.Event()
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while not self.done.is_set():
            with contextlib.suppress(OSError):
                line, _ = self.listener.accept()
                with line:
                    line.settimeout(3.0)
                    while line.recv(4096):
                        self.answer(line.sendall, self.done)

    def __enter__(self):
        return self

    def __exit__(self, *ends):
        self.done.set()
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(5.0)


def endless(send, done):
    while not done.is_set():
        send(b"1" * 65536)


def drip(send, done):
    while not done.is_set():
        send(b"1")
        time.sleep(0.005)


def huge_block(send, done):
    send(b"#82000000000")
    endless(send, done)


def huge_digits(send, _done):
    send(b"#92147483647")
    send(b"x" * 1000)


def short_block(send, _done):
    send(b"#41000" + b"x" * 10)


def long_block(send, _done):
    send(b"#210" + b"x" * 60 + b"\n")


def odd_block(send, _done):
    send(b"#4-999" + b"x" * 10 + b"\n")


def silence(_send, _done):
    return


def timed(act):
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    with pytest.raises(InstrumentError) as caught:
        act()
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert time.monotonic() - start < 5.0
    assert grown < 100_000  # kB
    assert "127.0.0.1" in str(caught.value)
    assert "timeout 0.2 s" in str(caught.value)


@pytest.mark.parametrize("answer", [endless, drip, silence, short_block])
def test_a_text_answer_that_does_not_end_is_cut_off(answer):
    with Peer(answer) as peer:
        line = VisaTransport(peer.name, timeout=0.2)
        timed(lambda: line.query("READ?"))
        line.close()


@pytest.mark.parametrize(
    "answer", [endless, drip, huge_block, huge_digits, short_block, long_block, odd_block, silence]
)  # fmt: skip
def test_a_block_that_lies_about_its_size_is_cut_off(answer):
    with Peer(answer) as peer:
        line = VisaTransport(peer.name, timeout=0.2)
        timed(lambda: line.query_block("WAV:DATA?", limit=10_000))
        line.close()


def test_the_same_drivers_work_over_tcp():
    bench = Bench(seed=3)
    bench.truth.source_voltage = 5.0
    with InstrumentServer(bench, "dmm") as server, instruments.open(server.resource) as dmm:
        dmm.nplc = 1.0
        found = dmm.quantity([dmm.reading() for _ in range(5)])
        assert abs(found.value - bench.truth.voltage) < 3.0 * found.u
    with InstrumentServer(bench, "oscilloscope") as server, instruments.open(server.resource) as scope:
        scope.points = 5000
        assert scope.acquire()["signal"].size == 5000


def test_a_late_answer_over_tcp_does_not_answer_the_next_question():
    bench = Bench(seed=3, clock=RealClock())
    with InstrumentServer(bench, "dmm") as server, instruments.open(server.resource, timeout=0.3) as dmm:
        bench.fail("dmm", "late", size=0.8)
        with pytest.raises(InstrumentTimeoutError, match="no answer in time"):
            dmm.identity()
        time.sleep(0.8)
        assert dmm.nplc == 10.0


def test_a_connection_that_is_cut_is_an_error():
    bench = Bench(seed=3)
    with InstrumentServer(bench, "dmm") as server:
        dmm = instruments.open(server.resource, timeout=0.3)
        bench.fail("dmm", "disconnect")
        with pytest.raises(InstrumentTimeoutError):
            dmm.identity()
        dmm.close()


def test_a_port_on_which_nothing_listens_is_an_error():
    with socket.create_server(("127.0.0.1", 0)) as free:
        name = f"TCPIP0::127.0.0.1::{free.getsockname()[1]}::SOCKET"
    with pytest.raises(InstrumentError, match=r"does not open|the line is broken|no answer"):
        instruments.open(name, timeout=0.3)
