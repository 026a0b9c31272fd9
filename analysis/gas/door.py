"""What spectra of a gas must be before they are fitted, and in which units the conditions come.

Not here: the fit (`analysis.gas.fitting`).
"""

import numpy as np
import numpy.typing as npt
import xarray as xr

from analysis.core import CHANNEL, CalibrationError, SpectrumError, axes, require_axis, require_spectrum, units
from analysis.uncertainty import Quantity

__all__ = ["AXIS", "require_absorption", "require_path", "require_records", "require_temperature"]

AXIS = "wavenumber"
RECORD = "record"
FEWEST = 50
PER_CENT = 1.5
BLACK = 0.02
ABOVE = 5.0
Floats = npt.NDArray[np.float64]


def require_records(spectra: xr.Dataset | xr.DataArray, *, usual: float) -> tuple[xr.Dataset, Floats]:
    """Return transmittance as `(record, channel)` with rising wavenumbers, and the pressures to begin with.

    Parameters
    ----------
    spectra:
        One spectrum or several along one dim.
    usual:
        Pressure in hPa where none is told.

    Returns
    -------
    :
        The spectra, and one pressure in hPa for each.

    Raises
    ------
    SpectrumError
        If there is no such axis, or the signal is no transmittance.
    """
    dataset = require_spectrum(spectra)
    if AXIS not in dataset.coords:
        msg = (
            f"a gas band needs the axis {AXIS!r} in cm-1; this spectrum has {axes(dataset)}. Is it an infrared "
            f"spectrum? If so: spectrum.assign_coords({AXIS}=('{CHANNEL}', values, {{'units': 'cm-1'}}))"
        )
        raise SpectrumError(msg)
    axis = require_axis(dataset, AXIS)
    if axis.attrs.get("units") not in ("cm-1", "1/cm"):
        msg = f"{AXIS} must be in cm-1, got units {axis.attrs.get('units')!r}. Convert it, then set its attribute"
        raise SpectrumError(msg)
    if dataset["signal"].ndim > 2:  # noqa: PLR2004
        msg = f"wanted dims ('{RECORD}', '{CHANNEL}'), got {dataset['signal'].dims}. Choose or stack records"
        raise SpectrumError(msg)
    if dataset["signal"].ndim == 1:
        dataset = dataset.expand_dims(RECORD)
    dims = [dim for dim in dataset["signal"].dims if dim != CHANNEL]
    dataset = dataset.rename({dims[0]: RECORD}) if dims[0] != RECORD else dataset
    dataset = dataset.transpose(RECORD, CHANNEL, ...)
    if axis.values[0] > axis.values[-1]:
        dataset = dataset.isel({CHANNEL: slice(None, None, -1)})
    if "u_signal" in dataset:
        dataset["u_signal"] = dataset["u_signal"].broadcast_like(dataset["signal"])
    _require_transmittance(dataset["signal"])
    return dataset, _pressures(dataset, usual)


def _require_transmittance(signal: xr.DataArray) -> None:
    values = signal.values.astype(float)
    if np.isfinite(values).sum(axis=-1).min() < FEWEST:
        msg = f"a band needs {FEWEST} channels that are numbers; got {np.isfinite(values).sum(axis=-1).tolist()}"
        raise SpectrumError(msg)
    units_ = str(signal.attrs.get("units", "1"))
    middle = float(np.nanquantile(values, 0.95))
    if units_ in ("%", "percent") or middle > PER_CENT:
        msg = (
            f"wanted transmittance as a fraction near 1 outside the lines, got {middle:g} in {units_!r}. Divide per "
            "cent by 100, or a raw spectrum by its background"
        )
        raise SpectrumError(msg)
    if middle < 0.5:  # noqa: PLR2004
        msg = (
            f"wanted transmittance near 1 outside the lines, got {middle:g}. Is this absorbance? Then give "
            "10**(-absorbance)"
        )
        raise SpectrumError(msg)


def _pressures(dataset: xr.Dataset, usual: float) -> Floats:
    if "pressure" not in dataset.coords:
        return np.full(dataset.sizes[RECORD], usual)
    told = dataset["pressure"]
    values = np.atleast_1d(told.values.astype(float)) * units.factor(str(told.attrs.get("units", "hPa")), "hPa")
    if values.shape != (dataset.sizes[RECORD],) or not (np.isfinite(values) & (values > 0.0)).all():
        msg = f"the coordinate pressure must be above 0, one for each record; got {values.tolist()} hPa"
        raise SpectrumError(msg)
    return np.asarray(values)


def require_absorption(x: Floats, rows: Floats, centres: Floats, path_difference: float) -> None:
    """Refuse spectra in which nothing absorbs, or almost everything.

    Parameters
    ----------
    x, rows:
        Wavenumbers, and transmittance, dims `(record, channel)`.
    centres:
        Where the lines of the band stand.
    path_difference:
        Of the interferometer, cm.

    Raises
    ------
    SpectrumError
        If no line rises above the noise, or most are black.
    """
    beside = np.abs(x[:, None] - centres).min(axis=1)
    inside, outside = beside < 1.0 / path_difference, beside > 0.3 * (beside.max() + 1e-12)
    for k, row in enumerate(rows):
        depth = np.nanmedian(row[outside]) - np.nanmean(row[inside]) if inside.any() and outside.any() else 0.0
        noise = np.nanstd(np.diff(row[outside])) / np.sqrt(2.0 * max(int(inside.sum()), 1))
        if not depth > ABOVE * noise:
            msg = (
                f"record {k}: at the {centres.size} lines the light falls by {depth:.2g}, which noise may do alone. Is "
                "this the gas? Measure longer, or in a longer cell"
            )
            raise SpectrumError(msg)
        lowest = [np.nanmin(row[np.abs(x - c) < 1.0 / path_difference], initial=1.0) for c in centres]
        if np.median(lowest) < BLACK:
            msg = (
                f"record {k}: half of the lines let through less than {100 * BLACK:.0f} % of the light, and what they "
                "tell is the zero of the detector. Take a shorter cell, less gas, or weaker lines"
            )
            raise SpectrumError(msg)


def require_path(path: Quantity) -> Quantity:
    """Return a path in cm.

    Parameters
    ----------
    path:
        A length above 0.

    Returns
    -------
    :
        The same with its sources.

    Raises
    ------
    CalibrationError
        If it is no length above 0.
    """
    given: object = path
    if not isinstance(given, Quantity) or not units.same_dimension(path.units, "cm") or not path.value > 0.0:
        msg = f"path must be a Quantity of length above 0, got {path}. Give Quantity(value=10, u=0.02, units='cm')"
        raise CalibrationError(msg)
    factor = units.factor(path.units, "cm")
    parts = {source: factor * part for source, part in (path.components or {}).items()}
    return Quantity.from_components(factor * path.value, parts, units="cm", label=path.label or "path")


def require_temperature(temperature: Quantity) -> float:
    """Return a temperature in K.

    Parameters
    ----------
    temperature:
        Measured, K.

    Returns
    -------
    :
        Its value.

    Raises
    ------
    CalibrationError
        If its units are not K, or it is none of a gas.
    """
    if temperature.units != "K" or not temperature.value > 50.0:  # noqa: PLR2004
        msg = f"temperature must be in K, above 50 K; got {temperature}. Add 273.15 to one in degC"
        raise CalibrationError(msg)
    return temperature.value
