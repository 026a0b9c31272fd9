"""The intensity response of an instrument, from a standard of known intensity, and spectra corrected by it.

Not here: standards and lamps (`analysis.calibration.intensity_standards`), counts that are not proportional to light.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy import stats

from analysis.calibration.carrying import add_parts, carry, require_independent, require_made, signal_parts
from analysis.calibration.intensity_standards import CertifiedIntensity
from analysis.calibration.locate import require_one
from analysis.core import CHANNEL, CalibrationError, history, require_axis, require_spectrum
from analysis.core import units as unit_rules
from analysis.uncertainty import Source, sources

__all__ = ["ResponseCalibration", "apply_response", "response"]

Array = npt.NDArray[np.float64]
IMPROBABLE = 1e-3


@dataclass(frozen=True, kw_only=True)
class ResponseCalibration:
    """Response of an instrument along an axis: measured over certified intensity."""

    axis: str
    """Axis of the spectra it belongs to."""
    axis_units: str
    """Units of that axis."""
    units: str
    """Units of the response; `1` for a relative one, whose largest value is 1."""
    x: Array
    """Places, rising (channel,)."""
    value: Array
    """Response there, above 0 (channel,)."""
    contributions: Mapping[Source, Array]
    """For each source its signed contribution to `value` (channel,)."""
    axis_contributions: Mapping[Source, Array]
    """For each source its signed contribution to `x` (channel,)."""
    standard: str
    """What it was measured with."""
    instrument: str = ""
    """As the spectrum of the standard says."""
    p_value: float | None = None
    """Probability of a larger chi-square of the polynomial; None where each channel stands alone."""
    history: str = ""
    """How it was made (`analysis.core.history`)."""

    def __post_init__(self) -> None:
        """Freeze the mappings."""
        for name in ("contributions", "axis_contributions"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    @property
    def u(self) -> Array:
        """Standard uncertainty of `value` (channel,)."""
        return np.asarray(np.sqrt(sum((part**2 for part in self.contributions.values()), np.zeros(self.x.size))))

    def evaluate(self, x: Array, moved: Mapping[Source, Array]) -> tuple[Array, dict[Source, Array]]:
        """Return the response at places of another spectrum.

        Parameters
        ----------
        x:
            Places in `axis_units` (point,), within those of the standard.
        moved:
            For each source its contribution to `x`; what it shares with the axis of the standard cancels.

        Returns
        -------
        :
            Values (point,), linear between the channels of the standard, and contributions (point,).

        Raises
        ------
        CalibrationError
            If a place lies outside the range of the standard.
        """
        if not ((x >= self.x[0]) & (x <= self.x[-1])).all():
            msg = (
                f"the response is known from {self.axis} {self.x[0]:g} to {self.x[-1]:g} {self.axis_units}, the "
                f"spectrum goes from {x.min():g} to {x.max():g}. Crop first: preprocess.crop(spectrum, "
                f"axis={self.axis!r}, low={self.x[0]:g}, high={self.x[-1]:g})"
            )
            raise CalibrationError(msg)
        value = np.interp(x, self.x, self.value)
        parts = {source: np.interp(x, self.x, part) for source, part in self.contributions.items()}
        slope = np.interp(x, self.x, np.gradient(self.value, self.x))
        ours = {source: -np.interp(x, self.x, part) for source, part in self.axis_contributions.items()}
        shifts = add_parts(moved, ours)
        return value, add_parts(parts, {source: slope * shift for source, shift in shifts.items()})

    def to_dataset(self) -> xr.Dataset:
        """Return the response as a Dataset.

        Returns
        -------
        :
            `value` and `u` (channel,) with `value_sources`, along the axis with its sources.
        """
        about = {"units": self.axis_units}
        table = xr.Dataset(
            {
                "value": (CHANNEL, self.value, {"units": self.units, "long_name": "response"}),
                "u": (CHANNEL, self.u, {"units": self.units, "long_name": "standard uncertainty"}),
            },
            coords={self.axis: (CHANNEL, self.x, about)},
            attrs={
                "kind": "ResponseCalibration",
                "axis": self.axis,
                "standard": self.standard,
                "instrument": self.instrument,
                "history": self.history,
                "p_value": np.nan if self.p_value is None else self.p_value,
            },
        )
        table = sources.attach(table, "value", self.contributions, (CHANNEL,))
        return sources.attach(table, self.axis, self.axis_contributions, (CHANNEL,))

    @classmethod
    def from_dataset(cls, dataset: xr.Dataset) -> "ResponseCalibration":
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
        said, axis = dataset.attrs, str(dataset.attrs["axis"])
        p_value = float(said["p_value"])
        return cls(
            axis=axis, axis_units=str(dataset[axis].attrs["units"]), units=str(dataset["value"].attrs["units"]),
            x=dataset[axis].values, value=dataset["value"].values, contributions=sources.detach(dataset, "value"),
            axis_contributions=sources.detach(dataset, axis), standard=str(said["standard"]),
            instrument=str(said["instrument"]), p_value=None if np.isnan(p_value) else p_value,
            history=str(said["history"]),
        )  # fmt: skip

    def __repr__(self) -> str:
        """Say what it is in one line."""
        return (
            f"ResponseCalibration({self.standard}, {self.axis} {self.x[0]:g} to {self.x[-1]:g} {self.axis_units}, "
            f"{len(self.contributions)} sources)"
        )


def response(
    measured: xr.Dataset | xr.DataArray, certified: CertifiedIntensity, *, axis: str | None = None,
    degree: int | None = None,
) -> ResponseCalibration:  # fmt: skip
    """Measure the intensity response of an instrument with a standard of known intensity.

    Parameters
    ----------
    measured:
        One spectrum of the standard, dark taken off, with `u_signal`, on a calibrated axis.
    certified:
        The standard.
    axis:
        Axis of the spectrum; None takes that of the standard.
    degree:
        None keeps each channel with its own noise, fringes included; a number fits a polynomial in x through them,
        weighted, which leaves degree + 1 sources of noise.

    Returns
    -------
    :
        Measured over certified intensity; a relative one is scaled so that its largest value is 1, exactly. Its
        sources: noise of the standard's spectrum, its signal and axis, and one for the whole certified curve.

    Raises
    ------
    CalibrationError
        If the axis is another one, the spectrum leaves the certified range, has no independent noise or no light, or
        the polynomial does not describe it.

    References
    ----------
    ASTM E2911-23; S. J. Choquette et al., Appl. Spectrosc. 61 (2007) 117, doi:10.1366/000370207779947585.
    """
    require_made(certified, CertifiedIntensity, "calibration.intensity_standard")
    dataset = require_one(measured)
    require_independent(dataset, "the response")
    name = axis or certified.axis
    x, moved = _axis(dataset, name, certified)
    signal, noise = _light(dataset)
    expected = certified.value(x)
    raw = signal / expected
    parts = {source: part / expected for source, part in signal_parts(dataset).items()}
    parts = add_parts(parts, {certified.source: -raw * certified.relative_u(x)})
    parts = add_parts(parts, {source: -raw * certified.slope(x) * part for source, part in moved.items()})
    settings = {"axis": axis, "degree": degree}
    text = history.extend(
        "calibration.response", settings=settings, inputs={"measured": dataset, "certified": certified}
    )
    own = f"response:{history.parse(text)['head']}"
    if degree is None:
        random = {_noise(own, k): np.where(np.arange(x.size) == k, u, 0.0) for k, u in enumerate(noise / expected)}
        value, p_value = raw, None
    else:
        value, random, smooth, p_value = _polynomial(x, raw, noise / expected, degree, own)
        parts = {source: smooth @ part for source, part in parts.items()}
    order = np.argsort(x)
    scale, unit = _scale(value, dataset, certified)
    return ResponseCalibration(
        axis=name, axis_units=certified.axis_units, units=unit, x=x[order], value=scale * value[order],
        contributions={s: scale * part[order] for s, part in (parts | random).items() if np.any(part)},
        axis_contributions={s: part[order] for s, part in moved.items()}, standard=certified.name,
        instrument=str(dataset.attrs.get("instrument", "")), p_value=p_value, history=text,
    )  # fmt: skip


def _scale(value: Array, dataset: xr.Dataset, certified: CertifiedIntensity) -> tuple[float, str]:
    if not (value > 0).all():
        msg = f"the response is not above 0 everywhere (lowest {value.min():g}); crop to where the standard gives light"
        raise CalibrationError(msg)
    if certified.units == "1":
        return 1.0 / float(value.max()), "1"
    return 1.0, unit_rules.multiply(str(dataset["signal"].attrs.get("units", "1")), certified.units, power=-1)


def _axis(dataset: xr.Dataset, name: str, certified: CertifiedIntensity) -> tuple[Array, dict[Source, Array]]:
    found = require_axis(dataset, name)
    kind = str(found.attrs.get("kind", name.removesuffix("_nominal")))
    medium = str(found.attrs.get("medium", ""))
    if kind != certified.axis or (kind == "wavelength" and medium != certified.medium):
        msg = (
            f"{certified.name} is certified along {certified.axis} {certified.medium}, the axis {name!r} is a {kind} "
            f"{medium}. Convert it first: calibration.convert_axis(spectrum, axis={name!r}, to={certified.axis!r}, ...)"
        )
        raise CalibrationError(msg)
    scale = unit_rules.factor(str(found.attrs.get("units", certified.axis_units)), certified.axis_units)
    parts = {source: scale * part for source, part in sources.detach(dataset, name).items()}
    return scale * np.asarray(found.values, dtype=float), parts


def _light(dataset: xr.Dataset) -> tuple[Array, Array]:
    if "u_signal" not in dataset:
        msg = "the spectrum of the standard has no u_signal, so its noise is not known; give it, from repeats or counts"
        raise CalibrationError(msg)
    signal, noise = (np.asarray(dataset[name].values, dtype=float) for name in ("signal", "u_signal"))
    if not (np.isfinite(signal).all() and np.isfinite(noise).all() and (signal > 0).all() and (noise >= 0).all()):
        msg = (
            f"the standard must give light in every channel; the lowest signal is {np.nanmin(signal):g}. Take off the "
            "dark spectrum, and crop to where there is light"
        )
        raise CalibrationError(msg)
    return signal, noise


def _noise(own: str, k: int) -> Source:
    return Source(id=f"{own}[{k}]", label=f"noise of the response [{k}]", tags=("response noise",))


def _polynomial(
    x: Array, raw: Array, noise: Array, degree: int, own: str
) -> tuple[Array, dict[Source, Array], Array, float]:
    """Return the polynomial, its noise, the matrix that made it from the channels, and how well it fits."""
    spare = x.size - degree - 1
    if degree < 0 or spare < 1 or not (noise > 0).all():
        msg = f"degree must lie in [0, {x.size - 2}] and all noise be above 0 for a polynomial; got degree {degree}"
        raise CalibrationError(msg)
    scaled = (2.0 * x - x.min() - x.max()) / (x.max() - x.min())
    design = np.polynomial.chebyshev.chebvander(scaled, degree)
    left, triangle = np.linalg.qr(design / noise[:, None])
    smooth = design @ np.linalg.solve(triangle, left.T / noise)
    value = smooth @ raw
    p_value = float(stats.chi2.sf(float((((raw - value) / noise) ** 2).sum()), spare))
    if p_value < IMPROBABLE:
        msg = (
            f"a polynomial of degree {degree} does not describe the response: probability {p_value:.1g} of residuals "
            "this large. Raise the degree, or use degree=None, which keeps every channel"
        )
        raise CalibrationError(msg)
    modes = design @ np.linalg.inv(triangle)
    return value, {_noise(own, k): mode for k, mode in enumerate(modes.T)}, smooth, p_value


def apply_response(
    calibration: ResponseCalibration, spectrum: xr.Dataset | xr.DataArray, *, axis: str | None = None
) -> xr.Dataset:
    """Divide spectra by the response of their instrument.

    Parameters
    ----------
    calibration:
        The response.
    spectrum:
        One spectrum or a map (*batch, channel), dark taken off, of the same instrument.
    axis:
        Its axis; None takes that of the response.

    Returns
    -------
    :
        The spectra with new `signal`, `u_signal` and `signal_sources`; all spectra share the sources of the response.

    Raises
    ------
    CalibrationError
        If it is of another instrument, or leaves the range of the standard.
    SpectrumError
        If there is no such axis.
    """
    require_made(calibration, ResponseCalibration, "calibration.response")
    dataset = require_spectrum(spectrum)
    name = axis or calibration.axis
    instrument = str(dataset.attrs.get("instrument", ""))
    if instrument and calibration.instrument and instrument != calibration.instrument:
        msg = (
            f"the response is of instrument {calibration.instrument!r}, the spectrum of {instrument!r}; measure each "
            "instrument with the standard"
        )
        raise CalibrationError(msg)
    found = require_axis(dataset, name)
    scale = unit_rules.factor(str(found.attrs.get("units", calibration.axis_units)), calibration.axis_units)
    moved = {source: scale * part for source, part in sources.detach(dataset, name).items()}
    value, parts = calibration.evaluate(scale * np.asarray(found.values, dtype=float), moved)
    signal = np.asarray(dataset["signal"].values, dtype=float) / value
    changed = {source: -signal * (part / value) for source, part in parts.items() if np.any(part)}
    given = str(dataset["signal"].attrs.get("units", "1"))
    unit = given if calibration.units == "1" else unit_rules.multiply(given, calibration.units, power=-1)
    result = carry(dataset, signal, 1.0 / value, changed, units=unit)
    result = result.assign_attrs(intensity=f"corrected by the response to {calibration.standard}")
    inputs = {"calibration": calibration, "spectrum": dataset}
    return history.record(result, "calibration.apply_response", settings={"axis": axis}, inputs=inputs)
