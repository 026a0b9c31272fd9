"""Bluesky's RunEngine takes our drivers as they are: its own plans on the simulated bench, checked by its schemas."""

import logging
import math

import numpy as np
import pytest
from bluesky import RunEngine, plan_stubs, plans, protocols
from event_model import DocumentNames, schema_validators

import instruments
from analysis.core import InstrumentError, InstrumentTimeoutError
from instruments import sensing
from instruments.simulators import Bench

NAMES = Bench().names


@pytest.fixture
def bench():
    return Bench(seed=1)


@pytest.fixture
def engine():
    logging.getLogger("bluesky").setLevel(logging.CRITICAL)  # it prints what the tests provoke
    return RunEngine({}, context_managers=[], call_returns_result=False)


class Documents:
    """Keeps what an engine says, if its schema allows it."""

    def __init__(self):
        self.said = []

    def __call__(self, name, document):
        schema_validators[DocumentNames[name]].validate(document)
        self.said.append((name, document))

    def data(self, key):
        return [document["data"][key] for name, document in self.said if name == "event"]

    @property
    def end(self):
        return self.said[-1][1]


@pytest.mark.parametrize("name", NAMES)
def test_every_driver_is_what_bluesky_asks_for_and_is_counted(bench, engine, name):
    documents = Documents()
    with instruments.open(f"sim://{name}", bench=bench) as device:
        for wanted in (protocols.Readable, protocols.Configurable, protocols.Triggerable, protocols.Stoppable):
            assert isinstance(device, wanted)
        assert isinstance(device, protocols.Movable) == (name in ("smu", "generator", "furnace"))
        engine(plans.count([device], num=2), documents)
    assert [kind for kind, _ in documents.said] == ["start", "descriptor", "event", "event", "stop"]
    described = documents.said[1][1]
    assert described["data_keys"].keys() == documents.said[2][1]["data"].keys()
    assert described["configuration"][name]["data"].keys() == {f"{name}_{key}" for key in type(device).settings()}
    for key, each in described["data_keys"].items():
        assert list(np.shape(documents.data(key)[0])) == each["shape"]
        assert each["units"]


def test_a_scan_of_bluesky_measures_what_ours_measures(bench, engine):
    documents = Documents()
    with instruments.open("sim://smu", bench=bench) as smu, instruments.open("sim://dmm", bench=bench) as dmm:
        smu.allow(0.0, 5.0)
        smu.output = True
        engine(plans.scan([dmm], smu, 0.5, 4.0, 8), documents)
        uncertainty = dmm.measure().u
    assert documents.end["exit_status"] == "success"
    np.testing.assert_allclose(documents.data("smu_level"), np.linspace(0.5, 4.0, 8))
    truth = np.array(documents.data("smu")) * bench.truth.resistance
    np.testing.assert_allclose(documents.data("dmm"), truth, atol=1e-3 + 3 * uncertainty)


def test_a_furnace_is_moved_and_read_by_a_sensor(bench, engine):
    documents = Documents()
    with (
        instruments.open("sim://furnace", bench=bench) as furnace,
        instruments.open("sim://dmm", bench=bench) as dmm,
    ):
        dmm.function = "resistance_4w"
        thermometer = sensing.resistance_thermometer(dmm, grade="A")
        furnace.allow(0.0, 0.5)

        def warm():
            for power in (0.0, 0.2):
                yield from plan_stubs.mv(furnace, power)
                bench.clock.sleep(3600.0)
                yield from plan_stubs.trigger_and_read([thermometer, furnace])

        def plan():
            yield from plan_stubs.open_run()
            yield from warm()
            yield from plan_stubs.close_run()

        engine(plan(), documents)
    key = next(key for key in documents.said[1][1]["data_keys"] if key.startswith(thermometer.name))
    cold, hot = documents.data(key)
    assert hot - cold > 20.0
    np.testing.assert_allclose(documents.data("furnace"), [cold, hot], atol=3.0)
    assert documents.data("furnace_output") == pytest.approx([0.0, 0.2])


def test_a_place_outside_the_limits_ends_the_run_safely_and_is_not_sent(bench, engine):
    documents = Documents()
    with instruments.open("sim://smu", bench=bench) as smu:
        smu.allow(0.0, 5.0)
        smu.output = True
        with pytest.raises(InstrumentError, match=r"smu.level must lie in \[0, 5\] V, got 99.*nothing was sent"):
            engine(plans.list_scan([smu], smu, [1.0, 99.0]), documents)
        assert smu.output is False
    assert documents.end["exit_status"] == "fail"
    assert "must lie in" in documents.end["reason"]
    assert documents.data("smu_level") == [1.0]


def test_a_device_that_dies_in_a_scan_of_bluesky_leaves_the_source_safe(bench, engine):
    documents = Documents()
    with instruments.open("sim://smu", bench=bench) as smu, instruments.open("sim://dmm", bench=bench) as dmm:
        smu.allow(0.0, 5.0)
        smu.output = True
        bench.fail("dmm", "disconnect", after=30, times=math.inf)
        with pytest.raises(InstrumentTimeoutError, match="the line is broken"):
            engine(plans.scan([dmm], smu, 0.5, 4.0, 100), documents)
        assert bench.truth.source_voltage == 0.0
    assert 0 < len(documents.data("dmm")) < 100
    assert documents.end["exit_status"] == "fail"
