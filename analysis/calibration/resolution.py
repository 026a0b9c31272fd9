"""The width of the instrument's line against the axis, from fitted lines.

Not here: fitting the lines (`analysis.peaks`), the curve through their widths (`analysis.calibration.curves`).
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import xarray as xr

from analysis.calibration.carrying import require_made
from analysis.calibration.curve import CurveCalibration
from analysis.calibration.curves import fit_polynomial
from analysis.core import CalibrationError, history
from analysis.core import units as unit_rules
from analysis.uncertainty import Quantity

__all__ = ["ResolutionFunction", "fit_resolution"]

Shape = Literal["gaussian", "lorentzian", "measured"]
TO_SIGMA = float(1.0 / np.sqrt(8.0 * np.log(2.0)))
VOIGT = (0.5346, 0.2166)
IMPROBABLE = 0.05


@dataclass(frozen=True, kw_only=True)
class ResolutionFunction:
    """Full width at half maximum of the instrument's line as a function of an axis."""

    curve: CurveCalibration
    """Width against position, with the covariance of its parameters."""
    shape: Shape
    """Shape of the instrument's line: `gaussian`, `lorentzian`, or `measured`: as the lines were."""
    axis: str
    """Axis of the positions."""
    notes: tuple[str, ...] = ()
    """What a reader must know."""
    history: str = ""
    """How it was made (`analysis.core.history`)."""

    def fwhm(self, x: Quantity | float) -> Quantity:
        """Return the full width at half maximum.

        Parameters
        ----------
        x:
            Position on the axis, within the fitted lines.

        Returns
        -------
        :
            In the units of the widths, with the sources of the lines and of the position.

        Raises
        ------
        CalibrationError
            If the position lies outside the fitted lines, or the width there would not be above 0.
        """
        found = self.curve.predict(x)
        if isinstance(found, tuple) or not found.value > 0:
            msg = f"the width at {self.axis} {x} would be {found}; give one position, and use a lower degree"
            raise CalibrationError(msg)
        return found

    def sigma(self, x: Quantity | float) -> Quantity:
        """Return the standard deviation of a Gaussian line of the instrument.

        Parameters
        ----------
        x:
            As in `fwhm`.

        Returns
        -------
        :
            The fwhm over sqrt(8 ln 2).

        Raises
        ------
        CalibrationError
            If the shape is another one.
        """
        if self.shape != "gaussian":
            msg = f"sigma is of a Gaussian; the shape of this instrument's line is {self.shape!r}. Use fwhm"
            raise CalibrationError(msg)
        return self.fwhm(x) * TO_SIGMA

    def resolving_power(self, x: Quantity | float) -> Quantity:
        """Return position over width.

        Parameters
        ----------
        x:
            As in `fwhm`; a number is exact.

        Returns
        -------
        :
            Dimensionless.
        """
        at = x if isinstance(x, Quantity) else Quantity(value=float(x), u=0.0, units=self.curve.of_units)
        found: Quantity = at.to(self.curve.units) / self.fwhm(x)
        return found

    def to_dataset(self) -> xr.Dataset:
        """Return the function as a Dataset that a file can hold.

        Returns
        -------
        :
            That of its curve, and what else it says as attributes.
        """
        said = {name: getattr(self, name) for name in ("shape", "axis", "notes", "history")}
        return self.curve.to_dataset().assign_attrs(resolution=json.dumps(said), history=self.history)

    @classmethod
    def from_dataset(cls, dataset: xr.Dataset) -> "ResolutionFunction":
        """Read what `to_dataset` made.

        Parameters
        ----------
        dataset:
            Perhaps read from a file.

        Returns
        -------
        :
            The function, with the same sources.
        """
        said = json.loads(dataset.attrs["resolution"])
        curve = CurveCalibration.from_dataset(dataset)
        return cls(
            curve=curve, shape=said["shape"], axis=said["axis"], notes=tuple(said["notes"]), history=said["history"]
        )

    def __str__(self) -> str:
        """Write the curve and its notes."""
        return "\n".join([f"width of the {self.shape} line against {self.axis}", str(self.curve), *self.notes])


