"""Cutting a range of an axis out of spectra.

Not here: choosing a range by hand (a panel), masking inside a range (`analysis.peaks` masks NaN).
"""

import math

import xarray as xr

from analysis.core import CHANNEL, SpectrumError, history, require_axis, require_spectrum


def crop(spectrum: xr.Dataset | xr.DataArray, *, axis: str, low: float, high: float) -> xr.Dataset:
    """Keep the channels whose axis value lies in [low, high].

    Everything along `channel` is cut alike: signal, uncertainty, all axes and their sources.

    Parameters
    ----------
    spectrum:
        Spectra, dims `(*batch, channel)`.
    axis:
        Name of the axis that `low` and `high` refer to.
    low, high:
        Bounds in the units of the axis, both included; an infinite bound leaves that side open.

    Returns
    -------
    :
        The spectra with fewer channels, in the same order.

    Raises
    ------
    SpectrumError
        If there is no such axis, the bounds are not in order, or no channel is left.
    """
    dataset = require_spectrum(spectrum)
    values = require_axis(dataset, axis)
    if math.isnan(low) or math.isnan(high) or low >= high:
        msg = f"crop needs low < high; got low = {low:g}, high = {high:g}. Exchange them?"
        raise SpectrumError(msg)
    keep = ((values >= low) & (values <= high)).values
    if not keep.any():
        msg = (
            f"no channel of {axis!r} lies in [{low:g}, {high:g}]; the axis goes from {float(values.min()):g} to "
            f"{float(values.max()):g} {values.attrs.get('units', '')}. Choose a range inside"
        )
        raise SpectrumError(msg)
    result = dataset.isel({CHANNEL: keep})
    return history.record(
        result, "preprocess.crop", settings={"axis": axis, "low": low, "high": high}, inputs={"spectrum": spectrum}
    )
