"""The functions that a calibration curve can be: polynomials, those of ISO 6143, and a user's own.

Not here: fitting them (`analysis.calibration.curve_fit`), the calibration curve (`analysis.calibration.curve`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.polynomial import Chebyshev, Polynomial

from analysis.core import units as unit_rules

__all__ = ["FAMILIES", "Family", "line", "polynomial", "shown", "with_units"]

Array = npt.NDArray[np.float64]
STEP = 1e-30
NEAR = 1e-5


@dataclass(frozen=True, kw_only=True)
class Family:
    """A function y = f(x; b) with names for its parameters b."""

    kind: str
    """`line`, `polynomial`, `power`, `exponential`, `formula` or `function`."""
    names: tuple[str, ...]
    """Of the parameters that the user sees."""
    function: Callable[[Any, Any], Any]
    """f(x, b), elementwise in x."""
    shown: Array | None = None
    """Matrix from the parameters of the fit to those that the user sees; None where they are the same."""
    derivatives: Callable[[Array, Array], tuple[Array, Array]] | None = None
    """df/dx and df/db where they are known exactly; None takes them from `function`."""
    units: tuple[str, ...] = ()
    """Of the parameters of a formula or a user's function, as the user stated them; empty where nothing was said."""
    origin: str = ""
    """Text of a formula, or `module:name` of a user's function; empty for the others and for a lambda."""

    @property
    def title(self) -> str:
        """What the function is called in a text."""
        return f"{self.kind} {self.origin}".rstrip()

    def value(self, x: Array, b: Array) -> Array:
        """Return f(x; b), dims of x."""
        return np.asarray(self.function(x, b) + np.zeros(np.shape(x)), dtype=float)

    def slope(self, x: Array, b: Array) -> Array:
        """Return df/dx, dims of x."""
        if self.derivatives is not None:
            return self.derivatives(x, b)[0]
        return self._derivative(lambda h: self.function(x + h, b), x)

    def gradient(self, x: Array, b: Array) -> Array:
        """Return df/db, dims `(*x, parameter)`."""
        if self.derivatives is not None:
            return self.derivatives(x, b)[1]
        return np.stack([self._partial(x, b, k) for k in range(b.size)], axis=-1)

    def _partial(self, x: Array, b: Array, k: int) -> Array:
        unit = np.eye(b.size)[k]
        return self._derivative(lambda h: self.function(x, b + h * unit), x, scale=float(b[k]))

    def _derivative(self, moved: Callable[[Any], Any], x: Array, *, scale: float | None = None) -> Array:
        """Differentiate by a complex step; a user's function, which may not take complex numbers, by differences."""
        if self.kind != "function":
            return np.asarray(np.imag(moved(1j * STEP)) / STEP + np.zeros(np.shape(x)))
        h = NEAR * (max(float(np.max(np.abs(x), initial=0.0)), NEAR) if scale is None else max(abs(scale), NEAR))
        near = (np.asarray(moved(h)) - np.asarray(moved(-h))) / (2 * h)
        far = (np.asarray(moved(2 * h)) - np.asarray(moved(-2 * h))) / (4 * h)
        return np.asarray((4 * near - far) / 3 + np.zeros(np.shape(x)), dtype=float)

    def units_of(self, x: str, y: str) -> tuple[str, ...]:
        """Return the units of the parameters that the user sees; 1 where they have no simple or stated ones."""
        if self.units:
            return self.units
        if self.kind in ("line", "polynomial"):
            return tuple(_ratio(y, x, k) for k in range(len(self.names)))
        if self.kind == "exponential":
            return y, y, _ratio("1", x, 1)
        return ("1",) * len(self.names)


def _ratio(y: str, x: str, power: int) -> str:
    for _ in range(power):
        y = unit_rules.multiply(y, x, power=-1)
    return y


def line() -> Family:
    """Return a + b x."""
    return Family(kind="line", names=("intercept", "slope"), function=lambda x, b: b[0] + b[1] * x)


def polynomial(degree: int, low: float, high: float) -> Family:
    """Return a polynomial, fitted in Chebyshev polynomials of [low, high] and shown in powers of x."""
    names = tuple(f"c{k}" for k in range(degree + 1))

    def function(x: Any, b: Any) -> Any:  # noqa: ANN401 - real or complex numbers
        t = (2.0 * x - low - high) / (high - low)
        before, now = 0.0 * t, 0.0 * t
        for k in range(degree, 0, -1):
            before, now = now, b[k] + 2.0 * t * now - before
        return b[0] + t * now - before

    return Family(kind="polynomial", names=names, function=function, shown=_powers(degree, low, high))


@lru_cache(maxsize=64)
def _powers(degree: int, low: float, high: float) -> Array:
    """Return the Chebyshev polynomials of [low, high] in powers of x, dims `(power, polynomial)`."""
    columns = []
    for k in range(degree + 1):
        powers = Chebyshev.basis(k, domain=[low, high]).convert(kind=Polynomial).coef
        columns.append(np.pad(powers, (0, degree + 1 - powers.size)))
    found = np.asarray(np.stack(columns, axis=1), dtype=float)
    found.flags.writeable = False
    return found


FAMILIES: dict[str, Family] = {
    "linear": line(),
    "power": Family(
        kind="power", names=("b0", "b1", "b2"), function=lambda x, b: b[0] + b[1] * x ** (1.0 + b[2])
    ),
    "exponential": Family(
        kind="exponential", names=("b0", "b1", "b2"), function=lambda x, b: b[0] + b[1] * np.exp(b[2] * x)
    ),
}  # fmt: skip
"""Functions of ISO 6143 by name; `quadratic` is a polynomial of degree 2."""


def with_units(value: float, units: str, *, digits: int = 6) -> str:
    """Write a number with its units for a message, nothing for 1."""
    return f"{value:.{digits}g} {shown(units)}".rstrip()


def shown(units: str) -> str:
    """Return units as text, nothing for 1."""
    return "" if units == "1" else units
