"""What can be seen of a long curve: the least and the greatest value within each pixel.

Not here: drawing (`analysis.widgets.spectrum_view`).
"""

from typing import Any

import numpy as np

__all__ = ["decimate"]

Floats = np.ndarray[Any, np.dtype[np.float64]]
_DENSE = 3  # points for each pixel, from which on they are not all drawn


def decimate(x: Floats, y: Floats, *, low: float, high: float, pixels: int) -> tuple[Floats, Floats]:
    """Reduce a curve to what a plot of some pixels can show.

    Parameters
    ----------
    x, y:
        Dims `(point,)`, `x` rising.
    low, high:
        Visible range of `x`.
    pixels:
        Width of the plot.

    Returns
    -------
    :
        The visible points, one more at each side; where there are more than three for a pixel two for each, its least
        and its greatest, so that no peak and no outlier is lost.
    """
    first = max(int(np.searchsorted(x, low, side="left")) - 1, 0)
    last = min(int(np.searchsorted(x, high, side="right")) + 1, x.size)
    inside, values = x[first:last], y[first:last]
    if inside.size <= _DENSE * pixels:
        return inside, values
    edges = np.searchsorted(inside, np.linspace(inside[0], inside[-1], pixels + 1)[:-1], side="left")
    starts = np.unique(edges)
    least, greatest = np.fmin.reduceat(values, starts), np.fmax.reduceat(values, starts)
    return np.repeat(inside[starts], 2), np.stack([least, greatest], axis=1).ravel()
