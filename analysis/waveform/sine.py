"""Sine fits with three and four parameters, one record or many, with the covariance of the parameters.

References: IEEE Std 1057-2017, 4.2 and annex B; IEEE Std 1241-2010, 4.1.4; lower bounds: Rife & Boorstyn, IEEE Trans.
Inf. Theory 20 (1974) 591, doi:10.1109/TIT.1974.1055282.
Not here: what is made of the residual (`analysis.waveform.digitiser`).
"""

import math

import numpy as np
import xarray as xr

from analysis.core import SpectrumError
from analysis.uncertainty import Quantity, correlated
from analysis.waveform.samples import Array, Samples, read_samples, require_number, require_rate, require_unwrapped

__all__ = ["design", "quantities", "sine_fit"]

PARAMETERS = ("amplitude", "frequency", "phase", "offset")
_LEAST_CYCLES = 1.0
_STEPS = 60
_HALVINGS = 20
_CLOSE = 1e-9  # turns over the record


def sine_fit(samples: Samples, *, rate: float, frequency: float | None = None) -> xr.Dataset:
    """Fit offset + amplitude cos(2 pi frequency t + phase) by least squares; t is 0 at the first sample.

    Parameters
    ----------
    samples:
        Dims `(*batch, channel)`: evenly spaced samples along the last dim, at least 5.
    rate:
        Samples per second.
    frequency:
        In Hz, if it is known exactly: then three parameters are fitted; None fits it too, for each record.

    Returns
    -------
    :
        `amplitude` (>= 0), `frequency` (Hz), `phase` (rad, in (-pi, pi]), `offset`, each with `u_...`; `covariance`
        `(*batch, parameter, parameter_)`; `residual_rms`, the square root of the sum of squares over n; `dof`. The
        uncertainty is that of white noise as large as the residual; `quantities` makes them quantities.

    Raises
    ------
    SpectrumError
        If samples are too few, missing, unevenly spaced, clipped or wrapped; there is less than one cycle; or the
        frequency lies outside 0 to half the rate.
    """
    rate = require_rate(rate)
    found = read_samples(samples, rate=rate, least=5, clipped=False)
    require_unwrapped(found)
    y = found.values.reshape(-1, found.shape[-1])
    if np.any(np.ptp(y, axis=-1) == 0.0):
        msg = "a record is constant; there is no sine in it"
        raise SpectrumError(msg)
    nu = _refined(y, _start(y)) if frequency is None else np.full(y.shape[0], _known(frequency, rate))
    _require_cycles(nu, y.shape[-1])
    return _dataset(found, y, nu, rate, free=frequency is None)


def quantities(fit: xr.Dataset) -> dict[str, Quantity]:
    """Return the parameters of the fit of one record as correlated quantities.

    Parameters
    ----------
    fit:
        Made by `sine_fit`, of one record; of several choose one by `isel`.

    Returns
    -------
    :
        amplitude, frequency, phase and offset.

    Raises
    ------
    SpectrumError
        If it is the fit of several records.
    """
    if fit["amplitude"].ndim:
        msg = f"this is the fit of {dict(fit['amplitude'].sizes)} records; choose one: fit.isel(...)"
        raise SpectrumError(msg)
    values = [float(fit[name]) for name in PARAMETERS]
    units = [str(fit[name].attrs["units"]) for name in PARAMETERS]
    known = fit["covariance"].values[1, 1] == 0.0
    keep = [k for k, name in enumerate(PARAMETERS) if not (known and name == "frequency")]
    made = correlated(
        [values[k] for k in keep], fit["covariance"].values[np.ix_(keep, keep)], units=[units[k] for k in keep],
        dof=float(fit["dof"]), labels=[PARAMETERS[k] for k in keep],
    )  # fmt: skip
    named = {PARAMETERS[k]: q for k, q in zip(keep, made, strict=True)}
    exact = Quantity(value=values[1], u=0.0, units="Hz", label="frequency")
    return {name: named.get(name, exact) for name in PARAMETERS}


def design(nu: Array, count: int) -> Array:
    """Return cosine, sine and one at each sample.

    Parameters
    ----------
    nu:
        Cycles per sample, shape (records,).
    count:
        Samples.

    Returns
    -------
    :
        Shape (records, count, 3).
    """
    turns = 2.0 * math.pi * ((nu[:, None] * np.arange(count)) % 1.0)
    return np.stack([np.cos(turns), np.sin(turns), np.ones_like(turns)], axis=-1)


def _known(frequency: float, rate: float) -> float:
    if not 0.0 < require_number(frequency, "frequency") < 0.5 * rate:
        msg = f"frequency must lie between 0 and half the rate, {0.5 * rate:g} Hz, got {frequency!r}"
        raise SpectrumError(msg)
    return float(frequency) / rate


def _start(y: Array) -> Array:
    """Return cycles per sample at the top of a windowed spectrum, between bins by the parabola of its logarithm."""
    count = y.shape[-1]
    window = np.hanning(count + 1)[:-1]
    power = np.abs(np.fft.rfft((y - y.mean(-1, keepdims=True)) * window, n=4 * count)) + 1e-300
    power[:, :3] = 1e-300
    top = np.clip(power.argmax(-1), 1, power.shape[-1] - 2)
    low, mid, high = (np.log(np.take_along_axis(power, (top + k)[:, None], -1)[:, 0]) for k in (-1, 0, 1))
    bend = low - 2.0 * mid + high
    shift = np.where(bend < 0.0, 0.5 * (low - high) / np.where(bend == 0.0, 1.0, bend), 0.0)
    return np.clip((top + np.clip(shift, -0.5, 0.5)) / (4 * count), 1e-9, 0.5)


