"""The lines of a calibration spectrum, paired with reference lines; what was left out, and why.

Not here: the consensus that finds the pairs (`analysis.calibration.pairing`), the fit of the axis
(`analysis.calibration.fitting`).
"""

from enum import IntEnum

import numpy as np
import numpy.typing as npt
import xarray as xr

from analysis.calibration import air
from analysis.calibration.lines import LINE, require_lines
from analysis.calibration.locate import Located, coordinate, locate_all, require_one, to_coordinate
from analysis.calibration.pairing import LEAST, Pairing, pair
from analysis.core import CHANNEL, CalibrationError, history, units

Array = npt.NDArray[np.float64]
_BLIND = 0.25
_BLEND = 0.02
_BLEND_WIDTHS = 1.2


class PeakFate(IntEnum):
    """What became of a peak of the calibration spectrum."""

    MATCHED = 0
    """Paired with a reference line."""
    NO_LINE = 1
    """No reference line fits it."""
    BLENDED = 2
    """More than one reference line lies within its width."""
    SATURATED = 3
    """Its window holds a saturated channel."""
    NOT_FITTED = 4
    """Its position could not be fitted."""
    LEFT_OUT = 5
    """Paired, and left out by hand."""


def match(
    spectrum: xr.Dataset | xr.DataArray,
    lines: xr.Dataset,
    *,
    axis: str | None = None,
    min_snr: float = 8.0,
    max_shift: float = 0.04,
) -> xr.Dataset:
    """Find the lines of a calibration spectrum and pair them with reference lines.

    The nominal axis of the file is a hint where there is one; without it the range of `lines` is taken as the range
    of the detector. Pairs come from the consensus of all peaks, so lines may be missing and peaks may be spurious.

    Parameters
    ----------
    spectrum:
        One lamp spectrum (channel,); a variable `saturated` (channel) marks clipped channels.
    lines:
        Reference lines, as `lines` returns.
    axis:
        Coordinate that positions are given in; None takes `pixel`, or the channel number.
    min_snr:
        Lowest height of a peak over the noise.
    max_shift:
        How far the nominal axis may be off at its ends, as a fraction of its range.

    Returns
    -------
    :
        Per peak (peak): `position` and `u_position` in units of the coordinate, `height`, `fwhm`, `fate` (a
        `PeakFate`), `line_index` (-1 without a line), `residual` from the consensus in units of the lines;
        per line (line): the table of `lines`, and `found`. The attribute `summary` says it in a sentence.

    Raises
    ------
    CalibrationError
        If no set of at least four peaks agrees with the lines, and more of them than by chance; if there is more
        than one spectrum, or this is no table of lines.
    SpectrumError
        If this is not a spectrum, or has no such axis.
    """
    require_lines(lines, needs=("value", "u", "intensity"))
    if not 0 < max_shift < 1:
        msg = f"max_shift must be a fraction of the range, in (0, 1); got {max_shift}. Usual are 0.02 to 0.2"
        raise CalibrationError(msg)
    dataset = require_one(spectrum)
    along = coordinate(dataset, axis)
    located = locate_all(dataset, min_snr=min_snr)
    position, step = to_coordinate(located.channel, along)
    nominal, scale, known = _nominal(dataset, along, lines)
    number = np.arange(nominal.size)
    guess = np.interp(located.channel, number, nominal)
    good = located.usable & ~located.saturated
    pairing = _consensus(located, guess, good, lines, scale=scale, share=max_shift if known else _BLIND)
    fate, index, residual = _fates(located, good, pairing, lines, scale)
    found = xr.Dataset(
        {
            "position": ("peak", position, {"units": along.attrs.get("units", "1")}),
            "u_position": ("peak", located.u * np.abs(step), {"units": along.attrs.get("units", "1")}),
            "dof": ("peak", located.dof, {"units": "1"}),
            "height": ("peak", located.height, {"units": dataset["signal"].attrs.get("units", "1")}),
            "fwhm": ("peak", located.fwhm * np.abs(step), {"units": along.attrs.get("units", "1")}),
            "fate": ("peak", fate.astype(np.int8), _flags()),
            "line_index": ("peak", index, {"units": "1"}),
            "residual": ("peak", residual, {"units": lines["value"].attrs["units"]}),
        }
    )
    merged = lines.assign({str(name): variable for name, variable in found.data_vars.items()})
    merged["found"] = (LINE, np.isin(np.arange(lines.sizes[LINE]), index[fate == PeakFate.MATCHED]))
    merged.attrs = {
        "of": str(along.name),
        "of_units": along.attrs.get("units", "1"),
        "medium": lines.attrs.get("medium", "vacuum"),
        "instrument": str(dataset.attrs.get("instrument", "")),
        "acquired": str(dataset.attrs.get("acquired", "")),
        "summary": _summary(fate, merged),
    }
    settings = {"axis": axis, "min_snr": min_snr, "max_shift": max_shift}
    return history.record(merged, "calibration.match", settings=settings, inputs={"spectrum": dataset, "lines": lines})


