"""Figures of runs on instruments: a closed loop over time, a scan of two axes as a map.

Not here: acquisition and control, which is not of this package's layer.
"""

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from analysis.core import SpectrumError
from analysis.figures.drawing import BLUE, GREY, VERMILLION, blank, label

_DIMS = 2


def draw_loop(run: xr.Dataset, *, title: str = "") -> Figure:
    """Draw set point, value and output of a closed loop.

    Parameters
    ----------
    run:
        `setpoint`, `value` and `output` along `time`.
    title:
        What stands on top.

    Returns
    -------
    :
        The figure.

    Raises
    ------
    SpectrumError
        If one of them is missing.
    """
    missing = [name for name in ("setpoint", "value", "output", "time") if name not in run.variables]
    if missing:
        msg = f"a loop has setpoint, value and output along time; missing {missing}"
        raise SpectrumError(msg)
    figure, (above, below) = blank(rows=2, ratios=(2.4, 1.0))
    time = run["time"].values
    above.plot(time, run["value"].values, color=BLUE, linewidth=1.4, label="value")
    above.plot(time, run["setpoint"].values, color=VERMILLION, linewidth=1.0, linestyle=(0, (4, 3)), label="set point")
    above.set_ylabel(label("value", str(run["value"].attrs.get("units", "1"))))
    above.legend(frameon=False, fontsize=9)
    below.plot(time, run["output"].values, color=GREY, linewidth=1.0)
    below.set_ylabel(label("output", str(run["output"].attrs.get("units", "1"))))
    below.set_xlabel(label("time", str(run["time"].attrs.get("units", "s"))))
    above.set_title(title, fontsize=11)
    return figure


def draw_map(values: xr.DataArray, *, name: str, units: str, title: str = "") -> Figure:
    """Draw a number for each place of a scan of two axes.

    Parameters
    ----------
    values:
        Two dims with coordinates, the second one across; NaN stays white.
    name, units:
        Of the colour scale.
    title:
        What stands on top.

    Returns
    -------
    :
        The figure.

    Raises
    ------
    SpectrumError
        If there are not two dims with coordinates.
    """
    if values.ndim != _DIMS or any(dim not in values.coords for dim in values.dims):
        msg = f"a map has two dims with coordinates, got {dict(values.sizes)}; take one parameter of a fitted scan"
        raise SpectrumError(msg)
    figure, (axes,) = blank(size=(5.6, 4.4))
    down, across = (values.coords[dim] for dim in values.dims)
    drawn = axes.pcolormesh(across.values, down.values, np.asarray(values.values, dtype=float), cmap="cividis")
    figure.colorbar(drawn, ax=axes, label=label(name, units))
    axes.set_xlabel(label(str(across.name), str(across.attrs.get("units", "1"))))
    axes.set_ylabel(label(str(down.name), str(down.attrs.get("units", "1"))))
    axes.grid(visible=False)
    axes.ticklabel_format(scilimits=(-3, 4))
    axes.set_title(title, fontsize=11)
    return figure
