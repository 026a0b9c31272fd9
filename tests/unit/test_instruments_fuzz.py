"""Any sequence of settings on any driver: what goes over the line never passes a limit, and is what was asked for.

What was sent is read off the line, and judged by limits that the test keeps itself.
"""

import math
import struct
import sys
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import instruments
from analysis.core import InstrumentError
from instruments.drivers.device import Choice, Number
from instruments.simulators import Bench
from instruments.simulators.servers import InstrumentServer
from instruments.transports import Recorder

NAMES = Bench().names
RANGES = {"smu": (-21.0, 21.0), "generator": (1e-3, 10.0), "frame": (-0.5, 0.5), "furnace": (0.0, 1.0)}
DRIVEN = {"smu": "level", "generator": "level", "furnace": "output"}
# What drivers send to make safe, and to switch on what they move, is no setting.
HARMLESS = {
    "OUTP OFF", "SOUR:VOLT 0", "SOUR:CURR 0", "SOUR:VOLT MIN", "SOUR:VOLT:OFFS 0", "LAS OFF", "LAS:POW 0", "DRIV OFF",
    "DRIV ON",
}  # fmt: skip
odd = st.sampled_from(
    [None, "", "nonsense", "ON", "1", "1;OUTP ON", "DC\nOUTP ON", math.nan, math.inf, [1.0], {}, b"1"]
)


class Registers:
    """A line of registers that remembers what was written."""

    def __init__(self, line):
        self.line, self.written = line, []
        self.resource, self.clock = line.resource, line.clock

    def read_registers(self, address, count):
        return self.line.read_registers(address, count)

    def write_registers(self, address, words):
        value = struct.unpack(">f", struct.pack(">HH", *words))[0] if len(words) == 2 else words[0]
        self.written.append((str(address), float(value)))
        self.line.write_registers(address, words)

    def close(self):
        self.line.close()

    def take(self):
        found, self.written = self.written, []
        return found


class Line(Recorder):
    """A line that gives away what was sent: pairs of header and text."""

    def take(self):
        sent = [part.lstrip(":") for said, answer in self.dialogue if answer is None for part in said.split(";")]
        self.dialogue = []
        return [tuple(part.split(" ", 1)) for part in sent if part not in HARMLESS]


def spied(name):
    bench = Bench(seed=1)
    device = instruments.open(f"sim://{name}", bench=bench)
    device._line = (Registers if name == "furnace" else Line)(device._line)
    return device


def near(low, high):
    """Numbers inside, outside, at the limits and one step beyond."""
    ends = [low, high, math.nextafter(low, -math.inf), math.nextafter(high, math.inf), np.float64(high), int(high)]
    inside = st.floats(low, high)
    return st.one_of(inside, inside, st.sampled_from(ends), st.floats(), st.integers(-100, 100), st.booleans())


def values(setting, name):
    if isinstance(setting, Number):
        low, high = RANGES[name] if setting.name == DRIVEN.get(name) else setting.limits
        return st.one_of(near(low, high), odd)
    options = list(setting.options) if isinstance(setting, Choice) else [True, False]
    return st.one_of(st.sampled_from(options), odd, st.integers(0, 2))


def acts(name):
    """Sequences of settings, permissions and moves."""
    own = type(instruments.open(f"sim://{name}", bench=Bench())).settings()
    found = [st.tuples(st.just(key), values(setting, name)) for key, setting in own.items()]
    if name in RANGES:
        ends = near(*RANGES[name])
        found += [st.tuples(st.just("allow"), st.tuples(ends, ends))] * 2
    if name in DRIVEN:
        found += [st.tuples(st.just("set"), near(*RANGES[name]))] * 2
    if name == "frame":
        found += [st.tuples(st.just("move"), st.tuples(near(*RANGES[name]), st.floats(1e-8, 0.1)))] * 3
    return st.lists(st.one_of(found), max_size=12)


def do(device, act, value):
    """Act; tell whether it was taken."""
    try:
        if act in ("allow", "set"):
            getattr(device, act)(*np.atleast_1d(np.array(value, dtype=object)))
        elif act == "move":
            device.move(value[0], speed=value[1])
        else:
            setattr(device, act, value)
    except InstrumentError:
        return False
    return True


