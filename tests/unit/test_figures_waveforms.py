"""Figures of digitisers draw what was computed."""

import numpy as np
import pytest

from analysis import figures, waveform
from analysis.core import SpectrumError


def test_density_and_linearity_are_drawn():
    rng = np.random.default_rng(1)
    found = waveform.psd(rng.normal(size=4096), rate=100.0, segment=256)
    (axes,) = figures.draw_density(found, title="noise").axes
    np.testing.assert_array_equal(axes.lines[0].get_ydata(), found["psd"].values[1:])
    codes = np.searchsorted(np.arange(1.0, 16.0), 8.0 + 8.2 * np.cos(2 * np.pi * rng.uniform(size=5_000)))
    codes[codes == 5] = 6
    test = waveform.histogram_test(codes, bits=4)
    above, below = figures.draw_linearity(test).axes
    np.testing.assert_array_equal(above.lines[0].get_ydata(), test["inl"])
    assert below.lines[-1].get_xdata().tolist() == [5]
    for draw in (figures.draw_density, figures.draw_linearity):
        with pytest.raises(SpectrumError, match="give what waveform"):
            draw(found.drop_vars("psd"))
