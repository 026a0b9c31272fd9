"""What widths tell: the diffractometer's resolution, the size of crystallites and their strain.

Not here: the fit (`analysis.diffraction.pattern`).
References: Williamson and Hall, Acta Metall. 1 (1953) 22, doi:10.1016/0001-6160(53)90006-6; Balzar et al., J. Appl.
Cryst. 37 (2004) 911, doi:10.1107/S0021889804022551 (integral breadths of both parts).
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import xarray as xr

from analysis import peaks
from analysis.calibration import CurveCalibration, fit_line, fit_polynomial
from analysis.core import CalibrationError, UncertaintyError
from analysis.diffraction.bragg import REFLECTION
from analysis.diffraction.emission import Radiation
from analysis.diffraction.lattice import named
from analysis.uncertainty import Quantity

__all__ = ["WilliamsonHall", "caglioti", "williamson_hall"]

DEGREE = math.pi / 180.0
TO_FWHM = 2.0 * math.sqrt(2.0 * math.log(2.0))
BREADTH = {"lorentzian": math.pi, "gaussian": math.sqrt(2.0 * math.pi)}
FEWEST = 3
CERTAIN = 2.0


@dataclass(frozen=True, kw_only=True)
class WilliamsonHall:
    """Size and strain from the straight line β cos θ = K λ / size + strain · 4 sin θ."""

    curve: CurveCalibration
    """The line, with its points; dimensionless (radian)."""
    size: Quantity | None
    """Volume-weighted size of the crystallites, nm; None if the widths show none."""
    strain: Quantity
    """Microstrain, dimensionless; with its u, it may be consistent with 0."""
    notes: tuple[str, ...]
    """What is not stated, and why."""


def caglioti(fit: xr.Dataset, reflections: xr.Dataset) -> CurveCalibration:
    """Fit the formula of Caglioti to the Gaussian widths of single lines.

    Parameters
    ----------
    fit:
        Result of `peaks.fit` with the model of `pattern_model(..., widths="free")`.
    reflections:
        Of that model.

    Returns
    -------
    :
        fwhm² = w + v tan θ + u tan² θ over tan θ, square degrees.

    Raises
    ------
    CalibrationError
        If there are less than four lines.
    """
    names = _names(reflections, FEWEST + 1)
    x = [math.tan(math.radians(0.5 * each)) for each in reflections["two_theta"].values.tolist()]
    y = []
    for name in names:
        fwhm = peaks.quantity(fit, f"r{name}_sigma")
        squared = fwhm * fwhm * TO_FWHM**2
        y.append(named(squared, "degree2", f"squared width of {name}"))
    return fit_polynomial(x, y, degree=2)


def williamson_hall(
    fit: xr.Dataset,
    reflections: xr.Dataset,
    radiation: Radiation,
    *,
    instrument: xr.Dataset | None = None,
    part: Literal["lorentzian", "gaussian"] = "lorentzian",
    shape: float | Quantity = 1.0,
) -> WilliamsonHall:
    """Separate the size of crystallites from their strain.

    Parameters
    ----------
    fit:
        Result of `peaks.fit` with the model of `pattern_model(..., widths="free")`.
    reflections:
        Of that model.
    radiation:
        That of the model; its natural widths are not part of the widths that are fitted.
    instrument:
        Fit of a standard without broadening, with `widths="caglioti"`: its widths are subtracted, Lorentzian ones as
        they are, Gaussian ones as squares. None subtracts nothing.
    part:
        Which of the two widths of the lines is taken.
    shape:
        K: 1 for the integral breadth (size is then the volume-weighted length of columns).

    Returns
    -------
    :
        Size, strain and the line.

    Raises
    ------
    CalibrationError
        If there are less than three lines, or a line is narrower than the diffractometer makes it.
    """
    if part not in BREADTH:
        msg = f"part must be one of {list(BREADTH)}, got {part!r}"
        raise CalibrationError(msg)
    names = _names(reflections, FEWEST)
    theta = np.radians(0.5 * reflections["two_theta"].values)
    y = []
    for name, t in zip(names, theta.tolist(), strict=True):
        own = peaks.quantity(fit, f"r{name}_{'gamma' if part == 'lorentzian' else 'sigma'}")
        width = named(own, "1", f"width of {name}") * DEGREE
        if instrument is not None:
            width = _subtract(width, _of_instrument(instrument, t, part), part, name)
        y.append(width * (BREADTH[part] * math.cos(t)))
    curve = fit_line([4.0 * math.sin(t) for t in theta.tolist()], y)
    intercept, slope = curve.parameters
    notes: tuple[str, ...] = ()
    size = None
    if intercept.value > CERTAIN * intercept.u:
        size = shape * radiation.wavelength / intercept
    else:
        notes = (
            f"no size is stated: the intercept {intercept} is within {CERTAIN:g} u of 0, the crystallites are large",
        )
    return WilliamsonHall(curve=curve, size=size, strain=slope, notes=notes)


def _names(reflections: xr.Dataset, fewest: int) -> list[str]:
    names = [str(name) for name in reflections[REFLECTION].values]
    if len(names) < fewest:
        msg = f"this needs {fewest} lines at least, got {names}. Measure a wider range"
        raise CalibrationError(msg)
    return names


def _of_instrument(fit: xr.Dataset, theta: float, part: str) -> Quantity:
    """Return sigma or gamma that the diffractometer makes, radian."""
    tan = math.tan(theta)
    if part == "lorentzian":
        return (_width(fit, "lorentz_x") * (1.0 / math.cos(theta)) + _width(fit, "lorentz_y") * tan) * (0.5 * DEGREE)
    square = _width(fit, "u") * tan**2 + _width(fit, "v") * tan + _width(fit, "w")
    if square.value <= 0.0:
        msg = f"the width of the diffractometer is not real at θ = {math.degrees(theta):.2f} degrees: fwhm² = {square}"
        raise CalibrationError(msg)
    return np.sqrt(square) * (DEGREE / TO_FWHM)


def _width(fit: xr.Dataset, name: str) -> Quantity:
    if name not in fit["parameter"].values:
        msg = f"the fit of the standard has no {name!r}; fit it with pattern_model(..., widths='caglioti')"
        raise CalibrationError(msg)
    try:
        return named(peaks.quantity(fit, name), "1", f"{name} of the standard")
    except UncertaintyError as error:
        msg = f"{name!r} of the standard has no uncertainty: {error}"
        raise CalibrationError(msg) from error


def _subtract(width: Quantity, instrument: Quantity, part: str, name: str) -> Quantity:
    if width.value <= instrument.value:
        msg = (
            f"line {name} is narrower ({width}) than the diffractometer makes it ({instrument}), in radian: there is "
            f"no {part} broadening to explain. Take the other part, or the standard of this diffractometer"
        )
        raise CalibrationError(msg)
    if part == "lorentzian":
        return width - instrument
    return np.sqrt(width * width - instrument * instrument)
