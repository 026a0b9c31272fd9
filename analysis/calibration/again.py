"""The steps of this room on whole spectra, from what a history says: settings and inputs by name.

Not here: what runs them and checks what they give (`analysis.replay`).
"""

from collections.abc import Callable, Mapping
from typing import Any

from analysis.calibration.air_conditions import AirConditions
from analysis.calibration.conversion import convert_axis
from analysis.calibration.intensity_standards import intensity_standard, intensity_table
from analysis.calibration.linearity import apply_linearity, dead_time, fit_linearity, flux_addition
from analysis.calibration.resolution import fit_resolution
from analysis.calibration.response import apply_response, response
from analysis.calibration.stray_light import apply_stray_light, stray_light
from analysis.calibration.transfer import apply_transfer, check_transfer, fit_transfer, transfer_axis

__all__ = ["STEPS"]

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


STEPS: Mapping[str, Step] = {
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
