"""Calibration curves: other routes to the minimum and its covariance, sources, both ways, refusals."""

import numpy as np
import pytest
import xarray as xr
from scipy import optimize, stats

from analysis import calibration, io
from analysis.core import CalibrationError
from analysis.uncertainty import Quantity

X = np.linspace(1.0, 9.0, 9)
RNG = np.random.default_rng(3)
MIXED = RNG.normal(size=(18, 18)) / 4
COVARIANCE = 0.01 * MIXED @ MIXED.T + 0.02 * np.eye(18)
Y = 0.5 + 1.3 * X + RNG.multivariate_normal(np.zeros(18), COVARIANCE)[9:]


def distance(theta, inverse):
    """Chi-square of a line with the true x as parameters, by brute force."""
    (a, b), true_x = theta[:2], theta[2:]
    r = np.concatenate([X - true_x, Y - a - b * true_x])
    return r @ inverse @ r


def test_a_full_covariance_gives_the_minimum_of_brute_force():
    curve = calibration.fit_line(X, Y, cov_x=COVARIANCE[:9, :9], cov_y=COVARIANCE[9:, 9:], cov_xy=COVARIANCE[:9, 9:])
    inverse = np.linalg.inv(COVARIANCE)
    found = optimize.minimize(distance, [0.5, 1.3, *X], args=(inverse,), method="BFGS", options={"gtol": 1e-10})
    np.testing.assert_allclose([each.value for each in curve.parameters], found.x[:2], rtol=1e-6)
    assert curve.chisqr == pytest.approx(found.fun, rel=1e-9)


def test_a_curve_with_errors_in_x_is_that_of_least_squares_over_all_true_x():
    x, y = X, 2.0 * X**1.4 + np.random.default_rng(5).normal(0, 0.1, X.size)
    curve = calibration.fit_function("power", x, y, u_x=0.05, u_y=0.1)

    def residuals(theta):
        b, true_x = theta[:3], theta[3:]
        return np.concatenate([(x - true_x) / 0.05, (y - b[0] - b[1] * true_x ** (1 + b[2])) / 0.1])

    other = optimize.least_squares(residuals, [0, 2, 0.4, *x], xtol=1e-15, ftol=1e-15, gtol=1e-15, x_scale="jac")
    np.testing.assert_allclose([each.value for each in curve.parameters], other.x[:3], rtol=1e-5, atol=1e-6)
    assert curve.chisqr == pytest.approx(2 * other.cost, rel=1e-9)
    covariance = np.linalg.inv(other.jac.T @ other.jac)[:3, :3]
    np.testing.assert_allclose(curve.covariance, covariance, rtol=1e-4)


def test_a_function_of_the_user_is_fitted_as_the_named_one():
    y = 1.0 + 0.5 * np.exp(0.3 * X)

    def growth(x, offset, height, rate):
        return offset + height * np.exp(rate * x)

    named = calibration.fit_function("exponential", X, y, u_x=0.01, u_y=0.02)
    own = calibration.fit_function(growth, X, y, u_x=0.01, u_y=0.02, start={"offset": 0.5, "height": 1, "rate": 0.2})
    for ours, theirs in zip(own.parameters, named.parameters, strict=True):
        assert ours.value == pytest.approx(theirs.value, rel=1e-6)
        assert ours.u == pytest.approx(theirs.u, rel=1e-5)
    assert own.names == ("offset", "height", "rate")


def test_a_function_with_differenced_derivatives_ends_at_the_minimum():
    # Its steps end in the noise of the differences, above the tolerance of exact derivatives.
    x = np.array([0.5, 1.5, 2.5, 4.0, 5.5, 7.5, 9.0, 10.5])
    for seed in range(40):
        y = 10 * x / (4 + x) + np.random.default_rng(seed).normal(0, 0.05, x.size)
        curve = calibration.fit_function(lambda x, top, half: top * x / (half + x), x, y, u_y=0.05)
        found = optimize.least_squares(lambda b: y - b[0] * x / (b[1] + x), [10, 4], xtol=1e-14, gtol=1e-14)  # noqa: B023
        assert curve.chisqr == pytest.approx(2 * found.cost / 0.05**2, rel=1e-9)


def test_sources_that_points_share_go_through_the_fit_to_both_sides():
    # All weights share one error of the balance: y = b x is wrong by the same factor as the weights.
    common = Quantity(value=0.0, u=0.01, units="1", label="balance")
    masses = [Quantity(value=x, u=0.001, units="g") * (1 + common) for x in X]
    readings = [Quantity(value=2 * x, u=0.002, units="V") for x in X]
    curve = calibration.fit_line(masses, readings)
    (source,) = common.parts()
    slope = curve.parameters[1]
    assert slope.parts()[source] == pytest.approx(-2 * 0.01, rel=1e-3)
    back = curve.inverse(Quantity(value=10.0, u=0.0, units="V"))
    assert back.units == "g"
    assert back.parts()[source] == pytest.approx(5 * 0.01, rel=1e-3)
    ratio = back / curve.inverse(Quantity(value=5.0, u=0.0, units="V"))
    assert abs(ratio.parts().get(source, 0.0)) < 1e-4  # what all masses share falls out of a ratio


