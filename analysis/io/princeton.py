"""Princeton Instruments SPE 3 (LightField): frames and regions of a camera, with the XML at the end of the file.

A frame is a block of pixels for each region of interest, followed by what the XML calls metadata. The numbers of a
camera are digitised charge, not counted events: no rule of counting is marked.
Not here: SPE of ORTEC MAESTRO, which is text (`analysis.io.maestro`).
"""

import math
import re
from dataclasses import dataclass
from xml.etree.ElementTree import Element  # only the type of what defusedxml makes

import numpy as np
import xarray as xr

from analysis.core import CHANNEL, FormatError
from analysis.io import collection, fields, xml_check
from analysis.io.collection import Collection
from analysis.io.fields import Array, Content
from analysis.io.reader import Reader

_TITLE = "Princeton Instruments SPE 3"
_HEADER = 4100
_VERSION_AT, _XML_AT, _TYPE_AT, _MARK_AT = 1992, 678, 108, 4098
_MARK = b"UU"
_FIRST_WITH_XML = 3.0
_TYPES = {
    "MonochromeUnsigned16": "<u2",
    "MonochromeUnsigned32": "<u4",
    "MonochromeFloating32": "<f4",
    "MonochromeFloating64": "<f8",
}
_MOST_FRAMES = 1_000_000


@dataclass(frozen=True, kw_only=True)
class _Region:
    """One region of interest of the frames."""

    at: int
    width: int
    height: int
    calibrations: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class _Frames:
    """How frames lie in the file."""

    count: int
    stride: int
    dtype: str
    regions: tuple[_Region, ...]


def recognises(head: bytes) -> bool:
    """Say whether a file begins like SPE of Princeton Instruments.

    Parameters
    ----------
    head:
        Its first 4096 bytes.

    Returns
    -------
    :
        By the version, the kind of numbers and the size of the frames.
    """
    if len(head) < _VERSION_AT + 4 or head[:1] in b"$#{<":
        return False
    version = float(np.frombuffer(head, "<f4", 1, _VERSION_AT)[0])
    kind = int.from_bytes(head[_TYPE_AT : _TYPE_AT + 2], "little")
    return 1 <= version <= 3.9 and kind <= 8 and b"\0\0\0\0" in head[:_VERSION_AT]  # noqa: PLR2004 - of the format


