"""The chain on one spectrum without a notebook: calibrate, take the baseline off, find and fit the peaks.

Pure: data and settings in, results out. What the settings leave open is chosen by a rule, and the notes say so.
Not here: files and the command line (`python -m analysis`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import add

import lmfit
import numpy as np
import xarray as xr
from lmfit.models import ConstantModel, GaussianModel, LorentzianModel, PseudoVoigtModel, VoigtModel

from analysis import baseline, calibration, peaks, preprocess
from analysis.calibration import AxisCalibration
from analysis.calibration.applying import positions
from analysis.core import (
    CHANNEL,
    CalibrationError,
    MetrospecError,
    SpectrumError,
    UncertaintyError,
    axes,
    did_you_mean,
    require_axis,
    units,
)
from analysis.uncertainty import Quantity

__all__ = ["BASELINES", "MODELS", "Analysis", "Settings", "analyse", "calibrate"]

BASELINES: Mapping[str, Callable[[xr.Dataset], xr.DataArray]] = {
    "airpls": baseline.airpls,
    "arpls": baseline.arpls,
    "asls": baseline.asls,
    "modpoly": baseline.modpoly,
    "snip": baseline.snip,
}
"""Baseline methods by name, with their default settings; `none` is none."""
MODELS: Mapping[str, type[lmfit.Model]] = {
    "gaussian": GaussianModel,
    "lorentzian": LorentzianModel,
    "pseudo-voigt": PseudoVoigtModel,
    "voigt": VoigtModel,
}
"""Line shapes by name."""
MOST_PEAKS = 8
_READ_OFF = ("center", "fwhm", "height")
_MARGIN = 0.02


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What to do with a spectrum."""

    axis: str | None = None
    """Axis to fit on; None takes the calibrated one, else the first that is no pixel number."""
    low: float = -np.inf
    """Lower end of the fitted range, in units of the axis."""
    high: float = np.inf
    """Upper end of the fitted range, in units of the axis."""
    peaks: int | None = None
    """Number of peaks; None takes what stands out of the noise, the median of a map, `MOST_PEAKS` at most."""
    model: str = "lorentzian"
    """Line shape, one of `MODELS`."""
    baseline: str = "arpls"
    """Method, one of `BASELINES`, or `none`."""
    min_snr: float = 5.0
    """Least prominence of a peak over the noise, as in `peaks.find`."""
    lines: str = "Ne"
    """Lamp, as in `calibration.lines`."""
    lines_low: float | None = None
    """Lowest line in nm; None takes the nominal axis of the lamp spectrum."""
    lines_high: float | None = None
    """Highest line in nm; None takes the nominal axis of the lamp spectrum."""
    degree: int = 3
    """Degree of the calibration polynomial."""
    laser: float | None = None
    """Laser wavelength in nm; None takes what the silicon spectrum says of itself."""
    laser_u: float | None = None
    """Its standard uncertainty in nm; needed where no silicon spectrum gives it."""

    def __post_init__(self) -> None:
        """Refuse names that are not known and numbers that make no sense."""
        for name, got, known in (
            ("model", self.model, list(MODELS)),
            ("baseline", self.baseline, [*BASELINES, "none"]),
        ):
            if got not in known:
                msg = f"{name} must be one of {known}, got {got!r}.{did_you_mean(got, known)}"
                raise MetrospecError(msg)
        if self.peaks is not None and self.peaks < 1:
            msg = f"peaks must be 1 or more, got {self.peaks}; leave it out to take what stands out of the noise"
            raise MetrospecError(msg)


@dataclass(frozen=True, kw_only=True)
class Analysis:
    """What came out."""

    spectrum: xr.Dataset
    """What was fitted: calibrated, cut, without its baseline."""
    fit: xr.Dataset
    """The fit, as `peaks.fit` returns."""
    quantities: Mapping[str, Quantity]
    """Centre, width and height of each peak of a single spectrum by parameter; empty for a map and a failed fit."""
    notes: tuple[str, ...]
    """What was chosen, left out or has to be minded, in plain sentences."""

    @property
    def failed(self) -> bool:
        """Whether no spectrum could be fitted."""
        return bool((self.fit["status"] != peaks.Status.CONVERGED).all())


