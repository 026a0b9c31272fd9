"""The uncertainty budget of a result: by independent source, and by input.

Not here: how it is made (`analysis.uncertainty.propagate`), Datasets of it (`analysis.uncertainty.exchange`), how it
is printed on a page (`analysis.report`).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import xarray as xr

from analysis.core import Cell, Displayed, Number
from analysis.uncertainty import exchange
from analysis.uncertainty.coverage import coverage_factor, effective_dof
from analysis.uncertainty.exchange import Parts
from analysis.uncertainty.formatting import format_u, format_value
from analysis.uncertainty.formula import parse
from analysis.uncertainty.model import Model
from analysis.uncertainty.quantity import Quantity
from analysis.uncertainty.sources import Source


@dataclass(frozen=True, kw_only=True)
class Contribution:
    """One line of a budget: what one independent source does to the result."""

    name: str
    """Label of the source, or the inputs it came in by."""
    source: Source
    """The source."""
    c: float
    """Signed contribution, sensitivity times standard uncertainty, in units of the result."""
    share: float
    """Part of the variance, c²/u², in [0, 1]; the shares of a budget sum to 1."""

    @property
    def u(self) -> float:
        """Contribution to the standard uncertainty, in units of the result."""
        return abs(self.c)


@dataclass(frozen=True, kw_only=True)
class InputContribution:
    """What one input does to the result."""

    name: str
    """Name of the input in the model."""
    quantity: Quantity
    """The input."""
    sensitivity: float
    """d(result)/d(input), in units of the result over units of the input."""
    share: float
    """Covariance of this input's part with the result, over the variance; sums to 1 over the inputs. It can be
    negative, where an input that shares sources with another makes the result better."""

    @property
    def u(self) -> float:
        """Contribution to the standard uncertainty, in units of the result, correlations aside."""
        return abs(self.sensitivity) * self.quantity.u


@dataclass(frozen=True, kw_only=True)
class Group:
    """All sources of one tag."""

    name: str
    """The tag, or the label of a source without tags."""
    count: int
    """How many sources."""
    u: float
    """Their joint contribution, in units of the result."""
    share: float
    """Their part of the variance, in [0, 1]."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Budget(Displayed):
    """A result with all that its uncertainty comes from."""

    name: str
    """Name of the result."""
    value: float
    """The estimate, in `units`."""
    units: str
    """UDUNITS string."""
    components: Mapping[Source, float]
    """Signed contribution of each independent source, in `units`."""
    inputs: Mapping[str, Quantity]
    """The inputs of the model."""
    sensitivities: Mapping[str, float]
    """d(result)/d(input), in units of the result over units of the input."""
    model: Model
    """The measurement model."""
    checked_units: bool = True
    """Whether units were followed through the formula."""
    order: int = 1
    """Order of the Taylor series."""
    notes: tuple[str, ...] = ()
    """Plain sentences on what to mind."""
    history: str = field(default="", repr=False)
    """How it was computed (`analysis.core.history`)."""

    @property
    def formula(self) -> str:
        """The measurement model as text."""
        return self.model.text

    @property
    def u(self) -> float:
        """Combined standard uncertainty, in `units`."""
        return math.hypot(*self.components.values())

    @property
    def dof(self) -> float:
        """Effective degrees of freedom, not truncated."""
        return effective_dof(self.components)

    @property
    def k(self) -> float:
        """Coverage factor for 95 %."""
        return coverage_factor(self.dof)

    def U(self, level: float = 0.95) -> float:  # noqa: N802 - the symbol of the GUM
        """Return the expanded uncertainty.

        Parameters
        ----------
        level:
            Coverage probability, in (0, 1).

        Returns
        -------
        :
            k times u, in `units`.

        Raises
        ------
        UncertaintyError
            If `level` is out of range.
        """
        return coverage_factor(self.dof, level) * self.u

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Return the coverage interval.

        Parameters
        ----------
        level:
            Coverage probability, in (0, 1).

        Returns
        -------
        :
            Its ends, in `units`.

        Raises
        ------
        UncertaintyError
            If `level` is out of range.
        """
        half = self.U(level)
        return self.value - half, self.value + half

    @property
    def contributions(self) -> tuple[Contribution, ...]:
        """One line for each independent source, the largest first; the shares sum to 1."""
        order = sorted(self.components.items(), key=lambda item: (-abs(item[1]), item[0].label, item[0].id))
        return tuple(
            Contribution(name=source.label or self._came_in_by(source), source=source, c=c, share=self._share(c**2))
            for source, c in order
        )

    @property
    def by_input(self) -> tuple[InputContribution, ...]:
        """One line for each input, in the model's order; shares sum to 1 at first order and can be negative."""
        return tuple(
            InputContribution(
                name=name,
                quantity=quantity,
                sensitivity=self.sensitivities[name],
                share=self._share(self.sensitivities[name] * _covariance(quantity.parts(), self.components)),
            )
            for name, quantity in self.inputs.items()
        )

    def by_tag(self) -> tuple[Group, ...]:
        """Gather the sources by their first tag.

        Returns
        -------
        :
            One line for each tag, and for each label where there is no tag, the largest first.
        """
        groups: dict[str, list[float]] = {}
        for each in self.contributions:
            groups.setdefault(each.source.tags[0] if each.source.tags else each.name, []).append(each.c)
        found = [
            Group(name=name, count=len(cs), u=math.hypot(*cs), share=self._share(math.hypot(*cs) ** 2))
            for name, cs in groups.items()
        ]
        return tuple(sorted(found, key=lambda group: (-group.u, group.name)))

    def table(self) -> str:
        """Write the budget by source.

        Returns
        -------
        :
            Plain text with aligned columns and one line for each source.
        """
        head = ("source", "type", "distribution", "dof", f"u ({self.units})", "share")
        rows = [head] + [
            (
                each.name or each.source.id[:8],
                each.source.kind,
                str(each.source.distribution),
                "∞" if math.isinf(each.source.dof) else f"{each.source.dof:.4g}",
                format_u(each.u),
                f"{100 * each.share:.1f} %",
            )
            for each in self.contributions
        ]
        widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
        return "\n".join(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
        )

    def to_quantity(self) -> Quantity:
        """Return the result as a quantity that can enter another model.

        Returns
        -------
        :
            With the same sources and history.
        """
        return Quantity.from_components(
            self.value, self.components, units=self.units, label=self.name, history=self.history
        )

    def covariance(self, other: "Budget") -> float:
        """Return the covariance with another result, from the sources they share.

        Parameters
        ----------
        other:
            Another budget, any units.

        Returns
        -------
        :
            Covariance, in `units` times the units of `other`.
        """
        return _covariance(self.components, other.components)

    def correlation(self, other: "Budget") -> float:
        """Return the correlation coefficient with another result.

        Parameters
        ----------
        other:
            Another budget, any units.

        Returns
        -------
        :
            In [-1, 1], dimensionless; 0 where one of them is exact.
        """
        product = self.u * other.u
        return max(-1.0, min(1.0, self.covariance(other) / product)) if product > 0 else 0.0

    def to_dataset(self) -> xr.Dataset:
        """Return the budget as a Dataset that a file can hold.

        Returns
        -------
        :
            See `analysis.uncertainty.exchange`.
        """
        parts = Parts(
            name=self.name,
            value=self.value,
            units=self.units,
            components=self.components,
            inputs=self.inputs,
            sensitivities=self.sensitivities,
            text=self.formula,
            is_formula=self.model.formula is not None,
            checked_units=self.checked_units,
            order=self.order,
            notes=self.notes,
            history=self.history,
        )
        return exchange.to_dataset(parts, u=self.u, dof=self.dof)

    @staticmethod
    def from_dataset(dataset: xr.Dataset) -> "Budget":
        """Read what `to_dataset` made.

        Parameters
        ----------
        dataset:
            Perhaps read from a file.

        Returns
        -------
        :
            The budget; with a formula it can be sampled again, a function must be passed to `propagate` again.
        """
        parts = exchange.from_dataset(dataset)
        formula = parse(parts.text, parts.inputs) if parts.is_formula else None
        if formula is not None and parts.checked_units:
            formula = formula.in_units({name: q.units for name, q in parts.inputs.items()}, wanted=parts.units)
        return Budget(
            name=parts.name,
            value=parts.value,
            units=parts.units,
            components=parts.components,
            inputs=parts.inputs,
            sensitivities=parts.sensitivities,
            model=Model(formula=formula, stored=parts.text),
            checked_units=parts.checked_units,
            order=parts.order,
            notes=parts.notes,
            history=parts.history,
        )

    def _share(self, variance: float) -> float:
        u = self.u
        return variance / u**2 if u > 0 else 0.0

    def _came_in_by(self, source: Source) -> str:
        return " & ".join(name for name, quantity in self.inputs.items() if source in quantity.parts())

    def __str__(self) -> str:
        """Write the result in one line."""
        units = "" if self.units == "1" else f" {self.units}"
        return (
            f"{self.name} = {format_value(self.value, self.u)}{units} (k = 1), U = "
            f"{format_u(self.U())}{units} (k = {self.k:.2f}, 95 %, dof {_dof(self.dof)})"
        )

    __repr__ = __str__

    def _head(self) -> tuple[Cell, ...]:
        pair, wide = (Number(text=t, units=self.units) for t in (format_value(self.value, self.u), format_u(self.U())))
        return (f"{self.name} = ", pair, " (k = 1), U = ", wide, f" (k = {self.k:.2f}, 95 %, dof {_dof(self.dof)})")

    def _rows(self) -> list[dict[str, Cell]]:
        return [
            {
                "source": each.source.label,
                "type": each.source.kind,
                "dof": _dof(each.source.dof),
                "contribution": Number(text=format_u(each.c), units=self.units),
                "share": f"{100 * each.share:.1f} %",
            }
            for each in self.contributions
        ]

    def _records(self) -> list[dict[str, object]]:
        return [
            {
                "source": each.source.label,
                "type": each.source.kind,
                "dof": each.source.dof,
                "contribution": each.c,
                "units": self.units,
                "share": each.share,
            }
            for each in self.contributions
        ] or [{"result": self.name, "value": self.value, "u": self.u, "units": self.units}]

    def _notes(self) -> tuple[str, ...]:
        return tuple(f"{note[:1].upper()}{note[1:]}." for note in self.notes)


def _dof(dof: float) -> str:
    return "∞" if dof >= 1e6 else f"{dof:.3g}"  # noqa: PLR2004 - t is normal to nine digits there


def _covariance(ours: Mapping[Source, float], theirs: Mapping[Source, float]) -> float:
    return math.fsum(c * theirs[each] for each, c in ours.items() if each in theirs)
