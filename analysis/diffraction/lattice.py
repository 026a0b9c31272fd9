"""Lattice parameters with their budget, and extrapolations that a displaced sample asks for.

Not here: the fit (`analysis.diffraction.pattern`, `analysis.peaks`).
References: Nelson and Riley, Proc. Phys. Soc. 57 (1945) 160, doi:10.1088/0959-5309/57/3/302; Bradley and Jay, Proc.
Phys. Soc. 44 (1932) 563, doi:10.1088/0959-5309/44/5/305.
"""

import math
from collections.abc import Callable, Mapping
from typing import Literal

import xarray as xr

from analysis import peaks
from analysis.calibration import CurveCalibration, fit_line
from analysis.core import CalibrationError
from analysis.diffraction.bragg import REFLECTION, spacing
from analysis.diffraction.emission import Radiation
from analysis.diffraction.phase import FREE, Phase
from analysis.uncertainty import Budget, Quantity, propagate

__all__ = ["extrapolate", "lattice_parameter", "named"]

FEWEST = 3
ABSCISSAS: Mapping[str, Callable[[float], float]] = {
    "nelson-riley": lambda t: 0.5 * math.cos(t) ** 2 * (1.0 / math.sin(t) + 1.0 / t),
    "displacement": lambda t: math.cos(t) ** 2 / math.sin(t),
    "bradley-jay": lambda t: math.cos(t) ** 2,
}


def named(given: Quantity, unit: str, label: str) -> Quantity:
    """Give a fitted parameter its units and a name for the budget.

    Parameters
    ----------
    given:
        From `peaks.quantity`, which knows no units of parameters that stand in ties only.
    unit, label:
        Of the result.

    Returns
    -------
    :
        The same quantity.
    """
    return Quantity.from_components(
        given.value, dict(given.components or {}), units=unit, label=label, history=given.history
    )


def lattice_parameter(
    fit: xr.Dataset,
    phase: Phase,
    radiation: Radiation,
    *,
    name: str = "a",
    temperature: Quantity | None = None,
    model: Quantity | None = None,
) -> Budget:
    """State a fitted lattice parameter with everything it depends on.

    Parameters
    ----------
    fit:
        Result of `peaks.fit` with the model of `pattern_model(..., positions="lattice")`.
    phase, radiation:
        Those of the model. All spacings are proportional to the wavelength.
    name:
        Of the lattice parameter.
    temperature:
        Of the sample, degC: the result then is that at the temperature of the phase, by its expansion.
    model:
        Relative error that the shape of the lines may make: a Quantity of value 0, units `"1"`, with its u.

    Returns
    -------
    :
        The budget, in nm: noise (with displacement and zero, as far as they are free), errors of the circle if
        `two_theta` has sources, wavelength, temperature, expansion, model.

    Raises
    ------
    CalibrationError
        If it is no length of this cell or not in the fit, or there is no expansion to correct with.
    """
    if name not in FREE[phase.system] or phase.cell[name].units != "nm":
        lengths = [key for key, given in phase.cell.items() if given.units == "nm"]
        msg = f"{name!r} is no free length of a {phase.system} cell; got {name!r}, wanted one of {lengths}"
        raise CalibrationError(msg)
    if name not in fit["parameter"].values:
        msg = f"this fit has no {name!r}; wanted one of the model pattern_model(..., positions='lattice')"
        raise CalibrationError(msg)
    nominal = Quantity(value=radiation.wavelength.value, u=0.0, units="nm", label="wavelength of the model")
    inputs = {
        "fitted": named(peaks.quantity(fit, name), "nm", f"{name} of the fit"),
        "wavelength": radiation.wavelength,
        "nominal": nominal,
    }
    formula = "fitted * wavelength / nominal"
    if temperature is not None:
        inputs |= _warmth(phase, temperature)
        formula += " * (1 - expansion * warmer)"
    if model is not None:
        inputs["model"] = model
        formula += " * (1 + model)"
    return propagate(formula, inputs, name=f"{name} of {phase.name}", units="nm")


def _warmth(phase: Phase, temperature: Quantity) -> dict[str, Quantity]:
    if phase.expansion is None:
        msg = f"{phase.name} has no coefficient of expansion, so {temperature} is of no use; set Phase(expansion=...)"
        raise CalibrationError(msg)
    if temperature.units not in ("degC", "celsius"):
        msg = f"temperature must be in degC, got {temperature.units!r}. Give Quantity(value=..., u=..., units='degC')"
        raise CalibrationError(msg)
    warmer = Quantity.from_components(
        temperature.value - phase.temperature,
        dict(temperature.components or {}),
        units="K",
        label="temperature of the sample",
    )
    return {"expansion": phase.expansion, "warmer": warmer}


def extrapolate(
    fit: xr.Dataset,
    reflections: xr.Dataset,
    phase: Phase,
    radiation: Radiation,
    *,
    function: Literal["nelson-riley", "displacement", "bradley-jay"] = "nelson-riley",
) -> CurveCalibration:
    """Extrapolate the lattice parameters of single lines to 2θ = 180 degrees.

    A surface behind the axis moves each line in proportion to cos θ; the lattice parameter of a cubic cell then
    deviates in proportion to cos² θ / sin θ (`"displacement"`, exact for this error), which `"nelson-riley"`,
    (cos² θ / sin θ + cos² θ / θ) / 2, and `"bradley-jay"`, cos² θ, approximate for several errors together.

    Parameters
    ----------
    fit:
        Result of `peaks.fit` with the model of `pattern_model(..., positions="free")`.
    reflections:
        Of that model.
    phase, radiation:
        Those of the model; the cell is cubic.
    function:
        Of θ, that the lattice parameters are a straight line of.

    Returns
    -------
    :
        The straight line; its `intercept` is the extrapolated lattice parameter in nm, with the wavelength and the
        noise as sources, the points are those of the plot.

    Raises
    ------
    CalibrationError
        If the cell is not cubic, the function is not known, or there are less than three lines.
    """
    if phase.system != "cubic":
        msg = f"one line tells the parameter of a cubic cell only; {phase.name} is {phase.system}. Fit the lattice"
        raise CalibrationError(msg)
    if function not in ABSCISSAS:
        msg = f"function must be one of {list(ABSCISSAS)}, got {function!r}"
        raise CalibrationError(msg)
    names = [str(name) for name in reflections[REFLECTION].values]
    if len(names) < FEWEST:
        msg = f"an extrapolation needs {FEWEST} lines at least, got {names}. Measure to larger angles"
        raise CalibrationError(msg)
    x, y = [], []
    for name, h, k, l in zip(names, *(reflections[i].values.tolist() for i in "hkl"), strict=True):  # noqa: E741
        at = named(peaks.quantity(fit, f"r{name}_position"), "degree", f"2θ of {name}")
        x.append(ABSCISSAS[function](math.radians(0.5 * at.value)))
        y.append(spacing(at, radiation.wavelength) * math.sqrt(h * h + k * k + l * l))
    return fit_line(x, y)
