"""Simulated spectra of known truth on which fits are timed and counted: one peak, or three that overlap.

Case "a" is a Gaussian on a constant (4 parameters), case "b" three pseudo-Voigts on a line (14). Counts are
Poisson distributed; every spectrum has its own truth. Not here: measured spectra (`tests.measured`).
"""

from dataclasses import dataclass
from typing import Any, Literal

import lmfit
import numpy as np
import xarray as xr
from lmfit.models import ConstantModel, GaussianModel, LinearModel, PseudoVoigtModel

LENGTH = 100.0
"""Of the axis, from 0, in keV."""
GAUSS = 2.0 * np.sqrt(2.0 * np.log(2.0))
"""FWHM over sigma of a Gaussian; that of lmfit's pseudo-Voigt is 2."""
AXIS = "energy"
Case = Literal["a", "b"]
Floats = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True, kw_only=True)
class Workload:
    """Spectra, what is true of them, and where fits start."""

    x: Floats
    """Axis, dims `(channel,)`."""
    y: Floats
    """Counts, dims `(spectrum, channel)`."""
    sigma: Floats
    """√max(y, 1), dims of `y`."""
    names: tuple[str, ...]
    """Parameters in the order of the model."""
    truth: Floats
    """Dims `(spectrum, parameter)`, as are the next two."""
    start: Floats
    """Wrong by up to 30 %; centres by up to 30 % of the FWHM."""
    far_start: Floats
    """Each multiplied or divided by 3; centres off by 1.2 FWHM, inside the bounds."""
    lower: Floats
    """Dims `(parameter,)`, infinite where there is none."""
    upper: Floats
    """Dims `(parameter,)`."""
    model: lmfit.Model
    """In lmfit's language."""
    params: lmfit.Parameters
    """Start of the first spectrum, without bounds."""

    def bounded(self) -> lmfit.Parameters:
        """Return the parameters with their bounds."""
        params = self.params.copy()
        for name, low, high in zip(self.names, self.lower, self.upper, strict=True):
            params[name].set(min=low, max=high)
        return params

    def spectra(self, *, uncertain: bool = True) -> xr.Dataset:
        """Return the spectra as `peaks.fit` takes them, with `u_signal` or without."""
        attrs = {"units": "counts"}
        variables = {"signal": (("spectrum", "channel"), self.y, attrs)}
        if uncertain:
            variables["u_signal"] = (("spectrum", "channel"), self.sigma, attrs)
        return xr.Dataset(variables, coords={AXIS: ("channel", self.x, {"units": "keV"})})

    def starts(self, *, far: bool = False) -> dict[str, Floats]:
        """Return the starting values as `peaks.fit` takes them."""
        return dict(zip(self.names, (self.far_start if far else self.start).T, strict=True))


def make(
    case: Case, *, spectra: int, points: int, seed: int | tuple[int, ...] = 1, background: float = 100.0
) -> Workload:
    """Simulate spectra.

    Parameters
    ----------
    case:
        "a" or "b".
    spectra, points:
        How many, and channels of each.
    seed:
        Of the truth, the noise and the starts.
    background:
        Mean counts far from the peaks, which are ten times as high.

    Returns
    -------
    :
        The spectra and their truth.
    """
    rng = np.random.default_rng(seed)
    x = np.linspace(0.0, LENGTH, points)
    model = _model(case)
    truth, widths, lower, upper = (_one_peak if case == "a" else _three_peaks)(rng, spectra, background)
    names = tuple(model.param_names)
    table = np.stack([truth[name] for name in names], axis=1)
    centres = {name: widths[name] for name in names if name.endswith("center")}
    factors, shifts = rng.uniform(0.7, 1.3, table.shape), rng.uniform(-0.3, 0.3, table.shape)
    threes, sides = 3.0 ** rng.choice([-1.0, 1.0], table.shape), rng.choice([-1.2, 1.2], table.shape)
    start, far = table * factors, table * threes
    for name, width in centres.items():
        at = names.index(name)
        start[:, at] = table[:, at] + shifts[:, at] * width
        far[:, at] = table[:, at] + sides[:, at] * width
    low, high = (
        np.array([bound.get(name, edge) for name in names]) for bound, edge in ((lower, -np.inf), (upper, np.inf))
    )
    lowest = _lowest_width(names, points)
    low = np.where(lowest > 0, lowest, low)
    y = rng.poisson(np.maximum(evaluate(case, x, truth), 0.0)).astype(float)
    return Workload(
        x=x, y=y, sigma=np.sqrt(np.maximum(y, 1.0)), names=names, truth=table, start=start,
        far_start=np.clip(far, low, high), lower=low, upper=high, model=model,
        params=model.make_params(**dict(zip(names, start[0].tolist(), strict=True))),
    )  # fmt: skip


