"""Optically detected magnetic resonance of nitrogen-vacancy centres: two hyperfine multiplets fitted at once.

Not here: what their centres say about the field (`analysis.quantum.field`).
"""

import functools
import operator

import lmfit
import numpy as np
import numpy.typing as npt
import xarray as xr
from lmfit.models import ConstantModel, LorentzianModel
from scipy import ndimage

from analysis import peaks
from analysis.core import CHANNEL, SpectrumError, history, require_axis, require_spectrum
from analysis.core.units import factor
from analysis.quantum.constants import SPLITTING, SPREAD, Isotope

__all__ = ["fit_odmr"]

Array = npt.NDArray[np.float64]
_SIDES = ("lower", "upper")
_LEAST_CHANNELS = 20


def fit_odmr(
    spectrum: xr.Dataset | xr.DataArray,
    *,
    axis: str = "frequency",
    isotope: Isotope = "14N",
    between: float = 2870.0,
    width: float = 0.5,
) -> xr.Dataset:
    """Fit both resonances of one orientation, each a hyperfine multiplet of equal Lorentzian dips.

    Both share the splitting; each has a width and a depth of its own. Starting values are looked for in each spectrum.

    Parameters
    ----------
    spectrum:
        Fluorescence against microwave frequency, dims `(*batch, channel)`.
    axis:
        The frequency axis, in MHz, GHz or Hz.
    isotope:
        `"14N"` (three lines) or `"15N"` (two).
    between:
        A frequency that lies between both resonances, MHz.
    width:
        Half width at half depth of one line where the fit begins, MHz.

    Returns
    -------
    :
        As `peaks.fit`, with the parameters `lower_center`, `upper_center`, `hyperfine` and, for each side, `_sigma`
        (half width) and `_amplitude` (area of one line, negative); `quantum.quantity` gives each.

    Raises
    ------
    SpectrumError
        If the axis is no frequency, or has fewer than 20 channels on one side of `between`.
    ModelError
        If `isotope` is unknown.

    References
    ----------
    Doherty et al., Phys. Rep. 528 (2013) 1, doi:10.1016/j.physrep.2013.02.001.
    """
    if isotope not in SPREAD:
        msg = f"isotope must be one of {sorted(SPREAD)}, got {isotope!r}. Natural nitrogen is 14N"
        raise SpectrumError(msg)
    dataset = require_spectrum(spectrum)
    place = require_axis(dataset, axis)
    scale = factor("MHz", str(place.attrs.get("units", "1")))
    model, params = _model(isotope, scale, width)
    start = _starts(dataset["signal"], np.asarray(place.values, dtype=float), isotope, scale * between, scale)
    fit = peaks.fit(dataset, model, params, axis=axis, start=start)
    settings = {"axis": axis, "isotope": isotope, "between": between, "width": width}
    return history.record(fit, "quantum.fit_odmr", settings=settings, inputs={"spectrum": spectrum})


def _model(isotope: Isotope, scale: float, width: float) -> tuple[lmfit.Model, lmfit.Parameters]:
    spread = SPREAD[isotope]
    names = [f"{side}_{k}_" for side in _SIDES for k in range(len(spread))]
    parts = [LorentzianModel(prefix=name) for name in names]
    model = functools.reduce(operator.add, parts) + ConstantModel(prefix="bright_")
    params = model.make_params()
    params.add("hyperfine", value=scale * SPLITTING[isotope], min=0.0)
    for side in _SIDES:
        params.add(f"{side}_center", value=0.0)
        params.add(f"{side}_sigma", value=scale * width, min=0.0)
        params.add(f"{side}_amplitude", value=-1.0, max=0.0)
        for k, at in enumerate(spread):
            params[f"{side}_{k}_center"].expr = f"{side}_center + {at} * hyperfine"
            params[f"{side}_{k}_sigma"].expr = f"{side}_sigma"
            params[f"{side}_{k}_amplitude"].expr = f"{side}_amplitude"
    return model, params


def _starts(
    signal: xr.DataArray, place: Array, isotope: Isotope, between: float, scale: float
) -> dict[str, xr.DataArray]:
    """Look for the deepest dip of the width of a multiplet on each side."""
    rows = signal.values.astype(float)
    spacing = float(np.abs(np.diff(place)).mean())
    window = max(1, round(scale * SPLITTING[isotope] * len(SPREAD[isotope]) / spacing))
    bright = np.nanquantile(rows, 0.8, axis=-1)
    depth = ndimage.uniform_filter1d(bright[..., None] - np.nan_to_num(rows, nan=0.0), window, axis=-1)
    dims = [dim for dim in signal.dims if dim != CHANNEL]
    start = {"bright_c": xr.DataArray(bright, dims=dims)}
    for side, here in (("lower", place < between), ("upper", place > between)):
        if here.sum() < _LEAST_CHANNELS:
            msg = (
                f"{int(here.sum())} channels lie {'below' if side == 'lower' else 'above'} {between:g}; a fit of both "
                f"resonances needs {_LEAST_CHANNELS}. Measure both, or give between="
            )
            raise SpectrumError(msg)
        best = np.where(here, depth, -np.inf).argmax(axis=-1)
        deep = np.take_along_axis(depth, best[..., None], axis=-1)[..., 0]
        start[f"{side}_center"] = xr.DataArray(place[best], dims=dims)
        area = -np.maximum(deep, 1e-3 * np.ptp(rows, axis=-1)) * window * spacing / len(SPREAD[isotope])
        start[f"{side}_amplitude"] = xr.DataArray(area, dims=dims)
    return start
