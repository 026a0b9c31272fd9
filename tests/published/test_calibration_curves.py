"""Published calibrations: ISO/TS 28037, ISO 6143, GUM H.3, York's line, and others.

A tolerance is half a unit of the last printed digit unless said.
"""

import math

import numpy as np
import pytest

from analysis import calibration
from analysis.uncertainty import Quantity

VALIDATION = [
    {
        "what": "Straight lines: equal weights, errors in both variables, covariances, unknown weights; forward and "
        "inverse evaluation",
        "against": "ISO/TS 28037:2010, clauses 6, 7, 9, 11 and Annex E; JCGM 100:2008, H.3",
        "agreement": "half a unit of the last printed digit",
    },
    {
        "what": "Analysis functions with errors in both variables: linear and power function",
        "against": "ISO 6143:2001, B.2.1 and B.2.3",
        "agreement": "the difference that METAS saw to the printed figures",
    },
    {
        "what": "Pearson's data with York's weights, a line of 33 points, Bevington's table 6.1, a pressure sensor",
        "against": "York et al. 2004; Walpole & Myers; Bevington; Kessel et al. 2012",
        "agreement": "half a unit of the last printed digit, 1e-9 for figures of software",
    },
    {
        "what": "Covariance of a line by the implicit-function theorem (residuals times curvature)",
        "against": "Kalantar 1992 on Pearson's data; GTC on ISO/TS 28037:2010, 7.4",
        "agreement": "the printed digits",
    },
]


def parameters(curve):
    a, b = curve.parameters[:2]
    return a.value, b.value, a.u, b.u, a.covariance(b)


def q(value, u):
    return Quantity(value=value, u=u, units="1")


def test_a_thermometer_of_the_gum():
    # JCGM 100:2008, H.3, table H.6
    t = [21.521, 22.012, 22.512, 23.003, 23.507, 23.999, 24.513, 25.002, 25.503, 26.010, 26.511]
    b = [-0.171, -0.169, -0.166, -0.159, -0.164, -0.165, -0.156, -0.157, -0.159, -0.161, -0.160]
    curve = calibration.fit_line(np.array(t) - 20.0, b)
    y1, y2, u1, u2, _ = parameters(curve)
    assert (y1, u1) == pytest.approx((-0.1712, 0.0029), abs=5.1e-5)
    assert (y2, u2) == pytest.approx((0.00218, 0.00067), abs=5.1e-6)
    assert curve.parameters[0].correlation(curve.parameters[1]) == pytest.approx(-0.930, abs=5.1e-4)
    assert curve.scatter == pytest.approx(0.0035, abs=5.1e-5)
    at_30 = curve.predict(10.0, extrapolate=True)
    assert (at_30.value, at_30.u) == pytest.approx((-0.1494, 0.0041), abs=5.1e-5)
    assert at_30.dof == curve.dof == 9


def test_a_line_with_equal_weights():
    # ISO/TS 28037:2010, 6.3, example 1; 11.1 and 11.2
    curve = calibration.fit_line([1, 2, 3, 4, 5, 6], [3.3, 5.6, 7.1, 9.3, 10.7, 12.1], u_y=0.5)
    assert parameters(curve) == pytest.approx((1.867, 1.757, 0.465, 0.120, -0.050), abs=5.1e-4)
    assert curve.chisqr == pytest.approx(1.665, abs=5.1e-4)
    x = curve.inverse(q(10.5, 0.5))
    assert (x.value, x.u) == pytest.approx((4.913, 0.322), abs=5.1e-4)
    for at, wanted in ((q(3.5, 0.2), (8.017, 0.406)), (q(4.5, 0.4), (9.774, 0.742))):
        y = curve.predict(at)
        assert (y.value, y.u) == pytest.approx(wanted, abs=5.1e-4)


def test_a_line_with_errors_in_both_variables():
    # ISO/TS 28037:2010, 7.4, table 10
    curve = calibration.fit_line(
        [1.2, 1.9, 2.9, 4.0, 4.7, 5.9], [3.4, 4.4, 7.2, 8.5, 10.8, 13.5], u_x=0.2, u_y=[0.2, 0.2, 0.2, 0.4, 0.4, 0.4]
    )
    assert parameters(curve) == pytest.approx((0.5788, 2.1597, 0.4764, 0.1355, -0.0577), abs=5.1e-5)
    assert curve.chisqr == pytest.approx(2.743, abs=5.1e-4)
    for at, wanted in ((q(3.5, 0.2), (8.138, 0.484)), (q(4.5, 0.4), (10.297, 0.909))):
        y = curve.predict(at)
        assert (y.value, y.u) == pytest.approx(wanted, abs=5.1e-4)


def test_a_line_with_errors_in_both_variables_carried_through_the_exact_solution():
    # the same example as GTC 1.5 carries it (documentation of its straight-line functions)
    curve = calibration.fit_line(
        [1.2, 1.9, 2.9, 4.0, 4.7, 5.9], [3.4, 4.4, 7.2, 8.5, 10.8, 13.5], u_x=0.2, u_y=[0.2, 0.2, 0.2, 0.4, 0.4, 0.4],
        propagation="implicit",
    )  # fmt: skip
    assert parameters(curve)[2:4] == pytest.approx((0.4804, 0.1362), abs=5.1e-5)


