"""A calibration given to spectra: it adds an axis with its sources, and refuses where it does not hold."""

import numpy as np
import xarray as xr

from analysis.calibration import validity
from analysis.calibration.axis import AxisCalibration
from analysis.core import CHANNEL, CalibrationError, history, require_axis, require_spectrum
from analysis.uncertainty import sources

NOMINAL = "_nominal"


def positions(calibration: AxisCalibration, spectrum: xr.Dataset) -> xr.DataArray:
    """Return the coordinate of a spectrum that a calibration is a function of.

    Parameters
    ----------
    calibration:
        The calibration.
    spectrum:
        A spectrum with that coordinate.

    Returns
    -------
    :
        The coordinate (channel,); the channel number stands for a missing `pixel`.

    Raises
    ------
    CalibrationError
        If the spectrum has another instrument, or no such coordinate.
    SpectrumError
        If the coordinate is not an axis.
    """
    instrument = str(spectrum.attrs.get("instrument", ""))
    if instrument and calibration.instrument and instrument != calibration.instrument:
        msg = (
            f"the calibration is of instrument {calibration.instrument!r}, the spectrum of {instrument!r}; "
            "calibrate each instrument with its own lamp"
        )
        raise CalibrationError(msg)
    for name in (calibration.of + NOMINAL, calibration.of):
        if name in spectrum.coords:
            return require_axis(spectrum, name)
    if calibration.of == "pixel":
        return xr.DataArray(np.arange(spectrum.sizes[CHANNEL], dtype=float), dims=CHANNEL, name="pixel")
    return require_axis(spectrum, calibration.of)


def require_date(calibration: AxisCalibration, spectrum: xr.Dataset) -> str:
    """Refuse a spectrum recorded outside the validity of a calibration.

    Parameters
    ----------
    calibration:
        The calibration.
    spectrum:
        Its attribute `acquired` says when it was recorded.

    Returns
    -------
    :
        A sentence on the dates, also where they are not known.

    Raises
    ------
    CalibrationError
        If the spectrum was recorded outside the validity.
    """
    acquired = str(spectrum.attrs.get("acquired", ""))
    dates = (calibration.valid_from, calibration.valid_until)
    said = validity.describe(*dates, calibration.acquired, acquired)
    if validity.by_date(*dates, acquired) == "outside":
        msg = (
            f"stale calibration: {said}. Use a lamp recorded nearer to it, or, if calibration.check shows that it "
            "still holds, state so with axis.valid_between(from, until)"
        )
        raise CalibrationError(msg)
    return said


def apply(axis: AxisCalibration, spectrum: xr.Dataset | xr.DataArray, *, extrapolate: bool = False) -> xr.Dataset:
    """Add a calibrated axis to spectra.

    Parameters
    ----------
    axis:
        The calibration.
    spectrum:
        One spectrum or a map (*batch, channel) of the same instrument.
    extrapolate:
        True allows channels outside the fitted lines; their uncertainty grows, and does not know of a wrong model.

    Returns
    -------
    :
        The spectrum with the coordinate (channel,) and its `<axis>_sources` (source, channel). An axis of that name
        that the file had is kept as `<axis>_nominal`. The attribute `validity` says how the dates stand.

    Raises
    ------
    CalibrationError
        If channels lie outside the fitted lines, the spectrum was recorded outside the validity, or it is of
        another instrument.
    SpectrumError
        If this is not a spectrum, or lacks the coordinate that the calibration is a function of.
    """
    given: object = axis
    if not isinstance(given, AxisCalibration):
        msg = f"apply needs a calibration first, as calibration.fit_axis returns; got a {type(given).__name__}"
        raise CalibrationError(msg)
    dataset = require_spectrum(spectrum)
    said = require_date(axis, dataset)
    at = positions(axis, dataset).values.astype(float)
    if not extrapolate:
        axis.require_inside(at)
    result = give_axis(axis, dataset).assign_attrs(validity=said)
    settings = {"extrapolate": extrapolate}
    return history.record(result, "calibration.apply", settings=settings, inputs={"axis": axis, "spectrum": dataset})


def give_axis(axis: AxisCalibration, spectrum: xr.Dataset) -> xr.Dataset:
    """Add the axis and its sources, whatever the dates and the range.

    Parameters
    ----------
    axis:
        The calibration.
    spectrum:
        One spectrum or a map (*batch, channel).

    Returns
    -------
    :
        As `apply` describes, without history.
    """
    value, parts = axis.evaluate(positions(axis, spectrum).values.astype(float))
    kept = spectrum
    if axis.axis in spectrum.coords and axis.axis + NOMINAL not in spectrum.coords:
        kept = spectrum.assign_coords({axis.axis + NOMINAL: spectrum[axis.axis]})
    attrs = {"units": axis.units, "long_name": axis.axis.replace("_", " ").capitalize()}
    if axis.laser is not None:
        attrs["laser_wavelength"] = str(axis.laser)
    elif axis.axis == "wavelength":
        attrs["medium"] = axis.medium
    return sources.attach(kept.assign_coords({axis.axis: (CHANNEL, value, attrs)}), axis.axis, parts, (CHANNEL,))
