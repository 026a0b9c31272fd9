"""Complex quantities as pairs of real ones: their joint uncertainty, arithmetic and degrees of freedom.

Real and imaginary part share sources, so every covariance follows to first order.
Not here: draws of magnitude and phase (`analysis.uncertainty.joint`). References: JCGM 102:2011, 9.2 and 9.3; Willink
and Hall, Metrologia 39 (2002) 361, doi:10.1088/0026-1394/39/4/5; Hall, Metrologia 40 (2003) 360.
"""

import math
from collections import defaultdict
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from scipy import special

from analysis.core import Displayed, UncertaintyError, UnitsError
from analysis.uncertainty.budget import Budget
from analysis.uncertainty.formatting import format_value
from analysis.uncertainty.propagate import propagate
from analysis.uncertainty.quantity import Quantity
from analysis.uncertainty.typea import type_a_jointly

Floats = npt.NDArray[np.float64]
Part = TypeVar("Part", float, Quantity)


@dataclass(frozen=True, kw_only=True, eq=False)
class ComplexQuantity(Displayed):
    """A complex number with its uncertainty; operators keep all correlations to first order."""

    real: Quantity
    """Real part."""
    imag: Quantity
    """Imaginary part, in the units of the real part."""

    def __post_init__(self) -> None:
        if self.real.units != self.imag.units:
            msg = (
                f"real and imaginary part must have the same units, got {self.real.units!r} and {self.imag.units!r}; "
                f"convert one: quantity.to({self.real.units!r})"
            )
            raise UnitsError(msg)

    @property
    def value(self) -> complex:
        """The estimate, in `units`."""
        return complex(self.real.value, self.imag.value)

    @property
    def units(self) -> str:
        """UDUNITS string of both parts."""
        return self.real.units

    @property
    def covariance(self) -> Floats:
        """Covariance of real and imaginary part, shape `(2, 2)`, in squared `units`."""
        mixed = self.real.covariance(self.imag)
        return np.array([[self.real.u**2, mixed], [mixed, self.imag.u**2]])

    @property
    def dof(self) -> float:
        """Effective degrees of freedom of the covariance, by the total-variance rule of Willink and Hall (2002)."""
        parts: dict[tuple[str, float], Floats] = defaultdict(lambda: np.zeros(3))
        ours, theirs = self.real.parts(), self.imag.parts()
        for source in {**ours, **theirs}:
            a, b = ours.get(source, 0.0), theirs.get(source, 0.0)
            parts[source.ensemble or source.id, source.dof] += (a * a, a * b, b * b)
        total = _squares(np.sum(list(parts.values()), axis=0)) if parts else 0.0
        spread = math.fsum(_squares(each) / dof for (_, dof), each in parts.items())
        return total / spread if spread > 0 else math.inf

    def k(self, level: float = 0.95) -> float:
        """Return the coverage factor of the elliptical region.

        Parameters
        ----------
        level:
            Coverage probability, in (0, 1).

        Returns
        -------
        :
            By Hotelling's distribution for the effective degrees of freedom; 2.45 for infinite ones and 0.95.

        Raises
        ------
        UncertaintyError
            If `level` is out of range, or there is not more than one degree of freedom.
        """
        if not 0 < level < 1:
            msg = f"a coverage level must lie in (0, 1), got {level:g}; write 0.95 for 95 %"
            raise UncertaintyError(msg)
        dof = self.dof
        if math.isinf(dof):
            return math.sqrt(-2 * math.log1p(-level))
        if dof <= 1:
            msg = f"a region of a complex quantity needs more than 1 degree of freedom, got {dof:.3g}; measure more"
            raise UncertaintyError(msg)
        return math.sqrt(2 * dof / (dof - 1) * float(special.fdtri(2, dof - 1, level)))

    def contains(self, point: complex, level: float = 0.95) -> bool:
        """Say whether a complex number lies in the elliptical coverage region.

        Parameters
        ----------
        point:
            In `units`.
        level:
            Coverage probability, in (0, 1).

        Returns
        -------
        :
            Whether it does.

        Raises
        ------
        UncertaintyError
            If `level` is out of range, or real and imaginary part are exact or follow from each other.
        """
        apart = np.array([point.real - self.real.value, point.imag - self.imag.value])
        (a, b), (_, d) = self.covariance
        if not a * d - b * b > 1e-14 * a * d:
            msg = "real and imaginary part are exact or follow from each other, so the region is no ellipse; use one"
            raise UncertaintyError(msg)
        return bool(apart @ np.linalg.solve(self.covariance, apart) <= self.k(level) ** 2)

    def polar(self) -> dict[str, Budget]:
        """Return magnitude and phase to first order.

        Returns
        -------
        :
            Budgets `magnitude` (in `units`) and `phase` (rad, in (-pi, pi]); their notes say when the estimate is too
            near to zero for that. Draw them with `sample_jointly`.

        Raises
        ------
        UncertaintyError
            If the estimate is zero, where neither has a slope.
        """
        if self.value == 0:
            msg = (
                "magnitude and phase have no slope at zero; draw the real and the imaginary part with "
                "uncertainty.sample_jointly and turn the draws into magnitudes"
            )
            raise UncertaintyError(msg)
        return propagate(
            {"magnitude": "sqrt(re**2 + im**2)", "phase": "atan2(im, re)"},
            {"re": self.real, "im": self.imag},
            name="polar",
            units={"magnitude": self.units, "phase": "rad"},
        )

    def conjugate(self) -> "ComplexQuantity":
        """Return the complex conjugate.

        Returns
        -------
        :
            With the same sources.
        """
        return ComplexQuantity(real=self.real, imag=-self.imag)

    def __add__(self, other: object) -> "ComplexQuantity":
        """Add."""
        re, im = _parts(other)
        return ComplexQuantity(real=self.real + re, imag=self.imag + im)

    __radd__ = __add__

    def __neg__(self) -> "ComplexQuantity":
        """Change the sign."""
        return ComplexQuantity(real=-self.real, imag=-self.imag)

    def __sub__(self, other: object) -> "ComplexQuantity":
        """Subtract."""
        re, im = _parts(other)
        return ComplexQuantity(real=self.real - re, imag=self.imag - im)

    def __rsub__(self, other: object) -> "ComplexQuantity":
        """Subtract from a number."""
        return -(self - other)

    def __mul__(self, other: object) -> "ComplexQuantity":
        """Multiply."""
        re, im = _parts(other)
        return ComplexQuantity(real=self.real * re - self.imag * im, imag=self.real * im + self.imag * re)

    __rmul__ = __mul__

    def __truediv__(self, other: object) -> "ComplexQuantity":
        """Divide."""
        re, im = _parts(other)
        square = re * re + im * im
        return ComplexQuantity(
            real=(self.real * re + self.imag * im) / square, imag=(self.imag * re - self.real * im) / square
        )

    def __rtruediv__(self, other: object) -> "ComplexQuantity":
        """Divide a number."""
        re, im = _parts(other)
        square = self.real * self.real + self.imag * self.imag
        return ComplexQuantity(
            real=(self.real * re + self.imag * im) / square, imag=(self.real * im - self.imag * re) / square
        )

    def __str__(self) -> str:
        """Write both parts with their uncertainty and correlation."""
        units = "" if self.units == "1" else f" {self.units}"
        re, im = (format_value(each.value, each.u) for each in (self.real, self.imag))
        return f"({re}) + j({im}){units} (k = 1, r = {self.real.correlation(self.imag):.3f})"

    __repr__ = __str__