def _refined(y: Array, nu: Array) -> Array:
    """Return the frequency of least squares by Gauss-Newton on the four parameters."""
    count = y.shape[-1]
    n = np.arange(count) - 0.5 * (count - 1)
    worst = np.sum((y - y.mean(-1, keepdims=True)) ** 2, -1)
    for _ in range(_STEPS):
        basis = design(nu, count)
        a = _solved(basis, y)
        slope = 2.0 * math.pi * n * (-a[:, :1] * basis[..., 1] + a[:, 1:2] * basis[..., 0])
        full = np.concatenate([basis, slope[..., None]], axis=-1)
        step = _solved(full, y)[:, 3]
        limit = 0.25 / count
        step = np.clip(step, -limit, limit)
        if np.all(np.abs(step) * count <= _CLOSE):
            return nu + step
        better = _cost(y, nu + step)
        for _ in range(_HALVINGS):
            worse = better > worst * (1.0 + 1e-9)
            if not worse.any():
                break
            step = np.where(worse, 0.5 * step, step)
            better = _cost(y, nu + step)
        nu, worst = nu + step, np.minimum(worst, better)
    return nu


def _solved(basis: Array, y: Array) -> Array:
    gram = np.einsum("rki,rkj->rij", basis, basis)
    scale = np.sqrt(np.einsum("rii->ri", gram))
    scale = np.where(scale == 0.0, 1.0, scale)
    right = np.einsum("rki,rk->ri", basis, y) / scale
    unit = gram / (scale[:, :, None] * scale[:, None, :]) + 1e-15 * np.eye(basis.shape[-1])
    return np.asarray(np.linalg.solve(unit, right[..., None])[..., 0] / scale)


def _cost(y: Array, nu: Array) -> Array:
    basis = design(nu, y.shape[-1])
    rest = y - np.einsum("rki,ri->rk", basis, _solved(basis, y))
    return np.asarray(np.sum(rest**2, axis=-1))


def _require_cycles(nu: Array, count: int) -> None:
    fewest = float((nu * count).min())
    if fewest < _LEAST_CYCLES:
        msg = (
            f"a record holds {fewest:.2f} cycles; at least one is needed, and five for a good fit: "
            "take a longer record, or a higher frequency"
        )
        raise SpectrumError(msg)


def _dataset(found: xr.DataArray, y: Array, nu: Array, rate: float, *, free: bool) -> xr.Dataset:
    count = y.shape[-1]
    basis = design(nu, count)
    a = _solved(basis, y)
    rest = y - np.einsum("rki,ri->rk", basis, a)
    amplitude, phase = np.hypot(a[:, 0], a[:, 1]), np.arctan2(-a[:, 1], a[:, 0])
    dof = count - 3 - free
    variance = np.sum(rest**2, -1) / dof
    covariance = _covariance(basis, a, amplitude, variance, rate, free=free)
    shape, dims = found.shape[:-1], found.dims[:-1]
    units = str(found.attrs.get("units", "1"))
    values = {"amplitude": amplitude, "frequency": nu * rate, "phase": phase, "offset": a[:, 2]}
    spelled = {"amplitude": units, "frequency": "Hz", "phase": "rad", "offset": units}
    made: dict[str, xr.Variable] = {}
    for k, name in enumerate(PARAMETERS):
        made[name] = xr.Variable(dims, values[name].reshape(shape), {"units": spelled[name]})
        u = np.sqrt(covariance[:, k, k]).reshape(shape)
        made[f"u_{name}"] = xr.Variable(dims, u, {"units": spelled[name], "long_name": "standard uncertainty"})
    made["covariance"] = xr.Variable((*dims, "parameter", "parameter_"), covariance.reshape(*shape, 4, 4))
    rms = np.sqrt(np.mean(rest**2, -1)).reshape(shape)
    made["residual_rms"] = xr.Variable(dims, rms, {"units": units})
    made["dof"] = xr.Variable((), float(dof))
    coords = {str(key): each for key, each in found.coords.items() if found.dims[-1] not in each.dims}
    names = {"parameter": list(PARAMETERS), "parameter_": list(PARAMETERS)}
    return xr.Dataset(made, coords=coords | names, attrs={"rate": rate, "samples": count, "parameters": 3 + free})


def _covariance(basis: Array, a: Array, amplitude: Array, variance: Array, rate: float, *, free: bool) -> Array:
    """Return the covariance of amplitude, frequency (Hz), phase and offset; zeros for a known frequency."""
    n = np.arange(basis.shape[1], dtype=float)
    size = np.where(amplitude == 0.0, np.finfo(float).tiny, amplitude)[:, None]
    cosine, sine = basis[..., 0], basis[..., 1]
    by_amplitude = (a[:, :1] * cosine + a[:, 1:2] * sine) / size
    by_phase = -a[:, :1] * sine + a[:, 1:2] * cosine
    by_frequency = by_phase * (2.0 * math.pi / rate) * n
    columns = [by_amplitude, by_frequency, by_phase, basis[..., 2]]
    keep = [0, 1, 2, 3] if free else [0, 2, 3]
    jacobian = np.stack([columns[k] for k in keep], axis=-1)
    gram = np.einsum("rki,rkj->rij", jacobian, jacobian)
    scale = np.sqrt(np.einsum("rii->ri", gram))
    scale = np.where(scale == 0.0, 1.0, scale)
    inverse = np.linalg.pinv(gram / (scale[:, :, None] * scale[:, None, :])) / (scale[:, :, None] * scale[:, None, :])
    whole = np.zeros((gram.shape[0], 4, 4))
    whole[np.ix_(range(gram.shape[0]), keep, keep)] = inverse * variance[:, None, None]
    return whole
