"""What a powder pattern must be before it is fitted: angles in degrees, counts, a detector that still counts.

Not here: the fit (`analysis.diffraction.pattern`).
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from analysis.core import CHANNEL, SpectrumError, axes, require_axis, require_spectrum

__all__ = ["AXIS", "near", "net_counts", "present", "require_pattern"]

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


def net_counts(x: Floats, y: Floats, reach: tuple[float, float], window: float) -> tuple[float, float]:
    """Sum the counts of a line above the background beside it.

    Parameters
    ----------
    x, y:
        Angles and counts.
    reach:
        Where the first and the last line of the tube stand, degrees.
    window:
        What belongs to the line on either side, degrees; its outer quarter, on the lower side, is background.

    Returns
    -------
    :
        Net counts, and over their standard deviation.

    Raises
    ------
    SpectrumError
        If there are no channels beside the line.
    """
    low, high = reach
    known = np.isfinite(y)
    sides = [known & (beyond > 0.75 * window) & (beyond <= window) for beyond in (low - x, x - high)]
    sides = [side for side in sides if side.any()]
    inner = known & (x >= low - 0.75 * window) & (x <= high + 0.75 * window)
    if not sides or not inner.any():
        msg = (
            f"no channels lie beside the line at {low:.2f} degrees, {0.75 * window:g} to {window:g} degrees away; keep "
            "more of the pattern, or give a smaller window"
        )
        raise SpectrumError(msg)
    level, side = min((float(y[side].mean()), int(side.sum())) for side in sides)
    net = float((y[inner] - level).sum())
    spread = float(y[inner].sum() + inner.sum() ** 2 * max(level, 1.0) / side)
    return net, net / max(spread, 1.0) ** 0.5


def near(pattern: xr.Dataset, reflections: xr.Dataset, *, half_width: float = 1.5) -> xr.Dataset:
    """Keep the channels near lines.

    Parameters
    ----------
    pattern:
        A powder pattern.
    reflections:
        From `reflections(...)`: all lines of the tube are kept.
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
    low, high = (reflections[name].values for name in ("first", "last"))
    kept = ((x[:, None] >= low - half_width) & (x[:, None] <= high + half_width)).any(axis=1)
    if not kept.any():
        msg = (
            f"no channel lies within {half_width:g} degrees of a line; the pattern spans {x.min():g} to {x.max():g}, "
            f"the lines {low.min():g} to {high.max():g} degrees"
        )
        raise SpectrumError(msg)
    return pattern.isel({CHANNEL: np.flatnonzero(kept)})


def present(x: Floats, y: Floats, reflections: xr.Dataset, window: float) -> list[float]:
    """Return the net counts of the lines of a phase, 0 for those that do not rise above the background.

    Parameters
    ----------
    x, y:
        Angles and counts.
    reflections:
        Where its lines should stand.
    window:
        As in `net_counts`.

    Returns
    -------
    :
        One for each line.

    Raises
    ------
    SpectrumError
        If none of them rises.
    """
    reach = zip(reflections["first"].values.tolist(), reflections["last"].values.tolist(), strict=True)
    counted = [net_counts(x, y, each, window) for each in reach]
    found = [net if over > ABOVE else 0.0 for net, over in counted]
    if not any(found):
        msg = (
            f"none of the {len(found)} lines of {reflections.attrs['phase']} between {x.min():.1f} and {x.max():.1f} "
            "degrees rises above the background (Currie's limit). Is this the phase, the radiation and the right file?"
        )
        raise SpectrumError(msg)
    return found
