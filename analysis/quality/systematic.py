"""Systematic errors of a gauge: bias, linearity over its range, stability in time.

Not here: repeatability and reproducibility (`analysis.quality.gauge`), calibration curves and drift of check standards
(`analysis.calibration`). References: AIAG, Measurement Systems Analysis, 4th ed. (2010), III B, its procedures as
restated elsewhere (the text was not seen); JCGM 100:2008, H.3.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import special

from analysis.core import Displayed, UncertaintyError
from analysis.quality.chart_result import ControlChart
from analysis.quality.charts import control_chart
from analysis.quality.robust import require_values
from analysis.quality.subgroups import subgroups_of
from analysis.uncertainty import Quantity, regression, type_a
from analysis.uncertainty.regression import mean_response

Floats = npt.NDArray[np.float64]
_DOUBT = 0.05
_LINE = 3


@dataclass(frozen=True, kw_only=True)
class Bias(Displayed):
    """Mean of readings of a reference part less its value."""

    quantity: Quantity
    """The bias, with the sources of readings and reference."""
    repeatability: Quantity
    """Standard deviation of one reading."""
    t: float
    """Bias over its standard uncertainty."""
    p: float
    """Probability of a larger t without bias."""
    count: int
    """How many readings."""

    @property
    def significant(self) -> bool:
        """Whether p is below 5 %."""
        return self.p < _DOUBT

    def __str__(self) -> str:
        """Write the bias and whether it is significant."""
        said = "significant" if self.significant else "not significant"
        return f"bias {self.quantity} of {self.count} readings is {said} (t = {self.t:.3g}, p = {self.p:.2g})"


@dataclass(frozen=True, kw_only=True)
class Linearity(Displayed):
    """Bias over the range of a gauge, as a straight line in the reference value."""

    slope: Quantity
    """Change of the bias per unit of the reference value, dimensionless."""
    intercept: Quantity
    """Bias at a reference value of 0, in the units of the readings."""
    biases: tuple[Bias, ...]
    """At each reference part that was read more than once."""
    references: tuple[Quantity, ...]
    """The reference parts."""
    r_squared: float
    """Part of the sum of squares of the deviations that the line takes up."""
    p_slope: float
    """Probability of a larger slope if the gauge were linear."""
    p_fit: float
    """Probability of a larger lack of fit if the bias were a line; NaN where a part was read once."""
    notes: tuple[str, ...]
    """Plain sentences on what to mind."""

    @property
    def linear(self) -> bool:
        """Whether the slope is not significant at 5 %."""
        return self.p_slope >= _DOUBT

    def bias_at(self, reference: float) -> Quantity:
        """Return the bias at a reference value.

        Parameters
        ----------
        reference:
            In the units of the readings, within the range of the study.

        Returns
        -------
        :
            The line there, with its sources.

        Raises
        ------
        UncertaintyError
            If the value lies outside the range of the study.
        """
        values = [each.value for each in self.references]
        if not min(values) <= reference <= max(values):
            msg = f"the study reaches from {min(values):g} to {max(values):g}, got {reference:g}; read parts there"
            raise UncertaintyError(msg)
        return mean_response([1.0, reference], [self.intercept, self.slope], units=self.intercept.units)

    @property
    def acceptable(self) -> bool:
        """Whether a bias of 0 lies within U (95 %) of the line at every reference part."""
        found = [self.bias_at(each.value) for each in self.references]
        return all(abs(each.value) <= each.U() for each in found)

    def __str__(self) -> str:
        """Write line and verdict."""
        said = "linear" if self.linear else "not linear"
        return (
            f"{said}: bias = {self.intercept} + ({self.slope}) reference, R² {self.r_squared:.4g}, p of the slope "
            f"{self.p_slope:.2g}; a bias of 0 is {'' if self.acceptable else 'not '}within U everywhere"
        )

    def _notes(self) -> Sequence[str]:
        return self.notes


@dataclass(frozen=True, kw_only=True, eq=False)
class Stability(Displayed):
    """Readings of a reference part over time."""

    chart: ControlChart
    """Their control chart."""
    rate: Quantity
    """Change per unit of time, from a line through the means of the subgroups."""
    p: float
    """Probability of a larger rate without drift."""
    bias: Quantity | None
    """Mean of all readings less the reference; None without one."""

    @property
    def stable(self) -> bool:
        """Whether the chart is in control and the rate not significant at 5 %."""
        return bool(self.chart) and self.p >= _DOUBT

    def __str__(self) -> str:
        """Write verdict, rate and bias."""
        said = "stable" if self.stable else "not stable"
        state = "in control" if self.chart else f"{len(self.chart.signals)} signals"
        bias = "" if self.bias is None else f"; bias {self.bias}"
        return f"{said}: {state}, rate {self.rate} (p = {self.p:.2g}){bias}"


def bias(readings: npt.ArrayLike, reference: Quantity) -> Bias:
    """Compare repeated readings of a reference part with its value.

    Parameters
    ----------
    readings:
        At least 2, shape `(n,)`, in the units of the reference.
    reference:
        Value of the part, with its u.

    Returns
    -------
    :
        The bias, with t and p.

    Raises
    ------
    UncertaintyError
        If there are fewer than 2 readings, one is no finite number, or neither readings nor reference have a u.
    """
    given: object = reference
    if not isinstance(given, Quantity):
        msg = (
            f"the reference is a Quantity with its u, got a {type(given).__name__}; write Quantity(value=, u=, units=)"
        )
        raise UncertaintyError(msg)
    values = require_values(readings, least=2)
    found = type_a(values, units=reference.units, label="readings") - reference
    if found.u == 0:
        msg = "the readings do not scatter and the reference has no u, so a bias cannot be tested; use more digits"
        raise UncertaintyError(msg)
    sd, dof, name = float(values.std(ddof=1)), values.size - 1, reference.units
    t = found.value / found.u
    return Bias(
        quantity=found, t=t, p=_two_sided(t, found.dof), count=values.size,
        repeatability=Quantity(value=sd, u=sd / math.sqrt(2 * dof), units=name, dof=dof, label="repeatability"),
    )  # fmt: skip


def linearity(references: Sequence[Quantity], readings: Sequence[npt.ArrayLike]) -> Linearity:
    """Fit the bias of a gauge over its range.

    Parameters
    ----------
    references:
        At least 3 reference parts, in one unit; sources that they share are kept.
    readings:
        Of each part its readings, shape `(n,)`, in these units; numbers may differ.

    Returns
    -------
    :
        The line by least squares through the deviations of all readings, with the sources of readings and references.

    Raises
    ------
    UncertaintyError
        If there are fewer than 3 different parts, numbers do not match, or a reading is no finite number.
    UnitsError
        If units do not convert.
    """
    parts: list[Any] = list(references)
    wrong = [type(each).__name__ for each in parts if not isinstance(each, Quantity)]
    if len(parts) < _LINE or wrong or len(readings) != len(parts) or len({each.value for each in parts}) < _LINE:
        msg = (
            f"linearity needs at least {_LINE} different reference parts as quantities, and readings of each; got "
            f"{len(parts)} parts {wrong[:3]} and {len(readings)} sets of readings"
        )
        raise UncertaintyError(msg)
    units = parts[0].units
    parts = [each if each.units == units else each.to(units) for each in parts]
    sets = [require_values(each, least=1) for each in readings]
    x = np.concatenate([np.full(each.size, part.value) for part, each in zip(parts, sets, strict=True)])
    y = np.concatenate([each - part.value for part, each in zip(parts, sets, strict=True)])
    line = regression(x, y, degree=1, units=units, x_units=units)
    b0, b1 = line.parameters
    shares = np.linalg.pinv(np.stack([np.ones(x.size), x], axis=1))
    ends = np.cumsum([0, *(each.size for each in sets)])
    for k, part in enumerate(parts):
        # an error e of a reference lowers its deviations by e and moves them along the line: by -(1 + slope) e
        off = -(1 + b1.value) * (part - Quantity(value=part.value, u=0.0, units=units))
        share = shares[:, ends[k] : ends[k + 1]].sum(axis=1)
        b0 = b0 + float(share[0]) * off
        b1 = b1 + float(share[1]) * off / Quantity(value=1.0, u=0.0, units=units)
    repeated = all(each.size > 1 for each in sets)
    return Linearity(
        slope=b1, intercept=b0, references=tuple(parts), r_squared=line.r_squared,
        biases=tuple(bias(each, part) for part, each in zip(parts, sets, strict=True) if _testable(each, part)),
        p_slope=_two_sided(b1.value / b1.u, b1.dof) if b1.u else float(b1.value == 0),
        p_fit=_lack_of_fit(sets, parts, line.residuals) if repeated else math.nan,
        notes=() if repeated else ("a part was read once, so a bend of the bias cannot be told from scatter",),
    )  # fmt: skip


def stability(
    data: Any,  # noqa: ANN401 - readings or subgroups
    *,
    times: Sequence[float] | None = None,
    reference: Quantity | None = None,
    units: str | None = None,
    time_units: str = "1",
    rules: str = "western_electric",
) -> Stability:
    """Say whether a gauge keeps its readings of one reference part over time.

    Parameters
    ----------
    data:
        Readings in order of time, shape `(n,)`, or subgroups as in `control_chart`; at least 5.
    times:
        Of each reading or subgroup, in `time_units`, rising; None counts them.
    reference:
        Value of the part, for the bias.
    units, time_units:
        UDUNITS strings; None takes that of the reference.
    rules:
        As in `control_chart`.

    Returns
    -------
    :
        Control chart, rate of drift, bias.

    Raises
    ------
    UncertaintyError
        If there are fewer than 5, one is not finite, or times do not rise.
    """
    groups = subgroups_of(data)
    when = np.arange(len(groups), dtype=float) if times is None else require_values(times, least=1)
    if when.size != len(groups) or not (np.diff(when) > 0).all():
        msg = f"each of {len(groups)} subgroups needs a time, and times rise; got {when.size}. Sort them"
        raise UncertaintyError(msg)
    known = "1" if reference is None else reference.units
    chart = control_chart(data, units=known if units is None else units, rules=rules)
    means = np.array([each.mean() for each in groups])
    rate = regression(when, means, degree=1, units=chart.units, x_units=time_units).parameters[1]
    return Stability(
        chart=chart, rate=rate, p=_two_sided(rate.value / rate.u, rate.dof) if rate.u else float(rate.value == 0),
        bias=None if reference is None else chart.centre - reference,
    )  # fmt: skip


def _testable(readings: Floats, part: Quantity) -> bool:
    return readings.size > 1 and (float(np.ptp(readings)) > 0 or part.u > 0)


def _two_sided(t: float, dof: float) -> float:
    return float(2 * special.ndtr(-abs(t))) if math.isinf(dof) else float(2 * special.stdtr(dof, -abs(t)))


def _lack_of_fit(sets: Sequence[Floats], parts: Sequence[Quantity], residuals: Floats) -> float:
    pure = math.fsum(float(((each - each.mean()) ** 2).sum()) for each in sets)
    dof = (len(parts) - 2, sum(each.size - 1 for each in sets))
    left = max(float(residuals @ residuals) - pure, 0.0)
    if pure == 0:
        return 0.0 if left > 0 else 1.0
    return float(special.fdtrc(*dof, (left / dof[0]) / (pure / dof[1])))
