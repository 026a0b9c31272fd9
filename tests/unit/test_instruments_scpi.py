"""The SCPI model against the text of SCPI-99 and IEEE 488.2, and the bench against its truth."""

import math

import numpy as np
import pytest
import pyvisa
from hypothesis import given
from hypothesis import strategies as st
from pymeasure.instruments.hp import HP34401A

from analysis.core import InstrumentError, InstrumentTimeoutError
from instruments.protocols import Transport
from instruments.simulators import Bench
from instruments.simulators.program import Number, block
from instruments.simulators.scpi import ScpiDevice
from instruments.simulators.visa_library import resource_manager, resource_name
from instruments.transports import Recorder, Replay
from instruments.transports.visa import VisaTransport


def meter():
    device = ScpiDevice()
    device.cell("[SENSe:]VOLTage[:DC]:RANGe", "range", Number(low=0.1, high=1000, default=10, unit="V"))
    device.cell("[SENSe:]VOLTage[:DC]:NPLCycles", "nplc", Number(low=0.02, high=100, default=10))
    return device


@pytest.mark.parametrize(
    "header",
    ["VOLT:RANG", "volt:dc:rang", "SENS:VOLT:RANG", ":SENSE:VOLTAGE:DC:RANGE", "Sense:Volt:Dc:Range"],
)
def test_short_and_long_forms_and_optional_nodes_are_one_header(header):
    device = meter()
    assert device.execute(f"{header} 100 mV;*OPC?".encode()) == b"1"
    assert device.values["range"] == 0.1
    assert float(device.execute(f"{header}?".encode())) == 0.1


@pytest.mark.parametrize("header", ["VOL:RANG", "VOLTA:RANG", "VOLT:RANGES", "SENS:RANG"])
def test_what_is_neither_the_short_nor_the_long_form_is_undefined(header):
    device = meter()
    assert device.execute(f"{header} 1".encode()) is None
    assert device.errors[0].code == -113


def test_a_compound_message_goes_on_from_the_path_of_the_unit_before():
    device = meter()
    assert device.execute(b"SENS:VOLT:RANG 1;NPLC 0.2;*OPC?;RANG?;:VOLT:NPLC?") == (
        b"1;+1.000000000E+00;+2.000000000E-01"
    )
    assert not device.errors


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (b"VOLT:RANG", -109), (b"VOLT:RANG 1,2", -108), (b"VOLT:RANG 1e4", -222), (b"VOLT:RANG abc", -104),
        (b"VOLT:RANG 1 parsec", -131), (b"VOLT:RANG nan", -104), (b"1VOLT 1", -102), (b'VOLT:RANG "1', -151),
        (b"VOLT:RANG #9999", -161), (b"*ESE 999", -222),
    ],
)  # fmt: skip
def test_errors_have_the_numbers_of_the_standard_and_change_nothing(message, code):
    device = meter()
    before = dict(device.values)
    assert device.execute(message) is None
    assert [error.code for error in device.errors] == [code]
    assert device.values == before


def test_the_error_queue_overflows_as_the_standard_says_and_empties():
    device = meter()
    for _ in range(30):
        device.execute(b"FOO")
    assert device.execute(b"SYST:ERR:COUN?") == b"20"
    told = [device.execute(b"SYST:ERR?") for _ in range(21)]
    assert told[0].startswith(b"-113,")
    assert told[19] == b'-350,"Queue overflow"'
    assert told[20] == b'+0,"No error"'


def test_status_registers_sum_up_into_the_status_byte():
    device = meter()
    device.execute(b"*CLS;*ESE 32;*SRE 32;FOO")
    assert device.status_byte() == 4 | 32 | 64
    assert device.execute(b"*ESR?;*ESR?") == b"32;0"
    device.questionable.set_condition(1)
    device.execute(b"STAT:QUES:ENAB 1")
    assert device.status_byte() & 8
    assert device.execute(b"STAT:QUES?;:STAT:QUES?;:STAT:QUES:COND?") == b"1;0;1"


