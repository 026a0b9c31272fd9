"""Sources of uncertainty: what is unknown once, and how it stands in a Dataset.

An uncertain thing is a value and, for each independent `Source`, its signed contribution. Two things that share a
source are correlated, exactly and without a correlation matrix.
Not here: arithmetic (`analysis.uncertainty.algebra`), scalars (`analysis.uncertainty.quantity`).
"""

import json
import math
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import xarray as xr

from analysis.core import UncertaintyError, did_you_mean
from analysis.uncertainty.distributions import Distribution, normal

SOURCE = "source"
INFO = "source_info"


@dataclass(frozen=True, kw_only=True, eq=False)
class Source:
    """One independent thing that is not known exactly; equal only to a source with the same id."""

    id: str
    """Fixed for certificates and packaged items, a hash for computed ones, fresh for hand-made ones."""
    label: str
    """A short name for the budget."""
    units: str = "1"
    """Units of the quantity it was stated for."""
    kind: Literal["A", "B"] = "B"
    """Type A (from repeated readings) or Type B evaluation."""
    distribution: Distribution = field(default_factory=normal)
    """Standardised distribution."""
    dof: float = math.inf
    """Degrees of freedom of its standard uncertainty."""
    origin: str = ""
    """Where it is from: file hash, certificate, clause."""
    tags: tuple[str, ...] = ()
    """Words to group by, for example `lamp` or `noise`."""
    over: tuple[str, ...] = ()
    """Dims along which it draws independently; `()` is one number for everything."""
    ensemble: str = ""
    """Id of the joint Type A evaluation that several sources came from; their variances are one estimate."""

    def __post_init__(self) -> None:
        if not self.id:
            msg = f"a source needs an id; {self.label!r} has none. Use sources.fresh_id()"
            raise UncertaintyError(msg)
        if self.kind not in ("A", "B"):
            msg = f"source {self.label!r}: kind must be 'A' or 'B', got {self.kind!r}"
            raise UncertaintyError(msg)
        require_dof(self.dof, self.label or self.id)

    def __eq__(self, other: object) -> bool:
        """Compare ids: equal text never means equal source."""
        return isinstance(other, Source) and other.id == self.id

    def __hash__(self) -> int:
        """Hash the id."""
        return hash(self.id)

    def to_json(self) -> str:
        """Write the source as JSON text.

        Returns
        -------
        :
            JSON text; an infinite dof is `null`.
        """
        content: dict[str, Any] = {
            "id": self.id,
            "label": self.label,
            "units": self.units,
            "kind": self.kind,
            "distribution": json.loads(self.distribution.to_json()),
            "dof": None if math.isinf(self.dof) else float(self.dof),
            "origin": self.origin,
            "tags": list(self.tags),
            "over": list(self.over),
            "ensemble": self.ensemble,
        }
        return json.dumps(content, ensure_ascii=False, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "Source":
        """Read what `to_json` wrote.

        Parameters
        ----------
        text:
            JSON text.

        Returns
        -------
        :
            The source.

        Raises
        ------
        UncertaintyError
            If the text is not a source.
        """
        try:
            found = json.loads(text)
            return cls(
                id=str(found["id"]),
                label=str(found["label"]),
                units=str(found["units"]),
                kind=found["kind"],
                distribution=Distribution.from_json(json.dumps(found["distribution"])),
                dof=math.inf if found["dof"] is None else float(found["dof"]),
                origin=str(found["origin"]),
                tags=tuple(str(tag) for tag in found["tags"]),
                over=tuple(str(dim) for dim in found["over"]),
                ensemble=str(found["ensemble"]),
            )
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            msg = f"not a source ({error!r}): {str(text)[:60]!r}; wanted the JSON text of Source.to_json"
            raise UncertaintyError(msg) from error


def fresh_id() -> str:
    """Return an id that no other source has.

    Returns
    -------
    :
        A random hexadecimal id.
    """
    return uuid.uuid4().hex


def require_dof(dof: float, name: str) -> float:
    """Return degrees of freedom after their check.

    Parameters
    ----------
    dof:
        Above 0; infinity is allowed.
    name:
        What they belong to, for the message.

    Returns
    -------
    :
        The same number.

    Raises
    ------
    UncertaintyError
        If they are 0, negative or NaN.
    """
    if not dof > 0:
        msg = (
            f"{name or 'quantity'}: degrees of freedom must be above 0, got {dof:g}; use math.inf "
            "where u is exactly known"
        )
        raise UncertaintyError(msg)
    return dof


def attach(
    dataset: xr.Dataset, name: str, components: Mapping[Source, npt.ArrayLike], dims: tuple[str, ...]
) -> xr.Dataset:
    """Return the dataset with the sources of one of its variables.

    Parameters
    ----------
    dataset:
        Not changed.
    name:
        The variable or coordinate that the contributions belong to.
    components:
        For each source its signed contribution (sensitivity times standard uncertainty), shape of `dims`,
        in the units of `name`.
    dims:
        Dims of a contribution, for example `("channel",)`.

    Returns
    -------
    :
        With `<name>_sources` (source, *dims) and the coordinates `source`, `source_info`; the sources of other
        variables are kept, with zero where they do not contribute.

    Raises
    ------
    UncertaintyError
        If a contribution has another shape or is not finite.
    """
    key = f"{name}_sources"
    others = {
        str(each): detach(dataset, str(each)[: -len("_sources")])
        for each in dataset.data_vars
        if str(each).endswith("_sources") and str(each) != key and SOURCE in dataset[each].dims
    }
    other_dims = {each: tuple(str(dim) for dim in dataset[each].dims if dim != SOURCE) for each in others}
    attrs = {each: dataset[each].attrs for each in others}
    union = dict.fromkeys(source for each in others.values() for source in each) | dict.fromkeys(components)
    order = list(union)
    bare = dataset.drop_vars([*others, key, SOURCE, INFO], errors="ignore")
    units = dataset[name].attrs.get("units", "1") if name in dataset else "1"
    result = bare.assign({each: _stack(bare, each, order, others[each], other_dims[each]) for each in others})
    result = result.assign({key: _stack(bare, key, order, components, dims)})
    for each, kept in attrs.items():
        result[each].attrs.update(kept)
    result[key].attrs.update(units=units, long_name=f"contributions to {name} by source")
    info = np.array([source.to_json() for source in order], dtype=object).astype(str)
    ids = np.array([source.id for source in order], dtype=object).astype(str)
    return result.assign_coords({SOURCE: (SOURCE, ids), INFO: (SOURCE, info)})


def detach(dataset: xr.Dataset, name: str) -> dict[Source, npt.NDArray[np.float64]]:
    """Return the sources of one variable of a dataset.

    Parameters
    ----------
    dataset:
        Made by `attach`, perhaps read from a file.
    name:
        The variable or coordinate.

    Returns
    -------
    :
        For each source that contributes its signed contribution, in the units of `name`; empty if the variable
        has no sources.

    Raises
    ------
    UncertaintyError
        If there is no such variable, or `source_info` is missing.
    """
    key = f"{name}_sources"
    if key not in dataset:
        if name not in dataset:
            names = [str(each) for each in dataset.variables]
            msg = f"no variable named {name!r}; this dataset has {names}.{did_you_mean(name, names)}"
            raise UncertaintyError(msg)
        return {}
    if INFO not in dataset.coords:
        msg = f"{key!r} has no coordinate {INFO!r} that says what its sources are; write it with sources.attach"
        raise UncertaintyError(msg)
    stack = dataset[key].transpose(SOURCE, ...).values
    found = (Source.from_json(str(text)) for text in dataset[INFO].values)
    return {source: np.array(row, dtype=float) for source, row in zip(found, stack, strict=True) if np.any(row != 0)}


def _stack(
    dataset: xr.Dataset,
    key: str,
    order: list[Source],
    components: Mapping[Source, npt.ArrayLike],
    dims: tuple[str, ...],
) -> xr.Variable:
    shape = tuple(dataset.sizes[dim] for dim in dims if dim in dataset.sizes)
    rows = []
    for source in order:
        row = np.asarray(components.get(source, np.zeros(shape)), dtype=float)
        if row.ndim != len(dims) or (len(shape) == len(dims) and row.shape != shape):
            msg = f"{key}: the contribution of {source.label!r} has shape {row.shape}; wanted {shape} for dims {dims}"
            raise UncertaintyError(msg)
        if np.isinf(row).any():
            msg = f"{key}: the contribution of {source.label!r} is infinite in {int(np.isinf(row).sum())} places"
            raise UncertaintyError(msg)
        rows.append(row)
    return xr.Variable((SOURCE, *dims), np.stack(rows) if rows else np.zeros((0, *shape)))
