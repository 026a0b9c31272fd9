"""Published control charts: the examples of the NIST/SEMATECH e-Handbook of Statistical Methods, 6.3.2."""

import numpy as np
import pytest

from analysis import calibration
from analysis.uncertainty import Quantity

VALIDATION = [
    {
        "what": "Control charts of check standards: exponentially weighted moving average and chart of individuals",
        "against": "NIST/SEMATECH e-Handbook of Statistical Methods, 6.3.2.4 and 6.3.2.2",
        "agreement": "the printed digits",
    },
]

VALUES = [52.0, 47.0, 53.0, 49.3, 50.1, 47.0, 51.0, 50.1, 51.2, 50.5, 49.6, 47.6, 49.9, 51.3, 47.8, 51.2, 52.6, 52.4,
          53.6, 52.1]  # fmt: skip
AVERAGES = [50.60, 49.52, 50.56, 50.18, 50.16, 49.21, 49.75, 49.85, 50.26, 50.33, 50.11, 49.36, 49.52, 50.05, 49.38,
            49.92, 50.73, 51.23, 51.94, 51.99]  # fmt: skip


def charted(values, **settings):
    dates = [f"2026-01-{k + 1:02d}" for k in range(len(values))]
    readings = [Quantity(value=v, u=100.0, units="1") for v in values]
    return calibration.check_chart(dates, readings, Quantity(value=0.0, u=0.0, units="1"), **settings)


def test_the_moving_average_of_the_handbook():
    # 6.3.2.4: lambda 0.3, centre 50, s 2.0539, three standard deviations, limits after many values; in control
    found = charted(VALUES, centre=50.0, sd=2.0539, weight=0.3, steady=True)
    np.testing.assert_allclose(found.ewma, AVERAGES, atol=5.1e-3)
    assert found.ewma_limits[:, 0] == pytest.approx([47.4115, 52.5884], abs=1.1e-4)
    assert not [each for each in found.signals if "moving average" in each.rule]


def test_the_chart_of_individuals_of_the_handbook():
    # 6.3.2.2: ten flow rates, the last ten values above; mean moving range 1.8778 over 1.128,
    # where ours is divided by 2/sqrt(pi) = 1.12838: limits narrower by 3.4e-4 of their distance
    found = charted(VALUES[10:])
    assert found.centre == pytest.approx(50.81, abs=5.1e-3)
    assert found.limits == pytest.approx((45.8159, 55.8041), abs=2e-3)
    assert not [each for each in found.signals if each.rule.startswith("beyond 3")]
