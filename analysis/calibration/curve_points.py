"""Points of a calibration: what is given in x and y, as values with the sources of their uncertainty.

Not here: the fit (`analysis.calibration.curve_fit`), the doors (`analysis.calibration.curves`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import xarray as xr

from analysis.core import CalibrationError, UncertaintyError
from analysis.core import units as unit_rules
from analysis.uncertainty import Quantity, Source
from analysis.uncertainty.correlation import joint_sources

__all__ = ["Given", "Points", "points_of"]

Array = npt.NDArray[np.float64]
Given = Sequence[float] | Sequence[Quantity] | npt.NDArray[np.float64] | xr.DataArray


@dataclass(frozen=True, kw_only=True)
class Points:
    """Values of x and y with the contribution of each source to each of them."""

    x: Array
    y: Array
    sources: tuple[Source, ...]
    parts: Array
    """Contribution of each source to all x, then all y, dims `(source, 2 point)`."""
    of_units: str
    units: str
    known: bool
    """False if nothing was said about any uncertainty: the points then count alike, and the residuals say how much."""
    history: Mapping[str, object]
    inputs: Mapping[str, Quantity]
    """The Quantities among the points, by their names in the history: `x0`, `x1` ... `y0` ..."""

    @property
    def covariance(self) -> Array:
        """Of all x, then all y, dims `(2 point, 2 point)`."""
        if not self.known:
            return np.diag(np.r_[np.zeros(self.x.size), np.ones(self.y.size)])
        return np.asarray(self.parts.T @ self.parts)

    @property
    def u(self) -> tuple[Array, Array]:
        """Standard uncertainties of x and of y."""
        diagonal = np.sqrt(np.diag(self.covariance))
        return diagonal[: self.x.size], diagonal[self.x.size :]


def points_of(
    x: Given, y: Given, *, u_x: npt.ArrayLike | None = None, u_y: npt.ArrayLike | None = None,
    cov_x: npt.ArrayLike | None = None, cov_y: npt.ArrayLike | None = None, cov_xy: npt.ArrayLike | None = None,
) -> Points:  # fmt: skip
    """Bring all ways of stating points and their uncertainties into one.

    Parameters
    ----------
    x, y:
        Numbers, Quantities, or DataArrays with units, n of each.
    u_x, u_y:
        Standard uncertainties, one or n, >= 0.
    cov_x, cov_y, cov_xy:
        Covariances, shape `(n, n)`; the last has x along its rows.

    Returns
    -------
    :
        The points.

    Raises
    ------
    CalibrationError
        If sizes do not match, a number is not finite, or an uncertainty is said twice or cannot be.
    """
    ours, theirs = _Side.of("x", x, u_x, cov_x), _Side.of("y", y, u_y, cov_y)
    count = ours.values.size
    if theirs.values.size != count or count < 2:  # noqa: PLR2004 - a curve needs two points
        msg = f"a calibration needs as many x as y, at least 2; got {count} x and {theirs.values.size} y"
        raise CalibrationError(msg)
    if ours.stated and not theirs.stated:
        msg = "u of x is given and that of y is not; give u_y too (0 where y is exact)"
        raise CalibrationError(msg)
    cross = np.zeros((count, count)) if cov_xy is None else _matrix(cov_xy, count, "cov_xy")
    if cov_xy is not None and (ours.quantities or theirs.quantities):
        msg = (
            "Quantities carry their correlations as shared sources; leave cov_xy out, or give numbers and cov_x, cov_y"
        )
        raise CalibrationError(msg)
    named: dict[Source, Array] = {}
    ours.add_to(named, 0, 2 * count)
    theirs.add_to(named, count, 2 * count)
    rest = np.block([[ours.covariance, cross], [cross.T, theirs.covariance]])
    at = np.flatnonzero(np.diag(rest) > 0.0)
    if cross[np.diag(ours.covariance) == 0.0].any() or cross[:, np.diag(theirs.covariance) == 0.0].any():
        msg = "cov_xy speaks of a point whose u in x or y is 0; a correlation needs an uncertainty on both sides"
        raise CalibrationError(msg)
    if at.size:
        _add_plain(named, rest, at, [*ours.values, *theirs.values], count)
    parts = np.array(list(named.values())).reshape(-1, 2 * count)
    kept = {"x": ours.said(), "y": theirs.said(), "cov_xy": None if cov_xy is None else cross.tolist()}
    return Points(
        x=ours.values, y=theirs.values, sources=tuple(named), parts=parts, of_units=ours.units, units=theirs.units,
        known=ours.stated or theirs.stated, history=kept,
        inputs={f"{side.name}{k}": each for side in (ours, theirs) for k, each in enumerate(side.quantities)},
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class _Side:
    """One variable of the points."""

    name: str
    values: Array
    units: str
    quantities: tuple[Quantity, ...]
    covariance: Array
    u: Sequence[float] | float | None
    stated: bool

    @classmethod
    def of(cls, name: str, given: Given, u: npt.ArrayLike | None, covariance: npt.ArrayLike | None) -> "_Side":
        units = str(given.attrs.get("units", "1")) if isinstance(given, xr.DataArray) else "1"
        items = list(given.values if isinstance(given, xr.DataArray) else given)
        quantities = tuple(each for each in items if isinstance(each, Quantity))
        if quantities and len(quantities) < len(items):
            msg = f"{name} mixes numbers and Quantities; give all as Quantities (u=0 where exact)"
            raise CalibrationError(msg)
        said = [word for word, value in ((f"u_{name}", u), (f"cov_{name}", covariance)) if value is not None]
        if len(said) + bool(quantities) > 1:
            msg = f"the uncertainty of {name} is given more than once: {said}{' and Quantities' if quantities else ''}"
            raise CalibrationError(msg)
        if quantities:
            units = quantities[0].units
            quantities = tuple(each.to(units) if each.units != units else each for each in quantities)
            values = np.array([each.value for each in quantities])
        else:
            values = np.asarray(items, dtype=float)
        unit_rules.require_units(units)
        if values.ndim != 1 or not np.isfinite(values).all():
            wrong = int((~np.isfinite(values)).sum())
            msg = f"{name} must be finite numbers in one row; got shape {values.shape}, {wrong} not finite"
            raise CalibrationError(msg)
        return cls(
            name=name, values=values, units=units, quantities=quantities,
            covariance=_covariance(name, u, covariance, values.size), stated=bool(said or quantities),
            u=None if u is None else np.asarray(u, dtype=float).tolist(),
        )  # fmt: skip

    def add_to(self, named: dict[Source, Array], first: int, size: int) -> None:
        for i, quantity in enumerate(self.quantities):
            for source, part in quantity.parts().items():
                named.setdefault(source, np.zeros(size))[first + i] += part

    def said(self) -> object:
        if self.quantities:
            return len(self.quantities)
        return {
            "values": self.values.tolist(), "units": self.units, "u": self.u,
            "covariance": self.covariance.tolist() if self.stated and self.u is None else None,
        }  # fmt: skip


def _covariance(name: str, u: npt.ArrayLike | None, covariance: npt.ArrayLike | None, count: int) -> Array:
    if covariance is not None:
        return _matrix(covariance, count, f"cov_{name}")
    if u is None:
        return np.zeros((count, count))
    each = np.asarray(u, dtype=float)
    if each.shape not in ((), (count,)) or not np.isfinite(each).all() or (each < 0.0).any():
        msg = (
            f"u_{name} must be one number or {count}, finite and not negative; got {np.array2string(each, threshold=6)}"
        )
        raise CalibrationError(msg)
    return np.diag(np.broadcast_to(each, (count,)) ** 2)


def _matrix(given: npt.ArrayLike, count: int, name: str) -> Array:
    matrix = np.asarray(given, dtype=float)
    if matrix.shape != (count, count) or not np.isfinite(matrix).all():
        msg = f"{name} must be finite with shape {(count, count)}; got {matrix.shape}"
        raise CalibrationError(msg)
    return matrix


def _add_plain(
    named: dict[Source, Array], rest: Array, at: npt.NDArray[np.intp], values: list[float], count: int
) -> None:
    """Give the points that are plain numbers sources of their own."""
    labels = [f"x{i + 1}" if i < count else f"y{i + 1 - count}" for i in at]
    try:
        sources, columns, _ = joint_sources(
            [values[i] for i in at], rest[np.ix_(at, at)], units=["1"] * at.size, labels=labels
        )
    except UncertaintyError as error:
        msg = f"the covariance of the points is no covariance matrix: {error}"
        raise CalibrationError(msg) from error
    for source, column in zip(sources, columns.T, strict=True):
        named[source] = np.zeros(rest.shape[0])
        named[source][at] = column