def test_a_line_with_covariances_among_the_y():
    # data of ISO/TS 28037:2010, clause 9; the figures are recomputed there by two other programs
    y = [1.3, 4.1, 6.9, 7.5, 10.2, 12.0, 14.5, 17.1, 19.5, 21.0]
    covariance = np.zeros((10, 10))
    covariance[:5, :5], covariance[5:, 5:] = 1.0, 4.0
    covariance += np.eye(10)
    curve = calibration.fit_line(range(1, 11), y, cov_y=covariance)
    wanted = (-0.6455639097744381, 2.2013533834586476, 1.2726149740516381, 0.2014981482778403, -0.16691729323308283)
    assert parameters(curve) == pytest.approx(wanted, rel=1e-9)
    assert curve.chisqr == pytest.approx(2.073954887218045, rel=1e-9)


def test_a_line_with_unknown_weights():
    # ISO/TS 28037:2010, Annex E (without the factor of t, on which authors differ)
    curve = calibration.fit_line([1, 2, 3, 4, 5, 6], [3.014, 5.225, 7.004, 9.061, 11.201, 12.762])
    assert parameters(curve) == pytest.approx((1.172, 1.964, 0.159, 0.041, -0.006), abs=5.1e-4)
    assert curve.chisqr == pytest.approx(0.116, abs=6e-4)
    x = curve.inverse(10.5)
    assert (x.value, x.u) == pytest.approx((4.751, 0.097), abs=5.1e-4)
    assert curve.predict(3.5).u == pytest.approx(0.070, abs=5.1e-4)
    assert curve.predict(3.5, observation=True).u == pytest.approx(0.18, abs=5.1e-3)


def test_a_linear_analysis_function():
    # ISO 6143:2001, B.2.1
    x, u_x, y, u_y = np.array([[4.5, 0.045, 0.1969, 0.003938], [18.75, 0.1875, 0.7874, 0.015748],
                               [50.0, 0.5, 2.0228, 0.040456]]).T  # fmt: skip
    curve = calibration.fit_function("linear", y, x, u_x=u_y, u_y=u_x)
    b0, b1, u0, u1, covariance = parameters(curve)
    assert b0 == pytest.approx(-0.35747, abs=5.1e-6)
    assert b1 == pytest.approx(24.612, abs=5.1e-4)
    assert (u0, covariance) == pytest.approx((0.15713, -0.05689), abs=4e-5)
    assert u1 == pytest.approx(0.48035, abs=1.4e-4)
    assert curve.chisqr == pytest.approx(0.6743, abs=1e-4)
    assert curve.largest_deviation == pytest.approx(0.568, abs=1e-3)
    found = [curve.predict(q(*each)) for each in ((0.258, 0.00516), (0.6, 0.012), (1.8, 0.036))]
    assert [each.value for each in found] == pytest.approx([5.9923, 14.409, 43.943], abs=1e-3)
    assert [each.u for each in found] == pytest.approx([0.16377, 0.35597, 1.1630], abs=2.5e-4)
    assert found[0].covariance(found[1]) == pytest.approx(0.0116, abs=1e-4)
    assert found[0].covariance(found[2]) == pytest.approx(0.0148, abs=1e-4)
    assert found[1].covariance(found[2]) == pytest.approx(0.137, abs=1e-3)


POWER = [
    [1.0006, 0.00134, 963.7988, 14.0], [1.001, 0.0011, 966.2585, 12.5], [1.9995, 0.0032, 1912.5692, 16.8],
    [3.0018, 0.0034, 2846.9306, 11.6], [3.9982, 0.0058, 3754.9386, 10.8], [4.0043, 0.0058, 3764.5905, 12.1],
    [4.9981, 0.0058, 4647.1511, 14.4], [5.9961, 0.0078, 5529.9991, 12.1], [7.9974, 0.0084, 7246.0082, 11.9],
    [7.9995, 0.01, 7240.4767, 10.7], [9.998, 0.012, 8884.6955, 10.1], [10.006, 0.0104, 8902.6916, 14.1],
]  # fmt: skip


def test_a_power_analysis_function_and_that_a_line_is_not_taken():
    # ISO 6143:2001, B.2.3
    x, u_x, y, u_y = np.array(POWER).T
    curve = calibration.fit_function("power", y, x, u_x=u_y, u_y=u_x)
    b0, b1, b2 = curve.parameters
    assert b0.value == pytest.approx(0.12128, abs=3e-5)
    assert b1.value == pytest.approx(5.1213e-4, abs=4e-8)
    assert b2.value == pytest.approx(0.084986, abs=6e-6)
    assert (b0.u, b2.u) == (pytest.approx(0.018252, abs=4.5e-4), pytest.approx(0.0051173, abs=1.5e-4))
    assert curve.chisqr == pytest.approx(8.3804, abs=2e-4)
    assert curve.largest_deviation == pytest.approx(1.1594, abs=2e-4)
    assert curve.notes == ()
    found = curve.predict(q(4950.6, 11.0))
    assert (found.value, found.u) == (pytest.approx(5.3456, abs=2e-4), pytest.approx(0.014181, abs=6e-5))
    line = calibration.fit_function("linear", y, x, u_x=u_y, u_y=u_x)
    assert line.largest_deviation > 2
    assert any("choose another one" in note for note in line.notes)


