"""The straight part of a tensile curve: a line with noise in force and in extension.

Not here: the points that are found with it (`analysis.tensile.points`). Reference: Deming, Statistical Adjustment of
Data (1943), for the slope with a known ratio of noises.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analysis.core import SpectrumError
from analysis.uncertainty import Quantity, distributions

Floats = npt.NDArray[np.float64]
_LEAST, _STRAIGHT, _CORRELATED = 10, 0.25, 0.98


@dataclass(frozen=True, kw_only=True)
class Line:
    """force = centre + slope * (extension - middle)."""

    slope: Quantity
    """N/mm; its sources are noise, and the curvature inside the window where there is any."""
    centre: Quantity
    """N; independent of the slope."""
    middle: float
    """Mean extension of the window, mm."""
    window: tuple[float, float]
    """Force at its ends, N."""
    rows: tuple[int, int]
    """First row and the row after the last."""
    bend: float
    """Slope of the upper half over that of the lower half, minus 1."""

    def at(self, extension: Floats, shift: float = 0.0) -> Floats:
        """Return the force of the line moved to larger extension.

        Parameters
        ----------
        extension, shift:
            mm.

        Returns
        -------
        :
            N.
        """
        return np.asarray(self.centre.value + self.slope.value * (extension - shift - self.middle))


def fit_line(force: Floats, extension: Floats, low: float, high: float) -> Line:
    """Fit the rising part between two forces.

    Parameters
    ----------
    force, extension:
        N and mm, in the order of the test.
    low, high:
        Ends of the window, N.

    Returns
    -------
    :
        The line.

    Raises
    ------
    SpectrumError
        If there are too few rows, or they do not lie on a rising line.
    """
    end = int(np.argmax(force >= high))
    below = np.flatnonzero(force[:end] < low)
    start = int(below[-1]) + 1 if below.size else 0
    if (not below.size and force[0] > low + 0.1 * (high - low)) or end - start < _LEAST:
        msg = (
            f"no elastic part: {max(0, end - start)} rows between {low:.4g} and {high:.4g} N, the first row at "
            f"{force[0]:.4g} N; wanted {_LEAST} from below. Record from zero force, or move the window"
        )
        raise SpectrumError(msg)
    x, y = extension[start:end], force[start:end]
    if np.ptp(x) == 0 or np.ptp(y) == 0 or float(np.corrcoef(x, y)[0, 1]) < _CORRELATED:
        msg = f"no elastic part: the {x.size} rows between {low:.4g} and {high:.4g} N do not rise in line: move it"
        raise SpectrumError(msg)
    slope, spread, noise = _deming(x, y)
    half = x.size // 2
    pieces = [_deming(x[part], y[part]) for part in (slice(None, half), slice(half, None))]
    bend = pieces[1][0] / pieces[0][0] - 1
    if not abs(bend) < _STRAIGHT + 4 * math.hypot(*(each[1] / each[0] for each in pieces)):
        msg = f"no elastic part: the slope changes by {100 * bend:.0f} % between {low:.4g} and {high:.4g} N: move them"
        raise SpectrumError(msg)
    measured = Quantity(value=slope, u=spread, units="N/mm", dof=x.size - 2, label="slope, noise")
    if abs(pieces[1][0] - pieces[0][0]) > 3 * math.hypot(pieces[0][1], pieces[1][1]):
        width = 0.5 * abs(pieces[1][0] - pieces[0][0])
        box = distributions.rectangular()
        u = distributions.u_from_half_width(width, box)
        measured = measured + Quantity(value=0.0, u=u, units="N/mm", distribution=box, label="choice of the window")
    return Line(
        slope=measured,
        centre=Quantity(value=float(y.mean()), u=noise, units="N", dof=x.size - 2, label="centre of the line, noise"),
        middle=float(x.mean()),
        window=(low, high),
        rows=(start, end),
        bend=bend,
    )


def scatter(values: Floats) -> float:
    """Return the standard deviation of the noise of a smooth record, from second differences.

    Parameters
    ----------
    values:
        In order.

    Returns
    -------
    :
        In the units of the values.
    """
    return float(np.sqrt(np.mean(np.diff(values, 2) ** 2) / 6)) if values.size > 2 else 0.0  # noqa: PLR2004


def _deming(x: Floats, y: Floats) -> tuple[float, float, float]:
    """Return the slope, its u, and u of the line at the mean."""
    sx, sy = scatter(x), scatter(y)
    dx, dy = x - x.mean(), y - y.mean()
    xx, yy, xy = float(dx @ dx), float(dy @ dy), float(dx @ dy)
    if sy <= 1e-12 * np.ptp(y) or sx <= 1e-12 * np.ptp(x):
        slope = xy / xx if sx <= sy * xx / max(xy, 1e-300) else yy / xy
    else:
        ratio = (sy / sx) ** 2
        turn = yy - ratio * xx
        slope = (turn + math.sqrt(turn**2 + 4 * ratio * xy**2)) / (2 * xy)
    rest = dy - slope * dx
    sd = math.sqrt(float(rest @ rest) / (x.size - 2)) if x.size > 2 else 0.0  # noqa: PLR2004
    lag = float(rest[1:] @ rest[:-1]) / max(float(rest @ rest), 1e-300)
    lag = min(max(lag, 0.0), 0.98)
    sd *= math.sqrt((1 + lag) / (1 - lag))
    return slope, sd / math.sqrt(max(xy / slope, 1e-300)), sd / math.sqrt(x.size)
