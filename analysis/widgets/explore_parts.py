"""What the panel to explore a spectrum works with: its settings, their call as code, its starting marks, its table.

Not here: the panel (`analysis.widgets.exploring`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import xarray as xr

from analysis import peaks
from analysis.core import MetrospecError, require_axis, require_spectrum
from analysis.peaks.marked import Background, Loss, Mark
from analysis.widgets.front_panel import tuples_of

__all__ = [
    "MEASURES",
    "ExploreSettings",
    "arrays_of",
    "code_of",
    "found_in",
    "one_spectrum",
    "rows_of",
    "settings_from",
    "without",
]

MEASURES = ("center", "fwhm", "height", "area")
Floats = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True, kw_only=True)
class ExploreSettings:
    """Everything that the panel can change."""

    axis: str
    """Name of the coordinate along `channel`."""
    marks: tuple[Mark, ...] = ()
    """The peaks."""
    background: Background = "linear"
    """What is below them."""
    low: float | None = None
    """Lower end of what is fitted, None for all."""
    high: float | None = None
    """Upper end."""
    loss: Loss = "least_squares"
    """What is minimised."""


def code_of(now: ExploreSettings, name: str) -> str:
    """Write the call that makes what is shown."""
    marks = ",\n".join(f"    peaks.Mark({_arguments(mark)})" for mark in now.marks)
    listed = f"[\n{marks},\n]" if marks else "[]"
    return (
        f"peaks.fit_marked({name}, axis={now.axis!r}, background={now.background!r}, low={now.low!r}, "
        f"high={now.high!r}, loss={now.loss!r}, marks={listed})"
    )


def _arguments(mark: Mark) -> str:
    """Write what a mark says, without what is as usual."""
    said = ((field.name, getattr(mark, field.name), field.default) for field in fields(mark))
    return ", ".join(f"{name}={value!r}" for name, value, usual in said if name == "shape" or value != usual)


def settings_from(held: Mapping[str, Any]) -> ExploreSettings:
    """Make settings of what a file holds."""
    marks = tuple(Mark(**{name: tuples_of(value) for name, value in each.items()}) for each in held["marks"])
    return ExploreSettings(**{**held, "marks": marks})


def without(marks: tuple[Mark, ...], index: int) -> tuple[Mark, ...]:
    """Take one mark away; those tied to it become free, the others keep their ties."""

    def moved(other: int | None) -> int | None:
        return None if other is None or other == index + 1 else other - (other > index + 1)

    rest = (*marks[:index], *marks[index + 1 :])
    return tuple(replace(mark, width_of=moved(mark.width_of), distance_to=moved(mark.distance_to)) for mark in rest)


def one_spectrum(spectrum: xr.Dataset, axis: str) -> xr.Dataset:
    """Return a spectrum that a plot can show: checked, alone, with that axis."""
    spectrum = require_spectrum(spectrum)
    require_axis(spectrum, axis)
    if spectrum["signal"].ndim != 1:
        msg = f"the panel shows one spectrum, got dims {spectrum['signal'].dims}; choose one: spectrum.isel(row=0)"
        raise MetrospecError(msg)
    return spectrum


def arrays_of(spectrum: xr.Dataset, axis: str) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Return axis, signal and its u, the axis rising."""
    x = np.asarray(spectrum[axis].values, dtype=float)
    order = np.argsort(x)
    u = np.asarray(spectrum["u_signal"].values, dtype=float)[order] if "u_signal" in spectrum else None
    return x[order], np.asarray(spectrum["signal"].values, dtype=float)[order], u


def found_in(spectrum: xr.Dataset, settings: ExploreSettings, shape: Any, most: int = 8) -> tuple[Mark, ...]:  # noqa: ANN401
    """Mark the peaks that stand out of the noise within the range."""
    x = spectrum[settings.axis]
    low = float(x.min()) if settings.low is None else settings.low
    high = float(x.max()) if settings.high is None else settings.high
    table = peaks.find(spectrum.isel(channel=((x >= low) & (x <= high)).values), axis=settings.axis, max_peaks=most)
    rows = zip(*(table[name].values.ravel() for name in ("position", "prominence", "width")), strict=True)
    return tuple(
        Mark(center=float(center), height=float(height), fwhm=float(width), shape=shape)
        for center, height, width in rows
        if np.isfinite(center) and width > 0
    )


def rows_of(fit: xr.Dataset, count: int) -> dict[str, dict[str, str]]:
    """Return each measure of each peak with its uncertainty, or why there is none."""
    return {
        f"p{number}": {what: _value(fit, f"p{number}_{what}") for what in MEASURES} for number in range(1, count + 1)
    }


def _value(fit: xr.Dataset, name: str) -> str:
    try:
        return str(peaks.quantity(fit, name)).removesuffix(" (k = 1)")
    except MetrospecError as error:
        return f"no uncertainty: {str(error).split(':', 1)[-1].strip()}"
