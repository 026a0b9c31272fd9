"""Recordings cut off: which places of a file that ends too early still hold what was written.

HDF5 reads zeros behind the end of a file, so a lost row would look measured.
Not here: copying (`instruments.record.reading`).
References: HDF5 file format specification 3.0, II.A, superblock version 3.
"""

import json
import shutil
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import h5py
import numpy as np
import numpy.typing as npt

from analysis.core import FormatError
from instruments.record import skeleton
from instruments.shots import STREAM, Layout

__all__ = ["lost", "readable"]

_SUPERBLOCK = struct.Struct("<8sBBBBQQQ")  # signature, version, two sizes, flags, base, extension, end
_MOST = 1 << 48  # bytes; more is damage, not a length
_SIGNATURE, _VERSION, _CLOSED = b"\x89HDF\r\n\x1a\n", 3, 0


@contextmanager
def readable(path: Path) -> Iterator[tuple[Path, int | None]]:
    """Give a file that HDF5 opens: itself, or if it was cut off a copy that has its length and nothing in what is lost.

    Parameters
    ----------
    path:
        Any file.

    Yields
    ------
    :
        What to open, and the bytes that are there if the file was cut off.
    """
    size, end = path.stat().st_size, _end(path)
    if end <= size:
        yield path, None
        return
    with TemporaryDirectory() as folder:
        copy = Path(folder) / path.name
        shutil.copyfile(path, copy)
        with copy.open("rb+") as stream:
            stream.truncate(end)
        yield copy, size


def lost(group: h5py.Group, layout: Layout, size: int) -> npt.NDArray[np.bool_]:
    """Find the shots of which any part lies behind the end of the file.

    Parameters
    ----------
    group:
        The recording.
    layout:
        What its shots hold.
    size:
        Of the file that is there, bytes.

    Returns
    -------
    :
        Shape of the grid, or (rows,).

    Raises
    ------
    FormatError
        If what all shots share is lost, such as the places of the grid.
    """
    found = np.zeros(layout.shape or group["timestamp"].shape, dtype=bool)
    stored = json.loads(group.attrs["metrospec"])["names"]
    own = {stored.get(channel.name, channel.name) for channel in layout.channels} | {"timestamp", STREAM, "time"}
    for name, array in group.items():
        behind: list[tuple[int, ...]] = []
        if array.chunks is None:
            offset = array.id.get_offset()
            behind = [()] if offset is not None and offset + array.nbytes > size else []
        else:
            array.id.chunk_iter(_behind(behind, size))
        if not behind:
            continue
        if name.endswith(skeleton.SOURCES):
            behind = [offset[1:] for offset in behind]
        elif name not in own or array.chunks is None:
            msg = f"{name!r}, which all shots need, lies in the part of the file that is lost; nothing can be recovered"
            raise FormatError(msg)
        chunk = array.chunks[1:] if name.endswith(skeleton.SOURCES) else array.chunks
        for place in behind:
            block = zip(place[: found.ndim], chunk[: found.ndim], strict=True)
            found[tuple(slice(first, first + length) for first, length in block)] = True
    return found


def _behind(found: list[tuple[int, ...]], size: int) -> Callable[[h5py.h5d.StoreInfo], None]:
    def look(chunk: h5py.h5d.StoreInfo) -> None:
        if chunk.byte_offset is not None and chunk.byte_offset + chunk.size > size:
            found.append(tuple(chunk.chunk_offset))

    return look


def _end(path: Path) -> int:
    """Return where a file ends that was closed; 0 for one that is being written, whose end is not known yet."""
    with path.open("rb") as stream:
        head = stream.read(_SUPERBLOCK.size)
    if len(head) < _SUPERBLOCK.size:
        return 0
    signature, version, _, _, flags, _, _, end = _SUPERBLOCK.unpack(head)
    return int(end) if (signature, version, flags) == (_SIGNATURE, _VERSION, _CLOSED) and end < _MOST else 0
