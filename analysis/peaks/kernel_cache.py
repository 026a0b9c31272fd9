"""Drops compiled kernels that were made from other sources than the installed ones.

numba compares only the file of the function it loads, not those of the functions that it calls, and wheels
give all files one date: without this an update could run an old kernel. Not here: compiling
(`analysis.peaks.warm_up`).
"""

import hashlib
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

__all__ = ["drop_stale", "load"]

SOURCES = (
    "coarse", "compiled", "curves", "engine", "expansion", "faddeeva", "intake", "kinds", "linear", "losses", "normal",
    "opcodes", "profiles", "program", "region", "reseed", "rows", "search", "shapes",
    "smoothing", "special",
)  # fmt: skip


@cache
def drop_stale() -> bool:
    """Remove the index files of the cache beside the sources if the sources have changed.

    Returns
    -------
    :
        True if something was removed. A folder that cannot be written is left alone.
    """
    here = Path(__file__).parent
    digest = hashlib.blake2b(digest_size=8)
    for name in SOURCES:
        digest.update((here / f"{name}.py").read_bytes())
    cache = here / "__pycache__"
    stamp = cache / "kernel.digest"
    text = digest.hexdigest()
    try:
        if stamp.is_file() and stamp.read_text() == text:
            return False
        stale = [path for name in SOURCES for path in cache.glob(f"{name}.*.nbi")]
        for path in stale:
            path.unlink(missing_ok=True)
        cache.mkdir(exist_ok=True)
        stamp.write_text(text)
    except OSError:
        return False
    return bool(stale)


def load(module: str) -> Any:  # noqa: ANN401 - a module
    """Import a compiled module of this room, late: numba takes as long as all the rest, and many programs never fit.

    Parameters
    ----------
    module:
        Its name, such as `"batched"`.

    Returns
    -------
    :
        The module; what is out of date in the cache has been removed before.
    """
    drop_stale()
    return import_module(f"analysis.peaks.{module}")
