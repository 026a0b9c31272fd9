"""Figures of tensile tests: the curve with its construction lines.

Not here: how they are computed (`analysis.tensile`).
"""

import numpy as np
from matplotlib.figure import Figure

from analysis.figures.drawing import BLUE, GREY, VERMILLION, blank, label, plain
from analysis.tensile import Tensile

_BESIDE = 1.5


def draw_tensile(found: Tensile, *, near_yield: bool = False, offset: float = 0.2, title: str = "") -> Figure:
    """Draw a tensile curve with its elastic line, the offset line and the points that were found.

    Parameters
    ----------
    found:
        Made by `tensile.evaluate`.
    near_yield:
        Whether to show the part around the offset yield only.
    offset:
        Plastic extension of the offset line, %.
    title:
        What stands on top; empty says specimen and method.

    Returns
    -------
    :
        The figure; the shaded band is the window of the elastic line.
    """
    strain, stress = found.curve["strain"].values, found.curve["stress"].values
    figure, (axes,) = blank(size=(7.2, 4.2))
    axes.plot(strain, stress, color=BLUE, linewidth=1.3, label="curve")
    top = float(stress.max())
    if found.line is not None:
        rows = slice(*found.line.rows)
        low, high = float(stress[rows].min()), float(stress[rows].max())
        steep, cut = np.polyfit(stress[rows], strain[rows], 1)
        ends = np.array([0.0, top])
        axes.axhspan(low, high, color="#dfe4e8", label="window of the line")
        axes.plot(steep * ends + cut, ends, color=GREY, linewidth=1, label="elastic line")
        axes.plot(
            steep * ends + cut + offset, ends, color=GREY, linewidth=1, linestyle="--", label=f"{offset:g} % offset"
        )
        if near_yield:
            axes.set_xlim(0, _BESIDE * (steep * top + offset))
    for name, (x, y) in found.points.items():
        axes.plot([x], [y], "o", color=VERMILLION, markersize=5)
        if not near_yield or x < axes.get_xlim()[1]:
            axes.annotate(plain(name), (x, y), textcoords="offset points", xytext=(6, -12), fontsize=9)
    axes.set_xlabel(label("strain", "%"))
    axes.set_ylabel(label("stress", "MPa"))
    axes.set_title(plain(title or f"{found.standard} {found.name}".strip()), loc="left", fontsize=10)
    axes.legend(fontsize=8.5, frameon=False, loc="lower right")
    return figure
