"""All drivers on all carriers: in process, over TCP, over Modbus TCP; the same rules, readings and words on each."""

import contextlib
import json
import math

import numpy as np
import pytest

import instruments
from analysis.core import InstrumentTimeoutError
from instruments import drivers, protocols
from instruments.drivers.device import Choice, Number, Switch
from instruments.simulators import Bench
from instruments.simulators.modbus_server import FurnaceServer
from instruments.simulators.servers import InstrumentServer

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore:TCPIP:UserWarning")
NAMES = Bench().names
PROTOCOLS = {
    "dmm": protocols.Meter, "smu": protocols.Source, "generator": protocols.Source, "lockin": protocols.Meter,
    "spectrometer": protocols.Spectrometer, "frame": protocols.Frame, "furnace": protocols.Controller,
    "oscilloscope": protocols.Device,
}  # fmt: skip
CASES = [(name, carrier) for name in NAMES for carrier in ("in process", "network")]
TIMEOUT = 0.4


@contextlib.contextmanager
def opened(name, carrier, bench):
    """A driver on a carrier; the bench is behind both."""
    with contextlib.ExitStack() as stack:
        if carrier == "in process":
            resource, own = f"sim://{name}", {"bench": bench}
        else:
            server = FurnaceServer(bench) if name == "furnace" else InstrumentServer(bench, name)
            resource, own = stack.enter_context(server).resource, {}
        device = instruments.open(resource, timeout=TIMEOUT, **own)
        stack.callback(device.close)
        yield device


@pytest.fixture(params=CASES, ids=lambda case: f"{case[0]}, {case[1]}")
def case(request):
    name, carrier = request.param
    bench = Bench(seed=5)
    with opened(name, carrier, bench) as device:
        yield name, bench, device


def test_every_driver_keeps_the_rules_of_the_house(case):
    _, _, device = case
    assert type(device).__name__ in drivers.__all__
    assert type(device).__doc__
    assert device.messages
    assert device.identity()
    for key, setting in device.settings().items():
        assert setting.__doc__, key
        assert isinstance(setting, Number | Switch | Choice)
        if isinstance(setting, Number):
            assert setting.limits[0] < setting.limits[1]
    snapshot = device.snapshot()
    assert set(device.settings()) <= set(snapshot)
    json.dumps(snapshot)
    device.safe_state()
    device.safe_state()
    device.close()
    device.close()
    assert device.closed


def test_every_driver_satisfies_its_protocol_and_describes_what_it_reads(case):
    name, _, device = case
    assert isinstance(device, protocols.Device)
    assert all(hasattr(device, member) for member in members(PROTOCOLS[name]))
    described, read = device.describe(), device.read()
    assert described.keys() == read.keys()
    assert all(list(np.shape(read[key]["value"])) == described[key]["shape"] for key in read)
    assert all(described[key]["source"] == device.resource for key in read)
    assert device.describe_configuration().keys() == device.read_configuration().keys()


def members(protocol):
    found = {key for base in protocol.__mro__[:-1] for key in (*vars(base), *vars(base).get("__annotations__", {}))}
    return {key for key in found if not key.startswith("_")}


ALLOWED = {"smu": (0.0, 5.0), "generator": (0.002, 5.0), "frame": (0.0, 0.01), "furnace": (0.0, 0.9)}


def other_values(device, key, setting):
    """Values that the instrument can have; the last is the one it had, where others depend on it."""
    if isinstance(setting, Choice):
        return [*(each for each in setting.options if each != getattr(device, key)), getattr(device, key)]
    return [not getattr(device, key), False] if isinstance(setting, Switch) else [device.limits_of(setting)[1]]


def test_every_setting_can_be_set_and_is_what_was_set(case):
    name, _, device = case
    for key, setting in device.settings().items():
        if name in ALLOWED:
            device.allow(*ALLOWED[name])
        for value in other_values(device, key, setting):
            setattr(device, key, value)
            assert getattr(device, key) == (pytest.approx(value) if isinstance(setting, Number) else value), key


def test_an_error_names_resource_last_command_termination_and_timeout(case):
    name, bench, device = case
    bench.fail(name, "timeout")
    with pytest.raises(InstrumentTimeoutError) as caught:
        device.identity() if name != "furnace" else device.process_value()
    said = str(caught.value)
    for part in (device.resource, "last command", "termination", f"timeout {TIMEOUT:g} s"):
        assert part in said, part
    assert ("*IDN?" if name != "furnace" else "read 2 registers from 0") in said
    bench.repair(name)
    device.snapshot()  # the line works again


def test_a_driver_whose_line_is_cut_says_so_and_closes(case):
    name, bench, device = case
    bench.fail(name, "disconnect", times=math.inf)
    with pytest.raises(InstrumentTimeoutError, match="last command"):
        device.read()
    with contextlib.suppress(InstrumentTimeoutError):  # a meter has nothing to be made safe, so nothing to say
        device.close()
    assert device.closed


@pytest.mark.parametrize("name", NAMES)
def test_the_same_bench_gives_the_same_numbers_on_every_carrier(name):
    found = []
    for carrier in ("in process", "network"):
        bench = Bench(seed=11)
        bench.truth.source_voltage = 2.0
        with opened(name, carrier, bench) as device:
            snapshot = device.snapshot()
            found.append({
                "snapshot": {key: value for key, value in snapshot.items() if key != "resource"},
                "read": {key: each["value"] for key, each in device.read().items()},
            })  # fmt: skip
    assert found[0] == found[1]
