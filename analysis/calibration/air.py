"""Refraction of air: wavelengths in air and in vacuum, wavenumbers, Raman shifts.

Standard air (15 degC, 101 325 Pa, dry, 450 ppm CO2); Ciddor, Applied Optics 35 (1996) 1566,
doi:10.1364/AO.35.001566, eq. 1. At 20 degC instead of 15 degC a Raman shift changes by less than 1e-5 of itself.
"""

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def index(wavelength_nm: npt.ArrayLike) -> Array:
    """Refractive index of standard air.

    Parameters
    ----------
    wavelength_nm:
        Vacuum wavelengths in nm, any shape; 230 nm to 1690 nm in the source.

    Returns
    -------
    :
        Index, dimensionless.
    """
    squared = (1e3 / np.asarray(wavelength_nm, dtype=float)) ** 2
    return 1.0 + 1e-8 * (5792105.0 / (238.0185 - squared) + 167917.0 / (57.362 - squared))


def to_vacuum(wavelength_nm: npt.ArrayLike) -> Array:
    """Vacuum wavelength of a wavelength in standard air.

    Parameters
    ----------
    wavelength_nm:
        Wavelengths in air in nm, any shape.

    Returns
    -------
    :
        Vacuum wavelengths in nm.
    """
    air = np.asarray(wavelength_nm, dtype=float)
    vacuum = air
    for _ in range(3):
        vacuum = air * index(vacuum)
    return vacuum


def to_air(wavelength_nm: npt.ArrayLike) -> Array:
    """Wavelength in standard air of a vacuum wavelength.

    Parameters
    ----------
    wavelength_nm:
        Vacuum wavelengths in nm, any shape.

    Returns
    -------
    :
        Wavelengths in air in nm.
    """
    vacuum = np.asarray(wavelength_nm, dtype=float)
    return np.asarray(vacuum / index(vacuum))


def wavenumber(wavelength_nm: npt.ArrayLike, medium: str) -> tuple[Array, Array]:
    """Vacuum wavenumber of a wavelength, and its derivative.

    Parameters
    ----------
    wavelength_nm:
        Wavelengths in nm, any shape.
    medium:
        `air` or `vacuum`.

    Returns
    -------
    :
        Wavenumber in cm-1, and d(wavenumber)/d(wavelength) in cm-1/nm.
    """
    given = np.asarray(wavelength_nm, dtype=float)
    if medium == "vacuum":
        return 1e7 / given, -1e7 / given**2
    value = 1e7 / to_vacuum(given)
    step = 1e-3
    slope = (1e7 / to_vacuum(given + step) - 1e7 / to_vacuum(given - step)) / (2 * step)
    return value, slope


def wavelength(wavenumber_cm: npt.ArrayLike, medium: str) -> Array:
    """Wavelength of a vacuum wavenumber.

    Parameters
    ----------
    wavenumber_cm:
        Wavenumbers in cm-1, any shape.
    medium:
        `air` or `vacuum`.

    Returns
    -------
    :
        Wavelengths in nm.
    """
    vacuum = 1e7 / np.asarray(wavenumber_cm, dtype=float)
    return vacuum if medium == "vacuum" else to_air(vacuum)
