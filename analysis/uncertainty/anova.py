"""One-way analysis of variance, computed without rounding, with the components of variance.

Not here: more than one factor (`analysis.uncertainty.regression` with columns for the levels).
References: JCGM 100:2008, H.5; Searle, Casella and McCulloch, Variance Components (1992), 3.6.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy import special

from analysis.core import UncertaintyError, history
from analysis.uncertainty import exact
from analysis.uncertainty.quantity import Quantity
from analysis.uncertainty.sources import Source, fresh_id


@dataclass(frozen=True, kw_only=True)
class Anova:
    """Analysis of variance between and within groups; squares are in the squared units of the readings."""

    groups: tuple[str, ...]
    """Names of the groups."""
    counts: tuple[int, ...]
    """Readings in each group."""
    means: tuple[float, ...]
    """Mean of each group, in the units of the readings."""
    ss_between: float
    """Sum of squares between groups."""
    ss_within: float
    """Sum of squares within groups."""
    dof_between: int
    """Number of groups minus 1."""
    dof_within: int
    """Number of readings minus number of groups."""
    ms_between: float
    """Mean square between groups."""
    ms_within: float
    """Mean square within groups: the variance of one reading, repeatability."""
    F: float
    """Ratio of the mean squares; infinite where the groups do not scatter within."""
    p: float
    """Probability of a larger F if all groups had one mean."""
    r_squared: float
    """Part of the sum of squares that is between groups."""
    residual_sd: float
    """Standard deviation within groups, in the units of the readings."""
    variance_between: float
    """Component of variance between groups, (MS between - MS within)/n0; an estimate that can be negative, and is
    then left so."""
    u_variance_within: float
    """Standard uncertainty of `ms_within`."""
    u_variance_between: float
    """Standard uncertainty of `variance_between`, by Satterthwaite's approximation."""
    mean: Quantity
    """Mean of the group means. Its u is from the scatter of the group means, which holds whether or not the groups
    differ (GUM H.5.2.6), with one degree of freedom less than there are groups."""

    @property
    def sd_between(self) -> float:
        """Standard deviation between groups, in the units of the readings; NaN if the component is negative."""
        return math.sqrt(self.variance_between) if self.variance_between >= 0 else math.nan

    def table(self) -> list[dict[str, str]]:
        """Return the analysis of variance as rows.

        Returns
        -------
        :
            Between, within and total, as text.
        """
        between = (self.dof_between, self.ss_between, self.ms_between, self.F, self.p)
        within = (self.dof_within, self.ss_within, self.ms_within, math.nan, math.nan)
        total = (self.dof_between + self.dof_within, self.ss_between + self.ss_within, math.nan, math.nan, math.nan)
        heads = ("dof", "sum of squares", "mean square", "F", "p")
        return [
            {"source": name} | {head: "" if math.isnan(x) else f"{x:.6g}" for head, x in zip(heads, row, strict=True)}
            for name, row in (("between", between), ("within", within), ("total", total))
        ]