@given(st.binary(max_size=300))
def test_no_message_whatever_breaks_the_device(message):
    device = meter()
    device.execute(message)
    device.execute(b"*CLS")
    assert device.execute(b"SYST:ERR?") == b'+0,"No error"'


@given(st.binary(max_size=2000), st.booleans())
def test_binary_blocks_come_through_any_content(content, definite):
    bench = Bench()
    device = bench.devices["oscilloscope"]
    device.command("TEST:BLOCk", query=lambda: block(content, definite=definite))
    line = VisaTransport(resource_name("oscilloscope"), manager=resource_manager(bench), clock=bench.clock)
    if definite or b"\n" not in content:
        assert line.query_block("TEST:BLOC?", limit=4000) == content


@pytest.fixture
def bench():
    return Bench(seed=3)


@pytest.fixture
def line(bench):
    return VisaTransport(resource_name("dmm"), manager=resource_manager(bench), clock=bench.clock)


def test_the_meter_reads_what_the_source_drives_within_its_specification(bench, line):
    source = VisaTransport(resource_name("smu"), manager=resource_manager(bench), clock=bench.clock)
    source.write("VOLT 5;:OUTP ON")
    readings = [float(line.query("READ?")) for _ in range(20)]
    truth = bench.devices["dmm"].truth()
    expected = bench.truth.voltage * (1 + truth["gain"]) + truth["offset"]
    assert abs(np.mean(readings) - expected) < 5 * 0.3e-6 * 10 / math.sqrt(10 * 20)
    assert abs(np.mean(readings) - bench.truth.voltage) < 35e-6 * 5 + 5e-6 * 10 + 1e-5


def test_the_furnace_heats_the_thermometer_that_the_meter_reads(bench, line):
    cold = float(line.query("MEAS:FRES?"))
    bench.furnace.write(12, [0x3F00, 0])
    bench.clock.sleep(3600.0)
    hot = float(line.query("MEAS:FRES?"))
    assert bench.truth.temperature == pytest.approx(23 + 0.5 * 400, abs=1e-6)
    assert hot == pytest.approx(bench.truth.pt100, rel=2e-4)
    assert cold < 110 < hot


def test_the_furnace_is_the_same_whatever_the_steps_of_the_clock():
    one, many = Bench(), Bench()
    for each in (one, many):
        each.truth.furnace.heat(0.7, 0.0)
    one.clock.sleep(600.0)
    for _ in range(6000):
        many.clock.sleep(0.1)
        _ = many.truth.temperature
    assert one.truth.temperature == pytest.approx(many.truth.temperature, abs=1e-9)


def test_an_overload_is_shown_as_the_standard_number_and_marked(bench, line):
    bench.truth.source_voltage = 5.0
    line.write("VOLT:RANG 0.1")
    assert float(line.query("READ?")) == 9.9e37
    assert int(line.query("STAT:QUES?")) & 1


def test_the_same_seed_gives_the_same_readings_and_devices_do_not_disturb_each_other():
    readings = []
    for disturbed in (False, True):
        bench = Bench(seed=7)
        manager = resource_manager(bench)
        if disturbed:
            VisaTransport(resource_name("frame"), manager=manager, clock=bench.clock).query("FORC?")
        readings.append(VisaTransport(resource_name("dmm"), manager=manager, clock=bench.clock).query("READ?"))
    assert readings[0] == readings[1]


@pytest.mark.parametrize("kind", ["drop", "late", "timeout", "disconnect"])
def test_a_line_that_fails_says_resource_command_termination_and_timeout(bench, line, kind):
    bench.fail("dmm", kind)
    with pytest.raises(InstrumentTimeoutError) as caught:
        line.query("READ?")
    for part in ("TCPIP0::dmm::inst0::INSTR", "'READ?'", r"'\n'", "timeout 2 s"):
        assert part in str(caught.value)


