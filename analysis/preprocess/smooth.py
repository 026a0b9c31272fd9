"""Smoothing by local polynomials (Savitzky and Golay), with the uncertainty it leaves.

Not here: baselines (`analysis.baseline`). A fit of smoothed data gives no better line and a wrong uncertainty: fit
the unsmoothed spectrum and smooth for the eye.
"""

import numpy as np
import numpy.typing as npt
import xarray as xr

from analysis.core import CHANNEL, SpectrumError, history, require_spectrum

Array = npt.NDArray[np.float64]


def smooth(spectrum: xr.Dataset | xr.DataArray, *, window: int, order: int = 2) -> xr.Dataset:
    """Smooth each spectrum by a polynomial fitted to a moving window.

    The result is y = H x with the rows of the local projection H; at the ends the polynomial of the first or last full
    window is taken. `u_signal` of independent noise becomes sqrt(Σ H² u²) exactly, and shared sources pass through H.
    After smoothing, the noise of neighbouring channels is correlated: the attribute `noise_correlated` says so, and
    `u_signal` must not be used as independent weights any more.

    Parameters
    ----------
    spectrum:
        Spectra, dims `(*batch, channel)`; a NaN sample makes NaN of all windows that hold it.
    window:
        Width in channels, odd, larger than `order`.
    order:
        Degree of the polynomial, >= 0.

    Returns
    -------
    :
        The spectra with new `signal`, `u_signal` and `signal_sources` (where they were there).

    Raises
    ------
    SpectrumError
        If the window is even, too short for the order or longer than the spectrum.

    References
    ----------
    Savitzky and Golay, Anal. Chem. 36 (1964) 1627, doi:10.1021/ac60214a047.
    """
    dataset = require_spectrum(spectrum)
    _require_window(window, order, dataset.sizes[CHANNEL])
    rows = _projection(window, order)
    changed = {name: _filter(dataset[name], rows) for name in ("signal", "signal_sources") if name in dataset}
    if "u_signal" in dataset:
        variance = _filter(dataset["u_signal"] ** 2, rows**2)
        changed["u_signal"] = (variance**0.5).assign_attrs(dataset["u_signal"].attrs)
    settings = {"window": window, "order": order}
    result = dataset.assign(changed).assign_attrs(
        noise_correlated=f"smooth(window={window}, order={order}): neighbouring channels share noise"
    )
    return history.record(result, "preprocess.smooth", settings=settings, inputs={"spectrum": spectrum})


def _require_window(window: int, order: int, channels: int) -> None:
    whole: tuple[object, ...] = (window, order)
    if not all(isinstance(each, int | np.integer) for each in whole) or order < 0 or window % 2 == 0 or window <= order:
        msg = (
            f"window must be odd and larger than order >= 0; got window = {window}, order = {order}. "
            "Try 2·order + 3, in whole numbers"
        )
        raise SpectrumError(msg)
    if window > channels:
        msg = f"window must fit into the spectrum of {channels} channels; got {window}. Choose a shorter one"
        raise SpectrumError(msg)


def _projection(window: int, order: int) -> Array:
    """Return the matrix that takes a window of samples to the values of its polynomial, shape (window, window)."""
    half = window // 2
    powers = np.vander(np.arange(-half, half + 1) / max(half, 1), order + 1)
    basis, _ = np.linalg.qr(powers)
    return basis @ basis.T


def _filter(array: xr.DataArray, rows: Array) -> xr.DataArray:
    return xr.apply_ufunc(
        _filter_block,
        array.astype(float),
        input_core_dims=[[CHANNEL]],
        output_core_dims=[[CHANNEL]],
        kwargs={"rows": rows},
        dask="parallelized",
        output_dtypes=[float],
        keep_attrs=True,
    )


def _filter_block(block: Array, *, rows: Array) -> Array:
    window = rows.shape[0]
    half = window // 2
    middle = np.lib.stride_tricks.sliding_window_view(block, window, axis=-1) @ rows[half]
    first = block[..., :window] @ rows[:half].T
    last = block[..., -window:] @ rows[half + 1 :].T
    return np.concatenate([first, middle, last], axis=-1)
