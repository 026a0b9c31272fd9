"""Uncertain arrays made, joined and interpolated.

Not here: what arrays do (`analysis.uncertainty.array`), Datasets of them (`analysis.uncertainty.array_exchange`).
"""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy import sparse

from analysis.core import UncertaintyError, history
from analysis.core import units as unit_rules
from analysis.uncertainty.array import UncertainArray
from analysis.uncertainty.contributions import Direct, Part, joined
from analysis.uncertainty.distributions import Distribution, normal
from analysis.uncertainty.elements import reunited
from analysis.uncertainty.quantity import Quantity
from analysis.uncertainty.sources import Source, fresh_id

Values = xr.DataArray | npt.ArrayLike


def array(
    value: Values,
    *,
    u: Values | None = None,
    label: str = "",
    units: str | None = None,
    over: Sequence[str] | None = None,
    dof: float = math.inf,
    pooled: bool = False,
    distribution: Distribution | None = None,
    source: str = "",
    source_id: str = "",
) -> UncertainArray:
    """Make an uncertain array with one source of its own.

    Further sources come by adding arrays or quantities: `array(y, u=noise, label="reading") + offset`.

    Parameters
    ----------
    value:
        Estimates: a DataArray, or an array whose dims are then called `dim_0`, `dim_1` ... NaN is a missing element.
    u:
        Standard uncertainty, >= 0, in the units of `value`: one number, or as many as `value` (a DataArray may have
        fewer dims). None makes an exact array.
    label:
        A short name for tables.
    units:
        UDUNITS string; None takes the attribute `units` of `value`, else `"1"`.
    over:
        The dims along which the source draws independently; None is all of them (noise), `()` is one draw for the
        whole array (a common offset).
    dof:
        Degrees of freedom of each u, > 0.
    pooled:
        Whether all u are one estimate (a pooled standard deviation) instead of one for each draw.
    distribution:
        Of each draw; None is normal.
    source:
        Where the numbers are from.
    source_id:
        Id of the source, for replay; the default is a fresh one, so that two calls are independent.

    Returns
    -------
    :
        The array.

    Raises
    ------
    UncertaintyError
        If u is negative, not finite, or does not fit; or `over` names no dim of the array.
    """
    values = _labelled(value, units)
    dims = tuple(str(dim) for dim in values.dims)
    along = dims if over is None else tuple(over)
    if not set(along) <= set(dims):
        msg = f"{label or 'array'}: over={along} must be dims of the array, which has {dims}"
        raise UncertaintyError(msg)
    key = source_id or fresh_id()
    settings: dict[str, object] = {
        "label": label, "units": values.attrs["units"], "over": list(along), "source": source, "pooled": pooled,
        "dof": None if math.isinf(dof) else dof, "source_id": key,
        "distribution": None if distribution is None else distribution.to_json(),
    }  # fmt: skip
    parts: dict[Source, Part] = {}
    given = {"value": value if isinstance(value, xr.DataArray) else np.asarray(value, dtype=float), "u": u}
    inputs = {name: thing for name, thing in given.items() if isinstance(thing, xr.DataArray | np.ndarray)}
    if u is not None:
        if "u" not in inputs:
            settings["u"] = np.asarray(u, dtype=float).tolist()
        c = _contribution(values, u, label)
        sizes = [values.sizes[dim] if dim in along else 1 for dim in dims]
        own = Source(
            id=key, label=label, units=str(values.attrs["units"]), kind="B" if math.isinf(dof) else "A", dof=dof,
            distribution=distribution or normal(), origin=source, over=along, ensemble=key if pooled else "",
        )  # fmt: skip
        parts[own] = Direct(c=c.values, draw=np.arange(math.prod(sizes)).reshape(sizes), draws=math.prod(sizes))
    record = history.extend("uncertainty.array", settings=settings, inputs=inputs)
    return UncertainArray(value=values, parts=parts, label=label, history=record)


