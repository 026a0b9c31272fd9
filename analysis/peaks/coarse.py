"""Binned data, on which a fit comes near its optimum at a fraction of the cost, compiled.

Not here: the fit (`analysis.peaks.engine`).
"""

# Compiled code has no annotations: numba finds its types, and long argument lists are its tables.
# ruff: noqa: ANN001, ANN201, PLR0917
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

import math

from analysis.peaks.compiled import compiled
from analysis.peaks.kinds import LINEAR, WIDTH
from analysis.peaks.losses import POISSON

__all__ = ["bin_data", "bins_of"]

PER_WIDTH = 2.0  # bins over the width of the narrowest peak, at least
FEWEST, PER_PARAMETER = 32, 4
LARGEST = 16


@compiled()
def bins_of(layout, v, spacing, points, free):
    """Return how many points to put into a bin at the starting values `v`; 1 if binning would lose a peak."""
    first, source, role = layout[1], layout[5], layout[7]
    narrowest = math.inf
    for c in range(first.size - 1):
        width = 0.0
        wavy = False
        for k in range(first[c], first[c + 1]):
            if role[k] == WIDTH:
                width += abs(v[source[k]])
            wavy = wavy or role[k] != LINEAR
        if wavy:
            narrowest = min(narrowest, width)
    most = min(points / max(FEWEST, PER_PARAMETER * free), LARGEST)
    return max(int(min(narrowest / (PER_WIDTH * spacing), most)), 1)


@compiled()
def bin_data(x, y, w, width, loss, xs, ys, ws):
    """Put weighted means of `width` neighbours into `xs` and `ys`, their weights into `ws`; return how many.

    Counts under Poisson get weights 1/√max(y, 1); a bin without usable points is left out.
    """
    count = 0
    for low in range(0, x.size, width):
        sx = sy = sw = 0.0
        for i in range(low, min(low + width, x.size)):
            own = w[i] * w[i]
            if loss == POISSON and own > 0.0:
                own = 1.0 / max(y[i], 1.0)
            sw += own
            sx += own * x[i]
            sy += own * y[i]
        if sw > 0.0:
            xs[count] = sx / sw
            ys[count] = sy / sw
            ws[count] = math.sqrt(sw)
            count += 1
    return count
