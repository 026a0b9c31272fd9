"""Frequencies at which a record holds a whole number of cycles and every sample another phase.

Reference: IEEE Std 1057-2017, 4.1.5. Not here: the fit of a sine (`analysis.waveform.sine`).
"""

import math
from dataclasses import dataclass

from analysis.core import SpectrumError
from analysis.waveform.samples import require_number, require_rate

__all__ = ["Coherent", "coherent"]


@dataclass(frozen=True, kw_only=True)
class Coherent:
    """A coherent setting of a generator."""

    frequency: float
    """In Hz."""
    cycles: int
    """In the record; no common divisor with `samples`."""
    samples: int
    """Of the record."""
    tolerance: float
    """Largest relative error of frequency over rate for which phases stay evenly spread: 1/(2 cycles samples)."""


def coherent(frequency: float, *, rate: float, samples: int) -> Coherent:
    """Return the coherent frequency nearest to a wanted one.

    Parameters
    ----------
    frequency:
        Wanted, in Hz, below half the rate.
    rate:
        Samples per second.
    samples:
        Of the record, at least 4.

    Returns
    -------
    :
        The setting.

    Raises
    ------
    SpectrumError
        If the frequency lies outside 0 to half the rate, or the record is too short.
    """
    rate = require_rate(rate)
    if not 0.0 < require_number(frequency, "frequency") < 0.5 * rate:
        msg = f"frequency must lie between 0 and half the rate, {0.5 * rate:g} Hz, got {frequency!r}"
        raise SpectrumError(msg)
    if not require_number(samples, "samples") >= 4 or samples != int(samples):  # noqa: PLR2004 - four phases
        msg = f"a coherent record needs a whole number of samples, at least 4, got {samples}"
        raise SpectrumError(msg)
    wanted = frequency * samples / rate
    possible = (k for k in range(1, (samples + 1) // 2) if math.gcd(k, samples) == 1)
    cycles = min(possible, key=lambda k: (abs(k - wanted), k))
    return Coherent(
        frequency=cycles * rate / samples, cycles=cycles, samples=samples, tolerance=0.5 / (cycles * samples)
    )
