"""Thermocouples of types B, E, J, K, N, R, S and T: the reference functions of ITS-90, both ways.

The way back solves the reference function itself; the inverse polynomials that are printed beside it are off by up to
0.06 °C. Not here: how far a single thermocouple is from the reference function, which its certificate or class says.
"""

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
import numpy.typing as npt
from scipy import optimize

from analysis.calibration.sensors.given import backward, forward, require_inside, taken
from analysis.core import CalibrationError, did_you_mean
from analysis.uncertainty import Quantity

__all__ = ["Thermocouple", "thermocouple"]

Array = npt.NDArray[np.float64]
KINDS = "BEJKNRST"
RISING_FROM = {"B": 50.0}  # below, the emf of type B falls and rises again
EXPONENTIAL = {"K": (0.1185976, -0.0001183432, 126.9686)}  # above 0 °C


@dataclass(frozen=True, kw_only=True)
class Thermocouple:
    """A thermocouple that follows its reference function."""

    kind: str
    """Letter of the type."""
    pieces: tuple[tuple[float, float, tuple[float, ...]], ...]
    """Ranges in degC with their coefficients in rising powers, mV."""

    @property
    def low(self) -> float:
        """Lowest temperature of the reference function, in degC."""
        return self.pieces[0][0]

    @property
    def high(self) -> float:
        """Highest temperature of the reference function, in degC."""
        return self.pieces[-1][1]

    def emf(self, temperature: Quantity, *, reference: Quantity | None = None) -> Quantity:
        """Return the emf at a temperature.

        Parameters
        ----------
        temperature:
            Of the measuring junction.
        reference:
            Temperature of the reference junction; None is exactly 0 degC.

        Returns
        -------
        :
            In mV, with the sources of both temperatures.

        Raises
        ------
        CalibrationError
            If a temperature lies outside the reference function.

        References
        ----------
        NIST Monograph 175 (1993), doi:10.6028/NIST.MONO.175; IEC 60584-1:2013.
        """
        hot, cold = taken(temperature, "degC", "temperature"), self._reference(reference)
        for each in (hot, cold):
            require_inside(each.value, self.low, self.high, f"type {self.kind}: temperature in degC")
        (top, slope), (bottom, back) = self._at(hot.value), self._at(cold.value)
        return forward(
            top - bottom, "mV", slope=slope, given=hot, own=[(-back, cold)], step="emf", sensor=f"type {self.kind}",
            inputs={"temperature": temperature, "reference": cold},
        )  # fmt: skip

    def temperature(self, emf: Quantity, *, reference: Quantity | None = None) -> Quantity:
        """Return the temperature of the measuring junction.

        Parameters
        ----------
        emf:
            As measured.
        reference:
            Temperature of the reference junction; None is exactly 0 degC.

        Returns
        -------
        :
            In degC, with the sources of emf and reference.

        Raises
        ------
        CalibrationError
            If the temperature would lie outside the reference function, or below 50 degC for type B, whose emf is
            not unique there.
        """
        measured, cold = taken(emf, "mV", "emf"), self._reference(reference)
        require_inside(cold.value, self.low, self.high, f"type {self.kind}: reference junction in degC")
        bottom, back = self._at(cold.value)
        total, start = measured.value + bottom, RISING_FROM.get(self.kind, self.low)
        low, high = self._at(start)[0], self._at(self.high)[0]
        require_inside(total, low, high, f"type {self.kind}: emf in mV, referred to 0 degC,")
        found = float(optimize.brentq(lambda t: self._at(t)[0] - total, start, self.high, xtol=1e-10, rtol=1e-15))
        return backward(
            found, "degC", slope=self._at(found)[1], given=measured, own=[(-back, cold)], step="temperature",
            sensor=f"type {self.kind}", inputs={"emf": emf, "reference": cold},
        )  # fmt: skip

    def _reference(self, given: Quantity | None) -> Quantity:
        if given is None:
            return Quantity(value=0.0, u=0.0, units="degC", label="reference junction")
        return taken(given, "degC", "reference junction")

    def _at(self, t: float) -> tuple[float, float]:
        """Return emf in mV and its slope in mV/K at a temperature in degC."""
        coefficients = next(c for low, high, c in self.pieces if low <= t <= high)
        emf = slope = 0.0
        for c in reversed(coefficients):
            slope = slope * t + emf
            emf = emf * t + c
        if self.kind in EXPONENTIAL and t > 0.0:
            a0, a1, a2 = EXPONENTIAL[self.kind]
            bell = a0 * float(np.exp(a1 * (t - a2) ** 2))
            emf, slope = emf + bell, slope + 2.0 * a1 * (t - a2) * bell
        return emf, slope


def thermocouple(kind: str) -> Thermocouple:
    """Return a thermocouple by the letter of its type.

    Parameters
    ----------
    kind:
        B, E, J, K, N, R, S or T.

    Returns
    -------
    :
        Its reference function.

    Raises
    ------
    CalibrationError
        If there is no such type.
    """
    if kind not in _tables():
        msg = f"no thermocouple of type {kind!r}; there are {', '.join(KINDS)}.{did_you_mean(kind, list(KINDS))}"
        raise CalibrationError(msg)
    return Thermocouple(kind=kind, pieces=_tables()[kind])


@cache
def _tables() -> dict[str, tuple[tuple[float, float, tuple[float, ...]], ...]]:
    text = files("analysis.calibration.sensors").joinpath("data", "thermocouples.csv").read_text(encoding="utf-8")
    pieces: dict[str, dict[tuple[float, float], list[float]]] = {}
    for row in csv.DictReader(line for line in text.splitlines() if not line.startswith("#")):
        ends = (float(row["low"]), float(row["high"]))
        pieces.setdefault(row["kind"], {}).setdefault(ends, []).append(float(row["coefficient"]))
    return {
        kind: tuple((low, high, tuple(found[low, high])) for low, high in sorted(found))
        for kind, found in pieces.items()
    }
