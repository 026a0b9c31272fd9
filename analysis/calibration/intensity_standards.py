"""Standards of relative intensity and lamps: certified curves, each with one source for its whole curve.

The curves of NIST SRM 2241, 2242a, 2244 and 2245 are packaged: coefficients that two independent publications of the
certificates give alike (of SRM 2245 the range stands in one of them only; one calls SRM 2242a by the name 2242).
SRM 2243 (discontinued), 2246 and 2246a are not: their coefficients were found in one place
only. The certified uncertainty is not packaged either; it stands in the certificate of your unit.
Not here: the response of an instrument (`analysis.calibration.response`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import interpolate

from analysis.core import CalibrationError, did_you_mean, history, units
from analysis.uncertainty import Source

__all__ = ["CertifiedIntensity", "intensity_standard", "intensity_table"]

Array = npt.NDArray[np.float64]
_FROM = "NIST certificate of the SRM, as ramanchada2 (config_certs.json) and a maker's SRM tool give it alike"


@dataclass(frozen=True, kw_only=True)
class _Packaged:
    laser: float
    low: float
    high: float
    form: str
    coefficients: tuple[float, ...]


_PACKAGED = {
    "SRM 2241": _Packaged(
        laser=785.0, low=200.0, high=3500.0, form="polynomial",
        coefficients=(9.71937e-2, 2.28325e-4, -5.86762e-8, 2.16023e-10, -9.77171e-14, 1.15596e-17),
    ),
    "SRM 2242a": _Packaged(
        laser=532.0, low=150.0, high=4000.0, form="log-normal",
        coefficients=(0.99747, 3100.6, 1.1573, 2972.1, -3.7168e-6, 0.012864),
    ),
    "SRM 2244": _Packaged(
        laser=1064.0, low=100.0, high=3500.0, form="polynomial",
        coefficients=(0.405953, 5.20345e-4, 5.3039e-7, -6.84463e-10, 2.10286e-13, -2.05741e-17),
    ),
    "SRM 2245": _Packaged(
        laser=633.0, low=150.0, high=4000.0, form="log-normal",
        coefficients=(0.95071, 1657.7, 0.95207, 1960.0, 1.8981e-5, 0.011698),
    ),
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class CertifiedIntensity:
    """A certified spectral intensity: what a standard shows to an instrument without errors."""

    name: str
    """Name of the standard, for tables."""
    axis: str
    """Kind of its axis: `raman_shift` or `wavelength`."""
    axis_units: str
    """Units of that axis."""
    units: str
    """Units of the intensity; `1` for a relative one."""
    form: str
    """`polynomial` in rising powers, `log-normal` of the certificates of NIST, or `table`."""
    coefficients: tuple[float, ...]
    """Of the form; for a table its values."""
    at: tuple[float, ...]
    """Places of the table, rising; else the ends of the certified range."""
    u_at: tuple[float, ...]
    """Places where the relative uncertainty is stated, rising; linear between them."""
    u_relative: tuple[float, ...]
    """Relative standard uncertainty there."""
    source: Source
    """The one source of the whole curve."""
    medium: str = ""
    """Medium of wavelengths: `air` or `vacuum`; empty for Raman shifts."""
    laser: float = 0.0
    """Nominal laser wavelength in nm for which a Raman standard is certified."""
    history: str = ""
    """How it was made (`analysis.core.history`)."""

    @property
    def low(self) -> float:
        """Lower end of the certified range."""
        return max(self.at[0], self.u_at[0])

    @property
    def high(self) -> float:
        """Upper end of the certified range."""
        return min(self.at[-1], self.u_at[-1])

    def value(self, x: Array) -> Array:
        """Return the certified intensity.

        Parameters
        ----------
        x:
            Places in `axis_units`, any shape, within the certified range.

        Returns
        -------
        :
            In `units`.

        Raises
        ------
        CalibrationError
            If a place lies outside the certified range.
        """
        if not ((x >= self.low) & (x <= self.high)).all():
            msg = (
                f"{self.name} is certified from {self.low:g} to {self.high:g} {self.axis_units}, got {x.min():g} to "
                f"{x.max():g}. Crop first: preprocess.crop(spectrum, axis={self.axis!r}, low={self.low:g}, "
                f"high={self.high:g})"
            )
            raise CalibrationError(msg)
        if self.form == "polynomial":
            return np.asarray(np.polynomial.polynomial.polyval(x, self.coefficients))
        if self.form == "log-normal":
            height, width, skew, middle, slope, offset = self.coefficients
            inner = np.log((x - middle) * (skew**2 - 1.0) / (width * skew) + 1.0)
            return np.asarray(height * np.exp(-np.log(2.0) * (inner / np.log(skew)) ** 2) + slope * x + offset)
        return np.asarray(np.exp(interpolate.CubicSpline(self.at, np.log(self.coefficients))(x)))

    def slope(self, x: Array) -> Array:
        """Return the derivative of the logarithm of the intensity.

        Parameters
        ----------
        x:
            As in `value`.

        Returns
        -------
        :
            In 1 / `axis_units`.
        """
        step = 1e-6 * (self.high - self.low)
        up, down = np.minimum(x + step, self.high), np.maximum(x - step, self.low)
        return np.asarray(np.log(self.value(up) / self.value(down)) / (up - down))

    def relative_u(self, x: Array) -> Array:
        """Return the relative standard uncertainty.

        Parameters
        ----------
        x:
            As in `value`.

        Returns
        -------
        :
            Dimensionless.
        """
        return np.asarray(np.interp(x, self.u_at, self.u_relative))


def intensity_standard(
    name: str,
    *,
    expanded: float | Sequence[float],
    at: Sequence[float] | None = None,
    k: float = 2.0,
    certificate: str = "",
) -> CertifiedIntensity:
    """Return the certified relative intensity of a packaged NIST standard.

    Parameters
    ----------
    name:
        `SRM 2241` (785 nm), `SRM 2242a` (532 nm), `SRM 2244` (1064 nm) or `SRM 2245` (633 nm). Compare a value with the
        certificate of your unit before use.
    expanded:
        Relative expanded uncertainty from the certificate of your unit, such as 0.02: one for the whole range, or one
        for each place of `at`, linear between them.
    at:
        Raman shifts in cm-1 where `expanded` is stated, rising; the range they span is the range of use.
    k:
        Coverage factor of `expanded`.
    certificate:
        Which certificate it is; equal ones are one source.

    Returns
    -------
    :
        The curve. Its uncertainty is one source, fully correlated along it, as the certificates give no covariance.

    Raises
    ------
    CalibrationError
        If the standard is not packaged, or an uncertainty cannot be.

    References
    ----------
    S. J. Choquette et al., Appl. Spectrosc. 61 (2007) 117, doi:10.1366/000370207779947585; ASTM E2911.
    """
    if name not in _PACKAGED:
        msg = (
            f"the curve of {name!r} is not packaged; known are {list(_PACKAGED)}.{did_you_mean(name, _PACKAGED)} Give "
            "the values of your certificate: calibration.intensity_table(...)"
        )
        raise CalibrationError(msg)
    found = _PACKAGED[name]
    places = np.array([found.low, found.high]) if at is None else np.asarray(at, dtype=float)
    u_at, u_relative = _uncertainty(places, expanded, k)
    settings = {"name": name, "expanded": expanded, "at": at, "k": k, "certificate": certificate}
    return CertifiedIntensity(
        name=name, axis="raman_shift", axis_units="cm-1", units="1", form=found.form, coefficients=found.coefficients,
        at=(found.low, found.high), u_at=u_at, u_relative=u_relative, laser=found.laser,
        source=_source(name, certificate, f"{_FROM}; uncertainty: {certificate or 'as stated by the user'}"),
        history=history.extend("calibration.intensity_standard", settings=settings, inputs={}),
    )  # fmt: skip


def intensity_table(
    x: Sequence[float], value: Sequence[float], expanded: float | Sequence[float], *, axis: str, units: str = "1",
    axis_units: str = "nm", medium: str = "", k: float = 2.0, name: str, certificate: str,
) -> CertifiedIntensity:  # fmt: skip
    """Return a certified intensity from a table, such as the spectral irradiance of a lamp.

    Parameters
    ----------
    x:
        Places of the table, rising, at least 4.
    value:
        Intensity there, above 0.
    expanded:
        Relative expanded uncertainty, one or one for each place.
    axis:
        Kind of `x`: `wavelength` or `raman_shift`.
    units, axis_units:
        Units of the intensity (`1` for a relative one) and of `x`.
    medium:
        Medium of wavelengths: `air` or `vacuum`.
    k:
        Coverage factor of `expanded`.
    name, certificate:
        What it is, and where the numbers are from; equal ones are one source.

    Returns
    -------
    :
        The curve: a cubic spline of the logarithm. What the spline misses between places that lie too far apart is
        not in its uncertainty, which is one source, fully correlated along it.

    Raises
    ------
    CalibrationError
        If the table does not rise, has values at or below 0, or says not where it is from.
    """
    places, values = np.asarray(x, dtype=float), np.asarray(value, dtype=float)
    if places.ndim != 1 or places.size < 4 or values.shape != places.shape or not (np.diff(places) > 0).all():  # noqa: PLR2004
        msg = f"a table needs 4 or more rising places and a value for each; got shapes {places.shape}, {values.shape}"
        raise CalibrationError(msg)
    if not (np.isfinite(values).all() and (values > 0).all()):
        msg = f"certified intensities must be finite and above 0; the lowest is {values.min():g}. Check the table"
        raise CalibrationError(msg)
    if axis not in ("wavelength", "raman_shift") or (axis == "wavelength") != (medium in ("air", "vacuum")):
        msg = f"say axis='raman_shift', or axis='wavelength' with medium='air' or 'vacuum'; got {axis!r} and {medium!r}"
        raise CalibrationError(msg)
    if not certificate:
        msg = f"say where the numbers of {name!r} are from: certificate='calibration certificate 123 of 2026-05-01'"
        raise CalibrationError(msg)
    u_at, u_relative = _uncertainty(places, expanded, k)
    settings = {
        "x": places, "value": values, "expanded": expanded, "axis": axis, "units": units, "axis_units": axis_units,
        "medium": medium, "k": k, "name": name, "certificate": certificate,
    }  # fmt: skip
    return CertifiedIntensity(
        name=name, axis=axis, axis_units=_checked(axis_units), units=_checked(units), form="table",
        coefficients=tuple(values.tolist()), at=tuple(places.tolist()), u_at=u_at, u_relative=u_relative,
        source=_source(name, certificate, certificate), medium=medium,
        history=history.extend("calibration.intensity_table", settings=settings, inputs={}),
    )  # fmt: skip


def _checked(text: str) -> str:
    return units.require_units(text)


def _source(name: str, certificate: str, origin: str) -> Source:
    return Source(
        id=f"intensity:{name}:{certificate}", label=f"certified intensity of {name}", units="1", origin=origin,
        tags=("intensity standard",),
    )  # fmt: skip


def _uncertainty(places: Array, expanded: float | Sequence[float], k: float) -> tuple[tuple[float, ...], ...]:
    relative = np.broadcast_to(np.asarray(expanded, dtype=float), places.shape) if np.ndim(expanded) == 0 else expanded
    given = np.asarray(relative, dtype=float)
    if given.shape != places.shape or not (np.diff(places) > 0).all() or places.size < 2:  # noqa: PLR2004
        msg = f"one expanded uncertainty for each of 2 or more rising places; got {given.shape} and {places.shape}"
        raise CalibrationError(msg)
    if not (k > 0 and np.isfinite(given).all() and (given >= 0).all() and (given < 1).all()):
        msg = f"relative expanded uncertainties lie in [0, 1) and k is above 0 (0.02 is 2 %); got {expanded}, k = {k:g}"
        raise CalibrationError(msg)
    return tuple(places.tolist()), tuple((given / k).tolist())
