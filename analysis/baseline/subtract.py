"""Taking a baseline off: arithmetic that keeps what plain subtraction loses.

`signal - baseline` in xarray drops attributes, and with them units and history. Not here: estimating the
baseline (`analysis.baseline.whittaker` and its neighbours).
"""

import numpy as np
import xarray as xr

from analysis.core import CHANNEL, SpectrumError, UnitsError, history, require_spectrum
from analysis.uncertainty.sources import SOURCE, Source, attach, detach


def subtract(
    spectrum: xr.Dataset | xr.DataArray, baseline: xr.DataArray | xr.Dataset, *, allow_unconverged: bool = False
) -> xr.Dataset:
    """Subtract a baseline from each spectrum.

    `u_signal` and all sources stay. A baseline of `baseline.ensemble` adds its own sources; any other counts as known
    exactly, and what it does to a line is in the fit only if the fit has a background of its own.

    Parameters
    ----------
    spectrum:
        Spectra, dims `(*batch, channel)`.
    baseline:
        Baselines of the same dims and units, or one for all spectra, dims `(channel,)`; or what `baseline.ensemble`
        returns.
    allow_unconverged:
        Whether to subtract baselines whose estimate did not converge.

    Returns
    -------
    :
        The spectra with new `signal`; a coordinate `baseline_converged` (bool, dims `(*batch,)`) where the
        baseline says it.

    Raises
    ------
    SpectrumError
        If dims, shape or axes do not match, or a baseline did not converge.
    UnitsError
        If the units differ.
    """
    dataset = require_spectrum(spectrum)
    signal = dataset["signal"]
    curve = _require_curve(baseline)
    _require_match(dataset, curve)
    _require_units(signal, curve)
    changed = signal.copy(data=(signal.variable - curve.variable).transpose(*signal.dims).data)
    result = dataset.assign(signal=changed.assign_attrs(signal.attrs))
    if isinstance(baseline, xr.Dataset):
        result = _with_sources(result, baseline)
    if "converged" in curve.coords:
        converged = curve["converged"]
        _require_converged(converged, allowed=allow_unconverged)
        result = result.assign_coords(baseline_converged=converged.variable)
    settings = {"allow_unconverged": allow_unconverged}
    inputs = {"spectrum": spectrum, "baseline": baseline}
    return history.record(result, "baseline.subtract", settings=settings, inputs=inputs)


def _with_sources(result: xr.Dataset, ensemble: xr.Dataset) -> xr.Dataset:
    """Give the signal the sources of an ensemble, beside its own."""
    added = -ensemble["baseline_sources"].transpose(SOURCE, *result["signal"].dims).rename("signal_sources")
    added.attrs = {"units": result["signal"].attrs.get("units", "1"), "long_name": "contributions to signal by source"}
    if SOURCE not in result.dims:
        return result.assign(signal_sources=added.drop_vars("converged", errors="ignore"))
    parts = {**_spread(result), **detach(added.to_dataset(), "signal")}
    return attach(result, "signal", parts, tuple(str(dim) for dim in result["signal"].dims))


def _spread(result: xr.Dataset) -> dict[Source, np.ndarray]:
    """Return the sources that the signal has, spread over all its dims."""
    if "signal_sources" not in result:
        return {}
    sizes = (SOURCE, *result["signal"].dims)
    whole = result["signal_sources"].broadcast_like(result["signal"]).transpose(*sizes)
    return detach(result.assign(signal_sources=whole), "signal")


def _require_curve(baseline: xr.DataArray | xr.Dataset) -> xr.DataArray:
    found = baseline["baseline"] if isinstance(baseline, xr.Dataset) and "baseline" in baseline else baseline
    if not isinstance(found, xr.DataArray):
        kind = type(baseline).__name__
        msg = f"a baseline is a DataArray, as baseline.arpls(spectrum) returns, or an ensemble; got a {kind}"
        raise SpectrumError(msg)
    return found


def _require_match(dataset: xr.Dataset, baseline: xr.DataArray) -> None:
    signal = dataset["signal"]
    if baseline.dims not in {signal.dims, (CHANNEL,)}:
        msg = (
            f"a baseline must have the dims of the signal {signal.dims} or ({CHANNEL!r},); got {baseline.dims}. "
            "Estimate it from this spectrum"
        )
        raise SpectrumError(msg)
    differ = {str(dim): (signal.sizes[dim], size) for dim, size in baseline.sizes.items() if signal.sizes[dim] != size}
    if differ:
        msg = f"the sizes of signal and baseline differ: {differ}. Estimate it from this spectrum, after the crop"
        raise SpectrumError(msg)
    for name, coord in baseline.coords.items():
        if (
            coord.dims == (CHANNEL,)
            and name in dataset.coords
            and not np.array_equal(coord.values, dataset[name].values)
        ):
            msg = f"signal and baseline have different axes {str(name)!r}. Estimate the baseline from this spectrum"
            raise SpectrumError(msg)


def _require_units(signal: xr.DataArray, baseline: xr.DataArray) -> None:
    units, other = signal.attrs.get("units", "1"), baseline.attrs.get("units", "1")
    if units != other:
        msg = (
            f"the signal is in {units!r}, the baseline in {other!r}; wanted the same. Convert one, or set its units: "
            f"baseline.assign_attrs(units={units!r})"
        )
        raise UnitsError(msg)


def _require_converged(converged: xr.DataArray, *, allowed: bool) -> None:
    if allowed or converged.chunks is not None:
        return
    failed = int((~converged).sum())
    if failed:
        msg = (
            f"{failed} of {converged.size} baselines did not converge. Raise max_iterations or tolerance (of an "
            "ensemble look at misfit and is_peak), or subtract them as they are with allow_unconverged=True"
        )
        raise SpectrumError(msg)
