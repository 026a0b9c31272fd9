"""Published gauge studies, control charts and capability: AIAG, ISO 22514-7, the e-Handbook, Montgomery."""

import numpy as np
import pytest
from scipy import stats

from analysis import quality
from analysis.quality import constants
from analysis.uncertainty import Quantity

VALIDATION = [
    {
        "what": "Gauge study by averages and ranges, 10 parts, 3 appraisers, 3 trials",
        "against": "AIAG, Measurement Systems Analysis, 4th ed., fig. III-B 15 and 16, as restated in public tests",
        "agreement": "the printed digits (percentages to 0.02, as AIAG rounds its factors)",
    },
    {
        "what": "Gauge study by the analysis of variance",
        "against": "the AIAG data as restated; ISO 22514-7:2012, tables A.5 and A.6, as restated in public tests",
        "agreement": "the printed digits",
    },
    {
        "what": "Linearity and bias of a gauge, lack of fit",
        "against": "AIAG linearity example and ISO 22514-7:2012, 7.1.3 and A.1, as restated in public tests",
        "agreement": "the printed digits",
    },
    {
        "what": "Cumulative sum chart, chart of individuals, moving average",
        "against": "NIST/SEMATECH e-Handbook of Statistical Methods, 6.3.2.2 to 6.3.2.4",
        "agreement": "the printed digits",
    },
    {
        "what": "Charts of means and ranges, capability",
        "against": "Montgomery, Introduction to Statistical Quality Control, hard-bake example; NIST/SEMATECH "
        "e-Handbook, 6.1.6; constants of control charts (ASTM MNL 7)",
        "agreement": "the printed digits",
    },
]

AIAG = {
    "A": [[0.29, -0.56, 1.34, 0.47, -0.80, 0.02, 0.59, -0.31, 2.26, -1.36],
          [0.41, -0.68, 1.17, 0.50, -0.92, -0.11, 0.75, -0.20, 1.99, -1.25],
          [0.64, -0.58, 1.27, 0.64, -0.84, -0.21, 0.66, -0.17, 2.01, -1.31]],
    "B": [[0.08, -0.47, 1.19, 0.01, -0.56, -0.20, 0.47, -0.63, 1.80, -1.68],
          [0.25, -1.22, 0.94, 1.03, -1.20, 0.22, 0.55, 0.08, 2.12, -1.62],
          [0.07, -0.68, 1.34, 0.20, -1.28, 0.06, 0.83, -0.34, 2.19, -1.50]],
    "C": [[0.04, -1.38, 0.88, 0.14, -1.46, -0.29, 0.02, -0.46, 1.77, -1.49],
          [-0.11, -1.13, 1.09, 0.20, -1.07, -0.67, 0.01, -0.56, 1.45, -1.77],
          [-0.15, -0.96, 0.67, 0.11, -1.45, -0.49, 0.21, -0.49, 1.87, -2.16]],
}  # fmt: skip
# ISO 22514-7:2012, table A.4: operator, part, trial
ISO = [
    [[8.120, 8.435, 8.480], [7.445, 6.815, 7.490], [9.965, 10.010, 9.560], [6.140, 5.960, 6.365], [5.690, 5.600, 5.780],
     [2.855, 2.450, 2.585], [10.685, 10.595, 10.775], [6.725, 6.275, 6.545], [4.970, 5.105, 5.510],
     [9.875, 10.100, 9.875]],
    [[8.200, 8.290, 8.245], [7.300, 7.120, 7.075], [9.660, 9.340, 9.250], [6.095, 6.185, 6.185], [5.080, 5.340, 5.440],
     [2.315, 2.585, 2.315], [10.450, 10.840, 11.050], [6.240, 6.120, 6.300], [5.015, 5.285, 5.150],
     [10.080, 9.800, 9.970]],
    [[8.525, 8.435, 8.345], [7.535, 7.355, 7.085], [9.830, 9.695, 9.515], [6.140, 6.140, 6.050], [5.780, 5.735, 5.555],
     [2.630, 2.360, 2.585], [10.865, 11.000, 11.180], [6.590, 6.500, 6.725], [5.060, 5.195, 5.105],
     [10.190, 9.785, 9.965]],
]  # fmt: skip
LINEARITY = {
    2.0: [2.7, 2.5, 2.4, 2.5, 2.7, 2.3, 2.5, 2.5, 2.4, 2.4, 2.6, 2.4],
    4.0: [5.1, 3.9, 4.2, 5.0, 3.8, 3.9, 3.9, 3.9, 3.9, 4.0, 4.1, 3.8],
    6.0: [5.8, 5.7, 5.9, 5.9, 6.0, 6.1, 6.0, 6.1, 6.4, 6.3, 6.0, 6.1],
    8.0: [7.6, 7.7, 7.8, 7.7, 7.8, 7.8, 7.8, 7.7, 7.8, 7.5, 7.6, 7.7],
    10.0: [9.1, 9.3, 9.5, 9.3, 9.4, 9.5, 9.5, 9.5, 9.6, 9.2, 9.3, 9.4],
}
A1 = {
    6.19: [6.31, 6.27, 6.31, 6.28], 9.17: [9.27, 9.21, 9.34, 9.23], 1.99: [2.21, 2.19, 2.22, 2.20],
    7.77: [8.00, 7.81, 7.95, 7.84], 4.00: [4.27, 4.15, 4.15, 4.15], 10.77: [10.93, 10.73, 10.92, 10.89],
    4.78: [4.95, 4.87, 5.00, 5.00], 2.99: [3.24, 3.17, 3.21, 3.21], 6.98: [7.14, 7.07, 7.18, 7.20],
    9.98: [10.23, 10.02, 10.07, 10.17],
}  # fmt: skip
BAKE = np.array([
    1.3235, 1.4128, 1.6744, 1.4573, 1.6914, 1.4314, 1.3592, 1.6075, 1.4666, 1.6109,
    1.4284, 1.4871, 1.4932, 1.4324, 1.5674, 1.5028, 1.6352, 1.3841, 1.2831, 1.5507,
    1.5604, 1.2735, 1.5265, 1.4363, 1.6441, 1.5955, 1.5451, 1.3574, 1.3281, 1.4198,
    1.6274, 1.5064, 1.8366, 1.4177, 1.5144, 1.4190, 1.4303, 1.6637, 1.6067, 1.5519,
    1.3884, 1.7277, 1.5355, 1.5176, 1.3688, 1.4039, 1.6697, 1.5089, 1.4627, 1.5220,
    1.4158, 1.7667, 1.4278, 1.5928, 1.4181, 1.5821, 1.3355, 1.5777, 1.3908, 1.7559,
    1.2856, 1.4106, 1.4447, 1.6398, 1.1928, 1.4951, 1.4036, 1.5893, 1.6458, 1.4969,
    1.3589, 1.2863, 1.5996, 1.2497, 1.5471, 1.5747, 1.5301, 1.5171, 1.1839, 1.8662,
    1.3680, 1.7269, 1.3957, 1.5014, 1.4449, 1.4163, 1.3864, 1.3057, 1.6210, 1.5573,
    1.5796, 1.4185, 1.6541, 1.5116, 1.7247, 1.7106, 1.4412, 1.2361, 1.3820, 1.7601,
    1.4371, 1.5051, 1.3485, 1.5670, 1.4880, 1.4738, 1.5936, 1.6583, 1.4973, 1.4720,
    1.5917, 1.4333, 1.5551, 1.5295, 1.6866, 1.6399, 1.5243, 1.5705, 1.5563, 1.5530,
    1.5797, 1.3663, 1.6240, 1.3732, 1.6887,
]).reshape(25, 5)  # fmt: skip
GROUPS = [324.925, 324.675, 324.725, 324.350, 325.350, 325.225, 324.125, 324.525, 325.225, 324.600, 324.625, 325.150,
          328.325, 327.250, 327.825, 328.500, 326.675, 327.775, 326.875, 328.350]  # fmt: skip


