"""What all families share: from labelled spectra to a block of rows and back.

Not here: the methods (`analysis.baseline.whittaker` and its neighbours).
"""

import math
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from pybaselines import Baseline
from pybaselines.utils import ParameterWarning

from analysis.core import CHANNEL, SpectrumError, history, require_spectrum
from analysis.core.arrays import for_kernel

Array = npt.NDArray[np.float64]
LEAST_CHANNELS = 5
"""Shorter spectra have no baseline."""
_EXACT = 1e-9
Flags = npt.NDArray[np.bool_]
Method = Callable[[Array], tuple[Array, Flags]]
"""Takes rows of finite samples; gives their baselines and whether the method converged."""
Single = Callable[[Baseline, Array], tuple[Array, bool]]
"""Takes the solver of pybaselines and one spectrum; gives its baseline and whether the method converged."""


def estimate(
    spectrum: xr.Dataset | xr.DataArray, method: Method, *, name: str, settings: Mapping[str, Any]
) -> xr.DataArray:
    """Run a method on each spectrum.

    Parameters
    ----------
    spectrum:
        Spectra, dims `(*batch, channel)`, NumPy or dask.
    method:
        What to do with rows of them, such as `one_by_one(...)`.
    name:
        Name of the public function, for the history.
    settings:
        Its keyword arguments.

    Returns
    -------
    :
        `baseline`, dims and units of the signal, with the coordinate `converged` (bool, dims `(*batch,)`).

    Raises
    ------
    SpectrumError
        If a sample is not finite (for dask arrays when they are computed).
    """
    dataset = require_spectrum(spectrum)
    signal = dataset["signal"]
    found, converged = xr.apply_ufunc(
        _run,
        signal.astype(float),
        input_core_dims=[[CHANNEL]],
        output_core_dims=[[CHANNEL], []],
        kwargs={"method": method},
        dask="parallelized",
        output_dtypes=[float, bool],
    )
    about = {"long_name": "the method converged within its iterations"}
    attrs = {"units": signal.attrs.get("units", "1"), "long_name": f"baseline ({name})"}
    result = found.rename("baseline").assign_attrs(attrs).assign_coords(converged=converged.assign_attrs(about))
    return history.record(result, f"baseline.{name}", settings=settings, inputs={"spectrum": spectrum})


def require_between(name: str, value: float, low: float, high: float) -> None:
    """Refuse a setting outside the open interval (low, high).

    Parameters
    ----------
    name:
        Its name.
    value:
        Its value.
    low, high:
        The bounds, not included.

    Raises
    ------
    SpectrumError
        If it lies outside or is NaN.
    """
    if not low < value < high:
        wanted = f"> {low:g}" if math.isinf(high) else f"in ({low:g}, {high:g})"
        msg = f"{name} must be {wanted}, got {value}. Choose a value in that range"
        raise SpectrumError(msg)


def require_iterations(max_iterations: int) -> None:
    """Refuse fewer than one iteration.

    Parameters
    ----------
    max_iterations:
        The setting.

    Raises
    ------
    SpectrumError
        If it is less than 1.
    """
    if max_iterations < 1:
        msg = f"max_iterations must be at least 1, got {max_iterations}. Usual are 50 to 200"
        raise SpectrumError(msg)


def _run(block: Array, *, method: Method) -> tuple[Array, Flags]:
    wrong = int((~np.isfinite(block)).sum())
    if wrong:
        msg = (
            f"a baseline needs finite samples; {wrong} of {block.size} are NaN or infinite. Crop them "
            "(preprocess.crop), or fill them: spectrum.interpolate_na('channel')"
        )
        raise SpectrumError(msg)
    channels = block.shape[-1]
    if channels < LEAST_CHANNELS:
        msg = f"a baseline needs {LEAST_CHANNELS} channels at least, got {channels}. Crop less"
        raise SpectrumError(msg)
    rows = for_kernel(block).reshape(-1, channels)
    found, converged = method(rows)
    empty = ~rows.any(axis=1)
    found[empty] = rows[empty]
    if not np.isfinite(found).all():
        msg = "the baseline is not finite with these settings. Choose a smaller lam or degree"
        raise SpectrumError(msg)
    exact = np.abs(rows - found).max(axis=1) <= _EXACT * np.abs(rows).max(axis=1)
    return found.reshape(block.shape), (converged | exact).reshape(block.shape[:-1])


def one_by_one(method: Single) -> Method:
    """Make a method for rows from one of pybaselines.

    Parameters
    ----------
    method:
        What to do with one spectrum.

    Returns
    -------
    :
        The method that does it with each row.
    """

    def run(rows: Array) -> tuple[Array, Flags]:
        solver = Baseline(np.arange(rows.shape[1], dtype=float), check_finite=False)
        found = rows.copy()
        converged = np.ones(rows.shape[0], dtype=bool)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ParameterWarning)  # an early end is reported as not converged
            for index in np.flatnonzero(rows.any(axis=1)):
                found[index], converged[index] = _solve(solver, rows[index], method)
        return found, converged

    return run


def _solve(solver: Baseline, row: Array, method: Single) -> tuple[Array, bool]:
    try:
        with np.errstate(all="ignore"):
            return method(solver, row)
    except (np.linalg.LinAlgError, ValueError) as error:
        raise unsolvable(str(error)) from error


def unsolvable(why: str) -> SpectrumError:
    """Make the error for equations without a solution.

    Parameters
    ----------
    why:
        What went wrong.

    Returns
    -------
    :
        The error.
    """
    msg = f"the equations of the baseline cannot be solved with these settings ({why}). Choose a smaller lam"
    return SpectrumError(msg)


def has_converged(about: Mapping[str, Any], tolerance: float) -> bool:
    """Say whether a method of pybaselines came to its tolerance.

    Parameters
    ----------
    about:
        What the method returns beside the baseline.
    tolerance:
        What it was given.

    Returns
    -------
    :
        False also if it ended early because no sample lies below the baseline.
    """
    changes = about["tol_history"]
    return bool(len(changes) and changes[-1] < tolerance)
