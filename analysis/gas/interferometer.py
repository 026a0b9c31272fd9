"""The instrument line shape of a Fourier-transform spectrometer: a finite path difference and its apodisation.

Not here: what the gas transmits (`analysis.gas.transmittance`).
References: Griffiths and de Haseth, Fourier Transform Infrared Spectrometry (2007); Happ and Genzel, Infrared Phys. 1
(1961) 39, doi:10.1016/0020-0891(61)90007-2.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import fft

from analysis.core import CalibrationError

__all__ = ["Apodisation", "Interferometer"]

Apodisation = Literal["boxcar", "triangular", "happ-genzel"]
_MARGIN = {"boxcar": 120.0, "triangular": 40.0, "happ-genzel": 40.0}
"""How far side lobes are followed beyond the ends, in reciprocal path differences."""


@dataclass(frozen=True, kw_only=True)
class Interferometer:
    """A Fourier-transform spectrometer with a small field of view."""

    path_difference: float
    """Largest optical path difference, cm, > 0."""
    apodisation: Apodisation = "boxcar"
    """What the interferogram was multiplied with."""

    def __post_init__(self) -> None:
        if not 0.0 < self.path_difference < math.inf:
            msg = f"the path difference must be above 0 cm, got {self.path_difference:g}. It is near 1/resolution"
            raise CalibrationError(msg)
        if self.apodisation not in _MARGIN:
            msg = f"apodisation must be one of {list(_MARGIN)}, got {self.apodisation!r}. See the file's header"
            raise CalibrationError(msg)

    @property
    def margin(self) -> float:
        """How far lines outside a range reach into it, cm-1."""
        return _MARGIN[self.apodisation] / self.path_difference

    def window(self, difference: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return the apodisation.

        Parameters
        ----------
        difference:
            Optical path differences, cm.

        Returns
        -------
        :
            1 at zero, 0 beyond the largest.
        """
        away = np.abs(np.asarray(difference, dtype=float))
        return np.asarray(np.where(away <= self.path_difference, self._shape(away), 0.0))

    def _shape(self, away: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        part = np.minimum(away / self.path_difference, 1.0)
        if self.apodisation == "triangular":
            return np.asarray(1.0 - part)
        if self.apodisation == "happ-genzel":
            return np.asarray(0.54 + 0.46 * np.cos(math.pi * part))
        return np.ones_like(part)

    def line_shape(self, offset: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return what the spectrometer makes of an infinitely narrow line.

        Parameters
        ----------
        offset:
            Distances from the line, cm-1.

        Returns
        -------
        :
            The instrument line shape, of unit area, cm.
        """
        d, x = self.path_difference, np.asarray(offset, dtype=float) * self.path_difference
        if self.apodisation == "triangular":
            return np.asarray(d * np.sinc(x) ** 2)
        if self.apodisation == "happ-genzel":
            return np.asarray(d * (1.08 * np.sinc(2.0 * x) + 0.46 * (np.sinc(2.0 * x - 1.0) + np.sinc(2.0 * x + 1.0))))
        return np.asarray(2.0 * d * np.sinc(2.0 * x))

    def blur(self, absorbed: npt.NDArray[np.float64], step: float) -> npt.NDArray[np.float64]:
        """Convolve a spectrum with the instrument line shape.

        Parameters
        ----------
        absorbed:
            What falls to 0 at both ends, evenly spaced.
        step:
            Its spacing, cm-1.

        Returns
        -------
        :
            The same points, as the spectrometer sees them.
        """
        size = fft.next_fast_len(absorbed.size + math.ceil(2.0 * self.margin / step), real=True)
        bin_ = 1.0 / (size * step)
        away = np.asarray(bin_ * np.arange(size // 2 + 1), dtype=np.float64)
        # The end falls within a sample of the interferogram, which then counts as far as it lies inside.
        inside = np.clip((self.path_difference - away) / bin_ + 0.5, 0.0, 1.0)
        return np.asarray(fft.irfft(fft.rfft(absorbed, size) * (inside * self._shape(away)), size)[: absorbed.size])
