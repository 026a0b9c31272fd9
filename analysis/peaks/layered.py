"""Models with a background of scattered electrons: value and analytic derivatives.

The background is linear in the lines, so that the derivative of a line passes through it as the line itself does;
lines come from the compiled kernel. Not here: the backgrounds (`analysis.peaks.scattering`), the minimiser.
"""

import operator
from collections.abc import Mapping, Sequence
from typing import Any

import lmfit
import numpy as np

from analysis.core import ModelError
from analysis.peaks import kernel_cache, kinds
from analysis.peaks.scattering import ONLY, UNDER
from analysis.peaks.terms import leaf

__all__ = ["derivatives", "is_layered", "values"]

Floats = np.ndarray[Any, np.dtype[np.float64]]
Slopes = dict[str, Floats]
TINY = 1e-20
_SIGNS = {operator.add: 1.0, operator.sub: -1.0}


def is_layered(model: lmfit.Model) -> bool:
    """Say whether a model is a sum of known components, of which some stand on scattered electrons.

    Parameters
    ----------
    model:
        Any lmfit model.

    Returns
    -------
    :
        False also if there is no such background.
    """
    return _is_known(model) and any(type(part) in UNDER for part in model.components)


def _is_known(model: lmfit.Model) -> bool:
    if isinstance(model, lmfit.model.CompositeModel):
        if model.op in ONLY:
            return type(model.right) in UNDER and _is_known(model.left)
        return model.op in _SIGNS and _is_known(model.left) and _is_known(model.right)
    try:
        leaf(model)
    except ModelError:
        return False
    return True


def values(model: lmfit.Model, axis: Floats, columns: Mapping[str, Floats]) -> Floats:
    """Evaluate a model for many parameter sets.

    Parameters
    ----------
    model:
        For which `is_layered`.
    axis:
        Dims `(channel,)`.
    columns:
        Parameters by name, dims `(spectrum,)`.

    Returns
    -------
    :
        Dims `(spectrum, channel)`.
    """
    return np.stack([_term(model, axis, row)[0] for row in _rows(columns)])


def derivatives(model: lmfit.Model, axis: Floats, columns: Mapping[str, Floats], names: Sequence[str]) -> Floats:
    """Differentiate a model to its parameters, for many parameter sets.

    Parameters
    ----------
    model, axis, columns:
        As in `values`.
    names:
        Parameters to differentiate to.

    Returns
    -------
    :
        Dims `(spectrum, channel, name)`.
    """
    found = [_term(model, axis, row)[1] for row in _rows(columns)]
    return np.stack([np.stack([slopes[name] for name in names], axis=-1) for slopes in found])


def _rows(columns: Mapping[str, Floats]) -> list[dict[str, float]]:
    names = list(columns)
    return [dict(zip(names, map(float, row), strict=True)) for row in np.column_stack(list(columns.values()))]


def _term(model: lmfit.Model, axis: Floats, row: Mapping[str, float]) -> tuple[Floats, Slopes]:
    if not isinstance(model, lmfit.model.CompositeModel):
        return _leaf(model, axis, row)
    left, along = _term(model.left, axis, row)
    if model.op in _SIGNS:
        sign = _SIGNS[model.op]
        right, across = _term(model.right, axis, row)
        return left + sign * right, along | {name: sign * slope for name, slope in across.items()}
    return _scattered(model, left, along, axis, row)


def _scattered(
    model: lmfit.Model, lines: Floats, along: Slopes, axis: Floats, row: Mapping[str, float]
) -> tuple[Floats, Slopes]:
    def measure(**moved: complex) -> Any:  # noqa: ANN401 - real or complex
        own = {root: row[model.right.prefix + root] for root in model.right._param_root_names}  # noqa: SLF001
        return model.right.func(axis, **(own | moved), **model.right.opts)

    still = measure()
    passed = model.op(np.stack([lines, *along.values()]), still)
    slopes: Slopes = dict(zip(along, passed[1:], strict=True))
    for root in model.right._param_root_names:  # noqa: SLF001
        name = model.right.prefix + root
        step = TINY * (abs(row[name]) or 1.0)
        slopes[name] = model.op(lines, measure(**{root: row[name] + 1j * step})).imag / step
    return passed[0], slopes


def _leaf(model: lmfit.Model, axis: Floats, row: Mapping[str, float]) -> tuple[Floats, Slopes]:
    kind, roots = leaf(model)
    names = [model.prefix + root for root in roots]
    own = np.array([row[name] for name in names])
    if kind == kinds.POLYNOMIAL:
        slopes = axis ** np.arange(own.size)[:, None]
        return own @ slopes, dict(zip(names, slopes, strict=True))
    value, slopes = kernel_cache.load("batched").component(kind, own, axis)
    return value, dict(zip(names, slopes, strict=True))
