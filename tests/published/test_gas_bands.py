"""Carbon monoxide and hydrogen: positions, strengths, partition sum, bond length, Rydberg constant."""

import numpy as np
import pytest

from analysis import gas
from analysis.uncertainty import Quantity

VALIDATION = [
    {
        "what": "Line positions of CO 1-0 from rotational constants",
        "against": "NIST SP 821 (Maki and Wells), R(0) to R(3), P(1) to P(4); HITRAN to R(10), P(10)",
        "agreement": "3e-6 cm-1",
    },
    {
        "what": "Line strengths and partition sum of CO at 296 K",
        "against": "HITRAN 2020 (P32 to R10), TIPS Q(296 K) = 107.42",
        "agreement": "3e-4 relative",
    },
    {
        "what": "Bond length of CO from combination differences",
        "against": "Huber and Herzberg, NIST WebBook: 112.8323 pm",
        "agreement": "2e-7 relative",
    },
    {
        "what": "Rydberg constant from Balmer lines",
        "against": "CODATA 2022: 109 737.315 681 57 cm-1",
        "agreement": "1e-6 relative, within the stated U of 4e-6",
    },
]  # fmt: skip
BAND = gas.band("CO 1-0")
# zanotowane.pl/1017/6639 (CRC Handbook, A. Maki); unc. 1e-6 cm-1
SP_821 = {
    "R0": 2147.081132, "R1": 2150.856006, "R2": 2154.595581, "R3": 2158.299710,
    "P1": 2139.426071, "P2": 2135.546178, "P3": 2131.631574, "P4": 2127.682404,
}  # fmt: skip
# HITRAN 2016 as in a test file of radis (hitran_co_3iso_2000_2300cm.par): wavenumber, strength
HITRAN = {
    "R0": (2147.081134, 9.480e-20), "R1": (2150.856008, 1.865e-19), "R4": (2161.968247, 3.963e-19),
    "R5": (2165.601042, 4.340e-19), "R7": (2172.758825, 4.556e-19), "R10": (2183.223781, 3.805e-19),
    "P1": (2139.426073, 9.268e-20), "P4": (2127.682406, 3.114e-19), "P5": (2123.698818, 3.539e-19),
    "P10": (2103.269747, 3.319e-19), "P24": (2041.666460, 8.026e-21), "P32": (2003.667981, 1.518e-22),
}  # fmt: skip


def test_positions_are_those_of_the_heterodyne_measurements():
    place = BAND.lines()["wavenumber"]
    for name, wavenumber in SP_821.items():
        assert abs(float(place.sel(line=name)) - wavenumber) < 3e-6


@pytest.mark.parametrize("name", HITRAN)
def test_positions_and_strengths_are_those_of_hitran(name):
    line = BAND.lines().sel(line=name)
    wavenumber, strength = HITRAN[name]
    assert abs(float(line["wavenumber"]) - wavenumber) < (2e-6 if int(name[1:]) <= 10 else 2e-4)
    np.testing.assert_allclose(float(line["strength"]), strength, rtol=3e-4)


def test_the_partition_sum_is_that_of_tips():
    assert BAND.partition_sum(296.0) == pytest.approx(107.42, abs=0.005)


def test_the_bond_length_is_the_published_one():
    lines = {name: Quantity(value=value, u=1e-6, units="cm-1", dof=50) for name, value in SP_821.items()}
    more = {
        name: Quantity(value=w, u=1e-6, units="cm-1", dof=50) for name, (w, _) in HITRAN.items() if name in {"R4", "P5"}
    }
    found = gas.bond_length(gas.combination_differences(lines | more, BAND), BAND)
    assert found.value == pytest.approx(112.8323, abs=5e-5)


def test_the_rydberg_constant_follows_from_balmer_lines():
    found = gas.rydberg(gas.balmer())
    assert abs(found.value - 109737.31568157) < found.U()
    assert found.u / found.value < 3e-6
    for n, line in gas.balmer().items():
        single = gas.rydberg({n: line})
        assert abs(single.value - 109737.31568157) < single.U()
