"""Linear drift of frequency, removed.

Not here: drift of calibrations (`analysis.calibration`).
"""

import numpy as np
import xarray as xr
from numpy.polynomial import legendre

from analysis.core import SpectrumError
from analysis.stability.estimate import recorded
from analysis.stability.series import Data, read_series


def remove_drift(data: Data, *, rate: float, kind: str = "phase") -> xr.Dataset:
    """Remove the parabola of phase, or the line of frequency, that fits best.

    Removing it also removes noise at the longest times; `ohdev` needs no removal.

    Parameters
    ----------
    data:
        Phase in s or frequency, evenly sampled; gaps stay gaps.
    rate:
        Samples per second.
    kind:
        `"phase"` or `"frequency"`.

    Returns
    -------
    :
        `signal`, what is left, over `time`.

    Raises
    ------
    SpectrumError
        If the data cannot be used.
    """
    series = read_series(data, rate=rate, kind=kind)
    values = np.asarray(data["signal"] if isinstance(data, xr.Dataset) else data, dtype=float)
    inside = np.isfinite(values)
    at = np.linspace(-1, 1, values.size)
    degree = 2 if kind == "phase" else 1
    if inside.sum() <= degree + 1:
        msg = f"a drift needs more than {degree + 1} samples; got {int(inside.sum())}. Measure longer"
        raise SpectrumError(msg)
    left = values - legendre.legval(at, legendre.legfit(at[inside], values[inside], degree))
    unit = str(data.attrs.get("units", "1")) if isinstance(data, xr.DataArray) else "1"
    times = ("time", np.arange(values.size) / series.rate, {"units": "s", "long_name": "time"})
    result = xr.DataArray(left, dims="time", coords={"time": times}, attrs={"units": unit})
    return recorded(xr.Dataset({"signal": result}), "remove_drift", {"rate": series.rate, "kind": kind}, data)
