"""A scalar with its uncertainty, resolved into independent sources.

Not here: measurement models (`analysis.uncertainty.propagate`), how it is printed (`analysis.uncertainty.formatting`).
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from analysis.core import Cell, Displayed, Number, UncertaintyError, history
from analysis.core import units as unit_rules
from analysis.uncertainty import algebra, bridge
from analysis.uncertainty.coverage import coverage_factor, effective_dof
from analysis.uncertainty.distributions import Distribution, normal
from analysis.uncertainty.formatting import format_value
from analysis.uncertainty.sources import Source, fresh_id, require_dof

_SAME_U = 1e-9


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Quantity(Displayed, NDArrayOperatorsMixin):
    """A value, its standard uncertainty, and the sources that it comes from.

    An elementary quantity is its own source. Operators and NumPy functions give derived quantities, to first order
    and with exact correlations: `x - x` is 0 ± 0. A plain number has no units.
    """

    value: float
    """The estimate, in `units`."""
    u: float
    """Standard uncertainty, in `units`, >= 0."""
    units: str
    """UDUNITS string; `"1"` is dimensionless."""
    dof: float = math.inf
    """Degrees of freedom of `u`; by Welch-Satterthwaite for a derived quantity."""
    distribution: Distribution = field(default_factory=normal)
    """What an elementary quantity is drawn from; a derived one is drawn through its sources."""
    label: str = ""
    """A short name for tables."""
    source: str = ""
    """Where the numbers come from: certificate, clause, file."""
    components: Mapping[Source, float] | None = None
    """Signed contribution of each independent source, in `units`; None makes a source of its own."""
    history: str = ""
    """How it was computed (`analysis.core.history`)."""

    def __post_init__(self) -> None:
        unit_rules.require_units(self.units)
        name = self.label or "quantity"
        value, u = _require_number(self.value, f"{name}: value"), _require_number(self.u, f"{name}: u")
        if not math.isfinite(value) or not math.isfinite(u) or u < 0:
            msg = (
                f"{name}: value must be finite and u finite and not negative, got value {value:g}, u {u:g} {self.units}"
            )
            raise UncertaintyError(msg)
        require_dof(self.dof, name)
        elementary = self.components is None
        given = self._own_source(u) if self.components is None else dict(self.components)
        components = {each: float(c) for each, c in given.items() if c != 0}
        total = math.hypot(*components.values())
        if not math.isclose(total, u, rel_tol=_SAME_U, abs_tol=0.0):
            msg = (
                f"{name}: u is {u:g} but its components add up to {total:g} {self.units}; use Quantity.from_components"
            )
            raise UncertaintyError(msg)
        for key, item in (("value", value), ("u", u), ("components", MappingProxyType(components))):
            object.__setattr__(self, key, item)
        if elementary and not self.history:
            object.__setattr__(self, "history", self._own_history())

    def _own_source(self, u: float) -> dict[Source, float]:
        own = Source(
            id=fresh_id(),
            label=self.label,
            units=self.units,
            kind="B" if math.isinf(self.dof) else "A",
            distribution=self.distribution,
            dof=self.dof,
            origin=self.source,
        )
        return {own: u}

    def _own_history(self) -> str:
        settings = {
            "value": self.value,
            "u": self.u,
            "units": self.units,
            "dof": None if math.isinf(self.dof) else float(self.dof),
            "distribution": self.distribution.to_json(),
            "label": self.label,
            "source": self.source,
            "ids": [each.id for each in self.parts()],
        }
        return history.extend("uncertainty.Quantity", settings=settings, inputs={})

    @classmethod
    def from_components(
        cls,
        value: float,
        components: Mapping[Source, float],
        *,
        units: str,
        label: str = "",
        source: str = "",
        history: str = "",
    ) -> "Quantity":
        """Make a derived quantity; its u and degrees of freedom follow from its sources.

        Parameters
        ----------
        value:
            The estimate, in `units`.
        components:
            Signed contribution of each source, in `units`.
        units, label, source, history:
            As the fields.

        Returns
        -------
        :
            The quantity.

        Raises
        ------
        UncertaintyError
            If a number is not finite.
        """
        contributing = {each: c for each, c in components.items() if c != 0}
        return cls(
            value=value,
            u=math.hypot(*contributing.values()),
            units=units,
            dof=effective_dof(contributing),
            label=label,
            source=source,
            components=contributing,
            history=history,
        )

    def parts(self) -> Mapping[Source, float]:
        """Return the signed contribution of each source.

        Returns
        -------
        :
            Source to contribution, in `units`; sources that contribute nothing are left out.
        """
        return self.components or {}

    def covariance(self, other: "Quantity") -> float:
        """Return the covariance with another quantity, from the sources they share.

        Parameters
        ----------
        other:
            Another quantity, any units.

        Returns
        -------
        :
            Covariance, in `units` times the units of `other`.
        """
        theirs = other.parts()
        return math.fsum(c * theirs[each] for each, c in self.parts().items() if each in theirs)

    def correlation(self, other: "Quantity") -> float:
        """Return the correlation coefficient with another quantity.

        Parameters
        ----------
        other:
            Another quantity, any units.

        Returns
        -------
        :
            In [-1, 1], dimensionless; 0 where one of them is exact.
        """
        if self.u == 0 or other.u == 0:
            return 0.0
        return max(-1.0, min(1.0, self.covariance(other) / (self.u * other.u)))

    def U(self, level: float = 0.95) -> float:  # noqa: N802 - the symbol of the GUM
        """Return the expanded uncertainty.

        Parameters
        ----------
        level:
            Coverage probability, in (0, 1).

        Returns
        -------
        :
            k times u, in `units`, k by Student's t for the effective degrees of freedom.

        Raises
        ------
        UncertaintyError
            If `level` is out of range.
        """
        return coverage_factor(self.dof, level) * self.u

    def to(self, units: str) -> "Quantity":
        """Convert to other units; offsets (degC to K) move the value only.

        Parameters
        ----------
        units:
            UDUNITS string of the same dimension.

        Returns
        -------
        :
            The quantity with the same sources.

        Raises
        ------
        UnitsError
            If the dimensions differ.
        """
        factor = unit_rules.factor(self.units, units)
        scaled = {each: c * factor for each, c in self.parts().items()}
        return Quantity.from_components(
            unit_rules.convert(self.value, self.units, units),
            scaled,
            units=units,
            label=self.label,
            source=self.source,
            history=history.extend("uncertainty.to", settings={"units": units}, inputs={"quantity": self}),
        )

    def __array_ufunc__(self, function: np.ufunc, method: str, *inputs: Any, **settings: Any) -> Any:  # noqa: ANN401
        """Apply a NumPy function or an operator."""
        if method != "__call__" or settings or not all(_is_scalar(each) for each in inputs):
            return NotImplemented
        given = [_as_quantity(each) for each in inputs]
        rule = _power(*given) if function is np.power else algebra.rule_of(function)
        return NotImplemented if rule is None else _apply(function, rule, given)

    def to_uncertainties(self) -> Any:  # noqa: ANN401
        """Return the quantity for the package `uncertainties`, as lmfit's `uvars` are.

        Returns
        -------
        :
            An `AffineScalarFunc`; quantities that share sources stay correlated. It carries no units.
        """
        return bridge.to_uncertainties(self.value, self.parts())

    @staticmethod
    def from_uncertainties(numbers: Iterable[Any], *, units: str) -> tuple["Quantity", ...]:
        """Make quantities from numbers of the package `uncertainties`.

        Parameters
        ----------
        numbers:
            `Variable` or `AffineScalarFunc` objects, for example the values of lmfit's `uvars`.
        units:
            Their units, which the package does not know.

        Returns
        -------
        :
            One quantity each, in order, with their correlations.

        Raises
        ------
        UncertaintyError
            If something else is among them.
        """
        found = (bridge.from_uncertainties(each) for each in numbers)
        return tuple(Quantity.from_components(value, parts, units=units) for value, parts in found)

    def __eq__(self, other: object) -> bool:
        """Compare value, units and sources: two elementary quantities with equal numbers are not equal."""
        if not isinstance(other, Quantity):
            return NotImplemented
        same = self.value == other.value and self.units == other.units
        return same and dict(self.parts()) == dict(other.parts())

    def __ne__(self, other: object) -> bool:
        """Say the opposite of `==`."""
        return not self == other

    def __hash__(self) -> int:
        """Hash what `==` compares."""
        return hash((self.value, self.units, frozenset(self.parts().items())))

    def __bool__(self) -> bool:
        """Refuse: a quantity is neither true nor false."""
        msg = "a Quantity is neither true nor false; compare quantity.value, or quantity.value with k * quantity.u"
        raise UncertaintyError(msg)

    def __str__(self) -> str:
        """Write value, u and units with the digits that u allows."""
        name = "" if self.units == "1" else f" {self.units}"
        pair = format_value(self.value, self.u)
        return f"{pair}{name} (k = 1)"

    __repr__ = __str__

    def _head(self) -> tuple[Cell, ...]:
        name = (f"{self.label} = ",) if self.label else ()
        return (*name, Number(text=format_value(self.value, self.u), units=self.units), " (k = 1)")

    def _records(self) -> tuple[dict[str, object], ...]:
        return ({"label": self.label, "value": self.value, "u": self.u, "units": self.units, "dof": self.dof},)


def _is_scalar(thing: object) -> bool:
    return isinstance(thing, Quantity | int | float | np.floating | np.integer)


def _require_number(thing: object, name: str) -> float:
    if isinstance(thing, bool) or not _is_scalar(thing) or isinstance(thing, Quantity):
        if isinstance(thing, np.ndarray) and thing.ndim == 0 and thing.dtype.kind in "fiu":
            return float(thing)
        msg = f"{name} must be a number, got {type(thing).__name__} {thing!r:.40}"
        raise UncertaintyError(msg)
    return float(thing)  # type: ignore[arg-type]


def _as_quantity(thing: Any) -> Quantity:  # noqa: ANN401
    if isinstance(thing, Quantity):
        return thing
    return Quantity(value=float(thing), u=0.0, units="1")


def _combine(arguments: list[Quantity], partials: list[float]) -> dict[Source, float]:
    total: dict[Source, float] = {}
    for argument, partial in zip(arguments, partials, strict=True):
        for each, c in argument.parts().items():
            total[each] = total.get(each, 0.0) + partial * c
    return total


def _apply(function: np.ufunc, rule: algebra.Rule, arguments: list[Quantity]) -> Quantity:
    factors, result_units = rule.scales([each.units for each in arguments])
    scaled = [each.value * factor for each, factor in zip(arguments, factors, strict=True)]
    value = algebra.evaluate(function, scaled, [each.label for each in arguments])
    with np.errstate(all="ignore"):
        partials = rule.partials(*(np.float64(each) for each in scaled))
    slopes = [float(p) * factor for p, factor in zip(partials, factors, strict=True)]
    return _derived(float(value), arguments, slopes, result_units, function.__name__)


def _power(base: Quantity, exponent: Quantity) -> algebra.Rule:
    return algebra.power_rule(base.units, exponent.units, exponent.value, exponent_is_exact=exponent.u == 0)


def _derived(value: float, arguments: list[Quantity], slopes: list[float], units: str, name: str) -> Quantity:
    for argument, slope in zip(arguments, slopes, strict=True):
        if argument.u > 0 and not math.isfinite(slope):
            msg = (
                f"{name} has no finite slope at {argument.label or 'argument'} = {argument.value:g}; "
                "use uncertainty.sample"
            )
            raise UncertaintyError(msg)
    usable = [slope if math.isfinite(slope) else 0.0 for slope in slopes]
    steps = {str(number): each for number, each in enumerate(arguments)}
    record = history.extend(f"uncertainty.{name}", settings={}, inputs=steps)
    return Quantity.from_components(value, _combine(arguments, usable), units=units, history=record)
