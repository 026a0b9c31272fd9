"""Worked examples of JCGM 102:2011 (GUM Supplement 2), and of complex quantities with few degrees of freedom.

Tolerances cover the sampling error of the draws made here and of those the guide made.
"""

import numpy as np
import pytest

from analysis.uncertainty import ComplexQuantity, correlated, sample_jointly, type_a_complex

VALIDATION = [
    {
        "what": "Polar coordinates of a complex quantity near zero, linear propagation and joint draws",
        "against": "JCGM 102:2011, 9.3, tables 6 and 7",
        "agreement": "printed digits, within the sampling error of both",
    },
    {
        "what": "Covariance and degrees of freedom of a difference of complex means",
        "against": "Willink and Hall, Metrologia 39 (2002) 361, example 1",
        "agreement": "half a unit of the last printed digit",
    },
]


def polar(real, r):
    covariance = 1e-4 * np.array([[1, r], [r, 1]])
    re, im = correlated([real, 0.0], covariance, units="1", labels=["re", "im"])
    return ComplexQuantity(real=re, imag=im).polar()


@pytest.mark.parametrize(
    ("real", "r", "linear", "drawn"),
    [
        (0.001, 0.0, (0.010, 10.000), (0.013, 0.007, 0.000, 1.744)),
        (0.010, 0.9, (0.010, 1.000), (0.015, 0.008, -0.343, 0.903)),
    ],
)
def test_polar_coordinates_near_zero_are_those_of_tables_6_and_7(real, r, linear, drawn):
    budgets = polar(real, r)
    assert budgets["magnitude"].u == pytest.approx(linear[0], abs=5.1e-4)
    assert budgets["phase"].u == pytest.approx(linear[1], abs=5.1e-4)
    assert any("would shift the estimate" in note for note in budgets["magnitude"].notes)
    found = sample_jointly(budgets, trials=1_000_000, seed=1)
    assert found["magnitude"].value == pytest.approx(drawn[0], abs=6e-4)
    assert found["magnitude"].u == pytest.approx(drawn[1], abs=6e-4)
    assert found["phase"].value == pytest.approx(drawn[2], abs=6e-3)
    assert found["phase"].u == pytest.approx(drawn[3], abs=4e-3)


def test_a_difference_of_complex_means_has_the_degrees_of_freedom_of_willink_and_hall():
    reflected = [0.0242 - 0.0101j, -0.0023 + 0.2229j, 0.0599 + 0.0601j, 0.0433 + 0.21j, -0.0026 + 0.0627j]
    apparent = [0.1648 - 0.025j, 0.1568 - 0.0179j, 0.1598 - 0.1367j, 0.1198 - 0.0045j, 0.3162 - 0.131j]
    found = type_a_complex(apparent, units="1") - type_a_complex(reflected, units="1")
    assert found.value == pytest.approx(0.15898 - 0.17214j, abs=1e-8)
    (v_rr, v_ri), (_, v_ii) = found.covariance
    assert (v_rr, v_ri, v_ii) == pytest.approx((0.0013175, -0.0007256, 0.0029425), abs=1e-7)
    assert found.dof == pytest.approx(6.85, abs=0.005)
