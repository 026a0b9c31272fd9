"""Waveforms against closed forms, lower bounds, injected errors and simulation with known truth."""

import math

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal

from analysis import waveform
from analysis.core import SpectrumError
from analysis.uncertainty import Quantity


def sine(count, nu, *, amplitude=1.0, phase=0.3, offset=0.1):
    return offset + amplitude * np.cos(2 * np.pi * nu * np.arange(count) + phase)


@settings(max_examples=60, deadline=None)
@given(
    count=st.integers(40, 3000), place=st.floats(0.02, 0.97), phase=st.floats(-3.1, 3.1), size=st.floats(1e-6, 1e6),
    offset=st.floats(-3, 3),
)  # fmt: skip
def test_a_pure_sine_is_found_exactly(count, place, phase, size, offset):
    least = 1.5 / count
    nu = least + place * (0.5 - 2.5 / count - least)
    y = sine(count, nu, amplitude=size, phase=phase, offset=offset * size)
    fit = waveform.sine_fit(y, rate=1000.0)
    assert float(fit.frequency) == pytest.approx(1000 * nu, rel=1e-9)
    assert float(fit.amplitude) == pytest.approx(size, rel=1e-7)
    assert float(fit.offset) == pytest.approx(offset * size, abs=1e-7 * size)
    assert math.cos(float(fit.phase) - phase) == pytest.approx(1.0, abs=1e-12)
    three = waveform.sine_fit(y, rate=1000.0, frequency=1000 * nu)
    assert float(three.amplitude) == pytest.approx(size, rel=1e-9)
    assert float(three.u_frequency) == 0.0


def test_scatter_and_stated_u_are_the_lower_bounds():
    # Rife & Boorstyn 1974 for a real sine: var(frequency) = 24 s²/(A² N (N² - 1)) (rad/sample)², var(A) = 2 s²/N
    count, s, rng = 400, 0.05, np.random.default_rng(1)
    records = sine(count, 0.1234) + rng.normal(0, s, (2000, count))
    fit = waveform.sine_fit(records, rate=1.0)
    bounds = {
        "frequency": math.sqrt(24 * s**2 / (count * (count**2 - 1.0))) / (2 * math.pi),
        "amplitude": s * math.sqrt(2 / count), "offset": s / math.sqrt(count),
        "phase": s * math.sqrt(8 / count),
    }  # fmt: skip
    for name, bound in bounds.items():
        assert float(fit[name].std(ddof=1)) == pytest.approx(bound, rel=0.06), name  # u of the scatter is 1.6 %
        assert float(fit[f"u_{name}"].mean()) == pytest.approx(bound, rel=0.02), name
    covered = np.abs(fit["frequency"] - 0.1234) < 1.9659 * fit["u_frequency"]  # t, 396 degrees of freedom
    assert 0.937 < float(covered.mean()) < 0.963
    one = waveform.quantities(fit.isel(dim_0=0))
    assert one["frequency"].u == float(fit["u_frequency"][0])
    assert one["frequency"].dof == 396
    turned = one["phase"] + one["frequency"] * Quantity(value=(count - 1) * math.pi, u=0.0, units="rad/Hz")
    assert turned.u == pytest.approx(s * math.sqrt(2 / count), rel=0.1)  # in the middle phase and frequency part ways


def test_labels_and_units_stay():
    y = xr.DataArray(
        np.stack([sine(200, 0.11), sine(200, 0.21)]), dims=("run", "channel"), coords={"run": ["a", "b"]},
        attrs={"units": "V"},
    )  # fmt: skip
    fit = waveform.sine_fit(xr.Dataset({"signal": y}), rate=50.0)
    assert fit["amplitude"].dims == ("run",)
    assert fit["amplitude"].attrs["units"] == "V"
    assert fit["run"].values.tolist() == ["a", "b"]
    np.testing.assert_allclose(fit["frequency"], [5.5, 10.5])


def quantised(bits, count, cycles, *, full=2.0, noise=0.0, rng=None):
    y = 0.5 * full * (1 - 2.0**-bits) * np.sin(2 * np.pi * cycles / count * np.arange(count) + 0.1)
    y = y + (rng.normal(0, noise, count) if noise else 0.0)
    step = full / 2**bits
    return (np.clip(np.floor(y / step), -(2 ** (bits - 1)), 2 ** (bits - 1) - 1) + 0.5) * step


