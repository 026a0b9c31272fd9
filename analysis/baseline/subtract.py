"""Taking a baseline off: arithmetic that keeps what plain subtraction loses.

`signal - baseline` in xarray drops attributes, and with them units and history. Not here: estimating the
baseline (`analysis.baseline.whittaker` and its neighbours).
"""

import numpy as np
import xarray as xr

from analysis.core import CHANNEL, SpectrumError, UnitsError, history, require_spectrum


def subtract(
    spectrum: xr.Dataset | xr.DataArray, baseline: xr.DataArray, *, allow_unconverged: bool = False
) -> xr.Dataset:
    """Subtract a baseline from each spectrum.

    `u_signal` and all sources stay: the baseline counts as known exactly. What it does to a line is in the fit only
    if the fit has a background of its own.

    Parameters
    ----------
    spectrum:
        Spectra, dims `(*batch, channel)`.
    baseline:
        Baselines of the same dims and units, or one for all spectra, dims `(channel,)`.
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
    _require_match(dataset, baseline)
    _require_units(signal, baseline)
    changed = signal.copy(data=(signal.variable - baseline.variable).transpose(*signal.dims).data)
    result = dataset.assign(signal=changed.assign_attrs(signal.attrs))
    if "converged" in baseline.coords:
        converged = baseline["converged"]
        _require_converged(converged, allowed=allow_unconverged)
        result = result.assign_coords(baseline_converged=converged.variable)
    settings = {"allow_unconverged": allow_unconverged}
    inputs = {"spectrum": spectrum, "baseline": baseline}
    return history.record(result, "baseline.subtract", settings=settings, inputs=inputs)


def _require_match(dataset: xr.Dataset, baseline: xr.DataArray) -> None:
    given: object = baseline
    if not isinstance(given, xr.DataArray):
        msg = f"a baseline is a DataArray, as baseline.arpls(spectrum) returns; got a {type(given).__name__}"
        raise SpectrumError(msg)
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
            f"{failed} of {converged.size} baselines did not converge. Raise max_iterations or tolerance, or subtract "
            "them as they are with allow_unconverged=True"
        )
        raise SpectrumError(msg)
