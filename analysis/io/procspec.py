"""Ocean Optics ProcSpec (SpectraSuite, OceanView): a ZIP archive with one spectrum in XML.

The archive is unpacked in memory within limits, whatever sizes it declares. The processed spectrum is the signal; raw,
dark and reference spectra stand beside it. Not here: Ocean Optics text (`analysis.io.ascii`).
"""

import hashlib
import io
import re
import zipfile
import zlib
from datetime import UTC, datetime
from xml.etree.ElementTree import Element  # only the type of what defusedxml makes

import numpy as np
import xarray as xr

from analysis.core import CHANNEL, FormatError
from analysis.io import fields, xml_check
from analysis.io.fields import Array, Content
from analysis.io.reader import Reader

_TITLE = "Ocean Optics ProcSpec"
_MOST_MEMBERS = 32
_MOST_BYTES = 32_000_000
_SPECTRUM = re.compile(r"(?:.*/)?ps_\d+\.xml")
_KINDS = (
    ("transmission", "percent", "transmittance"),
    ("reflection", "percent", "reflectance"),
    ("absorbance", "1", "absorbance"),
)
_ENCRYPTED = 1


def recognises(head: bytes) -> bool:
    """Say whether a file begins like a ProcSpec archive.

    Parameters
    ----------
    head:
        Its first bytes.

    Returns
    -------
    :
        By the name of the first member.
    """
    first = head[30 : 30 + int.from_bytes(head[26:28], "little")]
    return head.startswith(b"PK\x03\x04") and (
        first.startswith(b"OOI") or re.match(rb"(?:.*/)?ps_\d+\.xml", first) is not None
    )


def read(data: bytes, name: str) -> xr.Dataset:
    """Read the spectrum of an archive.

    Parameters
    ----------
    data:
        The file.
    name:
        Its name, for messages.

    Returns
    -------
    :
        `signal` (processed, or raw where nothing was processed) along `wavelength` (nm), with `raw`, `dark` and
        `reference` in counts where the file has them.

    Raises
    ------
    FormatError
        If the archive is damaged, too large when unpacked, or holds no spectrum.
    """
    content = Content(data=data, name=name, title=_TITLE)
    member, packed, signatures = _unpack(content)
    text = "".join(chr(byte) for byte in packed if 32 <= byte < 127 or byte in b"\n\r\t")  # noqa: PLR2004 - plain ASCII
    text = re.sub(r"^\s*<\?xml[^>]*\?>", "", text)
    root = xml_check.parse(text.encode(), name)
    parents = {child: parent for parent in root.iter() for child in parent}
    wanted = {
        "wavelength": ("channelWavelengths", ""),
        "processed": ("processedPixels", ""),
        "raw": ("pixelValues", "sourceSpectra"),
        "dark": ("pixelValues", "darkSpectrum"),
        "reference": ("pixelValues", "referenceSpectrum"),
    }
    held = {key: _values(root, tag, inside, parents) for key, (tag, inside) in wanted.items()}
    axis = held.pop("wavelength")
    if axis is None or (held["processed"] is None and held["raw"] is None):
        content.refuse("its XML has no wavelengths (channelWavelengths) or no pixels (processedPixels)")
    odd = {key: each.size for key, each in held.items() if each is not None and each.size != axis.size}
    if odd:
        content.refuse(f"it has {axis.size} wavelengths and {odd}")
    dataset = _dataset(axis, held, text)
    about = {"member": member, "xml": text} | ({} if signatures is None else {"signature": signatures})
    return dataset.assign_attrs(_attributes(root) | {"header": fields.header(about)})


def _dataset(axis: Array, held: dict[str, Array | None], text: str) -> xr.Dataset:
    processed, lower = held.pop("processed"), text.lower()
    is_scope = processed is None
    kind = next(((units, what) for mark, units, what in _KINDS if f"{mark}coreprocessor" in lower), None)
    kind = kind or next(((units, what) for mark, units, what in _KINDS if f"{mark}intensitydescriptor" in lower), None)
    about = {"units": kind[0], "long_name": kind[1]} if kind else {"long_name": "processed signal"}
    signal = held["raw"] if is_scope else processed
    data = {"signal": (CHANNEL, signal, {"units": "counts", "long_name": "raw signal"} if is_scope else about)}
    data |= {
        key: (CHANNEL, each, {"units": "counts", "long_name": f"{key} spectrum"})
        for key, each in held.items()
        if each is not None
    }
    coords = {"pixel": fields.pixels(axis.size), "wavelength": fields.wavelength(axis)}
    return xr.Dataset(data, coords)


