"""Settings, safe states and recovery of drivers, and readings against the truth of the bench.

What holds for all drivers on all carriers is in `test_instruments_carriers.py`.
"""

import ast
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import instruments
from analysis.core import InstrumentError, InstrumentTimeoutError
from analysis.uncertainty import Quantity
from instruments import drivers
from instruments.simulators import Bench
from instruments.transports import Recorder

NAMES = Bench().names


def opened(name, bench=None):
    return instruments.open(f"sim://{name}", bench=bench or Bench(seed=5))


def settings_of(name):
    return [pytest.param(name, key, id=f"{name}.{key}") for key in type(opened(name)).settings()]


@pytest.mark.parametrize(("name", "key"), [case for name in NAMES for case in settings_of(name)])
def test_a_setting_that_makes_no_sense_sends_nothing(name, key):
    device = opened(name)
    line = Recorder(device._line) if name != "furnace" else None
    if line is not None:
        device._line = line
    for value in ("nonsense", math.nan, math.inf, 1e300, None):
        with pytest.raises(InstrumentError, match="nothing was sent"):
            setattr(device, key, value)
    if line is not None:
        assert [said for said, answer in line.dialogue if answer is None] == []


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["level", "current_limit", "voltage_limit", "nplc", "mode", "output"]),
                  st.one_of(st.floats(-50, 50), st.floats(), st.sampled_from(["voltage", "current", True, False, 5]))),
        max_size=8,
    ),
    st.floats(0.0, 21.0),
)  # fmt: skip
def test_no_sequence_of_settings_sends_what_was_not_allowed(steps, most):
    bench = Bench()
    device = opened("smu", bench)
    device.allow(-most, most)
    for key, value in steps:
        try:
            setattr(device, key, value)
        except InstrumentError:
            continue
    assert abs(bench.devices["smu"].values["voltage"]) <= most
    assert not bench.devices["smu"].errors


def test_outputs_are_refused_until_it_is_said_what_the_circuit_stands():
    bench = Bench()
    with opened("smu", bench) as smu:
        for act in (lambda: setattr(smu, "level", 1.0), lambda: setattr(smu, "output", True)):
            with pytest.raises(InstrumentError, match=r"smu.allow\(low, high\) first"):
                act()
        smu.allow(0.0, 2.0)
        with pytest.raises(InstrumentError, match=r"smu.level must lie in \[0, 2\] V, got 2.1; nothing was sent"):
            smu.level = 2.1
        smu.level = 1.5
        smu.output = True
        assert bench.truth.source_voltage == pytest.approx(1.5, abs=2e-3)
    assert bench.truth.source_voltage == 0.0


def test_leaving_by_an_exception_makes_safe_and_keeps_the_exception():
    bench = Bench()
    with pytest.raises(ZeroDivisionError), opened("smu", bench) as smu:  # noqa: PT012
        smu.allow(0.0, 2.0)
        smu.level = 1.0
        smu.output = True
        raise ZeroDivisionError
    assert bench.truth.source_voltage == 0.0
    with pytest.raises(ZeroDivisionError) as caught, opened("smu", bench):  # noqa: PT012
        bench.fail("smu", "disconnect")
        raise ZeroDivisionError
    assert "the safe state was not confirmed" in caught.value.__notes__[0]


def test_the_error_queue_is_read_after_every_set():
    bench = Bench()
    with opened("dmm", bench) as dmm:
        bench.devices["dmm"].execute(b"NONSENSE")
        with pytest.raises(InstrumentError, match=r"refused 'VOLT:NPLC 1': -113"):
            dmm.nplc = 1.0
        dmm.nplc = 10.0


@pytest.mark.parametrize("seed", range(8))
def test_readings_hold_the_truth_within_their_uncertainty(seed):
    bench = Bench(seed=seed)
    with opened("dmm", bench) as dmm, opened("smu", bench) as smu, opened("furnace", bench) as furnace:
        smu.allow(0.0, 10.0)
        smu.level = 4.0
        smu.output = True
        voltage = dmm.quantity([dmm.reading() for _ in range(5)])
        current = smu.measure()
        temperature = furnace.measure()
        true = (bench.truth.voltage, bench.truth.current, bench.truth.temperature)
        for found, expected in zip((voltage, current, temperature), true, strict=True):
            assert isinstance(found, Quantity)
            assert abs(found.value - expected) < 3.0 * found.u
        resistance = voltage / current
        assert abs(resistance.value - bench.truth.resistance) < 3.0 * resistance.u


