"""Removes compiled kernels that were made from other sources than the installed ones.

numba compares only the file of the function it loads, not those of the functions that it calls, and wheels
give all files one date: without this an update could run an old kernel. Not here: compiling, numba itself.
"""

import hashlib
import os
from collections.abc import Iterable
from functools import cache
from pathlib import Path

__all__ = ["drop_stale"]


@cache
def drop_stale(folder: Path, names: Iterable[str]) -> bool:
    """Remove the index files of a room's cache if its sources have changed.

    Parameters
    ----------
    folder:
        The folder of the sources.
    names:
        A tuple of the modules whose functions are compiled.

    Returns
    -------
    :
        True if something was removed. A folder that cannot be written is left alone.
    """
    names = tuple(names)
    digest = hashlib.blake2b(digest_size=8)
    for name in names:
        digest.update((folder / f"{name}.py").read_bytes())
    where = _cache_folder(folder)
    stamp = where / "kernel.digest"
    text = digest.hexdigest()
    try:
        if stamp.is_file() and stamp.read_text() == text:
            return False
        stale = [path for name in names for path in where.glob(f"{name}.*.nbi")]
        for path in stale:
            path.unlink(missing_ok=True)
        where.mkdir(parents=True, exist_ok=True)
        stamp.write_text(text)
    except OSError:
        return False
    return bool(stale)


def _cache_folder(folder: Path) -> Path:
    """Return where numba keeps what it compiles from a folder."""
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    if not chosen:
        return folder / "__pycache__"
    source = str(folder.absolute())
    name = hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest()
    return Path(chosen) / f"{folder.name}_{name}"
