"""To and from the package `uncertainties`, which lmfit's `uvars` speak.

It is imported late because only these two functions need it. Not here: units, which it does not know.
"""

import hashlib
import math
from collections.abc import Iterable, Sequence
from typing import Any

from analysis.core import UncertaintyError
from analysis.uncertainty.quantity import Quantity
from analysis.uncertainty.sources import Source, fresh_id

_VARIABLES: dict[str, Any] = {}
_SOURCES: dict[int, tuple[Any, Source]] = {}


def to_uncertainties(quantities: Sequence[Quantity]) -> tuple[Any, ...]:
    """Return quantities as numbers of the package `uncertainties`."""
    raise NotImplementedError


def from_uncertainties(numbers: Iterable[Any], *, units: str) -> tuple[Quantity, ...]:
    """Return numbers of the package `uncertainties` as quantities."""
    raise NotImplementedError
