"""Bad input of precision measurement: each kind is refused, or handled with the reason in the result."""

import numpy as np
import pytest
import xarray as xr

from analysis import quality, stability, tensile, waveform
from analysis.core import SpectrumError, UncertaintyError, UnitsError
from analysis.uncertainty import Quantity
from tests import pulled

COUNT, RATE = 4096, 1000.0
N = np.arange(COUNT)
SINE = np.cos(2 * np.pi * 31 * N / COUNT + 0.3) + 1e-3 * np.random.default_rng(1).normal(size=COUNT)
CODES = np.rint(2400 * SINE + 2048)
HOLED = np.where(N == 7, np.nan, SINE)
STEADY = np.cumsum(np.random.default_rng(2).normal(size=COUNT))


def stamped(stamps, **attrs):
    return xr.DataArray(SINE, dims="channel", coords={"time": ("channel", stamps, attrs)})


def lab(value, u, units="mm"):
    return Quantity(value=value, u=u, units=units)


GAP = stamped(np.where(N < 2000, N, N + 7) / RATE, units="s")
UNEVEN = stamped(N**1.01 / RATE, units="s")


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: waveform.sine_fit(GAP, rate=RATE), SpectrumError, "resample the record"),
        (lambda: waveform.psd(UNEVEN, rate=RATE), SpectrumError, "resample the record"),
        (lambda: stability.oadev(GAP, rate=RATE), SpectrumError, "NaN in the gaps"),
        (lambda: stability.mdev(UNEVEN, rate=RATE), SpectrumError, "NaN in the gaps"),
        (lambda: waveform.sine_fit(HOLED, rate=RATE), SpectrumError, "1 of 4096 samples are missing"),
        (lambda: waveform.psd(HOLED, rate=RATE), SpectrumError, "missing or infinite"),
        (lambda: waveform.lock_in(HOLED, rate=RATE, frequency=7.5), SpectrumError, "missing or infinite"),
        (lambda: waveform.frequency_response(SINE, HOLED, rate=RATE, segment=64), SpectrumError, "missing"),
        (lambda: waveform.step_response(HOLED, rate=RATE), SpectrumError, "missing or infinite"),
        (lambda: stability.totdev(HOLED, rate=RATE), SpectrumError, "got NaN"),
        (lambda: quality.control_chart(HOLED[:30]), UncertaintyError, "must be finite"),
        (lambda: waveform.sine_fit(CODES % 4096, rate=RATE), SpectrumError, "wraps: .*stability.unwrap"),
        (lambda: waveform.jitter(CODES % 4096, rate=RATE), SpectrumError, "the record wraps"),
        (lambda: waveform.dynamic_test(CODES % 4096, rate=RATE, full_scale=4096), SpectrumError, "the record wraps"),
        (lambda: stability.unwrap(STEADY, rate=1.0, period=1.0), SpectrumError, "half"),
        (lambda: waveform.dynamic_test(SINE.clip(-0.8, 2), rate=RATE, full_scale=4), SpectrumError, "clipped"),
        (lambda: waveform.lock_in(SINE.clip(-2, 0.8), rate=RATE, frequency=7.5), SpectrumError, "clipped"),
        (lambda: waveform.sine_fit(SINE[:80], rate=RATE), SpectrumError, "0.61 cycles"),
        (lambda: waveform.dynamic_test(SINE[:300], rate=RATE, full_scale=4), SpectrumError, "needs five"),
        (lambda: waveform.sine_fit(["a"] * 99, rate=RATE), SpectrumError, "must be real numbers"),
        (lambda: waveform.sine_fit(SINE * 1j, rate=RATE), SpectrumError, "must be real numbers"),
        (lambda: waveform.sine_fit(xr.Dataset({"volts": GAP}), rate=RATE), SpectrumError, "'signal'"),
        (lambda: waveform.sine_fit(SINE, rate="1 kHz"), SpectrumError, "rate must be a finite number"),
        (lambda: waveform.sine_fit(SINE, rate=RATE, frequency="50"), SpectrumError, "frequency must be a finite"),
        (lambda: waveform.dynamic_test(SINE, rate=RATE, full_scale="4"), SpectrumError, "full_scale must be a fin"),
        (lambda: waveform.lock_in(SINE, rate=RATE, frequency="4"), SpectrumError, "frequency must be a finite"),
        (lambda: waveform.coherent("7", rate=RATE, samples=64), SpectrumError, "frequency must be a finite"),
        (lambda: waveform.coherent(7.0, rate=RATE, samples=64.5), SpectrumError, "whole number of samples"),
        (lambda: waveform.histogram_test(["a"] * 999, bits=4), SpectrumError, "whole numbers"),
        (lambda: quality.interlab({"a": lab(1, 0.1)}), UncertaintyError, "at least 2 laboratories"),
        (lambda: quality.interlab({"a": lab(1, 0), "b": lab(2, 1)}), UncertaintyError, r"\['a'\] state none above 0"),
        (lambda: quality.interlab({"a": lab(1, 1), "b": lab(2, 1, "N")}), UnitsError, "got 'N', wanted 'mm'"),
    ],
)
def test_what_cannot_be_measured_is_refused_with_the_reason(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_wrapped_counter_is_undone_and_the_result_says_so():
    phase = 7.0 * N
    found = stability.unwrap(phase % 4096, rate=1.0, period=4096.0)
    np.testing.assert_allclose(found["signal"], phase)
    assert "6 wraps of 4096 were undone" in found.attrs["advice"]


def test_a_sine_of_many_cycles_noise_and_a_sparkle_code_are_no_wraps():
    rng = np.random.default_rng(3)
    sparkle = np.where(N == 99, 9.0, SINE)
    for record in (np.cos(2 * np.pi * 0.4123 * N), 0.1 * SINE + rng.normal(size=COUNT), sparkle):
        assert np.isfinite(waveform.sine_fit(record, rate=RATE).amplitude)


def test_times_in_milliseconds_and_dates_are_those_in_seconds():
    dates = np.datetime64("2026-01-01", "ns") + (N * 1_000_000).astype("timedelta64[ns]")
    wanted = waveform.sine_fit(SINE, rate=RATE).frequency
    for record in (stamped(1e3 * N / RATE, units="ms"), stamped(dates)):
        assert waveform.sine_fit(record, rate=RATE).frequency == wanted


@pytest.fixture(scope="module")
def steel():
    return pulled.pull("steel")


def pulled_by(curve, **changed):
    units = {name: {"units": unit} for name, (_, unit) in changed.items()}
    made = curve.assign({name: value for name, (value, _) in changed.items()})
    return made.assign({name: made[name].assign_attrs(units[name]) for name in changed})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: pulled_by(c, force=(c.force * 1e3, "N")), "force is in N or kN"),
        (lambda c: pulled_by(c, force=(c.force, "kN")), "force is in N or kN"),
        (lambda c: pulled_by(c, force=(c.force * 1e-3, "N")), "force is in N or kN"),
        (lambda c: pulled_by(c, extension=(-c.extension, "mm")), "change signs"),
        (lambda c: c.isel(channel=slice(9)), "at least 20 finite rows"),
    ],
)
def test_a_curve_of_mixed_up_units_or_signs_is_refused(steel, change, message):
    with pytest.raises(SpectrumError, match=message):
        tensile.evaluate(change(steel), specimen=pulled.specimen())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: pulled_by(c, extension=(c.extension / pulled.LENGTH * 100, "1")), "% or mm/mm"),
        (lambda c: pulled_by(c, extension=(c.extension / pulled.LENGTH, "%")), "% or mm/mm"),
        (lambda c: c.isel(channel=slice(1500, None)), "no elastic part"),
    ],
)
def test_a_curve_without_a_credible_elastic_part_has_a_reason_in_place_of_a_modulus(steel, change, message):
    found = tensile.evaluate(change(steel), specimen=pulled.specimen())
    assert message in found.reasons["E"]
    assert "E" not in found.values
