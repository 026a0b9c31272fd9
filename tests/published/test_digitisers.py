"""Sine fits and digitisers against the formulas that the standards print.

Sources: Rife & Boorstyn, Trans. Inf. Theory 20 (1974) 591, lower bounds of the variances; IEEE Std
1241-2010, 4.1.1: an ideal digitiser of N bits has a signal to noise ratio of 6.02 N + 1.76 dB.
"""

import math

import numpy as np
import pytest

from analysis import waveform

VALIDATION = [
    {
        "what": "sine fit: frequency, amplitude, offset and their uncertainty",
        "against": "Cramér-Rao lower bounds, Rife & Boorstyn 1974",
        "agreement": "scatter within 6 %, stated u within 2 %",
    },
    {
        "what": "SINAD and ENOB of the ideal quantiser, 8 to 16 bits",
        "against": "6.02 N + 1.76 dB, IEEE 1241-2010",
        "agreement": "0.15 dB, 0.02 bits",
    },
]


@pytest.mark.parametrize("snr", [10.0, 100.0])
def test_the_variance_of_frequency_is_the_lower_bound(snr):
    count, rng = 512, np.random.default_rng(int(snr))
    records = np.cos(2 * np.pi * 0.0917 * np.arange(count) + 0.4) + rng.normal(0, 1 / snr, (1500, count))
    fit = waveform.sine_fit(records, rate=1.0)
    bound = math.sqrt(24.0 / (snr**2 * count * (count**2 - 1.0))) / (2.0 * math.pi)
    assert float(fit["frequency"].std(ddof=1)) == pytest.approx(bound, rel=0.06)
    assert float(fit["u_frequency"].mean()) == pytest.approx(bound, rel=0.02)


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_the_ideal_digitiser(bits):
    count, step = 2**15, 2.0 / 2**bits
    y = (1.0 - step / 2.0) * np.sin(2 * np.pi * 5_171 / count * np.arange(count) + 0.1)
    test = waveform.dynamic_test((np.floor(y / step) + 0.5) * step, rate=1.0, full_scale=2.0)
    assert test.sinad.value == pytest.approx(6.0206 * bits + 1.7609, abs=0.15)
    assert test.enob.value == pytest.approx(bits, abs=0.02)
