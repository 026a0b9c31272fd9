"""The result of a gauge study, and how it shows itself.

Not here: how it is computed (`analysis.quality.gauge`).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from analysis.core import Cell, Displayed, Number, UncertaintyError, did_you_mean
from analysis.uncertainty import Quantity, format_u

_GOOD, _POOR = 10.0, 30.0
_FEWEST = 5
_WORDS = {"anova": "the analysis of variance", "range": "ranges"}


@dataclass(frozen=True, kw_only=True)
class MeanSquare:
    """One independent estimate of a variance."""

    name: str
    """What varies."""
    value: float
    """The mean square, in the squared units of the readings."""
    dof: float
    """Its degrees of freedom; not whole for ranges."""
    F: float = math.nan
    """Its ratio to what it is tested against; NaN where it is not tested."""
    p: float = math.nan
    """Probability of a larger ratio; NaN as above."""


@dataclass(frozen=True, kw_only=True)
class Component:
    """One component of the variation."""

    name: str
    """What varies."""
    variance: Quantity
    """Estimate, which can be negative, with its u from the mean squares; components share these sources."""
    sd: float
    """Standard deviation, in the units of the readings; 0 where the estimate is negative."""
    interval: tuple[float, float]
    """Coverage interval of the standard deviation."""
    contribution: float
    """Part of the total variance, in %."""
    study: float
    """Standard deviation over that of the total variation, in %."""
    study_interval: tuple[float, float]
    """Coverage interval of `study`, in %."""
    of_tolerance: float
    """Study variation over the tolerance, in %; NaN without a tolerance."""


@dataclass(frozen=True, kw_only=True)
class GaugeStudy(Displayed):
    """Components of the variation of a gauge study."""

    method: str
    """`anova` or `range`."""
    components: tuple[Component, ...]
    """`repeatability`, `operator`, `interaction` where it is kept, `reproducibility`, `gauge`, `part`, `total`."""
    squares: tuple[MeanSquare, ...]
    """What they were made from."""
    parts: tuple[str, ...]
    """Names of the parts."""
    operators: tuple[str, ...]
    """Names of the operators."""
    units: str
    """UDUNITS string of the readings."""
    tolerance: float | None
    """Width of the tolerance, in `units`."""
    spread: float
    """How many standard deviations the study variation is."""
    level: float
    """Coverage probability of the intervals."""
    notes: tuple[str, ...]
    """Plain sentences on what to mind."""

    def __getitem__(self, name: str) -> Component:
        """Return a component by its name."""
        found = {each.name: each for each in self.components}
        if name not in found:
            msg = f"no component is named {name!r}; there are {list(found)}.{did_you_mean(name, found)}"
            raise UncertaintyError(msg)
        return found[name]

    @property
    def categories(self) -> float:
        """How many categories of parts the gauge tells apart: 1.41 part over gauge, cut to a whole number from 1 on."""
        gauge = self["gauge"].sd
        return max(1.0, math.floor(math.sqrt(2) * self["part"].sd / gauge)) if gauge else math.inf

    @property
    def verdict(self) -> str:
        """What the usual limits of 10 % and 30 % of the study variation, or of the tolerance if it is given, say."""
        if self["gauge"].sd == 0:
            return "not resolved"
        share = self["gauge"].of_tolerance if self.tolerance else self["gauge"].study
        if share <= _GOOD:
            return "acceptable"
        return "unacceptable" if share > _POOR else "marginal"

    def to_quantity(self) -> Quantity:
        """Return the error of one reading by any operator, for a budget.

        Returns
        -------
        :
            0 with the standard deviation of the gauge and its effective degrees of freedom (Satterthwaite).

        Raises
        ------
        UncertaintyError
            If the gauge does not scatter.
        """
        gauge = self["gauge"]
        if gauge.sd == 0:
            msg = "the gauge does not scatter in this study, so it gives no u; take its resolution instead"
            raise UncertaintyError(msg)
        dof = 2 * (gauge.sd**2 / gauge.variance.u) ** 2
        return Quantity(value=0.0, u=gauge.sd, units=self.units, dof=dof, label="gauge", source="gauge study")

    def table(self) -> list[dict[str, str]]:
        """Return the components as rows of text.

        Returns
        -------
        :
            Standard deviation with interval, contribution, part of the study variation and of the tolerance.
        """
        return [{key: str(cell) for key, cell in row.items()} for row in self._rows()]

    def analysis(self) -> list[dict[str, str]]:
        """Return the mean squares as rows of text.

        Returns
        -------
        :
            What varies, degrees of freedom, mean square, F, p.
        """
        return [
            {
                "source": each.name, "dof": f"{each.dof:.4g}", "mean square": f"{each.value:.6g}",
                "F": "" if math.isnan(each.F) else f"{each.F:.4g}", "p": "" if math.isnan(each.p) else f"{each.p:.3g}",
            }
            for each in self.squares
        ]  # fmt: skip

    def __str__(self) -> str:
        """Write gauge, categories and verdict."""
        gauge = self["gauge"]
        name = "" if self.units == "1" else f" {self.units}"
        low, high = (format_u(each) for each in gauge.interval)
        many = f"{self.categories:.0f}" if math.isfinite(self.categories) else "∞"
        said = (
            f"gauge {format_u(gauge.sd)}{name} [{low}, {high}], {gauge.study:.2f} % of the study variation, "
            f"by {_WORDS[self.method]}; {many} distinct categories"
        )
        if self.tolerance:
            said += f"; {gauge.of_tolerance:.2f} % of the tolerance"
        few = "" if self.categories >= _FEWEST else f" (fewer than {_FEWEST} categories)"
        return f"{said}: {self.verdict}{few}"

    def _rows(self) -> Sequence[Mapping[str, Cell]]:
        rows: list[dict[str, Cell]] = []
        for each in self.components:
            low, high = (format_u(end) for end in each.interval)
            row: dict[str, Cell] = {
                "component": each.name,
                "standard deviation": Number(text=format_u(each.sd), units=self.units),
                f"{100 * self.level:g} % interval": f"[{low}, {high}]",
                "contribution": f"{each.contribution:.2f} %",
                "study variation": f"{each.study:.2f} %",
            }
            if self.tolerance:
                row["tolerance"] = f"{each.of_tolerance:.2f} %"
            rows.append(row)
        return rows

    def _records(self) -> Sequence[Mapping[str, object]]:
        return [
            {
                "component": each.name, "variance": each.variance.value, "u_variance": each.variance.u, "sd": each.sd,
                "low": each.interval[0], "high": each.interval[1], "contribution": each.contribution,
                "study": each.study, "of_tolerance": each.of_tolerance,
            }
            for each in self.components
        ]  # fmt: skip

    def _notes(self) -> Sequence[str]:
        return self.notes
