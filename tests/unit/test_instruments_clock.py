"""Clocks: what acquisition and control may rely on."""

import math
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.core import InstrumentError
from instruments.clock import Clock, RealClock, VirtualClock
from instruments.protocols import Finished, Status, require_within


@pytest.mark.parametrize("clock", [RealClock(), VirtualClock()])
def test_both_are_clocks_and_do_not_run_backwards(clock):
    assert isinstance(clock, Clock)
    before = clock.now()
    clock.sleep(0.0)
    clock.sleep_until(before - 5.0)
    assert clock.now() >= before


@given(st.lists(st.floats(0, 1e4), max_size=20))
def test_virtual_time_is_the_sum_of_the_sleeps(waits):
    clock = VirtualClock()
    start = clock.timestamp()
    for wait in waits:
        clock.sleep(wait)
    assert math.isclose(clock.now(), math.fsum(waits), rel_tol=1e-12)
    assert clock.timestamp() == start + clock.now()


def test_threads_that_sleep_lose_no_time():
    clock = VirtualClock()
    threads = [threading.Thread(target=lambda: [clock.sleep(1.0) for _ in range(500)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert clock.now() == 4000.0


@pytest.mark.parametrize("clock", [RealClock(), VirtualClock()])
@pytest.mark.parametrize("wait", [-1.0, math.nan, math.inf])
def test_a_wait_that_makes_no_sense_is_refused(clock, wait):
    with pytest.raises(InstrumentError, match="a wait must be finite and >= 0 s"):
        clock.sleep(wait)


@pytest.mark.parametrize("value", [-0.1, 1.1, math.nan, math.inf, True, "0.5", None])
def test_a_setting_outside_its_limits_is_refused(value):
    with pytest.raises(InstrumentError, match=r"power must lie in \[0, 1\] W, got .*; nothing was sent"):
        require_within(value, (0.0, 1.0), "power", "W")


def test_a_status_has_ended_and_tells_how():
    seen = []
    good, bad = Finished(), Finished(InstrumentError("broken"))
    good.add_callback(seen.append)
    assert isinstance(good, Status)
    assert seen == [good]
    assert good.success
    assert not bad.success
    with pytest.raises(InstrumentError, match="broken"):
        bad.wait()
