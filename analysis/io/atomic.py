"""Atomic writing: a reader sees the old file or the new one, never half of one.

Not here: what the bytes mean (`analysis.io.netcdf`).
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from analysis.core import FormatError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path` and rename it onto `path` when the block ends well.

    Parameters
    ----------
    path:
        The file to make or to replace.

    Yields
    ------
    :
        An empty temporary file in the same folder; on an error it is removed and `path` stays as it was.

    Raises
    ------
    FormatError
        If the folder does not exist, or `path` is a folder.
    """
    if path.is_dir():
        msg = f"cannot write {path.name!r}: it is a folder. Give the name of a file in it"
        raise FormatError(msg)
    if not path.parent.is_dir():
        msg = f"cannot write {path.name!r}: the folder {str(path.parent)!r} does not exist. Make it first"
        raise FormatError(msg)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        _keep_mode(path, temporary)
        _sync(temporary)
        temporary.replace(path)
        _sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def write_bytes(content: bytes, path: Path) -> None:
    """Write bytes atomically.

    Parameters
    ----------
    content:
        What the file shall hold.
    path:
        The file to make or to replace.

    Raises
    ------
    FormatError
        If the folder does not exist, or `path` is a folder.
    """
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def _keep_mode(path: Path, temporary: Path) -> None:
    if path.exists():
        temporary.chmod(path.stat().st_mode & 0o777)
        return
    mask = os.umask(0)
    os.umask(mask)
    temporary.chmod(0o666 & ~mask)


def _sync(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
