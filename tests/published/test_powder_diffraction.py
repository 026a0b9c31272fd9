"""Silicon powder SRM 640f: published angles, and the certified lattice parameter out of a simulated pattern.

NIST certificate of SRM 640f (26 February 2019): a = 0.543 114 4 nm at 22.5 degrees C, and its table of angles for
0.154 059 29 nm; Black et al., Powder Diffraction 35 (2020) 156, doi:10.1017/S0885715620000366.
"""

import numpy as np
import pytest

from analysis import diffraction, peaks
from analysis.uncertainty import Quantity
from tests.diffraction import LINES, SILICON, counted

VALIDATION = [
    {
        "what": "Angles of the eleven lines of silicon between 25 and 140 degrees",
        "against": "certificate of NIST SRM 640f, table of 2θ for Cu Kα1",
        "agreement": "to its last digit, 0.001 degrees",
    },
    {
        "what": "Lattice parameter from a simulated pattern with a displaced sample and a wrong zero",
        "against": "certificate of NIST SRM 640f, 0.543 114 4 nm",
        "agreement": "within 1e-5 relative and within its own U (95 %)",
    },
]
CERTIFIED = 0.5431144
ANGLES = (28.441, 47.301, 56.120, 69.127, 76.373, 88.026, 94.947, 106.702, 114.085, 127.535, 136.882)


def test_the_angles_are_those_of_the_certificate():
    made = diffraction.reflections(SILICON, diffraction.radiation("Cu Ka1"), 25, 140)["two_theta"].values
    np.testing.assert_allclose(made, ANGLES, atol=0.0006)


@pytest.mark.parametrize(("displacement", "zero"), [(0.08, 0.0), (-0.05, 0.02)])
def test_the_certified_lattice_parameter_comes_out_of_a_pattern(displacement, zero):
    machine = diffraction.Diffractometer(displacement=displacement, zero=zero)
    pattern = counted(machine, seed=640, two_theta=(25.0, 140.0, 0.02), counts=5e5)
    made = diffraction.pattern_model(pattern, SILICON, LINES, radius=machine.radius)
    made.params["zero"].set(vary=zero != 0.0)
    fit = peaks.fit(pattern, made.model, made.params, axis="two_theta", loss="poisson")
    thermometer = Quantity(value=22.5, u=0.3, units="degC", label="thermometer")
    found = diffraction.lattice_parameter(fit, SILICON, LINES, temperature=thermometer)
    assert abs(found.value / CERTIFIED - 1) < 1e-5
    assert abs(found.value - CERTIFIED) <= found.U(0.95)
    assert found.u / found.value < 1e-5
