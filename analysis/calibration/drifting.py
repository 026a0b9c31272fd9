"""Drift of an instrument from checks: a line in time with its sources, the error at a date, and what it adds.

Not here: control charts (`analysis.calibration.check_standards`), when to calibrate again
(`analysis.calibration.intervals`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeVar, cast

import numpy as np
import numpy.typing as npt
from scipy import stats

from analysis.calibration.axis import AxisCalibration
from analysis.calibration.check_standards import Checks, checks_of
from analysis.calibration.curve import CurveCalibration
from analysis.calibration.curves import fit_line
from analysis.calibration.validity import parse_date
from analysis.core import CalibrationError, Displayed, history
from analysis.uncertainty import Quantity, Source, distributions

__all__ = ["Drift", "add_drift", "drift"]

Array = npt.NDArray[np.float64]
Calibration = TypeVar("Calibration", bound=AxisCalibration | CurveCalibration)
DAY = 86400.0
WITH_CONSTANT = ("line", "polynomial", "power", "exponential")


@dataclass(frozen=True, kw_only=True)
class Drift(Displayed):
    """The error of an instrument as a line in time."""

    checks: Checks
    """What was measured."""
    curve: CurveCalibration
    """Error against days since the first check; its sources are those of readings and references."""

    @property
    def rate(self) -> Quantity:
        """Change of the error, in its units per day."""
        return self.curve.parameters[1]

    @property
    def p_value(self) -> float:
        """Probability of a rate as large as this one without any drift; below 0.05 it is significant."""
        return float(2.0 * stats.t.sf(abs(self.rate.value) / self.rate.u, self.rate.dof))

    def error_at(self, date: str, *, extrapolate: bool = False) -> Quantity:
        """Return the expected error at a date.

        Parameters
        ----------
        date:
            ISO 8601.
        extrapolate:
            Allow dates further beyond the checks than they reach back.

        Returns
        -------
        :
            With the sources of the checks and their references; its u grows beyond the checks.

        Raises
        ------
        CalibrationError
            If the date lies too far from the checks.
        """
        days, reach = self._days(date), float(self.checks.days[-1])
        if not extrapolate and not -reach <= days <= 2.0 * reach:
            msg = (
                f"{date} lies further from the checks, {self.checks.dates[0]} to {self.checks.dates[-1]}, than they "
                "reach; check the instrument again, or pass extrapolate=True and know that nothing supports the line"
            )
            raise CalibrationError(msg)
        at = Quantity(value=days, u=0.0, units=self.curve.of_units)
        found = self.curve.predict(at, extrapolate=True)
        return found if isinstance(found, Quantity) else found[0]

    def change(self, since: str, until: str) -> Quantity:
        """Return how far the instrument drifts between two dates.

        Parameters
        ----------
        since, until:
            ISO 8601.

        Returns
        -------
        :
            Rate times time; what shifts all checks alike, such as the reference, falls out.
        """
        days = self._days(until) - self._days(since)
        found = self.rate * Quantity(value=days, u=0.0, units=self.curve.of_units)
        return found.to(self.checks.units)

    def allowance(self, since: str, until: str, *, level: float = 0.95) -> Quantity:
        """Return what a drift that is not corrected adds at most between two dates, as one source of Type B.

        Parameters
        ----------
        since, until:
            Dates of the calibration and of its last use (ISO 8601).
        level:
            Coverage probability of the expanded uncertainty in the limit.

        Returns
        -------
        :
            0 with a rectangular distribution whose half width is |change| + U(change).
        """
        moved = self.change(since, until)
        box = distributions.rectangular()
        u = distributions.u_from_half_width(abs(moved.value) + moved.U(level), box)
        said = f"drift from {since} to {until}"
        origin = f"{len(self.checks.dates)} checks, {self.checks.dates[0]} to {self.checks.dates[-1]}"
        return Quantity(value=0.0, u=u, units=self.checks.units, distribution=box, label=said, source=origin)

    def date_after(self, days: float) -> str:
        """Return a date.

        Parameters
        ----------
        days:
            After the first check.

        Returns
        -------
        :
            ISO 8601, without the time.
        """
        return (parse_date(self.checks.dates[0], "the first check") + timedelta(days=days)).date().isoformat()

    def __str__(self) -> str:
        """Write rate, significance and fit in sentences."""
        sure = "significant" if self.p_value < 0.05 else "not significant"  # noqa: PLR2004 - the usual level
        return "\n".join([
            f"drift {self.rate} over {self.checks.days[-1]:g} days: {sure} (p = {self.p_value:.2g})",
            *(f"  {line.strip()}" for line in str(self.curve).splitlines()[3:]),
        ])  # fmt: skip

    __repr__ = __str__

    def _days(self, date: str) -> float:
        first = parse_date(self.checks.dates[0], "the first check")
        return (parse_date(date, "the date") - first).total_seconds() / DAY


def drift(
    dates: Sequence[str], readings: Sequence[Quantity], reference: Quantity | Sequence[Quantity], *,
    scatter: Quantity | None = None,
) -> Drift:  # fmt: skip
    """Fit the drift of an instrument to checks.

    Parameters
    ----------
    dates, readings, reference:
        As in `check_chart`. Sources that readings and references share are kept: a reference that is wrong by one
        amount in all checks moves the error and not its rate.
    scatter:
        What one check scatters by that the u of a reading does not hold, as 0 with this u and its degrees of freedom,
        for example from a control chart; each check gets its own.

    Returns
    -------
    :
        The line, with rate, error at a date, and a note where the checks scatter more than their u allows.

    Raises
    ------
    CalibrationError
        If there are fewer than three checks, or all are of one day.
    """
    checks = checks_of(dates, readings, reference)
    if len(dates) < 3 or checks.days[-1] <= 0.0:  # noqa: PLR2004 - a line and one to test it
        msg = f"a drift needs at least 3 checks over some time, got {len(dates)} over {checks.days[-1]:g} days"
        raise CalibrationError(msg)
    errors = list(checks.errors)
    if scatter is not None:
        extra = scatter.to(checks.units)
        errors = [
            each + Quantity(value=0.0, u=extra.u, units=checks.units, dof=extra.dof, label=f"scatter of check {k + 1}")
            for k, each in enumerate(errors)
        ]
    days = [Quantity(value=float(each), u=0.0, units="d") for each in checks.days]
    return Drift(checks=checks, curve=fit_line(days, errors))


def add_drift(calibration: Calibration, change: Quantity) -> Calibration:
    """Move a calibration by what the instrument drifted since, with the sources of the drift.

    Parameters
    ----------
    calibration:
        An axis or a curve.
    change:
        Of the values of the axis, or of the indication y of the curve: `Drift.change` to correct, `Drift.allowance`
        to add its uncertainty alone.

    Returns
    -------
    :
        The calibration with the change in its constant term.

    Raises
    ------
    CalibrationError
        If the curve has no constant term, or the units do not convert.
    """
    said = history.extend("calibration.add_drift", settings={}, inputs={"calibration": calibration, "change": change})
    if isinstance(calibration, AxisCalibration):
        moved = change.to(calibration.base_units)
        size = calibration.coefficients.size + calibration.knots.size
        coefficients, contributions = _moved(calibration.coefficients, calibration.contributions, moved, size)
        axis = replace(calibration, coefficients=coefficients, contributions=contributions, history=said)
        return cast("Calibration", axis)
    if calibration.family.kind not in WITH_CONSTANT:
        msg = (
            f"a {calibration.family.kind} has no constant term that a drift could move; add the drift to the readings, "
            "or fit one of " + ", ".join(WITH_CONSTANT)
        )
        raise CalibrationError(msg)
    moved = change.to(calibration.units)
    values, contributions = _moved(calibration.values, calibration.contributions, moved, calibration.values.size)
    notes = (*calibration.notes, f"moved by a drift of {moved} since the calibration")
    curve = replace(calibration, values=values, contributions=contributions, history=said, notes=notes)
    return cast("Calibration", curve)


def _moved(
    values: Array, contributions: Mapping[Source, Array], change: Quantity, size: int
) -> tuple[Array, dict[Source, Array]]:
    """Add a change to the first parameter; contributions have `size` numbers each."""
    moved = {source: np.array(part, dtype=float) for source, part in contributions.items()}
    for source, part in change.parts().items():
        moved.setdefault(source, np.zeros(size))[0] += part
    shifted = np.array(values, dtype=float)
    shifted[0] += change.value
    return shifted, moved
