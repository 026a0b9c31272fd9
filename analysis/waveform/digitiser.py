"""The dynamic test of a digitiser by a sine: SINAD, effective bits, distortion, spurs.

References: IEEE Std 1241-2010, 4.4 and 4.5; IEEE Std 1057-2017, 4.4. Not here: static errors
(`analysis.waveform.histogram`), aperture jitter (`analysis.waveform.jitter`).
"""

import math
from dataclasses import dataclass

import numpy as np

from analysis.core import SpectrumError
from analysis.uncertainty import Quantity
from analysis.waveform.samples import Array, Samples, read_samples, require_number, require_rate
from analysis.waveform.sine import design, quantities, sine_fit

__all__ = ["DynamicTest", "dynamic_test"]

_DECIBEL = 20.0 / math.log(10.0)
_LOBE = 5  # bins of the window's main lobe on each side
# Four-term Blackman-Harris window: side lobes at -92 dB (Harris, Proc. IEEE 66 (1978) 51, doi:10.1109/PROC.1978.10837).
_HARRIS = (0.35875, 0.48829, 0.14128, 0.01168)


@dataclass(frozen=True, kw_only=True)
class DynamicTest:
    """What a sine through a digitiser shows. Ratios in dB."""

    sine: dict[str, Quantity]
    """Amplitude, frequency, phase and offset of the fit."""
    noise_and_distortion: Quantity
    """Root mean square of all that is not the sine, in the units of the samples."""
    sinad: Quantity
    """Signal to noise and distortion."""
    snr: Quantity
    """Signal to noise without the harmonics."""
    enob: Quantity
    """Effective number of bits over the full scale."""
    thd: Quantity
    """Total harmonic distortion: root sum of squares of the harmonics over the fundamental."""
    sfdr: float
    """Spurious-free dynamic range: fundamental over the largest other line of the spectrum."""
    spur: float
    """Where that line is, Hz."""
    harmonics: dict[int, Quantity]
    """Amplitudes of the harmonics, in the units of the samples; those that fall on another line are left out."""
    notes: tuple[str, ...]
    """Plain sentences."""

    def __str__(self) -> str:
        """Return the results as lines."""
        rows = {"SINAD": self.sinad, "SNR": self.snr, "ENOB": self.enob, "THD": self.thd}
        lines = [f"{name:6} {value}" for name, value in rows.items()]
        return "\n".join([*lines, f"SFDR   {self.sfdr:.1f} dB, largest line at {self.spur:g} Hz", *self.notes])


def dynamic_test(samples: Samples, *, rate: float, full_scale: float, harmonics: int = 10) -> DynamicTest:
    """Test a digitiser by one record of a sine.

    Parameters
    ----------
    samples:
        One record, at least 64 samples and 5 cycles, in the units of the full scale.
    rate:
        Samples per second.
    full_scale:
        From the lowest to the highest input of the digitiser, in the units of the samples.
    harmonics:
        The highest harmonic that is looked for, at least 2; aliases are followed.

    Returns
    -------
    :
        The results. Uncertainties are those of noise that is white: u of a root mean square of n residuals is
        1/sqrt(2 n) of it. They do not hold what the generator brings: its own distortion and jitter count as those of
        the digitiser.

    Raises
    ------
    SpectrumError
        If the record is too short, clipped, larger than the full scale, or not one record.
    """
    rate = require_rate(rate)
    found = read_samples(samples, rate=rate, least=64, clipped=False)
    if found.ndim != 1:
        msg = f"the dynamic test takes one record, got {dict(found.sizes)}; choose one by isel"
        raise SpectrumError(msg)
    if not require_number(full_scale, "full_scale") > 0.0 or np.ptp(found.values) > full_scale * (1.0 + 1e-9):
        msg = f"full_scale must be above the {np.ptp(found.values):g} that the record spans, got {full_scale!r}"
        raise SpectrumError(msg)
    if harmonics < 2:  # noqa: PLR2004 - the second is the first that distorts
        msg = f"harmonics must be at least 2, got {harmonics}"
        raise SpectrumError(msg)
    units = str(found.attrs.get("units", "1"))
    fit = sine_fit(found, rate=rate)
    sine = quantities(fit)
    _require_cycles(sine["frequency"].value * found.size / rate)
    nad = _rms(float(fit["residual_rms"]), found.size, units, "noise and distortion")
    lines, noise, left_out = _harmonics(found.values, sine["frequency"].value / rate, harmonics, units)
    signal = sine["amplitude"] / math.sqrt(2.0)
    sfdr, spur = _spur(found.values, sine["frequency"].value / rate, rate)
    ratio = _root_sum(lines) / sine["amplitude"]
    bits = _logarithm(Quantity(value=full_scale, u=0.0, units=units) / (nad * math.sqrt(12.0)), 1.0 / math.log(2.0))
    return DynamicTest(
        sine=sine, noise_and_distortion=nad, sinad=_decibel(signal / nad, "SINAD"),
        snr=_decibel(signal / _rms(noise, found.size, units, "noise"), "SNR"), enob=bits, thd=_decibel(ratio, "THD"),
        sfdr=sfdr, spur=spur, harmonics=lines,
        notes=tuple(f"harmonic {k} falls on another line and is left out" for k in left_out),
    )  # fmt: skip


