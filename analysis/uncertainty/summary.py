"""Summary statistics of one series of readings, computed without rounding.

Not here: the uncertainty of their mean (`analysis.uncertainty.typea`).
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from analysis.core import UncertaintyError
from analysis.uncertainty import exact


@dataclass(frozen=True, kw_only=True)
class Description:
    """Mean, spread and autocorrelation of readings."""

    n: int
    """How many readings."""
    mean: float
    """Arithmetic mean, in the units of the readings."""
    sd: float
    """Experimental standard deviation with n - 1, in the units of the readings; NaN for one reading."""
    autocorrelation: float
    """Lag-1 autocorrelation coefficient, about the mean of all readings, in [-1, 1]; NaN if all are equal."""
    minimum: float
    """Smallest reading."""
    maximum: float
    """Largest reading."""

    def table(self) -> list[dict[str, str]]:
        """Return the figures as rows.

        Returns
        -------
        :
            One row, numbers with 15 digits.
        """
        shown = ("mean", "sd", "autocorrelation", "minimum", "maximum")
        return [{"n": str(self.n)} | {name: f"{getattr(self, name):.15g}" for name in shown}]


def describe(readings: npt.ArrayLike) -> Description:
    """Summarise readings.

    Parameters
    ----------
    readings:
        In the order they were taken, shape `(n,)`, any units.

    Returns
    -------
    :
        Mean, standard deviation and lag-1 autocorrelation, correct to the last digit.

    Raises
    ------
    UncertaintyError
        If there are none, or one is not finite.
    """
    given = np.asarray(readings)
    found = given if given.dtype.kind == "f" else np.asarray(readings, dtype=float)
    if found.ndim != 1 or found.size == 0 or not np.isfinite(found).all():
        msg = f"readings must be finite, of shape (n,), got shape {found.shape}; remove what is missing and say so"
        raise UncertaintyError(msg)
    whole, scale = exact.integers(found)
    n, total = len(whole), sum(whole)
    apart = [n * each - total for each in whole]
    squares = exact.dot(apart, apart)
    lagged = exact.dot(apart[1:], apart[:-1])
    return Description(
        n=n,
        mean=total / (n * scale),
        sd=exact.root(Fraction(squares, (n - 1) * (n * scale) ** 2)) if n > 1 else float("nan"),
        autocorrelation=lagged / squares if squares else float("nan"),
        minimum=float(found.min()),
        maximum=float(found.max()),
    )
