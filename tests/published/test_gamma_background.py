"""A measured background of a germanium detector: every line that is named stands where LNHB says.

Spectrum: becquerel (BSD-3-Clause-LBNL), `Mendocino_07-10-13_Acq-10-10-13.Spe`, 596 000 s.
Lines: Decay Data Evaluation Project, LNHB, http://www.lnhb.fr/nuclear-data/.
"""

import os
from pathlib import Path

import numpy as np
import pytest

from analysis import gamma, io
from analysis.uncertainty import Quantity

VALIDATION = [
    {
        "what": "Energies of the lines in a measured germanium background, calibrated with four of them",
        "against": "gamma energies of the Decay Data Evaluation Project (LNHB)",
        "agreement": "each line of the natural series within 0.25 keV and within its own U (95 %)",
    }
]
FILE = Path(os.environ.get("METROSPEC_REAL_FILES", "not there")) / "gamma_background.Spe"
pytestmark = pytest.mark.skipif(not FILE.exists(), reason="METROSPEC_REAL_FILES does not name the folder of real files")
GAIN = 0.378444
ANCHORS = {"Pb-212": 238.632, "Bi-214": 609.312, "K-40": 1460.822, "Tl-208": 2614.511}
OTHERS = {"Pb-214": 351.932, "Ac-228": 911.196, "Co-60": 1332.492, "Cs-137": 661.655}
NONLINEARITY = 0.05


@pytest.fixture(scope="module")
def background():
    return io.read(FILE)


def center(background, energy):
    channel = energy / GAIN
    found = gamma.read_peak(gamma.fit_peak(background, channel, width(channel)))[1]
    return found + Quantity(value=0.0, u=NONLINEARITY, units="1", label=f"nonlinearity at {energy} keV")


def width(channel):
    return 4.0 + channel / 2200.0


def test_every_named_line_is_within_a_quarter_of_a_kev_and_its_interval(background):
    peaks = gamma.search(background, width)["pixel"].values * GAIN
    lines = [gamma.nuclide(name).line(energy).energy for name, energy in ANCHORS.items()]
    curve = gamma.calibrate_energy([center(background, e) for e in ANCHORS.values()], lines)
    energies = {}
    for name, energy in (ANCHORS | OTHERS).items():
        assert np.abs(peaks - energy).min() < 0.8
        energies[name] = curve.predict(center(background, energy), extrapolate=True)
        off = energies[name] - gamma.nuclide(name).line(energy).energy
        assert abs(off.value) <= min(0.25, off.U(0.95))
    found = gamma.identify(list(energies.values()), share=0.2)
    assert set(found["nuclide"].values) >= set(energies)