def _require_cycles(cycles: float) -> None:
    if cycles < 5.0:  # noqa: PLR2004 - IEEE 1057, 4.1.5.1
        msg = f"the record holds {cycles:.1f} cycles; the test needs five: take a longer record"
        raise SpectrumError(msg)


def _rms(value: float, count: int, units: str, label: str) -> Quantity:
    return Quantity(value=value, u=value / math.sqrt(2.0 * count), units=units, dof=count - 4, label=label)


def _logarithm(ratio: Quantity, scale: float, units: str = "1") -> Quantity:
    """Return scale ln(ratio) with the sources of the ratio."""
    value = scale * math.log(ratio.value) if ratio.value > 0.0 else -math.inf
    parts = {source: scale * part / ratio.value for source, part in ratio.parts().items()} if ratio.value else {}
    return Quantity.from_components(value, parts, units=units, history=ratio.history)


def _decibel(ratio: Quantity, name: str) -> Quantity:
    if ratio.value <= 0.0:
        msg = f"{name}: the record is an exact sine, the ratio is infinite"
        raise SpectrumError(msg)
    return _logarithm(ratio, _DECIBEL, "dB")


def _root_sum(lines: dict[int, Quantity]) -> Quantity:
    total = math.sqrt(sum(each.value**2 for each in lines.values()))
    parts = {
        source: each.value / total * part for each in lines.values() for source, part in each.parts().items()
    } if total else {}  # fmt: skip
    units = next(iter(lines.values())).units
    return Quantity.from_components(total, parts, units=units, label="harmonics")


def _harmonics(y: Array, nu: float, highest: int, units: str) -> tuple[dict[int, Quantity], float, list[int]]:
    """Fit fundamental and harmonics together; return their amplitudes, the rms of the rest, and what coincides."""
    width = 2.0 / y.size
    taken, kept, left_out = [0.0, _folded(nu)], [1], []
    for k in range(2, highest + 1):
        place = _folded(k * nu)
        if any(abs(place - other) < width for other in taken) or 0.5 - place < width:
            left_out.append(k)
        else:
            taken.append(place)
            kept.append(k)
    basis = np.concatenate([design(np.array([k * nu]), y.size)[0, :, :2] for k in kept], axis=1)
    full = np.column_stack([basis, np.ones(y.size)])
    a, *_ = np.linalg.lstsq(full, y, rcond=None)
    rest = y - full @ a
    s = math.sqrt(float(rest @ rest) / (y.size - full.shape[1]))
    u = s * math.sqrt(2.0 / y.size)
    sizes = np.hypot(a[0:-1:2], a[1:-1:2])
    found = {
        k: Quantity(value=float(size), u=u, units=units, dof=y.size - full.shape[1], label=f"harmonic {k}")
        for k, size in zip(kept[1:], sizes[1:], strict=True)
    }
    if not found:
        msg = "no harmonic lies on a line of its own; choose another frequency (waveform.coherent)"
        raise SpectrumError(msg)
    return found, float(np.sqrt(np.mean(rest**2))), left_out


def _folded(nu: float) -> float:
    """Return where a frequency (cycles per sample) appears after sampling."""
    part = nu % 1.0
    return min(part, 1.0 - part)


def _spur(y: Array, nu: float, rate: float) -> tuple[float, float]:
    turns = 2.0 * math.pi * np.arange(y.size) / y.size
    window = sum((-1) ** k * c * np.cos(k * turns) for k, c in enumerate(_HARRIS))
    size = np.abs(np.fft.rfft((y - y.mean()) * window))
    fundamental = round(nu * y.size)
    low, high = max(0, fundamental - _LOBE), fundamental + _LOBE + 1
    top = size[low:high].max()
    others = size.copy()
    others[low:high] = 0.0
    others[:_LOBE] = 0.0
    place = int(others.argmax())
    return float(20.0 * np.log10(top / max(others[place], np.finfo(float).tiny))), place * rate / y.size
