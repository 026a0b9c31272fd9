"""An axis in other units, or of another kind, with its sources.

Wavelength in air and vacuum, wavenumber, frequency, energy and Raman shift of a spectrum. What the conversion itself
depends on (the air, the laser) is a Quantity, and its sources join those of the axis.
Not here: the equations (`analysis.calibration.conversion_kinds`), air (`analysis.calibration.air_conditions`).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import xarray as xr

from analysis.calibration.air_conditions import STANDARD, AirConditions
from analysis.calibration.carrying import add_parts, carry, require_made
from analysis.calibration.conversion_kinds import KINDS, Kind, Way, require_kind, to_wavenumber
from analysis.core import CHANNEL, CalibrationError, axes, history, require_axis, require_spectrum, units
from analysis.uncertainty import Quantity, Source, sources

__all__ = ["convert_axis"]

Array = npt.NDArray[np.float64]
MEDIA = ("air", "vacuum")


@dataclass(frozen=True, kw_only=True)
class _Given:
    """What a conversion was asked for."""

    air: AirConditions | None
    laser: Quantity | None
    laser_medium: str | None

    @property
    def conditions(self) -> Array:
        return STANDARD if self.air is None else self.air.values

    def line(self, medium: str | None) -> tuple[float, Mapping[Source, Array]]:
        """Return the vacuum wavenumber of the laser, and how each source moves conditions, index and laser (6,)."""
        moved = {} if self.air is None else {s: np.r_[part, 0.0] for s, part in self.air.modes().items()}
        if self.laser is None:
            return 0.0, moved
        kind, given = self._laser_kind(medium)
        value = np.array([given.value])
        way = Way(start=kind, end=Kind(name="wavenumber"), air=self.conditions)
        way.require(value)
        parts: dict[Source, Array] = {}
        for source in moved.keys() | given.parts().keys():
            at = moved.get(source, np.zeros(6))
            step = float(way.along(value, np.array([given.parts().get(source, 0.0)]), at)[0])
            parts[source] = at + np.r_[np.zeros(5), step]
        return float(to_wavenumber(kind, value, self.conditions)[0]), parts

    def _laser_kind(self, medium: str | None) -> tuple[Kind, Quantity]:
        laser: object = self.laser
        if not isinstance(laser, Quantity) or not laser.value > 0:
            msg = f"laser must be a Quantity above 0, got {laser!r}; write Quantity(value=532.05, u=0.01, units='nm')"
            raise CalibrationError(msg)
        if units.same_dimension(laser.units, "cm-1"):
            return Kind(name="wavenumber"), laser.to("cm-1")
        chosen = self.laser_medium or medium
        if chosen not in MEDIA:
            msg = (
                f"is the wavelength of the laser {laser} one in air or in vacuum? Say laser_medium='air' or "
                f"'vacuum', or give it in cm-1; got {self.laser_medium!r}"
            )
            raise CalibrationError(msg)
        return Kind(name="wavelength", medium=chosen), laser.to("nm")


def convert_axis(
    spectrum: xr.Dataset | xr.DataArray,
    *,
    axis: str,
    to: str,
    units: str | None = None,
    medium: str | None = None,
    air: AirConditions | None = None,
    laser: Quantity | None = None,
    laser_medium: str | None = None,
    name: str | None = None,
    density: bool = False,
) -> xr.Dataset:
    """Add an axis in other units or of another kind, with all that its uncertainty comes from.

    Constants are exact (SI 2019). Air that is not stated is standard air (15 degC, 101 325 Pa, dry, 450e-6 CO2), exact
    by definition, to which tables of wavelengths in air refer. Converting there and back gives the same sources.

    Parameters
    ----------
    spectrum:
        One spectrum or a map (*batch, channel).
    axis:
        Name of an axis of it: `wavelength`, `wavenumber`, `frequency`, `energy`, `raman_shift`, or one that this
        function made.
    to:
        The kind wanted, one of the same names.
    units:
        Units of the new axis; None takes nm, cm-1, THz, eV.
    medium:
        Of the new wavelengths: `air` or `vacuum`; None keeps that of the given wavelengths.
    air:
        The air that wavelengths in air refer to; its sources join those of the axis.
    laser:
        Wavelength or wavenumber of the laser, to or from `raman_shift`.
    laser_medium:
        Whether a laser wavelength is one in `air` or `vacuum`; None takes the medium of the wavelengths at the other
        end of the conversion.
    name:
        Name of the new coordinate; None takes `to`.
    density:
        The signal is a density by the given axis (such as counts per nm): make it one by the new axis, multiplied by
        the derivative of one by the other. The given axis stays, and `density_of` of the signal says which it is now.

    Returns
    -------
    :
        The spectrum with the new coordinate (channel,) and its `<name>_sources`; channels keep their order.

    Raises
    ------
    CalibrationError
        If a kind, medium or laser is missing or does not fit, the name is taken, or values cannot be converted.
    SpectrumError
        If there is no such axis.
    UnitsError
        If units do not match the kind.

    References
    ----------
    Ciddor, Appl. Opt. 35 (1996) 1566, doi:10.1364/AO.35.001566; SI Brochure, 9th edition (2019).
    """
    dataset = require_spectrum(spectrum)
    given = require_axis(dataset, axis)
    if air is not None:
        require_made(air, AirConditions, "calibration.AirConditions(temperature=...)")
    asked = _Given(air=air, laser=laser, laser_medium=laser_medium)
    called = _require_name(dataset, name or require_kind(to))
    start, end = _media(given, to, medium)
    around = start[1] if start[0] == "wavelength" else end[1] if end[0] == "wavelength" else None
    if (laser is None) and "raman_shift" in (start[0], end[0]) and start[0] != end[0]:
        msg = f"from {start[0]} to {end[0]} needs the laser: laser=Quantity(value=532.05, u=0.01, units='nm')"
        raise CalibrationError(msg)
    line, moved = asked.line(around)
    way = Way(
        start=Kind(name=start[0], medium=start[1] or "vacuum", laser=line),
        end=Kind(name=end[0], medium=end[1] or "vacuum", laser=line),
        air=asked.conditions,
    )
    done = _convert(dataset, given, way, moved, units or KINDS[to], density=density)
    about = {"units": units or KINDS[to], "long_name": called.replace("_", " ").capitalize(), "kind": to}
    about |= _said(way, asked)
    result = dataset.assign_coords({called: (CHANNEL, done.value, about)})
    result = sources.attach(result, called, done.parts, (CHANNEL,))
    if density:
        result = _dense(result, done, str(given.name), called, about["units"])
    settings = {
        "axis": axis, "to": to, "units": units, "medium": medium, "laser_medium": laser_medium, "name": name,
        "density": density,
    }  # fmt: skip
    inputs = {"spectrum": dataset} | {k: v for k, v in (("air", air), ("laser", laser)) if v is not None}
    return history.record(result, "calibration.convert_axis", settings=settings, inputs=inputs)


def _require_name(dataset: xr.Dataset, name: str) -> str:
    if name in dataset.variables:
        msg = (
            f"the spectrum has {name!r} already, and nothing is replaced; give the new axis another name: "
            f"name='{name}_2'. It has the axes {axes(dataset)}"
        )
        raise CalibrationError(msg)
    return name


def _media(given: xr.DataArray, to: str, medium: str | None) -> tuple[tuple[str, str | None], tuple[str, str | None]]:
    """Return kind and medium of both ends."""
    kind = str(given.attrs.get("kind", str(given.name).removesuffix("_nominal")))
    if kind not in KINDS:
        msg = (
            f"axis {given.name!r} is of none of the kinds {list(KINDS)}; if it is one by another name, say which: "
            f"spectrum[{str(given.name)!r}].attrs['kind'] = 'wavelength'"
        )
        raise CalibrationError(msg)
    require_kind(to)
    said = str(given.attrs.get("medium", ""))
    if kind == "wavelength" and said not in MEDIA:
        msg = (
            f"are the wavelengths of axis {given.name!r} in air or in vacuum? Say it: "
            f"spectrum[{str(given.name)!r}].attrs['medium'] = 'air'; got {said!r}"
        )
        raise CalibrationError(msg)
    ours = said if kind == "wavelength" else None
    theirs = medium or ours
    if to == "wavelength" and theirs not in MEDIA:
        msg = f"wavelengths in air or in vacuum? Say medium='air' or medium='vacuum'; got {medium!r}"
        raise CalibrationError(msg)
    if to != "wavelength" and medium is not None:
        msg = f"medium is of wavelengths, and {to} has none; the new axis refers to vacuum. Leave it out"
        raise CalibrationError(msg)
    return (kind, ours), (to, theirs if to == "wavelength" else None)


@dataclass(frozen=True, kw_only=True)
class _Done:
    value: Array
    parts: Mapping[Source, Array]
    slope: Array
    """New axis by the given one, in their units."""
    bends: Mapping[Source, Array]
    """How each source changes the logarithm of `slope`; empty unless the signal is a density."""


def _convert(
    dataset: xr.Dataset, given: xr.DataArray, way: Way, moved: Mapping[Source, Array], unit: str, *, density: bool
) -> _Done:
    theirs = str(given.attrs.get("units", KINDS[way.start.name]))
    scale, back = units.factor(theirs, KINDS[way.start.name]), units.factor(KINDS[way.end.name], unit)
    values = np.asarray(given.values, dtype=float) * scale
    way.require(values)
    slope = way.slope(values)
    axis_parts = {s: scale * part for s, part in sources.detach(dataset, str(given.name)).items()}
    still, bends = np.zeros(values.size), {}
    parts = {source: back * slope * part for source, part in axis_parts.items()}
    parts = add_parts(parts, {source: back * way.along(values, still, at) for source, at in moved.items()})
    for source in axis_parts.keys() | moved.keys() if density else ():
        change, at = axis_parts.get(source, still), moved.get(source, np.zeros(6))
        up, down = way.slope(values + change, at), way.slope(values - change, -at)
        bends[source] = 0.5 * np.log(up / down)
    return _Done(
        value=back * np.real(way.value(values)), parts={s: parts[s] for s in parts if np.any(parts[s])},
        slope=back * slope * scale, bends=bends,
    )  # fmt: skip


def _said(way: Way, asked: _Given) -> dict[str, str]:
    said = {"medium": way.end.medium} if way.end.name == "wavelength" else {}
    if asked.air is not None and "air" in (way.start.medium, way.end.medium):
        said["air"] = str(asked.air)
    if way.end.name == "raman_shift" and asked.laser is not None:
        said["laser_wavelength"] = str(asked.laser)
    return said


def _dense(result: xr.Dataset, done: _Done, old: str, new: str, unit: str) -> xr.Dataset:
    """Turn a density by one axis into a density by the other, with the derivative's own uncertainty."""
    ours = str(result[old].attrs.get("units", "1"))
    size = 1.0 / np.abs(done.slope)
    signal = np.asarray(result["signal"].values, dtype=float) * size
    parts = {source: -signal * bend for source, bend in done.bends.items() if np.any(bend)}
    given = str(result["signal"].attrs.get("units", "1"))
    density = units.multiply(units.multiply(given, ours), unit, power=-1)
    found = carry(result, signal, size, parts, units=density)
    found["signal"].attrs["density_of"] = new
    return found
