"""Positions of the lines of a band, each from a fit of its own, for combination differences.

Not here: what they tell of the molecule (`analysis.gas.structure`), the fit of the whole band (`analysis.gas.fitting`).
"""

import lmfit
import numpy as np
import xarray as xr

from analysis import peaks
from analysis.core import CHANNEL, SpectrumError
from analysis.gas.band import LINE, Band
from analysis.gas.door import AXIS, require_records
from analysis.uncertainty import Quantity

__all__ = ["absorbance", "line_positions"]

DARK = 0.05
FEWEST = 12
SHALLOW = 10.0


def absorbance(spectrum: xr.Dataset) -> xr.Dataset:
    """Turn transmittance into absorbance (natural logarithm).

    Parameters
    ----------
    spectrum:
        Transmittance with `u_signal`, dims `(*batch, channel)`.

    Returns
    -------
    :
        -ln T with its `u_signal`; NaN where less than 5 % of the light arrives, as noise there is not symmetric.
    """
    light = spectrum["signal"].where(spectrum["signal"] > DARK)
    made = spectrum.assign(signal=xr.DataArray(-np.log(light), attrs={"units": "1", "long_name": "absorbance"}))
    if "u_signal" in spectrum:
        made["u_signal"] = (spectrum["u_signal"] / light).fillna(1.0).assign_attrs(units="1")
    return made


def line_positions(
    spectrum: xr.Dataset, band: Band, *, half_width: float = 0.4, scale: Quantity | None = None
) -> dict[str, Quantity]:
    """Fit each line of a band alone and return where it stands.

    Parameters
    ----------
    spectrum:
        One spectrum of transmittance against `wavenumber`, cm-1, of low pressure and with apodisation, so that lines
        are symmetric and stand alone.
    band:
        Where to look.
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
    one = absorbance(dataset.isel(record=0))
    x = np.asarray(one[AXIS].values, dtype=float)
    spacing = float(np.median(np.diff(x)))
    reach = int(half_width / spacing)
    if 2 * reach + 1 < FEWEST:
        msg = f"{2 * reach + 1} channels of {spacing:g} cm-1 lie in a window of ± {half_width:g}; {FEWEST} are needed"
        raise SpectrumError(msg)
    lines = band.lines(x[reach], x[-reach - 1])
    middle = np.abs(x[:, None] - lines["wavenumber"].values).argmin(axis=0)
    cut = middle[:, None] + np.arange(-reach, reach + 1)
    fitted = _fit(one, cut, spacing, reach)
    found = {}
    for k, name in enumerate(str(each) for each in lines[LINE].values):
        here = fitted.isel({LINE: k})
        depth, u = (float(here[each].sel(parameter="line_amplitude")) for each in ("value", "stderr"))
        if int(here["status"]) == peaks.Status.CONVERGED and depth > SHALLOW * u:
            found[name] = _position(fitted, k, float(x[middle[k]]), name, scale)
    if not found:
        msg = f"none of the {lines.sizes[LINE]} lines of {band.name} stands ten times above its u. Is this the gas?"
        raise SpectrumError(msg)
    return found


def _fit(one: xr.Dataset, cut: np.ndarray, spacing: float, reach: int) -> xr.Dataset:
    windows = xr.Dataset(
        {
            name: ((LINE, CHANNEL), one[name].values[cut], {"units": "1"})
            for name in ("signal", "u_signal")
            if name in one
        },
        coords={"offset": (CHANNEL, spacing * np.arange(-reach, reach + 1), {"units": "cm-1"})},
    )
    model = lmfit.models.VoigtModel(prefix="line_") + lmfit.models.LinearModel(prefix="base_")
    params = model.make_params(
        line_center=0.0, line_sigma=3.0 * spacing, line_gamma=spacing, line_amplitude=spacing, base_slope=0.0,
        base_intercept=0.0,
    )  # fmt: skip
    params["line_gamma"].set(expr="", vary=True, min=0.0)
    params["line_center"].set(min=-0.25 * reach * spacing, max=0.25 * reach * spacing)
    start = {"line_amplitude": xr.DataArray(np.nansum(windows["signal"].values, axis=1) * spacing, dims=LINE)}
    return peaks.fit(windows, model, params, axis="offset", start=start)


def _position(fitted: xr.Dataset, k: int, middle: float, name: str, scale: Quantity | None) -> Quantity:
    offset = peaks.quantity(fitted, "line_center", at={LINE: k})
    parts = dict(offset.components or {})
    value = middle + offset.value
    for source, part in ((scale.components or {}) if scale is not None else {}).items():
        parts[source] = parts.get(source, 0.0) + value * part
    return Quantity.from_components(value, parts, units="cm-1", label=f"line {name}", history=offset.history)
