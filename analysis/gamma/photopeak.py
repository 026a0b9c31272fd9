"""The full-energy peak of a germanium detector and its fit to counts.

Not here: the search (`analysis.gamma.search`).
Reference: Phillips and Marlow, Nucl. Instrum. Methods 137 (1976) 525, doi:10.1016/0029-554X(76)90472-9.
"""

import math
from typing import Any

import lmfit
import numpy as np
import xarray as xr
from scipy.special import erfc, erfcx

from analysis import peaks
from analysis.core import CHANNEL, SpectrumError
from analysis.gamma.counting import require_counts
from analysis.uncertainty import Quantity

__all__ = ["fit_peak", "photopeak", "read_peak"]

Floats = np.ndarray[Any, np.dtype[np.float64]]
TO_SIGMA = 1.0 / math.sqrt(8.0 * math.log(2.0))
LEAST_CHANNELS = 9
WHOLE = math.sqrt(2.0 * math.pi)


def photopeak(  # noqa: PLR0917
    x: Floats, amplitude: float, center: float, sigma: float, tail: float, beta: float, step: float
) -> Floats:
    """Compute a Gaussian line with an exponential tail to low energies and a step.

    Parameters
    ----------
    x:
        Channels or energies.
    amplitude:
        Area of line and tail.
    center, sigma:
        Of the Gaussian, in units of x.
    tail:
        Share of the tail in the area.
    beta:
        Length of the tail, > 0, in units of x.
    step:
        Height of the step below the line, over the height of the Gaussian.

    Returns
    -------
    :
        The curve.
    """
    z = (x - center) / sigma
    gauss = np.exp(-0.5 * z * z)
    lean = (z + sigma / beta) / math.sqrt(2.0)
    # exp(z σ/β + σ²/2β²) erfc(lean), written without overflow on either side
    far = np.where(
        lean > 0.0, gauss * erfcx(np.maximum(lean, 0.0)),
        np.exp(np.minimum(z * sigma / beta + 0.5 * (sigma / beta) ** 2, 0.0)) * erfc(np.minimum(lean, 0.0)),
    )  # fmt: skip
    height = amplitude / (sigma * WHOLE)
    line = (1.0 - tail) * height * gauss + tail * amplitude / (2.0 * beta) * far
    return np.asarray(line + 0.5 * step * height * erfc(z / math.sqrt(2.0)))


def fit_peak(
    spectrum: xr.Dataset | xr.DataArray,
    at: float,
    fwhm: float,
    *,
    axis: str = "pixel",
    half_width: float = 4.0,
    tail: bool = False,
    step: bool = True,
) -> xr.Dataset:
    """Fit one peak on a straight line by the likelihood of Poisson counts.

    Parameters
    ----------
    spectrum:
        One spectrum of raw counts.
    at, fwhm:
        Where the peak is and how wide, in units of the axis.
    axis:
        `"pixel"` or `"energy"`.
    half_width:
        Of the window, in FWHM.
    tail, step:
        Whether the line has a tail, which needs some 10^5 counts, and a step, which is never negative.

    Returns
    -------
    :
        As `peaks.fit` returns it, with the parameters of `photopeak` and `c0`, `c1` of the straight line at `at`.

    Raises
    ------
    SpectrumError
        If the spectrum cannot be used, or the window is empty or too narrow.
    """
    x, y = require_counts(spectrum, axis)
    inside = np.abs(x - at) <= half_width * fwhm
    if fwhm <= 0.0 or inside.sum() < LEAST_CHANNELS or not y[inside].any():
        msg = (
            f"the window {at:g} ± {half_width * fwhm:g} of {axis!r} has {int(inside.sum())} channels and "
            f"{y[inside].sum():g} counts; wanted {LEAST_CHANNELS} channels or more, with counts. Check `at` and `fwhm`"
        )
        raise SpectrumError(msg)
    whole = spectrum if isinstance(spectrum, xr.Dataset) else spectrum.to_dataset(name="signal")
    window = whole.isel({CHANNEL: np.flatnonzero(inside)})
    model, params = _model(x[inside], y[inside], at, fwhm)
    params["tail"].set(value=0.05 if tail else 0.0, vary=tail)
    params["beta"].set(vary=tail)
    if step:
        params["step"].set(value=0.005, vary=True)
    return _least_step(window, model, params, axis)


def _least_step(window: xr.Dataset, model: lmfit.Model, params: lmfit.Parameters, axis: str) -> xr.Dataset:
    """Fit; a step that the data push to its bound 0 is left out."""
    fit = peaks.fit(window, model, params, axis=axis, loss="poisson")
    if not params["step"].vary or np.isfinite(float(fit["stderr"].sel(parameter="step"))):
        return fit
    params["step"].set(value=0.0, vary=False)
    return peaks.fit(window, model, params, axis=axis, loss="poisson")


def _model(x: Floats, y: Floats, at: float, fwhm: float) -> tuple[lmfit.Model, lmfit.Parameters]:
    def background(x: Floats, c0: float, c1: float) -> Floats:
        return np.asarray(c0 + c1 * (x - at))

    ends = max(2, x.size // 6)
    low, high = float(y[:ends].mean()), float(y[-ends:].mean())
    spacing = float(np.median(np.diff(x)))
    above = max(float((y - np.linspace(low, high, y.size)).sum()) * spacing, spacing)
    model = lmfit.Model(photopeak) + lmfit.Model(background)
    params = model.make_params(
        amplitude=above, center=at, sigma=fwhm * TO_SIGMA, tail=0.0, beta=fwhm, step=0.0,
        c0=max(0.5 * (low + high), 0.1), c1=(high - low) / float(x[-1] - x[0]),
    )  # fmt: skip
    params["sigma"].set(min=0.2 * fwhm * TO_SIGMA, max=5.0 * fwhm * TO_SIGMA)
    params["center"].set(min=at - 2.0 * fwhm, max=at + 2.0 * fwhm)
    params["tail"].set(min=0.0, max=0.9, vary=False)
    params["beta"].set(min=0.1 * fwhm, max=10.0 * fwhm, vary=False)
    params["step"].set(min=0.0, max=1.0, vary=False)
    return model, params


def read_peak(fit: xr.Dataset, *, spacing: float = 1.0, units: str = "1") -> tuple[Quantity, Quantity, Quantity]:
    """Read net counts, center and FWHM of a fitted peak.

    Parameters
    ----------
    fit:
        Result of `fit_peak`.
    spacing:
        Width of a channel in units of the axis: 1 for `pixel`.
    units:
        Of the axis.

    Returns
    -------
    :
        Net counts (`"1"`), center and FWHM of the Gaussian, correlated as the fit says.

    Raises
    ------
    UncertaintyError
        If the fit failed.
    """
    scales = {"amplitude": (1.0 / spacing, "1"), "center": (1.0, units), "sigma": (1.0 / TO_SIGMA, units)}
    names = {"amplitude": "net counts", "center": "center", "sigma": "FWHM"}
    made = []
    for name, (scale, unit) in scales.items():
        given = peaks.quantity(fit, name)
        parts = {source: scale * part for source, part in (given.components or {}).items()}
        made.append(Quantity.from_components(scale * given.value, parts, units=unit, label=names[name]))
    return made[0], made[1], made[2]