def test_readings_of_one_range_share_the_errors_of_the_meter():
    bench = Bench(seed=2)
    bench.truth.source_voltage = 5.0
    with opened("dmm", bench) as dmm:
        first, second = dmm.measure(), dmm.measure()
    assert first.correlation(second) > 0.9
    assert (first - second).u < 0.2 * first.u


def test_an_overload_is_an_error_and_never_a_number():
    bench = Bench()
    bench.truth.source_voltage = 5.0
    with opened("dmm", bench) as dmm:
        dmm.range_ = 0.1
        with pytest.raises(InstrumentError, match=r"overload in the range of 0\.1 V"):
            dmm.reading()


@pytest.mark.parametrize("kind", ["drop", "garble", "truncate", "late", "timeout"])
def test_a_driver_recovers_from_a_bad_answer(kind):
    bench = Bench()
    bench.truth.source_voltage = 5.0
    with opened("dmm", bench) as dmm:
        good = dmm.reading()
        bench.fail("dmm", kind)
        with pytest.raises(InstrumentError):
            dmm.reading()
        assert dmm.reading() == pytest.approx(good, abs=1e-4)


def test_a_lost_device_says_so_every_time():
    bench = Bench()
    dmm = opened("dmm", bench)
    bench.fail("dmm", "disconnect")
    for _ in range(2):
        with pytest.raises(InstrumentTimeoutError, match="the line is broken"):
            dmm.reading()


def test_the_frame_does_not_move_until_allowed_and_pulls_steel_apart():
    bench = Bench(seed=1)
    with opened("frame", bench) as frame:
        with pytest.raises(InstrumentError, match=r"frame.allow\(low, high\) first"):
            frame.move(0.001, speed=1e-3)
        frame.allow(0.0, 0.02)
        frame.move(0.0001, speed=1e-5)
        curve = frame.recorded()
        stress = curve["force"] / bench.truth.specimen.area
        slope = np.polyfit(curve["extension"] / bench.truth.specimen.length, stress, 1)[0]
        assert slope == pytest.approx(bench.truth.specimen.modulus, rel=0.01)
        frame.move(0.02, speed=1e-3)
        assert frame.broken()
        strongest = float(frame.recorded()["force"].max()) / bench.truth.specimen.area
        assert strongest == pytest.approx(bench.truth.specimen.flow(0.21), rel=0.01)
        with pytest.raises(InstrumentError, match=r"frame\.move must lie in"):
            frame.move(0.03, speed=1e-3)


def test_the_spectrometer_sees_silicon_shift_as_the_furnace_heats_it():
    bench = Bench(seed=1)
    peaks = []
    with opened("spectrometer", bench) as spectrometer:
        spectrometer.laser_power, spectrometer.laser, spectrometer.exposure = 0.01, True, 1.0
        for power in (0.0, 0.5):
            bench.truth.furnace.heat(power, bench.clock.now())
            bench.clock.sleep(3600.0)
            spectrum = spectrometer.acquire()
            light = spectrum["signal"].values - np.median(spectrum["signal"].values)
            near = slice(int(np.argmax(light)) - 6, int(np.argmax(light)) + 7)
            peaks.append(float(np.sum(light[near] * spectrum["wavelength"].values[near]) / np.sum(light[near])))
    moved = 1e7 * (1.0 / peaks[0] - 1.0 / peaks[1])
    assert moved == pytest.approx(bench.truth.raman_slope * 200.0, abs=0.4)
    assert spectrum["u_signal"].dims == ("channel",)
    assert json.loads(spectrum.attrs["settings"])["exposure"] == 1.0


