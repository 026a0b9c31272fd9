"""Which nuclides explain the peaks of a spectrum.

Not here: the figures of the nuclides (`analysis.gamma.nuclides`).
"""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from analysis.core import CalibrationError
from analysis.gamma.nuclides import Line, Nuclide, nuclide, nuclides
from analysis.uncertainty import Quantity

__all__ = ["identify"]

ROUNDING = 1e-9  # keV; a line that the calibration goes through exactly has no uncertainty left


def identify(
    energies: Sequence[Quantity],
    *,
    among: Sequence[str] | None = None,
    tolerance: float = 0.25,
    probability: float = 0.95,
    share: float = 0.6,
) -> xr.Dataset:
    """Name the nuclides whose lines stand at measured energies.

    A line is met by a peak that is within `tolerance` and within the expanded uncertainty of the difference. A nuclide
    is named if the lines that were met hold enough of its intensity between the least and the greatest energy.

    Parameters
    ----------
    energies:
        Of the peaks, keV, from the calibration.
    among:
        Names of nuclides; None takes all packaged ones.
    tolerance:
        keV.
    probability:
        Of the interval of a difference.
    share:
        Of the intensity that must be met.

    Returns
    -------
    :
        Dims `(line,)`: `nuclide`, `energy` (keV, measured), `u_energy`, `reference`, `difference`, `U_difference`,
        `intensity`, `share` met of the nuclide; empty if nothing was met.

    Raises
    ------
    CalibrationError
        If there are no peaks, or they are no energies in keV.
    """
    if not energies or any(each.units != "keV" for each in energies):
        msg = f"wanted energies of peaks in keV, got {[str(each) for each in energies][:3]}. Calibrate the channels"
        raise CalibrationError(msg)
    low, high = min(e.value for e in energies) - tolerance, max(e.value for e in energies) + tolerance
    rows = []
    for name in nuclides() if among is None else among:
        met, part = _met(nuclide(name), energies, (low, high), tolerance=tolerance, probability=probability)
        if met and part >= share:
            rows += [(name, peak, line, part) for peak, line in met]
    return _table(rows, probability)


def _met(
    given: Nuclide, energies: Sequence[Quantity], between: tuple[float, float], *, tolerance: float, probability: float
) -> tuple[list[tuple[Quantity, Line]], float]:
    seen = [line for line in given.lines if between[0] <= line.energy.value <= between[1]]
    met = []
    for line in seen:
        peak = min(energies, key=lambda each: abs(each.value - line.energy.value))
        off = peak - line.energy
        if abs(off.value) <= min(tolerance, off.U(probability) + ROUNDING):
            met.append((peak, line))
    total = sum(line.intensity.value for line in seen)
    return met, sum(line.intensity.value for _, line in met) / total if seen else 0.0


def _table(rows: list[tuple[str, Quantity, Line, float]], probability: float) -> xr.Dataset:
    off = [peak - line.energy for _, peak, line, _ in rows]
    columns = {
        "energy": [peak.value for _, peak, _, _ in rows],
        "u_energy": [peak.u for _, peak, _, _ in rows],
        "reference": [line.energy.value for _, _, line, _ in rows],
        "difference": [each.value for each in off],
        "U_difference": [each.U(probability) for each in off],
    }
    made = {name: ("line", np.array(column, dtype=float), {"units": "keV"}) for name, column in columns.items()}
    made["intensity"] = (
        "line",
        np.array([line.intensity.value for _, _, line, _ in rows], dtype=float),
        {"units": "1"},
    )
    made["share"] = ("line", np.array([part for *_, part in rows], dtype=float), {"units": "1"})
    names = np.array([name for name, *_ in rows], dtype=str)
    return xr.Dataset(made, coords={"nuclide": ("line", names)}, attrs={"probability": probability})
