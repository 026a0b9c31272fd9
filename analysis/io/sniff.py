"""What a file is, from its first bytes; sizes and permissions are checked before anything is read.

Not here: reading (`analysis.io.reading`).
"""

from pathlib import Path

from analysis.core import FormatError
from analysis.io import zarr_check

MAX_TEXT_BYTES = 64_000_000
"""Largest text file that is read, in bytes."""
_HDF5 = b"\x89HDF\r\n\x1a\n"
_USERBLOCK = (0, 512, 1024, 2048)
_OLD_ZARR = (".zgroup", ".zattrs", ".zarray", ".zmetadata")
_PEEK = 4096
_MAGIC = (
    (b"CDF\x01", "netCDF-3"),
    (b"CDF\x02", "netCDF-3 (64-bit)"),
    (b"CDF\x05", "netCDF-3 (CDF-5)"),
    (b"WDF1", "Renishaw WDF"),
    (b"PK\x03\x04", "a ZIP archive (also xlsx, ProcSpec)"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ\x00", "an xz archive"),
    (b"Andor Technology Multi-Channel File", "Andor SIF"),
    (b"Spectral Data File", "Thermo SPA"),
    (b"TDSm", "NI TDMS"),
    (b"\x0a\x0a\xfe\xfe", "Bruker OPUS"),
    (b"\x0f\x0fWFM#", "Tektronix WFM"),
    (b"\xf0\xf0WFM#", "Tektronix WFM"),
    (b"%PDF", "PDF"),
    (b"\x89PNG", "PNG picture"),
    (b"\xff\xd8\xff", "JPEG picture"),
    (b"\xd0\xcf\x11\xe0", "an old Office document (xls)"),
    (b"\x80\x03", "a Python pickle (never read)"),
    (b"\x80\x04", "a Python pickle (never read)"),
    (b"\x80\x05", "a Python pickle (never read)"),
)
_TEXT_MAGIC = (
    ("##TITLE", "JCAMP-DX"),
    ("$SPEC_ID", "MAESTRO Spe"),
    ("<?XML", "XML (for a digital calibration certificate: io.read_certificate, io.read_calibration)"),
    ("<!DOCTYPE", "HTML"),
    ("<HTML", "HTML"),
    ("{", "JSON"),
    ("[{", "JSON"),
    ("[\n", "JSON"),
    ("[\r\n", "JSON"),
)
_SUPPORTED = "netCDF-4/HDF5/NeXus, Zarr, B&W Tek text, and tables of text (tab, semicolon, comma or blanks)"


def require_source(path: str | Path) -> Path:
    """Return the path of a file as `require_file` does, or of a folder that is a Zarr store.

    Parameters
    ----------
    path:
        What the user gave.

    Returns
    -------
    :
        The path.

    Raises
    ------
    FormatError
        If there is no such file or store.
    """
    source = Path(path)
    if source.is_dir() and any((source / name).exists() for name in _OLD_ZARR):
        msg = f"{source.name!r} is Zarr format 2, wanted 3. Write it again: dataset.to_zarr(path, zarr_format=3)"
        raise FormatError(msg)
    return source if source.is_dir() and zarr_check.is_store(source) else require_file(path)


def require_file(path: str | Path) -> Path:
    """Return the path of a file that exists, can be opened and is not empty.

    Parameters
    ----------
    path:
        What the user gave.

    Returns
    -------
    :
        The path.

    Raises
    ------
    FormatError
        If there is no such file, or it cannot be read, or is empty.
    """
    source = Path(path)
    if source.is_dir():
        msg = f"{source.name!r} is a folder; wanted a file. Give the path of one file in it"
        raise FormatError(msg)
    if not source.exists():
        msg = f"there is no file {str(source)!r}. Check the name and the folder you run in ({Path.cwd().name!r})"
        raise FormatError(msg)
    try:
        with source.open("rb") as file:
            first = file.read(1)
    except OSError as error:
        msg = f"cannot read {source.name!r}: {error.strerror}. Check its permissions and whether a program holds it"
        raise FormatError(msg) from error
    if not first:
        msg = f"{source.name!r} is empty: 0 bytes; wanted a spectrum. Export or copy it again"
        raise FormatError(msg)
    return source


def is_xml(path: Path) -> bool:
    """Say whether a file is XML.

    Parameters
    ----------
    path:
        A file that exists.

    Returns
    -------
    :
        By its first bytes.
    """
    with path.open("rb") as file:
        head = file.read(_PEEK)
    return head.decode("latin-1").lstrip("ï»¿ \t\r\n").startswith(("<?xml", "<dcc:", "<digitalCalibration"))


def identify(path: Path) -> str:
    """Say which reader a file needs.

    Parameters
    ----------
    path:
        A file or Zarr store that exists.

    Returns
    -------
    :
        `netcdf`, `zarr`, `bwtek` or `ascii`.

    Raises
    ------
    FormatError
        If the content is of a kind that is not read, or too large.
    """
    if path.is_dir():
        return "zarr"
    with path.open("rb") as file:
        head = file.read(_PEEK)
    if any(head[at:].startswith(_HDF5) for at in _USERBLOCK):
        return "netcdf"
    for magic, what in _MAGIC:
        if head.startswith(magic):
            raise FormatError(_refusal(path, what))
    start = head.decode("latin-1").lstrip("ï»¿ \t\r\n")
    for mark, what in _TEXT_MAGIC:
        if start.upper().startswith(mark):
            raise FormatError(_refusal(path, what))
    size = path.stat().st_size
    if size > MAX_TEXT_BYTES:
        msg = f"{path.name!r} has {size} bytes; text is read up to {MAX_TEXT_BYTES}. Split it, or convert it to netCDF"
        raise FormatError(msg)
    return "bwtek" if start.replace("\0", "").startswith("File Version;BW") else "ascii"


def _refusal(path: Path, what: str) -> str:
    return (
        f"{path.name!r} is {what} by its first bytes, whatever its suffix; that is not read. Read are {_SUPPORTED}: "
        "export the spectrum as one of these"
    )
