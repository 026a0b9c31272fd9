"""Loads the compiled solver late: numba takes as long to import as all the rest.

Not here: the solver (`analysis.baseline.banded`).
"""

from importlib import import_module
from pathlib import Path
from typing import Any

from analysis.core.stale_kernels import drop_stale

__all__ = ["load"]


def load(module: str) -> Any:  # noqa: ANN401 - a module
    """Import a compiled module of this room.

    Parameters
    ----------
    module:
        Its name, such as `"banded"`.

    Returns
    -------
    :
        The module; what is out of date in the cache has been removed before.
    """
    drop_stale(Path(__file__).parent, ("banded",))
    return import_module(f"analysis.baseline.{module}")
