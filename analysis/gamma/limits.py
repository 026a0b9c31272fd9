"""Decision threshold and detection limit of an activity, as ISO 11929-1 defines them.

Not here: the search for peaks (`analysis.gamma.search`).
References: ISO 11929-1:2019, clauses 8 and 9; Currie, doi:10.1021/ac60259a007.
"""

import math
from dataclasses import dataclass

from scipy import stats

from analysis.core import CalibrationError
from analysis.uncertainty import Quantity

__all__ = ["Limits", "limits"]


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Characteristic limits; both in the units of the factor."""

    decision_threshold: float
    """A result above it is taken for an effect of the sample."""
    detection_limit: float
    """The smallest true value that is missed with the stated probability only (MDA)."""
    probability: float
    """Of errors of either kind."""
    units: str


def limits(background: float, factor: Quantity, *, ratio: float, probability: float = 0.05) -> Limits:
    """Compute decision threshold and detection limit for a peak on a background that was counted beside it.

    Parameters
    ----------
    background:
        Counts of the background below the peak, >= 0, in the region of the peak.
    factor:
        What one net count is worth, for example Bq: 1 / (efficiency intensity live time); its relative u is part of
        the detection limit.
    ratio:
        Width of the region of the peak over that of the regions beside it, or time of the sample over the blank's.
    probability:
        Of errors of the first and of the second kind.

    Returns
    -------
    :
        The limits.

    Raises
    ------
    CalibrationError
        If a value cannot be, or the factor is so uncertain that no detection limit exists.
    """
    if not (background >= 0.0 and ratio > 0.0 and factor.value > 0.0 and 0.0 < probability < 0.5):  # noqa: PLR2004
        msg = (
            "wanted background >= 0, ratio > 0, factor > 0 and probability within (0, 0.5), got "
            f"{background:g}, {ratio:g}, {factor} and {probability:g}"
        )
        raise CalibrationError(msg)
    k = float(stats.norm.isf(probability))
    w, relative = factor.value, factor.u / factor.value
    if k * relative >= 1.0:
        msg = (
            f"no detection limit exists: the factor has a relative u of {relative:.2g}, wanted less than {1 / k:.2g}. "
            "Calibrate the efficiency better"
        )
        raise CalibrationError(msg)
    threshold = k * w * math.sqrt(background * (1.0 + ratio))
    detection = (2.0 * threshold + k * k * w) / (1.0 - (k * relative) ** 2)
    return Limits(decision_threshold=threshold, detection_limit=detection, probability=probability, units=factor.units)
