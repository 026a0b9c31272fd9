"""Stray light inside a spectrometer: a matrix from measured line spread functions, and spectra freed of it.

Zong, Brown, Johnson, Lykke and Ohno, Applied Optics 45 (2006) 1111, doi:10.1364/AO.45.001111.
Not here: light that never was in the spectrometer's range, and second orders of gratings (use filters).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import xarray as xr

from analysis.calibration.carrying import LARGEST, add_parts, require_independent, require_made, signal_parts
from analysis.calibration.locate import require_one
from analysis.core import CHANNEL, CalibrationError, history, require_spectrum
from analysis.uncertainty import Source, sources

__all__ = ["StrayLightCalibration", "apply_stray_light", "stray_light"]

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]
Edges = Literal["refuse", "nearest"]
FEWEST = 2


@dataclass(frozen=True, kw_only=True)
class StrayLightCalibration:
    """Stray light of a spectrometer: what one channel's light adds to the others."""

    peaks: Index
    """Channel of each line, rising (line,)."""
    spread: Array
    """Signal of each line over the sum within its band, 0 within the band (line, channel)."""
    contributions: tuple[Mapping[Source, Array], ...]
    """For each line, for each source its signed contribution to `spread` (channel,)."""
    u_noise: Array
    """Standard uncertainty of `spread` from the noise of each channel, independent (line, channel)."""
    in_band: int
    """Channels to either side of a line that count as the line itself."""
    edges: Edges
    """What happens to channels outside the outermost lines."""
    instrument: str = ""
    """As the spectra of the lines say."""
    history: str = ""
    """How it was made (`analysis.core.history`)."""

    @property
    def matrix(self) -> Array:
        """D of the paper: column j is what light in channel j adds to each channel (channel, channel)."""
        places, weights = self._layout()
        return np.asarray(sum(w * s[at] for w, s, at in zip(weights, self.spread, places, strict=True)))

    @property
    def correction(self) -> Array:
        """C of the paper, the inverse of I + D (channel, channel)."""
        return np.asarray(np.linalg.inv(np.eye(self.spread.shape[1]) + self.matrix))

    def _layout(self) -> tuple[list[Index], list[Array]]:
        """Return for each line which of its channels stands at (row, column) of D, and with which weight."""
        count = self.spread.shape[1]
        row, column = np.indices((count, count))
        offset = row - column
        share = np.stack([np.interp(np.arange(count), self.peaks, unit) for unit in np.eye(self.peaks.size)])
        weights = [np.broadcast_to(each, (count, count)) for each in share]
        inside = [(offset + peak >= 0) & (offset + peak < count) for peak in self.peaks]
        known = [weight * there for weight, there in zip(weights, inside, strict=True)]
        total = np.asarray(sum(known))
        out = np.abs(offset) > self.in_band
        used = [
            out * np.where(total > 0, each / np.where(total > 0, total, 1.0), weight)
            for each, weight in zip(known, weights, strict=True)
        ]
        return [np.clip(offset + peak, 0, count - 1) for peak in self.peaks], used

    def to_dataset(self) -> xr.Dataset:
        """Return the calibration as a Dataset that a file can hold.

        Returns
        -------
        :
            `spread` and `u_noise` (line, channel) with `spread_sources`, and `peaks` (line,).
        """
        dims = ("line", CHANNEL)
        table = xr.Dataset(
            {"spread": (dims, self.spread), "u_noise": (dims, self.u_noise), "peaks": ("line", self.peaks)},
            attrs={
                "kind": "StrayLightCalibration", "in_band": self.in_band, "edges": self.edges,
                "instrument": self.instrument, "history": self.history,
            },
        )  # fmt: skip
        nothing = np.zeros(self.spread.shape[1])
        union = list(dict.fromkeys(source for each in self.contributions for source in each))
        parts = {s: np.stack([each.get(s, nothing) for each in self.contributions]) for s in union}
        return sources.attach(table, "spread", parts, dims)

    @classmethod
    def from_dataset(cls, dataset: xr.Dataset) -> "StrayLightCalibration":
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
        parts, said = sources.detach(dataset, "spread"), dataset.attrs
        return cls(
            peaks=dataset["peaks"].values, spread=dataset["spread"].values,
            contributions=tuple(
                {source: part[k] for source, part in parts.items() if np.any(part[k])}
                for k in range(dataset.sizes["line"])
            ),
            u_noise=dataset["u_noise"].values, in_band=int(said["in_band"]),
            edges="nearest" if said["edges"] == "nearest" else "refuse", instrument=str(said["instrument"]),
            history=str(said["history"]),
        )  # fmt: skip

    def __repr__(self) -> str:
        """Say what it is in one line."""
        return f"StrayLightCalibration({self.peaks.size} lines, {self.spread.shape[1]} channels, edges {self.edges!r})"

    def parts(self, light: Array, correction: Array) -> dict[Source, Array]:
        """Return what the line spread functions contribute to a corrected spectrum.

        Parameters
        ----------
        light:
            The corrected spectrum (channel,).
        correction:
            `correction`.

        Returns
        -------
        :
            For each source its contribution (channel,): -C dD light, exact to first order.
        """
        count = light.size
        found: dict[Source, Array] = {}
        row = np.broadcast_to(np.arange(count)[:, None], (count, count))
        own = history.parse(self.history)["head"]
        for number, (places, weights) in enumerate(zip(*self._layout(), strict=True)):
            gathered = np.zeros((count, count))
            np.add.at(gathered, (row, places), weights * light)
            moved = -correction @ gathered
            found = add_parts(found, {s: moved @ part for s, part in self.contributions[number].items()})
            for k in np.flatnonzero(self.u_noise[number] > 0):
                noise = Source(
                    id=f"stray:{own}:{number}[{k}]", label=f"noise of line {number + 1} [{k}]", tags=("stray light",)
                )
                found[noise] = moved[:, k] * self.u_noise[number, k]
        return found


