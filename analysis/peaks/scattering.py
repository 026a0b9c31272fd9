"""Backgrounds that lines make themselves: electrons that lost energy on their way out, as lmfit models.

`scattered(lines, ShirleyModel())` is a model like any other: its background follows the lines in every step of a fit.
The background of Shirley is `scale` times the lines summed up from the side of the largest kinetic energy. That of
Tougaard is the loss K(T) = b T / ((c - T²)² + d T²) of all that is emitted, scattered electrons included: the
sum j = lines + K * j is solved exactly on the grid. With d = 4 c this is his universal cross section b T / (c + T²)².

Not here: derivatives (`analysis.peaks.layered`), static backgrounds (`analysis.xps`).
References: Shirley, Phys. Rev. B 5 (1972) 4709, doi:10.1103/PhysRevB.5.4709; Tougaard, Surf. Interface Anal. 11 (1988)
453, doi:10.1002/sia.740110902; Tougaard, ibid. 25 (1997) 137; Herrera-Gomez et al., ibid. 46 (2014) 897,
doi:10.1002/sia.5453 (active backgrounds).
"""

from collections.abc import Callable, Sequence
from typing import Any

import lmfit
import numpy as np
from scipy.signal import lfilter

from analysis.core import ModelError, did_you_mean

__all__ = ["ShirleyModel", "TougaardModel", "kernel_of", "scattered", "separate", "unscattered"]

Numbers = np.ndarray[Any, np.dtype[Any]]
SCALES = ("binding", "kinetic")
UNEVEN = 1e-3  # of a step
B_UNIVERSAL, C_UNIVERSAL = 2866.0, 1643.0  # eV²; Surf. Interface Anal. 11 (1988) 453


def _depth(x: Numbers, form: str) -> Numbers:
    """Return how far each point lies from the end of the largest kinetic energy; that end is exactly 0."""
    axis = np.asarray(x, dtype=float)
    steps = np.diff(axis)
    if not (np.all(steps > 0.0) or np.all(steps < 0.0)):
        msg = "a background of scattered electrons needs an axis that rises or falls; sort the spectrum along it first"
        raise ModelError(msg)
    return axis - axis.min() if form == "binding" else axis.max() - axis


def shirley(x: Numbers, scale: float = 0.02, form: str = "binding") -> Numbers:
    """Return the measure against which lines are summed up."""
    return np.asarray(scale * _depth(x, form))


def kernel_of(x: Numbers, b: float, c: float, d: float, form: str) -> Numbers:
    """Compute the loss per step of the axis.

    Parameters
    ----------
    x:
        Axis with even steps.
    b, c, d:
        Of the cross section, in squares of its units.
    form:
        What the axis is, `"binding"` or `"kinetic"` energy.

    Returns
    -------
    :
        K(T) times the step, by the loss T of each point from the end of the largest kinetic energy.

    Raises
    ------
    ModelError
        If the steps differ.
    """
    loss = _depth(x, form)
    steps = np.abs(np.diff(x))
    step = float(steps.mean())
    if np.abs(steps - step).max() > UNEVEN * step:
        msg = (
            f"Tougaard's background needs an axis with even steps; got steps from {steps.min():.6g} to "
            f"{steps.max():.6g}. Interpolate onto even steps, or take ShirleyModel"
        )
        raise ModelError(msg)
    return np.asarray(step * b * loss / ((c - loss**2) ** 2 + d * loss**2))


def tougaard(
    x: Numbers, b: float = B_UNIVERSAL, c: float = C_UNIVERSAL, d: float = 4.0 * C_UNIVERSAL, form: str = "binding"
) -> Numbers:
    """Return the loss per step of the axis."""
    return kernel_of(x, b, c, d, form)


def shirley_only(lines: Numbers, measure: Numbers) -> Numbers:
    """Sum lines up by trapezia, from the end where the measure is 0."""
    pieces = 0.5 * (lines[..., 1:] + lines[..., :-1]) * np.diff(measure, axis=-1)
    total = np.concatenate([np.zeros_like(pieces[..., :1]), np.cumsum(pieces, axis=-1)], axis=-1)
    begins_last = measure[..., -1:] == 0.0
    return np.asarray(total - np.where(begins_last, total[..., -1:], 0.0))


def shirley_under(lines: Numbers, measure: Numbers) -> Numbers:
    """Add the background of Shirley to lines."""
    return np.asarray(lines + shirley_only(lines, measure))


def tougaard_under(lines: Numbers, kernel: Numbers) -> Numbers:
    """Solve j = lines + kernel * j from the end where the loss is 0."""
    shape = np.broadcast_shapes(lines.shape, kernel.shape)
    rows = np.broadcast_to(lines, shape).reshape(-1, shape[-1])
    kernels = kernel.reshape(-1, shape[-1])
    if len(kernels) == 1:
        return _filtered(rows, kernels[0]).reshape(shape)
    kernels = np.broadcast_to(kernel, shape).reshape(-1, shape[-1])
    return np.stack([_filtered(row, own) for row, own in zip(rows, kernels, strict=True)]).reshape(shape)


