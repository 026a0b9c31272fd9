"""Acquisition on the simulated bench, whose truth is known, and what it does when something goes wrong."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lmfit.models import ConstantModel, LorentzianModel

import instruments
from analysis import peaks, uncertainty
from analysis.core import AcquisitionError, InstrumentError
from instruments import acquire, shots
from instruments.clock import RealClock, VirtualClock
from instruments.simulators import Bench

ROOT = Path(__file__).parents[2]


@pytest.fixture
def bench():
    return Bench(seed=1)


@pytest.fixture
def smu(bench):
    with instruments.open("sim://smu", bench=bench) as found:
        found.allow(0.0, 5.0)
        found.output = True
        yield found


@pytest.fixture
def dmm(bench):
    with instruments.open("sim://dmm", bench=bench) as found:
        yield found


class Counter:
    """A meter of our own: the number of the reading, on any clock."""

    units, name, resource, parent = "V", "counter", "none", None

    def __init__(self, clock=None, *, seconds=0.0):
        self.clock, self.seconds, self.count, self.safe = clock or VirtualClock(), seconds, 0, 0

    def reading(self):
        self.clock.sleep(self.seconds)
        self.count += 1
        return float(self.count)

    def measure(self):
        return self.quantity([self.reading()])

    def quantity(self, readings):
        return uncertainty.Quantity(value=float(np.mean(readings)), u=0.1, units="V", label="counter")

    def identity(self):
        return "counter"

    def snapshot(self):
        return {"name": self.name}

    def safe_state(self):
        self.safe += 1

    def close(self):
        pass

    def read(self):
        return {}

    describe = read_configuration = describe_configuration = trigger = stop = read


class Slow:
    """A sink that takes its time."""

    def __init__(self, seconds=0.0, fail_at=None, have=()):
        self.seconds, self.fail_at, self.have = seconds, fail_at, have
        self.taken, self.reason, self.layout = [], None, None

    def done(self):
        return frozenset(self.have)

    def begin(self, layout):
        self.layout = layout

    def put(self, shot):
        time.sleep(self.seconds)
        if len(self.taken) == self.fail_at:
            raise OSError(28, "No space left on device")
        self.taken.append(shot.index)

    def end(self, *, reason=""):
        self.reason = reason


def test_a_sweep_is_a_dataset_of_places_readings_noise_and_shared_errors(smu, dmm):
    dmm.range_ = 10.0
    run = acquire.run(acquire.sweep(smu, [1.0, 2.0, 4.0], dmm, readings=8))
    assert run["dmm"].dims == ("smu",)
    assert run["smu"].attrs["units"] == "V"
    np.testing.assert_array_equal(run["smu"], [1.0, 2.0, 4.0])
    np.testing.assert_allclose(run["dmm"], [1.0, 2.0, 4.0], rtol=2e-3)
    assert run["u_dmm"].attrs["dof"] == 7
    assert run.attrs["missing"] == run.attrs["dropped"] == run.attrs["retaken"] == 0
    assert json.loads(run.attrs["settings"])["dmm"]["range_"] == 10.0
    voltage = shots.array(run, "dmm")
    # one range: gain and offset error are the same draw at all places, so a difference loses the offset
    names = [source.label for source in voltage.parts]
    assert len(names) == 3, names
    first, second = voltage.quantity({"smu": 0}), voltage.quantity({"smu": 1})
    assert (second - first).u < first.u
    np.testing.assert_array_equal((voltage - shots.array(run, "dmm")).u, 0.0)


def test_the_type_a_part_of_an_average_is_the_scatter_of_averages(dmm):
    dmm.range_ = 0.1
    found = [acquire.average(dmm, count=10) for _ in range(200)]
    own = [sum(c**2 for source, c in q.parts().items() if source.kind == "A") for q in found]
    # 200 means with u² on 9 degrees of freedom each: the ratio of variances has a relative u of about 11 %
    assert np.var([q.value for q in found], ddof=1) == pytest.approx(np.mean(own), rel=0.35)
    assert all(q.u > np.sqrt(a) for q, a in zip(found, own, strict=True))  # Type B of the meter besides


def test_readings_that_depend_on_each_other_have_a_larger_u_of_the_mean():
    class Wandering(Counter):
        def __init__(self, seed):
            super().__init__()
            self.random, self.at = np.random.default_rng(seed), 0.0

        def reading(self):
            self.at = 0.7 * self.at + self.random.normal()
            return self.at

        def quantity(self, readings):
            return uncertainty.type_a(readings, units="V")

    covered = {}
    for correlated in (False, True):
        found = [acquire.average(Wandering(k), count=200, correlated=correlated) for k in range(300)]
        covered[correlated] = np.mean([abs(q.value) <= q.U(0.95) for q in found])
    assert covered[False] < 0.7  # s/sqrt(n) of a first-order process with 0.7 is 2.4 times too small
    assert 0.90 <= covered[True] <= 0.99


def test_a_grid_brings_an_array_per_step_that_is_fitted_as_a_map(bench):
    with instruments.open("sim://spectrometer", bench=bench) as device:
        device.laser_power, device.laser, device.exposure = 0.02, True, 0.2
        scan = [
            acquire.steps(device, [0.0, 1e-3], setting="stage_y"),
            acquire.steps(device, [0.0, 1e-3, 2e-3], setting="stage_x"),
        ]
        run = acquire.run(acquire.grid(scan, device))
    assert run["signal"].dims == ("stage_y", "stage_x", "channel")
    assert run["wavelength"].attrs["medium"] == "air"
    top = float(run["wavelength"][int(run["signal"].mean(("stage_y", "stage_x")).argmax("channel"))])
    near = run.isel(channel=abs(run["wavelength"].values - top) < 3.0)
    model = LorentzianModel() + ConstantModel()
    fit = peaks.fit(near, model, peaks.guess(model, near, axis="wavelength"), axis="wavelength")
    assert fit["value"].dims == ("stage_y", "stage_x", "parameter")
    assert (fit["status"] == peaks.Status.CONVERGED).all()
    np.testing.assert_allclose(fit["value"].sel(parameter="center"), top, atol=0.5)


def test_a_stream_keeps_its_period_and_counts_what_is_late():
    run = acquire.run(acquire.stream(Counter(), count=5, period=2.0))
    np.testing.assert_array_equal(run["time"], [0.0, 2.0, 4.0, 6.0, 8.0])
    np.testing.assert_array_equal(run["counter"], [1, 2, 3, 4, 5])
    assert run.attrs["late"] == 0
    late = acquire.run(acquire.stream(Counter(seconds=3.0), count=5, period=2.0))
    np.testing.assert_array_equal(late["time"], [0.0, 3.0, 6.0, 9.0, 12.0])
    assert late.attrs["late"] == 4
    begun = time.monotonic()
    real = acquire.run(acquire.stream(Counter(RealClock()), count=4, period=0.1))
    assert time.monotonic() - begun >= 0.3
    assert np.diff(real["time"]).min() > 0.05


def test_bursts_are_records_of_a_digitiser(bench):
    with instruments.open("sim://oscilloscope", bench=bench) as scope:
        scope.points = 200
        run = acquire.run(acquire.bursts(scope, count=3))
        assert run["signal"].dims == ("shot", "channel")
        assert run.sizes == {"shot": 3, "channel": 200} | ({"source": 0} if "source" in run.sizes else {})
    with pytest.raises(InstrumentError, match="takes no records"):
        acquire.bursts(Counter(), count=3)


def test_a_stream_goes_on_when_its_sink_is_slow_and_says_what_it_dropped():
    sink = Slow(0.05)
    with pytest.warns(RuntimeWarning, match="shots were dropped"):
        run = acquire.run(acquire.stream(Counter(), count=100, period=1.0), sinks=[sink], queue_size=4)
    dropped = run.attrs["dropped"]
    assert dropped > 50
    assert len(sink.taken) == 100 - dropped
    assert sink.reason == f"{dropped} shots dropped"
    assert run.sizes["shot"] == 100  # memory has them all


def test_a_scan_waits_for_a_slow_sink_and_drops_nothing(smu, dmm):
    sink = Slow(0.01)
    run = acquire.run(acquire.sweep(smu, np.linspace(0.0, 1.0, 30), dmm), sinks=[sink], queue_size=1)
    assert sink.taken == list(range(30))
    assert (run.attrs["dropped"], sink.reason) == (0, "")


def test_a_device_that_dies_leaves_safe_outputs_the_data_and_the_reason(bench, smu, dmm):
    acquire.run(acquire.sweep(smu, [0.5], dmm))
    sink = Slow()
    bench.fail("dmm", "disconnect", after=30)
    with pytest.raises(AcquisitionError, match=r"ended at shot \d+ of 50 by Instrument.*made safe") as caught:
        acquire.run(acquire.sweep(smu, np.linspace(0.1, 1.0, 50), dmm), sinks=[sink])
    assert smu.output is False
    kept = caught.value.data
    count = 50 - kept.attrs["missing"]
    assert 0 < count < 50
    assert int(np.isfinite(kept["dmm"]).sum()) == count == len(sink.taken)
    assert "dmm" in kept.attrs["ended"]
    assert "dmm" in sink.reason
    assert "dmm" in str(caught.value.__cause__)


@pytest.mark.parametrize("kind", ["garble", "drop", "timeout"])
def test_a_shot_is_taken_again_where_asked_and_that_is_said(bench, smu, dmm, kind):
    task = acquire.sweep(smu, np.linspace(0.1, 1.0, 5), dmm)
    bench.fail("dmm", kind, after=12, times=1)
    run = acquire.run(task, retries=2)
    assert run.attrs["retaken"] >= 1
    assert run.attrs["missing"] == 0
    np.testing.assert_allclose(run["dmm"], run["smu"], rtol=2e-2)
    smu.output = True
    bench.fail("dmm", "timeout", after=5, times=1e9)
    with pytest.raises(AcquisitionError):
        acquire.run(task, retries=2)
    assert smu.output is False
    bench.repair("dmm")


def test_a_callback_or_a_sink_that_raises_ends_it_safely(smu, dmm):
    def told(shot):
        if shot.index == 3:
            msg = "the plot is gone"
            raise ZeroDivisionError(msg)

    task = acquire.sweep(smu, np.linspace(0.1, 1.0, 400), dmm)
    with pytest.raises(AcquisitionError, match="ZeroDivisionError: the plot is gone") as caught:
        acquire.run(task, told=told)
    assert smu.output is False
    assert int(np.isfinite(caught.value.data["dmm"]).sum()) >= 4
    smu.output = True
    full = Slow(fail_at=7)
    with pytest.raises(AcquisitionError, match="No space left on device"):
        acquire.run(task, sinks=[full])
    assert smu.output is False
    assert full.taken == list(range(7))
    assert "No space" in full.reason


def test_a_sink_that_fails_after_the_last_shot_is_read_leaves_nothing_on(smu, dmm):
    slow = Slow(seconds=0.2, fail_at=2)
    with pytest.raises(AcquisitionError, match="No space left on device"):
        acquire.run(acquire.sweep(smu, [0.1, 0.2, 0.3], dmm), sinks=[slow])
    assert smu.output is False


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_makes_safe_and_keeps_what_was_read(smu, dmm):
    main, others = threading.main_thread().ident, set(threading.enumerate())
    with pytest.raises(KeyboardInterrupt) as caught:
        acquire.run(
            acquire.sweep(smu, np.linspace(0.1, 1.0, 100_000), dmm),
            told=lambda shot: signal.pthread_kill(main, signal.SIGINT) if shot.index == 20 else None,
        )
    assert smu.output is False
    assert int(np.isfinite(caught.value.data["dmm"]).sum()) > 20
    assert "made safe" in caught.value.__notes__[0]
    assert not [thread for thread in set(threading.enumerate()) - others if thread.is_alive()]


def test_it_stops_at_once_also_in_a_long_wait():
    meter = Counter(RealClock())
    running = acquire.start(acquire.stream(meter, period=60.0))
    while running.count == 0:
        time.sleep(0.01)
    assert running.state == "running"
    with pytest.raises(InstrumentError, match="still running"):
        running.wait(0.01)
    begun = time.monotonic()
    running.stop()
    run = running.wait()
    assert time.monotonic() - begun < 1.0
    assert (running.state, running.reason, run.sizes["shot"], meter.safe) == ("stopped", "stopped by the user", 1, 1)
    assert [shot.index for shot in running.latest(5)] == [0]


@settings(max_examples=20, deadline=None)
@given(have=st.sets(st.integers(0, 11)))
def test_what_a_sink_has_is_not_taken_again(have):
    bench = Bench(seed=1)
    with (
        instruments.open("sim://spectrometer", bench=bench) as device,
        instruments.open("sim://dmm", bench=bench) as dmm,
    ):
        scan = [
            acquire.steps(device, [0.0, 1e-3, 2e-3], setting="stage_y"),
            acquire.steps(device, np.arange(4) * 1e-3, setting="stage_x"),
        ]
        sink = Slow(have=have)
        seen = []
        task = acquire.grid(scan, dmm)
        if len(have) == 12:
            with pytest.raises(InstrumentError, match="nothing has been read"):
                acquire.run(task, sinks=[sink])
            return
        acquire.run(task, sinks=[sink], told=lambda shot: seen.append(shot.index))
    assert sink.taken == seen == [k for k in range(12) if k not in have]


def test_what_makes_no_sense_is_refused_before_anything_moves(smu, dmm):
    before = smu.level
    for act, words in (
        (lambda: acquire.sweep(smu, [1.0, 99.0], dmm), "must lie in"),
        (lambda: acquire.sweep(smu, [1.0, np.nan], dmm), "finite places"),
        (lambda: acquire.sweep(smu, [], dmm), "finite places"),
        (lambda: acquire.sweep(dmm, [1.0], dmm), "nothing to set"),
        (lambda: acquire.steps(dmm, [1.0], setting="npcl"), "Did you mean 'nplc'"),
        (lambda: acquire.grid([], dmm), "different names"),
        (lambda: acquire.grid([acquire.steps(smu, [1.0])] * 2, dmm), "different names"),
        (lambda: acquire.sweep(smu, [1.0]), "nothing is read"),
        (lambda: acquire.sweep(smu, [1.0], dmm, settle=-1.0), "settle must be"),
        (lambda: acquire.sweep(smu, [1.0], dmm, readings=0), "readings must be"),
        (lambda: acquire.stream(dmm, count=0), "count must be"),
        (lambda: acquire.stream(dmm, Counter()), "several clocks"),
        (lambda: acquire.average(dmm, count=1), "count >= 2"),
        (lambda: acquire.average(dmm, count=9, correlated=True), "count >= 10"),
        (lambda: acquire.average(dmm, count=10, interval=-1.0), "interval must"),
        (lambda: acquire.run(acquire.stream(dmm, count=1), retries=-1), "retries must"),
        (lambda: shots.array(acquire.run(acquire.stream(dmm, count=2)), "dm"), "there are"),
    ):
        with pytest.raises(InstrumentError, match=words):
            act()
    assert smu.level == before
    acquire.stream(Counter(RealClock()), Counter(RealClock()))  # real clocks run together


def test_two_devices_of_one_name_are_refused(bench, dmm):
    with (
        instruments.open("sim://dmm", bench=bench) as other,
        pytest.raises(AcquisitionError, match=r"several devices bring \['dmm', 'u_dmm'\]"),
    ):
        acquire.run(acquire.stream(dmm, other, count=2))


def test_a_program_that_ends_is_not_held_by_a_stream(tmp_path):
    path = tmp_path / "forgotten.py"
    path.write_text(
        "import instruments\nfrom instruments import acquire\nfrom instruments.simulators import Bench\n"
        "smu = instruments.open('sim://smu', bench=Bench())\nsmu.allow(0, 1); smu.output = True\n"
        "import time\nrunning = acquire.start(acquire.stream(smu, period=1.0))\n"
        "while not running.count: time.sleep(0.01)\n",
        encoding="utf-8",
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, path], check=True, timeout=60, env=environment)  # noqa: S603 - our own file
