"""A closed loop as a device: one reading is one step; it is acquired, bumpless, interlocked, and safe at the end."""

import json

import numpy as np
import pytest

import instruments
from analysis.core import AcquisitionError, InstrumentError
from instruments import acquire, control, protocols, shots
from instruments.control import ClosedLoop, Interlock, PidSettings, Profile, Ramp, Soak
from instruments.simulators import Bench

PID = PidSettings(gain=0.02, integral_time=100.0)
LOCK = Interlock(name="over temperature", low=0.0, high=150.0)


@pytest.fixture
def bench():
    return Bench(seed=4)


@pytest.fixture
def furnace(bench):
    with instruments.open("sim://furnace", bench=bench) as found:
        found.allow(0.0, 1.0)
        yield found


@pytest.fixture
def loop(furnace):
    return ClosedLoop(furnace, PID, setpoint=80.0, interlocks=[LOCK])


def test_a_stream_of_a_loop_holds_the_set_point_and_says_value_output_and_sources(bench, loop):
    assert isinstance(loop, protocols.Device)
    run = acquire.run(acquire.stream(loop, period=4.0, count=350))
    assert float(run["furnace"][-100:].mean()) == pytest.approx(80.0, abs=0.05)
    assert run["furnace_output"].attrs["units"] == "1"
    assert "u_furnace_setpoint" not in run
    truth = bench.truth.temperature
    last = shots.array(run, "furnace").isel({"shot": [-1]})
    assert abs(float(last.value[0]) - truth) < 3.0 * float(last.u[0])
    assert bench.furnace.values["output"] > 0.0  # it ended well: what holds the temperature goes on


def test_it_is_the_loop_of_run_loop(loop):
    """The same PID and the same process in `control.run_loop`, which is tested against closed forms."""
    run = acquire.run(acquire.stream(loop, period=2.0, count=300))
    with instruments.open("sim://furnace", bench=Bench(seed=4)) as furnace:
        furnace.allow(0.0, 1.0)
        profile = Profile(start=80.0, steps=(Soak(seconds=598.0),))
        other = control.run_loop(furnace, control.LoopSettings(pid=PID, profile=profile, period=2.0))
    assert np.abs(run["furnace"].values[1:] - other["value"].values[:-1]).max() < 0.5  # it begins one step later
    np.testing.assert_allclose(run["furnace"].values[-50:], other["value"].values[-50:], atol=0.15)


def test_it_begins_where_the_output_is(bench, furnace):
    furnace.output = 0.2
    bench.clock.sleep(3600.0)
    loop = ClosedLoop(furnace, PID, setpoint=furnace.process_value())
    outputs = acquire.run(acquire.stream(loop, period=2.0, count=5))["furnace_output"].values
    assert outputs[0] == pytest.approx(0.2)
    assert np.abs(np.diff(outputs)).max() < 0.02


def test_it_follows_a_profile_and_is_retuned(loop):
    loop.follow(Profile(start=30.0, steps=(Ramp(to=90.0, rate=0.05), Soak(seconds=2000.0))))
    run = acquire.run(acquire.stream(loop, period=4.0, count=350))
    np.testing.assert_allclose(run["furnace_setpoint"].values[:300], 30.0 + 0.05 * run["time"].values[:300], atol=0.2)
    loop.retune(PidSettings(gain=0.01, integral_time=80.0))
    after = acquire.run(acquire.stream(loop, period=4.0, count=150))
    assert abs(float(after["furnace_output"][0] - run["furnace_output"][-1])) < 0.05
    assert float(after["furnace"][-30:].mean()) == pytest.approx(90.0, abs=0.1)
    assert json.loads(json.dumps(loop.snapshot()))["loop"]["gain"] == 0.01


def test_a_set_point_or_profile_beyond_an_interlock_is_refused(loop):
    with pytest.raises(InstrumentError, match=r"furnace.setpoint must lie in \[0, 150\] degC, got 151"):
        loop.setpoint = 151.0
    with pytest.raises(InstrumentError, match=r"furnace.setpoint must lie in \[0, 150\] degC, got 200"):
        loop.follow(Profile(start=30.0, steps=(Ramp(to=200.0, rate=1.0),)))
    assert loop.setpoint == 80.0


def test_an_interlock_or_an_alarm_of_the_device_ends_it_with_nothing_on(bench, furnace):
    tight = Interlock(name="over temperature", high=82.0)
    loop = ClosedLoop(
        furnace, PidSettings(gain=0.1, integral_time=10.0), setpoint=80.0, interlocks=[tight]
    )  # overshoots
    with pytest.raises(AcquisitionError, match="interlock 'over temperature': furnace at"):
        acquire.run(acquire.stream(loop, period=2.0, count=300))
    assert bench.furnace.values["output"] == 0.0
    furnace.alarm = 20.0
    bench.clock.sleep(2.0)
    other = ClosedLoop(furnace, PID, setpoint=80.0)
    with pytest.raises(AcquisitionError, match="is over its alarm; find out why before you start it again"):
        acquire.run(acquire.stream(other, period=2.0, count=2))
    assert other.alarms == ("over its alarm",)


def test_setting_an_output_does_not_acknowledge_an_alarm(bench, furnace):
    furnace.alarm = 20.0
    bench.clock.sleep(2.0)
    furnace.output = 0.1
    assert furnace.alarms() == ["over its alarm"]


def test_bluesky_reads_a_step(loop):
    assert loop.read().keys() == loop.describe().keys()
    assert set(loop.describe()) == {"furnace", "u_furnace", "furnace_setpoint", "furnace_output"}
