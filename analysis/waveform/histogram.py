"""Static errors of a digitiser from the histogram of a sine: transition levels, INL, DNL, missing codes.

References: IEEE Std 1241-2010, 4.2 and 4.7.1; uncertainty of a histogram: Blair, IEEE Trans. Instrum. Meas. 43
(1994) 373, doi:10.1109/19.293454. Not here: noise and distortion (`analysis.waveform.digitiser`).
"""

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from analysis.core import SpectrumError

__all__ = ["histogram_test"]

_MOST_BITS, _LEAST_PER_CODE = 24, 10


def histogram_test(codes: npt.ArrayLike, *, bits: int) -> xr.Dataset:
    """Find the transition levels of a digitiser from many samples of a sine that reaches beyond its full scale.

    Parameters
    ----------
    codes:
        Output codes, whole numbers from 0 to 2**bits - 1, any shape; samples of a pure sine at random or evenly spread
        phases that overdrives the digitiser a little, so that the first and the last code are hit too.
    bits:
        Of the digitiser, 2 to 24.

    Returns
    -------
    :
        Along `code`, from 1 to 2**bits - 1, where the digitiser steps from the code before: `transition` in units of
        the mean step (LSB), `inl` (LSB, against the straight line from the first to the last transition), each with
        `u_...`; `dnl` (LSB) of the code that begins there, NaN for the last; `missing` of codes that never came. u is
        that of counting samples at independent phases; evenly spread phases do better (Blair). The noise of the
        digitiser rounds its steps off and is not corrected.

    Raises
    ------
    SpectrumError
        If codes are no whole numbers inside the range, too few, or the sine does not reach both ends.
    """
    counted = _counted(codes, bits)
    total = int(counted.sum())
    below = np.cumsum(counted)[:-1] / total
    if not (counted[0] and counted[-1]):
        msg = (
            f"the sine does not reach both ends: code 0 came {counted[0]} times, code {counted.size - 1} "
            f"{counted[-1]} times; overdrive the digitiser a little"
        )
        raise SpectrumError(msg)
    level = -np.cos(math.pi * below)
    u_level = math.pi * np.sin(math.pi * below) * np.sqrt(below * (1.0 - below) / total)
    step = (level[-1] - level[0]) / (level.size - 1)
    transition = (level - level[0]) / step
    inl = transition - np.arange(level.size)
    dnl = np.append(np.diff(transition) - 1.0, np.nan)
    places = np.linspace(0.0, 1.0, level.size)
    u_line = np.hypot((1.0 - places) * u_level[0], places * u_level[-1])
    u_inl = np.hypot(u_level, u_line) / step
    u_inl[[0, -1]] = 0.0
    # A code's share p of the samples has the u of counting, sqrt(p (1 - p) / total).
    share = counted[1:-1] / total
    u_dnl = math.pi * np.sin(math.pi * (below[:-1] + 0.5 * share)) * np.sqrt(share * (1.0 - share) / total) / step
    lsb = {"units": "1", "long_name": "in LSB"}
    return xr.Dataset(
        {
            "transition": ("code", transition, lsb), "u_transition": ("code", u_level / step, lsb),
            "inl": ("code", inl, lsb), "u_inl": ("code", u_inl, lsb),
            "dnl": ("code", dnl, lsb), "u_dnl": ("code", np.append(u_dnl, np.nan), lsb),
            "missing": ("code", counted[1:] == 0),
        },
        coords={"code": np.arange(1, counted.size)},
        attrs={"bits": bits, "samples": total, "amplitude": float(1.0 / step), "overdrive": float(-level[0])},
    )  # fmt: skip


def _counted(codes: npt.ArrayLike, bits: int) -> npt.NDArray[np.int64]:
    if not 2 <= bits <= _MOST_BITS:  # noqa: PLR2004 - one bit has a single transition
        msg = f"bits must lie between 2 and {_MOST_BITS}, got {bits}"
        raise SpectrumError(msg)
    values: Any = np.asarray(codes).ravel()
    real = values.dtype.kind in "fiu"
    whole = real and values.size and np.isfinite(values.astype(float)).all() and np.array_equal(values, np.rint(values))
    if not whole or values.min() < 0 or values.max() >= 1 << bits:
        msg = f"codes must be whole numbers from 0 to {(1 << bits) - 1}, got {values[:4]}...; convert volts to codes"
        raise SpectrumError(msg)
    if values.size < _LEAST_PER_CODE << bits:
        msg = f"{values.size} samples are too few for {1 << bits} codes; take {_LEAST_PER_CODE << bits} or more"
        raise SpectrumError(msg)
    return np.bincount(values.astype(np.int64), minlength=1 << bits)
