"""Coverage of the 95 % interval of an activity: efficiency, intensity of the line and counts drawn in each trial.

With the right shape of the peak the share must hold the exact binomial bound. A detector with a tail, fitted without
one, shows what a wrong shape costs.
Run:  python run.py bench -k gamma_coverage
"""

import math
import sys

import numpy as np

from analysis import gamma
from analysis.uncertainty import Quantity
from tests.coverages import bounds

TRIALS = 400
TRUTH = 300.0
ENERGY = 661.6553
GAIN = 0.4
NUCLIDE = gamma.nuclide("Cs-137")
LINE = NUCLIDE.line(ENERGY)
LIVE = Quantity(value=3600.0, u=0.0, units="s", label="live time")
FWHM = math.sqrt(0.8 + 0.0022 * ENERGY) / GAIN


def one_trial(rng, **shape):
    """Return what is stated of an activity whose nuclear data and calibration are wrong by one draw of their u."""
    nominal = math.exp(0.9 - 0.9 * math.log(ENERGY))
    emitted = rng.normal(LINE.intensity.value, LINE.intensity.u) / LINE.intensity.value
    counted = gamma.simulate(
        {"Cs-137": TRUTH * emitted}, seed=int(rng.integers(2**31)), gain=GAIN, channels=2048, **shape
    )
    efficiency = Quantity(value=nominal * rng.normal(1.0, 0.01), u=0.01 * nominal, units="1", label="efficiency")
    area = gamma.read_peak(gamma.fit_peak(counted, ENERGY / GAIN, FWHM))[0]
    return gamma.activity(area, NUCLIDE, LINE, efficiency, live_time=LIVE)


def coverage(**shape):
    rng = np.random.default_rng(9)
    found = [one_trial(rng, **shape) for _ in range(TRIALS)]
    held = np.mean([abs(each.value - TRUTH) <= each.U(0.95) for each in found])
    return float(held), float(np.mean([each.value for each in found]) / TRUTH - 1.0)


def test_gamma_coverage(capsys):
    cases = {"Gaussian with step": {}, "tail of 10 % in the detector, none in the fit": {"tail": 0.1}}
    found = {what: coverage(**shape) for what, shape in cases.items()}
    with capsys.disabled():
        lines = [f"coverage of 95 % intervals of an activity, {TRIALS} trials each (standard error 1.1 %)"]
        lines += [
            f"{100 * held:6.1f} %  mean error {100 * bias:+6.2f} %  {what}" for what, (held, bias) in found.items()
        ]
        sys.stdout.write("\n" + "\n".join(lines) + "\n")
    low, high = (each / TRIALS for each in bounds(TRIALS))
    assert low <= found["Gaussian with step"][0] <= high
    assert found["tail of 10 % in the detector, none in the fit"][1] < -0.005
