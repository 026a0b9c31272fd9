"""The measured instruments of `sample_data`: how each is calibrated, and its polystyrene bands before and after.

Lamps and samples are from the ramanchada2 data (MIT); ranges are those of the detectors, degrees those that the lines
of the lamp carry.
"""

from dataclasses import dataclass

import numpy as np
import xarray as xr
from lmfit.models import LinearModel, PseudoVoigtModel

from analysis import calibration, io, peaks, preprocess
from analysis.calibration import AxisCalibration, BandCheck, ValidityVerdict
from analysis.uncertainty import Quantity, sources

E1840 = (620.9, 1001.4, 1031.8, 1155.3, 1602.3)
"""Polystyrene bands in cm-1: ASTM E1840, means of seven laboratories."""
WINDOWS = (
    (600.0, 645.0, (620.9,)),
    (985.0, 1048.0, (1001.4, 1031.8)),
    (1135.0, 1175.0, (1155.3,)),
    (1560.0, 1630.0, (1583.1, 1602.3)),
)


@dataclass(frozen=True, kw_only=True)
class Setup:
    """How an instrument is calibrated."""

    of: str | None = None
    low: float
    high: float
    degree: int
    laser: float


SETUPS = {
    "bwtek532a": Setup(low=530, high=690, degree=3, laser=532.02),
    "bwtek785": Setup(low=780, high=960, degree=3, laser=784.82),
    "horiba633": Setup(of="raman_shift", low=635, high=890, degree=5, laser=633.0),
    "horiba785_op1": Setup(of="raman_shift", low=785, high=1050, degree=4, laser=785.0),
    "horiba785_op2": Setup(of="raman_shift", low=785, high=1050, degree=4, laser=785.0),
    "horiba785_op3": Setup(of="raman_shift", low=785, high=1050, degree=4, laser=785.0),
    "bwtek532b": Setup(low=530, high=690, degree=3, laser=532.14),
}


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What the chain found for one instrument."""

    raman: AxisCalibration
    verdict: ValidityVerdict
    before: tuple[BandCheck, ...]
    after: tuple[BandCheck, ...]


def wavelength_axis(name: str) -> AxisCalibration:
    """Calibrate the wavelength axis with the neon lamp."""
    setup, lamp = SETUPS[name], io.sample(f"raman_{name}_neon")
    table = calibration.lines("Ne", setup.low, setup.high, units="nm")
    found = calibration.match(lamp, table, axis=setup.of)
    return calibration.fit_axis(found, axis="wavelength", degree=setup.degree)


def raman_axis(name: str) -> AxisCalibration:
    """Calibrate the Raman axis with the neon lamp and silicon."""
    axis = wavelength_axis(name)
    silicon = io.sample(f"raman_{name}_silicon")
    return axis.to_raman_shift(calibration.laser_zero(axis, silicon, laser=SETUPS[name].laser))


def polystyrene_lines() -> xr.Dataset:
    """Return the five published bands."""
    table = calibration.lines("polystyrene", 600, 1700, units="cm-1")
    return table.isel(line=[int(np.argmin(np.abs(table["value"].values - band))) for band in E1840])


def calcite_lines() -> xr.Dataset:
    """Return the published bands that judge a calibration."""
    return calibration.lines("calcite", 200, 1200, units="cm-1")


def fitted(spectrum: xr.Dataset) -> tuple[BandCheck, ...]:
    """Fit the published bands on the calibrated axis: pseudo-Voigts on a line, as slit and band share the width."""
    table, found = polystyrene_lines(), {}
    for low, high, centres in WINDOWS:
        window = preprocess.crop(spectrum, axis="raman_shift", low=low, high=high)
        model = LinearModel(prefix="bg_")
        for index, centre in enumerate(centres):
            band = PseudoVoigtModel(prefix=f"p{index}_")
            band.set_param_hint("center", value=centre, min=low, max=high)
            model += band
        fit = peaks.fit(window, model, peaks.guess(model, window, axis="raman_shift"), axis="raman_shift")
        for index, centre in enumerate(centres):
            found[centre] = peaks.quantity(fit, f"p{index}_center")
    references = [_reference(table, index) for index in range(len(E1840))]
    return tuple(
        BandCheck(name=f"{band:g}", reference=reference, measured=found[band])
        for band, reference in zip(E1840, references, strict=True)
    )


def _reference(table: xr.Dataset, index: int) -> Quantity:
    parts = {source: float(row[index]) for source, row in sources.detach(table, "value").items()}
    return Quantity.from_components(float(table["value"].values[index]), parts, units="cm-1")


def outcome(name: str) -> Outcome:
    """Run the chain for one instrument: judged with calcite, shown on polystyrene."""
    raman, sample = raman_axis(name), io.sample(f"raman_{name}_polystyrene")
    inside = preprocess.crop(sample, axis=raman.of, low=raman.low, high=raman.high)
    return Outcome(
        raman=raman,
        verdict=calibration.check(raman, io.sample(f"raman_{name}_calcite"), calcite_lines()),
        before=calibration.compare(sample, polystyrene_lines()),
        after=fitted(calibration.apply(raman, inside)),
    )


def agrees(band: BandCheck) -> bool:
    """Say whether a band has |E_n| <= 1 with our own U (k = 2) <= 1 cm-1."""
    return band.measured is not None and abs(band.en) <= 1 and 2 * band.measured.u <= 1.0
