"""What the panel to calibrate an axis works with: its settings, their call as code, its tables in HTML and in words.

Not here: the panel (`analysis.widgets.calibrating`).
"""

from dataclasses import dataclass
from html import escape

import numpy as np
import xarray as xr

from analysis.calibration import AxisCalibration, PeakFate
from analysis.uncertainty import format_u, format_value
from analysis.widgets.tables import table

__all__ = ["CalibrateSettings", "code_of", "line_said", "pairs_table", "rows_of", "said_of", "short_name"]

_WHY = {
    PeakFate.NO_LINE: "no reference line fits it",
    PeakFate.BLENDED: "more than one reference line lies within its width",
    PeakFate.SATURATED: "its window holds a saturated channel",
    PeakFate.NOT_FITTED: "its position could not be fitted",
    PeakFate.LEFT_OUT: "left out by hand",
}
_DEFAULTS = {"min_snr": 8.0, "max_shift": 0.04}


@dataclass(frozen=True, kw_only=True)
class CalibrateSettings:
    """Everything that the panel can change."""

    axis: str
    """What the lines are: `wavelength` for lamp lines, `raman_shift` for Raman standards."""
    degree: int = 3
    """Degree of the polynomial."""
    left_out: tuple[str, ...] = ()
    """Names of the lines whose pairs are not used."""
    of: str | None = None
    """Coordinate that the axis is a function of; None takes `pixel`, or the channel number."""
    min_snr: float = 8.0
    """Lowest height of a peak over the noise."""
    max_shift: float = 0.04
    """How far the nominal axis may be off, as a fraction of its range."""
    valid_days: float = 180.0
    """Validity on either side of the date of the spectrum, in days."""


def code_of(now: CalibrateSettings, spectrum: str, lines: str) -> str:
    """Write the call that makes what is shown."""
    of = "" if now.of is None else f", axis={now.of!r}"
    found = f"calibration.match({spectrum}, {lines}{of}, min_snr={now.min_snr!r}, max_shift={now.max_shift!r})"
    if now.left_out:
        found = f"calibration.leave_out(\n        {found},\n        {list(now.left_out)!r},\n    )"
    return (
        f"calibration.fit_axis(\n    {found},\n    axis={now.axis!r}, degree={now.degree!r}, "
        f"valid_days={now.valid_days!r},\n)"
    )


def short_name(name: str) -> str:
    """Shorten the name of a line for the plot: its number to two places."""
    number = name.rsplit(" ", 1)[-1]
    try:
        return f"{float(number):.2f}"
    except ValueError:
        return name


def rows_of(found: xr.Dataset, residuals: xr.Dataset) -> list[dict[str, str]]:
    """Return each pair, used or left out, with its distance from the axis."""
    unit, of = str(found["value"].attrs["units"]), _of(found)
    fate, index = found["fate"].values, found["line_index"].values
    rows = []
    for k in np.flatnonzero((fate == PeakFate.MATCHED) | (fate == PeakFate.LEFT_OUT)):
        r, u = float(residuals["residual"].values[k]), float(residuals["u_residual"].values[k])
        rows.append(
            {
                "line": str(found["line"].values[index[k]]),
                f"position ({of})": format_value(
                    float(found["position"].values[k]), float(found["u_position"].values[k])
                ),
                f"reference ({unit})": format_value(
                    float(found["value"].values[index[k]]), float(found["u"].values[index[k]])
                ),
                f"line less axis ({unit})": "outside the fitted lines" if np.isnan(r) else format_value(r, u),
                "of its u": "none" if np.isnan(r) or u == 0 else f"{r / u:+.1f} u",
                "state": "used" if fate[k] == PeakFate.MATCHED else _WHY[PeakFate.LEFT_OUT],
            }
        )
    return rows


def _rejects(found: xr.Dataset) -> list[dict[str, str]]:
    fate, units = found["fate"].values, str(found["height"].attrs.get("units", "1"))
    kept = (PeakFate.MATCHED, PeakFate.LEFT_OUT)
    return [
        {
            f"position ({_of(found)})": f"{float(found['position'].values[k]):.2f}",
            f"height ({units})": f"{float(found['height'].values[k]):.4g}",
            "why": _WHY[PeakFate(fate[k])],
        }
        for k in np.flatnonzero(~np.isin(fate, kept))
    ]


def _of(found: xr.Dataset) -> str:
    units = str(found.attrs["of_units"])
    return str(found.attrs["of"]) if units == "1" else units


def _facts(axis: AxisCalibration, residuals: xr.Dataset) -> dict[str, str]:
    said = axis.summary()
    used = residuals["residual"].values[residuals["used"].values]
    u = residuals["u_residual"].values[residuals["used"].values]
    excess, unit = float(residuals.attrs["excess"]), str(residuals.attrs["excess_units"])
    degrees = used.size - axis.coefficients.size
    known = f"they explain the residuals, {degrees} degrees of freedom"
    beyond = f"{format_u(excess)} {unit} of scatter beyond what they explain, carried as axis misfit"
    farthest = float(np.max(np.abs(used[u > 0] / u[u > 0]), initial=0.0))
    return {
        **said,
        "residuals": f"rms {format_u(float(np.sqrt(np.mean(used**2))))} {unit}, the farthest {farthest:.1f} u",
        "stated uncertainties": beyond if excess > 0 else known,
    }


def said_of(axis: AxisCalibration, found: xr.Dataset, residuals: xr.Dataset) -> str:
    """Say the axis and its pairs in words."""
    facts = [f"{name}: {said}" for name, said in _facts(axis, residuals).items()]
    pairs = [f"{row['line']}: {line_said(found, residuals, row['line'])}" for row in rows_of(found, residuals)]
    return "\n".join([*facts, str(found.attrs["summary"]), *pairs])


def line_said(found: xr.Dataset, residuals: xr.Dataset, name: str) -> str:
    """Say how far one line is from the axis."""
    unit = str(found["value"].attrs["units"])
    row = next(row for row in rows_of(found, residuals) if row["line"] == name)
    _, _, _, away, share, state = row.values()
    return f"{away}, {state}" if share == "none" else f"{away} {unit} from the axis, {share}, {state}"


def pairs_table(axis: AxisCalibration, found: xr.Dataset, residuals: xr.Dataset, chosen: str) -> str:
    """Write what is known of the axis, its pairs and the rejects as HTML."""
    facts = "<br>".join(f"<b>{escape(name)}</b>: {escape(said)}" for name, said in _facts(axis, residuals).items())
    rejects = _rejects(found)
    others = (
        table(rejects, caption="Peaks that were not used, and why") if rejects else "<p>All peaks have their line.</p>"
    )
    pairs = table(rows_of(found, residuals), caption="Pairs: peaks and their reference lines (k = 1)", chosen=chosen)
    return f'<div aria-live="polite"><p style="line-height: 1.5; margin: 6px 0">{facts}</p></div>{pairs}{others}'
