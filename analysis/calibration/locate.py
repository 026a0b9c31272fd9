"""Where the lines of a spectrum are: positions in channels, with their noise.

Each line gets a window that ends where its neighbour begins; all windows are fitted in one call of
`analysis.peaks.fit`. Not here: which line is which (`analysis.calibration.match`).
"""

from dataclasses import dataclass

import lmfit
import numpy as np
import numpy.typing as npt
import xarray as xr
from lmfit.models import ConstantModel, GaussianModel, LinearModel, PseudoVoigtModel

from analysis import peaks
from analysis.core import CHANNEL, CalibrationError, require_axis, require_spectrum

Array = npt.NDArray[np.float64]
OFFSET = "offset"
_WIDEST = 1.25
FWHM_PER_SIGMA = 2.0 * np.sqrt(2.0 * np.log(2.0))


@dataclass(frozen=True, kw_only=True)
class Located:
    """Fitted lines of one spectrum; every array has the shape (peak,)."""

    channel: Array
    """Position in channels, counted from 0."""
    u: Array
    """Standard uncertainty of the position from noise and misfit, in channels."""
    dof: Array
    """Degrees of freedom of `u`."""
    height: Array
    """In units of the signal."""
    u_height: Array
    """Standard uncertainty of the height, in units of the signal."""
    fwhm: Array
    """In channels."""
    usable: npt.NDArray[np.bool_]
    """False where the fit failed."""
    saturated: npt.NDArray[np.bool_]
    """True where the window holds a saturated channel."""


def require_one(spectrum: xr.Dataset | xr.DataArray) -> xr.Dataset:
    """Return one spectrum after its check.

    Parameters
    ----------
    spectrum:
        One spectrum.

    Returns
    -------
    :
        A Dataset with `signal`.

    Raises
    ------
    CalibrationError
        If there is more than one spectrum.
    """
    dataset = require_spectrum(spectrum)
    dims = dataset["signal"].dims
    if len(dims) != 1:
        first = ", ".join(f"{dim}=0" for dim in dims[:-1])
        msg = f"one spectrum is needed to find lines; got dims {dims}. Take one or their mean first: isel({first})"
        raise CalibrationError(msg)
    return dataset


def coordinate(spectrum: xr.Dataset | xr.DataArray, axis: str | None) -> xr.DataArray:
    """Return the coordinate that positions are given in.

    Parameters
    ----------
    spectrum:
        One spectrum.
    axis:
        Its name; None takes `pixel` where there is one, else the channel number.

    Returns
    -------
    :
        A 1-D coordinate along `channel`; its name is `pixel` for the channel number.

    Raises
    ------
    SpectrumError
        If there is no such axis.
    CalibrationError
        If there is more than one spectrum.
    """
    dataset = require_one(spectrum)
    if axis is not None:
        return require_axis(dataset, axis)
    if "pixel" in dataset.coords:
        return require_axis(dataset, "pixel")
    number = np.arange(dataset.sizes[CHANNEL], dtype=float)
    return xr.DataArray(number, dims=CHANNEL, name="pixel", attrs={"units": "1", "long_name": "channel number"})


def to_coordinate(channel: Array, coordinate_: xr.DataArray) -> tuple[Array, Array]:
    """Turn positions in channels into a coordinate.

    Parameters
    ----------
    channel:
        Positions (peak,), counted from 0.
    coordinate_:
        The coordinate along `channel`.

    Returns
    -------
    :
        Positions (peak,) in its units, and its step per channel there.
    """
    values = np.asarray(coordinate_.values, dtype=float)
    number = np.arange(values.size)
    step = np.gradient(values) if values.size > 1 else np.ones(1)
    return np.interp(channel, number, values), np.interp(channel, number, step)


def locate_all(spectrum: xr.Dataset, *, min_snr: float) -> Located:
    """Find and fit every line of a lamp spectrum.

    Parameters
    ----------
    spectrum:
        One spectrum.
    min_snr:
        Lowest height of a line over the noise.

    Returns
    -------
    :
        The lines, rising in position.

    Raises
    ------
    CalibrationError
        If there is no line.
    """
    number = np.arange(spectrum.sizes[CHANNEL], dtype=float)
    bare = xr.Dataset(
        {"signal": (CHANNEL, spectrum["signal"].values.astype(float), spectrum["signal"].attrs)},
        coords={"number": (CHANNEL, number, {"units": "1"})},
    )
    found = peaks.find(bare, axis="number", min_snr=min_snr)
    kept = np.isfinite(found["position"].values)
    centre = found["position"].values[kept]
    if centre.size == 0:
        msg = f"no line stands {min_snr:g} times above the noise; check that this is a lamp spectrum, or lower min_snr"
        raise CalibrationError(msg)
    order = np.argsort(centre)
    width = np.median(found["width"].values[kept])
    return fit_windows(spectrum, centre[order], half=max(2.0, 1.3 * float(width)), band=False)