def _flags() -> dict[str, object]:
    return {
        "flag_values": [int(each) for each in PeakFate],
        "flag_meanings": " ".join(each.name.lower() for each in PeakFate),
        "units": "1",
    }


def _nominal(dataset: xr.Dataset, along: xr.DataArray, lines: xr.Dataset) -> tuple[Array, float, bool]:
    """Nominal axis in the units of the lines, its step per channel, and whether the file knew it."""
    found = _from_file(dataset, lines)
    if found is None:
        value = lines["value"].values
        number = np.asarray(along.values, dtype=float)
        share = (number - number.min()) / max(np.ptp(number), 1.0)
        found, known = value.min() + share * np.ptp(value), False
    else:
        known = True
    return found, float(np.median(np.abs(np.gradient(found)))), known


def _from_file(dataset: xr.Dataset, lines: xr.Dataset) -> Array | None:
    want = lines["value"].attrs["units"]
    for name in ("wavelength", "raman_shift"):
        coord = dataset.coords.get(name)
        if coord is None or coord.dims != (CHANNEL,) or "units" not in coord.attrs:
            continue
        values = np.asarray(coord.values, dtype=float)
        if units.same_dimension(coord.attrs["units"], want):
            return values * units.factor(coord.attrs["units"], want)
        laser = dataset.attrs.get("laser_wavelength_nm", coord.attrs.get("laser_wavelength_nm"))
        if name == "raman_shift" and laser is not None and units.same_dimension("nm", want):
            medium = lines.attrs.get("medium", "vacuum")
            scattered = air.wavenumber(float(laser), medium)[0] - values
            return air.wavelength(scattered, medium) * units.factor("nm", want)
    return None


def _consensus(
    located: Located,
    guess: Array,
    good: npt.NDArray[np.bool_],
    lines: xr.Dataset,
    *,
    scale: float,
    share: float,
) -> Pairing:
    value, strength = lines["value"].values, lines["intensity"].values
    if good.sum() >= LEAST:
        height = np.maximum(located.height[good], np.finfo(float).tiny)
        trust = 0.3 + 0.7 * _log_share(height)
        resolution = scale * max(1.0, float(np.median(located.fwhm[good])) / 3)
        reach = share * np.ptp(guess)
        span = (reach, reach / 2, reach / 4)
        line_trust = 0.4 + 0.6 * _log_share(strength)
        u = located.u[good] * scale
        pairing = pair(guess[good], resolution, trust, value, line_trust, u=u, span=span)
        if pairing is not None:
            everywhere = np.flatnonzero(good)
            return Pairing(
                peak=everywhere[pairing.peak],
                line=pairing.line,
                predicted=_spread(pairing.predicted, good),
                scatter=pairing.scatter,
            )
    unit = lines["value"].attrs["units"]
    msg = (
        f"the peaks do not agree with the lines: {int(good.sum())} usable peaks, taken to lie near {guess.min():.4g} "
        f"to {guess.max():.4g} {unit}, and {value.size} lines from {value.min():.4g} to {value.max():.4g} {unit}; "
        f"at least {LEAST} must agree, and more than by chance. Check the lamp; give lines(...) the range of the "
        "detector, or the spectrum a nominal axis; lower min_snr; raise max_shift"
    )
    raise CalibrationError(msg)


def _log_share(values: Array) -> Array:
    ratio = np.log1p(values / values.min())
    return np.asarray(ratio / ratio.max())


def _spread(values: Array, good: npt.NDArray[np.bool_]) -> Array:
    full = np.full(good.size, np.nan)
    full[good] = values
    return full


def _fates(
    located: Located, good: npt.NDArray[np.bool_], pairing: Pairing, lines: xr.Dataset, scale: float
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Array]:
    value, strength = lines["value"].values, lines["intensity"].values
    fate = np.where(good, PeakFate.NO_LINE, np.where(located.saturated, PeakFate.SATURATED, PeakFate.NOT_FITTED))
    index = np.full(good.size, -1)
    residual = np.full(good.size, np.nan)
    index[pairing.peak] = pairing.line
    residual[pairing.peak] = value[pairing.line] - pairing.predicted[pairing.peak]
    for peak, line in zip(pairing.peak, pairing.line, strict=True):
        near = np.abs(value - value[line]) < _BLEND_WIDTHS * located.fwhm[peak] * scale
        rivals = near & (strength > _BLEND * strength[line])
        fate[peak] = PeakFate.BLENDED if rivals.sum() > 1 else PeakFate.MATCHED
    return fate, index, residual


def _summary(fate: npt.NDArray[np.int64], found: xr.Dataset) -> str:
    counts = {each: int((fate == each).sum()) for each in PeakFate}
    words = {
        PeakFate.NO_LINE: "without a line",
        PeakFate.BLENDED: "blended",
        PeakFate.SATURATED: "saturated",
        PeakFate.NOT_FITTED: "not fitted",
    }
    rejected = ", ".join(f"{counts[each]} {word}" for each, word in words.items() if counts[each])
    text = f"{counts[PeakFate.MATCHED]} of {fate.size} peaks paired with {found.sizes[LINE]} lines"
    return f"{text}; left out: {rejected}" if rejected else text