def test_the_covariance_is_that_of_fits_to_drawn_points():
    rng, trials = np.random.default_rng(7), 400
    truth = 0.2 + 1.1 * X
    curve = calibration.fit_line(X, truth, u_x=0.05, u_y=0.1)
    drawn = np.array([
        [each.value for each in calibration.fit_line(
            X + rng.normal(0, 0.05, X.size), truth + rng.normal(0, 0.1, X.size), u_x=0.05, u_y=0.1).parameters]
        for _ in range(trials)
    ])  # fmt: skip
    for k, quantity in enumerate(curve.parameters):
        # the variance of `trials` draws follows chi-square; bounds at p = 1e-6
        low, high = stats.chi2.ppf([5e-7, 1 - 5e-7], trials - 1) / (trials - 1)
        assert low < drawn[:, k].var(ddof=1) / quantity.u**2 < high


def test_intervals_of_inverse_predictions_hold_the_truth():
    # All of the points and the reading are drawn again in each trial; exact binomial bounds at p = 1e-6.
    rng, trials, hits = np.random.default_rng(11), 600, 0
    for _ in range(trials):
        y = 0.2 + 1.1 * X + rng.normal(0, 0.1, X.size)
        reading = 0.2 + 1.1 * 4.3 + rng.normal(0, 0.1)
        found = calibration.fit_line(X, y).inverse(reading)
        hits += abs(found.value - 4.3) <= found.U(0.95)
    low, high = stats.binom.ppf([5e-7, 1 - 5e-7], trials, 0.95)
    assert low <= hits <= high


def test_a_polynomial_is_shown_in_powers_and_its_degree_is_chosen():
    y = 1 + 0.5 * X - 0.02 * X**2 + np.random.default_rng(1).normal(0, 0.003, X.size)
    chosen = calibration.fit_polynomial(X, y, u_y=0.003)
    assert chosen.names == ("c0", "c1", "c2")
    plain = np.polynomial.polynomial.polyfit(X, y, 2)
    np.testing.assert_allclose([each.value for each in chosen.parameters], plain, rtol=1e-9)
    vander = np.vander(X, 3, increasing=True)
    np.testing.assert_allclose(chosen.covariance, np.linalg.inv(vander.T @ vander) * 0.003**2, rtol=1e-7)
    assert "degree 2 has the least corrected Akaike criterion" in chosen.notes[0]
    at = chosen.predict(4.4)
    row = np.array([1, 4.4, 4.4**2])
    assert at.u == pytest.approx(float(np.sqrt(row @ chosen.covariance @ row)), rel=1e-7)


def test_there_and_back_is_the_same_place_with_the_sources_cancelled():
    curve = calibration.fit_line(X, Y, u_x=0.1, u_y=0.2)
    x = Quantity(value=4.2, u=0.05, units="1")
    back = curve.inverse(curve.predict(x))
    assert back.value == pytest.approx(4.2, rel=1e-12)
    assert (back - x).u < 1e-12


def test_points_known_independently_are_named_one_by_one_in_a_budget():
    curve = calibration.fit_line(X, Y, u_y=0.1)
    assert [source.label for source in curve.contributions] == [f"y{k + 1}" for k in range(X.size)]
    correlated = calibration.fit_line(X, Y, cov_y=0.01 * (np.eye(X.size) + 1))
    assert all(source.label.endswith(f"(joint {k + 1})") for k, source in enumerate(correlated.contributions))


def test_a_curve_without_units_is_printed_without_a_gap():
    # The residuals of three equally spaced points have the sum of squares (y1 - 2 y2 + y3)²/6.
    assert "scatter of one observation 0.572, dof 1\n" in str(calibration.fit_line([0, 1, 2], [0.0, 1.5, 1.6]))


def test_lack_of_fit_is_seen_by_repeats():
    # by hand: statsmodels-free F test of a line on a parabola with repeats
    x = np.repeat(X, 3)
    noise = np.random.default_rng(2).normal(0, 0.05, x.size)
    assert calibration.fit_line(x, 1 + x + noise).lack_of_fit() > 0.01
    assert calibration.fit_line(x, 1 + x + 0.05 * x**2 + noise).lack_of_fit() < 1e-6


def test_the_leverages_sum_to_the_parameters():
    assert float(calibration.fit_line(X, Y, u_x=0.1, u_y=0.2).points["leverage"].sum()) == pytest.approx(2)


