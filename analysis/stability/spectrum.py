"""Spectra of frequency and phase, and their bridge to the variances: each follows from the other.

A variance of sampled data is the integral of its spectrum times a kernel; the kernels here are those of samples, exact
at every averaging time, and tend to the textbook's where f is far below the rate.

Not here: the variances of data (`analysis.stability.deviations`).

References: NIST SP 1065 (Riley 2008), clauses 6 and 7; Welch, IEEE Trans. Audio Electroacoust. 15 (1967) 70.
"""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy.optimize import nnls
from scipy.signal import get_window, welch

from analysis.core import SpectrumError, did_you_mean, history, units
from analysis.stability.estimate import recorded
from analysis.stability.noise import NOISES
from analysis.stability.series import Array, Counts, Data, Taus, averaging_factors, read_series

LAWS = (2, 1, 0, -1, -2)
_POINTS = 16
_FEWEST_POINTS = 4096
_BLOCK = 1 << 14
_LONGEST = 1 << 16
_KERNELS: dict[str, Callable[[Array, int], Array]] = {
    "oadev": lambda at, m: 2 * np.sin(m * at) ** 4 / (m * np.sin(at)) ** 2,
    "mdev": lambda at, m: 2 * np.sin(m * at) ** 6 / (m * np.sin(at)) ** 4,
    "ohdev": lambda at, m: 8 / 3 * np.sin(m * at) ** 6 / (m * np.sin(at)) ** 2,
}
_SAME = {"adev": "oadev", "hdev": "ohdev"}
_ROUNDS = 3


