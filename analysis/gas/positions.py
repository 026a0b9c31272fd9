"""Positions of the lines of a band, each from a fit of its own, for combination differences.

A line is fitted as the interferometer sees it: Voigt by Beer and Lambert, then the instrument line shape. A line shape
of another kind would shift positions by how the channels happen to lie on the line.
Not here: what they tell of the molecule (`analysis.gas.structure`), the fit of the whole band (`analysis.gas.fitting`).
"""

import math

import lmfit
import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy import special

from analysis import peaks
from analysis.core import CHANNEL, SpectrumError
from analysis.gas.band import LINE, REFERENCE, Band
from analysis.gas.door import AXIS, require_records
from analysis.gas.interferometer import Interferometer
from analysis.gas.transmittance import doppler
from analysis.uncertainty import Quantity

__all__ = ["line_positions"]

Floats = npt.NDArray[np.float64]
FEWEST = 12
SHALLOW = 10.0
FINE = 1.5e-3
BESIDE = 0.5
"""How far a window is computed beyond its ends, cm-1."""


def line_positions(
    spectrum: xr.Dataset,
    band: Band,
    *,
    interferometer: Interferometer,
    half_width: float = 0.2,
    scale: Quantity | None = None,
) -> dict[str, Quantity]:
    """Fit each line of a band alone and return where it stands.

    Parameters
    ----------
    spectrum:
        One spectrum of transmittance against `wavenumber`, cm-1, of a pressure so low that lines stand alone.
    band:
        Where to look.
    interferometer:
        What measured it; with apodisation the lines disturb each other less.
    half_width:
        What belongs to a line on either side, cm-1.
    scale:
        Error of the wavenumbers as a factor: a Quantity of value 0, units `"1"`. One source for all lines.

    Returns
    -------
    :
        Wavenumber of each line that rises ten times above its u, by name (`"R5"`).

    Raises
    ------
    SpectrumError
        If the window holds too few channels, or no line is found.
    """
    dataset, _ = require_records(spectrum, usual=1.0)
    if dataset.sizes["record"] != 1:
        msg = f"wanted one spectrum, got {dataset.sizes['record']} records. Choose one: spectra.isel(record=0)"
        raise SpectrumError(msg)
    one = dataset.isel(record=0)
    x = np.asarray(one[AXIS].values, dtype=float)
    spacing = float(np.median(np.diff(x)))
    reach = int(half_width / spacing)
    if 2 * reach + 1 < FEWEST:
        msg = f"{2 * reach + 1} channels of {spacing:g} cm-1 lie in a window of ± {half_width:g}; {FEWEST} are needed"
        raise SpectrumError(msg)
    lines = band.lines(x[reach], x[-reach - 1])
    middle = np.abs(x[:, None] - lines["wavenumber"].values).argmin(axis=0)
    cut = middle[:, None] + np.arange(-reach, reach + 1)
    offset = np.asarray(spacing * np.arange(-reach, reach + 1), dtype=np.float64)
    sigma = float(doppler(band, float(lines["wavenumber"].mean()), REFERENCE))
    fitted = _fit(one, cut, offset, _model(offset, sigma, interferometer))
    found = {}
    for k, name in enumerate(str(each) for each in lines[LINE].values):
        here = fitted.isel({LINE: k})
        depth, u = (float(here[each].sel(parameter="area")) for each in ("value", "stderr"))
        if int(here["status"]) == peaks.Status.CONVERGED and depth > SHALLOW * u:
            found[name] = _position(fitted, k, float(x[middle[k]]), name, scale)
    if not found:
        msg = f"none of the {lines.sizes[LINE]} lines of {band.name} stands ten times above its u. Is this the gas?"
        raise SpectrumError(msg)
    return found


def _fit(one: xr.Dataset, cut: npt.NDArray[np.int64], offset: Floats, model: lmfit.Model) -> xr.Dataset:
    names = [name for name in ("signal", "u_signal") if name in one]
    windows = xr.Dataset(
        {name: ((LINE, CHANNEL), one[name].values[cut], {"units": "1"}) for name in names},
        coords={"offset": (CHANNEL, offset, {"units": "cm-1"})},
    )
    level = np.nanquantile(windows["signal"].values, 0.9, axis=1)
    missing = np.nansum(1.0 - windows["signal"].values / level[:, None], axis=1) * (offset[1] - offset[0])
    params = model.make_params(area=0.02, center=0.0, gamma=0.003, level=1.0, slope=0.0)
    params["area"].set(min=0.0)
    params["gamma"].set(min=0.0, max=float(offset[-1]))
    params["center"].set(min=0.25 * float(offset[0]), max=0.25 * float(offset[-1]))
    start = {"level": xr.DataArray(level, dims=LINE), "area": xr.DataArray(np.maximum(missing, 1e-5), dims=LINE)}
    return peaks.fit(windows, model, params, axis="offset", start=start)


def _model(offset: Floats, sigma: float, interferometer: Interferometer) -> lmfit.Model:
    """Write one line on the channels of a window, as the interferometer sees it."""
    end = float(offset[-1]) + BESIDE
    fine = np.linspace(-end, end, 2 * math.ceil(end / FINE) + 1)
    seen = interferometer.line_shape(fine[:, None] - offset) * (fine[1] - fine[0])

    def line(offset: Floats, area: float, center: float, gamma: float, level: float, slope: float) -> Floats:  # noqa: PLR0917
        depth = area * special.voigt_profile(fine - center, sigma, gamma)
        return np.asarray((level + slope * offset) * (1.0 + np.expm1(-depth) @ seen))

    return lmfit.Model(line)


def _position(fitted: xr.Dataset, k: int, middle: float, name: str, scale: Quantity | None) -> Quantity:
    offset = peaks.quantity(fitted, "center", at={LINE: k})
    parts = dict(offset.components or {})
    value = middle + offset.value
    for source, part in ((scale.components or {}) if scale is not None else {}).items():
        parts[source] = parts.get(source, 0.0) + value * part
    return Quantity.from_components(value, parts, units="cm-1", label=f"line {name}", history=offset.history)