@pytest.mark.parametrize("bits", [6, 8, 10, 12, 16])
def test_the_ideal_quantiser_has_its_bits_and_6_02_n_and_1_76(bits):
    count, cycles = 2**16, 12_347
    test = waveform.dynamic_test(quantised(bits, count, cycles), rate=1e6, full_scale=2.0)
    assert test.enob.value == pytest.approx(bits, abs=0.04 if bits < 8 else 0.02)
    # a sine of nearly full scale over the noise of rounding, step/sqrt(12)
    expected = 20 * math.log10(2.0**bits * math.sqrt(1.5) * (1 - 2.0**-bits))
    assert test.sinad.value == pytest.approx(expected, abs=0.25 if bits < 8 else 0.12)
    assert test.sinad.value == pytest.approx(6.02 * bits + 1.76, abs=0.25)
    assert "ENOB" in str(test)


def test_injected_distortion_and_spur_are_found():
    count, rate = 8192, 1e5
    setting = waveform.coherent(7_000.0, rate=rate, samples=count)
    t = np.arange(count) / rate
    rng = np.random.default_rng(2)
    y = np.cos(2 * np.pi * setting.frequency * t) + rng.normal(0, 1e-4, count)
    y += 3e-3 * np.cos(4 * np.pi * setting.frequency * t + 1.0) + 4e-3 * np.cos(6 * np.pi * setting.frequency * t)
    y += 6e-3 * np.cos(2 * np.pi * 31_250.0 * t)
    test = waveform.dynamic_test(y, rate=rate, full_scale=2.2)
    assert abs(test.harmonics[2].value - 3e-3) < 4 * test.harmonics[2].u
    assert abs(test.harmonics[3].value - 4e-3) < 4 * test.harmonics[3].u
    assert test.thd.value == pytest.approx(20 * math.log10(5e-3), abs=0.1)  # 3-4-5
    assert test.sfdr == pytest.approx(-20 * math.log10(6e-3), abs=0.1)
    assert test.spur == pytest.approx(31_250.0, abs=rate / count)
    nad = math.sqrt((3e-3**2 + 4e-3**2 + 6e-3**2) / 2 + 1e-8)
    assert test.noise_and_distortion.value == pytest.approx(nad, rel=0.01)


def test_u_of_sinad_is_its_scatter():
    rng, found = np.random.default_rng(3), []
    for _ in range(200):
        y = sine(1024, 0.1037) + rng.normal(0, 0.01, 1024)
        found.append(waveform.dynamic_test(y, rate=1.0, full_scale=2.5).sinad)
    scatter = np.std([each.value for each in found], ddof=1)
    assert np.mean([each.u for each in found]) == pytest.approx(scatter, rel=0.15)


def test_injected_inl_is_recovered_from_the_histogram():
    bits, rng = 8, np.random.default_rng(4)
    levels = np.arange(1, 2**bits, dtype=float)
    bow = 0.8 * np.sin(np.pi * (levels - 1) / (levels.size - 1))
    wide = np.where(levels > 100, 0.5, 0.0)  # code 100 is half an LSB too wide
    true = levels + bow + wide
    y = 128.0 + 129.5 * np.cos(2 * np.pi * rng.uniform(size=2_000_000))
    codes = np.searchsorted(true, y)
    test = waveform.histogram_test(codes, bits=bits)
    line = true[0] + (true[-1] - true[0]) * (levels - 1) / (levels.size - 1)
    step = (true[-1] - true[0]) / (levels.size - 1)
    inl, dnl = (true - line) / step, np.diff(true) / step - 1
    z = ((test["inl"] - inl) / test["u_inl"]).values[1:-1]
    assert np.abs(z).max() < 4.5
    z = ((test["dnl"][:-1] - dnl) / test["u_dnl"][:-1]).values
    assert 0.8 < z.std() < 1.2
    assert float(test["dnl"].sel(code=100)) == pytest.approx(0.5, abs=0.1)
    assert not test["missing"].any()
    gone = codes.copy()
    gone[gone == 77] = 78
    assert test["code"].values[waveform.histogram_test(gone, bits=bits)["missing"]].tolist() == [77]


def test_the_stated_u_of_transitions_is_their_scatter():
    rng, inl = np.random.default_rng(14), []
    for _ in range(150):
        codes = np.searchsorted(np.arange(1.0, 64.0), 32.0 + 32.5 * np.cos(2 * np.pi * rng.uniform(size=20_000)))
        found = waveform.histogram_test(codes, bits=6)
        inl.append(found["inl"].values)
    scatter = np.std(inl, axis=0, ddof=1)[1:-1]
    assert (scatter / found["u_inl"].values[1:-1]).mean() == pytest.approx(1.0, abs=0.2)