def calibrate(lamp: xr.Dataset, *, settings: Settings, silicon: xr.Dataset | None = None) -> AxisCalibration:
    """Calibrate the axis on a lamp, and the laser on silicon or as stated.

    Parameters
    ----------
    lamp:
        One spectrum of the lamp.
    settings:
        `lines`, their range, `degree`, `laser` and `laser_u`.
    silicon:
        One spectrum of silicon; None takes the stated laser wavelength.

    Returns
    -------
    :
        A calibration of `raman_shift`, or of `wavelength` where there is neither silicon nor a laser.

    Raises
    ------
    CalibrationError
        If the range of the lines or the laser is not known, or the lines do not match.
    """
    low, high = _range(lamp, settings)
    found = calibration.match(lamp, calibration.lines(settings.lines, low, high, units="nm"))
    axis = calibration.fit_axis(found, axis="wavelength", degree=settings.degree)
    if silicon is not None:
        nominal = settings.laser or silicon.attrs.get("laser_wavelength_nm")
        if nominal is None:
            msg = "the silicon spectrum does not name its laser; give the nominal wavelength in nm: --laser 532"
            raise CalibrationError(msg)
        return axis.to_raman_shift(calibration.laser_zero(axis, silicon, laser=float(nominal)))
    if settings.laser is None:
        return axis
    if settings.laser_u is None:
        msg = (
            f"the laser is stated as {settings.laser:g} nm without its uncertainty; give it in nm, --laser-u 0.01, or "
            "a silicon spectrum, --silicon FILE"
        )
        raise CalibrationError(msg)
    return axis.to_raman_shift(
        Quantity(value=settings.laser, u=settings.laser_u, units="nm", label="laser", source="stated by the user")
    )


def _range(lamp: xr.Dataset, settings: Settings) -> tuple[float, float]:
    if settings.lines_low is not None and settings.lines_high is not None:
        return settings.lines_low, settings.lines_high
    laser = settings.laser or lamp.attrs.get("laser_wavelength_nm")
    if "wavelength" in lamp.coords:
        axis = require_axis(lamp, "wavelength")
        nominal = axis.values * units.factor(str(axis.attrs.get("units", "nm")), "nm")
    elif "raman_shift" in lamp.coords and laser is not None:
        nominal = 1e7 / (1e7 / float(laser) - require_axis(lamp, "raman_shift").values)
    else:
        msg = (
            f"the lamp spectrum has the axes {axes(lamp)}, which do not say which wavelengths it spans; "
            "say it in nm: --lines-range 530 640"
        )
        raise CalibrationError(msg)
    margin = _MARGIN * float(np.ptp(nominal))
    return float(nominal.min()) - margin, float(nominal.max()) + margin


def analyse(spectrum: xr.Dataset, settings: Settings, *, calibrated_by: AxisCalibration | None = None) -> Analysis:
    """Analyse one spectrum or a map.

    Parameters
    ----------
    spectrum:
        Raw, dims `(*batch, channel)`.
    settings:
        What to do.
    calibrated_by:
        Calibrated axis to give to it; None keeps the axis of the file.

    Returns
    -------
    :
        The fit, and what was chosen on the way.

    Raises
    ------
    MetrospecError
        If a step refuses, with its reason.
    """
    notes: list[str] = []
    given = spectrum if calibrated_by is None else _calibrated(spectrum, calibrated_by, notes)
    axis = _axis(given, settings, calibrated_by, notes)
    if np.isfinite(settings.low) or np.isfinite(settings.high):
        given = preprocess.crop(given, axis=axis, low=settings.low, high=settings.high)
    flat = given if settings.baseline == "none" else _flattened(given, settings.baseline, notes)
    model = _model(flat, axis, settings, notes)
    fit = peaks.fit(flat, model, peaks.guess(model, flat, axis=axis), axis=axis)
    failed = _failed(fit, notes)
    single = flat["signal"].ndim == 1 and not failed
    return Analysis(spectrum=flat, fit=fit, quantities=_quantities(fit, notes) if single else {}, notes=tuple(notes))


