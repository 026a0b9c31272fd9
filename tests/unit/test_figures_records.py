"""Spectra that were fitted together are drawn one above the other."""

import numpy as np
import pytest
import xarray as xr

from analysis import figures
from analysis.core import CHANNEL, SpectrumError


def test_records_are_drawn_with_their_models_and_residuals_apart():
    rows = np.random.default_rng(1).normal(size=(2, 50))
    dims = ("record", CHANNEL)
    curves = xr.Dataset(
        {"signal": (dims, rows), "model": (dims, rows + 1.0), "residual": (dims, rows - 3.0)},
        coords={"wavenumber": (CHANNEL, np.arange(50.0), {"units": "cm-1"})},
    )
    above, below = figures.draw_records(curves, axis="wavenumber", title="two").axes
    np.testing.assert_array_equal(above.lines[3].get_ydata(), rows[1] + 1.0)
    assert below.lines[3].get_ydata().mean() < below.lines[1].get_ydata().mean()
    for wrong in (curves.drop_vars("model"), curves.isel(record=0), xr.concat([curves] * 3, "record")):
        with pytest.raises(SpectrumError, match="of one to 4 records"):
            figures.draw_records(wrong, axis="wavenumber")