def _labelled(value: Values, units: str | None) -> xr.DataArray:
    named = value if isinstance(value, xr.DataArray) else xr.DataArray(np.asarray(value, dtype=float))
    spelled = unit_rules.require_units(str(named.attrs.get("units", "1")) if units is None else units) or units
    attrs = {"units": str(named.attrs.get("units", "1")) if units is None else spelled}
    made = xr.DataArray(named.values.astype(float), dims=named.dims, coords=named.coords, attrs=attrs)
    if np.isinf(made.values).any():
        msg = f"{int(np.isinf(made.values).sum())} values are infinite; wanted finite ones, or NaN for a missing one"
        raise UncertaintyError(msg)
    return made


def _contribution(values: xr.DataArray, u: Values, label: str) -> xr.DataArray:
    """Return u with the dims of the values, each of the same length or 1."""
    if isinstance(u, xr.DataArray):
        extra = [str(dim) for dim in u.dims if dim not in values.dims]
        if extra or any(u.sizes[dim] != values.sizes[dim] for dim in u.dims):
            msg = (
                f"{label or 'array'}: u has {dict(u.sizes)}, the values have {dict(values.sizes)}; wanted some of these"
            )
            raise UncertaintyError(msg)
        spelled = str(u.attrs.get("units", values.attrs["units"]))
        scale = unit_rules.factor(spelled, str(values.attrs["units"]))
        c = u.expand_dims([dim for dim in values.dims if dim not in u.dims]).transpose(*values.dims).values * scale
    else:
        numbers = np.asarray(u, dtype=float)
        if numbers.ndim and numbers.shape != values.shape:
            msg = f"{label or 'array'}: u has shape {numbers.shape}, the values {values.shape}; wanted that, or one u"
            raise UncertaintyError(msg)
        c = numbers.reshape(numbers.shape or (1,) * values.ndim)
    missing = np.isnan(c) & np.isnan(values.values)
    wrong = ~((c >= 0) & (c < np.inf)) & ~missing
    if wrong.any():
        msg = (
            f"{label or 'array'}: u must be finite and not negative; {int(wrong.sum())} are not, the first is "
            f"{np.broadcast_to(c, wrong.shape)[wrong][0]:g}"
        )
        raise UncertaintyError(msg)
    return xr.DataArray(np.where(np.isnan(c), 0.0, c) if missing.any() else c, dims=values.dims)


def concat(arrays: Sequence[UncertainArray], *, dim: str) -> UncertainArray:
    """Join arrays along a dim.

    Parameters
    ----------
    arrays:
        With the same units and, but for `dim`, the same dims and labels; those without `dim` get it.
    dim:
        Along which.

    Returns
    -------
    :
        With the correlations between the pieces.

    Raises
    ------
    UncertaintyError
        If there is none, or units, dims or labels differ.
    """
    if not arrays or any(each.units != arrays[0].units for each in arrays):
        msg = f"concat needs arrays of the same units, got {[each.units for each in arrays]}; convert with x.to(...)"
        raise UncertaintyError(msg)
    try:
        value = xr.concat([each.value for each in arrays], dim, join="exact", combine_attrs="override")
    except ValueError as error:
        msg = f"these arrays do not join along {dim!r}: {error}"
        raise UncertaintyError(msg) from error
    dims = [str(name) for name in value.dims]
    axis = dims.index(dim)
    lifted, shapes = [], []
    for each in arrays:
        shape = tuple(each.value.sizes.get(name, 1) for name in dims)
        axes = [each.dims.index(name) if name in each.dims else None for name in dims]
        lifted.append({source: part.lifted(axes, shape) for source, part in each.parts.items()})
        shapes.append(shape)
    lifted = [dict(parts) for parts in reunited(lifted)]
    everything = dict.fromkeys(source for parts in lifted for source in parts)
    made = {source: joined([parts.get(source) for parts in lifted], shapes, axis) for source in everything}
    record = history.extend(
        "uncertainty.concat", settings={"dim": dim}, inputs={str(k): each for k, each in enumerate(arrays)}
    )
    return UncertainArray(value=value.assign_attrs(units=arrays[0].units), parts=made, history=record)


