"""What a cell of gas transmits: Voigt lines by Beer and Lambert, seen by an interferometer.

Everything is analytic in temperature, pressure, amount and shift, and passes complex numbers on to first order: the
fit takes exact derivatives from that (`analysis.peaks`, complex step). Lines reach 25 cm-1 far.
Not here: the lines (`analysis.gas.band`), their profiles (`analysis.gas.profiles`).
References: Rothman et al., JQSRT 60 (1998) 665, doi:10.1016/S0022-4073(98)00078-8, appendix.
"""

import math
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt
import xarray as xr

from analysis.core import CHANNEL, CalibrationError, SpectrumError
from analysis.gas.band import REFERENCE, Band, Numbers
from analysis.gas.interferometer import Interferometer
from analysis.gas.profiles import Profiles

__all__ = ["Conditions", "Grid", "doppler", "grid_of", "transmittance"]

ATMOSPHERE = 1013.25
"""hPa."""
BOLTZMANN = 1.380649e-23
DALTON = 1.66053906892e-27
LIGHT = 299_792_458.0
REACH = 25.0
NEAR = 0.6
FINEST = 2.1e-3
KEPT = 4
EVEN = 1e-3


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """The state of a gas; complex numbers carry a derivative."""

    temperature: complex
    """K."""
    pressure: complex
    """hPa."""
    fraction: complex
    """Amount of the molecule over that of all gas."""
    shift: complex = 0.0
    """Of all lines, cm-1."""
    strength: complex = 1.0
    """Factor on all line strengths."""
    trend: complex = 0.0
    """Relative error of the strengths that grows with the energy of the lower level, for 100 cm-1."""
    width: complex = 1.0
    """Factor on all collisional widths."""
    own: complex = 1.0
    """Factor on the widths by the molecule itself."""
    exponent: complex = 0.0
    """Added to the exponents of temperature."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Grid:
    """The fine points that a spectrum is computed on, and the lines that reach them."""

    band: Band
    interferometer: Interferometer | None
    first: float
    step: float
    count: int
    every: int
    """Of the fine points is a channel."""
    start: int
    """Fine point of the first channel."""
    channels: int
    memory: dict[tuple[float, bytes, bytes], Profiles] = field(default_factory=dict)
    """Profiles of the last states."""

    @cached_property
    def lines(self) -> xr.Dataset:
        """Return the lines that reach the grid."""
        return self.band.lines(self.first - REACH, self.first + self.count * self.step + REACH)

    @cached_property
    def points(self) -> npt.NDArray[np.float64]:
        """Return the fine points, cm-1."""
        return np.asarray(self.first + self.step * np.arange(self.count))

    @cached_property
    def offsets(self) -> npt.NDArray[np.float64]:
        """Return the distance of each point from each line, cm-1."""
        return np.asarray(self.points - self.lines["wavenumber"].values[:, None])

    @cached_property
    def near(self) -> tuple[slice, ...]:
        """Return the points around each line that take the whole profile."""
        edges = self.lines["wavenumber"].values[:, None] + NEAR * np.array([-1.0, 1.0])
        return tuple(slice(*np.searchsorted(self.points, pair)) for pair in edges)

    def transmitted(self, gas: Conditions, path: complex) -> Numbers:
        """Return what each channel sees.

        Parameters
        ----------
        gas:
            Its state.
        path:
            Through the gas, cm.

        Returns
        -------
        :
            Transmittance, dims `(channel,)`.
        """
        absorbed = -np.expm1(-self.depth(gas) * path)
        if self.interferometer is not None:
            seen = self.interferometer.blur(absorbed.real, self.step)
            if np.iscomplexobj(absorbed):
                seen = seen + 1j * self.interferometer.blur(absorbed.imag, self.step)
            absorbed = seen
        return np.asarray(1.0 - absorbed[self.start :: self.every][: self.channels])

    def depth(self, gas: Conditions) -> Numbers:
        """Return the absorption coefficient at the fine points, cm-1.

        Parameters
        ----------
        gas:
            Its state.

        Returns
        -------
        :
            Dims `(point,)`.
        """
        lines = self.lines
        centre = lines["wavenumber"].values
        density = gas.pressure * 100.0 * gas.fraction / (BOLTZMANN * gas.temperature) * 1e-6
        factor = gas.strength * (1.0 + gas.trend * 0.01 * lines["energy"].values)
        area = self.band.strengths(lines["m"].values, centre, gas.temperature) * (factor * density)
        mixed = (1.0 - gas.fraction) * lines["air"].values + (gas.fraction * gas.own) * lines["self"].values
        cooling = np.exp((lines["exponent"].values + gas.exponent) * np.log(REFERENCE / gas.temperature))
        gamma = mixed * cooling * (gas.width * gas.pressure / ATMOSPHERE)
        sigma = doppler(self.band, centre, gas.temperature)
        shapes = self._profiles(float(np.real(gas.shift)), np.real(sigma), np.real(gamma))
        depth = np.real(area) @ shapes.values
        if not any(np.iscomplexobj(each) for each in (area, gamma, sigma, gas.shift)):
            return np.asarray(depth)
        carried = np.imag(area) @ shapes.values
        for moved, slopes in ((gamma, "by_gamma"), (sigma, "by_sigma"), (-gas.shift + 0.0 * centre, "by_offset")):
            if np.imag(moved).any():
                carried = carried + (np.real(area) * np.imag(moved)) @ getattr(shapes, slopes)
        return np.asarray(depth + 1j * carried)

    def _profiles(self, shift: float, sigma: npt.NDArray[np.float64], gamma: npt.NDArray[np.float64]) -> Profiles:
        """Return the profiles of one state; its derivatives ask for them several times."""
        key = (shift, sigma.tobytes(), gamma.tobytes())
        if key not in self.memory:
            if len(self.memory) >= KEPT:
                self.memory.pop(next(iter(self.memory)))
            self.memory[key] = Profiles(offsets=self.offsets - shift, near=self.near, sigma=sigma, gamma=gamma)
        return self.memory[key]


def doppler(band: Band, wavenumber: npt.ArrayLike, temperature: complex) -> Numbers:
    """Return the standard deviation of lines by the motion of the molecules.

    Parameters
    ----------
    band:
        Says the mass.
    wavenumber:
        Of the lines, cm-1.
    temperature:
        K.

    Returns
    -------
    :
        cm-1.
    """
    mass = band.facts["mass"].value * DALTON
    return np.asarray(np.asarray(wavenumber) * np.sqrt(BOLTZMANN * temperature / mass) / LIGHT)


def grid_of(wavenumber: npt.ArrayLike, band: Band, interferometer: Interferometer | None) -> Grid:
    """Make the fine points of a spectrum.

    Parameters
    ----------
    wavenumber:
        Of the channels in cm-1, rising and evenly spaced.
    band:
        Its lines.
    interferometer:
        None sees everything as it is.

    Returns
    -------
    :
        The grid.

    Raises
    ------
    SpectrumError
        If the channels are not evenly spaced, or wider apart than the path difference allows.
    """
    x = np.asarray(wavenumber, dtype=float)
    spacing = (x[-1] - x[0]) / (x.size - 1)
    off = float(np.abs(x - (x[0] + spacing * np.arange(x.size))).max())
    if not spacing > 0.0 or off > EVEN * spacing:
        msg = (
            f"the wavenumbers must rise evenly, as an interferometer gives them; got a spacing of {spacing:g} cm-1 and "
            f"channels up to {off:g} cm-1 beside it. Sort them, or compute the spectrum again without interpolation"
        )
        raise SpectrumError(msg)
    every = max(1, math.ceil(spacing / FINEST - EVEN))
    step = spacing / every
    beyond = math.ceil((0.0 if interferometer is None else interferometer.margin) / step / every) * every
    return Grid(
        band=band, interferometer=interferometer, first=float(x[0]) - beyond * step, step=step,
        count=(x.size - 1) * every + 1 + 2 * beyond, every=every, start=beyond, channels=x.size,
    )  # fmt: skip


def transmittance(
    wavenumber: npt.ArrayLike,
    band: Band,
    *,
    temperature: float,
    pressure: float,
    fraction: float,
    path: float,
    interferometer: Interferometer | None = None,
) -> xr.DataArray:
    """Compute what a cell of gas transmits.

    Parameters
    ----------
    wavenumber:
        Channels in cm-1, rising and evenly spaced.
    band:
        From `band(name)`.
    temperature:
        K, > 0.
    pressure:
        Of all gas, hPa, > 0.
    fraction:
        Amount of the molecule over that of all gas, in (0, 1]; the rest is air.
    path:
        Length of the cell, cm, > 0.
    interferometer:
        What measures it; None for the gas alone.

    Returns
    -------
    :
        Transmittance with the axis `wavenumber`. Lines have the Voigt shape; shifts by pressure, other isotopes and
        bands are not in it.

    Raises
    ------
    CalibrationError
        If a condition is out of range.
    """
    given = {"temperature": temperature, "pressure": pressure, "fraction": fraction, "path": path}
    wrong = {name: value for name, value in given.items() if not (math.isfinite(value) and value > 0.0)}
    if wrong or fraction > 1.0:
        msg = f"temperature (K), pressure (hPa), path (cm) must be above 0 and fraction in (0, 1]; got {wrong or given}"
        raise CalibrationError(msg)
    grid = grid_of(wavenumber, band, interferometer)
    gas = Conditions(temperature=temperature, pressure=pressure, fraction=fraction)
    return xr.DataArray(
        np.real(grid.transmitted(gas, path)),
        dims=CHANNEL,
        coords={"wavenumber": (CHANNEL, np.asarray(wavenumber, dtype=float), {"units": "cm-1"})},
        attrs={"units": "1", "long_name": "transmittance"},
        name="signal",
    )
