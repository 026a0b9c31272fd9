"""The live panel without a browser: the same run as headless, stopped at once, drawn seldom, alarms said."""

import threading
import time

import numpy as np
import pytest
import xarray as xr

import instruments
from analysis.core import AcquisitionError, InstrumentError
from instruments import acquire, control, record, sensing, widgets
from instruments.clock import RealClock, VirtualClock
from instruments.simulators import Bench, World
from instruments.simulators.world import FurnacePlant

PID = control.PidSettings(gain=0.02, integral_time=100.0)


def heated(clock=None, *, high=150.0, fast=False):
    """A furnace, controlled by what a Pt100 at the sample sees."""
    plant = FurnacePlant(lag=8.0, sample_lag=1.0, dead_time=0.3) if fast else FurnacePlant()
    bench = Bench(seed=3, clock=clock or VirtualClock(), truth=World(furnace=plant))
    dmm, furnace = instruments.open("sim://dmm", bench=bench), instruments.open("sim://furnace", bench=bench)
    dmm.function, dmm.nplc = "resistance_4w", 1.0
    furnace.allow(0.0, 1.0)
    process = sensing.SensedProcess(furnace, sensing.resistance_thermometer(dmm, grade="A"))
    interlock = control.Interlock(name="over temperature", high=high)
    return bench, control.ClosedLoop(process, PID, setpoint=100.0, interlocks=[interlock])


def until(true, seconds=10.0):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_the_panel_takes_the_same_shots_as_the_call_it_shows():
    _, loop = heated()
    task = acquire.stream(loop, period=4.0, count=80)
    panel = widgets.live(task)
    assert (panel.text(), panel.code()) == ("ready", "acquire.run(task)")
    panel.start()
    seen = panel.wait(60)
    _, loop = heated()
    again = eval(panel.code(), {"acquire": acquire, "task": acquire.stream(loop, period=4.0, count=80)})
    for name in ("furnace", "u_furnace", "furnace_output", "timestamp"):
        np.testing.assert_array_equal(seen[name], again[name])
    xr.testing.assert_identical(panel.result, seen)
    last = panel.text().splitlines()
    assert last[0] == "done, 80 shots"
    assert last[1].startswith("  furnace: ")
    assert last[1].endswith(" degC")
    assert last[2] == "  furnace setpoint: 100 degC"


def test_stop_acts_at_once_makes_safe_and_keeps_what_was_read():
    bench, loop = heated(RealClock(), fast=True)
    panel = widgets.live(acquire.stream(loop, period=30.0))
    panel.start_button.click()
    until(lambda: panel.running.count == 1)
    with pytest.raises(InstrumentError, match="still running"):
        panel.wait(0.01)
    panel.start_button.click()
    assert "is running already, at shot 1" in panel.message.value
    begun = time.monotonic()
    panel.stop_button.click()
    assert panel.wait(10).sizes["shot"] == 1
    assert time.monotonic() - begun < 2.0
    assert bench.furnace.values["output"] == 0.0
    assert "<b>stopped</b>: stopped by the user; all devices were made safe" in panel.state.value
    assert (panel.start_button.disabled, panel.stop_button.disabled) == (False, True)


def test_it_draws_at_most_five_times_a_second_and_never_in_the_sampling_thread(monkeypatch):
    _, loop = heated(RealClock(), fast=True)
    panel = widgets.live(acquire.stream(loop, period=0.05))
    drawn, show = [], panel.plot.show
    monkeypatch.setattr(
        panel.plot, "show", lambda series: drawn.append(threading.current_thread().name) or show(series)
    )
    panel.start()
    until(lambda: panel.running.count >= 30)
    panel.stop()
    shots = panel.wait(10).sizes["shot"]
    assert shots >= 30
    assert 2 <= len(drawn) <= 5 * shots * 0.05 + 3
    assert not [name for name in drawn if "sampler" in name or "writer" in name]


def test_the_set_point_is_steered_while_it_runs_and_refused_beyond_an_interlock():
    _, loop = heated(RealClock(), fast=True)
    panel = widgets.live(acquire.stream(loop, period=0.05))
    assert panel.setpoint.description == "set point (degC)"
    panel.start()
    until(lambda: panel.running.count >= 3)
    panel.setpoint.value = 120.0
    panel.set_button.click()
    assert "set point: 120 degC" in panel.message.value
    panel.setpoint.value = 200.0
    panel.set_button.click()
    assert "furnace.setpoint must lie in [-inf, 150] degC, got 200.0" in panel.message.value
    count = panel.running.count
    until(lambda: panel.running.count >= count + 3)
    panel.stop()
    run = panel.wait(10)
    assert set(run["furnace_setpoint"].values) == {100.0, 120.0}