def interpolate(x: UncertainArray, to: npt.ArrayLike | Quantity | UncertainArray, *, dim: str) -> UncertainArray:
    """Interpolate linearly along the coordinate of a dim.

    Parameters
    ----------
    x:
        With a coordinate named `dim`, rising or falling.
    to:
        New positions within its range: numbers in its units, or a quantity or an array of one dim, whose uncertainty
        then enters by the slope.
    dim:
        Along which.

    Returns
    -------
    :
        At the new positions, which become the coordinate; neighbours are correlated through the elements that
        they share. What the signal does between its elements is not part of u.

    Raises
    ------
    UncertaintyError
        If there is no such coordinate, it does not rise or fall throughout, or a position lies outside.
    """
    if dim not in x.value.coords or x.value[dim].dims != (dim,):
        msg = f"interpolation needs a coordinate named {dim!r} along that dim; this array has {list(x.value.coords)}"
        raise UncertaintyError(msg)
    units = str(x.value[dim].attrs.get("units", "1"))
    moved = to.to(units) if isinstance(to, Quantity | UncertainArray) else None
    at = np.atleast_1d(np.asarray(to if moved is None else moved.value, dtype=float))
    if at.ndim != 1:
        msg = f"positions must have one dim, got {at.ndim}"
        raise UncertaintyError(msg)
    values, slopes = _weights(np.asarray(x.value[dim].values, dtype=float), at, dim)
    labels = xr.DataArray(at, dims=dim, attrs=dict(x.value[dim].attrs))
    made = x.linear(values, dim=dim)
    made = replace(made, value=made.value.assign_coords({dim: labels}))
    if moved is not None:
        slope = made.value.copy(data=x.linear(slopes, dim=dim).value.values)
        slope.attrs["units"] = unit_rules.multiply(x.units, units, power=-1)
        made = (made + _shift(moved, labels, dim, units) * slope).transpose(x.dims)
    inputs: dict[str, object] = {"x": x} if moved is None else {"x": x, "to": to}
    settings = {"dim": dim, "to": at.tolist()} if moved is None else {"dim": dim}
    step = history.extend("uncertainty.interpolate", settings=settings, inputs=inputs)
    return replace(made, label=x.label, history=step)


def _weights(
    axis: npt.NDArray[np.float64], at: npt.NDArray[np.float64], dim: str
) -> tuple[sparse.csr_array, sparse.csr_array]:
    """Return the matrices that give the values and the slopes at new positions."""
    steps = np.diff(axis)
    if axis.size < 2 or not ((steps > 0).all() or (steps < 0).all()):  # noqa: PLR2004 - a line needs two points
        msg = f"the coordinate {dim!r} must rise or fall throughout, with two elements at least"
        raise UncertaintyError(msg)
    low, high = min(axis[0], axis[-1]), max(axis[0], axis[-1])
    if not ((at >= low) & (at <= high)).all():
        msg = f"positions must lie within {dim!r}, {low:g} to {high:g}; got {at.min():g} to {at.max():g}"
        raise UncertaintyError(msg)
    order = 1 if steps[0] > 0 else -1
    left = np.clip(np.searchsorted(axis[::order], at, side="right") - 1, 0, axis.size - 2)
    left = left if order > 0 else axis.size - 2 - left
    rows, columns = np.repeat(np.arange(at.size), 2), np.stack([left, left + 1], axis=1).ravel()
    part = (at - axis[left]) / steps[left]
    shape = (at.size, axis.size)
    values = sparse.csr_array((np.stack([1 - part, part], axis=1).ravel(), (rows, columns)), shape=shape)
    slopes = sparse.csr_array((np.stack([-1 / steps[left], 1 / steps[left]], axis=1).ravel(), (rows, columns)), shape)
    values.eliminate_zeros()
    return values, slopes


def _shift(moved: Quantity | UncertainArray, labels: xr.DataArray, dim: str, units: str) -> UncertainArray:
    """Return 0 with the uncertainty of the positions."""
    one = moved if isinstance(moved, UncertainArray) else array([moved.value], units=units) + moved
    zero = xr.DataArray(np.zeros(labels.size), dims=dim, coords={dim: labels}, attrs={"units": units})
    return UncertainArray(value=zero, parts=one.parts, history=moved.history)
