"""Zarr stores: maps larger than memory, written chunk by chunk and read lazily.

A store is a group of Zarr format 3 that xarray opens too. Chunks hold whole spectra: they divide the dims of the
map, never `channel` or the parameters. Text is stored as codes (`text_of_code` in the attributes), because Zarr's
specification fixes no type for it. Not here: how lazy data are written (`analysis.io.zarr_regions`), what is refused
(`analysis.io.zarr_check`), dtypes and attributes (`analysis.io.codec`), putting a store in its place
(`analysis.io.atomic`).
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from analysis.core import CHANNEL, FormatError, MetrospecError
from analysis.io import codec, zarr_check
from analysis.io.zarr_regions import write_regions

CHUNK_BYTES = 8_000_000
"""Largest chunk of data that are given in memory; lazy data keep their own chunks."""
MAX_TEXTS = 100_000
"""Most different texts in one variable."""
WHOLE = frozenset({CHANNEL, "parameter", "parameter_", "source", "mode"})
"""Dims that no chunk divides; all others are dims of the map."""
_NOTE = "metrospec"
_CODES = "text_of_code"
_NEEDS = "Zarr stores need zarr and dask: pip install 'metrospec[zarr]'"


def write(dataset: xr.Dataset, folder: Path, *, kind: str) -> None:
    """Write a Dataset as a new store; lazy data are computed and written chunk by chunk, by the scheduler in use.

    Parameters
    ----------
    dataset:
        What to write.
    folder:
        An empty folder; every worker of the scheduler must see it under this path.
    kind:
        What class it was before it became a Dataset.

    Raises
    ------
    FormatError
        If something cannot be held exactly.
    ImportError
        If zarr is not installed.
    """
    try:
        from zarr.codecs import BloscCodec, Crc32cCodec  # noqa: PLC0415 - an optional extra, only such stores need it
    except ImportError as error:
        raise ImportError(_NEEDS) from error
    plain, note = codec.encode(dataset)
    plain = _chunked(_with_codes(_with_plain_attrs(plain, note)))
    packed = {"compressors": (BloscCodec(cname="zstd", clevel=1, shuffle="shuffle"), Crc32cCodec())}
    plain.assign_attrs({_NOTE: json.dumps({"kind": kind, **note}, sort_keys=True)}).to_zarr(
        folder, mode="w", zarr_format=3, consolidated=False, write_empty_chunks=True, compute=False,
        encoding={name: {**packed, "chunks": _chunks_of(v)} if v.ndim else {} for name, v in plain.variables.items()},
    )  # fmt: skip
    write_regions(plain, folder, whole=WHOLE)


def read(path: Path) -> xr.Dataset:
    """Read a store; data are lazy in the chunks of the store, coordinates are in memory.

    Parameters
    ----------
    path:
        The folder.

    Returns
    -------
    :
        What was written, or a store of other origin with a variable `signal` along `channel`.

    Raises
    ------
    FormatError
        If the store is damaged, incomplete, unsafe, or holds no spectrum.
    ImportError
        If zarr or dask is not installed.
    """
    zarr_check.require_safe(path)
    try:
        import dask.array  # noqa: F401, PLC0415 - an optional extra, only such stores need it
        import zarr  # noqa: F401, PLC0415 - as above
    except ImportError as error:
        raise ImportError(_NEEDS) from error
    try:
        plain = xr.open_dataset(path, engine="zarr", chunks={}, inline_array=True, decode_cf=False, consolidated=False)
        return _decoded(plain, path) if _NOTE in plain.attrs else _foreign(plain, path)
    except MetrospecError:
        raise
    except (OSError, RuntimeError, LookupError, ValueError, TypeError, AttributeError) as error:
        msg = f"{path.name!r} is damaged: {error}. Copy it again from where it was written"
        raise FormatError(msg) from error


def _require_room(loaded: list[xr.Variable], path: Path) -> None:
    size = sum(variable.nbytes for variable in loaded)
    if size > zarr_check.MAX_COORDINATE_BYTES:
        msg = (
            f"{path.name!r} has {size} bytes of coordinates and text, read up to {zarr_check.MAX_COORDINATE_BYTES}. "
            "Open it with xarray.open_zarr and take a part"
        )
        raise FormatError(msg)


def _decoded(plain: xr.Dataset, path: Path) -> xr.Dataset:
    note = json.loads(plain.attrs[_NOTE])
    coords = {note["names"].get(name, name) for name in note["coords"]}
    _require_room([v for name, v in plain.variables.items() if name in coords or _CODES in v.attrs], path)
    found: dict[Any, xr.Variable] = {}
    for name, variable in plain.variables.items():
        attrs = dict(variable.attrs)
        texts = attrs.pop(_CODES, None)
        ready = variable.load() if name in coords or texts is not None else variable
        data = ready.data if texts is None else np.array([*texts, ""], dtype=object)[ready.values]
        found[name] = xr.Variable(variable.dims, data, attrs)
    for owner, kinds in note.get("numbers", {}).items():
        attrs = found[note["names"].get(owner, owner)].attrs if owner else plain.attrs
        attrs.update({name: np.array(attrs[name], dtype=kind)[()] for name, kind in kinds.items()})
    return codec.decode(xr.Dataset(found, attrs=plain.attrs), note)


def _foreign(plain: xr.Dataset, path: Path) -> xr.Dataset:
    decoded = xr.decode_cf(plain, decode_times=False)
    if "signal" not in decoded or decoded["signal"].dims[-1:] != (CHANNEL,):
        held = {str(name): array.dims for name, array in decoded.data_vars.items()}
        msg = (
            f"{path.name!r} does not say which array is the spectrum; it holds {held}, wanted 'signal' with "
            "'channel' as its last dimension. Open it with xarray.open_zarr, rename, and write it with io.write"
        )
        raise FormatError(msg)
    _require_room([coord.variable for coord in decoded.coords.values()], path)
    return decoded.assign_coords({name: coord.load() for name, coord in decoded.coords.items()}).drop_encoding()


def _chunked(plain: xr.Dataset) -> xr.Dataset:
    """Give lazy variables the same regular chunks along the dims of the map, and whole spectra."""
    sizes: dict[Any, int] = {}
    for variable in plain.variables.values():
        for dim, chunks in variable.chunksizes.items():
            sizes[dim] = -1 if dim in WHOLE else min(sizes.get(dim, max(chunks)), max(chunks))
    return plain.assign({name: v.chunk({d: sizes[d] for d in v.dims}) for name, v in plain.items() if v.chunks})


def _chunks_of(variable: xr.Variable) -> tuple[int, ...]:
    if variable.chunks is not None:
        return tuple(max(chunks) for chunks in variable.chunks)
    left = CHUNK_BYTES // max(variable.dtype.itemsize, 1)
    chunks: list[int] = []
    for size in reversed(variable.shape):
        chunks.insert(0, max(1, min(size, left)) if chunks else max(1, size))
        left //= chunks[0]
    return tuple(chunks)


def _with_codes(plain: xr.Dataset) -> xr.Dataset:
    """Replace text by codes; the texts stand in the attributes, in the order in which they first appear."""
    coded: dict[str, xr.Variable] = {}
    for key, variable in plain.variables.items():
        if variable.dtype.kind != "O":
            continue
        texts = {text: at for at, text in enumerate(dict.fromkeys(variable.values.ravel().tolist()))}
        if len(texts) > MAX_TEXTS or _CODES in variable.attrs:
            msg = f"a Zarr store holds up to {MAX_TEXTS} different texts in a variable; {key!r} has {len(texts)}"
            raise FormatError(msg)
        codes = np.array([texts[text] for text in variable.values.ravel().tolist()], dtype=np.int32)
        attrs = {**variable.attrs, _CODES: list(texts)}
        coded[str(key)] = xr.Variable(variable.dims, codes.reshape(variable.shape), attrs)
    return plain.assign(coded)


def _with_plain_attrs(plain: xr.Dataset, note: dict[str, Any]) -> xr.Dataset:
    """Turn NumPy numbers among the attributes into plain ones and note their dtypes."""
    back = {stored: name for name, stored in note["names"].items()}
    note["numbers"] = {}
    owners: list[tuple[str, dict[Any, Any]]] = [("", dict(plain.attrs))]
    owners += [(back.get(str(name), str(name)), dict(v.attrs)) for name, v in plain.variables.items()]
    for owner, attrs in owners:
        kinds = {k: v.dtype.str for k, v in attrs.items() if isinstance(v, np.ndarray | np.integer | np.floating)}
        if kinds:
            note["numbers"][owner] = kinds
            target = plain.variables[note["names"].get(owner, owner)].attrs if owner else plain.attrs
            target.update({name: attrs[name].tolist() for name in kinds})
    return plain