def _unpack(content: Content) -> tuple[str, bytes, str | None]:
    try:
        with zipfile.ZipFile(io.BytesIO(content.data)) as archive:
            members = archive.infolist()
            if len(members) > _MOST_MEMBERS:
                content.refuse(f"it holds {len(members)} members; a ProcSpec has 3, wanted {_MOST_MEMBERS} at most")
            found = [member for member in members if _SPECTRUM.fullmatch(member.filename)]
            if len(found) != 1:
                names = [member.filename for member in members]
                content.refuse(f"wanted one member ps_<number>.xml; it holds {names}")
            packed = _member(archive, found[0], content)
            signature = next((each for each in members if each.filename.endswith("OOISignatures.xml")), None)
            said = None if signature is None else _member(archive, signature, content).decode("utf-8", "replace")
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError) as error:
        content.refuse(f"the archive does not unpack: {error}")
    return found[0].filename, packed, None if said is None else _signature(said, packed)


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, content: Content) -> bytes:
    if member.flag_bits & _ENCRYPTED:
        msg = f"{content.name!r} is {_TITLE} with a password; wanted a plain one. Export it without"
        raise FormatError(msg)
    if member.file_size <= _MOST_BYTES:
        with archive.open(member) as file:
            unpacked = file.read(_MOST_BYTES + 1)
        if len(unpacked) <= _MOST_BYTES:
            return unpacked
    msg = (
        f"{content.name!r}: its member {member.filename!r} has {member.compress_size} bytes and unpacks to more than "
        f"{_MOST_BYTES} ({member.file_size} declared); a spectrum has a few million. It is damaged or an attack"
    )
    raise FormatError(msg)


def _signature(said: str, packed: bytes) -> str:
    """Compare the maker's hash with the content; a difference is said, not refused."""
    algorithm = re.search(r"<hashAlgorithm>\s*([^<]*?)\s*<", said)
    value = re.search(r"<hashValue>([^<]*)<", said)
    if algorithm is None or value is None or algorithm.group(1) != "SHA-512":
        return "not checked"
    same = re.sub(r"\s", "", value.group(1)).lower() == hashlib.sha512(packed).hexdigest()
    return "as signed" if same else "differs: the file was changed after it was saved"


def _values(root: Element, tag: str, inside: str, parents: dict[Element, Element]) -> Array | None:
    """Find the numbers of an element, by the reference of XStream where they stand elsewhere."""
    for outer in root.iter(inside) if inside else (root,):
        for element in _resolved(outer, parents).iter(tag):
            cells = [each.text or "" for each in _resolved(element, parents).iter("double")]
            if cells:
                return np.array([float(cell) for cell in cells])
    return None


def _resolved(element: Element, parents: dict[Element, Element]) -> Element:
    at: Element | None = element
    for step in element.get("reference", "").split("/"):
        if at is None or not step:
            break
        name, _, index = step.partition("[")
        same = [] if step == ".." else at.findall(name) if re.fullmatch(r"[\w.-]+", name) else []
        place = int(index.rstrip("]") or 1) - 1 if re.fullmatch(r"(\d{1,6}\])?", index) else 0
        at = parents.get(at) if step == ".." else same[place] if 0 <= place < len(same) else None
    return element if at is None else at


def _attributes(root: Element) -> dict[str, object]:
    source = next(root.iter("sourceSpectra"), root)
    attrs: dict[str, object] = {}
    for key, tag, scale in (("integration_time_s", "integrationTime", 1e-6), ("averages", "scansToAverage", 1.0)):
        text = _text(source, tag)
        if re.fullmatch(r"\d+(\.\d+)?(E\d+)?", text):
            attrs[key] = float(text) * scale if scale != 1.0 else int(float(text))
    model = _text(root, "spectrometerClass").rpartition(".")[2]
    serial = _text(root, "spectrometerSerialNumber") or _text(root, "serialNumber")
    if model or serial:
        attrs["instrument"] = " ".join(filter(None, (model, serial)))
    milliseconds = _text(source, "milliTime") or _text(root, "milliTime")
    if re.fullmatch(r"\d{1,14}", milliseconds):
        attrs["acquired"] = datetime.fromtimestamp(int(milliseconds) / 1000, tz=UTC).isoformat()
    return attrs


def _text(root: Element, tag: str) -> str:
    return next((each.text.strip() for each in root.iter(tag) if each.text and each.text.strip()), "")


READER = Reader(
    name="procspec",
    title=_TITLE,
    recognises=recognises,
    read=read,
    reads="processed, raw, dark and reference spectrum; wavelengths; exposure, scans, date, instrument, signature",
    reads_not="settings of the processing (kept in the header); medium of the wavelengths (not in the file)",
    tested_on="made ones: damaged, encrypted, and bombs",
)
