"""Figures of several spectra that were fitted together: data and model above, residuals below.

Not here: one fitted spectrum (`analysis.figures.spectra`), the fit (`analysis.gas`).
"""

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from analysis.core import SpectrumError, require_axis
from analysis.figures.drawing import BLUE, GREEN, GREY, ORANGE, VERMILLION, blank, label, plain

__all__ = ["draw_records"]

COLOURS = (BLUE, VERMILLION, GREEN, ORANGE)
RECORD = "record"


def draw_records(curves: xr.Dataset, *, axis: str, title: str = "") -> Figure:
    """Draw spectra that were fitted together.

    Parameters
    ----------
    curves:
        `signal`, `model` and `residual`, dims `(record, channel)`, one to four records.
    axis:
        Name of the axis.
    title:
        What stands on top.

    Returns
    -------
    :
        The figure; records are told apart by colour and by where their residuals stand.

    Raises
    ------
    SpectrumError
        If there is nothing of the kind to draw, or too many records.
    """
    wanted = ("signal", "model", "residual")
    missing = [name for name in wanted if name not in curves]
    if missing or RECORD not in curves.dims or not 1 <= curves.sizes[RECORD] <= len(COLOURS):
        msg = f"wanted {wanted} of one to {len(COLOURS)} records, got {dict(curves.sizes)} without {missing}"
        raise SpectrumError(msg)
    x = require_axis(curves, axis)
    figure, (above, below) = blank(rows=2, ratios=(2.4, 1.0), size=(7.2, 5.0))
    apart = 2.0 * float(np.nanquantile(np.abs(curves["residual"].values), 0.995)) or 1.0
    for k, colour in zip(range(curves.sizes[RECORD]), COLOURS, strict=False):
        one = curves.isel({RECORD: k})
        above.plot(x.values, one["signal"].values, ".", color=GREY, markersize=2)
        above.plot(x.values, one["model"].values, color=colour, linewidth=1.0, label=f"record {k}")
        below.axhline(-k * apart, color=GREY, linewidth=0.6)
        below.plot(x.values, one["residual"].values - k * apart, color=colour, linewidth=0.6)
    above.legend(fontsize=8, frameon=False)
    signal = curves["signal"]
    above.set_ylabel(label(str(signal.attrs.get("long_name", "signal")), str(signal.attrs.get("units", "1"))))
    above.set_title(plain(title), loc="left", fontsize=11)
    below.set_ylabel("residuals, each lower")
    below.set_xlabel(label(str(x.attrs.get("long_name", axis)), str(x.attrs.get("units", "1"))))
    below.margins(x=0.01)
    return figure
