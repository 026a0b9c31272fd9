"""Coverage of the 95 % interval of a lattice parameter: wavelength, height, temperature and counts drawn in each trial.

With the right shape of the lines the share must hold the exact binomial bound. With two symmetric lines for what the
tube emits, or pseudo-Voigt lines, it shows what a wrong shape costs.
Run:  python run.py bench -k diffraction_coverage
"""

import sys

from analysis import diffraction
from tests.coverages import bounds
from tests.diffraction import coverage

TRIALS = 200


def test_diffraction_coverage(capsys):
    cases = {
        "four Lorentzians of Cu Ka, Voigt lines": {},
        "four Lorentzians of Cu Ka, pseudo-Voigt lines": {"profile": "pseudo-voigt"},
        "two lines of Cu Ka, Voigt lines": {"radiation": diffraction.radiation("Cu Ka")},
    }
    found = {what: coverage(trials=TRIALS, seed=640, **settings) for what, settings in cases.items()}
    with capsys.disabled():
        lines = [f"coverage of 95 % intervals of a lattice parameter, {TRIALS} trials each (standard error 1.5 %)"]
        lines += [
            f"{100 * held:6.1f} %  mean error {1e6 * bias:+6.2f}e-6  {what}" for what, (held, bias) in found.items()
        ]
        sys.stdout.write("\n" + "\n".join(lines) + "\n")
    low, high = (each / TRIALS for each in bounds(TRIALS))
    assert low <= found["four Lorentzians of Cu Ka, Voigt lines"][0] <= high
    assert found["two lines of Cu Ka, Voigt lines"][1] < -1e-5
