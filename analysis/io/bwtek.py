"""Text files of B&W Tek spectrometers (BWSpec, BWRam): header `key;value`, then one row a pixel.

`signal` is raw minus dark, or raw where the column "Dark" was recorded with the light on. The maker's column
"Dark Subtracted" is mostly the same, but not with the maker's intensity correction or dark compensation switched on;
it is then kept as `maker_signal`. The wavelength axis is computed from the polynomial in the header, because the
printed column is rounded and blank outside the display range; the Raman shift is computed from it and the laser line
in the header. Both are nominal. Not here: other text (`analysis.io.ascii`).
"""

import re

import numpy as np
import numpy.typing as npt
import xarray as xr

from analysis.core import CHANNEL, FormatError
from analysis.io import sniff, table, text
from analysis.io.reader import Reader
from analysis.io.table import Table

Array = npt.NDArray[np.float64]
_NM_PER_CM = 1e7
_DECIMALS = 4
_LIGHT_SHARE = 0.5
"""A dark with lines higher than this share of those of the raw signal is none ..."""
_LEAST_LIGHT = 3000.0
"""... if they are also higher than this, in counts."""
_FULL_SCALE = 65535
"""Of the 16-bit converter; `yaxis_max` of the header is only what the screen showed."""


def read_table(table: Table, name: str) -> xr.Dataset:
    """Make a spectrum of a B&W Tek table.

    Parameters
    ----------
    table:
        The table of the file.
    name:
        Name of the file, for messages.

    Returns
    -------
    :
        `signal`, `raw` and `dark` in counts and `saturated` (0 or 1: raw signal at the 16-bit full scale) along
        `channel`, with the axes `pixel`, `wavelength` (nm, air, nominal) and, where the header names a laser,
        `raman_shift` (cm-1, nominal).

    Raises
    ------
    FormatError
        If columns or rows are missing.
    """
    header = _header(table)
    columns = _columns(table, name)
    pixel = columns["Pixel"]
    first, last = (int(_number(header, key, name)) for key in ("pixel_start", "pixel_end"))
    if not np.array_equal(pixel, np.arange(first, last + 1)):
        msg = (
            f"{name!r} is cut short or damaged: its header says pixels {first} to {last}, its table has "
            f"{pixel.size} rows from {pixel[0]:g} to {pixel[-1]:g}. Export it again"
        )
        raise FormatError(msg)
    counts = {"units": "counts"}
    saturated = (columns["Raw data #1"] >= _FULL_SCALE).astype(np.int8)
    clipped = {"units": "1", "long_name": f"raw signal at full scale, {_FULL_SCALE} counts"}
    is_dark = not _holds_light(columns["Dark"], columns["Raw data #1"])
    signal = np.round(columns["Raw data #1"] - columns["Dark"] * is_dark, _DECIMALS)
    what = "raw minus dark signal" if is_dark else "raw signal: the column 'Dark' was recorded with the light on"
    dataset = xr.Dataset(
        {
            "signal": (CHANNEL, signal, {**counts, "long_name": what}),
            "raw": (CHANNEL, columns["Raw data #1"], {**counts, "long_name": "raw signal"}),
            "dark": (CHANNEL, columns["Dark"], {**counts, "long_name": "dark signal"}),
            "saturated": (CHANNEL, saturated, clipped),
        },
        coords={"pixel": (CHANNEL, pixel, {"units": "1", "long_name": "pixel"})},
        attrs=_attributes(header, table, name),
    )
    maker = columns["Dark Subtracted #1"]
    if np.abs(maker - signal).max() > 10.0 ** (1 - _DECIMALS):
        about = {"long_name": "the maker's column 'Dark Subtracted', which is not raw minus dark in this file"}
        dataset = dataset.assign(maker_signal=(CHANNEL, maker, about))
    return _with_axes(dataset, [_number(header, f"coefs_a{power}", name) for power in range(4)])


def _holds_light(dark: Array, raw: Array) -> bool:
    """Say whether the dark has lines like the signal; single hot pixels do not count (median of three)."""

    def height(column: Array) -> float:
        middle = np.median(np.lib.stride_tricks.sliding_window_view(column, 3), axis=-1)
        return float(middle.max() - np.median(column))

    return height(dark) > max(_LIGHT_SHARE * height(raw), _LEAST_LIGHT)


def _with_axes(dataset: xr.Dataset, coefficients: list[float]) -> xr.Dataset:
    wavelength = np.polynomial.polynomial.polyval(dataset["pixel"].values, coefficients)
    axis = {"units": "nm", "medium": "air", "long_name": "wavelength, nominal (maker's polynomial)", "nominal": "true"}
    found = dataset.assign_coords(wavelength=(CHANNEL, wavelength, axis))
    laser = dataset.attrs.get("laser_wavelength_nm")
    if laser is None:
        return found
    about = {
        "units": "cm-1",
        "long_name": "Raman shift, nominal (from the maker's polynomial and the laser line of the header)",
        "laser_wavelength_nm": laser,
        "nominal": "true",
    }
    return found.assign_coords(raman_shift=(CHANNEL, _NM_PER_CM * (1 / laser - 1 / wavelength), about))


def _header(table: Table) -> dict[str, str]:
    pairs = (line.split(";", 1) for line in table.before if ";" in line)
    return {key.strip(): value.strip() for key, value in pairs}


def _columns(table: Table, name: str) -> dict[str, Array]:
    wanted = ("Pixel", "Dark", "Raw data #1", "Dark Subtracted #1")
    missing = [column for column in wanted if column not in table.names]
    if missing:
        msg = f"{name!r} begins like a B&W Tek file but lacks {missing}; it has {list(table.names)}. Export all columns"
        raise FormatError(msg)
    return {column: table.values[:, table.names.index(column)] for column in wanted}


def _number(header: dict[str, str], key: str, name: str) -> float:
    text = header.get(key, "")
    try:
        return float(text.replace(",", "."))
    except ValueError as error:
        msg = f"{name!r} begins like a B&W Tek file but {key} is {text!r}; wanted a number. Export it again"
        raise FormatError(msg) from error


def _attributes(header: dict[str, str], table: Table, name: str) -> dict[str, object]:
    attrs: dict[str, object] = {
        "instrument": " ".join(part for part in (header.get("model"), header.get("c code")) if part),
        "integration_time_s": _number(header, "intigration times(ms)", name) / 1000,
        "averages": int(_number(header, "average number", name)),
        "header": table.header(),
    }
    laser = _number(header, "laser_wavelength", name) if header.get("laser_wavelength") else 0.0
    if laser > 0:
        attrs["laser_wavelength_nm"] = laser
    if re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", header.get("Date", "")):
        attrs["acquired"] = header["Date"].replace(" ", "T")
        attrs["acquired_note"] = "local time of the instrument's computer; the file gives no time zone"
    return attrs


READER = Reader(
    name="bwtek",
    title="B&W Tek text",
    recognises=lambda head: sniff.start_of(head).startswith("File Version;BW"),
    read=lambda content, name: read_table(table.parse(text.lines_of(content, name), name), name),
    reads="raw, dark, maker's corrected column; wavelength by the maker's polynomial; Raman shift by the laser line",
    reads_not="columns computed by the maker: %T, absorbance, irradiance",
    tested_on="a neon lamp file of BWRam 4 (METROSPEC_REAL_FILES), made ones",
)
