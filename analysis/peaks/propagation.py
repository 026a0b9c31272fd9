"""Sources of the axis and the signal carried to the fitted parameters, by the implicit function theorem.

At the optimum the gradient g of ½χ² vanishes, so along a mode of change m of axis or signal
H dθ/dm = -∂g/∂m with the full Hessian H (residual terms included: measured peaks misfit the model).

Not here: the gradient itself (`analysis.peaks.solve`), Quantity (`analysis.peaks.quantity`).
References: JCGM 102:2011, 6.3 (implicit models); Krantz & Parks, The Implicit Function Theorem (2013).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis.peaks.status import Status

__all__ = ["Modes", "along", "factor", "sensitivities"]

Floats = np.ndarray[Any, np.dtype[np.float64]]
Gradient = Callable[[Floats, Floats, Floats], Floats]
RANK = 1e-12
STEP = 1e-5
AXIS_STEP = 1e-3


@dataclass(frozen=True, kw_only=True)
class Modes:
    """Independent directions in which axis and signal can move together.

    `axis` and `signal` have dims `(mode, channel)`; `sources` `(source, mode)` holds how far each source
    moves along each mode. The last `own` modes move the signal of each spectrum in its own way and have no rows here.
    """

    axis: Floats
    signal: Floats
    sources: Floats
    own: int = 0

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.axis) + self.own


def factor(axis: Floats, signal: Floats, spacing: float, scale: float) -> Modes:
    """Factor contributions into as few modes as they have rank.

    Parameters
    ----------
    axis, signal:
        Contributions to both, dims `(source, channel)`, in their units; zero where a source has none.
    spacing:
        Typical step of the axis, > 0, in its units.
    scale:
        Typical size of the signal, > 0, in its units.

    Returns
    -------
    :
        Modes such that `sources @ axis` and `sources @ signal` give the contributions back.
    """
    channels = axis.shape[1]
    stacked = np.hstack([axis / spacing, signal / scale])
    left, size, right = np.linalg.svd(stacked, full_matrices=False)
    rank = int(np.count_nonzero(size > RANK * size[0])) if size.size and size[0] > 0.0 else 0
    right = right[:rank]
    return Modes(
        axis=right[:, :channels] * spacing,
        signal=right[:, channels:] * scale,
        sources=left[:, :rank] * size[:rank],
    )


def sensitivities(
    gradient: Gradient,
    u: Floats,
    *,
    normal: Floats,
    held: np.ndarray[Any, Any],
    status: np.ndarray[Any, Any],
    axis: Floats,
    data: Floats,
    weights: Floats,
    modes: Modes,
    own: Floats | None = None,
) -> Floats:
    """Compute the derivative of the free parameters along each mode, for every spectrum.

    Parameters
    ----------
    gradient:
        Gradient of ½χ² from free parameters `(spectrum, free)`, axis `(channel,)` and data
        `(spectrum, channel)`.
    u:
        Fitted free parameters.
    normal:
        JᵀJ there, dims `(spectrum, free, free)`; sets the steps.
    held:
        1 where a parameter stays at its bound.
    status:
        Of each fit; NaN comes out unless CONVERGED.
    axis, data, weights:
        What was fitted.
    modes:
        From `factor`.
    own:
        The signals of the modes that each spectrum has for itself, dims `(spectrum, mode, channel)`.

    Returns
    -------
    :
        Dims `(spectrum, free, mode)`; NaN in rows of held parameters.
    """
    count, free = u.shape
    out = np.full((count, free, modes.count), np.nan)
    good = status == Status.CONVERGED
    if not good.any() or not modes.count:
        return out
    hessian = _hessian(gradient, u, normal=normal, axis=axis, data=data, weights=weights)
    moves = list(zip(modes.axis, modes.signal, strict=True))
    if own is not None:
        moves += [(np.zeros(axis.shape[-1]), own[:, k]) for k in range(modes.own)]
    mixed = np.stack([along(gradient, u, axis, data, along_axis=a, along_data=d) for a, d in moves], axis=2)
    stay = held == 1
    hessian = np.where(stay[:, :, None] | stay[:, None, :], 0.0, hessian)
    hessian[:, np.arange(free), np.arange(free)] += stay
    size = np.sqrt(np.where(stay, 1.0, np.diagonal(normal, axis1=1, axis2=2)))
    size = np.where(size > 0.0, size, 1.0)
    scaled = hessian / (size[:, :, None] * size[:, None, :])
    right = np.where(stay[:, :, None], 0.0, mixed) / size[:, :, None]
    out[good] = -np.linalg.solve(scaled[good], right[good]) / size[good][:, :, None]
    out[stay] = np.nan
    return out


def _hessian(gradient: Gradient, u: Floats, *, normal: Floats, axis: Floats, data: Floats, weights: Floats) -> Floats:
    """Differentiate the gradient by central differences; steps change the model by 1e-5 of the signal."""
    count, free = u.shape
    norm = np.sqrt(((data * weights) ** 2).sum(axis=1))
    out = np.empty((count, free, free))
    for j in range(free):
        size = np.sqrt(np.where(normal[:, j, j] > 0.0, normal[:, j, j], 1.0))
        up, down = u.copy(), u.copy()
        up[:, j] += STEP * norm / size
        down[:, j] -= STEP * norm / size
        width = (up[:, j] - down[:, j])[:, None]
        out[:, :, j] = (gradient(up, axis, data) - gradient(down, axis, data)) / np.where(width > 0.0, width, 1.0)
    return 0.5 * (out + out.transpose(0, 2, 1))


def along(
    gradient: Gradient, u: Floats, axis: Floats, data: Floats, *, along_axis: Floats, along_data: Floats
) -> Floats:
    """Differentiate the gradient along one mode of axis and data.

    Parameters
    ----------
    gradient, u, axis, data:
        As in `sensitivities`.
    along_axis, along_data:
        The mode, dims `(channel,)`; that of the data may be `(spectrum, channel)`.

    Returns
    -------
    :
        Dims `(spectrum, free)`.
    """
    spacing = abs(axis[-1] - axis[0]) / max(axis.size - 1, 1)
    largest = np.abs(along_axis).max()
    step = AXIS_STEP * spacing / largest if largest > 0.0 else 1.0
    if largest == 0.0:
        size = np.abs(along_data).max()
        step = np.abs(data).max() / size if size > 0.0 else 1.0
    up = gradient(u, axis + step * along_axis, data + step * along_data)
    down = gradient(u, axis - step * along_axis, data - step * along_data)
    return (up - down) / (2.0 * step)
