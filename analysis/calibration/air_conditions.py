"""Refraction of moist air under measured conditions, which are Quantities and share their sources.

Ciddor, Applied Optics 35 (1996) 1566, doi:10.1364/AO.35.001566, eqs. 1 to 12 and appendices A and B. The uncertainty of
the equation is the estimate of NIST, Stone and Zimmerman, Index of refraction of air, appendix A-V (k = 2), its part
for water vapour as at 300 nm, where it is largest.
Not here: standard air (`analysis.calibration.air`), axes (`analysis.calibration.conversion`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from analysis.core import CalibrationError, history, units
from analysis.uncertainty import Quantity, Source

__all__ = ["STANDARD", "AirConditions", "refractivity"]

Values = npt.NDArray[Any]
LOW, HIGH = 230.0, 1700.0
STEP = 1e-30
EQUATION = Source(
    id="ciddor-1996",
    label="equation for the index of air",
    units="1",
    origin="Ciddor 1996, doi:10.1364/AO.35.001566; uncertainty by NIST, Stone and Zimmerman, appendix A-V",
    tags=("air",),
)
STANDARD = np.array([15.0, 101_325.0, 0.0, 450.0])
"""Standard air: degC, Pa, Pa of water vapour, 1e-6 of CO2."""
_RANGES = {
    "temperature": (-40.0, 100.0, "degC"),
    "pressure": (1e4, 1.4e5, "Pa"),
    "co2": (0.0, 2000.0, "1e-6"),
}
_GAS, _WATER_MASS = 8.314510, 0.018015
_ABSOLUTE_ZERO = 273.15
_COMPRESSIBILITY = (
    1.58123e-6, -2.9331e-8, 1.1043e-10, 5.707e-6, -2.051e-8, 1.9898e-4, -2.376e-6, 1.83e-11, -0.765e-8,
)  # fmt: skip


def _standard(text: str, units_: str, value: float) -> Quantity:
    return Quantity(value=value, u=0.0, units=units_, label=text)


@dataclass(frozen=True, kw_only=True)
class AirConditions:
    """The air that light goes through, as it was measured."""

    temperature: Quantity = field(default_factory=lambda: _standard("air temperature", "degC", 15.0))
    """Temperature, -40 degC to 100 degC."""
    pressure: Quantity = field(default_factory=lambda: _standard("air pressure", "Pa", 101_325.0))
    """Pressure, 10 kPa to 140 kPa."""
    humidity: Quantity = field(default_factory=lambda: _standard("humidity", "1", 0.0))
    """Relative humidity (`1` or `%`), or the partial pressure of water vapour in units of pressure."""
    co2: Quantity = field(default_factory=lambda: _standard("CO2", "1", 450e-6))
    """Mole fraction of CO2, 0 to 2000e-6 (units `1`, or `ppm`)."""

    def __post_init__(self) -> None:
        """Check the ranges of the equation."""
        for name in ("temperature", "pressure", "humidity", "co2"):
            given: object = getattr(self, name)
            if not isinstance(given, Quantity):
                msg = f"{name} must be a Quantity, got {given!r:.40}; write Quantity(value=..., u=..., units=...)"
                raise CalibrationError(msg)
        temperature, pressure, vapour, co2 = self.values
        for name, value in (("temperature", temperature), ("pressure", pressure), ("co2", co2)):
            low, high, unit = _RANGES[name]
            if not low <= value <= high:
                msg = (
                    f"{name} of the air must lie in [{low:g}, {high:g}] {unit}, where the equation holds; got {value:g}"
                )
                raise CalibrationError(msg)
        saturated = float(saturation(np.float64(temperature)).real)
        if not 0.0 <= vapour <= 1.000001 * saturated:
            msg = (
                f"humidity must lie in [0, 1], or in [0, {saturated:.4g}] Pa at {temperature:g} degC;"
                f" got {self.humidity}. Relative humidity in percent has units '%'"
            )
            raise CalibrationError(msg)

    @property
    def values(self) -> npt.NDArray[np.float64]:
        """Temperature in degC, pressure in Pa, partial pressure of water vapour in Pa, CO2 in 1e-6."""
        return np.array(self._plain(*self._inputs()[0]).real, dtype=float)

    @property
    def history(self) -> str:
        """How they were obtained (`analysis.core.history`)."""
        names = ("temperature", "pressure", "humidity", "co2")
        return history.extend(
            "calibration.AirConditions", settings={}, inputs={name: getattr(self, name) for name in names}
        )

    def index(self, wavelength: Quantity | float) -> Quantity:
        """Return the refractive index.

        Parameters
        ----------
        wavelength:
            Vacuum wavelength, a length; a number is in nm, exact. 230 nm to 1700 nm.

        Returns
        -------
        :
            Index of refraction, with the sources of the wavelength, of the conditions and of the equation.

        Raises
        ------
        CalibrationError
            If the wavelength lies outside the range of the equation.
        """
        given = wavelength if isinstance(wavelength, Quantity) else Quantity(value=float(wavelength), u=0.0, units="nm")
        vacuum = given.to("nm")
        require_range(np.array([vacuum.value]))
        at = np.array([vacuum.value])
        slope = float(np.imag(refractivity(at + 1j * STEP, self.values))[0]) / STEP
        parts = {source: slope * part for source, part in vacuum.parts().items()}
        for source, change in self.modes().items():
            moved = refractivity(at, self.values + 1j * STEP * change[:4]) + 1j * STEP * change[4]
            parts[source] = parts.get(source, 0.0) + float(np.imag(moved)[0]) / STEP
        text = history.extend("calibration.index", settings={}, inputs={"air": self, "wavelength": given})
        value = 1.0 + float(refractivity(at, self.values).real[0])
        return Quantity.from_components(value, parts, units="1", label="index of air", history=text)

    def modes(self) -> Mapping[Source, npt.NDArray[np.float64]]:
        """Return how each source moves the conditions and the index.

        Returns
        -------
        :
            For each source its contribution to `values`, and to the index at given values by the equation (5,).
        """
        values, given = self._inputs()
        found: dict[Source, npt.NDArray[np.float64]] = {}
        for k, quantity in enumerate(given):
            step = np.zeros(4, dtype=complex)
            step[k] = 1j * STEP
            slope = np.imag(self._plain(*(values + step))) / STEP
            for source, part in quantity.parts().items():
                found[source] = found.get(source, np.zeros(5)) + np.r_[slope * part, 0.0]
        found[EQUATION] = found.get(EQUATION, np.zeros(5)) + np.r_[np.zeros(4), self._u_equation()]
        return found

    def _inputs(self) -> tuple[npt.NDArray[np.float64], tuple[Quantity, ...]]:
        wet = "Pa" if units.same_dimension(self.humidity.units, "Pa") else "1"
        given = (self.temperature.to("degC"), self.pressure.to("Pa"), self.humidity.to(wet), self.co2.to("1"))
        return np.array([each.value for each in given]), given

    def _plain(self, temperature: Any, pressure: Any, humidity: Any, co2: Any) -> Values:  # noqa: ANN401 - complex too
        if not units.same_dimension(self.humidity.units, "Pa"):
            humidity = humidity * saturation(temperature)
        return np.array([temperature, pressure, humidity, 1e6 * co2])

    def _u_equation(self) -> float:
        temperature, pressure, vapour, _ = self.values
        dry = 0.003 * pressure / (temperature + 273.0)
        spread = 4.0 + 6e-8 * (pressure - 1e5) ** 2 + 0.06 * (temperature - 20.0) ** 2
        return float(0.5e-8 * np.sqrt(dry**2 * spread + (vapour * 1.1e-3) ** 2))

    def __str__(self) -> str:
        """Write the conditions in one line."""
        return f"air at {self.temperature}, {self.pressure}, humidity {self.humidity}, CO2 {self.co2}"


def require_range(vacuum_nm: npt.NDArray[np.float64]) -> None:
    """Refuse wavelengths for which there is no index of air.

    Parameters
    ----------
    vacuum_nm:
        Vacuum wavelengths in nm, any shape.

    Raises
    ------
    CalibrationError
        If any lies outside 230 nm to 1700 nm.
    """
    low, high = float(np.min(vacuum_nm)), float(np.max(vacuum_nm))
    if not (low >= LOW - 1.0 and high <= HIGH + 1.0):
        msg = (
            f"the index of air is known from {LOW:g} to {HIGH:g} nm (Ciddor 1996); got wavelengths from {low:.6g} to "
            f"{high:.6g} nm. Crop first, or convert to wavelengths in vacuum: medium='vacuum'"
        )
        raise CalibrationError(msg)


def saturation(temperature: Any) -> Any:  # noqa: ANN401 - complex for its derivative
    """Return the saturation vapour pressure over water, below 0 degC over ice.

    Parameters
    ----------
    temperature:
        In degC; complex for a derivative.

    Returns
    -------
    :
        In Pa. Giacomo, Metrologia 18 (1982) 33, with the constants of Davis, Metrologia 29 (1992) 67; over ice
        Marti and Mauersberger as in Ciddor 1996.
    """
    kelvin = temperature + _ABSOLUTE_ZERO
    if np.real(temperature) >= 0.0:
        return np.exp(1.2378847e-5 * kelvin**2 - 1.9121316e-2 * kelvin + 33.93711047 - 6.3431645e3 / kelvin)
    return 10.0 ** (-2663.5 / kelvin + 12.537)


def refractivity(vacuum_nm: Any, conditions: Values) -> Values:  # noqa: ANN401 - complex for its derivative
    """Return the index of refraction less 1.

    Parameters
    ----------
    vacuum_nm:
        Vacuum wavelengths in nm, any shape; complex for a derivative.
    conditions:
        Temperature in degC, pressure in Pa, water vapour in Pa, CO2 in 1e-6; complex for a derivative.

    Returns
    -------
    :
        n - 1, dimensionless.
    """
    temperature, pressure, vapour, co2 = conditions
    sigma = (1e3 / np.asarray(vacuum_nm)) ** 2
    dry = 1e-8 * (5792105.0 / (238.0185 - sigma) + 167917.0 / (57.362 - sigma))
    dry = dry * (1.0 + 0.534e-6 * (co2 - 450.0))
    wet = 1.022e-8 * (295.235 + 2.6422 * sigma - 0.032380 * sigma**2 + 0.004028 * sigma**3)
    water = (1.00062 + 3.14e-8 * pressure + 5.6e-7 * temperature**2) * vapour / pressure
    mass = 1e-3 * (28.9635 + 12.011e-6 * (co2 - 400.0))
    per_volume = pressure / (_compressibility(temperature, pressure, water) * _GAS * (temperature + _ABSOLUTE_ZERO))
    dry_standard = 101_325.0 * mass / (_compressibility(15.0, 101_325.0, 0.0) * _GAS * 288.15)
    wet_standard = 1333.0 * _WATER_MASS / (_compressibility(20.0, 1333.0, 1.0) * _GAS * 293.15)
    share = per_volume * mass * (1.0 - water) / dry_standard, per_volume * _WATER_MASS * water / wet_standard
    return np.asarray(share[0] * dry + share[1] * wet)


def _compressibility(temperature: Any, pressure: Any, water: Any) -> Any:  # noqa: ANN401 - complex too
    """Compressibility of moist air (BIPM 1981/91; Ciddor 1996, eq. 12)."""
    a0, a1, a2, b0, b1, c0, c1, d, e = _COMPRESSIBILITY
    t, ratio = temperature, pressure / (temperature + _ABSOLUTE_ZERO)
    terms = a0 + a1 * t + a2 * t**2 + (b0 + b1 * t) * water + (c0 + c1 * t) * water**2
    return 1.0 - ratio * terms + ratio**2 * (d + e * water**2)