def psd(
    data: Data,
    *,
    rate: float,
    kind: str = "phase",
    of: str = "frequency",
    segments: int = 8,
    window: str = "hann",
) -> xr.Dataset:
    """Return the one-sided power spectral density of frequency or phase, by averaged windowed segments.

    The spectrum is always taken of frequency, which leaks less than phase does under red noise.

    Parameters
    ----------
    data:
        Phase in s or frequency, evenly sampled; no gaps.
    rate:
        Samples per second.
    kind:
        `"phase"` or `"frequency"`: what `data` are.
    of:
        `"frequency"` or `"phase"`: whose spectrum.
    segments:
        Half-overlapping segments, about; more are more certain and tell lower frequencies less apart.
    window:
        Name of a window of SciPy.

    Returns
    -------
    :
        Over `frequency` in Hz, without 0: `value` in units squared per Hz, its standard uncertainty `u` and `dof`.

    Raises
    ------
    SpectrumError
        If the data or settings cannot be used.
    """
    series = read_series(data, rate=rate, kind=kind)
    if series.gaps:
        msg = "a spectrum needs every sample; got NaN. Cut the series at the gap, or use psd_from_deviation"
        raise SpectrumError(msg)
    if of not in ("frequency", "phase"):
        msg = f"of must be 'frequency' or 'phase'; got {of!r}.{did_you_mean(str(of), ('frequency', 'phase'))}"
        raise SpectrumError(msg)
    values: Array = np.diff(series.phase) * series.rate
    length = 2 * values.size // (segments + 1) if segments >= 1 else 0
    if length < _POINTS:
        msg = f"segments must be at least 1 and leave {_POINTS} samples each; got {segments} of {values.size} samples"
        raise SpectrumError(msg)
    shape = np.asarray(get_window(window, length), dtype=float)
    found = welch(values, fs=series.rate, window=shape.tolist(), nperseg=length, noverlap=length // 2)
    at, value = (np.asarray(each, dtype=float) for each in found)
    at, value = at[1:], value[1:]
    unit = series.units
    if of == "phase":
        value = value / (2 * np.sin(np.pi * at / series.rate) * series.rate) ** 2
        unit = units.multiply(unit, "s")
    count = 1 + (values.size - length) // (length - length // 2)
    overlap = float(np.sum(shape[length - length // 2 :] * shape[: length // 2]) / np.sum(shape**2)) ** 2
    means = count / (1 + 2 * overlap * (count - 1) / count)
    unit = units.multiply(units.multiply(unit, unit), "Hz", power=-1)
    result = xr.Dataset(
        {
            "value": ("frequency", value, {"units": unit, "long_name": f"power spectral density of {of}"}),
            "u": ("frequency", value / np.sqrt(means), {"units": unit, "long_name": "standard uncertainty"}),
            "dof": ((), 2 * means, {"units": "1", "long_name": "degrees of freedom"}),
        },
        coords={"frequency": ("frequency", at, {"units": "Hz", "long_name": "frequency"})},
        attrs={"of": of, "rate": series.rate, "frequency_units": series.units},
    )
    return recorded(result, "psd", {"rate": series.rate, "kind": kind, "of": of, "segments": segments}, data)


def deviation_from_psd(spectrum: xr.Dataset, *, taus: Taus = "octave", which: str = "oadev") -> xr.Dataset:
    """Return the deviation that a spectrum of frequency implies.

    Parameters
    ----------
    spectrum:
        As `psd` returns it, of frequency: an even grid of frequencies from the first above 0 to half the rate.
    taus:
        As in `oadev`; at most half the reciprocal of the lowest frequency, below which nothing is known.
    which:
        `"oadev"`, `"mdev"` or `"ohdev"`.

    Returns
    -------
    :
        Over `tau`: `value` and `u`, the uncertainty of the spectrum carried on (its lines as independent).

    Raises
    ------
    SpectrumError
        If the spectrum is not one of frequency, or a setting cannot be used.
    """
    kernel = _kernel(which)
    if spectrum.attrs.get("of") != "frequency" or "value" not in spectrum:
        msg = f"wanted stability.psd(..., of='frequency'); got of={spectrum.attrs.get('of')!r}. Make it of frequency"
        raise SpectrumError(msg)
    rate, at = float(spectrum.attrs["rate"]), spectrum["frequency"].values
    step = float(at[0])
    factors = averaging_factors(taus, rate=rate, largest=max(int(rate / step / 2), 1))
    rows = np.array([kernel(np.pi * at / rate, int(m)) for m in factors]) * step
    variance = rows @ spectrum["value"].values
    u_variance = np.sqrt(rows**2 @ spectrum["u"].values ** 2) if "u" in spectrum else np.full(factors.size, np.nan)
    value = np.sqrt(variance)
    unit = {"units": str(spectrum.attrs.get("frequency_units", "1"))}
    result = xr.Dataset(
        {
            "value": ("tau", value, {**unit, "long_name": f"{which} from the spectrum"}),
            "u": ("tau", u_variance / (2 * value), {**unit, "long_name": "standard uncertainty"}),
        },
        coords={"tau": ("tau", factors / rate, {"units": "s", "long_name": "averaging time"})},
    )
    settings = {"which": which, "taus": factors.tolist()}
    return history.record(result, "stability.deviation_from_psd", settings=settings, inputs={"spectrum": spectrum})


def psd_from_deviation(
    deviation: xr.Dataset, *, rate: float, which: str = "oadev", laws: Sequence[int] = LAWS
) -> xr.Dataset:
    """Separate a deviation into power laws of the spectrum of frequency, h_alpha f**alpha, none negative.

    Least squares, weighted by the degrees of freedom; the uncertainties allow for the correlation between averaging
    times, to first order and for Gaussian noise. `oadev` hardly tells white from flicker phase noise; `mdev` does.

    Parameters
    ----------
    deviation:
        Result of `oadev`, `mdev` or `ohdev` (or of `adev`, `hdev`), with its degrees of freedom.
    rate:
        Samples per second of the data.
    which:
        Which of them it is.
    laws:
        Exponents alpha to tell apart, of 2 to -2; fewer are more certain, if they are the right ones.

    Returns
    -------
    :
        Over `noise` (alpha): `h` and its standard uncertainty `u`; the covariance over `noise`, `noise_`; over
        `frequency`: `value` and `u` of the spectrum of frequency that they make.

    Raises
    ------
    SpectrumError
        If the deviation has fewer than 3 averaging times with degrees of freedom or some above 65 536 samples, or a law
        is none of the five.
    """
    kernel = _kernel(which)
    if not laws or not set(laws) <= set(LAWS):
        msg = f"laws must be some of {LAWS}; got {tuple(laws)}. See stability.NOISES"
        raise SpectrumError(msg)
    use = np.isfinite(deviation["dof"].values) & (deviation["value"].values > 0)
    factors = np.rint(deviation["tau"].values * rate)[use].astype(int)
    if factors.size < 3 or factors.max() > _LONGEST or factors.min() < 1:  # noqa: PLR2004 - a slope needs three
        msg = (
            f"wanted 3 or more averaging times of 1/rate to {_LONGEST}/rate with dof; got {factors.size}. "
            "Check rate, remove drift, or leave the longest out with .sel(tau=slice(...))"
        )
        raise SpectrumError(msg)
    square, dof = deviation["value"].values[use] ** 2, deviation["dof"].values[use]
    forms, grids = _forms(kernel, factors, rate, laws)
    h, covariance = _separate(square, dof, forms, grids)
    return _laws_found((h, covariance), deviation, rate, which, laws)


def _forms(
    kernel: Callable[[Array, int], Array], factors: Counts, rate: float, alphas: Sequence[int]
) -> tuple[Array, Array]:
    """Return the variance of unit noises, dims (tau, law), and integrals of two kernels and two laws."""
    points = max(_POINTS * int(factors.max()), _FEWEST_POINTS)
    df = rate / 2 / points
    forms = np.zeros((factors.size, len(alphas)))
    products = np.zeros((factors.size * len(alphas),) * 2)
    for start in range(0, points, _BLOCK):
        at: Array = (np.arange(start, min(start + _BLOCK, points), dtype=float) + 0.5) * (np.pi / 2 / points)
        laws = np.array([law(at * rate / np.pi, alpha, rate) for alpha in alphas])
        shaped = np.array([kernel(at, int(m)) for m in factors])[:, None, :] * laws
        forms += shaped.sum(axis=-1) * df
        flat = shaped.reshape(-1, at.size)
        products += flat @ flat.T * df
    return forms, products.reshape((factors.size, len(alphas)) * 2)


def law(frequency: npt.NDArray[np.floating], alpha: int, rate: float) -> Array:
    """Return f**alpha as samples show it: with sin(pi f/rate) rate/pi for f."""
    return (np.sin(np.pi * frequency / rate) * rate / np.pi) ** alpha


def _separate(square: Array, dof: Array, forms: Array, products: Array) -> tuple[Array, Array]:
    expected = square
    for _ in range(_ROUNDS):
        weights = np.sqrt(dof / 2) / expected
        scale = np.linalg.norm(forms * weights[:, None], axis=0)
        h = nnls(forms * weights[:, None] / scale, square * weights)[0] / scale
        expected = forms @ h
    alike = np.einsum("iajb,a,b->ij", products, h, h)
    spread = np.sqrt(np.diag(alike))
    u = expected * np.sqrt(2 / dof)
    noise = alike / np.outer(spread, spread) * np.outer(u, u)
    covariance = np.zeros((h.size, h.size))
    free = np.flatnonzero(h > 0)
    gain = np.linalg.pinv(forms[:, free] * weights[:, None]) * weights
    covariance[np.ix_(free, free)] = gain @ noise @ gain.T
    for k in np.flatnonzero(h == 0):
        part = forms[:, k] * weights
        covariance[k, k] = float((part * weights) @ noise @ (part * weights)) / float(part @ part) ** 2
    return h, covariance


def _laws_found(
    found: tuple[Array, Array], deviation: xr.Dataset, rate: float, which: str, alphas: Sequence[int]
) -> xr.Dataset:
    h, covariance = found
    longest = float(deviation["tau"].values.max())
    at = np.geomspace(1 / (2 * longest), rate / 2, 200)
    laws = np.array([law(at, alpha, rate) for alpha in alphas])
    unit = deviation["value"].attrs.get("units", "1")
    density = {"units": units.multiply(units.multiply(unit, unit), "Hz", power=-1)}
    of_h = {"long_name": "level h of h f**alpha", "units": f"{density['units']} at 1 Hz"}
    result = xr.Dataset(
        {
            "h": ("noise", h, of_h),
            "u": ("noise", np.sqrt(np.diag(covariance)), {**of_h, "long_name": "standard uncertainty"}),
            "covariance": (("noise", "noise_"), covariance),
            "value": ("frequency", h @ laws, {**density, "long_name": "power spectral density of frequency"}),
            "u_value": ("frequency", np.sqrt(np.einsum("af,ab,bf->f", laws, covariance, laws)), dict(density)),
        },
        coords={
            "noise": list(alphas),
            "noise_name": ("noise", [NOISES[alpha] for alpha in alphas]),
            "frequency": ("frequency", at, {"units": "Hz", "long_name": "frequency"}),
        },
        attrs={"of": "frequency", "rate": float(rate), "frequency_units": unit},
    )
    settings = {"rate": float(rate), "which": which, "laws": list(alphas)}
    return history.record(result, "stability.psd_from_deviation", settings=settings, inputs={"deviation": deviation})


def _kernel(which: str) -> Callable[[Array, int], Array]:
    name = _SAME.get(which, which)
    if name not in _KERNELS:
        msg = f"which must be one of {sorted(_KERNELS)}; got {which!r}.{did_you_mean(str(which), tuple(_KERNELS))}"
        raise SpectrumError(msg)
    return _KERNELS[name]