def test_a_saturated_spectrum_or_waveform_is_an_error():
    bench = Bench()
    with opened("spectrometer", bench) as spectrometer:
        spectrometer.light, spectrometer.exposure = "neon", 10.0
        spectrometer.centre = 610e-9
        with pytest.raises(InstrumentError, match="saturated at an exposure"):
            spectrometer.acquire()
    with opened("generator", bench) as generator, opened("oscilloscope", bench) as scope:
        generator.allow(0.001, 5.0)
        generator.level = 4.0
        generator.output = True
        scope.scale = 0.1
        with pytest.raises(InstrumentError, match="leaves the screen"):
            scope.acquire()
        scope.scale = 1.0
        wave = scope.acquire()["signal"].values
        assert np.ptp(wave) == pytest.approx(4.0, rel=0.05)


def test_the_lockin_measures_the_low_pass_at_the_frequency_of_the_generator():
    bench = Bench(seed=4)
    with opened("generator", bench) as generator, opened("lockin", bench) as lockin:
        generator.allow(0.001, 2.0)
        generator.level, generator.frequency, generator.output = 1.0, 5000.0, True
        found = lockin.measure()
    true = bench.truth.tone[1] / math.sqrt(2) * abs(bench.truth.transfer(bench.truth.tone[0]))
    assert generator.closed
    assert found.u > 0
    bench.truth.tone = (5000.0, 0.5, 0.0)
    true = 0.5 * (1 + bench.devices["generator"].gain) / math.sqrt(2) * 1e-3 / math.sqrt(2)
    assert abs(found.value - true) < 3.0 * found.u


def test_the_furnace_holds_a_temperature_with_its_own_controller_and_switches_off_at_its_alarm():
    bench = Bench()
    with opened("furnace", bench) as furnace:
        with pytest.raises(InstrumentError, match=r"furnace.allow\(low, high\) first"):
            furnace.set(0.5)
        furnace.allow(0.0, 1.0)
        furnace.setpoint, furnace.automatic = 150.0, True
        bench.clock.sleep(3600.0)
        assert furnace.process_value() == pytest.approx(150.0, abs=0.5)
        furnace.output = 1.0
        assert furnace.automatic is False
        furnace.alarm = 200.0
        bench.clock.sleep(3600.0)
        assert furnace.alarms() == ["over its alarm"]
        assert furnace.output == 0.0


def test_an_unknown_name_or_driver_is_named():
    with pytest.raises(InstrumentError, match=r"no simulated instrument 'dmn'.*Did you mean 'dmm'"):
        instruments.open("sim://dmn")
    with pytest.raises(InstrumentError, match=r"no driver 'dvm'; there are"):
        instruments.open("sim://dmm", driver="dvm")


def test_every_file_of_drivers_lists_its_messages():
    for name in drivers.__all__:
        module = __import__(getattr(drivers, name).__module__, fromlist=["_"])
        with open(module.__file__, encoding="utf-8") as file:  # noqa: PTH123
            assert "Messages: " in ast.get_docstring(ast.parse(file.read()))


def test_the_output_of_a_generator_with_its_offset_stays_within_what_is_allowed():
    with instruments.open("sim://generator", bench=Bench(seed=1)) as device:
        device.offset = 3.0
        device.allow(1e-3, 2.0)
        with pytest.raises(InstrumentError, match=r"generator: peak must lie in \[0, 1\] V"):
            device.output = True
        with pytest.raises(InstrumentError, match="an offset of 3 V leaves nothing of the 2 V allowed"):
            device.level = 0.5
        device.offset = 0.0
        device.level = 0.5
    with instruments.open("sim://generator", bench=Bench(seed=1)) as device:
        device.allow(1e-3, 2.0)
        device.level, device.offset = 1.0, 0.5
        device.output = True
        with pytest.raises(InstrumentError, match=r"generator.level must lie in \[0.001, 1\] V"):
            device.level = 1.1
        with pytest.raises(InstrumentError, match=r"generator.offset must lie in \[-0.5, 0.5\] V"):
            device.offset = -0.6
        assert (device.level, device.offset) == (1.0, 0.5)
