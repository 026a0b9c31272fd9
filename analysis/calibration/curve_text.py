"""A calibration curve in words: its lines of text, and from what its covariance was computed.

Not here: the curve (`analysis.calibration.curve`), tables and figures (`analysis.report`, `analysis.figures`).
"""

from typing import Any, Literal

from analysis.calibration.curve_families import shown, with_units
from analysis.core import CalibrationError, did_you_mean
from analysis.uncertainty import format_value

__all__ = ["Propagation", "convention", "described", "require_propagation"]

Propagation = Literal["gauss_newton", "implicit"]
HOW = {
    "gauss_newton": "Gauss-Newton, as ISO/TS 28037 and York 2004",
    "implicit": "implicit-function theorem at the observed points: residuals times curvature included",
}


def require_propagation(name: str) -> None:
    """Refuse a way of propagation that there is not.

    Parameters
    ----------
    name:
        As the user wrote it.

    Raises
    ------
    CalibrationError
        If it is none of the two.
    """
    if name not in HOW:
        msg = f"no propagation named {name!r}; there are {list(HOW)}.{did_you_mean(name, list(HOW))}"
        raise CalibrationError(msg)


def convention(propagation: str, *, known: bool) -> str:
    """Say from what a covariance was computed.

    Parameters
    ----------
    propagation:
        `gauss_newton` or `implicit`.
    known:
        True where the uncertainties of the points were stated.

    Returns
    -------
    :
        One line.
    """
    if known:
        return f"covariance from the stated uncertainties of the points ({HOW[propagation]})"
    other = "" if propagation == "gauss_newton" else f"; {HOW[propagation]}"
    return (
        f"covariance from the scatter of the residuals (equal but unknown weights, ISO/TS 28037 Annex E{other})"
    )  # fmt: skip


def described(curve: Any) -> str:  # noqa: ANN401 - the class imports this module
    """Write a curve in a few lines.

    Parameters
    ----------
    curve:
        A `CurveCalibration`.

    Returns
    -------
    :
        Range, parameters, chi-square or scatter, convention and notes.
    """
    units = curve.family.units_of(curve.of_units, curve.units)
    lines = [f"{curve.family.title} on [{curve.low:g}, {curve.high:g}] {shown(curve.of_units)}".rstrip()]
    for quantity, unit in zip(curve.parameters, units, strict=True):
        pair = format_value(quantity.value, quantity.u)
        lines.append(f"  {quantity.label} = {pair} {shown(unit)}".rstrip())
    if curve.scatter is not None:
        lines.append(
            f"  scatter of one observation {with_units(curve.scatter, curve.units, digits=3)}, dof {curve.dof:g}"
        )
    elif curve.p_value is None:
        lines.append("  no degrees of freedom: the curve goes through the points, and nothing tests it")
    else:
        lines.append(f"  chi-square {curve.chisqr:.4g} with {curve.dof:g} degrees of freedom, p = {curve.p_value:.2g}")
    lines.append(f"  {curve.covariance_convention}")
    return "\n".join([*lines, *(f"  note: {note}" for note in curve.notes)])
