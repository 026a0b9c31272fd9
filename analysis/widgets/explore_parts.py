"""What the panel to explore a spectrum works with: its settings, their call as code, its starting marks, its table.

Not here: the panel (`analysis.widgets.exploring`).
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from analysis import peaks
from analysis.core import MetrospecError
from analysis.peaks.marked import Background, Mark

__all__ = ["MEASURES", "ExploreSettings", "arrays_of", "code_of", "found_in", "read_settings", "rows_of"]

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


def code_of(now: ExploreSettings, name: str) -> str:
    """Write the call that makes what is shown."""
    marks = ",\n".join(
        f"    peaks.Mark(center={m.center!r}, height={m.height!r}, fwhm={m.fwhm!r}, shape={m.shape!r})"
        for m in now.marks
    )
    listed = f"[\n{marks},\n]" if marks else "[]"
    return (
        f"peaks.fit_marked({name}, axis={now.axis!r}, background={now.background!r}, low={now.low!r}, "
        f"high={now.high!r}, marks={listed})"
    )


def read_settings(path: Path) -> ExploreSettings:
    """Read settings that were saved as JSON."""
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
        marks = tuple(Mark(**each) for each in held.pop("marks"))
        return ExploreSettings(**held, marks=marks)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        msg = f"{path.name!r} does not hold the settings of this panel ({error}); write them with panel.save"
        raise MetrospecError(msg) from error


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
