"""The figure of an axis calibration: its spectrum with the paired lines, and how far each is from the axis.

Not here: figures of curves (`analysis.figures.fitted_curves`).
"""

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from analysis.calibration import PeakFate
from analysis.calibration.locate import coordinate
from analysis.figures.drawing import BLUE, GREEN, GREY, VERMILLION, blank, label


def draw_pairs(spectrum: xr.Dataset, found: xr.Dataset, residuals: xr.Dataset) -> Figure:
    """Draw the lines of a calibration spectrum, and their distances from the axis with their standard uncertainty.

    Parameters
    ----------
    spectrum:
        One spectrum.
    found:
        Its pairs, made by `calibration.match` or `calibration.leave_out`.
    residuals:
        Made by `calibration.residuals` from them.

    Returns
    -------
    :
        The figure: used lines as filled circles, those left out by hand as crosses.
    """
    of, signal = str(found.attrs["of"]), spectrum["signal"]
    along = coordinate(spectrum, of if of in spectrum.coords else None)
    order = np.argsort(along.values)
    figure, (top, below) = blank(rows=2, ratios=(2.4, 1.0), size=(7.2, 4.8))
    top.plot(along.values, signal.values, color=BLUE, linewidth=0.9)
    below.axhline(0, color=GREY, linewidth=1)
    fate, position = found["fate"].values, found["position"].values
    for kind, colour, marker in ((PeakFate.MATCHED, GREEN, "o"), (PeakFate.LEFT_OUT, VERMILLION, "x")):
        chosen = np.flatnonzero(fate == kind)
        heights = np.interp(position[chosen], along.values[order], signal.values[order])
        top.plot(
            position[chosen], heights, marker, color=colour, markersize=5, label=kind.name.lower().replace("_", " ")
        )
        below.errorbar(
            position[chosen], residuals["residual"].values[chosen], yerr=residuals["u_residual"].values[chosen],
            fmt=marker, color=colour, markersize=4, capsize=2, linewidth=1,
        )  # fmt: skip
    top.set_ylabel(label("signal", str(signal.attrs.get("units", "1"))))
    top.legend(fontsize=8.5, frameon=False)
    below.set_ylabel(label("line less axis", str(residuals["residual"].attrs["units"])))
    below.set_xlabel(label(of, str(found.attrs["of_units"])))
    return figure
