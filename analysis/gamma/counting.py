"""What a pulse-height spectrum must be before it is evaluated, and what dead time does to rates.

Not here: peaks (`analysis.gamma.search`, `analysis.gamma.photopeak`).
Reference: Knoll, Radiation Detection and Measurement, 4th ed., ch. 4.VII (models of dead time).
"""

import math
from typing import Literal

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy.special import lambertw

from analysis.core import CHANNEL, CalibrationError, SpectrumError, axes, require_axis, require_spectrum, units
from analysis.uncertainty import Quantity

__all__ = ["dead_share", "require_counts", "true_rate"]

Floats = npt.NDArray[np.float64]
SWAMPED = 0.5  # share of the time above which the correction of the live time is not trusted
PHOTONS = ("pixel", "energy", "channel_number")


def require_counts(spectrum: xr.Dataset | xr.DataArray, axis: str) -> tuple[Floats, Floats]:
    """Return axis and counts of a pulse-height spectrum after its check.

    Parameters
    ----------
    spectrum:
        One spectrum of raw counts; if it has the attributes `live_time_s` and `real_time_s` they are looked at.
    axis:
        Name of the coordinate: channels or energy.

    Returns
    -------
    :
        Axis and counts, dims `(channel,)`.

    Raises
    ------
    SpectrumError
        If it is no pulse-height spectrum, is empty, holds no raw counts, or the detector was swamped.
    """
    dataset = require_spectrum(spectrum)
    if axis not in PHOTONS or axis not in dataset.coords:
        msg = (
            f"a pulse-height spectrum has the axis 'pixel' or 'energy'; got {axis!r}, this spectrum has "
            f"{axes(dataset)}. Is it a gamma or X-ray spectrum? If so: "
            f"spectrum.assign_coords(energy=('{CHANNEL}', energies, {{'units': 'keV'}}))"
        )
        raise SpectrumError(msg)
    signal = dataset["signal"]
    if signal.ndim != 1:
        msg = f"wanted one spectrum, got dims {signal.dims}. Choose one: spectrum.isel(...)"
        raise SpectrumError(msg)
    counts = signal.values.astype(float)
    if not np.isfinite(counts).all() or not counts.any():
        msg = f"the spectrum is empty: {int(np.count_nonzero(counts > 0))} of {counts.size} channels hold counts"
        raise SpectrumError(msg + ". Look at the file, or crop to channels that were counted")
    wrong = counts[(counts < 0.0) | (counts != np.round(counts))]
    if wrong.size:
        msg = f"wanted raw counts, whole numbers >= 0, got {wrong[0]:g}. Give counts with their background, no rates"
        raise SpectrumError(msg)
    dead_share(dataset)
    return require_axis(dataset, axis).values.astype(float), counts


def dead_share(spectrum: xr.Dataset) -> float | None:
    """Return the share of the time in which the detector was dead.

    Parameters
    ----------
    spectrum:
        With the attributes `live_time_s` and `real_time_s`, as files of analysers have them.

    Returns
    -------
    :
        1 - live / real, or None if a time is not known.

    Raises
    ------
    SpectrumError
        If the times cannot be, or the detector was dead for more than half of the time.
    """
    if "live_time_s" not in spectrum.attrs or "real_time_s" not in spectrum.attrs:
        return None
    live, real = float(spectrum.attrs["live_time_s"]), float(spectrum.attrs["real_time_s"])
    if not 0.0 < live <= real:
        msg = f"wanted 0 < live time <= real time, got {live:g} s and {real:g} s. Look at the header of the file"
        raise SpectrumError(msg)
    share = 1.0 - live / real
    if share > SWAMPED:
        msg = (
            f"the detector was dead for {100 * share:.0f} % of the time; its live time is trusted up to "
            f"{100 * SWAMPED:.0f} %. Measure farther away or with an absorber"
        )
        raise SpectrumError(msg)
    return share


def true_rate(
    measured: Quantity, dead_time: Quantity, *, model: Literal["nonparalyzable", "paralyzable"] = "nonparalyzable"
) -> Quantity:
    """Correct a rate for the dead time of the detector.

    Parameters
    ----------
    measured:
        Rate, in 1/s or a unit that converts to it.
    dead_time:
        After each pulse, a time.
    model:
        `"nonparalyzable"`: n = m / (1 - m τ); `"paralyzable"`: m = n exp(-n τ), its lower branch.

    Returns
    -------
    :
        The rate without dead time, 1/s; correlated with both inputs.

    Raises
    ------
    CalibrationError
        If the model is not known, or the detector was dead too long for any correction.
    """
    m, tau = units.convert(measured.value, measured.units, "s-1"), units.convert(dead_time.value, dead_time.units, "s")
    if model not in ("nonparalyzable", "paralyzable"):
        msg = f"got model {model!r}, wanted 'nonparalyzable' or 'paralyzable'"
        raise CalibrationError(msg)
    share = m * tau
    most = SWAMPED if model == "nonparalyzable" else 1.0 / math.e
    if m < 0.0 or tau < 0.0 or share >= most:
        msg = f"rate x dead time is {share:.3g}, wanted 0 to {most:.3g} for {model}. Measure at a lower rate"
        raise CalibrationError(msg)
    if model == "nonparalyzable":
        n = m / (1.0 - share)
        by_m, by_tau = 1.0 / (1.0 - share) ** 2, n * n
    else:
        n = float(-lambertw(-share).real / tau) if tau else m
        by_m, by_tau = math.exp(n * tau) / (1.0 - n * tau), n * n / (1.0 - n * tau)
    parts: dict[object, float] = {}
    for given, unit, slope in ((measured, "s-1", by_m), (dead_time, "s", by_tau)):
        scale = slope * units.convert(1.0, given.units, unit)
        for source, part in (given.components or {}).items():
            parts[source] = parts.get(source, 0.0) + scale * part
    return Quantity.from_components(n, parts, units="s-1", label="true rate")  # type: ignore[arg-type]
