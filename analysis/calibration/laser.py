"""The laser line from a Raman standard: what makes a wavelength axis a Raman axis."""

import numpy as np
import xarray as xr

from analysis.calibration import air
from analysis.calibration.applying import positions, require_date
from analysis.calibration.axis import AxisCalibration
from analysis.calibration.bands import measure, on_axis
from analysis.calibration.lines import lines
from analysis.calibration.locate import require_one
from analysis.core import CalibrationError, history
from analysis.uncertainty import Quantity, sources

_SEARCH = 15.0
_HALF = 20.0


def laser_zero(
    axis: AxisCalibration, spectrum: xr.Dataset | xr.DataArray, *, laser: float, standard: str = "silicon"
) -> Quantity:
    """Find the laser wavelength from one band of a Raman standard measured on a calibrated wavelength axis.

    Parameters
    ----------
    axis:
        A wavelength axis.
    spectrum:
        One spectrum of the standard, recorded while `axis` is valid.
    laser:
        Nominal laser wavelength in nm, in the medium of the axis; good to 15 cm-1.
    standard:
        A packaged Raman standard; its strongest band is used.

    Returns
    -------
    :
        The laser wavelength in nm, in the medium of the axis; its sources are those of the axis, of the fitted band,
        and of the reference value.

    Raises
    ------
    CalibrationError
        If the axis is no wavelength axis, the spectrum lies outside its validity or its lines, there is no band, or
        more than one spectrum.
    """
    given: object = laser
    if isinstance(given, Quantity):
        msg = f"the nominal laser wavelength is a number in nm, got {given}; give its value: laser={given.value:g}"
        raise CalibrationError(msg)
    dataset = require_one(spectrum)
    require_date(axis, dataset)
    table = lines(standard, 0.0, 5000.0, units="cm-1")
    strongest = table.isel(line=[int(np.argmax(table["intensity"].values))])
    at = positions(axis, dataset).values.astype(float)
    exact = axis.to_raman_shift(Quantity(value=laser, u=0.0, units="nm", label="nominal laser"))
    [position] = measure(dataset, exact.evaluate(at)[0], strongest["value"].values, search=_SEARCH, half=_HALF)
    if position is None:
        msg = (
            f"no band of {standard} within {_SEARCH:g} cm-1 of {float(strongest['value'][0]):g} cm-1 "
            f"with a laser at {laser:g} nm; "
            "check the sample and the nominal laser wavelength"
        )
        raise CalibrationError(msg)
    axis.require_inside(np.interp([position.value], np.arange(at.size), at))
    scattered = on_axis(position, *axis.evaluate(at), axis.units)
    nu, slope = air.wavenumber(scattered.value, axis.medium)
    value = float(air.wavelength(nu + strongest["value"].values[0], axis.medium))
    gain = 1 / float(air.wavenumber(value, axis.medium)[1])
    components = {source: gain * float(slope) * part for source, part in scattered.parts().items()}
    for source, part in sources.detach(strongest, "value").items():
        components[source] = components.get(source, 0.0) + gain * float(np.squeeze(part))
    text = history.extend(
        "calibration.laser_zero",
        settings={"laser": laser, "standard": standard},
        inputs={"axis": axis, "spectrum": dataset},
    )
    return Quantity.from_components(
        value, components, units="nm", label="laser", source=f"zero on {strongest['line'].values[0]} cm-1", history=text
    )
