"""Fields of binary files within their bounds, attributes of spectra that several readers make, and the mark of counts.

Not here: what the fields of a format mean (one module a format).
"""

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

import numpy as np
import numpy.typing as npt
import xarray as xr

from analysis.core import CHANNEL, FormatError

Array = npt.NDArray[np.float64]
COUNTING: dict[str, object] = {"uncertainty_rule": "u(N) = sqrt(N): Poisson counts of independent events"}
"""Attributes of a signal that counts events: the square root of its values is their standard uncertainty. Never of
digitised or scaled data, whose numbers are not events."""
_NM_PER_CM = 1e7


@dataclass(frozen=True, kw_only=True)
class Content:
    """The bytes of a file, read within their bounds."""

    data: bytes
    """The whole file."""
    name: str
    """Its name, for messages."""
    title: str
    """Its format, for messages."""

    def refuse(self, seen: str) -> NoReturn:
        """Raise the error that says what was seen."""
        msg = f"{self.name!r} is damaged or cut short: it looks like {self.title} but {seen}. Copy it again"
        raise FormatError(msg)

    def require(self, at: int, size: int, what: str) -> None:
        """Refuse a field that is not inside the file."""
        if at < 0 or size < 0 or at + size > len(self.data):
            self.refuse(f"{what} would take {size} bytes from byte {at}, and the file has {len(self.data)}")

    def number(self, at: int, code: str, what: str) -> float:
        """Read one little-endian number, by its code of the module `struct`."""
        self.require(at, struct.calcsize(f"<{code}"), what)
        return float(struct.unpack_from(f"<{code}", self.data, at)[0])

    def integer(self, at: int, code: str, what: str) -> int:
        """Read one little-endian whole number, by its code of the module `struct`."""
        self.require(at, struct.calcsize(f"<{code}"), what)
        return int(struct.unpack_from(f"<{code}", self.data, at)[0])

    def numbers(self, at: int, dtype: str, count: int, what: str) -> Array:
        """Read an array."""
        kind = np.dtype(dtype)
        self.require(at, count * kind.itemsize, what)
        return np.frombuffer(self.data, kind, count, at).astype(float)

    def text(self, at: int, size: int) -> str:
        """Read text that ends with a zero byte or after `size` bytes."""
        return self.data[at : at + size].split(b"\0", 1)[0].decode("utf-8", "replace").strip()


def header(raw: Mapping[str, object]) -> str:
    """Return the raw header of a file as JSON.

    Parameters
    ----------
    raw:
        Names and what the file says.

    Returns
    -------
    :
        Text for the attribute `header`.
    """
    return json.dumps(dict(raw), ensure_ascii=False, default=str)


def wavelength(values: Array, *, medium: str = "unknown", long_name: str = "wavelength") -> xr.Variable:
    """Make the axis of wavelengths.

    Parameters
    ----------
    values:
        Wavelengths in nm.
    medium:
        `air`, `vacuum`, or `unknown` where the file does not say.
    long_name:
        What it is, in words.

    Returns
    -------
    :
        The axis along `channel`.
    """
    return xr.Variable(CHANNEL, values, {"units": "nm", "medium": medium, "long_name": long_name})


def raman_shift(values: Array, laser: float) -> xr.Variable:
    """Make the nominal axis of Raman shifts that a laser line makes of wavelengths.

    Parameters
    ----------
    values:
        Wavelengths in nm.
    laser:
        Wavelength of the laser line in nm, in the same medium.

    Returns
    -------
    :
        The axis along `channel`, in cm-1.
    """
    about = {
        "units": "cm-1",
        "long_name": "Raman shift, nominal (from the wavelengths and the laser line of the file)",
        "laser_wavelength_nm": laser,
        "nominal": "true",
    }
    return xr.Variable(CHANNEL, _NM_PER_CM * (1 / laser - 1 / values), about)


def pixels(count: int, first: float = 0.0, long_name: str = "pixel") -> xr.Variable:
    """Make the axis of numbered pixels, channels or samples.

    Parameters
    ----------
    count:
        How many.
    first:
        The number of the first.
    long_name:
        What is numbered.

    Returns
    -------
    :
        The axis along `channel`.
    """
    return xr.Variable(CHANNEL, first + np.arange(count, dtype=float), {"units": "1", "long_name": long_name})
