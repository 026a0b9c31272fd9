"""Capability of a process against its tolerance: Cp, Cpk, Pp, Ppk, Cpm with intervals, and the part outside.

Not here: whether one item conforms (`analysis.quality.decisions`), charts (`analysis.quality.charts`).
References: NIST/SEMATECH e-Handbook of Statistical Methods, 6.1.6; Bissell, Appl. Statist. 39 (1990) 331; Boyles, J.
Qual. Technol. 23 (1991) 17; D'Agostino and Stephens, Goodness-of-Fit Techniques (1986), 4.8.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import special

from analysis.core import Cell, Displayed, Number, UncertaintyError, did_you_mean
from analysis.quality.charts import control_chart
from analysis.quality.constants import d2
from analysis.quality.settings import require_level
from analysis.quality.subgroups import subgroups_of
from analysis.uncertainty import Quantity, format_value

Floats = npt.NDArray[np.float64]
_FEWEST, _CHARTED, _DOUBT = 5, 8, 0.05
_CAPABLE = 4.0 / 3.0


@dataclass(frozen=True, kw_only=True)
class Index:
    """A capability index."""

    name: str
    """`Cp`, `Cpk` (scatter within subgroups), `Pp`, `Ppk` (overall scatter), `Cpm` (about the target)."""
    quantity: Quantity
    """Estimate with its standard uncertainty, dimensionless."""
    interval: tuple[float, float]
    """Coverage interval."""


@dataclass(frozen=True, kw_only=True)
class Capability(Displayed):
    """A process held against its tolerance."""

    indices: tuple[Index, ...]
    """Those that the given limits allow."""
    mean: Quantity
    """Mean of the readings, in `units`."""
    sd_within: Quantity
    """Standard deviation within subgroups, or from reading to reading."""
    sd_overall: Quantity
    """Standard deviation of all readings."""
    count: int
    """How many readings."""
    outside: float
    """Part of a normal process outside the tolerance, with the overall standard deviation."""
    observed: float
    """Part of the readings outside the tolerance."""
    tolerance: tuple[float, float]
    """Limits, in `units`; infinite where there is none."""
    p_normal: float
    """Probability of a larger Anderson-Darling statistic if the readings were normal; NaN below 8 readings."""
    in_control: bool | None
    """Whether a control chart of the readings shows no point beyond its limits; None below 5 subgroups."""
    units: str
    """UDUNITS string of the readings."""
    level: float
    """Coverage probability of the intervals."""
    notes: tuple[str, ...]
    """Plain sentences on what to mind."""

    def __getitem__(self, name: str) -> Index:
        """Return an index by its name."""
        found = {each.name: each for each in self.indices}
        if name not in found:
            msg = f"no index is named {name!r}; there are {list(found)}.{did_you_mean(name, found)}"
            raise UncertaintyError(msg)
        return found[name]

    @property
    def capable(self) -> bool:
        """Whether the process is shown to be capable: the lower end of the interval of Cpk reaches 1.33, in control."""
        return self.in_control is True and self["Cpk"].interval[0] >= _CAPABLE

    def table(self) -> list[dict[str, str]]:
        """Return the indices as rows of text.

        Returns
        -------
        :
            Name, estimate with u, interval.
        """
        return [{key: str(cell) for key, cell in row.items()} for row in self._rows()]

    def __str__(self) -> str:
        """Write Cpk, its interval and the part outside."""
        one = self["Cpk"]
        verdict = "shown to be capable" if self.capable else "not shown to be capable (1.33)"
        return (
            f"Cpk {one.quantity.value:.3f} [{one.interval[0]:.3f}, {one.interval[1]:.3f}], {verdict}; of a normal "
            f"process {1e6 * self.outside:.3g} ppm lie outside; {self.count} readings"
        )

    def _rows(self) -> Sequence[Mapping[str, Cell]]:
        return [
            {
                "index": each.name,
                "value ± u": Number(text=format_value(each.quantity.value, each.quantity.u)),
                f"{100 * self.level:g} % interval": f"[{each.interval[0]:.3f}, {each.interval[1]:.3f}]",
            }
            for each in self.indices
        ]

    def _records(self) -> Sequence[Mapping[str, object]]:
        return [
            {"index": each.name, "value": each.quantity.value, "u": each.quantity.u, "low": each.interval[0],
             "high": each.interval[1]}
            for each in self.indices
        ]  # fmt: skip

    def _notes(self) -> Sequence[str]:
        return self.notes


def capability(
    data: Any,  # noqa: ANN401 - readings or subgroups
    *,
    lower: float | None = None,
    upper: float | None = None,
    target: float | None = None,
    units: str = "1",
    level: float = 0.95,
) -> Capability:
    """Say how well a process keeps its tolerance.

    Parameters
    ----------
    data:
        Readings of items in order of time, shape `(n,)`; or subgroups, shape `(subgroup, reading)` or a list of arrays.
    lower, upper:
        Limits of the tolerance, in `units`; at least one.
    target:
        Wanted value, in `units`, for Cpm; needs both limits.
    units:
        UDUNITS string of the readings; the attribute of a DataArray goes first.
    level:
        Coverage probability of the intervals, in (0, 1).

    Returns
    -------
    :
        The indices with u and interval; notes say where the process is not in control or not normal.

    Raises
    ------
    UncertaintyError
        If there is no limit, limits are not in order, there are fewer than 5 readings, one is not finite, or they do
        not scatter.
    """
    low, high = _limits(lower, upper, target, level)
    groups, spelled = subgroups_of(data), str(getattr(data, "attrs", {}).get("units", units))
    values = np.concatenate(groups)
    overall = float(values.std(ddof=1)) if values.size > 1 else 0.0
    if values.size < _FEWEST or overall == 0:
        msg = (
            f"capability needs at least {_FEWEST} readings that scatter, got {values.size} with {overall:g}; read more"
        )
        raise UncertaintyError(msg)
    mean, n = float(values.mean()), values.size
    within, dof = _within(groups)
    if within == 0:
        msg = "the readings within subgroups are all equal, so Cp is infinite; use more digits, or other subgroups"
        raise UncertaintyError(msg)
    found = [
        *_indices(("Cp", "Cpk"), mean, within, (low, high), dof=dof, n=n, level=level),
        *_indices(("Pp", "Ppk"), mean, overall, (low, high), dof=n - 1.0, n=n, level=level),
    ]  # fmt: skip
    if target is not None:
        found.append(_about_target(values, target, (low, high), level))
    steady = bool(control_chart(data, rules="shewhart")) if len(groups) >= _FEWEST else None
    p = _normality(values)
    return Capability(
        indices=tuple(found),
        mean=Quantity(value=mean, u=overall / math.sqrt(n), units=spelled, dof=n - 1, label="mean"),
        sd_within=_sd(within, dof, spelled, "within"), sd_overall=_sd(overall, n - 1.0, spelled, "overall"),
        count=n, outside=float(special.ndtr((low - mean) / overall) + special.ndtr((mean - high) / overall)),
        observed=float(np.mean((values < low) | (values > high))), tolerance=(low, high), p_normal=p,
        in_control=steady, units=spelled, level=level, notes=_notes(p, in_control=steady),
    )  # fmt: skip


def _limits(lower: float | None, upper: float | None, target: float | None, level: float) -> tuple[float, float]:
    low = -math.inf if lower is None else float(lower)
    high = math.inf if upper is None else float(upper)
    if (lower is None and upper is None) or not low < high:
        msg = f"a tolerance needs a lower or an upper limit, the lower one below; got {lower} and {upper}"
        raise UncertaintyError(msg)
    if target is not None and not (low < target < high and math.isfinite(high - low)):
        msg = f"a target lies between two limits, got {target} for {lower} and {upper}"
        raise UncertaintyError(msg)
    require_level(level)
    return low, high


def _within(groups: Sequence[Floats]) -> tuple[float, float]:
    """Return the standard deviation within subgroups, pooled, or by moving ranges; and its degrees of freedom."""
    dof = sum(each.size - 1 for each in groups)
    if dof:
        return math.sqrt(sum(float(((each - each.mean()) ** 2).sum()) for each in groups) / dof), float(dof)
    values = np.concatenate(groups)
    # the mean moving range has 0.605 (n - 1) degrees of freedom for large n: its relative variance is 0.8264/(n - 1)
    return float(np.abs(np.diff(values)).mean()) / d2(2), 0.605 * (values.size - 1)


def _sd(value: float, dof: float, units: str, label: str) -> Quantity:
    return Quantity(
        value=value, u=value / math.sqrt(2 * dof), units=units, dof=dof, label=f"standard deviation {label}"
    )


def _indices(
    names: tuple[str, str], mean: float, sd: float, limits: tuple[float, float], *, dof: float, n: int, level: float
) -> list[Index]:
    low, high = limits
    found = []
    if math.isfinite(high - low):
        value = (high - low) / (6 * sd)
        ends = [value * math.sqrt(float(special.chdtri(dof, 0.5 * (1 + side * level))) / dof) for side in (1, -1)]
        found.append(_index(names[0], value, value / math.sqrt(2 * dof), (ends[0], ends[1])))
    nearest = min((high - mean) / (3 * sd), (mean - low) / (3 * sd))
    u = math.sqrt(1 / (9 * n) + nearest**2 / (2 * dof))
    half = float(special.ndtri(0.5 * (1 + level))) * u
    found.append(_index(names[1], nearest, u, (nearest - half, nearest + half)))
    return found


def _about_target(values: Floats, target: float, limits: tuple[float, float], level: float) -> Index:
    n, sd = values.size, float(values.std(ddof=0))
    off = (float(values.mean()) - target) / sd
    value = (limits[1] - limits[0]) / (6 * math.sqrt(float(np.mean((values - target) ** 2))))
    dof = n * (1 + off**2) ** 2 / (1 + 2 * off**2)
    ends = [value * math.sqrt(float(special.chdtri(dof, 0.5 * (1 + side * level))) / dof) for side in (1, -1)]
    return _index("Cpm", value, value / math.sqrt(2 * dof), (ends[0], ends[1]))


def _index(name: str, value: float, u: float, interval: tuple[float, float]) -> Index:
    return Index(name=name, quantity=Quantity(value=value, u=u, units="1", label=name), interval=interval)


def _normality(values: Floats) -> float:
    """Return the p of the Anderson-Darling test with mean and standard deviation from the data."""
    n = values.size
    if n < _CHARTED:
        return math.nan
    scores = np.sort((values - values.mean()) / values.std(ddof=1))
    places = 2 * np.arange(1, n + 1) - 1
    sums = special.log_ndtr(scores) + special.log_ndtr(-scores[::-1])
    statistic = (-n - float(places @ sums) / n) * (1 + 0.75 / n + 2.25 / n**2)
    pieces = ((0.6, 1.2937, -5.709, 0.0186), (0.34, 0.9177, -4.279, -1.38), (0.2, -8.318, 42.796, -59.938))
    for edge, a, b, c in pieces:
        if statistic > edge:
            tail = math.exp(min(a + b * statistic + c * statistic**2, 0.0)) if statistic < 10 else 0.0  # noqa: PLR2004
            return tail if edge > 0.2 else 1 - tail  # noqa: PLR2004 - the upper tail is given for large values alone
    return 1 - math.exp(-13.436 + 101.14 * statistic - 223.73 * statistic**2)


def _notes(p: float, *, in_control: bool | None) -> tuple[str, ...]:
    notes = []
    if in_control is None:
        notes.append("too few readings for a control chart: whether the process is in control is not known")
    elif not in_control:
        notes.append("the process is not in control, so its capability cannot be foretold: find the cause first")
    if p < _DOUBT:
        notes.append(f"the readings are not normal (Anderson-Darling p = {p:.2g}), so indices and ppm mislead")
    return tuple(notes)
