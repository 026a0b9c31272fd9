"""From two resonances of a centre to the magnetic field, exactly: the secular equation of spin 1 solved for the field.

With H = D Sz² + γ B·S the three levels sum to 2 D, so the two transition frequencies give all of them; their products
give γ²B² and the part across the axis. Not here: the fit of the resonances (`analysis.quantum.odmr`).
References: Balasubramanian et al., Nature 455 (2008) 648, doi:10.1038/nature07278 (the magnitude); the axial part
follows from the determinant of H in the same way.
"""

import math
from dataclasses import dataclass

import numpy as np

from analysis.core import UncertaintyError
from analysis.quantum.constants import gyromagnetic_ratio, zero_field_splitting
from analysis.uncertainty import Budget, Quantity, propagate

__all__ = ["Field", "axial_field", "field", "resonances"]

_SQUARE = "(lower**2 + upper**2 - lower*upper - zero**2)/3"
_LEVELS = (
    "(2*zero - lower - upper)/3 * ((2*zero - lower - upper)/3 + lower) * ((2*zero - lower - upper)/3 + upper)/zero"
)

_CONTRADICTS = 3.0


@dataclass(frozen=True, kw_only=True)
class Field:
    """The field at a centre."""

    magnitude: Budget
    """Of the field, mT."""
    axial: Budget
    """Of its part along the axis of the centre, mT."""


def axial_field(lower: Quantity, upper: Quantity, *, ratio: Quantity | None = None) -> Budget:
    """Return the field along the axis of the centre, for a field that is weak across it.

    Parameters
    ----------
    lower, upper:
        Both resonances of one orientation, in MHz (centres of their multiplets).
    ratio:
        g μB/h in MHz/mT; None takes `gyromagnetic_ratio`.

    Returns
    -------
    :
        (upper - lower)/(2 γ) in mT. Exact where nothing lies across the axis; else the splitting is smaller by about
        (γB⊥)²/(2D) of 2γB: 0.1 % at 30 degrees and 1 mT. `field` is exact.

    Raises
    ------
    UncertaintyError
        If `upper` is not above `lower`, or units do not fit.
    """
    _require_order(lower, upper)
    inputs = {"lower": lower, "upper": upper, "ratio": gyromagnetic_ratio() if ratio is None else ratio}
    return propagate("(upper - lower)/(2*ratio)", inputs, name="axial field", units="mT")


def field(
    lower: Quantity, upper: Quantity, *, zero_field: Quantity | None = None, ratio: Quantity | None = None
) -> Field:
    """Return magnitude and axial part of the field, for any angle.

    Parameters
    ----------
    lower, upper:
        Both resonances of one orientation, in MHz (centres of their multiplets).
    zero_field:
        Splitting D without a field, MHz; None takes `zero_field_splitting`, whose u of 1 MHz is then most of the
        budget of a weak field: measure D of the sample.
    ratio:
        g μB/h in MHz/mT; None takes `gyromagnetic_ratio`.

    Returns
    -------
    :
        Two budgets, which share their sources. Strain and electric fields across the axis are not in the model.

    Raises
    ------
    UncertaintyError
        If `upper` is not above `lower`, no field gives these frequencies with this D, or units do not fit.
    """
    _require_order(lower, upper)
    inputs = {
        "lower": lower,
        "upper": upper,
        "zero": zero_field_splitting() if zero_field is None else zero_field,
        "ratio": gyromagnetic_ratio() if ratio is None else ratio,
    }
    moved = 0.5 * (lower + upper) - inputs["zero"]
    low, high, zero = lower.value, upper.value, inputs["zero"].value
    square = (low**2 + high**2 - low * high - zero**2) / 3.0
    first = (2.0 * zero - low - high) / 3.0
    along = square + first * (first + low) * (first + high) / zero
    if moved.value < -_CONTRADICTS * moved.u or not square > 0.0 or not along > 0.0:
        msg = (
            f"no field gives resonances at {low:g} and {high:g} MHz with D = {zero:g} MHz: their mean less D is "
            f"{moved}, and no field lowers it. Give D of the sample as zero_field, or take axial_field"
        )
        raise UncertaintyError(msg)
    return Field(
        magnitude=propagate(f"sqrt({_SQUARE})/ratio", inputs, name="magnetic field", units="mT"),
        axial=propagate(f"sqrt({_SQUARE} + {_LEVELS})/ratio", inputs, name="axial field", units="mT"),
    )


def resonances(
    magnitude: float, angle: float, *, zero_field: float = 2870.0, ratio: float | None = None
) -> tuple[float, float]:
    """Return both resonances of a centre in a field, from the eigenvalues of its Hamiltonian.

    Parameters
    ----------
    magnitude:
        Of the field, mT, >= 0.
    angle:
        Between field and axis of the centre, rad.
    zero_field:
        Splitting D without a field, MHz.
    ratio:
        g μB/h in MHz/mT; None takes `gyromagnetic_ratio`.

    Returns
    -------
    :
        Lower and upper frequency, MHz.
    """
    strength = magnitude * (gyromagnetic_ratio().value if ratio is None else ratio)
    axial, across = strength * math.cos(angle), strength * math.sin(angle) / math.sqrt(2.0)
    hamiltonian = np.array(
        [[zero_field + axial, across, 0.0], [across, 0.0, across], [0.0, across, zero_field - axial]]
    )
    levels = np.linalg.eigvalsh(hamiltonian)
    return float(levels[1] - levels[0]), float(levels[2] - levels[0])


def _require_order(lower: Quantity, upper: Quantity) -> None:
    if not 0.0 < lower.value < upper.value:
        msg = f"upper must lie above lower and both above 0; got {lower.value:g} and {upper.value:g}. Exchange them?"
        raise UncertaintyError(msg)
