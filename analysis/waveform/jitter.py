"""Aperture jitter from the residual of a sine fit: noise that grows with the slope of the signal.

Reference: IEEE Std 1057-2017, 4.12. Not here: the fit (`analysis.waveform.sine`).
"""

import math

import numpy as np

from analysis.core import SpectrumError
from analysis.uncertainty import Quantity
from analysis.waveform.samples import Samples, read_samples, require_rate
from analysis.waveform.sine import design, sine_fit

__all__ = ["jitter"]


def jitter(samples: Samples, *, rate: float) -> Quantity:
    """Estimate the standard deviation of the sampling moments.

    Parameters
    ----------
    samples:
        Dims `(*batch, channel)`: records of a sine, at least 256 samples in all; several records lower u.
    rate:
        Samples per second.

    Returns
    -------
    :
        In s. The squared residual is fitted by noise that is always there and noise in proportion to the squared
        slope; 0 with its u where no such part is seen. Jitter of the generator counts too.

    Raises
    ------
    SpectrumError
        If there are too few samples, or a record is no sine.
    """
    rate = require_rate(rate)
    found = read_samples(samples, rate=rate, least=16, clipped=False)
    if found.size < 256:  # noqa: PLR2004 - u of the estimate would be as large as it
        msg = f"jitter needs 256 samples or more, got {found.size}"
        raise SpectrumError(msg)
    fit = sine_fit(found, rate=rate)
    y = found.values.reshape(-1, found.shape[-1])
    nu, amplitude, phase, offset = (
        np.atleast_1d(fit[name].values).ravel() for name in ("frequency", "amplitude", "phase", "offset")
    )
    basis = design(nu / rate, y.shape[-1])
    turned = np.cos(phase)[:, None] * basis[..., 0] - np.sin(phase)[:, None] * basis[..., 1]
    rest = y - offset[:, None] - amplitude[:, None] * turned
    quadrature = np.sin(phase)[:, None] * basis[..., 0] + np.cos(phase)[:, None] * basis[..., 1]
    slope2 = ((2.0 * math.pi * nu * amplitude)[:, None] * quadrature) ** 2
    e2 = (rest**2 * y.shape[-1] / float(fit["dof"])).ravel()
    s2 = slope2.ravel() / slope2.max()
    columns = np.column_stack([np.ones_like(s2), s2])
    coefficients, *_ = np.linalg.lstsq(columns, e2, rcond=None)
    for _ in range(20):  # the variance of a squared normal is twice the square of its mean
        mean = np.maximum(columns @ coefficients, 1e-3 * e2.mean())
        weighted = columns / mean[:, None]
        coefficients, *_ = np.linalg.lstsq(weighted, e2 / mean, rcond=None)
    covariance = 2.0 * np.linalg.inv(weighted.T @ weighted)
    scale = slope2.max()
    variance, u_variance = coefficients[1] / scale, math.sqrt(covariance[1, 1]) / scale
    if variance <= u_variance:
        return Quantity(value=max(0.0, variance) ** 0.5, u=math.sqrt(u_variance), units="s", label="jitter")
    value = math.sqrt(variance)
    return Quantity(value=value, u=u_variance / (2.0 * value), units="s", dof=found.size - 6, label="jitter")
