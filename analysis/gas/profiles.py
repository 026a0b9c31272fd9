"""Voigt profiles of many lines on one grid, with their derivatives to shift and widths.

Near a line the profile is that of the Faddeeva function, farther out the Lorentzian that it becomes there.
Not here: the lines and the gas (`analysis.gas.transmittance`), lines that are fitted (`analysis.peaks`).
References: Olivero and Longbothum, JQSRT 17 (1977) 233, doi:10.1016/0022-4073(77)90161-3; DLMF 7.10 (derivative).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy import special

__all__ = ["Profiles"]

Floats = npt.NDArray[np.float64]
ROOT = math.sqrt(2.0)


@dataclass(frozen=True, kw_only=True, eq=False)
class Profiles:
    """Lines of unit area; results have dims `(line, point)`."""

    offsets: Floats
    """Distance of each point from each line."""
    near: Sequence[slice]
    """Points of each line that take the whole profile."""
    sigma: Floats
    """Standard deviation of each Gaussian part."""
    gamma: Floats
    """Half width of each Lorentzian part."""

    @cached_property
    def _faddeeva(self) -> list[tuple[npt.NDArray[np.complex128], npt.NDArray[np.complex128]]]:
        made = []
        for row, part, s, g in zip(self.offsets, self.near, self.sigma, self.gamma, strict=True):
            z = (row[part] + 1j * g) / (ROOT * s)
            made.append((z, special.wofz(z)))
        return made

    @cached_property
    def _lorentzian(self) -> Floats:
        return np.asarray(1.0 / (self.offsets**2 + self.gamma[:, None] ** 2))

    @cached_property
    def _scale(self) -> Floats:
        return np.asarray(1.0 / (self.sigma * math.sqrt(2.0 * math.pi)))

    @cached_property
    def values(self) -> Floats:
        """Return the profiles."""
        out = self._lorentzian * (self.gamma[:, None] / math.pi)
        for k, (_, w) in enumerate(self._faddeeva):
            out[k, self.near[k]] = w.real * self._scale[k]
        return out

    @cached_property
    def _slopes(self) -> list[npt.NDArray[np.complex128]]:
        """Of the Faddeeva function to its argument."""
        return [2j / math.sqrt(math.pi) - 2.0 * z * w for z, w in self._faddeeva]

    @cached_property
    def by_offset(self) -> Floats:
        """Return the derivatives to the distance from the line."""
        out = self._lorentzian**2 * self.offsets * (-2.0 / math.pi * self.gamma[:, None])
        for k, slope in enumerate(self._slopes):
            out[k, self.near[k]] = slope.real * (self._scale[k] / (ROOT * self.sigma[k]))
        return out

    @cached_property
    def by_gamma(self) -> Floats:
        """Return the derivatives to the half width."""
        squares = self._lorentzian
        out = (squares - squares**2 * (2.0 * self.gamma[:, None] ** 2)) / math.pi
        for k, slope in enumerate(self._slopes):
            out[k, self.near[k]] = -slope.imag * (self._scale[k] / (ROOT * self.sigma[k]))
        return out

    @cached_property
    def by_sigma(self) -> Floats:
        """Return the derivatives to the standard deviation; far away there is none."""
        out = np.zeros_like(self.offsets)
        for k, ((z, w), slope) in enumerate(zip(self._faddeeva, self._slopes, strict=True)):
            out[k, self.near[k]] = -(w.real + (slope * z).real) * (self._scale[k] / self.sigma[k])
        return out
