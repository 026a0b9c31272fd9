"""What a file is, from its first bytes; sizes and permissions are checked before anything is read.

Not here: which reader a file needs (`analysis.io.registry`).
"""

from pathlib import Path

from analysis.core import FormatError
from analysis.io import zarr_check

_HDF5 = b"\x89HDF\r\n\x1a\n"
_USERBLOCK = (0, 512, 1024, 2048)
_OLD_ZARR = (".zgroup", ".zattrs", ".zarray", ".zmetadata")
_PEEK = 4096
_MAGIC = (
    (b"CDF\x01", "netCDF-3"),
    (b"CDF\x02", "netCDF-3 (64-bit)"),
    (b"CDF\x05", "netCDF-3 (CDF-5)"),
    (b"PK\x03\x04", "a ZIP archive (also xlsx)"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ\x00", "an xz archive"),
    (b"%PDF", "PDF"),
    (b"\x89PNG", "PNG picture"),
    (b"\xff\xd8\xff", "JPEG picture"),
    (b"\xd0\xcf\x11\xe0", "an old Office document (xls)"),
    (b"\x80\x03", "a Python pickle (never read)"),
    (b"\x80\x04", "a Python pickle (never read)"),
    (b"\x80\x05", "a Python pickle (never read)"),
)
_TEXT_MAGIC = (
    ("<?XML", "XML (for a digital calibration certificate: io.read_certificate, io.read_calibration)"),
    ("<!DOCTYPE", "HTML"),
    ("<HTML", "HTML"),
    ("{", "JSON"),
    ("[{", "JSON"),
    ("[\n", "JSON"),
    ("[\r\n", "JSON"),
)


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
    return start_of(peek(path)).startswith(("<?xml", "<dcc:", "<digitalCalibration"))


def peek(path: Path) -> bytes:
    """Return the first bytes of a file.

    Parameters
    ----------
    path:
        A file that exists.

    Returns
    -------
    :
        4096 bytes at most.
    """
    with path.open("rb") as file:
        return file.read(_PEEK)


def is_hdf5(head: bytes) -> bool:
    """Say whether a file is HDF5.

    Parameters
    ----------
    head:
        Its first bytes.

    Returns
    -------
    :
        By its signature, at one of the places where HDF5 looks for it.
    """
    return any(head[at:].startswith(_HDF5) for at in _USERBLOCK)


def start_of(head: bytes) -> str:
    """Return the first characters of a text, without byte order mark and blanks before them.

    Parameters
    ----------
    head:
        The first bytes of a file.

    Returns
    -------
    :
        Text; of wide encodings only the characters of ASCII.
    """
    return head.decode("latin-1").lstrip("ï»¿þÿ\0 \t\r\n").replace("\0", "")


def refuse_known(path: Path, head: bytes, *, readable: str) -> None:
    """Refuse a file of a kind that is known and not read.

    Parameters
    ----------
    path:
        The file, for the message.
    head:
        Its first bytes.
    readable:
        What is read, in words.

    Raises
    ------
    FormatError
        If the content is of a kind that is not read; says which.
    """
    start = start_of(head).upper()
    found = next((what for magic, what in _MAGIC if head.startswith(magic)), "")
    found = found or next((what for mark, what in _TEXT_MAGIC if start.startswith(mark)), "")
    if found:
        msg = (
            f"{path.name!r} is {found} by its first bytes, whatever its suffix; that is not read. Read are {readable}: "
            "export the spectrum as one of these"
        )
        raise FormatError(msg)


def require_size(path: Path, limit: int) -> None:
    """Refuse a file that is too large to be read whole.

    Parameters
    ----------
    path:
        The file.
    limit:
        In bytes.

    Raises
    ------
    FormatError
        If it is larger.
    """
    size = path.stat().st_size
    if size > limit:
        msg = f"{path.name!r} has {size} bytes; this kind is read up to {limit}. Split it, or convert it to netCDF"
        raise FormatError(msg)
