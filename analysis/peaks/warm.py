"""Starting values of a map from its neighbourhoods: from the whole map to tiles to single spectra.

The tiles lie on a fixed grid of positions, so the starts depend neither on chunks nor on threads.
Not here: starts from the shape of each spectrum (`analysis.peaks.guess`).
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import lmfit
import numpy as np
import xarray as xr

from analysis.core import CHANNEL, ModelError, SpectrumError, history, require_axis, require_spectrum
from analysis.peaks.fit import fit
from analysis.peaks.language import model_from_json, model_to_json, params_from_json, params_to_json
from analysis.peaks.status import Status

__all__ = ["warm_again", "warm_start"]

Floats = np.ndarray[Any, np.dtype[np.float64]]
TILE = "tile"


def warm_start(
    spectrum: xr.Dataset | xr.DataArray, model: lmfit.Model, params: lmfit.Parameters, *, axis: str, tile: int = 8
) -> xr.Dataset:
    """Make starting values for every spectrum of a map from fits of its tiles, for `start=` of `peaks.fit`.

    The median spectrum of the map is fitted from `params`, the median spectrum of each tile from there, and each
    spectrum gets the values of its tile. It pays where single spectra are noisy and change slowly over the map.

    Parameters
    ----------
    spectrum:
        Dims `(*batch, channel)`; NaN is left out of the medians. Lazy data are read tile row by tile row.
    model, params:
        As in `peaks.fit`.
    axis:
        Name of the coordinate along `channel`.
    tile:
        Spectra along each dim of the map that share a start, at least 2; the last tile may be smaller.

    Returns
    -------
    :
        One variable for each free parameter, dims `(*batch)`. A tile whose fit does not converge gets the values of the
        map; attributes `tiles` and `tiles_failed` count them.

    Raises
    ------
    ModelError
        If `tile` is too small, or the model and parameters cannot be fitted.
    SpectrumError
        If this is a single spectrum, or all samples are NaN.
    """
    if tile < 2:  # noqa: PLR2004
        msg = f"tile must be at least 2 spectra wide, got {tile}. Usual are 4 to 16"
        raise ModelError(msg)
    dataset = require_spectrum(spectrum)
    require_axis(dataset, axis)
    signal = dataset["signal"]
    shape, dims = signal.shape[:-1], signal.dims[:-1]
    if not shape:
        msg = "a single spectrum has no neighbours; wanted a map. Start it from peaks.guess"
        raise SpectrumError(msg)
    grid = tuple(math.ceil(n / tile) for n in shape)
    medians = np.concatenate([_medians(slab, tile) for slab in _slabs(signal, tile)]).reshape(-1, signal.shape[-1])
    if np.isnan(medians).all():
        msg = "all samples are NaN; there is nothing to start from. Check the file or the mask"
        raise SpectrumError(msg)
    coordinate = dataset[axis].variable
    whole = _fitted(_median(medians)[None], model, params, axis, coordinate, start=None)
    names = [name for name, par in params.items() if par.vary and not par.expr]
    common = {name: float(value) for name, value in zip(names, _values(whole, names, params)[0], strict=True)}
    tiles = _fitted(medians, model, params, axis, coordinate, start=common)
    failed = tiles["status"].values != Status.CONVERGED
    values = np.where(failed[:, None], list(common.values()), tiles["value"].sel(parameter=names).values)
    at = np.ix_(*(np.arange(n) // tile for n in shape))
    found = {
        name: (
            dims,
            values[:, k].reshape(grid)[at],
            {"units": str(tiles["parameter_units"].sel(parameter=name).item())},
        )
        for k, name in enumerate(names)
    }
    kept = {n: c for n, c in dataset.coords.items() if set(c.dims) <= set(dims)}
    out = xr.Dataset(found, attrs={"tiles": int(failed.size), "tiles_failed": int(failed.sum())}).assign_coords(kept)
    settings = {"model": model_to_json(model), "params": params_to_json(params), "axis": axis, "tile": tile}
    nameable: object = spectrum
    if signal.chunks is not None and not history.of(spectrum):
        nameable = f"lazy spectrum {dict(signal.sizes)}"
    return history.record(out, "peaks.warm_start", settings=settings, inputs={"spectrum": nameable})


def _slabs(signal: xr.DataArray, tile: int) -> Iterator[Floats]:
    """Load one row of tiles after another."""
    first = signal.dims[0]
    for low in range(0, signal.sizes[first], tile):
        yield np.asarray(signal.isel({first: slice(low, low + tile)}).values, dtype=float)


def _medians(slab: Floats, tile: int) -> Floats:
    """Return the median spectra of the tiles of one slab, dims `(tile, channel)`."""
    rest = slab.shape[1:-1]
    found = []
    for corner in np.ndindex(*(math.ceil(n / tile) for n in rest)):
        part = slab[(slice(None), *(slice(c * tile, (c + 1) * tile) for c in corner))]
        found.append(_median(part.reshape(-1, slab.shape[-1])))
    return np.stack(found)


def _median(rows: Floats) -> Floats:
    """Take the median over rows where there is a number."""
    rows = np.where(np.isfinite(rows), rows, np.nan)
    empty = np.isnan(rows).all(axis=0)
    out = np.full(rows.shape[1], np.nan)
    out[~empty] = np.nanmedian(rows[:, ~empty], axis=0)
    return out


def _fitted(
    rows: Floats,
    model: lmfit.Model,
    params: lmfit.Parameters,
    axis: str,
    coordinate: xr.Variable,
    *,
    start: dict[str, float] | None,
) -> xr.Dataset:
    made = xr.DataArray(rows, dims=(TILE, CHANNEL), coords={axis: coordinate}, attrs={"units": "1"})
    return fit(made, model, params, axis=axis, start=start)


def _values(whole: xr.Dataset, names: list[str], params: lmfit.Parameters) -> Floats:
    """Return what the median spectrum of the map gave, or the given start if that failed."""
    if int(whole["status"][0]) == Status.CONVERGED:
        found: Floats = whole["value"].sel(parameter=names).values
        return found
    return np.array([[params[name].value for name in names]])


def warm_again(settings: Mapping[str, Any], inputs: Mapping[str, Any]) -> xr.Dataset:
    """Redo the starts from their history.

    Parameters
    ----------
    settings, inputs:
        As their history holds them.

    Returns
    -------
    :
        The starts.
    """
    model, params = model_from_json(settings["model"]), params_from_json(settings["params"])
    return warm_start(inputs["spectrum"], model, params, axis=settings["axis"], tile=settings["tile"])
