"""The baselines that the samples between the peaks admit, as a mean and its sources: what no single baseline says.

Every method that returns one curve is silent about how far the curve is not known under a peak, and areas inherit that.
Not here: the numbers (`analysis.baseline.evidence`), taking it off (`analysis.baseline.subtract`).
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from scipy import ndimage

from analysis.baseline.door import Array, Flags
from analysis.baseline.evidence import Curve, design, through
from analysis.core import CHANNEL, SpectrumError, history, require_axis, require_spectrum
from analysis.uncertainty import Source, sources

MODES = 12
"""Sources of a baseline: what more of them would hold is below 1 % of u."""
_ROUNDS = 12
_STANDS_OUT = 3.0
_TOO_ROUGH = 6.0
_BLOCK = 512


def ensemble(
    spectrum: xr.Dataset | xr.DataArray,
    *,
    axis: str,
    width: float | None = None,
    regions: Sequence[tuple[float, float]] | None = None,
    segments: int = 30,
) -> xr.Dataset:
    """Estimate the baseline of each spectrum and the uncertainty that it brings to areas and centres.

    A baseline is a smooth curve through the samples between the peaks; how smooth is not assumed but learnt from each
    spectrum. All curves that these samples admit, each with its evidence, make the mean and its covariance; its
    leading modes become sources that draw anew for each spectrum. `baseline.subtract` gives them to the spectrum, and
    a fit gives them to every parameter.

    Parameters
    ----------
    spectrum:
        Spectra, dims `(*batch, channel)`, with `u_signal` (else the noise is taken to be the same in all channels and
        is estimated).
    axis:
        Axis along `channel`, strictly monotonic.
    width:
        Full width of the widest peak at its foot, in units of the axis: what is narrower and stands out is a peak.
        Give this or `regions`.
    regions:
        Where peaks stand, `(low, high)` in units of the axis, the same in all spectra.
    segments:
        Segments of the spline, >= 8: the finest detail of a baseline is a few of them wide.

    Returns
    -------
    :
        `baseline`, `u_baseline` (dims of the signal, its units), `baseline_sources` (source, *batch, channel),
        `is_peak` (bool) and per spectrum `misfit` (chi-square over degrees of freedom between the peaks; 1 where
        `u_signal` holds, 1 by definition without), `smoothness` (log10 of the penalty) and `converged`: false where
        `misfit` is too far above 1 or too little is left between the peaks.

    Raises
    ------
    SpectrumError
        If neither or both of `width` and `regions` are given, they do not fit the axis, `segments` is too small, or
        samples or `u_signal` are not finite and positive between the peaks.

    Notes
    -----
    Intervals are Bayesian in form; that they cover as often as they say is shown by simulation
    (`tests/benchmarks/test_baseline_coverage.py`). A tail that reaches beyond its region counts as baseline: choose
    regions three to four widths of a Lorentzian wide. A step or kink in the baseline is not in this family of curves;
    `misfit` shows it.

    References
    ----------
    Wahba, J. R. Stat. Soc. B 45 (1983) 133, doi:10.1111/j.2517-6161.1983.tb01239.x; Nychka, J. Am. Stat. Assoc. 83
    (1988) 1134, doi:10.1080/01621459.1988.10478711.
    """
    dataset = require_spectrum(spectrum)
    place = np.asarray(require_axis(dataset, axis).values, dtype=float)
    fixed = _fixed(place, axis, width, regions)
    _require_segments(segments, place.size)
    signal = dataset["signal"].astype(float)
    noise = dataset.get("u_signal")
    inputs = [signal] if noise is None else [signal, noise.astype(float)]
    spacing = float(np.abs(np.diff(place)).mean())
    of_row = {"place": place, "fixed": fixed, "segments": segments}
    of_row |= {"wide": 0 if width is None else max(3, round(width / spacing))}
    outputs = [["mode", CHANNEL], [CHANNEL], [CHANNEL], [CHANNEL], [], [], []]
    contributions, mean, u, is_peak, misfit, smoothness, converged = xr.apply_ufunc(
        _block,
        *inputs,
        input_core_dims=[[CHANNEL]] * len(inputs),
        output_core_dims=outputs,
        kwargs=of_row,
        dask="parallelized",
        output_dtypes=[float, float, float, bool, float, float, bool],
        dask_gufunc_kwargs={"output_sizes": {"mode": MODES}},
    )
    units = signal.attrs.get("units", "1")
    result = xr.Dataset(
        {
            "baseline": mean.assign_attrs(units=units, long_name="baseline (ensemble)"),
            "u_baseline": u.assign_attrs(units=units, long_name="standard uncertainty of the baseline"),
            "is_peak": is_peak.assign_attrs(long_name="sample taken to stand in a peak"),
            "misfit": misfit.assign_attrs(units="1", long_name="chi-square over degrees of freedom between the peaks"),
            "smoothness": smoothness.assign_attrs(units="1", long_name="log10 of the penalty of largest evidence"),
        }
    ).assign_coords(
        converged=converged.assign_attrs(long_name="the curves admitted explain what lies between the peaks")
    )
    settings = {"axis": axis, "width": width, "regions": regions, "segments": segments}
    result = history.record(result, "baseline.ensemble", settings=settings, inputs={"spectrum": spectrum})
    return _with_sources(result, contributions, units)


def _with_sources(result: xr.Dataset, contributions: xr.DataArray, units: str) -> xr.Dataset:
    own = history.head(result)
    batch = tuple(str(dim) for dim in contributions.dims if dim not in {"mode", CHANNEL})
    named = [
        Source(
            id=f"{own}-{k}", label=f"baseline, mode {k + 1}", units=units, kind="A", over=batch, tags=("baseline",),
            origin=f"samples between the peaks, step {own}",
        )
        for k in range(contributions.sizes["mode"])
    ]  # fmt: skip
    stack = contributions.rename(mode=sources.SOURCE).transpose(sources.SOURCE, *batch, CHANNEL)
    about = {"units": units, "long_name": "contributions to baseline by source"}
    ids, info = [each.id for each in named], [each.to_json() for each in named]
    return result.assign(baseline_sources=stack.assign_attrs(about)).assign_coords(
        {sources.SOURCE: (sources.SOURCE, np.array(ids)), sources.INFO: (sources.SOURCE, np.array(info))}
    )


def _fixed(place: Array, axis: str, width: float | None, regions: Sequence[tuple[float, float]] | None) -> Flags | None:
    if (width is None) == (regions is None):
        msg = (
            f"an ensemble needs width= (of the widest peak at its foot) or regions= (where peaks stand), and not both; "
            f"got width = {width}, regions = {regions}. Both are in units of {axis!r}"
        )
        raise SpectrumError(msg)
    if regions is None:
        length = float(np.ptp(place))
        if width is None or not 0.0 < width < 0.5 * length:
            msg = f"width must be above 0 and below half of the axis ({0.5 * length:g}), got {width}. Crop less"
            raise SpectrumError(msg)
        return None
    inside = np.zeros(place.size, dtype=bool)
    for low, high in regions:
        here = (place >= low) & (place <= high)
        if not low < high or not here.any():
            msg = (
                f"region ({low:g}, {high:g}) holds no channel of {axis!r}, which goes from {place.min():g} to "
                f"{place.max():g}. Give (low, high) inside"
            )
            raise SpectrumError(msg)
        inside |= here
    return inside


def _require_segments(segments: int, channels: int) -> None:
    least, most = 8, max(8, channels // 2)
    if not least <= segments <= most:
        msg = f"segments must be {least} to {most} for {channels} channels, got {segments}. 30 suits most baselines"
        raise SpectrumError(msg)


def _block(signal: Array, noise: Array | None = None, **settings: Any) -> tuple[np.ndarray[Any, Any], ...]:  # noqa: ANN401
    shape, channels = signal.shape[:-1], signal.shape[-1]
    rows = np.ascontiguousarray(signal.reshape(-1, channels))
    u = None if noise is None else np.ascontiguousarray(noise.reshape(-1, channels))
    parts = [
        _rows(rows[at : at + _BLOCK], None if u is None else u[at : at + _BLOCK], **settings)
        for at in range(0, len(rows), _BLOCK)
    ]
    return tuple(np.concatenate(each).reshape((*shape, *each[0].shape[1:])) for each in zip(*parts, strict=True))


def _rows(
    rows: Array, u: Array | None, *, place: Array, fixed: Flags | None, segments: int, wide: int
) -> tuple[np.ndarray[Any, Any], ...]:
    basis = design(place, segments)
    weights = np.ones_like(rows) if u is None else _weights(u)
    _require_finite(rows, weights, fixed)
    if fixed is None:
        inside = _standing_out(rows, weights, basis, wide, known=u is not None)
    else:
        inside = np.broadcast_to(fixed, rows.shape)
    curve = through(np.where(inside, 0.0, rows), np.where(inside, 0.0, weights), basis, known=u is not None)
    misfit = curve.misfit if u is not None else np.ones(len(rows))
    limit = 1.0 + _TOO_ROUGH * np.sqrt(2.0 / np.maximum(curve.freedom, 1.0))
    converged = np.isfinite(curve.coefficients).all(axis=1) & (misfit < limit)
    contributions = _modes(curve, basis)
    return (
        contributions, curve.coefficients @ basis.T, np.sqrt((contributions**2).sum(axis=1)), np.array(inside),
        misfit, curve.smoothness, converged,
    )  # fmt: skip


def _weights(u: Array) -> Array:
    usable = np.isfinite(u) & (u > 0.0)
    return np.divide(1.0, u**2, out=np.full_like(u, np.nan), where=usable)


def _require_finite(rows: Array, weights: Array, fixed: Flags | None) -> None:
    used = np.isfinite(rows) & np.isfinite(weights)
    wrong = int((~used if fixed is None else ~used & ~fixed).sum())
    if wrong:
        msg = (
            f"an ensemble needs finite samples and u_signal > 0 between the peaks; {wrong} of {rows.size} are not. "
            "Crop them (preprocess.crop), count them to a region, or drop u_signal"
        )
        raise SpectrumError(msg)


def _standing_out(rows: Array, weights: Array, basis: Array, wide: int, *, known: bool) -> Flags:
    """Find what stands out from a smooth curve, and widen it by half the width on either side."""
    spread = 1.0 / np.sqrt(weights) if known else np.repeat(_noise(rows)[:, None], rows.shape[1], axis=1)
    near = max(1, wide // 6)
    apart = rows.copy()
    inside = np.zeros(rows.shape, dtype=bool)
    moving = np.arange(len(rows))
    for _ in range(_ROUNDS):
        narrow = apart[moving] - ndimage.grey_opening(apart[moving], size=(1, wide))
        narrow -= np.median(narrow, axis=1, keepdims=True)
        score = ndimage.uniform_filter1d(narrow / spread[moving], near, axis=1) * math.sqrt(near)
        found: Flags = ndimage.maximum_filter1d(score > _STANDS_OUT, wide, axis=1)
        changed = (found != inside[moving]).any(axis=1)
        inside[moving] = found
        moving = moving[changed]
        if not moving.size:
            break
        left = ~inside[moving]
        curve = through(np.where(left, rows[moving], 0.0), np.where(left, weights[moving], 0.0), basis, known=known)
        settled = np.isfinite(curve.coefficients).all(axis=1)
        apart[moving[settled]] = (rows[moving] - curve.coefficients @ basis.T)[settled]
    return inside


def _noise(rows: Array) -> Array:
    """Estimate the standard deviation of each row from its second differences (median, so that peaks do not count)."""
    steps = np.abs(np.diff(rows, n=2, axis=1))
    found: Array = np.median(steps, axis=1) / (0.6745 * math.sqrt(6.0))
    return np.where(found > 0.0, found, np.finfo(float).tiny)


def _modes(curve: Curve, basis: Array) -> Array:
    """Return the leading modes of each row's covariance, shape (row, mode, channel)."""
    root = np.linalg.cholesky(basis.T @ basis)
    left, size, _ = np.linalg.svd(root.T @ curve.factors)
    leading = (left * size[:, None, :])[:, :, :MODES]
    modes: Array = np.linalg.solve(root.T, leading).transpose(0, 2, 1) @ basis.T
    return modes