class Judge:
    """Knows what is allowed, from what the user has said, and what each header may hold."""

    def __init__(self, name, device):
        self.name, self.device, self.allowed = name, device, None
        self.mode = "voltage"

    def limits(self, key, setting):
        if key == DRIVEN.get(self.name):
            return self.allowed
        if self.name == "dmm" and key == "range_":
            return self.device.limits_of(setting)
        return setting.limits

    def check(self, header, text):
        if self.name == "frame" and header in ("CROS:LIM:LOW", "CROS:LIM:HIGH", "CROS:MOVE", "CROS:SPE"):
            low, high = (1e-7, 0.01) if header == "CROS:SPE" else RANGES["frame"]
            if header == "CROS:MOVE":
                low, high = self.allowed
            assert low <= float(text) <= high
            return
        key, setting = next(
            (key, each) for key, each in self.device.settings().items() if self.device.header(each) == header
        )
        if isinstance(setting, Number):
            limits = self.limits(key, setting)
            assert limits is not None, f"{header} {text} was sent before anything was allowed"
            assert limits[0] <= float(text) <= limits[1], (key, text, limits)
        elif isinstance(setting, Choice):
            assert text.strip('"') in setting.options.values()
        else:
            assert text in ("ON", "OFF")
            assert text == "OFF" or key != "output" or self.allowed is not None


def check_registers(judge, sent):
    for header, value in sent:
        if header == "20":
            assert value == 0.0 or judge.allowed is not None
        elif header == "12":
            low, high = judge.allowed or (0.0, 0.0)
            assert value == 0.0 or low <= value <= high or np.float32(low) == np.float32(high)
        else:
            setting = next(each for each in judge.device.settings().values() if each.header == header)
            assert setting.limits[0] <= value <= setting.limits[1]


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_no_sequence_of_settings_sends_what_the_limits_forbid(name, data):
    device = spied(name)
    judge = Judge(name, device)
    device._line.take()
    for act, value in data.draw(acts(name)):
        before = judge.allowed
        taken = do(device, act, value)
        if taken and act == "allow":
            judge.allowed = tuple(float(each) for each in value)
        sent = device._line.take()
        if taken and (name, act) == ("smu", "mode"):
            judge.allowed = None
        if not taken and act != "allow":
            assert sent == [], f"{act} = {value!r} was refused, and {sent} was sent"
        if name == "furnace":
            check_registers(judge, sent)
            continue
        for header, text in sent:
            judge.check(header, text)
        if taken and isinstance(device.settings().get(act), Number):
            assert float(sent[-1][1]) == float(value)  # to the last digit
        assert before is None or judge.allowed is not None or act == "mode"
    assert name == "furnace" or not device._line.query("SYST:ERR?").startswith("-")


@pytest.mark.parametrize("name", NAMES)
def test_both_ends_of_every_limit_can_be_set(name):
    device = instruments.open(f"sim://{name}", bench=Bench())
    if name in RANGES:
        device.allow(*RANGES[name])
    for key, setting in device.settings().items():
        for value in device.limits_of(setting) if isinstance(setting, Number) else ():
            setattr(device, key, value)
            assert getattr(device, key) == pytest.approx(value, rel=1e-6)


# -- lines
def cut_short(device, act):
    """Act, and press Ctrl-C when the message is sent and the answer not yet read."""
    line, whole = device._line, device._line._message

    def interrupted(*_):
        line._message = whole
        raise KeyboardInterrupt

    line._message = interrupted
    with pytest.raises(KeyboardInterrupt):
        act()


def test_an_exchange_that_ctrl_c_cuts_short_does_not_answer_the_next_question():
    bench = Bench(seed=1)
    with instruments.open("sim://dmm", bench=bench) as dmm, instruments.open("sim://smu", bench=bench) as smu:
        smu.allow(0.0, 5.0)
        smu.output = True
        for device in (dmm, smu):
            identity = device.identity()
            cut_short(device, device.reading)
            assert device.identity() == identity
        cut_short(smu, smu.reading)
        smu.safe_state()
        assert smu.output is False


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore:TCPIP:UserWarning")
@pytest.mark.parametrize("carrier", ["in process", "network"])
def test_two_threads_on_one_line_get_their_own_answers(carrier):
    bench, wrong = Bench(seed=1), []
    with InstrumentServer(bench, "dmm") as server:
        own = {"bench": bench} if carrier == "in process" else {}
        with instruments.open("sim://dmm" if own else server.resource, **own) as dmm:

            def ask(act, expected):
                for _ in range(60):
                    try:
                        answer = act()
                    except Exception as error:  # noqa: BLE001 - any failure is one
                        answer = error
                    if answer != expected:
                        wrong.append(answer)

            switch = sys.getswitchinterval()
            sys.setswitchinterval(1e-5)
            threads = [
                threading.Thread(target=ask, args=(lambda: dmm.nplc, 10.0)),
                threading.Thread(target=ask, args=(dmm.identity, dmm.identity())),
                threading.Thread(target=ask, args=(lambda: dmm.function, "voltage")),
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            sys.setswitchinterval(switch)
    assert wrong == []


def test_numbers_are_sent_to_their_last_digit():
    device = spied("smu")
    device.allow(0.0, 4.9999999999996)
    device._line.take()
    device.level = 4.9999999999996
    assert device._line.take() == [("SOUR:VOLT", "4.9999999999996")]
    device.level = 2.0
    assert device._line.take() == [("SOUR:VOLT", "2")]
