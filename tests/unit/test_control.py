"""Controllers against closed forms and a slow simulation; identification against known truth; and safety."""

import gc
import math
import sys
import tracemalloc
from collections import deque

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import waveform
from analysis.core import InstrumentError
from analysis.uncertainty import Quantity
from instruments import control
from instruments.clock import VirtualClock
from instruments.control import Interlock, LoopSettings, Pid, PidSettings, Profile, Ramp, Soak


class Furnace:
    """A first-order process with dead time, exact between two moves of its output; noise with a seed."""

    units, limits, name = "degC", (0.0, 1.0), "furnace"

    def __init__(self, *, gain=300.0, lag=120.0, dead=5.0, noise=0.0, seed=1):
        self.clock, self.gain, self.lag, self.noise = VirtualClock(), gain, lag, noise
        self.temperature, self.output, self.safe = 25.0, 0.0, 0
        self._due, self._at = deque([(-math.inf, 0.0)]), 0.0
        self.dead, self._random = dead, np.random.default_rng(seed)

    def process_value(self):
        now = self.clock.now()
        while self._at < now:
            later = self._due[1][0] if len(self._due) > 1 else math.inf
            until = min(now, later)
            rest = 25.0 + self.gain * self._due[0][1]
            self.temperature = rest + (self.temperature - rest) * math.exp(-(until - self._at) / self.lag)
            self._at = until
            if until == later:
                self._due.popleft()
        return self.temperature + self.noise * self._random.standard_normal()

    def set(self, value):
        self.output = value
        self._due.append((self.clock.now() + self.dead, value))

    def safe_state(self):
        self.safe += 1
        self.output = 0.0


def known(gain, lag, dead):
    return waveform.FirstOrder(
        gain=Quantity(value=gain, u=0, units="degC"),
        time_constant=Quantity(value=lag, u=0, units="s"),
        dead_time=Quantity(value=dead, u=0, units="s"),
    )


# -- the controller
def test_proportional_and_integral_action_follow_their_definition():
    pid = Pid(PidSettings(gain=0.1, integral_time=20.0, low=-10, high=10))
    outputs = [pid.update(1.0, 0.0, 0.5) for _ in range(8)]
    assert outputs == pytest.approx([0.1 * (1 + 0.5 * (k + 1) / 20) for k in range(8)])


def test_the_derivative_is_that_of_the_measurement_not_of_the_setpoint():
    pid = Pid(PidSettings(gain=2.0, derivative_time=3.0, derivative_filter=1e9, low=-100, high=100))
    pid.update(0.0, 0.0, 1.0)
    assert pid.update(5.0, 0.0, 1.0) == pytest.approx(10.0), "a step of the set point gives no kick"
    assert pid.update(5.0, 0.5, 1.0) == pytest.approx(2 * 4.5 - 2 * 3 * 0.5)


def test_a_fast_sampled_loop_is_the_continuous_one():
    # closed loop of PI with Ti = T on K / (T s + 1): first order with time constant T / (K gain), no overshoot
    furnace = Furnace(dead=0.0)
    pid = PidSettings(gain=0.01, integral_time=120.0, low=-100, high=100)
    loop = LoopSettings(pid=pid, profile=Profile(start=100.0, steps=(Soak(seconds=120.0),)), period=0.05)
    found = control.run_loop(furnace, loop)
    truth = 25 + 75 * (1 - np.exp(-found["time"].values / (120 / (300 * 0.01))))
    assert np.abs(found["value"].values - truth).max() < 0.1
    assert found.attrs["late"] == 0


def test_without_anti_windup_the_overshoot_would_be_ten_times_as_large():
    settings = PidSettings(gain=0.03, integral_time=100.0)
    profile = Profile(start=180.0, steps=(Soak(seconds=900.0),))
    found = control.run_loop(Furnace(), LoopSettings(pid=settings, profile=profile, period=0.5))

    class Winding(Pid):
        def _limited(self, wanted, seconds):
            self.wanted = wanted
            return super()._limited(wanted, seconds)

        def update(self, setpoint, value, seconds):
            kept = self._integral + self.settings.gain * seconds / self.settings.integral_time * (setpoint - value)
            out = super().update(setpoint, value, seconds)
            self._integral = kept
            return out

    furnace, pid = Furnace(), Winding(settings)
    values = []
    for _ in range(1801):
        values.append(furnace.process_value())
        furnace.set(pid.update(180.0, values[-1], 0.5))
        furnace.clock.sleep(0.5)
    with_it, without = found["value"].values.max() - 180, max(values) - 180
    assert 0 <= with_it < 3
    assert without > 10 * with_it
    assert abs(found["value"].values[-1] - 180) < 0.1


