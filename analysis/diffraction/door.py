"""What a powder pattern must be before it is fitted: angles in degrees, counts, a detector that still counts.

Not here: the fit (`analysis.diffraction.pattern`).
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from analysis.core import CHANNEL, SpectrumError, axes, require_axis, require_spectrum
from analysis.diffraction.phase import Phase

__all__ = ["AXIS", "near", "net_counts", "require_pattern"]

AXIS = "two_theta"
Floats = npt.NDArray[np.float64]
DEGREES = ("degree", "degrees", "deg")
FLAT = 3  # neighbouring channels at the greatest count that no noise makes
MANY = 1000.0
SWAMPED = 0.1  # share of the time that the detector was dead
ABOVE = 3.29  # of a net count over its standard deviation: Currie's detection limit, 5 % and 5 %


def require_pattern(pattern: xr.Dataset | xr.DataArray) -> tuple[Floats, Floats]:
    """Return angles and counts of a powder pattern after its check.

    Parameters
    ----------
    pattern:
        One spectrum of raw counts with the axis `two_theta` in degrees. If its attributes `dead_time_s` and
        `exposure_s` (of one channel) say how long the detector was dead, that is looked at.

    Returns
    -------
    :
        Angles in degrees and counts, dims `(channel,)`.

    Raises
    ------
    SpectrumError
        If it is no powder pattern, holds no raw counts, or the detector was saturated.
    """
    dataset = require_spectrum(pattern)
    if AXIS not in dataset.coords:
        msg = (
            f"diffraction needs the axis {AXIS!r} in degrees; this spectrum has {axes(dataset)}. Is it a diffraction "
            f"pattern? If so: pattern.assign_coords({AXIS}=('{CHANNEL}', angles, {{'units': 'degree'}}))"
        )
        raise SpectrumError(msg)
    axis = require_axis(dataset, AXIS)
    if axis.attrs.get("units") not in DEGREES:
        msg = f"{AXIS} must be in degrees, got units {axis.attrs.get('units')!r}."
        raise SpectrumError(msg)
    signal = dataset["signal"]
    if signal.ndim != 1:
        msg = f"wanted one pattern, got dims {signal.dims}. Choose one: pattern.isel(...)"
        raise SpectrumError(msg)
    x, y = axis.values.astype(float), signal.values.astype(float)
    if not (x.min() > 0.0 and x.max() < 180.0):  # noqa: PLR2004
        msg = f"{AXIS} must lie within (0, 180) degrees, got {x.min():g} to {x.max():g}. Crop the pattern"
        raise SpectrumError(msg)
    _require_counts(y)
    _require_alive(y, dataset.attrs)
    return x, y


def _require_counts(y: Floats) -> None:
    known = y[np.isfinite(y)]
    if not known.size or not known.any():
        msg = f"the pattern is empty: {known.size} of {y.size} channels are numbers none above 0. Look at the file"
        raise SpectrumError(msg)
    if known.min() < 0.0:
        msg = f"counts cannot be negative, got {known.min():g}. Give the raw counts, with their background"
        raise SpectrumError(msg)
    if not np.array_equal(known, np.round(known)):
        odd = known[known != np.round(known)][0]
        msg = (
            f"wanted raw counts, which are whole numbers, got {odd:g}. Multiply a rate by the time of a channel; the "
            "noise of anything else is not that of counts"
        )
        raise SpectrumError(msg)


def _require_alive(y: Floats, attrs: dict[Any, Any]) -> None:
    top = float(np.nanmax(y))
    run = longest = 0
    for full in y == top:
        run = run + 1 if full else 0
        longest = max(longest, run)
    if top >= MANY and longest >= FLAT:
        msg = (
            f"{longest} neighbouring channels stand at the greatest count {top:g}: the detector was saturated. Measure "
            "with an absorber or less current"
        )
        raise SpectrumError(msg)
    if "dead_time_s" in attrs and "exposure_s" in attrs:
        share = top * float(attrs["dead_time_s"]) / float(attrs["exposure_s"])
        if share > SWAMPED:
            msg = (
                f"the detector was dead for {100 * share:.0f} % of the time at the strongest line; counts are trusted "
                f"up to {100 * SWAMPED:.0f} %. Measure with an absorber or less current"
            )
            raise SpectrumError(msg)


def net_counts(x: Floats, y: Floats, center: float, half_width: float) -> tuple[float, float]:
    """Sum the counts of a line above the straight line between both sides of its window.

    Parameters
    ----------
    x, y:
        Angles and counts.
    center, half_width:
        The window, degrees; its outer quarters are background.

    Returns
    -------
    :
        Net counts, and over their standard deviation.
    """
    use = (np.abs(x - center) <= half_width) & np.isfinite(y)
    outer = use & (np.abs(x - center) > 0.75 * half_width)
    inner = use & ~outer
    if not outer.any() or not inner.any():
        return 0.0, 0.0
    level = float(y[outer].mean())
    net = float((y[inner] - level).sum())
    spread = float(y[inner].sum() + inner.sum() ** 2 * max(level, 1.0) / outer.sum())
    return net, net / max(spread, 1.0) ** 0.5


def near(pattern: xr.Dataset, two_theta: xr.DataArray, *, half_width: float = 1.5) -> xr.Dataset:
    """Keep the channels near lines.

    Parameters
    ----------
    pattern:
        A powder pattern.
    two_theta:
        Where the lines stand, degrees, for example `reflections(...)["two_theta"]`.
    half_width:
        What is kept on either side, degrees, > 0.

    Returns
    -------
    :
        The pattern without the channels between.

    Raises
    ------
    SpectrumError
        If nothing is left.
    """
    x, _ = require_pattern(pattern)
    kept = (np.abs(x[:, None] - two_theta.values) <= half_width).any(axis=1)
    if not kept.any():
        msg = (
            f"no channel lies within {half_width:g} degrees of a line; the pattern spans {x.min():g} to {x.max():g}, "
            f"the lines {float(two_theta.min()):g} to {float(two_theta.max()):g} degrees"
        )
        raise SpectrumError(msg)
    return pattern.isel({CHANNEL: np.flatnonzero(kept)})


def present(x: Floats, y: Floats, phase: Phase, centers: Floats, half_width: float) -> list[bool]:
    """Say which lines of a phase rise above the background.

    Parameters
    ----------
    x, y:
        Angles and counts.
    phase:
        The phase.
    centers:
        Where its lines should stand, degrees.
    half_width:
        Of the window around each, degrees.

    Returns
    -------
    :
        One for each line.

    Raises
    ------
    SpectrumError
        If none of them does.
    """
    found = [net_counts(x, y, float(c), half_width)[1] > ABOVE for c in centers]
    if not any(found):
        msg = (
            f"none of the {len(found)} lines of {phase.name} between {x.min():.1f} and {x.max():.1f} degrees rises "
            "above the background (Currie's limit). Is this the phase, the radiation and the right file?"
        )
        raise SpectrumError(msg)
    return found