def test_jitter_is_told_from_noise():
    rng, count, rate, frequency, true = np.random.default_rng(5), 4096, 1e6, 97_123.0, 20e-9
    t = np.arange(count) / rate
    found = [
        waveform.jitter(
            np.cos(2 * np.pi * frequency * (t + rng.normal(0, true, count))) + rng.normal(0, 0.004, count), rate=rate
        )
        for _ in range(100)
    ]
    z = np.array([(each.value - true) / each.u for each in found])
    assert abs(z.mean()) < 0.4
    assert 0.8 < z.std() < 1.25
    none = waveform.jitter(np.cos(2 * np.pi * frequency * t) + rng.normal(0, 0.004, count), rate=rate)
    assert none.value < 3 * none.u


@settings(max_examples=60, deadline=None)
@given(count=st.integers(8, 5000), part=st.floats(0.01, 0.99))
def test_a_coherent_setting_has_no_common_divisor_and_is_the_nearest(count, part):
    found = waveform.coherent(part * 500.0, rate=1000.0, samples=count)
    assert math.gcd(found.cycles, count) == 1
    wanted = part * 0.5 * count
    nearer = [
        k for k in range(1, (count + 1) // 2)
        if math.gcd(k, count) == 1 and abs(k - wanted) < abs(found.cycles - wanted)
    ]  # fmt: skip
    assert not nearer
    phases = np.sort((found.cycles * np.arange(count)) % count)
    np.testing.assert_array_equal(phases, np.arange(count))


def test_the_density_of_white_noise_integrates_to_its_variance():
    rng = np.random.default_rng(6)
    y = xr.DataArray(rng.normal(0, 2.0, (300, 4096)), dims=("run", "channel"), attrs={"units": "V"})
    found = waveform.psd(y, rate=1000.0, segment=256)
    assert found["psd"].attrs["units"] == "V2/Hz" or "V" in found["psd"].attrs["units"]
    inner = found.isel(frequency=slice(2, -2))
    assert float(inner["psd"].mean()) == pytest.approx(4.0 / 500.0, rel=0.01)
    # the stated u is the scatter between records
    assert float((inner["psd"].std("run", ddof=1) / inner["u_psd"].mean("run")).mean()) == pytest.approx(1.0, rel=0.05)
    assert found.attrs["bandwidth"] == pytest.approx(1.5 * 1000 / 256)  # Hann: 1.5 bins


def test_the_response_of_a_low_pass_is_that_of_its_formula():
    rng, rate, corner = np.random.default_rng(7), 10_000.0, 500.0
    b, a = signal.butter(1, corner, fs=rate)
    x = rng.normal(size=200_000)
    y = signal.lfilter(b, a, x) + rng.normal(0, 0.1, x.size)
    found = waveform.frequency_response(x, y, rate=rate, segment=1024)
    _, h = signal.freqz(b, a, worN=found["frequency"].values, fs=rate)
    inside = (found["frequency"] > 50) & (found["frequency"] < 3000)
    z = ((found["gain"] - np.abs(h)) / found["u_gain"]).values[inside]
    assert 0.8 < z.std() < 1.2
    z = ((found["phase"] - np.unwrap(np.angle(h))) / found["u_phase"]).values[inside]
    assert 0.8 < z.std() < 1.2


def test_a_lock_in_finds_amplitude_and_phase_below_the_noise():
    rng, rate, frequency = np.random.default_rng(8), 20_000.0, 1_031.0
    t = np.arange(40_000) / rate
    z = []
    for _ in range(100):
        y = 0.01 * np.cos(2 * np.pi * frequency * t + 0.7) + rng.normal(0, 0.3, t.size)
        x, q = waveform.lock_in(y, rate=rate, frequency=frequency)
        z += [(x.value - 0.01 * math.cos(0.7)) / x.u, (q.value - 0.01 * math.sin(0.7)) / q.u]
    assert abs(np.mean(z)) < 0.3
    assert 0.85 < np.std(z) < 1.2


def test_a_step_of_a_first_order_system_has_its_closed_form():
    rate, tau, at = 1e4, 0.02, 0.1
    t = np.arange(8000) / rate
    rng = np.random.default_rng(9)
    pure = 1.0 + 2.0 * np.where(t > at, -np.expm1(-(t - at) / tau), 0.0)
    step = waveform.step_response(pure + rng.normal(0, 0.002, t.size), rate=rate)
    assert abs(step.before.value - 1.0) < 4 * step.before.u
    assert abs(step.amplitude.value - 2.0) < 4 * step.amplitude.u
    assert step.middle.value == pytest.approx(at + tau * math.log(2), abs=4 * step.middle.u)
    assert step.duration.value == pytest.approx(tau * math.log(9), abs=4 * step.duration.u)
    assert step.settling.value == pytest.approx(tau * math.log(50 / 2), rel=0.05)
    assert step.overshoot.value == 0.0
    z, omega = 0.4, 2 * math.pi * 30
    ringing = signal.step(signal.lti([omega**2], [1, 2 * z * omega, omega**2]), T=t[: t.size - 1000])[1]
    over = waveform.step_response(np.concatenate([np.zeros(1000), ringing]), rate=rate)
    assert over.overshoot.value == pytest.approx(math.exp(-math.pi * z / math.sqrt(1 - z**2)), abs=1e-3)


def test_bad_records_are_refused_with_the_reason():
    y = sine(500, 0.1)
    gap = np.where(np.arange(500) == 7, np.nan, y)
    uneven = xr.DataArray(y, dims="channel", coords={"time": ("channel", np.arange(500.0) ** 1.1)})
    for act, words in (
        (lambda: waveform.sine_fit(np.clip(y, -0.5, 0.8), rate=1.0), "clipped"),
        (lambda: waveform.sine_fit(gap, rate=1.0), "1 of 500 samples are missing"),
        (lambda: waveform.sine_fit(uneven, rate=1.0), "resample"),
        (lambda: waveform.sine_fit(y[:4], rate=1.0), "5 samples or more"),
        (lambda: waveform.sine_fit(np.ones(100), rate=1.0), "constant"),
        (lambda: waveform.sine_fit(y, rate=0.0), "rate must be"),
        (lambda: waveform.sine_fit(y, rate=1.0, frequency=0.6), "half the rate"),
        (lambda: waveform.sine_fit(sine(500, 0.001), rate=1.0, frequency=0.001), "0.50 cycles"),
        (lambda: waveform.quantities(waveform.sine_fit(np.stack([y, y]), rate=1.0)), "choose one"),
        (lambda: waveform.dynamic_test(y, rate=1.0, full_scale=1.0), "full_scale must be above"),
        (lambda: waveform.dynamic_test(sine(500, 0.006), rate=1.0, full_scale=3.0), "needs five"),
        (lambda: waveform.dynamic_test(y, rate=1.0, full_scale=3.0, harmonics=1), "harmonics must be"),
        (lambda: waveform.histogram_test(np.arange(100) % 16, bits=4), "too few"),
        (lambda: waveform.histogram_test(np.full(1000, 7), bits=4), "does not reach both ends"),
        (lambda: waveform.histogram_test(np.full(1000, 0.5), bits=4), "whole numbers"),
        (lambda: waveform.histogram_test([0, 1], bits=1), "bits must"),
        (lambda: waveform.jitter(y[:100], rate=1.0), "256 samples"),
        (lambda: waveform.coherent(0.7, rate=1.0, samples=100), "half the rate"),
        (lambda: waveform.psd(y, rate=1.0, segment=4), "segment must"),
        (lambda: waveform.psd(y, rate=1.0, window="none"), "no window"),
        (lambda: waveform.frequency_response(y, y[1:], rate=1.0, segment=16), "same length"),
        (lambda: waveform.frequency_response(np.ones(500), y, rate=1.0, segment=16), "constant"),
        (lambda: waveform.lock_in(y, rate=1.0, frequency=0.001), "whole cycle"),
        (lambda: waveform.lock_in(y, rate=1.0, frequency=0.3, harmonic=2), "half the rate"),
        (lambda: waveform.step_response(np.zeros(100), rate=1.0), "no step"),
        (lambda: waveform.step_response(np.linspace(0, 1, 100), rate=1.0), "not settled"),
        (lambda: waveform.step_response(y, rate=1.0, tolerance=0.7), "tolerance must"),
    ):
        with pytest.raises(SpectrumError, match=words):
            act()


def test_a_first_order_system_is_identified_with_intervals_that_hold():
    """100 answers with known truth; 95 % of 300 results, binomial bound of 4 standard deviations."""
    rng = np.random.default_rng(4)
    t = np.arange(-20, 400) * 0.1
    truth = {"gain": 2.0, "time_constant": 5.0, "dead_time": 1.5}
    answer = 1.0 + 0.5 * 2.0 * -np.expm1(-np.maximum(t - 1.5, 0.0) / 5.0)
    held = []
    for _ in range(100):
        found = waveform.first_order(t, answer + rng.normal(0, 0.02, t.size), step=0.5, units="V")
        held += [abs(getattr(found, name).value - true) < getattr(found, name).U() for name, true in truth.items()]
    assert np.mean(held) > 0.95 - 4 * math.sqrt(0.05 * 0.95 / len(held))


def test_a_record_without_an_answer_is_refused():
    t = np.arange(-20, 400) * 0.1
    noise = np.random.default_rng(1).normal(size=t.size)
    for value, step, message in (
        (noise, 1.0, "nothing settled"),
        (noise, 0.0, "finite change"),
        (noise[:5], 1.0, "12"),
    ):
        with pytest.raises(SpectrumError, match=message):
            waveform.first_order(t[: value.size], value, step=step, units="V")
