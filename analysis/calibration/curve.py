"""A calibration curve: what a fitted function of an instrument says, both ways, with its uncertainty.

Not here: the fit (`analysis.calibration.curves`), calibrations of a spectral axis (`analysis.calibration.axis`).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy import optimize, special, stats

from analysis.calibration import curve_exchange
from analysis.calibration.curve_families import Family, with_units
from analysis.calibration.curve_functions import Model
from analysis.calibration.curve_text import Propagation, convention, described
from analysis.calibration.validity import parse_date
from analysis.core import CalibrationError, Displayed, history
from analysis.core import units as unit_rules
from analysis.uncertainty import Quantity, Source
from analysis.uncertainty import sources as source_rules

__all__ = ["CurveCalibration"]

Array = npt.NDArray[np.float64]
GRID = 2001


@dataclass(frozen=True, kw_only=True, eq=False)
class CurveCalibration(Displayed):
    """A fitted calibration curve y = f(x)."""

    family: Family
    """The function."""
    values: Array
    """Parameters of the fit, dims `(parameter,)`."""
    contributions: Mapping[Source, Array]
    """For each source its signed contribution to them, dims `(parameter,)`."""
    of_units: str = "1"
    """Units of x."""
    units: str = "1"
    """Units of y."""
    points: xr.Dataset
    """The points along `point`: x, y, u_x, u_y, fitted_x, fitted_y, leverage."""
    chisqr: float
    """Weighted sum of squared residuals; of plain squares where no uncertainty was given, in `units` squared."""
    dof: float
    """Points less parameters."""
    scatter: float | None = None
    """Standard deviation of one observation from the residuals, in `units`; None where uncertainties were given."""
    ensemble: str = ""
    """Id of the one estimate of variance behind the covariance, where it came from the residuals."""
    propagation: Propagation = "gauss_newton"
    """How the sources of the points went to the parameters."""
    notes: tuple[str, ...] = ()
    """Plain sentences on what to mind."""
    valid_from: str = ""
    """First day of validity (ISO 8601); empty where not known."""
    valid_until: str = ""
    """Last day of validity (ISO 8601); empty where not known."""
    history: str = field(default="", repr=False)
    """How it was made (`analysis.core.history`)."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "contributions", MappingProxyType(dict(self.contributions)))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters."""
        return self.family.names

    @property
    def low(self) -> float:
        """Lower end of the calibrated range, in `of_units`."""
        return float(self.points["x"].values.min())

    @property
    def high(self) -> float:
        """Upper end of the calibrated range, in `of_units`."""
        return float(self.points["x"].values.max())

    @property
    def covariance_convention(self) -> str:
        """What the covariance was computed from."""
        return convention(self.propagation, known=self.scatter is None)

    @property
    def parameters(self) -> tuple[Quantity, ...]:
        """The parameters with their sources; those of a polynomial belong to the powers of x, the lowest first."""
        shown = np.eye(self.values.size) if self.family.shown is None else self.family.shown
        units = self.family.units_of(self.of_units, self.units)
        return tuple(
            Quantity.from_components(
                float(row @ self.values),
                {source: float(row @ part) for source, part in self.contributions.items()},
                units=units[k],
                label=self.names[k],
                history=history.extend("calibration.parameter", settings={"index": k}, inputs={"curve": self}),
            )
            for k, row in enumerate(shown)
        )

    @property
    def covariance(self) -> Array:
        """Covariance of `parameters`, dims `(parameter, parameter)`, in products of their units."""
        stack = np.array(list(self.contributions.values())).reshape(-1, self.values.size)
        if self.family.shown is not None:
            stack = stack @ self.family.shown.T
        return np.asarray(stack.T @ stack)

    @property
    def p_value(self) -> float | None:
        """Probability of a larger chi-square if function and uncertainties hold; None where it cannot be judged."""
        if self.scatter is not None or self.dof < 1:
            return None
        return float(special.chdtrc(self.dof, self.chisqr))

    @property
    def largest_deviation(self) -> float | None:
        """Largest |measured - fitted| / u over all x and y (ISO 6143: at most 2); None without stated uncertainties."""
        if self.scatter is not None:
            return None
        table, found = self.points, [0.0]
        for name in ("x", "y"):
            u, off = table[f"u_{name}"].values, np.abs(table[name].values - table[f"fitted_{name}"].values)
            found += (off[u > 0.0] / u[u > 0.0]).tolist()
        return max(found)

    def predict(
        self, x: Quantity | float | Sequence[float] | Array, *, extrapolate: bool = False, observation: bool = False
    ) -> Quantity | tuple[Quantity, ...]:
        """Return y at x.

        Parameters
        ----------
        x:
            A position with its uncertainty, an exact number in `of_units`, or a row of numbers.
        extrapolate:
            Allow positions outside the calibrated range.
        observation:
            Of one further observation, with the scatter that the residuals show, instead of the curve itself.

        Returns
        -------
        :
            One Quantity, or one for each number; they share the sources of the curve.

        Raises
        ------
        CalibrationError
            If x lies outside the calibrated range or has other units, or there is no scatter to add.
        """
        if not isinstance(x, Quantity) and np.ndim(x):
            return tuple(
                self._predict(float(each), extrapolate=extrapolate, observation=observation) for each in np.ravel(x)
            )
        at = x if isinstance(x, Quantity) else float(np.asarray(x))
        return self._predict(at, extrapolate=extrapolate, observation=observation)

    def _predict(self, x: Quantity | float, *, extrapolate: bool, observation: bool) -> Quantity:
        at = self._number(x, self.of_units, "x")
        if not extrapolate and not self.low <= at <= self.high:
            msg = (
                f"x = {with_units(at, self.of_units)} lies outside the calibrated range [{self.low:g}, {self.high:g}]; "
                "calibrate there, or pass extrapolate=True and know that nothing supports the curve there"
            )
            raise CalibrationError(msg)
        where = np.array([at])
        row, slope = self.family.gradient(where, self.values)[0], float(self.family.slope(where, self.values)[0])
        components = {source: float(row @ part) for source, part in self.contributions.items()}
        if isinstance(x, Quantity):
            _add(components, x.to(self.of_units).parts(), slope)
        if observation:
            _add(components, {self._scatter(1): 1.0}, self._spread())
        settings: dict[str, object] = {"x": x, "extrapolate": extrapolate, "observation": observation}
        return self._made(float(self.family.value(where, self.values)[0]), components, "predict", settings)

    def inverse(self, y: Quantity | float | Sequence[float] | Array, *, extrapolate: bool = False) -> Quantity:
        """Return the x at which the curve has the value y.

        Parameters
        ----------
        y:
            A value with its uncertainty; or a number, or repeated observations, in `units`. Where the residuals gave
            the scatter of an observation, numbers are observations; where uncertainties were given, a number is exact.
        extrapolate:
            Allow a result outside the calibrated range, by a tenth of its length at most.

        Returns
        -------
        :
            x, with the sources of y and of the curve.

        Raises
        ------
        CalibrationError
            If the curve does not have that value once in the range, or y has other units.
        """
        repeats = np.ravel(np.asarray([] if isinstance(y, Quantity) else y, dtype=float))
        if repeats.size > 1 and self.scatter is None:
            msg = (
                "the uncertainties of the points were given, so repeats have no known scatter; give "
                "uncertainty.type_a(repeats, units=...) or a Quantity"
            )
            raise CalibrationError(msg)
        wanted = self._number(y if isinstance(y, Quantity) else float(repeats.mean()), self.units, "y")
        at = self._root(wanted, extrapolate=extrapolate)
        where = np.array([at])
        slope = float(self.family.slope(where, self.values)[0])
        row = self.family.gradient(where, self.values)[0]
        components = {source: -float(row @ part) / slope for source, part in self.contributions.items()}
        if isinstance(y, Quantity):
            _add(components, y.to(self.units).parts(), 1.0 / slope)
        elif self.scatter is not None:
            _add(components, {self._scatter(repeats.size): 1.0}, self._spread() / math.sqrt(repeats.size) / slope)
        given = y if isinstance(y, Quantity) else repeats.tolist()
        return self._made(at, components, "inverse", {"y": given, "extrapolate": extrapolate})

    def lack_of_fit(self) -> float:
        """Test the function against the scatter of repeats at the same x.

        Returns
        -------
        :
            Probability of a larger F if the function holds; below 0.05 it should be another one.

        Raises
        ------
        CalibrationError
            If no x was measured twice, or the uncertainties were given (then see `p_value`).
        """
        if self.scatter is not None:
            x, y = self.points["x"].values, self.points["y"].values
            groups = [y[x == place] for place in np.unique(x)]
            pure = sum(float(((group - group.mean()) ** 2).sum()) for group in groups)
            repeats, spare = x.size - len(groups), len(groups) - self.values.size
            if repeats > 0 and spare > 0 and pure > 0.0:
                ratio = (self.chisqr - pure) / spare / (pure / repeats)
                return float(stats.f.sf(ratio, spare, repeats))
        msg = (
            "lack of fit needs repeats at the same x that scatter, and more places than parameters, without stated "
            "uncertainties; where they were given, look at p_value"
        )
        raise CalibrationError(msg)

    def valid_between(self, first: str, last: str) -> "CurveCalibration":
        """State the validity by hand.

        Parameters
        ----------
        first, last:
            Days (ISO 8601).

        Returns
        -------
        :
            The same curve with these dates.

        Raises
        ------
        CalibrationError
            If a date does not parse, or they are in the wrong order.
        """
        if parse_date(first, "first") > parse_date(last, "last"):
            msg = f"the first day of validity {first} lies after the last, {last}"
            raise CalibrationError(msg)
        return replace(self, valid_from=first, valid_until=last)

    def to_dataset(self) -> xr.Dataset:
        """Return the curve as a Dataset that a file can hold.

        Returns
        -------
        :
            See `analysis.calibration.curve_exchange`; a function without an importable name is refused.
        """
        fields = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return curve_exchange.to_dataset(self.family, self.points, self.contributions, fields=fields)

    @classmethod
    def from_dataset(cls, dataset: xr.Dataset, *, function: Model | None = None) -> "CurveCalibration":
        """Read what `to_dataset` made.

        Parameters
        ----------
        dataset:
            Perhaps read from a file.
        function:
            The function of your own that the curve was fitted with, which a file holds by name only.

        Returns
        -------
        :
            The curve, with the same sources.
        """
        return cls(**curve_exchange.fields_of(dataset, function=function))

    def is_monotonic(self) -> bool:
        """Say whether the curve only rises or only falls over its range.

        Returns
        -------
        :
            On a fine grid.
        """
        places = 1 if self.family.kind == "line" else GRID
        slope = self.family.slope(np.linspace(self.low, self.high, places), self.values)
        return bool((slope > 0.0).all() or (slope < 0.0).all())

    def _root(self, wanted: float, *, extrapolate: bool) -> float:
        reach = 0.1 * (self.high - self.low) if extrapolate else 0.0
        grid = np.linspace(self.low - reach, self.high + reach, GRID)
        off = self.family.value(grid, self.values) - wanted
        exact = grid[off == 0.0]
        places = np.flatnonzero(off[:-1] * off[1:] < 0.0)
        roots = [*exact.tolist()]
        for i in places:
            found = optimize.brentq(
                lambda t: float(self.family.value(np.array([t]), self.values)[0]) - wanted, grid[i], grid[i + 1],
                xtol=1e-14 * max(abs(grid[i]), abs(grid[i + 1])) + 1e-300, rtol=4 * np.finfo(float).eps,
            )  # fmt: skip
            roots.append(float(found))
        if len(roots) == 1:
            return roots[0]
        span = self.family.value(np.array([self.low, self.high]), self.values)
        msg = (
            f"y = {with_units(wanted, self.units)} is reached {len(roots)} times between x = {grid[0]:g} and "
            f"{with_units(grid[-1], self.of_units)}; the curve goes from {span[0]:g} to {span[1]:g}. "
            f"Calibrate over a {'part where it only rises or falls' if roots else 'range that holds it'}"
        )
        raise CalibrationError(msg)

    def _number(self, given: Quantity | float, units: str, name: str) -> float:
        if isinstance(given, Quantity):
            if not unit_rules.same_dimension(given.units, units):
                msg = f"the curve wants {name} in {units!r}; got {given.units!r}"
                raise CalibrationError(msg)
            return given.to(units).value
        if not math.isfinite(given):
            msg = f"{name} must be a finite number in {units!r}, got {given}"
            raise CalibrationError(msg)
        return given

    def _spread(self) -> float:
        if self.scatter is None:
            msg = "the uncertainties of the points were given, so the scatter of an observation is not known; add its u"
            raise CalibrationError(msg)
        return self.scatter

    def _scatter(self, count: int) -> Source:
        label = "one further observation" if count == 1 else f"mean of {count} further observations"
        return Source(
            id=source_rules.fresh_id(), label=label, units=self.units, kind="A", dof=self.dof, tags=("observation",),
            ensemble=self.ensemble,
        )  # fmt: skip

    def _made(
        self, value: float, components: Mapping[Source, float], step: str, settings: dict[str, object]
    ) -> Quantity:
        inputs: dict[str, object] = {"curve": self}
        for name in ("x", "y"):
            if isinstance(settings.get(name), Quantity):
                inputs[name] = settings.pop(name)
        back = step == "inverse"
        return Quantity.from_components(
            value, components, units=self.of_units if back else self.units, label="x" if back else "y",
            history=history.extend(f"calibration.{step}", settings=settings, inputs=inputs),
        )  # fmt: skip

    def __eq__(self, other: object) -> bool:
        """Compare the numbers, the sources and how they were made."""
        return isinstance(other, CurveCalibration) and curve_exchange.content(self) == curve_exchange.content(other)

    def __hash__(self) -> int:
        """Hash how it was made."""
        return hash(self.history)

    def __str__(self) -> str:
        """Write the curve in a few lines."""
        return described(self)

    __repr__ = __str__


def _add(components: dict[Source, float], parts: Mapping[Source, float], factor: float) -> None:
    for source, part in parts.items():
        components[source] = components.get(source, 0.0) + factor * part
