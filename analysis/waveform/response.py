"""The frequency response of a system from its input and output, with coherence and uncertainty.

Reference: Bendat & Piersol, Random Data, 4th ed. (2010), table 9.6. Not here: steps (`analysis.waveform.steps`).
"""

from typing import Any

import numpy as np
import xarray as xr
from scipy import signal

from analysis.core import SpectrumError
from analysis.core import units as unit_rules
from analysis.waveform.samples import Samples, read_samples, require_rate

__all__ = ["frequency_response"]


def frequency_response(given: Samples, answer: Samples, *, rate: float, segment: int) -> xr.Dataset:
    """Estimate output over input at each frequency, by averaged cross spectra (H1: noise in the output).

    Parameters
    ----------
    given:
        Input of the system, one record with power at the frequencies of interest.
    answer:
        Its output, sampled at the same moments.
    rate:
        Samples per second.
    segment:
        Samples of a segment, at least 8; the record must hold four or more.

    Returns
    -------
    :
        Along `frequency` (Hz): `gain` (output units per input unit) and `phase` (rad, unwrapped), each with `u_...`,
        and `coherence`. u of the gain over the gain, and of the phase, is sqrt((1 - coherence)/(2 n coherence)) for n
        independent averages (Hann window, half overlap).

    Raises
    ------
    SpectrumError
        If the records differ in length, are too short, or the input is constant.
    """
    rate = require_rate(rate)
    x, y = (read_samples(each, rate=rate, least=32) for each in (given, answer))
    if x.shape != y.shape or x.ndim != 1:
        msg = f"input and output must be one record of the same length, got shapes {x.shape} and {y.shape}"
        raise SpectrumError(msg)
    if not 8 <= segment <= x.size // 4:  # noqa: PLR2004 - coherence of fewer averages says nothing
        msg = f"segment must lie between 8 and a quarter of the record, {x.size // 4}, got {segment}"
        raise SpectrumError(msg)
    if np.ptp(x.values) == 0.0:
        msg = "the input is constant; drive the system with noise, a chirp or a step"
        raise SpectrumError(msg)
    window: Any = signal.get_window("hann", segment)
    overlap = segment // 2
    frequency, pxx = signal.welch(x.values, fs=rate, window=window, nperseg=segment, noverlap=overlap)
    _, pyy = signal.welch(y.values, fs=rate, window=window, nperseg=segment, noverlap=overlap)
    _, pxy = signal.csd(x.values, y.values, fs=rate, window=window, nperseg=segment, noverlap=overlap)
    inside = slice(1, None)
    response = pxy[inside] / pxx[inside]
    coherence = np.clip(np.abs(pxy[inside]) ** 2 / (pxx[inside] * pyy[inside]), 1e-12, 1.0)
    hop = segment - segment // 2
    averages = (1 + (x.size - segment) // hop) * 9.0 / 11.0  # half-overlapping Hann segments, Welch 1967
    relative = np.sqrt((1.0 - coherence) / (2.0 * averages * coherence))
    gain = np.abs(response)
    spelled = [str(each.attrs.get("units", "1")) for each in (y, x)]
    attrs = {"units": unit_rules.multiply(spelled[0], spelled[1], power=-1)}
    return xr.Dataset(
        {
            "gain": ("frequency", gain, attrs), "u_gain": ("frequency", gain * relative, attrs),
            "phase": ("frequency", np.unwrap(np.angle(response)), {"units": "rad"}),
            "u_phase": ("frequency", relative, {"units": "rad"}),
            "coherence": ("frequency", coherence, {"units": "1"}),
        },
        coords={"frequency": ("frequency", frequency[inside], {"units": "Hz"})},
        attrs={"averages": averages, "segment": segment},
    )  # fmt: skip
