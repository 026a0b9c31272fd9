"""The pairs of a calibration spectrum, looked at by hand: pairs left out, and how far each line is from the axis.

Not here: how the pairs are found (`analysis.calibration.matching`), the fit (`analysis.calibration.fitting`).
References: of residuals and their variance Draper and Smith, Applied Regression Analysis, 3rd ed. (1998), 8.1.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import xarray as xr

from analysis.calibration.axis import AxisCalibration
from analysis.calibration.lines import LINE
from analysis.calibration.matching import PeakFate
from analysis.core import CalibrationError, did_you_mean, history

Array = npt.NDArray[np.float64]


def leave_out(found: xr.Dataset, lines: Sequence[str]) -> xr.Dataset:
    """Leave pairs out of the fit of an axis.

    Parameters
    ----------
    found:
        Pairs, as `match` returns.
    lines:
        Names of the lines whose pairs are not to be used, as the coordinate `line` has them.

    Returns
    -------
    :
        The same pairs, those of the named lines with the fate `LEFT_OUT`.

    Raises
    ------
    CalibrationError
        If this is not what `match` returns, or a name is not that of a line that is paired.
    """
    _require_pairs(found, "leave_out")
    names = found[LINE].values[found["line_index"].values].astype(str)
    fate = found["fate"].values.copy()
    paired = names[fate == PeakFate.MATCHED].tolist()
    for name in lines:
        if name not in paired:
            hint = did_you_mean(str(name), paired)
            msg = f"no pair of a line named {name!r} to leave out; paired are {paired}.{hint}"
            raise CalibrationError(msg)
    fate[np.isin(names, list(lines)) & (fate == PeakFate.MATCHED)] = PeakFate.LEFT_OUT
    changed = found.assign(fate=("peak", fate, found["fate"].attrs))
    chosen = found["line_index"].values[fate == PeakFate.MATCHED]
    changed["found"] = (LINE, np.isin(np.arange(found.sizes[LINE]), chosen))
    changed.attrs["summary"] = f"{found.attrs['summary']}; by hand: {len(set(lines))} left out"
    return history.record(changed, "calibration.leave_out", settings={"lines": list(lines)}, inputs={"found": found})


def residuals(axis: AxisCalibration, found: xr.Dataset) -> xr.Dataset:
    """Return how far each line is from a fitted axis, and the uncertainty of that distance.

    A line that was used has pulled the axis towards itself, so the variance of its residual is that of the line less
    that of the polynomial there. A line that was not used is a check: its variance and that of the axis add up.

    Parameters
    ----------
    axis:
        As `fit_axis` made it from `found`.
    found:
        Pairs, as `match` or `leave_out` returns.

    Returns
    -------
    :
        Per peak (peak): `residual`, line less axis, and `u_residual`, in units of the lines, NaN for a peak without a
        line or outside the fitted lines; `used`, whether it was. The attribute `excess` is the scatter beyond the
        known uncertainties, in the same units.

    Raises
    ------
    CalibrationError
        If this is not what `match` returns, or the axis was made from other pairs, or has become a Raman axis.
    """
    _require_pairs(found, "residuals")
    used = found["fate"].values == PeakFate.MATCHED
    position, index = found["position"].values, found["line_index"].values
    if axis.laser is not None or not np.array_equal(np.sort(position[used]), axis.knots):
        msg = (
            f"residuals are those of the pairs that the axis was made from: it has {axis.knots.size} lines on "
            f"{axis.axis!r}, these are {int(used.sum())} pairs. Take the axis that fit_axis(found, ...) returns"
        )
        raise CalibrationError(msg)
    there = (index >= 0) & (position >= axis.low) & (position <= axis.high)
    at = position[there]
    value, parts = axis.evaluate(at)
    distance = found["value"].values[index[there]] - value
    known = found["u"].values[index[there]] ** 2 + (axis.slope(at) * found["u_position"].values[there]) ** 2
    fitted = sum((part**2 for part in parts.values()), np.zeros_like(at))
    excess, polynomial = _excess(axis), _polynomial_variance(axis, at)
    pulled = known + excess**2 - polynomial
    variance = np.where(used[there], np.maximum(pulled, 0.0), known + fitted)
    unit = {"units": str(found["value"].attrs["units"])}
    made = xr.Dataset(
        {
            "residual": ("peak", _spread(distance, there), unit),
            "u_residual": ("peak", _spread(np.sqrt(variance), there), unit),
            "used": ("peak", used, {"units": "1"}),
        },
        attrs={"excess": excess, "excess_units": unit["units"]},
    )
    return history.record(made, "calibration.residuals", settings={}, inputs={"axis": axis, "found": found})


def _require_pairs(found: xr.Dataset, what: str) -> None:
    given: object = found
    if not isinstance(given, xr.Dataset) or "fate" not in given or "line_index" not in given:
        msg = f"{what} needs the pairs that calibration.match(spectrum, lines) found; got a {type(given).__name__}"
        raise CalibrationError(msg)


def _excess(axis: AxisCalibration) -> float:
    """Scatter of the lines beyond their known uncertainties; every line has the same."""
    first = axis.coefficients.size
    return float(np.hypot.reduce([vector[first] for vector in axis.contributions.values()]))


def _polynomial_variance(axis: AxisCalibration, at: Array) -> Array:
    scaled = (2 * at - axis.low - axis.high) / (axis.high - axis.low)
    powers = np.vander(scaled, axis.coefficients.size, increasing=True)
    return np.asarray(np.einsum("pi,ij,pj->p", powers, axis.covariance, powers))


def _spread(values: Array, there: npt.NDArray[np.bool_]) -> Array:
    full = np.full(there.size, np.nan)
    full[there] = values
    return full
