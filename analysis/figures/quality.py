"""Figures of the quality of measurement: degrees of equivalence.

Not here: how they are computed (`analysis.quality`).
"""

import numpy as np
from matplotlib.figure import Figure

from analysis.figures.drawing import BLUE, GREY, VERMILLION, blank, label, plain
from analysis.quality import Comparison

_MANY = 6


def draw_equivalence(found: Comparison, *, title: str = "") -> Figure:
    """Draw the degree of equivalence of each laboratory with its expanded uncertainty.

    Parameters
    ----------
    found:
        Made by `quality.interlab`.
    title:
        What stands on top; empty says the method.

    Returns
    -------
    :
        The figure, laboratories in the order of their results: filled where E_n lies in [-1, 1], a cross where it does
        not, a ring where the laboratory has no weight. The band is the expanded uncertainty of the consensus; a bar
        accounts for the correlation of its laboratory with it.
    """
    labs = sorted(found.laboratories, key=lambda each: each.result.value)
    figure, (axes,) = blank(size=(7.2, 4.0))
    half = found.consensus.U(found.level)
    axes.axhspan(-half, half, color="#dfe4e8", label=f"consensus, U at {100 * found.level:g} %")
    axes.axhline(0, color=GREY, linewidth=1)
    weighed = any(each.weight for each in labs)
    kinds = (
        ("agrees", "o", BLUE, [abs(each.en) <= 1 for each in labs]),
        ("|E_n| > 1", "x", VERMILLION, [abs(each.en) > 1 for each in labs]),
        ("no u stated", "D", GREY, [not np.isfinite(each.en) for each in labs]),
    )
    for words, marker, colour, chosen in kinds:
        places = np.flatnonzero(chosen)
        if places.size:
            axes.errorbar(
                places, [labs[k].degree.value for k in places], fmt=marker, color=colour, markersize=6, capsize=3,
                yerr=[labs[k].degree.U(found.level) for k in places], linewidth=1.2, label=words,
            )  # fmt: skip
    out = [k for k, each in enumerate(labs) if weighed and not each.weight]
    if out:
        axes.plot(
            out, [labs[k].degree.value for k in out], "o", markersize=13, markerfacecolor="none", color=GREY,
            label="not in the consensus",
        )  # fmt: skip
    axes.set_xticks(
        range(len(labs)), [plain(each.name)[:24] for each in labs], rotation=40 if len(labs) > _MANY else 0,
        ha="right" if len(labs) > _MANY else "center", fontsize=8.5,
    )  # fmt: skip
    axes.grid(visible=False, axis="x")
    axes.set_ylabel(label(f"degree of equivalence, bars U at {100 * found.level:g} %", found.consensus.units))
    axes.set_title(plain(title or str(found).split(";")[0]), loc="left", fontsize=10)
    axes.legend(fontsize=8.5, frameon=False)
    return figure
