"""Rabi and Ramsey oscillations: damped cosines whose starting values are looked for on a grid, then `peaks.fit`.

Not here: resonances against frequency (`analysis.quantum.odmr`).
"""

from collections.abc import Callable

import lmfit
import numpy as np
import numpy.typing as npt
import xarray as xr

from analysis import peaks
from analysis.core import CHANNEL, ModelError, SpectrumError, history, require_axis, require_spectrum
from analysis.quantum.constants import SPLITTING, SPREAD, Isotope

__all__ = ["fit_rabi", "fit_ramsey", "rabi", "ramsey"]

Array = npt.NDArray[np.float64]
_DECAYS = (0.1, 0.2, 0.4, 0.8, 1.6)
"""Tried, in lengths of the record."""
_FINE = 4
"""Frequencies tried in each step of the spectrum of the record."""
_LEAST_SAMPLES = 12


def rabi(t: Array, offset: float, amplitude: float, frequency: float, decay: float, power: float) -> Array:  # noqa: PLR0917
    """Return offset + amplitude cos(2π frequency t) exp(-(t/decay)^power).

    Parameters
    ----------
    t:
        Length of the pulse.
    offset, amplitude, frequency, decay, power:
        As in the formula.

    Returns
    -------
    :
        Fluorescence.
    """
    return offset + amplitude * np.cos(2.0 * np.pi * frequency * t) * np.exp(-((t / decay) ** power))


def ramsey(  # noqa: PLR0917 - as lmfit reads parameters from the signature
    t: Array, offset: float, amplitude: float, detuning: float, splitting: float, decay: float, power: float, lines: int
) -> Array:
    """Return the mean of one damped cosine for each hyperfine line.

    Parameters
    ----------
    t:
        Free evolution time.
    offset, amplitude:
        As in `rabi`.
    detuning:
        Of the middle of the multiplet from the microwave.
    splitting:
        Distance of its lines.
    decay, power:
        As in `rabi`.
    lines:
        How many: 1, 2 or 3.

    Returns
    -------
    :
        Fluorescence.
    """
    phase = np.pi * splitting * t
    beats = (np.ones_like(t), np.cos(phase), (1.0 + 2.0 * np.cos(2.0 * phase)) / 3.0)
    return offset + amplitude * beats[int(lines) - 1] * np.cos(2.0 * np.pi * detuning * t) * np.exp(
        -((t / decay) ** power)
    )


def fit_rabi(spectrum: xr.Dataset | xr.DataArray, *, axis: str = "time", power: float = 1.0) -> xr.Dataset:
    """Fit Rabi oscillations.

    Parameters
    ----------
    spectrum:
        Fluorescence against the length of the pulse, dims `(*batch, channel)`.
    axis:
        The time axis; it begins at a pulse of no length or close to it.
    power:
        1 for an exponential decay, 2 for a Gaussian one; > 0.

    Returns
    -------
    :
        As `peaks.fit`, with `offset`, `amplitude`, `frequency`, `decay`; `quantum.quantity` gives each.

    Raises
    ------
    SpectrumError
        If there are fewer than 12 samples or the axis does not begin at 0 or above.
    """
    model = lmfit.Model(rabi)
    params = model.make_params(offset=0.0, amplitude=1.0, frequency=1.0, decay=1.0, power=power)
    fit = _fit(spectrum, model, params, axis=axis, leading="frequency", fixed={"power": power})
    return history.record(
        fit, "quantum.fit_rabi", settings={"axis": axis, "power": power}, inputs={"spectrum": spectrum}
    )


