"""Thermistors of negative temperature coefficient: the equation of Steinhart and Hart, both ways, and from points.

Not here: platinum thermometers (`analysis.calibration.sensors.resistance`), fits to more points than coefficients.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import optimize

from analysis.calibration.sensors.given import backward, forward, require_inside, taken
from analysis.core import CalibrationError
from analysis.uncertainty import Quantity

__all__ = ["Thermistor", "thermistor", "thermistor_points"]

ROUNDING = 1e-9  # relative; the end of a range may come back from a computation


@dataclass(frozen=True, kw_only=True)
class Thermistor:
    """1/T = a + b L + c L³, L = ln(R / ohm), T in kelvin; with c = 0 the beta equation, b = 1/beta."""

    a: Quantity
    """In K-1."""
    b: Quantity
    """In K-1."""
    c: Quantity
    """In K-1."""
    low: float
    """Lowest resistance for which the coefficients hold, in ohm."""
    high: float
    """Highest resistance for which the coefficients hold, in ohm."""

    def __post_init__(self) -> None:
        """Refuse a range that is none, and coefficients that do not fall with temperature in it."""
        if not 0.0 < self.low < self.high < math.inf:
            msg = f"the range must have 0 < low < high in ohm, got low {self.low:g}, high {self.high:g}"
            raise CalibrationError(msg)
        ends = [math.log(self.low), math.log(self.high)]
        inside = [0.0] if ends[0] < 0.0 < ends[1] else []
        if min(self._slope(x) for x in ends + inside) <= 0.0 or self._at(ends[0]) <= 0.0:
            msg = (
                f"the resistance must fall with temperature from {self.low:g} to {self.high:g} ohm, and with a = "
                f"{self.a.value:g}, b = {self.b.value:g}, c = {self.c.value:g} K-1 it does not: check the coefficients "
                "(for resistance in ohm, T in kelvin) or the order of resistance and temperature in the points"
            )
            raise CalibrationError(msg)

    def temperature(self, resistance: Quantity) -> Quantity:
        """Return the temperature at a resistance.

        Parameters
        ----------
        resistance:
            Of the thermistor alone: leads are taken off, self-heating is part of the measurement.

        Returns
        -------
        :
            In degC, with the sources of resistance and coefficients.

        Raises
        ------
        CalibrationError
            If the resistance lies outside the range.

        References
        ----------
        Steinhart and Hart, Deep-Sea Research 15 (1968) 497, doi:10.1016/0011-7471(68)90057-0.
        """
        measured = taken(resistance, "ohm", "resistance")
        ends = self.low * (1.0 - ROUNDING), self.high * (1.0 + ROUNDING)
        require_inside(measured.value, *ends, "thermistor: resistance in ohm")
        x = math.log(measured.value)
        slope, own = self._sensitivities(x)
        return forward(
            1.0 / self._at(x) - 273.15, "degC", slope=slope, given=measured, own=own, step="temperature",
            sensor="thermistor", inputs={"resistance": resistance, **self._own()},
        )  # fmt: skip

    def resistance(self, temperature: Quantity) -> Quantity:
        """Return the resistance at a temperature.

        Parameters
        ----------
        temperature:
            Of the thermistor.

        Returns
        -------
        :
            In ohm, with the sources of temperature and coefficients.

        Raises
        ------
        CalibrationError
            If the resistance would lie outside the range.
        """
        hot = taken(temperature, "K", "temperature")
        ends = math.log(self.low) - ROUNDING, math.log(self.high) + ROUNDING
        require_inside(hot.value, 1.0 / self._at(ends[1]), 1.0 / self._at(ends[0]), "thermistor: temperature in K")
        found = optimize.brentq(lambda x: self._at(x) * hot.value - 1.0, *ends, xtol=1e-14, rtol=1e-15)
        slope, own = self._sensitivities(float(found))
        return backward(
            math.exp(float(found)), "ohm", slope=slope, given=hot, own=own, step="resistance", sensor="thermistor",
            inputs={"temperature": temperature, **self._own()},
        )  # fmt: skip

    def _own(self) -> dict[str, Quantity]:
        return {"a": self.a, "b": self.b, "c": self.c}

    def _at(self, x: float) -> float:
        """Return 1/T in K-1 at a logarithm of resistance."""
        return self.a.value + x * (self.b.value + self.c.value * x * x)

    def _slope(self, x: float) -> float:
        return self.b.value + 3.0 * self.c.value * x * x

    def _sensitivities(self, x: float) -> tuple[float, list[tuple[float, Quantity]]]:
        """Return the derivatives of T by the resistance, in K/ohm, and by the coefficients."""
        steep = -1.0 / self._at(x) ** 2
        return steep * self._slope(x) / math.exp(x), [(steep, self.a), (steep * x, self.b), (steep * x**3, self.c)]


def thermistor(*, a: Quantity, b: Quantity, c: Quantity, low: float, high: float) -> Thermistor:
    """Return a thermistor with the coefficients of its certificate or data sheet.

    Parameters
    ----------
    a, b, c:
        Of Steinhart and Hart, in K-1 for resistance in ohm, perhaps correlated (`uncertainty.correlated`).
    low, high:
        Resistances between which they hold, in ohm.

    Returns
    -------
    :
        The thermistor.

    Raises
    ------
    CalibrationError
        If units are wrong, the range is none, or the resistance does not fall with temperature in it.
    """
    found = [taken(each, "K-1", f"coefficient {name}") for name, each in (("a", a), ("b", b), ("c", c))]
    return Thermistor(a=found[0], b=found[1], c=found[2], low=low, high=high)


def thermistor_points(points: Sequence[tuple[Quantity, Quantity]]) -> Thermistor:
    """Return the thermistor that goes through calibration points, for use between them.

    Parameters
    ----------
    points:
        Pairs of resistance and temperature: two for the beta equation, three for that of Steinhart and Hart. What
        the equation itself misses between the points is not in the uncertainty; a further point shows it.

    Returns
    -------
    :
        The thermistor; its coefficients carry the sources of all points.

    Raises
    ------
    CalibrationError
        If there are not two or three points, two have one resistance, or the resistance does not fall with
        temperature.
    """
    if len(points) not in (2, 3):
        msg = (
            f"a thermistor goes through 2 points (beta) or 3 (Steinhart-Hart), got {len(points)}; fit more points "
            "with calibration.fit_polynomial of 1/T against ln R"
        )
        raise CalibrationError(msg)
    ordered = sorted(((taken(r, "ohm", "resistance"), taken(t, "K", "temperature")) for r, t in points), key=_value)
    values = [r.value for r, _ in ordered]
    if values[0] <= 0.0 or len(set(values)) < len(values) or any(t.value <= 0.0 for _, t in ordered):
        msg = f"the points must have different resistances above 0 ohm and temperatures above 0 K, got {values} ohm"
        raise CalibrationError(msg)
    ohm = Quantity(value=1.0, u=0.0, units="ohm")
    x, y = [np.log(r / ohm) for r, _ in ordered], [1.0 / t for _, t in ordered]
    slope = (y[1] - y[0]) / (x[1] - x[0])
    c = Quantity(value=0.0, u=0.0, units="K-1", label="c")
    if len(points) == 3:  # noqa: PLR2004 - as said above
        c = ((y[2] - y[0]) / (x[2] - x[0]) - slope) / (x[2] - x[1]) / (x[0] + x[1] + x[2])
    b = slope - c * (x[0] * x[0] + x[0] * x[1] + x[1] * x[1])
    a = y[0] - x[0] * (b + c * x[0] * x[0])
    return thermistor(a=a, b=b, c=c, low=values[0], high=values[-1])


def _value(point: tuple[Quantity, Quantity]) -> float:
    return point[0].value
