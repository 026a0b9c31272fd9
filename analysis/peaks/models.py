"""Line shapes that lmfit does not have, as lmfit models: lines whose two sides differ.

Each is two halves of one height that meet at `center`, with the width `sigma` on the left and `sigma_r` on
the right as in lmfit's `SplitLorentzianModel`; `amplitude` is the area. With equal sides each is the
symmetric line of lmfit. Not here: the compiled shapes (`analysis.peaks.profiles`).
References: Toraya, J. Appl. Cryst. 19 (1986) 440, doi:10.1107/S0021889886088982 (split Pearson VII).
"""

import math
from typing import ClassVar

import lmfit
import numpy as np
from scipy.special import gamma

from analysis.peaks.core_line import CoreLevelModel
from analysis.peaks.line_model import Floats, LineModel
from analysis.peaks.powder_line import AxialVoigtModel, ThompsonCoxHastingsModel
from analysis.peaks.scattering import ShirleyModel, TougaardModel, scattered

# lmfit reads the parameters of a model from the positional arguments of its function.
# ruff: noqa: PLR0917

__all__ = [
    "AxialVoigtModel",
    "CoreLevelModel",
    "ShirleyModel",
    "SplitGaussianModel",
    "SplitPearson7Model",
    "SplitPseudoVoigtModel",
    "ThompsonCoxHastingsModel",
    "TougaardModel",
    "scattered",
]

TINY = 1e-15
LEAST_EXPONENT = 0.51
MOST_EXPONENT = 100.0
PEAK_GAUSSIAN = math.sqrt(math.log(2.0) / math.pi)
PEAK_LORENTZIAN = 1.0 / math.pi


def split_gaussian(
    x: Floats, amplitude: float = 1.0, center: float = 0.0, sigma: float = 1.0, sigma_r: float = 1.0
) -> Floats:
    """Compute 2 A exp(-t²/2) / (√(2π) (σ + σ_r)) with t = (x - center) / σ on the left, / σ_r on the right."""
    s, r = max(TINY, sigma), max(TINY, sigma_r)
    t = (x - center) / np.where(x < center, s, r)
    return np.asarray(2.0 * amplitude / (math.sqrt(2.0 * math.pi) * (s + r)) * np.exp(-0.5 * t * t))


def split_pseudo_voigt(
    x: Floats,
    amplitude: float = 1.0,
    center: float = 0.0,
    sigma: float = 1.0,
    sigma_r: float = 1.0,
    fraction: float = 0.5,
    fraction_r: float = 0.5,
) -> Floats:
    """Compute two halves of lmfit's pseudo-Voigt line (half widths σ, σ_r; fractions) of one height."""
    s, r = max(TINY, sigma), max(TINY, sigma_r)
    left, right = (PEAK_GAUSSIAN + f * (PEAK_LORENTZIAN - PEAK_GAUSSIAN) for f in (fraction, fraction_r))
    below = x < center
    t2 = ((x - center) / np.where(below, s, r)) ** 2
    share = np.where(below, fraction, fraction_r)
    line = (1.0 - share) * PEAK_GAUSSIAN * np.exp(-math.log(2.0) * t2) + share * PEAK_LORENTZIAN / (1.0 + t2)
    return np.asarray(2.0 * amplitude / (s / left + r / right) * line / np.where(below, left, right))


def split_pearson7(
    x: Floats,
    amplitude: float = 1.0,
    center: float = 0.0,
    sigma: float = 1.0,
    sigma_r: float = 1.0,
    expon: float = 1.5,
    expon_r: float = 1.5,
) -> Floats:
    """Compute two halves (1 + t²)^(-m) of one height, m = `expon` on the left, `expon_r` on the right."""
    s, r = max(TINY, sigma), max(TINY, sigma_r)
    left, right = (math.sqrt(math.pi) * gamma(m - 0.5) / gamma(m) for m in (expon, expon_r))
    below = x < center
    t = (x - center) / np.where(below, s, r)
    return np.asarray(2.0 * amplitude / (s * left + r * right) * (1.0 + t * t) ** -np.where(below, expon, expon_r))


