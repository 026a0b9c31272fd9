"""What an acquisition says and does where several things go wrong together, and never silently.

One thing at a time: `test_acquire.py`.
"""

import math
import signal
import threading
import time

import numpy as np
import pytest

import instruments
from analysis.core import AcquisitionError
from instruments import acquire, control
from instruments.clock import RealClock
from instruments.simulators import Bench


@pytest.fixture
def bench():
    return Bench(seed=1)


@pytest.fixture
def smu(bench):
    found = instruments.open("sim://smu", bench=bench)
    found.allow(0.0, 5.0)
    found.output = True
    yield found
    bench.repair("smu")
    found.close_line()


@pytest.fixture
def dmm(bench):
    with instruments.open("sim://dmm", bench=bench) as found:
        yield found


class Sink:
    """Keeps what it is given; waits for `gate` before each shot, and fails where it is told to."""

    def __init__(self, *, gate=None, refuse=False, fail_at=-1):
        self.gate, self.refuse, self.fail_at = gate, refuse, fail_at
        self.begun, self.taken, self.ended = False, [], []

    def begin(self, layout):
        if self.refuse:
            msg = "no such folder"
            raise FileNotFoundError(msg)
        self.begun = layout is not None

    def put(self, shot):
        if self.gate is not None:
            self.gate.wait(10.0)
        if shot.index == self.fail_at:
            raise OSError(28, "No space left on device")
        self.taken.append(shot.index)

    def end(self, *, reason=""):
        self.ended.append(reason)


def until(condition):
    end = time.monotonic() + 10.0
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_an_end_that_is_not_safe_says_so_whoever_caused_it(bench, smu, dmm):
    def told(shot):
        if shot.index == 3:
            bench.fail("smu", "disconnect", times=math.inf)
            error = ZeroDivisionError("the plot is gone")
            error.add_note("of the user")
            raise error

    with pytest.raises(AcquisitionError, match="could not be made safe") as caught:
        acquire.run(acquire.stream(dmm, smu, count=100_000), told=told)
    said = str(caught.value)
    assert "smu could not be made safe" in said
    assert "all devices were made safe" not in said
    assert "of the user" not in said
    assert caught.value.data.sizes["shot"] > 3
    assert "smu could not be made safe" in caught.value.data.attrs["ended"]


def test_a_stop_after_which_a_device_is_not_safe_is_an_error(bench, smu):
    running = acquire.start(acquire.stream(smu, period=1.0), told=lambda _: None)
    until(lambda: running.count > 3)
    bench.fail("smu", "disconnect", times=math.inf)
    running.stop()
    with pytest.raises(AcquisitionError, match="smu could not be made safe") as caught:
        running.wait()
    assert running.state == "failed"
    assert caught.value.data.sizes["shot"] >= 3


def test_a_stop_with_a_full_queue_makes_safe_at_once_and_counts_what_no_sink_has(bench, smu, dmm):
    gate = threading.Event()
    sink = Sink(gate=gate)
    running = acquire.start(acquire.sweep(smu, np.linspace(0, 1, 50), dmm), sinks=[sink], queue_size=2)
    until(lambda: running.count == 4)  # one is with the sink, two wait, one waits for the queue
    running.stop()
    until(lambda: not bench.devices["smu"].values["output"])
    gate.set()
    with pytest.warns(RuntimeWarning, match="1 shots were dropped"):
        run = running.wait()
    assert running.state == "stopped"
    assert (sink.taken, sink.ended) == ([0, 1, 2], ["stopped by the user; 1 shots dropped"])
    assert int(np.isfinite(run["dmm"]).sum()) == 4
    assert run.attrs["dropped"] == 1


def test_a_stop_while_the_last_shots_are_written_makes_safe(bench, smu, dmm):
    gate = threading.Event()
    sink = Sink(gate=gate)
    running = acquire.start(acquire.sweep(smu, [0.1, 0.2, 0.3], dmm), sinks=[sink])
    until(lambda: running.count == 3)
    running.stop()
    until(lambda: not bench.devices["smu"].values["output"])
    gate.set()
    assert running.wait().attrs["missing"] == 0
    assert sink.taken == [0, 1, 2]


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_while_the_last_shots_are_written_makes_safe_and_ends_the_sink(smu, dmm):
    gate, sink = threading.Event(), Sink()
    sink.gate = gate
    main = threading.main_thread().ident

    def interrupt():
        time.sleep(0.5)
        signal.pthread_kill(main, signal.SIGINT)
        time.sleep(0.3)
        gate.set()

    helper = threading.Thread(target=interrupt)
    helper.start()
    with pytest.raises(KeyboardInterrupt) as caught:
        acquire.run(acquire.sweep(smu, [0.1, 0.2, 0.3], dmm), sinks=[sink])
    helper.join()
    assert smu.output is False
    assert sink.taken == [0, 1, 2]
    assert len(sink.ended) == 1
    assert caught.value.data.attrs["missing"] == 0
    assert "3 shots were read; all devices were made safe" in caught.value.__notes__[0]


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_with_a_device_that_cannot_be_made_safe_says_which(bench, smu):
    main = threading.main_thread().ident

    def told(shot):
        if shot.index == 5:
            bench.fail("smu", "disconnect", times=math.inf)
            signal.pthread_kill(main, signal.SIGINT)

    with pytest.raises((KeyboardInterrupt, AcquisitionError)) as caught:
        acquire.run(acquire.stream(smu, period=0.01), told=told)
    said = f"{caught.value} {getattr(caught.value, '__notes__', '')}"
    assert "smu could not be made safe" in said
    assert "all devices were made safe" not in said
    assert caught.value.data.sizes["shot"] >= 5


