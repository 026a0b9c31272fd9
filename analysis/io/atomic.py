"""Atomic writing: a reader sees the old file or folder or the new one, never half of one.

Not here: what the bytes mean (`analysis.io.netcdf`, `analysis.io.zarr_store`).
"""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from analysis.core import FormatError

_TRIES, _PAUSE = 50, 0.05  # times, s


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


@contextmanager
def replacing_folder(path: Path, *, marker: str) -> Iterator[Path]:
    """Yield a temporary folder beside `path` and put it in place of `path` when the block ends well.

    Parameters
    ----------
    path:
        The folder to make, or to replace.
    marker:
        Name of a file that a folder must hold to be replaced.

    Yields
    ------
    :
        An empty folder; on an error it is removed and `path` stays as it was.

    Raises
    ------
    FormatError
        If the folder around `path` does not exist, or `path` is something else than a folder with `marker`.
    """
    if not path.parent.is_dir():
        msg = f"cannot write {path.name!r}: the folder {str(path.parent)!r} does not exist. Make it first"
        raise FormatError(msg)
    if path.exists() and not (path / marker).is_file():
        msg = f"cannot write {path.name!r}: it exists and is no such store (no {marker!r} in it). Give another name"
        raise FormatError(msg)
    temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent))
    old = temporary.with_suffix(".old")
    try:
        yield temporary
        for file in temporary.rglob("*"):
            if file.is_file():
                _sync(file)
        temporary.chmod(0o777 & ~_mask())
        if path.exists():
            path.replace(old)
        temporary.replace(path)
        _sync_folder(path.parent)
    finally:
        if old.exists() and not path.exists():
            old.replace(path)
        shutil.rmtree(old, ignore_errors=True)
        _remove(temporary)


def _remove(folder: Path) -> None:
    """Remove a folder in which other threads of a writer that failed may write for a moment yet."""
    for _ in range(_TRIES):
        if not folder.exists():
            return
        shutil.rmtree(folder, ignore_errors=True)
        time.sleep(_PAUSE)


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
    temporary.chmod(0o666 & ~_mask())


def _mask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


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
