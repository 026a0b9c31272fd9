"""The scale of binding energies by reference lines of pure metals (ISO 15472).

The scale is off by a straight line between gold and copper; silver, between them, says whether it is straight.
Not here: fitting of the lines (`analysis.peaks`).
References: Seah, Gilmore, Beamson, Surf. Interface Anal. 26 (1998) 642; Seah, ibid. 31 (2001) 721 (ISO 15472:2001);
values and ±0.02 eV as given at xpslibrary.com/be-energy-calibration-values; the standard itself was not seen.
"""

from dataclasses import dataclass

from analysis.core import CalibrationError, Displayed, did_you_mean
from analysis.core import units as unit_rules
from analysis.uncertainty import Quantity, Source, distributions

__all__ = ["EnergyScale", "energy_scale", "reference_energy"]

ORIGIN = "ISO 15472, monochromated Al Kα; 0.02 eV taken as half width of a rectangular distribution"
ENERGIES = {"Au 4f7/2": 83.96, "Ag 3d5/2": 368.21, "Cu 2p3/2": 932.62}
"""Binding energies, eV."""
HALF_WIDTH = 0.02
LOW, HIGH = 0.0, 1040.0  # eV, where the standard holds


def reference_energy(line: str) -> Quantity:
    """Give the reference energy of a line.

    Parameters
    ----------
    line:
        `"Au 4f7/2"`, `"Ag 3d5/2"` or `"Cu 2p3/2"`.

    Returns
    -------
    :
        Binding energy for monochromated Al Kα, eV; its source is the same wherever it is used.

    Raises
    ------
    CalibrationError
        If there is no such line.
    """
    if line not in ENERGIES:
        msg = f"no reference line named {line!r}; there are {list(ENERGIES)}.{did_you_mean(line, ENERGIES)}"
        raise CalibrationError(msg)
    shape = distributions.rectangular()
    source = Source(
        id=f"iso15472:{line}", label=f"reference energy of {line}", units="eV", kind="B", distribution=shape,
        origin=ORIGIN,
    )  # fmt: skip
    u = HALF_WIDTH / 3.0**0.5
    return Quantity.from_components(ENERGIES[line], {source: u}, units="eV", label=line, source=ORIGIN)


@dataclass(frozen=True, kw_only=True)
class EnergyScale(Displayed):
    """A scale of binding energies and what is to be taken off it."""

    at_gold: Quantity
    """Measured minus reference energy at Au 4f7/2, eV."""
    at_copper: Quantity
    """The same at Cu 2p3/2, eV."""
    linearity: Quantity | None
    """Error at Ag 3d5/2 beside the straight line, eV; None if silver was not measured."""

    def error(self, energy: float) -> Quantity:
        """Give the error of the scale.

        Parameters
        ----------
        energy:
            Binding energy, eV, from 0 to 1040.

        Returns
        -------
        :
            What the scale shows too much, eV.

        Raises
        ------
        CalibrationError
            If the energy lies outside what the standard covers.
        """
        if not LOW <= energy <= HIGH:
            msg = f"energy must lie in [{LOW:g}, {HIGH:g}] eV, got {energy:g}. Calibrate that range by other lines"
            raise CalibrationError(msg)
        gold, copper = ENERGIES["Au 4f7/2"], ENERGIES["Cu 2p3/2"]
        share = (energy - gold) / (copper - gold)
        return self.at_gold * (1.0 - share) + self.at_copper * share

    def correct(self, energy: Quantity) -> Quantity:
        """Take the error of the scale off a binding energy.

        Parameters
        ----------
        energy:
            As measured on this scale, from 0 to 1040 eV.

        Returns
        -------
        :
            The binding energy, eV, with the sources of the measurement and of the scale.

        Raises
        ------
        CalibrationError
            If the energy lies outside what the standard covers.
        UnitsError
            If it is no energy.
        """
        return energy - self.error(unit_rules.convert(energy.value, energy.units, "eV"))

    def is_within(self, tolerance: float, *, level: float = 0.95) -> bool:
        """Say whether the scale is right within a tolerance, its uncertainty included.

        Parameters
        ----------
        tolerance:
            Largest error allowed, eV, > 0.
        level:
            Coverage probability of the uncertainty.

        Returns
        -------
        :
            True if at both ends, and for the linearity, |error| + U stays within it.
        """
        errors = [self.at_gold, self.at_copper, *([] if self.linearity is None else [self.linearity])]
        return all(abs(each.value) + each.U(level) <= tolerance for each in errors)

    def __str__(self) -> str:
        """Write the errors."""
        said = f"error {self.at_gold} at Au 4f7/2, {self.at_copper} at Cu 2p3/2"
        return said + ("" if self.linearity is None else f", {self.linearity} from a straight line at Ag 3d5/2")


def energy_scale(*, gold: Quantity, copper: Quantity, silver: Quantity | None = None) -> EnergyScale:
    """Find the error of a scale of binding energies.

    Parameters
    ----------
    gold, copper, silver:
        Measured binding energies of Au 4f7/2, Cu 2p3/2 and Ag 3d5/2 on clean metals, monochromated Al Kα.

    Returns
    -------
    :
        The scale.

    Raises
    ------
    CalibrationError
        If a line is not where it can be meant: more than 5 eV from its reference.
    UnitsError
        If one is no energy.
    """
    at_gold, at_copper = _error("Au 4f7/2", gold), _error("Cu 2p3/2", copper)
    scale = EnergyScale(at_gold=at_gold, at_copper=at_copper, linearity=None)
    if silver is None:
        return scale
    beside = _error("Ag 3d5/2", silver) - scale.error(ENERGIES["Ag 3d5/2"])
    return EnergyScale(at_gold=at_gold, at_copper=at_copper, linearity=beside)


FAR = 5.0


def _error(line: str, measured: Quantity) -> Quantity:
    value = unit_rules.convert(measured.value, measured.units, "eV")
    if abs(value - ENERGIES[line]) > FAR:
        msg = (
            f"{line} was measured at {value:g} eV and belongs at {ENERGIES[line]:g} eV; wanted less than {FAR:g} eV "
            "between them. Is it another line, a scale of kinetic energy, or a charged sample?"
        )
        raise CalibrationError(msg)
    return measured - reference_energy(line)
