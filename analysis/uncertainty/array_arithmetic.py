"""NumPy functions and operators on uncertain arrays: labels, units, values, and what each source does.

Not here: the derivatives (`analysis.uncertainty.algebra`), the array that users hold (`analysis.uncertainty.array`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from analysis.core import UncertaintyError, history
from analysis.core import units as unit_rules
from analysis.uncertainty import algebra, elements
from analysis.uncertainty.contributions import Part, lift
from analysis.uncertainty.quantity import Quantity
from analysis.uncertainty.sources import Source


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Operand:
    """Values with labels, and the contribution of each independent source to each of them."""

    value: xr.DataArray
    """The estimates; the attribute `units` is a UDUNITS string."""
    parts: Mapping[Source, Part] = field(default_factory=dict)
    """What each source does to each element."""
    label: str = ""
    """A short name for tables."""
    history: str = ""
    """How it was computed (`analysis.core.history`)."""

    @property
    def units(self) -> str:
        """UDUNITS string of the values."""
        return str(self.value.attrs.get("units", "1"))

    @property
    def dims(self) -> tuple[str, ...]:
        """Names of the dimensions."""
        return tuple(str(dim) for dim in self.value.dims)

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each dimension."""
        return self.value.shape

    @property
    def u(self) -> xr.DataArray:
        """Standard uncertainty of each element, in `units`."""
        total = np.zeros(self.shape)
        for part in self.parts.values():
            total += part.powers(2, self.shape)
        return self._like(np.sqrt(total, out=total))

    @property
    def sources(self) -> dict[Source, xr.DataArray]:
        """The independent sources, and the standard uncertainty that each causes in each element, in `units`."""
        return {
            source: self._like(np.sqrt(np.broadcast_to(part.powers(2, self.shape), self.shape)))
            for source, part in self.parts.items()
        }

    @property
    def dof(self) -> xr.DataArray:
        """Effective degrees of freedom of each element, not truncated."""
        return self._like(elements.degrees_of_freedom(self.parts, self.shape)).assign_attrs(units="1")

    def covariance(self, other: "Operand | Quantity | None" = None) -> xr.DataArray:
        """Return the covariance of each element with each of another array.

        Parameters
        ----------
        other:
            An array or a quantity; None is the array itself.

        Returns
        -------
        :
            Dims of this array, then those of the other with `_` behind their names; in `units` times its units.
            At most 5e7 elements.
        """
        theirs = self if other is None else taken(other, self)
        found = elements.cross(self.parts, self.shape, theirs.parts, theirs.shape)
        units = {"units": unit_rules.multiply(self.units, theirs.units)}
        return xr.DataArray(found, dims=(*self.dims, *(f"{dim}_" for dim in theirs.dims)), attrs=units)

    def correlation(self, other: "Operand | Quantity | None" = None) -> xr.DataArray:
        """Return the correlation coefficient of each element with each of another array.

        Parameters
        ----------
        other:
            As in `covariance`.

        Returns
        -------
        :
            In [-1, 1], dims as `covariance`; 0 where one of the two is exact.
        """
        found = self.covariance(other)
        theirs = self if other is None else taken(other, self)
        scale = np.multiply.outer(self.u.values, theirs.u.values)
        ratio = np.divide(found.values, scale, out=np.zeros_like(scale), where=scale > 0)
        return found.copy(data=np.clip(ratio, -1.0, 1.0)).assign_attrs(units="1")

    def _like(self, numbers: npt.NDArray[np.float64]) -> xr.DataArray:
        return self.value.copy(data=numbers)


