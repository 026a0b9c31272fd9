"""Figures of stability draw what was computed."""

import numpy as np
import pytest

from analysis import figures, stability
from analysis.core import SpectrumError


def test_deviations_are_drawn_with_their_intervals_and_noise():
    readings = np.random.default_rng(1).normal(size=512)
    found = stability.oadev(readings, rate=1.0, kind="frequency")
    (axes,) = figures.draw_stability({"clock": found, "other": found}, title="two").axes
    np.testing.assert_array_equal(axes.lines[-1].get_ydata(), found["value"])
    assert axes.get_xscale() == axes.get_yscale() == "log"
    assert "white FM" in [each.get_text() for each in axes.texts]
    for wrong in (found.drop_vars("value"), {}):
        with pytest.raises(SpectrumError, match="one to five"):
            figures.draw_stability(wrong)
