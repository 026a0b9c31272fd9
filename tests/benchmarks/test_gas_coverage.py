"""Coverage of the 95 % intervals of temperature, amount and pressure: path, molecular data and noise drawn each time.

With the right model the share must hold the exact binomial bound. A detector that does not show zero in the dark, and
an apodisation that is not the one of the fit, show what a wrong model costs.
Run:  python run.py bench -k gas_coverage
"""

import math
import sys
from dataclasses import replace

import numpy as np

from analysis import gas
from analysis.gas.fitting import BOUNDS
from analysis.gas.transmittance import Conditions, grid_of
from analysis.uncertainty import Quantity
from tests.coverages import bounds

TRIALS = 200
WRONG = 40
"""Trials with a wrong model."""
X = np.arange(2155.0, 2175.0, 0.04)
BAND = gas.band("CO 1-0")
FTIR = gas.Interferometer(path_difference=10.0, apodisation="happ-genzel")
TRUTH = {"temperature": 305.0, "fraction": 2e-3, "pressures": (250.0, 850.0)}
NOISE = 1e-3


def one_trial(rng, apodisation="happ-genzel", dark=0.0):
    """Return z and coverage of each result for molecular data and path that are wrong by one draw of their u."""
    grid = grid_of(X, BAND, replace(FTIR, apodisation=apodisation))
    drawn = {name: at + bound * rng.uniform(-1.0, 1.0) for name, (at, bound, *_) in BOUNDS.items()}
    drawn["strength"] = rng.normal(1.0, BAND.facts["strength"].u / BAND.facts["strength"].value)
    path = rng.normal(10.0, 0.01)
    rows = []
    for pressure in TRUTH["pressures"]:
        state = {"temperature": TRUTH["temperature"], "fraction": TRUTH["fraction"], "pressure": pressure}
        clear = grid.transmitted(Conditions(**state, **drawn), path).real
        rows.append((clear + dark) / (1.0 + dark) + rng.normal(0.0, NOISE, X.size))
    shape = gas.simulate(BAND, X, pressures=TRUTH["pressures"], interferometer=FTIR, seed=1, noise=NOISE)
    seen = shape.assign(signal=(shape["signal"].dims, np.array(rows), shape["signal"].attrs))
    found = gas.fit(seen, BAND, path=Quantity(value=10.0, u=0.01, units="cm", label="cell"), interferometer=FTIR)
    pairs = [(found.temperature, TRUTH["temperature"]), (found.fraction, TRUTH["fraction"])]
    pairs += list(zip(found.pressures, TRUTH["pressures"], strict=True))
    return [(each.value / true - 1.0, abs(each.value - true) <= each.U(0.95)) for each, true in pairs]


def coverage(**fault):
    rng = np.random.default_rng(2)
    made = np.array([one_trial(rng, **fault) for _ in range(WRONG if fault else TRIALS)])
    return made[:, :, 1].mean(axis=0), made[:, :, 0].mean(axis=0)


def test_gas_coverage(capsys):
    cases = {
        "right model": {},
        "dark reads 2 %": {"dark": 0.02},
        "boxcar, fitted as Happ-Genzel": {"apodisation": "boxcar"},
    }
    found = {what: coverage(**fault) for what, fault in cases.items()}
    names = ("temperature", "amount", "pressure 1", "pressure 2")
    with capsys.disabled():
        error = 100 * math.sqrt(0.05 * 0.95 / TRIALS)
        lines = [
            f"coverage of 95 % intervals, {TRIALS} trials (standard error {error:.1f} %; {WRONG} with a wrong model)"
        ]
        for what, (held, bias) in found.items():
            said = (f"{name} {100 * h:.1f} % ({100 * b:+.2f} %)" for name, h, b in zip(names, held, bias, strict=True))
            lines.append(f"{what:32} " + ", ".join(said))
        sys.stdout.write("\n" + "\n".join(lines) + "\n")
    low, high = (each / TRIALS for each in bounds(TRIALS))
    assert ((low <= found["right model"][0]) & (found["right model"][0] <= high)).all()
    assert found["dark reads 2 %"][1][1] < -0.01