def taken(thing: Any, like: Operand) -> Operand:  # noqa: ANN401 - whatever an operator meets
    """Return what an operator met; plain numbers and labelled arrays are exact.

    Parameters
    ----------
    thing:
        An uncertain array, a quantity, a DataArray, a number, or an array of the shape of `like`.
    like:
        The array that it met.

    Returns
    -------
    :
        It as an operand.

    Raises
    ------
    UncertaintyError
        If it is something else.
    """
    if isinstance(thing, Operand):
        return thing
    if isinstance(thing, Quantity):
        value = xr.DataArray(thing.value, attrs={"units": thing.units})
        return Operand(value=value, parts=elements.of_quantity(thing.parts()), label=thing.label, history=thing.history)
    if isinstance(thing, xr.DataArray):
        return Operand(value=thing, history=history.of(thing))
    numbers = np.asarray(thing)
    if numbers.dtype.kind not in "fiu" or (numbers.ndim and numbers.shape != like.shape):
        msg = (
            f"an operator of an array of {dict(like.value.sizes)} met {type(thing).__name__} of shape {numbers.shape}; "
            "wanted a number, an array of this shape, or a DataArray with dims"
        )
        raise UncertaintyError(msg)
    if not numbers.ndim:
        return taken(Quantity(value=float(numbers), u=0.0, units="1"), like)
    return Operand(value=xr.DataArray(numbers.astype(float), dims=like.dims))


def power(base: Operand, exponent: Operand) -> algebra.Rule:
    """Return how a power acts.

    Parameters
    ----------
    base, exponent:
        The operands.

    Returns
    -------
    :
        Its rule.
    """
    exact = not exponent.parts
    return algebra.power_rule(base.units, exponent.units, exponent.value.values, exponent_is_exact=exact)


def apply(function: np.ufunc, rule: algebra.Rule, given: Sequence[Operand]) -> Operand:
    """Apply a NumPy function.

    Parameters
    ----------
    function:
        A NumPy ufunc.
    rule:
        Its derivatives and units.
    given:
        Its arguments.

    Returns
    -------
    :
        The result with all its sources.

    Raises
    ------
    UncertaintyError
        If labels differ, a result is not finite, or a derivative that is needed is not.
    """
    factors, units = rule.scales([each.units for each in given])
    scaled = [each.value * factor if factor != 1.0 else each.value for each, factor in zip(given, factors, strict=True)]
    value = _evaluated(function, scaled).assign_attrs(units=units)
    axes = [[each.dims.index(dim) if dim in each.dims else None for dim in value.dims] for each in given]
    with np.errstate(all="ignore"):
        slopes = rule.partials(*(lift(each.values, own) for each, own in zip(scaled, axes, strict=True)))
    _require_slopes(function, given, slopes, value)
    terms = []
    for each, own, slope, factor in zip(given, axes, slopes, factors, strict=True):
        rate = slope * factor if factor != 1.0 else slope
        terms.append({source: part.lifted(own, value.shape).scaled(rate) for source, part in each.parts.items()})
    steps = {str(number): each if each.history else each.value for number, each in enumerate(given)}
    record = history.extend(f"uncertainty.{function.__name__}", settings={}, inputs=steps)
    return Operand(value=value, parts=elements.merged(terms, value.shape), history=record)


def _evaluated(function: np.ufunc, arguments: Sequence[xr.DataArray]) -> xr.DataArray:
    try:
        aligned = xr.align(*arguments, join="exact", copy=False)
        with np.errstate(all="ignore"):
            value: xr.DataArray = function(*aligned)
    except ValueError as error:
        msg = f"{function.__name__}: the labels of the two arrays differ; select what they share first ({error})"
        raise UncertaintyError(msg) from error
    if np.isfinite(value.values).all():
        return value
    known = xr.broadcast(*arguments)
    wrong = ~np.isfinite(value.values) & np.isfinite([each.values for each in known]).all(axis=0)
    if wrong.any():
        msg = (
            f"{function.__name__} is not finite in {int(wrong.sum())} of {value.size} elements; wanted arguments "
            "inside its domain: take them out with x.isel first"
        )
        raise UncertaintyError(msg)
    return value


def _require_slopes(function: np.ufunc, given: Sequence[Operand], slopes: Sequence[Any], value: xr.DataArray) -> None:
    for each, slope in zip(given, slopes, strict=True):
        wrong = ~np.isfinite(slope) & np.isfinite(value.values) if each.parts else np.zeros(1, dtype=bool)
        if wrong.any():
            msg = (
                f"{function.__name__} has no finite slope in {int(wrong.sum())} elements of "
                f"{each.label or 'its argument'}; take them out with x.isel, or sample them one by one"
            )
            raise UncertaintyError(msg)