class _SplitModel(LineModel):
    """What the split lines share: hints as lmfit's own models give them."""

    follows = ("sigma_r", 1.0)
    height: ClassVar[str]
    fwhm: ClassVar[str]

    def _set_paramhints_prefix(self) -> None:
        for name in ("sigma", "sigma_r"):
            self.set_param_hint(name, min=0)
        names = {name: self.prefix + name for name in self._param_root_names}
        self.set_param_hint("fwhm", expr=self.fwhm.format(**names))
        self.set_param_hint("height", expr=self.height.format(**names))


class SplitGaussianModel(_SplitModel):
    """Gaussian line with two widths.

    `amplitude` is the area, `sigma` and `sigma_r` are the standard deviations of the left and right half;
    `fwhm` and `height` are derived.

    Parameters
    ----------
    prefix:
        Put before the names of its parameters.
    independent_vars, nan_policy:
        As in lmfit.
    """

    height = "2*{amplitude}/max(1e-15, sqrt(2*pi)*({sigma}+{sigma_r}))"
    fwhm = "sqrt(2*log(2))*({sigma}+{sigma_r})"

    function = staticmethod(split_gaussian)


class SplitPseudoVoigtModel(_SplitModel):
    """Pseudo-Voigt line with two half widths and two Lorentzian fractions.

    `amplitude` is the area; `fraction_r` equals `fraction` unless it is set free: `params["fraction_r"].set(expr="")`.
    `fwhm` and `height` are derived.

    Parameters
    ----------
    prefix:
        Put before the names of its parameters.
    independent_vars, nan_policy:
        As in lmfit.
    """

    height = (
        "2*{amplitude}/max(1e-15, {sigma}/(sqrt(log(2)/pi)+{fraction}*(1/pi-sqrt(log(2)/pi)))"
        "+{sigma_r}/(sqrt(log(2)/pi)+{fraction_r}*(1/pi-sqrt(log(2)/pi))))"
    )
    fwhm = "{sigma}+{sigma_r}"

    function = staticmethod(split_pseudo_voigt)

    def _set_paramhints_prefix(self) -> None:
        super()._set_paramhints_prefix()
        self.set_param_hint("fraction", value=0.5, min=0.0, max=1.0)
        self.set_param_hint("fraction_r", expr=f"{self.prefix}fraction", min=0.0, max=1.0)


class SplitPearson7Model(_SplitModel):
    """Pearson VII line with two widths and two exponents.

    `amplitude` is the area; `expon_r` equals `expon` unless it is set free: `params["expon_r"].set(expr="")`.
    Exponents lie above 1/2, where the area ends. `fwhm` and `height` are derived.

    Parameters
    ----------
    prefix:
        Put before the names of its parameters.
    independent_vars, nan_policy:
        As in lmfit.
    """

    height = (
        "2*{amplitude}/max(1e-15, sqrt(pi)*({sigma}*gamfcn({expon}-0.5)/gamfcn({expon})"
        "+{sigma_r}*gamfcn({expon_r}-0.5)/gamfcn({expon_r})))"
    )
    fwhm = "{sigma}*sqrt(2**(1/{expon})-1)+{sigma_r}*sqrt(2**(1/{expon_r})-1)"

    function = staticmethod(split_pearson7)

    def _set_paramhints_prefix(self) -> None:
        super()._set_paramhints_prefix()
        self.set_param_hint("expon", value=1.5, min=LEAST_EXPONENT, max=MOST_EXPONENT)
        self.set_param_hint("expon_r", expr=f"{self.prefix}expon", min=LEAST_EXPONENT, max=MOST_EXPONENT)


BUILT_IN: dict[str, type[lmfit.Model]] = {
    kind.__name__: kind
    for kind in (
        CoreLevelModel,
        SplitGaussianModel,
        SplitPseudoVoigtModel,
        SplitPearson7Model,
        ThompsonCoxHastingsModel,
        AxialVoigtModel,
        ShirleyModel,
        TougaardModel,
    )
}


def class_of(name: str) -> type[lmfit.Model] | None:
    """Find a model class by name, among lmfit's and these.

    Parameters
    ----------
    name:
        Of the class.

    Returns
    -------
    :
        The class, or None.
    """
    found = BUILT_IN.get(name) or getattr(lmfit.models, name, None)
    return found if isinstance(found, type) and issubclass(found, lmfit.Model) else None
