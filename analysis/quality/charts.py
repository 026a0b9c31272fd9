"""Control charts: means with ranges or standard deviations, individuals, cumulative sums, moving averages.

Not here: rules (`analysis.quality.rules`), check standards with E_n (`analysis.calibration.check_standards`).
References: ISO 7870-2:2023 and ASTM E2587 (their formulas as in the e-Handbook; the texts were not seen);
NIST/SEMATECH e-Handbook of Statistical Methods, 6.3.2; Montgomery, Statistical Quality Control, 7th ed. (2013).
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from analysis.core import UncertaintyError, did_you_mean
from analysis.quality.chart_result import ControlChart, Signal, Track
from analysis.quality.constants import c4, d2, d3
from analysis.quality.moving import cumulative_sums, moving_average, moving_spread
from analysis.quality.rules import rules_named, spoken
from analysis.quality.subgroups import subgroups_of
from analysis.uncertainty import Quantity, sources
from analysis.uncertainty.sources import Source

Floats = npt.NDArray[np.float64]
KINDS = ("xbar_r", "xbar_s", "i_mr", "cusum", "ewma")
_FEWEST, _USUAL, _SMALL = 5, 20, 10


def control_chart(
    data: Any,  # noqa: ANN401 - readings or subgroups
    *,
    kind: str | None = None,
    units: str = "1",
    labels: Sequence[str] | None = None,
    centre: float | Quantity | None = None,
    sd: float | Quantity | None = None,
    baseline: int | None = None,
    exclude: Sequence[int] = (),
    width: float = 3.0,
    rules: str = "western_electric",
    weight: float = 0.2,
    steady: bool = False,
    shift: float = 1.0,
    decision: float = 5.0,
) -> ControlChart:
    """Chart a process and say whether it is in control.

    Parameters
    ----------
    data:
        Readings in order of time, shape `(n,)`; or subgroups, shape `(subgroup, reading)` or a list of arrays that
        differ in size.
    kind:
        `"xbar_r"` (means and ranges), `"xbar_s"` (means and standard deviations), `"i_mr"` (individuals and moving
        ranges), `"cusum"` or `"ewma"` (of individuals, or of the means of subgroups); None takes individuals for single
        readings, ranges for subgroups of up to 10, else standard deviations.
    units:
        UDUNITS string of the readings; the attribute of a DataArray goes first.
    labels:
        Of the readings or subgroups, for example dates; None numbers them from 1.
    centre, sd:
        Centre and standard deviation of one reading, in `units`, from earlier data; None takes them from the data.
    baseline:
        How many of the first subgroups the limits are made from; None is all.
    exclude:
        Numbers of subgroups, from 0, that do not enter the limits, for a known cause; they are charted all the same.
    width:
        Half width of the limits, in standard deviations.
    rules:
        `"shewhart"` (limits alone), `"western_electric"` or `"nelson"`, for means and individuals.
    weight:
        Of the newest value in a moving average, in (0, 1].
    steady:
        Take the limits that a moving average comes to after many values, instead of those at each.
    shift:
        That a cumulative sum is to find, in standard deviations of the charted values.
    decision:
        At which a cumulative sum speaks, in these standard deviations.

    Returns
    -------
    :
        The chart, with centre and standard deviation as quantities and the rules that spoke.

    Raises
    ------
    UncertaintyError
        If there are too few readings for limits, one is not finite, they do not scatter, or a setting is out of range.
    """
    groups, spelled = subgroups_of(data), str(getattr(data, "attrs", {}).get("units", units))
    sizes = np.array([each.size for each in groups])
    chosen = _kind(kind, sizes)
    _require_settings(width=width, weight=weight, shift=shift, decision=decision)
    names = _labels(labels, len(groups))
    kept = _kept(len(groups), baseline, exclude)
    if len(kept) < _FEWEST and (centre is None or sd is None):
        msg = f"limits need at least {_FEWEST} subgroups, got {len(kept)}; measure more, or give centre and sd"
        raise UncertaintyError(msg)
    means = np.array([each.mean() for each in groups])
    spread = _given(sd, "sd", spelled) if sd is not None else _spread(groups, kept, chosen, spelled)
    middle = _given(centre, "centre", spelled) if centre is not None else _middle(means, sizes, kept, spread)
    if not spread.value > 0:
        msg = f"the process needs a scatter above 0 for limits, got {spread.value:g} {spelled}; give sd of earlier data"
        raise UncertaintyError(msg)
    one = spread.value / np.sqrt(sizes)
    if chosen == "cusum":
        tracks = _sums(means, middle.value, one, shift, decision)
    elif chosen == "ewma":
        half = width * one * moving_spread(means.size, weight, steady=steady)
        tracks = [_track("moving average", moving_average(means, middle.value, weight), middle.value, half)]
    else:
        tracks = [
            _track("individual" if chosen == "i_mr" else "mean", means, middle.value, width * one),
            _second(groups, chosen, spread.value, width),
        ]
    signals = _signals(tracks, names, rules_named(rules, width=width), width)
    notes = _notes(signals, tracks, len(kept), given=sd is not None, equal=bool((sizes == sizes[0]).all()))
    return ControlChart(
        kind=chosen, tracks=tuple(tracks), labels=names, centre=middle, sd=spread, sizes=tuple(sizes.tolist()),
        signals=signals, units=spelled, notes=notes,
    )  # fmt: skip


def _kind(kind: str | None, sizes: npt.NDArray[np.int64]) -> str:
    single, least = bool((sizes == 1).all()), int(sizes.min())
    if kind is None:
        return "i_mr" if single else "xbar_r" if sizes.max() <= _SMALL else "xbar_s"
    if kind not in KINDS:
        msg = f"no chart is named {kind!r}; there are {list(KINDS)}.{did_you_mean(str(kind), KINDS)}"
        raise UncertaintyError(msg)
    if kind in ("xbar_r", "xbar_s") and least < 2:  # noqa: PLR2004 - within a subgroup
        msg = f"a chart of means needs subgroups of at least 2 readings, got one of {least}; use kind='i_mr'"
        raise UncertaintyError(msg)
    if kind == "i_mr" and not single:
        msg = f"a chart of individuals takes single readings, got subgroups of up to {sizes.max()}; use kind='xbar_r'"
        raise UncertaintyError(msg)
    return kind


def _require_settings(*, width: float, weight: float, shift: float, decision: float) -> None:
    if not (0 < width < math.inf and 0 < weight <= 1 and 0 < shift < math.inf and 0 < decision < math.inf):
        msg = (
            "wanted width, shift and decision above 0 and weight in (0, 1], got "
            f"{width}, {shift}, {decision} and {weight}"
        )
        raise UncertaintyError(msg)


def _labels(labels: Sequence[str] | None, count: int) -> tuple[str, ...]:
    names = tuple(str(k + 1) for k in range(count)) if labels is None else tuple(map(str, labels))
    if len(names) != count:
        msg = f"each of {count} readings or subgroups needs a label, got {len(names)}"
        raise UncertaintyError(msg)
    return names


def _kept(count: int, baseline: int | None, exclude: Sequence[int]) -> list[int]:
    first = count if baseline is None else baseline
    if isinstance(first, bool) or not 1 <= first <= count or any(not 0 <= k < count for k in exclude):
        msg = f"baseline must lie in [1, {count}] and exclude in [0, {count - 1}], got {baseline} and {list(exclude)}"
        raise UncertaintyError(msg)
    return [k for k in range(first) if k not in exclude]


def _given(number: float | Quantity, what: str, units: str) -> Quantity:
    if isinstance(number, Quantity):
        return number if number.units == units else number.to(units)
    return Quantity(value=number, u=0.0, units=units, label=what)


def _estimate(value: float, u: float, *, dof: float, label: str, units: str) -> Quantity:
    own = Source(id=sources.fresh_id(), label=label, units=units, kind="A", dof=dof, tags=("control chart",))
    return Quantity.from_components(value, {own: u}, units=units, label=label)


def _spread(groups: Sequence[Floats], kept: list[int], kind: str, units: str) -> Quantity:
    """Estimate the standard deviation of one reading from the scatter within subgroups, or from reading to reading."""
    chosen = [groups[k] for k in kept]
    single = all(each.size == 1 for each in chosen)
    if single:
        values, count = np.array([each[0] for each in chosen]), len(chosen) - 1
        sd = float(np.abs(np.diff(values)).mean()) / d2(2)
        # neighbours share a reading: covariance of |x1 - x2| and |x2 - x3| of normal readings
        shared = 4 / math.pi * (math.sqrt(0.75) + math.asin(0.5) / 2 - 1)
        relative = (d3(2) ** 2 + 2 * shared * (count - 1) / count) / (d2(2) ** 2 * count)
    elif kind == "xbar_r":
        sd = float(np.mean([np.ptp(each) / d2(each.size) for each in chosen]))
        relative = float(np.sum([(d3(each.size) / d2(each.size)) ** 2 for each in chosen])) / len(chosen) ** 2
    else:
        repeated = [each for each in chosen if each.size > 1]
        sd = float(np.mean([each.std(ddof=1) / c4(each.size) for each in repeated]))
        relative = float(np.sum([c4(each.size) ** -2.0 - 1 for each in repeated])) / len(repeated) ** 2
    return _estimate(sd, sd * math.sqrt(relative), dof=_dof(relative), label="standard deviation", units=units)


def _dof(relative: float) -> float:
    return 1.0 / (2.0 * math.sqrt(1.0 + 2.0 * relative) - 2.0)


def _middle(means: Floats, sizes: npt.NDArray[np.int64], kept: list[int], spread: Quantity) -> Quantity:
    total = float(sizes[kept].sum())
    value = float(means[kept] @ sizes[kept]) / total
    dof = _dof((spread.u / spread.value) ** 2) if spread.u > 0 else math.inf
    return _estimate(value, spread.value / math.sqrt(total), dof=dof, label="centre", units=spread.units)


def _track(name: str, values: Floats, centre: float, half: Floats) -> Track:
    return Track(
        name=name, values=values, centre=np.full(values.size, centre), lower=centre - half, upper=centre + half
    )


def _second(groups: Sequence[Floats], kind: str, sd: float, width: float) -> Track:
    """Return the track of the scatter; what lies below 0 cannot be, so its limit is 0."""
    if kind == "i_mr":
        values = np.concatenate([[np.nan], np.abs(np.diff([each[0] for each in groups]))])
        sizes, name = [2] * len(groups), "moving range"
    elif kind == "xbar_r":
        values, name = np.array([np.ptp(each) for each in groups]), "range"
        sizes = [each.size for each in groups]
    else:
        values, name = np.array([each.std(ddof=1) for each in groups]), "standard deviation"
        sizes = [each.size for each in groups]
    if kind == "xbar_s":
        centre = sd * np.array([c4(n) for n in sizes])
        half = width * sd * np.sqrt(1 - np.array([c4(n) for n in sizes]) ** 2)
    else:
        centre = sd * np.array([d2(n) for n in sizes])
        half = width * sd * np.array([d3(n) for n in sizes])
    return Track(name=name, values=values, centre=centre, lower=np.maximum(centre - half, 0.0), upper=centre + half)


def _sums(means: Floats, centre: float, one: Floats, shift: float, decision: float) -> list[Track]:
    if not np.allclose(one, one[0]):
        msg = "a cumulative sum needs subgroups of one size; chart them as xbar_s, or take single readings"
        raise UncertaintyError(msg)
    zeros = np.zeros(means.size)
    both = cumulative_sums(means, centre, 0.5 * shift * float(one[0]))
    return [
        Track(name=name, values=values, centre=zeros, lower=zeros, upper=zeros + decision * float(one[0]))
        for name, values in zip(("upper sum", "lower sum"), both, strict=True)
    ]


def _signals(tracks: Sequence[Track], names: tuple[str, ...], rules: Any, width: float) -> tuple[Signal, ...]:  # noqa: ANN401
    found = []
    for track in tracks:
        if track.name in ("mean", "individual"):
            scores = (track.values - track.centre) / ((track.upper - track.centre) / width)
            said = spoken(scores, rules)
        else:
            out = np.flatnonzero((track.values > track.upper) | (track.values < track.lower))
            said = [(int(k), "beyond its limits") for k in out]
        found += [Signal(at=k, label=names[k], track=track.name, rule=words) for k, words in said]
    return tuple(sorted(found, key=lambda each: each.at))


def _notes(
    signals: Sequence[Signal], tracks: Sequence[Track], kept: int, *, given: bool, equal: bool
) -> tuple[str, ...]:
    notes = []
    if not given and kept < _USUAL:
        notes.append(f"the limits come from {kept} subgroups; below {_USUAL} they are themselves uncertain")
    if any(each.track in ("range", "standard deviation") for each in signals):
        notes.append("the scatter within subgroups is out of control, so the limits of the means say little")
    if not equal and len(tracks) > 1:
        notes.append("subgroups differ in size, so limits differ from one to the next")
    return tuple(notes)
