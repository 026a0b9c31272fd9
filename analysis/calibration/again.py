"""The steps of this room on whole spectra, from what a history says: settings and inputs by name.

Not here: what runs them and checks what they give (`analysis.replay`).
"""

from collections.abc import Callable, Mapping
from typing import Any

import xarray as xr

from analysis.calibration.air_conditions import AirConditions
from analysis.calibration.conversion import convert_axis
from analysis.calibration.curves import fit_function, fit_line, fit_polynomial
from analysis.calibration.intensity_standards import intensity_standard, intensity_table
from analysis.calibration.linearity import apply_linearity, dead_time, fit_linearity, flux_addition
from analysis.calibration.moved_axis import transfer_axis
from analysis.calibration.resolution import fit_resolution
from analysis.calibration.response import apply_response, response
from analysis.calibration.stray_light import apply_stray_light, stray_light
from analysis.calibration.transfer import apply_transfer, check_transfer, fit_transfer

__all__ = ["STEPS", "predict"]

Named = Mapping[str, Any]
Step = Callable[[Named, Named], Any]


def _named(function: Callable[..., Any]) -> Step:
    return lambda settings, inputs: function(**inputs, **settings)


def _rows(inputs: Named, letters: str) -> list[tuple[Any, ...]]:
    count = sum(name.startswith(letters[0]) for name in inputs)
    return [tuple(inputs[f"{letter}{k}"] for letter in letters) for k in range(count)]


def _levels(settings: Named, inputs: Named) -> Any:  # noqa: ANN401 - as the step itself
    rows = _rows(inputs, "ln")
    return fit_linearity([light for light, _ in rows], [reading for _, reading in rows], **settings)


def _resolution(settings: Named, inputs: Named) -> Any:  # noqa: ANN401 - as the step itself
    natural = [inputs[name] for name in inputs if name.startswith("natural")]
    return fit_resolution(_rows(inputs, "xw"), natural=natural or None, **settings)


def _side(name: str, settings: Named, inputs: Named) -> tuple[Any, dict[str, Any]]:
    """Return one variable of the points of a curve, and how its uncertainty was stated."""
    said = settings["points"][name]
    if isinstance(said, int):
        return [inputs[f"{name}{k}"] for k in range(said)], {}
    stated = {f"u_{name}": said["u"], f"cov_{name}": said["covariance"]}
    given = xr.DataArray(said["values"], dims="point", attrs={"units": said["units"]})
    return given, {key: value for key, value in stated.items() if value is not None}


def _curve(function: Callable[..., Any], *first: str) -> Step:
    def step(settings: Named, inputs: Named) -> Any:  # noqa: ANN401 - as the step itself
        (x, of_x), (y, of_y) = (_side(name, settings, inputs) for name in ("x", "y"))
        others = {name: value for name, value in settings.items() if name not in ("points", *first)}
        cross = settings["points"]["cov_xy"]
        together = {} if cross is None else {"cov_xy": cross}
        return function(*(settings[name] for name in first), x, y, **of_x, **of_y, **together, **others)

    return step


def predict(settings: Named, inputs: Named) -> Any:  # noqa: ANN401 - as the step itself
    """Do `predict` of an axis or a curve again.

    Parameters
    ----------
    settings, inputs:
        As a history has them.

    Returns
    -------
    :
        What it gave.
    """
    if "axis" in inputs:
        return inputs["axis"].predict(inputs["at"], **settings)
    return inputs["curve"].predict(**{"x": inputs.get("x"), **settings})


def _inverse(settings: Named, inputs: Named) -> Any:  # noqa: ANN401 - as the step itself
    return inputs["curve"].inverse(**{"y": inputs.get("y"), **settings})


STEPS: Mapping[str, Step] = {
    "calibration.fit_line": _curve(fit_line),
    "calibration.fit_polynomial": _curve(fit_polynomial),
    "calibration.fit_function": _curve(fit_function, "model"),
    "calibration.inverse": _inverse,
    "calibration.AirConditions": _named(AirConditions),
    "calibration.index": lambda settings, inputs: inputs["air"].index(inputs["wavelength"], **settings),
    "calibration.convert_axis": _named(convert_axis),
    "calibration.intensity_standard": _named(intensity_standard),
    "calibration.intensity_table": _named(intensity_table),
    "calibration.response": _named(response),
    "calibration.apply_response": _named(apply_response),
    "calibration.fit_resolution": _resolution,
    "calibration.flux_addition": lambda settings, inputs: flux_addition(_rows(inputs, "abc"), **settings),
    "calibration.fit_linearity": _levels,
    "calibration.dead_time": _named(dead_time),
    "calibration.correct": lambda settings, inputs: inputs["calibration"].correct(inputs["reading"], **settings),
    "calibration.apply_linearity": _named(apply_linearity),
    "calibration.stray_light": lambda settings, inputs: stray_light(list(inputs.values()), **settings),
    "calibration.apply_stray_light": _named(apply_stray_light),
    "calibration.fit_transfer": _named(fit_transfer),
    "calibration.apply_transfer": _named(apply_transfer),
    "calibration.check_transfer": _named(check_transfer),
    "calibration.transfer_axis": _named(transfer_axis),
}
"""`room.function` to what does it again."""
