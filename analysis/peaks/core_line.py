"""The line of a core level as an lmfit model: Doniach-Šunjić, convolved with the Gaussian response of an instrument.

Not here: the compiled line with its derivatives, the formulas and their sources (`analysis.peaks.core_level`).
"""

import math
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from analysis.peaks.line_model import Floats, LineModel

# lmfit reads the parameters of a model from the positional arguments of its function.
# ruff: noqa: PLR0917

__all__ = ["CoreLevelModel", "core_level"]

SHIFT = 2.5
NODES = 0.4 * np.arange(-20, 21)
WEIGHTS = 0.4 / math.sqrt(2.0 * math.pi) * np.exp(0.5 * (SHIFT**2 - NODES**2))
TINY = 1e-15


def core_level(
    x: Floats,
    amplitude: float = 1.0,
    center: float = 0.0,
    sigma: float = 1.0,
    gamma: float = 0.0,
    asymmetry: float = 0.0,
) -> Floats:
    """Compute the line; its tail is on the side of larger x if `asymmetry` is positive."""
    side = np.where(np.real(asymmetry) >= 0.0, 1.0, -1.0)
    alpha = side * asymmetry
    power = 1.0 - alpha
    s = np.where(np.real(sigma) > TINY, sigma, TINY)
    u = gamma / s + SHIFT
    t = side * (center - x) / s
    line: Any = 0.0
    for node, weight in zip(NODES, WEIGHTS, strict=True):
        v = t + node
        phase = 0.5 * math.pi * alpha + power * np.arctan(v / u) - SHIFT * node
        line = line + weight * np.exp(-0.5 * power * np.log(u * u + v * v)) * np.cos(phase)
    return np.asarray(amplitude / math.pi * np.exp(-power * np.log(s)) * line)


class CoreLevelModel(LineModel):
    """Line of a core level: Doniach-Šunjić, convolved with a Gaussian.

    `sigma` is the standard deviation of the Gaussian (the instrument, phonons, disorder), `gamma` the half width of the
    Lorentzian (life time) and `asymmetry` the index α of the metal, 0 for insulators: the line then is Voigt's, with
    `amplitude` its area. A positive index has its tail on the side of larger x, as on an axis of binding energy; a
    negative one on the other, as on an axis of kinetic energy. An asymmetric line has no area: it is integrated over a
    window.

    Parameters
    ----------
    prefix:
        Put before the names of its parameters.
    independent_vars, nan_policy:
        As in lmfit.
    """

    function: ClassVar[Callable[..., Floats]] = staticmethod(core_level)
    follows = ("gamma", 0.5)

    def _set_paramhints_prefix(self) -> None:
        for name in ("sigma", "gamma"):
            self.set_param_hint(name, min=0.0)
        self.set_param_hint("asymmetry", value=0.0, min=-0.5, max=0.5)
