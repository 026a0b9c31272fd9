"""Which peak is which line: a consensus over smooth distortions of the nominal axis.

Numbers in, numbers out. A coarse scan over shift, stretch and bend scores every hypothesis by how many strong peaks
fall on strong lines; the best are refined by robust polynomials of growing degree and shrinking tolerance.
The door is `analysis.calibration.match`.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]
LEAST = 4
OVER_CHANCE = 1.5
_HYPOTHESES = 40
_REFINED = 10
_CUT = 4.0
_AS_GOOD = 1.25
_SCHEDULE = ((3.0, 2), (2.0, 2), (1.5, 3), (1.0, 3), (0.7, 3), (0.7, 3))


@dataclass(frozen=True, kw_only=True)
class Pairing:
    """Peaks and lines that belong together."""

    peak: Index
    """Indices of the paired peaks."""
    line: Index
    """Index of the line of each, same shape."""
    predicted: Array
    """Wavelength of every peak by the consensus, in the units of the lines."""
    scatter: float
    """Robust standard deviation of the residuals, in the units of the lines."""


def pair(
    nominal: Array,
    resolution: float,
    weight: Array,
    line: Array,
    line_weight: Array,
    *,
    u: Array,
    span: tuple[float, float, float],
) -> Pairing | None:
    """Pair peaks with lines.

    The best hypothesis has to explain clearly more than the best one for the mirrored peaks, which have the same
    density and cannot be right: what chance alone would give is refused.

    Parameters
    ----------
    nominal:
        Nominal position of each peak (peak,), in the units of the lines.
    resolution:
        About a third of the width of a peak, same units; the final tolerance is 0.7 of it.
    weight, line_weight:
        Trust in each peak (peak,) and line (line,), in (0, 1].
    line:
        Reference positions (line,).
    u:
        Standard uncertainty of each peak position (peak,), same units.
    span:
        How far shift, stretch and bend may displace the ends of the axis, same units.

    Returns
    -------
    :
        The pairing of the best hypothesis, or None if no hypothesis explains at least four peaks and beats chance.
    """
    mirrored = nominal.max() + nominal.min() - nominal
    score, best = _best(nominal, resolution, weight, line, line_weight=line_weight, u=u, span=span)
    chance, _ = _best(mirrored, resolution, weight, line, line_weight=line_weight, u=u, span=span)
    if best is None or score < OVER_CHANCE * chance:
        return None
    return best


def _best(
    nominal: Array,
    resolution: float,
    weight: Array,
    line: Array,
    *,
    line_weight: Array,
    u: Array,
    span: tuple[float, float, float],
) -> tuple[float, Pairing | None]:
    middle, half = (nominal.max() + nominal.min()) / 2, max((nominal.max() - nominal.min()) / 2, resolution)
    scaled = (nominal - middle) / half
    best: tuple[float, Pairing | None] = (0.0, None)
    for shift, stretch, bend in _scan(nominal, scaled, weight, line, line_weight, resolution=resolution, span=span):
        start = nominal + shift + stretch * scaled + bend * (2 * scaled**2 - 1)
        refined = _refine(nominal, scaled, start, line, resolution)
        if refined is None:
            continue
        peak, found, predicted = refined
        residual = line[found] - predicted[peak]
        score = float(np.sum(weight[peak] * line_weight[found] * (1 - (residual / (0.7 * resolution)) ** 2)))
        if score > best[0]:
            best = (score, _pairing(nominal, scaled, line, peak, found, u=u, resolution=resolution))
    return best


def _pairing(
    nominal: Array, scaled: Array, line: Array, peak: Index, found: Index, *, u: Array, resolution: float
) -> Pairing:
    """Keep the pairs that agree with the others, on a straight distortion where a cubic explains no more."""
    straight, cubic = (
        _consistent(nominal, scaled, line, peak, found, u=u, degree=degree, resolution=resolution) for degree in (1, 3)
    )
    return straight if straight.scatter <= _AS_GOOD * cubic.scatter else cubic


def _consistent(
    nominal: Array, scaled: Array, line: Array, peak: Index, found: Index, *, u: Array, degree: int, resolution: float
) -> Pairing:
    """Drop the pairs that a polynomial distortion through all of them does not explain.

    A polynomial bends to a spurious peak at the end of the axis and leaves no residual there, so each pair also has to
    be predicted by the others alone (deleted residual: residual over 1 - leverage), within half a resolution or, on an
    uneven axis, 7 times the scatter.
    """
    coefficients = _robust(scaled[peak], line[found] - nominal[peak], degree, resolution)
    predicted = nominal + np.polynomial.polynomial.polyval(scaled, coefficients)
    residual = line[found] - predicted[peak]
    inflate = np.sqrt(residual.size / max(1, residual.size - degree - 1))
    scatter = max(1.4826 * float(np.median(np.abs(residual))) * inflate, 0.02 * resolution)
    beyond = np.sqrt(max(scatter**2 - float(np.median(u[peak])) ** 2, (0.02 * resolution) ** 2))
    basis, _ = np.linalg.qr(np.vander(scaled[peak], degree + 1))
    deleted = residual / np.maximum(1 - np.sum(basis**2, axis=1), np.finfo(float).eps)
    kept = np.abs(residual) <= _CUT * np.hypot(u[peak], beyond)
    kept &= np.abs(deleted) <= max(0.5 * resolution, 7 * scatter)
    return Pairing(peak=peak[kept], line=found[kept], predicted=predicted, scatter=scatter)


def _scan(
    nominal: Array,
    scaled: Array,
    weight: Array,
    line: Array,
    line_weight: Array,
    *,
    resolution: float,
    span: tuple[float, float, float],
) -> Array:
    reach = sum(span) + resolution
    low, high = min(nominal.min(), line.min()) - reach, max(nominal.max(), line.max()) + reach
    centres: Any = np.zeros((1, 3))
    width = np.asarray(span, dtype=float)
    tolerances = _tolerances(max(3 * resolution, max(span) / 40), resolution)
    for tolerance, following in pairwise([*tolerances, 0.0]):
        steps = [
            np.arange(-np.ceil(each / (tolerance / 2)), np.ceil(each / (tolerance / 2)) + 1) * tolerance / 2
            for each in width
        ]
        grid = np.stack([axis.ravel() for axis in np.meshgrid(*steps)], axis=1)
        trials = (centres[:, None, :] + grid).reshape(-1, 3)
        raster = low + np.arange(int((high - low) / (tolerance / 4)) + 2) * tolerance / 4
        map_ = (np.clip(1 - ((raster[:, None] - line) / tolerance) ** 2, 0, None) * line_weight).max(axis=1)
        score = np.zeros(len(trials))
        for position, along, trust in zip(nominal, scaled, weight, strict=True):
            moved = position + trials[:, 0] + trials[:, 1] * along + trials[:, 2] * (2 * along**2 - 1)
            place = np.clip(((moved - low) / (tolerance / 4) + 0.5).astype(int), 0, raster.size - 1)
            score += trust * map_[place]
        centres = trials[np.argsort(-score, kind="stable")[:_HYPOTHESES]]
        width = np.full(3, 0.75 * tolerance) if following else width
    return np.asarray(centres[:_REFINED])


def _tolerances(first: float, last: float) -> list[float]:
    found = [first]
    while found[-1] > last * 1.01:
        found.append(max(found[-1] / 2.5, last))
    return found


def _refine(
    nominal: Array, scaled: Array, start: Array, line: Array, resolution: float
) -> tuple[Index, Index, Array] | None:
    predicted = start
    for tolerance, degree in _SCHEDULE:
        peak, found = _mutual(predicted, line, tolerance * resolution)
        if peak.size < degree + 2:
            break
        coefficients = _robust(scaled[peak], line[found] - nominal[peak], degree, resolution)
        predicted = nominal + np.polynomial.polynomial.polyval(scaled, coefficients)
    peak, found = _mutual(predicted, line, 0.7 * resolution)
    return (peak, found, predicted) if peak.size >= LEAST else None


def _robust(scaled: Array, offset: Array, degree: int, resolution: float) -> Array:
    weight = np.ones_like(scaled)
    coefficients: Any = np.zeros(degree + 1)
    for _ in range(10):
        coefficients = np.polynomial.polynomial.polyfit(scaled, offset, degree, w=np.sqrt(weight))
        residual = offset - np.polynomial.polynomial.polyval(scaled, coefficients)
        scale = max(1.4826 * float(np.median(np.abs(residual))), 0.02 * resolution)
        weight = 1 / (1 + (residual / (2 * scale)) ** 2)
    return np.asarray(coefficients)


def _mutual(predicted: Array, line: Array, tolerance: float) -> tuple[Index, Index]:
    distance = np.abs(predicted[:, None] - line)
    nearest_line, nearest_peak = distance.argmin(axis=1), distance.argmin(axis=0)
    peak = np.arange(predicted.size)
    kept = (nearest_peak[nearest_line] == peak) & (distance[peak, nearest_line] <= tolerance)
    return peak[kept], nearest_line[kept]