def aiag(**settings):
    return quality.gauge_rr(np.array([AIAG[name] for name in "ABC"]).transpose(2, 0, 1), **settings)


def exact(values, units="1"):
    return [Quantity(value=value, u=0.0, units=units) for value in values]


def test_averages_and_ranges_of_aiag():
    found = aiag(method="range")
    sds = [found[name].sd for name in ("repeatability", "reproducibility", "gauge", "part", "total")]
    assert sds == pytest.approx([0.20188, 0.22963, 0.30575, 1.10456, 1.14610], abs=1.1e-4)
    shares = [found[name].study for name in ("repeatability", "reproducibility", "gauge", "part")]
    assert shares == pytest.approx([17.62, 20.04, 26.68, 96.38], abs=0.02)
    assert found.categories == 5


def test_analysis_of_variance_of_aiag():
    found = aiag()
    squares = {each.name: each for each in found.squares}
    assert [squares[name].value for name in ("part", "operator", "repeatability")] == pytest.approx(
        [9.8179927, 1.5836311, 0.0399733], abs=1e-7
    )
    assert squares["repeatability"].dof == 78
    variances = [found[name].variance.value for name in ("repeatability", "reproducibility", "gauge", "part", "total")]
    assert variances == pytest.approx([0.0399733, 0.0514553, 0.0914285, 1.0864466, 1.1778751], abs=1e-7)
    assert found.categories == 4


def test_analysis_of_variance_of_iso_22514_7():
    table = np.array(ISO).transpose(1, 0, 2)
    found, full = quality.gauge_rr(table), quality.gauge_rr(table, pool=1.0)
    squares = {each.name: each for each in full.squares}
    assert round(squares["interaction"].F, 3) == 1.193
    assert [squares[n].value for n in ("operator", "part", "interaction", "repeatability")] == pytest.approx(
        [0.260, 58.54, 0.0381, 0.0320], abs=3e-3
    )
    assert found["operator"].sd == pytest.approx(0.08683, abs=1e-4)
    assert found["repeatability"].sd == pytest.approx(0.1827, abs=1e-4)
    assert full["interaction"].sd == pytest.approx(0.04528, abs=1e-4)
    assert full["operator"].sd == pytest.approx(0.08591, abs=1e-4)
    assert full["part"].variance.value == pytest.approx(6.500, abs=2e-3)


