"""Critical value, detection limit and quantification limit of a calibration curve.

All three follow from the standard uncertainty of an x that is read from the curve: at zero, at the limit, and where
it is a tenth of x. Not here: the curve (`analysis.calibration.curve`).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import optimize, stats

from analysis.calibration.curve import CurveCalibration
from analysis.calibration.curve_families import shown
from analysis.core import CalibrationError
from analysis.uncertainty import Source, effective_dof

__all__ = ["DetectionLimits", "detection_limits"]

REACH = 1e-6


@dataclass(frozen=True, kw_only=True)
class DetectionLimits:
    """What can be told from nothing, and what can be measured."""

    critical: float
    """Critical value: an x found above it says with error probability `alpha` that there is something."""
    detection: float
    """Detection limit: an x so large is found above the critical value but for a share `beta`."""
    quantification: float
    """Quantification limit: the x whose relative standard uncertainty is `relative`."""
    units: str
    """Units of x."""
    alpha: float
    """Probability of a false alarm."""
    beta: float
    """Probability to miss the detection limit."""
    relative: float
    """Relative standard uncertainty at the quantification limit."""
    repeats: int
    """Observations that are averaged for one x."""

    def __str__(self) -> str:
        """Write the three in one line."""
        units = shown(self.units)
        return (
            f"critical value {self.critical:.3g} {units}".rstrip()
            + f", detection limit {self.detection:.3g} {units}".rstrip()
            + f", quantification limit {self.quantification:.3g} {units}".rstrip()
            + f" (alpha {self.alpha:g}, beta {self.beta:g}, {100 * self.relative:g} %, mean of {self.repeats})"
        )


def detection_limits(
    curve: CurveCalibration, *, repeats: int = 1, u_reading: float | Callable[[float], float] | None = None,
    alpha: float = 0.05, beta: float = 0.05, relative: float = 0.1, extrapolate: bool = False,
) -> DetectionLimits:  # fmt: skip
    """Return the limits of detection and quantification of a rising curve.

    Parameters
    ----------
    curve:
        It rises, and its points reach down to zero.
    repeats:
        Observations that are averaged for one x, at least 1.
    u_reading:
        Standard uncertainty of one observation, in the units of y: a number, or a function of x where the noise
        depends on it. None takes the scatter that the residuals gave.
    alpha, beta:
        Probabilities of a false alarm and of a miss, in (0, 0.5).
    relative:
        Relative standard uncertainty that quantification asks for, in (0, 1).
    extrapolate:
        Take the curve down to zero from points that do not reach it.

    Returns
    -------
    :
        The limits, in the units of x.

    Raises
    ------
    CalibrationError
        If the noise is not known, the curve does not rise from zero, or a limit lies above its range.

    References
    ----------
    ISO 11843-2:2000; L. A. Currie, Pure Appl. Chem. 67 (1995) 1699, doi:10.1351/pac199567101699.
    """
    if repeats < 1 or not 0 < alpha < 0.5 or not 0 < beta < 0.5 or not 0 < relative < 1:  # noqa: PLR2004
        msg = (
            f"repeats must be at least 1, alpha and beta in (0, 0.5), relative in (0, 1); got {repeats}, {alpha}, "
            f"{beta}, {relative}"
        )
        raise CalibrationError(msg)
    u_of = _noise(curve, u_reading, repeats)
    rises = float(curve.family.slope(np.array([0.0]), curve.values)[0]) > 0.0
    if not rises or (curve.low > 0.0 and not extrapolate):
        msg = (
            f"the limits lie near x = 0, where the curve must rise; its points go from {curve.low:g} to {curve.high:g} "
            f"{shown(curve.of_units)}. Measure blanks too, or pass extrapolate=True"
        )
        raise CalibrationError(msg)
    critical = _margin(u_of(0.0), alpha)
    detection = _solve(lambda x: x - critical - _margin(u_of(x), beta), curve, "detection limit")
    quantification = _solve(lambda x: relative * x - math.hypot(*u_of(x).values()), curve, "quantification limit")
    return DetectionLimits(
        critical=critical, detection=detection, quantification=quantification, units=curve.of_units, alpha=alpha,
        beta=beta, relative=relative, repeats=repeats,
    )  # fmt: skip


def _noise(
    curve: CurveCalibration, u_reading: float | Callable[[float], float] | None, repeats: int
) -> Callable[[float], dict[Source, float]]:
    """Return what the uncertainty of an x that is read from the curve comes from, as a function of x."""
    if u_reading is None and curve.scatter is None:
        msg = "the uncertainties of the points were given, so the noise of an observation is not known; give u_reading"
        raise CalibrationError(msg)

    dof, ensemble = (curve.dof, curve.ensemble) if u_reading is None else (math.inf, "")
    reading = Source(id="reading", label="reading", kind="A" if u_reading is None else "B", dof=dof, ensemble=ensemble)

    def u_of(x: float) -> dict[Source, float]:
        given = curve.scatter if u_reading is None else u_reading(x) if callable(u_reading) else u_reading
        if given is None or not 0.0 < given < np.inf:
            msg = f"the noise of an observation must be positive and finite; got {given} at x = {x:g}"
            raise CalibrationError(msg)
        where = np.array([x])
        row, slope = curve.family.gradient(where, curve.values)[0], float(curve.family.slope(where, curve.values)[0])
        parts = {source: float(row @ part) / slope for source, part in curve.contributions.items()}
        return {**parts, reading: given / math.sqrt(repeats) / slope}

    return u_of


def _margin(components: dict[Source, float], probability: float) -> float:
    """Return how far an error of these sources goes with a probability to go further, by Student's t."""
    return float(stats.t.ppf(1.0 - probability, effective_dof(components))) * math.hypot(*components.values())


def _solve(distance: Callable[[float], float], curve: CurveCalibration, what: str) -> float:
    low, high = REACH * curve.high, curve.high
    if distance(high) <= 0.0:
        msg = (
            f"the {what} lies above the calibrated range, which ends at {curve.high:g} {shown(curve.of_units)}; "
            "average more observations, or calibrate further"
        )
        raise CalibrationError(msg)
    return float(optimize.brentq(distance, low, high)) if distance(low) < 0.0 else low
