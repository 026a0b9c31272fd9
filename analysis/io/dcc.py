"""Digital calibration certificates (DCC, XML) read: results with their uncertainties, and our own calibrations whole.

Nothing in the file is executed or fetched. Not here: the numbers (`analysis.io.dcc_numbers`), writing
(`analysis.report.dcc`).
"""

import base64
import binascii
import hashlib
import json
import math
import xml.etree.ElementTree as ET  # only the type of what was parsed
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import xarray as xr

from analysis.core import FormatError, UnitsError, did_you_mean
from analysis.io import dataset_json, sniff, xml_check
from analysis.io.dcc_numbers import SI, Numbers, numbers_of
from analysis.uncertainty import Quantity, Source

DCC = "{https://ptb.de/dcc}"
CALIBRATION, RESULTS = "calibration.json", "results.json"
MATRIX = "Covariance matrix of the results"  # says once more what our results say
_RELEASES = ("2.", "3.")
_SAME = 1e-9
_READ = {f"{SI}real", f"{SI}constant", f"{SI}realListXMLList"}


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """What a digital calibration certificate says."""

    identifier: str
    """Its number."""
    laboratory: str
    """Who issued it."""
    item: str
    """What was calibrated."""
    begin: str
    """First day of the measurements (ISO 8601)."""
    end: str
    """Last day of the measurements (ISO 8601)."""
    results: Mapping[str, tuple[Quantity, ...]]
    """The results that have an uncertainty, by name; a single one is a row of one."""
    without_u: Mapping[str, xr.DataArray]
    """Numbers without a stated uncertainty, such as nominal values."""
    unread: tuple[str, ...]
    """What was left out, one sentence each."""
    sha256: str
    """Of the file."""

    def __getitem__(self, name: str) -> Quantity:
        """Return the one result of a name."""
        if name not in self.results:
            msg = f"no result named {name!r}; there are {list(self.results)}.{did_you_mean(name, self.results)}"
            raise FormatError(msg)
        found = self.results[name]
        if len(found) > 1:
            msg = f"{name!r} has {len(found)} values; take certificate.results[{name!r}]"
            raise FormatError(msg)
        return found[0]

    def __str__(self) -> str:
        """List the results."""
        head = f"Certificate {self.identifier} of {self.laboratory}, {self.begin} to {self.end}: {self.item}"
        rows = [f"  {name}: {', '.join(str(each) for each in found)}" for name, found in self.results.items()]
        rows += [f"  {name}: {found.values.tolist()}, no uncertainty stated" for name, found in self.without_u.items()]
        return "\n".join([head, *rows, *(f"  not read: {each}" for each in self.unread)])


def read_certificate(path: str | Path) -> Certificate:
    """Read the results of a digital calibration certificate.

    Parameters
    ----------
    path:
        An XML file, DCC 2 or 3.

    Returns
    -------
    :
        Results with u, degrees of freedom and covariances; the sources of our own certificates keep their identity,
        those of others are named by certificate and result. Signatures are not checked.

    Raises
    ------
    FormatError
        If it is no DCC, unsafe, damaged, or contradicts itself.
    """
    source = sniff.require_file(path)
    content = xml_check.read_bytes(source)
    root = _root(content, source.name)
    digest = hashlib.sha256(content).hexdigest()
    number = _text(root, "administrativeData/coreData/uniqueIdentifier")
    origin = f"certificate {number} (SHA-256 {digest[:12]})"
    results: dict[str, tuple[Quantity, ...]] = {}
    without: dict[str, xr.DataArray] = {}
    unread: list[str] = []
    for name, element in _quantities(root):
        key = _free(name, {**results, **without})
        found = _numbers(element, key, unread)
        if found is None:
            continue
        names = [f"{key} {label or k + 1}" if found.values.size > 1 else key for k, label in enumerate(found.labels)]
        if found.u is None:
            without[key] = xr.DataArray(found.values, dims="value", attrs={"units": found.units[0]})
        else:
            results[key] = found.quantities(names, origin)
    return Certificate(
        identifier=number,
        laboratory=_text(root, "administrativeData/calibrationLaboratory/contact/name/content"),
        item=_text(root, "administrativeData/items/item/name/content"),
        begin=_text(root, "administrativeData/coreData/beginPerformanceDate"),
        end=_text(root, "administrativeData/coreData/endPerformanceDate"),
        results=_own(root, results),
        without_u=without,
        unread=tuple(unread),
        sha256=digest,
    )


def calibration_in(path: Path) -> xr.Dataset:
    """Return the calibration that a certificate of ours carries.

    Parameters
    ----------
    path:
        An XML file.

    Returns
    -------
    :
        The Dataset of the calibration; its attribute `kind` says which.

    Raises
    ------
    FormatError
        If there is none, or its parameters are not those that the certificate states.
    """
    root = _root(xml_check.read_bytes(path), path.name)
    held = _file(root, CALIBRATION)
    if held is None:
        names = [name for name, _ in _quantities(root)]
        msg = (
            f"{path.name!r} is a certificate without a calibration that could be used as it is; it states {names}. "
            "Take them: found = io.read_certificate(path), calibration.fit_line(found.results[...], ...)"
        )
        raise FormatError(msg)
    return dataset_json.from_json(held)


