"""What is refused in a Zarr store before anything is read from it.

Codecs and dtypes that would run code or load a plug-in, links out of the folder, sizes that would fill the memory,
and missing chunks, which Zarr itself reads as zeros. Not here: reading (`analysis.io.zarr_store`).
"""

import json
import os
from math import ceil, prod
from pathlib import Path
from typing import Any

import numpy as np

from analysis.core import FormatError

METADATA = "zarr.json"
MAX_METADATA_BYTES = 64_000_000
"""Longest description of one array or group, in bytes."""
MAX_CHUNK_BYTES = 2_000_000_000
"""Most bytes that one chunk may take in memory."""
MAX_COORDINATE_BYTES = 8_000_000_000
"""Most bytes that the coordinates of a store may take in memory; they are read at once."""
_TYPES = frozenset({"bool", *(f"{kind}{size}" for kind in ("int", "uint") for size in (8, 16, 32, 64))}) | {
    "float32",
    "float64",
}
_CODECS = frozenset({"bytes", "transpose", "zstd", "blosc", "gzip", "crc32c"})


def is_store(path: Path) -> bool:
    """Say whether a folder is a Zarr store of format 3."""
    return (path / METADATA).is_file()


def require_safe(path: Path) -> None:
    """Refuse a store that is damaged, incomplete or unsafe to read.

    Parameters
    ----------
    path:
        The folder.

    Raises
    ------
    FormatError
        If it links out of the folder, needs unknown codecs or types, is too large, or lacks chunks.
    """
    _require_no_links(path)
    root = _metadata(path, path.name)
    if root.get("node_type") != "group":
        msg = f"{path.name!r} is one Zarr array, wanted a group of arrays such as xarray and io.write make"
        raise FormatError(msg)
    for folder in sorted(item for item in path.iterdir() if item.is_dir()):
        described = _metadata(folder, path.name)
        if described.get("node_type") == "array":
            _require_array(folder, described, path.name)


def _require_no_links(path: Path) -> None:
    for folder, folders, files in os.walk(path):
        for name in (*folders, *files):
            if Path(folder, name).is_symlink():
                msg = f"{path.name!r} holds the link {name!r}; links are not followed. Save a copy with the data in it"
                raise FormatError(msg)


def _metadata(folder: Path, store: str) -> dict[str, Any]:
    file = folder / METADATA
    try:
        if file.stat().st_size > MAX_METADATA_BYTES:
            msg = f"{store!r}: {folder.name}/{METADATA} has more than {MAX_METADATA_BYTES} bytes. Remove its attributes"
            raise FormatError(msg)
        described = json.loads(file.read_text(encoding="utf-8"))
        version = described["zarr_format"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        msg = f"{store!r} is damaged: {folder.name}/{METADATA} cannot be read ({error}). Copy the store again"
        raise FormatError(msg) from error
    if version != 3:  # noqa: PLR2004 - the format
        msg = f"{store!r} is Zarr format {version}, wanted 3. Write it again: dataset.to_zarr(path, zarr_format=3)"
        raise FormatError(msg)
    return dict(described)


def _require_array(folder: Path, described: dict[str, Any], store: str) -> None:
    name = f"{store!r}: array {folder.name!r}"
    try:
        kind, shape = str(described["data_type"]), [int(n) for n in described["shape"]]
        chunks = [int(n) for n in described["chunk_grid"]["configuration"]["chunk_shape"]]
        codecs = [str(codec["name"]) for codec in described["codecs"]]
        keys = str(described["chunk_key_encoding"]["name"])
    except (KeyError, TypeError, ValueError) as error:
        msg = f"{name} is damaged: its description lacks {error}. Copy the store again"
        raise FormatError(msg) from error
    if kind not in _TYPES:
        msg = f"{name} has data of type {kind!r}, which Zarr's specification does not fix; known are {sorted(_TYPES)}"
        raise FormatError(msg)
    unknown = sorted(set(codecs) - _CODECS) + [str(n["name"]) for n in described.get("storage_transformers", [])]
    if unknown or keys != "default":
        msg = f"{name} is packed with {unknown or keys}, which is not loaded; known are {sorted(_CODECS)}"
        raise FormatError(msg)
    if prod(chunks) * np.dtype(kind).itemsize > MAX_CHUNK_BYTES:
        msg = f"{name} has chunks {chunks}, more than {MAX_CHUNK_BYTES} bytes each. Write it in smaller ones"
        raise FormatError(msg)
    wanted = prod(ceil(n / each) for n, each in zip(shape, chunks, strict=True)) if 0 not in shape else 0
    held = sum(1 for file in (folder / "c").rglob("*") if file.is_file()) if shape else int((folder / "c").is_file())
    if held != wanted:
        msg = f"{name} is incomplete: it holds {held} of {wanted} chunks. Write or copy the store again"
        raise FormatError(msg)