def fit_windows(spectrum: xr.Dataset, centre: Array, *, half: float, band: bool) -> Located:
    """Fit one line in a window around each of several channels.

    Parameters
    ----------
    spectrum:
        One spectrum.
    centre:
        Rough positions in channels (peak,).
    half:
        Half the window, in channels; a window ends earlier where the signal rises again.
    band:
        False fits a Gaussian on a constant, at most 1.25 `half` wide (lamp lines, which share the width of the
        instrument); True a pseudo-Voigt on a line (bands of a solid).

    Returns
    -------
    :
        The lines, in the order of `centre`.
    """
    signal = spectrum["signal"].values.astype(float)
    reach = int(np.ceil(half))
    offset = np.arange(-reach, reach + 1)
    middle = np.rint(centre).astype(int)
    place = middle[:, None] + offset
    inside = (place >= 0) & (place < signal.size)
    window = np.where(inside, signal[np.clip(place, 0, signal.size - 1)], np.nan)
    if not band:
        window = np.stack([_own_part(row, reach) for row in window])
    windows = xr.Dataset(
        {"signal": (("line", CHANNEL), window, {"units": spectrum["signal"].attrs.get("units", "1")})},
        coords={OFFSET: (CHANNEL, offset.astype(float), {"units": "1"})},
    )
    model, params, start = _model(window, centre - middle, half, band=band)
    fit = peaks.fit(windows, model, params, axis=OFFSET, start=start)
    value, stderr = fit["value"].sel(parameter="center").values, fit["stderr"].sel(parameter="center").values
    height, u_height = fit["value"].sel(parameter="height").values, fit["stderr"].sel(parameter="height").values
    converged = fit["status"].values == peaks.Status.CONVERGED
    good = converged & np.isfinite(stderr) & (np.abs(value) <= half) & (height > u_height)
    flagged = (
        spectrum["saturated"].values.astype(bool) if "saturated" in spectrum else np.zeros(signal.size, dtype=bool)
    )
    return Located(
        channel=middle + value,
        u=stderr,
        dof=np.maximum(fit["ndata"].values - len(start), 1.0),
        height=height,
        u_height=u_height,
        fwhm=fit["value"].sel(parameter="fwhm").values,
        usable=good,
        saturated=np.asarray((flagged[np.clip(place, 0, signal.size - 1)] & np.isfinite(window)).any(axis=1)),
    )


def _own_part(row: Array, reach: int) -> Array:
    """Keep the window from the valley on the left of its middle to the valley on the right, NaN elsewhere."""
    filled = np.where(np.isfinite(row), row, np.inf)
    top = reach - 1 + int(np.argmax(np.where(np.isfinite(row), row, -np.inf)[reach - 1 : reach + 2]))
    first = int(np.argmin(filled[: top + 1]))
    last = top + int(np.argmin(filled[top:]))
    first, last = min(first, top - 2), max(last, top + 2)
    number = np.arange(row.size)
    return np.where((number >= first) & (number <= last), row, np.nan)


def _model(
    window: Array, centre: Array, half: float, *, band: bool
) -> tuple[lmfit.model.CompositeModel, lmfit.Parameters, dict[str, Array]]:
    low, high = np.nanmin(window, axis=1), np.nanmax(window, axis=1)
    sigma = np.full(centre.size, half / (2.5 if band else 1.3) / FWHM_PER_SIGMA)
    height = np.maximum(high - low, np.finfo(float).tiny)
    if band:
        model = PseudoVoigtModel() + LinearModel(prefix="bg_")
        params = model.make_params(center=0.0, sigma=1.0, amplitude=1.0, fraction=0.5, bg_intercept=0.0, bg_slope=0.0)
        start = {"bg_intercept": low, "center": centre, "sigma": sigma, "amplitude": height * sigma * 2.5}
    else:
        model = GaussianModel() + ConstantModel(prefix="bg_")
        params = model.make_params(center=0.0, sigma=1.0, amplitude=1.0, bg_c=0.0)
        start = {"bg_c": low, "center": centre, "sigma": sigma, "amplitude": height * sigma * np.sqrt(2 * np.pi)}
    params["sigma"].set(min=0.05, max=4 * half if band else _WIDEST * half / FWHM_PER_SIGMA)
    params["center"].set(min=-half, max=half)
    return model, params, start
