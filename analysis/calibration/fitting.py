"""The fit of an axis: a polynomial through the paired lines, with every source of its uncertainty.

Weighted least squares, weights from line, position and excess scatter; the excess is what makes chi-squared equal its
degrees of freedom (Mandel and Paule, Anal. Chem. 42 (1970) 1194, doi:10.1021/ac60293a019), and is zero where the known
uncertainties explain the residuals.
"""

import hashlib

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy import optimize

from analysis.calibration import validity
from analysis.calibration.axis import AxisCalibration
from analysis.calibration.lines import LINE
from analysis.calibration.matching import PeakFate
from analysis.core import CalibrationError, did_you_mean, history
from analysis.core.units import same_dimension
from analysis.uncertainty import Source, sources

Array = npt.NDArray[np.float64]
_AXES = {"wavelength": "nm", "raman_shift": "cm-1", "wavenumber": "cm-1", "energy": "eV"}
VALID_DAYS = 180.0


def fit_axis(found: xr.Dataset, *, axis: str, degree: int, valid_days: float = VALID_DAYS) -> AxisCalibration:
    """Fit an axis through paired lines.

    Parameters
    ----------
    found:
        Pairs, as `match` returns.
    axis:
        What the lines are: `wavelength` for lamp lines, `raman_shift` for Raman standards.
    degree:
        Degree of the polynomial, >= 1.
    valid_days:
        Validity on either side of the date of the calibration spectrum, in days.

    Returns
    -------
    :
        The calibration with its parameters, sources and validity.

    Raises
    ------
    CalibrationError
        If this is not what `match` returns, there are fewer than `degree` + 2 pairs, the units of the lines are not
        those of the axis, or the polynomial is not monotonic between the lines.
    """
    _require(found, axis, degree)
    chosen = found.isel(peak=np.flatnonzero(found["fate"].values == PeakFate.MATCHED))
    chosen = chosen.isel(peak=np.argsort(chosen["position"].values))
    line = found["value"].values[chosen["line_index"].values]
    position, low, high = chosen["position"].values, chosen["position"].values[0], chosen["position"].values[-1]
    scaled = (2 * position - low - high) / (high - low)
    vander = np.vander(scaled, degree + 1, increasing=True)
    slope = _slope(vander, line, scaled) * 2 / (high - low)
    u_line = found["u"].values[chosen["line_index"].values]
    known = u_line**2 + (slope * chosen["u_position"].values) ** 2
    excess = _excess(vander, line, known)
    weight = 1 / (known + excess**2)
    gain = np.linalg.solve((vander.T * weight) @ vander, vander.T * weight)
    coefficients = gain @ line
    _require_monotonic(coefficients, degree)
    attrs = found.attrs
    valid_from, valid_until = validity.around(str(attrs["acquired"]), valid_days)
    settings = {"axis": axis, "degree": degree, "valid_days": valid_days}
    return AxisCalibration(
        axis=axis,
        units=str(found["value"].attrs["units"]),
        of=str(attrs["of"]),
        of_units=str(attrs["of_units"]),
        coefficients=coefficients,
        knots=position,
        contributions=_contributions(found, chosen, gain, slope, excess),
        medium=str(attrs["medium"]),
        instrument=str(attrs["instrument"]),
        acquired=str(attrs["acquired"]),
        valid_from=valid_from,
        valid_until=valid_until,
        history=history.extend("calibration.fit_axis", settings=settings, inputs={"found": found}),
    )