def type_a_complex(readings: npt.ArrayLike, *, units: str, label: str = "z") -> ComplexQuantity:
    """Return the mean of repeated independent complex readings.

    Parameters
    ----------
    readings:
        At least three, shape `(n,)`, complex, in `units`.
    units:
        UDUNITS string.
    label:
        Name for the budget.

    Returns
    -------
    :
        The mean; its parts are correlated as the readings are, with n - 1 degrees of freedom.

    Raises
    ------
    UncertaintyError
        If there are fewer than three readings, or one is not finite.
    """
    found = np.asarray(readings, dtype=complex)
    if found.ndim != 1 or found.size < 3:  # noqa: PLR2004 - a covariance of two parts
        msg = f"a complex Type A evaluation needs at least 3 readings of shape (n,), got shape {found.shape}"
        raise UncertaintyError(msg)
    names = f"re({label})", f"im({label})"
    parts = type_a_jointly({names[0]: found.real, names[1]: found.imag}, units=dict.fromkeys(names, units))
    return ComplexQuantity(real=parts[names[0]], imag=parts[names[1]])


def _squares(v: Floats) -> float:
    return float(2 * v[0] ** 2 + v[0] * v[2] + v[1] ** 2 + 2 * v[2] ** 2)


def _parts(other: object) -> tuple[Quantity, Quantity]:
    if isinstance(other, ComplexQuantity):
        return other.real, other.imag
    if isinstance(other, Quantity):
        return other, Quantity(value=0.0, u=0.0, units=other.units)
    if isinstance(other, int | float | complex | np.number):
        given = complex(other)
        return Quantity(value=given.real, u=0.0, units="1"), Quantity(value=given.imag, u=0.0, units="1")
    msg = f"a ComplexQuantity combines with numbers and quantities, got {type(other).__name__} {other!r:.40}"
    raise UncertaintyError(msg)