def test_what_is_outside_the_range_or_ambiguous_is_refused():
    curve = calibration.fit_line(X, Y, u_y=0.2)
    with pytest.raises(CalibrationError, match="outside the calibrated range"):
        curve.predict(9.5)
    assert curve.predict(9.5, extrapolate=True).u > curve.predict(5.0).u
    with pytest.raises(CalibrationError, match="reached 0 times"):
        curve.inverse(Quantity(value=50.0, u=0.1, units="1"))
    hill = calibration.fit_polynomial(X, -((X - 5) ** 2), degree=2, u_y=0.1)
    assert "turns within its range" in hill.notes[-1]
    with pytest.raises(CalibrationError, match="reached 2 times"):
        hill.inverse(Quantity(value=-4.0, u=0.1, units="1"))
    with pytest.raises(CalibrationError, match="wants x in '1'"):
        curve.predict(Quantity(value=3.0, u=0.1, units="nm"))
    with pytest.raises(CalibrationError, match="repeats have no known scatter"):
        curve.inverse([3.0, 3.1])


@pytest.mark.parametrize(
    ("x", "y", "settings", "message"),
    [
        ([1, 2, 3], [1, 2], {}, "as many x as y"),
        ([1, 2, np.nan], [1, 2, 3], {}, "1 not finite"),
        ([1, 2, 3], [1, 2, 3], {"u_y": -1}, "not negative"),
        ([1, 2, 3], [1, 2, 3], {"u_x": 0.1}, "give u_y too"),
        ([1, 2, 3], [1, 2, 3], {"u_y": 0.0}, "exact in x and y"),
        ([2, 2, 2], [1, 2, 3], {"u_y": 0.1}, "do not determine"),
        ([1, 2], [1, 2], {}, "measure at least 3"),
        ([1, 2, 3], [1, 2, 3], {"u_y": 0.1, "cov_y": np.eye(3)}, "more than once"),
        ([1, 2, 3], [1, 2, 3], {"cov_y": [[1, 2, 0], [2, 1, 0], [0, 0, 1]]}, "no covariance matrix"),
    ],
)
def test_points_that_cannot_be_are_refused(x, y, settings, message):
    with pytest.raises(CalibrationError, match=message):
        calibration.fit_line(x, y, **settings)


def test_unknown_functions_and_degrees_are_refused():
    with pytest.raises(CalibrationError, match="Did you mean 'power'"):
        calibration.fit_function("powr", X, Y)
    with pytest.raises(CalibrationError, match=r"degree must lie in \[1, 8\]"):
        calibration.fit_polynomial(X, Y, degree=9)
    with pytest.raises(CalibrationError, match="needs x > 0"):
        calibration.fit_function("power", X - 1, Y, u_y=0.1)


def test_the_dates_of_a_curve_can_be_stated():
    curve = calibration.fit_line(X, Y, u_y=0.2).valid_between("2026-01-01", "2026-12-31")
    assert (curve.valid_from, curve.valid_until) == ("2026-01-01", "2026-12-31")
    with pytest.raises(CalibrationError, match="lies after"):
        curve.valid_between("2027-01-01", "2026-12-31")


@pytest.mark.parametrize(
    "curve",
    [
        calibration.fit_line(X, Y, u_x=0.1, u_y=0.2).valid_between("2026-01-01", "2026-12-31"),
        calibration.fit_line(X, Y),
        calibration.fit_polynomial(X, Y, degree=3, u_y=0.2),
        calibration.fit_function("exponential", X, np.exp(0.2 * X), u_y=0.01),
    ],
    ids=lambda curve: curve.family.kind,
)
def test_a_curve_comes_back_from_a_file_with_its_sources(curve, tmp_path):
    back = io.read_calibration(io.write(curve, tmp_path / "curve.nc"))
    assert back == curve
    assert hash(back) == hash(curve)
    assert str(back) == str(curve)
    assert (back.valid_from, back.valid_until, back.history) == (curve.valid_from, curve.valid_until, curve.history)
    for at in (2.0, 7.5):
        assert (back.predict(at) - curve.predict(at)).u == pytest.approx(0.0, abs=1e-12)
        assert back.predict(at).value == curve.predict(at).value
    assert back.scatter == curve.scatter
    xr.testing.assert_identical(back.points.drop_attrs(), curve.points.drop_attrs())


def test_curves_with_other_numbers_or_dates_are_not_equal():
    curve = calibration.fit_line(X, Y, u_y=0.1)
    assert curve == calibration.fit_line(X, Y, u_y=0.1)
    assert curve != calibration.fit_line(X, Y, u_y=0.2)
    assert curve != curve.valid_between("2026-01-01", "2026-12-31")
    assert curve != "curve"


def decay(x, offset, height, length):
    return offset + height * np.exp(-x / length)


