"""A lock-in amplifier in numbers: in-phase and quadrature part of a signal at a known frequency.

Not here: the fit of an unknown frequency (`analysis.waveform.sine`).
"""

import math

import numpy as np

from analysis.core import SpectrumError
from analysis.uncertainty import Quantity, type_a_jointly
from analysis.waveform.samples import Samples, read_samples, require_number, require_rate

__all__ = ["lock_in"]


def lock_in(
    samples: Samples, *, rate: float, frequency: float, blocks: int = 20, harmonic: int = 1
) -> tuple[Quantity, Quantity]:
    """Return what a signal has in phase and in quadrature with a cosine reference; t is 0 at the first sample.

    Parameters
    ----------
    samples:
        One record.
    rate:
        Samples per second.
    frequency:
        Of the reference, Hz, exact.
    blocks:
        Pieces of a whole number of cycles into which the record is cut, at least 5: their scatter is the Type A part,
        so that noise of any colour beyond a block is accounted for.
    harmonic:
        Of the reference at which is detected.

    Returns
    -------
    :
        X and Y: amplitudes (peak) of cosine and of minus sine, so that X + iY = A exp(i phase); correlated as the
        blocks say.

    Raises
    ------
    SpectrumError
        If a block would hold less than one cycle, or the detected frequency lies outside 0 to half the rate.
    """
    rate = require_rate(rate)
    found = read_samples(samples, rate=rate, least=16, clipped=False)
    if found.ndim != 1:
        msg = f"lock_in takes one record, got {dict(found.sizes)}; choose one by isel"
        raise SpectrumError(msg)
    detected = harmonic * require_number(frequency, "frequency")
    if harmonic < 1 or not 0.0 < detected < 0.5 * rate:
        msg = f"{harmonic} x {frequency!r} Hz must lie between 0 and half the rate, {0.5 * rate:g} Hz"
        raise SpectrumError(msg)
    cycles = math.floor(found.size / blocks * frequency / rate) if blocks >= 5 else 0  # noqa: PLR2004
    if cycles < 1:
        msg = f"{blocks} blocks of {found.size} samples hold no whole cycle; 5 blocks or more, and a longer record"
        raise SpectrumError(msg)
    length = round(cycles * rate / frequency)
    turns = 2.0 * math.pi * ((detected / rate * np.arange(found.size)) % 1.0)
    pieces = np.empty((2, blocks))
    for k in range(blocks):
        part = slice(k * length, (k + 1) * length)
        basis = np.column_stack([np.cos(turns[part]), -np.sin(turns[part]), np.ones(length)])
        pieces[:, k] = np.linalg.lstsq(basis, found.values[part], rcond=None)[0][:2]
    units = str(found.attrs.get("units", "1"))
    found_parts = type_a_jointly({"X": pieces[0], "Y": pieces[1]}, units={"X": units, "Y": units})
    return found_parts["X"], found_parts["Y"]
