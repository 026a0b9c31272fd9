"""Platinum resistance thermometers: the Callendar-Van Dusen equation of IEC 60751, both ways.

Not here: thermocouples (`analysis.calibration.sensors.thermocouples`).
"""

from dataclasses import dataclass

from scipy import optimize

from analysis.calibration.sensors.given import backward, forward, require_inside, taken
from analysis.core import CalibrationError, did_you_mean
from analysis.uncertainty import Quantity, distributions

__all__ = ["ResistanceThermometer", "pt100"]

LOW, HIGH = -200.0, 850.0
COEFFICIENTS = {"r0": (100.0, "ohm"), "a": (3.9083e-3, "K-1"), "b": (-5.775e-7, "K-2"), "c": (-4.183e-12, "K-4")}
# IEC 60751: limits of error in degC at 0 degC and per degC, and where a wire-wound resistor of the class may be used.
CLASSES = {
    "AA": (0.1, 0.0017, -50.0, 250.0),
    "A": (0.15, 0.002, -100.0, 450.0),
    "B": (0.3, 0.005, -196.0, 600.0),
    "C": (0.6, 0.01, -196.0, 600.0),
}


@dataclass(frozen=True, kw_only=True)
class ResistanceThermometer:
    """R(t) = R0 (1 + A t + B t² + C (t - 100) t³), C for t < 0 only."""

    r0: Quantity
    """Resistance at 0 degC, in ohm."""
    a: Quantity
    """A, in K-1."""
    b: Quantity
    """B, in K-2."""
    c: Quantity
    """C, in K-4."""

    def resistance(self, temperature: Quantity) -> Quantity:
        """Return the resistance at a temperature.

        Parameters
        ----------
        temperature:
            From -200 to 850 degC.

        Returns
        -------
        :
            In ohm, with the sources of temperature and coefficients.

        Raises
        ------
        CalibrationError
            If the temperature lies outside.
        """
        hot = taken(temperature, "degC", "temperature")
        require_inside(hot.value, LOW, HIGH, "temperature in degC")
        value, slope = self._at(hot.value)
        return forward(
            value, "ohm", slope=slope, given=hot, own=self._coefficients(hot.value), step="resistance",
            sensor="platinum", inputs={"temperature": temperature, **self._own()},
        )  # fmt: skip

    def temperature(self, resistance: Quantity) -> Quantity:
        """Return the temperature at a resistance.

        Parameters
        ----------
        resistance:
            Of the thermometer alone: leads are taken off, self-heating is part of the measurement.

        Returns
        -------
        :
            In degC, with the sources of resistance and coefficients.

        Raises
        ------
        CalibrationError
            If the temperature would lie outside -200 to 850 degC.
        """
        measured = taken(resistance, "ohm", "resistance")
        require_inside(measured.value, self._at(LOW)[0], self._at(HIGH)[0], "resistance in ohm")
        found = float(optimize.brentq(lambda t: self._at(t)[0] - measured.value, LOW, HIGH, xtol=1e-11, rtol=1e-15))
        return backward(
            found, "degC", slope=self._at(found)[1], given=measured, own=self._coefficients(found), step="temperature",
            sensor="platinum", inputs={"resistance": resistance, **self._own()},
        )  # fmt: skip

    def tolerance(self, temperature: float, *, grade: str) -> Quantity:
        """Return the limits of error of a class as a quantity to add: 0 with a rectangular distribution.

        Parameters
        ----------
        temperature:
            In degC.
        grade:
            `AA`, `A`, `B` or `C`, for wire-wound resistors.

        Returns
        -------
        :
            In degC; one thermometer has one, so make it once for each.

        Raises
        ------
        CalibrationError
            If there is no such class, or the temperature is outside the one in which it holds.

        References
        ----------
        IEC 60751:2008, table 3.
        """
        if grade not in CLASSES:
            msg = f"no class {grade!r}; there are {list(CLASSES)}.{did_you_mean(grade, list(CLASSES))}"
            raise CalibrationError(msg)
        fixed, growing, low, high = CLASSES[grade]
        require_inside(temperature, low, high, f"class {grade}: temperature in degC")
        box = distributions.rectangular()
        u = distributions.u_from_half_width(fixed + growing * abs(temperature), box)
        return Quantity(
            value=0.0, u=u, units="degC", distribution=box, label=f"class {grade}", source="IEC 60751:2008, table 3"
        )

    def _own(self) -> dict[str, Quantity]:
        return {"r0": self.r0, "a": self.a, "b": self.b, "c": self.c}

    def _at(self, t: float) -> tuple[float, float]:
        """Return resistance in ohm and its slope in ohm/K at a temperature in degC."""
        r0, a, b = self.r0.value, self.a.value, self.b.value
        c = self.c.value if t < 0.0 else 0.0
        value = 1.0 + t * (a + t * b) + c * (t - 100.0) * t**3
        slope = a + 2.0 * b * t + c * (4.0 * t - 300.0) * t**2
        return r0 * value, r0 * slope

    def _coefficients(self, t: float) -> list[tuple[float, Quantity]]:
        """Return the sensitivities of the resistance to the coefficients."""
        r0 = self.r0.value
        cold = (t - 100.0) * t**3 if t < 0.0 else 0.0
        return [(self._at(t)[0] / r0, self.r0), (r0 * t, self.a), (r0 * t**2, self.b), (r0 * cold, self.c)]


def pt100(
    *, r0: Quantity | None = None, a: Quantity | None = None, b: Quantity | None = None, c: Quantity | None = None
) -> ResistanceThermometer:
    """Return a platinum resistance thermometer of 100 ohm, or one with coefficients of its own.

    Parameters
    ----------
    r0, a, b, c:
        From a certificate, perhaps correlated (`uncertainty.correlated`); None takes that of IEC 60751 as exact, and
        `tolerance` then says how far a thermometer of a class may be off.

    Returns
    -------
    :
        The thermometer.

    Raises
    ------
    CalibrationError
        If a coefficient has the wrong units.

    References
    ----------
    IEC 60751:2008, clause 4.
    """
    given = {"r0": r0, "a": a, "b": b, "c": c}
    found = {
        name: Quantity(value=value, u=0.0, units=units, label=name, source="IEC 60751:2008")
        if (own := given[name]) is None
        else taken(own, units, f"coefficient {name}")
        for name, (value, units) in COEFFICIENTS.items()
    }
    return ResistanceThermometer(r0=found["r0"], a=found["a"], b=found["b"], c=found["c"])