def test_a_limit_is_an_alarm_and_an_interlock_ends_it_safely():
    bench, loop = heated(high=105.0)
    loop.retune(control.PidSettings(gain=0.1, integral_time=10.0))  # far too fast
    panel = widgets.live(acquire.stream(loop, period=2.0, count=2000), limits={"furnace": (0.0, 50.0)})
    panel.start()
    with pytest.raises(AcquisitionError, match="interlock 'over temperature': furnace at"):
        panel.wait(60)
    assert bench.furnace.values["output"] == 0.0
    assert "<b>failed</b>: InstrumentError: interlock" in panel.state.value
    assert "outside [0, 50]" in panel.alarms.value
    assert panel.result.sizes["shot"] > 3
    assert "alarm: furnace is" in panel.text()


def test_what_the_device_complains_about_is_an_alarm_and_ends_the_loop():
    bench, loop = heated()
    panel = widgets.live(acquire.stream(loop, period=1.0, count=3))
    loop.process.controller.alarm = 20.0
    bench.clock.sleep(5.0)
    panel.start()
    with pytest.raises(AcquisitionError, match=r"furnace at .* is over its alarm; find out why"):
        panel.wait(10)
    assert "furnace: over its alarm" in panel.alarms.value
    assert panel.result is None
    assert panel.text() == "failed, 0 shots\n  alarm: furnace: over its alarm"


def test_a_scan_shows_its_last_spectrum():
    bench = Bench(seed=2)
    spectrometer = instruments.open("sim://spectrometer", bench=bench)
    spectrometer.light = "neon"
    places = acquire.steps(spectrometer, [0.0, 1e-4, 2e-4], setting="stage_x")
    panel = widgets.live(acquire.grid([places], spectrometer))
    panel.start()
    run = panel.wait(30)
    label, units, x, y, u = panel._line(panel._tail.channel(""))
    assert (label, units) == ("nominal wavelength", "nm")
    np.testing.assert_array_equal(y, run["signal"].values[-1])
    np.testing.assert_array_equal(u, run["u_signal"].values[-1])
    assert np.all(np.diff(x) > 0)
    assert "image/png" in panel._repr_mimebundle_()


def test_a_recording_is_in_its_file_and_start_goes_on_where_it_stopped(tmp_path):
    bench = Bench(seed=2)
    smu, dmm = (instruments.open(f"sim://{name}", bench=bench) for name in ("smu", "dmm"))
    smu.allow(0.0, 5.0)
    path = tmp_path / "sweep.nc"
    panel = widgets.live(acquire.sweep(smu, np.linspace(0.0, 4.0, 400), dmm), path=path)
    assert panel.code() == f"record.record(task, {str(path)!r}, resume=True)"
    panel.start()
    until(lambda: panel.running.count > 10)
    panel.stop()
    part = panel.wait(30)
    taken = int(np.isfinite(part["dmm"]).sum())
    assert 10 < taken < 400
    panel.start()
    whole = panel.wait(60)
    assert whole.attrs["missing"] == 0
    np.testing.assert_array_equal(whole["dmm"][:taken], part["dmm"][:taken])
    xr.testing.assert_identical(record.read(path), whole)
    panel.start_button.click()
    assert "has all 400 shots" in panel.message.value


def test_channels_and_spans_can_be_chosen_and_others_are_refused():
    _, loop = heated()
    panel = widgets.live(acquire.stream(loop, period=2.0, count=100))
    panel.start()
    panel.wait(60)
    panel.channel.value = "furnace_output"
    panel.span.value = 60.0
    assert panel.settings == widgets.LiveSettings(channel="furnace_output", seconds=60.0)
    assert panel.plot.plot["window"][1] - panel.plot.plot["window"][0] == pytest.approx(60.0, abs=2.5)
    assert panel.plot.plot["labels"]["y"] == "furnace output"
    panel.undo()
    panel.undo()
    assert panel.settings == widgets.LiveSettings()
    with pytest.raises(InstrumentError, match=r"no channel 'furnase'.*Did you mean 'furnace'"):
        panel.set(widgets.LiveSettings(channel="furnase"))
    with pytest.raises(InstrumentError, match=r"seconds must be one of"):
        panel.set(widgets.LiveSettings(seconds=7.0))


def test_what_makes_no_sense_is_refused():
    bench = Bench()
    task = acquire.stream(instruments.open("sim://dmm", bench=bench), count=2)
    with pytest.raises(InstrumentError, match=r"limits of dmm must rise, got \[2, 1\]"):
        widgets.live(task, limits={"dmm": (2.0, 1.0)})
    panel = widgets.live(task)
    with pytest.raises(InstrumentError, match="has not been started"):
        panel.wait()
    with pytest.raises(InstrumentError, match="has no closed loop"):
        panel.steer(1.0)
    panel.start()
    assert panel.wait(10).sizes["shot"] == 2
    panel.start()  # again
    assert panel.wait(10).sizes["shot"] == 2
