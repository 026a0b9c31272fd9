"""Force transducers: the formulas of ISO 376 by hand on one point, classes, use both ways, refusals."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.calibration import sensors
from analysis.core import CalibrationError
from analysis.uncertainty import Quantity

KN = np.array([10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 80.0, 100.0])
TRUE = (0.02, 1e-6, -4e-9)  # mV/V per kN, kN², kN³


def true_deflection(force):
    return sum(c * force ** (k + 1) for k, c in enumerate(TRUE))


def series(rng, *, rotation=5e-5, repeat=2e-5, hysteresis=2e-4):
    """One calibration: an error of each mounting, scatter of each series, and a bow of the falling series."""
    mean = true_deflection(KN)
    mountings = 1 + rotation * rng.standard_normal(3)
    rotated = np.array([mean * each * (1 + repeat * rng.standard_normal(KN.size)) for each in mountings])
    repeated = mean * mountings[0] * (1 + repeat * rng.standard_normal(KN.size))
    returned = rotated[1:] + hysteresis * mean[-1] * (KN / 100) * (1 - KN / 100)
    return {"rotated": rotated, "repeated": repeated, "returned": returned}


def forces(u=5e-5):
    return [Quantity(value=f, u=u * f, units="kN", label=f"{f:g} kN") for f in KN]


def runs(rng=None, **changes):
    given = series(np.random.default_rng(1) if rng is None else rng)
    settings = {"forces": forces(), **given, "resolution": 1e-6, "zero_shift": 4e-5, "creep": 1e-4}
    return sensors.ForceRuns(**(settings | changes))


def test_the_errors_of_one_point_are_those_of_the_formulas_by_hand():
    given = runs()
    table = given.errors()
    k = 3
    x1, x3, x5 = (float(each[k]) for each in given.rotated)
    x2, x4, x6 = float(given.repeated[k]), float(given.returned[0][k]), float(given.returned[1][k])
    mean = (x1 + x3 + x5) / 3
    # ISO 376:2011, 7.5: b, b', v, f0, c
    assert table["reproducibility"].values[k] == pytest.approx(100 * (max(x1, x3, x5) - min(x1, x3, x5)) / mean)
    assert table["repeatability"].values[k] == pytest.approx(100 * abs(x2 - x1) / ((x1 + x2) / 2))
    v = 100 * (abs(x4 - x3) / x3 + abs(x6 - x5) / x5) / 2
    assert table["reversibility"].values[k] == pytest.approx(v)
    largest = sum(float(each[-1]) for each in given.rotated) / 3
    assert table.attrs["zero"] == pytest.approx(100 * 4e-5 / largest)
    assert table.attrs["creep"] == pytest.approx(100 * 1e-4 / largest)
    # Annex C, as relative standard uncertainties
    found = given.components()
    by_hand = {
        "calibration force": 5e-5,
        "reproducibility": math.sqrt(((x1 - mean) ** 2 + (x3 - mean) ** 2 + (x5 - mean) ** 2) / 6) / mean,
        "repeatability": abs(x2 - x1) / ((x1 + x2) / 2) / math.sqrt(3),
        "resolution": 1e-6 / math.sqrt(6) / mean,
        "creep": 1e-4 / largest / math.sqrt(3),
        "zero": 4e-5 / largest,
        "temperature": 0.0,
        "reversibility": v / 100 / math.sqrt(3),
    }
    assert {name: float(found[name].values[k]) for name in by_hand} == pytest.approx(by_hand, rel=1e-12)


def test_the_interpolation_is_the_least_squares_one_and_its_error_and_u_follow():
    given = runs()
    found = sensors.force_transducer(given, degree=3)
    matrix = np.stack([KN, KN**2, KN**3], axis=1)
    expected, rest, *_ = np.linalg.lstsq(matrix, given.mean, rcond=None)
    np.testing.assert_allclose(found.coefficients, expected, rtol=1e-8)
    np.testing.assert_allclose(found.errors["interpolation"], 100 * (given.mean / (matrix @ expected) - 1), atol=1e-9)
    np.testing.assert_allclose(found.components["interpolation"], math.sqrt(rest[0] / 5) / given.mean, rtol=1e-6)
    names = [name for name in found.components.data_vars if name not in ("combined", "reversibility")]
    total = np.sqrt(sum(found.components[name].values ** 2 for name in names))
    np.testing.assert_allclose(found.components["combined"], total, rtol=1e-12)


def test_there_and_back_is_the_same_force_and_u_is_the_combined_one_at_a_calibration_force():
    exact = forces(0.0)
    found = sensors.force_transducer(runs(forces=exact))
    for k in (0, 3, 7):
        reading = found.deflection(Quantity(value=KN[k], u=0.0, units="kN"))
        back = found.force(Quantity(value=reading.value, u=0.0, units="mV/V"))
        assert back.value == pytest.approx(KN[k], rel=1e-12)
        assert back.u == pytest.approx(found.components["combined"].values[k] * KN[k], rel=1e-9)
        assert found.budget(KN[k]).u == pytest.approx(back.u, rel=1e-9)
        falling = found.force(Quantity(value=reading.value, u=0.0, units="mV/V"), falling=True)
        more = found.components["reversibility"].values[k] * KN[k]
        assert falling.u == pytest.approx(math.hypot(back.u, more), rel=1e-9)


@settings(max_examples=25, deadline=None)
@given(gain=st.floats(1e-3, 1e3), unit=st.floats(1e-3, 1e3))
def test_neither_the_gain_of_the_amplifier_nor_the_unit_of_force_changes_relative_errors(gain, unit):
    plain = runs()
    scaled = runs(
        forces=[Quantity(value=f.value * unit, u=f.u * unit, units="kN") for f in plain.forces],
        rotated=plain.rotated * gain, repeated=plain.repeated * gain, returned=plain.returned * gain,
        resolution=plain.resolution * gain, zero_shift=plain.zero_shift * gain, creep=plain.creep * gain,
    )  # fmt: skip
    ours, theirs = sensors.force_transducer(plain), sensors.force_transducer(scaled)
    for name in ours.errors.data_vars:
        np.testing.assert_allclose(theirs.errors[name], ours.errors[name], rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(theirs.components["combined"], ours.components["combined"], rtol=1e-7)
    assert theirs.grade == ours.grade


def test_a_source_that_all_calibration_forces_share_reaches_the_measured_force_whole():
    balance = Quantity(value=1.0, u=1e-4, units="1", label="gravity")
    shared = [Quantity(value=f, u=0.0, units="kN") * balance for f in KN]
    found = sensors.force_transducer(runs(forces=shared))
    (source,) = balance.parts()
    for at in (0.35, 1.1, 1.9):
        force = found.force(Quantity(value=at, u=0.0, units="mV/V"))
        assert force.parts()[source] == pytest.approx(1e-4 * force.value, rel=1e-4)
    ratio = found.force(Quantity(value=1.1, u=0.0, units="mV/V")) / found.force(
        Quantity(value=0.5, u=0.0, units="mV/V")
    )
    assert abs(ratio.parts().get(source, 0.0)) < 1e-7


def test_independent_calibration_forces_move_the_result_as_refits_to_moved_forces_do():
    given = runs()
    found = sensors.force_transducer(given).force(Quantity(value=1.1, u=0.0, units="mV/V"))
    for k, force in enumerate(given.forces):
        (source,) = force.parts()
        moved = [Quantity(value=f.value + 0.01 * (i == k), u=0.0, units="kN") for i, f in enumerate(given.forces)]
        other = sensors.force_transducer(runs(forces=moved)).force(Quantity(value=1.1, u=0.0, units="mV/V"))
        assert found.parts()[source] == pytest.approx((other.value - found.value) / 0.01 * force.u, rel=0.02, abs=1e-7)


def test_the_true_force_lies_within_u_as_often_as_promised_or_more():
    # Each trial draws mountings, series, forces and the reading of a new mounting; the budget counts b' and creep too,
    # which the drawn transducer has less of, so only the lower bound is binding (exact binomial, p = 1e-6).
    rng, trials, hits = np.random.default_rng(3), 250, 0
    for _ in range(trials):
        errors = 5e-5 * rng.standard_normal(KN.size)
        applied = [Quantity(value=f, u=5e-5 * f, units="kN") for f in KN]
        table = {name: each * (1 + errors) for name, each in series(rng).items()}
        found = sensors.force_transducer(runs(rng, forces=applied, **table))
        truth = 66.0
        mounting = 1 + 5e-5 * rng.standard_normal()
        reading = Quantity(value=true_deflection(truth) * mounting, u=5e-5 * true_deflection(truth), units="mV/V")
        force = found.force(reading)
        hits += abs(force.value - truth) <= 2 * force.u
    assert hits >= 0.88 * trials  # stats.binom.ppf(5e-7, 250, 0.95) = 219


def test_the_expanded_uncertainty_as_a_function_of_force_lies_nowhere_below_the_points():
    found = sensors.force_transducer(runs())
    for k, force in enumerate(KN):
        assert found.expanded_uncertainty(force) >= 2 * found.components["combined"].values[k] * force - 1e-12
    assert found.expanded_uncertainty(100.0) < 3 * found.components["combined"].values[-1] * 100.0


def flat(**changes):
    mean = true_deflection(KN)
    settings = {"rotated": np.array([mean] * 3), "repeated": mean, "returned": np.array([mean] * 2), "resolution": 1e-7}
    return runs(**({"forces": forces(1e-5), "zero_shift": 0.0, "creep": 0.0} | settings | changes))


@pytest.mark.parametrize(
    ("changes", "grade"),
    [
        ({}, "00"),
        ({"creep": 0.03e-2 * 2.006}, "0.5"),  # c = 0.03 %: above 0.025, below 0.05
        ({"zero_shift": 0.03e-2 * 2.006}, "1"),  # f0 = 0.03 %: above 0.025, below 0.05
        ({"forces": forces(3e-4)}, "2"),  # U = 0.06 % of the calibration force: above 0.05, below 0.10
        ({"repeated": true_deflection(KN) * 1.0007}, "1"),  # b' = 0.07 %
        ({"repeated": true_deflection(KN) * 1.003}, None),  # b' = 0.3 %
    ],
)
def test_the_class_is_that_of_the_worst_error(changes, grade):
    assert sensors.force_transducer(flat(**changes)).grade == grade


def test_a_class_ends_above_the_last_force_that_breaks_it():
    bad = true_deflection(KN).copy()
    bad[2] *= 1.0007  # b' = 0.07 % at 30 kN
    found = sensors.force_transducer(flat(repeated=bad))
    assert found.classes == {"00": 40.0, "0.5": 40.0, "1": 10.0, "2": 10.0}
    assert "class 00 from 40 kN" in str(found)
    coarse = sensors.force_transducer(flat(resolution=1e-4))  # 10 kN is 2000 steps, 20 kN 4000
    assert coarse.classes["00"] == 20.0
    assert coarse.classes["0.5"] == 10.0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"forces": forces()[::-1]}, "rising forces"),
        ({"forces": [10.0, 20.0]}, "must be a Quantity"),
        ({"rotated": np.ones((2, 8))}, r"shape \(3, 8\)"),
        ({"rotated": np.full((3, 8), np.nan)}, "finite"),
        ({"resolution": 0.0}, "resolution must be > 0"),
        ({"creep": None, "returned": None}, "neither creep nor falling"),
    ],
)
def test_series_that_are_none_are_refused(changes, message):
    with pytest.raises(CalibrationError, match=message):
        runs(**changes)


def test_what_lies_outside_the_calibration_is_refused():
    found = sensors.force_transducer(runs())
    for reading in (0.1, 2.1):
        with pytest.raises(CalibrationError, match="lies outside"):
            found.force(Quantity(value=reading, u=0.0, units="mV/V"))
    with pytest.raises(CalibrationError, match="lies outside"):
        found.deflection(Quantity(value=5.0, u=0.0, units="kN"))
    with pytest.raises(CalibrationError, match="degree must be 1, 2 or 3"):
        sensors.force_transducer(runs(), degree=4)
    rising = sensors.force_transducer(runs(returned=None))
    with pytest.raises(CalibrationError, match="reversibility was not measured"):
        rising.force(Quantity(value=1.0, u=0.0, units="mV/V"), falling=True)
    no_creep = runs(creep=None).components()
    np.testing.assert_allclose(no_creep["creep"], no_creep["reversibility"] / 3)