@given(
    st.lists(st.floats(-1000, 1000), min_size=1, max_size=60),
    st.floats(-5, 5),
    st.floats(0.1, 100),
    st.floats(0, 10),
    st.floats(0.01, 2),
)
def test_the_output_never_leaves_its_limits_nor_its_rate(values, gain, integral, derivative, rate):
    pid = Pid(PidSettings(gain=gain, integral_time=integral, derivative_time=derivative, low=-1, high=2, rate=rate))
    before = pid.output
    for value in values:
        after = pid.update(10.0, value, 0.3)
        assert -1 <= after <= 2
        assert abs(after - before) <= rate * 0.3 * (1 + 1e-12)
        before = after


def test_transfer_and_retuning_have_no_bump():
    pid = Pid(PidSettings(gain=0.05, integral_time=50.0, derivative_time=5.0))
    pid.hold(0.42, setpoint=100.0, value=97.0)
    assert pid.update(100.0, 97.0, 0.01) == pytest.approx(0.42, abs=1e-4)
    for k in range(50):
        before = pid.update(100.0, 97 + 0.01 * k, 0.5)
    pid.retune(PidSettings(gain=0.5, integral_time=20.0, derivative_time=1.0))
    assert pid.update(100.0, 97 + 0.01 * 49, 1e-6) == pytest.approx(before, abs=1e-3)


@pytest.mark.parametrize(
    "wrong",
    [
        {"gain": math.nan},
        {"integral_time": 0.0},
        {"derivative_time": -1.0},
        {"low": 1.0},
        {"rate": 0.0},
        {"bias": math.inf},
    ],
)
def test_settings_that_make_no_controller_are_refused(wrong):
    with pytest.raises(InstrumentError, match="make no controller"):
        PidSettings(**{"gain": 1.0} | wrong)


def test_a_measurement_that_is_not_finite_changes_nothing():
    pid = Pid(PidSettings(gain=0.1, integral_time=10.0))
    kept = pid.update(5.0, 1.0, 1.0)
    with pytest.raises(InstrumentError, match="finite"):
        pid.update(5.0, math.nan, 1.0)
    with pytest.raises(InstrumentError, match="time > 0"):
        pid.update(5.0, 1.0, 0.0)
    assert pid.output == kept


# -- identification and tuning
def answer(furnace, step, seconds, period):
    times, values = [], []
    for k in range(int(seconds / period)):
        if k == 20:
            furnace.set(step)
        times.append((k - 20) * period)
        values.append(furnace.process_value())
        furnace.clock.sleep(period)
    return np.array(times), np.array(values)


def test_a_step_gives_the_process_back_with_intervals_that_cover():
    inside = np.zeros(3)
    for seed in range(60):
        time, value = answer(Furnace(noise=0.5, seed=seed), 0.4, 800.0, 2.0)
        found = control.identify_step(time, value, step=0.4, units="degC")
        for k, (each, truth) in enumerate([(found.gain, 300.0), (found.time_constant, 120.0), (found.dead_time, 5.0)]):
            inside[k] += abs(each.value - truth) <= each.U()
    assert (inside >= 51).all(), inside  # binomial, 60 trials of 95 %: 51 or more in all but 0.2 %


def test_simc_is_skogestads_rule():
    # Skogestad 2003, table 1, lag of 1 and dead time of 1, gain 1: Kc = 0.5, tauI = 1
    pid = control.simc(known(1.0, 1.0, 1.0), PidSettings(gain=1.0))
    assert (pid.gain, pid.integral_time) == (0.5, 1.0)
    slow = control.simc(known(2.0, 1000.0, 5.0), PidSettings(gain=1.0, high=7.0), closed_loop=10.0)
    assert (slow.gain, slow.integral_time, slow.high) == (1000 / (2 * 15), 60.0, 7.0)
    with pytest.raises(InstrumentError, match="give closed_loop"):
        control.simc(known(1.0, 1.0, 0.0), PidSettings(gain=1.0))


def test_a_tuned_loop_follows_a_profile():
    pid = control.simc(known(300.0, 120.0, 5.0), PidSettings(gain=1.0))
    profile = Profile(start=25.0, steps=(Ramp(to=180.0, rate=0.5), Soak(seconds=600.0), Ramp(to=100.0, rate=0.2)))
    found = control.run_loop(Furnace(noise=0.05), LoopSettings(pid=pid, profile=profile, period=1.0))
    soak = (found["time"] > 310 + 300) & (found["time"] < 910)
    assert float(np.abs(found["value"] - 180)[soak].max()) < 0.5
    assert profile.duration == pytest.approx(310 + 600 + 400)
    assert (profile.setpoint(-1), profile.setpoint(155), profile.setpoint(1e9)) == (25.0, 102.5, 100.0)


