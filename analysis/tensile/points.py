"""Points of a tensile curve: offset yield, upper and lower yield, greatest force, fracture.

Not here: stresses and budgets (`analysis.tensile.evaluation`). Definitions after ISO 6892-1:2019, clause 3 and annex A,
as general knowledge of the field; the text of the standard was not seen.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analysis.core import SpectrumError
from analysis.tensile.line import Line, scatter
from analysis.uncertainty import Quantity, distributions

Floats = npt.NDArray[np.float64]
_SIDE, _DROP, _AFTER = 1e-4, 0.005, 5e-4
_BROKEN, _STEP, _FLAT = 0.1, 0.1, (0.995, 0.9975)
_FEW = 7
_ROOT = 0.1
_TO_ZERO = math.sqrt(0.5) / (1 - math.sqrt(0.5))  # widths of the two windows go as 1 to sqrt(1/2)


@dataclass(frozen=True, kw_only=True)
class Point:
    """One point of the curve."""

    force: Quantity
    """N, as indicated."""
    extension: Quantity
    """mm, as indicated."""
    row: int
    """Next to it."""


def offset_point(
    force: Floats, extension: Floats, line: Line, offset: float, *, length: Quantity, gain: Quantity
) -> Point:
    """Return where the curve meets the line moved by a plastic extension.

    Parameters
    ----------
    force, extension:
        N, mm.
    line:
        The straight part.
    offset:
        Plastic extension over the gauge length.
    length:
        Gauge length, mm.
    gain:
        Of extension.

    Returns
    -------
    :
        The point; it carries noise, the line, gauge length and extension through the offset.

    Raises
    ------
    SpectrumError
        If they do not meet.
    """
    shift = offset * length.value
    above = force - line.at(extension, shift)
    start = line.rows[1]
    below = np.convolve(above, np.ones(5) / 5, mode="same") < 0
    found = np.flatnonzero(below[start : above.size - 2])
    if not found.size:
        msg = f"the curve does not reach the line at {100 * offset:g} % plastic extension; the specimen broke before"
        raise SpectrumError(msg)
    row = start + int(found[0])
    near = np.flatnonzero(np.abs(extension - extension[row]) <= _SIDE * length.value)
    if near.size < _FEW:
        near = np.arange(max(0, row - 3), min(force.size, row + 4))
    h, a, x0, u = _local(force, extension, near)
    m = line.slope.value
    if m - h <= 0:
        msg = "the curve runs beside its elastic line where the offset yield would be; check gauge length and window"
        raise SpectrumError(msg)
    x = x0 + (a - line.at(np.array([x0]), shift)[0]) / (m - h)
    noise = Quantity(value=0.0, u=u, units="N", dof=max(near.size - 2, 1), label="noise at the offset yield")
    moved = [(noise, 1 / (m - h)), (line.centre, -1 / (m - h)), (line.slope, -(x - shift - line.middle) / (m - h)),
             (length, m * offset / (m - h)), (gain, -m * shift / (m - h))]  # fmt: skip
    place = _shifted(float(x), moved, "mm")
    level = _shifted(float(a + h * (x - x0)), [(each, h * c) for each, c in moved] + [(noise, 1.0)], "N")
    return Point(force=level, extension=place, row=row)


def greatest(force: Floats, extension: Floats) -> Point:
    """Return the greatest force and its extension, from parabolas around it.

    Parameters
    ----------
    force, extension:
        N, mm.

    Returns
    -------
    :
        The point; where the curve breaks off at its greatest force, that row.
    """
    top = int(force.argmax())
    found = [_vertex(force, extension, top, part) for part in _FLAT]
    if found[0] is None:
        noise, step = scatter(force[max(0, top - 20) : top + 1]), abs(float(extension[top] - extension[top - 1]))
        return Point(
            force=Quantity(value=float(force[top]), u=noise, units="N", label="noise at the greatest force"),
            extension=_boxed(float(extension[top]), step, "mm", "step between rows"),
            row=top,
        )
    x, y, ux, uy = found[0]
    nearer = found[1] or (x + _ROOT * float(np.ptp(extension[force >= _FLAT[0] * force[top]])), y, ux, uy)
    lean = (nearer[0] - x) * _TO_ZERO
    place = Quantity(
        value=nearer[0] + (lean if found[1] else x - nearer[0]),
        u=math.hypot((1 + _TO_ZERO) * nearer[2], _TO_ZERO * ux),
        units="mm",
        label="extension at the greatest force, noise",
    )
    level = Quantity(value=y, u=uy, units="N", label="greatest force, noise")
    return Point(
        force=level + _boxed(0.0, abs(nearer[1] - y), "N", "curve around the greatest force"),
        extension=place + _boxed(0.0, abs(lean), "mm", "curve around the greatest force"),
        row=top,
    )


def yield_points(
    force: Floats, extension: Floats, line: Line, before: int, *, length: float
) -> tuple[Point, Point] | None:
    """Return upper and lower yield, where the force falls by 0.5 % before it rises again.

    Parameters
    ----------
    force, extension:
        N, mm.
    line:
        The straight part.
    before:
        Row of the offset yield, where plastic extension is 0.2 %.
    length:
        Gauge length, mm.

    Returns
    -------
    :
        Both, or None for a curve that yields smoothly.
    """
    noise = scatter(force[line.rows[0] : line.rows[1]])
    upper = int(force[: before + 1].argmax())
    stop = int(np.searchsorted(np.maximum.accumulate(extension), extension[upper] + _AFTER * length))
    after = force[upper : max(stop, before) + 1]
    drop = _DROP * force[upper] + 6 * noise
    if upper <= line.rows[1] or after.size < 3 or force[upper] - after.min() < drop:  # noqa: PLR2004
        return None
    again = np.flatnonzero(force[upper + 1 :] > force[upper])
    end = upper + 1 + int(again[0]) if again.size else force.size
    first = min(stop, end - 1)
    region = force[first:end]
    count = max(1, min(9, region.size // 10))
    smooth = np.convolve(region, np.ones(count) / count, mode="valid")
    limit = np.flatnonzero(extension[first : first + smooth.size] <= extension[upper] + 0.05 * length)
    lower = int(smooth[: limit[-1] + 1 if limit.size else None].argmin())
    row = first + lower + count // 2
    return (
        Point(
            force=Quantity(value=float(force[upper]), u=noise, units="N", label="noise at the upper yield"),
            extension=Quantity(value=float(extension[upper]), u=0.0, units="mm"),
            row=upper,
        ),
        Point(
            force=Quantity(value=float(smooth[lower]), u=noise, units="N", label="noise at the lower yield"),
            extension=Quantity(value=float(extension[row]), u=0.0, units="mm"),
            row=row,
        ),
    )


def fracture(force: Floats, extension: Floats, top: int) -> tuple[Point, str] | None:
    """Return the last point before fracture.

    Parameters
    ----------
    force, extension:
        N, mm.
    top:
        Row of the greatest force.

    Returns
    -------
    :
        The point and how it was found; None where no fracture was recorded.
    """
    falls = -np.diff(force[top:])
    fell = np.flatnonzero(falls > _STEP * force[top])
    low = np.flatnonzero(force[top:] < _BROKEN * force[top])
    if fell.size:
        row, how = top + int(fell[0]), "the row before the force fell by more than 10 % of F_m in one step"
    elif low.size:
        row, how = top + int(low[0]), "no sudden fall was recorded, so where the force is below 10 % of F_m"
    else:
        return None
    step = abs(float(extension[row] - extension[row - 1])) if row else 0.0
    level = _boxed(float(force[row]), float(abs(force[row] - force[row - 1])), "N", "force before fracture")
    return Point(force=level, extension=_boxed(float(extension[row]), step, "mm", "step at fracture"), row=row), how


def _local(force: Floats, extension: Floats, near: npt.NDArray[np.intp]) -> tuple[float, float, float, float]:
    """Return tangent, force, its place and u of a straight line through a few rows."""
    x, y = extension[near], force[near]
    middle = float(x.mean())
    dx = x - middle
    wide = float(dx @ dx)
    tangent = float(dx @ y) / wide if wide > 0 else 0.0
    rest = y - y.mean() - tangent * dx
    sd = math.sqrt(float(rest @ rest) / max(near.size - 2, 1))
    return tangent, float(y.mean()), middle, sd / math.sqrt(near.size)


def _vertex(force: Floats, extension: Floats, top: int, part: float) -> tuple[float, float, float, float] | None:
    low = np.flatnonzero(force < part * force[top])
    first = int(low[low < top][-1]) + 1 if (low < top).any() else 0
    last = int(low[low > top][0]) if (low > top).any() else force.size
    x, y = extension[first:last], force[first:last]
    span = float(np.ptp(x))
    if x.size < _FEW or span == 0 or last - top < 3:  # noqa: PLR2004 - it breaks at its top
        return None
    middle = float(x.mean())
    design = np.vander((x - middle) / span, 3, increasing=True)
    (c, b, a), *_ = np.linalg.lstsq(design, y, rcond=None)
    place = -b / (2 * a) if a < 0 else math.inf
    if not abs(place) <= 0.5:  # noqa: PLR2004 - inside the rows
        return None
    rest = y - design @ np.array([c, b, a])
    covariance = np.linalg.inv(design.T @ design) * float(rest @ rest) / (x.size - 3)
    to_place, to_level = np.array([0.0, -1 / (2 * a), b / (2 * a * a)]), np.array([1.0, place, place**2])
    ux, uy = (math.sqrt(float(each @ covariance @ each)) for each in (to_place, to_level))
    return middle + place * span, float(c + 0.5 * b * place), ux * span, uy


def _shifted(value: float, moved: Sequence[tuple[Quantity, float]], unit: str) -> Quantity:
    total: dict[object, float] = {}
    for each, sensitivity in moved:
        for source, c in each.parts().items():
            total[source] = total.get(source, 0.0) + sensitivity * c
    return Quantity.from_components(value, total, units=unit)  # type: ignore[arg-type]


def _boxed(value: float, half_width: float, unit: str, label: str) -> Quantity:
    box = distributions.rectangular()
    u = distributions.u_from_half_width(half_width, box)
    return Quantity(value=value, u=u, units=unit, distribution=box, label=label)
