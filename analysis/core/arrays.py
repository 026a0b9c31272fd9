"""Arrays in the form that compiled code reads.

Not here: compiling (`analysis.core.stale_kernels`).
"""

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["for_kernel"]


def for_kernel(values: npt.ArrayLike) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Give numbers as contiguous float64 that may be written to.

    numba compiles a function once more for arrays that are read-only, as those that came over a network are.

    Parameters
    ----------
    values:
        Any shape.

    Returns
    -------
    :
        The same array where it is of that form, else a copy.
    """
    return np.require(values, dtype=np.float64, requirements=("C", "W"))