def _require(found: xr.Dataset, axis: str, degree: int) -> None:
    given: object = found
    if not isinstance(given, xr.Dataset) or "fate" not in given:
        msg = f"fit_axis needs the pairs that calibration.match(spectrum, lines) found; got a {type(given).__name__}"
        raise CalibrationError(msg)
    if axis not in _AXES:
        msg = f"axis must be one of {list(_AXES)}, got {axis!r}.{did_you_mean(str(axis), _AXES)}"
        raise CalibrationError(msg)
    have = str(found["value"].attrs["units"])
    if not same_dimension(have, _AXES[axis]):
        msg = f"lines in {have!r} give no axis {axis!r} in {_AXES[axis]!r}; lamps give axis='wavelength'"
        raise CalibrationError(msg)
    whole: object = degree
    if not isinstance(whole, int | np.integer) or whole < 1:
        msg = f"degree must be a whole number from 1, got {degree}. Usual are 2 to 4"
        raise CalibrationError(msg)
    pairs = int((found["fate"].values == PeakFate.MATCHED).sum())
    if pairs < degree + 2:
        msg = (
            f"{pairs} paired lines are too few for degree {degree}: wanted {degree + 2} or more, one to spare for the "
            "uncertainty. Lower the degree, or find more lines (longer exposure, lower min_snr, wider lines(...))"
        )
        raise CalibrationError(msg)


def _slope(vander: Array, line: Array, scaled: Array) -> Array:
    rough = np.linalg.lstsq(vander, line, rcond=None)[0]
    return np.asarray(np.polynomial.polynomial.polyval(scaled, np.polynomial.polynomial.polyder(rough)))


def _excess(vander: Array, line: Array, known: Array) -> float:
    """Scatter beyond the known variances, in units of the lines; 0 where they explain the residuals."""
    dof = line.size - vander.shape[1]

    def surplus(scatter: float) -> float:
        weight = 1 / np.sqrt(known + scatter**2)
        solution = np.linalg.lstsq(vander * weight[:, None], line * weight, rcond=None)[0]
        return float(np.sum(((line - vander @ solution) * weight) ** 2) - dof)

    if surplus(0.0) <= 0:
        return 0.0
    upper = float(np.ptp(line))
    return float(optimize.brentq(surplus, 0.0, upper, xtol=1e-9 * upper, rtol=1e-10))


def _require_monotonic(coefficients: Array, degree: int) -> None:
    grid = np.linspace(-1, 1, 501)
    steps = np.diff(np.polynomial.polynomial.polyval(grid, coefficients))
    if not ((steps > 0).all() or (steps < 0).all()):
        msg = f"a polynomial of degree {degree} turns back between these lines; lower the degree or check the pairs"
        raise CalibrationError(msg)


def _contributions(
    found: xr.Dataset, chosen: xr.Dataset, gain: Array, slope: Array, excess: float
) -> dict[Source, Array]:
    pairs = chosen.sizes["peak"]
    run = hashlib.blake2b(history.head(found).encode(), digest_size=8).hexdigest()
    names = found[LINE].values[chosen["line_index"].values]
    packaged = sources.detach(found.drop_dims("peak"), "value")
    if "value_sources" not in found:
        msg = "the lines have no sources; make them with calibration.lines, or analysis.uncertainty.sources.attach"
        raise CalibrationError(msg)
    by_line = {int(np.flatnonzero(row)[0]): source for source, row in packaged.items()}
    unit, nothing = str(found["value"].attrs["units"]), np.zeros(pairs)
    result: dict[Source, Array] = {}
    for each in range(pairs):
        column = gain[:, each]
        index = int(chosen["line_index"].values[each])
        result[by_line[index]] = np.concatenate([column * found["u"].values[index], nothing])
        noise = Source(
            id=f"position:{run}:{each}",
            label=f"position of {names[each]}",
            units=unit,
            kind="A",
            dof=float(chosen["dof"].values[each]),
            origin=f"fit of the calibration spectrum, {found.attrs['instrument']} {found.attrs['acquired']}".strip(),
            tags=("line positions",),
        )
        result[noise] = np.concatenate([column * slope[each] * chosen["u_position"].values[each], nothing])
        if excess > 0:
            scatter = Source(
                id=f"misfit:{run}:{each}",
                label=f"axis misfit at {names[each]}",
                units=unit,
                kind="A",
                dof=float(pairs - gain.shape[0]),
                origin="scatter of the lines about the polynomial",
                tags=("axis misfit",),
                ensemble=f"misfit:{run}",
            )
            result[scatter] = np.concatenate([column * excess, -excess * np.eye(pairs)[each]])
    return result