def fit_resolution(
    lines: Sequence[tuple[Quantity, Quantity]], *, axis: str, degree: int = 1, shape: Shape = "gaussian",
    natural: Quantity | Sequence[Quantity] | None = None,
) -> ResolutionFunction:  # fmt: skip
    """Fit the width of an instrument's line against the axis.

    Parameters
    ----------
    lines:
        Center and full width at half maximum of each line, as `peaks.quantity(fit, "l_center")` and
        `peaks.quantity(fit, "l_fwhm")` give them; what they share (noise of one fit, the axis) is kept.
    axis:
        Name of the axis of the centers.
    degree:
        Of the polynomial, at least 1.
    shape:
        Shape of the instrument's line. `measured` says nothing about it.
    natural:
        Lorentzian width of the lamp lines themselves, one or one for each line, which is taken out: from a Gaussian
        line of the instrument by the formula of Olivero and Longbothum (good to 2e-4), from a Lorentzian by
        difference. None: the lines are much narrower than the instrument.

    Returns
    -------
    :
        The width as a function; outside the lines it is refused.

    Raises
    ------
    CalibrationError
        If there are too few lines, a line is narrower than its natural width, or the natural width needs a shape.

    References
    ----------
    J. J. Olivero and R. L. Longbothum, J. Quant. Spectrosc. Radiat. Transfer 17 (1977) 233,
    doi:10.1016/0022-4073(77)90161-3; ISO/TS 28038:2018.
    """
    if len(lines) < degree + 2:
        msg = f"{len(lines)} lines are too few for degree {degree}: wanted {degree + 2} or more. Use more lines"
        raise CalibrationError(msg)
    centers, widths = [center for center, _ in lines], [width for _, width in lines]
    for each in (*centers, *widths):
        require_made(each, Quantity, "peaks.quantity")
    for center, width in lines:
        if not unit_rules.same_dimension(center.units, width.units) or not width.value > 0:
            msg = f"a width must be above 0 and in units of its axis {center.units!r}; got {width} at {center}"
            raise CalibrationError(msg)
    unit = centers[0].units
    centers, widths = [each.to(unit) for each in centers], [each.to(unit) for each in widths]
    if natural is not None:
        given = [natural] * len(lines) if isinstance(natural, Quantity) else list(natural)
        widths = [_without(width, own.to(unit), shape) for width, own in zip(widths, given, strict=True)]
    curve = fit_polynomial(centers, widths, degree=degree)
    ends = np.linspace(curve.low, curve.high, 101)
    if not (curve.family.value(ends, curve.values) > 0).all():
        msg = f"the polynomial of degree {degree} is not above 0 everywhere between the lines; use a lower degree"
        raise CalibrationError(msg)
    notes: tuple[str, ...] = ()
    if curve.p_value is not None and curve.p_value < IMPROBABLE:
        notes = (
            f"the widths scatter more than their uncertainties allow (probability {curve.p_value:.1g}): raise the "
            "degree, or look for blended lines",
        )
    inputs = {f"{name}{k}": each for k, pair in enumerate(lines) for name, each in zip(("x", "w"), pair, strict=True)}
    if natural is not None:
        inputs |= {f"natural{k}": own for k, own in enumerate(given)}
    settings = {"axis": axis, "degree": degree, "shape": shape}
    text = history.extend("calibration.fit_resolution", settings=settings, inputs=inputs)
    return ResolutionFunction(curve=curve, shape=shape, axis=axis, notes=notes, history=text)


def _without(width: Quantity, natural: Quantity, shape: Shape) -> Quantity:
    """Take the Lorentzian width of the line itself out of the measured one."""
    if shape == "measured":
        msg = "taking out the natural width needs the shape of the instrument's line: shape='gaussian' or 'lorentzian'"
        raise CalibrationError(msg)
    if not 0.0 <= natural.value < width.value:
        msg = f"a line {width} wide cannot have a natural width of {natural}; give the width in the units of the axis"
        raise CalibrationError(msg)
    first, second = VOIGT
    left: Quantity = width - natural
    if shape == "gaussian":
        squared = (width - first * natural) ** 2 - second * natural**2
        left = np.sqrt(squared)
    return left
