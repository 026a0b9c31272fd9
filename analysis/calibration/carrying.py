"""One linear step on a spectrum: new signal, its noise and its sources, each contribution added where it belongs.

Not here: what the step is (the modules that call it).
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import xarray as xr

from analysis.core import CHANNEL, CalibrationError
from analysis.uncertainty import Source, sources

__all__ = ["LARGEST", "add_parts", "carry", "require_independent", "require_made", "signal_parts"]

Array = npt.NDArray[np.float64]
LARGEST = 50_000_000
CANCELS = 1e-12


def add_parts(first: Mapping[Source, Array], second: Mapping[Source, Array]) -> dict[Source, Array]:
    """Add contributions source by source; what cancels but for rounding is 0.

    Parameters
    ----------
    first, second:
        Contributions of one shape, or shapes that broadcast.

    Returns
    -------
    :
        For each source the sum.
    """
    total = dict(first)
    for source, part in second.items():
        if source not in total:
            total[source] = part
            continue
        ours = total[source]
        added = ours + part
        total[source] = np.where(np.abs(added) > CANCELS * (np.abs(ours) + np.abs(part)), added, 0.0)
    return total


def signal_parts(spectrum: xr.Dataset) -> dict[Source, Array]:
    """Return the sources of the signal, spread over all its dimensions.

    Parameters
    ----------
    spectrum:
        A spectrum.

    Returns
    -------
    :
        For each source its contribution, dims of the signal.
    """
    if "signal_sources" not in spectrum:
        return {}
    signal = spectrum["signal"]
    dims = [str(dim) for dim in spectrum["signal_sources"].dims if dim != sources.SOURCE]
    found = sources.detach(spectrum, "signal")
    template = signal.variable
    return {
        source: xr.Variable(dims, part).set_dims(dict(template.sizes)).transpose(*template.dims).values  # type: ignore[no-untyped-call]
        for source, part in found.items()
    }


def require_made(thing: object, kind: type, made_by: str) -> None:
    """Refuse an argument that is something else than a step needs.

    Parameters
    ----------
    thing:
        As the user gave it.
    kind:
        What it must be.
    made_by:
        What makes one, for the message.

    Raises
    ------
    CalibrationError
        If it is something else.
    """
    if not isinstance(thing, kind):
        msg = f"wanted a {kind.__name__}, as {made_by} makes; got a {type(thing).__name__} {str(thing)[:40]!r}"
        raise CalibrationError(msg)


def require_independent(spectrum: xr.Dataset, step: str) -> None:
    """Refuse `u_signal` where smoothing or mixing has given neighbouring channels the same noise.

    Parameters
    ----------
    spectrum:
        A spectrum.
    step:
        What it was to be used for.

    Raises
    ------
    CalibrationError
        If the attribute `noise_correlated` says so.
    """
    said = spectrum.attrs.get("noise_correlated")
    if said and "u_signal" in spectrum:
        msg = (
            f"{step} needs channels with independent noise, and they are not any more: {said}. Do it before that step, "
            "or drop u_signal and give the noise as sources"
        )
        raise CalibrationError(msg)


def carry(
    spectrum: xr.Dataset, signal: Array, slope: Array, parts: Mapping[Source, Array], *, units: str
) -> xr.Dataset:
    """Return the spectrum with a new signal, and all that its uncertainty comes from.

    Parameters
    ----------
    spectrum:
        As it was; not changed.
    signal:
        New signal, dims of the old one.
    slope:
        Derivative of the new signal by the old one, of a shape that broadcasts.
    parts:
        What the step itself contributes to the new signal by source, of shapes that broadcast.
    units:
        Of the new signal.

    Returns
    -------
    :
        With new `signal`, `u_signal` (noise of the channels, independent as before) and `signal_sources`.

    Raises
    ------
    CalibrationError
        If the sources would take more numbers than memory should.
    """
    old = spectrum["signal"]
    attrs = {**old.attrs, "units": units}
    changed = {"signal": (old.dims, signal, attrs)}
    if "u_signal" in spectrum:
        noise = np.abs(slope) * np.asarray(spectrum["u_signal"].values, dtype=float)
        changed["u_signal"] = (old.dims, noise, {**spectrum["u_signal"].attrs, "units": units})
    result = spectrum.assign(changed)
    given = signal_parts(spectrum)
    union = len(given.keys() | parts.keys())
    if not union:
        return result
    shape = (CHANNEL,) if signal.size == signal.shape[-1] and old.dims == (CHANNEL,) else old.dims
    if old.dims != (CHANNEL,) and union * signal.size > LARGEST:
        msg = (
            f"{union} sources times {signal.size} numbers of a map would be {union * signal.size:.2g} contributions, "
            f"wanted at most {LARGEST:.0e}; apply it to one spectrum at a time, or use a calibration with fewer sources"
        )
        raise CalibrationError(msg)
    moved = {source: slope * part for source, part in given.items()}
    spread = {source: np.broadcast_to(part, signal.shape) for source, part in add_parts(moved, parts).items()}
    return sources.attach(result, "signal", spread, tuple(str(dim) for dim in shape))
