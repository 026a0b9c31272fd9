"""Recordings read: finished, while they grow in another program, or left by one that was killed.

Not here: writing (`instruments.record.recorder`).
"""

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import xarray as xr

from analysis.core import FormatError, InstrumentError
from analysis.io import codec
from analysis.uncertainty.sources import INFO, SOURCE
from instruments.record import skeleton
from instruments.shots import STREAM, Layout

try:
    from filelock import FileLock, Timeout
except ImportError as error:  # pragma: no cover - hidden in a contract test
    _MESSAGE = "recording needs filelock: pip install 'metrospec[instruments]'"
    raise ImportError(_MESSAGE) from error

__all__ = ["locked", "read", "recover", "recovered"]

_BLOCK = 1 << 26  # bytes copied at a time
_TIME = "timestamp"


def read(path: str | Path) -> xr.Dataset:
    """Read a recording, also one that grows or whose program was killed.

    Parameters
    ----------
    path:
        Made by `record` or a `Recorder`.

    Returns
    -------
    :
        The acknowledged shots, as `instruments.shots.to_dataset` makes it; `ended` says how it ended.

    Raises
    ------
    FormatError
        If it is no recording.
    """
    found = Path(path)
    with _opened(found) as file:
        group = file[skeleton.DATA]
        layout, note = skeleton.layout_of(file), json.loads(group.attrs["metrospec"])
        rows = _acknowledged(group, layout)
        names = [note["names"].get(name, name) for name in note["order"]]
        plain = xr.Dataset({name: _variable(group[name], rows) for name in names}, attrs=dict(group.attrs))
    dataset = codec.decode(plain, note)
    whole = np.isfinite(dataset[_TIME])
    kept = int(whole.sum())
    expected = whole.size if layout.axes else layout.count or kept
    if layout.axes:  # what a killed writer began and did not acknowledge
        empty = {channel.name: np.nan for channel in layout.channels}
        shared = {str(name): 0.0 for name in dataset.data_vars if str(name).endswith(skeleton.SOURCES)}
        dataset = dataset.assign({name: dataset[name].where(whole, other) for name, other in (empty | shared).items()})
    dataset.attrs["missing"] = expected - kept
    if SOURCE not in dataset.coords:
        return dataset
    if not dataset.sizes[SOURCE]:
        return dataset.drop_dims(SOURCE)
    texts = {name: (SOURCE, dataset[name].values.astype(object).astype(str)) for name in (SOURCE, INFO)}
    return dataset.assign_coords(texts)


def recover(path: str | Path) -> Path:
    """Make a recording whose program was killed a clean file that every program opens.

    Parameters
    ----------
    path:
        The file; replaced when the clean copy is whole. A clean one stays as it is.

    Returns
    -------
    :
        The file.

    Raises
    ------
    FormatError
        If it is no recording.
    """
    found = Path(path).resolve()
    with locked(found):
        recovered(found)
    return found


def locked(path: Path) -> FileLock:
    """Take the right to write a recording; the system takes it back when the program ends, however it ends.

    Parameters
    ----------
    path:
        The file.

    Returns
    -------
    :
        Held until it is released.

    Raises
    ------
    InstrumentError
        If another program has it, or its folder takes no files.
    """
    # the thread that ends a recording is another than the one that began it
    lock = FileLock(path.with_name(f".{path.name}.lock"), thread_local=False)
    try:
        lock.acquire(timeout=0)
    except OSError as error:
        if not (isinstance(error, Timeout) and Path(lock.lock_file).exists()):
            msg = f"{path.name!r} cannot be recorded in {path.parent.name!r}: no file can be made there. Choose another"
            raise InstrumentError(msg) from error
        msg = f"another program is recording to {path.name!r}; nothing was written. Stop it, or choose another name"
        raise InstrumentError(msg) from error
    return lock


def recovered(path: Path) -> frozenset[int]:
    """Make a recording clean and say what it has; the caller holds the lock.

    Parameters
    ----------
    path:
        The file.

    Returns
    -------
    :
        Indices of the acknowledged shots.

    Raises
    ------
    FormatError
        If it is no recording.
    """
    clean = _is_clean(path)
    with _opened(path) as file:
        group = file[skeleton.DATA]
        layout = skeleton.layout_of(file)
        rows, times = _acknowledged(group, layout), group[_TIME][()]
        kept = np.flatnonzero(np.isfinite(times)) if layout.axes else group[STREAM][: rows or 0]
        clean = clean and (bool(layout.axes) or rows == times.size)
        if not clean:
            temporary = path.with_name(f".{path.name}.recovered")
            _copy(file, temporary, rows)
    if not clean:
        temporary.replace(path)
    return frozenset(int(k) for k in kept)


def _opened(path: Path) -> h5py.File:
    if not path.is_file():
        msg = f"no recording {path.name!r}; give the path of a file that record made"
        raise FormatError(msg)
    try:
        file = h5py.File(path, "r", libver="latest", swmr=True)
    except OSError as error:
        msg = f"{path.name!r} is no recording, or damaged: {error}"
        raise FormatError(msg) from error
    if not skeleton.is_recording(file):
        file.close()
        msg = f"{path.name!r} is no recording of metrospec; read it with io.read"
        raise FormatError(msg)
    return file


def _is_clean(path: Path) -> bool:
    try:
        h5py.File(path, "r", locking=False).close()
    except OSError:
        return False
    return True


def _acknowledged(group: h5py.Group, layout: Layout) -> int | None:
    """Return how many rows of a stream are whole; None for a grid, which has its size from the start."""
    if layout.axes:
        return None
    times = group[_TIME][()]
    lost = np.flatnonzero(~np.isfinite(times))
    return int(lost[0]) if lost.size else int(times.size)


def _dims(array: h5py.Dataset) -> tuple[str, ...]:
    if array.is_scale:
        return (array.name.rsplit("/", 1)[1],)
    return tuple(dim[0].name.rsplit("/", 1)[1] for dim in array.dims)


def _variable(array: h5py.Dataset, rows: int | None) -> xr.Variable:
    dims = _dims(array)
    attrs = {
        key: value for key, value in array.attrs.items()
        if key not in {"CLASS", "NAME", "REFERENCE_LIST", "DIMENSION_LIST", "_Netcdf4Dimid"}
    }  # fmt: skip
    return xr.Variable(dims, array[tuple(slice(rows) if dim == STREAM else slice(None) for dim in dims)], attrs)


def _copy(file: h5py.File, path: Path, rows: int | None) -> None:
    """Copy what was acknowledged, block by block."""
    group = file[skeleton.DATA]
    attrs: dict[str, Any] = {"ended": "recovered after the program was killed"}
    layout = skeleton.layout_of(file)
    skeleton.make(layout, path, attrs)
    with h5py.File(path, "r+", libver="latest") as fresh:
        target = fresh[skeleton.DATA]
        for name, old in group.items():
            new, dims = target[name], _dims(old)
            if not set(dims) & {STREAM, SOURCE} and not (layout.axes and set(dims) & set(layout.dims)):
                continue
            shape = tuple(
                rows if dim == STREAM and rows is not None else n for dim, n in zip(dims, old.shape, strict=True)
            )
            if new.shape != shape:
                new.resize(shape)
            step = max(1, _BLOCK // max(1, old.dtype.itemsize * int(np.prod(shape[1:]))))
            for k in range(0, shape[0], step):
                new[k : min(k + step, shape[0])] = old[k : min(k + step, shape[0])]
