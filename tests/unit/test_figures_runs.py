"""Figures of runs draw what is in the data."""

import numpy as np
import pytest
import xarray as xr

from analysis import figures
from analysis.core import SpectrumError


def test_a_loop_is_drawn_with_its_set_point_and_output():
    time = ("time", [0.0, 1.0, 2.0], {"units": "s"})
    run = xr.Dataset(
        {
            "setpoint": ("time", [20.0, 30.0, 30.0], {"units": "degC"}),
            "value": ("time", [20.0, 25.0, 29.0], {"units": "degC"}),
            "output": ("time", [0.0, 1.0, 0.5], {"units": "1"}),
        },
        coords={"time": time},
    )
    above, below = figures.draw_loop(run, title="run").axes
    drawn = {line.get_label(): line.get_ydata().tolist() for line in above.lines}
    assert drawn == {"value": [20.0, 25.0, 29.0], "set point": [20.0, 30.0, 30.0]}
    assert below.lines[0].get_ydata().tolist() == [0.0, 1.0, 0.5]
    assert above.get_ylabel() == "value (degC)"
    with pytest.raises(SpectrumError, match=r"missing \['output'\]"):
        figures.draw_loop(run.drop_vars("output"))


def test_a_map_has_a_colour_for_each_place():
    values = xr.DataArray(
        [[1.0, 2.0, np.nan], [4.0, 5.0, 6.0]], dims=("y", "x"),
        coords={"y": ("y", [0.0, 1.0], {"units": "m"}), "x": ("x", [0.0, 1.0, 2.0], {"units": "m"})},
    )  # fmt: skip
    axes, scale = figures.draw_map(values, name="shift", units="cm-1").axes
    np.testing.assert_array_equal(np.ma.filled(axes.collections[0].get_array(), np.nan), values)
    assert (axes.get_xlabel(), axes.get_ylabel(), scale.get_ylabel()) == ("x (m)", "y (m)", "shift (cm$^{-1}$)")
    with pytest.raises(SpectrumError, match="two dims with coordinates"):
        figures.draw_map(values.isel(x=0), name="shift", units="cm-1")
