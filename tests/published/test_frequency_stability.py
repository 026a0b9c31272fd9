"""Frequency stability: the test sets of NIST SP 1065, clause 12.4, generated as it says."""

from functools import partial

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
    {
        "what": "Identified noise, and limits at 68.3 % of four deviations of the 1000-point set at eight octaves",
        "against": "Stable32 1.60 for its PHASE.DAT, which is that set; as the tests of allantools 2024.6 print it",
        "agreement": "the noise; deviations to the five digits, limits within 0.42 % (totdev at one sample 1 %)",
    },
    {
        "what": "Deviations of a caesium clock, a GPS receiver, a quartz oscillator and a counter, and their limits",
        "against": "Stable32 through the source distribution of allantools 2024.6: `run.py bench -k stable32`",
        "agreement": "the five printed digits; limits within 0.05 % where the noise is the same",
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
STABLE32 = {  # lower limit, deviation, upper limit at 1, 2, 4 ... 128 s
    "oadev": (
        (2.8515e-1, 2.9223e-1, 2.9987e-1),
        (1.9520e-1, 2.0102e-1, 2.0738e-1),
        (1.3931e-1, 1.4479e-1, 1.5098e-1),
        (1.0038e-1, 1.0570e-1, 1.1198e-1),
        (5.7696e-2, 6.1915e-2, 6.7217e-2),
        (4.3654e-2, 4.8082e-2, 5.4202e-2),
        (3.1755e-2, 3.6237e-2, 4.3377e-2),
        (2.3045e-2, 2.7674e-2, 3.7027e-2),
    ),
    "mdev": (
        (2.8515e-1, 2.9223e-1, 2.9987e-1),
        (1.5336e-1, 1.5821e-1, 1.6355e-1),
        (1.0322e-1, 1.0780e-1, 1.1304e-1),
        (6.9840e-2, 7.4192e-2, 7.9481e-2),
        (3.8022e-2, 4.1376e-2, 4.5809e-2),
        (3.0466e-2, 3.4255e-2, 3.9933e-2),
        (2.3687e-2, 2.7871e-2, 3.5511e-2),
        (1.4874e-2, 1.8669e-2, 2.8584e-2),
    ),
    "ohdev": (
        (2.8635e-1, 2.9439e-1, 3.0315e-1),
        (1.9491e-1, 2.0125e-1, 2.0825e-1),
        (1.3777e-1, 1.4368e-1, 1.5043e-1),
        (1.0388e-1, 1.0987e-1, 1.1704e-1),
        (5.6173e-2, 6.0638e-2, 6.6369e-2),
        (4.0664e-2, 4.5095e-2, 5.1382e-2),
        (2.9271e-2, 3.3824e-2, 4.1477e-2),
        (2.3761e-2, 2.9147e-2, 4.1367e-2),
    ),
    "totdev": (
        (2.8707e-1, 2.9223e-1, 2.9768e-1),
        (1.9592e-1, 2.0089e-1, 2.0625e-1),
        (1.3947e-1, 1.4444e-1, 1.4998e-1),
        (1.0039e-1, 1.0540e-1, 1.1126e-1),
        (5.7732e-2, 6.1788e-2, 6.6839e-2),
        (4.4255e-2, 4.8580e-2, 5.4484e-2),
        (3.1639e-2, 3.5905e-2, 4.2546e-2),
        (2.6406e-2, 3.1259e-2, 4.0383e-2),
    ),
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


@pytest.mark.parametrize("name", STABLE32)
def test_noise_and_limits_of_stable32(name):
    function = partial(getattr(stability, name), thousand(), rate=1.0, taus=2.0 ** np.arange(8), kind="frequency")
    np.testing.assert_array_equal(function()["noise"], 0)
    found = function(level=0.683, noise=0)
    low, value, high = np.transpose(STABLE32[name])
    np.testing.assert_allclose(found["value"], value, rtol=5e-5)
    allowed = np.where((name == "totdev") & (found["tau"].values == 1.0), 1e-2, 4.2e-3)
    assert np.all(np.abs(found["low"].values / low - 1) < allowed)
    assert np.all(np.abs(found["high"].values / high - 1) < allowed)


def test_mtie_of_stable32():
    found = stability.mtie(thousand() - thousand().mean(), rate=1.0, taus=[1.0, 3.0, 15.0, 63.0], kind="frequency")
    np.testing.assert_allclose(found["value"], [0.50597, 1.2984, 2.9949, 6.5989], rtol=5e-5)