@pytest.mark.parametrize("kind", ["garble", "truncate"])
def test_an_answer_that_was_damaged_is_refused_and_never_a_number(bench, line, kind):
    bench.fail("dmm", kind)
    with pytest.raises(InstrumentError, match=r"is not ASCII|ends without its termination"):
        line.query("READ?")
    assert line.query("SYST:ERR?") == '+0,"No error"'


def test_a_late_answer_does_not_answer_the_next_question(bench, line):
    bench.fail("dmm", "late", size=3.0)
    with pytest.raises(InstrumentTimeoutError):
        line.query("READ?")
    bench.clock.sleep(10.0)
    assert line.query("*IDN?").startswith("METROSPEC,34401A-SIM")


def test_the_virtual_clock_pays_for_integration_and_for_waiting(bench, line):
    line.write("VOLT:NPLC 100")
    before = bench.clock.now()
    line.query("READ?")
    assert bench.clock.now() - before == pytest.approx(2 * 100 / 50)
    bench.fail("dmm", "drop")
    with pytest.raises(InstrumentTimeoutError):
        line.query("*IDN?")
    assert bench.clock.now() - before == pytest.approx(4 + 2)


def test_a_block_longer_than_wanted_is_refused_before_it_is_read(bench):
    scope = VisaTransport(resource_name("oscilloscope"), manager=resource_manager(bench), clock=bench.clock)
    scope.write("DIG")
    with pytest.raises(InstrumentError, match=r"b'1000' bytes was announced, at most 100 are wanted"):
        scope.query_block("WAV:DATA?", limit=100)
    assert len(scope.query_block("WAV:DATA?", limit=1000)) == 1000
    scope.close()
    scope.close()
    with pytest.raises(InstrumentError, match="the line is closed"):
        scope.query("*IDN?")


def test_a_message_with_a_termination_inside_is_not_sent(line):
    with pytest.raises(InstrumentError, match="send messages one by one"):
        line.write("*RST\n*IDN?")


def test_an_unmodified_driver_of_pymeasure_works_on_our_meter(bench):
    bench.truth.source_voltage = 2.0
    with pytest.warns(FutureWarning, match="support SCPI commands"):
        theirs = HP34401A(resource_name("dmm"), visa_library=resource_manager(bench).visalib)
    theirs.function_ = "DCV"
    theirs.range_ = 10
    theirs.nplc = 10
    theirs.autozero_enabled = False
    theirs.sample_count = 5
    assert (theirs.function_, theirs.range_, theirs.nplc) == ("DCV", 10.0, 10.0)
    assert np.asarray(theirs.reading) == pytest.approx([bench.truth.voltage] * 5, abs=2e-4)
    theirs.function_ = "R4W"
    theirs.sample_count = 1
    assert theirs.reading == pytest.approx(bench.truth.pt100, rel=3e-4)
    assert theirs.check_errors() == []


def test_a_dialogue_is_played_again_word_for_word(line):
    recorder = Recorder(line)
    assert isinstance(recorder, Transport)
    identity = recorder.query("*IDN?")
    recorder.write("VOLT:NPLC 1")
    replay = Replay(recorder.dialogue)
    assert replay.query("*IDN?") == identity
    with pytest.raises(InstrumentError, match="got 'READ\\?' where the dialogue has 'VOLT:NPLC 1'"):
        replay.write("READ?")


def test_an_unknown_instrument_or_defect_is_named(bench):
    with pytest.raises(InstrumentError, match=r"no simulated instrument 'dm'.*Did you mean 'dmm'"):
        bench.device("dm")
    with pytest.raises(InstrumentError, match=r"no defect 'garbled'.*Did you mean 'garble'"):
        bench.fail("dmm", "garbled")
    with pytest.raises(pyvisa.VisaIOError):
        resource_manager(bench).open_resource("TCPIP0::nothing::inst0::INSTR")
