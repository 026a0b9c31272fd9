"""Repeatability and reproducibility of a gauge, by the analysis of variance or by ranges, with intervals.

Every component is a combination of independent mean squares. Its standard uncertainty follows from their degrees of
freedom, its interval from draws of them (generalised confidence intervals), which hold where a component is near 0.
Not here: bias, linearity and stability (`analysis.quality.systematic`). References: AIAG, Measurement Systems Analysis,
4th ed. (2010), III B, its formulas as restated elsewhere (the text was not seen); Burdick, Borror and Montgomery,
Design and Analysis of Gauge R&R Studies (SIAM, 2005).
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import special

from analysis.core import UncertaintyError, did_you_mean
from analysis.core import units as unit_rules
from analysis.quality.constants import d2, d2_star, range_dof
from analysis.quality.gauge_result import Component, GaugeStudy, MeanSquare
from analysis.quality.gauge_table import Cells, cells_of
from analysis.quality.settings import require_level, require_number
from analysis.uncertainty import Quantity, sources
from analysis.uncertainty.sources import Source

Floats = npt.NDArray[np.float64]
Mixture = Mapping[str, float]
METHODS = ("anova", "range")
_DRAWS, _SEED = 20_000, 1
_MANY = 15


def gauge_rr(
    table: Any,  # noqa: ANN401 - an array, columns or rows
    *,
    method: str = "anova",
    units: str = "1",
    tolerance: float | None = None,
    pool: float = 0.25,
    spread: float = 6.0,
    level: float = 0.95,
) -> GaugeStudy:
    """Evaluate a crossed gauge study: operators read parts several times.

    Parameters
    ----------
    table:
        Readings: a DataArray with the dims `part`, `operator` and `trial`, an array of that order, columns `part`,
        `operator` and `value` (a dict of lists, a DataFrame; one row a reading), or a list of such rows. Cells of
        different size are analysed by their means, with the harmonic mean of their sizes, and that is said.
    method:
        `"anova"`, or `"range"` for the averages and ranges of paper forms, which has no interaction.
    units:
        UDUNITS string of the readings; the attribute of a DataArray goes first.
    tolerance:
        Width of the tolerance, in these units, for the part of it that the gauge takes.
    pool:
        The interaction of parts and operators is pooled with the repeatability where its p exceeds this; 0 pools
        always, 1 never.
    spread:
        How many standard deviations the study variation is, 6 or 5.15.
    level:
        Coverage probability of the intervals, in (0, 1).

    Returns
    -------
    :
        The components with u and interval, their parts of the whole, and the number of distinct categories.

    Raises
    ------
    UncertaintyError
        If there are fewer than 2 parts, no cell has 2 readings, a reading is not finite or missing, the readings do not
        scatter, or a setting is out of range.
    """
    _require_settings(method, tolerance=tolerance, pool=pool, spread=spread, level=level)
    cells = cells_of(table)
    spelled = str(getattr(table, "attrs", {}).get("units", units))
    _require_study(cells, method)
    squares, mixtures, notes = _by_anova(cells, pool) if method == "anova" else _by_ranges(cells)
    if all(each.value == 0 for each in squares):
        msg = "all readings are equal; the gauge does not resolve the parts: take parts that differ, or more digits"
        raise UncertaintyError(msg)
    if squares[-1].value == 0:
        notes.append(
            "readings of one cell never differ: the resolution hides the repeatability, so add u of the resolution"
        )
    return _study(
        squares, mixtures, cells,
        notes=notes, method=method, spelled=spelled, tolerance=tolerance, spread=spread, level=level,
    )  # fmt: skip


def _require_settings(method: str, *, tolerance: float | None, pool: float, spread: float, level: float) -> None:
    if method not in METHODS:
        msg = f"no method is named {method!r}; there are {list(METHODS)}.{did_you_mean(str(method), METHODS)}"
        raise UncertaintyError(msg)
    if tolerance is not None:
        require_number(tolerance, "tolerance, its width", above=0.0)
    require_number(spread, "spread", above=0.0)
    if not 0 <= pool <= 1:
        msg = f"pool is a probability in [0, 1], got {pool}; 0.25 is usual"
        raise UncertaintyError(msg)
    require_level(level)


def _require_study(cells: Cells, method: str) -> None:
    counts = cells.counts
    if len(cells.parts) < 2 or counts.max() < 2:  # noqa: PLR2004 - something must vary, and be repeated
        msg = (
            f"a gauge study needs at least 2 parts, and 2 readings in a cell for the repeatability; got "
            f"{len(cells.parts)} parts and at most {counts.max()} readings; measure again under the same conditions"
        )
        raise UncertaintyError(msg)
    if method == "range" and (not cells.balanced or len(cells.operators) < 2):  # noqa: PLR2004
        msg = (
            f"ranges need cells of one size and at least 2 operators, got sizes {counts.min()} to {counts.max()} and "
            f"{len(cells.operators)} operators; use method='anova'"
        )
        raise UncertaintyError(msg)


def _by_anova(cells: Cells, pool: float) -> tuple[list[MeanSquare], dict[str, Mixture], list[str]]:
    means, parts, operators = cells.means, len(cells.parts), len(cells.operators)
    trials = 1.0 / float((1.0 / cells.counts).mean())
    notes = []
    if not cells.balanced:
        notes.append(
            f"cells hold {cells.counts.min()} to {cells.counts.max()} readings: their means were analysed with the "
            f"harmonic mean of {trials:.3g}, which is approximate"
        )
    centre, by_part, by_operator = means.mean(), means.mean(axis=1), means.mean(axis=0)
    left = means - by_part[:, None] - by_operator[None, :] + centre
    within = sum(float(((cell - cell.mean()) ** 2).sum()) for row in cells.readings for cell in row)
    found = {
        "part": (trials * operators * float(((by_part - centre) ** 2).sum()), parts - 1),
        "operator": (trials * parts * float(((by_operator - centre) ** 2).sum()), operators - 1),
        "interaction": (trials * float((left**2).sum()), (parts - 1) * (operators - 1)),
        "repeatability": (within, int((cells.counts - 1).sum())),
    }
    if operators == 1:
        notes.append("one operator: reproducibility was not tested, and what is stated holds for this one alone")
        found = {name: found[name] for name in ("part", "repeatability")}
    elif _p(found, "interaction", "repeatability") > pool or pool == 0:
        p = _p(found, "interaction", "repeatability")
        notes.append(f"the interaction of parts and operators was pooled with the repeatability (p = {p:.2g})")
        pooled = [a + b for a, b in zip(found.pop("interaction"), found["repeatability"], strict=True)]
        found["repeatability"] = (pooled[0], int(pooled[1]))
    against = "interaction" if "interaction" in found else "repeatability"
    tested = {name: "repeatability" if name == against else against for name in found}
    squares = [
        MeanSquare(
            name=name, value=ss / dof, dof=dof,
            F=math.nan if name == "repeatability" else _ratio(found, name, tested[name]),
            p=math.nan if name == "repeatability" else _p(found, name, tested[name]),
        )
        for name, (ss, dof) in found.items()
    ]  # fmt: skip
    mixtures: dict[str, Mixture] = {"repeatability": {"repeatability": 1.0}}
    if operators > 1:
        mixtures["operator"] = {"operator": 1 / (parts * trials), against: -1 / (parts * trials)}
    if "interaction" in found:
        mixtures["interaction"] = {"interaction": 1 / trials, "repeatability": -1 / trials}
    mixtures["part"] = {"part": 1 / (operators * trials), against: -1 / (operators * trials)}
    return squares, mixtures, notes


def _by_ranges(cells: Cells) -> tuple[list[MeanSquare], dict[str, Mixture], list[str]]:
    parts, operators, trials = len(cells.parts), len(cells.operators), int(cells.counts[0, 0])
    samples, means = parts * operators, cells.means
    divisor = d2(trials) if samples > _MANY else d2_star(trials, samples)
    within = float(cells.ranges.mean()) / divisor
    between = float(np.ptp(means.mean(axis=0))) / d2_star(operators, 1)
    across = float(np.ptp(means.mean(axis=1))) / d2_star(parts, 1)
    squares = [
        MeanSquare(name="part", value=across**2, dof=range_dof(parts, 1)),
        MeanSquare(name="operator", value=between**2, dof=range_dof(operators, 1)),
        MeanSquare(name="repeatability", value=within**2, dof=range_dof(trials, samples)),
    ]
    mixtures: dict[str, Mixture] = {
        "repeatability": {"repeatability": 1.0},
        "operator": {"operator": 1.0, "repeatability": -1 / (parts * trials)},
        "part": {"part": 1.0},
    }
    note = "ranges know no interaction of parts and operators; the analysis of variance does"
    return squares, mixtures, [note]


def _ratio(found: Mapping[str, tuple[float, int]], name: str, against: str) -> float:
    (a, n), (b, m) = found[name], found[against]
    return (a / n) / (b / m) if b else math.inf


def _p(found: Mapping[str, tuple[float, int]], name: str, against: str) -> float:
    ratio = _ratio(found, name, against)
    return float(special.fdtrc(found[name][1], found[against][1], ratio)) if math.isfinite(ratio) else 0.0


def _study(
    squares: list[MeanSquare], mixtures: dict[str, Mixture], cells: Cells,
    *, notes: list[str], method: str, spelled: str, tolerance: float | None, spread: float, level: float,
) -> GaugeStudy:  # fmt: skip
    quantities = {each.name: _quantity(each, spelled) for each in squares}
    rng = np.random.default_rng(_SEED)
    draws = {each.name: each.value * each.dof / rng.chisquare(each.dof, _DRAWS) for each in squares}
    estimates = {
        name: sum(c * quantities[each].value for each, c in mixture.items()) for name, mixture in mixtures.items()
    }
    drawn = {name: _positive(sum(c * draws[each] for each, c in mixture.items())) for name, mixture in mixtures.items()}
    below = [name for name, each in estimates.items() if each < 0]
    notes = [
        *notes,
        *(f"the variance of {name} was estimated as {estimates[name]:.3g} and is taken as 0" for name in below),
    ]
    names = list(mixtures)
    wholes = {
        **{name: (name,) for name in names if name != "part"},
        "reproducibility": tuple(name for name in ("operator", "interaction") if name in names),
        "gauge": tuple(name for name in names if name != "part"),
        "part": ("part",),
        "total": tuple(names),
    }
    wholes = {name: members for name, members in wholes.items() if members}
    kept = {name: math.sqrt(sum(max(0.0, estimates[each]) for each in members)) for name, members in wholes.items()}
    spans = {name: np.sqrt(sum(drawn[each] for each in members)) for name, members in wholes.items()}
    components = tuple(
        Component(
            name=name,
            variance=_mixed(name, members, mixtures, quantities, spelled),
            sd=kept[name],
            interval=_quantiles(spans[name], level),
            contribution=100 * (kept[name] / kept["total"]) ** 2,
            study=100 * kept[name] / kept["total"],
            study_interval=_quantiles(100 * spans[name] / spans["total"], level),
            of_tolerance=math.nan if tolerance is None else 100 * spread * kept[name] / tolerance,
        )
        for name, members in wholes.items()
    )
    return GaugeStudy(
        method=method, components=components, squares=tuple(squares), parts=cells.parts, operators=cells.operators,
        units=spelled, tolerance=tolerance, spread=spread, level=level, notes=tuple(notes),
    )  # fmt: skip


def _positive(values: Any) -> Floats:  # noqa: ANN401 - a sum of arrays
    return np.maximum(np.asarray(values, dtype=float), 0.0)


def _quantiles(draws: Floats, level: float) -> tuple[float, float]:
    low, high = np.quantile(draws, [0.5 * (1 - level), 0.5 * (1 + level)])
    return float(low), float(high)


def _quantity(square: MeanSquare, spelled: str) -> Quantity:
    name = unit_rules.multiply(spelled, spelled)
    own = Source(
        id=sources.fresh_id(), label=f"mean square of {square.name}", units=name, kind="A", dof=square.dof,
        tags=("gauge study",),
    )  # fmt: skip
    return Quantity.from_components(square.value, {own: square.value * math.sqrt(2 / square.dof)}, units=name)


def _mixed(
    name: str, members: tuple[str, ...], mixtures: Mapping[str, Mixture], squares: Mapping[str, Quantity], spelled: str
) -> Quantity:
    total: dict[Source, float] = {}
    value = 0.0
    for member in members:
        for each, c in mixtures[member].items():
            value += c * squares[each].value
            for source, part in squares[each].parts().items():
                total[source] = total.get(source, 0.0) + c * part
    return Quantity.from_components(
        value, total, units=unit_rules.multiply(spelled, spelled), label=f"variance of {name}"
    )