def read(data: bytes, name: str) -> xr.Dataset | Collection:
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
        `signal` with the dims `frame` and `row` where there are several; a collection where there are several regions
        of interest.

    Raises
    ------
    FormatError
        If the file is of another version, damaged or cut short.
    """
    content = Content(data=data, name=name, title=_TITLE)
    content.require(0, _HEADER, "the header")
    version = content.number(_VERSION_AT, "f", "the version")
    if version < _FIRST_WITH_XML:
        msg = (
            f"{name!r} is Princeton SPE version {version:.1f} (WinSpec); wanted 3.0 (LightField). Open it in "
            "LightField and save it, or export it as text"
        )
        raise FormatError(msg)
    at = content.integer(_XML_AT, "Q", "the place of the XML")
    if not _HEADER <= at < len(data):
        content.refuse(f"its XML should begin at byte {at}, and the file has {len(data)}")
    root = xml_check.parse(data[at:].strip(b"\0 \r\n\t"), name)
    frames = _frames(root, content, at)
    found = [(f"region {index + 1}", _region(content, root, frames, index)) for index in range(len(frames.regions))]
    text = data[at:].decode("utf-8", "replace")
    attrs = _attributes(root) | {"header": fields.header({"xml": text})}
    return collection.gather([(title, each.assign_attrs(attrs)) for title, each in found])


def _frames(root: Element, content: Content, end: int) -> _Frames:
    block = _first(root, "DataBlock")
    if block is None:
        content.refuse("its XML has no DataBlock")
    dtype = _TYPES.get(block.get("pixelFormat", ""))
    if dtype is None:
        content.refuse(f"its pixels are {block.get('pixelFormat')!r}; known are {list(_TYPES)}")
    count, stride = _whole(block, "count", content), _whole(block, "stride", content)
    regions, at = [], 0
    for each in block:
        if _tag(each) == "DataBlock":
            repeats = _whole(each, "count", content)
            width, height = _whole(each, "width", content), _whole(each, "height", content)
            size = width * height * np.dtype(dtype).itemsize
            ids = tuple(each.get("calibrations", "").split(","))
            step = _whole(each, "stride", content)
            if step < size:
                content.refuse(f"a region of {width} x {height} pixels needs {size} bytes and has {step}")
            content.require(_HEADER, at + repeats * step, "a frame")
            regions += [
                _Region(at=at + index * step, width=width, height=height, calibrations=ids) for index in range(repeats)
            ]
            at += repeats * step
    if not regions or count > _MOST_FRAMES:
        content.refuse(f"it says {count} frames of {len(regions)} regions")
    if at > stride or _HEADER + count * stride > end:
        seen = f"it says {count} frames of {stride} bytes, its regions take {at}, and there are {end - _HEADER} bytes"
        content.refuse(seen)
    return _Frames(count=count, stride=stride, dtype=dtype, regions=tuple(regions))


def _region(content: Content, root: Element, frames: _Frames, index: int) -> xr.Dataset:
    region = frames.regions[index]
    size = region.width * region.height
    held = np.stack(
        [
            content.numbers(_HEADER + at * frames.stride + region.at, frames.dtype, size, f"frame {at + 1}")
            for at in range(frames.count)
        ]
    ).reshape(frames.count, region.height, region.width)
    place = _calibration(root, region, "SensorMapping")
    row = _float(place, "y", 0.0) + np.arange(region.height) * _float(place, "yBinning", 1.0)
    signal = {"units": "counts", "long_name": "camera signal"}
    dataset = xr.Dataset(
        {"signal": (("frame", "row", CHANNEL), held, signal)},
        {
            "frame": ("frame", np.arange(1.0, frames.count + 1), {"units": "1", "long_name": "frame, from 1"}),
            "row": ("row", row, {"units": "1", "long_name": "first row of the sensor that is binned"}),
            "pixel": fields.pixels(region.width, _float(place, "x", 0.0), "column of the sensor, binned ones as one"),
        },
    )
    alone = [dim for dim in ("frame", "row") if dataset.sizes[dim] == 1]
    dataset = dataset.squeeze(alone, drop=True)
    return _with_axes(dataset, root, region, content)


def _with_axes(dataset: xr.Dataset, root: Element, region: _Region, content: Content) -> xr.Dataset:
    mapping = _calibration(root, region, "WavelengthMapping")
    if mapping is None:
        mapping = _first(root, "WavelengthMapping")
    held = None if mapping is None else next((each for each in mapping if _tag(each).startswith("Wavelength")), None)
    if mapping is None or held is None or not (held.text or "").strip():
        return dataset
    values = _wavelengths(held, content)
    if values.size != region.width:
        values = _on_region(values, _calibration(root, region, "SensorMapping"), region, content)
    name = "wavelength, nominal (calibration of the spectrometer stored in the file)"
    found = dataset.assign_coords(wavelength=fields.wavelength(values, long_name=name))
    laser = _float(mapping, "laserLine", math.nan)
    if not laser > 0:
        return found
    return found.assign_coords(raman_shift=fields.raman_shift(values, laser)).assign_attrs(laser_wavelength_nm=laser)


def _wavelengths(held: Element, content: Content) -> Array:
    """Read `1.0,2.0,...`, or `1.0,0.1 2.0,0.1 ...` where each has its error."""
    text = (held.text or "").strip()
    cells = [pair.split(",")[0] for pair in text.split()] if _tag(held) == "WavelengthError" else text.split(",")
    try:
        return np.array([float(cell) for cell in cells])
    except ValueError as error:
        content.refuse(f"its wavelengths do not read: {error}")


def _on_region(values: Array, place: Element | None, region: _Region, content: Content) -> Array:
    """Take the wavelengths of a region from those of the whole sensor, means where columns are binned."""
    start, binning = int(_float(place, "x", 0.0)), int(_float(place, "xBinning", 1.0))
    part = values[start : start + region.width * binning]
    if place is None or binning < 1 or part.size != region.width * binning:
        content.refuse(f"it has {values.size} wavelengths for {region.width} pixels")
    return np.asarray(part.reshape(region.width, binning).mean(axis=1))


def _attributes(root: Element) -> dict[str, object]:
    attrs: dict[str, object] = {}
    exposure = _value(root, "ExposureTime")
    if exposure:
        attrs["integration_time_s"] = float(exposure) / 1000
    combined = _first(root, "FrameCombination")
    if combined is not None and (_value(combined, "FramesCombined") or "1") != "1":
        attrs["averages"] = int(_value(combined, "FramesCombined"))
        attrs["averages_note"] = f"frames combined by the camera's program: {_value(combined, 'Method')}"
    camera = next((each for each in root.iter() if _tag(each) == "Camera" and each.get("model")), None)
    if camera is not None:
        attrs["instrument"] = " ".join(filter(None, (camera.get("model"), camera.get("serialNumber"))))
    origin = _first(root, "Origin")
    if origin is not None and origin.get("created"):
        attrs["acquired"] = re.sub(r"(\.\d{6})\d+", r"\1", origin.get("created", ""))
    reading = _first(root, "Temperature")
    if reading is not None and _value(reading, "Reading"):
        attrs["detector_temperature_degC"] = float(_value(reading, "Reading"))
    return attrs


def _tag(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _first(root: Element, tag: str) -> Element | None:
    return next((each for each in root.iter() if _tag(each) == tag), None)


def _value(root: Element, tag: str) -> str:
    return next(
        (each.text.strip() for each in root.iter() if _tag(each) == tag and each.text and each.text.strip()), ""
    )


def _calibration(root: Element, region: _Region, tag: str) -> Element | None:
    return next((each for each in root.iter() if _tag(each) == tag and each.get("id") in region.calibrations), None)


def _float(element: Element | None, key: str, default: float) -> float:
    try:
        return default if element is None else float(element.get(key, default))
    except ValueError:
        return default


def _whole(element: Element, key: str, content: Content) -> int:
    text = element.get(key, "")
    if not re.fullmatch(r"\d{1,12}", text) or int(text) < 1:
        content.refuse(f"{key} of its {element.get('type')!r} block is {text!r}; wanted a number from 1")
    return int(text)


READER = Reader(
    name="princeton",
    title=_TITLE,
    recognises=recognises,
    read=read,
    reads="frames, rows and regions of interest; wavelengths, laser line, exposure, date, camera",
    reads_not="versions before 3 (WinSpec); time stamps after each frame; medium of the wavelengths (not in the file)",
    tested_on="silicon at 532 nm from LightField 4.9 (METROSPEC_REAL_FILES), made ones with frames, rows and regions",
    max_bytes=1_000_000_000,
)
