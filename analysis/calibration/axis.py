"""A calibrated spectral axis: parameters, where they come from, and what they predict.

The axis is a polynomial in the scaled coordinate `of` (a pixel, or the maker's nominal axis) plus one offset for each
reference line, 0 ± the scatter that the known uncertainties do not explain, which fades towards its neighbours.
So a misfit is carried where it was seen, and close bands share it. A Raman axis adds the laser.
Not here: making one (`analysis.calibration.fitting`), giving it to a spectrum (`analysis.calibration.applying`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import xarray as xr

from analysis.calibration import air, validity
from analysis.core import CalibrationError, Displayed, history, units
from analysis.uncertainty import Quantity, Source, sources

Array = npt.NDArray[np.float64]
PARAMETER = "axis_parameter"
_TEXTS = ("axis", "units", "of", "of_units", "medium", "instrument", "acquired", "valid_from", "valid_until", "history")


@dataclass(frozen=True, kw_only=True)
class AxisCalibration(Displayed):
    """A calibrated axis as a function of a coordinate of the spectrum."""

    axis: str
    """Name of the axis it gives: `wavelength` or `raman_shift`."""
    units: str
    """Units of that axis."""
    of: str
    """The coordinate it is a function of: `pixel`, or a nominal axis of the file."""
    of_units: str = "1"
    """Units of that coordinate."""
    coefficients: Array
    """Polynomial coefficients in rising powers (degree + 1,), in `base_units`, of the scaled coordinate in [-1, 1]."""
    knots: Array
    """Reference lines used, in `of_units` (line,), rising."""
    contributions: Mapping[Source, Array]
    """For each source its signed contribution to coefficients and offsets (degree + 1 + line,), in `base_units`."""
    medium: str = "air"
    """Medium of the wavelengths: `air` or `vacuum`."""
    laser: Quantity | None = None
    """Laser wavelength in `medium`, for a Raman axis made from wavelengths."""
    instrument: str = ""
    """As the calibration spectrum says."""
    acquired: str = ""
    """When that was recorded (ISO 8601); empty where not known."""
    valid_from: str = ""
    """First day of validity (ISO 8601); empty where not known."""
    valid_until: str = ""
    """Last day of validity (ISO 8601); empty where not known."""
    history: str = ""
    """How it was made (`analysis.core.history`)."""

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        for name in ("coefficients", "knots"):
            array = np.array(getattr(self, name), dtype=float)
            array.setflags(write=False)
            object.__setattr__(self, name, array)
        object.__setattr__(self, "contributions", MappingProxyType(dict(self.contributions)))

    @property
    def base_units(self) -> str:
        """Units of the coefficients: nm under a Raman axis made from wavelengths."""
        return "nm" if self.laser is not None else self.units

    @property
    def low(self) -> float:
        """Lower end of the fitted lines, in `of_units`."""
        return float(self.knots[0])

    @property
    def high(self) -> float:
        """Upper end of the fitted lines, in `of_units`."""
        return float(self.knots[-1])

    @property
    def parameters(self) -> tuple[Quantity, ...]:
        """Polynomial coefficients with their sources, in `base_units`."""
        return tuple(
            Quantity.from_components(
                float(value),
                {source: float(vector[index]) for source, vector in self.contributions.items()},
                units=self.base_units,
                label=f"c{index}",
                history=history.extend("calibration.parameter", settings={"index": index}, inputs={"axis": self}),
            )
            for index, value in enumerate(self.coefficients)
        )

    @property
    def covariance(self) -> Array:
        """Covariance of the coefficients (degree + 1, degree + 1), in `base_units` squared."""
        stack = np.array([vector[: self.coefficients.size] for vector in self.contributions.values()])
        return np.asarray(stack.T @ stack)

    def predict(self, at: Quantity | npt.ArrayLike) -> Quantity | xr.Dataset:
        """Predict the axis at a position.

        Parameters
        ----------
        at:
            A position with its uncertainty, or positions (point,), in `of_units`.

        Returns
        -------
        :
            A Quantity for a Quantity; else `value` and `u` (point) with `value_sources` (source, point).

        Raises
        ------
        CalibrationError
            If a position lies outside the fitted lines or has other units.
        """
        if isinstance(at, Quantity):
            if at.units not in (self.of_units, self.of):
                msg = f"the axis is a function of {self.of} in {self.of_units!r}; got a position in {at.units!r}"
                raise CalibrationError(msg)
            return self._predict_one(at)
        positions = np.atleast_1d(np.asarray(at, dtype=float))
        self.require_inside(positions)
        value, parts = self.evaluate(positions)
        u = np.sqrt(sum((part**2 for part in parts.values()), np.zeros_like(value)))
        point = xr.Dataset(
            {"value": ("point", value, {"units": self.units}), "u": ("point", u, {"units": self.units})},
            coords={self.of: ("point", positions, {"units": self.of_units})},
        )
        return sources.attach(point, "value", parts, ("point",))

    def _predict_one(self, at: Quantity) -> Quantity:
        position = np.array([at.value])
        self.require_inside(position)
        value, parts = self.evaluate(position)
        slope = float(self.slope(position)[0])
        components = {source: slope * part for source, part in at.parts().items()}
        for source, part in parts.items():
            components[source] = components.get(source, 0.0) + float(part[0])
        text = history.extend("calibration.predict", settings={}, inputs={"axis": self, "at": at})
        return Quantity.from_components(float(value[0]), components, units=self.units, label=at.label, history=text)

    def __repr__(self) -> str:
        return "\n".join(["AxisCalibration", *(f"  {name:<11}{said}" for name, said in self.summary().items())])

    def require_inside(self, positions: Array) -> None:
        """Refuse positions outside the fitted lines.

        Parameters
        ----------
        positions:
            In `of_units`, any shape.

        Raises
        ------
        CalibrationError
            If any lies below the first or above the last line, or is NaN.
        """
        outside = positions[~((positions >= self.low) & (positions <= self.high))]
        if outside.size:
            msg = (
                f"{outside.size} of {positions.size} positions lie outside the fitted lines: {self.of} "
                f"{outside.min():g} to {outside.max():g}, wanted {self.low:g} to {self.high:g}. "
                f"Crop first: preprocess.crop(spectrum, axis={self.of!r}, low={np.ceil(self.low):g}, "
                f"high={np.floor(self.high):g}), use more lines, or say extrapolate=True"
            )
            raise CalibrationError(msg)

    def evaluate(self, positions: Array) -> tuple[Array, dict[Source, Array]]:
        """Evaluate the axis and the contribution of each source, inside the lines or not.

        Parameters
        ----------
        positions:
            In `of_units` (point,).

        Returns
        -------
        :
            Values (point,) and for each source its contribution (point,), in `units`.
        """
        design = self._design(positions)
        base = design[:, : self.coefficients.size] @ self.coefficients
        parts = {source: design @ vector for source, vector in self.contributions.items()}
        if self.laser is None:
            return base, parts
        scattered, slope = air.wavenumber(base, self.medium)
        exciting, laser_slope = air.wavenumber(self.laser.value, self.medium)
        parts = {source: -slope * part for source, part in parts.items()}
        for source, part in self.laser.parts().items():
            parts[source] = parts.get(source, np.zeros_like(base)) + float(laser_slope) * part
        return exciting - scattered, parts

    def slope(self, positions: Array) -> Array:
        """Differentiate the axis by the coordinate it is a function of.

        Parameters
        ----------
        positions:
            In `of_units` (point,).

        Returns
        -------
        :
            In `units` / `of_units` (point,).
        """
        derivative = np.polynomial.polynomial.polyder(self.coefficients)
        base = np.polynomial.polynomial.polyval(self._scaled(positions), derivative) * 2 / (self.high - self.low)
        if self.laser is None:
            return np.asarray(base)
        wavelength = np.polynomial.polynomial.polyval(self._scaled(positions), self.coefficients)
        return np.asarray(-air.wavenumber(wavelength, self.medium)[1] * base)

    def _scaled(self, positions: Array) -> Array:
        return (2 * positions - self.low - self.high) / (self.high - self.low)

    def _design(self, positions: Array) -> Array:
        powers = np.vander(self._scaled(positions), self.coefficients.size, increasing=True)
        return np.hstack([powers, hats(positions, self.knots)])

    def to_raman_shift(self, laser: Quantity) -> "AxisCalibration":
        """Turn a wavelength axis into a Raman shift axis.

        Parameters
        ----------
        laser:
            Laser wavelength in the medium of the axis, in units of length, with its uncertainty; one found by
            `laser_zero` shares its sources with the axis, and that is kept.

        Returns
        -------
        :
            The calibration of `raman_shift` in cm-1.

        Raises
        ------
        CalibrationError
            If this is not a wavelength axis, or the laser is no positive quantity.
        UnitsError
            If the laser is not in units of length.
        """
        if self.axis != "wavelength" or self.laser is not None:
            msg = f"only a wavelength axis becomes a Raman axis; this one gives {self.axis!r}. Use that of fit_axis"
            raise CalibrationError(msg)
        given: object = laser
        if not isinstance(given, Quantity) or not given.value > 0:
            msg = f"laser must be a Quantity above 0, got {laser!r}; write Quantity(value=532.05, u=0.01, units='nm')"
            raise CalibrationError(msg)
        text = history.extend("calibration.to_raman_shift", settings={}, inputs={"axis": self, "laser": laser})
        scale = units.factor(laser.units, "nm")
        line = Quantity.from_components(
            laser.value * scale,
            {source: part * scale for source, part in laser.parts().items()},
            units="nm",
            label=laser.label or "laser",
            source=laser.source,
            history=laser.history,
        )
        return replace(self._in_nm(), axis="raman_shift", units="cm-1", laser=line, history=text)

    def _in_nm(self) -> "AxisCalibration":
        scale = units.factor(self.units, "nm")
        parts = {source: vector * scale for source, vector in self.contributions.items()}
        return replace(self, units="nm", coefficients=self.coefficients * scale, contributions=parts)

    def valid_between(self, valid_from: str, valid_until: str) -> "AxisCalibration":
        """State the validity yourself, for example from a drift record.

        Parameters
        ----------
        valid_from, valid_until:
            ISO 8601 dates, both included.

        Returns
        -------
        :
            The same calibration with these dates.

        Raises
        ------
        CalibrationError
            If a date does not parse, or they are in the wrong order.
        """
        first, last = (validity.parse_date(text, "a date of validity") for text in (valid_from, valid_until))
        if first > last:
            msg = f"validity must begin before it ends; got {valid_from} to {valid_until}"
            raise CalibrationError(msg)
        settings = {"valid_from": valid_from, "valid_until": valid_until}
        text = history.extend("calibration.valid_between", settings=settings, inputs={"axis": self})
        return replace(self, valid_from=valid_from, valid_until=valid_until, history=text)

    def summary(self) -> dict[str, str]:
        """Describe the calibration for a table.

        Returns
        -------
        :
            What to plain text.
        """
        laser = {} if self.laser is None else {"laser": str(self.laser)}
        dates = f"{self.valid_from} to {self.valid_until}" if self.valid_from else "not known: the lamp has no date"
        return {
            "axis": f"{self.axis} / {self.units} as a polynomial of degree {self.coefficients.size - 1} in {self.of}",
            "lines": f"{self.knots.size}, {self.of} {self.low:.6g} to {self.high:.6g}",
            **laser,
            "instrument": self.instrument or "not known",
            "recorded": self.acquired or "not known",
            "valid": dates,
        }

    def to_dataset(self) -> xr.Dataset:
        """Write the calibration as a Dataset that a file can hold.

        Returns
        -------
        :
            `parameters` (axis_parameter) with `parameters_sources`, `knots` (knot), and `laser` with its sources.
        """
        zeros = np.zeros(self.knots.size)
        names = [f"c{power}" for power in range(self.coefficients.size)] + [
            f"offset{k}" for k in range(self.knots.size)
        ]
        dataset = xr.Dataset(
            {
                "parameters": (PARAMETER, np.concatenate([self.coefficients, zeros]), {"units": self.base_units}),
                "knots": ("knot", self.knots, {"units": self.of_units}),
            },
            coords={PARAMETER: names},
            attrs={"kind": "AxisCalibration", **{name: getattr(self, name) for name in _TEXTS}},
        )
        dataset = sources.attach(dataset, "parameters", self.contributions, (PARAMETER,))
        if self.laser is None:
            return dataset
        attrs = {"units": "nm", "label": self.laser.label, "source": self.laser.source, "history": self.laser.history}
        dataset["laser"] = ((), self.laser.value, attrs)
        parts = {source: np.asarray(part) for source, part in self.laser.parts().items()}
        return sources.attach(dataset, "laser", parts, ())

    @classmethod
    def from_dataset(cls, dataset: xr.Dataset) -> "AxisCalibration":
        """Read what `to_dataset` wrote.

        Parameters
        ----------
        dataset:
            As `to_dataset` describes.

        Returns
        -------
        :
            The calibration.

        Raises
        ------
        CalibrationError
            If the dataset is not an axis calibration.
        """
        if dataset.attrs.get("kind") != "AxisCalibration" or "parameters" not in dataset:
            names = [str(name) for name in dataset.data_vars]
            msg = f"no axis calibration: this holds {names}. Wanted what io.write makes of calibration.fit_axis(...)"
            raise CalibrationError(msg)
        laser = None
        if "laser" in dataset:
            attrs = dataset["laser"].attrs
            laser = Quantity.from_components(
                float(dataset["laser"]),
                {source: float(part) for source, part in sources.detach(dataset, "laser").items()},
                units="nm",
                label=attrs["label"],
                source=attrs["source"],
                history=attrs["history"],
            )
        return cls(
            coefficients=dataset["parameters"].values[: -dataset["knots"].size],
            knots=dataset["knots"].values,
            contributions=sources.detach(dataset, "parameters"),
            laser=laser,
            **{name: str(dataset.attrs[name]) for name in _TEXTS},
        )


def hats(positions: Array, knots: Array) -> Array:
    """Linear hat functions: 1 at their own knot, 0 at the others, constant beyond the ends.

    Parameters
    ----------
    positions:
        (point,).
    knots:
        (knot,), rising.

    Returns
    -------
    :
        Values (point, knot); each row sums to 1.
    """
    return np.stack([np.interp(positions, knots, row) for row in np.eye(knots.size)], axis=1)
