"""Andor Solis SIF: frames of a camera, read with the package sif_parser (extra `sif`).

The numbers are digitised charge: no rule of counting is marked. Not here: spooled series of many files.
"""

import io
import re
from datetime import UTC, datetime
from typing import Any

import numpy as np
import xarray as xr

from analysis.core import CHANNEL
from analysis.io import extras, fields
from analysis.io.fields import Content
from analysis.io.reader import Reader

_TITLE = "Andor SIF"
_MAGIC = b"Andor Technology Multi-Channel File"
_SIZES = re.compile(
    rb"65541 (-?\d{1,18}) (-?\d{1,18}) (-?\d{1,18}) (-?\d{1,18}) (-?\d{1,18}) (-?\d{1,18}) (-?\d{1,18}) (-?\d{1,18})\s"
)
_FRAMES = 4
_TOTAL = 6
_HOT = -300.0


class _Ending(io.FileIO):
    """A file that says when it ends; the package would wait for a mark that does not come."""

    def read(self, size: int | None = -1, /) -> bytes:
        """Read bytes, at least one if any are asked for."""
        held = super().read(-1 if size is None else size) or b""
        if not held and size:
            msg = "the file ends inside its header"
            raise EOFError(msg)
        return held


def read(data: bytes, name: str) -> xr.Dataset:
    """Read the frames of a camera.

    Parameters
    ----------
    data:
        The file.
    name:
        Its name, for messages.

    Returns
    -------
    :
        `signal` with the dims `frame` and `row` where there are several; the axis `wavelength` of the file's
        polynomial, and `raman_shift` where it names a laser line.

    Raises
    ------
    FormatError
        If the file is damaged, cut short, or says more than it holds.
    """
    content = Content(data=data, name=name, title=_TITLE)
    for found in _SIZES.finditer(data[:1_000_000]):
        frames, total = int(found.group(_FRAMES + 1)), int(found.group(_TOTAL + 1))
        if frames < 1 or total < 1 or 4 * total > len(data) or frames > len(data):
            content.refuse(f"it says {frames} frames and {total} values, and has {len(data)} bytes")
    package = extras.require("sif_parser", extra="sif", title=_TITLE)
    with extras.as_file(data, name) as path, _Ending(path) as file:
        held, info = package.np_open(file)
    signal = np.asarray(held, float)
    frames, rows, width = signal.shape
    dataset = xr.Dataset(
        {"signal": (("frame", "row", CHANNEL), signal, {"units": "counts", "long_name": "camera signal"})},
        {
            "frame": ("frame", np.arange(1.0, frames + 1), {"units": "1", "long_name": "frame, from 1"}),
            "row": ("row", np.arange(rows, dtype=float), {"units": "1", "long_name": "row, from 0"}),
            "pixel": fields.pixels(width, 1, "column of the sensor, from 1"),
        },
    )
    dataset = dataset.squeeze([dim for dim in ("frame", "row") if dataset.sizes[dim] == 1], drop=True)
    said = {str(key): _plain(value) for key, value in info.items()}
    laser = float(info.get("RamanExWavelength", 0.0) or 0.0)
    attrs = _attributes(info) | {"header": fields.header(said)}
    attrs |= {"laser_wavelength_nm": laser} if laser > 0 else {}
    return _with_axes(dataset, package.utils.extract_calibration(info), laser).assign_attrs(attrs)


def _with_axes(dataset: xr.Dataset, along: Any, laser: float) -> xr.Dataset:  # noqa: ANN401 - an array or None
    if along is None:
        return dataset
    values = np.asarray(along, float)
    if values.ndim > 1 and (values == values[0]).all():
        values = values[0]
    is_pixel = values.ndim == 1 and np.array_equal(np.round(np.diff(values), 9), np.ones(values.size - 1))
    if values.ndim > 1 or values.size != dataset.sizes[CHANNEL] or is_pixel or (values <= 0).any():
        return dataset
    name = "wavelength, nominal (polynomial of the file)"
    found = dataset.assign_coords(wavelength=fields.wavelength(values, long_name=name))
    return found.assign_coords(raman_shift=fields.raman_shift(values, laser)) if laser > 0 else found


def _attributes(info: Any) -> dict[str, object]:  # noqa: ANN401 - a mapping of others without types
    attrs: dict[str, object] = {}
    if float(info.get("ExposureTime", 0.0)) > 0:
        attrs["integration_time_s"] = float(info["ExposureTime"])
    if int(info.get("AccumulatedCycles", 0)) > 1:
        attrs |= {"averages": int(info["AccumulatedCycles"]), "averages_note": "accumulated: summed by the camera"}
    if float(info.get("DetectorTemperature", -999.0)) > _HOT:
        attrs["detector_temperature_degC"] = float(info["DetectorTemperature"])
    if info.get("DetectorType"):
        attrs["instrument"] = f"Andor {_plain(info['DetectorType'])}"
    if int(info.get("ExperimentTime", 0)) > 0:
        attrs["acquired"] = datetime.fromtimestamp(int(info["ExperimentTime"]), tz=UTC).isoformat()
        attrs["acquired_note"] = "seconds since 1970 in the file, taken as UTC"
    return attrs


def _plain(value: object) -> object:
    if isinstance(value, bytes):
        return value.decode("latin-1").strip()
    return value if isinstance(value, int | float) else str(value)


READER = Reader(
    name="sif",
    title=_TITLE,
    recognises=lambda head: head.startswith(_MAGIC),
    read=read,
    reads="frames and rows, wavelengths, laser line, exposure, accumulations, detector and its temperature, date",
    reads_not="calibrations that differ from frame to frame; medium of the wavelengths (not in the file)",
    tested_on="hematite at 785 nm (METROSPEC_REAL_FILES), damaged ones",
    max_bytes=1_000_000_000,
    extra="sif",
)
