"""Bruker OPUS: the blocks of an FTIR measurement, read with the package brukeropus (extra `opus`).

Not here: OPUS exports as text or JCAMP-DX (`analysis.io.ascii`).
"""

from typing import Any

import numpy as np
import xarray as xr

from analysis.core import CHANNEL
from analysis.io import collection, extras, fields
from analysis.io.collection import Collection
from analysis.io.fields import Content
from analysis.io.reader import Reader

_TITLE = "Bruker OPUS"
_NAMES = {
    "a": "AB", "t": "TR", "km": "KM", "sm": "SSC", "rf": "RSC", "igsm": "SIFG", "igrf": "RIFG",
    "phsm": "SPH", "phrf": "RPH",
}  # fmt: skip
_AXES = {
    "WN": ("wavenumber", "cm-1", "wavenumber"),
    "MI": ("wavelength", "um", "wavelength"),
    "MIN": ("time", "min", "time"),
    "PNT": ("point", "1", "point of the interferogram"),
}


def read(data: bytes, name: str) -> xr.Dataset | Collection:
    """Read all spectra and interferograms of a measurement.

    Parameters
    ----------
    data:
        The file.
    name:
        Its name, for messages.

    Returns
    -------
    :
        A collection by the names OPUS gives its blocks: `AB` absorbance, `SSC` and `RSC` single channels of sample and
        reference, `SIFG` and `RIFG` interferograms, `SPH` phase; the evaluated spectrum first.

    Raises
    ------
    FormatError
        If the file is damaged or holds no spectrum.
    """
    content = Content(data=data, name=name, title=_TITLE)
    package = extras.require("brukeropus", extra="opus", title=_TITLE)
    with extras.as_file(data, name) as path:
        file = package.read_opus(str(path))
    keys = list(file.all_data_keys) if file.is_opus else []
    if not keys:
        content.refuse("it holds no block of spectra")
    left = len(file.parse_error_blocks) + len(file.unmatched_data_blocks)
    raw = {"sample": _parameters(file.params), "reference": _parameters(file.rf_params)}
    shared = _attributes(file) | ({"not_read": f"{left} damaged or unknown blocks"} if left else {})
    keys.sort(key=lambda key: key[:2] in ("ig", "ph") or key in ("sm", "rf"))
    found = []
    for key in keys:
        block = getattr(file, key)
        header = fields.header(raw | {"block": _parameters(block.params), "label": block.label})
        found.append((_NAMES.get(key, key), _spectrum(block, content).assign_attrs(shared | {"header": header})))
    return collection.gather([(title, each.assign_attrs(title=title)) for title, each in found])


def _spectrum(block: Any, content: Content) -> xr.Dataset:  # noqa: ANN401 - a class of others without types
    signal, along = np.atleast_1d(np.asarray(block.y, float)), np.asarray(block.x, float)
    if signal.shape[-1] != along.size or not along.size:
        content.refuse(f"its block {block.label!r} has {signal.shape} values on {along.size} points")
    dims = ("spectrum", CHANNEL) if signal.ndim > 1 else (CHANNEL,)
    code = str(getattr(block.params, "dxu", "") or "")
    axis, units, what = _AXES.get(code, ("x", "", f"axis ({code} of the maker)"))
    about = {"long_name": what} | ({"units": units} if units else {})
    about |= {"medium": "unknown"} if axis == "wavelength" else {}
    dataset = xr.Dataset(
        {"signal": (dims, signal, {"units": "1", "long_name": str(block.label)})},
        {axis: (CHANNEL, along, about), "pixel": fields.pixels(along.size, 0, "point")},
    )
    return dataset.assign_attrs(_date(block))


def _date(block: Any) -> dict[str, object]:  # noqa: ANN401 - a class of others without types
    when = getattr(block.params, "datetime", None)
    given = str(getattr(block.params, "tim", "") or "")
    attrs: dict[str, object] = {} if when is None else {"acquired": when.isoformat()}
    return attrs | ({"acquired_note": f"local time of the instrument: {given}"} if attrs and given else {})


def _attributes(file: Any) -> dict[str, object]:  # noqa: ANN401 - a class of others without types
    held = _parameters(file.params)
    attrs: dict[str, object] = {}
    said = " ".join(str(held[key]) for key in ("ins", "srn") if held.get(key))
    attrs |= {"instrument": said} if said else {}
    for key, code in (("sample", "snm"), ("operator", "cnm"), ("apodization", "apf")):
        attrs |= {key: str(held[code])} if held.get(code) else {}
    for key, code in (("averages", "nss"), ("resolution_cm-1", "res"), ("duration_s", "dur")):
        attrs |= {key: held[code]} if isinstance(held.get(code), int | float) else {}
    return attrs


def _parameters(params: Any) -> dict[str, Any]:  # noqa: ANN401 - a class of others without types
    return {key: getattr(params, key) for key in params.keys()}  # noqa: SIM118 - not a mapping


READER = Reader(
    name="opus",
    title=_TITLE,
    recognises=lambda head: head.startswith(b"\x0a\x0a\xfe\xfe"),
    read=read,
    reads="all spectra, single channels, interferograms and phases; axes, date, instrument, scans, resolution",
    reads_not="reports, images",
    tested_on="an absorbance measurement with six blocks (METROSPEC_REAL_FILES)",
    extra="opus",
)