def _root(content: bytes, name: str) -> ET.Element:
    root = xml_check.parse(content, name)
    if root.tag != f"{DCC}digitalCalibrationCertificate":
        msg = (
            f"{name!r} is XML with the root {root.tag!r}; wanted a digital calibration certificate (https://ptb.de/dcc)"
        )
        raise FormatError(msg)
    release = root.get("schemaVersion", "")
    if not release.startswith(_RELEASES):
        msg = f"{name!r} is a DCC of version {release!r}; versions 2 and 3 are read"
        raise FormatError(msg)
    if root.find(_path("measurementResults")) is None:
        msg = f"{name!r} is a DCC without measurement results"
        raise FormatError(msg)
    return root


def _path(path: str) -> str:
    return "/".join(f"{DCC}{each}" for each in path.split("/"))


def _text(root: ET.Element, path: str) -> str:
    """Return a text, of several languages the English one."""
    found = root.findall(_path(path))
    chosen = next((each for each in found if each.get("lang", "en") == "en"), found[0] if found else None)
    return " ".join(((chosen.text if chosen is not None else "") or "not stated").split())


def _quantities(root: ET.Element) -> Iterator[tuple[str, ET.Element]]:
    """Yield name and number element of each quantity of the results, in their order."""
    for result in root.iterfind(f".//{DCC}measurementResult/{DCC}results/{DCC}result"):
        own = _text(result, "name/content")
        for quantity in _listed(result.find(f"{DCC}data")):
            name = _text(quantity, "name/content") if quantity.find(_path("name/content")) is not None else own
            for element in quantity:
                if element.tag == f"{SI}hybrid":
                    yield name, element[0]
                elif element.tag.startswith(SI):
                    yield name, element


def _listed(parent: ET.Element | None) -> Iterator[ET.Element]:
    """Yield the quantities of data and its lists; what describes them (limits, conformity) is no result."""
    for child in () if parent is None else parent:
        if child.tag == f"{DCC}quantity":
            yield child
        elif child.tag == f"{DCC}list":
            yield from _listed(child)


def _numbers(element: ET.Element, name: str, unread: list[str]) -> Numbers | None:
    if element.tag not in _READ:
        unread.append(f"{name}: a {element.tag.removeprefix(SI)} is not read")
        return None
    try:
        return numbers_of(element)
    except UnitsError as error:
        unread.append(f"{name}: {error}")
    except FormatError as error:
        msg = f"result {name!r}: {error}"
        raise FormatError(msg) from error
    return None


def _free(name: str, taken: Mapping[str, object]) -> str:
    number = 2
    key = name
    while key in taken:
        key, number = f"{name} ({number})", number + 1
    return key


def _file(root: ET.Element, name: str) -> str | None:
    """Return the text of an attached file."""
    for file in root.iterfind(f".//{DCC}metaData/{DCC}description/{DCC}file"):
        if file.findtext(f"{DCC}fileName") == name:
            try:
                return base64.b64decode(file.findtext(f"{DCC}dataBase64") or "", validate=True).decode()
            except (binascii.Error, UnicodeDecodeError) as error:
                msg = f"the attached {name} does not decode ({error}); the certificate was altered"
                raise FormatError(msg) from error
    return None


def _own(root: ET.Element, results: Mapping[str, tuple[Quantity, ...]]) -> dict[str, tuple[Quantity, ...]]:
    """Give results of our own certificate the sources that it carries, after checking that the numbers agree."""
    text = _file(root, RESULTS)
    if text is None:
        return dict(results)
    try:
        carried = {name: _carried(name, held) for name, held in json.loads(text).items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        msg = f"the attached {RESULTS} does not read ({type(error).__name__}: {error}); the certificate was altered"
        raise FormatError(msg) from error
    found = {name: stated for name, stated in results.items() if name != MATRIX}
    for name, quantity in carried.items():
        stated = results.get(name, (quantity,))[0]
        same = math.isclose(stated.value, quantity.value, rel_tol=_SAME) and stated.units == quantity.units
        if not same or not math.isclose(stated.u, quantity.u, rel_tol=1e-6):
            msg = f"{name!r} is stated as {stated}, but its sources make {quantity}; the certificate was altered"
            raise FormatError(msg)
        found[name] = (quantity,)
    return found


def _carried(name: str, held: Mapping[str, object]) -> Quantity:
    parts = {Source.from_json(str(text)): float(c) for text, c in held["components"]}  # type: ignore[attr-defined]
    return Quantity.from_components(
        float(str(held["value"])), parts, units=str(held["units"]), label=name, history=str(held["history"])
    )