def stray_light(lines: Sequence[xr.Dataset], *, in_band: int, edges: Edges = "refuse") -> StrayLightCalibration:
    """Characterise the stray light of a spectrometer by narrow lines across its range.

    Parameters
    ----------
    lines:
        One spectrum of each line (a laser, or a lamp line behind a filter), dark taken off, all of the same channels,
        with `u_signal`; saturation of the line itself must have been bridged by a second exposure.
    in_band:
        Channels to either side of the largest one that count as the line itself, at least 1.
    edges:
        What is done with channels outside the outermost lines: `refuse`, or take the `nearest` line.

    Returns
    -------
    :
        The calibration. Between two lines their spread functions are interpolated at equal distance from the line;
        distances that no line reached take the last value. Sources: noise of every channel outside a band, the noise
        of each band as one, and all sources of the lines' signals.

    Raises
    ------
    CalibrationError
        If there are fewer than two lines, channels do not match, two lines stand in one channel, or noise is missing.

    References
    ----------
    Y. Zong et al., Appl. Opt. 45 (2006) 1111, doi:10.1364/AO.45.001111, eqs. 1 to 8.
    """
    if len(lines) < FEWEST or in_band < 1 or edges not in ("refuse", "nearest"):
        msg = f"stray light needs 2 lines or more, in_band >= 1 and edges 'refuse' or 'nearest'; got {len(lines)} lines"
        raise CalibrationError(msg)
    found = sorted((_Line.of(each, in_band) for each in lines), key=lambda each: each.peak)
    sizes, places = {each.spread.size for each in found}, [each.peak for each in found]
    if len(sizes) != 1 or len(set(places)) != len(places):
        msg = f"all lines must have the same channels and stand in different ones; got sizes {sizes}, peaks at {places}"
        raise CalibrationError(msg)
    inputs = {f"line{k}": each for k, each in enumerate(lines)}
    text = history.extend("calibration.stray_light", settings={"in_band": in_band, "edges": edges}, inputs=inputs)
    own = history.parse(text)["head"]
    bands = [
        Source(id=f"stray:{own}:{k}", label=f"noise within line {k + 1}", tags=("stray light",))
        for k in range(len(found))
    ]
    return StrayLightCalibration(
        peaks=np.array(places), spread=np.stack([each.spread for each in found]),
        contributions=tuple(
            each.parts | ({band: -each.spread * each.u_band} if each.u_band > 0 else {})
            for band, each in zip(bands, found, strict=True)
        ),
        u_noise=np.stack([each.noise for each in found]), in_band=in_band, edges=edges,
        instrument=str(lines[0].attrs.get("instrument", "")), history=text,
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class _Line:
    peak: int
    spread: Array
    noise: Array
    u_band: float
    """Relative standard uncertainty of the sum within the band."""
    parts: dict[Source, Array]

    @classmethod
    def of(cls, spectrum: xr.Dataset, in_band: int) -> "_Line":
        dataset = require_one(spectrum)
        require_independent(dataset, "a line spread function")
        if "u_signal" not in dataset:
            msg = "the spectrum of a line has no u_signal, so the noise of its spread is not known; give it"
            raise CalibrationError(msg)
        signal, u = (np.asarray(dataset[name].values, dtype=float) for name in ("signal", "u_signal"))
        if not (np.isfinite(signal).all() and np.isfinite(u).all()):
            msg = "the spectrum of a line has channels that are not finite; bridge saturation by a second exposure"
            raise CalibrationError(msg)
        peak = int(np.argmax(signal))
        band = np.abs(np.arange(signal.size) - peak) <= in_band
        total = float(signal[band].sum())
        if not total > 0:
            msg = f"the sum of a line within its band must be above 0, got {total:g}; take off the dark spectrum"
            raise CalibrationError(msg)
        spread = np.where(band, 0.0, signal / total)
        parts = {
            source: np.where(band, 0.0, part / total) - spread * float(part[band].sum()) / total
            for source, part in signal_parts(dataset).items()
        }
        return cls(
            peak=peak, spread=spread, noise=np.where(band, 0.0, u / total),
            u_band=float(np.sqrt((u[band] ** 2).sum())) / total, parts=parts,
        )  # fmt: skip


def apply_stray_light(calibration: StrayLightCalibration, spectrum: xr.Dataset | xr.DataArray) -> xr.Dataset:
    """Take stray light out of spectra.

    Parameters
    ----------
    calibration:
        The stray light of this spectrometer.
    spectrum:
        One spectrum or a map (*batch, channel) of the same channels, dark taken off.

    Returns
    -------
    :
        The spectra with new `signal`, `u_signal` and `signal_sources`. The noise of different channels is correlated
        afterwards: the attribute `noise_correlated` says so, and `u_signal` is exact for each channel alone.

    Raises
    ------
    CalibrationError
        If channels do not match, or lie outside the lines and that was to be refused.
    """
    require_made(calibration, StrayLightCalibration, "calibration.stray_light")
    dataset = require_spectrum(spectrum)
    _require_match(calibration, dataset)
    require_independent(dataset, "stray light")
    correction, old = calibration.correction, dataset["signal"]
    signal = np.asarray(old.values, dtype=float) @ correction.T
    rows = signal.reshape(-1, signal.shape[-1])
    count = int((calibration.u_noise > 0).sum()) + sum(len(each) for each in calibration.contributions)
    if count * signal.size > LARGEST:
        msg = (
            f"{count} sources times {signal.size} numbers would be {count * signal.size:.2g} contributions, wanted at "
            f"most {LARGEST:.0e}; apply it to fewer spectra at a time, or to averaged channels"
        )
        raise CalibrationError(msg)
    each = [calibration.parts(row, correction) for row in rows]
    parts = {source: np.stack([one[source] for one in each]).reshape(signal.shape) for source in each[0]}
    parts = add_parts({source: part @ correction.T for source, part in signal_parts(dataset).items()}, parts)
    changed = {"signal": (old.dims, signal, old.attrs)}
    if "u_signal" in dataset:
        variance = np.asarray(dataset["u_signal"].values, dtype=float) ** 2 @ (correction**2).T
        changed["u_signal"] = (old.dims, np.sqrt(variance), dataset["u_signal"].attrs)
    result = sources.attach(dataset.assign(changed), "signal", parts, tuple(str(dim) for dim in old.dims))
    result = result.assign_attrs(noise_correlated="apply_stray_light: the correction mixes the noise of all channels")
    inputs = {"calibration": calibration, "spectrum": dataset}
    return history.record(result, "calibration.apply_stray_light", settings={}, inputs=inputs)


def _require_match(calibration: StrayLightCalibration, dataset: xr.Dataset) -> None:
    instrument, count = str(dataset.attrs.get("instrument", "")), calibration.spread.shape[1]
    if instrument and calibration.instrument and instrument != calibration.instrument:
        msg = f"the stray light is that of {calibration.instrument!r}, the spectrum of {instrument!r}; measure each one"
        raise CalibrationError(msg)
    if dataset.sizes[CHANNEL] != count:
        msg = f"the lines have {count} channels, the spectrum {dataset.sizes[CHANNEL]}; correct it before any crop"
        raise CalibrationError(msg)
    low, high = int(calibration.peaks[0]), int(calibration.peaks[-1])
    if calibration.edges == "refuse" and (low > calibration.in_band or high < count - 1 - calibration.in_band):
        msg = (
            f"the lines stand in channels {low} to {high} of 0 to {count - 1}; what light beyond them does was not "
            "measured. Measure lines nearer to the ends, or say edges='nearest'"
        )
        raise CalibrationError(msg)
