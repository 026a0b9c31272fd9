"""Intervals of calibration curves against a known truth, trial by trial: the curve at x, and x of a reading.

Each entry of `CURVES` draws every point and the reading afresh and says whether the 95 % interval of `predict` and that
of `inverse` hold the truth. The unit suite runs a few hundred trials, `run.py bench -k curve_coverage` 20 000.
"""

import numpy as np

from analysis import calibration
from analysis.uncertainty import Quantity
from tests.coverages import holds

X = np.array([0.0, 1.0, 2.0, 3.5, 5.0, 7.0, 8.5, 10.0])
AT = 6.2


def both_ways(curve, true_y, reading):
    return holds(curve.predict(AT), true_y), holds(curve.inverse(reading), AT)


def reading_of(rng, true_y, u):
    return Quantity(value=rng.normal(true_y, u), u=u, units="1")


def line_with_known_weights(rng):
    u = 0.05 + 0.02 * X
    curve = calibration.fit_line(X, rng.normal(1 + 2 * X, u), u_y=u)
    return both_ways(curve, 1 + 2 * AT, reading_of(rng, 1 + 2 * AT, 0.1))


def line_with_unknown_weights_and_three_repeats(rng):
    curve = calibration.fit_line(X, rng.normal(1 + 2 * X, 0.2))
    return both_ways(curve, 1 + 2 * AT, rng.normal(1 + 2 * AT, 0.2, 3))


def line_with_errors_in_both(rng):
    curve = calibration.fit_line(rng.normal(X, 0.05), rng.normal(1 + 2 * X, 0.1), u_x=0.05, u_y=0.1)
    return both_ways(curve, 1 + 2 * AT, reading_of(rng, 1 + 2 * AT, 0.1))


def line_with_a_source_shared_by_all_points(rng):
    # The zero of the voltmeter is one error for all points and for the reading too.
    zero = Quantity(value=0.0, u=0.3, units="1")
    error = rng.normal(0, 0.3)
    ys = [Quantity(value=rng.normal(1 + 2 * x, 0.1) + error, u=0.1, units="1") + zero for x in X]
    curve = calibration.fit_line(X, ys)
    return both_ways(curve, 1 + 2 * AT, reading_of(rng, 1 + 2 * AT, 0.1) + error + zero)


def parabola_with_known_weights(rng):
    y = 1 + 2 * X + 0.05 * X**2
    true_y = 1 + 2 * AT + 0.05 * AT**2
    curve = calibration.fit_polynomial(X, rng.normal(y, 0.1), degree=2, u_y=0.1)
    return both_ways(curve, true_y, reading_of(rng, true_y, 0.1))


def exponential_with_errors_in_both(rng):
    y, true_y = 1 + 2 * np.exp(0.2 * X), 1 + 2 * np.exp(0.2 * AT)
    curve = calibration.fit_function("exponential", rng.normal(X, 0.02), rng.normal(y, 0.05), u_x=0.02, u_y=0.05)
    return both_ways(curve, true_y, reading_of(rng, true_y, 0.05))


CURVES = [
    line_with_known_weights,
    line_with_unknown_weights_and_three_repeats,
    line_with_errors_in_both,
    line_with_a_source_shared_by_all_points,
    parabola_with_known_weights,
    exponential_with_errors_in_both,
]
