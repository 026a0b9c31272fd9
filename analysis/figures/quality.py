"""Figures of the quality of measurement: degrees of equivalence, control charts, components of gauge studies.

Not here: how they are computed (`analysis.quality`).
"""

import numpy as np
from matplotlib.figure import Figure

from analysis.figures.drawing import BLUE, GREEN, GREY, VERMILLION, blank, label, plain
from analysis.quality import Comparison, ControlChart, GaugeStudy

_MANY = 6
_LABELS = 25


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


def draw_chart(chart: ControlChart, *, title: str = "") -> Figure:
    """Draw a control chart: values, centre, limits, and a ring where a rule spoke.

    Parameters
    ----------
    chart:
        Made by `quality.control_chart`.
    title:
        What stands on top; empty gives the verdict.

    Returns
    -------
    :
        The figure, one panel a track.
    """
    count = len(chart.tracks)
    figure, found = blank(rows=count, size=(7.2, 2.2 + 1.5 * count))
    places = np.arange(len(chart.labels))
    for axes, track in zip(found, chart.tracks, strict=True):
        axes.plot(places, track.values, "o-", color=BLUE, markersize=4, linewidth=0.9)
        axes.step(places, track.centre, where="mid", color=GREEN, linewidth=1)
        for limit in (track.lower, track.upper):
            axes.step(places, limit, where="mid", color=VERMILLION, linewidth=1, linestyle="--")
        spoke = sorted({each.at for each in chart.signals if each.track == track.name})
        axes.plot(spoke, track.values[spoke], "o", markersize=10, markerfacecolor="none", color=VERMILLION)
        axes.set_ylabel(label(track.name, chart.units))
    step = max(1, len(places) // _LABELS)
    found[-1].set_xticks(
        places[::step], [plain(each)[:16] for each in chart.labels[::step]], rotation=40, ha="right", fontsize=8
    )  # fmt: skip
    verdict = "in control" if chart.in_control else f"{len(chart.signals)} signals"
    found[0].set_title(plain(title or verdict), loc="left", fontsize=11)
    return figure


def draw_gauge(study: GaugeStudy, *, title: str = "") -> Figure:
    """Draw the components of a gauge study as parts of the study variation, with their intervals.

    Parameters
    ----------
    study:
        Made by `quality.gauge_rr`.
    title:
        What stands on top; empty gives the verdict.

    Returns
    -------
    :
        The figure, with the usual limits of 10 % and 30 %.
    """
    parts = [each for each in study.components if each.name != "total"]
    figure, (axes,) = blank(size=(7.2, 1.4 + 0.4 * len(parts)))
    places = np.arange(len(parts), dtype=float)
    axes.barh(places, [each.study for each in parts], color="#bcd7ea", height=0.6)
    for place, each in zip(places, parts, strict=True):
        axes.plot(each.study_interval, [place, place], "|-", color=BLUE, markersize=9, linewidth=1.2)
    for limit in (10.0, 30.0):
        axes.axvline(limit, color=VERMILLION, linestyle="--", linewidth=1)
    axes.set_yticks(places, [each.name for each in parts])
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.set_xlim(0, 100)
    axes.set_xlabel(f"part of the study variation (%), lines are {100 * study.level:g} % intervals")
    axes.set_title(plain(title or study.verdict), loc="left", fontsize=11)
    return figure
