"""Figures of results: budgets, and deviations from reference values.

Not here: figures of spectra (`analysis.figures.spectra`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.core import UncertaintyError, UnitsError, units
from analysis.figures.drawing import BLUE, GREEN, GREY, ORANGE, VERMILLION, blank, label, plain
from analysis.uncertainty import Budget, Quantity, Sample, compare, densities, format_u

_CYCLE = (GREY, BLUE, VERMILLION, GREEN, ORANGE)
_MARKERS = ("o", "s", "D", "^", "v")


@dataclass(frozen=True, kw_only=True)
class _Point:
    position: float
    value: float
    half: float


def draw_budget(budget: Budget, *, most: int = 10) -> Figure:
    """Draw the part of the variance that each group of sources has.

    Parameters
    ----------
    budget:
        Made by `uncertainty.propagate`.
    most:
        How many bars at most; the rest is drawn as one.

    Returns
    -------
    :
        The figure.

    Raises
    ------
    UncertaintyError
        If nothing contributes, or `most` is below 2.
    """
    groups = budget.by_tag()
    if not groups or most < 2:  # noqa: PLR2004 - one bar and the rest
        msg = f"a budget needs a source and at least 2 bars to be drawn, got {len(groups)} groups and most={most}"
        raise UncertaintyError(msg)
    shown, rest = groups[:most], groups[most:]
    names = [f"{each.name} ({each.count})" if each.count > 1 else each.name for each in shown]
    shares = [100 * each.share for each in shown]
    us = [each.u for each in shown]
    if rest:
        names.append(f"{len(rest)} more")
        shares.append(100 * sum(each.share for each in rest))
        us.append(float(np.hypot.reduce([each.u for each in rest])))
    figure, (axes,) = blank(size=(7.2, 1.2 + 0.36 * len(names)))
    places = [float(place) for place in range(len(names))]
    axes.barh(places, shares, color=BLUE, height=0.62)
    for place, share, u in zip(places, shares, us, strict=True):
        axes.text(
            share + 1, place, f"{share:.1f} %   u = {format_u(u)} {_shown(budget.units)}", va="center", fontsize=8
        )
    axes.set_yticks(places, [plain(name)[:48] for name in names])
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.set_xlim(0, max(shares) * 1.6)
    axes.set_xlabel("share of the variance (%)")
    axes.set_title(plain(str(budget).split(",")[0]), loc="left", fontsize=11)
    return figure


def draw_deviations(
    reference: Mapping[str, Quantity],
    measured: Mapping[str, Mapping[str, Quantity]],
    *,
    level: float = 0.95,
    title: str = "",
) -> Figure:
    """Draw deviations from reference values with their expanded uncertainty, for example around a calibration.

    Parameters
    ----------
    reference:
        Reference values by name, in units that convert.
    measured:
        By series (`before`, `after`), measured values by the names of `reference`; one may be missing.
    level:
        Coverage probability of the error bars, in (0, 1); grey boxes are those of the reference values.
    title:
        What stands on top.

    Returns
    -------
    :
        The figure; sources that measured and reference share are accounted for in neither bar.

    Raises
    ------
    UnitsError
        If units do not convert.
    UncertaintyError
        If there is nothing to draw, or a name has no reference.
    """
    unknown = [name for series in measured.values() for name in series if name not in reference]
    if not reference or unknown:
        msg = (
            f"every measured name needs a reference; got {sorted(set(unknown))} without one, "
            f"references {list(reference)}"
        )
        raise UncertaintyError(msg)
    wanted = next(iter(reference.values())).units
    names = sorted(reference, key=lambda name: _in(reference[name], wanted).value)
    figure, (axes,) = blank(size=(7.2, 4.0))
    axes.axhline(0, color=GREY, linewidth=1)
    boxes = [_in(reference[name], wanted).U(level) for name in names]
    places = np.arange(len(names), dtype=float)
    axes.bar(places, 2 * np.array(boxes), bottom=-np.array(boxes), width=0.7, color="#dfe4e8", label="reference, U")
    step = 0.5 / max(len(measured), 1)
    for i, (series, found) in enumerate(measured.items()):
        points = [
            _Point(
                position=places[k] + (i - 0.5 * (len(measured) - 1)) * step,
                value=_in(found[name], wanted).value - _in(reference[name], wanted).value,
                half=_in(found[name], wanted).U(level),
            )
            for k, name in enumerate(names)
            if name in found
        ]
        _errorbars(axes, points, series, i)
    axes.set_xticks(places, [plain(name) for name in names], rotation=30 if len(names) > 6 else 0, fontsize=8.5)  # noqa: PLR2004
    axes.grid(visible=False, axis="x")
    axes.set_ylabel(label(f"deviation, bars U at {100 * level:g} %", wanted))
    axes.set_title(plain(title), loc="left", fontsize=11)
    axes.legend(fontsize=8.5, frameon=False)
    return figure


def draw_densities(budget: Budget, drawn: Sample, *, level: float = 0.95) -> Figure:
    """Draw the density of a result by linear propagation over that of its draws, each with its coverage interval.

    Parameters
    ----------
    budget:
        Made by `uncertainty.propagate`; its density is normal, or t with the effective degrees of freedom.
    drawn:
        Made by `uncertainty.sample` from the same budget.
    level:
        Coverage probability of the intervals, in (0, 1).

    Returns
    -------
    :
        The figure; whether the two agree stands on top.

    Raises
    ------
    UncertaintyError
        If they are of different results, or the budget has no uncertainty.
    """
    made, found = densities(budget, drawn), compare(budget, drawn, level=level)
    figure, (axes,) = blank(size=(7.2, 3.6))
    axes.stairs(made["monte_carlo"].values, made["edges"].values, fill=True, color="#bcd7ea", label="Monte Carlo")
    axes.plot(made["value"].values, made["gum"].values, color=VERMILLION, label="GUM")
    for ends, color, style in ((drawn.interval(level), BLUE, "-"), (budget.interval(level), VERMILLION, "--")):
        for end in ends:
            axes.axvline(end, color=color, linestyle=style, linewidth=1.2)
    axes.set_yticks([])
    axes.set_ylim(bottom=0)
    axes.set_xlabel(label(budget.name, budget.units))
    verdict = "agree" if found.valid else "differ: state that of the draws"
    axes.set_title(f"{100 * level:g} % intervals {verdict}", loc="left", fontsize=11)
    axes.legend(fontsize=8.5, frameon=False)
    return figure


def _errorbars(axes: Axes, points: Sequence[_Point], series: str, i: int) -> None:
    axes.errorbar(
        [each.position for each in points],
        [each.value for each in points],
        yerr=[each.half for each in points],
        fmt=_MARKERS[i % len(_MARKERS)],
        color=_CYCLE[i % len(_CYCLE)],
        markersize=5,
        capsize=3,
        linewidth=1.2,
        label=plain(series),
    )


def _in(quantity: Quantity, wanted: str) -> Quantity:
    if not units.same_dimension(quantity.units, wanted):
        name = quantity.label or "a quantity"
        msg = f"cannot draw {name} in {quantity.units!r} on an axis in {wanted!r}; convert it first"
        raise UnitsError(msg)
    return quantity.to(wanted)


def _shown(text: str) -> str:
    return "" if text == "1" else label("", text).strip(" ()")
