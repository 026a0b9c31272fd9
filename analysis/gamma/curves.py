"""Calibrations of a pulse-height spectrum: energy, width of peaks, efficiency, each with its covariance.

Not here: the fit of curves (`analysis.calibration`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from analysis.calibration import CurveCalibration, fit_line, fit_polynomial
from analysis.core import CalibrationError
from analysis.uncertainty import Quantity

__all__ = ["Efficiency", "calibrate_efficiency", "calibrate_energy", "calibrate_fwhm"]

KEV = "keV"


def calibrate_energy(
    channels: Sequence[Quantity], energies: Sequence[Quantity], *, degree: int = 1, nonlinearity: float = 0.0
) -> CurveCalibration:
    """Calibrate the energy of channels.

    Parameters
    ----------
    channels:
        Centers of peaks, from `read_peak`.
    energies:
        Of the lines of nuclides, keV.
    degree:
        Of the polynomial.
    nonlinearity:
        Standard uncertainty of the analyser's deviation from the polynomial at each line, channels.

    Returns
    -------
    :
        The curve; `predict` gives keV with the covariance of the calibration.

    Raises
    ------
    CalibrationError
        If the points cannot determine it.
    """
    _require_kev(energies)
    if not nonlinearity >= 0.0:
        msg = f"nonlinearity must be >= 0 channels, got {nonlinearity:g}"
        raise CalibrationError(msg)
    moved = [
        center + Quantity(value=0.0, u=nonlinearity, units="1", label=f"nonlinearity at channel {center.value:.0f}")
        for center in channels
    ]
    return fit_polynomial(moved if nonlinearity else list(channels), list(energies), degree=degree)


def calibrate_fwhm(energies: Sequence[Quantity], widths: Sequence[Quantity]) -> CurveCalibration:
    """Calibrate the width of peaks: FWHM² = a + b E, noise of the electronics and of the number of charges.

    Parameters
    ----------
    energies:
        keV.
    widths:
        FWHM, keV.

    Returns
    -------
    :
        The curve of FWHM² in keV²; its square root is the FWHM: `numpy.sqrt(curve.predict(energy))`.

    Raises
    ------
    CalibrationError
        If the points cannot determine it.
    """
    _require_kev([*energies, *widths])
    return fit_line(list(energies), [width * width for width in widths])


@dataclass(frozen=True, kw_only=True)
class Efficiency:
    """Full-energy-peak efficiency as a polynomial in logarithms."""

    curve: CurveCalibration
    """ln ε of ln (E / keV)."""

    def predict(self, energy: Quantity | float, *, extrapolate: bool = False) -> Quantity:
        """Return the efficiency at an energy.

        Parameters
        ----------
        energy:
            keV.
        extrapolate:
            Whether energies outside the calibrated range are allowed.

        Returns
        -------
        :
            Counts in the peak for one photon, correlated with the standards of the calibration.

        Raises
        ------
        CalibrationError
            If the energy lies outside the calibrated range.
        """
        at = energy.value if isinstance(energy, Quantity) else float(energy)
        if not at > 0.0:
            msg = f"energy must be > 0 keV, got {at:g}"
            raise CalibrationError(msg)
        found = cast("Quantity", self.curve.predict(float(np.log(at)), extrapolate=extrapolate))
        return cast("Quantity", np.exp(cast("Any", found)))


def calibrate_efficiency(energies: Sequence[float], efficiencies: Sequence[Quantity], *, degree: int = 2) -> Efficiency:
    """Calibrate the full-energy-peak efficiency.

    Parameters
    ----------
    energies:
        keV; their uncertainty is far below what matters here.
    efficiencies:
        Measured with standards; those of one standard share the source of its activity and stay correlated.
    degree:
        Of the polynomial of ln ε in ln E.

    Returns
    -------
    :
        The calibration.

    Raises
    ------
    CalibrationError
        If a value cannot be, or the points cannot determine it.
    """
    wrong = [each.value for each in efficiencies if not 0.0 < each.value < 1.0]
    if wrong or min(energies, default=0.0) <= 0.0:
        msg = f"wanted energies > 0 keV and efficiencies within (0, 1), got efficiencies {wrong} and {list(energies)}"
        raise CalibrationError(msg)
    logs = [cast("Quantity", np.log(cast("Any", each))) for each in efficiencies]
    return Efficiency(curve=fit_polynomial([float(np.log(e)) for e in energies], logs, degree=degree))


def _require_kev(given: Sequence[Quantity]) -> None:
    odd = sorted({each.units for each in given} - {KEV})
    if odd:
        msg = f"wanted energies in keV, got {odd}"
        raise CalibrationError(msg)
