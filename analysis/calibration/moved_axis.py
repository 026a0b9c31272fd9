"""The axis of one instrument brought to that of another by lines seen on both.

Not here: the signal (`analysis.calibration.transfer`).
"""

import numpy as np
import numpy.typing as npt
import xarray as xr

from analysis.calibration.applying import NOMINAL
from analysis.calibration.carrying import add_parts, require_made
from analysis.calibration.curve import CurveCalibration
from analysis.core import CHANNEL, CalibrationError, history, require_axis, require_spectrum
from analysis.core import units as unit_rules
from analysis.uncertainty import sources

__all__ = ["transfer_axis"]

Array = npt.NDArray[np.float64]


def transfer_axis(
    spectrum: xr.Dataset | xr.DataArray, curve: CurveCalibration, *, axis: str, extrapolate: bool = False
) -> xr.Dataset:
    """Bring the axis of a spectrum to that of another instrument by a curve through lines seen on both.

    Parameters
    ----------
    spectrum:
        One spectrum or a map (*batch, channel).
    curve:
        Position on the other instrument as a function of the position on this one: `fit_line(here, there)` for an
        offset and a slope.
    axis:
        The axis to move.
    extrapolate:
        True allows channels outside the lines.

    Returns
    -------
    :
        The spectrum with the moved axis, its own sources and those of the curve; the given one stays as
        `<axis>_nominal`.

    Raises
    ------
    CalibrationError
        If channels lie outside the lines, or the axis was moved before.
    SpectrumError
        If there is no such axis.
    UnitsError
        If the units of the curve are not those of the axis.
    """
    require_made(curve, CurveCalibration, "calibration.fit_line")
    dataset = require_spectrum(spectrum)
    given = require_axis(dataset, axis)
    unit = str(given.attrs.get("units", curve.of_units))
    scale, back = unit_rules.factor(unit, curve.of_units), unit_rules.factor(curve.units, unit)
    at = scale * np.asarray(given.values, dtype=float)
    if axis + NOMINAL in dataset.coords:
        msg = f"the spectrum has {axis + NOMINAL!r} already, so {axis!r} was moved or calibrated before; start from it"
        raise CalibrationError(msg)
    if not extrapolate and not ((at >= curve.low) & (at <= curve.high)).all():
        msg = (
            f"the lines span {curve.low:g} to {curve.high:g} {curve.of_units}, the axis {at.min():g} to {at.max():g}; "
            f"crop first: preprocess.crop(spectrum, axis={axis!r}, ...), or say extrapolate=True"
        )
        raise CalibrationError(msg)
    rows, slope = curve.family.gradient(at, curve.values), curve.family.slope(at, curve.values)
    ours = {source: slope * scale * back * part for source, part in sources.detach(dataset, axis).items()}
    parts = add_parts(ours, {source: back * (rows @ part) for source, part in curve.contributions.items()})
    kept = dataset.assign_coords({axis + NOMINAL: (CHANNEL, given.values, given.attrs)})
    value = back * curve.family.value(at, curve.values)
    moved = kept.assign_coords({axis: (CHANNEL, value, given.attrs)})
    result = sources.attach(moved, axis, parts, (CHANNEL,))
    settings = {"axis": axis, "extrapolate": extrapolate}
    return history.record(
        result, "calibration.transfer_axis", settings=settings, inputs={"spectrum": dataset, "curve": curve}
    )