def _filtered(rows: Numbers, kernel: Numbers) -> Numbers:
    turn = slice(None, None, -1) if kernel[-1] == 0.0 else slice(None)
    taps = -kernel[turn]
    taps[0] = 1.0
    return np.asarray(lfilter(np.ones(1), taps, rows[..., turn], axis=-1)[..., turn])


def tougaard_only(lines: Numbers, kernel: Numbers) -> Numbers:
    """Compute the background of Tougaard under lines."""
    return np.asarray(tougaard_under(lines, kernel) - lines)


class _Scattering(lmfit.Model):  # type: ignore[misc]
    """What the backgrounds share: they stand on the right of `scattered`."""

    function: Callable[..., Numbers]

    def __init__(
        self,
        *,
        independent_vars: Sequence[str] = ("x",),
        prefix: str = "",
        nan_policy: str = "raise",
        form: str = "binding",
    ) -> None:
        if form not in SCALES:
            msg = f"form must be one of {list(SCALES)}, got {form!r}.{did_you_mean(str(form), SCALES)}"
            raise ModelError(msg)
        super().__init__(
            self.function, prefix=prefix, independent_vars=list(independent_vars), nan_policy=nan_policy, form=form
        )
        self._set_paramhints_prefix()


class ShirleyModel(_Scattering):
    """Background of Shirley, for `scattered`: `scale` is its rise by one unit of the axis and of the lines' area.

    Parameters
    ----------
    prefix:
        Put before the names of its parameters.
    form:
        What the axis is: `"binding"` or `"kinetic"` energy.
    independent_vars, nan_policy:
        As in lmfit.
    """

    function = staticmethod(shirley)

    def _set_paramhints_prefix(self) -> None:
        self.set_param_hint("scale", value=0.02, min=0.0)


class TougaardModel(_Scattering):
    """Background of Tougaard, for `scattered`, on an axis with even steps in eV.

    `b` scales it; `c` is fixed at 1643 eV² and `d` tied to 4 c, his universal cross section, until they are set.

    Parameters
    ----------
    prefix:
        Put before the names of its parameters.
    form:
        What the axis is: `"binding"` or `"kinetic"` energy.
    independent_vars, nan_policy:
        As in lmfit.
    """

    function = staticmethod(tougaard)

    def _set_paramhints_prefix(self) -> None:
        self.set_param_hint("b", value=B_UNIVERSAL, min=0.0)
        self.set_param_hint("c", value=C_UNIVERSAL, min=0.0, vary=False)
        self.set_param_hint("d", expr=f"4*{self.prefix}c")


UNDER: dict[type[lmfit.Model], Callable[[Numbers, Numbers], Numbers]] = {
    ShirleyModel: shirley_under,
    TougaardModel: tougaard_under,
}
ONLY: dict[Callable[[Numbers, Numbers], Numbers], Callable[[Numbers, Numbers], Numbers]] = {
    shirley_under: shirley_only,
    tougaard_under: tougaard_only,
}


def scattered(lines: lmfit.Model, background: lmfit.Model) -> lmfit.Model:
    """Put lines on the background that they make themselves.

    Parameters
    ----------
    lines:
        Lines that fall to zero at the end of the largest kinetic energy; no constant or other background.
    background:
        `ShirleyModel` or `TougaardModel`.

    Returns
    -------
    :
        The model; add a constant or a line for electrons of other origin.

    Raises
    ------
    ModelError
        If the background is no such model.
    """
    if type(background) not in UNDER:
        msg = (
            f"scattered takes a background of {[kind.__name__ for kind in UNDER]}, got {type(background).__name__}; "
            "add other backgrounds with +"
        )
        raise ModelError(msg)
    return lmfit.model.CompositeModel(lines, background, UNDER[type(background)])


def separate(model: lmfit.Model) -> list[lmfit.Model]:
    """List the terms of a model, a background of scattered electrons as a term by itself.

    Parameters
    ----------
    model:
        Any lmfit model.

    Returns
    -------
    :
        Models in the order of `model.components`, which add up to it where it is a sum.
    """
    if not isinstance(model, lmfit.model.CompositeModel):
        return [model]
    if model.op in ONLY:
        return [*separate(model.left), lmfit.model.CompositeModel(model.left, model.right, ONLY[model.op])]
    return [*separate(model.left), *separate(model.right)]


def unscattered(model: lmfit.Model) -> lmfit.Model:
    """Leave the backgrounds of scattered electrons out of a model.

    Parameters
    ----------
    model:
        Any lmfit model.

    Returns
    -------
    :
        The rest; the model itself if it has none.
    """
    if not isinstance(model, lmfit.model.CompositeModel):
        return model
    if model.op in ONLY:
        return unscattered(model.left)
    return lmfit.model.CompositeModel(unscattered(model.left), unscattered(model.right), model.op)
