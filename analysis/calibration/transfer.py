"""Spectra of one instrument as another would have measured them, and a check on standards that took no part.

Not here: the axis of an instrument by its own lamp (`analysis.calibration.fitting`), better where there is one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import xarray as xr

from analysis.calibration.carrying import LARGEST, add_parts, require_independent, require_made, signal_parts
from analysis.core import (
    CHANNEL,
    CalibrationError,
    Displayed,
    UnitsError,
    axes,
    history,
    require_spectrum,
)
from analysis.uncertainty import Source, sources

__all__ = ["TransferCalibration", "apply_transfer", "check_transfer", "fit_transfer"]

Array = npt.NDArray[np.float64]
K = 2.0
MAPS = 2


@dataclass(frozen=True, kw_only=True)
class TransferCalibration(Displayed):
    """A linear transfer: target = source @ matrix + offset, channel by channel of the target."""

    matrix: Array
    """Weights of the source's channels (source channel, target channel)."""
    offset: Array
    """Constant of each target channel (target channel,)."""
    design: Array
    """How the spectra of the fit enter each target channel, as functions of a source spectrum (target channel,
    sample, source channel + 1); the last is the constant."""
    residuals: Array
    """What the fit left (sample, target channel), over the root of the degrees of freedom."""
    contributions: Mapping[Source, tuple[Array, Array]]
    """For each source of the fitted spectra its contribution to `matrix` and `offset`."""
    dof: int
    """Degrees of freedom of the residuals."""
    target: xr.Dataset
    """Axes and units of the target."""
    window: int | None
    """Channels to either side that a target channel was made from; None: all."""
    history: str = ""
    """How it was made (`analysis.core.history`)."""

    def __post_init__(self) -> None:
        """Freeze the mapping."""
        object.__setattr__(self, "contributions", MappingProxyType(dict(self.contributions)))

    @property
    def scatter(self) -> Array:
        """Standard deviation of the residuals (target channel,)."""
        return np.asarray(np.sqrt((self.residuals**2).sum(axis=0)))

    def to_dataset(self) -> xr.Dataset:
        """Return the transfer as a Dataset.

        Returns
        -------
        :
            `matrix` and `offset` with their sources, `design`, `residuals`, and the axes of the target.
        """
        about = {"kind": "TransferCalibration", "dof": self.dof, "history": self.history}
        table = self.target.assign(
            matrix=(("source_channel", CHANNEL), self.matrix),
            offset=(CHANNEL, self.offset),
            design=((CHANNEL, "sample", "weight"), self.design),
            residuals=(("sample", CHANNEL), self.residuals),
        ).assign_attrs(about, window=-1 if self.window is None else self.window)
        both = self.contributions.items()
        table = sources.attach(table, "matrix", {key: m for key, (m, _) in both}, ("source_channel", CHANNEL))
        return sources.attach(table, "offset", {key: c for key, (_, c) in both}, (CHANNEL,))

    @classmethod
    def from_dataset(cls, dataset: xr.Dataset) -> "TransferCalibration":
        """Read what `to_dataset` made.

        Parameters
        ----------
        dataset:
            Perhaps read from a file.

        Returns
        -------
        :
            The calibration, with the same sources.
        """
        weights, constants = sources.detach(dataset, "matrix"), sources.detach(dataset, "offset")
        matrix, offset = (np.asarray(dataset[name].values, dtype=float) for name in ("matrix", "offset"))
        target = dataset[["signal", *axes(dataset)]].drop_attrs(deep=False)
        window = int(dataset.attrs["window"])
        return cls(
            matrix=matrix, offset=offset, design=dataset["design"].values, residuals=dataset["residuals"].values,
            contributions={
                key: (weights.get(key, np.zeros(matrix.shape)), constants.get(key, np.zeros(offset.shape)))
                for key in dict.fromkeys([*weights, *constants])
            },
            dof=int(dataset.attrs["dof"]), target=target,
            window=None if window < 0 else window, history=str(dataset.attrs["history"]),
        )  # fmt: skip

    def __repr__(self) -> str:
        """Say what it is in one line."""
        how = "all channels" if self.window is None else f"a window of {self.window} channels to either side"
        return f"TransferCalibration({self.residuals.shape[0]} samples, from {how}, dof {self.dof})"

    def noise(self) -> list[list[Source]]:
        """Return the sources behind the residuals.

        Returns
        -------
        :
            One for each sample of the fit and mode of its residuals (sample, mode).
        """
        own = f"transfer:{history.parse(self.history)['head']}"
        count = self.residuals.shape[0]
        return [
            [
                Source(
                    id=f"{own}:{i}:{s}", label=f"noise of transfer sample {i + 1} ({s + 1})", kind="A",
                    dof=self.dof, tags=("transfer",), ensemble=own,
                )
                for s in range(count)
            ]
            for i in range(count)
        ]  # fmt: skip