def evaluate(case: Case, x: Floats, values: dict[str, Floats]) -> Floats:
    """Evaluate the model for every spectrum, by NumPy and apart from the engines; dims `(spectrum, channel)`."""
    v = {name: column[:, None] for name, column in values.items()}
    if case == "a":
        s = v["sigma"]
        return v["amplitude"] / (s * np.sqrt(2 * np.pi)) * np.exp(-0.5 * ((x - v["center"]) / s) ** 2) + v["c"]
    total = v["line_intercept"] + v["line_slope"] * x
    for prefix in ("p1_", "p2_", "p3_"):
        amplitude, centre, sigma, eta = (v[prefix + n] for n in ("amplitude", "center", "sigma", "fraction"))
        t = ((x - centre) / sigma) ** 2
        gauss = np.sqrt(np.log(2) / np.pi) * np.exp(-np.log(2) * t)
        total = total + amplitude / sigma * ((1 - eta) * gauss + eta / (np.pi * (1 + t)))
    return total


def _model(case: Case) -> lmfit.Model:
    if case == "a":
        return GaussianModel() + ConstantModel()
    peaks = [PseudoVoigtModel(prefix=prefix) for prefix in ("p1_", "p2_", "p3_")]
    return peaks[0] + peaks[1] + peaks[2] + LinearModel(prefix="line_")


def _one_peak(rng, spectra, background):
    fwhm = rng.uniform(8.0, 20.0, spectra)
    sigma = fwhm / GAUSS
    truth = {
        "amplitude": background * rng.uniform(7.0, 13.0, spectra) * sigma * np.sqrt(2 * np.pi),
        "center": rng.uniform(35.0, 65.0, spectra),
        "sigma": sigma,
        "c": background * rng.uniform(0.7, 1.3, spectra),
    }
    lower = {"amplitude": 0.0, "center": 0.0}
    return truth, {"center": fwhm}, lower, {"center": LENGTH, "sigma": LENGTH / GAUSS}


def _three_peaks(rng, spectra, background):
    fwhm = rng.uniform(6.0, 10.0, (3, spectra))
    gaps = rng.uniform(2.0, 2.5, (2, spectra)) * 0.5 * (fwhm[:-1] + fwhm[1:])
    middle = rng.uniform(47.0, 53.0, spectra)
    centres = (middle - gaps[0], middle, middle + gaps[1])
    truth = {
        "line_intercept": background * rng.uniform(0.9, 1.1, spectra),
        "line_slope": background / LENGTH * rng.uniform(0.2, 0.6, spectra) * rng.choice([-1.0, 1.0], spectra),
    }
    widths, lower, upper = {}, {}, {}
    for k, prefix in enumerate(("p1_", "p2_", "p3_")):
        sigma, eta = fwhm[k] / 2, rng.uniform(0.3, 0.7, spectra)
        unit = (1 - eta) * np.sqrt(np.log(2) / np.pi) + eta / np.pi
        truth[prefix + "amplitude"] = background * rng.uniform(7.0, 13.0, spectra) * sigma / unit
        truth[prefix + "center"], truth[prefix + "sigma"], truth[prefix + "fraction"] = centres[k], sigma, eta
        widths[prefix + "center"] = fwhm[k]
        lower |= {prefix + "amplitude": 0.0, prefix + "center": 0.0, prefix + "fraction": 0.0}
        upper |= {prefix + "center": LENGTH, prefix + "sigma": LENGTH / 2, prefix + "fraction": 1.0}
    return truth, widths, lower, upper


def _lowest_width(names, points):
    """Return half a channel as a lower bound of widths, 0 for other parameters; it depends on the sampling."""
    half = 0.5 * LENGTH / (points - 1)
    ratio = 2.0 if "p1_sigma" in names else GAUSS
    return np.array([half / ratio if name.endswith("sigma") else 0.0 for name in names])
