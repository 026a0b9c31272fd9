"""Detector linearity: what a reading would be if counts were proportional to light.

Corrected = N + b1 N^2 + b2 N^3 ..., with b from flux addition or a series of known levels, or a dead time.
Not here: the intensity response against the axis (`analysis.calibration.response`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import xarray as xr

from analysis.calibration.carrying import carry, require_made
from analysis.core import CalibrationError, history, require_spectrum
from analysis.core import units as unit_rules
from analysis.uncertainty import Quantity, Source, sources

__all__ = ["LinearityCalibration", "apply_linearity", "dead_time", "fit_linearity", "flux_addition"]

Array = npt.NDArray[np.float64]
Row = tuple[Array, float, dict[Source, Array]]
ROUNDS = 4
ZERO = 1e-12


@dataclass(frozen=True, kw_only=True)
class LinearityCalibration:
    """How far readings are from proportional to light, up to the highest that was tested."""

    form: str
    """`polynomial`: N (1 + b1 t + b2 t^2 ...) with t = N / `high`; or `dead_time`: N / (1 - b1 t)."""
    coefficients: Array
    """b1, b2 ..., dimensionless (term,)."""
    contributions: Mapping[Source, Array]
    """For each source its signed contribution to them (term,)."""
    high: float
    """Highest reading that was tested, in `units`; above it nothing is corrected."""
    units: str
    """Units of readings."""
    chisqr: float = 0.0
    """Weighted sum of squared residuals of the test."""
    dof: int = 0
    """Its degrees of freedom."""
    history: str = ""
    """How it was made (`analysis.core.history`)."""

    def __post_init__(self) -> None:
        """Freeze the mapping."""
        object.__setattr__(self, "contributions", MappingProxyType(dict(self.contributions)))

    @property
    def covariance(self) -> Array:
        """Covariance of the coefficients (term, term)."""
        stack = np.array(list(self.contributions.values())).reshape(-1, self.coefficients.size)
        return np.asarray(stack.T @ stack)

    def evaluate(self, readings: Array) -> tuple[Array, Array, dict[Source, Array]]:
        """Correct readings.

        Parameters
        ----------
        readings:
            In `units`, any shape, dark taken off; NaN stays.

        Returns
        -------
        :
            Corrected readings, their derivative by the readings, and what each source contributes.

        Raises
        ------
        CalibrationError
            If a reading lies above the tested range, or as far below zero.
        """
        if (np.abs(readings) > self.high).any():
            worst = float(readings.ravel()[int(np.nanargmax(np.abs(readings)))])
            count = int((np.abs(readings) > self.high).sum())
            msg = (
                f"{count} of {readings.size} readings lie outside what was tested, 0 to {self.high:g} {self.units}; "
                f"the worst is {worst:g}. Shorten the exposure, or mask saturated channels with NaN"
            )
            raise CalibrationError(msg)
        t = readings / self.high
        if self.form == "dead_time":
            alive = 1.0 - self.coefficients[0] * t
            basis = [readings * t / alive**2]
            value, slope = readings / alive, 1.0 / alive**2
        else:
            basis = [readings * t ** (k + 1) for k in range(self.coefficients.size)]
            value = readings + sum(b * each for b, each in zip(self.coefficients, basis, strict=True))
            slope = 1.0 + sum((k + 2) * b * t ** (k + 1) for k, b in enumerate(self.coefficients))
        parts = {
            source: np.asarray(sum(c * each for c, each in zip(part, basis, strict=True)))
            for source, part in self.contributions.items()
        }
        return np.asarray(value), np.asarray(slope), parts

    def correct(self, reading: Quantity) -> Quantity:
        """Correct one reading.

        Parameters
        ----------
        reading:
            In units that convert to `units`.

        Returns
        -------
        :
            With its own sources and those of the test.
        """
        given = reading.to(self.units)
        value, slope, parts = self.evaluate(np.array([given.value]))
        components = {source: float(slope[0]) * part for source, part in given.parts().items()}
        for source, part in parts.items():
            components[source] = components.get(source, 0.0) + float(part[0])
        text = history.extend("calibration.correct", settings={}, inputs={"calibration": self, "reading": reading})
        return Quantity.from_components(
            float(value[0]), components, units=self.units, label=reading.label, history=text
        )

    def to_dataset(self) -> xr.Dataset:
        """Return the correction as a Dataset that a file can hold.

        Returns
        -------
        :
            `coefficients` (term,) with `coefficients_sources`.
        """
        names = ("form", "high", "units", "chisqr", "dof", "history")
        table = xr.Dataset(
            {"coefficients": ("term", self.coefficients, {"units": "1"})},
            attrs={"kind": "LinearityCalibration", **{name: getattr(self, name) for name in names}},
        )
        return sources.attach(table, "coefficients", self.contributions, ("term",))

    @classmethod
    def from_dataset(cls, dataset: xr.Dataset) -> "LinearityCalibration":
        """Read what `to_dataset` made.

        Parameters
        ----------
        dataset:
            Perhaps read from a file.

        Returns
        -------
        :
            The calibration, with the same sources.
        """
        said = dataset.attrs
        return cls(
            form=str(said["form"]), coefficients=dataset["coefficients"].values,
            contributions=sources.detach(dataset, "coefficients"), high=float(said["high"]), units=str(said["units"]),
            chisqr=float(said["chisqr"]), dof=int(said["dof"]), history=str(said["history"]),
        )  # fmt: skip

    def __repr__(self) -> str:
        """Say what it is in one line."""
        return f"LinearityCalibration({self.form}: {self.summary()})"

    def summary(self) -> str:
        """Say how large the correction is.

        Returns
        -------
        :
            A sentence.
        """
        value, _, parts = self.evaluate(np.array([self.high]))
        u = float(np.sqrt(sum(float(part[0]) ** 2 for part in parts.values())))
        return (
            f"at the highest tested reading {self.high:g} {self.units} the correction is "
            f"{100 * (value[0] / self.high - 1):+.3g} % with u = {100 * u / self.high:.2g} %"
        )


def flux_addition(readings: Sequence[tuple[Quantity, Quantity, Quantity]], *, degree: int = 1) -> LinearityCalibration:
    """Test a detector by adding light: two sources alone and together.

    Parameters
    ----------
    readings:
        For each level the readings of source A, of source B, and of both, dark taken off; Quantities, whose shared
        sources (dark, gain) are kept.
    degree:
        Number of coefficients b; at least one level more than that.

    Returns
    -------
    :
        The correction for which corrected A + corrected B = corrected both, by weighted least squares (Gauss-Newton).

    Raises
    ------
    CalibrationError
        If there are too few levels, or readings without uncertainty.

    References
    ----------
    C. L. Sanders, J. Res. NBS 76A (1972) 437, doi:10.6028/jres.076A.040; CIE 214:2014.
    """
    unit = _units([each for row in readings for each in row], len(readings), degree)
    found = [[each.to(unit) for each in row] for row in readings]
    high = max(abs(each.value) for row in found for each in row)

    def rows(b: Array) -> list[Row]:
        return [_residual(list(zip((-1.0, -1.0, 1.0), row, strict=True)), high, b, None) for row in found]

    inputs = {f"{name}{k}": each for k, row in enumerate(readings) for name, each in zip("abc", row, strict=True)}
    text = history.extend("calibration.flux_addition", settings={"degree": degree}, inputs=inputs)
    return _solved(rows, np.zeros(degree), _base(degree, high, unit, text))


def fit_linearity(
    levels: Sequence[Quantity | float], readings: Sequence[Quantity], *, degree: int = 1
) -> LinearityCalibration:
    """Test a detector against a series of known relative levels of light.

    Parameters
    ----------
    levels:
        Light, exposure time or transmittance, on any scale; a number is exact.
    readings:
        Reading at each, dark taken off.
    degree:
        Number of coefficients b; at least two levels more than that.

    Returns
    -------
    :
        The correction that makes readings proportional to the levels, by weighted least squares (Gauss-Newton).

    Raises
    ------
    CalibrationError
        If there are too few levels, or readings without uncertainty.

    References
    ----------
    CIE 214:2014; JCGM 102:2011, 6.3 for the propagation.
    """
    unit = _units(list(readings), len(levels) - 1, degree)
    found = [each.to(unit) for each in readings]
    given = [x if isinstance(x, Quantity) else Quantity(value=float(x), u=0.0, units="1") for x in levels]
    if len(given) != len(found):
        msg = f"one reading for each level: got {len(given)} levels and {len(found)} readings"
        raise CalibrationError(msg)
    light = [each.to(given[0].units) for each in given]
    high, top = max(abs(each.value) for each in found), max(abs(each.value) for each in light)

    def rows(b: Array) -> list[Row]:
        return [
            _residual([(1.0, n)], high, b[:-1], (each, top, float(b[-1]))) for n, each in zip(found, light, strict=True)
        ]

    inputs: dict[str, object] = {f"n{k}": each for k, each in enumerate(readings)}
    inputs |= {f"l{k}": each for k, each in enumerate(given)}
    text = history.extend("calibration.fit_linearity", settings={"degree": degree}, inputs=inputs)
    return _solved(rows, np.r_[np.zeros(degree), 1.0], _base(degree, high, unit, text))


def _base(degree: int, high: float, unit: str, text: str) -> LinearityCalibration:
    return LinearityCalibration(
        form="polynomial", coefficients=np.zeros(degree), contributions={}, high=high, units=unit, history=text
    )


def _units(readings: Sequence[Quantity], levels: int, degree: int) -> str:
    if degree < 1 or levels < degree + 1:
        msg = f"{levels} independent levels are too few for {degree} coefficients: wanted degree >= 1 and more levels"
        raise CalibrationError(msg)
    for each in readings:
        require_made(each, Quantity, "Quantity(value=..., u=..., units=...)")
    if not all(each.u > 0 for each in readings):
        msg = "every reading needs its uncertainty above 0, by which the levels are weighted; give repeats or counts"
        raise CalibrationError(msg)
    return readings[0].units


def _residual(
    signed: Sequence[tuple[float, Quantity]], high: float, b: Array, level: tuple[Quantity, float, float] | None
) -> Row:
    """Return the derivatives of a residual by the parameters, the residual, and what each source does to it."""
    count = b.size
    row, residual = np.zeros(count + (level is not None)), 0.0
    parts: dict[Source, Array] = {}
    for sign, reading in signed:
        t = reading.value / high
        powers = t ** np.arange(2, count + 2)
        row[:count] += sign * powers
        residual += sign * (t + float(b @ powers))
        slope = 1.0 + float((b * np.arange(2, count + 2)) @ t ** np.arange(1, count + 1))
        for source, part in reading.parts().items():
            parts[source] = parts.get(source, np.zeros(1)) + sign * slope * part / high
    if level is not None:
        light, top, scale = level
        row[-1] = -light.value / top
        residual -= scale * light.value / top
        for source, part in light.parts().items():
            parts[source] = parts.get(source, np.zeros(1)) - scale * part / top
    return row, residual, parts


def _solved(rows: Callable[[Array], list[Row]], start: Array, base: LinearityCalibration) -> LinearityCalibration:
    """Solve for the parameters, of which those after the coefficients are scales."""
    b, count = start, base.coefficients.size
    for _ in range(ROUNDS):
        found = rows(b)
        design, residual = np.array([row for row, _, _ in found]), np.array([value for _, value, _ in found])
        names = list(dict.fromkeys(source for _, _, parts in found for source in parts))
        stack = np.array([[float(parts.get(source, np.zeros(1))[0]) for _, _, parts in found] for source in names])
        size = np.sqrt((stack**2).sum(axis=0))
        weight = np.linalg.pinv((stack.T @ stack) / np.outer(size, size), rcond=ZERO, hermitian=True)
        weight /= np.outer(size, size)
        gain = np.linalg.solve(design.T @ weight @ design, design.T @ weight)
        step = gain @ residual
        b = b - step
    left = residual - design @ step
    return replace(
        base, coefficients=b[:count], chisqr=float(left @ weight @ left), dof=len(found) - b.size,
        contributions={source: -(gain @ row)[:count] for source, row in zip(names, stack, strict=True)},
    )  # fmt: skip


def dead_time(tau: Quantity, *, high: Quantity) -> LinearityCalibration:
    """Correct counting rates for a dead time that does not extend: true = N / (1 - N tau).

    Parameters
    ----------
    tau:
        Dead time, a time.
    high:
        Highest counting rate that was tested, in counts by time, with N tau below 1.

    Returns
    -------
    :
        The correction for readings that are rates.

    Raises
    ------
    CalibrationError
        If the dead time is negative, or leaves nothing at the highest rate.

    References
    ----------
    G. F. Knoll, Radiation Detection and Measurement, 4th ed. (2010), 4.VII; ISO 11929-1:2019, annex.
    """
    busy = tau.value * unit_rules.factor(tau.units, "s") * high.value * unit_rules.factor(high.units, "s-1")
    if not 0.0 <= busy < 1.0 or not high.value > 0:
        msg = f"a dead time of {tau} at {high} would make the detector busy for {busy:.3g} of the time; wanted 0 to 1"
        raise CalibrationError(msg)
    relative = unit_rules.factor(tau.units, "s") * unit_rules.factor(high.units, "s-1") * high.value
    text = history.extend("calibration.dead_time", settings={}, inputs={"tau": tau, "high": high})
    return LinearityCalibration(
        form="dead_time", coefficients=np.array([busy]),
        contributions={source: np.array([relative * part]) for source, part in tau.parts().items()},
        high=high.value, units=high.units, history=text,
    )  # fmt: skip


def apply_linearity(calibration: LinearityCalibration, spectrum: xr.Dataset | xr.DataArray) -> xr.Dataset:
    """Make the signal of spectra proportional to light.

    Parameters
    ----------
    calibration:
        The correction.
    spectrum:
        One spectrum or a map (*batch, channel), dark taken off, in units that convert to those of the test.

    Returns
    -------
    :
        The spectra with new `signal`, `u_signal` and `signal_sources`; the sources of the test are shared by all.

    Raises
    ------
    CalibrationError
        If a reading lies above the highest that was tested.
    UnitsError
        If the units do not convert.
    """
    require_made(calibration, LinearityCalibration, "calibration.flux_addition")
    dataset = require_spectrum(spectrum)
    unit = str(dataset["signal"].attrs.get("units", "1"))
    scale = unit_rules.factor(unit, calibration.units)
    value, slope, parts = calibration.evaluate(scale * np.asarray(dataset["signal"].values, dtype=float))
    result = carry(dataset, value / scale, slope, {s: p / scale for s, p in parts.items()}, units=unit)
    inputs = {"calibration": calibration, "spectrum": dataset}
    return history.record(result, "calibration.apply_linearity", settings={}, inputs=inputs)