def test_linearity_of_aiag_and_iso_22514_7():
    found = quality.linearity(exact(LINEARITY), list(LINEARITY.values()))
    assert found.intercept.value == pytest.approx(0.7367, abs=1e-4)
    assert found.slope.value == pytest.approx(-0.1317, abs=1e-4)
    assert not found.linear
    assert not found.acceptable
    other = quality.linearity(exact(A1), list(A1.values()))
    assert other.intercept.value == pytest.approx(0.2358, abs=1e-4)
    assert other.slope.value == pytest.approx(0.9870 - 1, abs=1e-4)
    assert other.p_fit == pytest.approx(stats.f.sf(0.6918, 8, 30), abs=1e-4)


def test_the_cumulative_sum_of_the_handbook():
    found = quality.control_chart(GROUPS, kind="cusum", centre=325.0, sd=0.635, decision=4.1959 / 0.635)
    high = [0, 0, 0, 0, 0.03, 0, 0, 0, 0, 0, 0, 0, 3.01, 4.94, 7.45, 10.63, 11.99, 14.44, 16.00, 19.04]
    low = [0, 0.01, 0, 0.33, 0, 0, 0.56, 0.72, 0.17, 0.25, 0.31, *[0] * 9]
    np.testing.assert_allclose(found.tracks[0].values, high, atol=0.011)
    np.testing.assert_allclose(found.tracks[1].values, low, atol=0.011)
    assert found.signals[0].at == 13
    assert found.tracks[0].upper[0] == pytest.approx(4.1959)


def test_the_individuals_of_the_handbook():
    found = quality.control_chart([49.6, 47.6, 49.9, 51.3, 47.8, 51.2, 52.6, 52.4, 53.6, 52.1], rules="shewhart")
    assert (found.tracks[0].lower[0], found.tracks[0].upper[0]) == pytest.approx((45.8159, 55.8041), abs=2.2e-3)
    assert found.in_control


def test_the_hard_bake_process_of_montgomery():
    found = quality.control_chart(BAKE, units="um")
    means, ranges = found.tracks
    assert found.centre.value == pytest.approx(1.5056, abs=6e-5)
    assert ranges.centre[0] == pytest.approx(0.32521, abs=6e-6)
    assert (means.lower[0], means.upper[0]) == pytest.approx((1.31795, 1.69325), abs=2e-4)
    assert ranges.upper[0] == pytest.approx(0.68749, abs=4e-4)
    assert found.sd.value == pytest.approx(0.1398, abs=6e-5)
    assert found.in_control
    # with the estimate by ranges, 0.1398: Cp = 1.192; ours pools variances
    made = quality.capability(BAKE, lower=1.0, upper=2.0)
    assert made["Cp"].quantity.value * made.sd_within.value / found.sd.value == pytest.approx(1.192, abs=1e-3)


def test_the_capability_of_the_handbook():
    # 6.1.6: limits 8 and 20, mean 16, standard deviation 2: Cp 1.0, Cpk 0.6667
    raw = np.random.default_rng(1).normal(size=50)
    values = 16.0 + 2.0 * (raw - raw.mean()) / raw.std(ddof=1)
    found = quality.capability(values, lower=8.0, upper=20.0)
    assert found["Pp"].quantity.value == pytest.approx(1.0)
    assert found["Ppk"].quantity.value == pytest.approx(0.6667, abs=5e-5)
    # and its interval of Cpk: estimate -+ z sqrt(1/(9 n) + Cpk^2/(2 (n - 1)))
    half = stats.norm.ppf(0.975) * np.sqrt(1 / (9 * 50) + (2 / 3) ** 2 / (2 * 49))
    assert found["Ppk"].interval == pytest.approx((2 / 3 - half, 2 / 3 + half))


@pytest.mark.parametrize(
    ("size", "d2", "d3", "c4", "d4_limit"),
    [
        (2, 1.128, 0.853, 0.7979, 3.267), (3, 1.693, 0.888, 0.8862, 2.574), (5, 2.326, 0.864, 0.9400, 2.114),
        (10, 3.078, 0.797, 0.9727, 1.777), (25, 3.931, 0.708, 0.9896, 1.541),
    ],
)  # fmt: skip
def test_constants_of_control_charts(size, d2, d3, c4, d4_limit):
    assert constants.d2(size) == pytest.approx(d2, abs=6e-4)
    assert constants.d3(size) == pytest.approx(d3, abs=6e-4)
    assert constants.c4(size) == pytest.approx(c4, abs=6e-5)
    # published D4 of 3 is 2.574 or 2.575
    assert 1 + 3 * constants.d3(size) / constants.d2(size) == pytest.approx(d4_limit, abs=1.1e-3)