def test_a_sink_that_does_not_begin_ends_those_that_have_begun(smu, dmm):
    first, second = Sink(), Sink(refuse=True)
    with pytest.raises(AcquisitionError, match="FileNotFoundError: no such folder"):
        acquire.run(acquire.sweep(smu, [0.1, 0.2], dmm), sinks=[first, second])
    assert smu.output is False
    assert first.ended == ["FileNotFoundError: no such folder"]
    assert second.ended == []


def test_the_other_sinks_are_ended_with_the_reason_where_one_fails(smu, dmm):
    good, bad = Sink(), Sink(fail_at=2)
    with pytest.raises(AcquisitionError, match="No space left"):
        acquire.run(acquire.sweep(smu, np.linspace(0, 1, 50), dmm), sinks=[good, bad])
    assert good.taken == [0, 1, 2]
    assert bad.taken == [0, 1]
    for sink in (good, bad):
        assert len(sink.ended) == 1
        assert "No space left on device" in sink.ended[0]


def test_a_bad_answer_to_the_first_snapshot_is_asked_again(bench, smu, dmm):
    task = acquire.sweep(smu, [0.1, 0.2], dmm)
    seen = []
    for after in range(12):
        bench.fail("smu", "garble", after=after)
        run = acquire.run(task, retries=1)
        bench.repair("smu")
        seen.append(run.attrs["retaken"])
        assert run.attrs["missing"] == 0
    assert sum(seen) >= 9, seen  # what hits a message without an answer spoils nothing


@pytest.mark.parametrize("kind", ["garble", "truncate", "drop"])
def test_a_damaged_block_in_a_grid_is_an_error_and_never_a_spectrum(bench, kind):
    with instruments.open("sim://spectrometer", bench=bench) as device:
        device.laser_power, device.laser, device.exposure = 0.02, True, 0.05
        scan = [acquire.steps(device, np.arange(4) * 1e-4, setting="stage_x")]
        clean = acquire.run(acquire.grid(scan, device))
        bench.fail("spectrometer", kind, after=40)
        with pytest.raises(AcquisitionError, match=r"ended at shot \d of 4 by Instrument") as caught:
            acquire.run(acquire.grid(scan, device))
        assert device.laser is False
    kept = caught.value.data["signal"]
    whole = np.isfinite(kept).all("channel")
    assert 0 < int(whole.sum()) < 4
    assert bool((np.isfinite(kept).any("channel") == whole).all())
    assert abs(float(kept[0].max() / clean["signal"][0].max()) - 1) < 0.5


def test_a_storm_of_timeouts_ends_after_its_retries_in_bounded_time(bench, smu, dmm):
    acquire.run(acquire.sweep(smu, [0.1], dmm))
    bench.fail("dmm", "timeout", times=math.inf)
    before = bench.clock.now()
    with pytest.raises(AcquisitionError, match="InstrumentTimeoutError") as caught:
        acquire.run(acquire.sweep(smu, np.linspace(0, 1, 1000), dmm), retries=3)
    assert smu.output is False
    assert caught.value.data is None
    assert bench.clock.now() - before < 60.0  # four time-outs of 2 s each, not a thousand


def test_guard_is_not_cut_short_by_a_second_ctrl_c():
    order = []

    class Device:
        def __init__(self, name, times):
            self.name, self.times = name, times

        def safe_state(self):
            order.append(self.name)
            self.times -= 1
            if self.times >= 0:
                raise KeyboardInterrupt

    with pytest.raises(ZeroDivisionError) as caught, control.guard(Device("a", 0), Device("b", 1), Device("c", 5)):
        raise ZeroDivisionError
    assert order == ["c", "c", "b", "b", "a"]
    assert caught.value.__notes__ == ["c could not be made safe: KeyboardInterrupt: "]


def test_a_stream_on_the_real_clock_is_stopped_at_once_and_keeps_its_shots():
    bench = Bench(seed=2, clock=RealClock())
    with instruments.open("sim://dmm", bench=bench) as dmm:
        dmm.nplc = 0.02
        running = acquire.start(acquire.stream(dmm, period=0.02))
        until(lambda: running.count > 5)
        begun = time.monotonic()
        running.stop()
        run = running.wait()
        assert time.monotonic() - begun < 1.0
    assert run.sizes["shot"] == running.count
    assert np.isfinite(run["dmm"]).all()
    assert np.median(np.diff(run["time"])) == pytest.approx(0.02, abs=0.015)
