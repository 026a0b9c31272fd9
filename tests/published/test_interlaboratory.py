"""Published interlaboratory comparisons: the gravitational constant, excess variance, robust estimators."""

import numpy as np
import pytest

from analysis import quality
from analysis.quality import heterogeneity
from analysis.uncertainty import Quantity

VALIDATION = [
    {
        "what": "Consensus of 16 measurements of the gravitational constant, with the expansion factor by residuals",
        "against": "CODATA 2018 (Tiesinga et al., Rev. Mod. Phys. 93 (2021) 025010), 6.674 30(15)e-11 and 3.9; "
        "chi-square of the same data in the tests of the R package metafor",
        "agreement": "factor and u to the printed digits, value to one unit in the last (three correlations left out); "
        "chi-square to 7 digits",
    },
    {
        "what": "Excess variance by moments and its interval by profiling chi-square",
        "against": "Viechtbauer, Statistics in Medicine 26 (2007) 37, table II",
        "agreement": "the printed digits",
    },
    {
        "what": "Algorithm A, Q method and Hampel's mean",
        "against": "R packages metRology and MASS on the proficiency test of the Eurachem course on ISO 13528:2022, as "
        "printed in the tests of a public library",
        "agreement": "Q and Hampel to 1e-12; Algorithm A to 5e-4 (the standard's factor 1.134 against 1.13439)",
    },
]

# Tiesinga et al. 2021, table XXIX, 1e-11 m3 kg-1 s-2; read in the tests of metafor (test_misc_calc_q.r)
GRAVITY = {
    "NIST-82": (6.67248, 0.00043), "TR&D-96": (6.6729, 0.00050), "LANL-97": (6.67398, 0.00070),
    "UWash-00": (6.674255, 0.000092), "BIPM-01": (6.67559, 0.00027), "UWup-02": (6.67422, 0.00098),
    "MSL-03": (6.67387, 0.00027), "HUST-05": (6.67222, 0.00087), "UZur-06": (6.67425, 0.00012),
    "HUST-09": (6.67349, 0.00018), "BIPM-14": (6.67554, 0.00016), "LENS-14": (6.67191, 0.00099),
    "UCI-14": (6.67435, 0.00013), "HUSTT-18": (6.674184, 0.000078), "HUSTA-18": (6.674484, 0.000077),
    "JILA-18": (6.67260, 0.00025),
}  # fmt: skip
# Planck constant, 1e-34 J s, the same file
PLANCK = {
    "NPL-79": (6.626073000, 6.70e-06), "NIST-80": (6.626065800, 8.80e-06), "NMI-89": (6.626068400, 3.60e-06),
    "NPL-90": (6.626068200, 1.30e-06), "PTB-91": (6.626067000, 4.20e-06), "NIM-95": (6.626071000, 1.10e-05),
    "NIST-98": (6.626068910, 5.80e-07), "IAC-11": (6.626069890, 2.00e-07), "METAS-11": (6.626069100, 2.00e-06),
    "NPL-12": (6.626071200, 1.30e-06), "IAC-15": (6.626070150, 1.30e-07), "LNE-15": (6.626068800, 1.70e-06),
    "NIST-15": (6.626069360, 3.80e-07), "NRC-17": (6.626070133, 6.00e-08), "LNE-17": (6.626070410, 3.80e-07),
    "NMIJ-17": (6.626070059, 1.65e-07), "NIM-17": (6.626069200, 1.60e-06), "IAC-17": (6.626070404, 7.92e-08),
}  # fmt: skip
# pre-eclampsia in nine trials: treated and their cases, controls and their cases (Collins et al. 1985)
TRIALS = [
    (131, 14, 136, 14), (385, 21, 134, 17), (57, 14, 48, 24), (38, 6, 40, 18), (1011, 12, 760, 35),
    (1370, 138, 1336, 175), (506, 15, 524, 20), (108, 6, 103, 2), (153, 65, 102, 40),
]  # fmt: skip
TYPICAL = [
    0.040, 0.055, 0.178, 0.202, 0.206, 0.227, 0.228, 0.23, 0.23, 0.235, 0.236, 0.237, 0.243, 0.244, 0.245, 0.2555, 0.26,
    0.264, 0.267, 0.27, 0.273, 0.274, 0.274, 0.278, 0.2811, 0.287, 0.287, 0.288, 0.289, 0.295, 0.296, 0.311, 0.331,
    0.4246,
]  # fmt: skip
BIMODAL = [
    0.04, 0.055, 0.178, 0.202, 0.206, 0.227, 0.228, 0.23, 0.23, 0.236, 0.244, 0.245, 0.267, 0.27, 0.274, 0.278, 0.287,
    0.288, 0.331, 0.5246, 0.535, 0.537, 0.543, 0.5555, 0.56, 0.564, 0.573, 0.574, 0.5811, 0.587, 0.589, 0.595, 0.596,
    0.611,
]  # fmt: skip


def quantities(table):
    return {name: Quantity(value=value, u=u, units="1", label=name) for name, (value, u) in table.items()}


def test_the_gravitational_constant_of_codata_2018():
    found = quality.interlab(quantities(GRAVITY), expand="residuals")
    assert found.consensus.value == pytest.approx(6.67430, abs=1.1e-5)
    assert round(found.consensus.u, 5) == 0.00015
    factor = found.consensus.u / quality.interlab(quantities(GRAVITY)).consensus.u
    assert round(factor, 1) == 3.9
    assert found.chisqr == pytest.approx(197.8399, abs=1e-4)


def test_the_planck_constant_agrees_barely():
    found = quality.interlab(quantities(PLANCK))
    assert found.chisqr == pytest.approx(26.63226, abs=1e-4)
    assert found.p == pytest.approx(0.06368617, abs=1e-6)
    assert found.consistent


def test_excess_variance_and_its_interval():
    n1, x1, n2, x2 = np.array(TRIALS, dtype=float).T
    values = np.log(x1 / (n1 - x1) / (x2 / (n2 - x2)))
    covariance = np.diag(1 / x1 + 1 / (n1 - x1) + 1 / x2 + 1 / (n2 - x2))
    assert round(heterogeneity.dersimonian_laird(values, covariance), 3) == 0.230
    low, high = heterogeneity.excess_interval(values, covariance, level=0.95)
    assert (round(low**2, 3), round(high**2, 3)) == (0.072, 2.203)


@pytest.mark.parametrize(
    ("values", "mean_a", "sd_a", "mean_q", "sd_q"),
    [
        (TYPICAL, 0.25701103928138352, 0.03951990722658958, 0.25998386152329966, 0.042566249478308567),
        (BIMODAL, 0.37942226416622304, 0.2015625155602708, 0.36077379451993513, 0.087063452053208507),
    ],
)
def test_robust_estimators_of_r(values, mean_a, sd_a, mean_q, sd_q):
    a, q = quality.algorithm_a(values), quality.q_hampel(values)
    assert (a.mean, a.sd) == pytest.approx((mean_a, sd_a), rel=5e-4)
    assert (q.mean, q.sd) == pytest.approx((mean_q, sd_q), rel=1e-12)
