"""Loads the compiled kernel late, and names its sources.

Not here: dropping what is out of date (`analysis.core.stale_kernels`), compiling (`analysis.peaks.warm_up`).
"""

from importlib import import_module
from pathlib import Path
from typing import Any

from analysis.core import stale_kernels

__all__ = ["drop_stale", "load"]

HERE = Path(__file__).parent
SOURCES = (
    "axial", "coarse", "compiled", "core_level", "curves", "engine", "expansion", "faddeeva", "intake", "kinds",
    "linear", "losses", "normal", "opcodes", "profiles", "program", "region", "reseed", "rows", "search", "shapes",
    "smoothing", "special",
)  # fmt: skip


def drop_stale() -> bool:
    """Remove the index files of this room's cache if the sources have changed.

    Returns
    -------
    :
        True if something was removed. A folder that cannot be written is left alone.
    """
    return stale_kernels.drop_stale(HERE, SOURCES)


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
    return import_module(f"analysis.peaks.{module}")