def _failed(fit: xr.Dataset, notes: list[str]) -> int:
    bad = fit["status"].values[fit["status"].values != peaks.Status.CONVERGED]
    if bad.size:
        why = ", ".join(f"{peaks.Status(int(each)).sentence}" for each in np.unique(bad))
        notes.append(
            f"No uncertainty for {bad.size} of {fit['status'].size} spectra, as the fit failed: {why}. Look at the "
            "figure; try fewer peaks (--peaks), a part of the axis (--range), or another --model."
        )
    return int(bad.size)


def _calibrated(spectrum: xr.Dataset, axis: AxisCalibration, notes: list[str]) -> xr.Dataset:
    at = positions(axis, spectrum)
    kept = spectrum
    if float(at.min()) < axis.low or float(at.max()) > axis.high:
        kept = preprocess.crop(spectrum, axis=axis.of, low=axis.low, high=axis.high)
        notes.append(
            f"{kept.sizes[CHANNEL]} of {spectrum.sizes[CHANNEL]} channels kept: the others lie outside the outermost "
            f"calibration lines ({axis.of} {axis.low:.1f} to {axis.high:.1f}), where the axis is not known."
        )
    found = calibration.apply(axis, kept)
    said = str(found.attrs["validity"])
    notes.append(f"Validity of the calibration: {said}.")
    return found


def _axis(spectrum: xr.Dataset, settings: Settings, axis: AxisCalibration | None, notes: list[str]) -> str:
    if settings.axis is not None:
        chosen = str(require_axis(spectrum, settings.axis).name)
    elif axis is not None:
        chosen = axis.axis
    else:
        named = [name for name in axes(spectrum) if name != "pixel"]
        usual = [name for name in ("raman_shift", "wavelength") if name in named]
        found = [*usual, *named, *axes(spectrum)]
        if not found:
            msg = f"the spectrum has no axis along 'channel', only {list(spectrum.coords)}; give a lamp: --lamp FILE"
            raise SpectrumError(msg)
        chosen = found[0]
    if axis is None or chosen != axis.axis:
        notes.append(f"Not calibrated here: the axis {chosen!r} of the file counts as exact.")
    return chosen


def _flattened(spectrum: xr.Dataset, method: str, notes: list[str]) -> xr.Dataset:
    found = BASELINES[method](spectrum)
    failed = int((~found["converged"]).sum())
    if failed:
        notes.append(
            f"The {method} baseline did not converge for {failed} of {found['converged'].size} spectra; it was taken "
            "off all the same. Look at the figure, or choose another with --baseline."
        )
    return baseline.subtract(spectrum, found, allow_unconverged=True)


def _model(spectrum: xr.Dataset, axis: str, settings: Settings, notes: list[str]) -> lmfit.Model:
    count = settings.peaks
    if count is None:
        found = peaks.find(spectrum, axis=axis, min_snr=settings.min_snr)["count"]
        most = round(float(found.median()))
        count = min(most, MOST_PEAKS)
        if count == 0:
            msg = f"no peak stands {settings.min_snr:g} times out of the noise; say how many to fit: --peaks 1"
            raise SpectrumError(msg)
        if most > count:
            notes.append(
                f"{most} peaks stand out of the noise; the {count} most prominent were fitted (option --peaks)."
            )
    shapes = [MODELS[settings.model](prefix=f"p{number}_") for number in range(1, count + 1)]
    return reduce(add, shapes) + ConstantModel(prefix="bg_")


def _quantities(fit: xr.Dataset, notes: list[str]) -> dict[str, Quantity]:
    found = {}
    names = [str(each) for each in fit["parameter"].values]
    prefixes = dict.fromkeys(name.split("_", 1)[0] for name in names)
    for name in (f"{prefix}_{what}" for prefix in prefixes for what in _READ_OFF):
        if name not in names:
            continue
        try:
            found[name] = peaks.quantity(fit, name)
        except UncertaintyError as error:
            notes.append(f"{str(error)[:1].upper()}{str(error)[1:]}.")
    return found