def test_a_relay_finds_the_limit_of_stability():
    furnace, times, values = Furnace(dead=10.0), [], []
    for k in range(8000):
        value = furnace.process_value()
        furnace.set(0.5 + (0.2 if value < 175.0 else -0.2))
        if k > 2000:
            times.append(furnace.clock.now())
            values.append(value)
        furnace.clock.sleep(0.1)
    found = control.identify_relay(times, values, amplitude=0.2, units="degC")
    # truth: phase -w L - atan(w T) = -pi, |G| = K / sqrt(1 + (w T)^2)
    w = next(w for w in np.linspace(0.05, 0.3, 100_000) if w * 10 + math.atan(w * 120) >= math.pi)
    assert found.period.value == pytest.approx(2 * math.pi / w, rel=0.1)
    assert found.gain.value == pytest.approx(math.hypot(1, w * 120) / 300, rel=0.25)
    pid = control.tyreus_luyben(found, PidSettings(gain=1.0))
    assert pid.gain == pytest.approx(found.gain.value / 3.2)


@pytest.mark.parametrize(
    ("time", "value", "step", "said"),
    [
        (np.arange(5.0), np.zeros(5), 1.0, "finite times"),
        (np.arange(50.0), np.full(50, np.nan), 1.0, "finite times"),
        (np.arange(50.0), np.zeros(50), 0.0, "finite change"),
        (np.arange(50.0), np.random.default_rng(1).normal(0, 1, 50), 1.0, "nothing settled"),
        (np.arange(50.0), 0.01 * np.arange(50.0), 1.0, "nothing settled"),
    ],
)
def test_what_identifies_nothing_is_refused(time, value, step, said):
    with pytest.raises(InstrumentError, match=said):
        control.identify_step(time, value, step=step, units="degC")


# -- safety
def test_an_interlock_makes_the_device_safe_and_says_why():
    furnace = Furnace()
    loop = LoopSettings(
        pid=PidSettings(gain=0.1), profile=Profile(start=400.0, steps=(Soak(seconds=900.0),)), period=1.0,
        interlocks=(Interlock(name="over-temperature", high=150.0),),
    )  # fmt: skip
    with pytest.raises(InstrumentError, match=r"interlock 'over-temperature' at .* s: 15\d"):
        control.run_loop(furnace, loop)
    assert (furnace.safe, furnace.output) == (1, 0.0)


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, ValueError])
def test_guard_makes_all_safe_in_reverse_order_also_where_one_fails(error):
    order = []

    class Device:
        def __init__(self, name, *, broken=False):
            self.name, self.broken = name, broken

        def safe_state(self):
            order.append(self.name)
            if self.broken:
                msg = "no answer"
                raise OSError(msg)

    with (
        pytest.raises(error) as raised,
        control.guard(Device("first"), Device("second", broken=True), Device("third")),
    ):
        raise error
    assert order == ["third", "second", "first"]
    assert raised.value.__notes__ == ["second could not be made safe: OSError: no answer"]
    with control.guard(Device("quiet")):
        pass
    assert "quiet" not in order


def test_a_day_takes_no_more_memory_than_its_record():
    pid = control.simc(known(300.0, 120.0, 5.0), PidSettings(gain=1.0))
    loop = LoopSettings(pid=pid, profile=Profile(start=180.0, steps=(Soak(seconds=86_400.0),)), period=10.0)
    control.run_loop(Furnace(), loop)
    gc.collect()
    sizes = []
    tracemalloc.start()
    found = control.run_loop(Furnace(), loop, told=lambda *_: sizes.append(tracemalloc.get_traced_memory()[0]) or True)
    tracemalloc.stop()
    assert found.sizes["time"] == 8641
    growth = sizes[-1] - sizes[500] - sys.getsizeof(sizes) - 40 * len(sizes)
    assert growth < 100_000, growth
    assert abs(float(found["value"][-1]) - 180) < 0.01


def test_the_one_who_is_told_can_end_the_loop():
    loop = LoopSettings(
        pid=PidSettings(gain=0.1), profile=Profile(start=50.0, steps=(Soak(seconds=100.0),)), period=1.0
    )
    assert control.run_loop(Furnace(), loop, told=lambda time, *_: time < 10).sizes["time"] == 11
