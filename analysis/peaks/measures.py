"""Full width at half maximum, height and area of a line, with derivatives to its parameters.

Height and width are found on the line itself, to rounding, with analytic derivatives of the profile and the
implicit function theorem; areas are closed forms. Not here: their uncertainty (`analysis.peaks.quantity`).
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from scipy.optimize import brentq
from scipy.special import digamma, gammaln

from analysis.core import ModelError
from analysis.peaks import kernel_cache, kinds

__all__ = ["MEASURES", "measure"]

Floats = np.ndarray[Any, np.dtype[np.float64]]
Measured = tuple[float, Floats]
MEASURES = ("fwhm", "height", "area")
REACH = 12.0
SAMPLES = 2401
LEAST_EXPONENT = 0.5


def measure(shape: kinds.Shape, values: Floats, what: str) -> Measured:
    """Measure a line.

    Parameters
    ----------
    shape:
        From the table of components.
    values:
        Its parameters in the engine's order.
    what:
        `"fwhm"`, `"height"` or `"area"`.

    Returns
    -------
    :
        The measure, in units of the axis, the signal or both; and its derivative to each parameter.

    Raises
    ------
    ModelError
        If a line of this shape, or with these parameters, has no such measure.
    """
    q = np.array(values, dtype=float)
    if what == "area":
        return _area(shape, q)
    if shape.code == kinds.BREIT_WIGNER and what == "height":
        height = 1.0 + q[3] ** 2
        return float(q[0] * height), np.array([height, 0.0, 0.0, 2.0 * q[0] * q[3]])
    if not shape.peak or shape.code == kinds.BREIT_WIGNER:
        raise _refusal(shape, what)
    line = _Line(shape, q)
    return line.height() if what == "height" else line.fwhm()


def _refusal(shape: kinds.Shape, what: str) -> ModelError:
    name = next(key for key, other in kinds.SHAPES.items() if other is shape)
    return ModelError(
        f"{name} has no {what} with these parameters: it does not fall to zero, or not to half its height, on both "
        "sides. Take fit['value'], or measure on peaks.evaluate(fit)"
    )


def _area(shape: kinds.Shape, q: Floats) -> Measured:
    slopes = np.zeros(q.size)
    for name, value in zip(shape.names, q, strict=True):
        if name in {"expon", "expon_r", "beta"} and value <= LEAST_EXPONENT:
            raise _refusal(shape, "area")
    if shape.code in _AREAS:
        return _AREAS[shape.code](q)
    by_amplitude = shape.parameters[0].units == (1, 1) and shape.code != kinds.DAMPED_HARMONIC_OSCILLATOR
    if not by_amplitude:
        raise _refusal(shape, "area")
    slopes[0] = 1.0
    return float(q[0]), slopes


def _moffat(q: Floats) -> Measured:
    unit = math.sqrt(math.pi) * math.exp(float(gammaln(q[3] - 0.5) - gammaln(q[3])))
    area = q[0] * q[2] * unit
    bend = area * float(digamma(q[3] - 0.5) - digamma(q[3]))
    return float(area), np.array([q[2] * unit, 0.0, q[0] * unit, bend])


def _rectangle(q: Floats) -> Measured:
    length = q[3] - q[1]
    return float(q[0] * length), np.array([length, -q[0], 0.0, q[0], 0.0])


_AREAS: Mapping[int, Callable[[Floats], Measured]] = {
    kinds.MOFFAT: _moffat,
    **{
        kinds.RECTANGLE + k: _rectangle for k, form in enumerate(kinds.FORMS) if form != "arctan"
    },  # the wings of an arctan fall like 1/x
}


class _Line:
    """A line of unit amplitude: where it is highest, and where it has half its height."""

    def __init__(self, shape: kinds.Shape, q: Floats) -> None:
        self.shape = shape
        self.amplitude = float(q[0])
        self.unit = np.concatenate([[1.0], q[1:]])
        self.component = kernel_cache.load("batched").component
        center, width = self._about(q)
        grid = center + width * np.sinh(np.linspace(-REACH, REACH, SAMPLES))
        if shape.code in {kinds.LOGNORMAL, kinds.DAMPED_OSCILLATOR}:
            grid = grid[grid > 0.0]
        level = self._curve(grid)[0]
        top = int(np.argmax(level))
        if not np.isfinite(level[top]) or top in {0, grid.size - 1}:
            raise _refusal(shape, "height")
        split = kinds.SPLIT_LORENTZIAN <= shape.code <= kinds.SPLIT_PEARSON7  # its two sides meet at the top
        around = (float(grid[top - 1]), float(grid[top]), float(grid[top + 1]))
        self.top = center if split else self._highest(*around)
        self.grid, self.level = grid, level

    def _about(self, q: Floats) -> tuple[float, float]:
        roles = [parameter.role for parameter in self.shape.parameters]
        if self.shape.code == kinds.LOGNORMAL:
            mode = math.exp(q[1] - q[2] ** 2)
            return mode, mode * min(q[2], 1.0)
        if self.shape.code == kinds.DAMPED_OSCILLATOR:
            return abs(float(q[1])), abs(float(q[1] * q[2]))
        width = sum(abs(float(v)) for v, role in zip(q, roles, strict=True) if role == kinds.WIDTH)
        return float(q[1]), width

    def _curve(self, x: Floats) -> tuple[Floats, Floats]:
        made: tuple[Floats, Floats] = self.component(self.shape.code, self.unit, np.atleast_1d(x))
        return made

    def _at(self, x: float) -> float:
        return float(self._curve(np.array([x]))[0][0])

    def _slope(self, x: float, step: float) -> float:
        """Differentiate along the axis by extrapolated differences."""
        wide = (self._at(x + step) - self._at(x - step)) / (2.0 * step)
        near = (self._at(x + 0.5 * step) - self._at(x - 0.5 * step)) / step
        return (4.0 * near - wide) / 3.0

    def _highest(self, left: float, middle: float, right: float) -> float:
        """Find where the slope changes sign."""
        step = 0.05 * min(middle - left, right - middle)
        if not self._slope(left, step) > 0.0 > self._slope(right, step):
            return middle
        return float(brentq(self._slope, left, right, args=(step,), xtol=1e-300, rtol=1e-14))

    def height(self) -> Measured:
        """Return the height; at the top its derivatives are those of the profile."""
        value, slopes = self._curve(np.array([self.top]))
        own = self.amplitude * slopes[:, 0]
        own[0] = value[0]
        return self.amplitude * float(value[0]), own

    def fwhm(self) -> Measured:
        """Return the distance of the points of half height; they move as the profile and the height do."""
        value, at_top = self._curve(np.array([self.top]))
        half = 0.5 * float(value[0])
        low = np.flatnonzero(self.level < half)
        below, above = low[self.grid[low] < self.top], low[self.grid[low] > self.top]
        if not below.size or not above.size:
            raise _refusal(self.shape, "fwhm")
        ends = [
            brentq(lambda x: self._at(x) - half, self.grid[outside], self.top, xtol=1e-300, rtol=1e-15)
            for outside in (below[-1], above[0])
        ]
        width = ends[1] - ends[0]
        slopes = []
        for end in ends:
            step = 1e-3 * min(width, abs(end - self.top))
            along = self._slope(end, step)
            slopes.append((0.5 * at_top[:, 0] - self._curve(np.array([end]))[1][:, 0]) / along)
        moved = slopes[1] - slopes[0]
        moved[0] = 0.0
        return float(width), moved