def fit_ramsey(
    spectrum: xr.Dataset | xr.DataArray,
    *,
    axis: str = "time",
    isotope: Isotope | None = "14N",
    power: float = 2.0,
    splitting: float | None = None,
) -> xr.Dataset:
    """Fit Ramsey fringes: T2* and the detuning, through the beats of the hyperfine lines.

    Parameters
    ----------
    spectrum:
        Fluorescence against free evolution time, dims `(*batch, channel)`.
    axis:
        The time axis, in µs where `splitting` is None.
    isotope:
        `"14N"`, `"15N"`, or None where one line only is driven.
    power:
        1 for an exponential decay, 2 for a Gaussian one; > 0.
    splitting:
        Distance of the lines where the fit begins, in 1/units of the axis; None takes that of the isotope in MHz.

    Returns
    -------
    :
        As `peaks.fit`, with `offset`, `amplitude`, `detuning` (its magnitude), `splitting` and `decay` (T2*).

    Raises
    ------
    ModelError
        If `isotope` is unknown.
    SpectrumError
        As for `fit_rabi`.
    """
    if isotope is not None and isotope not in SPREAD:
        msg = f"isotope must be one of {sorted(SPREAD)} or None, got {isotope!r}"
        raise ModelError(msg)
    lines = 1 if isotope is None else len(SPREAD[isotope])
    apart = 0.0 if isotope is None else SPLITTING[isotope] if splitting is None else splitting
    model = lmfit.Model(ramsey)
    params = model.make_params(
        offset=0.0, amplitude=1.0, detuning=1.0, splitting=apart, decay=1.0, power=power, lines=lines
    )
    params["splitting"].set(min=0.0, vary=lines > 1)
    fixed = {"power": power, "splitting": apart, "lines": lines}
    fit = _fit(spectrum, model, params, axis=axis, leading="detuning", fixed=fixed)
    settings = {"axis": axis, "isotope": isotope, "power": power, "splitting": splitting}
    return history.record(fit, "quantum.fit_ramsey", settings=settings, inputs={"spectrum": spectrum})


def _fit(
    spectrum: xr.Dataset | xr.DataArray,
    model: lmfit.Model,
    params: lmfit.Parameters,
    *,
    axis: str,
    leading: str,
    fixed: dict[str, float],
) -> xr.Dataset:
    dataset = require_spectrum(spectrum)
    place = np.asarray(require_axis(dataset, axis).values, dtype=float)
    if place.size < _LEAST_SAMPLES or place.min() < 0.0:
        msg = (
            f"an oscillation needs {_LEAST_SAMPLES} samples at times of 0 and above; got {place.size} from "
            f"{place.min():g}. Crop, or shift the axis to where the pulse begins"
        )
        raise SpectrumError(msg)
    for each in ("power", "lines"):
        if each in params:
            params[each].set(vary=False)
    params[leading].set(min=0.0)
    params["decay"].set(min=1e-3 * float(np.ptp(place)))
    start = _starts(dataset["signal"], place, model.func, leading, fixed)
    return peaks.fit(dataset, model, params, axis=axis, start=start)


def _starts(
    signal: xr.DataArray, place: Array, function: Callable[..., Array], leading: str, fixed: dict[str, float]
) -> dict[str, xr.DataArray]:
    """Try frequencies and decays; offset and amplitude follow linearly for each."""
    length = float(np.ptp(place))
    frequencies = np.arange(0.5, 0.5 * place.size, 1.0 / _FINE) / length
    tried = [(frequency, decay * length) for frequency in frequencies for decay in _DECAYS]
    shapes = np.stack([function(place, offset=0.0, amplitude=1.0, **{leading: f}, decay=d, **fixed) for f, d in tried])
    shapes -= shapes.mean(axis=1, keepdims=True)
    size = (shapes**2).sum(axis=1)
    rows = signal.values.astype(float)
    middle = rows.mean(axis=-1, keepdims=True)
    product = (rows - middle) @ shapes.T
    best = (product**2 / size).argmax(axis=-1)
    dims = [dim for dim in signal.dims if dim != CHANNEL]
    amplitude = np.take_along_axis(product, best[..., None], axis=-1)[..., 0] / size[best]
    chosen = np.array(tried)[best]
    values = {leading: chosen[..., 0], "decay": chosen[..., 1], "amplitude": amplitude, "offset": middle[..., 0]}
    return {name: xr.DataArray(value, dims=dims) for name, value in values.items()}
