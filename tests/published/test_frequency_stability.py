"""Frequency stability: the test sets of NIST SP 1065, clause 12.4, generated as it says."""

import numpy as np
import pytest

from analysis import stability

VALIDATION = [
    {
        "what": "Allan, overlapping, modified, time, Hadamard and total deviations of the 9-point set",
        "against": "NBS Monograph 140, Annex 8.E, and NIST SP 1065, 12.4 (14 printed values)",
        "agreement": "the printed digits",
    },
    {
        "what": "The same deviations of the generated 1000-point set at 1, 10 and 100 s",
        "against": "NIST SP 1065, 12.4, p. 107-108 (21 printed values)",
        "agreement": "the seven printed digits",
    },
    {
        "what": "Modified total deviation of both sets, corrected for its bias under white frequency noise, and Theo1",
        "against": "NIST SP 1065, 12.4 (5 printed values); Stable32 1.60 as allantools prints it (3 values of Theo1)",
        "agreement": "the printed digits",
    },
]

NINE = [892.0, 809.0, 823.0, 798.0, 671.0, 644.0, 883.0, 903.0, 677.0]
NINE_PRINTED = {
    "adev": (91.22945, 115.8082),
    "oadev": (91.22945, 85.95287),
    "mdev": (91.22945, 74.78849),
    "hdev": (70.80608, 116.7980),
    "ohdev": (70.80607, 85.61487),
    "tdev": (52.67135, 86.35831),
    "totdev": (91.22945, 93.90379),
}
THOUSAND_PRINTED = {
    "adev": (2.922319e-1, 9.965736e-2, 3.897804e-2),
    "oadev": (2.922319e-1, 9.159953e-2, 3.241343e-2),
    "mdev": (2.922319e-1, 6.172376e-2, 2.170921e-2),
    "hdev": (2.943883e-1, 1.052754e-1, 3.910860e-2),
    "ohdev": (2.943883e-1, 9.581083e-2, 3.237638e-2),
    "tdev": (1.687202e-1, 3.563623e-1, 1.253382e0),
    "totdev": (2.922319e-1, 9.134743e-2, 3.406530e-2),
}


def thousand():
    """Return the frequencies of the congruential generator of SP 1065."""
    numbers = [1234567890]
    for _ in range(999):
        numbers.append(16807 * numbers[-1] % 2147483647)
    return np.array(numbers) / 2147483647


@pytest.mark.parametrize("name", NINE_PRINTED)
def test_the_nine_frequencies_of_monograph_140(name):
    found = getattr(stability, name)(NINE, rate=1.0, taus=[1.0, 2.0], kind="frequency")
    np.testing.assert_allclose(found["value"], NINE_PRINTED[name], rtol=2e-7)


@pytest.mark.parametrize("name", THOUSAND_PRINTED)
@pytest.mark.parametrize("kind", ["phase", "frequency"])
def test_the_thousand_points_of_sp_1065(name, kind):
    data = thousand()
    if kind == "phase":
        data = np.concatenate([[0.0], np.cumsum(data)])
    found = getattr(stability, name)(data, rate=1.0, taus=[1.0, 10.0, 100.0], kind=kind)
    np.testing.assert_allclose(found["value"], THOUSAND_PRINTED[name], rtol=3e-7)
    assert found["noise_name"][0] == "white FM"


def test_the_modified_total_deviation_of_sp_1065_is_corrected_for_bias():
    nine = stability.mtotdev(NINE, rate=1.0, taus=[1.0, 2.0], kind="frequency")
    many = stability.mtotdev(thousand(), rate=1.0, taus=[1.0, 10.0, 100.0], kind="frequency")
    np.testing.assert_allclose(nine["value"] / np.sqrt(0.73), [75.50203, 75.83606], rtol=2e-7)
    np.testing.assert_allclose(many["value"] / np.sqrt(0.73), [2.418528e-1, 6.499161e-2, 2.287774e-2], rtol=3e-7)


def test_theo1_of_the_thousand_points():
    found = stability.theo1(thousand(), rate=1.0, taus=[7.5, 75.0, 750.0], kind="frequency")
    np.testing.assert_allclose(found["value"], [1.0757e-1, 3.1789e-2, 5.0524e-3], rtol=5e-5)
