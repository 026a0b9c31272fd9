"""Positions of single bands near where they are expected, as quantities.

Serves the laser zero (`analysis.calibration.laser`) and the check of a calibration (`analysis.calibration.checking`).
"""

import hashlib
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import xarray as xr

from analysis.calibration.locate import Located, fit_windows
from analysis.core import history
from analysis.uncertainty import Quantity, Source

Array = npt.NDArray[np.float64]
_LEAST_CHANNELS = 4
_LEAST_SNR = 10.0
_WIDTHS = 1.5


def measure(
    spectrum: xr.Dataset, predicted: Array, expected: Array, *, search: float, half: float
) -> list[Quantity | None]:
    """Fit the strongest peak near each expected band.

    Parameters
    ----------
    spectrum:
        One spectrum.
    predicted:
        The axis that says where to look (channel,).
    expected:
        Bands (band,), in the units of that axis.
    search, half:
        How far from there to look, and half the widest window of the fit, in the units of the axis; the final window
        is 1.5 widths of the band on either side where that holds enough channels, so that its wings count little.

    Returns
    -------
    :
        For each band its position in channels, counted from 0, with its noise; None where the window is not inside
        the spectrum or no peak stands out.
    """
    step = np.abs(np.gradient(predicted))
    found: list[Quantity | None] = []
    for index, band in enumerate(expected):
        near = np.abs(predicted - band) <= search
        if near.sum() < _LEAST_CHANNELS or not predicted.min() + half <= band <= predicted.max() - half:
            found.append(None)
            continue
        found.append(_position(spectrum, near, half / float(np.median(step[near])), index))
    return found


def _position(spectrum: xr.Dataset, near: npt.NDArray[np.bool_], half: float, index: int) -> Quantity | None:
    signal = spectrum["signal"].values.astype(float)
    place = np.flatnonzero(near)
    top = place[int(np.nanargmax(_level(signal[place])))]
    located = fit_windows(spectrum, np.array([float(top)]), half=max(half, _LEAST_CHANNELS), band=True)
    if not located.usable[0]:
        return None
    narrow = float(np.clip(_WIDTHS * located.fwhm[0], _LEAST_CHANNELS, max(half, _LEAST_CHANNELS)))
    again = fit_windows(spectrum, located.channel, half=narrow, band=True)
    located = again if _stands_out(again) else located
    channel, u = float(located.channel[0]), float(located.u[0])
    if not _stands_out(located) or not near[int(np.clip(round(channel), 0, near.size - 1))]:
        return None
    identity = f"{history.head(spectrum)}:{index}:{top}"
    noise = Source(
        id=f"band:{hashlib.blake2b(identity.encode(), digest_size=8).hexdigest()}",
        label="position of the band",
        units="1",
        kind="A",
        dof=float(located.dof[0]),
        origin=str(spectrum.attrs.get("title", "")),
        tags=("noise",),
    )
    return Quantity.from_components(channel, {noise: u}, units="1", label="channel")


def _stands_out(located: Located) -> bool:
    return bool(located.usable[0] and located.height[0] > _LEAST_SNR * located.u_height[0])


def on_axis(channel: Quantity, values: Array, parts: Mapping[Source, Array], unit: str) -> Quantity:
    """Turn a position in channels into one on an axis, with the sources of both.

    Parameters
    ----------
    channel:
        As `measure` returns.
    values:
        The axis (channel,).
    parts:
        Contribution of each source to the axis (channel,), in its units.
    unit:
        Units of the axis.

    Returns
    -------
    :
        The position in units of the axis.
    """
    number = np.arange(values.size)
    slope = float(np.interp(channel.value, number, np.gradient(values)))
    components = {source: slope * part for source, part in channel.parts().items()}
    for source, part in parts.items():
        components[source] = components.get(source, 0.0) + float(np.interp(channel.value, number, part))
    return Quantity.from_components(float(np.interp(channel.value, number, values)), components, units=unit)


def _level(values: Array) -> Array:
    """Take the straight line between the ends off, so that a slope does not win over a band."""
    share = np.linspace(0, 1, values.size)
    return np.asarray(values - (values[0] + share * (values[-1] - values[0])))
