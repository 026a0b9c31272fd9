"""Linear drift of frequency, measured and removed.

Not here: drift of calibrations (`analysis.calibration`).
"""

import numpy as np
import numpy.typing as npt
import xarray as xr
from numpy.polynomial import legendre

from analysis.core import SpectrumError, units
from analysis.stability.deviations import ohdev
from analysis.stability.estimate import recorded
from analysis.stability.series import Array, Data, read_series
from analysis.stability.spectrum import law, psd_from_deviation
from analysis.uncertainty import Quantity

_FINER = 4
_NOISES = (2, 0, -2)
_SHORTEST = 32
_LONGEST = 1 << 16


def drift(data: Data, *, rate: float, kind: str = "phase") -> Quantity:
    """Measure the linear drift of frequency, with the uncertainty that its noise gives it.

    Least squares of a line through frequency, or of a parabola through phase, as `remove_drift` takes it away. The
    noise is that of `ohdev`, which is blind to drift, separated into white phase, white and random walk frequency
    noise (flicker is shared between its neighbours); the variance of
    the slope is the integral of that spectrum. Under coloured noise this is far more than residuals suggest.

    Parameters
    ----------
    data:
        Phase in s or frequency, evenly sampled; gaps stay out.
    rate:
        Samples per second.
    kind:
        `"phase"` or `"frequency"`.

    Returns
    -------
    :
        Drift in units of frequency per s, Type A, with its degrees of freedom.

    Raises
    ------
    SpectrumError
        If the data cannot be used or are fewer than 32.
    """
    series = read_series(data, rate=rate, kind=kind)
    values = np.asarray(data["signal"] if isinstance(data, xr.Dataset) else data, dtype=float)
    inside = np.isfinite(values)
    if inside.sum() < _SHORTEST:
        msg = f"a drift with its uncertainty needs {_SHORTEST} samples; got {int(inside.sum())}. Measure longer"
        raise SpectrumError(msg)
    weights = _slope_weights(inside, series.rate, degree=2 if kind == "phase" else 1)
    scale = units.factor(_unit(data), "s") if units.same_dimension(_unit(data), "s") and kind == "phase" else 1.0
    value = float(weights[inside] @ values[inside]) * scale
    found = ohdev(data, rate=rate, kind=kind)
    known = psd_from_deviation(
        found.sel(tau=slice(None, _LONGEST / series.rate)), rate=series.rate, which="ohdev", laws=_NOISES
    )
    shares = _shares(weights, series.rate, phase=kind == "phase")
    variance = float(shares @ known["h"].values)
    spread = float(shares @ known["covariance"].values @ shares)
    dof = max(2 * variance**2 / spread, 1.0) if spread > 0 else float(np.inf)
    unit = units.multiply(series.units, "s", power=-1)
    return Quantity(value=value, u=float(np.sqrt(variance)), units=unit, dof=dof, label="drift of frequency")


def _unit(data: Data) -> str:
    source = data["signal"] if isinstance(data, xr.Dataset) else data
    return str(source.attrs.get("units", "1")) if isinstance(source, xr.DataArray) else "1"


def _slope_weights(inside: npt.NDArray[np.bool_], rate: float, *, degree: int) -> Array:
    """Return what each sample counts in the drift per s by least squares of a polynomial."""
    at = np.linspace(-1, 1, inside.size)
    table = legendre.legvander(at[inside], degree)
    highest = np.linalg.solve(table.T @ table, table.T)[degree]
    per_s = 2 * rate / (inside.size - 1)  # of `at`
    weights = np.zeros(inside.size)
    weights[inside] = highest * (per_s if degree == 1 else 3 * per_s**2)  # P2'' = 3
    return weights


def _shares(weights: Array, rate: float, *, phase: bool) -> Array:
    """Return the variance of the weighted sum for unit noise of each law."""
    size = _FINER * weights.size
    at = np.fft.rfftfreq(size, 1 / rate)[1:]
    power = np.abs(np.fft.rfft(weights, size)[1:]) ** 2
    if phase:
        power = power / (2 * np.sin(np.pi * at / rate) * rate) ** 2
    return np.array([np.sum(power * law(at, alpha, rate)) for alpha in _NOISES]) * (rate / size)


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