def test_pearsons_data_with_yorks_weights():
    # York et al., Am. J. Phys. 72 (2004) 367; the minimum to 14 digits by mpmath with 40 digits
    x = [0.0, 0.9, 1.8, 2.6, 3.3, 4.4, 5.2, 6.1, 6.5, 7.4]
    y = [5.9, 5.4, 4.4, 4.6, 3.5, 3.7, 2.8, 2.8, 2.4, 1.5]
    w_x = np.array([1000, 1000, 500, 800, 200, 80, 60, 20, 1.8, 1])
    w_y = np.array([1, 1.8, 4, 8, 20, 20, 70, 70, 100, 500])
    curve = calibration.fit_line(x, y, u_x=w_x**-0.5, u_y=w_y**-0.5)
    a, b, u_a, u_b, _ = parameters(curve)
    assert (a, b) == pytest.approx((5.4799102240329, -0.48053340744620), rel=1e-12)
    assert (u_a, u_b) == pytest.approx((0.29497, 0.05799), abs=1.1e-5)
    assert curve.chisqr == pytest.approx(11.8664, abs=1e-4)
    # Kalantar, Meas. Sci. Technol. 3 (1992) 1113: errors carried through the exact solution
    exact = calibration.fit_line(x, y, u_x=w_x**-0.5, u_y=w_y**-0.5, propagation="implicit")
    assert parameters(exact)[2:] == pytest.approx((0.29193, 0.057617, -0.0162), rel=2e-5, abs=2e-5)


def test_a_line_through_33_points_and_back_from_three_repeats():
    # Walpole & Myers; figures of software, cross-checked in R by the authors of GTC
    x = [3, 7, 11, 15, 18, 27, 29, 30, 30, 31, 31, 32, 33, 33, 34, 36, 36, 36, 37, 38, 39, 39, 39, 40, 41, 42, 42, 43,
         44, 45, 46, 47, 50]  # fmt: skip
    y = [5, 11, 21, 16, 16, 28, 27, 25, 35, 30, 40, 32, 34, 32, 34, 37, 38, 34, 36, 38, 37, 36, 45, 39, 41, 40, 44, 37,
         44, 46, 46, 49, 51]  # fmt: skip
    curve = calibration.fit_line(x, y)
    a, b, u_a, u_b, _ = parameters(curve)
    wanted = (3.82963319758869, 0.903643210579323, 1.768447327250652, 0.050118973559182)
    assert (a, b, u_a, u_b) == pytest.approx(wanted, rel=1e-9)
    assert curve.parameters[0].correlation(curve.parameters[1]) == pytest.approx(-0.948124070891915, rel=1e-9)
    mean = curve.predict(21.5)
    assert (mean.value, mean.u) == pytest.approx((23.2579622250441, 0.821607058888506), rel=1e-9)
    assert curve.predict(21.5, observation=True).u == pytest.approx(3.33240925795711, rel=1e-9)
    back = curve.inverse([31.4, 29.3, 27.1])
    assert (back.value, back.u) == pytest.approx((28.14942133275184, 2.175140873342519), rel=1e-8)
    assert back.dof == pytest.approx(31)


def test_a_table_of_bevington():
    # Bevington, table 6.1; figures of R
    x = [4.0, 8.0, 12.5, 16.0, 20.0, 25.0, 31.0, 36.0, 40.0, 40.0]
    y = [3.7, 7.8, 12.1, 15.6, 19.8, 24.5, 30.7, 35.5, 39.4, 39.5]
    wanted = (-0.222142, 0.99278, 0.06962967, 0.002636608, -0.0001616271)
    for found, value, tolerance in zip(
        parameters(calibration.fit_line(x, y)), wanted, (6e-7, 6e-7, 6e-9, 6e-10, 6e-11), strict=True
    ):
        assert found == pytest.approx(value, abs=tolerance)


def test_a_pressure_sensor_calibrated_at_two_points():
    # Kessel, Kacker & Sommer, Measurement 45 (2012) 1661, as recomputed by GTC
    resolution = 5e-5 / math.sqrt(3)
    x = [Quantity(value=v, u=resolution, units="V") for v in (0.0, 2.041)]
    y = [Quantity(value=0.0, u=0.0, units="kPa"), Quantity(value=20.0, u=20 * 0.000115, units="kPa")]
    a, b = calibration.fit_line(x, y).parameters
    assert (a.value, b.value) == pytest.approx((0.0, 9.799118079372857), abs=1e-12)
    assert (a.u, b.u) == pytest.approx((0.0002828761730473424, 0.0011438175474686209), rel=1e-9)
    assert a.correlation(b) == pytest.approx(-0.12117041864179227, rel=1e-8)
    assert (a.units, b.units) == ("kPa", "kPa V-1")