def fit_transfer(
    source: xr.Dataset, target: xr.Dataset, *, window: int | None, components: int | None = None
) -> TransferCalibration:
    """Fit the transfer from one instrument to another by the same samples on both.

    Piecewise direct standardisation makes each target channel from a window of source channels around it, direct
    standardisation from all; either by least squares on the principal components of the samples, with a constant.

    Parameters
    ----------
    source, target:
        The same samples in the same order on both instruments, dims (sample, channel), any name for the samples.
    window:
        Channels to either side; both instruments then have equally many channels. None takes all.
    components:
        Principal components kept; None keeps as many as the window has channels.

    Returns
    -------
    :
        The transfer. Residuals give its noise, with degrees of freedom and with their correlation between channels;
        sources of both sets of spectra are kept. The components themselves count as chosen, not as uncertain, and the
        noise of the source's spectra as small: it draws weights towards zero, which E_n on other samples shows.

    Raises
    ------
    CalibrationError
        If sets do not match, or there are too few samples for the components.

    References
    ----------
    Y. Wang, D. J. Veltkamp and B. R. Kowalski, Anal. Chem. 63 (1991) 2750, doi:10.1021/ac00023a016.
    """
    ours, theirs = require_spectrum(source), require_spectrum(target)
    x, y = (np.asarray(each["signal"].values, dtype=float) for each in (ours, theirs))
    if x.ndim != MAPS or y.ndim != MAPS or x.shape[0] != y.shape[0] or (window is not None and x.shape != y.shape):
        msg = (
            f"wanted the same samples on both, dims (sample, channel), and equal channels for a window; got {x.shape} "
            f"and {y.shape}"
        )
        raise CalibrationError(msg)
    if not (np.isfinite(x).all() and np.isfinite(y).all()) or (window is not None and window < 0):
        msg = f"spectra of a transfer must be finite, and window >= 0 or None; got window {window}"
        raise CalibrationError(msg)
    samples, channels = x.shape
    full = channels if window is None else min(channels, 2 * window + 1)
    kept = full if components is None else components
    dof = samples - kept - 1
    if not 1 <= kept <= full or dof < 1:
        msg = (
            f"{samples} samples allow 1 to {min(full, samples - 2)} components, asked for {kept}; measure more, "
            "or say components=... (their number, for example 3) or a smaller window"
        )
        raise CalibrationError(msg)
    matrix, design = np.zeros((channels, y.shape[1])), np.zeros((y.shape[1], samples, channels + 1))
    for j in range(y.shape[1]):
        low, high = (0, channels) if window is None else (max(0, j - window), min(channels, j + window + 1))
        design[j, :, low:high], design[j, :, -1] = _projection(x[:, low:high], min(kept, high - low))
        matrix[:, j] = y[:, j] @ design[j, :, :-1]
    offset = np.einsum("ij,ji->j", y, design[:, :, -1])
    left = (y - x @ matrix - offset) / np.sqrt(dof)
    parts = _training(ours, theirs, matrix, design)
    text = history.extend(
        "calibration.fit_transfer", settings={"window": window, "components": components},
        inputs={"source": source, "target": target},
    )  # fmt: skip
    kept_axes = theirs["signal"].isel({theirs["signal"].dims[0]: 0}, drop=True).to_dataset(name="signal")
    return TransferCalibration(
        matrix=matrix, offset=offset, design=design, residuals=left, contributions=parts, dof=dof, target=kept_axes,
        window=window, history=text,
    )  # fmt: skip


def _projection(x: Array, kept: int) -> tuple[Array, Array]:
    """Return how weights and constant follow from the values of the samples: least squares on scores."""
    mean = x.mean(axis=0)
    left, size, right = np.linalg.svd(x - mean, full_matrices=False)
    if size[kept - 1] <= 1e-10 * max(size[0], 1e-300):
        msg = f"the samples span fewer than {kept} components; use fewer, or samples that differ more"
        raise CalibrationError(msg)
    weights = (left[:, :kept] / size[:kept]) @ right[:kept]
    return weights, 1.0 / x.shape[0] - weights @ mean


def _training(ours: xr.Dataset, theirs: xr.Dataset, matrix: Array, design: Array) -> dict[Source, tuple[Array, Array]]:
    """Carry the sources of the fitted spectra to weights and constants (Gauss-Newton)."""
    moved = add_parts(signal_parts(theirs), {source: -(part @ matrix) for source, part in signal_parts(ours).items()})
    return {
        source: (np.einsum("ij,jik->kj", part, design[:, :, :-1]), np.einsum("ij,ji->j", part, design[:, :, -1]))
        for source, part in moved.items()
    }


