"""How small a field a magnetometer tells: from its own record by the Allan deviation, and the limit of counting.

Not here: the Allan family itself (`analysis.stability`).
"""

from dataclasses import dataclass

import numpy as np
import xarray as xr

from analysis import stability
from analysis.core import UncertaintyError
from analysis.quantum.constants import gyromagnetic_ratio
from analysis.uncertainty import Budget, Quantity, propagate

__all__ = ["Sensitivity", "sensitivity", "shot_noise_limit"]

_WHITE = 0
"""Exponent alpha of noise that is white in the field."""


@dataclass(frozen=True, kw_only=True)
class Sensitivity:
    """What averaging does to a record."""

    density: Quantity
    """Standard deviation times the root of the averaging time, in units of the record times s0.5."""
    smallest: Quantity
    """The deviation whose upper limit is smallest: what averaging is sure to reach."""
    best: float
    """Averaging time at which it does, s."""
    deviations: xr.Dataset
    """`stability.oadev` of the record."""

    def __str__(self) -> str:
        """Say both in a line."""
        return f"sensitivity {self.density}; smallest deviation {self.smallest} at {self.best:g} s"


def sensitivity(record: xr.DataArray, *, rate: float) -> Sensitivity:
    """Return the sensitivity of a magnetometer from its record of a constant field.

    Parameters
    ----------
    record:
        Readings, evenly spaced, in units such as nT; NaN where one is missing.
    rate:
        Readings per second.

    Returns
    -------
    :
        `density` is σ(τ) √τ over the averaging times whose noise is identified as white, weighted by their degrees of
        freedom; its u comes from the interval of the best known of them, as they share the readings. The one-sided
        amplitude spectral density is √2 times as large.

    Raises
    ------
    UncertaintyError
        If no averaging time shows white noise.
    SpectrumError
        If record or rate cannot be used.
    """
    units = str(record.attrs.get("units", "1"))
    found = stability.oadev(record, rate=rate, kind="frequency")
    white = np.flatnonzero(found["noise"].values == _WHITE)
    if not white.size:
        names = sorted(set(found["noise_name"].values.tolist()))
        msg = (
            f"no averaging time shows white noise; identified: {names}. The record drifts or is filtered: take the "
            "deviation at the averaging time you use, stability.oadev(record, rate=..., kind='frequency')"
        )
        raise UncertaintyError(msg)
    value, tau, dof = (found[name].values for name in ("value", "tau", "dof"))
    weight = dof[white] / dof[white].sum()
    density = float((weight * value[white] * np.sqrt(tau[white])).sum())
    share = 1.0 / np.sqrt(2.0 * dof[white].max())
    least = int(found["high"].values.argmin())
    either = 0.5 * float(found["u_low"][least] + found["u_high"][least])
    return Sensitivity(
        density=Quantity(value=density, u=density * share, units=f"{units} s0.5", label="sensitivity"),
        smallest=Quantity(value=float(value[least]), u=either, units=units, label="smallest deviation"),
        best=float(tau[least]),
        deviations=found,
    )


def shot_noise_limit(
    linewidth: Quantity, contrast: Quantity, counts: Quantity, *, ratio: Quantity | None = None
) -> Budget:
    """Return the sensitivity that counting alone allows, on the slope of a Lorentzian resonance.

    Parameters
    ----------
    linewidth:
        Full width at half depth, MHz.
    contrast:
        Depth relative to the fluorescence without microwaves.
    counts:
        Detected photons per second, `s-1`.
    ratio:
        g μB/h in MHz/mT; None takes `gyromagnetic_ratio`.

    Returns
    -------
    :
        4/(3√3) Δν/(γ C √R), in mT s0.5.

    Raises
    ------
    UncertaintyError
        If one of them is not above 0, or units do not fit.

    References
    ----------
    Dréau et al., Phys. Rev. B 84 (2011) 195204, doi:10.1103/PhysRevB.84.195204.
    """
    for given, name in ((linewidth, "linewidth"), (contrast, "contrast"), (counts, "counts")):
        if not given.value > 0.0:
            msg = f"{name} must be above 0, got {given.value:g}. A dip has a positive contrast"
            raise UncertaintyError(msg)
    inputs = {"width": linewidth, "contrast": contrast, "rate": counts}
    inputs["ratio"] = gyromagnetic_ratio() if ratio is None else ratio
    formula = "4/(3*sqrt(3)) * width/(ratio*contrast*sqrt(rate))"
    return propagate(formula, inputs, name="limit of counting", units="mT s0.5")
