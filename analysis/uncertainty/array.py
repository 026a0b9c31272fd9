"""Arrays with their uncertainty, resolved into independent sources: an xarray value and what each source does to it.

Operators and NumPy functions keep every correlation, also between elements; what would lose one is refused.
Not here: one source's contributions (`analysis.uncertainty.contributions`), operators
(`analysis.uncertainty.array_arithmetic`), how arrays are made, joined and stored (`analysis.uncertainty.arrays`).
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from numpy.lib.mixins import NDArrayOperatorsMixin
from scipy import sparse

from analysis.core import Cell, Displayed, Number, UncertaintyError, did_you_mean, history
from analysis.core import units as unit_rules
from analysis.uncertainty import algebra, array_exchange, elements
from analysis.uncertainty.array_arithmetic import Operand, apply, power, taken
from analysis.uncertainty.budget import Budget
from analysis.uncertainty.contributions import Rearrange
from analysis.uncertainty.formatting import format_value
from analysis.uncertainty.propagate import propagate
from analysis.uncertainty.quantity import Quantity

Key = int | slice | npt.NDArray[Any] | Sequence[int]
Place = Mapping[str, int]
_COPIED = 200  # elements that a display carries as text to copy
_SHOWN = 3
_SMALL = 1_000_000  # numbers of a matrix that enters the history as it is


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class UncertainArray(Displayed, Operand, NDArrayOperatorsMixin):
    """Values with labels, and the contribution of each independent source to each of them.

    Made by `uncertainty.array`. It takes operators, NumPy functions and quantities, to first order and with exact
    correlations: `x - x` is 0 ± 0, and `x[1:] - x[:-1]` knows what neighbours share.
    """

    def quantity(self, at: Place | None = None) -> Quantity:
        """Take one element as a quantity, correlated with all others as it is here.

        Parameters
        ----------
        at:
            Position of the element, one integer for each dim; None where there are no dims.

        Returns
        -------
        :
            The element with its sources.

        Raises
        ------
        UncertaintyError
            If the element is not named in full, or is NaN.
        """
        named = dict(at or {})
        self._require_dims(named)
        if len(named) < len(self.dims):
            msg = f"one element of dims {self.dims} needs a position in each, got {named}"
            raise UncertaintyError(msg)
        one = self.isel(named)
        spot = ", ".join(f"{dim} {i}" for dim, i in named.items())
        return Quantity.from_components(
            float(one.value),
            elements.element(one.parts, (), ()),
            units=self.units,
            label=f"{self.label} at {spot}" if self.label and spot else self.label,
            history=history.extend("uncertainty.element", settings={"at": named}, inputs={"array": self}),
        )

    def budget(self, at: Place | None = None) -> Budget:
        """Return the budget of one element.

        Parameters
        ----------
        at:
            As in `quantity`.

        Returns
        -------
        :
            By source; it can be sampled and certified like any other.
        """
        one = self.quantity(at)
        return propagate("x", {"x": one}, name=one.label or "x", units=self.units)

    def to(self, units: str) -> "UncertainArray":
        """Convert to other units; offsets (degC to K) move the values only.

        Parameters
        ----------
        units:
            UDUNITS string of the same dimension.

        Returns
        -------
        :
            The array with the same sources.
        """
        factor, zero = unit_rules.factor(self.units, units), unit_rules.convert(0.0, self.units, units)
        return replace(
            self,
            value=(self.value * factor + zero).assign_attrs(units=units),
            parts={source: part.scaled(factor) for source, part in self.parts.items()},
            history=history.extend("uncertainty.to", settings={"units": units}, inputs={"quantity": self}),
        )

    def isel(self, indexers: Mapping[str, Key]) -> "UncertainArray":
        """Take elements by position.

        Parameters
        ----------
        indexers:
            For each dim a position, a slice, a list of positions or a mask.

        Returns
        -------
        :
            Each element keeps its draws, so that a piece stays correlated with the whole.

        Raises
        ------
        UncertaintyError
            If there is no such dim or position.
        """
        self._require_dims(indexers)
        try:
            value = self.value.isel(indexers)
            places = {dim: np.arange(self.value.sizes[dim])[key] for dim, key in indexers.items()}
        except (IndexError, ValueError, TypeError) as error:
            msg = f"no such elements in an array of {dict(self.value.sizes)}: {error}"
            raise UncertaintyError(msg) from error
        return self._rearranged(
            value, lambda a: xr.Variable(self.dims, a).isel(indexers).values, "isel", {"indexers": places}
        )

    def sel(self, labels: Mapping[str, Any], *, nearest: bool = False) -> "UncertainArray":
        """Take elements by their coordinates.

        Parameters
        ----------
        labels:
            For each dim a label, a list of labels or a slice of labels.
        nearest:
            Whether a label may stand for the nearest one there is.

        Returns
        -------
        :
            As `isel`.

        Raises
        ------
        UncertaintyError
            If there is no such dim or label.
        """
        self._require_dims(labels)
        places = {}
        for dim, label in labels.items():
            numbers = xr.DataArray(np.arange(self.value.sizes[dim]), dims=dim, coords={dim: self.value[dim]})
            try:
                places[dim] = numbers.sel({dim: label}, method="nearest" if nearest else None).values
            except (KeyError, TypeError, ValueError) as error:
                msg = f"no element of {dim!r} is labelled {label!r} ({error}); nearest=True takes the nearest"
                raise UncertaintyError(msg) from error
        return self.isel(places)

    def __getitem__(self, key: Key | tuple[Any, ...]) -> "UncertainArray":
        """Take elements by position, as NumPy writes it."""
        keys = key if isinstance(key, tuple) else (key,)
        if len(keys) > len(self.dims) or any(each is None or each is Ellipsis for each in keys):
            msg = f"an array of dims {self.dims} takes at most one position, slice or mask for each, got {key!r}"
            raise UncertaintyError(msg)
        return self.isel(dict(zip(self.dims, keys, strict=False)))

    def transpose(self, dims: Sequence[str]) -> "UncertainArray":
        """Reorder the dims.

        Parameters
        ----------
        dims:
            All dims in their new order.

        Returns
        -------
        :
            The same elements.

        Raises
        ------
        UncertaintyError
            If these are not the dims of the array.
        """
        if sorted(dims) != sorted(self.dims):
            msg = f"wanted the dims of the array, {self.dims}, in a new order; got {tuple(dims)}"
            raise UncertaintyError(msg)
        axes = [self.dims.index(dim) for dim in dims]
        value = self.value.transpose(*dims)
        return self._rearranged(value, lambda a: a.transpose(axes), "transpose", {"dims": list(dims)})

    def to_dataset(self) -> xr.Dataset:
        """Return the array as a Dataset that a file can hold.

        Returns
        -------
        :
            See `analysis.uncertainty.array_exchange`.
        """
        return array_exchange.to_dataset(self)

    @staticmethod
    def from_dataset(dataset: xr.Dataset) -> "UncertainArray":
        """Read what `to_dataset` made.

        Parameters
        ----------
        dataset:
            Perhaps read from a file, perhaps cut by position or label.

        Returns
        -------
        :
            The array, correlated with all others of the same sources.
        """
        found = array_exchange.from_dataset(dataset)
        return UncertainArray(value=found.value, parts=found.parts, label=found.label, history=found.history)

    def linear(self, matrix: npt.ArrayLike | sparse.sparray, *, dim: str) -> "UncertainArray":
        """Multiply the vectors along a dim by an exact matrix: any smoothing, derivative or projection.

        Parameters
        ----------
        matrix:
            Shape (new length, length of `dim`), dense or scipy.sparse, dimensionless.
        dim:
            Along which; it keeps its coordinates where its length stays, else it has none.

        Returns
        -------
        :
            With the correlations that the matrix makes.

        Raises
        ------
        UncertaintyError
            If the matrix does not fit, or the correlations need more than 5e7 numbers.
        """
        self._require_dims([dim])
        dense: Any = matrix if isinstance(matrix, sparse.sparray) else np.atleast_2d(np.asarray(matrix, dtype=float))
        entries: Any = sparse.csr_array(dense)
        if entries.shape[1] != self.value.sizes[dim]:
            msg = f"the matrix has shape {entries.shape}, but {dim!r} has {self.value.sizes[dim]} elements"
            raise UncertaintyError(msg)
        axis = self.dims.index(dim)
        stack = np.moveaxis(self.value.values, axis, 0)
        made = np.moveaxis((entries @ stack.reshape(stack.shape[0], -1)).reshape(-1, *stack.shape[1:]), 0, axis)
        same = entries.shape[0] == entries.shape[1]
        kept = {str(n): c for n, c in self.value.coords.items() if same or dim not in c.dims}
        told = entries.toarray() if math.prod(entries.shape) <= _SMALL else entries.data
        return UncertainArray(
            value=xr.DataArray(made, dims=self.dims, coords=kept, attrs={"units": self.units}),
            parts={source: part.along(axis, entries, self.shape) for source, part in self.parts.items()},
            history=history.extend("uncertainty.linear", settings={"dim": dim}, inputs={"array": self, "matrix": told}),
        )

    def sum(self, dims: str | Sequence[str] | None = None) -> "UncertainArray":
        """Add up elements.

        Parameters
        ----------
        dims:
            Along which; None is all.

        Returns
        -------
        :
            What elements share adds up; what each draws by itself adds in squares.
        """
        return self._reduced(dims, mean=False)

    def mean(self, dims: str | Sequence[str] | None = None) -> "UncertainArray":
        """Average elements.

        Parameters
        ----------
        dims:
            Along which; None is all.

        Returns
        -------
        :
            What elements share stays as it is; only what each draws by itself becomes less.
        """
        return self._reduced(dims, mean=True)

    def __array_ufunc__(self, function: np.ufunc, method: str, *inputs: Any, **settings: Any) -> Any:  # noqa: ANN401
        """Apply a NumPy function or an operator."""
        if method != "__call__" or settings:
            msg = f"np.{function.__name__}.{method} with {sorted(settings)} would lose correlations; use x.sum(dims)"
            raise UncertaintyError(msg)
        given = [taken(each, self) for each in inputs]
        rule = power(*given) if function is np.power else algebra.rule_of(function)
        if rule is None:
            msg = f"np.{function.__name__} is not defined with uncertainty; there are {algebra.names()}, and x.value"
            raise UncertaintyError(msg)
        made = apply(function, rule, given)
        return UncertainArray(value=made.value, parts=made.parts, history=made.history)

    def __array_function__(self, function: Callable[..., Any], *given: object) -> "UncertainArray":
        """Refuse NumPy's other functions, which would lose the correlations."""
        if function in (np.sum, np.mean) and given[1:] == ((self,), {}):
            return self.sum() if function is np.sum else self.mean()
        msg = (
            f"np.{function.__name__} does not know of correlations; use x.sum(dims), x.mean(dims), x.linear(matrix, "
            "dim=...), uncertainty.concat, uncertainty.interpolate, or x.value for the bare numbers"
        )
        raise UncertaintyError(msg)

    def __array__(self, dtype: object = None, copy: object = None) -> npt.NDArray[np.float64]:
        """Refuse: a bare array has no uncertainty."""
        msg = (
            "an UncertainArray does not turn into plain numbers by itself; write x.value or x.u, or put it on the left"
        )
        raise UncertaintyError(msg)

    def __bool__(self) -> bool:
        """Refuse: an array is neither true nor false."""
        msg = "an UncertainArray is neither true nor false; compare x.value, or x.value with k * x.u"
        raise UncertaintyError(msg)

    def __str__(self) -> str:
        """Write the first and last elements with the digits that u allows."""
        pairs = [format_value(v, u) for v, u in zip(self.value.values.flat, self.u.values.flat, strict=True)]
        shown = pairs if len(pairs) <= 2 * _SHOWN else [*pairs[:_SHOWN], "…", *pairs[-_SHOWN:]]
        size = ", ".join(f"{dim} {size}" for dim, size in self.value.sizes.items())
        units = "" if self.units == "1" else f" {self.units}"
        return f"{self.label or 'array'} ({size}): {', '.join(shown)}{units} (k = 1)"

    __repr__ = __str__

    def _head(self) -> tuple[Cell, ...]:
        text = str(self).removesuffix(" (k = 1)")
        title, numbers = text.removesuffix(f" {self.units}").rsplit(": ", 1)
        return (f"{title}: ", Number(text=numbers, units=self.units), " (k = 1)")

    def _small(self) -> bool:
        return bool(self.value.size <= _COPIED)

    def _records(self) -> list[dict[str, object]]:
        numbers = zip(np.ndindex(self.value.shape), self.value.values.flat, self.u.values.flat, strict=True)
        return [
            {**dict(zip(self.dims, at, strict=True)), "value": float(v), "u": float(u), "units": self.units}
            for at, v, u in numbers
        ]

    def _require_dims(self, named: Mapping[str, Any] | Sequence[str]) -> None:
        for dim in named:
            if dim not in self.dims:
                msg = f"no dim named {dim!r}; this array has {self.dims}.{did_you_mean(str(dim), self.dims)}"
                raise UncertaintyError(msg)

    def _rearranged(
        self, value: xr.DataArray, how: Rearrange, name: str, settings: Mapping[str, object]
    ) -> "UncertainArray":
        return UncertainArray(
            value=value,
            parts={source: part.rearranged(how, self.shape) for source, part in self.parts.items()},
            label=self.label,
            history=history.extend(f"uncertainty.{name}", settings=settings, inputs={"array": self}),
        )

    def _reduced(self, dims: str | Sequence[str] | None, *, mean: bool) -> "UncertainArray":
        names = self.dims if dims is None else (dims,) if isinstance(dims, str) else tuple(dims)
        done = self
        for dim in names:
            size = done.value.sizes[dim] if dim in done.dims else 1
            done = done.linear(np.full((1, size), 1.0 / size if mean else 1.0), dim=dim).isel({dim: 0})
        settings = {"dims": list(names)}
        step = history.extend(f"uncertainty.{'mean' if mean else 'sum'}", settings=settings, inputs={"array": self})
        return replace(done, label=self.label, history=step)