def other_decay(x, offset, height, length):
    return offset + height * np.exp(-x / length) + 1e-3


DECAY = decay(X, 1.0, 2.0, 3.0) + np.random.default_rng(6).normal(0, 0.02, X.size)
START = {"offset": 0.5, "height": 1.0, "length": 2.0}


def test_a_formula_is_fitted_as_the_function_and_kept_whole_in_a_file(tmp_path):
    own = calibration.fit_function(decay, X, DECAY, u_x=0.02, u_y=0.02, start=START)
    text = "offset + height*exp(-x/length)"
    curve = calibration.fit_function(text, X, DECAY, u_x=0.02, u_y=0.02, start=START)
    assert curve.names == own.names
    np.testing.assert_allclose(curve.values, own.values, rtol=1e-8)
    np.testing.assert_allclose(curve.covariance, own.covariance, rtol=1e-6)
    assert str(curve).startswith(f"formula {text} on [1, 9]")
    back = io.read_calibration(io.write(curve, tmp_path / "curve.nc"))
    assert back == curve
    assert back.predict(4.4).value == curve.predict(4.4).value


def test_a_function_of_the_user_is_kept_by_name_and_asked_for_again(tmp_path):
    curve = calibration.fit_function(decay, X, DECAY, u_y=0.02, start=START)
    path = io.write(curve, tmp_path / "curve.nc")
    with pytest.raises(CalibrationError, match=r"Pass it again: io.read_calibration\(path, function=decay\)"):
        io.read_calibration(path)
    back = io.read_calibration(path, function=decay)
    assert back == curve
    assert (back.predict(4.4) - curve.predict(4.4)).u < 1e-12
    with pytest.raises(CalibrationError, match=r"differs by up to 0\.001"):
        io.read_calibration(path, function=other_decay)
    with pytest.raises(CalibrationError, match="with the parameters"):
        io.read_calibration(path, function=lambda x, a: a * x)
    held = io.read_project(io.write({"curve": curve, "line": calibration.fit_line(X, Y)}, tmp_path / "both.nc"))
    assert calibration.CurveCalibration.from_dataset(held["curve"], function=decay) == curve


def test_a_function_without_a_name_and_formulas_outside_the_grammar_are_refused(tmp_path):
    curve = calibration.fit_function(lambda x, a: a * x, X, Y, u_y=0.2)
    with pytest.raises(CalibrationError, match="cannot be kept in a file"):
        io.write(curve, tmp_path / "curve.nc")
    with pytest.raises(CalibrationError, match="no formula of a curve"):
        calibration.fit_function("a*x + open(b)", X, Y)
    with pytest.raises(CalibrationError, match="needs x and at least one parameter"):
        calibration.fit_function("a + b", X, Y)
    with pytest.raises(CalibrationError, match="start speaks of"):
        calibration.fit_function("a + b*x", X, Y, start={"c": 1.0})
    line = io.write(calibration.fit_line(X, Y), tmp_path / "line.nc")
    with pytest.raises(CalibrationError, match="leave function out"):
        io.read_calibration(line, function=decay)


def test_two_functions_without_a_name_share_no_source():
    twice = [calibration.fit_function(function, X, Y) for function in (lambda x, a: a * x, lambda x, a: a * x**2)]
    assert not set(twice[0].parameters[0].parts()) & set(twice[1].parameters[0].parts())


def test_the_units_of_the_parameters_of_a_formula_are_stated_checked_and_kept(tmp_path):
    seconds = [Quantity(value=v, u=0.0, units="s") for v in X]
    volts = [Quantity(value=v, u=0.02, units="V") for v in DECAY]
    units = {"offset": "V", "height": "mV", "length": "s"}
    text = "offset + height*exp(-x/length)"
    with pytest.raises(CalibrationError, match="do not go with x in 's' and y in 'V'"):
        calibration.fit_function(text, seconds, volts, start=START, parameter_units={**units, "length": "V"})
    with pytest.raises(CalibrationError, match="units of \\['offset'\\]"):
        calibration.fit_function(text, seconds, volts, start=START, parameter_units={"offset": "V"})
    with pytest.raises(CalibrationError, match="only after a conversion"):
        calibration.fit_function(text, seconds, volts, start=START, parameter_units=units)
    units["height"] = "V"
    curve = calibration.fit_function(text, seconds, volts, start=START, parameter_units=units)
    assert [each.units for each in curve.parameters] == ["V", "V", "s"]
    assert not any("units" in note for note in curve.notes)
    back = io.read_calibration(io.write(curve, tmp_path / "curve.nc"))
    assert [each.units for each in back.parameters] == ["V", "V", "s"]
    unsaid = calibration.fit_function(decay, seconds, volts, start=START)
    assert "units of the parameters were not stated" in unsaid.notes[-1]