def apply_transfer(calibration: TransferCalibration, spectrum: xr.Dataset | xr.DataArray) -> xr.Dataset:
    """Turn spectra of one instrument into what the other would have measured.

    Parameters
    ----------
    calibration:
        The transfer.
    spectrum:
        One spectrum of the source instrument (channel,).

    Returns
    -------
    :
        `signal` on the axes of the target, with `u_signal` from the noise of the spectrum and `signal_sources`: those
        of the transfer and of the spectrum, and the scatter that the fit left, as one more draw of it.

    Raises
    ------
    CalibrationError
        If the channels are not those of the source, or there are several spectra.
    """
    require_made(calibration, TransferCalibration, "calibration.fit_transfer")
    dataset = require_spectrum(spectrum)
    x = np.asarray(dataset["signal"].values, dtype=float)
    if x.shape != (calibration.matrix.shape[0],):
        msg = (
            f"wanted one spectrum with the {calibration.matrix.shape[0]} channels of the source, got shape {x.shape}; "
            "take spectra one by one, each with its own scatter"
        )
        raise CalibrationError(msg)
    require_independent(dataset, "the transfer")
    samples, targets = calibration.residuals.shape
    if samples**2 * targets > LARGEST:
        msg = f"{samples} samples squared times {targets} channels exceed {LARGEST:.0e} contributions; use fewer"
        raise CalibrationError(msg)
    text = history.extend(
        "calibration.apply_transfer", settings={}, inputs={"calibration": calibration, "spectrum": dataset}
    )
    parts = {source: x @ m + c for source, (m, c) in calibration.contributions.items()}
    parts = add_parts(parts, {source: part @ calibration.matrix for source, part in signal_parts(dataset).items()})
    leverage = calibration.design @ np.r_[x, 1.0]
    parts |= {
        source: leverage[:, i] * calibration.residuals[s]
        for i, row in enumerate(calibration.noise()) for s, source in enumerate(row)
    }  # fmt: skip
    parts |= _scattered(calibration, history.parse(text)["head"])
    result = calibration.target.copy()
    attrs = calibration.target["signal"].attrs
    result["signal"] = (CHANNEL, x @ calibration.matrix + calibration.offset, attrs)
    if "u_signal" in dataset:
        variance = np.asarray(dataset["u_signal"].values, dtype=float) ** 2 @ calibration.matrix**2
        result["u_signal"] = (CHANNEL, np.sqrt(variance), attrs)
    result = sources.attach(result, "signal", parts, (CHANNEL,))
    about = {**dataset.attrs, "history": text, "noise_correlated": "apply_transfer: neighbouring channels share noise"}
    about.pop("instrument", None)
    return result.assign_attrs(about)


def _scattered(calibration: TransferCalibration, head: str) -> dict[Source, Array]:
    return {
        Source(
            id=f"transfer:{head}:{s}", label=f"scatter of the transfer ({s + 1})", kind="A", dof=calibration.dof,
            tags=("transfer",), ensemble=f"transfer:{history.parse(calibration.history)['head']}",
        ): row
        for s, row in enumerate(calibration.residuals)
    }  # fmt: skip


def check_transfer(transferred: xr.Dataset, reference: xr.Dataset) -> xr.Dataset:
    """Compare a transferred spectrum with what the target instrument measured on a standard not used in the fit.

    Parameters
    ----------
    transferred:
        From `apply_transfer`.
    reference:
        The same sample on the target instrument, with `u_signal` or sources.

    Returns
    -------
    :
        `deviation`, `u` and `en` (channel,): E_n with k = 2, sources that both share accounted for. The attribute
        `within` is the share of channels with |E_n| <= 1.

    Raises
    ------
    CalibrationError
        If channels do not match, or a channel has no uncertainty.
    UnitsError
        If the units differ.

    References
    ----------
    ISO 13528:2022, 9.7.
    """
    ours, theirs = require_spectrum(transferred), require_spectrum(reference)
    if ours["signal"].shape != theirs["signal"].shape or ours["signal"].ndim != 1:
        msg = f"wanted one spectrum each of equal channels, got {ours['signal'].shape} and {theirs['signal'].shape}"
        raise CalibrationError(msg)
    unit, other = (str(each["signal"].attrs.get("units", "1")) for each in (ours, theirs))
    if unit != other:
        msg = f"the transferred spectrum is in {unit!r}, the reference in {other!r}; wanted the same"
        raise UnitsError(msg)
    mine = signal_parts(ours)
    parts = add_parts(mine, {source: -part for source, part in signal_parts(theirs).items()})
    variance = sum((part**2 for part in parts.values()), np.zeros(ours.sizes[CHANNEL]))
    for each in (ours, theirs):
        if "u_signal" in each:
            variance = variance + np.asarray(each["u_signal"].values, dtype=float) ** 2
    if not (variance > 0).all():
        msg = "some channels have no uncertainty at all, so E_n says nothing; give u_signal to both spectra"
        raise CalibrationError(msg)
    deviation = np.asarray(ours["signal"].values - theirs["signal"].values, dtype=float)
    en = deviation / (K * np.sqrt(variance))
    about = {"units": unit}
    found = xr.Dataset(
        {
            "deviation": (CHANNEL, deviation, about),
            "u": (CHANNEL, np.sqrt(variance), about),
            "en": (CHANNEL, en, {"units": "1", "long_name": "E_n, k = 2"}),
        },
        coords={name: ours[name] for name in axes(ours)},
        attrs={"within": float((np.abs(en) <= 1.0).mean())},
    )
    inputs = {"transferred": transferred, "reference": reference}
    return history.record(found, "calibration.check_transfer", settings={}, inputs=inputs)
