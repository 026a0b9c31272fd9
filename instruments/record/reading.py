"""Recordings read: finished, while they grow in another program, or left by one that was killed.

Not here: writing (`instruments.record.recorder`).
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt
import xarray as xr

from analysis.core import FormatError, InstrumentError
from analysis.io import codec
from analysis.uncertainty.sources import INFO, SOURCE
from instruments.record import damage, skeleton
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
        If it is no recording, or damaged.
    """
    found = Path(path)
    with _opened(found) as (file, size), _readable(found):
        group = file[skeleton.DATA]
        layout, note = skeleton.layout_of(file), json.loads(group.attrs["metrospec"])
        there = _whole(group, layout, size)
        rows = _rows(there, layout)
        names = [note["names"].get(name, name) for name in note["order"]]
        plain = xr.Dataset({name: _variable(group[name], rows) for name in names}, attrs=dict(group.attrs))
    dataset = codec.decode(plain, note)
    whole = xr.DataArray(there[:rows] if rows is not None else there, dims=layout.dims)
    kept = int(whole.sum())
    expected = whole.size if layout.axes else layout.count or kept
    if layout.axes:  # what a killed writer began and did not acknowledge
        empty = {channel.name: np.nan for channel in layout.channels} | {_TIME: np.nan}
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
    with _opened(path) as (file, size), _readable(path):
        group = file[skeleton.DATA]
        layout = skeleton.layout_of(file)
        whole = _whole(group, layout, size)
        rows = _rows(whole, layout)
        kept = np.flatnonzero(whole) if rows is None else group[STREAM][:rows]
        clean = clean and (rows is None or rows == whole.size)
        if not clean:
            temporary = path.with_name(f".{path.name}.recovered")
            _copy(file, temporary, rows, whole, cut_off=size is not None)
    if not clean:
        temporary.replace(path)
    return frozenset(int(k) for k in kept)


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Say in one way what HDF5 and JSON say of damage in many."""
    try:
        yield
    except FormatError:
        raise
    except (OSError, RuntimeError, KeyError, TypeError, ValueError) as error:
        msg = f"{path.name!r} is damaged: {error}. Try record.recover, which keeps what is whole"
        raise FormatError(msg) from error


@contextmanager
def _opened(path: Path) -> Iterator[tuple[h5py.File, int | None]]:
    """Open a recording; the number is the bytes that are there, if it was cut off."""
    if not path.is_file():
        msg = f"no recording {path.name!r}; give the path of a file that record made"
        raise FormatError(msg)
    with damage.readable(path) as (source, size):
        try:
            # for a file that is, or was when its program was killed, being written; SWMR tries damaged parts for ever
            watched = {} if _is_clean(source) else {"swmr": True}
            file = h5py.File(source, "r", libver="latest", **watched)
        except OSError as error:
            msg = f"{path.name!r} is no recording, or damaged: {error}"
            raise FormatError(msg) from error
        with file:
            with _readable(path):
                known = skeleton.is_recording(file)
            if not known:
                msg = f"{path.name!r} is no recording of metrospec; read it with io.read"
                raise FormatError(msg)
            yield file, size


def _is_clean(path: Path) -> bool:
    try:
        h5py.File(path, "r", locking=False).close()
    except OSError:
        return False
    return True


def _whole(group: h5py.Group, layout: Layout, size: int | None) -> npt.NDArray[np.bool_]:
    """Say which shots were acknowledged and are there."""
    whole = np.isfinite(group[_TIME][()])
    return whole if size is None else whole & ~damage.lost(group, layout, size)


def _rows(whole: npt.NDArray[np.bool_], layout: Layout) -> int | None:
    """Return how many rows of a stream are whole; None for a grid, which has its size from the start."""
    return None if layout.axes else int(np.append(whole, [False]).argmin())


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


def _copy(file: h5py.File, path: Path, rows: int | None, whole: npt.NDArray[np.bool_], *, cut_off: bool) -> None:
    """Copy what was acknowledged, block by block."""
    group = file[skeleton.DATA]
    why = "from a file that was cut off" if cut_off else "after the program was killed"
    attrs: dict[str, Any] = {"ended": f"recovered {why}"}
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
                block = old[k : min(k + step, shape[0])]
                if layout.axes and old.chunks and dims[: whole.ndim] == layout.dims:
                    block[~whole[k : k + step]] = np.nan
                new[k : min(k + step, shape[0])] = block