def anova(
    table: Mapping[str, npt.ArrayLike] | Sequence[npt.ArrayLike] | npt.NDArray[np.float64] | xr.DataArray,
    *,
    units: str = "1",
) -> Anova:
    """Analyse the variance of readings in groups.

    Parameters
    ----------
    table:
        Readings of each group: a dict of arrays by name (a DataFrame with a column for each group), a list of
        arrays, or a 2-D array with a row for each group. Groups may differ in size.
    units:
        UDUNITS string of the readings.

    Returns
    -------
    :
        Mean squares, F, p, components of variance, and the mean as a quantity.

    Raises
    ------
    UncertaintyError
        If there are fewer than two groups, no group has two readings, one is empty, or a reading is not finite.
    """
    groups = _groups(table)
    _require_groups(groups)
    whole, scale = exact.integers(np.concatenate(list(groups.values())))
    parts, start = [], 0
    for each in groups.values():
        parts.append(whole[start : start + each.size])
        start += each.size
    counts = [len(each) for each in parts]
    sums = [Fraction(sum(each), scale) for each in parts]
    total, n = sum(sums, Fraction(0)), len(whole)
    by_group = sum((each**2 / count for each, count in zip(sums, counts, strict=True)), Fraction(0))
    between = by_group - total**2 / n
    within = Fraction(exact.dot(whole, whole), scale**2) - by_group
    dof = (len(parts) - 1, n - len(parts))
    ms = (between / dof[0], within / dof[1])
    ratio = float(ms[0] / ms[1]) if ms[1] else math.inf
    n0 = Fraction(n * n - sum(each**2 for each in counts), n * dof[0])
    spread = math.sqrt(2 * (float(ms[0]) ** 2 / dof[0] + float(ms[1]) ** 2 / dof[1])) / float(n0)
    return Anova(
        groups=tuple(groups),
        counts=tuple(counts),
        means=tuple(float(each / count) for each, count in zip(sums, counts, strict=True)),
        ss_between=float(between),
        ss_within=float(within),
        dof_between=dof[0],
        dof_within=dof[1],
        ms_between=float(ms[0]),
        ms_within=float(ms[1]),
        F=ratio,
        p=float(special.fdtrc(*dof, ratio)) if math.isfinite(ratio) else 0.0,
        r_squared=float(between / (between + within)) if between + within else math.nan,
        residual_sd=exact.root(ms[1]),
        variance_between=float((ms[0] - ms[1]) / n0),
        u_variance_within=float(ms[1]) * math.sqrt(2 / dof[1]),
        u_variance_between=spread,
        mean=_mean([each / count for each, count in zip(sums, counts, strict=True)], groups, units),
    )


def _mean(means: list[Fraction], groups: dict[str, npt.NDArray[np.floating]], units: str) -> Quantity:
    count = len(means)
    middle = sum(means, Fraction(0)) / count
    square = sum(((each - middle) ** 2 for each in means), Fraction(0)) / (count - 1) / count
    u = exact.root(square)
    own = Source(id=fresh_id(), label="mean of the groups", units=units, kind="A", dof=count - 1, tags=("groups",))
    settings = {
        "table": {name: each.tolist() for name, each in groups.items()},
        "units": units,
        "ids": [own.id],
    }
    return Quantity(
        value=float(middle),
        u=u,
        units=units,
        dof=count - 1,
        label="mean of the groups",
        components={own: u},
        history=history.extend("uncertainty.anova", settings=settings, inputs={}),
    )


def _groups(table: Any) -> dict[str, npt.NDArray[np.floating]]:  # noqa: ANN401 - what a user passes
    named = table.items() if hasattr(table, "items") else ((str(i + 1), each) for i, each in enumerate(table))
    found = {}
    for name, each in named:
        given = np.asarray(each)
        found[str(name)] = given if given.dtype.kind == "f" else np.asarray(each, dtype=float)
    return found


def _require_groups(groups: dict[str, npt.NDArray[np.floating]]) -> None:
    shapes = {name: each.shape for name, each in groups.items()}
    if len(groups) < 2 or any(each.ndim != 1 or each.size == 0 for each in groups.values()):  # noqa: PLR2004 - between
        msg = f"an analysis of variance needs at least 2 groups, each of shape (n,) and not empty; got {shapes}"
        raise UncertaintyError(msg)
    if all(each.size == 1 for each in groups.values()):
        msg = f"no group has 2 readings, so nothing tells the scatter within; got {shapes}. Use type_a for one group"
        raise UncertaintyError(msg)
    bad = [name for name, each in groups.items() if not np.isfinite(each).all()]
    if bad:
        msg = f"readings must be finite; groups {bad[:3]} hold what is not. Pass groups of different sizes as a dict"
        raise UncertaintyError(msg)
