"""What is refused in an HDF5 file before anything is read from it.

Links and data in other files, filters that would load a plug-in, and sizes that would fill the memory.
Not here: reading (`analysis.io.hdf5`).
"""

from math import prod
from pathlib import Path

import h5py

from analysis.core import FormatError

MAX_BYTES = 8_000_000_000
"""Most bytes that the arrays of one file may take in memory."""
MAX_OBJECTS = 20_000
"""Most groups and arrays in one file."""
_FILTERS = {1: "deflate", 2: "shuffle", 3: "fletcher32", 5: "nbit", 6: "scaleoffset", 32000: "lzf"}


def require_safe(path: Path) -> None:
    """Refuse a file that is damaged or unsafe to read.

    Parameters
    ----------
    path:
        An HDF5 file by its first bytes.

    Raises
    ------
    FormatError
        If it cannot be opened, refers to other files, needs unknown filters, or is too large.
    """
    try:
        with h5py.File(path, "r") as file:
            _walk(file, path.name)
    except FormatError:
        raise
    except (OSError, RuntimeError, KeyError) as error:
        msg = f"{path.name!r} is damaged or cut short: {error}. Copy or export it again"
        raise FormatError(msg) from error


def _walk(file: h5py.File, name: str) -> None:
    seen = {h5py.h5o.get_info(file.id).addr}
    waiting: list[h5py.Group] = [file]
    total = 0
    while waiting:
        group = waiting.pop()
        for key in group:
            link = group.get(key, getlink=True)
            if isinstance(link, h5py.ExternalLink):
                msg = f"{name!r} links to another file ({link.filename!r}); that is not followed. Save a copy"
                raise FormatError(msg)
            if isinstance(link, h5py.SoftLink):
                continue
            item = group[key]
            address = h5py.h5o.get_info(item.id).addr
            if address in seen:
                continue
            seen.add(address)
            if isinstance(item, h5py.Group):
                waiting.append(item)
            elif isinstance(item, h5py.Dataset):
                total += _require_dataset(item, name)
            _require_limits(total, len(seen), name)


def _require_limits(total: int, count: int, name: str) -> None:
    if total > MAX_BYTES:
        msg = f"{name!r} would take more than {MAX_BYTES} bytes of memory ({total} so far). Split it first"
        raise FormatError(msg)
    if count > MAX_OBJECTS:
        msg = f"{name!r} holds more than {MAX_OBJECTS} groups and arrays. Take the spectra out of it first"
        raise FormatError(msg)


def _require_dataset(item: h5py.Dataset, name: str) -> int:
    plist = item.id.get_create_plist()
    if item.is_virtual or plist.get_external_count():
        msg = f"{name!r}: the data of {item.name!r} lie in another file; that is not followed. Save a copy with them"
        raise FormatError(msg)
    for at in range(plist.get_nfilters()):
        code, _, _, label = plist.get_filter(at)
        if code not in _FILTERS:
            shown = label.decode("latin-1") or "no name"
            msg = (
                f"{name!r}: {item.name!r} is packed with filter {code} ({shown}), which is not loaded; known are "
                f"{sorted(_FILTERS.values())}. Save a copy with deflate (gzip)"
            )
            raise FormatError(msg)
    return prod(item.shape or (0,)) * item.dtype.itemsize
